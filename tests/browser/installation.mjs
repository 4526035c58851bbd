// A Cloison of its own for a test: a directory, free ports, the services as real processes.
import {execFile, spawn} from "node:child_process";
import {once} from "node:events";
import {openSync, readFileSync} from "node:fs";
import {mkdtemp, rm} from "node:fs/promises";
import {createHmac} from "node:crypto";
import {createServer} from "node:net";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {createInterface} from "node:readline";
import {fileURLToPath} from "node:url";
import {promisify} from "node:util";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const cloison = join(root, "build", process.env.CLOISON_PRESET ?? "release", "bin", "cloison");

/** Runs cloison to its end: {stdout, stderr}; throws with both when it fails. */
export function run(...words) {
    return promisify(execFile)(cloison, words.map(String), {maxBuffer: 16 << 20});
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count) {
    const held = [];
    for (let i = 0; i < count; ++i) {
        const listener = createServer().listen(0, "127.0.0.1");
        await once(listener, "listening");
        held.push(listener);
    }
    const ports = held.map((listener) => listener.address().port);
    for (const listener of held) listener.close();
    return ports;
}

export class Installation {
    /** With `residents` it begins with a demo population. Call stop() whatever happens. */
    static async start({residents = 0, seed = 1, clamd = ""} = {}) {
        // Short: a Unix socket's path has at most 107 bytes.
        const directory = await mkdtemp(join(tmpdir(), "cl-"));
        const here = new Installation(directory, await freePorts(3));
        try {
            await here.#prepare(residents, seed, clamd);
            await here.#serve();
        } catch (error) {
            await here.stop();
            throw error;
        }
        return here;
    }

    #server;

    constructor(directory, [portal, desk, outbox]) {
        this.directory = directory;
        this.var = join(directory, "var");
        this.ports = {portal, desk, outbox};
        for (const [door, port] of Object.entries(this.ports)) this[door] = `http://127.0.0.1:${port}`;
    }

    async #prepare(residents, seed, clamd) {
        const {portal, desk, outbox} = this.ports;
        await run("init", "--var", this.var, "--portal-port", portal, "--desk-port", desk, "--outbox-port", outbox,
            ...(clamd ? ["--clamd", clamd] : []));
        if (residents) await run("population", "--var", this.var, "--residents", residents, "--seed", seed);
    }

    async #serve() {
        const log = openSync(join(this.directory, "serve.log"), "a");
        this.#server = spawn(cloison, ["serve", "--demo", "--var", this.var], {stdio: ["ignore", "pipe", log]});
        for await (const line of createInterface({input: this.#server.stdout})) {
            if (line.includes("outbox")) return;
        }
        throw new Error(`serve ended: ${this.log()}`);
    }

    /** Ctrl-C, and waits for the end. */
    async stop() {
        if (this.#server && this.#server.exitCode === null) {
            this.#server.kill("SIGINT");
            await once(this.#server, "exit");
        }
        await rm(this.directory, {recursive: true, force: true});
    }

    log() {
        return readFileSync(join(this.directory, "serve.log"), "utf8");
    }

    /** Demo accounts of a role: {email, password, totp, name}. */
    accounts(role) {
        const {accounts} = JSON.parse(readFileSync(join(this.var, "demo.json"), "utf8"));
        return accounts.filter((account) => account.role === role);
    }
}

function base32(text) {
    let bits = "";
    for (const c of text.replace(/[\s=]/g, "")) {
        bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0");
    }
    return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

const lastStep = new Map();

/**
 * A one-time code of a base32 secret (RFC 6238) that was not given yet: each is good once. The step
 * before the present one is still accepted, and so is the next: three sign-ins need no waiting.
 */
export function oneTimeCode(secret) {
    const key = base32(secret);
    const known = key.toString("hex");
    // Five seconds are left to type it, also at the end of a step.
    const step = Math.max(Math.floor((Date.now() / 1000 + 5) / 30) - 1, (lastStep.get(known) ?? 0) + 1);
    lastStep.set(known, step);
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac("sha1", key).update(counter).digest();
    const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, "0");
}
