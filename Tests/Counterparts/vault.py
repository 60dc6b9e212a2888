"""Plays HashiCorp Vault for tests: `vault.py PORT`.

It knows what the tests need: the transit engine with associated data, versions of keys and `min_decryption_version`;
tokens that end, renewal, and logins by AppRole and as a pod of Kubernetes; a seal. Nothing is kept. `check_vault.py`
drives it with hvac, the client library of PyPI. The ciphertext is of its own making: only the service ever looks into
one.
"""

import base64
import hmac
import http.server
import json
import secrets
import sys
import time

ROOT = "root-token"
ROLE, SECRET = "the-role", "the-secret"
POD_ROLE, POD_TOKEN = "cairn-pod", "signed.by.kubernetes"


class Refusal(Exception):
    def __init__(self, status, *errors):
        super().__init__(*errors)
        self.status, self.errors = status, errors


class Version:
    def __init__(self):
        self.secret = secrets.token_bytes(32)

    def stream(self, nonce, length):
        blocks = (hmac.digest(self.secret, b"stream" + nonce + index.to_bytes(4, "big"), "sha256")
                  for index in range(length // 32 + 1))
        return b"".join(blocks)[:length]

    def tag(self, body, data):
        return hmac.digest(self.secret, b"tag" + len(data).to_bytes(8, "big") + data + body, "sha256")[:16]

    def seal(self, plaintext, data):
        nonce = secrets.token_bytes(12)
        body = nonce + bytes(a ^ b for a, b in zip(plaintext, self.stream(nonce, len(plaintext))))
        return body + self.tag(body, data)

    def open(self, sealed, data):
        if len(sealed) < 28:
            raise Refusal(400, "invalid ciphertext: too short")
        body, tag = sealed[:-16], sealed[-16:]
        if not hmac.compare_digest(tag, self.tag(body, data)):
            raise Refusal(400, "cipher: message authentication failed")
        return bytes(a ^ b for a, b in zip(body[12:], self.stream(body[:12], len(body) - 12)))


class Key:
    def __init__(self, kind="aes256-gcm96"):
        self.kind, self.versions, self.least = kind, [Version()], 1


class Token:
    """`life` 0 does not end; `limit` is when renewals end."""

    def __init__(self, life=0, renewable=False, limit=None, denied=()):
        self.life, self.renewable, self.limit, self.denied = life, renewable, limit, set(denied)
        self.ends = time.time() + life if life else None

    def renew(self):
        self.ends = min(time.time() + self.life, self.limit or float("inf"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = 1 << 16, True

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        try:
            status, value = 200, self.route(self.path.split("?")[0], json.loads(body) if body else {})
        except Refusal as refusal:
            status, value = refusal.status, {"errors": list(refusal.errors)}
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_LIST = handle_any

    def route(self, path, given):
        if path.startswith("/test/"):
            return self.change(*path.split("/")[2:])
        if not path.startswith("/v1/"):
            raise Refusal(404)
        parts = path[len("/v1/"):].split("/")
        if self.server.is_sealed:
            raise Refusal(503, "Vault is sealed")
        if self.server.is_throttled:
            raise Refusal(429, "request path %r: rate limit quota exceeded" % "/".join(parts))
        if self.headers.get("X-Vault-Namespace", "").strip("/") != self.server.namespace:
            raise Refusal(404, "no handler for route %r. route entry not found." % "/".join(parts))
        if parts[0] == "auth" and parts[-1] == "login":
            return self.login("/".join(parts[:-1]), given)
        token = self.token()
        if parts[:2] == ["auth", "token"]:
            return self.own_token(parts[2], token)
        if parts[0] != "transit" or len(parts) != 3:
            raise Refusal(404, "no handler for route %r. route entry not found." % "/".join(parts))
        if parts[1] in token.denied:
            raise Refusal(403, "1 error occurred:\n\t* permission denied\n\n")
        return self.transit(*parts[1:], given)

    def token(self):
        token = self.server.tokens.get(self.headers.get("X-Vault-Token", ""))
        if not token or token.ends and token.ends < time.time():
            self.server.refused += 1
            raise Refusal(403, "permission denied")
        return token

    def own_token(self, action, token):
        left = max(0, int(token.ends - time.time())) if token.ends else 0
        if action == "lookup-self" and self.command == "GET":
            return {"data": {"ttl": left, "renewable": token.renewable, "policies": ["cairn"]}}
        if action == "renew-self":
            if not token.renewable:
                raise Refusal(400, "lease is not renewable")
            token.renew()
            text = self.headers["X-Vault-Token"]
            return {"auth": {"client_token": text, "lease_duration": int(token.ends - time.time()), "renewable": True}}
        raise Refusal(404)

    def login(self, path, given):
        if path == "auth/approle":
            if (given.get("role_id"), given.get("secret_id")) != (ROLE, SECRET):
                raise Refusal(400, "invalid role or secret ID")
        elif path == "auth/kubernetes":
            if given.get("role") != POD_ROLE:
                raise Refusal(400, "invalid role name \"%s\"" % given.get("role"))
            if given.get("jwt") != POD_TOKEN:
                raise Refusal(403, "permission denied")
        else:
            raise Refusal(403, "permission denied")
        text = "hvs." + secrets.token_urlsafe(18)
        self.server.tokens[text] = Token(self.server.life, renewable=True)
        return {"auth": {"client_token": text, "lease_duration": self.server.life, "renewable": True}}

    def transit(self, action, name, given):
        key = self.server.keys.get(name)
        if action == "keys" and self.command == "GET":
            if not key:
                raise Refusal(404)
            return {"data": {"type": key.kind, "latest_version": len(key.versions), "min_decryption_version": key.least}}
        if action not in ("encrypt", "decrypt"):
            raise Refusal(404, "unsupported path")
        if not key:
            raise Refusal(400, "encryption key not found")
        data = base64.b64decode(given.get("associated_data", ""))
        if data and not key.kind.startswith(("aes", "chacha")):
            raise Refusal(400, "associated_data is not supported for key type %s" % key.kind)
        if self.server.ignores_data:
            data = b""
        return {"data": getattr(self, action)(key, given, data)}

    @staticmethod
    def encrypt(key, given, data):
        number = len(key.versions)
        sealed = key.versions[-1].seal(base64.b64decode(given["plaintext"]), data)
        return {"ciphertext": "vault:v%d:%s" % (number, base64.b64encode(sealed).decode()), "key_version": number}

    @staticmethod
    def decrypt(key, given, data):
        parts = given["ciphertext"].split(":")
        if len(parts) != 3 or parts[0] != "vault" or not parts[1][1:].isdigit():
            raise Refusal(400, "invalid ciphertext: no prefix")
        number = int(parts[1][1:])
        if not 1 <= number <= len(key.versions):
            raise Refusal(400, "invalid ciphertext: version is too new")
        if number < key.least:
            raise Refusal(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            sealed = base64.b64decode(parts[2], validate=True)
        except ValueError:
            raise Refusal(400, "invalid ciphertext: could not decode base64") from None
        return {"plaintext": base64.b64encode(key.versions[number - 1].open(sealed, data)).decode()}

    def change(self, action, *rest):
        server = self.server
        if action == "rotate":
            if rest[0] in server.keys:
                server.keys[rest[0]].versions.append(Version())
            else:
                server.keys[rest[0]] = Key()
        elif action == "least":
            server.keys[rest[0]].least = int(rest[1])
        elif action == "kind":
            server.keys[rest[0]] = Key(rest[1])
        elif action == "token":
            text, life, renewable, limit, *denied = rest
            server.tokens[text] = Token(int(life), renewable == "renewable",
                                        time.time() + int(limit) if int(limit) else None, denied)
        elif action == "revoke":
            server.tokens.pop(rest[0])
        return {}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port):
    """A server that does not run yet, with the keys `states` and `others`."""
    server = Server(("127.0.0.1", port), Handler)
    server.keys, server.tokens = {"states": Key(), "others": Key()}, {ROOT: Token()}
    server.is_throttled, server.refused = False, 0
    server.is_sealed, server.ignores_data, server.namespace, server.life, server.seen = False, False, "", 3600, []
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
