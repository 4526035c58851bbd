"""A Cloison of its own for a test: a directory, free ports, the services as real processes."""
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLOISON = ROOT / "build" / os.environ.get("CLOISON_PRESET", "release") / "bin" / "cloison"


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    held = []
    for _ in range(count):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        held.append(listener)
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


def run(*arguments, check=True, timeout=600, **options):
    """Runs cloison with arguments; the completed process, text streams."""
    done = subprocess.run(
        [str(CLOISON), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options
    )
    if check and done.returncode != 0:
        raise AssertionError(f"cloison {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")
    return done


def wait_until(condition, seconds, what):
    """Polls a real state of a real process until it holds; fails saying what was waited for."""
    deadline = time.monotonic() + seconds
    nothing, other_end = os.pipe()
    try:
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            select.select([nothing], [], [], 0.02)
    finally:
        os.close(nothing)
        os.close(other_end)
    raise AssertionError(f"not within {seconds} s: {what}")


class Installation:
    """Use as a context manager. `residents` > 0 makes a demo population."""

    def __init__(self, residents=0, seed=1, clamd=""):
        # Short: a Unix socket's path has at most 107 bytes.
        self.var = pathlib.Path(tempfile.mkdtemp(prefix="cl-")) / "var"
        self.portal_port, self.desk_port, self.outbox_port = free_ports(3)
        self.server = None
        run("init", "--var", self.var, "--portal-port", self.portal_port, "--desk-port", self.desk_port,
            "--outbox-port", self.outbox_port, *(["--clamd", clamd] if clamd else []))
        if residents:
            run("population", "--var", self.var, "--residents", residents, "--seed", seed)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.var.parent, ignore_errors=True)

    @property
    def portal(self):
        return f"http://127.0.0.1:{self.portal_port}"

    @property
    def desk(self):
        return f"http://127.0.0.1:{self.desk_port}"

    def start(self):
        """Starts `cloison serve` and waits for its word that all runs. After a kill, starts anew."""
        self.forget_killed()
        self.log = open(self.var.parent / "serve.log", "ab")
        self.server = subprocess.Popen(
            [str(CLOISON), "serve", "--demo", "--var", str(self.var)],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        for line in self.server.stdout:
            if "outbox" in line:
                return self
        self.server.wait()
        self.server.stdout.close()
        self.log.close()
        self.server = None
        raise AssertionError("serve ended: " + (self.var.parent / "serve.log").read_text())

    def forget_killed(self):
        if self.server is not None:
            self.server.stdout.close()
            self.log.close()
            self.server = None

    def stop(self):
        """Ctrl-C; returns the exit code."""
        if self.server is None:
            return None
        self.server.send_signal(signal.SIGINT)
        try:
            code = self.server.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            raise
        finally:
            self.server.stdout.close()
            self.log.close()
            self.server = None
        return code

    def state(self):
        return json.loads((self.var / "run" / "serve.json").read_text())

    def pid(self, service):
        return next(s["pid"] for s in self.state()["services"] if s["name"] == service)

    def log_text(self):
        return (self.var.parent / "serve.log").read_text()

    def fsck(self):
        """Report of `journal fsck`; fails unless the journal is whole."""
        return json.loads(run("journal", "fsck", "--json", "--var", self.var).stdout)
