"""The named points beside durable steps of a build for tests (Sources/Kernel/Failpoints), as a test drives them."""
import mmap
import struct

from loop import NotPossible

# As FailpointControl has it: words of the head, and one slot for each point.
ARMED, ACTION, MILLISECONDS, NTH, PASSES, HITS, POINTS, AHEAD = range(8)
HEAD = SLOT = 64
ACTIONS = {"kill": 1, "error": 2, "delay": 3}


class Failpoints:
    """A file that is shared with a server; `variables` are for its environment."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(1 << 16))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 1 << 16)
        self.variables = {"CAIRN_FAILPOINT_FILE": path}
        self.armed = None

    def get(self, word):
        return struct.unpack_from("<q", self.memory, word * 8)[0]

    def set(self, word, value):
        struct.pack_into("<q", self.memory, word * 8, value)

    @property
    def names(self):
        """All points, once a server has started; without them it is no build for tests."""
        if not self.get(POINTS):
            raise NotPossible("needs a debug build: this one has no failpoints")
        return [self.memory[at:at + SLOT - 8].rstrip(b"\0").decode() for at in self.slots()]

    def slots(self):
        return range(HEAD, HEAD + SLOT * self.get(POINTS), SLOT)

    def counts(self):
        """How often each point was passed since `forget`."""
        return dict(zip(self.names, (struct.unpack_from("<q", self.memory, at + SLOT - 8)[0] for at in self.slots())))

    def forget(self):
        for at in self.slots():
            struct.pack_into("<q", self.memory, at + SLOT - 8, 0)

    def arm(self, slot, action, nth=1, milliseconds=0):
        """From now on, this happens when the point in this slot (from 0) is passed for the nth time; once."""
        self.disarm()
        self.set(ACTION, ACTIONS[action])
        self.set(MILLISECONDS, milliseconds)
        self.set(NTH, nth)
        self.set(PASSES, 0)
        self.set(HITS, 0)
        self.set(ARMED, slot + 1)

    def disarm(self):
        self.set(ARMED, 0)

    @property
    def hits(self):
        return self.get(HITS)


