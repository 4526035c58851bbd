#!/usr/bin/env python3
"""The real keeper under load on a disk that fails: at every change of its start, and at moments of its
work that the seed decides, each time in one of the ways of faulty_disk.cc; and with every write, sync,
rename … failing from some moment on, by strace. After each fault it starts again, half of the time
from what a cut of the power would have left. No plaintext was released without its line, nothing
acknowledged is lost, budgets are as full as before, and the journal is whole."""
import contextlib
import random
import unittest

from faults import CLOISON, FULL, SEED, announce, require_trace
from keeper_rounds import Rounds

WAYS = ["before-EIO", "before-ENOSPC", "after-EIO", "half-ENOSPC", "kill-before", "kill-after"]
LATER = 120 if FULL else 8
AT_START = 10_000 if FULL else 6
INJECTIONS = [
    "fdatasync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EIO", "fsync:error=EIO",
    "openat:error=EMFILE", "rename:error=EIO", "fdatasync:error=ENOSPC", "openat:error=ENOSPC",
    "fchmod:error=EIO", "unlink:error=EIO", "pwrite64,fdatasync:error=EIO:when=40+3",
    "fdatasync:error=EIO:delay_enter=20000",
]


@contextlib.contextmanager
def told_of(fault):
    """What is wrong once is wrong ever after: the first round that fails ends the test."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"after {fault}: {error}") from error


class KeeperFaults(unittest.TestCase):
    def test_a_failing_disk(self):
        announce("keeper faults")
        lot = random.Random(SEED)
        with Rounds(CLOISON) as rounds:
            rounds.load.wait_for_release()
            rounds.restart(cut_power=False)
            rounds.disk.trace.unlink()
            rounds.restart(cut_power=False)
            of_start = len(rounds.disk.calls())
            self.assertGreater(of_start, 30)
            numbers = list(range(1, of_start + 1))
            if AT_START < of_start:
                numbers = lot.sample(numbers, AT_START)
            numbers += [of_start + lot.randrange(1, 600) for _ in range(LATER)]
            refused_to_start = 0
            for number in numbers:
                fault = f"{number}:{lot.choice(WAYS)}"
                with told_of(fault):
                    word = rounds.run_with(fault)
                    refused_to_start += word != "ready"
                    rounds.restart(cut_power=lot.random() < 0.5)
                    report = rounds.judge()
            print(f"{len(numbers)} faults of the disk ({of_start} changes in a start): the keeper refused to "
                  f"start {refused_to_start} times and ended {rounds.keeper_ends} times, {rounds.cuts} cuts "
                  f"of the power; {report['acknowledged']} disclosures acknowledged, {report['lines']} lines, "
                  f"{report['erased']} persons erased, {report['rotations']} rotations asked for, journal whole")

    def test_calls_failed_by_the_kernel(self):
        if not require_trace(self, "a running keeper's calls failed by the kernel"):
            return
        lot = random.Random(SEED)
        chosen = INJECTIONS * 4 if FULL else lot.sample(INJECTIONS, 4)
        injected = 0
        with Rounds(CLOISON) as rounds:
            for number, inject in enumerate(chosen):
                with told_of(inject):
                    rounds.load.wait_for_release()
                    injected += rounds.trace_with(inject, rounds.here.var.parent / f"strace.{number}", 3)
                    rounds.restart(cut_power=lot.random() < 0.5)
                    report = rounds.judge()
            self.assertGreater(injected, 0)
            print(f"strace failed {injected} calls of a keeper under load in {len(chosen)} rounds: it ended "
                  f"{rounds.keeper_ends} times; {report['acknowledged']} disclosures acknowledged, "
                  f"{report['lines']} lines, journal whole")


if __name__ == "__main__":
    unittest.main()
