// A scanner that types, key by key: every way of sending GS, layouts, input methods, people who type,
// two codes in one burst, and garbage.

import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, DISPOSITIONS, OFFERS, TASKS, commandOf } from "../../../api/src/pda/app/core/commands.js";
import { printedCommand } from "../../../api/src/pda/app/core/printed-commands.js";
import { Scanner } from "../../../api/src/pda/app/core/scanner.js";
import { canonicalPath, parse } from "../../../api/src/pda/app/core/trace-code.js";
import { keyFor } from "./keys.mjs";
import { dice } from "./shared.mjs";

const ENTER = { code: "Enter", key: "Enter" };
const ALT_GS = [
  { code: "AltLeft", key: "Alt", alt: true },
  ...["0", "0", "2", "9"].map((digit) => ({ code: `Numpad${digit}`, key: digit, alt: true })),
  { type: "keyup", code: "AltLeft", key: "Alt" },
];

/** A typist: keys with their times go to a scanner. */
function desk(settings) {
  const scanner = new Scanner(settings);
  let now = 1_000;
  const effects = [];
  let page = "";
  const press = (keys, ms = 10) => {
    for (const key of [keys].flat()) {
      now += ms;
      const taken = scanner.take({ type: "keydown", ...key, at: now });
      effects.push(...taken.effects);
      if (!taken.prevent && key.type !== "keyup" && Array.from(key.key).length === 1) page += key.key;
    }
  };
  return {
    press,
    type: (text, ms) => press(Array.from(text, keyFor), ms),
    pass: (ms) => {
      now += ms;
      effects.push(...scanner.wake(now));
    },
    told: () => effects.splice(0),
    page: () => page,
    scanner,
  };
}
const scan = (text, leaked = 0) => ({ is: "scan", text, leaked });
const CODE = "]d20106901234567892172703312110A-9";
const ALL = "(01)06901234567892(21)!\"%&'()*+,-./09:;<=>?AZ_az";

test("what stands between prefix and suffix is a scan, character by character, and the page sees none of it", () => {
  const { type, press, told, page } = desk();
  for (const text of [CODE, ALL, "https://id.example.cn/01/06901234567892/21/A%2F9?17=270331#x", "a B"]) {
    type(`^${text}`);
    press(ENTER);
    assert.deepEqual(told(), [scan(text)]);
  }
  assert.equal(page(), "");
});

test("speed does not matter where there is a prefix", () => {
  const { type, press, told } = desk();
  type(`^${CODE}`, 300);
  press(ENTER, 900);
  assert.deepEqual(told(), [scan(CODE)]);
});

test("layout, Caps Lock and input method do not matter: the place of a key counts", () => {
  const { press, told } = desk();
  const azerty = { a: "q", q: "a", z: "w", A: "Q", 1: "&", "-": ")" };
  press(Array.from("^aqzA1-", (c) => ({ ...keyFor(c), key: azerty[c] ?? c })));
  press(ENTER);
  assert.deepEqual(told(), [scan("aqzA1-")]);
  press(Array.from("^Ab1", (c) => ({ ...keyFor(c), key: "Process", composing: true })));
  press({ ...ENTER, composing: true });
  assert.deepEqual(told(), [scan("Ab1")]);
  press(Array.from("^Ab", (c) => ({ ...keyFor(c), key: c === "A" ? "a" : "B" })));
  press(ENTER);
  assert.equal(told()[0].text, "Ab");
});

test("GS arrives in every way scanners send it", () => {
  const parts = ["]d201069012345678921", "0L7", "21A9"];
  const text = parts.join("\x1d");
  for (const gs of [
    [{ code: "BracketRight", key: "]", ctrl: true }],
    [{ code: "F8", key: "F8" }],
    [{ code: "", key: "\x1d" }],
    [{ code: "", key: "␝" }],
    ALT_GS,
  ]) {
    const { type, press, told } = desk();
    type(`^${parts[0]}`);
    press(gs);
    type(parts[1]);
    press(gs);
    type(parts[2]);
    press(ENTER);
    assert.deepEqual(told(), [scan(text)], JSON.stringify(gs));
  }
  const { type, press, told } = desk({ gsTokens: ["{GS}"], gsKeys: [] });
  type("^010690123456789210L7{GS}21A9");
  press(ENTER);
  const [{ text: read }] = told();
  assert.equal(canonicalPath(parse(read).scanned.code), "/01/06901234567892/10/L7/21/A9");
});

