#!/usr/bin/env python3
"""Bad input on every form, query and path: a clear refusal with the right status, and nothing changes
in any database. The forms are found by walking through the pages as each kind of user, and held
against the routes that the program itself lists."""
import json
import re
import tomllib
import unittest
import urllib.parse

from databases import Databases
from installation import ROOT, Installation, run, wait_until
from pages import Browser, demo_accounts, encoded, multipart, pdf

MARKUP = "<script>alert('cloison')</script>"
ATTRIBUTE = "\"><img src=x onerror=alert('cloison')>"
SAFE_REFUSAL = "There is a problem"

# Bytes go into the body as they stand. None: the field is missing.
HOSTILE = {
    "300 characters": "a" * 300,
    "10,000 characters": "a" * 10_000,
    "300,000 characters": "a" * 300_000,
    "NUL": b"a%00b",
    "control characters": "a\x07\x1b[31mb",
    "bytes that are no UTF-8": b"%ff%fe%c0%af",
    "half an escape": b"abc%4",
    "right-to-left override": "\u202eabc@example.org",
    "markup": MARKUP,
    "markup in an attribute": ATTRIBUTE,
    "template": "{{title}}{{{csrf}}}",
    "SQL": "' OR '1'='1' --",
    "path": "../../../../etc/passwd",
    "header": "a\r\nSet-Cookie: cloison=hostile",
    "negative number": "-1",
    "huge number": "9" * 40,
    "no date": "31 02 2020",
    "not a number": "1e400",
    "only space": " \t \u00a0 ",
    "empty": "",
    "missing": None,
}
# Refused at once by whatever reads a form: never acceptable, in any field.
ALWAYS_REFUSED = {"300,000 characters", "NUL", "bytes that are no UTF-8", "half an escape"}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# What a form needs that the page does not already hold.
VALID = {
    "/sign-up": {"email": "someone.new@example.org"},
    "/sign-up/password": {"password": "four words nobody joins"},
    "/account/edit": {"given_names": "Maëlle", "family_name": "Le Goff", "phone": "0612345678"},
    "/messages": {"message": "Good morning"},
    "/cases/{request}/message": {"words": "Please hand in the other page."},
    "/decide/action_required": {"words": "Please correct the birthplace."},
    "/decide/refused": {"words": "The photograph is not yours."},
    "/incidents/new": {"title": "A stolen session"},
    "/awareness": {"at_date": "2026-01-05", "at_time": "10:30", "source": "A call"},
    "/notes": {"note": "The session has been ended."},
    "/notified": {"at_date": "2026-01-06", "at_time": "09:00", "reference": "CNIL-1"},
    "/staff/new": {"name": "Anne Roux", "unit": "Lyon", "email": "anne.roux@staff.example",
                   "role": "support"},
    # A reason that makes every other question be asked.
    "/questions/reason": {"request_reason": "renewal"},
    "/questions/parent1-known": {"parent1_known": "yes"},
    "/questions/parent2-known": {"parent2_known": "yes"},
    "/questions/previous-title": {"previous_title_number": "12AB34567",
                                  "previous_title_issued-day": "3",
                                  "previous_title_issued-month": "4",
                                  "previous_title_issued-year": "2015"},
    "/questions/names": {"birth_name": "Le Goff", "forenames": "Maëlle"},
    "/questions/name-in-use": {"name_in_use": "Martin"},
    "/questions/birth": {"birth_date-day": "3", "birth_date-month": "4", "birth_date-year": "1984",
                         "birthplace": "Quimper (29)"},
    "/questions/appearance": {"height": "168", "eye_colour": "green"},
    "/questions/parent1": {"parent1_name": "Yann Le Goff", "parent1_birth_date-day": "1",
                           "parent1_birth_date-month": "2", "parent1_birth_date-year": "1950",
                           "parent1_birthplace": "Brest (29)"},
    "/questions/parent2": {"parent2_name": "Anna Bihan", "parent2_birth_date-day": "1",
                           "parent2_birth_date-month": "2", "parent2_birth_date-year": "1952",
                           "parent2_birthplace": "Turin, Italie"},
    "/questions/address": {"postal_address": "1 rue des Lilas\n29000 Quimper"},
    "/questions/contact": {"contact_phone": "0612345678", "contact_email": "m@example.org"},
}


