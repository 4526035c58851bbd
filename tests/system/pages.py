"""A browser for tests: cookies, forms as they stand on a page, one-time codes. No script runs."""
import base64
import hashlib
import hmac
import html.parser
import http.client
import json
import struct
import time
import urllib.parse

SECONDS = 30  # A page that takes longer has failed.


def one_time_code(secret, step):
    """RFC 6238 with SHA-1, six digits; `secret` in base32, `step` of half a minute."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset:offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


class Form:
    """A form as it stands on a page: where it goes, and what it would send untouched."""

    def __init__(self, method, action, encoding):
        self.method = method
        self.action = action
        self.encoding = encoding
        self.fields = {}  # Name -> value; of choices the first, or the one that is chosen.
        self.kinds = {}  # Name -> text, hidden, radio, checkbox, select, file …

    def take(self, name, value, kind, chosen):
        if name not in self.fields or chosen:
            self.fields[name] = value
        self.kinds.setdefault(name, kind)


class _PageParser(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.forms, self.words = [], [], []
        self._form = self._select = self._area = None
        self._mute = 0

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        if tag in ("script", "style"):
            self._mute += 1
        if tag == "a" and has.get("href", "").startswith("/"):
            self.links.append(has["href"])
        if tag == "form":
            self._form = Form(has.get("method", "get").upper(), has.get("action", ""),
                              has.get("enctype", "application/x-www-form-urlencoded"))
            self.forms.append(self._form)
        if self._form is None or "disabled" in has:
            return
        if tag in ("input", "button") and has.get("name"):
            kind = has.get("type", "text")
            self._form.take(has["name"], has.get("value", ""), kind, "checked" in has)
        elif tag == "select" and has.get("name"):
            self._select = has["name"]
        elif tag == "option" and self._select:
            self._form.take(self._select, has.get("value", ""), "select", "selected" in has)
        elif tag == "textarea" and has.get("name"):
            self._area = has["name"]
            self._form.take(self._area, "", "textarea", True)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._mute -= 1
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data):
        if self._area and self._form:
            self._form.fields[self._area] += data
        elif not self._mute:
            self.words.append(data)


class Reply:
    def __init__(self, method, target, status, headers, body):
        self.method, self.target, self.status, self.headers, self.body = (
            method, target, status, headers, body)
        self._page = None

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def location(self):
        return self.headers.get("Location", "")

    def _parsed(self):
        if self._page is None:
            self._page = _PageParser()
            self._page.feed(self.text)
        return self._page

    @property
    def links(self):
        return self._parsed().links

    @property
    def forms(self):
        return self._parsed().forms

    @property
    def words(self):
        """What a reader sees, with single spaces."""
        return " ".join(" ".join(self._parsed().words).split())

    def form(self, action):
        """The form that goes to `action`, or whose action ends with it."""
        for form in self.forms:
            if form.action == action or form.action.endswith(action):
                return form
        raise AssertionError(f"{self.target} ({self.status}) has no form to {action}: {self.words[:300]}")


class Browser:
    """One person's browser at one door. Keeps the newest CSRF token that it saw."""

    def __init__(self, port, language="en"):
        self.port = port
        self.language = language
        self.cookies = {}
        self.csrf = ""
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method, target, body=None, headers=None):
        sent = {"Accept": "text/html", "Accept-Language": self.language, **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{n}={v}" for n, v in self.cookies.items()))
        raw = self._exchange(method, target, body, sent)
        reply = Reply(method, target, raw.status, raw.headers, raw.read())
        if raw.will_close:
            self.close()
        for header in raw.headers.get_all("Set-Cookie") or []:
            name, _, value = header.split(";")[0].partition("=")
            if "max-age=0" in header.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        if reply.headers.get("Content-Type", "").startswith("text/html"):
            for form in reply.forms:
                self.csrf = form.fields.get("csrf") or self.csrf
        return reply

    def _exchange(self, method, target, body, headers):
        fresh = self._connection is None
        if fresh:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            try:
                self._connection.request(method, target, body, headers)
            except (BrokenPipeError, ConnectionResetError):
                if fresh and not body:
                    raise
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError,
                http.client.CannotSendRequest):
            self.close()
            if fresh:
                raise
            # The server may have closed a connection that was idle.
            return self._exchange(method, target, body, headers)

    def get(self, target, **headers):
        return self.request("GET", target, headers=headers)

    def post(self, target, fields, headers=None, csrf=True):
        """`fields`: a mapping, or pairs when a name comes twice. Adds the token unless told not to."""
        pairs = list(fields.items()) if hasattr(fields, "items") else list(fields)
        if csrf:
            pairs = [("csrf", self.csrf)] + [pair for pair in pairs if pair[0] != "csrf"]
        return self.request(
            "POST", target, encoded(pairs),
            {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def upload(self, target, name, content, content_type="application/pdf"):
        body, boundary = multipart([("csrf", self.csrf)], ("file", name, content_type, content))
        return self.request("POST", target, body,
                            {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def sign_in(self, account):
        """By password, and by one-time code where one is asked for. A code is good once, so an
        account signs in at most once in half a minute."""
        self.get("/sign-in")
        reply = self.post("/sign-in", {"email": account["email"], "password": account["password"]})
        assert reply.status == 303, f"sign-in of {account['email']}: {reply.status} {reply.words}"
        if reply.location.startswith("/sign-in/code"):
            self.get("/sign-in/code")
            step = int(time.time()) // 30
            reply = self.post("/sign-in/code", {"code": one_time_code(account["totp"], step)})
            if reply.status != 303:  # The half minute ended on the way.
                reply = self.post("/sign-in/code", {"code": one_time_code(account["totp"], step + 1)})
            assert reply.status == 303, f"code of {account['email']}: {reply.status} {reply.words}"
        self.get("/help")
        return self


def encoded(pairs):
    """application/x-www-form-urlencoded. A value of bytes goes as it stands, already encoded."""
    parts = []
    for name, value in pairs:
        value = value.decode("latin-1") if isinstance(value, bytes) else urllib.parse.quote(value, safe="")
        parts.append(f"{urllib.parse.quote(name, safe='')}={value}")
    return "&".join(parts).encode("latin-1")


def multipart(fields, file=None, boundary="----boundary-of-a-test"):
    """A body of multipart/form-data, and its boundary."""
    body = b""
    for name, value in fields:
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                 f"{value}\r\n").encode()
    if file:
        name, file_name, content_type, content = file
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
                 f'filename="{file_name}"\r\nContent-Type: {content_type}\r\n\r\n').encode()
        body += content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), boundary


def pdf(size):
    """A file that is a PDF as far as its content tells, of about `size` bytes."""
    head, tail = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n", b"\ntrailer << >>\n%%EOF\n"
    return head + b"\n" * max(0, size - len(head) - len(tail)) + tail


def demo_accounts(var):
    """Accounts of the demo by role, in order."""
    accounts = {}
    for account in json.loads((var / "demo.json").read_text())["accounts"]:
        accounts.setdefault(account["role"], []).append(account)
    return accounts
