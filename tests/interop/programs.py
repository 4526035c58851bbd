"""The programs that the interop tests use: ours as built, and a verifier in Go on Debian's x/mod."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / os.environ.get("CLOISON_PRESET", "release") / "bin"
sys.path.insert(0, str(ROOT / "tests" / "system"))


def tlog_check():
    """Builds the verifier and returns a function that runs it and gives its report."""
    program = ROOT / "build" / "interop" / "tlog_check"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["go", "build", "-o", str(program), "."], cwd=ROOT / "tests/interop/tlog_check", check=True,
        timeout=300,
        env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
             "GOCACHE": str(program.parent / "go-cache")},
    )

    def run(*arguments, timeout=300):
        done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True,
                              timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    return run
