"""Plays Cloud KMS of Google, and whoever gives tokens for it, for tests: `google_kms.py PORT [FOLDER]`.

It knows what the tests need: encrypt and decrypt with a context under versions of a key, rotation and disabling, tokens
for the signed statement of a service account, and those of a machine. With a folder it writes there the file of the
account, `account.json`, as Google gives it. Nothing else is kept. `check_google_kms.py` drives it with the vendor's
client libraries. The ciphertext is of its own making: only the service ever looks into one.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.parse

EMAIL = "cairn@test-project.iam.gserviceaccount.com"
PARENT = "projects/test-project/locations/global/keyRings/cairn/cryptoKeys/"
SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/cloudkms")
DIGEST = bytes.fromhex("3031300d060960864801650304020105000420")


def encode(data):
    return base64.b64encode(data).decode()


def decode_url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Refusal(Exception):
    def __init__(self, status, code, text):
        super().__init__(code)
        self.status, self.code, self.text = status, code, text


class Version:
    def __init__(self):
        self.secret, self.enabled = secrets.token_bytes(32), True

    def stream(self, nonce, length):
        blocks = (hmac.digest(self.secret, b"stream" + nonce + index.to_bytes(4, "big"), "sha256")
                  for index in range(length // 32 + 1))
        return b"".join(blocks)[:length]

    def seal(self, plaintext, context):
        nonce = secrets.token_bytes(16)
        body = nonce + bytes(a ^ b for a, b in zip(plaintext, self.stream(nonce, len(plaintext))))
        return body + self.tag(body, context)

    def open(self, sealed, context):
        body, tag = sealed[:-32], sealed[-32:]
        if len(body) < 16 or not hmac.compare_digest(tag, self.tag(body, context)):
            raise Refusal(400, "INVALID_ARGUMENT", "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
        return bytes(a ^ b for a, b in zip(body[16:], self.stream(body[:16], len(body) - 16)))

    def tag(self, body, context):
        return hmac.digest(self.secret, b"tag" + len(context).to_bytes(8, "big") + context + body, "sha256")


class Account:
    """A key of a service account, made by openssl."""

    def __init__(self):
        self.pem = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                                  check=True, capture_output=True).stdout.decode()
        text = subprocess.run(["openssl", "rsa", "-noout", "-modulus"], input=self.pem.encode(), check=True,
                              capture_output=True).stdout.decode()
        self.modulus, self.id = int(re.search("Modulus=([0-9A-F]+)", text)[1], 16), secrets.token_hex(20)

    def file(self, url):
        return {"type": "service_account", "project_id": "test-project", "private_key_id": self.id,
                "private_key": self.pem, "client_email": EMAIL, "client_id": "1", "token_uri": url + "/token"}

    def verify(self, text, signature):
        size = (self.modulus.bit_length() + 7) // 8
        block = pow(int.from_bytes(signature, "big"), 65537, self.modulus).to_bytes(size, "big")
        hashed = DIGEST + hashlib.sha256(text).digest()
        return block == b"\x00\x01" + b"\xff" * (size - len(hashed) - 3) + b"\x00" + hashed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece, at once.
    wbufsize, disable_nagle_algorithm = 1 << 16, True

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        try:
            status, value = self.route(urllib.parse.unquote(url.path), body)
        except Refusal as refusal:
            error = {"code": refusal.status, "message": refusal.text, "status": refusal.code}
            status, value = refusal.status, {"error": error}
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = handle_any

    def route(self, path, body):
        if path == "/token" and self.command == "POST":
            return self.account_token(dict(urllib.parse.parse_qsl(body.decode())))
        if path == "/computeMetadata/v1/instance/service-accounts/default/token":
            if self.headers.get("Metadata-Flavor") != "Google":
                raise Refusal(403, "PERMISSION_DENIED", "the header Metadata-Flavor is missing")
            return 200, self.issue()
        # What tests do to a key, of nobody's interface.
        if path.startswith("/test/"):
            return self.change(*path.split("/")[2:])
        name, _, action = path[len("/v1/"):].rpartition(":")
        if not path.startswith("/v1/") or action not in ("encrypt", "decrypt") or self.command != "POST":
            raise Refusal(404, "NOT_FOUND", "the method does not exist")
        if self.server.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "), 0) < time.time():
            raise Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        versions = self.server.keys.get(name.removeprefix(PARENT)) if name.startswith(PARENT) else None
        if versions is None:
            raise Refusal(404, "NOT_FOUND", "CryptoKey %s not found." % name)
        if action in self.server.denied.get(name.removeprefix(PARENT), ()):
            raise Refusal(403, "PERMISSION_DENIED", "Permission 'cloudkms.cryptoKeyVersions.x' denied on resource.")
        given = json.loads(body)
        context = base64.b64decode(given.get("additionalAuthenticatedData", ""))
        return 200, getattr(self, action)(name, versions, given, context)

    def encrypt(self, name, versions, given, context):
        self.check(name, len(versions), versions[-1])
        sealed = versions[-1].seal(base64.b64decode(given["plaintext"]), context)
        return {"name": "%s/cryptoKeyVersions/%d" % (name, len(versions)), "protectionLevel": "SOFTWARE",
                "ciphertext": encode(len(versions).to_bytes(4, "big") + sealed)}

    def decrypt(self, name, versions, given, context):
        ciphertext = base64.b64decode(given["ciphertext"])
        number = int.from_bytes(ciphertext[:4], "big")
        if not 1 <= number <= len(versions):
            raise Refusal(400, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.")
        self.check(name, number, versions[number - 1])
        plaintext = versions[number - 1].open(ciphertext[4:], context)
        return {"plaintext": encode(plaintext), "usedPrimary": number == len(versions)}

    @staticmethod
    def check(name, number, version):
        if not version.enabled:
            raise Refusal(400, "FAILED_PRECONDITION", "%s/cryptoKeyVersions/%d is not enabled, current state is: DISABLED."
                          % (name, number))

    def change(self, action, key, *rest):
        if action == "rotate":
            self.server.keys.setdefault(key, []).append(Version())
        elif action == "enable":
            self.server.keys[key][int(rest[0]) - 1].enabled = rest[1] == "true"
        elif action == "deny":
            self.server.denied[key] = rest
        return 200, {}

    def account_token(self, fields):
        def refuse(text):
            return 400, {"error": "invalid_grant", "error_description": text}

        if fields.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type"}
        header, claims, signature = fields["assertion"].split(".")
        account = self.server.account
        if json.loads(decode_url(header)).get("alg") != "RS256" or not account.verify(
                ("%s.%s" % (header, claims)).encode(), decode_url(signature)):
            return refuse("Invalid JWT Signature.")
        told, now = json.loads(decode_url(claims)), time.time()
        if told.get("iss") != EMAIL or not str(told.get("aud")).endswith("/token"):
            return refuse("Invalid issuer or audience.")
        if not told["iat"] - 300 <= now <= told["exp"] or told["exp"] - told["iat"] > 3600:
            return refuse("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
        if not set(told.get("scope", "").split()) & set(SCOPES):
            return 400, {"error": "invalid_scope"}
        return 200, self.issue()

    def issue(self):
        token = secrets.token_urlsafe(32)
        self.server.tokens[token] = time.time() + 3600
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port):
    """A server that does not run yet, with one key of one version, `states`."""
    server = Server(("127.0.0.1", port), Handler)
    server.account, server.keys, server.denied, server.tokens = Account(), {"states": [Version()]}, {}, {}
    return server


def write_account(server, folder):
    """Writes the file of the service account and gives its path."""
    path = os.path.join(folder, "account.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(server.account.file("http://127.0.0.1:%d" % server.server_port), file)
    return path


if __name__ == "__main__":
    running = serve(int(sys.argv[1]))
    if len(sys.argv) > 2:
        write_account(running, sys.argv[2])
    running.serve_forever()
