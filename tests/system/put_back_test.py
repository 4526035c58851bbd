#!/usr/bin/env python3
"""An older copy of a compartment's database is put back, as somebody would who can write the files: the
journal has an alarm, the desk shows it, and restarts and kills alone raise none."""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import unittest

from installation import Installation, run, wait_until
from pages import Browser, demo_accounts

FILES = {"identity": "identity.sqlite", "casework": "casework.db", "documents": "documents.db"}


class PutBack(unittest.TestCase):
    def setUp(self):
        self.here = Installation(residents=10)
        self.addCleanup(self.here.__exit__)
        self.accounts = demo_accounts(self.here.var)

    def file(self, store):
        return self.here.var / store / FILES[store]

    def number(self, store):
        connection = sqlite3.connect(f"file:{self.file(store)}?mode=ro", uri=True, timeout=30)
        try:
            found = connection.execute("SELECT number FROM generation").fetchone()
            return found[0] if found else 0
        finally:
            connection.close()

    def numbers(self):
        return {store: self.number(store) for store in FILES}

    def start(self):
        """Until every compartment has told the keeper what it found: only then it moves on."""
        before = self.numbers()
        self.here.start()
        self.wait_for_more(before)

    def wait_for_more(self, before):
        wait_until(lambda: all(self.number(store) > before[store] for store in FILES), 30,
                   f"higher numbers than {before}")

    def alarms(self):
        return json.loads(run("status", "--json", "--var", self.here.var).stdout)["keeper"]["alarms"]

    def browser(self, account):
        browser = Browser(self.here.desk_port)
        self.addCleanup(browser.close)
        return browser.sign_in(account)

    def keep(self, store):
        """A copy of the database of services that stand still, with what SQLite has beside it."""
        kept = self.here.var.parent / f"kept-{store}"
        kept.mkdir()
        for path in self.file(store).parent.glob(FILES[store] + "*"):
            shutil.copy2(path, kept)
        return kept

    def put_back(self, store, kept):
        for path in self.file(store).parent.glob(FILES[store] + "*"):
            path.unlink()
        for path in pathlib.Path(kept).iterdir():
            shutil.copy2(path, self.file(store).parent)

    def test_a_disabled_account_does_not_come_back_unseen(self):
        officer = self.accounts["officer"][0]
        self.start()
        self.here.stop()
        kept = self.keep("identity")
        self.start()
        administrator = self.browser(self.accounts["administrator"][0])
        staff = administrator.get("/staff").text
        row = next(row for row in re.split(r"<tr", staff) if officer["name"] in row)
        action = re.search(r"/staff/[0-9a-f]+/disable", row).group(0)
        self.assertEqual(administrator.get(action).status, 200)
        self.assertEqual(administrator.post(action, {}).status, 303)
        with self.assertRaises(AssertionError):
            self.browser(officer)
        # Within the minute: a stop moves the database on, too.
        self.here.stop()
        self.put_back("identity", kept)

        self.start()
        self.browser(officer)
        self.assertEqual(self.alarms(), 1)
        self.assertIn("warning identity: The database is older than it was", self.here.log_text())
        dpo = self.browser(self.accounts["dpo"][0])
        words = dpo.get("/alarms").words
        self.assertIn("A database was replaced by an earlier copy", words)
        self.assertIn("(identity store put back)", words)
        dpo.close()
        french = Browser(self.here.desk_port, language="fr")
        self.addCleanup(french.close)
        french.sign_in(self.accounts["dpo"][1])
        self.assertIn("Une base de données a été remplacée", french.get("/alarms").words)
        self.here.stop()
        self.start()
        self.assertEqual(self.alarms(), 1, "told once")
        self.here.stop()
        self.here.fsck()

    def test_every_compartment_is_watched(self):
        self.start()
        self.here.stop()
        kept = {store: self.keep(store) for store in FILES}
        self.start()
        self.here.stop()
        for store, copy in kept.items():
            self.put_back(store, copy)
        self.start()
        self.assertEqual(self.alarms(), len(FILES))
        for store in FILES:
            self.assertIn(f"Alarm in the journal: {store} store put back", self.here.log_text())
        self.here.stop()
        # None at all is older than any.
        empty = self.here.var.parent / "empty"
        empty.mkdir()
        self.put_back("documents", empty)
        self.here.start()
        wait_until(lambda: self.alarms() == len(FILES) + 1, 30, "an alarm for a database that is gone")

    def test_restarts_and_kills_raise_nothing(self):
        self.start()
        for _ in range(2):
            self.here.stop()
            self.start()
        for service in [*FILES, "keeper", *FILES]:
            before, pid = self.numbers(), self.here.pid(service)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.here.pid(service) not in (0, pid), 30, f"{service} to run again")
            if service in FILES:
                wait_until(lambda: self.number(service) > before[service], 30, f"{service} to tell")
        before = self.numbers()
        for service in [*FILES, "keeper"]:
            os.kill(self.here.pid(service), signal.SIGKILL)
        self.wait_for_more(before)
        wait_until(lambda: run("status", "--var", self.here.var, check=False).returncode == 0, 30,
                   "every service to answer")
        self.assertEqual(self.alarms(), 0)
        self.here.server.kill()
        self.here.server.wait()
        self.start()
        self.assertEqual(self.alarms(), 0)


if __name__ == "__main__":
    unittest.main()
