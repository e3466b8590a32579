// The line to a server that does not behave: an answer that is none, or does not end.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Link } from "../../../api/src/pda/app/device/link.js";

const MIB = 1024 * 1024;
const words = { sha256: "ab", groups: "AB", words_zh: "甲", words_en: "a" };

/** A body of so many bytes, of which no more is made than is read; and whether the reader had enough of it. */
function body(/** @type {number} */ bytes) {
  const seen = { made: 0, cancelled: false };
  const stream = new globalThis.ReadableStream({
    pull(controller) {
      if (seen.made >= bytes) return controller.close();
      seen.made += MIB;
      controller.enqueue(new Uint8Array(MIB).fill(0x20));
    },
    cancel() {
      seen.cancelled = true;
    },
  });
  return { seen, stream };
}

const asked = (/** @type {Response} */ response) => new Link("http://127.0.0.1", () => Promise.resolve(response)).authority();

test("an answer that does not end is left, and counts as none", async () => {
  const { seen, stream } = body(Infinity);
  assert.equal(await asked(new Response(stream)), "unknown");
  assert.ok(seen.cancelled);
  assert.ok(seen.made <= 20 * MIB, `${seen.made} bytes were read`);
  // Neither does a refusal that goes on for ever.
  const refusal = body(Infinity);
  assert.equal(await asked(new Response(refusal.stream, { status: 500 })), "unknown");
  assert.ok(refusal.seen.cancelled);
});

test("a long answer that ends is read to its end", async () => {
  const { seen, stream } = body(15 * MIB);
  const spaces = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = JSON.stringify(words);
  assert.deepEqual(await asked(new Response(new Blob([spaces, text]))), words);
  assert.ok(!seen.cancelled);
});

test("what is no answer counts as none", async () => {
  for (const text of ["", "<html>", "{", "null", "[]", '{"sha256":1}', "\u0000"]) {
    assert.equal(await asked(new Response(text)), "unknown", text);
  }
  assert.equal(await asked(new Response(null, { status: 204 })), "unknown");
  // A server whose certificate everybody trusts already says so.
  assert.equal(await asked(new Response(null, { status: 404 })), null);
});
