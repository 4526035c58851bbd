// A stand-in for clamd that knows one virus, the EICAR test file: as much of clamd(8)'s protocol as
// a scan needs (zINSTREAM, chunks that each begin with their length, one of length 0 at the end).
import {once} from "node:events";
import {createServer} from "node:net";
import {pdf} from "./files.mjs";

// In two parts, so that no real scanner takes this file for the test file.
const signature = ["EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE"].join("");

export const infectedFile = {
    name: "infected.pdf",
    mimeType: "application/pdf",
    buffer: Buffer.concat([pdf("A document"), Buffer.from(`%${signature}\n`)]),
};

/** {address, stop}; after stop() nobody answers at the address. */
export async function startVirusScanner() {
    const open = new Set();
    const server = createServer((socket) => {
        open.add(socket);
        let received = Buffer.alloc(0);
        socket.on("close", () => open.delete(socket));
        socket.on("error", () => socket.destroy());
        socket.on("data", (data) => {
            received = Buffer.concat([received, data]);
            const answer = answerTo(received);
            if (answer) socket.end(`${answer}\0`);
        });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        address: `tcp:127.0.0.1:${server.address().port}`,
        async stop() {
            for (const socket of open) socket.destroy();
            server.close();
            await once(server, "close");
        },
    };
}

/** What clamd says once it has everything; undefined before. */
function answerTo(received) {
    const command = received.indexOf(0);
    if (command < 0) return undefined;
    const name = received.subarray(0, command).toString();
    if (name === "zPING") return "PONG";
    if (name !== "zINSTREAM") return "UNKNOWN COMMAND";
    let content = "";
    for (let at = command + 1; at + 4 <= received.length; ) {
        const length = received.readUInt32BE(at);
        if (length === 0) return content.includes(signature) ? "stream: Eicar-Test-Signature FOUND" : "stream: OK";
        content += received.subarray(at + 4, at + 4 + length).toString("latin1");
        at += 4 + length;
    }
    return undefined;
}
