"""The preloaded libraries in C, compiled for one run, and the files that drive them."""
import errno
import mmap
import os
import shutil
import struct
import subprocess
import time

from loop import NotPossible

HERE = os.path.dirname(os.path.abspath(__file__))


def build(name, folder):
    """Compiles shims/NAME.c; the path of the library."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise NotPossible("no C compiler")
    library = os.path.join(folder, name + ".so")
    subprocess.run([compiler, "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    os.path.join(HERE, name + ".c"), "-ldl"], check=True)
    return library


class Shim:
    """A library and the mapped file that drives it; `variables` are for the server's environment."""

    def __init__(self, name, variable, run, size):
        path = os.path.join(run.folder, name + ".control")
        with open(path, "wb") as file:
            file.write(bytes(size))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), size)
        self.variables = {"LD_PRELOAD": build(name, run.folder), variable: path}


class FaultyIO(Shim):
    """See faulty_io.c."""
    WRITE, SYNC, NAME, TRUNCATE, ALL = 1, 2, 4, 8, 15
    FAIL, KILL_BEFORE, KILL_AFTER, WRITE_HALF, DELAY = range(5)

    def __init__(self, run):
        super().__init__("faulty_io", "FAULTY_IO", run, 48)

    def arm(self, first, action=FAIL, error=errno.EIO, kinds=ALL, last=None, milliseconds=0):
        """From now on calls are counted from 1, and this happens to those from `first` to `last`."""
        self.disarm()
        struct.pack_into("<4i", self.memory, 32, action, error, kinds, milliseconds)
        struct.pack_into("<4q", self.memory, 0, 0, 0, last or first, 0)
        struct.pack_into("<q", self.memory, 8, first)

    def disarm(self):
        struct.pack_into("<q", self.memory, 8, 0)

    @property
    def calls(self):
        return struct.unpack_from("<q", self.memory, 0)[0]

    @property
    def hits(self):
        """How many calls something happened to since `arm`."""
        return struct.unpack_from("<q", self.memory, 24)[0]


class ShiftedClock(Shim):
    """See shifted_clock.c."""

    def __init__(self, run):
        super().__init__("shifted_clock", "SHIFTED_CLOCK", run, 16)

    def set(self, seconds):
        """The clock goes on, so many seconds away from the right time."""
        struct.pack_into("<2q", self.memory, 0, int(seconds * 1e9), 0)

    def freeze(self):
        shift = struct.unpack_from("<q", self.memory, 0)[0]
        struct.pack_into("<q", self.memory, 8, time.time_ns() + shift)
