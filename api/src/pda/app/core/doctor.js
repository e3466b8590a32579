// The scanner doctor: what a scanner sent for a test code that is printed on the staging sheet, and
// what to set when that is not what is printed.
//
// Listens to every key, with no prefix and no end, so that a scanner that is set wrongly is heard too.
// Pure: keys come in with their times.

import { GS, Keys } from "./scanner/keys.js";

/** Silence that ends what a scanner sends, in milliseconds. */
export const SILENCE_MS = 400;

const MARK = "SUYUAN-TEST-";

/**
 * What is printed for the test codes: plain, both cases, punctuation, a separator, and length.
 * @type {readonly string[]}
 */
export const TESTS = [
  `${MARK}1`,
  `${MARK}2-abcXYZ-yzYZ-qaQA`,
  `${MARK}3-!"%&'()*+,-./:;<=>?_`,
  `${MARK}4-LOT7${GS}21SERIAL`,
  `${MARK}5-${"0123456789".repeat(6)}`,
];

/**
 * One key as it was heard: a character, or the name of a key that is none.
 * @typedef {{ character: string } | { key: string } | { lost: true }} Heard
 *
 * - `prefix`: nothing stands before the code; `other_prefix`: something else does.
 * - `suffix`, `other_suffix`: likewise behind it, where `Enter` is wanted.
 * - `case`: letters are all of one case, or swapped; `layout`: letters or signs changed places.
 * - `gs_lost`: the separator is not sent; `gs_key`, `gs_token`: it is sent as a key or text that can be set here.
 * - `input_method`: an input method swallowed keys; `cut`: the end is missing; `unknown`: no test code.
 * @typedef {"prefix" | "other_prefix" | "suffix" | "other_suffix" | "case" | "layout" | "gs_lost" | "gs_key" | "gs_token"
 *   | "input_method" | "cut" | "unknown"} Finding
 *
 * `test` from 1, 0 where it cannot be told; `seen` is everything that was heard; `set` is what the app
 * can set by itself to understand this scanner.
 * @typedef {{ test: number, findings: Finding[], seen: string, set: { suffix?: "Tab" | "", gsKeys?: string[], gsTokens?: string[] } }} Diagnosis
 */

/** Listens to keys until there is silence. */
export class Recorder {
  constructor() {
    this.keys = new Keys("", []);
    /** @type {Heard[]} */
    this.heard = [];
    this.lastAt = 0;
  }

  /** @param {import("./scanner/keys.js").KeyEvent} event */
  take(event) {
    const meaning = this.keys.read(event);
    if (meaning.is === "nothing") return;
    this.lastAt = event.at;
    if (meaning.is === "character") this.heard.push({ character: meaning.character });
    else if (meaning.is === "alien") this.heard.push({ key: meaning.name });
    else this.heard.push({ lost: true });
  }

  /** What was heard, once there was silence; null before. @param {number} now @returns {Heard[] | null} */
  done(now) {
    if (this.heard.length === 0 || now - this.lastAt < SILENCE_MS) return null;
    return this.heard.splice(0);
  }
}

/** What was heard, with the names of keys that are no characters. @param {readonly Heard[]} heard */
const seenOf = (heard) =>
  heard.map((one) => ("character" in one ? (one.character === GS ? "<GS>" : one.character) : "key" in one ? `<${one.key}>` : "<?>")).join("");

/**
 * @param {readonly Heard[]} heard
 * @param {string} prefix that the app expects; empty for none
 * @returns {Diagnosis}
 */
export function examine(heard, prefix) {
  /** @type {Finding[]} */
  const findings = [];
  /** @type {Diagnosis["set"]} */
  const set = {};
  const seen = seenOf(heard);
  if (heard.some((one) => "lost" in one)) findings.push("input_method");
  const last = heard[heard.length - 1];
  const end = last && "key" in last && (last.key === "Enter" || last.key === "Tab") ? last.key : "";
  const inner = heard.slice(0, end === "" ? undefined : -1);
  // Keys inside stand for one character that no key has.
  const keys = inner.flatMap((one) => ("key" in one ? [one.key] : []));
  const text = inner.map((one) => ("character" in one ? one.character : "key" in one ? "\0" : "")).join("");
  const start = text.toUpperCase().indexOf("SUYUAN");
  // Of what cannot be found the first character is all there is to go by.
  const before = start < 0 ? (text.startsWith(prefix) ? prefix : "") : text.slice(0, start).replace(/\][A-Za-z][0-9A-Za-z]$/, "");
  const body = start < 0 ? text : text.slice(start);
  if (before !== prefix) findings.push(before === "" ? "prefix" : "other_prefix");
  if (end === "") findings.push("suffix");
  if (end === "Tab") {
    findings.push("other_suffix");
    set.suffix = "Tab";
  }
  const test = TESTS.findIndex((_, at) => body.toUpperCase().startsWith(`SUYUAN-TEST-${at + 1}`)) + 1;
  const wanted = TESTS[test - 1];
  if (wanted === undefined) {
    // Of letters that changed places the digit may still tell.
    const digit = Number(/(\d)/.exec(body)?.[1] ?? 0);
    const isMoved = start < 0 && body.length >= 10 && digit >= 1 && digit <= TESTS.length;
    return { test: isMoved ? digit : 0, findings: [...findings, isMoved ? "layout" : "unknown"], seen, set };
  }
  if (body !== wanted) findings.push(...differences(body, wanted, keys, set));
  return { test, findings, seen, set };
}

/**
 * @param {string} body
 * @param {string} wanted
 * @param {readonly string[]} keys
 * @param {Diagnosis["set"]} set
 * @returns {Finding[]}
 */
function differences(body, wanted, keys, set) {
  const [head = "", tail] = wanted.split(GS);
  if (tail !== undefined && body.startsWith(head) && body.endsWith(tail)) {
    const between = body.slice(head.length, body.length - tail.length);
    if (between === "") return ["gs_lost"];
    const [key] = keys;
    if (between === "\0" && key !== undefined) {
      set.gsKeys = [key];
      return ["gs_key"];
    }
    set.gsTokens = [between];
    return ["gs_token"];
  }
  if (body.toLowerCase() === wanted.toLowerCase()) return ["case"];
  if (body.length < wanted.length && wanted.startsWith(body)) return ["cut"];
  return body.length === wanted.length ? ["layout"] : ["unknown"];
}
