#!/usr/bin/env python3
"""Backups of the keeper, rehearsed with the real program: made while it runs, restored, an erased
person stays erased, a destroyed epoch key opens nothing, and nothing is left of what goes wrong."""
import os
import pathlib
import shutil
import unittest

from installation import Installation, run
from keys_test import people, start_keeper, stop_keeper

PERSONS = 12


class Rehearsal(unittest.TestCase):
    def setUp(self):
        self.here = Installation()
        self.addCleanup(self.here.__exit__)
        self.var = self.here.var
        self.directory = self.var.parent
        self.people = self.directory / "people"
        self.key = self.directory / "recovery.key"
        self.recipient = run("backup", "keygen", "--out", self.key).stdout.strip()
        self.to = self.directory / "backups"
        self.keeper = self.start(self.var)
        people("enrol", self.var, PERSONS, self.people)

    def start(self, var):
        keeper, failure = start_keeper(var)
        self.assertEqual(failure, "")
        self.addCleanup(lambda: keeper.poll() is None and keeper.kill() is None and keeper.wait())
        return keeper

    def backup(self):
        """Makes one; (archive, a copy of its escrow)."""
        before = set(self.to.glob("*.backup"))
        out = run("backup", "create", "--to", self.to, "--recipient", self.recipient,
                  "--var", self.var).stdout
        self.assertIn("open for nobody", out.splitlines()[-1])
        (archive,) = set(self.to.glob("*.backup")) - before
        escrow = self.directory / f"escrow-{len(before)}"
        shutil.copy(self.to / "keys.escrow", escrow)
        return archive, escrow

    def restore(self, archive, *options, escrow=None, check=True, name="restored", key=None):
        """Without a newer journal, unless one is among the options."""
        var = self.directory / name
        if "--journal" not in options:
            options += ("--without-newer-journal",)
        done = run("backup", "restore", "--from", archive, "--escrow",
                   escrow or self.to / "keys.escrow", "--key", key or self.key, "--var", var,
                   *options, check=check)
        return var, done

    def opened(self, var):
        """What opens in a restored keeper, asked with the doors' own keys."""
        for service in ("identity", "portal", "desk"):
            shutil.copytree(self.var / service, var / service, dirs_exist_ok=True)
        keeper = self.start(var)
        result = people("open", var, self.people)
        stop_keeper(keeper)
        return result

    def operate(self, var):
        """What the operator asks of a restored keeper, with a key that no backup holds."""
        keeper = self.start(var)
        self.assertIn(f"{PERSONS - 1} persons", run("status", "--var", var).stdout)
        run("keeper", "rotate", "--var", var)
        run("backup", "create", "--to", self.directory / "again", "--recipient", self.recipient,
            "--var", var)
        shutil.rmtree(var / "operator")
        for command in (["status"], ["keeper", "rotate"]):
            self.assertIn("cloison keeper operator-key",
                          run(*command, "--var", var, check=False).stderr)
        run("keeper", "operator-key", "--var", var)
        stop_keeper(keeper)
        keeper = self.start(var)
        run("status", "--var", var)
        key = (var / "operator" / "service.key").read_bytes()
        run("keeper", "operator-key", "--var", var)
        self.assertEqual(key, (var / "operator" / "service.key").read_bytes())
        stop_keeper(keeper)

    def refused(self, archive, says, *options, escrow=None, key=None):
        var, done = self.restore(archive, *options, escrow=escrow, check=False, key=key)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(says, done.stderr)
        self.assertFalse(var.exists(), "something is left behind")
        self.assertEqual(list(self.directory.glob(".restored*")), [])

    def test_a_backup_restores_all_and_a_newer_journal_erases_again(self):
        archive, _ = self.backup()
        verified = run("backup", "verify", "--from", archive, "--escrow", self.to / "keys.escrow",
                       "--key", self.key).stdout
        self.assertIn(f"{PERSONS} persons", verified)
        vkey = run("journal", "key", "--var", self.var).stdout.strip()
        self.assertIn(f"verify key is {vkey}: compare it", verified)
        for path in self.to.iterdir():
            content = path.read_bytes()
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)
            self.assertNotIn((self.var / "keeper" / "root.key").read_bytes().strip(), content)
            self.assertNotIn(b"SQLite format", content)
        people("erase", self.var, self.people, 3)
        stop_keeper(self.keeper)

        older, done = self.restore(archive, name="older")
        self.assertRegex(done.stdout, r"The backup is \d minutes? old, of 20.*: persons who were erased since")
        self.assertEqual(self.opened(older), {"opened": PERSONS, "not_found": 0, "corrupt": 0},
                         "without the newer journal nothing says that anybody was erased")
        newer, done = self.restore(archive, "--journal", self.var / "keeper" / "journal",
                                   name="newer")
        self.assertIn("Erased again, as the journal says: 1 person.", done.stdout)
        self.assertNotIn("are back", done.stdout)
        self.assertEqual(self.opened(newer), {"opened": PERSONS - 1, "not_found": 1, "corrupt": 0})
        run("journal", "fsck", "--var", newer)
        self.operate(newer)

        full = self.restore(archive, check=False, name="newer")[1]
        self.assertIn("is not empty", full.stderr)

    def test_whoever_restores_says_what_becomes_of_those_erased_since(self):
        archive, escrow = self.backup()
        stop_keeper(self.keeper)
        var = self.directory / "unsaid"
        source = ("--from", archive, "--escrow", escrow, "--key", self.key)
        journal = ("--journal", self.var / "keeper" / "journal")
        for options, says in (((), "come back"), ((*journal, "--without-newer-journal"), "exclude")):
            with self.subTest(says):
                done = run("backup", "restore", *source, "--var", var, *options, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--without-newer-journal", done.stderr)
                self.assertIn(says, done.stderr)
                self.assertFalse(var.exists())
        # A look whether it is whole brings nobody back.
        self.assertNotIn("are back", run("backup", "verify", *source).stdout)

    def test_a_backup_of_another_keeper_is_none_of_the_journal_that_is_named(self):
        archive, escrow = self.backup()
        vkey = run("journal", "key", "--var", self.var).stdout.strip()
        file = self.directory / "keeper.vkey"
        file.write_text(vkey + "\n")
        # Same origin, another key, as whoever puts a keeper of their own in its place has.
        other = self.directory / "other"
        run("init", "--var", other)
        others = run("journal", "key", "--var", other).stdout.strip()
        source = ("--from", archive, "--escrow", escrow, "--key", self.key)
        var = self.directory / "named"
        done = run("backup", "restore", *source, "--var", var, "--without-newer-journal", "--verify-key", others,
                   check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"verify key is {vkey}, not {others}", done.stderr)
        self.assertFalse(var.exists())
        done = run("backup", "verify", *source, "--verify-key", "nothing", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--verify-key is no such verify key", done.stderr)
        for key in (vkey, file):
            done = run("backup", "verify", *source, "--verify-key", key)
            self.assertIn("The backup is whole", done.stdout)
            self.assertNotIn("compare", done.stdout)

    def test_a_rotation_ends_older_backups(self):
        old, old_escrow = self.backup()
        run("keeper", "rotate", "--var", self.var)
        new, _ = self.backup()
        self.refused(old, f"{PERSONS} of {PERSONS} persons in this backup are under an epoch key")
        var, _ = self.restore(new)
        self.assertEqual(self.opened(var)["opened"], PERSONS)
        lost, done = self.restore(old, "--accept-lost", name="lost")
        self.assertIn(f"Lost: {PERSONS} persons", done.stdout)
        self.assertEqual(self.opened(lost), {"opened": 0, "not_found": PERSONS, "corrupt": 0})
        # The old escrow, had somebody kept it, is what would open it: it is overwritten.
        self.assertNotEqual(old_escrow.read_bytes(), (self.to / "keys.escrow").read_bytes())
        self.assertEqual(sorted(path.name for path in self.to.iterdir() if path.name[0] == "."), [])

    def test_a_backup_without_a_running_keeper(self):
        people("erase", self.var, self.people, 0)
        stop_keeper(self.keeper)
        archive, _ = self.backup()
        var, _ = self.restore(archive)
        self.assertEqual(self.opened(var)["opened"], PERSONS - 1)

    def test_what_does_not_fit_is_refused_and_leaves_nothing(self):
        archive, _ = self.backup()
        other_key = self.directory / "other.key"
        run("backup", "keygen", "--out", other_key)
        self.refused(archive, "does not open with this recovery key", key=other_key)
        content = archive.read_bytes()
        damaged = self.directory / "damaged.backup"
        for name, bytes_ in (
            ("cut", content[: len(content) // 2]),
            ("cut by a byte", content[:-1]),
            ("altered in the midst",
             content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1])
             + content[len(content) // 2 + 1:]),
            ("longer", content + b"x"),
        ):
            with self.subTest(name):
                damaged.write_bytes(bytes_)
                self.refused(damaged, "was cut or altered")
        damaged.write_bytes(b"no backup")
        self.refused(damaged, "is no backup of a keeper")
        self.refused(self.to / "keys.escrow", "archive and escrow", escrow=archive)
        self.refused(archive, "Cannot open", escrow=self.directory / "nothing")
        with Installation() as other:
            keeper = self.start(other.var)
            run("backup", "create", "--to", self.directory / "others", "--recipient",
                self.recipient, "--var", other.var)
            stop_keeper(keeper)
            self.refused(archive, "belong to different keepers",
                         escrow=self.directory / "others" / "keys.escrow")
        mistyped = self.recipient[:-5] + ("A" if self.recipient[-5] != "A" else "B") \
            + self.recipient[-4:]
        done = run("backup", "create", "--to", self.to, "--recipient", mistyped, "--var", self.var,
                   check=False)
        self.assertEqual(done.returncode, 2)
        again = run("backup", "keygen", "--out", self.key, check=False)
        self.assertEqual(again.returncode, 1, "a recovery key is never overwritten")

    def test_a_rolled_back_journal_is_refused(self):
        stop_keeper(self.keeper)
        older = self.directory / "older-journal"
        shutil.copytree(self.var / "keeper" / "journal", older)
        self.keeper = self.start(self.var)
        people("erase", self.var, self.people, 0)
        archive, _ = self.backup()
        stop_keeper(self.keeper)
        self.refused(archive, "older than the backup", "--journal", older)
        shutil.rmtree(self.var / "keeper" / "journal")
        shutil.copytree(older, self.var / "keeper" / "journal")
        keeper, failure = start_keeper(self.var)
        self.assertIn("The journal was rolled back", failure)


if __name__ == "__main__":
    unittest.main()
