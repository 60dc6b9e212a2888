"""A small Google Cloud Storage for tests, in memory: `google_storage.py PORT`.

It listens on 127.0.0.1 and knows what the tests need of both interfaces: in JSON buckets, uploads with metadata,
reading, lists, rewriting and deletion; in XML reading and uploads in parts. Requests need the bearer token `test-token`,
which it gives as the metadata service of a machine, too; and it signs for the machine's account as the IAM Credentials
API does, and takes what it has signed. Buckets that begin with `public-` need none, and those with
`denied-` permit nothing but lists. `check_google_storage.py` drives it with the vendor's own client library.
"""

import base64
import datetime
import hashlib
import http.server
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import types
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

TOKEN = "test-token"
LEAST_PART, LEAST_REWRITE = 5 << 20, 1 << 20
# A service account with a key in a file, and that of the machine, whose key is made at the start and kept here.
ACCOUNT, MACHINE = "cairn@test-project.iam.gserviceaccount.com", "machine@test-project.iam.gserviceaccount.com"
SIGNING_KEY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signed-urls-key.pem")
# The service has up to 1000.
MOST_UPLOADS = 100
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def crc_table():
    for index in range(256):
        for _ in range(8):
            index = index >> 1 ^ (0x82F63B78 if index & 1 else 0)
        yield index


CRC_TABLE = list(crc_table())


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = CRC_TABLE[(value ^ byte) & 255] ^ value >> 8
    return (value ^ 0xFFFFFFFF).to_bytes(4, "big")


def encode(data):
    return base64.b64encode(data).decode()


