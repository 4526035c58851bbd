#!/usr/bin/env python3
"""The contracts of proto/ are public: all of them is said in words, and numbers never change.

- every service, method, message and enum has a comment before it, every field before or beside it
- tests/style/proto_numbers.txt records the number, type and label of every field, the number of every
  enum value, and the messages of every method. What stands there must stay as it is; what is new must
  be recorded, by `tests/style/proto.py --record`, which only adds

A contract that is for tests alone (cloison.testing) is not public.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "tests" / "style" / "proto_numbers.txt"
PACKAGE = re.compile(r"^package ([\w.]+);$")
OPENING = re.compile(r"^(service|message|enum|oneof) (\w+) \{(\})?(\s*//.*)?$")
METHOD = re.compile(r"^rpc (\w+)\((\w+)\) returns \((\w+)\);(\s*//.*)?$")
FIELD = re.compile(r"^(repeated |optional )?([\w.]+) (\w+) = (\d+);(\s*//.*)?$")
VALUE = re.compile(r"^(\w+) = (\d+);(\s*//.*)?$")
RESERVED = re.compile(r"^reserved [\d, ]+;(\s*//.*)?$")


def read(path):
    """Facts to be recorded, and what lacks a comment or is not understood."""
    facts, faults, scope, package = {}, [], [], ""
    commented = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        place = f"{path.relative_to(ROOT)}:{number}"
        if not text or text.startswith("//"):
            # An empty line parts a comment from what follows.
            commented = text.startswith("//")
            continue
        name = ".".join([package, *(word for kind, word in scope if kind != "oneof")])
        beside = commented or "//" in text

        def want(has, what):
            if not has:
                faults.append(f"{place}: {what} has no comment")

        if found := PACKAGE.match(text):
            package = found[1]
        elif found := OPENING.match(text):
            want(beside, f"{found[1]} {found[2]}")
            if not found[3]:
                scope.append((found[1], found[2]))
        elif text == "}":
            scope.pop()
        elif found := METHOD.match(text):
            want(beside, f"method {found[1]}")
            facts[f"{name}/{found[1]}"] = f"{found[2]} -> {found[3]}"
        elif scope and scope[-1][0] == "enum" and (found := VALUE.match(text)):
            want(beside, f"value {found[1]}")
            facts[f"{name}.{found[1]}"] = found[2]
        elif scope and (found := FIELD.match(text)):
            want(beside, f"field {found[3]}")
            facts[f"{name}.{found[3]}"] = f"{found[4]} {found[1] or ''}{found[2]}"
        elif not (text.startswith(("syntax ", "import ")) or RESERVED.match(text)):
            faults.append(f"{place}: not understood by this check: {text}")
        commented = False
    return facts, faults


def main(recording):
    facts, faults = {}, []
    for path in sorted((ROOT / "proto").rglob("*.proto")):
        if "testing" in path.parts:
            continue
        found, wrong = read(path)
        facts.update(found)
        faults += wrong
    recorded = {}
    if RECORD.exists():
        recorded = dict(line.split(" = ", 1) for line in RECORD.read_text().splitlines())
    for name, fact in recorded.items():
        if name not in facts:
            faults.append(f"{name} = {fact} is gone: what was in a contract stays in it (proto/README.md)")
        elif facts[name] != fact:
            faults.append(f"{name} was {fact} and is {facts[name]}: numbers and types never change")
    new = sorted(set(facts) - set(recorded))
    if new and recording:
        RECORD.write_text("".join(f"{name} = {fact}\n" for name, fact in sorted({**facts, **recorded}.items())))
        print(f"{len(new)} recorded")
    elif new:
        faults.append(f"{len(new)} not recorded yet, {new[0]} first: tests/style/proto.py --record")
    print("\n".join(faults) or f"{len(facts)} numbers and methods are as recorded, all with words")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--record"]))
