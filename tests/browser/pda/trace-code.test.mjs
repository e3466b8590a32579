// The browser's reader of codes against the vectors, the traps and the tables of the Rust one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CodeProfiles, parseWith } from "../../../api/src/pda/app/core/code-profiles.js";
import {
  FAULTS,
  MAX_TEXT,
  canonicalPath,
  checkCharacter,
  foldTyped,
  parse,
  parsePath,
  unitKey,
} from "../../../api/src/pda/app/core/trace-code.js";
import { bracketed, digitalLink, elementString } from "../../../api/src/pda/app/core/trace-code/labels.js";
import { TABLE } from "../../../api/src/pda/app/core/trace-code/ai-table.js";
import { byteLength } from "../../../api/src/pda/app/core/trace-code/bytes.js";
import { checkDigit, checkPair, mod11x10 } from "../../../api/src/pda/app/core/trace-code/digits.js";
import { cpuMs, dice, golden, source } from "./shared.mjs";

const rows = golden("trace_codes");

function told(read) {
  return read.ok
    ? { canonical: canonicalPath(read.scanned.code), form: read.scanned.form, claims: read.scanned.claims }
    : { fault: read.fault, position: read.position };
}

test("every vector is read as agreed", () => {
  assert.ok(rows.length >= 298);
  for (const row of rows) {
    const expected =
      row.fault === undefined
        ? { canonical: row.canonical, form: row.form, claims: row.claims ?? {} }
        : { fault: row.fault, position: row.position };
    assert.deepEqual(told(parse(row.text)), expected, `${JSON.stringify(row.text)} (${row.note})`);
  }
});

test("what may be meant by what was typed is as agreed", () => {
  const typed = golden("typed_codes");
  assert.ok(typed.length >= 14);
  for (const { text, meant, note } of typed) {
    const folded = foldTyped(parse(text).scanned.code);
    assert.equal(folded && canonicalPath(folded), meant, `${text} (${note})`);
  }
});

test("the faults are those of the Rust reader", () => {
  const declared = [...source("sync/src/trace_code/error.rs").matchAll(/^ {4}[A-Z]\w+, "([a-z-]+)",$/gm)];
  assert.deepEqual(
    [...FAULTS],
    declared.map(([, code]) => code),
  );
});

test("every trap of request targets is refused at its byte", () => {
  const text = source("sync/tests/traps.rs");
  const traps = text.slice(text.indexOf("const TRAPS"), text.indexOf("\n];"));
  const found = [...traps.matchAll(/\(\s*"([^"]*‸[^"]*)",\s*(\w+),?\s*\)/g)];
  assert.equal(found.length, traps.split("‸").length - 1, "every trap is found");
  assert.ok(found.length > 70);
  for (const [, marked, name] of found) {
    const [before, after] = marked.split("‸");
    const [path, ...query] = (before + after).split("?");
    const fault = name.replace(/(?!^)([A-Z])/g, "-$1").toLowerCase();
    const expected = { fault, position: byteLength(before) };
    assert.deepEqual(told(parsePath(path, query.join("?"))), expected, marked);
    if (path.startsWith("/")) {
      const host = "https://id.example.cn";
      expected.position += host.length;
      assert.deepEqual(told(parse(host + before + after)), expected, marked);
    }
  }
});

test("too many segments or elements are refused", () => {
  assert.deepEqual(told(parsePath(`${"/a".repeat(40)}/01/06901234567892`, "")), { fault: "too-long", position: 65 });
  const query = Array.from({ length: 40 }, (_, n) => `31${Math.floor(n / 6)}${n % 6}=000001`).join("&");
  const read = told(parsePath("/01/06901234567892", query));
  assert.deepEqual(read, { fault: "too-long", position: 19 + 31 * 12 });
});

