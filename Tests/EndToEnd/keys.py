#!/usr/bin/env python3
"""Master keys that another service holds: AWS KMS, as moto plays it, and those that Tests/Counterparts plays."""
import base64
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

from gate import Gate
from process import Server, at_most, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Counterparts"))
import azure_vault  # noqa: E402
import google_kms  # noqa: E402
import vault  # noqa: E402

ROOT = os.environ["E2E_FOLDER"]
SECRET = "the secret that must stay one"


def rows(server):
    """Everything in the server's SQLite database, as text; the server must not run."""
    with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db")) as database:
        return "\n".join(database.iterdump())


class Keys:
    """What holds for every service; `settings()` are those of one key, `other_settings()` those of a wrong one, whose
    variable is `setting`."""

    setting = None
    words = None
    # The variables that name the key, and what its versions begin with.
    primary = ()
    kind = None

    def setUp(self):
        self.folder = os.path.join(ROOT, self.id().replace("__main__.", ""))
        os.makedirs(self.folder)
        self.gate = self.make_gate()
        self.addCleanup(self.gate.close)

    def server(self, **variables):
        server = Server(os.path.join(self.folder, "server"), **{**self.settings(), **variables})
        self.addCleanup(server.kill)
        return server

    def served(self, ask):
        """The answer that is not 503, as a client would come by it: a service that plays another may be late."""
        return until(lambda: (found := ask()).status != 503 and found, 20, "an answer but 503")

    def make_stack(self, server, name):
        answer = self.served(lambda: server.request("POST", "/api/stacks/main/keys", {"stackName": name}))
        self.assertEqual(answer.status, 200, answer)

    def encrypt(self, server, name, text=SECRET):
        body = {"plaintext": base64.b64encode(text.encode()).decode()}
        return server.request("POST", "/api/stacks/main/keys/%s/encrypt" % name, body)

    def decrypt(self, server, name, ciphertext):
        return server.request("POST", "/api/stacks/main/keys/%s/decrypt" % name, {"ciphertext": ciphertext})

    def make_secret(self, server, name):
        self.make_stack(server, name)
        answer = self.served(lambda: self.encrypt(server, name))
        self.assertEqual(answer.status, 200, answer)
        return answer.json()["ciphertext"]

    def assertOpens(self, server, name, ciphertext):
        answer = self.served(lambda: self.decrypt(server, name, ciphertext))
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(base64.b64decode(answer.json()["plaintext"]).decode(), SECRET)

    def assertAway(self, ask):
        began = time.monotonic()
        answer = ask()
        seconds = time.monotonic() - began
        self.assertEqual(answer.status, 503, answer)
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertLess(seconds, at_most(2), answer)
        return seconds

    def test_keep_secrets_readable_through_restarts_and_renames_and_not_through_deletion(self):
        server = self.server().start()
        ciphertext = self.make_secret(server, "first")
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.exists(os.path.join(server.folder, "data", "keys")), "no local key is made")

        server.start()
        self.assertOpens(server, "first", ciphertext)
        answer = server.request("POST", "/api/stacks/main/keys/first/rename", {"newName": "second", "newProject": "keys"})
        self.assertIn(answer.status, (200, 204), answer)
        self.assertOpens(server, "second", ciphertext)
        self.assertEqual(server.request("DELETE", "/api/stacks/main/keys/second").status, 204)
        self.make_stack(server, "second")
        self.assertEqual(self.decrypt(server, "second", ciphertext).status, 400)
        self.assertEqual(server.stop(), 0)
        self.assertNotIn(SECRET, rows(server))

    def test_work_on_while_the_service_is_away_where_the_data_key_is_open_and_say_so_elsewhere(self):
        server = self.server().start()
        warm, cold = self.make_secret(server, "warm"), self.make_secret(server, "cold")
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertOpens(server, "warm", warm)
        slowest = 0

        for away in (self.gate.close, self.gate.hang):
            away()
            for _ in range(3):
                self.assertOpens(server, "warm", warm)
                self.assertEqual(self.encrypt(server, "warm").status, 200)
                slowest = max(slowest, self.assertAway(lambda: self.decrypt(server, "cold", cold)))
            self.gate.open()
            self.assertOpens(server, "cold", cold)
            self.assertEqual(server.stop(), 0)
            server.start()
            self.assertOpens(server, "warm", warm)
        print("the slowest 503 while the key service was away: %.0f ms" % (slowest * 1000))

    def refusals(self):
        """What the service can deny, each with how to begin and how to end it; nothing where that cannot be played."""
        return ()

    def test_say_so_while_the_service_denies_and_go_on_when_it_permits_again(self):
        if not self.refusals():
            self.skipTest("the service that plays it denies nothing")
        server = self.server().start()
        names = ["cold%d" % number for number in range(len(self.refusals()))]
        warm, cold = self.make_secret(server, "warm"), [self.make_secret(server, name) for name in names]
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertOpens(server, "warm", warm)

        for (words, begin, end), name, ciphertext in zip(self.refusals(), names, cold):
            with self.subTest(words):
                begin()
                for _ in range(3):
                    self.assertAway(lambda: self.decrypt(server, name, ciphertext))
                    self.assertOpens(server, "warm", warm)
                end()
                self.assertOpens(server, name, ciphertext)

    def test_refuse_another_key_and_a_service_that_is_away_before_the_first_write(self):
        server = self.server().start()
        self.assertEqual(server.stop(), 0)
        before = rows(server)

        server.variables.update(self.other_settings())
        other = server.command("serve")
        server.variables.update({"PULUMI_LOCAL_KEYS": None, **self.settings()})
        self.gate.close()
        away = server.command("serve")

        self.assertEqual(other.returncode, 78, other)
        self.assertIn(self.setting + ": ", other.stderr)
        self.assertIn("is not the one that this database was created with", other.stderr)
        self.assertEqual(away.returncode, 69, away)
        self.assertIn(self.words + " at", away.stderr)
        self.assertIn("cannot be reached", away.stderr)
        self.assertEqual(len(away.stderr.strip().splitlines()), 1, away.stderr)
        self.assertEqual(rows(server), before)

    def local_key(self, name):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            os.chmod(path, 0o600)
            file.write(os.urandom(32))
        return path

    def wrapped_by(self, server):
        with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db")) as database:
            return {row[0].split(":")[0] for row in database.execute("SELECT master_version FROM data_keys")}

    def assertSays(self, answer, code, words):
        self.assertEqual(answer.returncode, code, answer)
        self.assertIn(words, answer.stdout)

    def test_move_to_the_service_while_the_server_runs_and_back(self):
        first, last = self.local_key("first.key"), self.local_key("last.key")
        remote = {name: self.settings()[name] for name in self.primary}
        server = self.server(PULUMI_LOCAL_KEYS=first, **{name: None for name in self.primary}).start()
        secrets = {name: self.make_secret(server, name) for name in ("one", "two", "three")}
        body = {"plaintext": base64.b64encode(SECRET.encode()).decode()}
        project = self.served(lambda: server.request("POST", "/api/projects/main/keys/encrypt", body)).json()["ciphertext"]
        self.assertEqual(server.stop(), 0)

        server.variables.update({**remote, "PULUMI_LOCAL_KEYS": None, "CAIRN_KEYS_ALSO": "local:" + first})
        server.start()
        self.assertOpens(server, "one", secrets["one"])
        secrets["four"] = self.make_secret(server, "four")
        self.assertSays(server.command("keys", "rotate", "--dry-run"), 0, "5 data keys: 4 to wrap anew, 1 were")
        self.assertEqual(self.wrapped_by(server), {"local", self.kind})
        self.assertSays(server.command("keys", "rotate"), 0, "5 data keys: 4 wrapped anew, 1 were")
        self.assertSays(server.command("keys", "rotate"), 0, "5 data keys: 0 wrapped anew, 5 were")
        os.remove(first)

        def open_all():
            for name, ciphertext in secrets.items():
                self.assertOpens(server, name, ciphertext)
            answer = self.served(
                lambda: server.request("POST", "/api/projects/main/keys/decrypt", {"ciphertext": project}))
            self.assertEqual(base64.b64decode(answer.json()["plaintext"]).decode(), SECRET)

        open_all()
        self.assertEqual(server.stop(), 0)
        server.variables["CAIRN_KEYS_ALSO"] = None
        server.start()
        open_all()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.wrapped_by(server), {self.kind})

        self.assertSays(server.command("keys", "move", "--to", "local:" + last), 0, "5 data keys: 5 wrapped anew")
        refused = server.command("serve")
        self.assertEqual(refused.returncode, 78, refused)
        server.variables.update({**{name: None for name in self.primary}, "PULUMI_LOCAL_KEYS": last})
        self.gate.close()
        server.start()
        open_all()
        self.assertEqual(server.stop(), 0)

    def test_notice_a_wrapped_key_that_was_put_in_place_of_another(self):
        server = self.server().start()
        secrets = [self.make_secret(server, name) for name in ("one", "two")]
        self.assertEqual(server.stop(), 0)
        with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db")) as database:
            (one, wrapped), (two, other) = database.execute("SELECT id, wrapped FROM data_keys ORDER BY id").fetchall()
            database.execute("UPDATE data_keys SET wrapped = ? WHERE id = ?", (other, one))
            database.execute("UPDATE data_keys SET wrapped = ? WHERE id = ?", (wrapped, two))
        database.close()

        server.start()
        for name, ciphertext in zip(("one", "two"), secrets):
            self.assertEqual(self.decrypt(server, name, ciphertext).status, 503)
        self.assertEqual(server.stop(), 0)
        moved = server.command("keys", "move", "--to", "local:" + self.local_key("next.key"))

        self.assertSays(moved, 69, "2 data keys: 0 wrapped anew, 0 were")
        self.assertEqual(moved.stderr.count("cannot be opened and stays as it is"), 2, moved)
        self.assertEqual(self.wrapped_by(server), {self.kind})

    def test_are_checked_by_a_round_trip(self):
        good = self.server().command("check")
        bad = self.server(**self.missing_settings()).command("check")

        self.assertEqual(good.returncode, 0, good)
        self.assertIn(self.words + " key", good.stdout)
        self.assertIn("data keys can be made and opened", good.stdout)
        self.assertEqual(bad.returncode, 69, bad)
        self.assertIn("does not exist", bad.stderr)


