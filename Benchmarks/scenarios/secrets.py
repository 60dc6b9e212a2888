"""G: encryption and decryption, single values and batches."""

import base64
import json

import harness
from generator import plan
from generator.model import payload

LETTER, TITLE = "G", "secrets"
# Name, values in a batch (0: one value in a request of its own), bytes of each.
SHAPES = [("single 32 B", 0, 32), ("10 × 32 B", 10, 32), ("1,000 × 32 B", 1_000, 32), ("10,000 × 32 B", 10_000, 32),
          ("10 × 4 KB", 10, 4096), ("1,000 × 4 KB", 1_000, 4096), ("10,000 × 4 KB", 10_000, 4096), ("single 1 MB", 0, 1 << 20)]


def values_of(context, name, count, size):
    return [base64.b64encode(payload("R", f"{context.seed}/{name}/{number}", size).encode()).decode()
            for number in range(max(1, count))]


def queues_of(context, bodies, level, name, count, size, prefix="g"):
    """Queues that encrypt values and decrypt ciphertexts which the server made before."""
    stack = context.new_stack(prefix)
    context.create([stack])
    values = values_of(context, name, count, size)
    queues = []
    script = plan.Script("secrets").stage()
    if count:
        encrypt = {"plaintexts": values}
        found = context.client.ask("POST", stack.path + "/batch-encrypt", encrypt)["ciphertexts"]
        decrypt = {"ciphertexts": found}
    else:
        encrypt = {"plaintext": values[0]}
        decrypt = context.client.ask("POST", stack.path + "/encrypt", encrypt)
    before = "batch-" if count else ""
    script.send("encrypt", "POST", "{S}/" + before + "encrypt", 0, retries=True)
    script.send("decrypt", "POST", "{S}/" + before + "decrypt", 1, retries=True)
    slots = [bodies.add(json.dumps(encrypt), bool(count)), bodies.add(json.dumps(decrypt), bool(count))]
    for _ in range(level):
        queues.append(plan.Queue([(script, stack.path, slots)], stack))
    return queues, values, decrypt


def check(context, stack, values, decrypt):
    """What was encrypted before the run must decrypt after it, and a tampered value must be refused."""
    if "ciphertexts" in decrypt:
        found = context.client.ask("POST", stack.path + "/batch-decrypt", decrypt)["plaintexts"]
        right = [found.get(one) for one in decrypt["ciphertexts"]] == values and len(set(found)) == len(values)
        one = decrypt["ciphertexts"][0]
    else:
        one = decrypt["ciphertext"]
        right = context.client.ask("POST", stack.path + "/decrypt", decrypt)["plaintext"] == values[0]
    if not right:
        raise harness.NoFigure(f"WRONG RESULT, {stack.name}: what was encrypted does not decrypt to what was sent")
    bytes_of = bytearray(base64.b64decode(one))
    bytes_of[-1] ^= 1
    wrong = {"ciphertext": base64.b64encode(bytes_of).decode()}
    context.client.send("POST", stack.path + "/decrypt", wrong, accept=(4,))


def run(context):
    for name, count, size in context.pick(SHAPES, SHAPES[1:2]):
        for level in (1, 16, 64) if not context.short else context.levels:
            with context.server():
                bodies = context.bodies("g")
                queues, values, decrypt = queues_of(context, bodies, level, name, count, size)
                context.measure(f"G {name}", level, bodies, queues,
                                lambda: check(context, queues[0].stack, values, decrypt))
