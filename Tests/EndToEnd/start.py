#!/usr/bin/env python3
"""The process from outside: first start, settings, refusals, TLS, stop, migrations, keys, a database that goes away."""
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from databases import DatabaseServer
from process import TOKEN, Server, at_most, free_port, mysql_settings, until

ROOT = os.environ["E2E_FOLDER"]


class Case(unittest.TestCase):
    """Each test has a folder of its own, and what it starts ends with it."""

    def setUp(self):
        _, case, test = self.id().rsplit(".", 2)
        self.folder = os.path.join(ROOT, case, test)
        os.makedirs(self.folder)

    def server(self, name="server", **variables):
        server = Server(os.path.join(self.folder, name), **variables)
        self.addCleanup(server.kill)
        return server

    def assertOneLine(self, text):
        self.assertEqual(len(text.strip().splitlines()), 1, text)


def bytes_below(folder):
    """Every byte of every file, one after the other."""
    contents = []
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            with open(os.path.join(path, name), "rb") as file:
                contents.append(file.read())
    return b"\n".join(contents)


def rows(server):
    """Everything in the server's SQLite database, as text; the server must not run."""
    with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db")) as database:
        return "\n".join(database.iterdump())


class FirstStart(Case):
    def test_prints_the_token_once_and_stores_only_its_hash(self):
        server = self.server(CAIRN_ADMIN_TOKEN=None).start()
        token, = re.findall(r"pul-[0-9a-f]{40}", server.output())

        user = server.get("/api/user", token=token).json()
        server.stop()
        server.start()
        server.stop()

        self.assertEqual(user["githubLogin"], "admin")
        self.assertEqual([organization["githubLogin"] for organization in user["organizations"]], ["admin", "main"])
        self.assertEqual(len(re.findall("pul-[0-9a-f]{40}", server.output())), 1)
        self.assertNotIn(token.encode(), bytes_below(server.variables["CAIRN_DATA"]))
        self.assertNotIn(token[4:].encode(), bytes_below(server.variables["CAIRN_DATA"]))

    def test_shows_the_token_although_it_cannot_listen(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            server = self.server(CAIRN_ADMIN_TOKEN=None, CAIRN_LISTEN="127.0.0.1", PORT=str(other.getsockname()[1]))
            run = server.command("serve")

        self.assertEqual(run.returncode, 69, run.stderr)
        token, = re.findall(r"pul-[0-9a-f]{40}", run.stdout)
        del server.variables["CAIRN_LISTEN"]
        server.port = int(server.variables["PORT"])
        self.assertEqual(server.start().get("/api/user", token=token).status, 200)

    def test_uses_the_token_login_and_organization_of_an_unattended_installation(self):
        server = self.server(CAIRN_ADMIN_LOGIN="ada", CAIRN_ORGANIZATION="engines").start()

        user = server.get("/api/user").json()
        server.stop()

        self.assertEqual(user["githubLogin"], "ada")
        self.assertEqual([organization["githubLogin"] for organization in user["organizations"]], ["ada", "engines"])
        self.assertNotIn(TOKEN, server.output())
        self.assertNotIn(TOKEN.encode(), bytes_below(server.variables["CAIRN_DATA"]))

    def test_keeps_the_data_folder_to_its_owner(self):
        server = self.server().start()

        for path, folders, names in os.walk(server.variables["CAIRN_DATA"]):
            for name in folders + names:
                mode = os.stat(os.path.join(path, name)).st_mode & 0o077
                self.assertEqual(mode, 0, os.path.join(path, name))

    def test_is_ready_soon_after_the_process_starts(self):
        server = self.server().start()
        server.stop()
        times = []

        for _ in range(5):
            began = time.monotonic()
            server.start()
            times.append(time.monotonic() - began)
            server.stop()

        print("process start to /readyz: %s ms" % ", ".join("%.0f" % (taken * 1000) for taken in sorted(times)))
        self.assertLess(min(times), at_most(2))


    def test_whose_token_was_lost_is_helped_by_another_while_the_server_runs(self):
        server = self.server(CAIRN_ADMIN_TOKEN=None).start()

        made = server.command("token")
        stranger = server.command("token", "--login", "nobody")

        self.assertEqual(made.returncode, 0, made)
        self.assertRegex(made.stdout, r"^pul-[0-9a-f]{40}\n$")
        self.assertEqual(server.get("/api/user", token=made.stdout.strip()).json()["githubLogin"], "admin")
        self.assertNotIn(made.stdout.strip().encode(), bytes_below(server.variables["CAIRN_DATA"]))
        self.assertEqual((stranger.returncode, stranger.stdout), (69, ""), stranger)
        self.assertIn("nobody has the login 'nobody'", stranger.stderr)
        self.assertOneLine(stranger.stderr)


class Answers(Case):
    def test_name_their_request_and_tell_a_stranger_to_log_in(self):
        answer = self.server().start().get("/api/user", token=None)

        self.assertEqual((answer.status, answer.json()["code"]), (401, 401))
        self.assertTrue(answer.headers["X-Pulumi-Request-ID"])


class Settings(Case):
    WRONG = {"PORT": "99999", "CAIRN_ADMIN_TOKEN": "geheim mit blanks", "CAIRN_ADMIN_LOGIN": "a",
             "CAIRN_ORGANIZATION": "b c", "API_TLS_PRIVATE_KEY": "geheim-key", "CAIRN_LOG_LEVEL": "loud",
             "CAIRN_STOP_GRACE": "never", "DATABASE_MIN_TLS_VERSION": "1.2", "CAIRN_MIGRATE": "perhaps",
             "PULUMI_KMS_KEY": "arn:aws:kms:x", "CAIRN_TYPO": "1"}

    def test_reports_every_wrong_variable_at_once_with_status_78_and_no_secret(self):
        for command in ("serve", "check"):
            with self.subTest(command):
                server = self.server(command, **self.WRONG)

                run = server.command(command)

                self.assertEqual(run.returncode, 78)
                for name in self.WRONG:
                    self.assertRegex(run.stderr, r"(?m)^%s: " % name)
                self.assertNotIn("geheim", run.stdout + run.stderr)
                self.assertFalse(os.path.exists(server.variables["CAIRN_DATA"]))

    def test_takes_an_empty_variable_as_unset_and_strips_quotes(self):
        server = self.server(CAIRN_ADMIN_LOGIN='"grace"', CAIRN_ORGANIZATION="", CAIRN_LISTEN="").start()

        self.assertEqual(server.get("/api/user").json()["githubLogin"], "grace")

    def test_shows_the_settings_in_force_without_secrets(self):
        run = self.server(PULUMI_DATABASE_USER_PASSWORD="geheim").command("check")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("CAIRN_STOP_GRACE = 30s (default)", run.stdout)
        self.assertRegex(run.stdout, r"(?m)^CAIRN_ADMIN_TOKEN\b")
        self.assertNotIn(TOKEN, run.stdout + run.stderr)
        self.assertNotIn("geheim", run.stdout + run.stderr)

    def test_knows_every_route(self):
        run = self.server().command("routes")

        self.assertEqual(run.returncode, 0)
        self.assertGreaterEqual(len(run.stdout.splitlines()), 634)

    def test_suggests_the_command_that_was_meant(self):
        self.assertIn("did you mean 'serve'", self.server().command("servee").stderr)

    def test_refuses_a_command_or_option_that_does_not_exist(self):
        for words in (["sevre"], ["serve", "--port=1"], ["migrate"], ["migrate", "down"], ["check", "twice"]):
            with self.subTest(words):
                self.assertEqual(self.server("-".join(words)).command(*words).returncode, 64)


class Refusals(Case):
    def test_names_the_port_that_is_in_use(self):
        first = self.server("first").start()

        run = self.server("second", PORT=str(first.port)).command("serve")

        self.assertEqual(run.returncode, 69)
        self.assertOneLine(run.stderr)
        self.assertIn(str(first.port), run.stderr)
        self.assertRegex(run.stderr, "in use|PORT")

    def test_names_a_data_folder_that_cannot_be_made(self):
        run = self.server(CAIRN_DATA="/dev/null/data").command("serve")

        self.assertEqual(run.returncode, 69)
        self.assertOneLine(run.stderr)
        self.assertIn("/dev/null/data", run.stderr)
        self.assertIn("CAIRN_DATA", run.stderr)

    def test_names_a_data_folder_that_belongs_to_someone_else(self):
        if os.getuid() != 0:
            self.skipTest("needs root, to run the server as another user")
        for folder in (ROOT, self.folder):
            os.chmod(folder, 0o711)
        program = shutil.copy(os.environ["CAIRN_BIN"], os.path.join(self.folder, "cairn"))
        data = os.path.join(self.folder, "data")
        os.mkdir(data, 0o755)

        run = subprocess.run([program, "serve"], env={"CAIRN_DATA": data, "PORT": str(free_port())}, user=65534,
                             group=65534, extra_groups=[], cwd="/", capture_output=True, text=True, timeout=30)

        self.assertEqual(run.returncode, 69, run.stderr)
        self.assertOneLine(run.stderr)
        self.assertIn(data, run.stderr)
        self.assertIn("65534", run.stderr)
        self.assertEqual(os.listdir(data), [])

    def test_refuses_a_second_server_on_the_same_folder_and_leaves_the_first_alone(self):
        first = self.server("first").start()

        run = self.server("second", CAIRN_DATA=first.variables["CAIRN_DATA"]).command("serve")

        self.assertEqual(run.returncode, 69)
        self.assertOneLine(run.stderr)
        self.assertIn(first.variables["CAIRN_DATA"], run.stderr)
        self.assertEqual(first.get("/api/user").status, 200)

    def test_starts_again_after_a_kill_although_the_lock_file_is_still_there(self):
        server = self.server().start()
        server.kill()

        self.assertEqual(server.start().get("/api/user").status, 200)

    def test_refuses_another_master_key_before_the_first_write(self):
        server = self.server().start()
        server.stop()
        before = rows(server)
        other = os.path.join(self.folder, "other.key")
        with open(other, "wb") as file:
            file.write(bytes(range(100, 132)))
        os.chmod(other, 0o600)

        server.variables["PULUMI_LOCAL_KEYS"] = other
        run = server.command("serve")

        self.assertEqual(run.returncode, 78)
        self.assertIn("PULUMI_LOCAL_KEYS: ", run.stderr)
        self.assertEqual(rows(server), before)

    def test_does_not_make_another_key_when_the_keys_are_gone(self):
        server = self.server().start()
        server.stop()
        before = rows(server)
        keys = os.path.join(server.variables["CAIRN_DATA"], "keys")
        shutil.move(keys, keys + ".away")

        run = server.command("serve")

        self.assertNotEqual(run.returncode, 0)
        self.assertFalse(os.path.exists(keys) and os.listdir(keys))
        self.assertEqual(rows(server), before)
        shutil.rmtree(keys, ignore_errors=True)
        shutil.move(keys + ".away", keys)
        self.assertEqual(server.start().get("/api/user").status, 200)


class Migrations(Case):
    def test_shows_and_applies_what_the_schema_lacks(self):
        server = self.server()

        plan = server.command("migrate", "plan")
        up = server.command("migrate", "up")
        again = server.command("migrate", "up")

        self.assertEqual([run.returncode for run in (plan, up, again)], [0, 0, 0])
        self.assertIn("to come", plan.stdout)
        self.assertIn("migrations applied", up.stdout)
        self.assertIn("up to date", again.stdout)
        self.assertIn("up to date", server.command("migrate", "plan").stdout)
        self.assertEqual(server.start().get("/api/user").status, 200)

    def test_refuses_a_database_that_lacks_migrations_when_it_may_not_apply_them(self):
        run = self.server(CAIRN_MIGRATE="false").command("serve")

        self.assertEqual(run.returncode, 69)
        self.assertIn("migrate up", run.stderr)

    def test_refuses_a_database_that_is_ahead_and_changes_nothing(self):
        server = self.server().start()
        server.stop()
        with sqlite3.connect(os.path.join(server.variables["CAIRN_DATA"], "cairn.db")) as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(cairn_migrations)")]
            newest = database.execute("SELECT * FROM cairn_migrations ORDER BY 1 DESC LIMIT 1").fetchone()
            later = [newest[0] + 1, *newest[1:]]
            database.execute("INSERT INTO cairn_migrations VALUES (%s)" % ",".join("?" * len(columns)), later)
        before = rows(server)

        for words in (["serve"], ["migrate", "up"], ["migrate", "plan"]):
            with self.subTest(words):
                run = server.command(*words)

                self.assertEqual(run.returncode, 69)
                self.assertIn("newer", run.stderr)
        self.assertEqual(rows(server), before)


@unittest.skipUnless(os.environ.get("CAIRN_TEST_MARIADB") or os.environ.get("CI"), "NOT RUN: no databases for tests")
class MigrationsContainer(Case):
    """`cairn migrate up` with the variables of the vendor's migrations container."""

    def setUp(self):
        super().setUp()
        self.database = DatabaseServer(self.KIND, tempfile.mkdtemp(dir=ROOT))
        self.addCleanup(self.database.stop)
        parts = urllib.parse.urlsplit(self.database.url)
        credentials = {"username": "cairn_admin", "password": urllib.parse.unquote(parts.password)}
        own = mysql_settings(self.database.url, "container_x")
        own.update(PULUMI_DATABASE_USER_NAME="pulumi_service", PULUMI_DATABASE_USER_PASSWORD="it's \\ \"quoted\"")
        self.service = self.server(**own)
        self.container = self.server("container", **{
            **own, "DATABASE_MIN_TLS_VERSION": None, "MYSQL_ROOT_CREDENTIALS": json.dumps(credentials)})

    def test_several_at_once_wait_for_the_server_and_make_everything_once(self):
        self.database.kill()
        runs = [subprocess.Popen([os.environ["CAIRN_BIN"], "migrate", "up"], env=self.container.environment(), text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
        for run in runs:
            self.addCleanup(run.kill)
        waiting = [run.stderr.readline() for run in runs]
        self.database.resume()
        outputs = [run.communicate(timeout=at_most(60)) for run in runs]

        for run, line, (output, error) in zip(runs, waiting, outputs):
            self.assertIn("waiting: ", line)
            self.assertEqual(run.returncode, 0, error)
        everything = "".join(output for output, _ in outputs)
        self.assertEqual(everything.count("database container_x made"), 1)
        self.assertEqual(everything.count("account pulumi_service made"), 1)
        self.assertEqual(everything.count("migrations applied"), 1)
        self.assertEqual(everything.count("is up to date"), 2)
        self.assertEqual(self.service.start().get("/api/user").status, 200)

    def test_an_administrator_migrates_where_the_account_is_made_by_hand(self):
        self.container.variables.update(SKIP_CREATE_DB_USER="true", MIGRATE_AS_SUPERUSER="true")
        run = self.container.command("migrate", "up")

        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("migrations applied", run.stdout)
        self.assertNotIn("account", run.stdout)
        refused = self.service.command("serve")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("refuses the account", refused.stderr + refused.stdout)


class MigrationsContainerMariaDB(MigrationsContainer):
    KIND = "mariadb"


class MigrationsContainerMySQL(MigrationsContainer):
    KIND = "mysql"


del MigrationsContainer  # it is no test of its own


class Stop(Case):
    HEAD = ("POST /api/stacks/main/drain HTTP/1.1\r\nHost: cairn\r\nAuthorization: token %s\r\n"
            "Accept: application/vnd.pulumi+9\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n")
    BODY = b'{"stackName":"in-flight"}'

    def half_sent(self, server):
        """A request of which the server has everything but the last byte."""
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.addCleanup(connection.close)
        connection.sendall((self.HEAD % (TOKEN, len(self.BODY))).encode() + self.BODY[:-1])
        return connection

    def test_finishes_a_request_in_progress_and_takes_no_new_one(self):
        server = self.server().start()
        connection = self.half_sent(server)
        time.sleep(0.3)

        server.process.terminate()
        until(lambda: server.status("/livez") is None, 10, "closed to new connections")
        connection.sendall(self.BODY[-1:])
        answer = connection.recv(65536)

        self.assertRegex(answer, rb"^HTTP/1.1 200 ")
        self.assertEqual(server.ended(), 0)
        server.start()
        self.assertEqual(server.get("/api/stacks/main/drain/in-flight").status, 200)

    def test_does_not_wait_longer_than_the_grace_for_a_client_that_sends_nothing(self):
        server = self.server(CAIRN_STOP_GRACE="1s").start()
        self.half_sent(server)
        time.sleep(0.3)

        began = time.monotonic()
        status = server.stop()

        self.assertEqual(status, 0)
        # Without the grace, the limit for a body that stands still would end it after ten.
        self.assertLess(time.monotonic() - began, 9.5)

    def test_hurries_at_the_second_signal(self):
        server = self.server(CAIRN_STOP_GRACE="60s").start()
        self.half_sent(server)
        time.sleep(0.3)

        server.process.terminate()
        until(lambda: server.status("/livez") is None, 10, "closed to new connections")
        server.process.terminate()

        server.ended(10)

    def test_ends_at_once_when_idle_connections_are_open(self):
        server = self.server().start()
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
        for connection in idle:
            self.addCleanup(connection.close)

        began = time.monotonic()

        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, at_most(5))


class TLS(Case):
    def setUp(self):
        super().setUp()
        folder = os.path.join(self.folder, "tls")
        script = os.path.join(os.path.dirname(__file__), "..", "..", "Scripts", "services", "certificates.sh")
        text = 'source "$1"; mkdir -p "$2"; certificate_authority "$2" ca && ' \
               'certificate "$2" server DNS:localhost,IP:127.0.0.1 && certificate "$2" other DNS:localhost'
        subprocess.run(["bash", "-c", text, "bash", script, folder], check=True)
        self.file = lambda name: os.path.join(folder, name + ".pem")

    def trio(self, certificate="server", key="server-key", version="1.3"):
        return {"API_TLS_CERTIFICATE": self.file(certificate), "API_TLS_PRIVATE_KEY": self.file(key),
                "API_MIN_TLS_VERSION": version}

    def test_serves_with_a_certificate_that_curl_accepts(self):
        with open(self.file("server"), encoding="ascii") as file:
            as_text = file.read()
        for name, variables in {"files": self.trio(), "text": {**self.trio(), "API_TLS_CERTIFICATE": as_text}}.items():
            with self.subTest(name):
                server = self.server(name, **variables)
                server.trust(self.file("ca"))
                server.start()

                run = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--cacert", self.file("ca"),
                                      "https://localhost:%d/readyz" % server.port], capture_output=True, text=True)

                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertEqual(run.stdout, '{"status":"ok"}')
                self.assertEqual(server.get("/api/user").status, 200)
                self.assertEqual(server.stop(), 0)

    def test_refuses_an_older_version_than_allowed_and_plain_http(self):
        server = self.server(**self.trio())
        server.trust(self.file("ca"))
        server.start()

        run = subprocess.run(["curl", "--silent", "--cacert", self.file("ca"), "--tls-max", "1.2",
                              "https://localhost:%d/livez" % server.port], capture_output=True)
        server.tls = None

        self.assertEqual(run.returncode, 35)
        self.assertNotEqual(server.status("/livez"), 200)

    def test_refuses_an_incomplete_set(self):
        for left_out in self.trio():
            with self.subTest(left_out):
                run = self.server(left_out, **{**self.trio(), left_out: ""}).command("serve")

                self.assertEqual(run.returncode, 78)
                self.assertIn(left_out, run.stderr)

    def test_refuses_a_key_that_does_not_fit_and_never_prints_it(self):
        with open(self.file("other-key"), encoding="ascii") as file:
            key = file.read()
        for name, value in {"path": self.file("other-key"), "text": key, "no-key": "/dev/null"}.items():
            with self.subTest(name):
                run = self.server(name, **{**self.trio(), "API_TLS_PRIVATE_KEY": value}).command("serve")

                self.assertEqual(run.returncode, 78, run.stderr)
                self.assertIn("API_TLS_PRIVATE_KEY", run.stderr)
                self.assertNotIn(key.splitlines()[1], run.stdout + run.stderr)


