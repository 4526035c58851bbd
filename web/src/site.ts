// What every page runs, if it runs anything: pages are complete without it. Only enhancements of
// govuk-frontend that make no markup from strings, so that Trusted Types needs no policy.
import {Button, ErrorSummary, SkipLink} from "govuk-frontend";
import {followUploads} from "./modules/upload.js";

function enhance(): void {
    document.body.classList.add("js-enabled");
    if ("noModule" in HTMLScriptElement.prototype) {
        document.body.classList.add("govuk-frontend-supported");
    }
    for (const button of document.querySelectorAll('[data-module="govuk-button"]')) new Button(button);
    for (const summary of document.querySelectorAll('[data-module="govuk-error-summary"]')) {
        new ErrorSummary(summary);
    }
    for (const link of document.querySelectorAll('[data-module="govuk-skip-link"]')) new SkipLink(link);
    followUploads(enhance);
}

enhance();
