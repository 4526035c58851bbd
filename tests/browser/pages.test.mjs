// Every page of both doors, in both languages: title, language, width, axe, keyboard, error summary.
// The routes are those of the routers: one that no round visits fails the last test.
import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {launch, Visitor} from "./browser.mjs";
import {realPdf} from "./files.mjs";
import {Installation, oneTimeCode, run} from "./installation.mjs";
import {passport, questionPages, Resident, submit} from "./resident.mjs";
import {atDesk} from "./staff.mjs";

let here, browser;
before(async () => {
    here = await Installation.start({residents: 60});
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await here?.stop();
});

/** Paths that were visited, by door. */
const visited = {portal: new Set(), desk: new Set()};
/** Titles by door and language, each with the page that has it. */
const titles = new Map();

/** Checks the page that the visitor is on, in both languages. */
async function checkPage(visitor, door, {again = visitor.path, keyboard = true} = {}) {
    const path = new URL(visitor.page.url()).pathname;
    visited[door].add(path);
    const kind = path.replace(/[0-9a-f]{32}/g, "{id}");
    for (const turn of [1, 2]) {
        const title = await visitor.check({keyboard: keyboard && turn === 1});
        const known = `${door} ${visitor.language} ${title}`;
        assert.equal(titles.get(known) ?? kind, kind, `the title “${title}” is not of one page alone`);
        titles.set(known, kind);
        if (turn === 1 && again !== null) await visitor.switchLanguage(again);
        else break;
    }
}

async function round(visitor, door, paths) {
    for (const path of paths) {
        await visitor.go(path);
        assert.equal(visitor.path, path);
        await checkPage(visitor, door);
    }
}

/** Hands the form in as it is, which must be answered by errors. */
async function checkEmptyForm(visitor, path, button = submit) {
    visitor.expect(422);
    await visitor.go(path);
    await visitor.press(button);
    await visitor.checkErrors();
    await visitor.check({keyboard: false});
    await visitor.switchLanguage(path);
}

test("the portal's pages for anybody", async () => {
    const visitor = await Visitor.arrive(browser, here.portal, {language: "fr"});
    await round(visitor, "portal", ["/", "/help", "/privacy", "/sign-in", "/sign-up"]);
    await checkEmptyForm(visitor, "/sign-in");
    await checkEmptyForm(visitor, "/sign-up");
    visitor.expect(404, 405);
    await round(visitor, "portal", ["/nowhere"]);
    await visitor.leave();
});

test("the portal's pages of signing up", async () => {
    const visitor = await Visitor.arrive(browser, here.portal);
    const resident = new Resident(visitor, {onPage: () => checkPage(visitor, "portal")});
    visitor.expect(422);
    await visitor.go("/");
    await resident.signUp(here, "pages@example.org");
    await resident.setUpOneTimeCode();
    await round(visitor, "portal", ["/", "/one-time-code/remove"]);
    await checkEmptyForm(visitor, "/one-time-code/remove");
    await visitor.leave();
});

test("the portal's pages of a request", async () => {
    const visitor = await Visitor.arrive(browser, here.portal, {language: "fr"});
    const resident = new Resident(visitor);
    await visitor.go("/");
    await resident.signUp(here, "request@example.org");
    await round(visitor, "portal", ["/requests"]);
    await visitor.go("/");
    await resident.begin();
    const {request} = resident;
    await round(visitor, "portal", [request]);
    await visitor.go(`${request}/questions/reason`);
    await resident.answer();
    for (const page of questionPages) {
        const path = `${request}/questions/${page}`;
        await round(visitor, "portal", [path]);
        // Of these every answer may be left out.
        if (!["reason", "previous-title", "name-in-use", "parent1", "parent2"].includes(page)) await checkEmptyForm(visitor, path);
        await visitor.go(path);
        await resident.answer(passport);
    }
    await round(visitor, "portal", [`${request}/documents/add/identity_proof`]);
    await visitor.go(request);
    await resident.handInAll();
    await round(visitor, "portal", [`${request}/documents/add/identity_proof`, `${request}/answers`, request, `${request}/withdraw`]);
    await visitor.go(request);
    await resident.submit();
    await round(visitor, "portal", [request, `${request}/answers`, "/requests", "/apply", "/account", "/account/edit", "/sign-ins", "/disclosures"]);
    visitor.expect(422);
    await visitor.go(request);
    await visitor.press("form[action$='/messages'] button");
    await visitor.checkErrors();
    await visitor.switchLanguage(request);
    await visitor.go("/account/edit");
    await visitor.page.fill("#phone", "not a number");
    await visitor.press(submit);
    await visitor.checkErrors();
    await visitor.leave();
});

