"""A small Azure Blob Storage for tests: block blobs in memory, with authorization checked for real.

    azure_blob.py PORT [ACCOUNT KEY]

It listens on 127.0.0.1 and has one account, addressed by path as emulators have it: http://127.0.0.1:PORT/ACCOUNT/….
Requests need a Shared Key signature, a shared access signature, or a bearer token: `test-token`, whose identity gets
keys that sign for it ("user delegation"), or `reader-token`, whose identity gets none.
`check_azure_blob.py` drives it with the vendor's own client library, so that what it takes is what that library sends.
"""

import base64
import calendar
import email.utils
import hashlib
import hmac
import http.server
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

import xml.etree.ElementTree as ElementTree

ACCOUNT = "cairntest"
KEY = base64.b64encode(b"a key of an account that only tests have").decode()
TOKEN, READER_TOKEN = "test-token", "reader-token"
OWNER, TENANT = "0c0ffee0-0000-4000-8000-000000000001", "0c0ffee0-0000-4000-8000-000000000002"
# Parameters that say whose key has signed, in the order in which they are signed.
KEY_FIELDS = ["skoid", "sktid", "skt", "ske", "sks", "skv"]
LONGEST_KEY = 7 * 86400
TIME = "%Y-%m-%dT%H:%M:%SZ"