def pattern_of(routes, method, path):
    """The route's pattern that a path belongs to; literal segments win, as in the router."""
    best = None
    for route in routes:
        expression = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route["pattern"]))
        if route["method"] == method and re.fullmatch(expression, path):
            if best is None or route["pattern"].count("{") < best.count("{"):
                best = route["pattern"]
    return best


def valid_values(path, pattern):
    """What VALID says for a form, by the end of its path or by its route."""
    values = {}
    for suffix, more in VALID.items():
        if path.endswith(suffix) or pattern == suffix:
            values.update(more)
    return values


class Case:
    """One form of one person, to be sent with one value wrong."""

    def __init__(self, who, browser, page, form, pattern):
        self.who, self.browser, self.page, self.form, self.pattern = who, browser, page, form, pattern
        self.path = (form.action or page).split("?")[0]
        self.valid = {name: value for name, value in form.fields.items() if name != "csrf"}
        self.valid.update(valid_values(self.path, self.pattern))

    @property
    def name(self):
        return f"{self.who}: {self.form.method} {self.pattern}"

    def send(self, fields, **options):
        pairs = list(fields.items()) if hasattr(fields, "items") else fields
        if self.form.method == "GET":
            return self.browser.get(self.path + "?" + encoded(pairs).decode("latin-1"))
        return self.browser.post(self.path, pairs, **options)


