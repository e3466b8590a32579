// What a till decides, against the vectors the Rust till is held to, and the rules that hold for all
// goods.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Here, becameOf } from "../../../api/src/pda/app/core/here.js";
import { Disk } from "../../../api/src/pda/app/core/outbox.js";
import { MARKS, UnitList, unitHash } from "../../../api/src/pda/app/core/recall-list.js";
import { HeldList, REASONS, adviceOf, decide, decideTyped, expiredFrom, goodsOf } from "../../../api/src/pda/app/core/till.js";
import { parse, unitKey } from "../../../api/src/pda/app/core/trace-code.js";
import { unitCard } from "../../../api/src/pda/app/core/wire/messages.js";
import { holding, inside as goodsInside } from "../../../api/src/pda/app/screens/session/inside.js";
import { judged } from "../../../api/src/pda/app/screens/session/judge.js";
import { dice, golden, source } from "./shared.mjs";

async function unitList(rows) {
  const entries = await Promise.all(rows.map(async ({ unit, marks }) => [await unitHash(unit), marks]));
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const list = new UnitList(entries.length);
  for (const [hash, marks] of entries) {
    list.high[list.size] = Number.parseInt(hash.slice(0, 8), 16);
    list.low[list.size] = Number.parseInt(hash.slice(8), 16);
    list.bits[list.size] = marks;
    list.size += 1;
  }
  return list;
}

const held = async (list) =>
  list && new HeldList(list.version, list.made_at, list.batches, await unitList(list.units));

test("every vector is decided as agreed, and every reason has one", async () => {
  const told = new Set();
  const rows = golden("till");
  assert.ok(rows.length >= 30);
  for (const row of rows) {
    const goods = await goodsOf(parse(row.code).scanned, row.input ?? "wedge");
    const asked = (goods, { card, here }) => ({ goods, card: card && unitCard(card, ""), here });
    const till = { now: row.now, list: await held(row.list), listAgeMax: row.list_age_max };
    const ways = [asked(goods, row), asked(goods.meant ?? goods, row.meant ?? row)];
    const inside = await Promise.all((row.inside ?? []).map(async (one) => asked(await goodsOf(parse(one.code).scanned, "wedge"), one)));
    const cards = new Map(inside.map(({ goods, card }) => [goods.unit, card]));
    const store = { inside: async (container) => (container === ways[0].goods.unit ? inside.map(({ goods }) => ({ unit: goods.unit })) : []) };
    const known = () => ({ doneTo: () => [], cardOf: async () => ({ inside: ways[0].goods.unit }) });
    const askedOf = async ({ unit }) => inside.find(({ goods }) => goods.unit === unit);
    const decision = await holding(decideTyped(...ways, till), ways, { asked: askedOf, known, till, store, cards });
    assert.deepEqual(decision, row.expected, row.note);
    for (const reason of decision.reasons) told.add(reason);
  }
  assert.deepEqual([...told].sort(), [...REASONS].sort());
});

test("what became of goods by own events, themselves or with their container, is as agreed", async () => {
  const rows = golden("here");
  assert.ok(rows.length >= 30);
  for (const { note, unit, typed, card = "in_stock", inside, events, shown = 0, expected, holds } of rows) {
    const disk = new Disk("d", 1, null, "");
    events.forEach((text, at) => disk.put({ key: [1, at + 1], prev_hash: "", hash: `h${at}`, text, state: at < shown ? { is: "settled", stamp: 0 } : { is: "durable" } }));
    const cardOf = async (of) => ({ phase: card, inside: inside[of] });
    for (const way of typed ? [typed] : ["said", "meant"]) {
      assert.equal(await becameOf(unit, new Here().known(way, [disk], 0, cardOf)), expected, `${note} ${way}`);
      if (!holds) continue;
      const store = { inside: async (container) => Object.keys(inside).filter((of) => inside[of] === container).map((unit) => ({ unit })) };
      const told = await goodsInside(unit, { cards: new Map(), store }, new Here().known(way, [disk], 0, cardOf));
      const read = (code) => parse(code).scanned;
      assert.deepEqual(told.map(({ unit, scanned: { claims } }) => [unit, claims]), holds.map((code) => [unitKey(read(code).code), read(code).claims]), `${note} ${way}`);
    }
  }
});

test("reasons and what they advise are those of the Rust till", () => {
  const text = source("sync/src/till.rs");
  const declared = text.slice(text.indexOf("pub enum Reason"), text.indexOf("impl Reason"));
  const names = [...declared.matchAll(/^ {4}([A-Z]\w+),$/gm)].map(([, name]) =>
    name.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase(),
  );
  assert.deepEqual([...REASONS], names);
  const asking = text.slice(text.indexOf("=> Advice::Stop"), text.indexOf("Advice::Ask"));
  for (const reason of REASONS) {
    const camel = reason.replace(/(^|_)([a-z])/g, (_, __, c) => c.toUpperCase());
    assert.equal(adviceOf(reason), asking.includes(`Reason::${camel}`) ? "ask" : "stop", reason);
  }
});

