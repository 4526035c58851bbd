"""What the fault tests share: the form and the seed of a run, the failing disk, strace, the keeper
alone, and the load on it.

CLOISON_FAULTS=full runs everything, otherwise a short form of the same programs. CLOISON_SEED gives
the seed, which is printed: it decides what fails and when. CLOISON_PRESET picks the build."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from installation import CLOISON, Installation, run, wait_until  # noqa: E402,F401

BIN = CLOISON.parent
FULL = os.environ.get("CLOISON_FAULTS") == "full"
SEED = int(os.environ.get("CLOISON_SEED") or random.SystemRandom().randrange(1, 10**6))
REGISTER = ROOT / "registry" / "fields.toml"
VIOLATION = 3  # keeper_load's exit code.


def announce(name):
    print(f"{name}: {'full' if FULL else 'short'} form, CLOISON_SEED={SEED}", flush=True)


def can_trace():
    """Whether this machine lets strace trace a process."""
    try:
        probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=none", "true"],
                               capture_output=True)
    except FileNotFoundError:
        return False
    return probe.returncode == 0


def require_trace(test, what):
    """False, having said what is not shown, where ptrace is not permitted. In the full form that is
    a failure, unless CLOISON_ALLOW_NO_PTRACE=1."""
    if can_trace():
        return True
    print(f"not shown here, since strace cannot trace on this machine: {what}", flush=True)
    if FULL and os.environ.get("CLOISON_ALLOW_NO_PTRACE") != "1":
        test.fail("strace cannot trace here (CLOISON_ALLOW_NO_PTRACE=1 goes on without)")
    return False


class Scratch:
    """A directory of its own; short, since a Unix socket's path has at most 107 bytes."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="cf-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class FaultyDisk:
    """The failing disk of faulty_disk.cc below one directory, and what a cut of the power would leave."""

    def __init__(self, directory, beside):
        self.directory = pathlib.Path(directory)
        self.shadow = pathlib.Path(beside) / "shadow"
        self.trace = pathlib.Path(beside) / "trace"
        self.full = pathlib.Path(beside) / "full"
        self.adopt()

    def adopt(self):
        """All that is there now is on stable storage."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        (self.shadow / "files").mkdir(parents=True)
        (self.shadow / "tree").mkdir()
        for path in sorted(self.directory.rglob("*")):
            there = self.shadow / "tree" / path.relative_to(self.directory)
            if path.is_dir():
                there.mkdir(mode=0o700)
            elif path.is_file():
                content = self.shadow / "files" / str(path.stat().st_ino)
                shutil.copy(path, content)
                os.link(content, there)

    def environment(self, fault="", only="", stall_ms=0, shadow=True):
        found = {"LD_PRELOAD": str(BIN / "faulty_disk.so"),
                 "FAULTY_DISK_DIRECTORY": str(self.directory),
                 "FAULTY_DISK_TRACE": str(self.trace), "FAULTY_DISK_FULL": str(self.full)}
        if shadow:
            found["FAULTY_DISK_SHADOW"] = str(self.shadow)
        if fault:
            found.update(FAULTY_DISK_FAULT=fault, FAULTY_DISK_ONLY=only,
                         FAULTY_DISK_STALL_MS=str(stall_ms))
        return found

    def calls(self):
        """(number, call, path, outcome) of every change so far."""
        if not self.trace.exists():
            return []
        lines = [line.split() for line in self.trace.read_text().splitlines()]
        return [(int(n), call, path, outcome) for n, call, path, outcome in lines]

    def cut_power(self):
        """What was not on stable storage is gone. Nothing may have the files open."""
        shutil.rmtree(self.directory)
        self.after_power_cut(self.directory)
        self.adopt()

    def after_power_cut(self, destination):
        """A copy of what is on stable storage."""
        shutil.copytree(self.shadow / "tree", destination)


TRACED = "openat,mkdir,pwrite64,fdatasync,fsync,syncfs,rename,unlink,ftruncate,fchmod"


def strace(log, inject=None, pid=None):
    """Words of a command line for strace, to stand before that of a program. Signals are not delivered
    on entering a call where strace filters by seccomp."""
    quick = ["--seccomp-bpf"] if not pid and "signal=" not in (inject or "") else []
    return ["strace", "-f", "-qq", "-y", "-s", "256", "-o", str(log), "-e", f"trace={TRACED}",
            *(["-e", f"inject={inject}"] if inject else []),
            *(["-p", str(pid)] if pid else []), *quick]


def without_numbers(path):
    """Names of temporary files hold the process's number."""
    return re.sub(r"\.\d+\.(\d+)\.tmp", r".\1.tmp", path)


class DidNotStart(AssertionError):
    """A service gave up before it was ready, and said why."""


