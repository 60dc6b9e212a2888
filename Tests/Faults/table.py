"""The loops, what each breaks, and how many cycles its three forms make (design goals G-10 to G-22)."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Loop:
    name: str
    module: str
    short: int
    long: int
    release: int
    about: str
    options: dict = dataclasses.field(default_factory=dict)


LOOPS = (
    Loop("process-kill", "process_kill", 60, 1000, 10_000, "SIGKILL of the server under load"),
    Loop("power-cut", "power_cut", 20, 200, 1000, "the file system stops without writing what was not synced"),
    Loop("crash-points", "crash_points", 80, 1000, 5000, "SIGKILL beside the nth call that changes the disk"),
    Loop("io-errors", "io_errors", 200, 2000, 10_000, "the nth call that changes the disk fails"),
    Loop("bit-flips", "bit_flips", 500, 10_000, 100_000, "stored bytes are flipped, cut, swapped or zeroed"),
)
