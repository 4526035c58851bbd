#!/usr/bin/env python3
"""What a thief has of the stores: every file of each compartment, and of any two, is searched for
every personal value; the verifiers are guessed at with the right password in the list; any two stores
are matched (drill link, on a town of its own). CLOISON_RESIDENTS sets another size of the town than
600."""
import base64
import ctypes
import ctypes.util
import hashlib
import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

from installation import Installation, run
from pages import Browser, demo_accounts, pdf

RESIDENTS = int(os.environ.get("CLOISON_RESIDENTS", "600"))
LINK_SECONDS = 90
STORES = ("identity", "casework", "documents", "keeper", "desk")
SHORTEST = 9  # Bytes of a value that random ones do not hold by chance.
# What a resident writes and hands in before the theft.
MESSAGE = "Bonjour, ma cousine Zéphyrine Quatrebarbes viendra chercher le titre à ma place."
FILE_NAME = "avis-imposition-quatrebarbes.pdf"
FILE_WORDS = "(Quatrebarbes, Zephyrine : 41 872 euros) Tj"


class Argon2id:
    """What an attacker takes from libsodium."""

    def __init__(self):
        self.sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
        if self.sodium.sodium_init() < 0:
            raise RuntimeError("libsodium does not start")

    def __call__(self, password, salt, memory_kib, passes):
        out = ctypes.create_string_buffer(32)
        done = self.sodium.crypto_pwhash(
            out, ctypes.c_ulonglong(32), password, ctypes.c_ulonglong(len(password)), salt,
            ctypes.c_ulonglong(passes), ctypes.c_size_t(memory_kib * 1024), ctypes.c_int(2))
        if done != 0:
            raise RuntimeError("no memory for Argon2id")
        return out.raw


def blake2b(key, data):
    return hashlib.blake2b(data, digest_size=32, key=key).digest()


def pae(*parts):
    """PASETO's encoding of several parts as one."""
    out = len(parts).to_bytes(8, "little")
    for part in parts:
        out += len(part).to_bytes(8, "little") + part
    return out


class Attacker:
    """Tries passwords against a verifier in every way that a thief of the database could mean."""

    def __init__(self, words, harden_key=None):
        self.words = words
        self.harden_key = harden_key
        self.argon2id = Argon2id()

    def find(self, verifier, salt, record, memory_kib, passes):
        for word in self.words:
            password = word.encode()
            stretched = self.argon2id(password, salt, memory_kib, passes)
            tries = [stretched]
            for data in (password, stretched):
                for rest in (b"", salt, record):
                    tries += [hashlib.sha256(data + rest).digest(), hashlib.sha256(rest + data).digest(),
                              hashlib.blake2b(data + rest, digest_size=32).digest(),
                              hashlib.blake2b(rest + data, digest_size=32).digest()]
                for key in (salt, record):
                    tries += [blake2b(key, data), blake2b(key, pae(record, data))]
            tries += [hashlib.blake2b(pae(record, stretched), digest_size=32).digest(),
                      self.argon2id(stretched, salt, memory_kib, passes)]
            if self.harden_key:
                tries.append(blake2b(self.harden_key, pae(record, stretched)))
            if verifier in tries:
                return word
        return None


def encodings(value):
    """The value in the forms in which it could lie about."""
    text = value.encode()
    forms = {text, value.lower().encode(), value.upper().encode(), value.casefold().encode(),
             value.encode("utf-16-le"), value.encode("utf-16-be")}
    for form in (text, value.casefold().encode()):
        forms |= {form.hex().encode(), form.hex().upper().encode()}
        for shift in range(3):
            # In the middle of something longer: without the characters that depend on neighbours.
            coded = base64.b64encode(b"\0" * shift + form)
            inner = coded[(shift * 8 + 5) // 6:len(coded.rstrip(b"=")) - 1]
            forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in forms if len(form) >= SHORTEST}


