"""The first use of a data key: 64 clients encrypt on a new stack through two servers at once, with kills (R-34).

The first of them makes the stack's key, and nobody waits for anybody: each server may make one, or die with the only
one. Whatever was answered must decrypt, through both servers, and also through one that has just started: a key in
memory would hide that its row is another one. A cycle is a stack.

The clients repeat a request as the command line does, each time through the other server, as behind a balancer. Any
other answer than success or 503 is a violation: nothing but a server was away.
"""
import base64
import concurrent.futures
import hashlib
import http.client
import json
import threading
import time

from client import GaveUp, Refused
from servers import pair

CLIENTS = 64
# Of so many of them what they were answered is also decrypted alone: each such request is written to the audit log.
ALONE = 8
# One stack of so many has a kill, at most so many seconds after the clients were let go: most answers come before.
STACKS_FOR_A_KILL, LATEST_KILL = 4, 0.12
# A killed server is started again within this time.
AWAY = 0.1


class Stack:
    """What is known of one stack: a text for each client, what each was answered, and what happened when."""

    def __init__(self, seed, number):
        self.name = "key%d" % number
        self.path = "/api/stacks/main/keyraces/" + self.name
        self.texts = [text_of("%s/%d/%d" % (seed, number, client)) for client in range(CLIENTS)]
        # The servers that were asked before anybody was answered.
        self.ciphertexts, self.first = {}, set()
        self.began, self.history, self.lock = time.monotonic(), [], threading.Lock()

    def note(self, what):
        with self.lock:
            self.history.append("%7.1f ms  %s" % ((time.monotonic() - self.began) * 1000, what))


def text_of(seed):
    """Bytes that are no text, of some length, and no others alike; as base64, as they are sent."""
    digest = hashlib.sha256(seed.encode()).digest()
    return base64.b64encode(digest * (1 + digest[0] % 8)).decode()


