"""Plans for pacer.c: bodies, scripts, queues with a schedule; and running one."""

import json
import subprocess
import threading
import time
import zlib
from pathlib import Path

import harness
from generator.histogram import Histogram

HERE = Path(__file__).resolve().parent


def gzipped(data):
    """One gzip member as the Go library makes it at its standard level."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


class Bodies:
    """A file of bodies in memory; each is an index from the moment it is added."""

    def __init__(self, path):
        self.path, self.lines, self._end, self._known = str(path), [], 0, {}
        open(self.path, "wb").close()

    def add(self, data, compress=True):
        data = data.encode() if isinstance(data, str) else data
        if (data, compress) in self._known:
            return self._known[data, compress]
        index = self.add_packed(gzipped(data) if compress else data, len(data), compress)
        if len(data) < 100_000:
            self._known[data, compress] = index
        return index

    def add_packed(self, packed, plain, compressed=True):
        """A body that is compressed already."""
        with open(self.path, "ab") as file:
            file.write(packed)
        self.lines.append(f"B 0 {self._end} {len(packed)} {plain} {int(compressed)}\n")
        self._end += len(packed)
        return len(self.lines) - 1


class Script:
    """The requests of one kind of job: stages, each of lanes that run together."""

    def __init__(self, label):
        self.label, self.lines, self.entries = label, [], 0

    def stage(self):
        self.lines.append("G\n")
        return self.lane()

    def lane(self):
        self.lines.append("L\n")
        return self

    def send(self, label, method, path, slot=-1, who="u", status=2, retries=None, gzip=True, loops=False, captures="-"):
        """Adds a request. By default it is repeated where the protocol lets a client do that: GET and all of a lease."""
        again = (method == "GET" or who == "l") if retries is None else retries
        self.lines.append(f"R {label} {method} {status} {int(again)} {who} {slot} {int(gzip)} {int(loops)} {captures} {path}\n")
        return self

    def text(self):
        return f"S @{self.label}\n" + "".join(self.lines)


class Queue:
    """One user with one stack: jobs that are done again and again, in this order, one at a time.

    A job is (script, path of the stack, bodies' indexes). `done` counts over all runs, so a run goes on where the last
    one ended.
    """

    def __init__(self, jobs, stack=None, effects=(), base=None, weight=1.0, closed=False):
        self.jobs, self.stack, self.done = jobs, stack, 0
        self.weight, self.closed = weight, closed  # its share of the rate; whether it has no schedule
        # What each job does to the stack (entries of a journal, a State, or nothing), and the state so far.
        self.effects, self.state, self.replayed = list(effects), base, 0

    def rotated(self):
        at = self.done % len(self.jobs)
        return self.jobs[at:] + self.jobs[:at]


class Figures:
    """What pacer.c printed, and what was seen of the server at the borders of its phases."""

    def __init__(self, printed, samples):
        self.printed, self.samples = printed, samples
        self.labels, self.phases = printed["labels"], printed["phases"]
        self.late, self.unstarted, self.restarts = printed["late"], printed["unstarted"], printed["restarts"]

    def names(self):
        return list(self.labels)

    def histogram(self, label, phases):
        found = Histogram()
        for phase in phases:
            found.merge(Histogram.of_sender(self.labels[label]["phases"][phase]["histogram"]))
        return found

    def total(self, key, phases, labels):
        return sum(self.labels[label]["phases"][phase][key] for label in labels for phase in phases if label in self.labels)

    def seconds(self, phases):
        return sum(self.phases[phase]["seconds"] for phase in phases)

    def cpu(self, phases):
        return sum(self.phases[phase]["cpu"] for phase in phases)

    def retries(self):
        return sum(label["retries"] for label in self.labels.values())


class Pacer:
    """pacer.c, compiled here and now."""

    def __init__(self, folder):
        self.folder, self.program = Path(folder), Path(folder) / "pacer"
        sources = [HERE / name for name in ("pacer.c", "pacer_http.c", "pacer_answer.c", "pacer_plan.c", "histogram.c")]
        command = ["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.program, *sources, "-lz", "-lm"]
        subprocess.run(command, check=True)
        self._number = 0

    def write(self, bodies, queues, phases, rate=0.0, limit=-1, recovery=None):
        """Writes a plan. `rate` is in jobs per second over all queues; 0 is a closed loop."""
        scripts = {}
        for queue in queues:
            for script, _, _ in queue.jobs:
                scripts.setdefault(id(script), (len(scripts), script))
        if recovery:
            scripts.setdefault(id(recovery), (len(scripts), recovery))
        self._number += 1
        path = self.folder / f"plan-{self._number}"
        weights = sum(queue.weight for queue in queues if not queue.closed)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"F {bodies.path}\n" + "".join(bodies.lines))
            ends, at = [], 0.0
            for seconds in phases:
                at += seconds
                ends.append(f"P {at * 1000:.3f}\n")
            file.write("".join(ends) + "".join(script.text() for _, script in scripts.values()))
            if recovery:
                file.write(f"E {scripts[id(recovery)][0]}\n")
            for number, queue in enumerate(queues):
                interval = 0 if queue.closed or not rate else 1000 * weights / (rate * queue.weight)
                first = interval * number / len(queues)
                file.write(f"Q {first:.3f} {interval:.6f} {limit} 0\n")
                for script, stack, slots in queue.rotated():
                    file.write(f"J {scripts[id(script)][0]} {stack} {' '.join(map(str, slots))}\n")
        return path

    def run(self, plan, addresses, token, seconds, seed=1, any_answer=False, sample=None, environment=None):
        """Runs a plan; `sample` is called at the start and at the end of each phase."""
        words = [self.program, *(["any"] if any_answer else []), plan, token, seconds, seed, *addresses]
        samples = [sample()] if sample else []
        errors, last = [], "{}"
        with subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=environment) as child:
            reader = threading.Thread(target=lambda: errors.append(child.stderr.read()))
            reader.start()
            for line in child.stdout:
                last = line
                if sample and line.startswith('{"phase"'):
                    samples.append(sample())
            reader.join()
        plan.unlink(missing_ok=True)
        if child.returncode:
            raise harness.NoFigure(" ".join(errors[0].split())[:400] or f"the sender ended with {child.returncode}")
        return Figures(json.loads(last), samples)


def counted(queues, figures):
    """Adds what was done to the queues."""
    for queue, done in zip(queues, figures.printed["queues"]):
        queue.done += done


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise harness.NoFigure(f"not within {seconds} s: {what}")
        time.sleep(0.01)
