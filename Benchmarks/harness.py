"""What every benchmark needs: a started server, repetitions, medians, CPU time and memory of the server, a table."""

import http.client
import json
import multiprocessing
import os
import platform
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import zlib
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOKEN = "pul-be00000000000000000000000000000000000000"
TICK = os.sysconf("SC_CLK_TCK")


class NoFigure(Exception):
    """The server did not do what was to be measured, so there is no figure, whatever the clock says."""


def free_port():
    """A port below those that outgoing connections get, of which a benchmark has many: a server can come back to it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(lowest // 2, lowest), 100):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::", port))
            except OSError:
                continue
            return port
    raise SystemExit("no free port was found")


def cpu_seconds(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Process:
    """A program that answers HTTP on a port of this machine, with a folder of its own."""

    def __init__(self, command, environment, ready_path):
        self.port = int(environment["PORT"])
        self.folder = Path(environment["CAIRN_DATA"])
        self.log = self.folder.with_suffix(".log")
        self._command, self._environment, self._ready_path = command, environment, ready_path
        self.start()

    def start(self):
        # The server refuses a CAIRN_… variable that is no setting, so it gets only those that are meant for it.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CAIRN_")}
        environment = {**inherited, **self._environment}
        started = time.monotonic()
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait(self._ready_path, started + 240)
        except BaseException:
            self.child.kill()
            raise
        self.ready_after = time.monotonic() - started

    def _wait(self, path, deadline):
        while self.status("GET", path) != 200:
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not become ready; its log:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.001)

    def status(self, method, path, body=b"", headers=()):
        """The status of one request on a fresh connection, or None when there was no answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {len(body)}"]
        request = "\r\n".join([*lines, *headers, "", ""]).encode() + body
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                connection.sendall(request)
                return int(connection.recv(64).split(b" ", 2)[1])
        except (OSError, IndexError, ValueError):
            return None

    def cpu_seconds(self):
        return cpu_seconds(self.child.pid)

    def megabytes(self, field):
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(field + r":\s+(\d+)", status)[1]) / 1024

    def peak_megabytes(self):
        return self.megabytes("VmHWM")

    def forget_peak(self):
        """From now on the peak is what is reached after this."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def halt(self):
        """Ends the process politely; its folder stays, and it may be started again."""
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(45)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def restart(self):
        self.halt()
        self.start()

    def stop(self):
        self.halt()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def start_cairn(binary, extra=()):
    """A server on SQLite with a new data folder, an administrator and an organization `main`."""
    environment = {
        "CAIRN_DATA": str(Path(tempfile.mkdtemp(prefix="cairn-bench-")) / "data"),
        "PORT": str(free_port()),
        "CAIRN_ADMIN_TOKEN": TOKEN,
        "CAIRN_ADMIN_LOGIN": "admin",
        "CAIRN_ORGANIZATION": "main",
    }
    return Process([binary, "serve"], {**environment, **dict(extra)}, "/readyz")


def start_baseline():
    """The ruler of this machine: baseline.c, compiled here and now."""
    folder = Path(tempfile.mkdtemp(prefix="cairn-baseline-"))
    program = folder / "baseline"
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Werror", "-o", program, HERE / "baseline.c"], check=True)
    port = free_port()
    return Process([program, str(port)], {"CAIRN_DATA": str(folder / "data"), "PORT": str(port)}, "/")


def start_sink(program):
    """The HTTP server of Cairn alone (HTTPSink)."""
    folder = Path(tempfile.mkdtemp(prefix="cairn-sink-"))
    port = free_port()
    return Process([program, str(port)], {"CAIRN_DATA": str(folder / "data"), "PORT": str(port)}, "/hop")


def request(address, method, path, body, fields, accept=(2,)):
    """The text of an answer to a request that is not measured; a list or dictionary is sent as JSON, bytes as they are.

    A server that is busy and says when to come again is asked again, four times in all. A status of another class than
    those accepted is no figure.
    """
    for attempt in range(4):
        answer, text = request_once(address, method, path, body, fields)
        if answer.status != 503 or not answer.headers.get("Retry-After") or attempt == 3:
            break
        time.sleep(int(answer.headers["Retry-After"]))
    if answer.status // 100 not in accept:
        raise NoFigure(f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
    return text


def request_once(address, method, path, body, fields):
    """The head and the text of one answer."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    connection = http.client.HTTPConnection(address, timeout=240)
    try:
        connection.request(method, path, data, fields)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoFigure(f"{method} {path}: {error!r}") from error
    finally:
        connection.close()
    if answer.headers.get("Content-Encoding") == "gzip":
        text = zlib.decompress(text, 31)
    return answer, text


