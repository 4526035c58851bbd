// Files that residents hand in: a real one, and each kind of wrong one.

/** A PDF of one page that says `words` (ASCII), with a right cross-reference table. */
export function pdf(words) {
    const text = `BT /F1 18 Tf 72 760 Td (${words.replace(/[\\()]/g, "\\$&")}) Tj ET`;
    const objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    ];
    let body = "%PDF-1.4\n";
    const offsets = objects.map((object, i) => {
        const offset = body.length;
        body += `${i + 1} 0 obj\n${object}\nendobj\n`;
        return offset;
    });
    const lines = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
    return Buffer.from(
        `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${lines}` +
            `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
        "latin1",
    );
}

export const realPdf = {name: "passeport précédent.pdf", mimeType: "application/pdf", buffer: pdf("Passport 12AB34567")};
export const otherPdf = {name: "quittance.pdf", mimeType: "application/pdf", buffer: pdf("Rent receipt, October")};

/** A file as setInputFiles takes it, whose bytes begin like a PDF's and are `size` in all. */
export function bigPdf(size) {
    const buffer = Buffer.alloc(size, 0x20);
    pdf("Too big").copy(buffer);
    return {name: "big.pdf", mimeType: "application/pdf", buffer};
}

export const wrongFiles = {
    empty: {name: "empty.pdf", mimeType: "application/pdf", buffer: Buffer.alloc(0)},
    wrong_type: {name: "letter.pdf", mimeType: "application/pdf", buffer: Buffer.from("Dear office,\nhere is my letter.\n")},
    too_big: bigPdf(21 * 1024 * 1024),
    password_protected: {
        name: "locked.pdf",
        mimeType: "application/pdf",
        buffer: Buffer.from(
            pdf("Locked")
                .toString("latin1")
                .replace("/Root 1 0 R", "/Root 1 0 R /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 >>"),
            "latin1",
        ),
    },
};
