// npm run build: makes build/web, a complete directory for `--web`: templates and texts as they
// are, and assets named by the hash of their content with a manifest (docs/formats/assets.md).
import {createHash} from "node:crypto";
import {cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync} from "node:fs";
import {basename, dirname, join, parse} from "node:path";
import {fileURLToPath} from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const web = dirname(fileURLToPath(import.meta.url));
const root = dirname(web);
const out = join(root, "build", "web");
const fresh = `${out}.new`;
const manifest = {};

function writeAsset(name, content) {
    const {name: stem, ext} = parse(name);
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
    const file = `${stem}-${hash}${ext}`;
    writeFileSync(join(fresh, "assets", file), content);
    manifest[name] = file;
}

function filesOf(folder, ...endings) {
    return readdirSync(join(web, folder))
        .filter((name) => endings.some((ending) => name.endsWith(ending)) && !name.startsWith("_"))
        .sort();
}

rmSync(fresh, {recursive: true, force: true});
mkdirSync(join(fresh, "assets"), {recursive: true});
for (const part of ["templates", "texts"]) cpSync(join(web, part), join(fresh, part), {recursive: true});

for (const name of filesOf("styles", ".scss")) {
    const {css} = sass.compile(join(web, "styles", name), {
        style: "compressed",
        loadPaths: [join(root, "node_modules")],
        quietDeps: true,
    });
    // The Content-Security-Policy lets styles load images from this site only.
    if (css.includes("data:")) throw new Error(`${name} has a data: address, which the policy blocks`);
    writeAsset(`${basename(name, ".scss")}.css`, css);
}

for (const name of filesOf("src", ".ts")) {
    const built = await esbuild.build({
        entryPoints: [join(web, "src", name)],
        bundle: true,
        minify: true,
        format: "esm",
        target: "es2020",
        write: false,
        legalComments: "none",
    });
    writeAsset(`${basename(name, ".ts")}.js`, built.outputFiles[0].text);
}

for (const name of filesOf("images", ".svg", ".png")) {
    writeAsset(name, readFileSync(join(web, "images", name)));
}

writeFileSync(join(fresh, "assets", "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(out, {recursive: true, force: true});
renameSync(fresh, out);
console.log(`build/web: ${Object.values(manifest).join(", ")}`);
