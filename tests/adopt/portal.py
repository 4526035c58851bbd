#!/usr/bin/env python3
"""A portal that was there before, in another language, with the keeper beside it.

docs/adopt/keeper.md explains it piece by piece, and tests/adopt/keeper_test.py runs it: every piece of
Python in the guide stands in this file. It needs Debian's python3-grpcio, python3-protobuf and
python3-nacl, and the messages of proto/cloison/keeper/v1 (see the guide).
"""
import base64
import datetime
import hashlib
import json
import pathlib
import secrets
import sqlite3
import struct
import sys

import grpc
from cloison.keeper.v1 import keeper_pb2 as messages
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey

# --- Keys -----------------------------------------------------------------------------------------


def read_key(path):
    """A key file of Cloison: 64 hexadecimal digits, the seed of an Ed25519 key."""
    return SigningKey(bytes.fromhex(pathlib.Path(path).read_text()))


def trust(directory, name, verify_key):
    """Tells the keeper whose word to take: one line of C2SP signed-note's form in trust/<name>.pub."""
    typed = b"\x01" + bytes(verify_key)
    key_id = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4].hex()
    line = f"{name}+{key_id}+{base64.b64encode(typed).decode()}\n"
    (pathlib.Path(directory) / f"{name}.pub").write_text(line)


SERVICES = ["portal", "desk", "identity", "identity-grants"]


def make_keys(var):
    """A key of your own for each of your services, unless it is there, and the keeper's trust in it."""
    for name in SERVICES:
        path = pathlib.Path("keys") / f"{name}.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(bytes(SigningKey.generate()).hex() + "\n")
        trust(pathlib.Path(var) / "trust", name, read_key(path).verify_key)


# --- Tokens ---------------------------------------------------------------------------------------


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pre_auth_encode(*pieces):
    """PAE of the PASETO specification."""
    encoded = struct.pack("<Q", len(pieces))
    for piece in pieces:
        encoded += struct.pack("<Q", len(piece)) + piece
    return encoded


def paseto(key, claims, footer=b"", implicit=b""):
    """A PASETO v4.public token: signed and readable."""
    header, payload = b"v4.public.", json.dumps(claims).encode()
    signature = key.sign(pre_auth_encode(header, payload, footer, implicit)).signature
    token = header.decode() + base64url(payload + signature)
    return token + "." + base64url(footer) if footer else token


def moment(after=0.0):
    """RFC 3339 in UTC with milliseconds, so many seconds from now."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=after)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def caller_token(service, key, audience="keeper"):
    claims = {"iss": service, "aud": audience, "iat": moment(), "exp": moment(300)}
    return paseto(key, claims, service.encode(), b"cloison-caller-v1")


# --- Calls ----------------------------------------------------------------------------------------


class Keeper:
    """The keeper, as one of your services calls it."""

    def __init__(self, socket, service, key):
        self.channel = grpc.insecure_channel(f"unix:{socket}")
        self.service, self.key = service, key

    def call(self, method, request):
        method_of = self.channel.unary_unary(
            f"/cloison.keeper.v1.Keeper/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=getattr(messages, f"{method}Response").FromString,
        )
        token = caller_token(self.service, self.key)
        return method_of(request, timeout=10, metadata=[("cloison-caller", token)], wait_for_ready=True)


# --- Grants ---------------------------------------------------------------------------------------

IDENTITY = 1  # the compartment that a pseudonym is of


def handle(keeper_key, pseudonym):
    """A person as a grant names them: readable by the keeper alone, different every time."""
    content = bytes([1, IDENTITY]) + pseudonym + bytes(16)
    return SealedBox(PublicKey(keeper_key)).encrypt(content)


def grant(identity_key, keeper_key, pseudonym, **who_and_what):
    """Your word that somebody may open these fields of this person now."""
    claims = {
        "iss": "identity", "jti": secrets.token_hex(16), "iat": moment(), "exp": moment(300),
        "actor": pseudonym.hex(), "role": "resident", "session": secrets.token_hex(16),
        "door": "portal", "origin": "", "purpose": "self_service", "reason": "",
        "fields": [], "person": base64url(handle(keeper_key, pseudonym)), "case": "",
        "approvers": [], "list": "",
    }
    return paseto(identity_key, {**claims, **who_and_what}, implicit=b"cloison/grant/v1")


# --- Receipts -------------------------------------------------------------------------------------


def tree_root(leaf, number, leaves, path):
    """Root of a Merkle tree from one leaf and its siblings, RFC 9162 section 2.1.3.2."""
    root, last = leaf, leaves - 1
    for sibling in path:
        if number & 1 or number == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        number, last = number >> 1, last >> 1
    if last:
        raise ValueError("the path has not the length of its tree")
    return root


def check_receipts(answer, vkey):
    """Raises unless the journal's key signed a receipt for every value that came out."""
    if not any(disclosed.values for disclosed in answer.disclosed):
        return
    origin, _, typed = vkey.split("+", 2)
    first, calls, number = struct.unpack_from(">QII", answer.signature)
    hashes, signature = answer.signature[16:-64], answer.signature[-64:]
    receipts = b"".join(
        struct.pack(">II", position, disclosed.receipt.index - first) + disclosed.receipt.leaf_hash
        + struct.pack(">q", disclosed.receipt.time_ms)
        for position, disclosed in enumerate(answer.disclosed) if not disclosed.error
    )
    path = [hashes[at:at + 32] for at in range(0, len(hashes), 32)]
    root = tree_root(hashlib.sha256(b"\x00" + receipts).digest(), number, calls, path)
    place = struct.pack(">QI", first, calls)
    signed = pre_auth_encode(b"cloison/receipts/v1", origin.encode(), place, root)
    VerifyKey(base64.b64decode(typed)[1:]).verify(signed, signature)


