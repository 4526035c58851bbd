#!/usr/bin/env python3
"""Every system call of the append path fails once, each in turn: opening, appending, changing the
segment, publishing tiles and checkpoint, recovering.

Each call fails in seven ways: strace makes it fail with EIO and with ENOSPC without executing it, and
kills the process as it enters; the failing disk (faulty_disk.cc) lets it happen and reports failure,
writes half, writes half and says so, and kills the process as it leaves. After each, three times
over, the journal is opened again, holds all that was acknowledged, takes new entries, and is whole:
as a cut of the power would have left it at that moment, as the process left it, and as a cut of the
power would leave it after that restart. Every other time the restart is failed too, at a call that the
seed decides, and the power is cut then."""
import collections
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import unittest

from faults import (BIN, FULL, SEED, FaultyDisk, Scratch, announce, can_trace, require_trace,
                    strace, without_numbers)

DRIVER = str(BIN / "journal_driver")
KEY = "07" * 32 + "\n"
WRITES = ("pwrite", "pwrite64")
SHORT_RUNS = 70
WORKERS = min(4, os.cpu_count() or 1)

Fault = collections.namedtuple("Fault", "scenario by call path number what")


class Failed(Exception):
    pass


def driver(*words, environment=None, before=()):
    return subprocess.run([*before, DRIVER, *map(str, words)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **(environment or {})})


def make_keeper(beside):
    keeper = beside / "keeper"
    keeper.mkdir(mode=0o700)
    (keeper / "journal.key").write_text(KEY)
    (keeper / "journal.key").chmod(0o600)
    return keeper


def traced_calls(log, keeper):
    """(system call, its number among those of that name, path) below the keeper's directory, of the
    first process in the log; and those that were injected."""
    found, injected, counts, first = [], [], collections.Counter(), None
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not match:
            continue
        pid, call, rest = match.groups()
        first = first or pid
        if pid != first:
            continue
        counts[call] += 1
        path = re.search(re.escape(str(keeper)) + r"(/[^\">]*)?", rest)
        if not path:
            continue
        one = (call, counts[call], without_numbers((path.group(1) or "/.")[1:]))
        found.append(one)
        if "(INJECTED)" in line:
            injected.append(one)
    return found, injected


def check(keeper, log, when, environment=None):
    done = driver("check", keeper, log, environment=environment)
    if done.returncode != 0:
        raise Failed(f"{when}: {done.stderr.strip() or done.returncode}")


def check_after_power_cut(disk, log, beside, when):
    """Of copies: the process's own files stay as they are."""
    disk.after_power_cut(beside / "keeper")
    if log.exists():
        shutil.copy(log, beside / "log")
    check(beside / "keeper", beside / "log", when)


def outcome_is_right(fault, code):
    killed = fault.what.startswith("kill")
    if killed:
        return code in (-9, 137)
    return code == 0 if fault.what == "short" else code in (0, 3)


def try_fault(fault):
    """Runs the driver with one fault, then restarts in three ways. Returns what the driver ended with."""
    with Scratch() as beside:
        keeper = make_keeper(beside)
        log = beside / "log"
        disk = FaultyDisk(keeper, beside)
        if fault.by == "strace":
            what = "signal=SIGKILL" if fault.what == "kill" else f"error={fault.what}"
            trace = beside / "strace"
            done = driver("run", keeper, fault.scenario, log, environment=disk.environment(),
                          before=strace(trace, f"{fault.call}:{what}:when={fault.number}"))
            found, injected = traced_calls(trace, keeper)
            hit = found[-1:] if fault.what == "kill" else injected
            if hit != [(fault.call, fault.number, fault.path)]:
                raise Failed(f"another call was failed: {hit}")
        else:
            done = driver("run", keeper, fault.scenario, log,
                          environment=disk.environment(f"{fault.number}:{fault.what}"))
            hit = [without_numbers(path) for number, _, path, _ in disk.calls() if number == fault.number]
            if hit != [fault.path]:
                raise Failed(f"another call was failed: {hit}")
        if not outcome_is_right(fault, done.returncode):
            raise Failed(f"the driver ended with {done.returncode}: {done.stderr.strip()}")
        check_after_power_cut(disk, log, beside / "cut", "after a cut of the power")
        lot = random.Random(f"{SEED} {tuple(fault)}")
        if lot.random() < 0.5:
            again = f"{lot.randrange(1, 70)}:{lot.choice(['kill-before', 'kill-after', 'before-EIO'])}"
            driver("check", keeper, log, environment=disk.environment(again))
            check_after_power_cut(disk, log, beside / "cut2", f"after {again} in the restart and a cut of the power")
        check(keeper, log, "after a restart", environment=disk.environment())
        check_after_power_cut(disk, log, beside / "cut3", "after a restart and a cut of the power")
        return done.returncode


