// Bar codes that are printed: QR codes against those of two other programs, Code 128 read back by its
// own rules, and what neither can hold.

import "./shared.mjs";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { code128Of } from "../../../api/src/pda/app/core/barcode/code128.js";
import { qrOf } from "../../../api/src/pda/app/core/barcode/qr.js";
import { COMMANDS } from "../../../api/src/pda/app/core/commands.js";
import { printedCommand } from "../../../api/src/pda/app/core/printed-commands.js";

// SHA-256 (first 16 digits) of the modules row by row. The Python package `qrcode` draws the same ones
// at level M in byte mode, given the mask: versions 1 to 15, with one block and with many.
const DRAWN = [
  ["SUYUAN-CONFIRM", 21, "da517db78a6c9790"],
  ["SUYUAN-AT-2F1B7C2A-90AA-4C0E-8A55-0C7A7D2A9B11", 33, "36e8eb1dc5461713"],
  ["a".repeat(60), 33, "70c1b2272d0a80d7"],
  [`https://id.example.cn/01/06901234567892/10/L7/21/A9?17=271231${"x".repeat(80)}`, 49, "ca86cb11ad081328"],
  ["y".repeat(200), 57, "313551c2c424adc1"],
  ["z".repeat(300), 69, "6632569fcfec6248"],
  ["w".repeat(400), 77, "e68a2d379261d200"],
  ["溯源 码", 21, "42f696c65bee6d15"],
];

test("QR codes are those that another program draws", () => {
  for (const [text, size, hash] of DRAWN) {
    const matrix = qrOf(text);
    let modules = "";
    for (let y = 0; y < size; y += 1) for (let x = 0; x < size; x += 1) modules += matrix.dark(x, y) ? 1 : 0;
    assert.equal(matrix.size, size, text);
    assert.equal(createHash("sha256").update(modules).digest("hex").slice(0, 16), hash, text);
  }
  assert.equal(qrOf("a".repeat(413)), null);
  assert.ok(qrOf("a".repeat(412)));
});

test("Code 128 reads back: start, text, check character, stop", () => {
  // Width by width, from the standard's table by its structure: 11 modules, an even number of them dark.
  const patterns = new Map();
  const widthsOf = (text) => code128Of(text);
  for (let value = 0; value < 95; value += 1) {
    const widths = widthsOf(String.fromCharCode(32 + value)).slice(6, 12);
    assert.equal(widths.reduce((a, b) => a + b), 11);
    assert.equal((widths[0] + widths[2] + widths[4]) % 2, 0, "parity");
    patterns.set(widths.join(""), value);
  }
  assert.equal(patterns.size, 95, "no two alike");
  // The published example: "PJJ123C" has check value 55 in code set A; in B as here, 56.
  const texts = [...COMMANDS.map((is) => printedCommand({ is })), "PJJ123C", "abc ~!"];
  for (const text of texts) {
    const widths = widthsOf(text);
    assert.deepEqual(widths.slice(0, 6), [2, 1, 1, 2, 1, 4], "start B");
    assert.deepEqual(widths.slice(-7), [2, 3, 3, 1, 1, 1, 2], "stop");
    const inner = widths.slice(6, -13);
    let read = "";
    let sum = 104;
    for (let at = 0; at < inner.length; at += 6) {
      const value = patterns.get(inner.slice(at, at + 6).join(""));
      sum += value * (at / 6 + 1);
      read += String.fromCharCode(32 + value);
    }
    assert.equal(read, text);
    const check = patterns.get(widths.slice(-13, -7).join(""));
    if (sum % 103 < 95) assert.equal(check, sum % 103, text);
  }
  assert.equal(code128Of("溯源"), null);
  assert.equal(code128Of("a\nb"), null);
  assert.deepEqual(code128Of("\x1d").slice(6, 12), [4, 1, 1, 1, 3, 1], "FNC1");
});
