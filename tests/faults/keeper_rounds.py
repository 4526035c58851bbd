"""Rounds of: a keeper under load on a failing disk, a fault, perhaps a cut of the power, a restart,
and the judgement of the load."""
import subprocess

from faults import SEED, DidNotStart, FaultyDisk, Installation, Load, Service, strace, wait_until


class Rounds:
    """Use as a context manager. The same persons, staff and acknowledgements through all rounds."""

    def __init__(self, program, threads=16):
        self.here = Installation()
        self.keeper = Service(self.here.var, "keeper", program)
        self.disk = FaultyDisk(self.here.var / "keeper", self.here.var.parent)
        self.keeper.start(self.disk.environment())
        self.load = Load(self.here.var, SEED, self.here.var.parent / "acknowledged", threads)
        self.keeper_ends = 0
        self.cuts = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.load.end()
        self.keeper.kill()
        self.here.__exit__()

    def restart(self, cut_power):
        """A keeper on a disk that does not fail."""
        self.keeper.kill()
        if cut_power:
            self.cuts += 1
            self.disk.cut_power()
        calls = self.disk.calls()
        before = [call for call in calls[:-60] if call[-1] != "ok"] + calls[-60:]
        try:
            self.keeper.start(self.disk.environment())
        except DidNotStart as error:
            told = "\n".join(" ".join(map(str, call)) for call in before)
            how = "the power was cut" if cut_power else "the process was killed"
            raise DidNotStart(f"{error}\n{how}; faults, and the last changes before:\n{told}") from None

    def run_with(self, fault, only="", stall_ms=0, seconds=10):
        """A keeper on a disk with that fault, under load, until it ends or the fault is over."""
        self.keeper.kill()
        self.disk.trace.unlink(missing_ok=True)
        word = self.keeper.start(self.disk.environment(fault, only, stall_ms), check=False)
        if word == "ready":
            self.wait_for_end(seconds, lambda: self.fault_is_over(fault, only))
        self.keeper_ends += self.keeper.ended()
        self.keeper.kill()
        return word

    def fault_is_over(self, fault, only):
        number = int(fault.split(":")[0].rstrip("+"))
        call, _, path = only.partition(" ")
        calls = [c for c in self.disk.calls() if not only or (c[1] == call and c[2].startswith(path))]
        return len(calls) >= number + 20

    def wait_for_end(self, seconds, or_until=lambda: False):
        def ended():
            self.load.look()
            return self.keeper.ended() or or_until()
        try:
            wait_until(ended, seconds, "the keeper to end")
        except AssertionError:
            pass  # It may go on where it can.

    def trace_with(self, inject, log, seconds=10):
        """Attaches strace to the running keeper, and lets every such call fail from now on."""
        tracer = subprocess.Popen(strace(log, inject, self.keeper.process.pid),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_for_end(seconds, lambda: log.exists() and log.read_text().count("(INJECTED)") >= 20)
        finally:
            if tracer.poll() is None:
                tracer.terminate()
            tracer.wait()
        self.keeper_ends += self.keeper.ended()
        return log.read_text().count("(INJECTED)")

    def judge(self):
        """What was acknowledged is there, budgets are as they were, and the journal is whole."""
        self.load.wait_for_release()
        report = self.load.check()
        self.here.fsck()
        return report