# --- The portal -----------------------------------------------------------------------------------

SCHEMA_VERSION = 1  # of the way in which you write a value; your own affair


class Portal:
    """Accounts in a database of your own, which holds no personal value."""

    def __init__(self, var, database):
        var = pathlib.Path(var)
        socket = var / "run" / "keeper.sock"
        self.vkey = (var / "trust" / "journal.vkey").read_text().strip()
        self.grants = read_key("keys/identity-grants.key")
        self.portal = Keeper(socket, "portal", read_key("keys/portal.key"))
        self.desk = Keeper(socket, "desk", read_key("keys/desk.key"))
        self.identity = Keeper(socket, "identity", read_key("keys/identity.key"))
        self.handle_key = self.portal.call("Describe", messages.DescribeRequest()).handle_key
        self.accounts = sqlite3.connect(database)
        self.accounts.executescript("""
            create table if not exists account (
                login_index blob primary key, pseudonym blob not null, record blob not null) strict;
            create table if not exists value (
                record blob not null, field text not null, sealed blob not null,
                primary key (record, field)) strict;
        """)

    def sign_up(self, values):
        """Makes a person, seals their values and stores them; returns the pseudonym."""
        enrolled = self.portal.call("Enroll", messages.EnrollRequest(count=1))
        subject = messages.Subject(enrolment=enrolled.enrolments[0])
        resolved = self.identity.call("Resolve", messages.ResolveRequest(subject=subject))
        record = secrets.token_bytes(16)
        items = [
            messages.PlainItem(field=field, record=record, value=value.encode(),
                               schema_version=SCHEMA_VERSION)
            for field, value in values.items()
        ]
        sealed = self.portal.call("Seal", messages.SealRequest(subject=subject, items=items)).sealed
        index = self.login_index(values["email"])
        with self.accounts:
            self.accounts.execute("insert into account values (?, ?, ?)",
                                  (index, resolved.pseudonym, record))
            self.accounts.executemany("insert into value values (?, ?, ?)",
                                      [(record, field, box) for field, box in zip(values, sealed)])
        return resolved.pseudonym

    def login_index(self, email):
        """What stands in the database in place of the address, for exact look-up."""
        request = messages.BlindIndexRequest(field="email", value=email.encode())
        return self.portal.call("BlindIndex", request).index

    def find(self, email):
        """The pseudonym of the account with this address, or None."""
        row = self.accounts.execute("select pseudonym from account where login_index = ?",
                                    (self.login_index(email),)).fetchone()
        return row[0] if row else None

    def disclosure(self, pseudonym, fields, token):
        rows = self.accounts.execute(
            "select value.field, value.record, value.sealed from value"
            " join account using (record) where pseudonym = ?", (pseudonym,)).fetchall()
        items = [messages.SealedItem(field=field, record=record, sealed=sealed,
                                     schema_version=SCHEMA_VERSION)
                 for field, record, sealed in rows if field in fields]
        return messages.Disclosure(grant=token, items=items)

    def open(self, door, pseudonym, fields, token):
        """The values of one person by field, and the receipt; the journal has the line by now."""
        disclosure = self.disclosure(pseudonym, fields, token)
        answer = door.call("Open", messages.OpenRequest(disclosures=[disclosure]))
        check_receipts(answer, self.vkey)
        disclosed = answer.disclosed[0]
        if disclosed.error:
            raise Refused(disclosed.error, disclosed.error_message)
        fields = [item.field for item in disclosure.items]
        return dict(zip(fields, [value.decode() for value in disclosed.values])), disclosed.receipt

    def own_values(self, pseudonym, fields):
        """A page that somebody looks at themselves."""
        token = grant(self.grants, self.handle_key, pseudonym, fields=list(fields))
        return self.open(self.portal, pseudonym, fields, token)

    def officer_reads(self, officer, pseudonym, fields):
        """The same page, opened by a member of staff for a stated reason."""
        token = grant(self.grants, self.handle_key, pseudonym, fields=list(fields), door="desk",
                      actor=officer.hex(), role="officer", purpose="process_request",
                      reason="examine", origin="203.0.113.5")
        return self.open(self.desk, pseudonym, fields, token)

    def who_has_seen(self, pseudonym, limit=20):
        """The person's own lines of the journal, newest first: (index, entry)."""
        token = grant(self.grants, self.handle_key, pseudonym)
        request = messages.HistoryRequest(grant=token, limit=limit)
        return [(line.index, line.entry) for line in self.portal.call("History", request).lines]

    def prove(self, pseudonym, index):
        """A file that proves one of those lines to anybody who has the journal's verify key."""
        token = grant(self.grants, self.handle_key, pseudonym)
        return self.portal.call("Prove", messages.ProveRequest(grant=token, index=index)).proof

    def erase(self, officer, pseudonym):
        """Destroys the person's key: what is stored stays, and nobody can open it any more."""
        token = grant(self.grants, self.handle_key, pseudonym, door="desk", actor=officer.hex(),
                      role="dpo", purpose="erase", reason="erasure_request")
        self.desk.call("Erase", messages.EraseRequest(grant=token))


