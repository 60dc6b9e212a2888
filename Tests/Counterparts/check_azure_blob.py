"""Drives `azure_blob.py` with the vendor's client library, azure-storage-blob of PyPI: what is true of it there is true
of the service. Prints what it has checked, and fails at the first difference."""

import datetime
import threading
import time
import types

from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import (BlobBlock, BlobSasPermissions, BlobServiceClient, ContainerSasPermissions, generate_blob_sas,
                                generate_container_sas)

import azure_blob

server = azure_blob.serve(0)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d/%s" % (server.server_port, azure_blob.ACCOUNT)


def client(key, **options):
    return BlobServiceClient(url, credential=key, retry_total=0, **options)


def fails(kind, body, code=None):
    try:
        body()
    except kind as error:
        assert code is None or error.error_code == code, error.error_code
        return
    raise AssertionError("no %s" % kind.__name__)


service = client({"account_name": azure_blob.ACCOUNT, "account_key": azure_blob.KEY})
container = service.get_container_client("states")
fails(ResourceNotFoundError, lambda: list(container.list_blobs()), "ContainerNotFound")
container.create_container()
fails(ResourceExistsError, container.create_container)

odd = "a b/ü&=+%23.json"
container.upload_blob(odd, b"content", metadata={"sha256": "abc"})
fails(ResourceExistsError, lambda: container.upload_blob(odd, b"other"), "BlobAlreadyExists")
blob = container.get_blob_client(odd)
assert blob.download_blob().readall() == b"content"
assert blob.download_blob(offset=2, length=3).readall() == b"nte"
properties = blob.get_blob_properties()
assert properties.size == 7 and properties.metadata == {"sha256": "abc"}, properties
container.upload_blob(odd, b"newer", overwrite=True)
changed = dict(etag=properties.etag, match_condition=MatchConditions.IfNotModified)
fails(HttpResponseError, lambda: blob.download_blob(**changed).readall(), "ConditionNotMet")
fails(HttpResponseError, lambda: blob.download_blob(offset=100, length=1), "InvalidRange")

parts = container.get_blob_client("parts")
for number in range(3):
    parts.stage_block("block%d" % number, b"%d" % number * 1000)
fails(ResourceNotFoundError, parts.get_blob_properties)
parts.commit_block_list([BlobBlock("block%d" % number) for number in range(3)])
assert parts.download_blob().readall() == b"0" * 1000 + b"1" * 1000 + b"2" * 1000
fails(HttpResponseError, lambda: parts.commit_block_list([BlobBlock("unknown")]), "InvalidBlockList")

copied = container.get_blob_client("copied")
copied.start_copy_from_url(parts.url)
assert copied.get_blob_properties().size == 3000

for number in range(7):
    container.upload_blob("page/%d" % number, b"")
pages = [[blob.name for blob in page] for page in container.list_blobs("page/", results_per_page=3).by_page()]
assert pages == [["page/0", "page/1", "page/2"], ["page/3", "page/4", "page/5"], ["page/6"]], pages
container.delete_blob("page/0")
fails(ResourceNotFoundError, lambda: container.delete_blob("page/0"), "BlobNotFound")

wrong = client({"account_name": azure_blob.ACCOUNT, "account_key": "d3Jvbmc="})
fails(ClientAuthenticationError, lambda: wrong.get_container_client("states").get_container_properties())


def sas(permission, hours):
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return generate_container_sas(azure_blob.ACCOUNT, "states", azure_blob.KEY, permission=permission, expiry=expiry)


reader = client(sas(ContainerSasPermissions(read=True, list=True), 1)).get_container_client("states")
assert reader.get_blob_client("parts").download_blob().readall()[:1] == b"0"
assert len(list(reader.list_blobs())) == 9
fails(HttpResponseError, lambda: reader.delete_blob("parts"), "AuthorizationPermissionMismatch")
late = client(sas(ContainerSasPermissions(read=True), -1)).get_container_client("states")
fails(ClientAuthenticationError, lambda: late.get_blob_client("parts").download_blob())


# --- Keys of identities -----------------------------------------------------------------------------------------------

class Plain(RequestsTransport):
    """The library sends tokens over TLS only, which the counterpart has not."""

    def send(self, request, **options):
        request.url = request.url.replace("https:", "http:", 1)
        return super().send(request, **options)


def delegated(token, begin, end):
    access = types.SimpleNamespace(token=token, expires_on=int(time.time()) + 3600)
    credential = types.SimpleNamespace(get_token=lambda *_, **__: access)
    one = BlobServiceClient(url.replace("http:", "https:"), credential=credential, retry_total=0, transport=Plain())
    return one.get_user_delegation_key(*(NOW + datetime.timedelta(hours=hours) for hours in (begin, end)))


def by_identity(key, permission, seconds, name="parts"):
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    signature = generate_blob_sas(
        azure_blob.ACCOUNT, "states", name, user_delegation_key=key, expiry=expiry,
        permission=BlobSasPermissions.from_string(permission))
    return client(signature).get_blob_client("states", "parts")


NOW = datetime.datetime.now(datetime.timezone.utc)
key = delegated(azure_blob.TOKEN, -1, 24)
assert (key.signed_oid, key.signed_tid, key.signed_service) == (azure_blob.OWNER, azure_blob.TENANT, "b")
assert by_identity(key, "r", 60).download_blob().readall()[:1] == b"0"
fails(HttpResponseError, lambda: by_identity(key, "r", 60).upload_blob(b"new", overwrite=True),
      "AuthorizationPermissionMismatch")
by_identity(key, "cw", 60).upload_blob(b"new", overwrite=True)
assert by_identity(key, "r", 60).download_blob().readall() == b"new"
fails(ClientAuthenticationError, lambda: by_identity(key, "r", -1).download_blob(), "AuthenticationFailed")
fails(ClientAuthenticationError, lambda: by_identity(key, "r", 60, name="copied").download_blob(), "AuthenticationFailed")
ended = delegated(azure_blob.TOKEN, -2, -1)
fails(ClientAuthenticationError, lambda: by_identity(ended, "r", 60).download_blob(), "AuthenticationFailed")
forged = delegated(azure_blob.TOKEN, -1, 24)
forged.signed_oid = azure_blob.TENANT
fails(ClientAuthenticationError, lambda: by_identity(forged, "r", 60).download_blob(), "AuthenticationFailed")
fails(HttpResponseError, lambda: delegated(azure_blob.TOKEN, 0, 7 * 24 + 1), "InvalidXmlNodeValue")
fails(HttpResponseError, lambda: delegated(azure_blob.TOKEN, 2, 1), "InvalidXmlNodeValue")
fails(HttpResponseError, lambda: delegated(azure_blob.READER_TOKEN, 0, 1), "AuthorizationPermissionMismatch")
fails(HttpResponseError, lambda: service.get_user_delegation_key(NOW, NOW + datetime.timedelta(hours=1)),
      "AuthenticationFailed")
print("azure_blob.py: signatures, conditions, ranges, blocks, copies, lists, shared access signatures and keys of identities are "
      "as the client expects")
