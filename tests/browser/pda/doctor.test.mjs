// The scanner doctor: every way a scanner can be set wrongly, typed as such a scanner types, and what is
// said of it; and how a device stands.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis } from "../../../api/src/pda/app/core/chain.js";
import { Recorder, TESTS, examine } from "../../../api/src/pda/app/core/doctor.js";
import { Disk, Outbox } from "../../../api/src/pda/app/core/outbox.js";
import { GS } from "../../../api/src/pda/app/core/scanner/keys.js";
import { ageOf, listLook, madeAt, standing } from "../../../api/src/pda/app/core/standing.js";
import { keysOf } from "./keys.mjs";

/** What the doctor says of these keys; `more` are keys besides, by name. */
function told(text, { prefix = "^", change = (keys) => keys } = {}) {
  const recorder = new Recorder();
  let at = 0;
  for (const key of change(keysOf(text))) recorder.take({ ...key, at: (at += 5) });
  assert.equal(recorder.done(at + 100), null, "it may go on");
  return examine(recorder.done(at + 500), prefix);
}
const findings = (...call) => told(...call).findings;
const without = (name) => (keys) => keys.filter(({ key }) => key !== name);

test("a scanner that is set well is told so, with or without symbology identifiers", () => {
  for (const [at, text] of TESTS.entries()) {
    const said = told(`^${text}\n`);
    assert.deepEqual([said.test, said.findings], [at + 1, []], text);
  }
  assert.deepEqual(findings(`^]Q1${TESTS[1]}\n`), []);
  assert.deepEqual(findings(`${TESTS[0]}\n`, { prefix: "" }), []);
});

test("prefix and suffix: none, another, Tab", () => {
  assert.deepEqual(findings(`${TESTS[0]}\n`), ["prefix"]);
  assert.deepEqual(findings(`]Q1${TESTS[0]}\n`), ["prefix"]);
  assert.deepEqual(findings(`#${TESTS[0]}\n`), ["other_prefix"]);
  assert.deepEqual(findings(`^${TESTS[0]}`), ["suffix"]);
  const tab = told(`^${TESTS[0]}\t`);
  assert.deepEqual([tab.findings, tab.set], [["other_suffix"], { suffix: "Tab" }]);
});

test("letters: of one case, swapped, or of another layout", () => {
  assert.deepEqual(findings(`^${TESTS[1].toUpperCase()}\n`), ["case"]);
  assert.deepEqual(findings(`^${TESTS[1].toLowerCase()}\n`), ["case"]);
  const swapped = TESTS[1].replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));
  assert.deepEqual(findings(`^${swapped}\n`), ["case"]);
  const german = (text) => text.replace(/[yz]/gi, (c) => ({ y: "z", z: "y", Y: "Z", Z: "Y" })[c]);
  const french = (text) => text.replace(/[aq]/gi, (c) => ({ a: "q", q: "a", A: "Q", Q: "A" })[c]);
  assert.deepEqual(findings(`^${german(TESTS[1])}\n`), ["layout"]);
  assert.ok(findings(`^${french(TESTS[1])}\n`).includes("layout"));
});

test("the separator: lost, as a key, as text", () => {
  const [, , , gs] = TESTS;
  assert.deepEqual(findings(`^${gs.replace(GS, "")}\n`), ["gs_lost"]);
  const token = told(`^${gs.replace(GS, "{GS}")}\n`);
  assert.deepEqual([token.findings, token.set], [["gs_token"], { gsTokens: ["{GS}"] }]);
  const byKey = (keys) => keys.map((key) => (key.key === "|" ? { type: "keydown", code: "F9", key: "F9" } : key));
  const key = told(`^${gs.replace(GS, "|")}\n`, { change: byKey });
  assert.deepEqual([key.findings, key.set], [["gs_key"], { gsKeys: ["F9"] }]);
});

test("input methods, missing ends, and what is no test code", () => {
  const swallowed = (keys) => keys.map((key) => (key.key === "X" ? { type: "keydown", code: "", key: "Process" } : key));
  assert.ok(findings(`^${TESTS[1]}\n`, { change: swallowed }).includes("input_method"));
  assert.deepEqual(findings(`^${TESTS[4].slice(0, 40)}\n`), ["cut"]);
  assert.deepEqual(told("^6901234567892\n"), { test: 0, findings: ["unknown"], seen: "^6901234567892<Enter>", set: {} });
  assert.deepEqual(findings(`^${TESTS[1].replace("abc", "abcd")}\n`), ["unknown"]);
  assert.equal(told("^<img src=x>\n", { change: without("nothing") }).test, 0);
});

test("a recall list is old by the policy that the server judges by, and by no other", () => {
  const hour = 3_600_000;
  const looks = (policyHours) => [0, 4 * hour, 4 * hour + 1, 12 * hour + 1, 24 * hour + 1, 72 * hour + 1].map((ms) => listLook(ms, policyHours * hour * 1000));
  assert.deepEqual(looks(4), ["", "", "bad", "worse", "worse", "worse"]);
  assert.deepEqual(looks(24), ["", "", "", "", "bad", "worse"]);
  assert.equal(listLook(null, 4 * hour * 1000), "worse");
});

test("how a device stands: unsent with its age, what needs attention, receipt and list by the server's time", async () => {
  const device = "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b";
  const disk = new Disk(device, 1, null, await genesis(device, 1));
  const at = Date.parse("2026-01-15T09:30:00+08:00");
  const row = (seq, state, text = JSON.stringify({ at: "2026-01-15T09:30:00+08:00" })) => disk.put({ key: [1, seq], prev_hash: "", hash: "", text, state });
  row(1, { is: "settled", stamp: 5 });
  row(2, { is: "needs_attention", stamp: 6 });
  row(3, { is: "durable" });
  row(4, { is: "durable" }, "nonsense");
  disk.receipts = { 1: { epoch: 1, held_ranges: [[1, 2]], stamp: at * 1000 } };
  const outbox = new Outbox(disk);
  const now = { wall: at + 3_600_000, server: (at + 60_000) * 1000, listMadeAt: at * 1000 - 3.6e9 };
  assert.deepEqual(standing([outbox], now), { unsent: 2, oldestMs: 3_600_000, attention: 1, receiptMs: 60_000, listMs: 3_660_000 });
  disk.receipts = {};
  assert.equal(standing([new Outbox(disk)], now).unsent, 4, "nothing is all sent without a receipt that says so");
  assert.deepEqual(standing([outbox], { ...now, wall: 0, listMadeAt: null }).oldestMs, 0, "a clock that was set back");
  assert.equal(standing([outbox], { ...now, listMadeAt: null }).listMs, null);
  assert.deepEqual([madeAt(undefined), madeAt("{}"), madeAt('{"at":"x"}')], [null, null, null]);
  assert.deepEqual([ageOf(0), ageOf(119 * 60_000), ageOf(120 * 60_000), ageOf(48 * 3_600_000)], [
    { count: 0, unit: "minutes" },
    { count: 119, unit: "minutes" },
    { count: 2, unit: "hours" },
    { count: 2, unit: "days" },
  ]);
});