class Refused(Exception):
    """One disclosure that came to nothing: `kind` is a name of docs/formats/errors.md."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind = kind


def describe(entry):
    """A line of the journal in words, from docs/formats/journal-entry.md."""
    kinds = {1: "disclosed", 2: "refused", 3: "erased"}
    time_ms, = struct.unpack_from(">q", entry, 6)
    when = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc)
    fields = int.from_bytes(entry[66:82], "big")
    numbers = [number for number in range(128) if fields >> number & 1]
    return f"{when:%Y-%m-%d %H:%M} {kinds.get(entry[1], entry[1])} to {entry[14:30].hex()}: {numbers}"


def story():
    portal = Portal("var", "accounts.sqlite")
    camille = portal.find("camille@example.org") or portal.sign_up(
        {"email": "camille@example.org", "tax_number": "1 99 05 75 116 001 22"})
    values, receipt = portal.own_values(camille, ["email"])
    print(f"Camille reads {values}; line {receipt.index} of the journal says so.")
    officer = secrets.token_bytes(16)
    values, receipt = portal.officer_reads(officer, camille, ["tax_number"])
    print(f"An officer reads {values}; line {receipt.index} says so.")
    for index, entry in portal.who_has_seen(camille):
        print(f"  {index}: {describe(entry)}")
    pathlib.Path("camille.proof").write_text(portal.prove(camille, receipt.index))


if __name__ == "__main__":
    make_keys("var") if sys.argv[1:] == ["keys"] else story()
