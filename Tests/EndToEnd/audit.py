#!/usr/bin/env python3
"""The audit log in a table of DynamoDB, as moto plays it: every event of the database once, in its order, whatever dies.

The chain is checked here by a reading of its own: what is hashed, and in which form, is part of what is tested.
"""
import hashlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

import boto3

from gate import Gate
from process import Server, make_schema, mysql_settings, until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Faults"))
from failpoints import Failpoints  # noqa: E402

ROOT = os.environ["E2E_FOLDER"]
MOTO = os.environ.get("CAIRN_TEST_MOTO")
SETTING = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE"
KEYS = {"AWS_ACCESS_KEY_ID": "cairn", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}
# How long the job may take: it looks every five seconds, and after failures a little later.
SOON = 150


def key(name, kind):
    return {"AttributeName": name, "KeyType": kind}


GOOD = {
    "KeySchema": [key("org_id", "HASH"), key("timestamp_id", "RANGE")],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"}
                             for name in ("org_id", "timestamp_id", "org_user_id")],
    "GlobalSecondaryIndexes": [{"IndexName": "org_user", "Projection": {"ProjectionType": "ALL"},
                                "KeySchema": [key("org_user_id", "HASH"), key("timestamp_id", "RANGE")]}],
}
BAD = {
    "KeySchema": [key("organization", "HASH"), key("timestamp_id", "RANGE")],
    "AttributeDefinitions": [{"AttributeName": "organization", "AttributeType": "S"},
                             {"AttributeName": "timestamp_id", "AttributeType": "N"}],
    "GlobalSecondaryIndexes": [{"IndexName": "org_user", "Projection": {"ProjectionType": "KEYS_ONLY"},
                                "KeySchema": [key("organization", "HASH"), key("timestamp_id", "RANGE")]}],
}
PROBLEMS = ("the hash key of the table is 'organization', not 'org_id'",
            "the range key 'timestamp_id' of the table is of type N, not S (string)",
            "the hash key of index 'org_user' is 'organization', not 'org_user_id'",
            "the range key 'timestamp_id' of index 'org_user' is of type N, not S (string)",
            "index 'org_user' projects KEYS_ONLY, not ALL attributes")


class SQLite:
    """What the database of a server has of the audit log: hashes of each chain in order."""

    def __init__(self, folder):
        self.folder = folder

    def settings(self):
        return {}

    def chains(self):
        chains = {}
        with sqlite3.connect(os.path.join(self.folder, "data", "cairn.db")) as database:
            for scope, digest in database.execute("SELECT scope, hex(hash) FROM audit_events ORDER BY scope, sequence"):
                chains.setdefault(scope, []).append(digest.lower())
        return chains


class MySQL:
    def __init__(self, url, schema):
        self.url, self.schema = urllib.parse.urlsplit(url), schema
        make_schema(url, schema)
        self.variables = mysql_settings(url, schema)

    def settings(self):
        return self.variables

    def chains(self):
        password = urllib.parse.unquote(self.url.password or "")
        output = subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", "--ssl", "--batch", "--skip-column-names",
             "--host=" + self.url.hostname, "--port=%d" % self.url.port,
             "--user=" + urllib.parse.unquote(self.url.username), self.schema,
             "--execute=SELECT scope, HEX(hash) FROM audit_events ORDER BY scope, sequence"],
            env={**os.environ, "MYSQL_PWD": password}, check=True, capture_output=True, text=True).stdout
        chains = {}
        for line in output.splitlines():
            scope, digest = line.split("\t")
            chains.setdefault(scope, []).append(digest.lower())
        return chains