test("the table of application identifiers is the Rust one", () => {
  const text = source("sync/src/trace_code/ai_table.rs");
  const table = text.slice(text.indexOf("const TABLE"), text.lastIndexOf("];"));
  const rust = table
    .slice(table.indexOf("= &[") + 4)
    .replace(/\/\/.*$/gm, "")
    .replace(/\s+/g, "")
    .replace(/,([\])])/g, "$1");
  const name = { N: "n", X: "x", Y: "y", Z: "z" };
  const lists = { "": "NONE", "22,10,21|235": "GTIN", "22,10,21": "PIECE", "254|7040": "LOCATION" };
  Object.assign(lists, { 7040: "IMPORTER", 8011: "COMPONENT", 8019: "SERVICE", 8020: "PAYMENT" });
  const part = (p) =>
    (p.min === p.max ? `${name[p.charset]}(${p.max})` : `${name[p.charset]}_to(${p.max})`) +
    (p.needs ? `.rule(${p.needs})` : "") +
    (p.mayBeAbsent ? ".optional()" : "");
  const countries = "n(3),n(3).optional(),n(3).optional(),n(3).optional(),n(3).optional()";
  const ours = TABLE.map((ai) => {
    const parts = ai.parts.map(part).join(",");
    const format = parts === countries ? "COUNTRIES" : `&[${parts}]`;
    const link = ai.qualifiers ? "key" : ai.isAttribute ? "attribute" : "excluded";
    const list = ai.qualifiers?.alternatives.map((qualifiers) => qualifiers.join(",")).join("|");
    const of = ai.qualifiers ? `,&${lists[list]}` : "";
    const run = ai.first === ai.last ? "" : `.to("${ai.last}")`;
    return `${link}("${ai.first}",${format}${of})${run}${ai.isPredefined ? ".predefined()" : ""}`;
  });
  const split = (text) => text.split(/,(?=(?:key|attribute|excluded)\()/);
  assert.deepEqual(ours, split(rust.replace(/,$/, "")));
  assert.deepEqual(
    TABLE.filter((ai) => ai.qualifiers?.required).map((ai) => ai.first),
    ["415"],
  );
});

test("check digits, pairs and characters agree with the printed examples", () => {
  for (const number of ["96385074", "614141999996", "6901234567892", "09506000134352", "106141412345678908"]) {
    assert.equal(checkDigit(number.slice(0, -1)), Number(number.slice(-1)), number);
  }
  assert.deepEqual([checkDigit(""), checkDigit("12a4"), mod11x10("0794"), mod11x10("")], [null, null, 5, null]);
  for (const number of ["1987654Ad4X4bL5ttr2310c2K", "12345678901234567890123NT", "99999zzzzzzzzzzzzzzzzzzT2", "22"]) {
    assert.equal(checkPair(number.slice(0, -2)), number.slice(-2), number);
  }
  assert.equal(checkCharacter("MY8", "TIN-0042-"), "Q");
  assert.equal(checkCharacter("my8", "tin-oo42-"), "Q");
  assert.deepEqual([checkCharacter("M", "TIN"), checkCharacter("MY8", "-T"), checkCharacter("MU", "T1")], [null, null, null]);
});

test("what is printed is read back to the same code", () => {
  let printed = 0;
  for (const row of rows.filter((row) => row.canonical)) {
    const { code } = parse(row.text).scanned;
    const forms = [canonicalPath(code), digitalLink(code, "https://id.example.cn/"), bracketed(code)];
    const element = elementString(code);
    if (element) forms.push(`]C1${element}`);
    for (const form of forms.filter((form) => form !== null)) {
      assert.deepEqual(parse(form), { ok: true, scanned: { ...parse(form).scanned, code } }, form);
      printed += 1;
    }
  }
  assert.ok(printed > 400, `${printed} printed`);
});

