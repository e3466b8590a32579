// The text of an event: the very bytes the Rust crate writes, and nothing the server could not read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, write } from "../../../api/src/pda/app/core/event.js";
import { writeInstant } from "../../../api/src/pda/app/core/instant.js";
import * as limits from "../../../api/src/pda/app/core/limits.js";
import { golden, source } from "./shared.mjs";

const ID = "018f2f6e-0000-7000-8000-000000000001";
const DEVICE = "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b";
const OTHER = "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11";
const AT = Date.parse("2026-01-15T01:30:00.250Z");

const least = { kind: "sale", event_id: ID, device: DEVICE, epoch: 1, seq: 7, at: AT, zone: 480 };
const code = "(01)06901234567892(21)A9";
const full = {
  ...least,
  kind: "outbound",
  epoch: 3,
  seq: 42,
  actor: { id: "s-17", proof: "badge", login_age_s: 3600, supervisor: true },
  location: OTHER,
  units: [{ code: "]d201069012345678922110\x1d17", input: "wedge" }],
  lots: [
    { gtin: "06901234567892", lot: "L7", qty: 12 },
    { gtin: "MY8.T1N", qty: 0 },
  ],
  counterpart: { type: "enterprise", id: OTHER },
  doc: { no: "S1-D2-0007", at: "2026-01-15" },
  mono: 1500,
  anchor: "a.b.c",
  anchor_wall: (AT - 1500) * 1000,
  list_version: 900,
  cursor: 1000,
  env: { temperature: 215, humidity: 600 },
  override: { code: "recalled", reason: "for the \"laboratory\" 🍼", supervisor: "s-1", recall: OTHER },
  target: OTHER,
  parent: { code: "(00)106141411234567897", input: "camera" },
  declared: 6,
  disposition: "hold",
  group: { id: OTHER, n: 1, of: 2, correct: true },
  body: { packaging: "carton", duration: 3.5, 10: [true, null], 9: { b: 1, a: "" } },
};

const text = (event) => {
  const written = write(event);
  assert.ok(written.ok, JSON.stringify(written));
  return written.text;
};

test("the least event is written byte for byte as by the Rust crate", () => {
  const written = `{"v":1,"kind":"sale","event_id":"${ID}","device":"${DEVICE}","epoch":1,"seq":7,"at":"2026-01-15T09:30:00.250+08:00"}`;
  assert.equal(text(least), written);
  const silent = { actor: { id: "", proof: "none" }, units: [], lots: [], mono: 0, cursor: 0, anchor: "", body: {} };
  assert.equal(text({ ...least, ...silent, doc: null, location: null, env: null }), written);
});

test("events of the traces, which the Rust crate wrote, are written again byte for byte", () => {
  const texts = golden("outbox_traces").traces.flatMap(({ sessions }) =>
    sessions.flatMap(({ steps }) => steps.flatMap(({ input }) => input.command.texts ?? [])),
  );
  assert.ok(texts.length > 100, `${texts.length} events`);
  // Some in the traces are of a later program or no events at all, which this one never writes.
  const known = texts.filter((original) => original.startsWith('{"v":1,"kind":"sale"'));
  assert.ok(known.length > 200, `${known.length} sales`);
  for (const original of known) {
    const { at, event_id, device, epoch, seq, kind, mono, anchor, anchor_wall, cursor, ...rest } = JSON.parse(original);
    assert.deepEqual(rest, { v: 1 });
    const wall = anchor_wall && Date.parse(anchor_wall) * 1000;
    const event = { kind, event_id, device, epoch, seq, at: Date.parse(at), zone: 480, mono, anchor, cursor };
    // Clocks of the traces stand between two milliseconds, which no browser's clock tells.
    assert.equal(text({ ...event, anchor_wall: wall }), original.replace(/(:\d\d\.\d{3})\d{3}/g, "$1"));
  }
});

test("every field stands at its place in the order of the Rust shape", () => {
  const shape = source("sync/src/event/shape.rs");
  const struct = shape.slice(shape.indexOf("struct Shape"), shape.indexOf("struct ActorShape"));
  const names = [...struct.matchAll(/pub\(super\) (\w+):/g)].map(([, name]) => (name === "overridden" ? "override" : name));
  const pack = text({ ...full, kind: "pack" });
  const outbound = text(full);
  const topLevel = (json) => Object.keys(JSON.parse(json));
  assert.deepEqual(topLevel(outbound), names.filter((name) => name !== "children"));
  assert.deepEqual(topLevel(pack), names.filter((name) => name !== "units"));
  assert.deepEqual(JSON.parse(pack).children, full.units);
  const inner = (name) => Object.keys(JSON.parse(outbound)[name]);
  assert.deepEqual(inner("actor"), ["id", "proof", "login_age_s", "supervisor"]);
  assert.deepEqual(inner("override"), ["code", "reason", "supervisor", "recall"]);
  assert.deepEqual(inner("group"), ["id", "n", "of", "correct"]);
});