test("the portal's pages of a resident of long standing", async () => {
    const [account] = here.accounts("resident");
    const visitor = await Visitor.arrive(browser, here.portal, {language: "fr"});
    await visitor.go("/sign-in");
    await visitor.page.fill("#email", account.email);
    await visitor.page.fill("#password", account.password);
    await visitor.press(submit);
    if (account.totp) {
        await checkPage(visitor, "portal");
        await visitor.page.fill("#code", oneTimeCode(account.totp));
        await visitor.press(submit);
    }
    await round(visitor, "portal", ["/", "/requests", "/account", "/sign-ins", "/disclosures", "/one-time-code"]);
    await visitor.leave();
});

test("the portal's pages of a professional", async () => {
    const [account] = here.accounts("professional");
    const visitor = await Visitor.arrive(browser, here.portal);
    await visitor.go("/sign-in");
    await visitor.page.fill("#email", account.email);
    await visitor.page.fill("#password", account.password);
    await visitor.press(submit);
    if (account.totp) {
        await checkPage(visitor, "portal");
        await visitor.page.fill("#code", oneTimeCode(account.totp));
        await visitor.press(submit);
    }
    await round(visitor, "portal", ["/", "/pro"]);
    await checkEmptyForm(visitor, "/pro");
    await visitor.go("/pro");
    await visitor.page.fill("#email", here.accounts("resident")[0].email);
    await visitor.page.locator("[name=reason]").first().check();
    await visitor.press(submit);
    await checkPage(visitor, "portal", {again: null});
    await visitor.leave();
});

test("the desk's pages for anybody", async () => {
    const visitor = await Visitor.arrive(browser, here.desk, {language: "fr"});
    await round(visitor, "desk", ["/sign-in", "/help", "/privacy"]);
    await checkEmptyForm(visitor, "/sign-in");
    visitor.expect(404);
    await round(visitor, "desk", ["/nowhere"]);
    await visitor.leave();
});

test("the desk's pages of an officer", async () => {
    const visitor = await atDesk(browser, here, here.accounts("officer")[1], {
        language: "fr", onPage: (one) => checkPage(one, "desk"),
    });
    await round(visitor, "desk", ["/queue", "/queue?status=delivered&reference=", "/sessions", "/one-time-code", "/one-time-code/remove"]);
    await visitor.go("/queue");
    await visitor.press(visitor.page.locator("tbody button").first());
    const one = visitor.path;
    await round(visitor, "desk", [
        one, `${one}/message`, `${one}/reveal`, `${one}/documents`, `${one}/decide/action_required`, `${one}/decide/refused`,
    ]);
    for (const path of ["message", "reveal", "decide/action_required"]) await checkEmptyForm(visitor, `${one}/${path}`);
    await visitor.go(`${one}/reveal`);
    for (const group of await visitor.page.locator("[name=group]").all()) await group.check();
    await visitor.page.locator("[name=reason]").first().check();
    await visitor.press(submit);
    await checkPage(visitor, "desk", {again: null});
    await visitor.leave();
});

test("the desk's documents reach the officer as the resident sent them", async () => {
    const visitor = await Visitor.arrive(browser, here.portal);
    const resident = new Resident(visitor);
    await visitor.go("/");
    await resident.signUp(here, "documents@example.org");
    await visitor.go("/");
    await resident.begin();
    await resident.answerAll();
    await resident.handInAll();
    await resident.submit();
    const reference = await visitor.page.locator(".c-reference").first().innerText();
    await visitor.leave();

    const officer = await atDesk(browser, here, here.accounts("officer")[2]);
    await officer.go(`/queue?reference=${reference}`);
    await officer.press("tbody button");
    const one = officer.path;
    await round(officer, "desk", [`${one}/documents`]);
    await checkEmptyForm(officer, `${one}/documents`);
    await officer.go(`${one}/documents`);
    await officer.page.locator("main input[type=radio]").first().check();
    await officer.page.locator("[name=reason]").first().check();
    const {path, name} = await officer.file(submit);
    const {readFileSync} = await import("node:fs");
    assert.equal(readFileSync(path).subarray(0, 5).toString(), "%PDF-");
    assert.match(name, /\.pdf$/);
    if (name === realPdf.name) assert.deepEqual(readFileSync(path), realPdf.buffer);
    await officer.leave();
});

test("the desk's pages of phone support", async () => {
    const visitor = await atDesk(browser, here, here.accounts("support")[0]);
    await round(visitor, "desk", ["/support"]);
    await checkEmptyForm(visitor, "/support");
    await visitor.go("/support");
    await visitor.page.fill("#email", here.accounts("resident")[0].email);
    await visitor.press(submit);
    await round(visitor, "desk", ["/support/account"]);
    await checkEmptyForm(visitor, "/support/account");
    await visitor.go("/support/account");
    await visitor.page.locator("[name=field]").first().check();
    await visitor.page.locator("[name=reason]").first().check();
    await visitor.press(submit);
    await checkPage(visitor, "desk", {again: null});
    await visitor.leave();
});

