"""Requests at the same instant: one winner, and a serial order (R-07, R-09, R-12, R-34).

On MySQL and MariaDB two servers share one database, its objects and its keys, and every second client asks the other.
"""
import json
import threading
import time

from model import State
from servers import pair
from workload import delta

CLIENTS = 64
# How often a race is played until it counts.
PLAYS = 4
PROGRAM = {"name": "races", "runtime": "yaml", "main": "", "description": "", "options": {"dryRun": False},
           "config": {}, "metadata": {"message": "", "environment": {}}}
BEGIN = json.dumps({"updateKind": "update", "program": PROGRAM})
RESOURCE = '{"urn":"urn:pulumi:s::races::t:i:T::%s","custom":true,"id":"%s","type":"t:i:T"}'


def at_once(calls, late=0):
    """Runs them in a thread each, all let go together, the first one `late` milliseconds later; results in order."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, call):
        barrier.wait()
        if index == 0:
            time.sleep(late / 1000)
        results[index] = call()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Races:
    def __init__(self, servers, run):
        self.servers, self.run = servers, run
        self.ports = [server.port for server in servers]
        self.client = run.client(*self.ports)
        self.saved, self.stacks = {"verbatim": 0, "delta": 0, "plain": 0}, 0
        self.is_void, self.found, self.voids = False, [], 0

    def stack(self):
        self.stacks += 1
        name = "race%d" % self.stacks
        self.must("POST", "/api/stacks/main/races", json.dumps({"stackName": name}))
        return "/api/stacks/main/races/" + name

    def must(self, *request, **options):
        status, text = self.once(*request, **options)
        if status >= 300:
            raise AssertionError("%s: %d %s" % (request[:2], status, text[:300]))
        return json.loads(text) if text else None

    def once(self, *request, **options):
        """The status and the text of the answer. Where the server has too much to do for somebody, the race is void."""
        status, text, _ = self.client.once(*request, **options)
        self.is_void = self.is_void or status == 503
        return status, text

    def ask(self, number, *request, **options):
        """A call for `at_once`: client `number` asks its server."""
        return lambda: self.once(*request, port=self.ports[number % len(self.ports)], **options)

    def expect(self, condition, what):
        if not condition:
            self.found.append(what)

    def play(self, race, *arguments):
        """Plays a race that counts: one in which the server answered everybody. It may be void a few times."""
        for _ in range(PLAYS):
            self.is_void, self.found, won = False, [], None
            try:
                won = race(*arguments)
            except Exception:  # the rest of a void race cannot be asked for
                if not self.is_void:
                    raise
            if not self.is_void:
                self.run.violation("race", *self.found)
                return won
            self.voids += 1
        self.run.violation("race", "%s is void each time: the server had too much to do" % race.__name__, *self.found)
        return None

    # --- One winner -----------------------------------------------------------------------------------------------

    def expect_one(self, what, answers):
        statuses = sorted(status for status, _ in answers)
        if statuses.count(200) > 1:  # also where the race is void
            self.run.violation("race", "%s: answers %s" % (what, statuses))
        self.expect(statuses == [200] + [409] * (len(answers) - 1), "%s: answers %s" % (what, statuses))

    def one_winner(self, what, answers, path):
        self.expect_one(what, answers)
        running = [row for row in self.must("GET", path + "/updates")["updates"] if row["result"] == "in-progress"]
        self.expect(len(running) == 1, "%s: %d updates in progress" % (what, len(running)))

    def begins(self):
        path = self.stack()
        answers = at_once([self.ask(number, "POST", path + "/begin-update", BEGIN) for number in range(CLIENTS)])
        self.one_winner("begin-update", answers, path)

    def starts(self):
        path = self.stack()
        updates = [self.must("POST", path + "/update", json.dumps(PROGRAM))["updateID"] for _ in range(CLIENTS)]
        answers = at_once([self.ask(number, "POST", "%s/update/%s" % (path, update), "{}")
                           for number, update in enumerate(updates)])
        self.one_winner("start", answers, path)

    def starts_of_one(self):
        path = self.stack()
        update = self.must("POST", path + "/update", json.dumps(PROGRAM))["updateID"]
        answers = at_once([self.ask(number, "POST", "%s/update/%s" % (path, update), "{}")
                           for number in range(CLIENTS)])
        self.one_winner("start of one update", answers, path)

    def creates(self):
        self.stacks += 1
        body = json.dumps({"stackName": "race%d" % self.stacks})
        answers = at_once([self.ask(number, "POST", "/api/stacks/main/races", body) for number in range(CLIENTS)])
        self.expect_one("create of one stack", answers)

    def first_secrets(self):
        """The data key of a new stack is made by its first use: every ciphertext of many first uses decrypts."""
        path = self.stack()
        answers = at_once([self.ask(number, "POST", path + "/encrypt", '{"plaintext":"c2VjcmV0"}')
                           for number in range(CLIENTS)])
        self.expect(all(status == 200 for status, _ in answers), "encrypt: %s" % answers[:3])
        ciphertexts = [json.loads(text)["ciphertext"] for _, text in answers]
        for port in self.ports:
            status, text = self.once("POST", path + "/batch-decrypt", json.dumps({"ciphertexts": ciphertexts}), port=port)
            self.expect(status == 200 and set(json.loads(text)["plaintexts"].values()) == {"c2VjcmV0"},
                        "first secrets: %d %s" % (status, text[:200]))

    # --- A serial order -------------------------------------------------------------------------------------------

    def running(self):
        path = self.stack()
        answer = self.must("POST", path + "/begin-update", BEGIN)
        return path, "%s/update/%s" % (path, answer["updateID"]), answer["token"]

    def cancel_and_save(self, form, late):
        """Either the save is in the state and was acknowledged, or it is not and was refused; never after the cancel."""
        path, update, lease = self.running()
        documents = ['{"version":3,"deployment":{"manifest":{"time":"2026-01-02T03:04:05Z","magic":"","version":""},'
                     '"metadata":{},"resources":[%s]}}' % ",".join(RESOURCE % (key, key) for key in keys)
                     for keys in ("a", "ab", "abc")]
        verbatim = '{"version":3,"untypedDeployment":%s,"sequenceNumber":%d}'
        self.must("PATCH", update + "/checkpointverbatim", verbatim % (documents[0], 1), lease=lease)
        what, body = {
            "verbatim": ("/checkpointverbatim", verbatim % (documents[1], 2)),
            "delta": ("/checkpointdelta", delta(documents[0], documents[1], 2)),
            "plain": ("/checkpoint", documents[1].replace("{", '{"isInvalid":false,', 1)),
        }[form]
        save, cancel = at_once([self.ask(0, "PATCH", update + what, body, lease=lease),
                                self.ask(1, "POST", update + "/cancel")], late)
        after = self.once("PATCH", update + "/checkpointverbatim", verbatim % (documents[2], 3), lease=lease)
        saved = save[0] < 300
        self.expect(cancel[0] < 300 and (saved or save[0] == 409), "cancel and %s: %s %s" % (form, save, cancel))
        self.expect(after[0] == 409, "a save after the cancel: %s" % (after,))
        state = State([RESOURCE % (key, key) for key in ("ab" if saved else "a")])
        problems = state.problems(self.client.send("GET", path + "/export"))
        self.expect(not problems, "cancel and %s, answered %d: %s" % (form, save[0], problems))
        return saved

    def cancel_and_complete(self):
        path, update, lease = self.running()
        cancel, complete = at_once([self.ask(0, "POST", update + "/cancel"),
                                    self.ask(1, "POST", update + "/complete", '{"status":"succeeded"}', lease=lease)])
        row = self.must("GET", path + "/updates")["updates"][0]
        won = {"succeeded": complete, "failed": cancel}.get(row["result"], (0, ""))
        lost = cancel if won is complete else complete
        self.expect(won[0] in (200, 204) and lost[0] == 409,
                    "cancel %s and complete %s, history %s" % (cancel, complete, row["result"]))

    def restart_between_starts(self):
        """The lock is not in memory: of two updates made before a crash, the second cannot start beside the first."""
        path = self.stack()
        first, second = [self.must("POST", path + "/update", json.dumps(PROGRAM))["updateID"] for _ in range(2)]
        lease = self.must("POST", "%s/update/%s" % (path, first), "{}")["token"]
        for server in self.servers:
            server.kill()
            server.start()
        status, text = self.client.insist("POST", "%s/update/%s" % (path, second), "{}")
        self.expect(status == 409, "a second start after a crash: %d %s" % (status, text[:200]))
        self.must("POST", "%s/update/%s/complete" % (path, first), '{"status":"succeeded"}', lease=lease)
        self.must("POST", "%s/update/%s" % (path, second), "{}")

    def round(self):
        for race in (self.begins, self.starts, self.starts_of_one, self.creates, self.first_secrets):
            self.play(race)
        for form in self.saved:
            for late in (0, 1, 3, 6, 12):
                self.saved[form] += bool(self.play(self.cancel_and_save, form, late))
        for _ in range(5):
            self.play(self.cancel_and_complete)


def run(run, engine):
    servers = [run.server().start()] if engine == "sqlite" else pair(run, engine)
    races = Races(servers, run)
    for _ in run.rounds():
        races.round()
    run.say("%d rounds of %d clients at once; of %d saves beside a cancel these were first: %s"
            % (run.done, CLIENTS, 15 * run.done, races.saved))
    if not 0 < sum(races.saved.values()) < 15 * run.done:
        run.violation("control", "no race between cancel and save was close: %s" % races.saved)
    for _ in range(3):
        races.play(races.restart_between_starts)
    run.ledger.count("races that were void", races.voids)
    for server in servers:
        run.stop(server)
