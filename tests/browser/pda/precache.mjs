// Writes `app/precache.js`: the files of the app and a version that follows from their bytes, so that
// a service worker takes a new version when, and only when, a file changed. And into `app/index.html`
// the modules of the first load, so that a browser asks for all of them at once instead of finding
// them one behind the other.
//
//     node tests/browser/pda/precache.mjs

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const APP = fileURLToPath(new URL("../../../api/src/pda/app/", import.meta.url));
export const PRECACHE = join(APP, "precache.js");

/** The files of the app, as paths below it, in order. */
function files(folder = APP) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [relative(APP, join(folder, entry.name))]))
    .filter((name) => name !== "sw.js" && name !== "precache.js")
    .sort();
}

/** What `precache.js` has to be. */
export function precache() {
  const hash = createHash("sha256");
  const names = files();
  for (const name of [...names, "sw.js"]) hash.update(`${name}\n`).update(readFileSync(join(APP, name)));
  const rows = [...names, "precache.js"].map((name) => `  ${JSON.stringify(name)},\n`).join("");
  return `// Made by tests/browser/pda/precache.mjs: the files of the app, and a version of their bytes.

export const VERSION = "${hash.digest("hex").slice(0, 8)}";

export const FILES = [
${rows}];
`;
}

/** What the page loads before it is ready: itself, its style and pictures, and what its module imports. */
export function firstLoad() {
  const wanted = new Set(["index.html", "app.css", "icon.svg", "manifest.webmanifest", "screens/main.js"]);
  for (const name of wanted) {
    if (!name.endsWith(".js")) continue;
    const text = readFileSync(join(APP, name), "utf8");
    for (const [, path] of text.matchAll(/^(?:import|export)\b[^;]*? from "(\.[^"]+)";$/gm)) wanted.add(join(name, "..", path));
  }
  return [...wanted];
}

export const INDEX = join(APP, "index.html");

/** What `index.html` has to be. */
export function index() {
  const links = firstLoad().filter((name) => name.endsWith(".js"));
  const rows = links.map((name) => `    <link rel="modulepreload" href="/app/${name}">\n`).join("");
  const text = readFileSync(INDEX, "utf8").replace(/ *<link rel="modulepreload"[^>]*>\n/g, "");
  return text.replace(/ *<script /, (script) => rows + script);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(INDEX, index());
  writeFileSync(PRECACHE, precache());
}
