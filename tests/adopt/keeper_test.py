#!/usr/bin/env python3
"""docs/adopt/keeper.md, followed to the letter, and what its reader would try next.

The blocks of the guide run in their order in an empty directory: shell as it is, the register as a
file, and every piece of Python must stand in portal.py. Then the same portal, against the same keeper,
meets what must be refused. Health and reflection are asked as any gRPC tool asks them.
"""
import hashlib
import os
import pathlib
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

try:
    import grpc
    import nacl  # noqa: F401
except ModuleNotFoundError:
    # These come from Debian; another Python may come first on the path.
    if sys.executable == "/usr/bin/python3":
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ROOT / "build" / os.environ.get("CLOISON_PRESET", "release") / "bin"
GUIDE = ROOT / "docs" / "adopt" / "keeper.md"
END = "This was the guide."
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)

# What the standard services are called with; their messages are part of gRPC, not of Cloison.
HEALTH = """syntax = "proto3"; package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { enum Status { UNKNOWN = 0; SERVING = 1; } Status status = 1; }
"""
REFLECTION = """syntax = "proto3"; package grpc.reflection.v1alpha;
message ServerReflectionRequest {
  oneof request { string file_containing_symbol = 4; string list_services = 7; } }
message ServerReflectionResponse {
  message Files { repeated bytes file_descriptor_proto = 1; }
  message Service { string name = 1; }
  message Services { repeated Service service = 1; }
  Files file_descriptor_response = 4; Services list_services_response = 6; }
"""


