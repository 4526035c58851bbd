// The resident's path without JavaScript, by keyboard alone, and with wrong files.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {launch, narrow, Visitor} from "./browser.mjs";
import {realPdf, wrongFiles} from "./files.mjs";
import {Keyboard} from "./hands.mjs";
import {Installation, root} from "./installation.mjs";
import {notice, passport, questionPages, Resident, submit} from "./resident.mjs";
import {infectedFile, startVirusScanner} from "./virus_scanner.mjs";

let here, browser, scanner;
before(async () => {
    scanner = await startVirusScanner();
    here = await Installation.start({clamd: scanner.address});
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await here?.stop();
    await scanner?.stop();
});

/** From nothing to a request that is submitted, then everything that can be looked at. */
async function wholePath(visitor, options) {
    const resident = new Resident(visitor, options);
    const {hands, page} = resident;
    const email = `resident${Math.random().toString(36).slice(2)}@example.org`;
    await visitor.go("/");
    await resident.signUp(here, email);
    const secret = await resident.setUpOneTimeCode();
    await resident.begin();
    assert.deepEqual(await resident.answerAll(), questionPages);
    await resident.handInAll();
    await resident.submit();
    await hands.fill("#message", "Bonjour");
    await hands.press("form[action$='/messages'] button");
    assert.equal(await page.locator(".c-message").count(), 1);
    for (const path of ["/requests", "/account", "/sign-ins", "/disclosures"]) {
        await hands.press(`.c-nav a[href="${path}"]`);
        assert.equal(visitor.path, path);
        await resident.onPage();
    }
    await hands.push("summary");
    await page.locator("details[open]").waitFor();
    await hands.press(".c-header form button");
    await resident.signIn(email, secret);
    assert.equal(visitor.path, "/");
}

for (const language of ["fr", "en"]) {
    test(`without JavaScript on a phone, ${language}`, async () => {
        const visitor = await Visitor.arrive(browser, here.portal, {language, script: false, viewport: narrow});
        await wholePath(visitor, {
            onPage: async () => {
                assert.equal(await visitor.page.locator("html").getAttribute("lang"), language);
                await visitor.checkWidth();
            },
        });
        await visitor.leave();
    });
}

test("by keyboard alone", async () => {
    const visitor = await Visitor.arrive(browser, here.portal, {language: "fr"});
    await wholePath(visitor, {hands: new Keyboard(visitor)});
    await visitor.leave();
});

test("the skip link leads past the header", async () => {
    for (const script of [true, false]) {
        const visitor = await Visitor.arrive(browser, here.portal, {script});
        await visitor.go("/sign-in");
        await visitor.page.keyboard.press("Tab");
        assert.ok(await visitor.page.locator(".govuk-skip-link:focus").isVisible());
        await visitor.page.keyboard.press("Enter");
        await visitor.page.keyboard.press("Tab");
        assert.equal(await visitor.page.locator("main :focus").getAttribute("id"), "email");
        await visitor.leave();
    }
});

/** The words of a text of the portal, as the texts have it. */
function words(language, section, key) {
    const texts = readFileSync(join(root, "web/texts", language, "portal.toml"), "utf8");
    const part = texts.split(/^\[/m).find((one) => one.startsWith(`${section}]`));
    return new RegExp(`^${key} = "(.*)"$`, "m").exec(part)[1];
}

for (const [language, script] of [["en", true], ["fr", false]]) {
    test(`each wrong file has its own message, ${language}, ${script ? "with" : "without"} JavaScript`, async () => {
        const visitor = await Visitor.arrive(browser, here.portal, {language, script});
        const {page} = visitor;
        const resident = new Resident(visitor);
        await visitor.go("/");
        await resident.signUp(here, `files-${language}-${script}@example.org`);
        await visitor.go("/");
        await resident.begin();
        visitor.expect(413, 422);
        const seen = new Set();
        for (const [fault, file] of Object.entries({no_file: null, ...wrongFiles, infected: infectedFile})) {
            await visitor.go(`${resident.request}/documents/add/identity_proof`);
            if (file) await resident.sendFile(file);
            else await visitor.press(submit);
            await page.locator(".govuk-error-summary").waitFor();
            const [said, ...others] = await visitor.checkErrors();
            assert.equal(said, words(language, "document", fault), fault);
            assert.deepEqual(others, []);
            seen.add(said);
        }
        assert.equal(seen.size, 6, "six messages");
        if (script) await visitor.check();
        await visitor.go(resident.request);
        assert.equal(await page.getByRole("link", {name: /\.pdf$/}).count(), 0, "nothing was kept");

        await resident.handIn("identity_proof", realPdf);
        await visitor.go(`${resident.request}/documents/add/identity_proof`);
        await visitor.press("form[action$='/remove'] button");
        assert.equal(await page.locator(notice).innerText().then((text) => text.includes(words(language, "document", "removed"))), true);
        assert.equal(await page.getByRole("link", {name: realPdf.name}).count(), 0);
        await visitor.leave();
    });
}

test("a document is not kept while the virus scanner does not answer", async () => {
    await scanner.stop();
    const visitor = await Visitor.arrive(browser, here.portal);
    visitor.expect(503);
    const resident = new Resident(visitor);
    await visitor.go("/");
    await resident.signUp(here, "noscanner@example.org");
    await visitor.go("/");
    await resident.begin();
    await visitor.go(`${resident.request}/documents/add/identity_proof`);
    await resident.sendFile(realPdf);
    await visitor.page.locator(".govuk-error-summary").waitFor();
    assert.deepEqual(await visitor.checkErrors(), [words("en", "document", "scanner_unavailable")]);
    await visitor.leave();
    scanner = await startVirusScanner();
});

test("a request that is not complete is not submitted, and the summary leads to what is missing", async () => {
    const visitor = await Visitor.arrive(browser, here.portal);
    const resident = new Resident(visitor);
    await visitor.go("/");
    await resident.signUp(here, "incomplete@example.org");
    await visitor.go("/");
    await resident.begin();
    await visitor.go(`${resident.request}/questions/appearance`);
    await resident.answer(passport);
    await visitor.go(`${resident.request}/answers`);
    visitor.expect(422);
    await visitor.press(submit);
    const links = visitor.page.locator(".govuk-error-summary a");
    assert.ok((await links.count()) > 10);
    for (const link of [links.first(), links.last()]) {
        await link.click();
        const id = (await link.getAttribute("href")).slice(1);
        assert.equal(await visitor.page.evaluate(() => document.activeElement.id), id);
    }
    await visitor.check();
    await visitor.switchLanguage(`${resident.request}/answers`);
    await visitor.leave();
});
