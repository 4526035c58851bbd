#!/usr/bin/env python3
"""Canaries with the real program: planted, opened through the desk, shown there within the second;
no thief of a file tells one from anybody else."""
import csv
import os
import re
import sqlite3
import stat
import time
import unittest

from installation import Installation, run
from pages import Browser, demo_accounts

RESIDENTS = 60
PERSONS = 12
COPY = "archive-2026.1"
STORES = {"identity": "identity.sqlite", "casework": "casework.db", "documents": "documents.db"}
FINAL = {"delivered", "refused", "withdrawn"}


def rows(path):
    """Every table of a database: its columns, and its rows."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        tables = {}
        for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            tables[name] = columns, set(connection.execute(f'SELECT * FROM "{name}"'))
        return tables
    finally:
        connection.close()


def shape(row):
    """What a row looks like to whoever holds no key: which columns are filled, how long each is."""
    return tuple(len(value) if isinstance(value, (bytes, str)) else type(value).__name__ for value in row)


class Canary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation(residents=RESIDENTS).start()
        cls.before = {name: rows(cls.here.var / name / file) for name, file in STORES.items()}
        cls.files_before = cls.files()
        cls.list = cls.here.var.parent / "canaries.csv"
        cls.words = run("canary", "plant", "--var", cls.here.var, "--copy", COPY, "--persons", PERSONS,
                        "--list", cls.list)
        cls.after = {name: rows(cls.here.var / name / file) for name, file in STORES.items()}
        cls.files_after = cls.files()
        with cls.list.open(newline="", encoding="utf-8") as file:
            cls.values = list(csv.DictReader(file))
        cls.accounts = demo_accounts(cls.here.var)

    @classmethod
    def tearDownClass(cls):
        cls.here.__exit__()

    @classmethod
    def files(cls):
        """The encrypted documents, by path, with their lengths."""
        return {path: path.stat().st_size for path in cls.here.var.glob("documents/objects/**/*.bin")}

    def browser(self, role, number):
        """Somebody of the staff, signed in at the desk."""
        browser = Browser(self.here.desk_port)
        self.addCleanup(browser.close)
        return browser.sign_in(self.accounts[role][number])

    def plant(self, *arguments):
        return run("canary", "plant", "--var", self.here.var, *arguments, check=False)

    def listed(self, *arguments):
        return run("canary", "list", "--var", self.here.var, *arguments).stdout

    def added(self, store, table):
        columns, new = self.after[store][table]
        return columns, new - self.before[store][table][1]

    def emails(self):
        return [row["value"] for row in self.values if row["field"] == "email"]

    def test_a_plant_says_what_it_did(self):
        self.assertIn(f"{PERSONS} in identity, {PERSONS} in casework, {PERSONS} in documents", self.words.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.list).st_mode), 0o600)
        for compartment in STORES:
            for column in ("number", "person"):
                self.assertEqual(len({row[column] for row in self.values if row["compartment"] == compartment}),
                                 PERSONS, compartment)
        again = self.listed("--copy", COPY, "--values")
        self.assertEqual(self.list.read_text(encoding="utf-8").replace("\r\n", "\n"), again)
        self.assertEqual(len(self.emails()), PERSONS)
        for email in self.emails():
            self.assertRegex(email, r"^[a-z.0-9]+@[a-z-]+\.(an|tp)$")
        self.assertNotIn("document_content", {row["field"] for row in self.values})

    def test_b_bad_input_changes_nothing(self):
        content = self.list.read_bytes()
        planted = self.listed()
        for copy in ["Archive", "a b", "a_b", "x" * 33, "é"]:
            done = self.plant("--copy", copy)
            self.assertEqual(done.returncode, 2, copy)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn("1 to 32 characters", done.stderr)
        self.assertEqual(self.plant("--copy", "").returncode, 2)
        for persons in ["0", "1001", "many"]:
            self.assertEqual(self.plant("--copy", "a", "--persons", persons).returncode, 2)
        again = self.plant("--copy", "a", "--list", self.list)
        self.assertEqual(again.returncode, 2)
        self.assertIn("exists already", again.stderr)
        for domain in ["nodot", "a..fr", ".fr", "Ab.fr"]:
            self.assertEqual(self.plant("--copy", "a", "--mail-domain", domain).returncode, 2, domain)
        self.assertEqual(self.plant().returncode, 2)
        self.assertEqual(self.list.read_bytes(), content)
        self.assertEqual(self.listed(), planted)

    def test_c_the_register_is_for_the_operator(self):
        lines = self.listed("--copy", COPY).splitlines()
        self.assertEqual(len(lines), 3 * PERSONS)
        values = csv.DictReader(self.listed("--values").splitlines())
        self.assertTrue(set(self.emails()) <= {row["value"] for row in values if row["copy"] == COPY})
        for values in ([], ["--values"]):
            nowhere = run("canary", "list", "--var", self.here.var, "--copy", "nowhere", *values)
            self.assertEqual(nowhere.stdout, "")
            self.assertEqual(nowhere.stderr, "No canaries are planted for the copy nowhere.\n")

    def test_d_no_file_tells(self):
        demo = (self.here.var / "demo.json").read_bytes()
        known = [value.encode() for value in
                 {row["value"] for row in self.values if len(row["value"]) >= 12} | {COPY}]
        known = [value for value in known if value not in demo]
        self.assertGreater(len(known), 5 * PERSONS)
        for path in self.here.var.rglob("*"):
            if not path.is_file():
                continue
            content = path.read_bytes()
            for value in known:
                self.assertNotIn(value, content, path)
        register = rows(self.here.var / "keeper" / "persons.sqlite")["canary"][1]
        self.assertEqual(len(register), 3 * PERSONS)
        self.assertEqual(len({len(box) for _, box in register}), 1, "boxes of one size")

    def test_e_no_row_tells(self):
        for store, tables in self.after.items():
            for table, (columns, all_rows) in tables.items():
                ordinary = self.before[store][table][1]
                new = all_rows - ordinary
                # A long surname may be the only one among so few residents: how long a sealed value
                # is, in the classes of its padding, is compared over all fields.
                sealed = columns.index("sealed") if "sealed" in columns else None

                def rest(row, sealed=sealed):
                    return shape(row if sealed is None else row[:sealed] + row[sealed + 1:])
                known = {rest(row) for row in ordinary}
                lengths = {len(row[sealed]) for row in ordinary} if sealed is not None else set()
                for row in new:
                    self.assertIn(rest(row), known, f"{store}.{table}")
                    if sealed is not None:
                        self.assertIn(len(row[sealed]), lengths, f"{store}.{table}")
        columns, accounts = self.added("identity", "account")
        self.assertEqual(len(accounts), PERSONS)
        for column in ("language", "role", "memory_kib", "passes"):
            at = columns.index(column)
            self.assertTrue({row[at] for row in accounts} <=
                            {row[at] for row in self.before["identity"]["account"][1]}, column)
        columns, requests = self.added("casework", "request")
        self.assertEqual(len(requests), PERSONS)
        self.assertTrue({row[columns.index("status")] for row in requests} <= FINAL)
        self.assertEqual({row[columns.index("assigned_to")] for row in requests}, {None})
        columns, documents = self.added("documents", "document")
        self.assertEqual(len(documents), PERSONS)
        self.assertEqual({row[columns.index("state")] for row in documents}, {"available"})
        # What is left to look at is how long the files are.
        new = self.files_after.keys() - self.files_before.keys()
        self.assertEqual(len(new), PERSONS)
        self.assertTrue({self.files_after[path] for path in new} <= set(self.files_before.values()))

    def test_f_opening_one_is_shown_within_the_second(self):
        dpo = self.browser("dpo", 0)
        self.assertNotIn("Canary opened", dpo.get("/alarms").words)
        support = self.browser("support", 0)
        resident = self.accounts["resident"][0]["email"]
        self.open(support, resident)
        self.assertNotIn("Canary opened", dpo.get("/alarms").words, "an ordinary account")
        support_name = self.accounts["support"][0]["name"]

        opened = self.emails()[0]
        self.open(support, opened)
        began = time.monotonic()
        words = dpo.get("/alarms").words
        self.assertLess(time.monotonic() - began, 1)
        self.assertIn(f"Canary opened: an invented person of the copy {COPY}, in the accounts.", words)
        self.assertIn(support_name, words)
        self.assertIn("1 alarm waits to be acknowledged.", words)
        self.assertNotIn(opened, words)
        home = dpo.get("/incidents")
        self.assertIn("1 alarm waits to be acknowledged.", home.words)
        self.assertIn("c-nav__badge", home.text)

        action = re.search(r'action="(/alarms/\d+/acknowledge)"', dpo.get("/alarms").text).group(1)
        self.assertEqual(dpo.post(action, {}).status, 303)
        words = dpo.get("/alarms").words
        self.assertIn("Acknowledged by " + self.accounts["dpo"][0]["name"], words)
        self.assertNotIn("c-nav__badge", dpo.get("/incidents").text)
        self.assertEqual(support.get("/alarms").status, 404)
        self.here.fsck()

        # A restart forgets neither the register nor what was acknowledged.
        self.here.stop()
        self.here.start()
        support = self.browser("support", 1)
        self.open(support, self.emails()[1])
        dpo = self.browser("dpo", 1)
        words = dpo.get("/alarms").words
        self.assertEqual(words.count("Canary opened"), 2)
        self.assertIn("1 alarm waits to be acknowledged.", words)
        self.here.fsck()

    def open(self, support, email):
        """As support does for somebody on the phone; the address is shown."""
        support.get("/support")
        self.assertEqual(support.post("/support", {"email": email}).status, 303)
        support.get("/support/account")
        reply = support.post("/support/account", {"field": "email", "reason": "call"})
        self.assertEqual(reply.status, 200, reply.words)
        self.assertIn(email, reply.words)

    def test_g_the_same_copy_again_adds(self):
        before = len(self.listed("--copy", COPY).splitlines())
        run("canary", "plant", "--var", self.here.var, "--copy", COPY, "--persons", 1,
            "--mail-domain", "courriel.agency.example")
        self.assertEqual(len(self.listed("--copy", COPY).splitlines()), before + 3)
        self.assertIn("@courriel.agency.example", self.listed("--values"))


if __name__ == "__main__":
    unittest.main()
