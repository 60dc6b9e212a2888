"""Drives `azure_blob.py` with the vendor's client library, azure-storage-blob of PyPI: what is true of it there is true
of the service. Prints what it has checked, and fails at the first difference."""

import datetime
import threading

from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerSasPermissions, generate_container_sas

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
print("azure_blob.py: signatures, conditions, ranges, blocks, copies, lists and shared access signatures are as the client expects")
