// Tasks from the first scan to the events they state: expected lists, quantities, duplicates, stops,
// questions, undo, and what the Rust reader of required items would still miss.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { textsOf } from "../../../api/src/pda/app/core/act.js";
import { Badges, mayStrike } from "../../../api/src/pda/app/core/badges.js";
import { OFFERS, TASKS } from "../../../api/src/pda/app/core/commands.js";
import { notOverruling } from "../../../api/src/pda/app/core/overruling.js";
import { KINDS } from "../../../api/src/pda/app/core/event.js";
import { missing } from "../../../api/src/pda/app/core/required.js";
import { BUILT_IN, rulesOf } from "../../../api/src/pda/app/core/required/rules.js";
import { TASK_KINDS, answerOf, begin, compared, step, suggested } from "../../../api/src/pda/app/core/tasks.js";
import { goodsOf } from "../../../api/src/pda/app/core/till.js";
import { parse } from "../../../api/src/pda/app/core/trace-code.js";
import { badgeHash } from "../../../api/src/pda/app/core/wire.js";
import { cpuMs, dice, source } from "./shared.mjs";

/** The rules as the Rust crate has them. */
const RULES = [];
for (const [, profile, kind, rows] of source("sync/src/event/required/tables.rs")
  .replace(/\/\/.*$/gm, "")
  .matchAll(/^ {4}(AGREEMENT|FORMULA|BABY|CARE), (\w+) \{([^}]*)\}/gm)) {
  const names = { AGREEMENT: null, FORMULA: "infant-formula", BABY: "maternal-baby", CARE: "maternal-baby-care" };
  for (const [, item, said] of rows.matchAll(/"([^"]+)" "[^"]+" (\w+);/g)) {
    const snake = said.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase();
    RULES.push({ profile: names[profile], kind: kind.toLowerCase(), item, said: snake });
  }
}

const PLACE = "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11";
const OTHER = "7d1c4a55-2f2e-4b11-9f59-0a6f5a3b1c20";
const RECALL = "91f0c3de-7b64-4e8a-a7c2-5d3e6f708192";
const FORMULA = "06901234567892";
const CARE = "09521234000013";
const ACTOR = { id: "s-17", proof: "badge" };
const WORLD = {
  rules: RULES,
  actor: ACTOR,
  profileOf: (gtin) => ({ [FORMULA]: "infant-formula", [CARE]: "maternal-baby-care" })[gtin] ?? null,
};
const unit = (serial, gtin = FORMULA) => `/01/${gtin}/21/${serial}`;
const code = (serial, gtin = FORMULA) => `https://id.example.cn${unit(serial, gtin)}`;
const CASE = "/00/106141411234567897";
const said = (reasons, recalls = []) => ({
  advice: reasons.length === 0 ? "ok" : reasons.every((r) => ["struck", "no_list", "names_no_unit", "expiry_unknown", "stale_list"].includes(r)) ? "ask" : "stop",
  reasons,
  recalls,
  expires_at: null,
});

/** A person at a task. */
function person(task, start = {}, world = WORLD) {
  let state = begin(task, { location: PLACE, ...start });
  let now = 0;
  const act = (input) => {
    const before = JSON.stringify(state);
    const { state: next, effects } = step(state, input, world);
    assert.equal(JSON.stringify(state), before, "a state is never changed");
    state = JSON.parse(JSON.stringify(next));
    assert.deepEqual(state, next, "a state is plain JSON");
    return effects;
  };
  return {
    do: (name, more = {}) => act({ do: name, ...more }),
    scan: async (text, { decision = null, ms = 2000 } = {}) => {
      now += ms;
      const read = parse(text);
      return act({ do: "scan", code: text, input: "wedge", at: now, goods: read.ok ? await goodsOf(read.scanned, "wedge") : null, decision });
    },
    get state() {
      return state;
    },
  };
}
const words = (effects) => effects.flatMap((effect) => effect.say ?? []);
const sound = (effects) => effects.find((effect) => effect.sound)?.sound;
const stated = (effects) => effects.find((effect) => effect.state)?.state;

/** Answers or leaves open whatever is asked, until it is stated. */
function finished(p) {
  let effects = p.do("confirm");
  for (let n = 0; n < 20 && !stated(effects); n += 1) {
    effects = p.state.step === "question" ? p.do("skip") : p.do("confirm");
  }
  return stated(effects);
}