class JournalFaults(unittest.TestCase):
    def counted(self, scenario, traced):
        """A run without a fault, that says which calls there are."""
        with Scratch() as beside:
            keeper = make_keeper(beside)
            disk = FaultyDisk(keeper, beside)
            trace = beside / "strace"
            done = driver("run", keeper, scenario, beside / "log", environment=disk.environment(),
                          before=strace(trace) if traced else ())
            self.assertEqual(done.returncode, 0, done.stderr)
            by_disk = [(number, call, without_numbers(path))
                       for number, call, path, outcome in disk.calls()]
            by_strace = traced_calls(trace, keeper)[0] if traced else []
            return by_disk, by_strace

    def faults_of(self, scenario, traced):
        by_disk, by_strace = self.counted(scenario, traced)
        # Opening a directory to sync it, and the like, are seen by both; so the two agree.
        if traced:
            self.assertGreaterEqual(len(by_strace), len(by_disk))
        for call, number, path in by_strace:
            for what in ("EIO", "ENOSPC", "kill"):
                yield Fault(scenario, "strace", call, path, number, what)
        for number, call, path in by_disk:
            ways = ["after-EIO", "kill-after"]
            if call in WRITES:
                ways += ["half-ENOSPC", "short"]
            if not traced:
                ways += ["before-EIO", "before-ENOSPC", "kill-before"]
            for what in ways:
                yield Fault(scenario, "disk", call, path, number, what)

    def test_every_call_fails_once(self):
        announce("journal faults")
        traced = can_trace()
        require_trace(self, "calls failed by the kernel; the preloaded failing disk stands in")
        random_source = random.Random(SEED)
        chosen = list(self.faults_of("small", traced))
        for scenario in ("segment", "round"):
            # Much the same calls many times over: each fails in one way, which the seed decides.
            by_call = collections.defaultdict(list)
            for fault in self.faults_of(scenario, traced):
                by_call[(fault.by, fault.call, fault.number)].append(fault)
            chosen += [random_source.choice(ways) for ways in by_call.values()]
        every = len(chosen)
        if not FULL:
            chosen = random_source.sample(chosen, min(SHORT_RUNS, every))
        ends = collections.Counter()
        wrong = []
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            running = {pool.submit(try_fault, fault): fault for fault in chosen}
            for done in concurrent.futures.as_completed(running):
                try:
                    ends[done.result()] += 1
                except Failed as failure:
                    wrong.append(f"{tuple(running[done])}: {failure}")
        if wrong:
            self.fail(f"{len(wrong)} of {len(chosen)} injections:\n" + "\n".join(wrong[:50]))
        calls = collections.Counter(fault.call for fault in chosen)
        self.assertTrue(FULL or ends[3] > 0)
        print(f"{len(chosen)} of {every} injections ({', '.join(f'{n} {c}' for c, n in calls.most_common())}): "
              f"{ends[3]} refused further appends, {ends[0]} went on, {len(chosen) - ends[3] - ends[0]} "
              f"killed; {3 * len(chosen)} restarts, nothing acknowledged was lost")


if __name__ == "__main__":
    unittest.main()