test("the desk's pages of an administrator", async () => {
    const visitor = await atDesk(browser, here, here.accounts("administrator")[0], {language: "fr"});
    await round(visitor, "desk", ["/staff", "/staff/new", "/alarms", "/approvals", "/sessions"]);
    await checkEmptyForm(visitor, "/staff/new");
    await visitor.go("/staff/new");
    await visitor.page.fill("#name", "Camille Ozanne");
    await visitor.page.fill("#unit", "Mairie de Quimper");
    await visitor.page.fill("#email", "camille.ozanne@demo.example");
    await visitor.page.check("[name=role][value=officer]");
    await visitor.press(submit);
    await checkPage(visitor, "desk", {again: null});
    const password = await visitor.page.locator(".c-secret").innerText();
    await visitor.go("/staff");
    await visitor.press("a[href$='/disable'] >> nth=0");
    await checkPage(visitor, "desk");
    await visitor.leave();

    // Staff set the one-time code up before anything else.
    const officer = await Visitor.arrive(browser, here.desk);
    await officer.go("/sign-in");
    await officer.page.fill("#email", "camille.ozanne@demo.example");
    await officer.page.fill("#password", password);
    await officer.press(submit);
    await officer.go("/queue");
    assert.equal(officer.path, "/one-time-code");
    await checkPage(officer, "desk");
    await officer.page.fill("#code", oneTimeCode(await officer.page.locator(".c-secret").innerText()));
    await officer.press(submit);
    await officer.go("/queue");
    assert.equal(officer.path, "/queue");
    await officer.leave();
});

test("the desk's pages of a data-protection officer", async () => {
    const visitor = await atDesk(browser, here, here.accounts("dpo")[2], {language: "fr"});
    const {page} = visitor;
    await round(visitor, "desk", ["/incidents", "/incidents/new", "/alarms", "/approvals", "/sessions"]);
    await checkEmptyForm(visitor, "/incidents/new");
    await visitor.go("/incidents/new");
    await page.fill("#title", "Poste volé");
    await visitor.press(submit);
    const incident = visitor.path;
    await round(visitor, "desk", [
        incident, ...["awareness", "notes", "notified", "close", "scope/ask"].map((name) => `${incident}/${name}`),
    ]);
    for (const name of ["awareness", "notes", "notified"]) await checkEmptyForm(visitor, `${incident}/${name}`);
    await visitor.go(`${incident}/awareness`);
    await page.fill("#at_date", "01/11/2026".replace("2026", String(new Date().getFullYear() - 1)));
    await page.fill("#source", "Presse");
    await visitor.press(submit);
    await visitor.go(`${incident}/notes`);
    await page.fill("#note", "Le poste était chiffré.");
    await visitor.press(submit);
    await visitor.go(`${incident}/scope`);
    await visitor.press("form[action$='/scope/save'] button");
    await round(visitor, "desk", [
        incident, "/incidents", `${incident}/scope`, `${incident}/scope?door=desk`, `${incident}/scope/lines`,
        `${incident}/scope/ask?door=desk&purpose=process_request`, `${incident}/exports/new?door=desk`,
    ]);
    visitor.expect(422);
    await visitor.go(`${incident}/scope?session=wrong&origin=wrong&from_date=wrong`);
    await visitor.checkErrors();
    await visitor.go(`${incident}/exports/new?door=desk`);
    await visitor.press(submit);
    await checkPage(visitor, "desk");
    await round(visitor, "desk", ["/approvals", incident]);
    await visitor.go(`${incident}/close`);
    await visitor.press(submit);
    await round(visitor, "desk", [incident]);
    await visitor.leave();
});

test("no page was left out", async () => {
    // These answer with a file, or lead on.
    const files = ["/requests/{request}/documents/{document}", "/disclosures/{index}/proof"];
    const leadsOn = {portal: [], desk: ["/"]};
    for (const door of ["portal", "desk"]) {
        const routes = JSON.parse((await run("routes", door, "--json")).stdout);
        const missed = routes.filter(({method, pattern}) => {
            if (method !== "GET" || files.includes(pattern) || leadsOn[door].includes(pattern)) return false;
            const shape = new RegExp(`^${pattern.replace(/\{[^}]+\}/g, "[^/]+")}$`);
            return ![...visited[door]].some((path) => shape.test(path));
        });
        assert.deepEqual(missed.map(({pattern}) => pattern), [], door);
    }
});
