#!/usr/bin/env python3
"""Witnesses as they are run: three processes of somebody else's, and a keeper that needs two of them.
A journal that was cut, put back or forked after they saw it is refused or reported."""
import base64
import hashlib
import http.client
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from installation import CLOISON, Installation, free_ports, run, wait_until
from pages import Browser, demo_accounts
from tls_proxy import Authority, TlsProxy


class WitnessProcess:
    """`cloison witness` in a directory of its own, on a port that stays the same."""

    def __init__(self, number):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cw-")) / "w"
        self.port = free_ports(1)[0]
        self.process = None
        self.vkey = run("witness", "init", "--dir", self.directory, "--name",
                        f"example.org/w{number}").stdout.strip()

    def trust(self, journal_key):
        return run("witness", "add-log", "--dir", self.directory, journal_key).stdout

    def start(self):
        self.process = subprocess.Popen(
            [str(CLOISON), "witness", "--dir", str(self.directory), "--listen",
             f"127.0.0.1:{self.port}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if "listens" not in self.process.stdout.readline():
            raise AssertionError("a witness did not start")
        return self

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def latest(self):
        """The checkpoint that it cosigned last."""
        return next((self.directory / "logs").glob("*.latest")).read_text()

    def post(self, body, path="/add-checkpoint", method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body and body.encode())
            response = connection.getresponse()
            return response.status, response.headers.get("Content-Type"), response.read().decode()
        finally:
            connection.close()

    def remove(self):
        self.kill()
        shutil.rmtree(self.directory.parent, ignore_errors=True)


class Witnesses(unittest.TestCase):
    def setUp(self):
        self.here = Installation(residents=12)
        self.addCleanup(self.here.__exit__)
        self.witnesses = [WitnessProcess(i) for i in range(3)]
        for witness in self.witnesses:
            self.addCleanup(witness.remove)
        self.key = run("journal", "key", "--var", self.here.var).stdout.strip()
        for witness in self.witnesses:
            witness.trust(self.key)
            witness.start()
        named = ", ".join(f'"{w.vkey} http://127.0.0.1:{w.port}"' for w in self.witnesses)
        self.configure(f"witnesses = [{named}]\nwitness_quorum = 2\n"
                       "witness_interval_seconds = 1\nwitness_warning_seconds = 1\n")
        self.keeper = self.here.var / "keeper"

    def configure(self, lines):
        settings = self.here.var / "cloison.toml"
        text = settings.read_text()
        settings.write_text(text.replace("[journal]\n", "[journal]\n" + lines, 1))

    def state(self):
        return json.loads(run("status", "--json", "--var", self.here.var).stdout)["witnesses"]

    def wait_until_witnessed(self, what):
        def covered():
            state = self.state()
            return state["witnessed_entries"] == state["entries"] and state
        return wait_until(covered, 60, f"all lines to be cosigned {what}")

    def disclose(self):
        """A resident looks at their own data: a disclosure, and so a line."""
        before = self.state()["entries"]
        self.assertEqual(self.resident.get("/account").status, 200)
        self.assertGreater(self.state()["entries"], before, "the disclosure has no line")

    def sign_in(self):
        accounts = demo_accounts(self.here.var)
        self.resident = Browser(self.here.portal_port).sign_in(accounts["resident"][0])
        self.officer = Browser(self.here.desk_port).sign_in(accounts["dpo"][0])
        self.addCleanup(self.resident.close)
        self.addCleanup(self.officer.close)

    def test_two_of_three_are_enough_and_fewer_are_a_warning(self):
        self.here.start()
        self.sign_in()
        state = self.wait_until_witnessed("after the start")
        self.assertEqual((state["witnesses"], state["needed"], state["warning"]), (3, 2, ""))
        note = (self.keeper / "journal" / "checkpoint.cosigned").read_text()
        self.assertEqual(note.count("\u2014 "), 4, note)
        page = self.officer.get("/incidents")
        self.assertRegex(page.words, r"Last cosigned checkpoint: \S.* \S.*, less than a minute ago\. "
                                     r"Every line is covered")

        self.witnesses[0].kill()
        self.disclose()
        state = self.wait_until_witnessed("by two of three")
        self.assertEqual(state["warning"], "")

        self.witnesses[1].kill()
        self.disclose()
        state = wait_until(lambda: self.state()["warning"] and self.state(), 60, "a warning")
        self.assertIn("not cosigned", state["warning"])
        self.assertLess(state["witnessed_entries"], state["entries"])
        self.assertIn("WARNING", run("status", "--var", self.here.var).stdout)
        page = self.officer.get("/incidents")
        self.assertIn("have to be looked at", page.words)
        self.assertIn("not cosigned yet", page.words)
        self.disclose()

        for witness in self.witnesses[:2]:
            witness.start()
        state = self.wait_until_witnessed("again")
        self.assertEqual(state["warning"], "")
        self.assertNotIn("have to be looked at", self.officer.get("/incidents").words)
        self.check_proof()
        self.check_refusals()
        self.check_wrong_proofs()
        self.assertEqual(self.here.stop(), 0)
        self.here.fsck()

    def check_proof(self):
        """A resident's proof names the witnesses, for whoever holds their keys."""
        page = self.resident.get("/disclosures")
        link = next(each for each in page.links if each.endswith("/proof"))
        proof = self.here.var.parent / "a.tlog-proof"
        proof.write_bytes(self.resident.get(link).body)
        keys = [word for w in self.witnesses for word in ("--witness", w.vkey)]
        done = run("journal", "verify", proof, "--key", self.key, *keys, "--quorum", 2)
        self.assertGreaterEqual(done.stdout.count("Cosigned by example.org/w"), 2, done.stdout)
        # Half of the lines gone: one witness, or none, is left.
        lines = proof.read_text().splitlines(keepends=True)
        proof.write_text("".join(lines[:-2]))
        done = run("journal", "verify", proof, "--key", self.key, *keys, "--quorum", 3, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("of the witnesses, not by 3", done.stderr)
        # A changed cosignature is an error, not an absence.
        last = lines[-1]
        place = len(last) // 2 + 20
        changed = last[:place] + ("A" if last[place] != "A" else "B") + last[place + 1:]
        proof.write_text("".join(lines[:-1]) + changed)
        done = run("journal", "verify", proof, "--key", self.key, *keys, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(
            run("journal", "verify", proof, "--key", self.key, "--quorum", 1, check=False).returncode, 2)

    def check_refusals(self):
        """The answers of the protocol, over HTTP."""
        witness = self.witnesses[2]
        note = (self.keeper / "journal" / "checkpoint.cosigned").read_text()
        size = note.splitlines()[1]
        self.assertEqual(witness.post("old 0\n\n" + note), (409, "text/x.tlog.size", size + "\n"))
        status, _, line = witness.post(f"old {size}\n\n" + note)
        self.assertEqual(status, 200)
        self.assertTrue(line.startswith("\u2014 example.org/w2 "), line)
        self.assertEqual(witness.post("nonsense")[0], 400)
        self.assertEqual(witness.post(f"old {int(size) + 1}\n\n" + note)[0], 400)
        self.assertEqual(witness.post("old 0\n\n" + note.replace("localhost", "elsewhere", 1))[0], 404)
        forged = note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1)
        self.assertEqual(witness.post("old 0\n\n" + forged)[0], 403)
        self.assertEqual(witness.post("x" * (65 * 1024))[0], 413)
        self.assertEqual(witness.post("x" * (300 * 1024))[0], 413)
        self.assertEqual(witness.post("", path="/")[0], 404)
        self.assertEqual(witness.post(None, method="GET")[0], 405)

    def check_wrong_proofs(self):
        """A checkpoint that is signed rightly, with a proof that does not lead to it."""
        def cosigned():
            lines = (self.keeper / "journal" / "checkpoint.cosigned").read_text()
            return lines, int(lines.splitlines()[1])
        # A witness whom the keeper does not know: nobody else tells it anything.
        witness = WitnessProcess(9)
        self.addCleanup(witness.remove)
        witness.trust(self.key)
        witness.start()
        note, size = cosigned()
        self.assertEqual(witness.post("old 0\n\n" + note)[0], 200)
        seen = witness.latest()
        self.disclose()
        self.wait_until_witnessed("after another disclosure")
        newer, newer_size = cosigned()
        self.assertGreater(newer_size, size)
        hashes = [base64.b64encode(bytes([i]) * 32).decode() + "\n" for i in range(12)]
        for proof in ([], hashes[:1], hashes):
            status, _, words = witness.post(f"old {size}\n{''.join(proof)}\n{newer}")
            self.assertEqual(status, 422, (len(proof), words))
            self.assertNotIn("\u2014", words)
            self.assertEqual(witness.latest(), seen)
        self.assertEqual(witness.post(f"old {size}\n\n" + note)[0], 200, "what it saw it still cosigns")

    def test_an_older_copy_of_the_journal_is_refused_or_reported(self):
        older = self.here.var.parent / "older"
        newest = self.here.var.parent / "newest"
        self.here.start()
        self.sign_in()
        self.disclose()
        self.wait_until_witnessed("before the copy")
        self.assertEqual(self.here.stop(), 0)
        shutil.copytree(self.keeper, older)

        self.here.start()
        for _ in range(3):
            self.disclose()
        seen = self.wait_until_witnessed("after the copy")["witnessed_entries"]
        self.assertEqual(self.here.stop(), 0)
        shutil.copytree(self.keeper, newest)
        latest = self.witnesses[0].latest()

        # Only the journal is put back: the cosigned checkpoint that stayed says what is missing.
        shutil.rmtree(self.keeper / "journal")
        shutil.copytree(older / "journal", self.keeper / "journal")
        shutil.copy(newest / "journal" / "checkpoint.cosigned", self.keeper / "journal")
        refused = run("serve", "--var", self.here.var, check=False)
        self.assertEqual(refused.returncode, 1)
        told = [line for line in refused.stderr.splitlines() if line.startswith("cloison: ")]
        self.assertEqual(len(told), 1, refused.stderr)
        self.assertIn("checkpoint.cosigned", told[0])
        self.assertIn("older copy", told[0])

        # The whole directory is put back: only the witnesses know.
        shutil.rmtree(self.keeper)
        shutil.copytree(older, self.keeper)
        self.here.start()
        state = wait_until(lambda: "objects" in self.state()["warning"] and self.state(), 60,
                           "the witnesses to object")
        self.assertIn(f"{seen} lines", state["warning"])
        wait_until(lambda: "Alarm in the journal: journal rolled back" in self.here.log_text(), 10,
                   "the alarm")
        self.assertIn("have to be looked at", self.officer.get("/incidents").words)

        # It grows beyond what they saw, a fork: they refuse that too.
        while self.state()["entries"] <= seen + 2:
            self.disclose()
        wait_until(lambda: "Alarm in the journal: witness disagrees" in self.here.log_text(), 90,
                   "the witnesses to see the fork")
        self.assertLess(self.state()["witnessed_entries"], seen)
        self.assertEqual(self.witnesses[0].latest(), latest, "a witness took the fork")
        self.assertEqual(self.here.stop(), 0)

        # The newest copy again: all is well.
        shutil.rmtree(self.keeper)
        shutil.copytree(newest, self.keeper)
        self.here.start()
        self.disclose()
        self.assertEqual(self.wait_until_witnessed("with the newest copy")["warning"], "")

    def test_a_witness_behind_https_is_asked_if_its_certificate_is_trusted(self):
        authority = Authority(self.here.var.parent / "authority")
        settings = self.here.var / "cloison.toml"
        plain = settings.read_text()
        right = authority.certify("right", "IP:127.0.0.1")
        wrong = authority.certify("wrong", "DNS:witness.example.org")
        witness = self.witnesses[0]
        told = 0

        def restart(certificate, trusted):
            proxy = TlsProxy(*certificate, witness.port)
            self.addCleanup(proxy.close)
            lines = [f'witnesses = ["{witness.vkey} https://127.0.0.1:{proxy.port}"]',
                     "witness_quorum = 1", *(f'witness_ca_file = "{file}"' for file in trusted)]
            settings.write_text("\n".join(
                line for line in plain.splitlines() if not line.startswith(("witnesses =", "witness_quorum")))
                .replace("[journal]\n", "[journal]\n" + "\n".join(lines) + "\n", 1))
            nonlocal told
            log = self.here.var.parent / "serve.log"
            told = len(log.read_text()) if log.exists() else 0
            self.here.start()

        def warned(words):
            wait_until(lambda: words in self.here.log_text()[told:], 60, f"a warning: {words}")
            self.assertEqual(self.state()["witnessed_entries"], 0)
            self.assertEqual(self.here.stop(), 0)

        restart(right, [])
        warned("is not trusted")
        restart(wrong, [authority.file])
        warned("is not trusted")
        restart(right, [authority.file.with_name("none.pem")])
        warned("none.pem holds no certificates")
        restart(right, [authority.file])
        self.sign_in()
        self.disclose()
        self.assertEqual(self.wait_until_witnessed("over https")["warning"], "")
        note = (self.keeper / "journal" / "checkpoint.cosigned").read_text()
        self.assertIn("\u2014 example.org/w0 ", note)

    def test_wrong_settings_are_named(self):
        settings = self.here.var / "cloison.toml"
        good = settings.read_text()
        first = good[good.index("witnesses = ["):].splitlines()[0]
        url = f"http://127.0.0.1:{self.witnesses[0].port}"
        for replaced, word in [
            ('witnesses = "one"', "journal.witnesses"),
            ("witnesses = [7]", "journal.witnesses"),
            (f'witnesses = ["{url}"]', "<vkey> <url>"),
            (f'witnesses = ["{self.key} {url}"]', "journal.witnesses"),
            (f'witnesses = ["{self.witnesses[0].vkey} ftp://x"]', "http"),
            (f'witnesses = ["{self.witnesses[0].vkey} {url}", "{self.witnesses[0].vkey} {url}"]',
             "twice"),
            (f'witnesses = ["{self.witnesses[0].vkey} {url}"]', "witness_quorum"),
        ]:
            settings.write_text(good.replace(first, replaced))
            done = run("keeper", "--var", self.here.var, check=False)
            self.assertEqual(done.returncode, 2, replaced)
            self.assertIn(word, done.stderr, replaced)
            self.assertIn("cloison.toml", done.stderr, replaced)


class WitnessCommand(unittest.TestCase):
    def test_refuses_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as empty:
            missing = run("witness", "--dir", f"{empty}/none", check=False)
            self.assertEqual(missing.returncode, 1)
            self.assertIn("cloison witness init", missing.stderr)
            made = run("witness", "init", "--dir", f"{empty}/w", "--name", "example.org/w").stdout
            self.assertEqual(made, run("witness", "key", "--dir", f"{empty}/w").stdout)
            again = run("witness", "init", "--dir", f"{empty}/w", "--name", "example.org/w", check=False)
            self.assertEqual(again.returncode, 1)
            self.assertIn("exists already", again.stderr)
            for bad in ("127.0.0.1", ":9080", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:http"):
                done = run("witness", "--dir", f"{empty}/w", "--listen", bad, check=False)
                self.assertEqual(done.returncode, 2, bad)
            self.assertEqual(
                run("witness", "add-log", "--dir", f"{empty}/w", made.strip(), check=False).returncode, 2,
                "a witness is no log")
            self.assertEqual(run("witness", check=False).returncode, 2)
            (pathlib.Path(empty) / "w" / "witness.key").chmod(0o644)
            done = run("witness", "--dir", f"{empty}/w", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("witness.key", done.stderr)

    def test_an_init_that_was_cut_short_is_finished(self):
        with tempfile.TemporaryDirectory() as empty:
            directory = pathlib.Path(empty) / "w"
            run("witness", "init", "--dir", directory, "--name", "example.org/w")
            key = (directory / "witness.key").read_text()
            (directory / "witness.vkey").unlink()
            for command in (["key"], ["list-logs"], []):
                done = run("witness", *command, "--dir", directory, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("cloison witness init", done.stderr)
            done = run("witness", "init", "--dir", directory, "--name", "example.org/w2")
            self.assertIn("cut short", done.stderr)
            self.assertTrue(done.stdout.startswith("example.org/w2+"), done.stdout)
            self.assertEqual(done.stdout, run("witness", "key", "--dir", directory).stdout)
            self.assertEqual((directory / "witness.key").read_text(), key)

    def test_logs_are_added_once_listed_and_removed(self):
        def vkey(origin, directory):
            """A log's verify key. A witness's is of the same kind but for its type."""
            made = run("witness", "init", "--dir", directory, "--name", "example.org/x").stdout.strip()
            key = b"\x01" + base64.b64decode(made.split("+", 2)[2])[1:]
            name = hashlib.sha256(origin.encode() + b"\n" + key).hexdigest()[:8]
            return f"{origin}+{name}+{base64.b64encode(key).decode()}"
        with tempfile.TemporaryDirectory() as empty:
            first, second = (vkey("localhost/keeper", f"{empty}/{name}") for name in "ab")

            def logs(command, *arguments, code=0):
                done = run("witness", command, "--dir", f"{empty}/w", *arguments, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                return done.stdout + done.stderr
            for command in (["key"], ["list-logs"], ["add-log", first], ["remove-log", "x"]):
                self.assertIn("cloison witness init", logs(*command, code=1))
            run("witness", "init", "--dir", f"{empty}/w", "--name", "example.org/w")
            self.assertIn("knows no log", logs("list-logs"))
            self.assertIn("from now on", logs("add-log", first))
            self.assertIn("already known", logs("add-log", first))
            self.assertIn("--also", logs("add-log", second, code=1))
            self.assertNotIn(second, logs("list-logs"))
            self.assertIn("from now on", logs("add-log", second, "--also"))
            told = logs("list-logs")
            self.assertIn("localhost/keeper  not cosigned yet", told)
            self.assertIn(first, told)
            self.assertIn(second, told)
            self.assertIn("that key", logs("remove-log", second))
            self.assertNotIn(second, logs("list-logs"))
            self.assertIn("no longer cosigns", logs("remove-log", "localhost/keeper"))
            self.assertIn("knows no log", logs("list-logs"))
            self.assertIn("does not know", logs("remove-log", "localhost/keeper", code=1))


if __name__ == "__main__":
    unittest.main()