class Service:
    """One service, as a supervisor would start it."""

    def __init__(self, var, name="keeper", program=CLOISON):
        self.var = pathlib.Path(var)
        self.name = name
        self.program = program
        self.process = None

    def start(self, environment=None, before=(), check=True):
        """Returns what it said when it was ready or gave up: "ready", or why not."""
        read_end, write_end = os.pipe()
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            [*before, str(self.program), self.name, "--var", str(self.var)],
            env={**os.environ, "CLOISON_READY_FD": str(write_end), **(environment or {})},
            pass_fds=[write_end], stderr=log, stdout=log)
        log.close()
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            word = pipe.readline().strip()
        if word != "ready":
            self.process.wait()
            if check:
                raise DidNotStart(f"{self.name} did not start: {word} {self.log_end()}")
        return word

    def log_end(self):
        return self.log.read_text()[-2000:]

    @property
    def log(self):
        return self.var.parent / f"{self.name}.log"

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def ended(self):
        return self.process.poll() is not None


class SmallBudgets:
    """A home (CLOISON_HOME) whose register has budgets that the load uses up, of actors and of the desk,
    each bound before the other: the hour's first, and an hour later the day's."""
    BUDGETS = {("purpose", "support_call"): (30, 34), ("purpose", "process_request"): (60, 63),
               ("door", "desk"): (110, 140)}

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.register = self.home / "registry" / "fields.toml"
        self.register.parent.mkdir(parents=True)
        (self.register.parent / "requests").symlink_to(REGISTER.parent / "requests")
        (self.home / "web").symlink_to(BIN.parent / "web")
        text = REGISTER.read_text()
        for (kind, name), (per_hour, per_day) in self.BUDGETS.items():
            entry = rf'(\[\[{kind}\]\]\nnumber = \d+\nname = "{name}"\n(?:(?!\[\[).*\n)*?)'
            text, count = re.subn(entry + r"per_hour = \d+\nper_day = \d+\n",
                                  rf"\g<1>per_hour = {per_hour}\nper_day = {per_day}\n", text)
            if count != 1:
                raise AssertionError(f"the register has {count} budgets of {kind} {name}")
        self.register.write_text(text)

    def environment(self):
        return {"CLOISON_HOME": str(self.home)}


class MovedClock:
    """A clock that a test moves on, of the processes that have its environment (moved_clock.cc)."""
    HOUR = 61 * 60
    DAY = 24 * 60 * 60 + 60

    def __init__(self, file):
        self.file = pathlib.Path(file)
        self.seconds = 0
        self.file.write_bytes(bytes(8))

    def move(self, seconds):
        """Everybody who has the clock should stand still: what was signed before expires."""
        self.seconds += seconds
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=q", self.seconds * 1000))

    def environment(self):
        return {"LD_PRELOAD": str(BIN / "moved_clock.so"), **self.file_alone()}

    def file_alone(self):
        """For the load, which reads it (load_clock.h)."""
        return {"MOVED_CLOCK": str(self.file)}


class Violation(Exception):
    """The load saw what a keeper may never do."""


class Load:
    """keeper_load on a running keeper."""

    def __init__(self, var, seed, log, threads=16, register=REGISTER, environment=None):
        self.log = pathlib.Path(log)
        self.process = subprocess.Popen(
            [str(BIN / "keeper_load"), str(var), str(seed), str(threads), str(log), str(register)],
            env={**os.environ, **(environment or {})}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._read() != "running":
            raise AssertionError("the load did not start")

    def _read(self):
        line = self.process.stdout.readline().strip()
        if not line:
            self._ended()
        return line

    def _ended(self):
        self.process.wait()
        words = self.process.stderr.read().strip()
        if self.process.returncode == VIOLATION:
            raise Violation(words)
        raise AssertionError(f"keeper_load ended with {self.process.returncode}: {words}")

    def look(self):
        """Raises if the load has seen a violation."""
        if self.process.poll() is not None:
            self._ended()

    def say(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._ended()
        return json.loads(self._read())

    def check(self):
        return self.say("check")

    def erased(self):
        """How many persons so far, by calls that were answered."""
        return self.say("figures")["erased"]

    def mark(self):
        """For a keeper that was just killed: what was acknowledged last, to each caller."""
        return self.say("mark")

    def recovered(self):
        """For one that was started anew: what mark() remembered is there."""
        return self.say("recovered")

    def stop(self):
        report = self.say("stop")
        self.process.stdin.close()
        self.process.wait(timeout=60)
        return report

    def released(self):
        """Grows with every plaintext that is released."""
        self.look()
        return self.log.stat().st_size if self.log.exists() else 0

    def wait_for_release(self, seconds=60):
        before = self.released()
        wait_until(lambda: self.released() > before, seconds, "a plaintext to be released")

    def end(self):
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
