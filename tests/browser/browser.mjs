// Chromium, and a visitor in it who notices whatever goes wrong on a page.
import assert from "node:assert/strict";
import {mkdirSync, readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {chromium} from "playwright-core";
import {root} from "./installation.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const wide = {width: 1280, height: 900};
export const narrow = {width: 360, height: 740};

// CLOISON_SCREENSHOTS=1 renews docs/images; without it the tests leave the tree as it is.
// CLOISON_SCREENSHOTS_OF_ALL=DIR keeps a picture of every page, language and width, to look at.
const keepsScreenshots = Boolean(process.env.CLOISON_SCREENSHOTS);
const allScreenshots = process.env.CLOISON_SCREENSHOTS_OF_ALL;

export function launch() {
    return chromium.launch({
        executablePath: "/usr/bin/chromium",
        args: [
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update",
        ],
    });
}

export class Visitor {
    /** A browser profile of its own. `script: false` turns JavaScript off, as a resident would. */
    static async arrive(browser, address, {language = "en", script = true, viewport = wide} = {}) {
        const context = await browser.newContext({
            locale: language, javaScriptEnabled: script, viewport, baseURL: address, timezoneId: "Europe/Paris",
        });
        context.setDefaultTimeout(15_000);
        const visitor = new Visitor(context, await context.newPage(), language, script);
        visitor.#watch();
        return visitor;
    }

    problems = [];
    #expected = new Set();

    constructor(context, page, language, script) {
        Object.assign(this, {context, page, language, script});
    }

    /** Answers of these statuses are part of the test; every other above 399 is a problem. */
    expect(...statuses) {
        for (const status of statuses) this.#expected.add(status);
    }

    #watch() {
        const {page} = this;
        const note = (text) => this.problems.push(`${new URL(page.url()).pathname}: ${text}`);
        page.on("pageerror", (error) => note(`exception ${error.message}`));
        page.on("console", (message) => {
            const status = /status of (\d+)/.exec(message.text())?.[1];
            if (["error", "warning"].includes(message.type()) && !this.#expected.has(Number(status))) {
                note(`console ${message.type()}: ${message.text()}`);
            }
        });
        page.on("requestfailed", (request) => {
            // Aborted by the browser itself: the page was left, or a download took its place.
            if (request.failure().errorText !== "net::ERR_ABORTED") {
                note(`${request.method()} ${request.url()} failed: ${request.failure().errorText}`);
            }
        });
        page.on("response", (response) => {
            if (response.status() >= 400 && !this.#expected.has(response.status())) {
                note(`${response.request().method()} ${response.url()}: ${response.status()}`);
            }
            if (new URL(response.url()).host !== new URL(page.url() === "about:blank" ? response.url() : page.url()).host) {
                note(`asked another host: ${response.url()}`);
            }
        });
    }

    /** Ends the visit; fails if anything went wrong during it. */
    async leave() {
        await this.context.close();
        assert.deepEqual(this.problems, []);
    }

    get path() {
        const {pathname, search} = new URL(this.page.url());
        return pathname + search;
    }

    async go(path) {
        await this.page.goto(path);
    }

    /** Carries out `action`, which leads to another page (or the same one anew), and waits for it. */
    async follow(action) {
        await Promise.all([this.page.waitForEvent("load"), action()]);
    }

    /** Presses what the selector finds, and waits for the page that it leads to. */
    async press(selector) {
        await this.follow(() => this.locate(selector).click());
    }

    locate(selector) {
        return typeof selector === "string" ? this.page.locator(selector) : selector;
    }

    heading() {
        return this.page.locator("h1").innerText();
    }

    async file(locator) {
        const [download] = await Promise.all([this.page.waitForEvent("download"), this.locate(locator).click()]);
        return {path: await download.path(), name: download.suggestedFilename()};
    }

    /** A picture for the documentation, when they are asked for. */
    async picture(name, {height = wide.height} = {}) {
        if (!keepsScreenshots) return;
        await this.page.setViewportSize({...wide, height});
        const path = join(root, "docs", "images", `${name}.png`);
        await this.page.mouse.move(0, 0);
        await this.page.evaluate(() => document.activeElement?.blur?.());
        await this.page.screenshot({path});
        await this.page.setViewportSize(wide);
    }

    /**
     * What every page must have, whoever made it: a title, the right language, room at 360 px, no
     * finding of axe, and every control within reach of the Tab key with its focus visible.
     */
    async check({keyboard = true} = {}) {
        const where = `${this.path} (${this.language})`;
        assert.equal(await this.page.locator("html").getAttribute("lang"), this.language, where);
        const [title, headings] = [await this.page.title(), await this.page.locator("h1").allInnerTexts()];
        assert.equal(headings.length, 1, `${where}: one h1`);
        assert.match(title, / – Cloison/, `${where}: the title names the service`);
        // Every page is checked in both languages: once the small layout is audited, once the large.
        const [first, second] = this.language === "fr" ? [wide, narrow] : [narrow, wide];
        await this.checkWidth(first, where);
        await this.checkWidth(second, where);
        await this.#audit(where);
        await this.page.setViewportSize(wide);
        if (keyboard) await this.checkTabs(where);
        return title;
    }

    /** Nothing is wider than the window, but for tables that scroll in a box of their own. */
    async checkWidth(viewport = this.page.viewportSize(), where = this.path) {
        await this.page.setViewportSize(viewport);
        const over = await this.page.evaluate(() => {
            const {scrollWidth, clientWidth} = document.documentElement;
            if (scrollWidth <= clientWidth) return [];
            const scrolls = (element) => element.closest(".c-scroll") !== null;
            return [...document.body.querySelectorAll("*")]
                .filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5 && !scrolls(element))
                .map((element) => `${element.tagName} ${element.className}`).concat(`${scrollWidth} px`);
        });
        assert.deepEqual(over, [], `${where}: wider than ${viewport.width} px`);
        if (allScreenshots) {
            mkdirSync(allScreenshots, {recursive: true});
            const name = `${new URL(this.page.url()).port}${where}`.replace(/[0-9a-f]{32}/g, "ID").replace(/[^\w]+/g, "-").slice(0, 90);
            await this.page.screenshot({path: join(allScreenshots, `${name}${viewport.width}.png`), fullPage: true});
        }
    }

    /** axe goes in through the debugger, past the policy of the page, which stays in force. */
    async #audit(where) {
        if (!this.script) return;  // axe is script; the page is the same.
        const debug = await this.context.newCDPSession(this.page);
        const evaluate = async (expression) => {
            const {result, exceptionDetails} = await debug.send("Runtime.evaluate", {
                expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: true,
            });
            assert.ok(!exceptionDetails, `axe: ${exceptionDetails?.exception?.description}`);
            return result.value;
        };
        await evaluate(`if (!window.axe) { ${axeSource} }`);
        const found = await evaluate(`axe.run({resultTypes: ["violations"]}).then(({violations}) => violations.map(
            ({id, help, nodes}) => id + ": " + help + ": " + nodes.map(({html}) => html).join(" ")))`);
        await debug.detach();
        assert.deepEqual(found, [], `${where} at ${this.page.viewportSize().width} px: axe`);
    }

    /** Presses the language link: the same page (or `path`, where it can be asked for), in the other language. */
    async switchLanguage(path = this.path) {
        const before = new URL(path, this.page.url());
        await this.press(".c-header [hreflang]");
        const now = new URL(this.page.url());
        for (const {searchParams} of [before, now]) searchParams.delete("lang");
        assert.equal(now.pathname + now.search, before.pathname + before.search, "the language link keeps the page");
        this.language = this.language === "fr" ? "en" : "fr";
        assert.equal(await this.page.locator("html").getAttribute("lang"), this.language);
    }

    /**
     * The page that answers wrong input: the title says so, the summary has the focus, each of its
     * links leads the focus to a control, and the control repeats the summary's words.
     */
    async checkErrors() {
        const where = `${this.path} (${this.language}), with errors`;
        assert.match(await this.page.title(), this.language === "fr" ? /^Erreur : / : /^Error: /, where);
        const links = this.page.locator(".govuk-error-summary a");
        const count = await links.count();
        assert.ok(count > 0, `${where}: a summary`);
        if (this.script) {
            assert.ok(await this.page.locator(".govuk-error-summary").evaluate((summary) => summary === document.activeElement), `${where}: focus`);
        }
        const inline = await this.page.locator(".govuk-error-message").evaluateAll((messages) => messages.map(
            (message) => [...message.childNodes].filter(({nodeType}) => nodeType === 3).map(({data}) => data).join("").trim()));
        assert.deepEqual(inline, await links.allInnerTexts(), `${where}: the same words in the summary and at the fields`);
        for (let i = 0; i < count; ++i) await this.#checkSummaryLink(links.nth(i), where);
        return inline;
    }

    async #checkSummaryLink(link, where) {
        await link.click();
        const id = (await link.getAttribute("href")).slice(1);
        assert.equal(await this.page.evaluate(() => document.activeElement.id), id, `${where}: the summary leads to ${id}`);
    }

    /** Tab goes once through every control in the order of the page, and shows where it is. */
    async checkTabs(where = this.path) {
        const count = await this.page.evaluate(() => {
            const isShown = (element) => element.checkVisibility() && !element.closest("[aria-hidden=true]");
            const controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
                .filter((element) => element.tabIndex >= 0 && !element.disabled && isShown(element));
            // Of a group of radios Tab reaches one: the chosen, or the first.
            const stops = controls.filter((control) => {
                if (control.type !== "radio") return true;
                const group = controls.filter((other) => other.type === "radio" && other.name === control.name);
                return control === (group.find((other) => other.checked) ?? group[0]);
            });
            // What the eye sees of a control: itself, and what its label or the header draws for it.
            const look = (element) => [[element], [element.nextElementSibling, "::before"], [element, "::after"]]
                .filter(([drawn]) => drawn)
                .map(([drawn, part]) => {
                    const style = getComputedStyle(drawn, part);
                    return [style.outline, style.boxShadow, style.backgroundColor, style.borderColor, style.borderWidth].join();
                }).join();
            document.activeElement?.blur?.();
            window.getSelection().removeAllRanges();
            window.cloisonTabs = {stops, look, before: stops.map(look)};
            return stops.length;
        });
        const body = this.page.locator("body");
        await body.evaluate((element) => {
            // Begin at the top of the page, wherever the focus was.
            element.setAttribute("tabindex", "-1");
            element.focus();
            element.removeAttribute("tabindex");
        });
        for (let i = 0; i < count; ++i) {
            await this.page.keyboard.press("Tab");
            const fault = await this.page.evaluate((i) => {
                const {stops, look, before} = window.cloisonTabs;
                const name = (element) => element.outerHTML.slice(0, 160);
                if (document.activeElement !== stops[i]) {
                    return `Tab ${i + 1} is at ${name(document.activeElement)}, not at ${name(stops[i])}`;
                }
                if (look(stops[i]) === before[i]) return `the focus cannot be seen on ${name(stops[i])}`;
                const {top, bottom} = stops[i].getBoundingClientRect();
                return top > innerHeight || bottom < 0 ? `${name(stops[i])} has the focus out of sight` : null;
            }, i);
            assert.equal(fault, null, where);
        }
    }
}