test("goods expire at midnight in Shanghai after the printed day", () => {
  assert.equal(expiredFrom("270331"), 1_806_508_800_000_000);
  assert.equal(expiredFrom("270300"), expiredFrom("270331"));
  assert.equal(expiredFrom("281200"), expiredFrom("281231"));
  assert.equal(expiredFrom("280200"), expiredFrom("280229"));
  for (const wrong of ["271301", "27033x", "", "270332", "2703311"]) assert.equal(expiredFrom(wrong), null, wrong);
});

test("whatever one source says against goods, no other takes back", async () => {
  const throws = dice(9);
  const now = 1_795_000_000_000_000;
  const unit = "/01/09521234000013/21/A9";
  const pick = (...choices) => choices[throws(choices.length)];
  const recall = "91f0c3de-7b64-4e8a-a7c2-5d3e6f708192";
  const batch = "00000000-0000-7000-8000-0000000000b1";
  const phases = ["unknown", "commissioned", "in_stock", "in_transit", "sold", "returned", "collected", "destroyed"];
  for (let round = 0; round < 3000; round += 1) {
    const code = `/01/09521234000013${pick("", "/10/L7", "/10/L8")}${pick("", "/21/A9", "/21/A9")}${pick("", "?17=271130", "?17=200101", "?15=200101")}`;
    const goods = await goodsOf(parse(code).scanned, "wedge");
    const marks = pick(0, 0, 0, 1, 2, 4, 8, 15);
    const rows = marks ? [{ unit, marks }] : [];
    const batches = pick([], [{ recall, batch, gtin: "09521234000013", lot: "L7" }]);
    const list = pick(null, new HeldList(7, now - pick(0, 2) * 86_400_000_000, batches, await unitList(rows)));
    const card = pick(null, {
      ...{ unit: pick(unit, unit, "/01/09521234000013/21/B"), phase: pick(...phases), place: "nowhere", void: !throws(4) },
      ...{ recalls: pick([], [], [recall]), disposition: pick(undefined, "hold", "sellable"), batch: pick(undefined, batch) },
      ...{ lot: pick(undefined, "L7"), expires_at: pick(undefined, expiredFrom("271130"), now - 1) },
    });
    const kinds = Array.from({ length: throws(4) }, () => pick("inbound", "outbound", "sale", "return", "sellable", "hold", "collect", "destroy"));
    const disk = new Disk("d", 1, null, "");
    const put = (event, stamp) => {
      const at = disk.order.list.length;
      const text = JSON.stringify({ event_id: `e${at}`, ...event });
      disk.put({ key: [1, at + 1], prev_hash: "", hash: `h${at}`, text, state: stamp === 0 ? { is: "settled", stamp } : { is: "durable" } });
    };
    // Shown by the card, and struck since or not.
    put({ kind: "inspect", disposition: "sellable", units: [{ code: unit, input: "wedge" }] }, 0);
    for (const kind of kinds) {
      const disposition = ["sellable", "hold"].find((it) => it === kind);
      put({ kind: disposition ? "inspect" : kind, disposition, units: [{ code: unit, input: "wedge" }] });
    }
    const became = async () => (goods.unit ? becameOf(unit, new Here().known("said", [disk], 0, async () => (card?.unit === unit ? card : null))) : null);
    const unstruck = await became();
    if (throws(2)) put({ kind: "retract", target: "e0" });
    const here = await became();
    const till = { now, list, listAgeMax: 86_400_000_000 };
    const all = decide({ goods, card, here }, till);
    // That something was struck only adds to what is said.
    const { reasons: sure } = decide({ goods, card, here: unstruck }, till);
    assert.deepEqual(all.reasons.filter((reason) => reason !== "struck"), sure, JSON.stringify({ kinds, card, here }));
    const without = [
      decide({ goods, card: null, here }, till),
      decide({ goods, card, here }, { ...till, list: null }),
      decide({ goods, card, here: null }, till),
    ];
    for (const [at, less] of without.entries()) {
      // What happened here explains a sale away, and a return only if somebody decided on the goods or they went
      // otherwise; a card or list fills what was unknown.
      const isDecided = all.reasons.includes("held") || kinds.some((kind) => ["sellable", "sale", "collect", "destroy"].includes(kind));
      const explained = at === 2 ? ["sold", ...(isDecided ? ["uninspected"] : [])] : [];
      for (const reason of less.reasons) {
        const isGone = adviceOf(reason) === "stop" && !explained.includes(reason) && !all.reasons.includes(reason);
        assert.ok(!isGone, JSON.stringify({ code, card, here, marks, reason, at }));
      }
    }
    const gravest = all.reasons.some((reason) => adviceOf(reason) === "stop") ? "stop" : all.reasons.length ? "ask" : "ok";
    assert.equal(all.advice, gravest);
    if (list && goods.unit === unit && marks & MARKS.recalled) assert.ok(all.reasons.includes("recalled"));
  }
});

