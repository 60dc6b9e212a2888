"""What scenarios work with: servers, queues, a measurement, the comparison at its end, and the rows so far."""

import concurrent.futures
import contextlib
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import harness
from adapters.cairn import Cairn
from generator import compare, plan, probe, reference
from generator.model import Stack

PROJECT = "load"
JOBS, MOST_SECONDS = 4, 120  # the fewest jobs of a repetition, unless that takes too long


@dataclass
class Lengths:
    """How long everything takes, in seconds, and how much of it."""

    warmup: float
    measure: float
    repetitions: int
    capacity: float
    levels: tuple


FULL = Lengths(10, 60, 3, 15, (1, 4, 16, 64, 256))
SHORT = Lengths(0.1, 0.5, 1, 0.3, (4,))


class Context:
    """One run of the load generator."""

    def __init__(self, options, folder, baseline):
        self.options, self.folder, self.baseline = options, Path(folder), baseline
        self.short, self.seed = options.short, options.seed
        self.lengths = SHORT if options.short else FULL
        given = {"warmup": options.warmup, "measure": options.measure, "repetitions": options.load_repetitions,
                 "levels": options.levels and tuple(options.levels), "capacity": options.capacity}
        if options.short and (options.compare or options.save_baseline):
            given["capacity"] = options.capacity or 1.5  # a ratio needs more than a glance
        self.lengths = replace(self.lengths, **{name: value for name, value in given.items() if value is not None})
        self.pacer = plan.Pacer(folder)
        self.rows, self.adapter, self._names = [], None, 0

    # --- Servers, stacks and bodies ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def server(self, **variables):
        """The server to measure: started for this scenario, or the one that `--url` names."""
        made = self.options.remote() if self.options.remote else Cairn(
            self.options.binary, self.options.engine, self.options.settings, **variables)
        with made as self.adapter:
            self.client = self.adapter.client()
            yield self.adapter

    @property
    def levels(self):
        return self.lengths.levels

    def some_levels(self, *levels):
        """For scenarios with many rows: these, unless levels were asked for."""
        return self.levels if self.short or self.options.levels else levels

    def pick(self, full, short):
        return short if self.short else full

    def bodies(self, name):
        return plan.Bodies(self.folder / name)

    def new_stack(self, prefix, kind="T", size=1000):
        """A name that no stack of this run has had."""
        self._names += 1
        return Stack(self.adapter.organization, PROJECT, f"{prefix}{self._names}-{self.seed}", self.seed, kind, size)

    def create(self, stacks, base=None):
        """Makes stacks, and imports a state of so many resources into each; the reference's reading of it."""

        def one(stack):
            self.client.send("DELETE", stack.path + "?force=true", accept=(2, 4))
            self.client.send("POST", stack.path.rpartition("/")[0], {"stackName": stack.name})
            if base is None:
                return reference.State()
            texts = stack.resources(base)
            self.import_state(stack, plan.gzipped(stack.deployment(texts).encode()))
            return reference.State.of_texts(texts, stack.keeper)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, stacks))

    def import_state(self, stack, packed):
        headers = [("Content-Encoding", "gzip")]
        update = self.client.ask("POST", stack.path + "/import", packed, headers)["updateId"]
        plan.wait_until(lambda: not (found := self.client.ask("GET", f"{stack.path}/update/{update}")).get(
            "continuationToken") and found["status"] != "running", 120, f"the import of {stack.name}")

    def remove(self, stacks):
        """Frees the names and the space of stacks that are no longer needed."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda stack: self.client.send("DELETE", stack.path + "?force=true"), stacks))

    # --- Measuring --------------------------------------------------------------------------------------------------

    def run(self, bodies, queues, phases, rate=0.0, limit=-1, recovery=None, sample=None, limit_seconds=None):
        """Runs queues against the server; what each has done is added to it."""
        path = self.pacer.write(bodies, queues, phases, rate, limit, recovery)
        figures = self.pacer.run(path, self.adapter.addresses, self.adapter.token,
                                 limit_seconds or sum(phases) + 180, self.seed, sample=sample)
        plan.counted(queues, figures)
        return figures

    def ruler(self, bodies, queues):
        """Jobs per second of the same requests, answered by a server that does nothing (baseline.c)."""
        seconds = max(0.15, self.lengths.capacity / 4)
        path = self.pacer.write(bodies, queues, [seconds / 4, seconds])
        found = self.pacer.run(path, [f"127.0.0.1:{self.baseline.port}"], "none", seconds + 60, any_answer=True)
        return job_rate(found, queues, [1])

    def measure(self, name, level, bodies, queues, check, entries=0.0, rate=None, recovery=None):
        """Capacity, then latency on a schedule, then the comparison; one row. `check` raises NoFigure.

        Without a given rate the schedule asks for half of the capacity.
        """
        self.say(name, level)
        lengths, watch = self.lengths, probe.Probe(self.adapter.processes, self.adapter.folder)
        ruler = self.ruler(bodies, queues) if self.baseline else None
        idle, disk = watch.sample()["resident"], watch.disk()
        watch.forget_peak()
        closed = self.run(bodies, queues, [lengths.warmup, lengths.capacity], recovery=recovery, sample=watch.sample)
        capacity = job_rate(closed, queues, [1])
        if not capacity:  # A job longer than the phase: how long it took is all there is.
            capacity = sum(closed.printed["queues"]) / max(closed.seconds([0, 1]), 0.001)
        rate = rate or self.options.rate or capacity / 2
        # Jobs that take seconds come seldom: each repetition is long enough for some of them.
        each = max(lengths.measure, min(MOST_SECONDS, JOBS / rate)) if not self.short else lengths.measure
        phases = [lengths.warmup] + [each] * lengths.repetitions
        syncs = probe.SyncCounter(self.adapter.processes)
        found = self.run(bodies, queues, phases, rate, recovery=recovery, sample=watch.sample)
        counted = syncs.stop()
        row = self.row_of(name, level, found, queues, closed, entries)
        done = sum(closed.printed["queues"]) + sum(found.printed["queues"])
        peak, after = watch.peak(), watch.disk()
        row.update(
            capacity=capacity, rate=rate, of_ruler=capacity / ruler if ruler else None,
            idle_mb=idle, peak_over_idle_mb=peak - idle if peak and idle else None,
            syncs_per_job=counted / max(1, sum(found.printed["queues"])) if counted is not None else None,
            disk_growth_per_job=(after - disk) / max(1, done) if disk is not None else None,
        )
        if self.options.step:
            row["highest_rate"] = self.step(bodies, queues, capacity, recovery)
        check()
        row["difference"] = 0
        self.rows.append(row)
        return row

    def step(self, bodies, queues, capacity, recovery):
        """The highest rate, stepped by a quarter, with a 99th percentile of jobs up to 100 ms."""
        rate, best = capacity / 4, None
        for _ in range(12):
            found = self.run(bodies, queues, [self.lengths.capacity / 4, self.lengths.capacity], rate, recovery=recovery)
            if found.unstarted or jobs(found, queues, [1]).quantile(0.99) > 100_000:
                return best
            best, rate = rate, rate * 1.25
        return best

    def row_of(self, name, level, found, queues, closed, entries):
        """The figures of the repetitions together."""
        used = range(1, len(found.phases))
        labels = [label for label in found.names() if label not in script_labels(queues)]
        seconds, requests = found.seconds(used), found.total("done", used, labels)
        closed_requests = closed.total("done", [1], labels)
        plain = found.total("plain", used, labels)
        before, after = found.samples[1], found.samples[-1]
        cpu = None if after["cpu"] is None or before["cpu"] is None else after["cpu"] - before["cpu"]
        written = None if after["written"] is None or before["written"] is None else after["written"] - before["written"]
        done = max(1, found.total("done", used, script_labels(queues)))
        cpu_closed = None
        if closed.samples[2]["cpu"] is not None and closed.samples[1]["cpu"] is not None:
            cpu_closed = closed.samples[2]["cpu"] - closed.samples[1]["cpu"]
        return {
            "name": name, "level": level, "requests_per_s": closed_requests / max(closed.seconds([1]), 1e-6),
            "mb_per_s": closed.total("plain", [1], labels) / 1e6 / max(closed.seconds([1]), 1e-6),
            "entries_per_s": entries * job_rate(closed, queues, [1]) if entries else None,
            "jobs": jobs(found, queues, used).milliseconds(),
            "kinds": {label[1:]: found.histogram(label, used).milliseconds() for label in script_labels(queues)
                      if label in found.labels},
            "requests": {label: found.histogram(label, used).milliseconds() for label in labels
                         if found.total("done", used, [label])},
            "cpu_ms_per_request": cpu * 1000 / requests if cpu is not None and requests else None,
            "cpu_ms_per_mb": cpu * 1e9 / plain if cpu is not None and plain > 1e6 else None,
            "written_per_job": written / done if written is not None else None,
            "server_cores": cpu_closed / closed.seconds([1]) if cpu_closed is not None else None,
            "generator_cores": closed.cpu([1]) / max(closed.seconds([1]), 1e-6),
            "unstarted": found.unstarted, "late": found.late, "retries": found.retries() + closed.retries(),
            "restarts": found.restarts + closed.restarts, "seconds": seconds,
        }

    # --- Comparing --------------------------------------------------------------------------------------------------

    def compare(self, stack, state, version=""):
        """Exports a stack and compares it with the reference."""
        text = self.client.send("GET", f"{stack.path}/export{version}")
        wrong = compare.problems(text, state, self.adapter.compares_bytes)
        if wrong:
            raise harness.NoFigure(f"WRONG RESULT, {stack.name}{version}: {wrong[0]}")

    def check_queue(self, queue):
        """Replays what a queue has done and compares it with the export of its stack."""
        while queue.replayed < queue.done:
            effect = queue.effects[queue.replayed % len(queue.effects)]
            if isinstance(effect, reference.State):
                queue.state = effect
            elif effect:
                queue.state = reference.replay(queue.state, effect)
            queue.replayed += 1
        self.compare(queue.stack, queue.state)

    def check_queues(self, queues):
        for queue in queues:
            self.check_queue(queue)

    # --- Reporting --------------------------------------------------------------------------------------------------

    def record(self, name, level=1, **figures):
        """A row that is no measurement of queues."""
        self.rows.append({"name": name, "level": level, **figures})

    def fail(self, name, reason):
        self.rows.append({"name": name, "level": None, "reason": str(reason)})

    def say(self, name, level):
        print(f"  {time.strftime('%H:%M:%S')} {name}, {level} at once (load {os.getloadavg()[0]:.1f})", flush=True)


def script_labels(queues):
    return list(dict.fromkeys("@" + script.label for queue in queues for script, _, _ in queue.jobs))


def jobs(figures, queues, phases):
    """The latencies of whole jobs, whatever their scripts."""
    found = plan.Histogram()
    for label in script_labels(queues):
        if label in figures.labels:
            found.merge(figures.histogram(label, phases))
    return found


def job_rate(figures, queues, phases):
    return figures.total("done", phases, script_labels(queues)) / max(figures.seconds(phases), 1e-6)