class Theft(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation(residents=RESIDENTS)
        # While the services run: what is in a write-ahead log lies there, too.
        cls.here.start()
        cls.accounts = demo_accounts(cls.here.var)
        cls.write_and_hand_in()
        cls.loot = pathlib.Path(tempfile.mkdtemp(prefix="cl-loot-"))
        for store in STORES:
            shutil.copytree(cls.here.var / store, cls.loot / store,
                            ignore=shutil.ignore_patterns("*.key", "epochs", "*.sock"))

    @classmethod
    def write_and_hand_in(cls):
        """One of the residents whom the demo names and whose request takes messages writes one, and adds
        a document to a new request. Both can be read again at the portal."""
        cls.content = pdf(3_000)[:1_000] + FILE_WORDS.encode() + pdf(3_000)[1_000:]
        for account in cls.accounts["resident"]:
            resident = Browser(cls.here.portal_port).sign_in(account)
            try:
                pages = [link for link in resident.get("/requests").links if link.count("/") == 2]
                for path in pages:
                    page = resident.get(path)
                    if not any(form.action.endswith("/messages") for form in page.forms):
                        continue
                    assert resident.post(path + "/messages", {"message": MESSAGE}).status == 303
                    assert MESSAGE in resident.get(path).words
                    new = resident.post("/requests", {"type": "passport"}).location
                    resident.get(new)
                    reply = resident.upload(new + "/documents/add/identity_proof", FILE_NAME, cls.content)
                    assert reply.status == 303, reply.words
                    assert FILE_NAME in resident.get(new).words
                    return
            finally:
                resident.close()
        raise AssertionError("no resident has a request that takes messages")

    @classmethod
    def tearDownClass(cls):
        cls.here.__exit__()
        shutil.rmtree(cls.loot)

    @classmethod
    def files_of(cls, store):
        return [path for path in (cls.loot / store).rglob("*") if path.is_file()]

    def values(self):
        """By kind: of the residents whom the demo names, all that is known without asking the services,
        and what one of them wrote and handed in, whole and in part."""
        found = {"account": set(), "message": {MESSAGE, MESSAGE[9:40], MESSAGE[-32:]}, "file name": {FILE_NAME},
                 "document": {FILE_WORDS, self.content[:40].decode(), self.content[1_000:1_100].decode()}}
        for account in self.accounts["resident"]:
            found["account"] |= {account["email"], account["password"], account["name"],
                                 account["email"].split("@")[0]}
        return {kind: {value for value in values if len(value.encode()) >= SHORTEST}
                for kind, values in found.items()}

    def test_no_value_in_any_store_alone_or_in_two(self):
        values = self.values()
        self.assertGreaterEqual(len(values["account"]), 30)
        forms = {kind: {form for value in each for form in encodings(value)} for kind, each in values.items()}
        contents = {store: b"".join(path.read_bytes() for path in self.files_of(store))
                    for store in STORES}

        def kinds_in(data):
            return {kind for kind, each in forms.items() if any(form in data for form in each)}
        for store in STORES:
            self.assertTrue(contents[store], store)
            # The search finds what is there, of each kind.
            for kind, each in values.items():
                for planted in (min(each).encode(), max(each).encode().hex().encode(),
                                base64.b64encode(b"\0" + max(each).encode())):
                    around = contents[store][:40_000]
                    self.assertEqual(kinds_in(around[:20_000] + planted + around[20_000:]), {kind},
                                     (store, planted))
        for pair in [(store,) for store in STORES] + list(itertools.combinations(STORES, 2)):
            self.assertEqual(kinds_in(b"".join(contents[store] for store in pair)), set(), pair)

    def test_rows_of_a_store_name_nothing_of_another(self):
        """Parsed: no byte string of eight bytes or more stands in two stores, but for the staff's."""
        strings = {}
        staff = set()
        for path in self.loot.rglob("*"):
            if path.suffix not in (".db", ".sqlite"):
                continue
            database = sqlite3.connect(path)
            found = strings.setdefault(path.stem, set())
            for (table,) in database.execute(
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                    "AND name <> 'schema_migrations'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    found |= {value for value in row if isinstance(value, bytes) and len(value) >= 8}
            if path.stem == "identity":
                staff = {row[0] for row in database.execute("SELECT actor FROM account WHERE role <> 1")}
            # A row that does not fit its page lies on one of its own, in the order of writing.
            for table in {"identity": ["account", "profile_value"], "documents": ["document"],
                          "history": ["block"]}.get(path.stem, []):
                long_rows = database.execute(
                    "SELECT count(*) FROM dbstat WHERE name = ? AND pagetype = 'overflow'",
                    (table,)).fetchone() if self.has_dbstat(database) else (0,)
                self.assertEqual(long_rows[0], 0, table)
            database.close()
        self.assertLessEqual({"identity", "casework", "documents", "persons", "history"}, strings.keys())
        for one, other in itertools.combinations(sorted(strings), 2):
            self.assertEqual((strings[one] & strings[other]) - staff, set(), (one, other))

    @staticmethod
    def has_dbstat(database):
        return any("ENABLE_DBSTAT_VTAB" in row[0] for row in database.execute("PRAGMA compile_options"))

    def verifier_of(self, role):
        """A row that a thief knows the owner of: the only account of its role."""
        database = sqlite3.connect(self.loot / "identity" / "identity.sqlite")
        rows = database.execute("SELECT verifier, salt, record, memory_kib, passes FROM account WHERE "
                                "display_name = ?", (role["name"],)).fetchall()
        database.close()
        self.assertEqual(len(rows), 1)
        return rows[0]

    def test_the_right_password_is_not_recognised(self):
        administrator = self.accounts["administrator"][0]
        row = self.verifier_of(administrator)
        words = ["correct horse battery staple", administrator["password"], "password"]
        self.assertIsNone(Attacker(words).find(*row))
        # The same attacker with the keeper's key finds it: it is the right row, read rightly.
        root = bytes.fromhex((self.here.var / "keeper" / "root.key").read_text().strip())
        harden = blake2b(root, b"cloison/keeper/v1/harden")
        self.assertEqual(Attacker(words, harden).find(*row), administrator["password"])
        # And a plain Argon2id of it without any key.
        verifier, salt, record, memory_kib, passes = row
        plain = Argon2id()(administrator["password"].encode(), salt, memory_kib, passes)
        self.assertEqual(Attacker(words).find(plain, salt, record, memory_kib, passes),
                         administrator["password"])

    def test_john_recognises_nothing(self):
        """Debian's john has no Argon2: it is given the verifiers as what it could take them for, and
        finds nothing, but does find the same word behind a hash of the system's crypt(3)."""
        john = shutil.which("john") or "/usr/sbin/john"
        administrator = self.accounts["administrator"][0]
        verifier, salt, *_ = self.verifier_of(administrator)
        with tempfile.TemporaryDirectory(prefix="cl-john-") as name:
            place = pathlib.Path(name)
            (place / "words").write_text(administrator["password"] + "\npassword\n")

            def crack(line, *options):
                (place / "hashes").write_text(f"thief:{line}\n")
                for action in ([f"--wordlist={place / 'words'}"], ["--show"]):
                    done = subprocess.run(
                        [john, *options, *action, str(place / "hashes")], capture_output=True, text=True,
                        env={**os.environ, "HOME": name}, stdin=subprocess.DEVNULL, timeout=120, check=False)
                return done.stdout

            def coded(data):
                return base64.b64encode(data).decode().rstrip("=")

            for guess in (f"$argon2id$v=19$m=19456,t=2,p=1${coded(salt)}${coded(verifier)}", verifier.hex(),
                          f"$6${coded(salt)[:16]}${coded(verifier + verifier)}",
                          f"$5${coded(salt)[:16]}${coded(verifier)}"):
                for options in ([], ["--format=crypt"]):
                    self.assertNotIn(administrator["password"], crack(guess, *options), guess)
            plain = subprocess.run(
                ["openssl", "passwd", "-6", "-stdin"], input=administrator["password"], check=True,
                capture_output=True, text=True, timeout=60).stdout.strip()
            self.assertIn(administrator["password"], crack(plain, "--format=crypt"), "john works")

    def test_any_two_stores_are_matched_no_better_than_by_chance(self):
        began = time.monotonic()
        done = run("drill", "link", "--residents", RESIDENTS, "--json", check=False, timeout=600)
        seconds = time.monotonic() - began
        report = json.loads(done.stdout)
        for pair in report["pairs"]:
            print(f"  {' × '.join(pair['stores'])}: {pair['ratio']:.2f} × chance {pair['records']}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual((report["faults"], report["undecided"]), ([], []))
        judged = {tuple(pair["stores"]) for pair in report["pairs"] if pair["judged"]}
        for pair in itertools.combinations(("identity", "casework", "documents", "persons"), 2):
            self.assertIn(pair, judged)
        notes = {tuple(pair["stores"]): pair["note"] for pair in report["pairs"]}
        for store in ("identity", "casework", "documents", "persons"):
            self.assertEqual(notes[store, "history"], "history holds no record of a person")
        print(f"link: {RESIDENTS} residents, {seconds:.0f} s")
        self.assertLess(seconds, LINK_SECONDS)


if __name__ == "__main__":
    unittest.main()
