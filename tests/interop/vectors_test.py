#!/usr/bin/env python3
"""The published vectors that apply: Wycheproof's for Ed25519, XChaCha20-Poly1305 and X25519, and those
of PASETO v4.public. Each prints how many ran. Wycheproof's come from Debian's archive once; that they
cannot be fetched is a failure, unless CLOISON_ALLOW_NO_VECTORS=1."""
import json
import os
import subprocess
import tempfile
import unittest

from programs import BIN, ROOT


class Wycheproof(unittest.TestCase):
    def test_every_vector_comes_out_as_published(self):
        fetched = subprocess.run([str(ROOT / "tools/vectors.sh")], capture_output=True, text=True,
                                 timeout=600)
        if fetched.returncode != 0:
            # Without a way to Debian's archive there is nothing to check against.
            why = "the vectors cannot be fetched: " + fetched.stderr.strip()
            if os.environ.get("CLOISON_ALLOW_NO_VECTORS") == "1":
                self.skipTest("not shown here, " + why)
            self.fail(why + " (CLOISON_ALLOW_NO_VECTORS=1 goes on without)")
        done = subprocess.run([str(BIN / "interop_vectors"), str(ROOT / "build/vectors")],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = json.loads(done.stdout)
        # What is published for each is not less than this; a file that was cut would be.
        for name, least in {"eddsa_test": 140, "xchacha20_poly1305_test": 240,
                            "x25519_test": 500}.items():
            self.assertGreaterEqual(counts[name]["all"], least, name)
            print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts[name].items()))


class Paseto(unittest.TestCase):
    def test_every_vector_comes_out_as_published(self):
        """Those of the specification, as tests/vectors has them, run by a unit test of src/crypto."""
        published = json.loads((ROOT / "tests/vectors/paseto-v4-public.json").read_text())["tests"]
        name = "PasetoTest.PublishedVectors"
        with tempfile.NamedTemporaryFile(suffix=".json") as report:
            done = subprocess.run([str(BIN / "crypto_test"), f"--gtest_filter={name}",
                                   f"--gtest_output=json:{report.name}"],
                                  capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout)
            suites = json.load(report).get("testsuites", [])
        # A filter that finds nothing is no failure to the program.
        ran = [test for suite in suites for test in suite["testsuite"]]
        self.assertEqual([f"{test['classname']}.{test['name']}" for test in ran], [name])
        self.assertEqual((ran[0]["status"], ran[0]["result"]), ("RUN", "COMPLETED"))
        counts = {what: int(ran[0][what]) for what in ("valid", "invalid")}
        self.assertEqual(counts, {"valid": sum(not test["expect_fail"] for test in published),
                                  "invalid": sum(test["expect_fail"] for test in published)})
        # 4-S-1 to 4-S-3 and 4-F-1 to 4-F-3; the others of the specification are of v4.local.
        self.assertEqual(counts, {"valid": 3, "invalid": 3})
        print(f"paseto v4.public: {sum(counts.values())} all, {counts['valid']} valid, "
              f"{counts['invalid']} invalid")


if __name__ == "__main__":
    unittest.main()
