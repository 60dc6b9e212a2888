"""What the loop of first uses must find, each in two servers in memory that are honest or lie in one way."""
import base64
import contextlib
import io
import json
import tempfile
import threading
import unittest
from unittest import mock

from loop import Run
from loops import key_races

LIES = {"overwrites the row": "LOST", "loses the row": "LOST", "leaves one out": "LOST",
        "gives another text": "another text", "fails": "500"}


class Vault:
    """Two servers, 1 and 2, and the client that asks them; `lie` is what they do wrong.

    They share the rows of keys; each has keys in memory, which it forgets when it is killed.
    """
    waits, retries = (0, 0, 0), 0

    def __init__(self, lie, resets=3):
        self.lie, self.resets, self.statuses = lie, resets, {}
        self.rows, self.memory, self.texts = {}, {1: {}, 2: {}}, {}
        self.looked, self.lock = set(), threading.Condition()

    def insist(self, *_):
        return 200, ""

    def reconnect(self):
        pass

    def once(self, _, path, body, port, compress):
        stack, _, what = path.rpartition("/")
        with self.lock:
            answer = getattr(self, what.replace("-", "_"))(port, stack, *json.loads(body).values())
        return (answer, "refused", 0) if isinstance(answer, int) else (200, json.dumps(answer), 0)

    def encrypt(self, port, stack, text):
        if self.resets:
            self.resets -= 1
            raise ConnectionResetError
        if self.lie == "fails" and self.texts:
            return 500
        if stack not in self.memory[port]:
            # Both look before either writes what it made.
            self.looked.add((port, stack))
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.looked >= {(1, stack), (2, stack)})
            made = "key of %d for %s" % (port, stack)
            if self.lie == "overwrites the row":
                self.rows[stack] = made
            self.memory[port][stack] = self.rows.setdefault(stack, made)
        key = self.memory[port][stack]
        if self.lie == "loses the row" and all(stack in known for known in self.memory.values()):
            self.rows.pop(stack, None)
        value = base64.b64encode(("%s, %d" % (key, len(self.texts))).encode()).decode()
        self.texts[value] = text
        return {"ciphertext": value}

    def decrypt(self, port, stack, value):
        key = self.memory[port].get(stack) or self.rows.get(stack)
        if base64.b64decode(value).decode().rpartition(",")[0] != key:
            return 400
        return {"plaintext": "b3RoZXI=" if self.lie == "gives another text" else self.texts[value]}

    def batch_decrypt(self, port, stack, values):
        answers = {value: self.decrypt(port, stack, value) for value in values}
        if 400 in answers.values():
            return 400
        texts = {value: answer["plaintext"] for value, answer in answers.items()}
        if self.lie == "leaves one out":
            texts.popitem()
        return {"plaintexts": texts}


class Server:
    def __init__(self, vault, port):
        self.vault, self.port = vault, port

    def kill(self):
        with self.vault.lock:
            self.vault.memory[self.port] = {}

    def start(self):
        pass


def play(vault, cycles=2):
    """The problems that are found, and what is said about them."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(key_races, LATEST_KILL=0, AWAY=0), \
            contextlib.redirect_stderr(io.StringIO()) as said:
        run = Run("key-races", cycles, "1", folder)
        run.client = lambda *_: vault
        races = key_races.KeyRaces(run, [Server(vault, port) for port in vault.memory])
        for number in run.rounds():
            races.cycle(number)
        races.finish()
        run.close()
        run.ledger.file.close()
    return [problem for _, _, problem in run.ledger.violations], said.getvalue()


class KeyRaceTests(unittest.TestCase):
    def test_nothing_is_found_in_honest_servers(self):
        self.assertEqual(play(Vault(None))[0], [])

    def test_each_lie_is_found_and_its_history_told(self):
        for lie, word in LIES.items():
            with self.subTest(lie=lie):
                problems, said = play(Vault(lie))

                self.assertTrue(any(word in problem for problem in problems), problems)
                self.assertIn(" to encrypt: 200 ", said)

    def test_a_run_without_a_hit_shows_nothing(self):
        problems, _ = play(Vault(None, resets=0))

        self.assertEqual(problems, ["no times that encrypt was repeated: this run shows nothing"])


if __name__ == "__main__":
    unittest.main()
