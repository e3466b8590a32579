// The list of stopped units against vectors another program made; and what a million of them cost.

import "./shared.mjs";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MARKS, openList, readList, unitHash } from "../../../api/src/pda/app/core/recall-list.js";
import { cpuMs, dice, golden } from "./shared.mjs";

const vectors = golden("recall_list");
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hashOf = (unit) => sha256(`suyuan-unit-1${unit}`).slice(0, 16);

/** Writes a list the slow way, by BigInt. */
function written(entries, prefixBits) {
  const sorted = entries.map(([hash, marks]) => [BigInt(`0x${hash}`), marks]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return Array.from({ length: 2 ** prefixBits }, (_, index) => {
    const mine = sorted.filter(([hash]) => Number(hash >> BigInt(64 - prefixBits)) === index || prefixBits === 0);
    const body = [];
    let last = 0n;
    for (const [hash, marks] of mine) {
      let number = (hash - last) * 16n + BigInt(marks);
      for (; number > 127n; number >>= 7n) body.push(Number(number & 127n) | 128);
      body.push(Number(number));
      last = hash;
    }
    const head = Buffer.alloc(11);
    head.write("SYL1");
    head.writeUInt8(prefixBits, 4);
    head.writeUInt16BE(index, 5);
    head.writeUInt32BE(mine.length, 7);
    return new Uint8Array(Buffer.concat([head, Buffer.from(body)]));
  });
}

test("units have the names that were agreed", async () => {
  assert.ok(vectors.hashes.length >= 5);
  for (const { unit, hash } of vectors.hashes) assert.equal(await unitHash(unit), hash, unit);
});

test("every list is read as agreed, and says nothing of others", () => {
  for (const { note, entries, chunks } of vectors.lists) {
    const read = readList(chunks.map(bytes));
    assert.ok(read.ok, note);
    // A unit that comes several times has all its marks.
    const expected = new Map();
    for (const { hash, marks } of entries) expected.set(hash, (expected.get(hash) ?? 0) | marks);
    const ascending = [...expected].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual([...read.list.entries()], ascending, note);
    for (const [hash, marks] of expected) assert.equal(read.list.marks(hash), marks);
    for (const other of ["0000000000000001", "ffffffffffffffff", "cd2533848bb39b11", "7fffffffffffffff"]) {
      assert.equal(read.list.marks(other), expected.get(other) ?? 0, `${note} ${other}`);
    }
  }
});

test("every refused list is refused, in the chunk and with the name that was agreed", () => {
  assert.ok(vectors.refused.length >= 15);
  for (const { note, chunks, fault, chunk } of vectors.refused) {
    assert.deepEqual(readList(chunks.map(bytes)), { ok: false, fault, chunk }, note);
  }
});

test("a list of several chunks is the agreed one and is read back", () => {
  const { units, chunks } = vectors.ruled;
  const entries = Array.from({ length: units }, (_, n) => [hashOf(`/01/09521234000013/21/${n}`), 1 + (n % 15)]);
  const made = written(entries, 1);
  assert.deepEqual(
    made.map((chunk) => ({ bytes: chunk.length, sha256: sha256(chunk) })),
    chunks,
  );
  const read = readList(made);
  assert.ok(read.ok);
  assert.equal(read.list.size, units);
  for (const [hash, marks] of entries) assert.equal(read.list.marks(hash), marks);
  for (let n = units; n < 2 * units; n += 1) assert.equal(read.list.marks(hashOf(`/01/09521234000013/21/${n}`)), 0);
});

test("hashes at the edges of halves are exact", () => {
  const edges = ["0000000000000000", "00000000ffffffff", "0000000100000000", "7fffffffffffffff", "8000000000000000"];
  const hashes = [...edges, "fffffffeffffffff", "ffffffff00000000", "fffffffffffffffe", "ffffffffffffffff"];
  const read = readList(written(hashes.map((hash, at) => [hash, 1 + at]), 0));
  assert.deepEqual([...(read.list?.entries() ?? [])], hashes.map((hash, at) => [hash, 1 + at]));
  for (const hash of hashes) assert.ok(read.list.marks(hash));
  for (const other of ["0000000000000001", "00000000fffffffe", "0000000100000001", "ffffffff00000001"]) {
    assert.equal(read.list.marks(other), 0);
  }
});

test("damaged chunks are refused or say something else, never throw", () => {
  const throws = dice(3);
  const good = bytes(vectors.lists[1].chunks[0]);
  for (let round = 0; round < 20_000; round += 1) {
    const damaged = good.slice(0, throws(20) ? good.length : throws(good.length));
    for (let n = throws(3); n >= 0; n -= 1) damaged[throws(damaged.length || 1)] = throws(256);
    const read = readList([damaged]);
    assert.ok(read.ok ? read.list.size <= damaged.length : read.fault);
  }
  // A list cannot be made to ask for more memory than it is.
  const greedy = bytes(vectors.lists[0].chunks[0]);
  greedy.set([255, 255, 255, 255], 7);
  assert.deepEqual(readList([greedy]), { ok: false, fault: "malformed", chunk: 0 });
});

test("a list is opened only with the chunks its manifest names", async () => {
  const chunks = written([["0000000000000001", MARKS.recalled], ["00000000000000ff", 15]], 0);
  const named = (chunk) => ({ hash: sha256(chunk), bytes: chunk.length });
  const manifest = { version: 1, made_at: 1, batches: [], count: 2, chunks: chunks.map(named), key: 1, sig: "" };
  const opened = await openList(manifest, chunks);
  assert.equal(opened.list?.marks("00000000000000ff"), 15);
  const other = written([["0000000000000001", MARKS.void], ["00000000000000ff", 15]], 0);
  assert.deepEqual(await openList(manifest, other), { ok: false, fault: "other-bytes", chunk: 0 });
  assert.deepEqual(await openList(manifest, []), { ok: false, fault: "other-bytes", chunk: 0 });
  assert.deepEqual(await openList({ ...manifest, count: 3 }, chunks), { ok: false, fault: "other-count", chunk: 1 });
});

test("a million units are read in a moment and asked in microseconds", async () => {
  let state = 5;
  const prefixBits = 7;
  const chunks = Array.from({ length: 2 ** prefixBits }, (_, index) => {
    // The first leads into the part of the chunk, steps of 2^43 on average keep within it.
    const count = 7800;
    const body = [];
    let first = ((BigInt(index) << 57n) + 1n) * 16n + 1n;
    for (; first > 127n; first >>= 7n) body.push(Number(first & 127n) | 128);
    body.push(Number(first));
    for (let n = 1; n < count; n += 1) {
      state = (state * 48_271) % 2_147_483_647;
      let number = state * 2 ** 16 + 17;
      for (; number > 127; number = Math.floor(number / 128)) body.push((number % 128) | 128);
      body.push(number);
    }
    const head = Buffer.from("SYL1\0\0\0\0\0\0\0", "latin1");
    head.writeUInt8(prefixBits, 4);
    head.writeUInt16BE(index, 5);
    head.writeUInt32BE(count, 7);
    return new Uint8Array(Buffer.concat([head, Buffer.from(body)]));
  });
  let read;
  const took = await cpuMs(() => (read = readList(chunks)));
  assert.ok(read.ok, JSON.stringify(read).slice(0, 100));
  assert.equal(read.list.size, 998_400);
  assert.ok(took < 2_000, `read in ${took} ms`);
  const asked = Array.from({ length: 1000 }, (_, n) => hashOf(`unit ${n}`));
  const each = (await cpuMs(() => asked.forEach((hash) => read.list.marks(hash)))) / asked.length;
  assert.ok(each < 0.1, `${each} ms each`);
});