class KeyRaces:
    def __init__(self, run, servers):
        self.run, self.servers = run, servers
        self.ports = [server.port for server in servers]
        self.client = run.client(*self.ports)
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS + 1)
        run.cleanups.append(self.pool.shutdown)
        # What was compared by servers that may have had the keys in memory.
        self.warm = []

    def cycle(self, number):
        stack = Stack(self.run.seed, number)
        status, text = self.client.insist("POST", "/api/stacks/main/keyraces", json.dumps({"stackName": stack.name}))
        # An answer that got lost may have made it.
        if status != 200 and "already exists" not in text:
            raise Refused("create", status, text)
        victim = self.run.choice.choice(self.servers) if number % STACKS_FOR_A_KILL == 0 else None
        self.encrypt(stack, victim)
        for port in self.ports:
            self.compare(stack, port, list(stack.ciphertexts), "batch-decrypt")
        alone = self.run.choice.sample(sorted(stack.ciphertexts), min(ALONE, len(stack.ciphertexts)))
        self.together([(self.compare, stack, self.ports[1 - client % 2], [client], "decrypt") for client in alone])
        if victim:
            self.compare_cold(victim)
        # Not before: the victim may know this stack's key again.
        self.warm.append(stack)

    def together(self, calls):
        """Each in a thread of its own; what one of them raises ends the loop."""
        for future in [self.pool.submit(*call) for call in calls]:
            future.result()

    # --- First use ------------------------------------------------------------------------------------------------

    def encrypt(self, stack, victim):
        """All clients are let go at the same instant; the kill, if any, comes a moment later."""
        # Their texts follow from the seed, the stack and their numbers.
        self.run.ledger.note(stack.name, "intent", clients=CLIENTS)
        barrier = threading.Barrier(CLIENTS + bool(victim))
        calls = [(self.encrypt_one, stack, client, barrier) for client in range(CLIENTS)]
        if victim:
            calls.append((self.kill, stack, victim, barrier, self.run.choice.uniform(0, LATEST_KILL)))
        self.together(calls)
        if victim:
            self.client.reconnect()
        if len(stack.first) == len(self.ports):
            self.run.ledger.count("stacks that all servers were asked for before the first answer")

    def encrypt_one(self, stack, client, barrier):
        ports = [self.ports[client % 2], self.ports[1 - client % 2]]
        barrier.wait()
        try:
            ciphertext = self.ask(stack, client, ports, "encrypt", {"plaintext": stack.texts[client]})["ciphertext"]
        except (GaveUp, Refused) as reason:
            return self.violation(stack, str(reason))
        stack.ciphertexts[client] = ciphertext
        self.run.ledger.note(stack.name, "acknowledged", client=client, ciphertext=ciphertext)
        self.run.ledger.count("acknowledged")

    def kill(self, stack, victim, barrier, moment):
        self.run.fault("kill", port=victim.port, while_new=stack.name)
        barrier.wait()
        time.sleep(moment)
        stack.note("%d is killed" % victim.port)
        self.run.ledger.count("kills")
        victim.kill()
        self.run.pause(0, AWAY)
        victim.start()
        stack.note("%d is back" % victim.port)

    def ask(self, stack, who, ports, what, body):
        """As the command line asks, each time the next one of these servers; the answer."""
        for attempt, wait in enumerate((*self.client.waits, None)):
            port = ports[attempt % len(ports)]
            about = "client %s asks %d to %s" % (who, port, what)
            stack.note(about)
            if not stack.ciphertexts:
                stack.first.add(port)
            try:
                status, text, _ = self.client.once("POST", "%s/%s" % (stack.path, what), json.dumps(body), port=port,
                                                   compress=what == "batch-decrypt")
            except (OSError, http.client.HTTPException) as error:
                status, text = 503, repr(error)
            stack.note("%s: %d %s" % (about, status, text[:80]))
            if status == 200:
                return json.loads(text)
            if status != 503:
                raise Refused(about, status, text)
            self.run.ledger.count("times that %s was repeated" % what)
            if wait is not None:
                time.sleep(wait)
        raise GaveUp("%s: %d %s" % (about, status, text[:200]))

    # --- Comparison -----------------------------------------------------------------------------------------------

    def compare_cold(self, server):
        """Everything since the last time, through a server that has just started."""
        for stack in self.warm:
            self.compare(stack, server.port, list(stack.ciphertexts), "batch-decrypt")
        self.run.ledger.count("stacks compared by a new server", len(self.warm))
        self.warm = []

    def compare(self, stack, port, clients, what):
        """What these clients were answered becomes their texts again, through this server."""
        sent = [stack.ciphertexts[client] for client in clients]
        try:
            if what == "decrypt":
                found = {sent[0]: self.ask(stack, clients[0], [port], what, {"ciphertext": sent[0]})["plaintext"]}
            else:
                found = self.ask(stack, "(any)", [port], what, {"ciphertexts": sent})["plaintexts"]
        except (GaveUp, Refused) as reason:
            return self.violation(stack, "LOST, of one or all of %d values: %s" % (len(clients), reason))
        for client, ciphertext in zip(clients, sent):
            if ciphertext not in found:
                self.violation(stack, "LOST: %d answers nothing for client %d" % (port, client))
            elif found[ciphertext] != stack.texts[client]:
                self.violation(stack, "%d answers another text for client %d" % (port, client))
        self.run.ledger.count("values compared", len(clients))

    def violation(self, stack, problem):
        self.run.violation(stack.path, problem)
        with stack.lock:
            history, stack.history = stack.history, []
        # What was asked later is printed with the next problem, if there is one.
        if history:
            self.run.say("what happened to %s:\n    %s" % (stack.name, "\n    ".join(history)))

    def finish(self):
        """The last stacks are compared cold as well; then a run that has shown nothing is found."""
        self.servers[0].kill()
        self.servers[0].start()
        self.client.reconnect()
        self.compare_cold(self.servers[0])
        self.run.summary(self.client)
        for needed in ("kills", "times that encrypt was repeated", "values compared",
                       "stacks that all servers were asked for before the first answer"):
            if not self.run.ledger.counts[needed]:
                self.run.violation("control", "no %s: this run shows nothing" % needed)


def run(run, engine):
    servers = pair(run, engine)
    races = KeyRaces(run, servers)
    for number in run.rounds():
        races.cycle(number)
    races.finish()
    for server in servers:
        run.stop(server)
