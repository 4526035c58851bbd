#!/usr/bin/env python3
"""golang.org/x/mod verifies our journals around every bound of tiles, and refuses what was forged."""
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from programs import BIN, tlog_check

SIZES = [1, 2, 255, 256, 257, 65535, 65536, 65537, 70000]


class Journals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cl-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        subprocess.run([str(BIN / "interop_journals"), str(cls.directory)], check=True, timeout=300)

    def test_verifies_at_every_size_and_refuses_forgeries(self):
        check = tlog_check()
        began = time.monotonic()
        report = check("journals", self.directory)
        self.assertEqual(report["sizes"], SIZES)
        self.assertEqual(report["checkpoints"], 2 * len(SIZES))
        self.assertEqual(report["cosignatures"], len(SIZES))
        self.assertEqual(report["consistency"], len(SIZES) * (len(SIZES) + 1) // 2)
        self.assertEqual(report["entries"], sum(SIZES))
        self.assertGreater(report["inclusions"], 400)
        self.assertGreater(report["refused"], 1000)
        print(f"{report} in {time.monotonic() - began:.1f} s")

    def test_what_the_directory_of_a_journal_holds_of_entries_is_encrypted(self):
        for kept, encrypted in (("journal", True), ("export", False)):
            content = b"".join(path.read_bytes() for path in (self.directory / "257" / kept).rglob("*")
                               if path.is_file())
            self.assertEqual(b"examine" not in content, encrypted, kept)


if __name__ == "__main__":
    unittest.main()
