// Makes build/web/demo/names.json, from which the demo's people are named (docs/formats/demo.md).
// Real first names, surnames and communes; which goes with which is drawn by lot.
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = join(root, "node_modules");
const read = (...path) => JSON.parse(readFileSync(join(packages, ...path), "utf8"));

const letters = /^\p{L}+(?:[-']\p{L}+)*$/u;
const plain = (name) => name.normalize("NFD").replace(/\p{M}/gu, "");
const capitalise = (name) => name.replace(/(^|[-'])\p{L}/gu, (start) => start.toLocaleUpperCase("fr"));

/// The package's two lists are named the wrong way round: "lastnames" has the first names, male
/// from A to Z and then female from A to Z, and "firstnames" has the surnames.
function firstNames() {
    const all = read("@zxcvbn-ts/language-fr", "src", "lastnames.json");
    const female = all.findIndex((name, i) => i > 0 && plain(all[i - 1])[0] === "z" && plain(name)[0] === "a");
    if (female < 0) throw new Error("@zxcvbn-ts/language-fr: the list of first names has another order");
    const tidy = (names) => [...new Set(names.filter((name) => name.length >= 3 && letters.test(name)).map(capitalise))];
    return {male: tidy(all.slice(0, female)), female: tidy(all.slice(female)), all};
}

function surnames(given) {
    const taken = new Set(given.map(plain));
    const names = read("@zxcvbn-ts/language-fr", "src", "firstnames.json");
    return [...new Set(names.filter((name) => name.length >= 4 && letters.test(name) && !taken.has(plain(name))).map(capitalise))];
}

function communes() {
    return read("@etalab/decoupage-administratif", "data", "communes.json")
        .filter((place) => place.type === "commune-actuelle" && place.population >= 5000 && place.codesPostaux?.length)
        .map((place) => ({name: place.nom, department: place.departement, postcode: place.codesPostaux[0]}));
}

const given = firstNames();
const names = {female: given.female, male: given.male, surnames: surnames(given.all), communes: communes()};
const out = join(root, "build", "web", "demo");
mkdirSync(out, {recursive: true});
writeFileSync(join(out, "names.json"), `${JSON.stringify(names)}\n`);
console.log(
    `build/web/demo/names.json: ${names.female.length + names.male.length} first names, ` +
        `${names.surnames.length} surnames, ${names.communes.length} communes`,
);
