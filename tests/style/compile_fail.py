#!/usr/bin/env python3
"""Mixing ids of different compartments does not compile.

Each compile_fail/*.cc compiles as it stands, and does not once -DMIX is given.
"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def compiles(source, *flags):
    done = subprocess.run(
        ["g++", "-std=c++20", "-fsyntax-only", f"-I{ROOT / 'src'}", *flags, str(source)],
        capture_output=True, text=True,
    )
    return done.returncode == 0, done.stderr


def main():
    faults, checked = [], 0
    for source in sorted((HERE / "compile_fail").glob("*.cc")):
        good, words = compiles(source)
        if not good:
            faults.append(f"{source.name} should compile without -DMIX:\n{words}")
        bad, _ = compiles(source, "-DMIX")
        if bad:
            faults.append(f"{source.name} compiles with -DMIX, and must not")
        checked += 1
    if checked == 0:
        faults.append("no compile_fail/*.cc found")
    print("\n".join(faults) or f"{checked} mixtures refused by the compiler")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
