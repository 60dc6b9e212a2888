"""Compares signed-urls.json beside this file with what the vendors' own libraries make: boto3, azure-storage-blob and
google-cloud-storage. With `--write` it writes the file.

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
from azure.storage.blob import BlobSasPermissions, generate_blob_sas

TARGET = pathlib.Path(__file__).resolve().with_name("signed-urls.json")
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
LIFE = 600
NAME = "packs/1f2e/a b+c~d_e-f.g"
AWS_KEY, AWS_SECRET, AWS_TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/token+of=some"
AZURE_ACCOUNT, AZURE_KEY = "cairntest", base64.b64encode(b"a key of an account that only tests have").decode()
# Made for this file by openssl.
GOOGLE_KEY = pathlib.Path(__file__).resolve().with_name("signed-urls-key.pem")
GOOGLE_EMAIL = "cairn@test-project.iam.gserviceaccount.com"


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


def azure(permission):
    # The library's own is that of its newest service.
    with unittest.mock.patch.object(azure_signing, "X_MS_VERSION", "2020-12-06"):
        signature = generate_blob_sas(
            AZURE_ACCOUNT, "states", NAME, account_key=AZURE_KEY, permission=BlobSasPermissions.from_string(permission),
            expiry=NOW + datetime.timedelta(seconds=LIFE), protocol="https")
    return "https://cairntest.blob.core.windows.net/states/%s?%s" % (quoted(NAME), signature)


def google_cloud(method):
    credentials = google.oauth2.service_account.Credentials.from_service_account_info({
        "client_email": GOOGLE_EMAIL, "token_uri": "https://oauth2.googleapis.com/token", "private_key_id": "1",
        "private_key": GOOGLE_KEY.read_text(encoding="ascii")})
    stamp = NOW.strftime("%Y%m%dT%H%M%SZ")
    with unittest.mock.patch.object(google_signing, "get_v4_now_dtstamps", lambda: (stamp, stamp[:8])):
        return google_signing.generate_signed_url_v4(
            credentials, "/states/" + quoted(NAME), datetime.timedelta(seconds=LIFE), method=method,
            api_access_endpoint="https://storage.googleapis.com")


def made():
    path = "/" + quoted(NAME)
    return {
        "s3 get": amazon("GET", "states.s3.eu-west-1.amazonaws.com", path, None),
        "s3 put with a token": amazon("PUT", "states.s3.eu-west-1.amazonaws.com", path, AWS_TOKEN),
        "azure get": azure("r"), "azure put": azure("cw"),
        "google get": google_cloud("GET"), "google put": google_cloud("PUT"),
    }


if sys.argv[1:] == ["--write"]:
    TARGET.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
assert json.loads(TARGET.read_text(encoding="utf-8")) == made(), "signed-urls.json is not what the vendors' libraries make"
print("signed-urls.json: %d URLs are those of the vendors' libraries" % len(made()))