def openssl(arguments, key, message):
    """Runs it with a message in a file and a key that no file has."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(message)
        file.flush()
        return subprocess.run(["openssl", *arguments, file.name], input=key, capture_output=True)


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Refusal(Exception):
    """`code` is the word of the XML interface, `reason` that of JSON."""

    def __init__(self, status, code, reason, message, details=""):
        super().__init__(code)
        self.status, self.code, self.reason, self.message, self.details = status, code, reason, message, details

    @staticmethod
    def unmet():
        return Refusal(412, "PreconditionFailed", "conditionNotMet", "At least one of the pre-conditions did not hold.")

    @staticmethod
    def invalid(code, text):
        return Refusal(400, code, "invalid", text)


class Thing:
    """A stored object."""

    generations = itertools.count(1_700_000_000_000_000)

    def __init__(self, content, kind, metadata):
        self.content, self.kind, self.metadata = content, kind or "application/octet-stream", metadata or {}
        self.generation, self.created = next(self.generations), now()

    def resource(self, bucket, name):
        found = {"kind": "storage#object", "id": "%s/%s/%d" % (bucket, name, self.generation), "name": name,
                 "bucket": bucket, "generation": str(self.generation), "metageneration": "1", "contentType": self.kind,
                 "size": str(len(self.content)), "md5Hash": encode(hashlib.md5(self.content).digest()),
                 "timeCreated": self.created, "updated": self.created, "storageClass": "STANDARD"}
        return {**found, "metadata": self.metadata} if self.metadata else found


class Upload:
    def __init__(self, name, kind, metadata):
        self.name, self.kind, self.metadata, self.parts, self.begun = name, kind, metadata, {}, now()


def select(value, fields):
    """What `fields=a,b(c,d)` leaves of a value."""
    if isinstance(value, list):
        return [select(item, fields) for item in value]
    chosen = {}
    # At the commas that are in no parentheses.
    for field in re.findall(r"(?:[^,(]|\([^)]*\))+", fields):
        name, _, inner = field.partition("(")
        if name in value:
            chosen[name] = select(value[name], inner[:-1]) if inner else value[name]
    return chosen


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece, at once.
    wbufsize, disable_nagle_algorithm = 1 << 16, True

    def log_message(self, *_):
        pass

    def handle_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.path_parts = url.path.split("/")[1:]
        self.is_json = bool(re.match(r"/((upload|download)/)?storage/v1/|/computeMetadata/|/v1/projects/", url.path))
        try:
            with self.server.lock:
                self.route()
        except Refusal as refusal:
            self.refuse(refusal)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, value, status=200):
        if status == 200 and "fields" in self.query:
            value = select(value, self.query["fields"])
        self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8"})

    def answer_xml(self, text, status=200):
        text = "<?xml version='1.0' encoding='UTF-8'?>" + text
        self.answer(status, text.encode(), {"Content-Type": "application/xml; charset=UTF-8"})

    def refuse(self, refusal):
        if self.is_json:
            one = {"message": refusal.message, "domain": "global", "reason": refusal.reason}
            error = {"code": refusal.status, "message": refusal.message, "errors": [one]}
            if self.path_parts[0] == "v1":
                error = {"code": refusal.status, "message": refusal.message, "status": refusal.code}
            return self.answer_json({"error": error}, refusal.status)
        details = "<Details>%s</Details>" % escape(refusal.details) if refusal.details else ""
        text = "<Error><Code>%s</Code><Message>%s</Message>%s</Error>"
        return self.answer_xml(text % (refusal.code, escape(refusal.message), details), refusal.status)

    # MARK: - Routes

    def route(self):
        parts = self.path_parts
        if parts[0] == "v1":
            return self.sign_blob(parts[-1])
        if parts[0] == "computeMetadata" and self.headers.get("Metadata-Flavor") == "Google":
            if parts[-1] == "email":
                return self.answer(200, MACHINE.encode(), {"Content-Type": "application/text"})
            return self.answer_json({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        if not self.is_json:
            return self.route_xml(parts[0], urllib.parse.unquote("/".join(parts[1:])))
        uploads = parts[0] == "upload"
        if parts[0] in ("upload", "download"):
            parts = parts[1:]
        # Names are between slashes, so they have none of their own: it is %2F.
        names = [urllib.parse.unquote(part) for part in parts[2:]]
        if names[0] == "b" and len(names) == 1 and self.command == "POST":
            return self.make_bucket()
        bucket = self.open(names[1], names[3] if len(names) > 3 else "")
        if len(names) == 2 and self.command == "GET":
            return self.answer_json({"kind": "storage#bucket", "id": names[1], "name": names[1]})
        if len(names) == 3 and names[2] == "o" and self.command in ("GET", "POST"):
            return self.insert(names[1], bucket) if uploads else self.list(names[1], bucket)
        if len(names) == 9 and names[4] == "rewriteTo" and self.command == "POST":
            return self.rewrite(names[1], bucket, names[3], names[5:])
        if len(names) != 4 or names[2] != "o":
            raise Refusal(404, "NotFound", "notFound", "Not Found")
        thing = self.find(names[1], bucket, names[3])
        self.check(bucket.things, names[3])
        if self.command == "DELETE":
            del bucket.things[names[3]]
            return self.answer(204)
        if self.query.get("alt") == "media":
            return self.content(thing)
        return self.answer_json(thing.resource(names[1], names[3]))

    def route_xml(self, name, thing_name):
        bucket = self.open(name, thing_name)
        if not thing_name and self.command == "GET" and "uploads" in self.query:
            return self.list_uploads(name, bucket)
        if self.command == "POST" and "uploads" in self.query:
            return self.begin(name, bucket, thing_name)
        if "uploadId" in self.query:
            return self.on_upload(name, bucket, thing_name)
        if self.command == "PUT" and thing_name and "X-Goog-Signature" in self.query:
            bucket.things[thing_name] = Thing(self.body, self.headers.get("Content-Type"), None)
            return self.answer(200)
        if self.command != "GET" or not thing_name:
            raise Refusal.invalid("InvalidArgument", "this counterpart stores, lists and deletes objects in JSON only")
        thing = self.find(name, bucket, thing_name)
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted is not None and wanted != str(thing.generation):
            raise Refusal.unmet()
        extra = {"x-goog-meta-" + key: value for key, value in thing.metadata.items()}
        return self.content(thing, extra)

    def open(self, name, thing_name):
        """The bucket, when whoever asks may do it."""
        if "X-Goog-Signature" in self.query:
            return self.open_signed(name)
        given, is_public = self.headers.get("Authorization"), name.startswith("public-")
        if given is None and not is_public:
            text = "Anonymous caller does not have storage.objects.%s access." % ("get" if thing_name else "list")
            raise Refusal(401, "AuthenticationRequired", "required", "Authentication required.", text)
        if given is not None and given != "Bearer " + TOKEN:
            raise Refusal(401, "AuthenticationRequired", "authError", "Invalid Credentials")
        bucket = self.server.buckets.get(name)
        if bucket is None:
            raise Refusal(404, "NoSuchBucket", "notFound", "The specified bucket does not exist.")
        if name.startswith("denied-") and (thing_name or self.command != "GET"):
            text = "cairn@test-project.iam.gserviceaccount.com does not have the permission for gs://%s" % name
            raise Refusal(403, "AccessDenied", "forbidden", text)
        return bucket

    def sign_blob(self, name):
        """What the IAM Credentials API does for an account that may use itself."""
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            raise Refusal(401, "UNAUTHENTICATED", "", "Request had invalid authentication credentials.")
        if self.command != "POST" or urllib.parse.unquote(name) != MACHINE + ":signBlob":
            text = "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist)."
            raise Refusal(403, "PERMISSION_DENIED", "", text)
        message = base64.b64decode(json.loads(self.body)["payload"], validate=True)
        signed = openssl(["dgst", "-sha256", "-sign", "/dev/stdin"], self.server.keys[MACHINE], message)
        self.answer_json({"keyId": "1", "signedBlob": encode(signed.stdout)})

    def open_signed(self, name):
        """The bucket, when the URL is signed by the key of its account and has not ended."""
        path, _, query = self.path.partition("?")
        signed, _, signature = query.partition("&X-Goog-Signature=")
        account, _, scope = self.query["X-Goog-Credential"].partition("/")
        request = "\n".join([self.command, path, signed, "host:%s\n" % self.headers["Host"], "host", "UNSIGNED-PAYLOAD"])
        text = "\n".join([self.query["X-Goog-Algorithm"], self.query["X-Goog-Date"], scope,
                          hashlib.sha256(request.encode()).hexdigest()])
        key = self.server.keys.get(account)
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes.fromhex(signature))
            file.flush()
            arguments = ["dgst", "-sha256", "-prverify", "/dev/stdin", "-signature", file.name]
            right = key and openssl(arguments, key, text.encode()).returncode == 0
        if not right:
            raise Refusal(403, "SignatureDoesNotMatch", "forbidden", "Access denied.", request)
        began = time.mktime(time.strptime(self.query["X-Goog-Date"], "%Y%m%dT%H%M%SZ")) - time.timezone
        if not 0 <= time.time() + 60 - began < int(self.query["X-Goog-Expires"]) + 60:
            raise Refusal(400, "ExpiredToken", "badRequest", "The provided token has expired.")
        bucket = self.server.buckets.get(name)
        if bucket is None:
            raise Refusal(404, "NoSuchBucket", "notFound", "The specified bucket does not exist.")
        return bucket

    def find(self, name, bucket, thing_name):
        if thing_name in bucket.things:
            return bucket.things[thing_name]
        text = "No such object: %s/%s" % (name, thing_name)
        raise Refusal(404, "NoSuchKey", "notFound", text if self.is_json else "The specified key does not exist.", text)

    def check(self, things, name):
        """Conditions of the JSON interface; generation 0 is that of an object which does not exist."""
        wanted = self.query.get("ifGenerationMatch", self.query.get("generation"))
        found = things[name].generation if name in things else 0
        if wanted is not None and int(wanted) != found:
            raise Refusal.unmet()

    # MARK: - JSON

    def make_bucket(self):
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            raise Refusal(401, "AuthenticationRequired", "authError", "Invalid Credentials")
        name = json.loads(self.body)["name"]
        if name in self.server.buckets:
            raise Refusal(409, "BucketAlreadyOwnedByYou", "conflict", "The bucket is there already.")
        self.server.buckets[name] = types.SimpleNamespace(things={}, uploads={})
        self.answer_json({"kind": "storage#bucket", "id": name, "name": name})

    def insert(self, name, bucket):
        boundary = re.fullmatch(r'multipart/related; boundary="?([^"]+)"?', self.headers.get("Content-Type", ""))
        if self.query.get("uploadType") != "multipart" or not boundary:
            raise Refusal.invalid("InvalidArgument", "this counterpart takes uploads with metadata only")
        pieces = self.body.split(b"--" + boundary[1].encode())
        if len(pieces) != 4 or pieces[0] or not pieces[3].startswith(b"--"):
            raise Refusal.invalid("InvalidArgument", "Multipart must have two parts")
        (told_head, told), (head, content) = (piece[2:-2].split(b"\r\n\r\n", 1) for piece in pieces[1:3])
        told, kind = json.loads(told), head.decode().partition(": ")[2]
        if b"application/json" not in told_head.lower() or told.get("contentType", kind) != kind:
            raise Refusal.invalid("InvalidArgument", "Content-Type specified in the upload (%s) does not match" % kind)
        for field, hashed in (("md5Hash", lambda data: hashlib.md5(data).digest()), ("crc32c", crc32c)):
            if field in told and told[field] != encode(hashed(content)):
                raise Refusal.invalid("BadDigest", "Provided %s hash doesn't match calculated." % field)
        thing_name = self.query.get("name", told.get("name"))
        self.check(bucket.things, thing_name)
        thing = bucket.things[thing_name] = Thing(content, kind, told.get("metadata"))
        self.answer_json(thing.resource(name, thing_name))

    def list(self, name, bucket):
        prefix, limit = self.query.get("prefix", ""), min(int(self.query.get("maxResults", 1000)), 1000)
        after = base64.urlsafe_b64decode(self.query.get("pageToken", "")).decode()
        # In the order of UTF-8, as the service has it.
        names = sorted((n for n in bucket.things if n.startswith(prefix)), key=str.encode)
        names = [n for n in names if n.encode() > after.encode()]
        found = {"kind": "storage#objects"}
        if names:
            found["items"] = [bucket.things[n].resource(name, n) for n in names[:limit]]
        if len(names) > limit:
            found["nextPageToken"] = base64.urlsafe_b64encode(names[limit - 1].encode()).decode()
        self.answer_json(found)

    def rewrite(self, name, bucket, source, target):
        """What is larger than a MiB takes two calls."""
        if target[0] != "b" or target[1] != name:
            raise Refusal(404, "NotFound", "notFound", "this counterpart copies inside of a bucket only")
        other, thing = target[3], self.find(name, bucket, source)
        total = len(thing.content)
        self.check(bucket.things, other)
        token = self.query.get("rewriteToken")
        if token is not None and self.server.rewrites.pop(token, None) != (source, other):
            raise Refusal.invalid("InvalidArgument", "Invalid rewrite token.")
        told = {"kind": "storage#rewriteResponse", "objectSize": str(total)}
        if token is None and total > LEAST_REWRITE:
            token = secrets.token_urlsafe(16)
            self.server.rewrites[token] = (source, other)
            return self.answer_json(
                {**told, "totalBytesRewritten": str(LEAST_REWRITE), "done": False, "rewriteToken": token})
        # Metadata that is given replaces all of what the source has.
        given = json.loads(self.body or b"{}") or {"contentType": thing.kind, "metadata": thing.metadata}
        made = bucket.things[other] = Thing(thing.content, given.get("contentType"), given.get("metadata"))
        return self.answer_json(
            {**told, "totalBytesRewritten": str(total), "done": True, "resource": made.resource(name, other)})

    # MARK: - Content

    def content(self, thing, extra=None):
        total = len(thing.content)
        headers = {"Content-Type": thing.kind, "ETag": '"%s"' % hashlib.md5(thing.content).hexdigest(),
                   "x-goog-generation": str(thing.generation), "x-goog-metageneration": "1",
                   "x-goog-stored-content-encoding": "identity", "x-goog-stored-content-length": str(total),
                   "x-goog-hash": "md5=" + encode(hashlib.md5(thing.content).digest()), **(extra or {})}
        given = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not given:
            return self.answer(200, thing.content, headers)
        first, end = int(given[1]), min(int(given[2] or total - 1) + 1, total)
        if first >= total:
            raise Refusal(416, "InvalidRange", "requestedRangeNotSatisfiable", "Nothing lies there.")
        headers["Content-Range"] = "bytes %d-%d/%d" % (first, end - 1, total)
        return self.answer(206, thing.content[first:end], headers)

    # MARK: - Parts

    def begin(self, name, bucket, thing_name):
        metadata = {key.lower()[len("x-goog-meta-"):]: value for key, value in self.headers.items()
                    if key.lower().startswith("x-goog-meta-")}
        identity = secrets.token_urlsafe(16)
        bucket.uploads[identity] = Upload(thing_name, self.headers.get("Content-Type"), metadata)
        self.answer_xml(
            "<InitiateMultipartUploadResult xmlns='%s'><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId>"
            "</InitiateMultipartUploadResult>" % (NAMESPACE, name, escape(thing_name), identity))

    def on_upload(self, name, bucket, thing_name):
        identity = self.query["uploadId"]
        upload = bucket.uploads.get(identity)
        if not upload or upload.name != thing_name:
            raise Refusal(404, "NoSuchUpload", "notFound", "The requested upload was not found.")
        if self.command == "DELETE":
            del bucket.uploads[identity]
            return self.answer(204)
        if self.command == "PUT":
            return self.put_part(upload)
        content, last = b"", 0
        chosen = [(int(part.findtext("PartNumber")), part.findtext("ETag"))
                  for part in ElementTree.fromstring(self.body).iter("Part")]
        for number, tag in chosen:
            part = upload.parts.get(number)
            if part is None or tag.strip('"') != hashlib.md5(part).hexdigest():
                raise Refusal.invalid("InvalidPart", "One or more of the specified parts could not be found.")
            if number <= last:
                raise Refusal.invalid("InvalidPartOrder", "The list of parts was not in ascending order.")
            if len(part) < LEAST_PART and number != chosen[-1][0]:
                raise Refusal.invalid("EntityTooSmall", "Your proposed upload is smaller than the minimum object size.")
            content, last = content + part, number
        del bucket.uploads[identity]
        # It takes the place of what is there: no condition goes with it.
        bucket.things[thing_name] = Thing(content, upload.kind, upload.metadata)
        return self.answer_xml(
            "<CompleteMultipartUploadResult xmlns='%s'><Bucket>%s</Bucket><Key>%s</Key><ETag>\"-\"</ETag>"
            "</CompleteMultipartUploadResult>" % (NAMESPACE, name, escape(thing_name)))

    def put_part(self, upload):
        number = int(self.query.get("partNumber", 0))
        if not 1 <= number <= 10_000:
            raise Refusal.invalid("InvalidArgument", "Part number must be an integer between 1 and 10000.")
        hashes = {"md5": encode(hashlib.md5(self.body).digest())}
        given = dict(re.findall(r"(md5|crc32c)=([^,]+)", self.headers.get("x-goog-hash", "")))
        if "crc32c" in given:
            hashes["crc32c"] = encode(crc32c(self.body))
        if any(hashes[kind] != value for kind, value in given.items()):
            raise Refusal.invalid("BadDigest", "The hash you specified did not match what we received.")
        upload.parts[number] = self.body
        told = ",".join("%s=%s" % pair for pair in hashes.items())
        self.answer(200, headers={"ETag": '"%s"' % hashlib.md5(self.body).hexdigest(), "x-goog-hash": told})

    def list_uploads(self, name, bucket):
        limit = min(int(self.query.get("max-uploads", MOST_UPLOADS)), MOST_UPLOADS)
        marker = (self.query.get("key-marker", ""), self.query.get("upload-id-marker", ""))
        found = sorted((upload.name, identity, upload.begun) for identity, upload in bucket.uploads.items())
        found = [entry for entry in found if entry[:2] > marker]
        text = "".join("<Upload><Key>%s</Key><UploadId>%s</UploadId><Initiated>%s</Initiated></Upload>"
                       % (escape(key), identity, begun) for key, identity, begun in found[:limit])
        if len(found) > limit:
            key, identity, _ = found[limit - 1]
            text += "<NextKeyMarker>%s</NextKeyMarker>" % escape(key)
            text += "<NextUploadIdMarker>%s</NextUploadIdMarker>" % identity
        self.answer_xml(
            "<ListMultipartUploadsResult xmlns='%s'><Bucket>%s</Bucket><IsTruncated>%s</IsTruncated>%s"
            "</ListMultipartUploadsResult>" % (NAMESPACE, name, str(len(found) > limit).lower(), text))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port):
    """A server that does not run yet and has nothing in it."""
    server = Server(("127.0.0.1", port), Handler)
    server.lock, server.buckets, server.rewrites = threading.Lock(), {}, {}
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                          capture_output=True, check=True)
    with open(SIGNING_KEY, "rb") as file:
        server.keys = {ACCOUNT: file.read(), MACHINE: made.stdout}
    return server


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