test("a unit has one key whatever carried it", () => {
  const key = (text) => unitKey(parse(text).scanned.code);
  for (const text of ["(01)06901234567892(10)L7(21)A/9", "https://x.cn/s/01/6901234567892/21/A%2F9?17=270331"]) {
    assert.equal(key(text), "/01/06901234567892/21/A%2F9");
  }
  assert.equal(key("/01/06901234567892/235/X"), "/01/06901234567892/235/X");
  assert.equal(key("369012340000001236"), "/00/369012340000001236");
  assert.equal(key("my8.tin-0042-q"), "/c/MY8.T1N-0042-Q");
  assert.deepEqual([key("6901234567892"), key("/01/06901234567892/10/L"), key("(253)6901234000009")], [null, null, null]);
});

const digits = (length) => ({ characters: "digits", min: length, max: length });
const run = (min, max, more = {}) => ({ characters: "digits", min, max, ...more });

/** The same schemes as in `sync/tests/profiles.rs`. */
const profiles = new CodeProfiles([
  {
    name: "industrial-internet",
    fields: [
      run(1, 4, { issuer: true }),
      { text: ".", issuer: true },
      run(1, 8, { issuer: true }),
      { text: ".", issuer: true },
      run(1, 12, { issuer: true }),
      { text: "/" },
      { characters: "visible", min: 1, max: 60 },
    ],
  },
  { name: "twenty", grouping: " ", fields: [run(7, 7, { issuer: true }), digits(13)] },
  { name: "twenty-four", fields: [digits(8), run(5, 5, { issuer: true }), digits(11)] },
  { name: "licence", capitals: true, check: "none", fields: [{ text: "SC" }, digits(14)] },
  { name: "checked", check: "mod-11-10", fields: [digits(5)] },
  { name: "weighted", check: "gs1", fields: [digits(10)] },
]);

test("codes of profiles are read, printed and read back", () => {
  for (const [text, printed, issuer] of [
    ["88.118.8/JX-1.2026.0001", "industrial-internet:88.118.8/JX-1.2026.0001", "88.118.8"],
    [" 86.1000.12/奶粉/1 ", "industrial-internet:86.1000.12/奶粉/1", "86.1000.12"],
    ["9000001 0000 0000 0000 1", "twenty:90000010000000000001", "9000001"],
    ["twenty:80040000000000000001", "twenty:80040000000000000001", "8004000"],
    ["202601010012300000000001", "twenty-four:202601010012300000000001", "00123"],
    ["sc12345678901234", "licence:SC12345678901234", ""],
    ["checked:07945", "checked:07945", ""],
  ]) {
    const read = parseWith(text, profiles);
    assert.ok(read.ok, text);
    assert.equal(canonicalPath(read.scanned.code), printed);
    assert.equal(read.scanned.code.issuer, issuer);
    assert.equal(read.scanned.form, "profile");
    assert.deepEqual(parseWith(printed, profiles), read);
  }
  const { code } = parseWith("86.1000.12/奶/1", profiles).scanned;
  const address = "https://id.example.cn/q?code=industrial-internet%3A86.1000.12%2F%E5%A5%B6%2F1";
  assert.equal(digitalLink(code, "https://id.example.cn/"), address);
  assert.deepEqual([elementString(code), bracketed(code), unitKey(code)], [null, null, canonicalPath(code)]);
});

test("what fits no profile is refused where it was meant", () => {
  const text = source("sync/tests/profiles.rs");
  const part = text.slice(text.indexOf("fn what_fits_no_profile"), text.indexOf("fn a_profile_that_could"));
  const found = [...part.matchAll(/\("([^"]*‸[^"]*)", (\w+)\)/g)];
  assert.ok(found.length >= 15, `${found.length} rows`);
  for (const [, marked, name] of found) {
    const [before, after] = marked.split("‸");
    const fault = name.replace(/(?!^)([A-Z])/g, "-$1").toLowerCase();
    assert.deepEqual(told(parseWith(before + after, profiles)), { fault, position: byteLength(before) }, marked);
  }
});

