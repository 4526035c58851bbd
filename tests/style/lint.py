#!/usr/bin/env python3
"""clang-tidy with the curated checks of .clang-tidy over every source of src/, two at a time.

Needs build/<preset>/compile_commands.json; the release preset's is made if there is none.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lint(build, path):
    done = subprocess.run(
        ["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", str(build), path], capture_output=True, text=True, cwd=ROOT
    )
    return path, done.returncode, done.stdout


def main():
    build = ROOT / "build" / "release"
    if not (build / "compile_commands.json").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    # Sources include generated contracts.
    subprocess.run(
        ["cmake", "--build", str(build), "--target", "generated"], check=True, stdout=subprocess.DEVNULL
    )
    commands = json.loads((build / "compile_commands.json").read_text())
    sources = sorted(
        {c["file"] for c in commands if c["file"].startswith(str(ROOT / "src")) and "_test.cc" not in c["file"]}
    )
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for path, code, words in pool.map(lambda s: lint(build, s), sources):
            if code != 0:
                wrong += 1
                print(words.strip())
    print(f"{len(sources)} sources linted, {wrong} with faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
