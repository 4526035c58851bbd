#!/usr/bin/env python3
"""The four drills against one running installation: exact, and each under a minute.
CLOISON_RESIDENTS sets another size than 2,000."""
import json
import os
import time
import unittest

from installation import Installation, run

RESIDENTS = int(os.environ.get("CLOISON_RESIDENTS", "2000"))
SECONDS = 60


class Drills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        began = time.monotonic()
        cls.here = Installation(residents=RESIDENTS)
        print(f"{RESIDENTS} residents in {time.monotonic() - began:.0f} s")
        cls.here.start()

    @classmethod
    def tearDownClass(cls):
        cls.here.__exit__()

    def drill(self, name, asks_the_desk=True):
        began = time.monotonic()
        done = run("drill", name, "--json", "--var", self.here.var, check=False, timeout=5 * SECONDS)
        seconds = time.monotonic() - began
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        print(f"{name}: {report['persons']} persons, {report['disclosed']} values, {seconds:.1f} s")
        self.assertTrue(report["ok"], report)
        self.assertEqual(report["faults"], [])
        self.assertLess(seconds, SECONDS)
        if asks_the_desk:
            print(f"  precision {report['precision']}, recall {report['recall']}, "
                  f"answered in {report['seconds_to_answer']:.3f} s")
            self.assertEqual((report["precision"], report["recall"]), (1, 1))
        for what, value in report["figures"].items():
            print(f"  {what}: {value}")
        return report

    def test_stolen_officer(self):
        report = self.drill("stolen-officer")
        self.assertGreater(report["persons"], 0)
        self.assertGreaterEqual(report["disclosed"], report["persons"])

    def test_partner(self):
        report = self.drill("partner")
        self.assertGreater(report["persons"], 0)
        self.assertGreaterEqual(report["disclosed"], report["persons"])

    def test_idor(self):
        report = self.drill("idor")
        self.assertEqual((report["persons"], report["disclosed"]), (0, 0))

    def test_stolen_database(self):
        report = self.drill("stolen-database", asks_the_desk=False)
        self.assertEqual((report["persons"], report["disclosed"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