test("a key that no code has breaks the scan aloud, instead of gluing a serial to a lot", () => {
  for (const [key, why, name] of [
    [{ code: "F9", key: "F9" }, "alien-key", "F9"],
    [{ code: "KeyC", key: "c", ctrl: true }, "alien-key", "KeyC"],
    [{ code: "Tab", key: "Tab" }, "alien-key", "Tab"],
    [{ code: "", key: "Unidentified" }, "lost-key"],
    [{ code: "", key: "Process", composing: true }, "lost-key"],
    [{ ...keyFor("7"), repeat: true }, "repeated-key"],
  ]) {
    const { type, press, told } = desk();
    type("^010690123456789210L7");
    press(key);
    type("21A9");
    press(ENTER);
    const [effect, ...more] = told();
    assert.deepEqual(more, []);
    assert.deepEqual([effect.is, effect.why, effect.key], ["broken", why, name]);
    type("^OK");
    press(ENTER);
    assert.deepEqual(told(), [scan("OK")], "the next scan is whole");
  }
});

test("two codes in one burst are two scans, or none if the end between them is lost", () => {
  const { type, press, told } = desk();
  type("^6901234567892", 1);
  press(ENTER, 1);
  type("^96385074", 1);
  press(ENTER, 1);
  assert.deepEqual(told(), [scan("6901234567892"), scan("96385074")]);
  type("^6901234567892^96385074");
  press(ENTER);
  assert.deepEqual(told(), [{ is: "broken", why: "run-together", text: "6901234567892" }, scan("96385074")]);
});

test("half a code is told as broken, and never joined with the next", () => {
  const { type, press, pass, told, scanner } = desk();
  type("^690123");
  assert.ok(scanner.dueAt() !== null);
  pass(999);
  assert.deepEqual(told(), []);
  pass(1);
  assert.deepEqual(told(), [{ is: "broken", why: "no-end", text: "690123" }]);
  assert.equal(scanner.dueAt(), null);
  type("^690");
  type("4567892", 1500);
  press(ENTER);
  assert.deepEqual(told(), [{ is: "broken", why: "no-end", text: "690" }]);
});

test("people type as they like where there is a prefix", () => {
  const { type, press, told, page } = desk();
  type("6901234567892", 60);
  press(ENTER, 60);
  type("wang xiao ming", 120);
  press({ code: "KeyW", key: "Process", composing: true });
  press({ ...keyFor("a"), repeat: true });
  press({ code: "Backspace", key: "Backspace" });
  assert.deepEqual(told(), []);
  assert.equal(page(), "6901234567892wang xiao minga");
});

test("without a prefix a scanner is told from a person by its speed", () => {
  const { type, press, told, pass } = desk({ prefix: "" });
  type("6901234567892", 10);
  press(ENTER);
  assert.deepEqual(told(), [scan("6901234567892", 3)], "the page saw three characters");
  type("6901234567892", 80);
  press(ENTER, 80);
  assert.deepEqual(told(), [], "a person");
  type("690123", 10);
  type("4567892", 90);
  press(ENTER);
  assert.deepEqual(told(), [], "a person in a hurry");
  type("12345", 10);
  press(ENTER);
  assert.deepEqual(told(), [], "too short to be told");
  type("6901234567892", 10);
  pass(100);
  assert.deepEqual(told(), [{ is: "broken", why: "no-end", text: "6901234567892" }]);
});

test("without prefix and suffix silence is the end", () => {
  const { type, pass, told } = desk({ prefix: "", suffix: "" });
  type("6901234567892", 10);
  pass(99);
  assert.deepEqual(told(), []);
  pass(1);
  assert.deepEqual(told(), [scan("6901234567892", 3)]);
});