class Refusal(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or "The request is refused."


class Blob:
    def __init__(self, content, headers, metadata):
        self.content, self.headers, self.metadata = content, headers, metadata
        self.modified = time.time()
        self.etag = '"0x%016X"' % (time.time_ns() & 0xFFFFFFFFFFFFFFFF)
        self.copy = None


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.containers = {}
        self.blocks = {}


def sign(key, text):
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "azure-blob-for-tests"

    # MARK: - Requests

    def handle_one(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        parts = urllib.parse.urlsplit(self.path)
        self.raw_path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        try:
            self.authorize()
            names = urllib.parse.unquote(parts.path).split("/", 3)
            if self.command == "POST" and names[1:] in ([self.server.account], [self.server.account, ""]):
                return self.delegate()
            if len(names) < 3 or names[1] != self.server.account:
                raise Refusal(400, "InvalidUri")
            self.route(names[2], names[3] if len(names) > 3 else "")
        except Refusal as refusal:
            text = "<?xml version='1.0' encoding='utf-8'?><Error><Code>%s</Code><Message>%s</Message></Error>"
            body = (text % (refusal.code, escape(refusal.message))).encode()
            self.answer(refusal.status, body, {"x-ms-error-code": refusal.code, "Content-Type": "application/xml"})

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

    def answer(self, status, body=b"", headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("x-ms-version", self.headers.get("x-ms-version", ""))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass

    # MARK: - Authorization

    def authorize(self):
        given = self.headers.get("Authorization", "")
        if "sig" in self.query:
            return self.authorize_signature()
        if given in ("Bearer " + TOKEN, "Bearer " + READER_TOKEN):
            return None
        if given != "SharedKey %s:%s" % (self.server.account, sign(self.server.key, self.text())):
            raise Refusal(403, "AuthenticationFailed", "The signature is not that of the request.\nSigned: " + self.text())
        sent = email.utils.parsedate_to_datetime(self.headers["x-ms-date"]).timestamp()
        if abs(sent - time.time()) > 900:
            raise Refusal(403, "AuthenticationFailed", "Request date header too old")
        return None

    def text(self):
        length = self.headers.get("Content-Length", "")
        names = ["Content-Encoding", "Content-Language", None, "Content-MD5", "Content-Type", "Date",
                 "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"]
        lines = [self.command]
        lines += [("" if length == "0" else length) if n is None else self.headers.get(n, "") for n in names]
        extra = sorted((n.lower(), v) for n, v in self.headers.items() if n.lower().startswith("x-ms-"))
        lines += ["%s:%s" % pair for pair in extra]
        lines.append("/%s%s" % (self.server.account, self.raw_path))
        lines += ["%s:%s" % (n.lower(), v) for n, v in sorted(self.query.items())]
        return "\n".join(lines)

    def authorize_signature(self):
        q = self.query
        names = urllib.parse.unquote(self.raw_path).split("/", 3)
        resource = "/blob/%s/%s" % (names[1], names[2])
        if q.get("sr") == "b":
            resource += "/" + names[3]
        signer, added, key = ["si"], [], self.server.key
        if "skoid" in q:
            signer, key = KEY_FIELDS + ["saoid", "suoid", "scid"], self.delegated([q.get(n, "") for n in KEY_FIELDS])
            # Newer versions sign more.
            signer += ["skdutid", "sduoid"] if q.get("sv", "") >= "2025-07-05" else []
            added = ["srh", "srq"] if q.get("sv", "") >= "2026-04-06" else []
        rest = ["sip", "spr", "sv", "sr", "snapshot", "ses"] + added + ["rscc", "rscd", "rsce", "rscl", "rsct"]
        text = "\n".join([q.get(n, "") for n in ("sp", "st", "se")] + [resource] + [q.get(n, "") for n in signer + rest])
        if not hmac.compare_digest(sign(key, text), q["sig"]):
            raise Refusal(403, "AuthenticationFailed", "Signature did not match.")
        now = time.strftime(TIME, time.gmtime())
        if q.get("se", "") < now or ("skoid" in q and not q["skt"] <= now < q["ske"]):
            raise Refusal(403, "AuthenticationFailed", "Signature not valid in the specified time frame")
        needed = {"GET": "r", "HEAD": "r", "PUT": "w", "DELETE": "d"}[self.command]
        needed = "l" if q.get("comp") == "list" else needed
        if needed not in q.get("sp", ""):
            raise Refusal(403, "AuthorizationPermissionMismatch")

    # MARK: - Keys of identities

    def delegated(self, fields):
        """The key that has these fields: it is made of them, so that none has to be remembered."""
        return sign(self.server.key, "\n".join(["a key for an identity"] + fields))

    def delegate(self):
        if (self.query.get("restype"), self.query.get("comp")) != ("service", "userdelegationkey"):
            raise Refusal(400, "InvalidUri")
        given = self.headers.get("Authorization", "")
        if not given.startswith("Bearer "):
            raise Refusal(403, "AuthenticationFailed", "Only authentication scheme Bearer is supported")
        if given != "Bearer " + TOKEN:
            raise Refusal(403, "AuthorizationPermissionMismatch",
                          "This request is not authorized to perform this operation using this permission.")
        version = self.headers.get("x-ms-version", "")
        if version < "2018-11-09":
            raise Refusal(400, "InvalidHeaderValue", "x-ms-version")
        asked = ElementTree.fromstring(self.body)
        times = [calendar.timegm(time.strptime(asked.findtext(n), TIME)) for n in ("Start", "Expiry")]
        if times[0] >= times[1] or any(abs(moment - time.time()) > LONGEST_KEY for moment in times):
            raise Refusal(400, "InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format.")
        fields = [OWNER, TENANT] + [time.strftime(TIME, time.gmtime(moment)) for moment in times] + ["b", version]
        names = ["SignedOid", "SignedTid", "SignedStart", "SignedExpiry", "SignedService", "SignedVersion", "Value"]
        elements = "".join("<%s>%s</%s>" % (n, v, n) for n, v in zip(names, fields + [self.delegated(fields)]))
        text = "\ufeff<?xml version='1.0' encoding='utf-8'?><UserDelegationKey>%s</UserDelegationKey>" % elements
        self.answer(200, text.encode(), {"Content-Type": "application/xml"})

    # MARK: - Operations

    def route(self, container, name):
        store = self.server.store
        with store.lock:
            if not name:
                return self.container(store, container)
            blobs = store.containers.get(container)
            if blobs is None:
                raise Refusal(404, "ContainerNotFound", "The specified container does not exist.")
            operation = (self.command, self.query.get("comp"))
            if operation == ("PUT", "block"):
                return self.put_block(store, container, name)
            if operation == ("PUT", "blocklist"):
                return self.put_block_list(store, container, blobs, name)
            if self.command == "PUT":
                return self.copy(store, blobs, name) if "x-ms-copy-source" in self.headers else self.put(blobs, name)
            if name not in blobs:
                raise Refusal(404, "BlobNotFound", "The specified blob does not exist.")
            if self.command == "DELETE":
                del blobs[name]
                return self.answer(202)
            return self.get(blobs[name])

    def container(self, store, container):
        if self.query.get("restype") != "container":
            raise Refusal(400, "InvalidUri")
        if self.command == "PUT":
            if container in store.containers:
                raise Refusal(409, "ContainerAlreadyExists")
            store.containers[container] = {}
            return self.answer(201)
        if container not in store.containers:
            raise Refusal(404, "ContainerNotFound", "The specified container does not exist.")
        if self.query.get("comp") == "list":
            return self.list(store.containers[container])
        return self.answer(200)

    def list(self, blobs):
        prefix, limit = self.query.get("prefix", ""), int(self.query.get("maxresults", 5000))
        marker = self.query.get("marker", "")
        names = sorted(n for n in blobs if n.startswith(prefix) and n >= marker)
        page, rest = names[:limit], names[limit:]
        entries = "".join(
            "<Blob><Name>%s</Name><Properties><Last-Modified>%s</Last-Modified><Etag>%s</Etag>"
            "<Content-Length>%d</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
            % (escape(n), email.utils.formatdate(blobs[n].modified, usegmt=True), blobs[n].etag, len(blobs[n].content))
            for n in page
        )
        text = (
            "\ufeff<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Prefix>%s</Prefix>"
            "<MaxResults>%d</MaxResults><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>"
        ) % (escape(prefix), limit, entries, escape(rest[0]) if rest else "")
        self.answer(200, text.encode(), {"Content-Type": "application/xml"})

    def metadata(self):
        return {n.lower(): v for n, v in self.headers.items() if n.lower().startswith("x-ms-meta-")}

    def check_conditions(self, blobs, name):
        wanted, refused = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if refused == "*" and name in blobs:
            raise Refusal(409, "BlobAlreadyExists", "The specified blob already exists.")
        if wanted and (name not in blobs or blobs[name].etag != wanted):
            raise Refusal(412, "ConditionNotMet")

    def check_md5(self):
        md5 = self.headers.get("Content-MD5")
        if md5 and base64.b64decode(md5) != hashlib.md5(self.body).digest():
            raise Refusal(400, "Md5Mismatch")

    def put(self, blobs, name):
        if self.headers.get("x-ms-blob-type") != "BlockBlob":
            raise Refusal(400, "MissingRequiredHeader", "x-ms-blob-type")
        self.check_md5()
        self.check_conditions(blobs, name)
        self.store(blobs, name, self.body)

    def store(self, blobs, name, content):
        kind = self.headers.get("x-ms-blob-content-type", "application/octet-stream")
        blobs[name] = Blob(content, {"Content-Type": kind}, self.metadata())
        date = email.utils.formatdate(blobs[name].modified, usegmt=True)
        self.answer(201, headers={"ETag": blobs[name].etag, "Last-Modified": date})

    def put_block(self, store, container, name):
        self.check_md5()
        identity = self.query.get("blockid", "")
        known = store.blocks.setdefault((container, name), {})
        if known and len(next(iter(known))) != len(identity):
            raise Refusal(400, "InvalidBlobOrBlock", "The ids of blocks differ in length.")
        known[identity] = self.body
        self.answer(201)

    def put_block_list(self, store, container, blobs, name):
        self.check_conditions(blobs, name)
        known = store.blocks.get((container, name), {})
        content = b""
        for element in ElementTree.fromstring(self.body):
            if element.tag not in ("Uncommitted", "Latest") or element.text not in known:
                raise Refusal(400, "InvalidBlockList", "The specified block list is invalid.")
            content += known[element.text]
        store.blocks.pop((container, name), None)
        self.store(blobs, name, content)

    def copy(self, store, blobs, name):
        self.check_conditions(blobs, name)
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.headers["x-ms-copy-source"]).path)
        _, _, container, source = path.split("/", 3)
        found = store.containers.get(container, {}).get(source)
        if found is None:
            raise Refusal(404, "CannotVerifyCopySource")
        blobs[name] = Blob(found.content, dict(found.headers), self.metadata() or dict(found.metadata))
        headers = {"ETag": blobs[name].etag, "x-ms-copy-id": "1", "x-ms-copy-status": "pending"}
        blobs[name].copy = time.time() + 0.2
        self.answer(202, headers=headers)

    def get(self, blob):
        wanted = self.headers.get("If-Match")
        if wanted and wanted != blob.etag:
            raise Refusal(412, "ConditionNotMet")
        headers = dict(blob.headers)
        headers.update(blob.metadata)
        date = email.utils.formatdate(blob.modified, usegmt=True)
        headers.update({"ETag": blob.etag, "Last-Modified": date, "x-ms-blob-type": "BlockBlob"})
        if blob.copy:
            headers["x-ms-copy-status"] = "success" if blob.copy < time.time() else "pending"
        given = self.headers.get("x-ms-range") or self.headers.get("Range")
        total = len(blob.content)
        if self.command == "HEAD":
            return self.answer(200, headers=headers, length=total)
        if not given:
            return self.answer(200, blob.content, headers)
        first, _, last = given[len("bytes="):].partition("-")
        if int(first) >= total:
            raise Refusal(416, "InvalidRange")
        end = min(int(last) + 1 if last else total, total)
        headers["Content-Range"] = "bytes %s-%d/%d" % (first, end - 1, total)
        return self.answer(206, blob.content[int(first):end], headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port, account=ACCOUNT, key=KEY):
    server = Server(("127.0.0.1", port), Handler)
    server.account, server.key, server.store = account, key, Store()
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:4]).serve_forever()
