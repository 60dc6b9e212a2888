"""Drives `google_storage.py` with the vendor's client library, google-cloud-storage of PyPI: what is true of it there
is true of the service. Prints what it has checked, and fails at the first difference."""

import datetime
import os
import tempfile
import threading
import time
import unittest.mock
import urllib.error
import urllib.request

from google.api_core.exceptions import Conflict, Forbidden, NotFound, PreconditionFailed
from google.auth import iam
from google.auth.credentials import AnonymousCredentials, Signing
from google.auth.exceptions import InvalidOperation, RefreshError, TransportError
from google.auth.transport import requests
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.cloud.storage import transfer_manager
from google.cloud.storage.exceptions import InvalidResponse
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account
from google.resumable_media.requests import Download, RawDownload

import google_storage
from expect import fails

server = google_storage.serve(0)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d" % server.server_port


def client(credentials):
    return storage.Client(project="test-project", credentials=credentials, client_options={"api_endpoint": url})


# --- What is small ----------------------------------------------------------------------------------------------------

token = oauth2.Credentials(google_storage.TOKEN)
service = client(token)
assert service.lookup_bucket("states") is None
bucket = service.create_bucket("states")
fails(Conflict, lambda: service.create_bucket("states"))
odd = "a b/ü&=+%23.json"
blob = bucket.blob(odd)
blob.metadata = {"sha256": "abc"}
blob.upload_from_string(b"content", "application/octet-stream", if_generation_match=0)
fails(PreconditionFailed, lambda: bucket.blob(odd).upload_from_string(b"other", if_generation_match=0))
bucket.blob("hashed").upload_from_string(b"hashed", checksum="md5")
found = bucket.get_blob(odd)
assert (found.size, found.metadata, found.content_type) == (7, {"sha256": "abc"}, "application/octet-stream"), found
assert found.download_as_bytes(checksum="md5") == b"content"
assert found.download_as_bytes(start=2, end=4) == b"nte"
fails(Exception, lambda: found.download_as_bytes(start=100, end=101), "416")
first = found.generation
bucket.blob(odd).upload_from_string(b"newer")
assert bucket.get_blob(odd).generation != first and bucket.get_blob(odd).metadata is None
fails(PreconditionFailed, lambda: bucket.blob(odd).download_as_bytes(if_generation_match=first))
assert bucket.get_blob("nothing") is None
fails(NotFound, lambda: bucket.blob("nothing").download_as_bytes(), "No such object")
fails(NotFound, lambda: list(service.list_blobs("nowhere")), "bucket does not exist")
fails(NotFound, lambda: service.bucket("nowhere").blob("a").upload_from_string(b"a"), "bucket does not exist")

for number in range(7):
    bucket.blob("page/%d" % number).upload_from_string(b"")
pages = [[one.name for one in page] for page in service.list_blobs("states", prefix="page/", page_size=3).pages]
assert pages == [["page/0", "page/1", "page/2"], ["page/3", "page/4", "page/5"], ["page/6"]], pages
chosen = list(service.list_blobs("states", prefix="page/6", fields="items(name,size),nextPageToken"))
assert [(one.name, one.size, one.generation) for one in chosen] == [("page/6", 0, None)], chosen
bucket.delete_blob("page/0")
fails(NotFound, lambda: bucket.delete_blob("page/0"), "No such object")

# --- Parts, copies, and content in XML --------------------------------------------------------------------------------

content = os.urandom(6 << 20)
with tempfile.NamedTemporaryFile() as file:
    file.write(content)
    file.flush()
    large = bucket.blob("large/ü 1")
    large.metadata = {"sha256": "def"}
    transfer_manager.upload_chunks_concurrently(
        file.name, large, chunk_size=5 << 20, max_workers=2, worker_type=transfer_manager.THREAD, checksum="crc32c")
    small = bucket.blob("too small")
    fails(InvalidResponse, lambda: transfer_manager.upload_chunks_concurrently(
        file.name, small, chunk_size=4 << 20, max_workers=2, worker_type=transfer_manager.THREAD))
assert bucket.get_blob("large/ü 1").metadata == {"sha256": "def"}
assert bucket.blob("large/ü 1").download_as_bytes() == content
assert not server.buckets["states"].uploads, "the library has given up what failed"

