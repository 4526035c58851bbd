#!/usr/bin/env python3
"""Builds that are broken on purpose are caught by the same rounds that the true one passes: one that
releases before the line is synced, and one that takes a failed sync for a good one. (CMakeLists.txt
and mutants/ have what is broken in them.)"""
import random
import unittest

from faults import BIN, CLOISON, FULL, SEED, DidNotStart, Violation, announce
from keeper_rounds import Rounds

ONLY = "fdatasync journal/wal/"
STALL_MS = 40  # A disk that is about to fail takes its time.
TRIES = 12
NO_LINE = "plaintext was released without its line"
# The checkpoint itself, or what the keeper remembers of the journal, may rest on lines that never
# reached the disk: then it does not start any more.
NOT_ON_DISK = (r"ends at entry \d+, (being damaged at offset \d+, )?before the checkpoint|"
               r"was rolled back: it has \d+ entries, and persons.sqlite remembers \d+")


def round_of_failing_syncs(rounds, lot):
    """From some moment on no sync of the write-ahead file succeeds; then the power is cut."""
    rounds.run_with(f"{lot.randrange(5, 60)}+:before-EIO", ONLY, STALL_MS)
    rounds.restart(cut_power=True)
    return rounds.judge()


class BrokenBuilds(unittest.TestCase):
    def caught(self, program, diagnosis):
        """After how many rounds the broken build was found out."""
        lot = random.Random(SEED)
        with Rounds(BIN / program) as rounds:
            for number in range(1, TRIES + 1):
                try:
                    round_of_failing_syncs(rounds, lot)
                except (Violation, DidNotStart) as found:
                    self.assertRegex(str(found), diagnosis)
                    return number
        self.fail(f"{program} went through {TRIES} rounds")

    def test_broken_builds_are_caught_and_the_true_one_is_not(self):
        announce("broken builds")
        lot = random.Random(SEED)
        with Rounds(CLOISON) as rounds:
            for _ in range(TRIES if FULL else 3):
                report = round_of_failing_syncs(rounds, lot)
            self.assertGreater(rounds.keeper_ends, 0)
        early = self.caught("cloison_releases_before_sync", f"{NO_LINE}|{NOT_ON_DISK}")
        deaf = self.caught("cloison_ignores_failed_sync", f"{NO_LINE}|{NOT_ON_DISK}")
        print(f"the true build passed {TRIES if FULL else 3} rounds with {report['acknowledged']} disclosures; "
              f"releasing before the sync was caught in round {early}, ignoring a failed sync in round {deaf}")


if __name__ == "__main__":
    unittest.main()