test("I23: what the server receipted and left for later is judged as shown and as not shown, and the graver counts", async () => {
  const unit = "/01/09521234000013/21/A9";
  const goods = await goodsOf(parse(unit).scanned, "wedge");
  const says = async (kind, phase, { shown = 10, told_until }, looked) => {
    const disk = new Disk("d", 1, null, "");
    const text = JSON.stringify({ kind, event_id: "e1", units: [{ code: unit, input: "wedge" }] });
    disk.put({ key: [1, 1], prev_hash: "", hash: "h1", text, state: { is: "settled", stamp: 10 } });
    const card = { unit, phase, recalls: [], batch: "b" };
    const store = { unit: async () => card, inside: async () => [], record: async (name) => ({ shown, told_until })[name] };
    const list = new HeldList(1, 0, [], new UnitList(0));
    const session = { store, drivers: [{ outbox: { view: disk } }], driver: { now: () => 0 }, here: new Here(), list, listAgeMax: 1 };
    const decision = looked ? await judged(session, goods, new Map([[unit, card]]), looked.told_until) : await judged(session, goods);
    return decision.reasons;
  };
  const left = { told_until: 9 };
  // The card is older than the sale, or shows it; a server of before does not say.
  for (const [kind, reason] of [["sale", "sold"], ["destroy", "destroyed"], ["collect", "collected"]]) {
    assert.deepEqual(await says(kind, "in_stock", left), [reason]);
    assert.deepEqual(await says(kind, "in_stock", {}, left), [reason]);
    // Somebody else undid it since.
    for (const told of [{}, { told_until: null }, { told_until: 10 }, { told_until: 11 }]) {
      assert.deepEqual(await says(kind, "in_stock", told), []);
    }
    assert.deepEqual(await says(kind, "in_stock", left, {}), []);
    assert.deepEqual(await says(kind, "in_stock", left, { told_until: 10 }), []);
  }
  // Nor does a doubt about what is shown explain away what another till did since.
  assert.deepEqual(await says("inbound", "sold", left), ["sold"]);
  assert.deepEqual(await says("inbound", "sold", { shown: 9 }), []);
});

test("a case is sold with what is in it: by cards, by the till's own packs and unpacks, and on a pallet", async () => {
  const [tin, other, box, pallet] = ["/01/09521234000013/21/A1", "/01/09521234000013/21/A2", "/01/19521234000010/21/C1", "/00/095212340000000013"];
  const recall = "91f0c3de-7b64-4e8a-a7c2-5d3e6f708192";
  const card = (unit, more) => ({ unit, phase: "in_stock", recalls: [], batch: "b", ...more });
  const judge = async (code, events = [], of = {}) => {
    const cards = { [tin]: card(tin, { inside: box, recalls: [recall] }), [box]: card(box, { inside: pallet, level: "case" }), [pallet]: card(pallet), ...of };
    const disk = new Disk("d", 1, null, "");
    events.forEach((event, at) => disk.put({ key: [1, at + 1], prev_hash: "", hash: `h${at}`, text: JSON.stringify({ event_id: `e${at}`, ...event }), state: { is: "durable" } }));
    const asked = [];
    const store = {
      unit: async (unit) => cards[unit] ?? null,
      inside: async (container) => {
        asked.push(container);
        return Object.values(cards).filter(({ inside }) => inside === container);
      },
      record: async () => null,
    };
    const list = new HeldList(1, 0, [{ recall, batch: "r", gtin: "09521234000013", lot: "L9" }], new UnitList(0));
    const session = { store, drivers: [{ outbox: { view: disk } }], driver: { now: () => 0 }, here: new Here(), list, listAgeMax: 1 };
    const { advice, reasons, recalls, taken_for } = await judged(session, await goodsOf(parse(code).scanned, "wedge"));
    return { advice, reasons, recalls, taken_for, asked };
  };
  const stopped = { advice: "stop", reasons: ["recalled"], recalls: [recall] };
  const said = async (...asked) => {
    const { asked: _, ...decision } = await judge(...asked);
    return decision;
  };
  for (const code of [box, pallet]) assert.deepEqual(await said(code), { ...stopped, taken_for: tin }, code);
  assert.deepEqual(await said(tin), { ...stopped, taken_for: null });
  const read = (code) => ({ code, input: "wedge" });
  const unpack = { kind: "unpack", parent: read(box), children: [read(tin)] };
  assert.equal((await said(box, [unpack])).advice, "ok");
  assert.equal((await said(box, [{ kind: "sale", units: [read(tin)] }])).advice, "ok");
  const good = { [tin]: card(tin, { inside: box }) };
  assert.equal((await said(box, [], good)).advice, "ok");
  // A tin without a card, by what its code says.
  const pack = { kind: "pack", parent: read(box), children: [read("/01/09521234000013/10/L9/21/A2?17=271130")] };
  assert.deepEqual(await said(box, [pack], good), { ...stopped, taken_for: other });
  // Of an item nothing is asked.
  assert.deepEqual((await judge(tin, [], { [tin]: card(tin, { level: "item" }) })).asked, []);
});
