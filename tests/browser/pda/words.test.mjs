// What the app says and what it consists of: every word in both languages, the sentences about codes
// as the Rust crate has them, and the list of files a service worker keeps.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { TASKS } from "../../../api/src/pda/app/core/commands.js";
import { Disk } from "../../../api/src/pda/app/core/outbox.js";
import { healedBy } from "../../../api/src/pda/app/core/healed.js";
import { Here, becameOf } from "../../../api/src/pda/app/core/here.js";
import { REASONS } from "../../../api/src/pda/app/core/till.js";
import { FAULTS } from "../../../api/src/pda/app/core/trace-code.js";
import { ENROL_WORDS } from "../../../api/src/pda/app/screens/enrol-words.js";
import { FAULT_WORDS } from "../../../api/src/pda/app/screens/fault-words.js";
import { FINDING_WORDS } from "../../../api/src/pda/app/screens/tools/finding-words.js";
import { TOOL_WORDS } from "../../../api/src/pda/app/screens/tools/words.js";
import { learn, speaker } from "../../../api/src/pda/app/screens/words.js";
import { INDEX, PRECACHE, index, precache } from "./precache.mjs";
import { source } from "./shared.mjs";

test("the sentences about codes are those of the Rust crate", () => {
  const rust = source("sync/src/trace_code/error.rs");
  const declared = [...rust.matchAll(/^ {4}[A-Z]\w+, "([a-z-]+)",\n\s+"([^"]+)",\n\s+"([^"]+)";/gm)];
  assert.deepEqual(
    Object.entries(FAULT_WORDS),
    declared.map(([, code, en, zh]) => [code, { en, zh }]),
  );
});

test("the sentences about what was found are those of the Rust crate", () => {
  const rust = source("sync/src/finding.rs");
  const declared = [...rust.matchAll(/^ {4}[A-Z]\w+ "([A-Z_]+)" \w+ "[^"]+" "([^"]+)" "([^"]+)";/gm)];
  assert.ok(declared.length > 50, `${declared.length} findings`);
  assert.deepEqual(
    Object.entries(FINDING_WORDS),
    declared.map(([, code, en, zh]) => [code, { en, zh }]),
  );
});

test("what an entry of the server's explained is told with what that was", () => {
  const { messages } = JSON.parse(source("sync/tests/golden/wire.json"));
  const items = messages.flatMap(({ json }) => json.items ?? []).map(({ item }) => item);
  const { findings } = items.find((item) => item?.type === "verdict");
  // The first was explained by an event, which the row of that event shows.
  assert.deepEqual(findings.map(({ closed }) => closed), [true, true]);
  assert.deepEqual(healedBy(findings), [{ code: "UNKNOWN_REF", by: "badge_changed" }]);
  assert.deepEqual(healedBy(findings.map((finding) => ({ ...finding, closed: false }))), []);
  const entries = source("api/src/handheld/units/refold/entries.rs");
  const arms = [...entries.matchAll(/^ {8}(Kind::\w+(?: \| Kind::\w+)*) => \{$/gm)];
  const snake = (/** @type {string} */ name) => name.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase();
  const kinds = arms.flatMap(([, arm]) => arm.match(/(?<=Kind::)\w+/g).map(snake));
  assert.ok(kinds.length >= 8, `${kinds}`);
  // Voided codes explain nothing: their cards say so.
  for (const kind of kinds.filter((name) => name !== "codes_voided")) assert.ok(TOOL_WORDS[`by_${kind}`], kind);
});

test("whatever the machines say has words in both languages", () => {
  const over = source("api/src/pda/app/device/over.js").match(/@typedef \{([^}]+)\} Over/)[1];
  const words = new Set([...TASKS, ...REASONS, ...FAULTS, ...[...over.matchAll(/"(\w+)"/g)].map(([, why]) => `over_${why}`)]);
  const types = (text, name) => {
    const declared = text.slice(text.indexOf(name), text.indexOf("\n *\n", text.indexOf(name)));
    for (const [, word] of declared.matchAll(/"([\w-]+)"/g)) words.add(word);
  };
  types(source("api/src/pda/app/core/tasks/step.js"), '@typedef {"added"');
  types(source("api/src/pda/app/core/scanner.js"), '@typedef {"alien-key"');
  const said = new Set(words);
  types(source("api/src/pda/app/core/doctor.js"), '@typedef {"prefix"');
  for (const finding of [...words]) {
    if (said.has(finding)) continue;
    words.delete(finding);
    words.add(`doctor_${finding}`);
  }
  learn(TOOL_WORDS);
  learn(ENROL_WORDS);
  learn(Object.fromEntries(Object.entries(FAULT_WORDS).map(([fault, { zh, en }]) => [fault, [zh, en]])));
  const folder = new URL("../../../api/src/pda/app/screens/", import.meta.url);
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.ok(files.length >= 18);
  for (const file of files) {
    const text = source(`api/src/pda/app/screens/${file}`);
    for (const [, word] of text.matchAll(/(?:say|button|speaker\([^)]*\)\.lang\))\("([\w-]+)"/g)) words.add(word);
    for (const [, list] of text.matchAll(/app\.say\(([^()]*\?[^()]*)\)/g)) for (const [, word] of list.matchAll(/"([\w-]+)"/g)) words.add(word);
    for (const [, list] of text.matchAll(/words: \[([^\]]+)\]/g)) for (const [, word] of list.matchAll(/"([\w-]+)"/g)) words.add(word);
  }
  assert.ok(words.size > 100, `${words.size} words`);
  for (const word of words) {
    assert.match(speaker("zh")(word), /[\u4e00-\u9fff]/, word);
    assert.match(speaker("en")(word), /[A-Za-z]/, word);
    assert.ok(!/[\u4e00-\u9fff]/.test(speaker("en")(word)) || word === "language", word);
  }
});

