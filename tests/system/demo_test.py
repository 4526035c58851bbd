#!/usr/bin/env python3
"""The demo population: reproducible from its seed, made once, and quick to start again."""
import json
import re
import time
import unittest

from installation import Installation, run
from pages import Browser, demo_accounts

RESIDENTS = 50
STATUSES = {"draft", "submitted", "in_review", "action_required", "approved", "refused",
            "in_production", "ready", "delivered", "withdrawn"}
SECONDS_TO_START = 10


def people(var):
    """What the seed decides, docs/formats/demo.md."""
    demo = json.loads((var / "demo.json").read_text())
    return demo["seed"], demo["residents"], [
        (account["role"], account["email"], account["name"], account["password"]) for account in demo["accounts"]]


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation()
        cls.words = cls.populate(cls.here, 7).stdout

    @classmethod
    def tearDownClass(cls):
        cls.here.__exit__()

    @staticmethod
    def populate(here, seed, residents=RESIDENTS, check=True):
        return run("population", "--var", here.var, "--residents", residents, "--seed", seed,
                   check=check)

    def files(self):
        return {path: path.read_bytes() for path in self.here.var.rglob("*") if path.is_file()}

    def test_same_seed_same_town(self):
        with Installation() as twin:
            words = self.populate(twin, 7).stdout
            # Counts of residents, staff, documents and messages, and of requests by status.
            self.assertEqual(words.replace(str(twin.var), ""),
                             self.words.replace(str(self.here.var), ""))
            self.assertEqual(people(twin.var), people(self.here.var))
            twin.fsck()
            # The seed decides people, never keys.
            for key in self.here.var.rglob("*.key"):
                other = twin.var / key.relative_to(self.here.var)
                self.assertNotEqual(key.read_bytes(), other.read_bytes(), key.name)

    def test_another_seed_another_town(self):
        with Installation() as other:
            self.populate(other, 8, residents=10)
            mine = {name for role, _, name, _ in people(self.here.var)[2] if role == "officer"}
            theirs = {name for role, _, name, _ in people(other.var)[2] if role == "officer"}
            self.assertNotEqual(mine, theirs)

    def test_requests_in_every_status(self):
        counts = {name: int(number) for name, number in
                  re.findall(r"^  (\w+) +(\d+)$", self.words, re.M)}
        self.assertEqual(set(counts), STATUSES)
        self.assertTrue(all(counts.values()), counts)

    def test_second_population_is_refused_and_changes_nothing(self):
        before = self.files()
        done = self.populate(self.here, seed=2, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        lines = [line for line in done.stderr.splitlines() if line.startswith("cloison: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], "already|exists|empty|new")
        after = self.files()
        self.assertEqual(before.keys(), after.keys())
        self.assertEqual([str(path) for path in before if before[path] != after[path]], [])

    def test_size_is_checked(self):
        before = self.files()
        for residents in (0, -1, "many", 10**9):
            self.assertEqual(self.populate(self.here, 1, residents, check=False).returncode, 2)
        self.assertEqual(before, self.files())

    def test_start_is_quick_and_everybody_can_sign_in(self):
        here = self.here
        here.start()
        self.assertEqual(here.stop(), 0)
        began = time.monotonic()
        here.start()
        seconds = time.monotonic() - began
        self.assertLess(seconds, SECONDS_TO_START)
        print(f"second start: {seconds:.1f} s")
        pages = {"resident": "/requests", "professional": "/pro", "officer": "/queue",
                 "support": "/support", "dpo": "/incidents", "administrator": "/staff"}
        accounts = demo_accounts(here.var)
        self.assertEqual(accounts.keys(), pages.keys())
        for role, page in pages.items():
            port = here.portal_port if role in ("resident", "professional") else here.desk_port
            for account in accounts[role]:
                browser = Browser(port).sign_in(account)
                self.assertEqual(browser.get(page).status, 200, account["email"])
                browser.close()
        self.assertEqual(here.stop(), 0)


if __name__ == "__main__":
    unittest.main()
