// Every JavaScript file of the repository keeps the rules of `eslint.config.mjs`; and the rules that
// guard something are seen at work, so that a rule switched off by accident is noticed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requirePackage } from "../browser.mjs";
import { cannot } from "./chromium.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const config = fileURLToPath(new URL("../eslint.config.mjs", import.meta.url));
const when = { skip: cannot, timeout: 300_000 };

/** The linter as it is run everywhere. */
function linter() {
  const { ESLint } = requirePackage("eslint");
  process.chdir(root);
  return new ESLint({ cwd: root, overrideConfigFile: config });
}

test("every file of the app and of its tests keeps the rules, with no warning", when, async () => {
  const results = await linter().lintFiles(["api/src/pda", "tests/browser"]);
  const said = results.flatMap(({ filePath, messages }) => messages.map(({ line, ruleId, message }) => `${filePath.slice(root.length)}:${line} ${ruleId}: ${message}`));
  assert.deepEqual(said, []);
  assert.ok(results.length > 120, `${results.length} files`);
});

test("what the rules are for is found", when, async () => {
  const it = linter();
  const wrong = [
    ["screens/view.js", 'document.body.innerHTML = "x";', "no-restricted-properties"],
    ["screens/view.js", 'document.body.insertAdjacentHTML("beforeend", "x");', "no-restricted-properties"],
    ["screens/view.js", 'document.write("x");', "no-restricted-properties"],
    ["screens/view.js", 'eval("x");', "no-eval"],
    ["screens/view.js", 'export const x = (a) => a == "x";', "eqeqeq"],
    ["screens/view.js", "const unused = 1;", "no-unused-vars"],
    ["screens/view.js", "const later = async () => 1; later();", "typed/no-floating-promises"],
    ["core/clock.js", "export const now = () => Date.now();", "no-restricted-properties"],
    ["core/clock.js", "export const x = () => fetch('/v1');", "no-restricted-globals"],
  ];
  for (const [file, text, rule] of wrong) {
    const [{ messages }] = await it.lintText(text, { filePath: `${root}api/src/pda/app/${file}` });
    assert.ok(messages.some(({ ruleId }) => ruleId === rule), `${text} ${JSON.stringify(messages)}`);
  }
});