@unittest.skipUnless(os.environ.get("CAIRN_TEST_MOTO") or os.environ.get("CI"), "NOT RUN: CAIRN_TEST_MOTO is not set")
class AWSKeys(Keys, unittest.TestCase):
    setting, words = "PULUMI_LOCAL_KEYS", "AWS KMS"
    primary, kind = ("PULUMI_KMS_KEY",), "arn"

    def make_gate(self):
        self.moto = os.environ["CAIRN_TEST_MOTO"]
        self.keys = [self.call("CreateKey", {})["KeyMetadata"]["Arn"] for _ in range(2)]
        return Gate(urllib.parse.urlsplit(self.moto).port)

    def test_start_and_move_wait_for_a_service_that_is_too_slow_for_a_client(self):
        server = self.server().start()
        ciphertext = self.make_secret(server, "one")
        self.assertEqual(server.stop(), 0)

        self.gate.delay = 2
        server.start()
        self.assertAway(lambda: self.decrypt(server, "one", ciphertext))
        self.assertEqual(server.stop(), 0)
        moved = server.command("keys", "move", "--to", "local:" + self.local_key("next.key"))

        self.assertSays(moved, 0, "1 data keys: 1 wrapped anew")

    def call(self, action, body):
        scope = "AWS4-HMAC-SHA256 Credential=cairn/20260101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"X-Amz-Target": "TrentService." + action, "Content-Type": "application/x-amz-json-1.1",
                   "Authorization": scope}
        request = urllib.request.Request(self.moto + "/", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def settings(self):
        return {"PULUMI_KMS_KEY": self.keys[0], "AWS_ACCESS_KEY_ID": "cairn", "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:%d" % self.gate.port}

    def other_settings(self):
        # Another key of the account would open what this one has wrapped.
        local = os.path.join(self.folder, "local.key")
        with open(local, "wb") as file:
            file.write(bytes(range(100, 132)))
        os.chmod(local, 0o600)
        return {"PULUMI_KMS_KEY": None, "PULUMI_LOCAL_KEYS": local}

    def missing_settings(self):
        return {"PULUMI_KMS_KEY": "alias/nowhere", "AWS_REGION": "eu-west-1"}

    def test_wrap_with_another_key_and_open_what_the_earlier_one_has_wrapped(self):
        server = self.server().start()
        ciphertext = self.make_secret(server, "first")
        self.assertEqual(server.stop(), 0)

        server.variables["PULUMI_KMS_KEY"] = self.keys[1]
        server.start()
        self.assertOpens(server, "first", ciphertext)
        self.make_secret(server, "second")
        self.assertEqual(server.stop(), 0)

        with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db")) as database:
            found = [row[0] for row in database.execute("SELECT master_version FROM data_keys ORDER BY id")]
        self.assertEqual(found, self.keys)


class AzureKeys(Keys, unittest.TestCase):
    setting, words = "PULUMI_AZURE_KV_URI", "Azure Key Vault"
    primary, kind = ("PULUMI_AZURE_KV_URI", "PULUMI_AZURE_KV_KEY_NAME"), "azure"

    def refusals(self):
        def enable(value):
            return lambda: setattr(self.vault.keys["states"][0], "enabled", value)

        return (("a version that is disabled", enable(False), enable(True)),)

    def make_gate(self):
        self.certificate = os.path.join(self.folder, "vault.pem")
        private = os.path.join(self.folder, "vault-key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vault", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", private, "-out", self.certificate],
            check=True, stderr=subprocess.DEVNULL)
        vault = self.vault = azure_vault.serve(0, self.certificate, private)
        for name in ("states", "others"):
            vault.keys[name] = [azure_vault.Version("RSA", 2048, ["encrypt", "decrypt"])]
        threading.Thread(target=vault.serve_forever, daemon=True).start()
        self.addCleanup(vault.server_close)
        self.addCleanup(vault.shutdown)
        return Gate(vault.server_port)

    def settings(self):
        url = "https://localhost:%d" % self.gate.port
        return {"PULUMI_AZURE_KV_URI": url, "PULUMI_AZURE_KV_KEY_NAME": "states", "CAIRN_OUTBOUND_CA": self.certificate,
                "AZURE_AUTHORITY_HOST": url, "AZURE_TENANT_ID": azure_vault.TENANT,
                "AZURE_CLIENT_ID": azure_vault.CLIENT, "AZURE_CLIENT_SECRET": azure_vault.SECRET}

    def other_settings(self):
        return {"PULUMI_AZURE_KV_KEY_NAME": "others"}

    def missing_settings(self):
        return {"PULUMI_AZURE_KV_KEY_NAME": "nowhere"}


class GoogleKeys(Keys, unittest.TestCase):
    setting, words = "CAIRN_GOOGLE_KMS_KEY", "Cloud KMS"
    primary, kind = ("CAIRN_GOOGLE_KMS_KEY",), "google"

    def refusals(self):
        def permit(*denied):
            return lambda: self.service.denied.update(states=denied)

        def enable(value):
            return lambda: setattr(self.service.keys["states"][0], "enabled", value)

        return (("permission", permit("decrypt"), permit()), ("a version that is disabled", enable(False), enable(True)))

    def make_gate(self):
        self.service = service = google_kms.serve(0)
        service.keys["others"] = [google_kms.Version()]
        threading.Thread(target=service.serve_forever, daemon=True).start()
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        self.account = google_kms.write_account(service, self.folder)
        return Gate(service.server_port)

    def settings(self):
        return {"CAIRN_GOOGLE_KMS_KEY": google_kms.PARENT + "states", "GOOGLE_APPLICATION_CREDENTIALS": self.account,
                "CAIRN_GOOGLE_KMS_ENDPOINT": "http://127.0.0.1:%d" % self.gate.port}

    def other_settings(self):
        return {"CAIRN_GOOGLE_KMS_KEY": google_kms.PARENT + "others"}

    def missing_settings(self):
        return {"CAIRN_GOOGLE_KMS_KEY": google_kms.PARENT + "nowhere"}


class VaultKeys(Keys, unittest.TestCase):
    setting, words = "CAIRN_VAULT_KEY", "Vault"
    primary, kind = ("CAIRN_VAULT_KEY",), "vault"

    def refusals(self):
        def put(name, value):
            return lambda: setattr(self.vault, name, value)

        def limit(version):
            return lambda: setattr(self.vault.keys["states"], "least", version)

        return (("while it is sealed", put("is_sealed", True), put("is_sealed", False)),
                ("too many requests", put("is_throttled", True), put("is_throttled", False)),
                ("older versions", limit(2), limit(1)))

    def make_gate(self):
        self.vault = vault.serve(0)
        threading.Thread(target=self.vault.serve_forever, daemon=True).start()
        self.addCleanup(self.vault.server_close)
        self.addCleanup(self.vault.shutdown)
        return Gate(self.vault.server_port)

    def settings(self):
        return {"CAIRN_VAULT_KEY": "transit/keys/states", "VAULT_ADDR": "http://127.0.0.1:%d" % self.gate.port,
                "CAIRN_VAULT_ROLE_ID": vault.ROLE, "CAIRN_VAULT_SECRET_ID": vault.SECRET}

    def other_settings(self):
        return {"CAIRN_VAULT_KEY": "transit/keys/others"}

    def missing_settings(self):
        return {"CAIRN_VAULT_KEY": "transit/keys/nowhere"}

    def test_are_got_without_a_failed_request_while_tokens_end(self):
        self.vault.life = 18
        server = self.server().start()
        ends = time.monotonic() + at_most(120)
        number = 0
        while sum(path.endswith("/login") for _, path, _ in self.vault.seen) < 3 and time.monotonic() < ends:
            self.make_secret(server, "s%d" % number)
            number += 1
            time.sleep(0.05)
        self.assertLess(time.monotonic(), ends, "no new token was asked for")
        self.assertEqual(self.vault.refused, 0, "requests came with a token that had ended")


if __name__ == "__main__":
    unittest.main(verbosity=2)
