// The whole path: a resident applies, an officer processes it, the data-protection officer answers
// whose data was opened, which fields, when and by whom. Each part goes on where the last one ended.
import assert from "node:assert/strict";
import {readFileSync, writeFileSync} from "node:fs";
import {after, before, test} from "node:test";
import {launch, Visitor} from "./browser.mjs";
import {realPdf} from "./files.mjs";
import {Installation, run} from "./installation.mjs";
import {notice, passport, questionPages, Resident, submit} from "./resident.mjs";
import {atDesk} from "./staff.mjs";

const email = "anais.legoff@example.org";
/** What the officer opens, by the names of the register. */
const revealedFields = [
    "birth_date", "birth_name", "birthplace", "eye_colour", "forenames", "height", "name_in_use", "nationality", "sex",
];

let here, browser, resident, officer, reference, casePath, officerSession;
/** The words of the register for what was revealed, as the resident reads them. */
let revealedWords;
before(async () => {
    here = await Installation.start({residents: 60});
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await here?.stop();
});

let broken = false;
/** A part goes on where the last one ended: after one that failed, none is tried. */
function part(name, body) {
    test(name, async (t) => {
        if (broken) return t.skip("an earlier part failed");
        broken = true;
        await body(t);
        broken = false;
    });
}

const words = (visitor) => visitor.page.locator("main").innerText();

part("a resident signs up with the mailed code and turns on one-time codes", async () => {
    const visitor = await Visitor.arrive(browser, here.portal);
    await visitor.go("/");
    await visitor.switchLanguage();
    await visitor.picture("portal-home-fr");
    await visitor.switchLanguage();
    await visitor.picture("portal-home");
    resident = new Resident(visitor, {
        onPage: async () => {
            if (visitor.path === "/one-time-code") await visitor.picture("portal-one-time-code", {height: 1100});
        },
    });
    await resident.signUp(here, email);
    resident.secret = await resident.setUpOneTimeCode();
});

part("a second sign-in asks for the code", async () => {
    const {visitor} = resident;
    await visitor.press(".c-header form button");
    assert.equal(visitor.path, "/sign-in");
    await resident.signIn(email, resident.secret);
    assert.equal(visitor.path, "/");
    await visitor.press(".c-nav a[href='/sign-ins']");
    assert.equal(await visitor.page.locator("tbody tr").count(), 2, "sign-up and sign-in are listed");
    await visitor.go("/");
});

part("the resident applies for a passport through every question and hands in documents", async () => {
    const {visitor, page} = resident;
    await resident.begin();
    await visitor.picture("portal-task-list");
    resident.onPage = async () => {
        if (visitor.path.endsWith("/birth")) await visitor.picture("portal-question");
        if (visitor.path.endsWith("/identity_proof")) await visitor.picture("portal-document");
        if (visitor.path.endsWith("/answers")) await visitor.picture("portal-check-answers");
    };
    assert.deepEqual(await resident.answerAll(), questionPages);
    await resident.handInAll();
    await resident.submit();
    reference = await page.locator(".c-reference").first().innerText();
    const file = await visitor.file(page.getByRole("link", {name: realPdf.name}));
    assert.equal(file.name, realPdf.name);
    assert.deepEqual(readFileSync(file.path), realPdf.buffer, "the file comes back as it was sent");
});

part("the answers are shown as they were given", async () => {
    const {visitor, page} = resident;
    await visitor.press(`a[href="${resident.request}/answers"]`);
    const answers = await page.locator(".govuk-summary-list").allInnerTexts();
    for (const value of [
        "Renewal", "12AB34567", "27 March 2016", "Le Goff", passport.forenames, "D'Hérouville", "Female", "9 March 1984",
        passport.birthplace, "172\u00a0cm", "Green", passport.parent1_name, passport.parent2_birthplace,
        passport.postal_address, passport.contact_email,
    ]) {
        assert.ok(answers.join("\n").includes(value), value);
    }
    await visitor.press(".govuk-back-link");
});

part("nobody but the resident has seen their data yet", async () => {
    const {visitor} = resident;
    await visitor.press(".c-nav a[href='/disclosures']");
    assert.match(await words(visitor), /Nobody but you has looked at your data/);
});

part("an officer finds the case in the queue and takes it, masked", async () => {
    officer = await atDesk(browser, here, here.accounts("officer")[0]);
    await officer.press(".c-nav a[href='/sessions']");
    officerSession = await officer.page.locator("tr", {hasText: "This session"}).locator(".c-reference").innerText();
    await officer.press(".c-nav a[href='/queue']");
    await officer.picture("desk-queue");
    await officer.page.fill("#reference", reference);
    await officer.press("form[action='/queue'] button");
    assert.equal(await officer.page.locator("[role=status]").innerText(), "1 case");
    await officer.press("tbody button");
    casePath = officer.path;
    const text = await words(officer);
    for (const value of Object.values(passport).flat().filter((value) => value.length > 3)) {
        assert.ok(!text.includes(value), `${value} is not masked`);
    }
    await officer.go(casePath);
    await officer.picture("desk-case-masked");
});