def microseconds(text):
    """Of a time such as 2026-11-25T13:10:18.000250Z."""
    whole, fraction = text[:-1].split(".")
    seconds = int(time.mktime(time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z"))) - time.timezone
    return seconds * 1_000_000 + int(fraction)


def digest(item):
    """The hash of an event, from its item."""
    at, identity = item["timestamp_id"].split("#")
    fields = [bytes.fromhex(item["previous_hash"])]
    fields += [text.encode() for text in (
        "1", identity, item["org_id"], item["sequence"], item["action"], item["actor_kind"], item.get("user_id", ""),
        item.get("actor_login", ""), item.get("token_id", ""), item.get("source_address", ""), item.get("subject", ""),
        str(microseconds(at)))]
    fields += [part.encode() for pair in json.loads(item.get("details", "[]")) for part in pair]
    return hashlib.sha256(b"".join(len(field).to_bytes(8, "big") + field for field in fields)).hexdigest()


@unittest.skipUnless(MOTO or os.environ.get("CI"), "NOT RUN: CAIRN_TEST_MOTO is not set")
class AuditTable(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.join(ROOT, self.id().replace("__main__.", ""))
        os.makedirs(self.folder)
        self.aws = boto3.client("dynamodb", endpoint_url=MOTO, region_name="eu-west-1", aws_access_key_id="cairn",
                                aws_secret_access_key="secret")
        self.table = "audit-%d-%d" % (os.getpid(), time.time_ns())
        self.make_table(self.table, GOOD)
        self.gate = Gate(urllib.parse.urlsplit(MOTO).port)
        self.addCleanup(self.gate.close)
        self.stacks = 0

    def make_table(self, name, shape):
        self.aws.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **shape)

    def table_settings(self):
        return {SETTING: self.table, "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:%d" % self.gate.port, **KEYS}

    def server(self, name="server", **variables):
        server = Server(os.path.join(self.folder, name), **variables)
        self.addCleanup(server.kill)
        return server

    def act(self, server, count=1):
        """Things that are audited: each a transaction of its own."""
        for _ in range(count):
            self.stacks += 1
            answer = server.request("POST", "/api/stacks/main/audit", {"stackName": "s%d" % self.stacks})
            self.assertEqual(answer.status, 200, answer)

    def act_until_killed(self, server, prefix, count):
        """The same, on a server that may die before the last."""
        for number in range(count):
            try:
                server.request("POST", "/api/stacks/main/audit", {"stackName": "%s-%d" % (prefix, number)})
            except (OSError, http.client.HTTPException):
                return

    def items(self):
        """Everything in the table by chain, in the table's order."""
        chains = {}
        for page in self.aws.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            for item in page["Items"]:
                chains.setdefault(item["org_id"]["S"], []).append({name: value["S"] for name, value in item.items()})
        for items in chains.values():
            items.sort(key=lambda item: item["timestamp_id"])
        return chains

    def assertCopied(self, database, seconds=SOON):
        """Waits until the table has as many events as the database, and compares them."""
        def is_complete():
            return sum(map(len, self.items().values())) >= sum(map(len, database.chains().values()))
        until(is_complete, seconds, "every event is in the table")
        chains, expected = self.items(), database.chains()
        self.assertEqual(set(chains), set(expected))
        for scope, items in chains.items():
            # With several servers the order of times is not always that of the chain.
            items.sort(key=lambda item: int(item["sequence"]))
            self.assertEqual([int(item["sequence"]) for item in items], list(range(1, len(items) + 1)))
            self.assertEqual([item["hash"] for item in items], expected[scope])
            previous = "00" * 32
            for item in items:
                self.assertEqual(item["previous_hash"], previous)
                self.assertEqual(digest(item), item["hash"], item)
                previous = item["hash"]
                user = item.get("user_id")
                self.assertEqual(item.get("org_user_id"), user and "%s#%s" % (scope, user))

    def test_gets_every_event_once_in_order_whatever_is_killed(self):
        database = SQLite(os.path.join(self.folder, "server"))
        server = self.server().start()
        self.act(server, 40)
        self.assertEqual(server.stop(), 0)

        server.variables.update(self.table_settings())
        for pause in (0, 0.05, 0.2, 1, 2):
            server.start()
            self.act(server, 5)
            time.sleep(pause)
            server.kill()
            self.age_leases(server)
        server.start()
        self.act(server, 5)
        self.assertCopied(database)

        organization = max(self.items().items(), key=lambda pair: len(pair[1]))
        times = [item["timestamp_id"] for item in organization[1]]
        self.assertEqual(times, sorted(times), "one server, one clock: the order of times is that of the chain")
        user = organization[1][-1]["org_user_id"]
        answer = self.aws.query(TableName=self.table, IndexName="org_user", ScanIndexForward=False, Limit=3,
                                KeyConditionExpression="org_user_id = :u", ExpressionAttributeValues={":u": {"S": user}})
        self.assertEqual([item["timestamp_id"]["S"] for item in answer["Items"]], times[:-4:-1])
        self.assertEqual(server.stop(), 0)

    def test_gets_the_events_of_two_servers_that_are_killed_in_turn(self):
        for engine in ("MARIADB", "MYSQL") if os.environ.get("CAIRN_LONG") else ("MARIADB",):
            url = os.environ.get("CAIRN_TEST_" + engine)
            if not url:
                self.assertFalse(os.environ.get("CI"), engine)
                print("NOT RUN on %s" % engine)
                continue
            with self.subTest(engine):
                self.table = "audit-%s-%d" % (engine, time.time_ns())
                self.make_table(self.table, GOOD)
                database = MySQL(url, "cairn_audit_%d" % os.getpid())
                objects = os.path.join(self.folder, engine, "objects")
                os.makedirs(objects)
                variables = {**database.settings(), **self.table_settings(), "PULUMI_LOCAL_OBJECTS": objects}
                servers = [self.server("%s-%d" % (engine, number), **variables) for number in range(2)]
                servers[0].start()
                servers[1].variables["PULUMI_LOCAL_KEYS"] = os.path.join(servers[0].folder, "data", "keys")
                servers[1].start()
                for round in range(4):
                    survivor, victim = servers[round % 2], servers[1 - round % 2]
                    threads = [threading.Thread(target=self.act_until_killed, args=(
                        server, "%s-%d-%d" % (engine, server.port, round), 20)) for server in servers]
                    for thread in threads:
                        thread.start()
                    time.sleep(0.3)
                    victim.kill()
                    for thread in threads:
                        thread.join()
                    victim.start()
                    self.act(survivor, 2)
                self.assertCopied(database, 100)  # the job of one that died is taken over after a minute
                for server in servers:
                    self.assertEqual(server.stop(), 0)

    def test_survives_death_and_failure_beside_each_step_of_copying(self):
        points = Failpoints(os.path.join(self.folder, "points"))
        database = SQLite(os.path.join(self.folder, "server"))
        server = self.server(**self.table_settings(), **points.variables)
        if server.command("check").returncode == 78:
            self.skipTest("needs a debug build: this one has no failpoints")
        server.start()
        slots = {name: slot for slot, name in enumerate(points.names) if name.startswith("audit.copy.")}
        self.assertEqual(len(slots), 4)
        for name, slot in slots.items():
            for action in ("error", "kill"):
                points.arm(slot, action)
                if action == "kill":
                    # On a slow disk the job comes by before the last of them.
                    self.act_until_killed(server, name, 30)
                else:
                    self.act(server, 30)
                until(lambda: points.hits, SOON, "%s at %s" % (action, name))
                points.disarm()
                if action == "kill":
                    self.assertEqual(server.ended(), -9)
                    server.start()
                    self.age_leases(server)
                self.assertCopied(database)
        self.assertEqual(server.stop(), 0)

    def age_leases(self, server):
        """As if the minute had passed after which the work of a dead process is taken over."""
        with sqlite3.connect(os.path.join(server.folder, "data", "cairn.db"), timeout=30) as database:
            database.execute("UPDATE jobs SET locked_until = 0 WHERE kind = 'audit.copy' AND locked_until IS NOT NULL")

    def test_may_be_away_while_the_server_works_and_misses_nothing(self):
        database = SQLite(os.path.join(self.folder, "server"))
        server = self.server(**self.table_settings()).start()
        self.act(server, 3)
        self.assertCopied(database)

        for away in (self.gate.close, self.gate.hang):
            away()
            began = time.monotonic()
            self.act(server, 30)
            # Had they waited for the table, each would have taken five seconds.
            self.assertLess(time.monotonic() - began, 60)
            said = server.output().count("job failed; it is tried again")
            until(lambda: server.output().count("job failed; it is tried again") > said, SOON, "the log says it")
            until(lambda: server.status("/readyz") == 200, 60, "ready")
            self.gate.open()
            self.assertCopied(database)
        self.assertIn("DynamoDB at http://127.0.0.1:%d cannot be reached" % self.gate.port, server.output())
        self.assertIn("the audit log is copied again", server.output())
        self.gate.hang()
        self.act(server, 3)
        self.assertEqual(server.stop(), 0)
        self.gate.open()
        server.start()
        self.assertCopied(database)
        self.assertEqual(server.stop(), 0)

    def test_stops_the_start_when_it_cannot_be_used(self):
        bad = self.table + "-bad"
        self.make_table(bad, BAD)
        server = self.server(**self.table_settings())

        server.variables[SETTING] = bad
        wrong = [server.command("serve"), server.command("check")]
        server.variables[SETTING] = self.table + "-nowhere"
        missing = [server.command("serve"), server.command("check")]
        server.variables[SETTING] = self.table
        self.gate.close()
        away = [server.command("serve"), server.command("check")]

        for answer in wrong:
            self.assertEqual(answer.returncode, 78, answer)
            for problem in PROBLEMS:
                self.assertIn(problem, answer.stderr)
            self.assertEqual(answer.stderr.count(SETTING + ": DynamoDB table " + bad), len(PROBLEMS), answer.stderr)
        for answer in missing:
            self.assertEqual(answer.returncode, 69, answer)
            self.assertIn("does not exist, or not in this region and account", answer.stderr)
        for answer in away:
            self.assertEqual(answer.returncode, 69, answer)
            self.assertIn("cannot be reached", answer.stderr)
        for answer in (missing[0], away[0]):
            self.assertEqual(len(answer.stderr.strip().splitlines()), 1, answer.stderr)

    def test_is_checked(self):
        answer = self.server(**self.table_settings()).command("check")

        self.assertEqual(answer.returncode, 0, answer)
        self.assertIn("DynamoDB table %s at 127.0.0.1:%d: its keys and its index are as they must be"
                      % (self.table, self.gate.port), answer.stdout)

    def test_gets_everything_anew_when_it_was_made_anew_and_is_left_alone_when_it_is_not_named(self):
        database = SQLite(os.path.join(self.folder, "server"))
        server = self.server(**self.table_settings()).start()
        self.act(server, 30)
        self.assertCopied(database)
        self.assertEqual(server.stop(), 0)
        server.variables[SETTING] = None
        server.start()
        self.act(server, 3)
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("does not know", server.output())
        self.assertLess(sum(map(len, self.items().values())), sum(map(len, database.chains().values())))

        self.aws.delete_table(TableName=self.table)
        self.make_table(self.table, GOOD)
        server.variables[SETTING] = self.table
        server.start()
        self.assertCopied(database, 100)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
