#!/usr/bin/env python3
"""Every C++ file is as clang-format leaves it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    files = [
        str(p)
        for folder in ("src", "bench", "fuzz", "tests")
        for p in sorted((ROOT / folder).rglob("*"))
        if p.suffix in (".h", ".cc") and "node_modules" not in p.parts
    ]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    for path in wrong:
        print(f"{pathlib.Path(path).relative_to(ROOT)}: run clang-format -i on it")
    if not wrong:
        print(f"{len(files)} files formatted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
