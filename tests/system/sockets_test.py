#!/usr/bin/env python3
"""Bytes that are no request, sent to every port and socket: each is answered or cut, no service ends,
and all answer afterwards."""
import re
import socket
import struct
import unittest

from installation import ROOT, Installation, run

GARBAGE = {
    "nothing": b"",
    "a NUL": b"\0",
    "zeros": b"\0" * 100_000,
    "all bytes": bytes(range(256)) * 64,
    "a TLS hello": bytes.fromhex("16030100c8010000c40303") + b"\x11" * 200,
    "lines without an end": b"GET " * 30_000,
}
HOST = b"Host: localhost\r\n"
HTTP = {
    "no version": b"GET /\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "no address": b"GET  HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address of another host": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a proxy's request": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a long address": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 5000 + b"\r\n",
    "a header that is no header": b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "a negative length": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a huge length": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "two lengths": b"POST /sign-in HTTP/1.1\r\n" + HOST
                   + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST /sign-in HTTP/1.1\r\n" + HOST
                           + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a wrong chunk": b"POST /sign-in HTTP/1.1\r\n" + HOST
                     + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "an unknown encoding": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    "an unknown expectation": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Expect: miracles\r\n"
                              b"Content-Length: 1\r\n\r\na",
    "a body that ends early": b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\na",
    "a wrong escape": b"GET /%zz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a way out": b"GET /assets/../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "an escaped way out": b"GET /assets/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload):
    """A frame of HTTP/2, RFC 9113 section 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def headers(*pairs):
    """Headers as literals without Huffman coding or table, RFC 7541 section 6.2.2."""
    block = b""
    for name, value in pairs:
        block += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return block


def call(path, *more, body=b"\0\0\0\0\0"):
    """A gRPC call with an empty message."""
    fields = headers((b":method", b"POST"), (b":scheme", b"http"), (b":path", path),
                     (b":authority", b"localhost"), (b"content-type", b"application/grpc"),
                     (b"te", b"trailers"), *more)
    return PREFACE + frame(4, 0, 0, b"") + frame(1, 4, 1, fields) + frame(0, 1, 1, body)


def exchange(connection, sent, until=None):
    """What comes back until the other side closes, or until it holds `until`."""
    received = b""
    try:
        connection.settimeout(20)
        connection.sendall(sent)
        if until is None:
            connection.shutdown(socket.SHUT_WR)
        while not (until and until in received):
            piece = connection.recv(65_536)
            if not piece:
                break
            received += piece
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        connection.close()
    return received


class Sockets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation()
        cls.here.start()
        cls.pids = [service["pid"] for service in cls.here.state()["services"]]

    @classmethod
    def tearDownClass(cls):
        cls.here.__exit__()

    def tearDown(self):
        self.assertEqual([s["pid"] for s in self.here.state()["services"]], self.pids,
                         "a service was restarted")
        run("status", "--var", self.here.var)

    def test_ports(self):
        for port in (self.here.portal_port, self.here.desk_port, self.here.outbox_port):
            for what, sent in {**GARBAGE, **HTTP}.items():
                answer = exchange(socket.create_connection(("127.0.0.1", port)), sent)
                if not answer:
                    self.assertIn(what, GARBAGE, "a request is answered")
                    continue
                status = int(answer.split()[1])
                self.assertTrue(400 <= status < 500 or status == 501, f"{what}: {answer[:200]}")
                self.assertNotIn(b"root:", answer, what)

    def test_many_idle_connections(self):
        held = [socket.create_connection(("127.0.0.1", self.here.portal_port)) for _ in range(200)]
        try:
            for connection in held[::2]:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            answer = exchange(socket.create_connection(("127.0.0.1", self.here.portal_port)),
                              b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:100])
        finally:
            for connection in held:
                connection.close()

    def connect(self, service):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.here.var / "run" / f"{service}.sock"))
        return connection

    def calls(self, service):
        """Paths of every call that the contract names."""
        contract = (ROOT / f"proto/cloison/{service}/v1/{service}.proto").read_text()
        name = re.search(r"^service (\w+)", contract, re.M)[1]
        found = re.findall(r"^\s*rpc (\w+)", contract, re.M)
        return [f"/cloison.{service}.v1.{name}/{call}".encode() for call in found]

    def test_sockets_between_services(self):
        for service in ("keeper", "identity", "casework", "documents"):
            path = self.calls(service)[0]
            for what, sent in {**GARBAGE, **HTTP}.items():
                exchange(self.connect(service), sent)
            for what, sent in {
                "a frame too long": PREFACE + frame(4, 0, 0, b"") + frame(0, 1, 1, b"a" * 100_000),
                "a wrong frame": PREFACE + b"\xff" * 100,
                "headers cut off": call(path)[:60],
                "headers that cannot be read": PREFACE + frame(4, 0, 0, b"")
                + frame(1, 5, 1, b"\xff" * 50),
                "an unknown call": call(b"/cloison.keeper.v1.Keeper/Nothing"),
                "a message that is none": call(path, body=b"\0\0\0\0\x05\xff\xff\xff\xff\xff"),
            }.items():
                exchange(self.connect(service), sent)

    def test_no_call_answers_without_a_caller(self):
        count = 0
        for service in ("keeper", "identity", "casework", "documents"):
            for path in self.calls(service):
                for sent in (call(path), call(path, (b"cloison-caller", b"v4.public.nonsense"))):
                    answer = exchange(self.connect(service), sent, until=b"grpc-status")
                    # Behind its name, as a literal after its length: 16, UNAUTHENTICATED.
                    self.assertIn(b"grpc-status\x0216", answer, f"{path}: {answer[:400]}")
                    count += 1
        self.assertGreater(count, 80)


if __name__ == "__main__":
    unittest.main()
