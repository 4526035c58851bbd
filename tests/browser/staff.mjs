// How staff sign in at the desk.
import assert from "node:assert/strict";
import {Visitor} from "./browser.mjs";
import {oneTimeCode} from "./installation.mjs";
import {submit} from "./resident.mjs";

/** A visitor at the desk, signed in with password and one-time code. `onPage`: as of Resident. */
export async function atDesk(browser, here, account, {onPage = async () => {}, ...options} = {}) {
    const visitor = await Visitor.arrive(browser, here.desk, options);
    await visitor.go("/");
    assert.equal(new URL(visitor.page.url()).pathname, "/sign-in");
    await visitor.page.fill("#email", account.email);
    await visitor.page.fill("#password", account.password);
    await visitor.press(submit);
    assert.equal(visitor.path, "/sign-in/code");
    await onPage(visitor);
    await visitor.page.fill("#code", oneTimeCode(account.totp));
    await visitor.press(submit);
    return visitor;
}
