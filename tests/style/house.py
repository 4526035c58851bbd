#!/usr/bin/env python3
"""Small rules of the house that a script can check.

- every *_test.cc, every tests/system/*_test.py and tests/browser/*.test.mjs is run by ./test
- headers begin with #pragma once; no unfinished marks; no tests switched off; no sleeping tests
- no file of Cloison's names a registry host or a private path
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|\bDISABLED_|\bit\.skip\(|\btest\.skip\(")
SLEEPS = re.compile(r"sleep_for|\busleep\(|\bnanosleep\(|time\.sleep\(|waitForTimeout|setTimeout\(")
HOSTS = re.compile(r"registry\.npmjs|deb\.debian\.org|https?://[\w.]*npmjs\.org")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def main():
    faults = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".png", ".ico", ".woff2") or name == "LICENSE":
            continue
        text = path.read_text(errors="replace")
        if name == "tests/style/house.py":
            continue
        if path.suffix == ".h" and not text.lstrip().startswith("#pragma once"):
            faults.append(f"{name}: a header begins with #pragma once")
        if path.suffix in (".cc", ".h", ".ts", ".mjs", ".py", ".sql", ".sh", ".proto"):
            for number, line in enumerate(text.splitlines(), 1):
                if MARKS.search(line):
                    faults.append(f"{name}:{number}: an unfinished mark or a test switched off")
        if name.endswith(("_test.cc", "_test.py", ".test.mjs")):
            for number, line in enumerate(text.splitlines(), 1):
                if SLEEPS.search(line):
                    faults.append(f"{name}:{number}: tests wait for what they need, they do not sleep")
        if HOSTS.search(text):
            faults.append(f"{name}: names the host of a package registry")
        if name.endswith("_test.cc") and not name.startswith("src/"):
            faults.append(f"{name}: unit tests stand beside the code in src/")
        if name.endswith("_test.cc") and not (path.parent / "CMakeLists.txt").exists():
            faults.append(f"{name}: no CMakeLists.txt makes a test program of it")
    print("\n".join(faults) or "the house is in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
