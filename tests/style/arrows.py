#!/usr/bin/env python3
"""Holds every #include of src/ against the arrows that the folders declare.

A folder may include its own headers and those of the folders named after ARROWS in its
CMakeLists.txt. Boost's HTTP, gRPC, OpenSSL and database-driver headers may not stand in any header,
and Beast and gRPC only in the sources of net/.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
HIDDEN = re.compile(r"^(boost/|grpc|grpcpp|openssl/|SQLiteCpp/|sqlite3|pqxx/|sodium|p11-kit/)")
NET_ONLY = re.compile(r"^(boost/beast|boost/asio|grpc)")


def folders():
    """Folder path (relative to src/) -> (target, declared arrows)."""
    found = {}
    for path in sorted(SRC.rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        match = re.search(r"cloison_folder\(\s*(\w+)([^)]*)\)", text)
        if not match:
            continue
        words = re.sub(r"\$\{[^}]*\}", "", match.group(2)).split()
        arrows, in_arrows = [], False
        for word in words:
            if word in ("ARROWS", "USES", "TEST_USES"):
                in_arrows = word == "ARROWS"
            elif in_arrows:
                arrows.append(word)
        test_uses = re.search(r"TEST_USES([^)]*)", match.group(2))
        tests = re.findall(r"cloison_(\w+)", test_uses.group(1)) if test_uses else []
        found[path.parent.relative_to(SRC).as_posix()] = (match.group(1), arrows, tests)
    return found


def target_of(included, known):
    """The target that owns an included path, by the longest folder that fits."""
    parts = included.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        folder = "/".join(parts[:length])
        if folder in known:
            return known[folder][0]
    return None


def main():
    known = folders()
    arrows_of = {target: arrows for target, arrows, _ in known.values()}
    faults = []
    for folder, (target, arrows, tests) in known.items():
        for path in sorted((SRC / folder).iterdir()):
            if path.suffix not in (".h", ".cc"):
                continue
            is_test = path.name.endswith(("_test.cc", "_for_test.h")) or path.name.startswith("test_")
            for quote, included in INCLUDE.findall(path.read_text()):
                where = f"{path.relative_to(ROOT)} includes {included}"
                if path.suffix == ".h" and HIDDEN.match(included) and not path.name.endswith(
                        ("_connection.h", "_session.h")):
                    faults.append(f"{where}: such types stay in sources")
                if NET_ONLY.match(included) and target != "net":
                    faults.append(f"{where}: only net/ may")
                if quote == "<":
                    continue
                if included.startswith("cloison/"):
                    if "proto" not in arrows:
                        faults.append(f"{where}: {folder} declares no arrow to proto")
                    continue
                owner = target_of(included, known)
                if owner is None:
                    if "/" in included and not (SRC / included).exists():
                        continue  # generated in the build tree
                    faults.append(f"{where}: write the path from src/")
                elif owner != target and owner not in arrows and not (is_test and owner in tests):
                    faults.append(f"{where}: {folder} declares no arrow to {owner}")
    # The declared arrows run one way.
    order, seen = [], {}

    def visit(name, trail):
        if seen.get(name) == "done" or name == "proto":
            return
        if name in trail:
            faults.append("arrows run in a circle: " + " -> ".join(trail + [name]))
            return
        for arrow in arrows_of.get(name, []):
            visit(arrow, trail + [name])
        seen[name] = "done"
        order.append(name)

    for target in arrows_of:
        visit(target, [])
    print("\n".join(sorted(set(faults))) or f"{len(known)} folders, every include has its arrow")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