part("the officer reveals the identity for a reason", async () => {
    const {page} = officer;
    await officer.press(`main a[href="${casePath}/reveal"]`);
    await page.check("[name=group][value=identity]");
    await page.check("[name=reason][value=identity_check]");
    await officer.picture("desk-reveal");
    await officer.press(submit);
    const text = await words(officer);
    for (const value of ["Le Goff", passport.forenames, "9 March 1984", passport.birthplace, "172 cm", "Green", "Checking identity"]) {
        assert.ok(text.includes(value), value);
    }
    for (const value of [passport.parent1_name, passport.contact_phone, "12AB34567"]) {
        assert.ok(!text.includes(value), `${value} was not asked for`);
    }
    assert.equal(await page.locator("dt").count(), revealedFields.length);
    await officer.picture("desk-revealed");
    await officer.go(casePath);
});

part("the officer asks for a correction", async () => {
    await officer.press("a[href$='/decide/action_required']");
    await officer.page.fill("#words", "Your height is 171 cm on your last passport.\nPlease check it.");
    await officer.press(submit);
    assert.equal(await officer.page.locator("main .govuk-tag--orange").count(), 1, "the status says so");
});

part("the resident reads it, answers, corrects and submits again", async () => {
    const {visitor, page} = resident;
    await visitor.go(resident.request);
    assert.match(await words(visitor), /Your height is 171 cm on your last passport\.\nPlease check it\./);
    await visitor.picture("portal-correction", {height: 1400});
    await page.fill("#message", "You are right: 171 cm.");
    await visitor.press("form[action$='/messages'] button");
    assert.match(await words(visitor), /You are right: 171 cm\./);
    await visitor.press(`a[href="${resident.request}/answers"]`);
    await visitor.press(page.getByRole("link", {name: "Change Height"}));
    await resident.answer({...passport, height: "171"});
    assert.match(visitor.path, /\/answers$/);
    assert.match(await words(visitor), /171\u00a0cm/);
    await visitor.press(submit);
    assert.match(await page.locator(notice).innerText(), /submitted/);
});

part("the officer resumes the review and approves", async () => {
    await officer.go(casePath);
    const decide = async (status) => {
        await officer.press(`a[href$='/decide/${status}']`);
        await officer.press(submit);
    };
    if ((await officer.page.locator("a[href$='/decide/in_review']").count()) > 0) await decide("in_review");
    await decide("approved");
    assert.equal(await officer.page.locator("main .govuk-tag--green").count(), 1, "the status says so");
});

part("the resident sees the history and who has seen their data", async () => {
    const {visitor, page} = resident;
    await visitor.go(resident.request);
    const history = await page.locator(".c-timeline__item strong").allInnerTexts();
    assert.equal(history[0], "Accepted");
    assert.ok(history.length >= 5, history.join());
    await visitor.picture("portal-request-approved");
    await visitor.press(".c-nav a[href='/disclosures']");
    const others = page.locator("section.c-card");
    assert.equal(await others.count(), 1, "one look by another");
    const row = async (name) => (await others.locator("div", {hasText: name}).locator("dd").first().innerText());
    assert.match(await row("Who"), /Case officer, /);
    assert.match(await row("Why"), /Checking identity/);
    revealedWords = (await row("Which data")).split(", ");
    assert.equal(revealedWords.length, revealedFields.length);
    await visitor.picture("portal-who-has-seen");
    await visitor.switchLanguage();
    await visitor.picture("portal-who-has-seen-fr");
    await visitor.switchLanguage();
});

part("the saved proof is accepted by cloison journal verify, and a changed one is not", async () => {
    const {visitor, page} = resident;
    const key = /--key '([^']+)'/.exec(await words(visitor))[1];
    const {path, name} = await visitor.file(page.locator("section.c-card a"));
    assert.match(name, /^cloison-\d+\.tlog-proof\.txt$/);
    const {stdout} = await run("journal", "verify", path, "--key", key);
    assert.match(stdout, /^Line \d+ of the journal .+ is proved/);
    const changed = readFileSync(path, "utf8").replace(/^index (\d+)$/m, (_, index) => `index ${Number(index) + 1}`);
    assert.notEqual(changed, readFileSync(path, "utf8"));
    writeFileSync(`${here.directory}/changed`, changed);
    await assert.rejects(run("journal", "verify", `${here.directory}/changed`, "--key", key));
});

