#!/usr/bin/env python3
"""Uploads with a real clamd: what is infected leaves nothing behind, what is clean goes through, and
nothing goes through while the scanner does not answer. The signature database is the test's own."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from databases import Databases
from installation import Installation, wait_until
from pages import Browser, demo_accounts, pdf

CLAMD = "/usr/sbin/clamd"
# The EICAR test string, put together here so that no scanner takes this file for it.
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-" + "FILE!$H+H*").encode()


class Clamd:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cl-"))
        self.socket = self.directory / "clamd.sock"
        signatures = self.directory / "signatures"
        signatures.mkdir()
        (signatures / "test.ndb").write_text(f"Cloison.Test.Eicar:0:*:{EICAR.hex()}\n")
        self.configuration = self.directory / "clamd.conf"
        self.configuration.write_text(
            f"Foreground yes\nDatabaseDirectory {signatures}\nLocalSocket {self.socket}\n"
            f"TemporaryDirectory {self.directory}\nStreamMaxLength 30M\n"
            f"LogFile {self.directory}/clamd.log\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([CLAMD, f"--config-file={self.configuration}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 60, "clamd to answer")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("clamd ended: " + (self.directory / "clamd.log").read_text())
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"zPING\0")
                return connection.recv(10) == b"PONG\0"
            except OSError:
                return False

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Scanner(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.clamd = Clamd()
        cls.clamd.start()
        cls.here = Installation(residents=10, clamd=f"unix:{cls.clamd.socket}")
        cls.here.start()
        cls.resident = Browser(cls.here.portal_port).sign_in(
            demo_accounts(cls.here.var)["resident"][0])
        cls.request = cls.resident.post("/requests", {"type": "passport"}).location
        cls.databases = Databases(cls.here.var)

    @classmethod
    def tearDownClass(cls):
        cls.databases.close()
        cls.resident.close()
        cls.here.__exit__()
        cls.clamd.remove()

    def setUp(self):
        if self.clamd.process is None:
            self.clamd.start()
        self.databases.changes()

    def upload(self, content):
        self.resident.get(self.request)
        return self.resident.upload(self.request + "/documents/add/identity_proof", "a.pdf", content)

    def check_nothing_kept(self, reply, status, words):
        self.assertEqual(reply.status, status, reply.words)
        self.assertIn(words, reply.words)
        self.assertEqual(self.databases.changes(), [])

    def infected(self, size):
        content = pdf(size)
        middle = len(content) // 2
        return content[:middle] + EICAR + content[middle:]

    def test_clean_files_go_through(self):
        for size in (2_000, 5_000_000):
            reply = self.upload(pdf(size))
            self.assertEqual(reply.status, 303, reply.words)
            page = self.resident.get(self.request)
            link = [link for link in page.links if "/documents/" in link and "/add/" not in link][-1]
            self.assertEqual(self.resident.get(link).status, 200)
            self.assertTrue(self.databases.changes())
        # Whether a document was scanned is in its description, which only its owner's key opens.
        states = self.databases.connections["documents"].execute(
            "SELECT DISTINCT state FROM document").fetchall()
        self.assertEqual(states, [("available",)])

    def test_infected_files_leave_nothing(self):
        for size in (2_000, 3_000_000):
            self.check_nothing_kept(self.upload(self.infected(size)), 422, "found harmful software")
        log = self.here.log_text()
        self.assertIn("Cloison.Test.Eicar", log)
        self.assertNotIn(demo_accounts(self.here.var)["resident"][0]["email"], log)

    def test_nothing_goes_through_without_the_scanner(self):
        self.clamd.stop()
        self.check_nothing_kept(self.upload(pdf(2_000)), 503, "The virus scanner does not answer")
        self.clamd.start()
        reply = self.upload(pdf(2_000))
        self.assertEqual(reply.status, 303, reply.words)


if __name__ == "__main__":
    unittest.main()
