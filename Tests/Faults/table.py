"""The loops, what each breaks, and how many cycles its three forms make (design goals G-10 to G-22).

A form of 0 cycles leaves the loop out: failpoints are in no release build, and two engines are for the long form.
"""
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


# The longest first, so that nothing waits for them at the end.
LOOPS = (
    Loop("failpoints-sqlite", "failpoints", 290, 1300, 0, "each named point beside a durable step: death, error, delay",
         {"engine": "sqlite"}),
    Loop("object-outage", "object_outage", 18, 50, 500, "the object store is away, slow, refuses or gives wrong bytes"),
    Loop("bit-flips", "bit_flips", 500, 10_000, 100_000, "stored bytes are flipped, cut, swapped or zeroed"),
    Loop("io-errors", "io_errors", 120, 2000, 10_000, "the nth call that changes the disk fails"),
    Loop("process-kill", "process_kill", 60, 1000, 10_000, "SIGKILL of the server under load"),
    Loop("finish-kills", "finish", 50, 2000, 20_000, "SIGKILL of the server each 20 s: every update finishes",
         {"engine": "sqlite", "every": 20}),
    Loop("finish-database-kills-mariadb", "finish", 0, 500, 5000, "SIGKILL of MariaDB each 60 s: every update finishes",
         {"engine": "mariadb", "every": 60}),
    Loop("finish-database-kills-mysql", "finish", 0, 500, 5000, "the same on MySQL", {"engine": "mysql", "every": 60}),
    Loop("object-writes", "object_writes", 200, 10_000, 100_000, "nearly a third of all requests to the store fails"),
    Loop("crash-points", "crash_points", 80, 1000, 5000, "SIGKILL beside the nth call that changes the disk"),
    Loop("failpoints-mariadb", "failpoints", 0, 430, 0, "the named points on MariaDB", {"engine": "mariadb"}),
    Loop("failpoints-s3", "failpoints", 0, 430, 0, "the same, SQLite and objects in S3", {"engine": "s3"}),
    Loop("failpoints-mysql", "failpoints", 0, 430, 0, "the named points on MySQL", {"engine": "mysql"}),
    Loop("power-cut", "power_cut", 20, 200, 1000, "the file system stops without writing what was not synced"),
    Loop("clock", "clock", 30, 500, 5000, "the time of day steps or stands still"),
    Loop("lost-answers", "lost_answers", 400, 6000, 60_000, "answers get lost after the server acted",
         {"engine": "sqlite"}),
    Loop("lost-answers-mariadb", "lost_answers", 200, 6000, 60_000, "the same on MariaDB", {"engine": "mariadb"}),
    Loop("unknown-commit-mariadb", "unknown_commit", 50, 2000, 20_000, "cut between COMMIT and its answer",
         {"engine": "mariadb"}),
    Loop("unknown-commit-mysql", "unknown_commit", 50, 2000, 20_000, "the same on MySQL", {"engine": "mysql"}),
    Loop("database-kill-mariadb", "database_kill", 5, 200, 1000, "SIGKILL of MariaDB", {"engine": "mariadb"}),
    Loop("database-kill-mysql", "database_kill", 5, 200, 1000, "SIGKILL of MySQL", {"engine": "mysql"}),
    Loop("read-only-mariadb", "database_read_only", 5, 50, 500, "MariaDB turns read-only and back",
         {"engine": "mariadb"}),
    Loop("read-only-mysql", "database_read_only", 5, 50, 500, "MySQL turns read-only and back", {"engine": "mysql"}),
    Loop("disk-full", "disk_full", 20, 100, 1000, "the disk fills up and gets space again"),
    Loop("read-only-disk", "read_only_disk", 2, 20, 50, "the file system turns read-only"),
    Loop("graceful-stop", "graceful_stop", 20, 300, 2000, "SIGTERM under load"),
    Loop("races-sqlite", "races", 4, 100, 1000, "64 clients at the same instant", {"engine": "sqlite"}),
    Loop("races-mariadb", "races", 4, 100, 1000, "the same, two servers on one MariaDB", {"engine": "mariadb"}),
    Loop("key-races-mariadb", "key_races", 30, 5000, 50_000,
         "64 clients are first to encrypt on a stack, two servers, with kills", {"engine": "mariadb"}),
    Loop("key-races-mysql", "key_races", 30, 5000, 50_000, "the same on MySQL", {"engine": "mysql"}),
    Loop("two-servers-mysql", "two_servers", 2000, 100_000, 1_000_000,
         "attempts to begin, two servers on one MySQL, with kills", {"engine": "mysql"}),
    Loop("two-servers-s3", "two_servers", 150, 20_000, 200_000,
         "the same with objects in S3 and large states", {"engine": "mysql", "bucket": True}),
    Loop("paused-mysql", "paused", 10, 200, 2000, "a server stops past the deadline of its update and goes on",
         {"engine": "mysql"}),
    Loop("migration-sqlite", "migration", 40, 300, 1200, "SIGKILL beside the nth write of the first start",
         {"engine": "sqlite"}),
    Loop("migration-mariadb", "migration", 8, 300, 1200, "SIGKILL beside the nth command of it to MariaDB",
         {"engine": "mariadb"}),
    Loop("migration-mysql", "migration", 8, 300, 1200, "the same on MySQL", {"engine": "mysql"}),
)
