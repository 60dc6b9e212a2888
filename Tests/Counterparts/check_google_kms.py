"""Drives `google_kms.py` with the vendor's client libraries, google-cloud-kms and google-auth of PyPI: what is true of it
there is true of the service. Prints what it has checked, and fails at the first difference."""

import tempfile
import threading
import urllib.request

import google.auth.transport.requests
from google.api_core.exceptions import BadRequest, Forbidden, NotFound
from google.auth.exceptions import RefreshError
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceRestTransport
from google.oauth2 import credentials as oauth2
from google.oauth2 import service_account

import google_kms
from expect import fails

server = google_kms.serve(0)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = "127.0.0.1:%d" % server.server_port
path = google_kms.write_account(server, tempfile.mkdtemp())
name = google_kms.PARENT + "states"


def account():
    return service_account.Credentials.from_service_account_file(path, scopes=google_kms.SCOPES[:1])


def client(credentials):
    transport = KeyManagementServiceRestTransport(host=host, credentials=credentials, url_scheme="http")
    return kms_v1.KeyManagementServiceClient(transport=transport)


def change(what):
    urllib.request.urlopen("http://%s/test/%s" % (host, what)).close()


credentials = account()
credentials.refresh(google.auth.transport.requests.Request())
assert credentials.token in server.tokens and not credentials.expired
other = google_kms.Account()
wrong = service_account.Credentials.from_service_account_info(
    other.file("http://" + host), scopes=google_kms.SCOPES[:1])
fails(RefreshError, lambda: wrong.refresh(google.auth.transport.requests.Request()), "Invalid JWT Signature")

kms = client(account())
context = b"what it is for"
sealed = kms.encrypt(request={"name": name, "plaintext": b"a key", "additional_authenticated_data": context})
assert sealed.name == name + "/cryptoKeyVersions/1", sealed.name


def decrypt(ciphertext=sealed.ciphertext, said=context, key=name):
    request = {"name": key, "ciphertext": ciphertext, "additional_authenticated_data": said}
    return kms.decrypt(request=request).plaintext


assert decrypt() == b"a key"
fails(BadRequest, lambda: decrypt(said=b"another"))
fails(BadRequest, lambda: decrypt(sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1])))
fails(NotFound, lambda: decrypt(key=google_kms.PARENT + "nowhere"), "nowhere")
change("rotate/states")
newer = kms.encrypt(request={"name": name, "plaintext": b"a key"})
assert newer.name == name + "/cryptoKeyVersions/2", newer.name
assert decrypt() == b"a key" and decrypt(newer.ciphertext, b"") == b"a key"
change("enable/states/1/false")
fails(BadRequest, decrypt, "DISABLED")
change("enable/states/1/true")
change("deny/states/decrypt")
fails(Forbidden, decrypt)
# At a token that is unknown the library tries to get another one, which this one cannot be used for.
fails(RefreshError, lambda: client(oauth2.Credentials("unknown")).encrypt(request={"name": name, "plaintext": b""}))

metadata = "http://%s/computeMetadata/v1/instance/service-accounts/default/token" % host
request = urllib.request.Request(metadata, headers={"Metadata-Flavor": "Google"})
assert b"access_token" in urllib.request.urlopen(request).read()

print("google_kms.py: tokens, versions, contexts and refusals are as the vendor's libraries take them")