test("what is said is what was given", () => {
  const said = JSON.parse(text(full));
  assert.deepEqual(said.units, full.units);
  assert.deepEqual(said.env, { temperature: 21.5, humidity: 60 });
  assert.equal(said.override.reason, full.override.reason);
  assert.equal(said.anchor_wall, "2026-01-15T09:29:58.750+08:00");
  assert.deepEqual(said.body, full.body);
  assert.match(text(full), /"body":\{"10":\[true,null\],"9":\{"a":"","b":1\},"duration":3.5,"packaging":"carton"\}\}$/);
  assert.match(text({ ...least, env: { temperature: -5, humidity: 400 } }), /"env":\{"temperature":-0.5,"humidity":40\}/);
  assert.match(text({ ...least, counterpart: { type: "named", name: "王家" } }), /"counterpart":\{"type":"named","name":"王家"\}/);
  assert.match(text({ ...least, event_id: ID.toUpperCase() }), new RegExp(ID));
  for (const kind of KINDS) assert.equal(JSON.parse(text({ ...least, kind })).kind, kind);
});

test("the kinds are those of the Rust crate", () => {
  const rust = [...source("sync/src/event/kind.rs").matchAll(/Kind::\w+ => "(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual([...KINDS], rust);
});

test("what the server could not read is refused, with the field", () => {
  const nested = (depth) => (depth === 0 ? 1 : [nested(depth - 1)]);
  const long = "x".repeat(limits.TEXT_BYTES_MAX + 1);
  const items = Object.fromEntries(Array.from({ length: limits.BODY_ITEMS_MAX + 1 }, (_, n) => [`i${n}`, n]));
  const many = (count, entry) => Array(count).fill(entry);
  for (const [field, change] of [
    ["kind", { kind: "void" }],
    ["event_id", { event_id: "nil" }],
    ["event_id", { event_id: "00000000-0000-0000-0000-000000000000" }],
    ["device", { device: DEVICE.replaceAll("-", "") }],
    ["epoch", { epoch: 0 }],
    ["epoch", { epoch: 2 ** 32 }],
    ["seq", { seq: 0 }],
    ["seq", { seq: 2 ** 53 }],
    ["seq", { seq: 1.5 }],
    ["mono", { mono: 1.5 }],
    ["location", { location: "here" }],
    ["units", { units: many(limits.UNITS_PER_EVENT_MAX + 1, { code, input: "wedge" }) }],
    ["units", { units: [{ code: long, input: "wedge" }] }],
    ["units", { units: [{ code: "奶".repeat(683), input: "wedge" }] }],
    ["lots", { lots: many(limits.LOTS_PER_EVENT_MAX + 1, { gtin: "1", qty: 1 }) }],
    ["lots.qty", { lots: [{ gtin: "1", qty: limits.QTY_MAX + 1 }] }],
    ["lots.qty", { lots: [{ gtin: "1", qty: -1 }] }],
    ["group.n", { group: { id: OTHER, n: 3, of: 2 } }],
    ["group.of", { group: { id: OTHER, n: 1, of: 501 } }],
    ["actor.id", { actor: { id: long, proof: "pin" } }],
    ["counterpart.id", { counterpart: { type: "location", id: "x" } }],
    ["override.recall", { override: { code: "recalled", reason: "", recall: "x" } }],
    ["env.temperature", { env: { temperature: 1.5 } }],
    ["body", { body: items }],
    ["body", { body: { a: many(limits.BODY_VALUES_MAX, 1) } }],
    ["body", { body: { a: NaN } }],
    ["body", { body: { a: () => 1 } }],
    ["body", { body: { a: undefined } }],
    ["body", { body: { [long]: 1 } }],
    ["body", { body: { a: nested(limits.JSON_DEPTH_MAX - 1) } }],
    ["event", { units: many(300, { code: "x".repeat(2048), input: "typed" }) }],
  ]) {
    const written = write({ ...least, ...change });
    assert.equal(written.ok, false, JSON.stringify(change).slice(0, 200));
    assert.equal(written.field, field);
  }
  assert.ok(write({ ...least, body: { a: nested(limits.JSON_DEPTH_MAX - 2) } }).ok);
  assert.ok(write({ ...least, body: { a: many(limits.BODY_VALUES_MAX - 1, 1) } }).ok);
});

test("instants are written as a device does, whatever its clock says", () => {
  for (const [ms, zone, written] of [
    [0, 480, "1970-01-01T08:00:00.000+08:00"],
    [0, 0, "1970-01-01T00:00:00.000Z"],
    [-1, -210, "1969-12-31T20:29:59.999-03:30"],
    [8.64e15, 0, "+275760-09-13T00:00:00.000Z"],
    [8.64e15, 480, "+275760-09-13T00:00:00.000Z"],
    [-8.64e15, 0, "-271821-04-20T00:00:00.000Z"],
    [253402300799999, 0, "9999-12-31T23:59:59.999Z"],
    [253402300799999, 480, "+010000-01-01T07:59:59.999+08:00"],
    [NaN, 480, "1970-01-01T08:00:00.000+08:00"],
    [Infinity, 480, "+275760-09-13T00:00:00.000Z"],
  ]) {
    assert.equal(writeInstant(ms, zone), written);
  }
});
