#!/usr/bin/env python3
"""kill -9 of the keeper, of the portal, and of both, at moments that the seed decides, under load:
openings for several actors and purposes, histories, proofs, journal lines, look-ups, enrolment,
erasure and rotation by RPC (keeper_load.cc), and pages of residents who are signed in.

The journal stays whole, every released plaintext has its line, budgets (of actors and of a door, of the
hour and of the day) are as full as before, who was erased stays erased, every value is the right one, and
no page shows another resident's data. docs/faults.md says what is held against what after each kill.
CLOISON_KILLS sets the number of kills."""
import http.client
import os
import random
import select
import signal
import threading
import time
import unittest

from faults import (FULL, SEED, Installation, Load, MovedClock, Service, SmallBudgets, announce,
                    wait_until)

KILLS = int(os.environ.get("CLOISON_KILLS") or (2000 if FULL else 60))
KILLS_OF_HOUSE = int(os.environ.get("CLOISON_KILLS") or (2000 if FULL else 24))
CHECK_EVERY = 100 if FULL else 30
AGES = 2 * max(1, min(5, KILLS // 2), KILLS // 40)  # Of the keeper's test: between them the clock moves on.
RESIDENTS = 12
PAGES = ["/account", "/requests", "/disclosures", "/sign-ins"]
STRAIN = 0.12  # Seconds of load before a kill, at most.


def for_a_moment(seconds):
    """Lets the load run; a kill that always comes at the same point would find one fault only."""
    read_end, write_end = os.pipe()
    try:
        select.select([read_end], [], [], seconds)
    finally:
        os.close(read_end)
        os.close(write_end)


class Resident(threading.Thread):
    """Somebody at the portal, who reads their own pages until told to stop. Gone services may answer
    "later" or not at all; whatever is answered has to be theirs."""

    def __init__(self, port, account, others, seed):
        super().__init__(daemon=True)
        self.account, self.others = account, others
        self.browser = Browser(port).sign_in(account)
        self.lot = random.Random(seed)
        self.stopping = threading.Event()
        self.pages = self.later = self.away = 0
        self.wrong = None

    def run(self):
        while not self.stopping.is_set() and self.wrong is None:
            self.read_page(self.lot.choice(PAGES))
        self.browser.close()

    def read_page(self, page):
        try:
            reply = self.browser.get(page)
        except (OSError, http.client.HTTPException):
            self.browser.close()
            self.away += 1
            for_a_moment(0.005)
            return
        if reply.status == 503:
            self.later += 1
            for_a_moment(0.005)
            return
        if reply.status != 200:
            self.wrong = f"{page}: {reply.status} {reply.location} {reply.words[:200]}"
            return
        shown = [email for email in self.others if email in reply.text]
        if shown:
            self.wrong = f"{page} of {self.account['email']} shows {shown}"
        if page == "/account" and self.account["email"] not in reply.text:
            self.wrong = f"{page} of {self.account['email']} lacks their own address"
        self.pages += 1


class Tenths:
    """Erasures go on until the end: each tenth of the kills has some."""

    def __init__(self, kills):
        self.kills = kills
        self.erased = 0

    def after(self, kill, load):
        if kill * 10 // self.kills == (kill - 1) * 10 // self.kills:
            return
        wait_until(lambda: load.erased() > self.erased, 60,
                   f"an erasure in the tenth of the run that ends with kill {kill}")
        self.erased = load.erased()


class Kills(unittest.TestCase):
    def summary(self, report):
        return (f"{report['acknowledged']} disclosures acknowledged, each with its line; {report['lines']} lines; "
                f"{report['refused']} refused by budgets, {report['histories']} histories, "
                f"{report['proofs']} proofs, {report['erased']} persons erased, {report['rotations']} rotations "
                f"asked for; journal whole")

    def test_keeper(self):
        announce("kill -9 of the keeper")
        lot = random.Random(SEED)
        began = time.monotonic()
        with Installation() as here:
            budgets = SmallBudgets(here.var.parent / "home")
            clock = MovedClock(here.var.parent / "clock")
            environment = {**budgets.environment(), **clock.environment()}
            keeper = Service(here.var)
            keeper.start(environment)
            load = Load(here.var, SEED, here.var.parent / "acknowledged", register=budgets.register,
                        environment=clock.file_alone())
            tenths = Tenths(KILLS)
            age = 0
            try:
                for kill in range(1, KILLS + 1):
                    load.wait_for_release()
                    for_a_moment(lot.random() * STRAIN)
                    tenths.after(kill, load)
                    keeper.kill()
                    load.mark()
                    if kill % CHECK_EVERY == 0:
                        here.fsck()
                    keeper.start(environment)
                    load.recovered()
                    ages = kill * AGES // KILLS > age and kill < KILLS
                    # What the last hour but one used up is the day's in the last.
                    if kill % CHECK_EVERY == 0 or (ages and age == AGES - 2):
                        load.check()
                    if ages:
                        age += 1
                        self.move_on(clock, age, keeper, load, environment)
                load.wait_for_release()
                report = load.stop()
                self.assertEqual(keeper.stop(), 0)
                here.fsck()
            finally:
                load.end()
                keeper.kill()
        full = {name: report[f"full_{name}"] for name in ("actor_hour", "actor_day", "door_hour", "door_day")}
        self.assertEqual(age, AGES - 1 if KILLS > 1 else 0)
        # Very few kills leave the load no time to use everything up.
        self.assertFalse(KILLS >= 20 and 0 in full.values(),
                         f"a budget that was never used up when it was asked: {full}")
        print(f"{KILLS} kills of the keeper in {time.monotonic() - began:.0f} s: {self.summary(report)}; "
              f"used up when asked: {full}; the clock moved on {age} times")

    def move_on(self, clock, age, keeper, load, environment):
        """By turns an hour, after which the day's budget remembers the hour before, and a day."""
        load.say("pause")
        keeper.kill()
        clock.move(clock.HOUR if age % 2 else clock.DAY)
        keeper.start(environment)
        load.say("go")

    def test_keeper_and_portal(self):
        announce("kill -9 of keeper, portal and both")
        lot = random.Random(SEED + 1)
        began = time.monotonic()
        counts = {"keeper": 0, "portal": 0, "both": 0}
        with Installation(residents=RESIDENTS, seed=SEED) as here:
            services = {name: Service(here.var, name)
                        for name in ("keeper", "identity", "casework", "documents", "portal")}
            load = None
            residents = []
            tenths = Tenths(KILLS_OF_HOUSE)
            try:
                for service in services.values():
                    service.start()
                load = Load(here.var, SEED, here.var.parent / "acknowledged", threads=8)
                accounts = demo_accounts(here.var)["resident"]
                for number, account in enumerate(accounts):
                    others = [other["email"] for other in accounts if other is not account]
                    residents.append(Resident(here.portal_port, account, others, SEED * 100 + number))
                for resident in residents:
                    resident.start()
                for kill in range(1, KILLS_OF_HOUSE + 1):
                    self.kill_once(lot, counts, services, load, residents)
                    tenths.after(kill, load)
                    if kill % CHECK_EVERY == 0:
                        load.check()
                        here.fsck()
                self.answers_again(load, residents)
                for resident in residents:
                    resident.stopping.set()
                for resident in residents:
                    resident.join(60)
                report = load.stop()
                for service in reversed(services.values()):
                    self.assertEqual(service.stop(), 0, service.name)
                here.fsck()
            finally:
                if load:
                    load.end()
                for resident in residents:
                    resident.stopping.set()
                    resident.join(60)
                for service in services.values():
                    if service.process:
                        service.kill()
        pages = sum(resident.pages for resident in residents)
        self.assertGreater(pages, 0)
        print(f"{KILLS_OF_HOUSE} kills in {time.monotonic() - began:.0f} s (keeper {counts['keeper']}, portal "
              f"{counts['portal']}, both {counts['both']}): {pages} pages of {len(residents)} residents, each their "
              f"own; {sum(r.later for r in residents)} told to come back, {sum(r.away for r in residents)} "
              f"without an answer; {self.summary(report)}")

    def kill_once(self, lot, counts, services, load, residents):
        self.answers_again(load, residents)
        for_a_moment(lot.random() * STRAIN)
        which = lot.choice(sorted(counts))
        counts[which] += 1
        dying = [services[name] for name in (["keeper", "portal"] if which == "both" else [which])]
        for service in dying:
            service.process.send_signal(signal.SIGKILL)
        for service in dying:
            service.kill()
        load.mark()
        for service in dying:
            service.start()
        load.recovered()

    def answers_again(self, load, residents):
        """Both the keeper and the portal do their work again."""
        pages = sum(resident.pages for resident in residents)

        def answered():
            load.look()
            wrong = [resident.wrong for resident in residents if resident.wrong]
            self.assertEqual(wrong, [])
            return sum(resident.pages for resident in residents) > pages
        load.wait_for_release()
        wait_until(answered, 60, "a page to be served")


from pages import Browser, demo_accounts  # noqa: E402  (faults.py says where it is)

if __name__ == "__main__":
    unittest.main()