def measure(server, run, repetitions):
    """Runs `run` once to warm up and then several times; medians of each figure, and CPU time of the server.

    `run` answers a dictionary with the number of `requests` and other figures. A spread is the distance between the
    lowest and the highest repetition, as a share of the median.
    """
    run()
    samples = []
    for _ in range(repetitions):
        before = server.cpu_seconds()
        sample = run()
        sample["cpu_us_per_request"] = (server.cpu_seconds() - before) * 1e6 / max(sample["requests"], 1)
        samples.append(sample)
    names = samples[0].keys()
    result = {name: statistics.median(sample[name] for sample in samples) for name in names}
    rates = [sample["rate"] for sample in samples]
    result["spread"] = (max(rates) - min(rates)) / result["rate"] if result["rate"] else 0.0
    result["peak_mb"] = server.peak_megabytes()
    return result


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def commit():
    """What the server was built from; benchmarks and pages may have changed since, as every run changes the results."""
    changed = output("git", "status", "--porcelain", "--", "Sources", "Package.swift")
    return output("git", "describe", "--always") + ("-dirty" if changed else "")


def conditions():
    """What somebody needs to know to repeat or to doubt a figure."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    swift = re.search(r"Swift version (\S+)", output("swift", "--version"))
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release().split("-")[0],
        "swift": swift[1] if swift else "unknown",
        "load_before": os.getloadavg()[0],
        "free_share": free_share(),
    }


def spin(seconds):
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        pass
    return (time.process_time() - cpu) / (time.monotonic() - began)


def free_share(seconds=1.0):
    """The share of all cores that a busy loop on each of them gets: 1 where nothing else runs, on this machine or its host."""
    with multiprocessing.Pool(os.cpu_count()) as pool:
        return statistics.mean(pool.map(spin, [seconds] * os.cpu_count(), chunksize=1))


def busy(*all_conditions):
    """Whether something else took processor time, by what was measured at any of these moments.

    The load says less: in a whole run it is that of the benchmark before.
    """
    shares = [conditions.get("free_share", conditions.get("share_of_a_core")) for conditions in all_conditions]
    known = [share for share in shares if share is not None]
    if known:
        return min(known) < 0.9
    return max(conditions["load_before"] for conditions in all_conditions) > 0.5 * os.cpu_count()


def machine_class():
    return f"{os.cpu_count()}-core-{platform.machine()}"


SAVED = {}  # what this run has measured, for docs/performance.md


def path_of(name):
    return HERE / "results" / f"{name}-{machine_class()}.json"


def save(name, results):
    SAVED[name] = results
    path = path_of(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten to Benchmarks/results/{path.name}")


def save_some(name, conditions, results, command):
    """Saves some rows: those that a run of the same sources has measured before stay, with its conditions.

    The page says which rows were measured again, when, and how.
    """
    saved = saved_of_same_sources(name, conditions)
    if not saved:
        return save(name, {"conditions": conditions, "results": results})
    again = saved.get("again", []) + [{"rows": list(results), "command": command, **conditions}]
    save(name, {**saved, "results": {**saved["results"], **results}, "again": again})


def saved_of_same_sources(name, conditions):
    """What an earlier run of the same server has saved; nothing where there is none."""
    path, sources = path_of(name), sources_of(conditions)
    saved = json.loads(path.read_text()) if path.exists() else {}
    return saved if saved and sources != "unknown" and sources_of(saved["conditions"]) == sources else {}


def sources_of(conditions):
    """What tells the server's sources of one run from those of another."""
    return output("git", "rev-parse", f"{conditions['commit']}:Sources")


def read_saved():
    """Takes the results of earlier runs on a machine of this class for this one's."""
    for name in ("startup", "http", "state", "objects", "load"):
        if path_of(name).exists():
            SAVED[name] = json.loads(path_of(name).read_text())
    trees = {sources_of(results["conditions"]) for results in SAVED.values()}
    if len(trees) != 1 or "unknown" in trees or "load" not in SAVED:
        raise SystemExit("results of one server are needed, the load generator's among them; there are those of "
                         + ", ".join(f"{name} at {results['conditions']['commit']}" for name, results in SAVED.items()))


def print_table(rows):
    """Rows of equal length; the first is the heading."""
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [str(row[0]).ljust(widths[0])] + [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells))
        if number == 0:
            print("  ".join("-" * width for width in widths))