@unittest.skipUnless(os.environ.get("CAIRN_TEST_MARIADB") or os.environ.get("CI"), "NOT RUN: no MariaDB for tests")
class DatabaseAway(Case):
    def setUp(self):
        super().setUp()
        self.database = DatabaseServer("mariadb", tempfile.mkdtemp(dir=ROOT))
        self.addCleanup(self.database.stop)
        self.settings = self.database.settings("cairn_away")

    def test_at_start_is_one_line_that_names_the_server_and_no_password(self):
        self.database.kill()

        run = self.server(**{**self.settings, "PULUMI_DATABASE_USER_PASSWORD": "geheim"}).command("serve")

        self.assertEqual(run.returncode, 69)
        self.assertOneLine(run.stderr)
        self.assertIn(str(self.database.port), run.stderr)
        self.assertNotIn("geheim", run.stderr)

    def test_while_running_is_503_with_retry_after_until_it_is_back(self):
        server = self.server(**self.settings).start()
        self.assertEqual(server.request("POST", "/api/stacks/main/away", {"stackName": "kept"}).status, 200)

        self.database.kill()
        answers = [server.get("/api/user"), server.get("/api/stacks/main/away/kept"),
                   server.request("POST", "/api/stacks/main/away", {"stackName": "lost"}),
                   server.get("/api/stacks/main/away/none"), server.get("/api/user", token="pul-unknown")]
        probes = [server.get("/readyz"), server.get("/api/status")]
        alive = server.status("/livez")
        self.database.resume()
        began = time.monotonic()
        until(lambda: server.status("/readyz") == 200, 5, "ready again")
        print("MariaDB accepts connections to /readyz: %.0f ms" % ((time.monotonic() - began) * 1000))

        for answer in answers + probes:
            self.assertEqual(answer.status, 503, answer)
            self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        for answer in answers:
            self.assertEqual(answer.json()["code"], 503)
        self.assertIn("database", probes[0].json()["failed"])
        self.assertEqual(alive, 200)
        self.assertEqual(server.get("/api/stacks/main/away/kept").status, 200)
        self.assertEqual(server.get("/api/stacks/main/away/none").status, 404)
        self.assertEqual(server.request("POST", "/api/stacks/main/away", {"stackName": "later"}).status, 200)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
