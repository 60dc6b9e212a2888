"""Plays Azure Key Vault for keys of RSA, and whoever gives tokens for it, for tests: `azure_vault.py PORT [CERTIFICATE KEY]`.

It knows what the tests need: creating, reading, disabling and deleting keys, encrypt and decrypt with RSA-OAEP-256, the
challenge of requests without a token, and four ways to a token: client secret, federated token, App Service, and the
metadata service of a machine. Nothing is kept. `check_azure_vault.py` drives it with the vendor's client libraries.
Without a certificate it speaks plain HTTP.
"""

import base64
import hashlib
import http.server
import json
import re
import secrets
import ssl
import subprocess
import sys
import time
import urllib.parse

TENANT, CLIENT, SECRET = "00000000-0000-0000-0000-000000000001", "cairn-client", "cairn-secret"
FEDERATED, IDENTITY_HEADER = "federated-token", "identity-header"
HASH = 32


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- RSA ----------------------------------------------------------------------------------------------------------------


def numbers(bits):
    """Those of a new key, from openssl, which is much faster than Python: modulus, and both primes."""
    pem = subprocess.run(["openssl", "genrsa", str(bits)], check=True, capture_output=True).stdout
    text = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=pem, check=True, capture_output=True).stdout.decode()
    found = re.findall(r"^(modulus|prime1|prime2):\n((?: +[0-9a-f:]+\n)+)", text, re.MULTILINE)
    return [int(re.sub("[^0-9a-f]", "", digits), 16) for _, digits in found]


