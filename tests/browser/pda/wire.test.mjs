// Messages, what is signed of them and what a token claims, against the vectors both sides read.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { readDeposit, readPush } from "../../../api/src/pda/app/core/wire/carried.js";
import { isRanges } from "../../../api/src/pda/app/core/wire/ranges.js";
import { golden } from "./shared.mjs";

const vectors = golden("wire");
const { messages } = wire;
const READERS = {
  ticket: messages.ticket,
  enrol: messages.enrol,
  enrol_answer: messages.enrolAnswer,
  push: messages.push,
  push_answer: messages.pushAnswer,
  deposit: messages.deposit,
  pull_answer: messages.pullAnswer,
  badges_answer: messages.badgesAnswer,
  snapshot_manifest: messages.snapshotManifest,
  snapshot_chunk: messages.snapshotChunk,
  status_answer: messages.statusAnswer,
  look_up_answer: messages.lookUpAnswer,
  push_claims: messages.pushClaims,
  read_claims: messages.readClaims,
};

test("every message is read as agreed, nothing lost and nothing added", () => {
  const seen = new Set();
  for (const { type, json } of vectors.messages) {
    const read = wire.readFrame(JSON.stringify(json), READERS[type]);
    assert.ok(read.ok, `${type}: ${read.why}`);
    assert.deepEqual(read.message, json);
    seen.add(type);
  }
  assert.deepEqual(seen, new Set(Object.keys(READERS)));
});

test("a message of another version is refused, unknown names are passed over", () => {
  for (const { type, json } of vectors.messages) {
    const more = wire.readFrame(JSON.stringify({ ...json, later: [1], __proto__: null }), READERS[type]);
    assert.deepEqual(more.message, json, type);
    if ("v" in json) assert.equal(wire.readFrame(JSON.stringify({ ...json, v: 2 }), READERS[type]).ok, false, type);
  }
});

test("nonsense instead of any part of an answer is refused, never thrown", () => {
  const nonsense = [undefined, [], {}, "<html>", -1, 1.5, true, null, "2026"];
  let refused = 0;
  const each = (value, put) => {
    for (const [name, inner] of Object.entries(value ?? {})) {
      if (typeof value === "string") continue;
      for (const wrong of nonsense) {
        const copy = structuredClone(value);
        copy[name] = wrong;
        put(copy);
      }
      each(inner, (changed) => put(Object.assign(structuredClone(value), { [name]: changed })));
    }
  };
  for (const { type, json } of vectors.messages) {
    each(json, (changed) => {
      const read = wire.readFrame(JSON.stringify(changed), READERS[type]);
      if (!read.ok) refused += 1;
    });
  }
  assert.ok(refused > 2000, `${refused} refused`);
});

test("frames are refused with the name that was agreed", () => {
  const readers = {
    push: readPush,
    deposit: readDeposit,
    enrol: (text) => wire.readFrame(text, messages.enrol),
  };
  assert.ok(vectors.refused.length >= 30);
  for (const { type, text, fault } of vectors.refused) {
    const read = readers[type](text);
    assert.equal(read.ok ? "read" : read.fault, fault, text.slice(0, 300));
  }
});

test("a badge is known by its hash, and a role this program does not know is read all the same", async () => {
  assert.ok(vectors.badges.length > 0);
  for (const { enterprise, number, hash } of vectors.badges) assert.equal(await wire.badgeHash(enterprise, number), hash);
  const answer = vectors.messages.find(({ type }) => type === "badges_answer").json;
  const later = { ...answer, badges: answer.badges.map((badge) => ({ ...badge, role: "auditor" })) };
  assert.ok(wire.readFrame(JSON.stringify(later), messages.badgesAnswer).ok);
});

test("what is signed has one form", async () => {
  for (const { what, value, text } of vectors.signed) {
    const texts = {
      receipt: () => wire.receiptText(messages.receipt(value, "")),
      recall_list: () => wire.recallListText(messages.recallList(value, "")),
      snapshot_manifest: () => wire.snapshotText(messages.snapshotManifest(value, "")),
      trust_key: () => wire.trustKeyText(value.key, value.before),
    };
    assert.equal(await texts[what](), text, what);
  }
});

test("a token of a push claims what was agreed", async () => {
  assert.ok(vectors.tokens.length > 0);
  for (const { push, installation, claims } of vectors.tokens) {
    assert.deepEqual(await wire.pushClaims(push, installation), claims);
  }
  const who = { device: "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b", epoch: 2 };
  const read = vectors.messages.find(({ type }) => type === "read_claims").json;
  assert.deepEqual(wire.readClaims(who, read.anchor, read.aud), read);
});

test("a token is a JWT that ES256 verifies, with its type and no time", async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const sign = async (bytes) => new Uint8Array(await crypto.subtle.sign(algorithm, pair.privateKey, bytes));
  const { push, installation, claims } = vectors.tokens[0];
  const token = await wire.token(wire.TYP_PUSH, await wire.pushClaims(push, installation), sign);
  const [header, body, signature, ...more] = token.split(".");
  const json = (part) => JSON.parse(new TextDecoder().decode(wire.fromBase64Url(part)));
  assert.deepEqual(json(header), { alg: "ES256", typ: "suyuan-push+jwt" });
  assert.deepEqual(json(body), claims);
  assert.deepEqual(more, []);
  const signed = new TextEncoder().encode(`${header}.${body}`);
  assert.ok(await crypto.subtle.verify(algorithm, pair.publicKey, wire.fromBase64Url(signature), signed));
  assert.match(token, /^[A-Za-z0-9_.-]+$/);
});

test("trust keys are followed one by one and no further than they hold", async () => {
  const keys = vectors.messages.find(({ type }) => type === "enrol_answer").json.trust_keys;
  const [first, second] = keys;
  const third = { ...second, n: 3 };
  const asked = [];
  const says = (yes) => async (key, text, sig) => {
    asked.push([key, text, sig]);
    return yes;
  };
  assert.deepEqual(await wire.follow(first, [first, second, third], says(true)), [first, second, third]);
  assert.deepEqual(asked[0], [first.key, wire.trustKeyText(second, first.key), second.sig]);
  assert.deepEqual(await wire.follow(first, [second], says(false)), [first]);
  assert.deepEqual(await wire.follow(first, [third], says(true)), [first], "a gap");
  const { sig, ...unsigned } = second;
  assert.deepEqual(await wire.follow(first, [unsigned, third], says(true)), [first], "unsigned");
  assert.deepEqual(await wire.follow(second, keys, says(true)), [second]);
});

test("ranges have one form, and tell what is in them", () => {
  const ranges = [
    [1, 5],
    [8, 8],
    [20, 2 ** 53 - 1],
  ];
  assert.ok(isRanges(ranges) && isRanges([]));
  for (const seq of [1, 5, 8, 20, 2 ** 53 - 1]) assert.ok(wire.contains(ranges, seq), String(seq));
  for (const seq of [0, 6, 7, 9, 19]) assert.ok(!wire.contains(ranges, seq), String(seq));
  assert.ok(!wire.contains([], 1));
  for (const wrong of [[[2, 1]], [[0, 1]], [[1, 2], [3, 4]], [[1, 2], [2, 4]], [[1, 2, 3]], [[1, 2 ** 53]], [["1", 2]], {}, null]) {
    assert.ok(!isRanges(wrong), JSON.stringify(wrong));
  }
  assert.ok(isRanges(Array.from({ length: 1000 }, (_, n) => [2 * n + 1, 2 * n + 1])));
  assert.ok(!isRanges(Array.from({ length: 1001 }, (_, n) => [2 * n + 1, 2 * n + 1])));
});