test("the rules of the Rust crate were found, all of them", () => {
  const text = source("sync/src/event/required/tables.rs");
  assert.equal(RULES.length, [...text.matchAll(/" "[^"]+" \w+;/g)].length);
  assert.ok(RULES.length > 90);
});

test("there is a task for each kind a person states, and each has its command", () => {
  assert.deepEqual(Object.keys(TASK_KINDS), [...TASKS]);
  const kinds = Object.values(TASK_KINDS).flatMap(({ kind }) => kind ?? []);
  assert.deepEqual(new Set(kinds), new Set(KINDS.filter((kind) => kind !== "commission")));
});

test("inbound: an expected list ticks off, surplus and missing are shown, a second word states it", async () => {
  const expected = { units: ["A", "B", "C"].map((serial) => ({ unit: unit(serial) })), lots: [] };
  const p = person("inbound", { expected, counterpart: { type: "enterprise", id: OTHER } });
  assert.deepEqual(words(p.do("confirm")), ["nothing_yet"]);
  assert.deepEqual(await p.scan(code("A")), [{ sound: "ok" }, { say: "added", of: p.state.goods.lines[0] }]);
  const surplus = await p.scan(code("X"));
  assert.deepEqual([sound(surplus), words(surplus)], ["warn", ["surplus"]]);
  await p.scan(code("B"));
  const shown = p.do("confirm");
  assert.deepEqual(shown[1].of, { missing: [unit("C")], missingLots: [], surplus: [unit("X")], surplusLots: [] });
  assert.equal(p.state.step, "review");
  const [draft, ...more] = stated(p.do("confirm"));
  assert.deepEqual(more, []);
  assert.deepEqual(draft.units.map((read) => read.code), [code("A"), code("X"), code("B")]);
  assert.deepEqual([draft.kind, draft.location, draft.counterpart], ["inbound", PLACE, { type: "enterprise", id: OTHER }]);
  assert.deepEqual(await p.scan(code("C")), [], "what is stated takes nothing any more");
});

test("a scan after the review goes on with the goods, and what is missing is shown again", async () => {
  const p = person("inbound", { expected: { units: [{ unit: unit("A") }, { unit: unit("B") }], lots: [] } });
  await p.scan(code("A"));
  p.do("confirm");
  await p.scan(code("X"));
  assert.equal(p.state.step, "goods");
  assert.deepEqual(words(p.do("confirm")), ["missing"]);
  await p.scan(code("B"));
  assert.equal(stated(p.do("confirm")).length, 1);
});

test("a container ticks off everything in it, and the event names the container alone", async () => {
  const inside = ["A", "B", "C"].map((serial) => ({ unit: unit(serial), inside: CASE }));
  const pallet = "/00/106141411234567903";
  const expected = { units: [...inside, { unit: CASE, inside: pallet }, { unit: unit("D") }], lots: [] };
  const p = person("inbound", { expected });
  assert.deepEqual(words(await p.scan("(00)106141411234567897")), ["added"]);
  assert.deepEqual(compared(p.state.goods, expected).missing, [unit("D")]);
  const q = person("inbound", { expected: { units: [...inside, { unit: CASE, inside: "/00/369012340000001236" }], lots: [] } });
  await q.scan("369012340000001236");
  assert.deepEqual(compared(q.state.goods, q.state.expected).missing, [], "through two levels");
  assert.deepEqual(finished(p)[0].units, [{ code: "(00)106141411234567897", input: "wedge" }]);
  const circle = { units: [{ unit: "/00/1", inside: "/00/2" }, { unit: "/00/2", inside: "/00/1" }], lots: [] };
  assert.deepEqual(compared(p.state.goods, circle).missing, ["/00/1", "/00/2"]);
});

test("the same unit is announced and never counted twice, in whatever form it is read", async () => {
  const p = person("inbound");
  await p.scan(code("A"));
  const soft = await p.scan(code("A"), { ms: 1499 });
  assert.deepEqual(soft, [{ sound: "tick" }]);
  const again = await p.scan(code("A"), { ms: 1 });
  assert.deepEqual([sound(again), words(again)], ["warn", ["already"]]);
  const other = await p.scan(`(01)${FORMULA}(21)A`, { ms: 10 });
  assert.deepEqual(words(other), ["already"]);
  assert.equal(p.state.goods.lines.length, 1);
  const back = await p.scan(code("B"), { ms: -5000 });
  assert.deepEqual(words(back), ["added"], "a clock set back hides no scan");
});

test("goods of a lot are counted by scanning, by a quantity, and one pull of the trigger is one", async () => {
  const p = person("inbound");
  const lot = `(01)${CARE}(10)L7`;
  await p.scan(lot);
  assert.deepEqual(await p.scan(lot, { ms: 300 }), [{ sound: "tick" }]);
  await p.scan(lot, { ms: 500 });
  await p.scan(`/01/${CARE}/10/L7`);
  assert.equal(p.state.goods.lines[0].qty, 3);
  await p.scan(`(01)${CARE}`);
  assert.equal(p.state.goods.lines.length, 2, "without its lot it is a line of its own");
  p.do("quantity", { quantity: 24 });
  assert.deepEqual(words(p.do("quantity", { quantity: 0 })), ["no_quantity"]);
  p.do("undo");
  assert.equal(p.state.goods.lines[1].qty, 1);
  p.do("quantity", { quantity: 24 });
  await p.scan(code("A"));
  assert.deepEqual(words(p.do("quantity", { quantity: 2 })), ["no_quantity"], "a unit is one");
  const [draft] = finished(p);
  assert.deepEqual(draft.lots, [{ gtin: CARE, lot: "L7", qty: 3 }, { gtin: CARE, lot: null, qty: 24 }]);
  assert.equal(draft.units.length, 1);
});

test("expected quantities of lots tick off", async () => {
  const expected = { units: [], lots: [{ gtin: CARE, lot: "L7", qty: 3 }] };
  const p = person("inbound", { expected });
  await p.scan(`(01)${CARE}(10)L7`);
  assert.deepEqual(compared(p.state.goods, expected).missingLots, [{ gtin: CARE, lot: "L7", qty: 2 }]);
  p.do("quantity", { quantity: 5 });
  const surplus = await p.scan(`(01)${CARE}(10)L8`);
  assert.deepEqual(words(surplus), ["surplus"]);
  const { missingLots, surplusLots } = compared(p.state.goods, expected);
  assert.deepEqual(missingLots, []);
  assert.deepEqual(surplusLots, [{ gtin: CARE, lot: "L7", qty: 2 }, { gtin: CARE, lot: "L8", qty: 1 }]);
});

test("undo takes back the last thing, back to the beginning", async () => {
  const p = person("pack");
  await p.scan("(00)106141411234567897");
  await p.scan(code("A"));
  await p.scan(code("B"));
  p.do("undo");
  assert.deepEqual(p.state.goods.lines.map((line) => line.unit), [unit("A")]);
  assert.deepEqual(words(await p.scan(code("B"), { ms: 100 })), ["added"], "and may be read again at once");
  p.do("undo");
  p.do("undo");
  p.do("undo");
  assert.equal(p.state.step, "first");
  assert.deepEqual(words(p.do("undo")), ["nothing_to_undo"]);
});

test("pack and unpack: the container first, then what is in it; unpacking may name nothing", async () => {
  const p = person("pack");
  assert.deepEqual(words(p.do("confirm")), ["nothing_yet"]);
  assert.deepEqual(words(await p.scan(`(01)${CARE}`)), ["names_no_goods"], "a product is no container");
  assert.deepEqual(words(await p.scan("(00)106141411234567897")), ["container"]);
  assert.deepEqual(words(await p.scan(`]C100106141411234567897`)), ["same_as_container"]);
  await p.scan(code("A"));
  p.do("answer", { answer: { declared: 6 } });
  const [draft] = stated(p.do("confirm"));
  assert.deepEqual([draft.kind, draft.parent.code, draft.declared], ["pack", "(00)106141411234567897", 6]);
  assert.deepEqual(draft.units, [{ code: code("A"), input: "wedge" }]);
  const q = person("unpack");
  await q.scan("(00)106141411234567897");
  assert.equal(stated(q.do("confirm"))[0].units, undefined, "everything comes out");
});

test("a badge overrules only where it is known as another supervisor's; unknown, withdrawn and one's own do not", async () => {
  const enterprise = "7d1c4a55-2f2e-4b11-9f59-0a6f5a3b1c20";
  const listed = async (roles) => {
    const card = async ([number, role]) => ({ badge: await badgeHash(enterprise, number), role });
    return new Badges(enterprise, { version: "1", badges: await Promise.all(Object.entries(roles).map(card)) });
  };
  const badges = await listed({ "W-1": "worker", "S-1": "supervisor", "S-2": "supervisor", "A-1": "auditor" });
  const at = { id: "S-1", proof: "badge", supervisor: true };
  assert.deepEqual(await badges.actor("S-1"), at);
  assert.deepEqual(await badges.actor("W-1"), { id: "W-1", proof: "badge" });
  assert.deepEqual(await badges.actor("A-1"), { id: "A-1", proof: "badge" }, "a role nobody knows is a worker's");
  assert.equal(await badges.actor("X-1"), null);
  const overruled = Object.fromEntries(await Promise.all(["S-2", "S-1", "W-1", "A-1", "X-1"].map(async (badge) => [badge, await notOverruling(badges, badge, at)])));
  assert.deepEqual(overruled, { "S-2": null, "S-1": "badge_own", "W-1": "badge_worker", "A-1": "badge_worker", "X-1": "badge_unknown" });
  // Withdrawn is not on the list any more.
  const later = await listed({ "W-1": "worker", "S-1": "supervisor" });
  assert.equal(await notOverruling(later, "S-2", at), "badge_unknown");
  assert.equal(await later.actor("S-2"), null);
  assert.equal(await notOverruling(await listed({ "W-1": "worker" }), "S-2", null), "no_supervisor");
  // The same number is another badge in another enterprise.
  const elsewhere = new Badges("00000000-0000-0000-0000-000000000000", { version: "1", badges: [{ badge: await badgeHash(enterprise, "S-1"), role: "supervisor" }] });
  assert.equal(await elsewhere.actor("S-1"), null);
  // No list: everybody works, nobody overrules.
  const none = new Badges(enterprise, null);
  assert.deepEqual(await none.actor("X-1"), { id: "X-1", proof: "badge" });
  assert.equal(await notOverruling(none, "S-1", null), "no_supervisor");
  // Nobody said yet whether there is a list, or the one that holds is not here.
  assert.equal(await notOverruling(new Badges(enterprise, null, false), "S-1", null), "badge_unchecked");
  const old = new Badges(enterprise, { version: "1", badges: [] }, false);
  assert.equal(await notOverruling(old, "S-1", null), "badge_unchecked");
});

test("what another stated is struck by a supervisor alone", () => {
  const worker = { id: "W-1", proof: "badge" };
  assert.ok(mayStrike("W-1", worker) && mayStrike(null, null) && mayStrike("W-2", { ...worker, supervisor: true }));
  assert.ok(!mayStrike("W-2", worker) && !mayStrike(null, worker) && !mayStrike("W-1", null));
});

test("the till says no: a stop has to be seen, nothing is taken meanwhile, and only a supervisor overrules", async () => {
  const p = person("sale");
  await p.scan(code("A"), { decision: said([]) });
  const decision = said(["recalled", "expired"], [RECALL]);
  const stopped = await p.scan(code("B"), { decision });
  assert.deepEqual([sound(stopped), words(stopped), p.state.step], ["stop", ["stopped"], "stop"]);
  for (const input of [{ do: "confirm" }, { do: "quantity", quantity: 2 }, { do: "skip" }, { do: "override", supervisor: "", reason: "x" }, { do: "override", supervisor: "s-1", reason: " " }]) {
    assert.deepEqual(words(p.do(input.do, input)), ["screen_first"], input.do);
  }
  assert.deepEqual(words(await p.scan(code("C"), { decision: said([]) })), ["screen_first"], "not even a scan");
  assert.deepEqual(words(p.do("acknowledge")), ["dropped"]);
  assert.equal(p.state.goods.lines.length, 1);
  await p.scan(code("B"), { decision });
  assert.deepEqual(words(p.do("override", { supervisor: "s-1", reason: "laboratory" })), ["overruled"]);
  const drafts = finished(p);
  assert.deepEqual(drafts.map((draft) => draft.units.map((read) => read.code)), [[code("A")], [code("B")]]);
  const override = { code: "recalled", reason: "laboratory", supervisor: "s-1", recall: RECALL };
  assert.deepEqual(drafts.map((draft) => draft.override), [undefined, override]);
  assert.deepEqual(drafts.map((draft) => draft.act), [{ n: 1, of: 2 }, { n: 2, of: 2 }], "one act");
});

test("what only asks is taken by a second word, or dropped", async () => {
  const p = person("sale");
  const decision = said(["names_no_unit", "no_list"]);
  const asked = await p.scan(`(01)${CARE}(10)L7`, { decision });
  assert.deepEqual([sound(asked), words(asked), p.state.step], ["warn", ["look_twice"], "ask"]);
  assert.deepEqual(words(p.do("override", { supervisor: "s", reason: "r" })), ["screen_first"]);
  assert.deepEqual(words(p.do("confirm")), ["added"]);
  assert.deepEqual(words(await p.scan(`(01)${CARE}(10)L7`, { decision })), ["added"], "the same lot was looked at");
  await p.scan(code("Z"), { decision: said(["no_list"]) });
  p.do("undo");
  assert.deepEqual(p.state.goods.lines.map((line) => line.qty), [2]);
  await p.scan(`(01)${CARE}(10)L7`, { decision: said(["expired"]) });
  assert.equal(p.state.step, "stop", "a lot that is known is still stopped");
});

test("other tasks warn of what is unsound and take it all the same", async () => {
  const p = person("outbound");
  const effects = await p.scan(code("A"), { decision: said(["recalled", "expired", "stale_list"], [RECALL]) });
  assert.deepEqual([sound(effects), words(effects)], ["warn", ["added", "warned", "recalled", "expired"]], "and of what, as far as this task warns of it");
  // A lot that was sound when it came first.
  const lot = (reasons) => p.scan(`(01)${CARE}(10)L7`, { decision: said(reasons) });
  assert.deepEqual(words(await lot([])), ["added"]);
  assert.deepEqual(words(await lot(["recalled"])), ["added", "warned", "recalled"]);
  assert.deepEqual(words(await lot([])), ["added"]);
  assert.deepEqual(p.state.goods.lines.map(({ qty, warns }) => [qty, warns]), [[1, ["recalled", "expired"]], [3, ["recalled"]]], "the list goes on saying so");
  const c = person("collect");
  assert.equal(sound(await c.scan(code("A"), { decision: said(["recalled"], [RECALL]) })), "ok", "that is what it is for");
  for (const reason of ["uninspected", "held"]) {
    const i = person("inbound");
    assert.deepEqual(words(await i.scan(code("A"), { decision: said([reason]) })), ["added", "warned", reason], "it does not become sellable by that");
  }
});

test("inspection: what becomes of the goods comes first, and recalled goods are not released", async () => {
  const p = person("inspect");
  assert.deepEqual(words(await p.scan(code("A"))), ["question"]);
  p.do("answer", { answer: { disposition: "sellable" } });
  assert.deepEqual(words(await p.scan(code("A"), { decision: said(["uninspected"]), ms: 100 })), ["added"], "was not taken before");
  await p.scan(code("B"), { decision: said(["recalled"], [RECALL]) });
  assert.equal(p.state.step, "stop");
  p.do("acknowledge");
  assert.deepEqual(words(p.do("answer", { answer: { disposition: "destroy" } })), ["has_goods"]);
  const [draft] = finished(p);
  assert.deepEqual([draft.disposition, draft.units.length], ["sellable", 1]);
  const q = person("inspect");
  q.do("answer", { answer: { disposition: "destroy" } });
  assert.equal(sound(await q.scan(code("B"), { decision: said(["recalled"], [RECALL]) })), "warn");
  assert.equal(q.state.goods.lines.length, 1);
});

test("a paper that the tables demand gets the device's own number, and no other question does", () => {
  const of = { documentPrefix: "S-1-5B0C1C5E" };
  const demanded = { item: "outbound.outbound_document_no", said: "document" };
  assert.equal(suggested(demanded, of, 57), "S-1-5B0C1C5E-57");
  assert.equal(suggested(demanded, {}, 57), "", "who enrolled before there were such");
  assert.equal(suggested({ item: "document", said: "document", isOffered: true }, of, 57), "", "a paper of somebody's");
  assert.equal(suggested({ item: "x", said: "body" }, of, 57), "");
  assert.equal(suggested(null, of, 57), "");
});

test("mandatory items are asked once per task, and may be left open", async () => {
  const p = person("outbound");
  await p.scan(code("A"));
  await p.scan(code("B", CARE));
  const asked = [];
  let effects = p.do("confirm");
  for (let n = 0; n < 12 && !stated(effects); n += 1) {
    const { item, said: where } = p.state.question;
    asked.push(item);
    if (where === "body") effects = p.do("answer", { answer: { item, value: "顺丰" } });
    else if (where === "document") effects = p.do("answer", { answer: { doc: { no: "S1-7" } } });
    else effects = p.do("skip");
  }
  assert.deepEqual(asked, [
    "enterprise_dispatch.purchaser",
    "logistics.logistics_company",
    "logistics.place_of_arrival",
    "outbound.outbound_document_no",
  ], "who left the counterpart open is not asked for it under another name");
  const [draft] = stated(effects);
  assert.deepEqual([draft.doc, draft.body], [{ no: "S1-7" }, { "logistics.logistics_company": "顺丰" }]);
  const q = person("outbound", { counterpart: { type: "location", id: OTHER }, doc: { no: "1" } });
  await q.scan(code("A"));
  q.do("confirm");
  assert.equal(q.state.question.item, "logistics.logistics_company", "a place answers who and where");
  assert.equal(stated(q.do("answer", { answer: { item: "logistics.logistics_company", value: "x" } })).length, 1);
});

test("a count may see nothing, asks for the climate of care products, and says whether it saw all", async () => {
  const p = person("count");
  p.do("confirm");
  assert.equal(p.state.step, "goods", "nothing, of who knows what, says nothing");
  p.do("offer", { offer: "complete" });
  const [empty] = stated(p.do("confirm"));
  assert.deepEqual([empty.units, empty.body], [undefined, { scope: { complete: true } }]);
  const q = person("count");
  await q.scan(code("A", CARE));
  q.do("confirm");
  assert.equal(q.state.question.said, "temperature");
  q.do("answer", { answer: { env: { temperature: -185 } } });
  assert.equal(q.state.question.said, "humidity");
  const [draft] = stated(q.do("answer", { answer: { env: { humidity: 400 } } }));
  assert.deepEqual([draft.env, draft.body], [{ temperature: -185, humidity: 400 }, undefined]);
});

test("a question is left open by a second word, asks the next, and never the same again", async () => {
  const p = person("outbound");
  await p.scan(code("A"));
  const asked = [];
  let effects = p.do("confirm");
  for (let n = 0; n < 12 && !stated(effects); n += 1) {
    asked.push(p.state.question.item);
    effects = p.do("confirm");
  }
  assert.deepEqual(asked, ["enterprise_dispatch.purchaser", "logistics.logistics_company", "logistics.place_of_arrival"]);
  assert.deepEqual([stated(effects)[0].counterpart, stated(effects)[0].body], [null, undefined]);
});

test("goods that are scanned while something is asked are taken, and it is asked still", async () => {
  const p = person("count");
  await p.scan(code("A", CARE));
  p.do("confirm");
  assert.equal(p.state.question.said, "temperature");
  const beside = await p.scan(code("B", CARE));
  assert.deepEqual([sound(beside), words(beside)], ["ok", ["added", "still_asked"]]);
  assert.deepEqual([p.state.step, p.state.question.said, p.state.goods.lines.length], ["question", "temperature", 2]);
  assert.deepEqual(words(await p.scan(code("B", CARE))), ["already", "still_asked"]);
  assert.deepEqual(words(await p.scan("garbage")), ["unreadable", "still_asked"]);
  assert.equal(p.state.step, "question");
  assert.deepEqual(words(p.do("answer", { answer: { doc: { no: "1" } } })), ["noted"], "an answer to something else");
  assert.equal(p.state.question.said, "temperature");
  p.do("quantity", { quantity: 18 });
  assert.deepEqual([p.state.env, p.state.question.said], [{ temperature: 180 }, "humidity"], "a number is the answer where one is asked for");
  p.do("undo");
  assert.deepEqual([p.state.step, p.state.goods.lines.length], ["goods", 2], "one step back is out of the question");
  // A stop on the way comes first, then what was asked.
  const s = person("sale", {}, { ...WORLD, rules: [{ profile: null, kind: "sale", item: "doc", said: "document" }] });
  await s.scan(code("A"), { decision: said([]) });
  s.do("confirm");
  await s.scan(code("B"), { decision: said(["expired"]) });
  assert.equal(s.state.step, "stop");
  s.do("acknowledge");
  assert.deepEqual([s.state.step, s.state.question.item], ["question", "doc"]);
  assert.deepEqual(words(s.do("skip")), ["done"]);
  assert.deepEqual(words(person("sale").do("skip")), ["nothing_asked"]);
});

test("what somebody wants to tell is asked for and leads back to the goods: declared, receipt, number, counterpart", async () => {
  const p = person("pack");
  assert.deepEqual(words(p.do("offer", { offer: "declared" })), ["nothing_yet"], "of no container");
  await p.scan("(00)106141411234567897");
  await p.scan(code("A"));
  assert.deepEqual(words(p.do("offer", { offer: "declared" })), ["question"]);
  assert.deepEqual(words(p.do("quantity", { quantity: 12 })), ["noted"]);
  assert.equal(p.state.step, "goods");
  const [pack] = stated(p.do("confirm"));
  assert.equal(pack.declared, 12);
  assert.equal(JSON.parse(textsOf([pack], moment).texts[0]).declared, 12);
  const r = person("return");
  await r.scan(code("A"));
  r.do("offer", { offer: "slip" });
  r.do("answer", { answer: answerOf(r.state.question, "S-2") });
  const [back] = stated(r.do("confirm"));
  assert.deepEqual(back.body, { receipt: "S-2" });
  assert.equal(JSON.parse(textsOf([back], moment).texts[0]).body.receipt, "S-2");
  const o = person("inbound");
  await o.scan(code("A"));
  o.do("offer", { offer: "document" });
  o.do("answer", { answer: answerOf(o.state.question, "L-9") });
  o.do("offer", { offer: "counterpart" });
  assert.deepEqual(words(o.do("confirm")), ["left_open"], "and may be left");
  o.do("answer", { answer: { counterpart: { type: "location", id: OTHER } } });
  const [come] = stated(o.do("confirm"));
  assert.deepEqual([come.doc, come.counterpart], [{ no: "L-9" }, { type: "location", id: OTHER }]);
  for (const [task, offer] of [["sale", "slip"], ["inbound", "complete"], ["destroy", "declared"], ["return", "accept"]]) {
    assert.deepEqual(words(person(task).do("offer", { offer })), ["not_here"], `${task} ${offer}`);
  }
  assert.deepEqual(words(person("sale").do("answer", { answer: { disposition: "hold" } })), ["not_here"]);
});

test("words that answer: numbers where numbers are asked for, and no word accepts a difference", () => {
  const of = (said, text, item = said) => answerOf({ item, said }, text);
  assert.deepEqual(of("temperature", "-18.5"), { env: { temperature: -185 } });
  assert.deepEqual([of("humidity", "warm"), of("declared", "1.5"), of("declared", "0"), of("declared", "-1"), of("declared", "4294967296")], [null, null, null, null, null]);
  assert.deepEqual([of("declared", "6"), of("document", "6"), of("counterpart", "6")], [{ declared: 6 }, { doc: { no: "6" } }, { counterpart: { type: "named", name: "6" } }]);
  assert.deepEqual([of("slip", "S", "receipt"), of("accepted", "S1")], [{ item: "receipt", value: "S" }, null]);
});

test("a supervisor accepts the difference of a count: the event is the supervisor's, and holds for the list as it stood", async () => {
  const p = person("count", {}, { ...WORLD, rules: [] });
  const lot = `(01)${CARE}(10)L7`;
  await p.scan(lot);
  assert.deepEqual(words(p.do("accepted", { supervisor: "s-1", by: "s-17" })), ["not_here"], "nobody was asked");
  p.do("offer", { offer: "accept" });
  p.do("accepted", { supervisor: "s-1", by: "s-17" });
  assert.deepEqual(p.state.accepted, { supervisor: "s-1", by: "s-17" });
  assert.deepEqual(words(p.do("quantity", { quantity: 8 })), ["added", "accept_again"], "another difference");
  assert.equal(p.state.accepted, null);
  p.do("offer", { offer: "accept" });
  p.do("accepted", { supervisor: "s-1", by: "s-17" });
  assert.deepEqual(words(p.do("offer", { offer: "complete" })), ["all_seen", "accept_again"]);
  assert.deepEqual(stated(p.do("confirm"))[0].actor, undefined);
  const q = person("count", {}, { ...WORLD, rules: [] });
  await q.scan(lot);
  q.do("offer", { offer: "accept" });
  q.do("accepted", { supervisor: "s-1", by: "s-17" });
  const [text] = textsOf(stated(q.do("confirm")), moment).texts;
  const { actor, body, lots } = JSON.parse(text);
  assert.deepEqual([actor, body], [{ id: "s-1", proof: "badge", supervisor: true }, { accepted: true, counted_by: "s-17" }]);
  assert.deepEqual(lots, [{ gtin: CARE, lot: "L7", qty: 1 }]);
});

test("retract: a scan finds the events, one retract strikes each, together", async () => {
  const p = person("retract");
  assert.deepEqual(await p.scan(code("A")), [{ sound: "tick" }, { look_up: unit("A") }]);
  assert.deepEqual(words(p.do("confirm")), ["nothing_yet"]);
  p.do("targets", { events: [PLACE, OTHER] });
  const drafts = stated(p.do("confirm"));
  assert.deepEqual(drafts.map(({ kind, target, act }) => [kind, target, act.n, act.of]), [
    ["retract", PLACE, 1, 2],
    ["retract", OTHER, 2, 2],
  ]);
});

test("look-up states nothing", async () => {
  const p = person("look-up");
  assert.deepEqual(await p.scan(code("A")), [{ sound: "tick" }, { look_up: unit("A") }]);
  assert.deepEqual(p.do("confirm"), [{ say: "done" }]);
});

test("garbage, half codes and the place of another task are told, and no scan is lost", async () => {
  const p = person("inbound");
  assert.deepEqual(words(await p.scan("]d201069012345678")), ["unreadable"]);
  assert.deepEqual(words(await p.scan("(253)6901234000009")), ["names_no_goods"]);
  await p.scan(code("A"));
  assert.deepEqual(words(p.do("at", { location: OTHER })), ["wrong_place"]);
  assert.equal(p.state.location, PLACE);
  assert.equal(sound(p.do("at", { location: PLACE })), "ok");
  assert.equal(p.state.goods.lines.length, 1);
  const q = person("inbound", { location: null });
  q.do("at", { location: OTHER });
  assert.equal(q.state.location, OTHER);
  assert.deepEqual(q.do("cancel"), [{ say: "cancelled" }]);
  assert.deepEqual(await q.scan(code("A")), []);
});

const random = (count) => new Uint8Array(count).map((_, at) => (at * 37 + 11) % 256);
const slot = { device: PLACE, epoch: 1, seq: 7, prev_hash: "", anchor: "a", anchor_wall: 1_768_440_600_250_000, mono: 3, cursor: 9 };
const moment = { slot, at: 1_768_440_600_250, zone: 480, actor: ACTOR, listVersion: 40, random };

test("drafts become texts in their place, one group for one act", async () => {
  const p = person("sale");
  await p.scan(code("A"), { decision: said([]) });
  await p.scan(code("B"), { decision: said(["sold"]) });
  p.do("override", { supervisor: "s-1", reason: "mistake" });
  const act = textsOf(finished(p), moment);
  assert.ok(act.ok);
  const [first, second] = act.texts.map((text) => JSON.parse(text));
  assert.deepEqual([first.seq, second.seq], [7, 8]);
  assert.equal(first.group.id, second.group.id);
  assert.deepEqual([first.actor, first.list_version, first.cursor, first.mono, first.anchor], [ACTOR, 40, 9, 3, "a"]);
  assert.deepEqual([first.override, second.override.code], [undefined, "sold"]);
  assert.deepEqual(act.ids, [first.event_id, second.event_id]);
  const single = textsOf([{ kind: "count", location: PLACE }], moment);
  assert.equal(JSON.parse(single.texts[0]).group, undefined);
  assert.equal(textsOf([{ kind: "count", location: "x" }], moment).field, "location");
});

test("an act of thousands of units is several events, each within the limits, one group", async () => {
  let state = begin("inbound", { location: PLACE });
  const scans = async () => {
    for (let n = 0; n < 2500; n += 1) {
      const goods = { scanned: parse(code(`S${n}`)).scanned, unit: unit(`S${n}`), hash: "" };
      const scan = { do: "scan", code: code(`S${n}`), input: "wedge", at: n, goods, decision: null };
      state = step(state, scan, WORLD).state;
    }
  };
  const each = (await cpuMs(scans)) / 2500;
  assert.ok(each < 5, `${each} ms a scan`);
  const drafts = stated(step(state, { do: "confirm" }, { ...WORLD, rules: [] }).effects);
  assert.deepEqual(drafts.map((draft) => [draft.units.length, draft.act]), [
    [1000, { n: 1, of: 3 }],
    [1000, { n: 2, of: 3 }],
    [500, { n: 3, of: 3 }],
  ]);
  assert.ok(textsOf(drafts, moment).ok);
});

test("what no push can carry is several documents", () => {
  const state = begin("inbound", { location: PLACE });
  const line = { input: "typed", at: 0, gtin: null, lot: null, qty: 1, surplus: false, override: null };
  const lines = Array.from({ length: 1400 }, (_, n) => ({ ...line, unit: `u${n}`, code: "x".repeat(800) }));
  const full = { ...state, goods: { lines, changes: [{ index: 0, was: 0 }] } };
  const drafts = stated(step(full, { do: "confirm" }, WORLD).effects);
  assert.deepEqual(drafts.map((draft) => draft.act), [undefined, undefined]);
});

test("what is asked is exactly what the agreement and the tables miss", () => {
  const bare = { kind: "outbound" };
  const items = (event, profiles) => missing(event, RULES, profiles).map(({ item }) => item);
  assert.deepEqual(items(bare, []), ["actor", "location", "units"]);
  const named = items({ kind: "inbound" }, ["infant-formula"]);
  assert.deepEqual(named, ["actor", "location", "units", "finished_goods_warehousing.batch_no"], "nothing under two names");
  const whole = { kind: "outbound", actor: ACTOR, location: PLACE, units: [{ code: "x", input: "wedge" }] };
  assert.deepEqual(items(whole, []), []);
  assert.deepEqual(items(whole, ["maternal-baby"]), ["outbound.outbound_document_no"]);
  const lots = { ...whole, lots: [{ gtin: "1", qty: 1 }], doc: { no: "1" }, counterpart: { type: "named", name: "x" } };
  assert.deepEqual(items(lots, ["maternal-baby-care"]), ["outbound.batch_no", "transport.place_of_arrival"]);
  assert.deepEqual(items({ ...lots, body: { "transport.place_of_arrival": " " } }, ["maternal-baby-care"]).length, 2);
  assert.deepEqual(items({ ...lots, body: { "transport.place_of_arrival": "x" } }, ["maternal-baby-care"]), ["outbound.batch_no"]);
  for (const kind of KINDS) assert.ok(items({ kind }, []).length > 0, kind);
});

test("whatever is done, goods are counted once and a task ends in events or in none", async () => {
  const throws = dice(33);
  const codes = ["A", "B", "C"].map((serial) => code(serial)).concat("(00)106141411234567897", `(01)${CARE}(10)L7`, "garbage", "(253)6901234000009");
  for (let round = 0; round < 400; round += 1) {
    const task = TASKS[throws(TASKS.length)];
    const p = person(task, throws(2) ? {} : { expected: { units: [{ unit: unit("A"), inside: CASE }], lots: [] } });
    let ended = false;
    for (let n = 0; n < 25; n += 1) {
      const decision = [null, said([]), said(["recalled"], [RECALL]), said(["no_list"])][throws(4)];
      const effects = [
        () => p.scan(codes[throws(codes.length)], { decision, ms: throws(3000) }),
        () => p.do("undo"),
        () => p.do("acknowledge"),
        () => p.do("override", { supervisor: "s", reason: "r" }),
        () => p.do("quantity", { quantity: throws(5) }),
        () => p.do("skip"),
        () => p.do("answer", { answer: { disposition: "hold" } }),
        () => p.do("targets", { events: [PLACE] }),
        () => p.do("offer", { offer: OFFERS[throws(OFFERS.length)] }),
        () => p.do("accepted", { supervisor: "s", by: "w" }),
        () => p.do("answer", { answer: { declared: 3 } }),
        () => p.do("confirm"),
      ][throws(8) ? throws(11) : 11]();
      const drafts = stated(await effects);
      const units = p.state.goods.lines.flatMap((line) => line.unit ?? []);
      assert.equal(new Set(units).size, units.length, "once");
      assert.ok(p.state.goods.lines.every((line) => line.qty > 0 && (line.unit === null || line.qty === 1)));
      if (p.state.step === "question") assert.ok(p.state.question);
      assert.equal(p.state.held !== null, p.state.step === "stop" || p.state.step === "ask");
      if (drafts) {
        assert.ok(!ended && drafts.length > 0 && textsOf(drafts, moment).ok);
        const named = drafts.flatMap((draft) => draft.units ?? []).length;
        assert.equal(named, units.length, "every unit that was read is stated");
        ended = true;
      }
    }
  }
});

test("the built-in rules are those of the crate; what a server tells takes their place, and nonsense does not", () => {
  assert.deepEqual(BUILT_IN, RULES.filter(({ said }) => said !== "always" && said !== "on_record"));
  const told = RULES.map((rule) => ({ ...rule, source: "T1" }));
  assert.deepEqual(rulesOf({ version: "a", rules: told }), RULES);
  const more = [...told, { profile: null, kind: "sale", item: "new", said: "by_smell" }];
  assert.deepEqual(rulesOf({ version: "a", rules: more }), RULES, "it knows no such place");
  assert.equal(rulesOf(undefined), BUILT_IN);
  for (const nonsense of [undefined, null, "rules", {}, [1], [{ profile: 1, kind: "sale", item: "x", said: "body" }], [null]]) {
    assert.equal(rulesOf({ version: "a", rules: nonsense }), BUILT_IN);
  }
});
