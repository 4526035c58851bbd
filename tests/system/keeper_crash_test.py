#!/usr/bin/env python3
"""kill -9 of the keeper 200 times under load: the journal stays whole, every acknowledged disclosure
has its line, nothing was released without one. CLOISON_KILLS sets another number."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from installation import CLOISON, ROOT, Installation, run, wait_until

KILLS = int(os.environ.get("CLOISON_KILLS", "200"))
LOAD = CLOISON.parent / "keeper_load"


class KeeperCrash(unittest.TestCase):
    def start_keeper(self, var):
        """The keeper alone; ready when it says so on the pipe that a supervisor would give it."""
        read_end, write_end = os.pipe()
        keeper = subprocess.Popen(
            [str(CLOISON), "keeper", "--var", str(var)],
            env={**os.environ, "CLOISON_READY_FD": str(write_end)}, pass_fds=[write_end],
            stderr=subprocess.PIPE, text=True,
        )
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            word = pipe.readline().strip()
        if word != "ready":
            self.fail(f"the keeper did not start: {word} {keeper.communicate()[1]}")
        return keeper

    def released(self, log):
        return log.stat().st_size if log.exists() else 0

    def test_every_acknowledged_disclosure_has_its_line(self):
        with Installation() as here:
            log = here.var.parent / "acknowledged"
            keeper = self.start_keeper(here.var)
            load = subprocess.Popen([str(LOAD), "run", str(here.var), "16", str(log)],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.assertEqual(load.stdout.readline().strip(), "running")
            for kill in range(KILLS):
                before = self.released(log)
                wait_until(lambda: self.released(log) > before, 30, "a disclosure before the kill")
                keeper.send_signal(signal.SIGKILL)
                keeper.wait()
                keeper.stderr.close()
                if kill % 20 == 0:
                    here.fsck()
                keeper = self.start_keeper(here.var)
            before = self.released(log)
            wait_until(lambda: self.released(log) > before, 30, "a disclosure after the last kill")
            out, _ = load.communicate(timeout=60)
            self.assertEqual(load.returncode, 0)
            counted = json.loads(out)

            checked = subprocess.run([str(LOAD), "verify", str(here.var), str(log)],
                                     capture_output=True, text=True, timeout=120)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            found = json.loads(checked.stdout)
            self.assertEqual(found["acknowledged"], counted["released"])
            self.assertGreaterEqual(found["disclosures"], found["acknowledged"])
            keeper.send_signal(signal.SIGTERM)
            self.assertEqual(keeper.wait(timeout=30), 0)
            keeper.stderr.close()
            report = here.fsck()
            self.assertGreaterEqual(report["entries"], found["disclosures"])
            print(f"{KILLS} kills: {found['acknowledged']} disclosures acknowledged, "
                  f"{found['disclosures']} lines, {report['entries']} in all, journal whole")


if __name__ == "__main__":
    unittest.main()
