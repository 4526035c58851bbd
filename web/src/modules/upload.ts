// Shows how much of a file has been sent. Without it the form is sent by the browser itself.

/**
 * Forms with data-upload show a <progress> and say the state in a live region. `enhance` is called on
 * the page that answers, once it stands in place of this one.
 */
export function followUploads(enhance: () => void): void {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-upload]")) {
        form.addEventListener("submit", (event) => {
            const input = form.querySelector<HTMLInputElement>('input[type="file"]');
            if (!input?.files?.length) return;
            event.preventDefault();
            send(form, enhance);
        });
    }
}

function send(form: HTMLFormElement, enhance: () => void): void {
    const status = form.querySelector<HTMLElement>("[data-upload-status]");
    const progress = form.querySelector<HTMLProgressElement>("progress");
    const button = form.querySelector<HTMLButtonElement>("button");
    if (progress) progress.hidden = false;
    if (button) button.disabled = true;
    if (status) status.textContent = status.dataset.sending ?? "";

    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.responseType = "document";
    request.upload.addEventListener("progress", (event) => {
        if (progress && event.lengthComputable) progress.value = event.loaded / event.total;
        if (status && event.loaded === event.total) status.textContent = status.dataset.checking ?? "";
    });
    request.addEventListener("load", () => show(request, enhance));
    request.addEventListener("error", () => {
        if (button) button.disabled = false;
        if (progress) progress.hidden = true;
        if (status) status.textContent = status.dataset.failed ?? "";
    });
    request.send(new FormData(form));
}

// The answer is a whole page, of the same address (errors) or of the one that follows. It is put in
// place as it came, because a second request would miss what is said once.
function show(request: XMLHttpRequest, enhance: () => void): void {
    const page = request.responseXML;
    if (!page?.body) {
        window.location.assign(request.responseURL || window.location.href);
        return;
    }
    if (request.status < 400) window.history.pushState(null, "", request.responseURL);
    document.title = page.title;
    document.documentElement.replaceChild(document.adoptNode(page.body), document.body);
    window.scrollTo(0, 0);
    // Where a loaded page would begin to be read; an error summary then takes the focus itself.
    document.querySelector<HTMLElement>("main")?.focus();
    enhance();
}