class Walk:
    """Walks through the pages of every kind of user and collects each form once."""

    def __init__(self, here):
        self.here = here
        self.routes = {door: json.loads(run("routes", door, "--json").stdout)
                       for door in ("portal", "desk")}
        self.accounts = demo_accounts(here.var)
        self.cases, self.browsers, self.pages = [], {}, {}
        self.known = set()
        self.prepare()

    def door(self, browser):
        return "portal" if browser.port == self.here.portal_port else "desk"

    def browser(self, who, door="portal", account=None):
        browser = Browser(self.here.portal_port if door == "portal" else self.here.desk_port)
        if account:
            browser.sign_in(account)
        else:
            browser.get("/sign-in")
        self.browsers[who] = browser
        return browser

    def take(self, who, browser, page, reply):
        """Collects the forms of one page."""
        for form in reply.forms:
            path = (form.action or page).split("?")[0]
            pattern = pattern_of(self.routes[self.door(browser)], form.method, path)
            assert pattern, f"{page}: a form goes to {form.method} {path}, which is no route"
            if pattern == "/sign-out" and who == "resident":
                continue  # Another form may end this session: signs out as somebody else.
            if "/questions/" in path or "/decide/" in path:
                pattern = pattern[:pattern.rfind("/")] + path[path.rfind("/"):]
            key = (self.door(browser), form.method, pattern, tuple(sorted(form.fields)))
            if key not in self.known and form.encoding != "multipart/form-data":
                self.known.add(key)
                self.cases.append(Case(who, browser, page, form, pattern))

    def see(self, who, *targets):
        """Visits pages, and the links on them, each pattern a few times."""
        browser = self.browsers[who]
        routes = self.routes[self.door(browser)]
        queue, count = list(targets), {}
        while queue:
            target = queue.pop(0)
            path = target.split("?")[0]
            pattern = pattern_of(routes, "GET", path)
            if pattern is None or "lang=" in target or (who, target) in self.pages:
                continue
            distinct = path if "/decide/" in path or "/questions/" in path else pattern
            if count.get(distinct, 0) >= 2:
                continue
            count[distinct] = count.get(distinct, 0) + 1
            reply = browser.get(target)
            assert reply.status in (200, 303), f"{who}: {target} is {reply.status}: {reply.words}"
            self.pages[who, target] = pattern
            if reply.status == 303:
                queue.append(reply.location)
            elif reply.headers["Content-Type"].startswith("text/html"):
                queue += reply.links
                self.take(who, browser, target, reply)

    def mailed_code(self):
        """The code in the newest mail of the outbox."""
        mails = sorted((self.here.var / "outbox").glob("*.eml"), key=lambda m: m.stat().st_mtime_ns)
        return re.search(r"\b(\d{6})\b", mails[-1].read_text().split("\n\n", 1)[-1])[1]

    def prepare(self):
        self.portal_side()
        self.desk_side()

    def portal_side(self):
        accounts = self.accounts
        self.browser("visitor")
        self.see("visitor", "/", "/sign-in?next=/account", "/sign-up")
        code = self.browser("someone with a mailed code")
        code.get("/sign-up")
        code.post("/sign-up", {"email": "code@example.org"})
        self.see("someone with a mailed code", "/sign-up/code")
        password = self.browser("someone with a confirmed address")
        password.get("/sign-up")
        password.post("/sign-up", {"email": "password@example.org"})
        wait_until(lambda: len(list((self.here.var / "outbox").glob("*.eml"))) >= 2, 10, "a mail")
        reply = password.post("/sign-up/code", {"code": self.mailed_code()})
        assert reply.status == 303, reply.words
        self.see("someone with a confirmed address", "/sign-up/password")
        self.owe_a_code("portal", accounts["professional"][1])

        # Two sessions: the page of sessions offers to end the other one.
        Browser(self.here.portal_port).sign_in(accounts["resident"][0]).close()
        resident = self.browser("resident", account=accounts["resident"][0])
        self.request, questions = self.apply(resident, submit=False)
        self.see("resident", self.request, *questions)
        self.see("resident", self.request + "/withdraw", self.request + "/answers", "/sign-ins", "/")
        # Another request stays: what the officer will take, with documents.
        other = Browser(self.here.portal_port).sign_in(accounts["resident"][1])
        self.browsers["resident who has applied"] = other
        self.submitted, _ = self.apply(other, submit=True)
        self.see("resident who has applied", self.submitted)
        self.browser("professional", account=accounts["professional"][0])
        self.see("professional", "/")

    def owe_a_code(self, door, account):
        who = f"someone who owes the {door} a one-time code"
        reply = self.browser(who, door).post(
            "/sign-in", {"email": account["email"], "password": account["password"]})
        assert reply.location.startswith("/sign-in/code"), reply.words
        self.see(who, reply.location)

    def apply(self, resident, submit):
        """An application with every answer given: the valid values of this file are valid. Returns
        its path and those of its questions."""
        resident.get("/apply")
        request = resident.post("/requests", {"type": "passport"}).location
        passport = tomllib.loads((ROOT / "registry/requests/passport.toml").read_text())
        questions = [f"{request}/questions/{page['name']}"
                     for section in passport["section"] for page in section["page"]]
        for question in questions:
            form = resident.get(question).form(question)
            answers = {**form.fields, **valid_values(question, question)}
            reply = resident.post(question, answers)
            assert reply.status == 303, f"{question}: {reply.words}"
        for kind in passport["document"]:
            reply = resident.upload(f"{request}/documents/add/{kind['name']}", "a.pdf", pdf(3000))
            assert reply.status == 303, reply.words
        if submit:
            resident.get(request + "/answers")
            reply = resident.post(request + "/submit", {})
            assert reply.status == 303, reply.words
        return request, questions

    def desk_side(self):
        accounts = self.accounts
        self.browser("visitor of the desk", "desk")
        self.see("visitor of the desk", "/sign-in")
        self.owe_a_code("desk", accounts["officer"][1])
        Browser(self.here.desk_port).sign_in(accounts["officer"][0]).close()
        officer = self.browser("officer", "desk", accounts["officer"][0])
        case = "/cases/" + self.submitted.rsplit("/", 1)[1]
        self.see("officer", "/queue", "/sessions", "/one-time-code", "/one-time-code/remove")
        assert officer.post(case + "/take", {}).status == 303
        self.see("officer", case, case + "/decide/refused")
        support = self.browser("support", "desk", accounts["support"][0])
        support.get("/support")
        support.post("/support", {"email": accounts["resident"][1]["email"]})
        self.see("support", "/", "/support/account")
        dpo = self.browser("dpo", "desk", accounts["dpo"][0])
        dpo.get("/incidents/new")
        self.incident = dpo.post("/incidents/new", {"title": "A leak"}).location
        self.see("dpo", self.incident, self.incident + "/scope/ask", self.incident + "/scope",
                 self.incident + "/scope/lines", self.incident + "/awareness")
        ask = dpo.get(self.incident + "/exports/new")
        export = dpo.post(self.incident + "/exports", {"query": ask.form("/exports").fields["query"]})
        self.browser("second dpo", "desk", accounts["dpo"][1])
        self.see("second dpo", "/approvals")
        approve = next(case for case in self.cases if case.pattern.endswith("/approve"))
        # A second export, whose approval stays to be tried; the first is approved for its download.
        dpo.post(self.incident + "/exports", {"query": ask.form("/exports").fields["query"]})
        assert approve.send(approve.valid).status == 303
        self.cases.remove(approve)
        self.known = {key for key in self.known if not key[2].endswith("/approve")}
        self.pages.pop(("second dpo", "/approvals"))
        self.see("second dpo", "/approvals")
        self.see("dpo", export.location)
        self.browser("administrator", "desk", accounts["administrator"][0])
        self.see("administrator", "/")