test("a device is enrolled by one word: on its screen, on the officer's page, and in what the API answers", () => {
  // 登记 is what is done with places, products and badges.
  const office = source("api/src/pda/office/enrol-words.js").replace(/^ +no_places: .*$/m, "");
  const problem = /EnrolmentCodeInvalid .*/.exec(source("api/src/problem.rs"))[0];
  const files = ["pda/office/enrol.html", "pda/app/screens/enrol-words.js", "http/device.rs", "handheld/devices/mod.rs"].map((name) => source(`api/src/${name}`));
  for (const text of [office, problem, ...files]) {
    assert.match(text, /注册/);
    assert.doesNotMatch(text, /登记/);
  }
});

test("a service worker keeps the files there are, under a version of their bytes", () => {
  assert.equal(readFileSync(INDEX, "utf8"), index(), "run node tests/browser/pda/precache.mjs");
  assert.equal(readFileSync(PRECACHE, "utf8"), precache(), "run node tests/browser/pda/precache.mjs");
});

test("what was done here counts until the cards show it", async () => {
  const event = (seq, kind, units, more = {}) => ({
    key: [1, seq],
    ...{ prev_hash: "", hash: "", state: more.state ?? { is: "durable" } },
    text: JSON.stringify({ kind, event_id: `e${seq}`, units: units.map((code) => ({ code })), ...more }),
  });
  const a = "(01)06901234567892(21)A";
  const key = "/01/06901234567892/21/A";
  const diskOf = (rows) => {
    const disk = new Disk("d", 1, null, "");
    for (const row of rows) disk.put({ ...row, hash: `h${row.text}` });
    return disk;
  };
  const phases = async (rows, shown = 0, here = new Here()) => {
    const phase = await becameOf(key, here.known("said", [diskOf(rows)], shown, async () => null));
    return phase === null ? {} : { [key]: phase };
  };
  assert.deepEqual(await phases([event(1, "sale", [a, "garbage"])]), { [key]: "sold" });
  assert.deepEqual(await phases([event(1, "sale", [a]), event(2, "return", [`https://x.cn${key}`])]), { [key]: "returned" });
  assert.deepEqual(await phases([event(1, "return", [a]), event(2, "inspect", [a], { disposition: "sellable" })]), { [key]: "in_stock" });
  assert.deepEqual(await phases([event(1, "return", [a]), event(2, "inspect", [a], { disposition: "hold" })]), { [key]: "held" });
  assert.deepEqual(await phases([event(1, "sale", [a]), event(2, "retract", [], { target: "e1" })]), {}, "struck");
  const receipted = event(1, "sale", [a], { state: { is: "settled", stamp: 10 } });
  assert.deepEqual([await phases([receipted], 9), await phases([receipted], 10)], [{ [key]: "sold" }, {}]);
  assert.deepEqual(await phases([{ ...receipted, text: "no event" }]), {});
  // One that could not be written is gone, and another has its number; a tail that is dropped is gone.
  const here = new Here();
  assert.deepEqual(await phases([event(1, "sale", [a])], 0, here), { [key]: "sold" });
  assert.deepEqual(await phases([event(1, "return", [a])], 0, here), { [key]: "returned" });
  assert.deepEqual(await phases([event(2, "count", [a])], 0, here), {});
  assert.deepEqual(await phases([event(2, "count", [a]), event(3, "sale", [a]), event(4, "retract", [], { target: "e3" })], 0, here), {});
});
