"""What /proc says about a server: CPU, memory, bytes written; system calls where the kernel lets us count them."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import harness

SYNCS = ("fsync", "fdatasync", "sync_file_range", "msync")


class Probe:
    """Looks at a server's processes and at its folder. Without processes (another machine) everything is unknown."""

    def __init__(self, processes, folder=None):
        self.processes, self.folder = list(processes), folder

    def sample(self):
        """CPU seconds, bytes written and resident megabytes at this instant; None where /proc does not tell."""
        if not self.processes:
            return {"time": time.monotonic(), "cpu": None, "written": None, "resident": None}
        return {
            "time": time.monotonic(),
            "cpu": _sum(harness.cpu_seconds, self.processes),
            "written": _sum(_written, self.processes),
            "resident": _sum(lambda process: _status(process, "VmRSS"), self.processes),
        }

    def forget_peak(self):
        for process in self.processes:
            try:
                Path(f"/proc/{process}/clear_refs").write_text("5")
            except OSError:
                return

    def peak(self):
        """Megabytes at the peak since `forget_peak`."""
        return _sum(lambda process: _status(process, "VmHWM"), self.processes) if self.processes else None

    def disk(self):
        """Bytes that the server's folder takes on disk."""
        if not self.folder:
            return None
        total = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_blocks * 512
                except OSError:
                    pass  # removed meanwhile
        return total


def _sum(function, processes):
    found = []
    for process in processes:
        try:
            found.append(function(process))
        except (OSError, ValueError, IndexError):
            pass  # It has ended: scenarios kill servers.
    return sum(found) if found else None


def _status(process, field):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(field)


def _written(process):
    for line in Path(f"/proc/{process}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise ValueError("write_bytes")


class SyncCounter:
    """Counts the system calls that make data durable. /proc has no such count; `perf stat` has where it is allowed."""

    def __init__(self, processes):
        self.child = None
        if not processes or not shutil.which("perf"):
            return
        events = ",".join(f"syscalls:sys_enter_{name}" for name in SYNCS)
        command = ["perf", "stat", "-x", ",", "-e", events, "-p", ",".join(map(str, processes)), "-o", "/dev/stdout"]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      text=True)

    def stop(self):
        """The number since the start; None where nobody could count."""
        if not self.child:
            return None
        self.child.send_signal(2)
        try:
            text, _ = self.child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return None
        counts = [line.split(",")[0] for line in text.splitlines() if "sys_enter" in line]
        numbers = [int(count) for count in counts if count.isdigit()]
        return sum(numbers) if numbers else None