TEXT = {"markup", "markup in an attribute", "template", "SQL", "path", "negative number",
        "huge number", "no date", "not a number"}  # Words like any other, and shown escaped.
LONG_TEXT = TEXT | {"300 characters", "header"}  # Several lines: a line end is none of a header.
NOTHING = {"only space", "empty", "missing"}
FLAG = set(HOSTILE) - ALWAYS_REFUSED

# What is really acceptable: route, field (regular expressions), kinds of HOSTILE, why. Everything
# else must be refused, and these must be accepted.
ACCEPTED = [
    ("GET /queue", "status|reference", {"empty", "missing"}, "no filter"),
    ("GET /queue", "mine", FLAG - {"10,000 characters"}, "any value but yes leaves the box empty"),
    ("GET /incidents/{incident}/scope", ".*", {"empty", "missing"}, "no filter"),
    ("POST .*/scope/save|POST .*/exports", "query", {"empty"}, "the scope of everything"),
    ("POST .*/download", "format", {"empty", "missing"}, "CSV unless another is asked for"),
    ("POST .*/(awareness|notified)", "at_time", {"empty", "missing"}, "midnight, says the page"),
    ("POST /incidents/new", "title", TEXT, "a title is text"),
    ("POST /incidents/new", "session", {"empty", "missing"}, "not from an alarm"),
    ("POST .*/awareness", "source", TEXT, "a source is text"),
    ("POST .*/notified", "reference", TEXT, "a reference is text"),
    ("POST .*/notes", "note", LONG_TEXT, "a note is text"),
    ("POST /cases/{request}/message", "words", LONG_TEXT, "a message is text"),
    ("POST .*/decide/(action_required|refused)", "words", LONG_TEXT, "the words are text"),
    ("POST .*/messages", "message", LONG_TEXT, "a message is text"),
    ("POST /staff/new", "name|unit", TEXT, "names of people and places are many things"),
    ("POST .*/questions/.*", "from", FLAG, "any value but answers is no mark of the way"),
    ("POST .*/questions/(parent1|parent2)", ".*_birthplace", NOTHING, "need not be known"),
    ("POST .*/questions/name-in-use", "name_in_use", NOTHING, "not everybody has one"),
    ("POST .*/questions/previous-title", "previous_title_number", NOTHING | {"no date"},
     "need not be known; digits with spaces are a number"),
    ("POST /account/edit", ".*", NOTHING, "a profile may be empty"),
    ("POST /sign-up/password", "password", TEXT - {"negative number", "no date", "not a number"}
     | {"right-to-left override", "header"}, "a password is any text of 15 to 256 characters"),
    ("POST /sign-up/password", "username", FLAG, "for password managers; not read"),
    ("POST .*sign-in", "next", FLAG, "only a path of this site is followed"),
]
# Accepting would use the form up; `test_valid_values_are_accepted` does that, once.
ONCE = r"POST (/sign-up/password|.*/decide/.*|.*/notified|/sign-in|/staff/new)"
# Refused by a banner on the page where the answer is: somebody else was faster.
BANNER = r"POST .*/decide/.*", "version"

