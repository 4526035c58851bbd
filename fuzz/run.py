#!/usr/bin/env python3
"""Runs the libFuzzer targets one after another and prints a table of what they did.

  fuzz/run.py [TARGET ...]           all targets if none is named; the preset `fuzz` must be built
  fuzz/run.py --merge [TARGET ...]   adds to the committed corpora, smallest first, what was found and
                                     reaches something new, within their bounds

CLOISON_FUZZ_SECONDS (20) is how long each runs, CLOISON_FUZZ_JOBS (1) how many at once. New inputs
go to build/fuzz/found/<target>, a crash to fuzz/corpus/<target>/crash-<digest>, where every replay
meets it from then on. Exit code 1 if a target found something.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "fuzz" / "corpus"
SECONDS = int(os.environ.get("CLOISON_FUZZ_SECONDS", "20"))
JOBS = int(os.environ.get("CLOISON_FUZZ_JOBS", "1"))
# Memory of one target with its sanitizers, in MiB, and of one allocation: an input of a few KiB that
# asks for more is a finding.
MEMORY, ONE_ALLOCATION = 2048, 256
# Freed memory is kept for a while to catch its use; over millions of inputs that adds up to no finding.
QUARANTINE = os.environ.get("ASAN_OPTIONS", "quarantine_size_mb=32")
# Seconds for one input, by the clock on the wall: at low priority beside other work an innocent one waits.
PATIENCE = 60
INTERRUPTED = 72  # libFuzzer's exit code after a signal from outside
# Of the committed corpus of one target: files, and bytes of one.
FILES, LARGEST = 60, 4096


def names():
    return sorted(path.stem for path in (ROOT / "fuzz" / "targets").glob("*.cc"))


def fuzz(name):
    found = BUILD / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    # Stores of the keeper's target are synced at every call; memory does that at no cost.
    shared = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=shared if shared.is_dir() else None) as scratch:
        done = subprocess.run(
            [str(BUILD / "bin" / f"fuzz_{name}"), str(found), str(CORPUS / name),
             f"-max_total_time={SECONDS}", "-max_len=4096", f"-timeout={PATIENCE}", "-print_final_stats=1",
             f"-rss_limit_mb={MEMORY}", f"-malloc_limit_mb={ONE_ALLOCATION}",
             f"-artifact_prefix={CORPUS / name}/"],
            capture_output=True, text=True, errors="replace",
            env={**os.environ, "TMPDIR": scratch, "ASAN_OPTIONS": QUARANTINE},
        )
    words = done.stderr
    runs = re.search(r"number_of_executed_units:\s*(\d+)", words)
    rate = re.search(r"average_exec_per_sec:\s*(\d+)", words)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", words)
    return {
        "name": name, "code": done.returncode, "words": words,
        "runs": int(runs[1]) if runs else 0, "rate": int(rate[1]) if rate else 0,
        "edges": int(covered[-1][0]) if covered else 0, "features": int(covered[-1][1]) if covered else 0,
    }


def merge(name):
    """The committed files stay; of what was found, the smallest files that reach something new come."""
    corpus, found = CORPUS / name, BUILD / "found" / name
    before = sorted(corpus.iterdir())
    with tempfile.TemporaryDirectory(prefix="merge-") as scratch:
        small = pathlib.Path(scratch)
        subprocess.run([str(BUILD / "bin" / f"fuzz_{name}"), "-set_cover_merge=1", "-max_len=4096",
                        f"-artifact_prefix={scratch}/", str(small / "."), str(corpus), str(found)],
                       capture_output=True, check=True)
        known = {path.read_bytes() for path in before}
        new = sorted((path for path in small.iterdir() if path.read_bytes() not in known),
                     key=lambda path: (path.stat().st_size, path.name))
        kept = [path for path in new if path.stat().st_size <= LARGEST][:max(0, FILES - len(before))]
        for path in kept:
            shutil.copy(path, corpus / path.name[:16])
    print(f"{name:20} {len(before):3} files and {len(kept)} more")


def main(chosen):
    merging = chosen[:1] == ["--merge"]
    chosen = chosen[1:] if merging else chosen
    unknown = set(chosen) - set(names())
    if unknown:
        print(f"fuzz/run.py: there is no target {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    if merging:
        for name in chosen or names():
            merge(name)
        return 0
    failed = False
    print(f"{'target':20} {'inputs run':>12} {'a second':>9} {'edges':>7} {'features':>9}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for one in pool.map(fuzz, chosen or names()):
            end = {0: "", INTERRUPTED: "  interrupted"}.get(one["code"], "  FOUND SOMETHING")
            print(f"{one['name']:20} {one['runs']:12,} {one['rate']:9,} {one['edges']:7,} "
                  f"{one['features']:9,}{end}", flush=True)
            if one["code"] != 0 or one["runs"] == 0:
                failed = True
                print("\n".join([*one["words"].splitlines()[-60:], f"(exit code {one['code']})"]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