def mask(seed, length):
    blocks = (hashlib.sha256(seed + counter.to_bytes(4, "big")).digest() for counter in range(-(-length // HASH)))
    return b"".join(blocks)[:length]


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


class Refusal(Exception):
    def __init__(self, status, code, text="", inner=None):
        super().__init__(code)
        self.status, self.code, self.text, self.inner = status, code, text, inner


class RSAKey:
    def __init__(self, bits):
        self.n, self.p, self.q = numbers(bits)
        self.e, self.size = 65537, bits // 8
        self.d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        self.inverse = pow(self.q, -1, self.p)

    def jwk(self):
        return {"kty": "RSA", "n": encode(self.n.to_bytes(self.size, "big")), "e": encode(b"\x01\x00\x01")}

    def encrypt(self, message):
        if len(message) > self.size - 2 * HASH - 2:
            raise Refusal(400, "BadParameter", "the message is too long")
        filled = hashlib.sha256(b"").digest() + bytes(self.size - 2 * HASH - 2 - len(message)) + b"\x01" + message
        seed = secrets.token_bytes(HASH)
        hidden = xor(filled, mask(seed, len(filled)))
        block = b"\x00" + xor(seed, mask(hidden, HASH)) + hidden
        return pow(int.from_bytes(block, "big"), self.e, self.n).to_bytes(self.size, "big")

    def decrypt(self, ciphertext):
        number = int.from_bytes(ciphertext, "big")
        if len(ciphertext) != self.size or number >= self.n:
            raise Refusal(400, "BadParameter", "the ciphertext has the wrong length")
        # By both primes apart, which takes a quarter of the time.
        low = pow(number % self.q, self.d % (self.q - 1), self.q)
        high = pow(number % self.p, self.d % (self.p - 1), self.p)
        block = (low + (high - low) * self.inverse % self.p * self.q).to_bytes(self.size, "big")
        hidden = block[1 + HASH:]
        filled = xor(hidden, mask(xor(block[1:1 + HASH], mask(hidden, HASH)), len(hidden)))
        rest = filled[HASH:].lstrip(b"\x00")
        if block[0] or filled[:HASH] != hashlib.sha256(b"").digest() or rest[:1] != b"\x01":
            raise Refusal(400, "BadParameter", "the ciphertext is not of this key")
        return rest[1:]


# --- The service --------------------------------------------------------------------------------------------------------


class Version:
    def __init__(self, kind, bits, operations):
        self.id, self.kind, self.operations = secrets.token_hex(16), kind, operations
        self.enabled, self.created = True, int(time.time())
        self.key = RSAKey(bits) if kind.startswith("RSA") else None

    def describe(self, base, name):
        public = dict(self.key.jwk() if self.key else {"crv": "P-256", "x": encode(bytes(32)), "y": encode(bytes(32))})
        public.update({"kid": "%s/keys/%s/%s" % (base, name, self.id), "kty": self.kind, "key_ops": self.operations})
        attributes = {"enabled": self.enabled, "created": self.created, "updated": self.created,
                      "recoveryLevel": "Recoverable"}
        return {"key": public, "attributes": attributes}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece, at once.
    wbufsize, disable_nagle_algorithm = 1 << 16, True

    def log_message(self, *_):
        pass

    @property
    def base(self):
        return "%s://%s" % (self.server.scheme, self.headers["Host"])

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        try:
            status, value = self.route(url.path.rstrip("/"), body)
            headers = {}
        except Refusal as refusal:
            error = {"code": refusal.code, "message": refusal.text}
            if refusal.inner:
                error["innererror"] = {"code": refusal.inner}
            status, value, headers = refusal.status, {"error": error}, {}
            if status == 401:
                headers["WWW-Authenticate"] = 'Bearer authorization="%s/%s", resource="%s"' % (
                    self.base, TENANT, self.server.resource or self.base)
        content = json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    def route(self, path, body):
        if path.endswith("/oauth2/v2.0/token"):
            return self.principal(path, dict(urllib.parse.parse_qsl(body.decode())))
        if path.endswith("/v2.0/.well-known/openid-configuration"):
            return 200, {"token_endpoint": "%s/%s/oauth2/v2.0/token" % (self.base, TENANT),
                         "authorization_endpoint": "%s/%s/oauth2/v2.0/authorize" % (self.base, TENANT),
                         "issuer": "%s/%s/v2.0" % (self.base, TENANT)}
        if path == "/metadata/identity/oauth2/token":
            return self.managed(self.headers.get("Metadata") == "true", "2018-02-01")
        if path == "/msi/token":
            return self.managed(self.headers.get("X-IDENTITY-HEADER") == IDENTITY_HEADER, "2019-08-01")
        if path.startswith("/keys/"):
            return self.keys(path.split("/")[2:], body)
        raise Refusal(404, "NotFound")

    # Tokens

    def principal(self, path, fields):
        def refuse(code, text):
            return 401 if code == "invalid_client" else 400, {"error": code, "error_description": text + "\r\nTrace ID: 1"}

        if not path.startswith("/" + TENANT + "/"):
            return refuse("invalid_request", "AADSTS90002: Tenant not found.")
        federated = (fields.get("client_assertion") == FEDERATED
                     and fields.get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        if fields.get("client_id") != CLIENT or not (fields.get("client_secret") == SECRET or federated):
            return refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if fields.get("grant_type") != "client_credentials" or not fields.get("scope", "").endswith("/.default"):
            return refuse("invalid_scope", "AADSTS1002012: The scope is not valid.")
        life = self.server.life
        token = self.issue(fields["scope"].split(" ")[0][:-len("/.default")])
        return 200, {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}

    def managed(self, is_known, version):
        if not is_known or self.query.get("api-version") != version or "resource" not in self.query:
            return 400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
        if self.query.get("client_id", CLIENT) != CLIENT:
            return 400, {"error": "invalid_request", "error_description": "Identity not found"}
        resource = self.query["resource"]
        return 200, {"access_token": self.issue(resource), "expires_on": str(int(time.time()) + self.server.life),
                     "expires_in": str(self.server.life), "resource": resource, "token_type": "Bearer"}

    def issue(self, resource):
        token = secrets.token_urlsafe(32)
        self.server.tokens[token] = (resource, time.time() + self.server.life)
        return token

    # Keys

    def keys(self, parts, body):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        resource, end = self.server.tokens.get(token, ("", 0))
        if scheme != "Bearer" or resource != (self.server.resource or self.base) or end < time.time():
            raise Refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        if not self.query.get("api-version"):
            raise Refusal(400, "BadParameter", "api-version must be specified")
        name, rest = parts[0], parts[1:]
        given = json.loads(body) if body else {}
        if rest == ["create"] and self.command == "POST":
            operations = given.get("key_ops") or ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
            version = Version(given["kty"], given.get("key_size") or 2048, operations)
            self.server.keys.setdefault(name, []).append(version)
            return 200, version.describe(self.base, name)
        versions = self.server.keys.get(name) or []
        version = versions[-1] if versions else None
        if rest and versions:
            version = next((version for version in versions if version.id == rest[0]), None)
        if version is None:
            raise Refusal(404, "KeyNotFound", "A key with (name/id) %s was not found in this key vault." % "/".join(parts))
        if self.command == "DELETE":
            del self.server.keys[name]
            return 200, dict(version.describe(self.base, name), recoveryId=self.base + "/deletedkeys/" + name)
        if self.command == "PATCH":
            version.enabled = given.get("attributes", {}).get("enabled", version.enabled)
            version.operations = given.get("key_ops", version.operations)
            return 200, version.describe(self.base, name)
        if self.command == "GET":
            return 200, version.describe(self.base, name)
        return self.use(name, version, rest[1] if len(rest) > 1 else "", given)

    def use(self, name, version, action, given):
        if action not in ("encrypt", "decrypt"):
            raise Refusal(400, "BadParameter", "this service plays encrypt and decrypt alone")
        if not version.enabled:
            raise Refusal(403, "Forbidden", "Operation %s is not allowed on a disabled key." % action, "KeyDisabled")
        if action not in version.operations:
            raise Refusal(403, "Forbidden", "Operation %s is not permitted on this key." % action, "KeyOperationForbidden")
        if given.get("alg") != "RSA-OAEP-256":
            raise Refusal(400, "BadParameter", "this service plays RSA-OAEP-256 alone")
        value = getattr(version.key, action)(decode(given["value"]))
        return 200, {"kid": "%s/keys/%s/%s" % (self.base, name, version.id), "value": encode(value)}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    scheme, resource, life = "http", None, 3600


def serve(port, certificate=None, key=None):
    """A server that does not run yet; `resource` may be set to what it asks tokens for instead of for itself."""
    server = Server(("127.0.0.1", port), Handler)
    server.keys, server.tokens = {}, {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:4]).serve_forever()