# A form whose valid values cannot be sent once more, and why.
NOT_AGAIN = {
    "/sign-up/code": "its tries are used up by then",
    "/sign-in/code": "its tries are used up by then",
    "/one-time-code": "asks for a code of the secret on the page",
    "/one-time-code/remove": "asks for the password",
    "/sign-in": "asks for the password",
    "/support": "asks for a resident's address",
    "/pro": "asks for a resident's address",
    "/requests/{request}/submit": "an application was handed in while walking",
    "/approvals/{approval}/approve": "its twin was approved while walking",
    "/cases/{request}/take": "the case in hand was taken while walking",
    "/incidents/{incident}/exports/{approval}/download": "sent with `format` empty already",
}
# What ends an object or a session comes last, in this order.
LATE = ["/notified", "/remove", "/withdraw", "/decide/action_required", "/release",
        "/decide/refused", "/decide/approved", "/disable", "/close", "/end", "/sign-out"]


def accepts(case, field, kind):
    name = f"{case.form.method} {case.pattern}"
    return any(re.fullmatch(route, name) and re.fullmatch(fields, field) and kind in kinds
               for route, fields, kinds, _ in ACCEPTED)


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installation(residents=50)
        cls.here.start()
        cls.pids = [service["pid"] for service in cls.here.state()["services"]]
        cls.walk = Walk(cls.here)
        cls.databases = Databases(cls.here.var)

    @classmethod
    def tearDownClass(cls):
        cls.databases.close()
        for browser in cls.walk.browsers.values():
            browser.close()
        cls.here.__exit__()

    def tearDown(self):
        pids = [service["pid"] for service in self.here.state()["services"]]
        self.assertEqual(pids, self.pids, "a service was restarted")

    def check_safe(self, reply, where):
        """Whatever the answer is: no failure, the headers, nothing that was typed runs."""
        self.assertLess(reply.status, 500, f"{where}: {reply.words[:300]}")
        for name, value in HEADERS.items():
            self.assertEqual(reply.headers.get(name), value, f"{where}: {name} of a {reply.status}")
        self.assertIn("Content-Security-Policy", reply.headers, where)
        self.assertNotIn(MARKUP, reply.text, f"{where}: markup comes back as it was sent")
        self.assertNotIn("<img src=x", reply.text, f"{where}: markup comes back as it was sent")
        self.assertFalse([cookie for cookie in reply.headers.get_all("Set-Cookie") or []
                          if "hostile" in cookie], where)

    def check_clear(self, reply, where):
        """A page says in words what is wrong; a problem document does so in its detail."""
        kind = reply.headers.get("Content-Type", "")
        if kind.startswith("application/problem+json"):
            problem = json.loads(reply.text)
            self.assertEqual(problem["status"], reply.status, where)
            self.assertGreater(len(problem["title"] + problem.get("detail", "")), 10, where)
            return
        self.assertTrue(kind.startswith("text/html"), f"{where}: {kind}")
        self.assertIn("<h1", reply.text, where)
        self.assertGreater(len(reply.words), 40, where)
        if reply.status == 422:
            self.assertIn(SAFE_REFUSAL, reply.words, where)

    def check_refused(self, reply, where, statuses=range(400, 500)):
        self.check_safe(reply, where)
        self.assertIn(reply.status, statuses, f"{where}: {reply.location} {reply.words[:200]}")
        self.check_clear(reply, where)
        self.assertEqual(self.databases.changes(), [], where)

    def check_value(self, case, field, kind, value):
        where = f"{case.name}, {field}: {kind}"
        if accepts(case, field, kind):
            if re.fullmatch(ONCE, f"{case.form.method} {case.pattern}"):
                return 0
            reply = case.send(value)
            self.check_safe(reply, where)
            self.assertIn(reply.status, (200, 303), f"{where}: {reply.words[:200]}")
            if reply.status == 303:
                self.assertRegex(reply.location, r"^/(?!/)", where)
                self.check_safe(case.browser.get(reply.location), where + ", shown")
            self.databases.changes()
        elif (re.fullmatch(BANNER[0], f"{case.form.method} {case.pattern}") and field == BANNER[1]
              and kind not in ALWAYS_REFUSED):
            reply = case.send(value)
            self.assertEqual(reply.status, 303, where)
            self.assertIn("govuk-notification-banner", case.browser.get(reply.location).text, where)
            self.assertEqual(self.databases.changes(), [], where)
        else:
            self.check_refused(case.send(value), where)
        return 1

    def test_every_form_of_every_route_was_found(self):
        for door, routes in self.walk.routes.items():
            found = set()
            for case in self.walk.cases:
                if self.walk.door(case.browser) == door:
                    found.add((case.form.method, pattern_of(routes, case.form.method, case.path)))
            missing = {route["pattern"] for route in routes
                       if route["method"] == "POST" and not route["streams"]
                       and ("POST", route["pattern"]) not in found}
            # A one-time code is set up by whoever has none yet; the demo's staff all have one. The
            # same code as at the portal, where it is tried. And the demo has no alarms.
            self.assertEqual(missing, {"/one-time-code", "/alarms/acknowledge",
                                       "/alarms/{entry}/acknowledge"} if door == "desk" else set())
            seen = {pattern for (who, _), pattern in self.walk.pages.items()
                    if self.walk.door(self.walk.browsers[who]) == door}
            self.assertEqual({route["pattern"] for route in routes if route["method"] == "GET"} - seen,
                             set(), f"pages of the {door} that nobody saw")

    def test_fields(self):
        count = 0
        for case in self.walk.cases:
            for field in case.valid:
                for kind, value in HOSTILE.items():
                    fields = {**case.valid, field: value}
                    if value is None:
                        del fields[field]
                    count += self.check_value(case, field, kind, fields)
                # Of a field that comes twice the first counts.
                if not accepts(case, field, "markup") and case.form.kinds.get(field) != "checkbox":
                    twice = [(field, MARKUP), *case.valid.items()]
                    if not (field == "version" or accepts(case, field, "empty")):
                        self.check_refused(case.send(twice), f"{case.name}, {field} twice")
        print(f"{len(self.walk.cases)} forms, {count} values")

    def test_forms_as_a_whole(self):
        form = "application/x-www-form-urlencoded"
        for case in self.walk.cases:
            if case.form.method == "GET":
                continue
            browser, path, valid = case.browser, case.path, case.valid
            body = encoded([("csrf", browser.csrf), *valid.items()])
            parts, boundary = multipart([("csrf", browser.csrf), *valid.items()])
            whole = {"csrf": browser.csrf, **valid}
            for what, statuses, send in [
                ("no token", {403}, lambda: case.send(valid, csrf=False)),
                ("a wrong token", {403},
                 lambda: case.send({**valid, "csrf": "0" * 64}, csrf=False)),
                ("a hostile token", {403}, lambda: case.send({**valid, "csrf": MARKUP}, csrf=False)),
                ("from another origin", {403},
                 lambda: case.send(valid, headers={"Origin": "https://evil.example"})),
                ("from another site", {403},
                 lambda: case.send(valid, headers={"Sec-Fetch-Site": "cross-site"})),
                ("no token, for a program", {403}, lambda: case.send(
                    valid, csrf=False, headers={"Accept": "application/json"})),
                ("JSON", {400}, lambda: browser.request(
                    "POST", path, json.dumps(whole).encode(), {"Content-Type": "application/json"})),
                ("text", {400}, lambda: browser.request(
                    "POST", path, body, {"Content-Type": "text/plain"})),
                ("JSON that calls itself a form", {400, 403}, lambda: browser.request(
                    "POST", path, json.dumps(whole).encode(), {"Content-Type": form})),
                ("several parts", {400}, lambda: browser.request(
                    "POST", path, parts, {"Content-Type": f"multipart/form-data; boundary={boundary}"})),
                ("several parts, cut off", {400}, lambda: browser.request(
                    "POST", path, parts[:-20],
                    {"Content-Type": f"multipart/form-data; boundary={boundary}"})),
                ("no body", {400, 403}, lambda: browser.request(
                    "POST", path, b"", {"Content-Type": form})),
                ("201 fields", {400, 413}, lambda: case.send(
                    list(valid.items()) + [(f"x{i}", "") for i in range(201)])),
                ("a name of 300,000 characters", {413},
                 lambda: case.send({**valid, "x" * 300_000: ""})),
                ("a name that is no UTF-8", {400}, lambda: browser.request(
                    "POST", path, body + b"&%ff=1", {"Content-Type": form})),
            ]:
                reply = send()
                self.check_refused(reply, f"{case.name}: {what}", statuses)
                if "program" in what:
                    self.assertTrue(reply.headers["Content-Type"].startswith("application/problem+json"))
            for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FLY"):
                reply = browser.request(method, path, body, {"Content-Type": form})
                self.check_refused(reply, f"{method} {path}", {400, 405, 501})
                if reply.status == 405:
                    self.assertIn("POST", reply.headers["Allow"])

    def test_paths(self):
        """A name in a path that is none is answered like one that does not exist."""
        people = {"resident": "resident", "professional": "professional", "officer": "officer",
                  "support": "support", "dpo": "dpo", "administrator": "administrator",
                  "staff": "officer"}
        bad = ["0", "zz", "-1", "%20", "%ff", "%00", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a" * 33,
               "f" * 32, "%27%20OR%201=1", urllib.parse.quote(MARKUP, safe=""), "%", "%zz",
               "18446744073709551616", "a" * 5000]
        for door, routes in self.walk.routes.items():
            for route in routes:
                names = re.findall(r"{\w+}", route["pattern"])
                if not names:
                    continue
                browser = self.walk.browsers[people[route["access"]]]
                for value in bad:
                    path = re.sub(r"{\w+}", lambda _: value, route["pattern"])
                    if route["method"] == "GET":
                        reply = browser.get(path)
                    elif route["streams"]:
                        reply = browser.upload(path, "a.pdf", pdf(2000))
                    else:
                        reply = browser.post(path, {})
                    where = f"{route['method']} {path[:80]}"
                    if route["pattern"].endswith("/take") and reply.status == 303:
                        # Back to the queue, which says that the request is no longer free.
                        self.assertEqual(self.databases.changes(), [], where)
                        continue
                    self.check_refused(reply, where, {400, 404, 414})

    def test_queries(self):
        """What a page does not ask for, it does not read; what no program can read is refused."""
        for (who, target), pattern in list(self.walk.pages.items()):
            browser, path = self.walk.browsers[who], target.split("?")[0]
            if pattern in ("/sign-out",):
                continue
            for query in ("%ff", "a=%00", "a=%4", "&".join(f"a{i}=" for i in range(201))):
                self.check_refused(browser.get(f"{path}?{query}"), f"{who}: {path}?{query}", {400, 413})
            reply = browser.get(f"{path}?{'x' * 5000}")
            self.check_refused(reply, f"{who}: {path} with a long query", {414})
            for name in ("lang", "page", "before", "next", "from", "status", "a"):
                if pattern.endswith(("/scope", "/scope/ask", "/scope/lines", "/exports/new", "/queue")):
                    continue  # Read theirs: below, and with their forms.
                value = urllib.parse.quote(ATTRIBUTE + MARKUP, safe="")
                reply = browser.get(f"{path}?{name}={value}")
                self.check_safe(reply, f"{who}: {path}?{name}=")
                self.assertLess(reply.status, 400, f"{who}: {path}?{name}=")
                self.assertEqual(self.databases.changes(), [], f"{who}: {path}?{name}=")
        dpo, scope = self.walk.browsers["dpo"], self.walk.incident + "/scope"
        for base, names in [
            (scope + "/lines", ["from", "to", "door", "actor", "session", "origin", "purpose", "field",
                                "include_self", "up_to"]),
            (self.walk.incident + "/exports/new", ["from", "door", "actor", "session", "up_to"]),
        ]:
            for name in names:
                for kind in ("300 characters", "NUL", "control characters", "markup", "SQL", "header",
                             "huge number", "no date", "negative number", "not a number"):
                    query = encoded([(name, HOSTILE[kind])]).decode("latin-1")
                    self.check_refused(dpo.get(f"{base}?{query}"), f"{base}?{name}: {kind}")
        for kind in ("markup", "huge number", "negative number", "SQL", "only space"):
            query = encoded([("page", HOSTILE[kind])]).decode("latin-1")
            for browser, base in ((dpo, scope + "/lines"), (self.walk.browsers["officer"], "/queue")):
                reply = browser.get(f"{base}?{query}")
                self.check_safe(reply, f"{base}?{query}")
                self.assertLess(reply.status, 500)

    def test_uploads(self):
        browser = self.walk.browsers["resident"]
        browser.get(self.walk.request)
        target = self.walk.request + "/documents/add/address_proof"
        largest = 20 * 1024 * 1024
        for what, name, content, status, words in [
            ("no file", "", b"", 422, "Choose a file"),
            ("empty", "a.pdf", b"", 422, "This file is empty"),
            ("a page", "a.pdf", b"<html>" + MARKUP.encode(), 422, "not a readable PDF, JPEG or PNG"),
            ("a program", "a.pdf", b"MZ" + b"x" * 9000, 422, "not a readable PDF, JPEG or PNG"),
            ("a script", "a.png", b"#!/bin/sh\nid\n", 422, "not a readable PDF, JPEG or PNG"),
            ("one byte too big", "a.pdf", pdf(largest + 1), 413, "larger than 20 MB"),
            ("far too big", "a.pdf", pdf(largest + 1_900_000), 413, "larger than 20 MB"),
        ]:
            reply = browser.upload(target, name, content)
            self.check_refused(reply, what, {status})
            self.assertIn(words, reply.words, what)
        body, boundary = multipart([("csrf", browser.csrf)],
                                   ("file", "a.pdf", "application/pdf", pdf(3000)))
        kind = f"multipart/form-data; boundary={boundary}"
        bare, _ = multipart([], ("file", "a.pdf", "application/pdf", pdf(3000)))
        wrong, _ = multipart([("csrf", MARKUP)], ("file", "a.pdf", "application/pdf", pdf(3000)))
        many, _ = multipart([("csrf", browser.csrf)] + [(f"x{i}", "") for i in range(40)])
        wide, _ = multipart([("csrf", browser.csrf), ("x", "a" * 70_000)])
        for what, statuses, sent, content_type in [
            ("cut off in the file", {400, 422}, body[:-1500], kind),
            ("cut off in a header", {400, 403, 422}, body[:120], kind),
            ("cut off at the end", {400, 422}, body[:-8], kind),
            ("no boundary", {400}, body, "multipart/form-data"),
            ("another boundary", {400, 403, 422}, body, "multipart/form-data; boundary=other"),
            ("a boundary of 71 characters", {400}, body, "multipart/form-data; boundary=" + "b" * 71),
            ("a form", {400}, b"csrf=" + browser.csrf.encode(), "application/x-www-form-urlencoded"),
            ("JSON", {400}, b"{}", "application/json"),
            ("nothing", {400, 403, 422}, b"", kind),
            ("no token", {403}, bare, kind),
            ("a hostile token", {403}, wrong, kind),
            ("too many parts", {400, 413}, many, kind),
            ("a field too big", {400, 413}, wide, kind),
        ]:
            reply = browser.request("POST", target, sent, {"Content-Type": content_type})
            self.check_refused(reply, what, statuses)
        # A hostile name is no fault of the file: it is kept as far as it can be shown, and shown
        # escaped; a path in it leads nowhere.
        reply = browser.upload(target, "../../<script>alert('cloison')<script>.pdf", pdf(3000))
        self.assertEqual(reply.status, 303, reply.words)
        self.databases.changes()
        self.check_safe(browser.get(self.walk.request), "a hostile file name, in the list")
        document = browser.get(reply.location)
        self.check_safe(document, "a hostile file name")
        self.assertEqual(document.status, 200)

    def test_valid_values_are_accepted(self):
        """The twin of every refusal: all values as they should be."""
        def place(case):
            return next((LATE.index(end) for end in LATE if case.path.endswith(end)), -1)
        for case in sorted(self.walk.cases, key=place):
            if case.pattern in NOT_AGAIN:
                continue
            case.browser.get(case.page)
            if "version" in case.valid:
                page = case.browser.get(case.page)
                if page.status != 200:
                    continue  # Another decision was accepted before.
                case.valid["version"] = page.form(case.path).fields["version"]
            reply = case.send(case.valid)
            self.check_safe(reply, case.name)
            self.assertIn(reply.status, (200, 303), f"{case.name}: {reply.words[:300]}")


if __name__ == "__main__":
    unittest.main()
