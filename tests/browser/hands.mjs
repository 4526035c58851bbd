// Two ways to use a page: with a pointer, and with the keyboard alone.
import assert from "node:assert/strict";

export class Pointer {
    constructor(visitor) {
        this.visitor = visitor;
    }
    async fill(selector, text) {
        await this.visitor.locate(selector).fill(text);
    }
    async choose(selector) {
        await this.visitor.locate(selector).check();
    }
    async attach(selector, file) {
        await this.visitor.locate(selector).setInputFiles(file);
    }
    /** Presses without waiting for another page. */
    async push(selector) {
        await this.visitor.locate(selector).click();
    }
    async press(selector) {
        await this.visitor.follow(() => this.push(selector));
    }
}

const kMostTabs = 80;

export class Keyboard {
    constructor(visitor) {
        this.visitor = visitor;
    }
    /** Tab after Tab until the focus is where it must be. */
    async #reach(selector) {
        const {page} = this.visitor;
        const target = await this.visitor.locate(selector).first().elementHandle();
        for (let i = 0; i < kMostTabs; ++i) {
            if (await target.evaluate((element) => element === document.activeElement)) return;
            await page.keyboard.press("Tab");
        }
        assert.fail(`Tab does not reach ${selector} on ${this.visitor.path}`);
    }
    async fill(selector, text) {
        await this.#reach(selector);
        await this.visitor.page.keyboard.press("Control+A");
        await this.visitor.page.keyboard.insertText(text);
    }
    /** Radios: Tab into the group, arrows within it. Checkboxes: Tab to it, space. */
    async choose(selector) {
        const {page} = this.visitor;
        const wanted = this.visitor.locate(selector);
        if ((await wanted.getAttribute("type")) === "checkbox") {
            await this.#reach(selector);
            return page.keyboard.press("Space");
        }
        const group = `input[type=radio][name="${await wanted.getAttribute("name")}"]`;
        const chosen = page.locator(`${group}:checked`);
        await this.#reach((await chosen.count()) > 0 ? chosen : page.locator(group));
        await page.keyboard.press("Space");
        for (let i = 0; i < kMostTabs && !(await wanted.isChecked()); ++i) await page.keyboard.press("ArrowDown");
        assert.ok(await wanted.isChecked(), `arrows do not reach ${selector}`);
    }
    async attach(selector, file) {
        await this.#reach(selector);
        const [chooser] = await Promise.all([
            this.visitor.page.waitForEvent("filechooser"),
            this.visitor.page.keyboard.press("Space"),
        ]);
        await chooser.setFiles(file);
    }
    async push(selector) {
        await this.#reach(selector);
        await this.visitor.page.keyboard.press("Enter");
    }
    async press(selector) {
        await this.visitor.follow(() => this.push(selector));
    }
}
