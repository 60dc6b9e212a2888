"""Compares signed-urls.json beside this file with what the vendors' own libraries make: boto3, google-cloud-storage, and
azure-storage-blob 12.25, which signs as services before 2025-07-05 have it. With `--write` it writes the file.

The time stands at 2030-01-01T00:00:00Z, a URL lives for ten minutes, and the keys are those of nobody. The tests of
`ObjectStorage` make the same URLs.
"""

import base64
import datetime
import json
import pathlib
import sys
import unittest.mock

import azure.storage.blob._shared_access_signature as azure_signing
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import google.cloud.storage._signing as google_signing
import google.oauth2.service_account
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas

TARGET = pathlib.Path(__file__).resolve().with_name("signed-urls.json")
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
LIFE = 600
NAME = "packs/1f2e/a b+c~d_e-f.g"
AWS_KEY, AWS_SECRET, AWS_TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/token+of=some"
AZURE_ACCOUNT, AZURE_KEY = "cairntest", base64.b64encode(b"a key of an account that only tests have").decode()
# Made for this file by openssl.
GOOGLE_KEY = pathlib.Path(__file__).resolve().with_name("signed-urls-key.pem")
GOOGLE_EMAIL = "cairn@test-project.iam.gserviceaccount.com"
GOOGLE_MACHINE, GOOGLE_SIGNATURE = "machine@test-project.iam.gserviceaccount.com", b"what Google has signed"


def quoted(name):
    return botocore.auth.quote(name, safe="/~")


def amazon(method, host, path, token):
    request = botocore.awsrequest.AWSRequest(method, "https://%s%s" % (host, path))
    credentials = botocore.credentials.Credentials(AWS_KEY, AWS_SECRET, token)
    now = unittest.mock.Mock(wraps=datetime.datetime)
    now.utcnow.return_value = NOW.replace(tzinfo=None)
    now.now.return_value = NOW
    names = [name for name in ("get_current_datetime",) if hasattr(botocore.auth, name)]
    with unittest.mock.patch.object(botocore.auth, "datetime", unittest.mock.Mock(datetime=now)) if not names else (
            unittest.mock.patch.object(botocore.auth, names[0], lambda *_, **__: NOW.replace(tzinfo=None))):
        botocore.auth.S3SigV4QueryAuth(credentials, "s3", "eu-west-1", expires=LIFE).add_auth(request)
    return request.url


def delegated_key():
    """A key of an identity, as the service gives it; its name and its tenant are those of nobody."""
    key = UserDelegationKey()
    key.signed_oid, key.signed_tid = "0c0ffee0-0000-4000-8000-000000000001", "0c0ffee0-0000-4000-8000-000000000002"
    key.signed_start, key.signed_expiry = "2029-12-31T23:45:00Z", "2030-01-02T12:00:00Z"
    key.signed_service, key.signed_version = "b", "2020-10-02"
    key.value = base64.b64encode(b"a key of an identity that only tests have").decode()
    return key


def azure(permission, **key):
    # The library's own is that of its newest service; what keys of identities sign has changed with 2025-07-05.
    with unittest.mock.patch.object(azure_signing, "X_MS_VERSION", "2020-12-06"):
        signature = generate_blob_sas(
            AZURE_ACCOUNT, "states", NAME, permission=BlobSasPermissions.from_string(permission),
            expiry=NOW + datetime.timedelta(seconds=LIFE), protocol="https", **key or {"account_key": AZURE_KEY})
    return "https://cairntest.blob.core.windows.net/states/%s?%s" % (quoted(NAME), signature)


def google_cloud(method, **by_service):
    credentials = google.oauth2.service_account.Credentials.from_service_account_info({
        "client_email": GOOGLE_EMAIL, "token_uri": "https://oauth2.googleapis.com/token", "private_key_id": "1",
        "private_key": GOOGLE_KEY.read_text(encoding="ascii")})
    stamp = NOW.strftime("%Y%m%dT%H%M%SZ")
    with unittest.mock.patch.object(google_signing, "get_v4_now_dtstamps", lambda: (stamp, stamp[:8])):
        return google_signing.generate_signed_url_v4(
            credentials, "/states/" + quoted(NAME), datetime.timedelta(seconds=LIFE), method=method,
            api_access_endpoint="https://storage.googleapis.com", **by_service)


def google_service(method):
    """What the library asks the service to sign, and the URL that it makes of the answer."""
    answer = unittest.mock.Mock(
        status=200, data=json.dumps({"keyId": "1", "signedBlob": base64.b64encode(GOOGLE_SIGNATURE).decode()}).encode())
    ask = unittest.mock.Mock(return_value=answer)
    with unittest.mock.patch.object(google_signing.requests, "Request", lambda: ask):
        url = google_cloud(method, service_account_email=GOOGLE_MACHINE, access_token="the-token",
                           universe_domain="googleapis.com")
    return {"url": url, "asked": ask.call_args.kwargs["url"], "body": json.loads(ask.call_args.kwargs["body"])["payload"]}


def made():
    path = "/" + quoted(NAME)
    service = {"google %s by the service, its %s" % (method.lower(), part): value
               for method in ("GET", "PUT") for part, value in google_service(method).items()}
    return {
        "s3 get": amazon("GET", "states.s3.eu-west-1.amazonaws.com", path, None),
        "s3 put with a token": amazon("PUT", "states.s3.eu-west-1.amazonaws.com", path, AWS_TOKEN),
        "azure get": azure("r"), "azure put": azure("cw"),
        "azure get by an identity": azure("r", user_delegation_key=delegated_key()),
        "azure put by an identity": azure("cw", user_delegation_key=delegated_key()),
        "google get": google_cloud("GET"), "google put": google_cloud("PUT"), **service,
    }


if sys.argv[1:] == ["--write"]:
    TARGET.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
assert json.loads(TARGET.read_text(encoding="utf-8")) == made(), "signed-urls.json is not what the vendors' libraries make"
print("signed-urls.json: %d URLs are those of the vendors' libraries" % len(made()))
