"""Drives `azure_vault.py` with the vendor's client libraries, azure-keyvault-keys and azure-identity of PyPI: what is
true of it there is true of the service. Prints what it has checked, and fails at the first difference."""

import os
import subprocess
import tempfile
import threading

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm

import azure_vault
from expect import fails

folder = tempfile.mkdtemp()
certificate, private = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
     "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", private, "-out", certificate],
    check=True, stderr=subprocess.DEVNULL)
server = azure_vault.serve(0, certificate, private)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "https://localhost:%d" % server.server_port
trust = dict(connection_verify=certificate, retry_total=0)


def principal(secret, tenant=azure_vault.TENANT):
    return ClientSecretCredential(tenant, azure_vault.CLIENT, secret, authority=url, disable_instance_discovery=True, **trust)


def client(credential):
    return KeyClient(url, credential, verify_challenge_resource=False, **trust)


fails(ClientAuthenticationError, lambda: client(principal("wrong")).get_key("none"), "AADSTS7000215")
keys = client(principal(azure_vault.SECRET))
fails(ResourceNotFoundError, lambda: keys.get_key("none"), "KeyNotFound")

first = keys.create_rsa_key("states", size=2048)
second = keys.create_rsa_key("states", size=3072)
assert keys.get_key("states").properties.version == second.properties.version
assert keys.get_key("states", first.properties.version).key.n == first.key.n
assert set(second.key_operations) >= {"encrypt", "decrypt"}, second.key_operations


def crypto(key):
    return CryptographyClient(key.id, principal(azure_vault.SECRET), verify_challenge_resource=False, **trust)


algorithm = EncryptionAlgorithm.rsa_oaep_256
for key in (first, second):
    # The library encrypts by itself with the public half and asks the service for the rest.
    sealed = crypto(key).encrypt(algorithm, b"a secret of some bytes").ciphertext
    assert crypto(key).decrypt(algorithm, sealed).plaintext == b"a secret of some bytes"
    fails(HttpResponseError, lambda: crypto(key).decrypt(algorithm, sealed[:-1] + bytes([sealed[-1] ^ 1])), "BadParameter")
remote = server.keys["states"][0].key.encrypt(b"sealed by the service")
assert crypto(first).decrypt(algorithm, remote).plaintext == b"sealed by the service"

keys.update_key_properties("states", first.properties.version, enabled=False)
assert not keys.get_key("states", first.properties.version).properties.enabled
fails(HttpResponseError, lambda: crypto(first)._client.decrypt("states", first.properties.version, {
    "alg": "RSA-OAEP-256", "value": remote}), "KeyDisabled")
assert keys.create_ec_key("curve").key_type == "EC"
keys.begin_delete_key("states")
fails(ResourceNotFoundError, lambda: keys.get_key("states"), "KeyNotFound")

# The libraries follow the challenge: without it they would not know where to get a token.
os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = url
assert ManagedIdentityCredential(**trust).get_token(url + "/.default").token in server.tokens
os.environ.update(IDENTITY_ENDPOINT=url + "/msi/token", IDENTITY_HEADER=azure_vault.IDENTITY_HEADER)
assert ManagedIdentityCredential(**trust).get_token(url + "/.default").token in server.tokens

print("azure_vault.py: keys, versions, encryption, refusals, challenges and tokens are as the vendor's libraries take them")