copied = bucket.blob("copied")
copied.metadata, copied.content_type = {"sha256": "ghi"}, "application/octet-stream"
again, rewritten, total = copied.rewrite(bucket.blob("large/ü 1"))
assert again and rewritten < total == len(content)
again, rewritten, total = copied.rewrite(bucket.blob("large/ü 1"), token=again)
assert again is None and rewritten == total and copied.metadata == {"sha256": "ghi"}
fails(PreconditionFailed, lambda: copied.rewrite(bucket.blob("hashed"), if_generation_match=0))

session = AuthorizedSession(token)
read = Download(url + "/states/large/%C3%BC%201", checksum="md5").consume(session)
assert read.content == content and read.headers["x-goog-meta-sha256"] == "def"
assert read.headers["x-goog-generation"] == str(bucket.get_blob("large/ü 1").generation)
part = RawDownload(url + "/states/copied", start=10, end=19, checksum=None).consume(session)
assert part.status_code == 206 and part.content == content[10:20]
assert part.headers["Content-Range"] == "bytes 10-19/%d" % len(content)

# --- Who asks ---------------------------------------------------------------------------------------------------------

# At a token that is unknown the library tries to get another one, which this one cannot be used for.
fails(RefreshError, lambda: client(oauth2.Credentials("unknown")).get_bucket("states"))
nobody = client(AnonymousCredentials())
fails(InvalidOperation, lambda: nobody.get_bucket("states"))
service.create_bucket("public-states").blob("a").upload_from_string(b"a")
assert nobody.bucket("public-states").blob("a").download_as_bytes() == b"a"
denied = service.create_bucket("denied-states")
fails(Forbidden, lambda: denied.blob("a").upload_from_string(b"a"), "permission")

# --- Signed URLs ------------------------------------------------------------------------------------------------------

with open(google_storage.SIGNING_KEY, encoding="ascii") as key:
    signer = service_account.Credentials.from_service_account_info({
        "client_email": google_storage.ACCOUNT, "private_key": key.read(),
        "token_uri": url + "/token"})


def signed(blob, method, seconds=60):
    return blob.generate_signed_url(version="v4", expiration=datetime.timedelta(seconds=seconds), method=method,
                                    credentials=signer, api_access_endpoint=url)


def status(method, address, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


by_url = bucket.blob("packs/a b")
assert status("PUT", signed(by_url, "PUT"), b"content")[0] == 200
assert status("GET", signed(by_url, "GET")) == (200, b"content")
assert status("PUT", signed(by_url, "GET"), b"other")[0] == 403
assert status("GET", signed(by_url, "GET").replace("packs", "hacks"))[0] == 403
ended = signed(by_url, "GET", 1)
time.sleep(2.1)
assert status("GET", ended)[0] == 400


# --- The machine, and signatures that its account asks for --------------------------------------------------------------

def metadata(name):
    address = url + "/computeMetadata/v1/instance/service-accounts/default/" + name
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Metadata-Flavor": "Google"})).read().decode()


class HereRequest(requests.Request):
    """The library has the service's address in it."""

    def __call__(self, url, *arguments, **options):
        assert url.startswith(IAM), url
        return super().__call__(url.replace(IAM, HERE), *arguments, **options)


HERE, IAM = url, "https://iamcredentials.googleapis.com"
assert google_storage.TOKEN in metadata("token") and metadata("email") == google_storage.MACHINE


def asked(account, access, method="GET"):
    with unittest.mock.patch.object(requests, "Request", HereRequest):
        return by_url.generate_signed_url(
            version="v4", expiration=datetime.timedelta(seconds=60), method=method, api_access_endpoint=url,
            service_account_email=account, access_token=access)


assert status("PUT", asked(metadata("email"), google_storage.TOKEN, "PUT"), b"machine")[0] == 200
assert status("GET", asked(metadata("email"), google_storage.TOKEN)) == (200, b"machine")
assert status("GET", asked(metadata("email"), google_storage.TOKEN).replace("machine%40", "cairn%40"))[0] == 403
fails(TransportError, lambda: asked(google_storage.ACCOUNT, google_storage.TOKEN), "iam.serviceAccounts.signBlob")
fails(TransportError, lambda: asked(metadata("email"), "unknown"), "UNAUTHENTICATED")
machine = iam.Signer(HereRequest(), token, metadata("email"))
assert status("GET", by_url.generate_signed_url(
    version="v4", expiration=datetime.timedelta(seconds=60), api_access_endpoint=url,
    credentials=unittest.mock.Mock(spec=Signing, signer_email=metadata("email"), sign_bytes=machine.sign),
)) == (200, b"machine")
print("google_storage.py: conditions, ranges, hashes, lists, rewriting, parts, signatures and refusals are as the client expects")
