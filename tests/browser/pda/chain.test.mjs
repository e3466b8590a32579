// The hash chain against vectors another program made, and the limits against the Rust constants.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis, head, isHash, links, sha256 } from "../../../api/src/pda/app/core/chain.js";
import { hex, isUuid, uuid7 } from "../../../api/src/pda/app/core/ids.js";
import * as limits from "../../../api/src/pda/app/core/limits.js";
import { golden, source } from "./shared.mjs";

test("every vector has the hashes that were agreed", async () => {
  const rows = golden("chain");
  assert.ok(rows.length >= 4);
  for (const row of rows) {
    assert.equal(await genesis(row.device, row.epoch), row.genesis);
    const chained = await links(row.genesis, row.events);
    assert.deepEqual(
      chained.map((link) => link.hash),
      row.hashes,
    );
    assert.deepEqual(
      chained.map((link) => link.prev_hash),
      [row.genesis, ...row.hashes].slice(0, row.hashes.length),
    );
    assert.equal(await head(row.genesis, row.events), row.hashes.at(-1) ?? row.genesis);
  }
});

test("a hash is read in one form", async () => {
  const hash = await sha256(new TextEncoder().encode("abc"));
  assert.equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.ok(isHash(hash));
  for (const wrong of ["", hash.slice(1), hash.toUpperCase(), `${hash}0`, "é".repeat(64), 7, null]) {
    assert.ok(!isHash(wrong), String(wrong));
  }
});

test("a turned bit is located", async () => {
  const start = await genesis("5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b", 1);
  const texts = ["a", "奶", "{}", "d"];
  const whole = await links(start, texts);
  for (let which = 0; which < texts.length; which += 1) {
    const damaged = texts.map((text, at) => (at === which ? `${text} ` : text));
    const chained = await links(start, damaged);
    assert.equal(
      chained.findIndex((link, at) => link.hash !== whole[at].hash),
      which,
    );
  }
});

test("limits are those of the Rust crate", () => {
  const rust = new Map();
  for (const [, name, value] of source("sync/src/limits.rs").matchAll(/^\s*(?:pub const )?([A-Z_]+): \w+ = ([^;]+?)(?: => \w+)?;/gm)) {
    const plain = value.replaceAll("_", "").replace("(1 << 53) - 1", String(2 ** 53 - 1));
    rust.set(name, plain.split("*").reduce((product, factor) => product * Number(factor), 1));
  }
  const ours = Object.entries(limits);
  assert.ok(ours.length >= 18);
  for (const [name, value] of ours) assert.equal(value, rust.get(name), name);
});

test("ids of events are of version 7, ascend with the clock and survive any clock", () => {
  const random = new Uint8Array(10).fill(0xff);
  const id = uuid7(0x018f2f6e0000, random);
  assert.equal(id, "018f2f6e-0000-7fff-bfff-ffffffffffff");
  assert.ok(uuid7(1, random) < uuid7(2, random));
  for (const ms of [-1, NaN, 8.64e15, Infinity]) assert.ok(isUuid(uuid7(ms, random)), String(ms));
  for (const wrong of ["", "00000000-0000-0000-0000-000000000000", id.replaceAll("-", ""), `${id}0`, id.replace("f", "g")]) {
    assert.ok(!isUuid(wrong), wrong);
  }
  assert.equal(hex(Uint8Array.of(0, 171)), "00ab");
});
