#!/usr/bin/env python3
"""`cloison serve` as an operator meets it: starts, stops, restarts, and says one clear line when it
cannot: a killed service, a port in use, a missing, read-only or full var/."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from installation import CLOISON, Installation, run, wait_until
from keys_test import start_keeper, stop_keeper

SERVICES = ["keeper", "identity", "casework", "documents", "portal", "desk", "outbox"]


def get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def one_line(test, done, *words):
    """The command failed with exactly one line that holds the words."""
    test.assertIn(done.returncode, (1, 2), done.stdout + done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.startswith("cloison: ")]
    test.assertEqual(len(lines), 1, done.stderr)
    for word in words:
        test.assertIn(word, lines[0])


def in_small_file_system(script, megabytes=24):
    """Runs a shell script in a mount namespace with a small file system on $1; None if the machine
    does not allow that."""
    mount_point = pathlib.Path(tempfile.mkdtemp(prefix="cl-"))
    flags = ["-m"] if os.geteuid() == 0 else ["-rm"]
    probe = subprocess.run(["unshare", *flags, "mount", "-t", "tmpfs", "none", str(mount_point)],
                           capture_output=True)
    if probe.returncode != 0:
        return None
    try:
        return subprocess.run(
            ["unshare", *flags, "bash", "-euc",
             f"mount -t tmpfs -o size={megabytes}m none {mount_point}; cd /; {script}",
             "bash", str(mount_point)],
            capture_output=True, text=True, timeout=180,
        )
    finally:
        shutil.rmtree(mount_point, ignore_errors=True)


class Serve(unittest.TestCase):
    def test_starts_everything_and_stops_cleanly(self):
        with Installation() as here:
            here.start()
            report = json.loads(run("status", "--json", "--var", here.var).stdout)
            self.assertEqual([s["name"] for s in report["services"]], SERVICES)
            self.assertTrue(all(s["answers"] for s in report["services"]), report)
            pids = [s["pid"] for s in report["services"]]
            for port in (here.portal_port, here.desk_port, here.outbox_port):
                self.assertLess(get(port), 400)
            self.assertEqual(here.stop(), 0)
            for pid in pids:
                self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "a service outlived serve")
            one_line(self, run("status", "--var", here.var, check=False), "Nothing runs")
            self.assertEqual(here.fsck()["unpublished_entries"], 0)

    def test_restarts_each_service_that_dies(self):
        with Installation() as here:
            here.start()
            for service in SERVICES:
                pid = here.pid(service)
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: here.pid(service) not in (0, pid), 30, f"{service} to run again")
                wait_until(
                    lambda: run("status", "--var", here.var, check=False).returncode == 0,
                    30, f"every service to answer after {service} was killed")
            self.assertLess(get(here.portal_port), 400)
            self.assertEqual(here.stop(), 0)

    def test_status_knows_a_keeper_that_runs_alone(self):
        with Installation() as here:
            nothing = run("status", "--json", "--var", here.var, check=False)
            one_line(self, nothing, "Nothing runs")
            self.assertEqual(json.loads(nothing.stdout),
                             {"pid": None, "services": [], "keeper": None, "witnesses": None})
            keeper, failure = start_keeper(here.var)
            self.assertEqual(failure, "")
            try:
                words = run("status", "--var", here.var).stdout
                self.assertIn("The keeper runs alone", words)
                self.assertRegex(words, r"0 persons \(epoch 1\), \d+ journal lines?, 0 alarms")
                self.assertIn("no witness is set", words)
                report = json.loads(run("status", "--json", "--var", here.var).stdout)
                self.assertEqual(report["keeper"]["persons"], 0)
                self.assertEqual(report["witnesses"]["witnesses"], 0)
            finally:
                stop_keeper(keeper)

    def test_status_while_it_starts_names_what_does_not_run_yet(self):
        with Installation() as here:
            key = here.var / "desk" / "service.key"
            key.unlink()
            os.mkfifo(key, 0o600)  # The desk waits for its key.
            server = subprocess.Popen([str(CLOISON), "serve", "--var", str(here.var)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                def all_but_desk():
                    done = run("status", "--json", "--var", here.var, check=False)
                    services = json.loads(done.stdout)["services"]
                    return done if sum(s["answers"] for s in services) == SERVICES.index("desk") else None
                done = wait_until(all_but_desk, 30, "every service before the desk")
                self.assertEqual(done.returncode, 1)
                self.assertIn("is starting", done.stderr)
                report = json.loads(done.stdout)["services"]
                self.assertEqual([s["name"] for s in report], SERVICES)
                self.assertEqual([s["name"] for s in report if not s["started"]], ["desk", "outbox"])
                words = run("status", "--var", here.var, check=False).stdout
                self.assertRegex(words, r"desk +0 +NO +not yet")
                self.assertNotIn("runs alone", words)
            finally:
                os.close(os.open(key, os.O_WRONLY | os.O_NONBLOCK))
            self.assertEqual(server.wait(timeout=60), 1)
            self.assertIn("service.key", server.stderr.read())
            server.stderr.close()
            one_line(self, run("status", "--var", here.var, check=False), "Nothing runs")

    def test_dies_with_its_services(self):
        with Installation() as here:
            here.start()
            pids = [s["pid"] for s in here.state()["services"]]
            here.server.kill()
            here.server.wait()
            wait_until(lambda: not any(pathlib.Path(f"/proc/{p}").exists() for p in pids), 30,
                       "services to end with a killed supervisor")
            here.start()
            self.assertEqual(here.stop(), 0)

    def test_second_serve_is_refused(self):
        with Installation() as here:
            here.start()
            one_line(self, run("serve", "--var", here.var, check=False), "already runs")
            self.assertLess(get(here.portal_port), 400)

    def test_port_in_use_is_named(self):
        with Installation() as here:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", here.desk_port))
                taken.listen()
                done = run("serve", "--var", here.var, check=False)
            one_line(self, done, "desk", str(here.desk_port), "in use")
            here.start()

    def test_missing_directory_is_named(self):
        with tempfile.TemporaryDirectory() as empty:
            one_line(self, run("serve", "--var", f"{empty}/nowhere", check=False), "nowhere", "init")
            self.assertEqual(os.listdir(empty), [])

    def test_wrong_setting_is_named(self):
        with Installation() as here:
            settings = here.var / "cloison.toml"
            settings.write_text(settings.read_text().replace("desk_port = ", "desk_prot = "))
            one_line(self, run("serve", "--var", here.var, check=False), "desk_prot", "cloison.toml:")

    def test_key_that_others_may_read_is_refused(self):
        with Installation() as here:
            (here.var / "keeper" / "root.key").chmod(0o644)
            one_line(self, run("serve", "--var", here.var, check=False), "keeper", "root.key")

    def test_init_overwrites_nothing(self):
        with Installation() as here:
            before = {p: p.read_bytes() for p in here.var.rglob("*") if p.is_file()}
            one_line(self, run("init", "--var", here.var, check=False), "exists already")
            self.assertEqual(before, {p: p.read_bytes() for p in here.var.rglob("*") if p.is_file()})

    def test_init_says_what_it_made(self):
        with tempfile.TemporaryDirectory(prefix="cl-") as directory:
            var = pathlib.Path(directory) / "var"
            words = run("init", "--var", var, "--journal-origin", "portal.example/log").stdout
            self.assertIn(str(var), words)
            self.assertIn((var / "trust" / "journal.vkey").read_text(), words)
            self.assertIn("portal.example/log+", words)
            self.assertIn("cloison serve", words)

    def test_init_refuses_what_could_not_work_and_makes_nothing(self):
        with tempfile.TemporaryDirectory(prefix="cl-") as directory:
            var = pathlib.Path(directory) / "var"
            token = ["--pkcs11-module", "/m.so", "--pkcs11-token", "t", "--pkcs11-key", "k",
                     "--pkcs11-pin-file", "pin"]
            for options, says in (
                (["--journal-origin", "a b"], "journal.origin"),
                (["--journal-origin", ""], "--journal-origin"),
                (["--journal-origin", "a+b"], "journal.origin"),
                (["--journal-origin", "x" * 300], "128 bytes"),
                (["--portal-port", "8081"], "http.desk_port"),
                (["--clamd", "localhost"], "scanner.clamd"),
                (["--root-key", "pkcs11"], "--pkcs11-pin-file"),
                (["--root-key", "pkcs11", *token[:6]], "--pkcs11-pin-file"),
                (token[:2], "--root-key pkcs11"),
                (["--root-key", "pkcs11", *token], f"The PIN file {directory}/pin cannot be read"),
            ):
                with self.subTest(options):
                    one_line(self, run("init", "--var", var, *options, check=False, cwd=directory), says)
                    self.assertEqual(os.listdir(directory), [])
            one_line(self, run("init", "--var", var / ("x" * 100), check=False), "too long")
            self.assertEqual(os.listdir(directory), [])

    def test_what_needs_a_keeper_that_has_run_says_so(self):
        with Installation() as here:
            backups = here.var.parent / "backups"
            key = run("backup", "keygen", "--out", here.var.parent / "recovery.key").stdout.strip()
            for command in (["backup", "create", "--to", backups, "--recipient", key],
                            ["journal", "fsck"], ["journal", "checkpoint"]):
                with self.subTest(command):
                    one_line(self, run(*command, "--var", here.var, check=False), "has never run",
                             str(here.var))
            self.assertFalse(backups.exists())
            self.assertFalse((here.var / "keeper" / "journal").exists())

    def test_unknown_option_is_exit_code_two(self):
        self.assertEqual(run("serve", "--no-such-option", check=False).returncode, 2)
        self.assertEqual(run("fly", check=False).returncode, 2)

    def test_read_only_directory_is_one_line(self):
        done = in_small_file_system(f"""
            {CLOISON} init --var $1/var
            mount -o remount,ro $1
            {CLOISON} serve --var $1/var
        """)
        if done is None:
            self.skipTest("this machine allows no mount namespace")
        one_line(self, done, "ead-only")

    def test_full_disk_is_one_line_and_heals(self):
        done = in_small_file_system(f"""
            {CLOISON} init --var $1/var
            head -c 100M /dev/zero >$1/filler 2>/dev/null || true
            {CLOISON} serve --var $1/var && exit 9
            rm $1/filler
            mkfifo $1/out
            {CLOISON} serve --var $1/var >$1/out & serve=$!
            grep -q portal <$1/out
            {CLOISON} status --var $1/var >/dev/null
            kill -INT $serve; wait $serve
            echo healed
            exit 1
        """)
        if done is None:
            self.skipTest("this machine allows no mount namespace")
        self.assertIn("healed", done.stdout, done.stderr)
        one_line(self, done, "o space left")


if __name__ == "__main__":
    unittest.main()
