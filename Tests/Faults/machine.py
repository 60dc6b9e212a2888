"""Disks of a loop's own: a file system in a file that can lose its power, and a small one in memory."""
import fcntl
import os
import struct
import subprocess
import sys

from loop import NotPossible

# EXT4_IOC_SHUTDOWN and its flag for stopping at once, without writing the log (linux/fs/ext4/ext4.h).
SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2


def tool(*words):
    """Runs a program of the system; what it says when it fails becomes the reason."""
    ended = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ended.returncode:
        raise NotPossible("%s: %s" % (" ".join(words[:1]), (ended.stderr or ended.stdout).strip()[:200]))
    return ended.stdout


class Disk:
    """An ext4 in a file, mounted through a loop device."""

    def __init__(self, run, size="4G", options="defaults"):
        if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
            raise NotPossible("needs root and loop devices")
        self.image, self.folder = os.path.join(run.folder, "disk.img"), os.path.join(run.folder, "disk")
        self.options = "loop," + options
        os.makedirs(self.folder)
        tool("truncate", "-s", size, self.image)
        tool("mkfs.ext4", "-q", "-F", "-E", "nodiscard", "-J", "size=16", self.image)
        run.cleanups.append(lambda: self.is_mounted() and self.unmount())
        self.mount()

    def mount(self):
        tool("mount", "-o", self.options, self.image, self.folder)

    def unmount(self):
        tool("umount", self.folder)

    def is_mounted(self):
        return os.path.ismount(self.folder)

    def device(self):
        """The name of the loop device, as /sys/fs/ext4 has it."""
        return os.path.basename(tool("findmnt", "-n", "-o", "SOURCE", self.folder).strip())

    def cut_power(self):
        """From now on every call fails; what was not synced by now is not in the image."""
        opened = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(opened)

    def fail(self):
        """The kernel finds the file system damaged, and makes it read-only."""
        with open("/sys/fs/ext4/%s/trigger_fs_error" % self.device(), "w", encoding="ascii") as trigger:
            trigger.write("fault loop")

    def repair(self):
        """As at the start of a machine; statuses 0 and 1 say that all is well now."""
        ended = subprocess.run(["fsck.ext4", "-p", "-f", self.image], capture_output=True, text=True)
        if ended.returncode > 1:
            raise AssertionError("fsck: %d %s" % (ended.returncode, ended.stdout[-500:]))


class MemoryDisk:
    """A tmpfs, which can be filled up."""

    def __init__(self, run, megabytes):
        if os.geteuid() != 0 or not sys.platform.startswith("linux"):
            raise NotPossible("needs root, to mount a tmpfs")
        self.folder, self.size = os.path.join(run.folder, "disk"), megabytes << 20
        self.filler = os.path.join(self.folder, "filler")
        os.makedirs(self.folder)
        tool("mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "cairn-faults", self.folder)
        run.cleanups.append(lambda: tool("umount", "-l", self.folder))

    def free(self):
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def fill(self, left):
        """Takes all space but `left` bytes, as far as others do not take it meanwhile."""
        with open(self.filler, "ab") as file:
            while self.free() > left:
                try:
                    file.write(b"\0" * min(self.free() - left, 1 << 20))
                    file.flush()
                except OSError:
                    break

    def empty(self):
        if os.path.exists(self.filler):
            os.remove(self.filler)
