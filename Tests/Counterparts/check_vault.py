"""Drives `vault.py` with hvac, the client library of PyPI for Vault: what is true of it there is true of the service.
Prints what it has checked, and fails at the first difference."""

import base64
import threading
import time
import urllib.request

import hvac
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, RateLimitExceeded, VaultDown

import vault
from expect import fails

server = vault.serve(0)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d" % server.server_port


def encoded(text):
    return base64.b64encode(text).decode()


def change(what):
    urllib.request.urlopen(url + "/test/" + what).close()


client = hvac.Client(url=url, token=vault.ROOT)
assert client.is_authenticated()
transit = client.secrets.transit
data = encoded(b"what it is for")
sealed = transit.encrypt_data("states", encoded(b"a key"), associated_data=data)["data"]
assert sealed["ciphertext"].startswith("vault:v1:") and sealed["key_version"] == 1


def decrypt(ciphertext=sealed["ciphertext"], said=data, name="states"):
    return base64.b64decode(transit.decrypt_data(name, ciphertext, associated_data=said)["data"]["plaintext"])


assert decrypt() == b"a key"
fails(InvalidRequest, lambda: decrypt(said=encoded(b"another")), "message authentication failed")
fails(InvalidRequest, lambda: decrypt("vault:v1:AAAA"), "invalid ciphertext")
fails(InvalidRequest, lambda: decrypt("nothing"), "invalid ciphertext")
fails(InvalidRequest, lambda: decrypt(name="nowhere"), "encryption key not found")
fails(InvalidPath, lambda: transit.read_key("nowhere"))
change("rotate/states")
newer = transit.encrypt_data("states", encoded(b"a key"), associated_data=data)["data"]["ciphertext"]
assert newer.startswith("vault:v2:") and decrypt() == decrypt(newer) == b"a key"
assert transit.read_key("states")["data"]["latest_version"] == 2
change("least/states/2")
fails(InvalidRequest, decrypt, "too old")

change("token/short/60/renewable/0/decrypt")
short = hvac.Client(url=url, token="short")
assert 0 < short.auth.token.lookup_self()["data"]["ttl"] <= 60
assert 0 < short.auth.token.renew_self()["auth"]["lease_duration"] <= 60
fails(Forbidden, lambda: short.secrets.transit.decrypt_data("states", newer), "permission denied")
change("token/fixed/5/fixed/0")
fixed = hvac.Client(url=url, token="fixed")
fails(InvalidRequest, fixed.auth.token.renew_self, "not renewable")
time.sleep(5.1)
fails(Forbidden, fixed.auth.token.lookup_self)

stranger = hvac.Client(url=url)
fails(InvalidRequest, lambda: stranger.auth.approle.login(vault.ROLE, "wrong"), "invalid role or secret ID")
assert stranger.auth.approle.login(vault.ROLE, vault.SECRET)["auth"]["lease_duration"] == 3600
assert stranger.is_authenticated()
pod = hvac.Client(url=url)
fails(Forbidden, lambda: pod.auth.kubernetes.login(vault.POD_ROLE, "forged"))
pod.auth.kubernetes.login(vault.POD_ROLE, vault.POD_TOKEN)
assert pod.is_authenticated()

server.namespace = "team"
fails(InvalidPath, lambda: transit.encrypt_data("states", encoded(b"x")))
inside = hvac.Client(url=url, token=vault.ROOT, namespace="team")
assert inside.secrets.transit.encrypt_data("states", encoded(b"x"))["data"]["ciphertext"]
server.is_throttled = True
fails(RateLimitExceeded, lambda: inside.secrets.transit.encrypt_data("states", encoded(b"x")), "quota")
server.is_throttled, server.is_sealed = False, True
fails(VaultDown, lambda: inside.secrets.transit.encrypt_data("states", encoded(b"x")), "sealed")

print("vault.py: tokens, logins, versions, associated data and refusals are as hvac takes them")