part("the data-protection officer opens an incident and the clock runs", async (t) => {
    const accounts = here.accounts("dpo");
    const dpo = await atDesk(browser, here, accounts[0]);
    const second = await atDesk(browser, here, accounts[1]);
    const {page} = dpo;
    let incident, scope;

    await t.test("awareness time and the 72 hours", async () => {
        await dpo.press("main a[href='/incidents/new']");
        await page.fill("#title", "Officer account misused");
        await dpo.press(submit);
        incident = dpo.path;
        await dpo.press(`a[href="${incident}/awareness"]`);
        const at = new Date(Date.now() - 26 * 3600_000).toLocaleDateString("en-GB", {timeZone: "Europe/Paris"});
        await page.fill("#at_date", at);
        await page.fill("#at_time", new Date(Date.now() - 26 * 3600_000).toLocaleTimeString("en-GB", {timeZone: "Europe/Paris"}));
        await page.fill("#source", "Report by a colleague");
        await dpo.press(submit);
        assert.match(await words(dpo), /4[56] hours \d+ minutes? left/);
        assert.equal(await page.locator("svg[role=img]").count(), 1, "the clock is drawn");
        await dpo.go(incident);
        await dpo.picture("desk-incident");
    });

    await t.test("the scope of the officer's session is that resident and those fields", async () => {
        await dpo.press(`a[href="${incident}/scope/ask"]`);
        await page.locator("#actor").selectOption({label: await page.locator("#actor option", {hasText: here.accounts("officer")[0].name}).first().innerText()});
        await dpo.picture("desk-scope-question");
        await dpo.press(submit);
        // Of all that the officer has ever opened, the session that the officer saw as theirs.
        await dpo.press(page.getByRole("link", {name: officerSession}));
        scope = dpo.path;
        assert.match(await page.locator("main .c-hero").innerText(), /^1 person\n/);
        const opened = page.locator("tr", {has: page.locator(".govuk-tag--red")});
        assert.deepEqual((await opened.locator("th").allInnerTexts()).sort(), revealedWords.sort());
        assert.deepEqual([...new Set(await opened.locator("td:nth-child(3)").allInnerTexts())], ["1"]);
        const answer = await page.evaluate(async (path) => (await fetch(path, {headers: {Accept: "application/json"}})).json(), scope);
        assert.equal(answer.persons, 1);
        assert.deepEqual(answer.fields.filter(({verdict}) => verdict === "opened").map(({field}) => field).sort(), revealedFields);
        await dpo.picture("desk-scope", {height: 1500});
    });

    await t.test("the lines of the journal stand behind it", async () => {
        await dpo.press("a[href*='/scope/lines']");
        assert.equal(await page.locator("tbody tr").count(), 1);
        await dpo.press(".govuk-back-link");
        assert.equal(dpo.path, scope);
    });

    await t.test("the scope is saved in the incident", async () => {
        await dpo.press("form[action$='/scope/save'] button");
        assert.match(await words(dpo), /1 person, /);
        await dpo.go(scope);
    });

    await t.test("the list of persons takes a second data-protection officer", async () => {
        await dpo.press("a[href*='/exports/new']");
        await dpo.press(submit);
        const list = dpo.path;
        assert.match(await words(dpo), /Waiting for approval/);
        assert.equal(await page.locator("button[name=format]").count(), 0, "nothing to download yet");
        await dpo.press(".c-nav a[href='/approvals']");
        assert.equal(await page.locator("tbody button").count(), 0, "nobody approves their own request");

        await second.press(".c-nav a[href='/approvals']");
        assert.match(await second.page.locator("tbody th").innerText(), /^1 person\n.*session: /, "what is asked for, in words");
        await second.picture("desk-approvals");
        await second.press("tbody button");
        await dpo.go(list);
        await dpo.picture("desk-export");
        const csv = readFileSync((await dpo.file("button[value=csv]")).path, "utf8").trim().split(/\r?\n/);
        assert.equal(csv.length, 2, "a heading and one person");
        assert.ok(csv[1].includes(email), csv[1]);
        await dpo.leave();
        await second.leave();
    });
});

part("the resident sees that, too", async () => {
    const {visitor, page} = resident;
    await visitor.go("/disclosures");
    const text = await page.locator("section.c-card").allInnerTexts();
    assert.equal(text.filter((card) => /Data-protection officer/.test(card)).length, 1);
    await visitor.leave();
    await officer.leave();
});

part("the journal is whole", async () => {
    const {stdout} = await run("journal", "fsck", "--json", "--var", here.var);
    assert.equal(JSON.parse(stdout).torn_tail, false);
});