def blocks():
    return BLOCK.findall(GUIDE.read_text())


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Short: a Unix socket's path has at most 107 bytes.
        cls.here = pathlib.Path(tempfile.mkdtemp(prefix="ad-"))
        (cls.here / "home" / "registry").mkdir(parents=True)
        register, = [text for kind, text in blocks() if kind == "toml"]
        (cls.here / "home" / "registry" / "fields.toml").write_text(register)
        script = "set -eu\n" + "\n".join(text for kind, text in blocks() if kind == "sh")
        environment = {**os.environ, "CLOISON": str(ROOT),
                       "PATH": f"{cls.here / 'path'}:{BINARIES}:{os.environ['PATH']}"}
        # The guide's python3 is Debian's.
        (cls.here / "path").mkdir()
        (cls.here / "path" / "python3").symlink_to(sys.executable)
        cls.output = cls.here / "output"
        with open(cls.output, "wb") as output:
            cls.shell = subprocess.Popen(["bash", "-c", script + f"\necho '{END}'\nwait"], cwd=cls.here, env=environment,
                                         stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        cls.addClassCleanup(cls.stop)
        cls.follow()
        os.chdir(cls.here)
        sys.path[:0] = [str(cls.here / "messages"), str(cls.here)]
        for name, text in (("health", HEALTH), ("reflection", REFLECTION)):
            (cls.here / f"{name}.proto").write_text(text)
            subprocess.run(["protoc", "--python_out=messages", f"{name}.proto"], cwd=cls.here, check=True)
        import portal
        cls.module = portal
        cls.portal = portal.Portal("var", "accounts.sqlite")

    @classmethod
    def follow(cls):
        """Waits until the last command of the guide has spoken, or the shell has ended."""
        watched = os.pidfd_open(cls.shell.pid)
        try:
            for _ in range(600):
                if END in cls.output.read_text():
                    return
                if select.select([watched], [], [], 0.1)[0]:
                    break
        finally:
            os.close(watched)
        raise AssertionError("the guide cannot be followed:\n" + cls.output.read_text())

    @classmethod
    def stop(cls):
        os.chdir(ROOT)
        try:
            os.killpg(cls.shell.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        cls.shell.wait(timeout=30)
        shutil.rmtree(cls.here, ignore_errors=True)

    def person(self, name):
        return self.portal.sign_up({"email": f"{name}@example.org", "tax_number": f"number of {name}"})

    def refused(self, kind, action, *arguments):
        with self.assertRaises(self.module.Refused) as caught:
            action(*arguments)
        self.assertEqual(caught.exception.kind, kind, caught.exception)

    def status(self, action, *arguments):
        with self.assertRaises(grpc.RpcError) as caught:
            action(*arguments)
        return caught.exception.code()

    def test_every_piece_of_python_is_the_portals(self):
        source = (ROOT / "tests" / "adopt" / "portal.py").read_text()
        pieces = [text for kind, text in blocks() if kind == "python"]
        self.assertGreater(len(pieces), 8)
        for piece in pieces:
            self.assertIn(piece, source)
        self.assertEqual({kind for kind, _ in blocks()}, {"sh", "toml", "python"},
                         "a block of another kind is run by nobody")

    def test_the_story_is_told(self):
        words = self.output.read_text()
        self.assertIn("Camille reads {'email': 'camille@example.org'}", words)
        self.assertIn("An officer reads {'tax_number': '1 99 05 75 116 001 22'}", words)
        self.assertRegex(words, r"disclosed to [0-9a-f]{32}: \[2\]")
        self.assertIn("portal.example.org/keeper, ", words)
        self.assertIn("is proved by a checkpoint", words)
        self.assertIn("The journal is whole", words)
        self.assertIn("The keeper runs alone.", words)
        self.assertIn("The backup is whole: 1 person,", words)

    def test_the_story_may_be_told_again(self):
        keys = {path: path.read_bytes() for path in (self.here / "keys").iterdir()}
        for arguments in (["keys"], []):
            done = subprocess.run([sys.executable, "portal.py", *arguments], cwd=self.here, text=True,
                                  env={**os.environ, "PYTHONPATH": "messages"}, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Camille reads", done.stdout)
        self.assertEqual(keys, {path: path.read_bytes() for path in (self.here / "keys").iterdir()})

    def test_the_database_holds_no_value(self):
        self.person("dominique")
        dump = "\n".join(sqlite3.connect("accounts.sqlite").iterdump())
        for word in ("dominique", "646f6d696e69717565", "number of"):
            self.assertNotIn(word, dump.lower())

    def test_look_up_by_address_ignores_case(self):
        someone = self.person("Ren\u00e9")
        self.assertEqual(self.portal.find(" REN\u00c9@example.org"), someone)
        self.assertIsNone(self.portal.find("nobody@example.org"))

    def test_a_receipt_names_the_line_that_the_person_reads(self):
        someone = self.person("lou")
        _, receipt = self.portal.own_values(someone, ["email", "tax_number"])
        index, entry = self.portal.who_has_seen(someone)[0]
        self.assertEqual(index, receipt.index)
        self.assertTrue(self.module.describe(entry).endswith("[1, 2]"))
        self.assertEqual(hashlib.sha256(b"\0" + entry).digest(), receipt.leaf_hash)

    def test_a_proof_holds_elsewhere_and_a_changed_one_does_not(self):
        someone = self.person("max")
        _, receipt = self.portal.own_values(someone, ["email"])
        proof = self.portal.prove(someone, receipt.index)
        for text, good in ((proof, True), (proof.replace("index ", "index 1"), False)):
            (self.here / "max.proof").write_text(text)
            done = subprocess.run([str(BINARIES / "cloison"), "journal", "verify", "max.proof", "--key",
                                   self.portal.vkey], capture_output=True, text=True, cwd=self.here)
            self.assertEqual(done.returncode == 0, good, done.stderr)

    def test_nobody_is_shown_somebody_elses_line(self):
        one, other = self.person("one"), self.person("other")
        _, receipt = self.portal.own_values(one, ["email"])
        self.assertEqual(self.status(self.portal.prove, other, receipt.index), grpc.StatusCode.NOT_FOUND)

    def test_what_the_register_does_not_open(self):
        someone = self.person("alex")
        self.refused("permission_denied", self.portal.officer_reads, bytes(16), someone, ["email"])

    def test_a_changed_receipt_is_found_out(self):
        someone = self.person("noa")
        token = self.module.grant(self.portal.grants, self.portal.handle_key, someone, fields=["email"])
        disclosure = self.portal.disclosure(someone, ["email"], token)
        answer = self.portal.portal.call(
            "Open", self.module.messages.OpenRequest(disclosures=[disclosure]))
        self.module.check_receipts(answer, self.portal.vkey)
        answer.disclosed[0].receipt.index += 1
        with self.assertRaises(Exception):
            self.module.check_receipts(answer, self.portal.vkey)

    def test_a_moved_value_does_not_open(self):
        one, other = self.person("sasha"), self.person("robin")
        token = self.module.grant(self.portal.grants, self.portal.handle_key, one, fields=["email"])
        disclosure = self.portal.disclosure(other, ["email"], token)
        answer = self.portal.portal.call(
            "Open", self.module.messages.OpenRequest(disclosures=[disclosure]))
        self.assertEqual(answer.disclosed[0].error, "corrupt")

    def test_a_budget_ends(self):
        officer = bytes(range(16))
        persons = [self.person(f"person{number}") for number in range(6)]
        for person in persons[:5]:
            self.portal.officer_reads(officer, person, ["tax_number"])
        self.portal.officer_reads(officer, persons[0], ["tax_number"])
        self.refused("exhausted", self.portal.officer_reads, officer, persons[5], ["tax_number"])
        _, entry = self.portal.who_has_seen(persons[5])[0]
        self.assertIn("refused", self.module.describe(entry))

    def test_an_erased_person_is_gone(self):
        someone = self.person("charlie")
        self.portal.erase(bytes(16), someone)
        self.refused("not_found", self.portal.own_values, someone, ["email"])

    def test_a_message_has_a_bound_that_is_no_budget(self):
        messages = self.module.messages
        enrolled = self.portal.portal.call("Enroll", messages.EnrollRequest(count=1))
        subject = messages.Subject(enrolment=enrolled.enrolments[0])
        item = messages.PlainItem(field="tax_number", record=bytes(16), value=b"1" * 65_536,
                                  schema_version=1)
        sealed = self.portal.portal.call("Seal", messages.SealRequest(subject=subject, items=[item] * 60))
        self.assertEqual(len(sealed.sealed), 60)
        with self.assertRaises(grpc.RpcError) as caught:
            self.portal.portal.call("Seal", messages.SealRequest(subject=subject, items=[item] * 200))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn("larger than max", caught.exception.details())
        names = lambda error: {key: value for key, value in error.trailing_metadata() or ()}
        self.assertNotIn("cloison-error", names(caught.exception))
        with self.assertRaises(grpc.RpcError) as caught:
            self.portal.portal.call("Seal", messages.SealRequest(items=[]))
        self.assertIn("cloison-error", names(caught.exception))

    def test_callers_are_known(self):
        keeper, other_key = self.portal.portal, self.portal.desk.key
        describe = self.module.messages.DescribeRequest()
        socket = self.here / "var" / "run" / "keeper.sock"
        forged = self.module.Keeper(socket, "portal", other_key)
        self.assertEqual(self.status(forged.call, "Describe", describe), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(self.status(self.portal.identity.call, "Open", self.module.messages.OpenRequest()),
                         grpc.StatusCode.PERMISSION_DENIED)
        method = keeper.channel.unary_unary("/cloison.keeper.v1.Keeper/Describe")
        self.assertEqual(self.status(lambda: method(b"", timeout=10)), grpc.StatusCode.UNAUTHENTICATED)
        token = [("cloison-caller", self.module.caller_token("portal", keeper.key))]
        unknown = keeper.channel.unary_unary("/cloison.keeper.v1.Keeper/Nothing")
        self.assertEqual(self.status(lambda: unknown(b"", timeout=10, metadata=token)),
                         grpc.StatusCode.UNIMPLEMENTED)

    def test_health_needs_no_caller(self):
        import health_pb2
        check = self.portal.portal.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString)
        for service in ("", "cloison.keeper.v1.Keeper"):
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING, service)

    def test_reflection_gives_the_contract(self):
        import reflection_pb2
        from cloison.keeper.v1 import keeper_pb2
        from google.protobuf import descriptor_pb2
        ask = self.portal.portal.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        listing, file = ask(iter([
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="cloison.keeper.v1.Keeper"),
        ]), timeout=10)
        self.assertIn("cloison.keeper.v1.Keeper",
                      [service.name for service in listing.list_services_response.service])
        described = descriptor_pb2.FileDescriptorProto.FromString(
            file.file_descriptor_response.file_descriptor_proto[0])
        known = descriptor_pb2.FileDescriptorProto()
        keeper_pb2.DESCRIPTOR.CopyToProto(known)
        self.assertEqual(described.service, known.service)
        self.assertEqual(described.message_type, known.message_type)


if __name__ == "__main__":
    unittest.main()