test("a profile that could be read two ways is refused", () => {
  const loose = (min, max) => ({ characters: "alphanumeric", min, max });
  const one = (fields, more = {}) => [{ name: "ab", fields, ...more }];
  for (const [specs, why] of [
    [one([loose(1, 3), loose(1, 3)]), "ambiguous"],
    [one([loose(1, 3), { text: "x" }, loose(1, 3)]), "ambiguous"],
    [one([]), "field"],
    [one([loose(2, 1)]), "field"],
    [one([loose(0, 0)]), "field"],
    [one([loose(1, 91)]), "field"],
    [one([{ text: "x", min: 1 }]), "field"],
    [one([{ text: "a b" }]), "field"],
    [one([{ text: "x", issuer: true }, loose(1, 1), { text: "y", issuer: true }]), "issuer"],
    [one([loose(5, 5)], { check: "gs1" }), "check"],
    [[{ name: "Ab", fields: [loose(1, 1)] }], "name"],
    [[{ name: "https", fields: [loose(1, 1)] }], "name"],
    [[...one([loose(1, 1)]), ...one([loose(1, 1)])], "twice"],
    [one([loose(1, 1)], { pattern: ".*" }), "unknown"],
  ]) {
    assert.throws(() => new CodeProfiles(specs), { why }, JSON.stringify(specs));
  }
  assert.ok(new CodeProfiles(one([loose(1, 3), { text: "-x" }, loose(1, 3)])));
});

test("no text makes a reader throw or point outside the text", () => {
  const pieces = [
    ..."/ // %2F % . .. ? & ; = # \x1d ]C1 ]d2 ( ) \\ 00 01 10 17 21 235 8006 414 c - x.cn 奶 🍼 eh ex 0x".split(" "),
    ..."6901234567892 06901234567892 270331 A https:// urn:epc: id:sgtin: tag:sgtin-96: 0614141. 812345.".split(" "),
    ..."class:lgtin: 3074257BF7194E4000001A85 industrial-internet: twenty: \ud83c \u0085 \ufeff".split(" "),
    " ",
  ];
  const throws = dice(7);
  for (let round = 0; round < 30_000; round += 1) {
    let text = "";
    for (let n = throws(14); n >= 0; n -= 1) text += pieces[throws(pieces.length)];
    for (const read of [parse(text), parseWith(text, profiles), parsePath(text, text)]) {
      if (read.ok) {
        const printed = canonicalPath(read.scanned.code);
        assert.deepEqual(parseWith(printed, profiles).scanned?.code, read.scanned.code, JSON.stringify([text, printed]));
      } else {
        assert.ok(FAULTS.includes(read.fault) && read.position >= 0 && read.position <= 2 * byteLength(text) + 1);
      }
    }
  }
});

test("damaged vectors are read or refused, and long texts are refused unread", async () => {
  const throws = dice(11);
  for (const row of rows) {
    for (let round = 0; round < 40; round += 1) {
      const characters = Array.from(row.text);
      const at = throws(characters.length + 1);
      const other = String.fromCharCode(throws(4) ? 0x20 + throws(96) : throws(0xffff));
      characters.splice(at, throws(2), ...(throws(2) ? [other] : []));
      const read = parse(characters.join(""));
      assert.ok(read.ok || read.position <= byteLength(characters.join("")), characters.join(""));
    }
  }
  for (const piece of ["0", "/01/", "\x1d", "(21)A", "/c/", "/", " ", "a=b&", "%41", "(", "-", "奶"]) {
    const text = piece.repeat(1_000_000 / piece.length);
    let read;
    const unread = await cpuMs(() => (read = parse(text)));
    assert.deepEqual(told(read), { fault: "too-long", position: MAX_TEXT });
    assert.ok(unread < 50, `nothing is looked at: ${unread} ms`);
    const full = await cpuMs(() => (read = parse(piece.repeat(MAX_TEXT / byteLength(piece)))));
    assert.ok(!read.ok && full < 200, `${piece}: ${full} ms`);
  }
});
