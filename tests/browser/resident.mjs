// What a resident does, in either language, with a pointer or the keyboard, with script or without.
// Fields are found by the names that they are sent under, which no language changes.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {otherPdf, realPdf} from "./files.mjs";
import {Pointer} from "./hands.mjs";
import {oneTimeCode, root} from "./installation.mjs";

export const submit = "main form button[type=submit]";
export const notice = ".govuk-notification-banner--success";
export const password = "quatre moulins sous la pluie";

/** One answer to every question of passport.toml; a date is day, month, year. */
export const passport = {
    request_reason: "renewal",
    previous_title_number: "12AB34567",
    previous_title_issued: ["27", "3", "2016"],
    birth_name: "Le Goff",
    forenames: "Anaïs Marie-Noëlle",
    name_in_use: "D’Hérouville",
    sex: "female",
    birth_date: ["9", "3", "1984"],
    birthplace: "Quimper (29)",
    nationality: "french_parent",
    height: "172",
    eye_colour: "green",
    parent1_known: "yes",
    parent1_name: "Le Goff Yann",
    parent1_birth_date: ["1", "12", "1955"],
    parent1_birthplace: "Brest (29)",
    parent2_known: "yes",
    parent2_name: "Kérouédan Soizic",
    parent2_birth_date: ["30", "6", "1957"],
    parent2_birthplace: "Turin, Italie",
    postal_address: "12 rue des Écluses\n29000 Quimper",
    contact_phone: "06 12 34 56 78",
    contact_email: "anais@example.org",
};

/** Names of the question pages, from the file that declares them. */
export const questionPages = [
    ...readFileSync(join(root, "registry/requests/passport.toml"), "utf8").matchAll(/\[\[section\.page\]\]\nname = "([^"]+)"/g),
].map(([, name]) => name);

/** The newest code that was mailed to an address, as the outbox page shows it. */
export async function mailedCode(browser, here, email) {
    const page = await browser.newPage();
    await page.goto(here.outbox);
    await page.locator("tr", {hasText: email}).first().getByRole("link").click();
    const text = await page.locator("pre").innerText();
    await page.close();
    return /\b\d{6}\b/.exec(text)[0];
}

export class Resident {
    /** `onPage` is called on each page that this leads to, before it is filled in. */
    constructor(visitor, {hands = new Pointer(visitor), onPage = async () => {}} = {}) {
        Object.assign(this, {visitor, hands, onPage});
    }

    get page() {
        return this.visitor.page;
    }

    async #arrived(pattern) {
        assert.match(this.visitor.path, pattern);
        await this.onPage();
    }

    async signUp(here, email) {
        const {hands} = this;
        await hands.press(".c-hero a[href='/sign-up']");
        await this.#arrived(/^\/sign-up$/);
        await hands.fill("#email", email);
        await hands.press(submit);
        await this.#arrived(/^\/sign-up\/code$/);
        await hands.fill("#code", await mailedCode(this.visitor.context.browser(), here, email));
        await hands.press(submit);
        await this.#arrived(/^\/sign-up\/password$/);
        await hands.fill("#password", password);
        await hands.press(submit);
        assert.equal(await this.page.locator(notice).count(), 1, "told that the account is made");
    }

    /** After sign-up: sets the one-time code up from the key that is shown; returns the key. */
    async setUpOneTimeCode() {
        await this.#arrived(/^\/one-time-code$/);
        const secret = await this.page.locator(".c-secret").innerText();
        await this.hands.fill("#code", oneTimeCode(secret));
        await this.hands.press(submit);
        assert.equal(await this.page.locator(notice).count(), 1, "told that the code is on");
        return secret;
    }

    async signIn(email, secret) {
        await this.hands.fill("#email", email);
        await this.hands.fill("#password", password);
        await this.hands.press(submit);
        await this.#arrived(/^\/sign-in\/code$/);
        await this.hands.fill("#code", oneTimeCode(secret));
        await this.hands.press(submit);
    }

    /** From the home page to a draft; returns the path of the request. */
    async begin() {
        await this.hands.press("main a[href='/apply']");
        await this.#arrived(/^\/apply$/);
        await this.hands.press(submit);
        await this.#arrived(/^\/requests\/[0-9a-f]{32}$/);
        this.request = this.visitor.path;
        return this.request;
    }

    /** Answers the fields of the page; hands it in. */
    async answer(answers = passport) {
        const names = await this.page.locator("main form").locator("input:not([type=hidden]), textarea").evaluateAll(
            (fields) => [...new Set(fields.map(({name}) => name.replace(/-(day|month|year)$/, "")))]);
        for (const name of names) {
            assert.ok(name in answers, `no answer to ${name}`);
            const answer = answers[name];
            if (Array.isArray(answer)) {
                for (const [i, part] of ["day", "month", "year"].entries()) {
                    await this.hands.fill(`[name="${name}-${part}"]`, answer[i]);
                }
            } else if ((await this.page.locator(`[name="${name}"]`).first().getAttribute("type")) === "radio") {
                await this.hands.choose(`[name="${name}"][value="${answer}"]`);
            } else {
                await this.hands.fill(`[name="${name}"]`, answer);
            }
        }
        await this.hands.press(submit);
    }

    /** Every question, task by task; returns the names of the pages that asked. */
    async answerAll(answers = passport) {
        const asked = [];
        const links = await this.page.locator("a[href*='/questions/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
        for (const link of links) {
            await this.hands.press(`a[href="${link}"]`);
            while (this.visitor.path !== this.request) {
                const name = new URL(this.page.url()).pathname.split("/").at(-1);
                assert.ok(!asked.includes(name), `${name} is asked again`);
                asked.push(name);
                await this.onPage();
                await this.answer(answers);
            }
        }
        return asked;
    }

    /** Hands a file in for a kind of document; ends on the request's page or on the error. */
    async handIn(kind, file) {
        await this.hands.press(`a[href="${this.request}/documents/add/${kind}"]`);
        await this.#arrived(/\/documents\/add\//);
        await this.sendFile(file);
        await this.page.locator(notice).waitFor();
        assert.equal(this.visitor.path, this.request);
    }

    async sendFile(file) {
        await this.hands.attach("#file", file);
        // With script the page is put in place without a load.
        await this.hands.push(submit);
    }

    async handInAll() {
        await this.handIn("identity_proof", realPdf);
        await this.handIn("address_proof", otherPdf);
    }

    /** Check your answers, certify, submit. */
    async submit() {
        await this.hands.press(`a[href="${this.request}/answers"]`);
        await this.#arrived(/\/answers$/);
        await this.hands.press(submit);
        assert.equal(this.visitor.path, this.request);
        assert.equal(await this.page.locator(notice).count(), 1, "told that it is submitted");
    }
}
