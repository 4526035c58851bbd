#!/usr/bin/env python3
"""The Wycheproof vectors that apply: Ed25519, XChaCha20-Poly1305, X25519."""
import json
import subprocess
import unittest

from programs import BIN, ROOT


class Wycheproof(unittest.TestCase):
    def test_every_vector_comes_out_as_published(self):
        fetched = subprocess.run([str(ROOT / "tools/vectors.sh")], capture_output=True, text=True,
                                 timeout=600)
        if fetched.returncode != 0:
            # Without a way to Debian's archive there is nothing to check against.
            self.skipTest("not shown here, the vectors cannot be fetched: " + fetched.stderr.strip())
        done = subprocess.run([str(BIN / "interop_vectors"), str(ROOT / "build/vectors")],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        counts = json.loads(done.stdout)
        # What is published for each is not less than this; a file that was cut would be.
        for name, least in {"eddsa_test": 140, "xchacha20_poly1305_test": 240,
                            "x25519_test": 500}.items():
            self.assertGreaterEqual(counts[name]["all"], least, name)
            print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts[name].items()))


if __name__ == "__main__":
    unittest.main()
