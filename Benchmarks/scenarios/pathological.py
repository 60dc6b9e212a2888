"""P: one body of each kind that breaks servers. Each is answered in bounded time and memory, and breaks nothing else.

A server may store it or refuse it; what it stores must come back. An answer of 5xx, or none, is a failure.
"""

import http.client
import time
import zlib

import harness
from generator import plan, probe, reference

LETTER, TITLE = "P", "pathological bodies"


def nested(stack, depth):
    """A resource whose inputs are so deep."""
    text = '{"a":' * depth + "1" + "}" * depth
    return [stack.resource(0), f'{{"urn":"{stack.urn("t:m:R", "deep")}","custom":false,"type":"t:m:R","inputs":{text}}}']


def long_string(stack, size):
    return [stack.resource(0), f'{{"urn":"{stack.urn("t:m:R", "long")}","custom":false,"type":"t:m:R",'
            f'"inputs":{{"text":"{"x" * size}"}}}}']


def many_empty(stack, count):
    return [stack.resource(0)] + [f'{{"urn":"{stack.urn("t:m:R", f"e{number}")}","custom":false,"type":"t:m:R"}}'
                                  for number in range(count)]


def bomb(megabytes):
    """A gzip body that inflates to so many megabytes of blanks inside an object."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts, block = [packer.compress(b'{"version":3,')], b" " * (1 << 20)
    parts += [packer.compress(block) for _ in range(megabytes)]  # and then it ends, in the middle of the object
    return b"".join(parts) + packer.flush()


def send(context, stack, packed):
    """Status and milliseconds; a server that refuses early may close while the body is still on its way."""
    connection = http.client.HTTPConnection(context.adapter.addresses[0], timeout=240)
    fields = {"Authorization": f"token {context.adapter.token}", "Content-Type": "application/json",
              "Content-Encoding": "gzip", "Accept": "application/vnd.pulumi+9"}
    began = time.monotonic()
    try:
        connection.request("POST", stack.path + "/import", packed, fields)
    except (BrokenPipeError, ConnectionResetError):
        pass  # The answer may be there all the same.
    try:
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException):
        status = 0
    finally:
        connection.close()
    return status, (time.monotonic() - began) * 1000


def run(context):
    bodies = [("depth 500", lambda stack: nested(stack, 500)),
              ("one string of 20 MB", lambda stack: long_string(stack, context.pick(20_000_000, 2_000_000))),
              ("a million empty resources", lambda stack: many_empty(stack, context.pick(1_000_000, 20_000)))]
    with context.server() as adapter:
        watch = probe.Probe(adapter.processes)
        for name, make in bodies:
            stack = context.new_stack("p")
            context.create([stack])
            texts = make(stack)
            packed = plan.gzipped(stack.deployment(texts).encode())
            status = one(context, watch, name, stack, packed)
            if status // 100 == 2:
                wait_until_imported(context, stack)
                context.compare(stack, reference.State.of_texts(texts, stack.keeper))
        stack = context.new_stack("p")
        context.create([stack])
        if one(context, watch, "gzip bomb", stack, bomb(context.pick(10_000, 100))) // 100 != 4:
            raise harness.NoFigure("the server took a body that inflates to nothing but blanks and is no state")
        context.client.ask("GET", stack.path)


def wait_until_imported(context, stack):
    update = context.client.ask("GET", stack.path)["activeUpdate"]
    plan.wait_until(lambda: context.client.ask("GET", f"{stack.path}/update/{update}")["status"] != "running", 60, "import")


def one(context, watch, name, stack, packed):
    before = watch.sample()["resident"]
    watch.forget_peak()
    status, took = send(context, stack, packed)
    if status == 503:  # as a client that is refused for the moment
        time.sleep(2)
        status, took = send(context, stack, packed)
    peak = watch.peak()
    context.record(f"P {name}", 1, **{"sent KB": len(packed) / 1000, "status": str(status), "ms": took,
                                      "peak over idle MB": peak - before if peak and before else None})
    if status == 0 or status >= 500:
        raise harness.NoFigure(f"{name} was answered {status}")
    return status
