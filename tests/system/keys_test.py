#!/usr/bin/env python3
"""Keys of the keeper with the real program: rotation under kill -9, its commands, a root key in a
token (SoftHSM) with everything that can be wrong about it, and the root key's way there and back."""
import base64
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import tomllib
import unittest

from installation import CLOISON, Installation, run, wait_until

PEOPLE = CLOISON.parent / "keeper_people"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
KILLS = int(os.environ.get("CLOISON_ROTATION_KILLS", "12"))
PERSONS = 40
CROWD = 20_000
PACE = 20_000  # Persons a second: slow enough that a kill falls into the rotation.


def witness_vkey(name):
    """A witness's verify key, of the first key in RFC 8032, section 7.1."""
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    key_id = hashlib.sha256(name.encode() + b"\n\x04" + key).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(bytes([4]) + key).decode()}"


def start_keeper(var, environment=None):
    """The keeper alone; returns (process, "" or why it did not start)."""
    read_end, write_end = os.pipe()
    keeper = subprocess.Popen(
        [str(CLOISON), "keeper", "--var", str(var)],
        env={**os.environ, **(environment or {}), "CLOISON_READY_FD": str(write_end)},
        pass_fds=[write_end], stderr=subprocess.PIPE, text=True,
    )
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        word = pipe.readline().strip()
    if word == "ready":
        return keeper, ""
    return keeper, word + keeper.communicate()[1]


def stop_keeper(keeper, how=signal.SIGTERM):
    keeper.send_signal(how)
    keeper.wait(timeout=60)
    keeper.stderr.close()


def people(*arguments, check=True):
    done = subprocess.run([str(PEOPLE), *map(str, arguments)], capture_output=True, text=True,
                          timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout) if done.stdout else {}


def rotation(var):
    """(epoch, done, total, what) as --status says."""
    text = run("keeper", "rotate", "--status", "--var", var).stdout
    epoch, what, done, total = re.match(
        r"Epoch (\d+), ([a-z ]+): (\d+) of (\d+) persons", text).groups()
    return int(epoch), int(done), int(total), what