test("a scanner that sends no prefix is told of, and its end presses no button; a person is left alone", () => {
  const { type, press, told, scanner } = desk();
  type(CODE, 3);
  // The desk's clock stands where the last key came.
  const end = scanner.take({ type: "keydown", ...ENTER, at: 1_000 + 3 * CODE.length });
  assert.deepEqual(end, { prevent: true, effects: [{ is: "broken", why: "no-prefix", text: CODE }] });
  // Slower, or too few keys, or an Enter on its own after them.
  for (const [text, ms, wait] of [[CODE, 60, 60], ["12345", 3, 3], [CODE, 3, 500]]) {
    const person = desk();
    person.type(text, ms);
    person.press(ENTER, wait);
    assert.deepEqual(person.told(), []);
  }
  // The code after it has its prefix.
  press(ENTER);
  type("^A1");
  press(ENTER);
  assert.deepEqual(told(), [scan("A1")]);
});

test("a suffix of Tab, and of the number pad", () => {
  const { type, press, told } = desk({ suffix: "Tab" });
  type("^A1");
  press({ code: "Tab", key: "Tab" });
  assert.deepEqual(told(), [scan("A1")]);
  const pad = desk();
  pad.type("^");
  pad.press([{ code: "Numpad6", key: "6" }, { code: "NumpadEnter", key: "Enter" }]);
  assert.deepEqual(pad.told(), [scan("6")]);
});

test("a scan without end is bounded", () => {
  const { type, press, told } = desk();
  type(`^${"7".repeat(10_000)}`, 1);
  press(ENTER);
  const [effect] = told();
  assert.deepEqual([effect.why, effect.text.length], ["too-long", 2048]);
});

test("whatever keys come, a whole scan behind them is read as it was printed", () => {
  const throws = dice(21);
  const names = ["Enter", "Tab", "F8", "F9", "Shift", "Alt", "Process", "Dead", "Escape", "Unidentified", "a", "^", "奶", ""];
  for (let round = 0; round < 2000; round += 1) {
    const { press, type, pass, told } = desk(throws(2) ? {} : { gsKeys: [] });
    for (let n = throws(30); n >= 0; n -= 1) {
      const name = names[throws(names.length)];
      const code = ["", name, "KeyA", "Numpad3", "BracketRight"][throws(5)];
      const flag = () => throws(5) === 0;
      const kind = throws(6) ? "keydown" : "keyup";
      press({ type: kind, key: name, code, shift: flag(), ctrl: flag(), alt: flag(), repeat: flag(), composing: flag() }, throws(1200));
    }
    press({ type: "keyup", key: "Alt", code: "AltLeft" });
    pass(1000);
    told();
    type(`^${CODE}`);
    press(ENTER);
    assert.deepEqual(told(), [scan(CODE)]);
  }
});

test("command barcodes are read back as printed, and no code is taken for one", () => {
  const place = "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11";
  const commands = [
    ...COMMANDS.map((is) => ({ is })),
    ...TASKS.map((task) => ({ is: "task", task })),
    { is: "at", location: place },
    { is: "who", badge: "7F3K-99" },
    { is: "quantity", quantity: 12 },
    { is: "to", id: "7d1c4a55-2f2e-4b11-9f59-0a6f5a3b1c20" },
    ...OFFERS.map((offer) => ({ is: "offer", offer })),
    ...DISPOSITIONS.map((disposition) => ({ is: "becomes", disposition })),
  ];
  for (const command of commands) {
    const printed = printedCommand(command);
    assert.match(printed, /^[A-Z0-9-]+$/);
    assert.deepEqual(commandOf(printed), command);
    assert.deepEqual(commandOf(` ${printed.toLowerCase()} `), command, "a scanner that loses capitals");
    assert.equal(parse(printed).ok, false, printed);
  }
  const others = ["SUYUAN-", "SUYUAN-NONSENSE", "SUYUAN-AT-x", "SUYUAN-QTY-0", "SUYUAN-QTY-1e3", "SUYUAN-QTY-", "SUYUAN-WHO-<b>", "SUYUAN-TO-x", "SUYUAN-BECOMES-EATEN", "SUYUAN-SAY- "];
  assert.deepEqual(commandOf("suyuan-say-S-2 <b>"), { is: "say", text: "S-2 <b>" }, "words stay as they are written");
  assert.equal(printedCommand({ is: "say", text: "LABORATORY-SAMPLE" }), "SUYUAN-SAY-LABORATORY-SAMPLE");
  for (const other of [CODE, "6901234567892", ...others]) assert.equal(commandOf(other), null, other);
  assert.equal(commandOf(`SUYUAN-WHO-${"9".repeat(1000)}`), null);
});
