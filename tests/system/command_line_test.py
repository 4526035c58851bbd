#!/usr/bin/env python3
"""What the command line says to whoever mistypes: one form for every error, in the words of the
options, and the code 2. No service runs."""
import subprocess
import unittest

from installation import CLOISON, Installation, run


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation()
        cls.addClassCleanup(cls.here.__exit__)

    def refused(self, *arguments):
        done = run(*arguments, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("cloison: "), done.stderr)
        return done.stderr

    def test_what_is_unknown_is_named(self):
        self.assertIn('no subcommand "nonsense"', self.refused("nonsense"))
        self.assertIn('no subcommand "nonsense"', self.refused("journal", "nonsense"))
        self.assertIn("A subcommand is required", self.refused())
        self.assertIn("A subcommand is required", self.refused("journal"))
        self.assertIn("--nonsense", self.refused("status", "--nonsense"))
        self.assertIn("--to is required", self.refused("journal", "export"))
        self.assertIn("takes a whole number",
                      self.refused("journal", "verify", "x", "--key", "x", "--quorum", "-1"))
        self.assertIn("Usage", run("--help").stdout)

    def test_an_empty_value_is_refused_for_every_option_that_takes_one(self):
        witness, source = ["--dir", "w"], ["--from", "a", "--escrow", "e", "--key", "k"]
        staff = ["staff", "add", "--role", "officer", "--email", "a@example.org", "--name", "A", "--unit", "U"]

        def without(words, option):
            at = words.index(option)
            return words[:at] + words[at + 2:]
        for command, option in (
            *(([name], "--var") for name in (
                "status", "init", "keeper", "identity", "casework", "documents", "portal", "desk",
                "outbox", "serve", "population")),
            (["journal", "fsck"], "--var"), (["journal", "key"], "--var"), (["drill", "link"], "--var"),
            (["backup", "restore", *source], "--var"), (["keeper", "rotate"], "--var"),
            (["canary", "list"], "--var"), (staff, "--var"),
            (["journal", "export"], "--to"), (["journal", "fsck"], "--against"),
            (["journal", "prove", "1"], "--checkpoint"), (["journal", "verify", "x"], "--key"),
            (["journal", "verify", "x", "--key", "k"], "--witness"),
            (["backup", "keygen"], "--out"), (["backup", "create", "--recipient", "r"], "--to"),
            (["backup", "create", "--to", "t"], "--recipient"),
            *((["backup", what, *without(source, option)], option)
              for what in ("restore", "verify") for option in ("--from", "--escrow", "--key")),
            (["backup", "restore", *source], "--journal"), (["backup", "verify", *source], "--journal"),
            (["witness"], "--dir"), (["witness", "init", "--name", "n"], "--dir"),
            (["witness", "list-logs"], "--dir"), (["witness", "init", *witness], "--name"),
            (["witness", *witness], "--listen"), (["init"], "--journal-origin"),
            (["keeper", "move-root", "--to", "file"], "--pkcs11-token"),
            (["canary", "plant", "--copy", "c"], "--list"),
            (["canary", "plant", "--copy", "c"], "--mail-domain"), (["canary", "list"], "--copy"),
            *((without(staff, option), option) for option in ("--email", "--name", "--unit")),
        ):
            with self.subTest(" ".join([*command, option])):
                self.assertIn(f"{option}: takes a value, and an empty one was given",
                              self.refused(*command, option, ""))
        self.assertIn("proof: takes a value", self.refused("journal", "verify", "", "--key", "k"))
        self.assertIn("vkey: takes a value", self.refused("witness", "add-log", *witness, ""))

    def test_without_a_scanner_is_said_with_an_empty_address(self):
        var = self.here.var.parent / "unscanned"
        run("init", "--var", var, "--clamd", "")
        self.assertIn('clamd = ""', (var / "cloison.toml").read_text())

    def test_a_number_that_does_not_fit_is_refused_with_the_bound(self):
        most = 2**64 - 1
        few = run("drill", "link", "--var", self.here.var, "--seed", most, check=False)
        self.assertNotIn("whole number", few.stderr)
        for command in (["drill", "link", "--seed"], ["population", "--seed"],
                        ["journal", "verify", "x", "--key", "x", "--quorum"], ["journal", "fsck", "--at-least"]):
            with self.subTest(command):
                self.assertIn(f'takes a whole number from 0 to {most}, not "{most + 1}"',
                              self.refused(*command, most + 1))
        # A zero in front does not make it octal.
        self.assertIn("not in range", self.refused("init", "--var", self.here.var, "--portal-port", "0"))
        var = self.here.var.parent / "decimal"
        run("init", "--var", var, "--portal-port", "010080")
        self.assertIn("portal_port = 10080\n", (var / "cloison.toml").read_text())

    def test_what_the_system_refuses_unforeseen_is_one_line_and_no_abort(self):
        gone = self.here.var.parent / "gone"
        gone.mkdir()
        done = subprocess.run(["sh", "-c", f'rmdir "$PWD" && exec "{CLOISON}" status'], cwd=gone,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"\Acloison: .*No such file or directory.*\n\Z")

    def test_a_directory_that_is_none_is_named(self):
        nowhere = self.here.var / "nowhere"
        for command in (["status"], ["serve"], *(["journal", *words] for words in (
                ["key"], ["fsck"], ["checkpoint"], ["prove", "1"], ["export", "--to", "t"]))):
            with self.subTest(command):
                done = run(*command, "--var", nowhere, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"{nowhere}/cloison.toml is missing", done.stderr)

    def test_a_member_of_staff_has_an_address_and_a_name(self):
        def add(email="a@example.org", name="A", unit="U", role="officer", *more):
            return self.refused("staff", "add", "--var", self.here.var, "--role", role, "--email", email,
                                "--name", name, "--unit", unit, *more)
        long_address = "a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".fr"
        for email in ("notanaddress", "a@", "@example.org", "a b@example.org", "a@b\n@c.fr", long_address):
            self.assertIn("--email takes an address", add(email), email)
        self.assertIn("--name must have 1 to 200 bytes", add(name="n" * 201))
        self.assertIn("--name must be one line", add(name="a\nb"))
        self.assertIn("--unit must have 1 to 200 bytes", add(unit="u" * 201))
        self.assertIn("--acts-for-anyone goes with --role professional",
                      add("a@example.org", "A", "U", "officer", "--acts-for-anyone"))

    def test_matching_too_few_proves_nothing_and_says_so(self):
        few = run("drill", "link", "--residents", 5, check=False, timeout=600)
        self.assertEqual(few.returncode, 1, few.stdout)
        self.assertIn("nothing is proved", few.stdout)
        self.assertNotIn("no two stores link", few.stdout)
        self.assertIn("proves nothing", few.stderr)
        nowhere = run("drill", "link", "--var", self.here.var / "nowhere", check=False)
        self.assertNotEqual(nowhere.returncode, 0)
        self.assertIn("cloison.toml", nowhere.stderr)


if __name__ == "__main__":
    unittest.main()