class Keys(unittest.TestCase):
    def keeper(self, var, environment=None):
        keeper, failure = start_keeper(var, environment)
        self.assertEqual(failure, "")
        self.addCleanup(lambda: keeper.poll() is None and stop_keeper(keeper, signal.SIGKILL))
        return keeper

    def epochs(self, var):
        return sorted(name.name for name in (var / "keeper" / "epochs").iterdir())

    def test_a_rotation_shows_its_way_and_destroys_the_old_key(self):
        with Installation() as here:
            keeper = self.keeper(here.var)
            file = here.var.parent / "people"
            people("enrol", here.var, PERSONS, file)
            self.assertEqual(self.epochs(here.var), ["1.key"])
            old = (here.var / "keeper" / "epochs" / "1.key").read_bytes()
            mode = stat.S_IMODE((here.var / "keeper" / "epochs" / "1.key").stat().st_mode)
            self.assertEqual(mode, 0o600)
            out = run("keeper", "rotate", "--var", here.var).stdout
            self.assertIn("A rotation to epoch 2 begins.", out)
            self.assertIn(f"{PERSONS} of {PERSONS} persons", out)
            self.assertIn("Every person is under epoch 2", out)
            self.assertIn("cloison backup create", out.splitlines()[-1])
            self.assertNotIn("\r", out, "plain lines where there is no terminal")
            self.assertEqual(self.epochs(here.var), ["2.key"])
            self.assertEqual(rotation(here.var), (2, PERSONS, PERSONS, "at rest"))
            self.assertEqual(people("open", here.var, file)["opened"], PERSONS)
            run("keeper", "rotate", "--var", here.var)
            self.assertEqual(self.epochs(here.var), ["3.key"])
            self.assertEqual(people("open", here.var, file)["opened"], PERSONS)
            stop_keeper(keeper)
            for path in (here.var / "keeper").rglob("*"):
                if path.is_file():
                    self.assertNotIn(old[-16:], path.read_bytes(), path)
            refused = run("keeper", "rotate", "--var", here.var, check=False)
            self.assertEqual(refused.returncode, 1, "nobody runs the keeper")

    def test_a_rotation_outlives_kill_9(self):
        chance = random.Random(7)
        with Installation() as here:
            file = here.var.parent / "people"
            keeper = self.keeper(here.var)
            # Many persons without values make the table long; some have a value to open.
            people("crowd", here.var, CROWD)
            people("enrol", here.var, PERSONS, file)
            under_way = 0
            for kill in range(KILLS):
                follow = subprocess.Popen(
                    [str(CLOISON), "keeper", "rotate", "--pace", str(PACE), "--var", str(here.var)],
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                follow.stdout.readline()
                some = chance.random()
                wait_until(lambda: rotation(here.var)[1] >= some * CROWD or
                           rotation(here.var)[3] == "at rest", 60, "a part of the rotation")
                under_way += rotation(here.var)[3] == "running"
                stop_keeper(keeper, signal.SIGKILL)
                follow.communicate(timeout=60)
                keeper = self.keeper(here.var)
                self.assertEqual(people("open", here.var, file)["opened"], PERSONS, kill)
            epoch = wait_until(lambda: rotation(here.var)[3] == "at rest" and
                               rotation(here.var)[0], 120, "the end of the rotation")
            self.assertEqual(self.epochs(here.var), [f"{epoch}.key"])
            self.assertGreaterEqual(epoch, 2)
            self.assertEqual(rotation(here.var)[1:3], (CROWD + PERSONS, CROWD + PERSONS))
            self.assertEqual(people("open", here.var, file)["opened"], PERSONS)
            stop_keeper(keeper)
            here.fsck()
            self.assertGreater(under_way, KILLS // 4, "kills that hit nothing show nothing")
            print(f"{KILLS} kills, {under_way} of them while a rotation ran; epoch {epoch} in the end")

    def test_a_rotation_is_left_paused_and_taken_up_again(self):
        with Installation() as here:
            self.keeper(here.var)
            people("crowd", here.var, CROWD)
            # On a terminal there is a bar; Ctrl-C leaves the rotation to the keeper.
            terminal, line = pty.openpty()
            slow = str(CROWD // 10)
            follow = subprocess.Popen(
                [str(CLOISON), "keeper", "rotate", "--pace", slow, "--var", str(here.var)],
                stdout=line, stderr=line)
            os.close(line)
            shown = b""
            while b"\r[" not in shown:
                shown += os.read(terminal, 4096)
            follow.send_signal(signal.SIGINT)
            self.assertEqual(follow.wait(timeout=60), 0)
            shown += os.read(terminal, 65536)
            os.close(terminal)
            self.assertIn(b"The rotation goes on in the keeper", shown)
            run("keeper", "rotate", "--pause", "--var", here.var)
            epoch, done, total, what = wait_until(
                lambda: rotation(here.var)[3] == "paused" and rotation(here.var), 30, "the pause")
            self.assertEqual((epoch, total), (2, CROWD))
            self.assertLess(done, total)
            self.assertEqual(self.epochs(here.var), ["1.key", "2.key"])
            self.assertEqual(rotation(here.var)[1], done, "it stands still")
            for wrong in (["--pace", "0"], ["--pace", "-1"], ["--pace", "1000001"],
                          ["--pace", "5", "--status"]):
                self.assertNotEqual(
                    run("keeper", "rotate", *wrong, "--var", here.var, check=False).returncode, 0)
            self.assertIn("Every person is under epoch 2",
                          run("keeper", "rotate", "--var", here.var).stdout)
            self.assertEqual(self.epochs(here.var), ["2.key"])

    def test_an_erasure_leaves_nothing_to_open(self):
        with Installation() as here:
            keeper = self.keeper(here.var)
            file = here.var.parent / "people"
            people("enrol", here.var, 3, file)
            people("erase", here.var, file, 1)
            self.assertEqual(people("open", here.var, file),
                             {"opened": 2, "not_found": 1, "corrupt": 0})
            stop_keeper(keeper, signal.SIGKILL)
            self.keeper(here.var)
            self.assertEqual(people("open", here.var, file)["opened"], 2)


class Token(Keys):
    """The root key behind PKCS#11."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cl-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        (self.directory / "tokens").mkdir()
        conf = self.directory / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.directory}/tokens\n"
                        "objectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
        self.addCleanup(os.environ.pop, "SOFTHSM2_CONF", None)
        self.make_token("cloison")
        self.pin = self.directory / "pin"
        self.pin.write_text("4711\n")
        self.pin.chmod(0o600)
        self.options = ["--pkcs11-module", MODULE, "--pkcs11-token", "cloison",
                        "--pkcs11-key", "root", "--pkcs11-pin-file", self.pin]

    def make_token(self, label):
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "4711",
                        "--so-pin", "12345678"], check=True, capture_output=True)

    def refused(self, var, says):
        keeper, failure = start_keeper(var)
        if not failure:
            stop_keeper(keeper)
        self.assertNotEqual(failure, "", "it started")
        self.assertIn(says, failure)
        self.assertNotIn("4711", failure)

    def change(self, var, key, value):
        file = var / "cloison.toml"
        text = re.sub(rf'^{key} = .*$', f'{key} = "{value}"', file.read_text(), flags=re.M)
        file.write_text(text)

    def test_a_keeper_starts_from_its_token_alone(self):
        var = self.directory / "var"
        run("init", "--var", var, "--root-key", "pkcs11", *self.options)
        self.assertFalse((var / "keeper" / "root.key").exists())
        file = self.directory / "people"
        keeper = self.keeper(var)
        people("enrol", var, 5, file)
        stop_keeper(keeper)
        keeper = self.keeper(var)
        self.assertEqual(people("open", var, file)["opened"], 5)
        stop_keeper(keeper)
        run("journal", "fsck", "--var", var)
        settings = (var / "cloison.toml").read_text()

        self.pin.chmod(0o644)
        self.refused(var, "chmod 600")
        self.pin.chmod(0o600)
        self.pin.write_text("0000\n")
        self.refused(var, "refuses the PIN")
        self.pin.write_text("4711\n")
        self.change(var, "pkcs11_module", "/nowhere/token.so")
        self.refused(var, "pkcs11_module")
        (var / "cloison.toml").write_text(settings)
        self.change(var, "pkcs11_key", "another")
        self.refused(var, "pkcs11_key")
        (var / "cloison.toml").write_text(settings)
        wrapped = var / "keeper" / "root.wrapped"
        good = wrapped.read_bytes()
        wrapped.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        self.refused(var, "was changed")
        wrapped.write_bytes(good)
        self.make_token("other")
        run("init", "--var", self.directory / "second", "--root-key", "pkcs11",
            *[word if word != "cloison" else "other" for word in self.options])
        self.change(var, "pkcs11_token", "other")
        self.refused(var, "made with another key")
        (var / "cloison.toml").write_text(settings)
        shutil.move(self.directory / "tokens", self.directory / "away")
        (self.directory / "tokens").mkdir()
        self.refused(var, 'There is no token "cloison"')
        (self.directory / "tokens").rmdir()
        shutil.move(self.directory / "away", self.directory / "tokens")
        self.keeper(var)
        self.assertEqual(people("open", var, file)["opened"], 5)

    def test_the_root_key_moves_into_a_token_and_out(self):
        with Installation() as here:
            var = here.var
            file = self.directory / "people"
            keeper = self.keeper(var)
            people("enrol", var, 5, file)
            running = run("keeper", "move-root", "--to", "pkcs11", *self.options, "--var", var,
                          check=False)
            self.assertIn("The keeper runs", running.stderr)
            stop_keeper(keeper)
            incomplete = run("keeper", "move-root", "--to", "pkcs11", "--var", var, check=False)
            self.assertEqual(incomplete.returncode, 2)
            settings = var / "cloison.toml"
            witness = f"{witness_vkey('example.org/w')} http://127.0.0.1:9"
            settings.write_text(settings.read_text().replace(
                "[journal]\n", f'[journal]\nwitnesses = ["{witness}"]\nwitness_quorum = 1\n'
                               "witness_interval_seconds = 9\nwitness_warning_seconds = 99\n"))
            before = tomllib.loads(settings.read_text())
            for target, there, gone in (("pkcs11", "root.wrapped", "root.key"),
                                        ("file", "root.key", "root.wrapped")):
                run("keeper", "move-root", "--to", target, *self.options, "--var", var)
                self.assertTrue((var / "keeper" / there).exists())
                self.assertFalse((var / "keeper" / gone).exists())
                after = tomllib.loads(settings.read_text())
                self.assertEqual(after["keeper"]["root_key"], target)
                self.assertEqual({**after, "keeper": None}, {**before, "keeper": None})
                keeper = self.keeper(var)
                self.assertEqual(people("open", var, file)["opened"], 5)
                stop_keeper(keeper)
                again = run("keeper", "move-root", "--to", target, *self.options, "--var", var,
                            check=False)
                self.assertEqual(again.returncode, 1)
                # A crash after the old form was overwritten and before it was removed.
                (var / "keeper" / gone).write_bytes(bytes(65 if gone == "root.key" else 76))
                (var / "keeper" / gone).chmod(0o600)
                if gone == "root.key":
                    self.refused(var, "move-root --to pkcs11")
                run("keeper", "move-root", "--to", target, *self.options, "--var", var)
                self.assertFalse((var / "keeper" / gone).exists())
                keeper = self.keeper(var)
                self.assertEqual(people("open", var, file)["opened"], 5)
                stop_keeper(keeper)

    def test_the_root_key_moves_before_the_keeper_first_runs(self):
        with Installation() as here:
            options = [word if word != self.pin else "pin" for word in self.options]
            run("keeper", "move-root", "--to", "pkcs11", *options, "--var", here.var,
                cwd=self.directory)
            settings = tomllib.loads((here.var / "cloison.toml").read_text())
            self.assertEqual(settings["keeper"]["pkcs11_pin_file"], str(self.pin))
            keeper = self.keeper(here.var)
            people("enrol", here.var, 5, self.directory / "people")
            stop_keeper(keeper)

    # The tests of Keys run once.
    test_a_rotation_shows_its_way_and_destroys_the_old_key = None
    test_a_rotation_outlives_kill_9 = None
    test_a_rotation_is_left_paused_and_taken_up_again = None
    test_an_erasure_leaves_nothing_to_open = None


if __name__ == "__main__":
    unittest.main()
