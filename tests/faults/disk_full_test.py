#!/usr/bin/env python3
"""The disk is full for a minute (a few seconds in the short form) while the load and the pages go on.

Every call fails with an error that says to try again, nothing is released without its line, and when
there is room again everything works, by itself: no restart by hand. The disk is a small file system
of its own in a mount namespace; where a machine does not allow that, the failing disk says that it
has no room."""
import http.client
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from faults import FULL, SEED, FaultyDisk, Installation, Load, announce, wait_until
from kill_test import for_a_moment

SECONDS = 60 if FULL else 6
INSIDE = "CLOISON_SMALL_DISK"
MEGABYTES = 96


def in_small_file_system():
    """Starts this test again where its temporary directory is a small file system of its own; None if
    the machine does not allow it."""
    flags = ["-m"] if os.geteuid() == 0 else ["-rm"]
    mount = f"mount -t tmpfs -o size={MEGABYTES}m none /mnt"
    if subprocess.run(["unshare", *flags, "bash", "-c", mount], capture_output=True).returncode != 0:
        return None
    return subprocess.run(
        ["unshare", *flags, "bash", "-euc", f'{mount}; exec "$@"', "bash", sys.executable, __file__],
        env={**os.environ, INSIDE: "/mnt", "TMPDIR": "/mnt", "CLOISON_SEED": str(SEED)}, timeout=600)


class SmallDisk:
    """A file takes all the room that is left."""

    def __init__(self, here):
        self.filler = here.var.parent / "filler"

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * (1 << 20))
            except OSError:
                pass
            try:
                while True:
                    file.write(b"\0" * 512)
            except OSError:
                return

    def make_room(self):
        self.filler.unlink()


class DiskThatSaysItIsFull:
    def __init__(self, here, disk):
        self.disk = disk

    def fill(self):
        self.disk.full.touch()

    def make_room(self):
        self.disk.full.unlink()


class DiskFull(unittest.TestCase):
    def page(self, here):
        connection = http.client.HTTPConnection("127.0.0.1", here.portal_port, timeout=20)
        try:
            connection.request("GET", "/sign-in")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def test_a_full_disk(self):
        small = os.environ.get(INSIDE)
        if not small:
            announce("full disk")
            done = in_small_file_system()
            if done is not None:
                self.assertEqual(done.returncode, 0)
                return
            print("this machine mounts no file system for a test: the preloaded failing disk has no room")
        with Installation() as here:
            disk = FaultyDisk(here.var / "keeper", here.var.parent)
            if not small:
                os.environ.update(disk.environment(shadow=False))
            space = SmallDisk(here) if small else DiskThatSaysItIsFull(here, disk)
            here.start()
            # The load's own notes lie elsewhere: it is the house that has no room.
            notes = tempfile.TemporaryDirectory(prefix="cl-", dir="/var/tmp")
            self.addCleanup(notes.cleanup)
            load = Load(here.var, SEED, pathlib.Path(notes.name) / "acknowledged")
            try:
                load.wait_for_release()
                before = load.check()
                space.fill()
                statuses = self.while_full(here, load)
                while_full = load.log.stat().st_size
                space.make_room()
                wait_until(lambda: load.released() > while_full, 60, "a plaintext once there is room")
                wait_until(lambda: self.page(here) == 200, 60, "a page once there is room")
                after = load.stop()
                restarts = sum(service["restarts"] for service in here.state()["services"])
                self.assertEqual(here.stop(), 0)
                report = here.fsck()
            finally:
                load.end()
            print(f"full for {SECONDS} s: {after['away'] - before['away']} calls told to try again, "
                  f"{after['disk_refused'] - before['disk_refused']} told of the disk, pages {statuses}, "
                  f"{restarts} restarts by the supervisor; {after['acknowledged']} disclosures acknowledged, "
                  f"{report['entries']} lines, journal whole")
            self.assertGreater(after["away"], before["away"])

    def while_full(self, here, load):
        """Nothing is released once the last page of the file is written to its end."""
        statuses = {}
        quiet_since = time.monotonic()
        size = load.log.stat().st_size
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            status = self.page(here)
            statuses[status] = statuses.get(status, 0) + 1
            for_a_moment(0.2)
            if load.released() != size:
                size, quiet_since = load.log.stat().st_size, time.monotonic()
        self.assertGreater(time.monotonic() - quiet_since, SECONDS / 2, "plaintext goes on to be released")
        return statuses


if __name__ == "__main__":
    unittest.main()
