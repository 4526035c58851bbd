#!/usr/bin/env python3
"""`cloison journal` beside a keeper that runs: checkpoints, proofs, exports and a witness's cosignature,
each checked by golang.org/x/mod; bad input is refused with one line and code 2."""
import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from programs import tlog_check  # First: it says where the next one is.
from installation import CLOISON, Installation, free_ports, run, wait_until
from pages import Browser, demo_accounts


def growth(proof):
    """The lines of hashes in a proof of growth, and its two checkpoints."""
    header, _, rest = proof.partition("\n")
    assert header == "cloison/journal-growth@v1", proof
    lines, _, notes = rest.partition("\n") if rest.startswith("\n") else rest.partition("\n\n")
    lines += "\n" if lines else ""
    head, signatures, *after = notes.split("\n\n")
    return lines, f"{head}\n\n{signatures}\n", "\n\n".join(after)


def checkpoint_size(note):
    return int(note.split("\n")[1])


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.check = staticmethod(tlog_check())
        cls.scratch = pathlib.Path(tempfile.mkdtemp(prefix="ci-"))
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.here = Installation(residents=12)
        cls.addClassCleanup(cls.here.__exit__)
        cls.early = cls.journal("checkpoint")
        cls.here.start()
        cls.resident = Browser(cls.here.portal_port).sign_in(demo_accounts(cls.here.var)["resident"][0])
        cls.addClassCleanup(cls.resident.close)
        assert cls.resident.get("/account").status == 200
        wait_until(lambda: checkpoint_size(cls.journal("checkpoint")) > checkpoint_size(cls.early), 30,
                   "a published line")
        cls.vkey = cls.write("vkey", cls.journal("key"))

    @classmethod
    def journal(cls, *arguments):
        return run("journal", *arguments, "--var", cls.here.var).stdout

    @classmethod
    def write(cls, name, text):
        path = cls.scratch / name
        path.write_text(text)
        return path

    def refused(self, *arguments, code=2):
        done = run("journal", *arguments, "--var", self.here.var, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        return done.stderr

    def test_lines_are_proved(self):
        size = checkpoint_size(self.journal("checkpoint"))
        for index in {0, size // 2, size - 1}:
            proof = self.write("proof", self.journal("prove", index))
            self.assertEqual(self.check("proof", proof, self.vkey)["index"], index)
            for key in (self.vkey.read_text().strip(), self.vkey):
                run("journal", "verify", proof, "--key", key)
        # In a smaller journal, and against a checkpoint that was kept.
        proof = self.write("proof", self.journal("prove", 2, "--size", 3))
        self.check("proof", proof, self.vkey)
        self.assertIn("\n3\n", proof.read_text())
        kept = self.write("kept", self.early)
        proof = self.write("proof", self.journal("prove", 2, "--checkpoint", kept))
        self.check("proof", proof, self.vkey)
        self.assertTrue(proof.read_text().endswith("\n\n" + self.early))

    def test_the_proof_that_a_resident_saves_is_checked_elsewhere(self):
        """The file as the portal hands it out, by a program that shares no line with ours."""
        links = [link for link in self.resident.get("/disclosures").links if link.endswith("/proof")]
        self.assertTrue(links)
        for link in (links[0], links[-1]):
            answer = self.resident.get(link)
            self.assertEqual(answer.status, 200, link)
            index = int(link.split("/")[2])
            self.assertIn(f'filename="cloison-{index}.tlog-proof.txt"', answer.headers["Content-Disposition"])
            saved = self.scratch / "saved"
            saved.write_bytes(answer.body)
            self.assertEqual(self.check("proof", saved, self.vkey)["index"], index)
            # A character changed in any line: entry, hashes, checkpoint, signature.
            lines = answer.body.decode().splitlines(keepends=True)
            for at, line in enumerate(lines):
                if not line.strip():
                    continue
                place = len(line) // 2
                changed = line[:place] + ("A" if line[place] != "A" else "B") + line[place + 1:]
                altered = self.write("altered", "".join([*lines[:at], changed, *lines[at + 1:]]))
                with self.subTest(link=link, line=at):
                    with self.assertRaises(AssertionError):
                        self.check("proof", altered, self.vkey)
                    self.assertEqual(run("journal", "verify", altered, "--key", self.vkey,
                                         check=False).returncode, 1)

    def test_growth_is_proved(self):
        old, new = self.write("old", self.early), self.write("new", self.journal("checkpoint"))
        sizes = checkpoint_size(old.read_text()), checkpoint_size(new.read_text())
        printed = self.write("growth", self.journal("prove", "--from", sizes[0], "--to", sizes[1]))
        lines, *notes = growth(printed.read_text())
        for kept, note in zip((old, new), notes):
            self.assertEqual(kept.read_text().split("\n\n")[0], note.split("\n\n")[0])
        for line in lines.split():
            self.assertEqual(len(base64.b64decode(line, validate=True)), 32)
        report = self.check("consistency", self.write("lines", lines), old, new, self.vkey)
        self.assertEqual((report["old"], report["new"]), sizes)
        self.check("consistency", self.write("lines", lines), self.write("before", notes[0]),
                   self.write("after", notes[1]), self.vkey)
        # The proof alone is enough, also where there is nothing between the two sizes.
        for first, last in ((sizes[0], sizes[1]), (0, 2), (2, 2), (1, 2)):
            printed = self.write("growth", self.journal("prove", "--from", first, "--to", last))
            told = run("journal", "verify", printed, "--key", self.vkey).stdout
            self.assertIn(f"from {first} line{'' if first == 1 else 's'} to {last}:", told)
        forged = self.write("forged", printed.read_text().replace("\n2\n", "\n3\n"))
        self.assertEqual(run("journal", "verify", forged, "--key", self.vkey, check=False).returncode, 1)

    def test_an_export_is_a_standard_log(self):
        to = self.scratch / "export"
        self.assertIn("Exported 3 lines", self.journal("export", "--to", to, "--upto", 3))
        self.assertEqual(self.check("log", to, self.vkey)["entries"], 3)
        before = checkpoint_size(self.journal("checkpoint"))
        self.assertIn("(3 were there)", self.journal("export", "--to", to))
        report = self.check("log", to, self.vkey)
        self.assertGreaterEqual(report["entries"], before)
        self.assertIn("holds", self.refused("export", "--to", to, "--upto", 3))

    def test_fsck_finds_an_older_copy(self):
        kept = self.write("kept", self.journal("checkpoint"))
        size = checkpoint_size(kept.read_text())
        self.journal("fsck", "--at-least", size, "--against", kept)
        self.assertIn("older copy", self.refused("fsck", "--at-least", size + 1_000_000, code=1))
        done = run("journal", "fsck", "--json", "--at-least", size + 1_000_000, "--var", self.here.var,
                   check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(json.loads(done.stdout)["error"], done.stderr)
        copy = self.here.var.parent / "older"
        shutil.copytree(self.here.var, copy, ignore=shutil.ignore_patterns("run"))
        shutil.rmtree(copy / "keeper/journal")
        # A journal of its own making, with the same keys: sound, and not the one that was kept.
        done = run("journal", "fsck", "--var", copy, check=False)
        self.assertEqual(done.returncode, 1)
        shutil.rmtree(copy)

    def test_bad_input_is_refused(self):
        foreign = self.scratch / "foreign"
        foreign.mkdir()
        (foreign / "letter").write_text("dear")
        other = self.write("other", "example.org/other\n3\n" + "A" * 43 + "=\n\n\u2014 x AAAAAAAA\n")
        for arguments in (
            ["prove"], ["prove", 1, "--from", 1], ["prove", 1, "--to", 2], ["prove", "--from", 1, "--size", 2],
            ["prove", 1, "--size", 2, "--checkpoint", other], ["prove", 1, "--checkpoint", other],
            ["prove", 10**9], ["prove", 1, "--size", 10**9], ["prove", 5, "--size", 3],
            ["prove", "--from", 3, "--to", 2], ["prove", "--from", 1, "--to", 10**9],
            ["export", "--to", foreign], ["export", "--to", foreign / "letter"], ["export", "--to", self.here.var / "keeper/journal"],
            ["export", "--to", self.scratch / "x", "--upto", 10**9],
            ["fsck", "--against", other],
        ):
            self.refused(*arguments)
        for arguments in (["prove", "one"], ["prove", "-1"], ["prove", 1, "--size", "x"], ["export"],
                          ["fsck", "--at-least", "many"]):
            done = run("journal", *arguments, "--var", self.here.var, check=False)
            self.assertEqual(done.returncode, 2, arguments)
        self.assertEqual([path.name for path in foreign.iterdir()], ["letter"])
        self.assertIn("either", self.refused("prove", 1, "--from", 1))
        most = 2**64 - 1
        for number in ("-1", most + 1, 10**20):
            for arguments in (["prove", number], ["prove", "--from", number], ["prove", "--from", 1, "--to", number],
                              ["prove", 1, "--size", number], ["export", "--to", foreign, "--upto", number],
                              ["fsck", "--at-least", number]):
                done = run("journal", *arguments, "--var", self.here.var, check=False)
                self.assertEqual(done.returncode, 2, arguments)
                self.assertIn(f'takes a whole number from 0 to {most}, not "{number}"', done.stderr, arguments)
        # The largest is one like any other, and a zero before a number says nothing.
        self.assertIn(f"there were {most}", self.refused("fsck", "--at-least", most, code=1))
        self.assertIn(str(most), self.refused("prove", most))
        self.assertIn("\nindex 10\n", self.journal("prove", "010", "--size", 11))
        proof = self.write("proof", self.journal("prove", 0))
        key = self.vkey.read_text().strip()
        for option, arguments in (("--key", ["--key", "bad"]), ("--witness", ["--key", key, "--witness", "bad"]),
                                  ("--key", ["--key", proof])):
            done = run("journal", "verify", proof, *arguments, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(option, done.stderr)

    def test_a_witness_cosigns_over_http(self):
        directory, port = self.scratch / "witness", free_ports(1)[0]
        witness = run("witness", "init", "--dir", directory, "--name", "witness.example.net").stdout
        run("witness", "add-log", "--dir", directory, self.vkey.read_text().strip())
        server = subprocess.Popen(
            [str(CLOISON), "witness", "--dir", str(directory), "--listen", f"127.0.0.1:{port}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            self.assertIn("listens", server.stdout.readline())
            old = 0
            for note in (self.early, self.journal("checkpoint")):
                size = checkpoint_size(note)
                lines = growth(self.journal("prove", "--from", old, "--to", size))[0]
                body = f"old {old}\n{lines}\n{note}".encode()
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/add-checkpoint", body,
                                            timeout=30) as answer:
                    cosigned = self.write("cosigned", note + answer.read().decode())
                report = self.check("cosigned", cosigned, self.vkey, self.write("witness.vkey", witness))
                self.assertGreater(report["time"], 1_700_000_000)
                # A line proved against it carries the cosignature along.
                proof = self.write("proof", self.journal("prove", 1, "--checkpoint", cosigned))
                self.check("proof", proof, self.vkey)
                verified = run("journal", "verify", proof, "--key", self.vkey.read_text().strip(),
                               "--witness", witness.strip(), "--quorum", 1)
                self.assertIn("Cosigned by witness.example.net", verified.stdout)
                old = size
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


if __name__ == "__main__":
    unittest.main()
