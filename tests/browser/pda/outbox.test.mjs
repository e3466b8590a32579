// The browser's outbox against the traces of the Rust one: the same commands, the same actions, the
// same picture after each. And what the traces cannot show: that scanning stays fast.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis, links } from "../../../api/src/pda/app/core/chain.js";
import { UNSENT_WARNING } from "../../../api/src/pda/app/core/limits.js";
import { Disk, Outbox, fateOfFindings, fateOfResult, prepare } from "../../../api/src/pda/app/core/outbox.js";
import { picture, spans } from "../../../api/src/pda/app/core/outbox/picture.js";
import { exported } from "../../../api/src/pda/app/core/outbox/export.js";
import { wait } from "../../../api/src/pda/app/core/outbox/pace.js";
import { diskOf, placed } from "../../../api/src/pda/app/device/store/read.js";
import { headAfter } from "../../../api/src/pda/app/device/store/write.js";
import { outboxOf } from "../../../api/src/pda/app/device/trust.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { readPush } from "../../../api/src/pda/app/core/wire/carried.js";
import { cpuMs, dice, golden } from "./shared.mjs";

const { traces } = golden("outbox_traces");
const DEVICE = "00000000-0000-0000-0000-0000000000d1";

/** Actions as the Rust side writes them down: the hash a life begins with follows from its number. */
const told = (actions) =>
  actions.map((action) => {
    if (action.do !== "persist") return action;
    const { genesis: _, ...write } = action.write;
    return { ...action, write };
  });

/** A session ends without warning, after so many of the transactions being written came through: what is on the storage then. */
function crashed(outbox, reached) {
  for (const { write } of outbox.pending.slice(0, reached)) outbox.disk.apply(write);
  return outbox.disk;
}

/** What the storage did before a session began; whether a receipt of it is signed. */
function turn(disk, { damage = [], turned: { receipts = [], states = [], anchor, cursor, next } = {} }) {
  for (const [key, text] of damage) disk.put({ ...disk.row(key), text });
  for (const receipt of receipts) disk.receipts = { ...disk.receipts, [receipt.epoch]: receipt };
  for (const [key, state] of states) disk.put({ ...disk.row(key), state: state.is === "durable" ? { is: state.is } : state });
  disk.anchor = anchor ?? disk.anchor;
  disk.cursor = cursor ?? disk.cursor;
  disk.next = next ?? disk.next;
  return (receipt) => !receipts.includes(receipt);
}

const needsHash = (command) => command.do === "capture" || command.do === "new_epoch";

test("every trace is replayed with the same actions and the same picture after each step", async () => {
  let steps = 0;
  const done = new Set();
  for (const trace of traces) {
    let disk = new Disk(trace.device, trace.epoch, trace.anchor, await genesis(trace.device, trace.epoch));
    for (const session of trace.sessions) {
      const before = disk.clone();
      const outbox = Outbox.begin(disk, turn(disk, session));
      let found = null;
      for (const { input, actions, after } of session.steps) {
        assert.deepEqual(found, input.command.do === "damaged" ? input.command.keys : null);
        const command = needsHash(input.command) ? await prepare(outbox, input.command) : input.command;
        const answered = outbox.take({ ...input, command });
        assert.deepEqual(told(answered), actions, JSON.stringify(input).slice(0, 300));
        assert.deepEqual(picture(outbox), after, JSON.stringify(input).slice(0, 300));
        const send = actions.find((action) => action.do === "send");
        found = send ? (await outbox.push(send.epoch, send.first, send.last)).damaged : null;
        done.add(input.command.do);
        steps += 1;
      }
      disk = session.set_back ? before : crashed(outbox, session.dies_after ?? 0);
    }
  }
  assert.ok(steps > 300, `${steps} steps`);
  assert.equal(done.size, 11, [...done].join());
});

const newOutbox = async () => new Outbox(new Disk(DEVICE, 1, null, await genesis(DEVICE, 1)));

/** Captures texts and commits them. */
async function captured(outbox, texts, now = 0) {
  const command = await prepare(outbox, { do: "capture", texts });
  const [{ write }] = outbox.take({ now, jitter: 0, command });
  return outbox.take({ now, jitter: 0, command: { do: "committed", write: write.id } });
}

test("nothing is said to be saved, nor sent, before it is committed", async () => {
  const outbox = await newOutbox();
  const command = await prepare(outbox, { do: "capture", texts: ["a", "b"] });
  const asked = outbox.take({ now: 0, jitter: 0, command });
  assert.deepEqual(
    asked.map((action) => action.do),
    ["persist"],
  );
  assert.equal(outbox.disk.rows.size, 0);
  const after = outbox.take({ now: 1, jitter: 0, command: { do: "committed", write: asked[0].write.id } });
  assert.deepEqual(after[0], { do: "show", notice: { say: "saved", of: [[1, 1], [1, 2]] } });
  assert.equal(after[1].do, "send");
});

test("an event hashed against another head than this is never written", async () => {
  const outbox = await newOutbox();
  const stale = await prepare(outbox, { do: "capture", texts: ["a"] });
  await captured(outbox, ["b"]);
  const before = picture(outbox);
  assert.throws(() => outbox.take({ now: 0, jitter: 0, command: stale }), /another head/);
  assert.deepEqual(picture(outbox), before);
  const torn = await links(outbox.view.head, ["c", "d"]);
  torn[1].prev_hash = torn[0].prev_hash;
  assert.throws(() => outbox.take({ now: 0, jitter: 0, command: { do: "capture", links: torn } }), /another head/);
  assert.deepEqual(picture(outbox), before);
});

test("a push holds the very texts, and the export everything that is not receipted", async () => {
  const outbox = await newOutbox();
  const texts = Array.from({ length: 1201 }, (_, n) => `{"n":${n},"note":"奶粉 🍼"}`);
  await captured(outbox, texts);
  const { pushes, damaged } = await exported(outbox);
  assert.deepEqual(damaged, []);
  assert.deepEqual(
    pushes.map((push) => push.events.length),
    [500, 500, 201],
  );
  assert.deepEqual(
    pushes.flatMap((push) => push.events),
    texts,
  );
  for (const push of pushes) assert.ok(readPush(JSON.stringify(push)).ok);
  const [first, second] = pushes;
  const head = (await wire.pushClaims(first, "i")).head;
  assert.equal(second.prev_hash, head, "they chain");
  const large = await newOutbox();
  await captured(large, Array(5).fill("奶".repeat(120_000)));
  assert.deepEqual(
    (await exported(large)).pushes.map((push) => push.events.length),
    [2, 2, 1],
    "by bytes, not by characters",
  );
});

test("I30: whichever part of a row a bit turns in, it is found, told and in no push; what follows a turned head says so", async () => {
  const turns = [
    (row) => ({ ...row, text: row.text.replace("2", "3") }),
    (row) => ({ ...row, text: `${row.text}\ud83c` }),
    (row) => ({ ...row, hash: row.hash.replace(/^./, (c) => (c === "0" ? "1" : "0")) }),
    (row) => ({ ...row, prev_hash: row.prev_hash.replace(/.$/, (c) => (c === "0" ? "1" : "0")) }),
  ];
  for (const turn of turns) {
    const first = await newOutbox();
    await captured(first, ['{"n":1}', '{"n":2}', '{"n":3}']);
    const disk = first.disk;
    disk.put(turn(disk.row([1, 2])));
    const outbox = new Outbox(disk);
    outbox.take({ now: 0, jitter: 0, command: { do: "wake" } });
    const { push, damaged } = await outbox.push(1, 1, 3);
    assert.deepEqual([push, damaged], [null, [[1, 2]]]);
    const carried = await exported(outbox);
    assert.deepEqual(carried.damaged, [[1, 2]]);
    assert.deepEqual(carried.pushes.map(({ events }) => events), [['{"n":1}'], ['{"n":3}']]);
    const actions = outbox.take({ now: 0, jitter: 0, command: { do: "damaged", keys: damaged } });
    assert.deepEqual(actions[0], { do: "show", notice: { say: "damaged", of: [1, 2] } });
    assert.deepEqual([outbox.flight.first, outbox.flight.last], [1, 1]);
    assert.deepEqual((await outbox.push(1, 1, 1)).push.events, ['{"n":1}']);
    assert.equal(outbox.unsent, 2);
    assert.deepEqual(picture(outbox).states.damaged, [[1, 2, 2]]);
    await captured(outbox, ['{"n":4}']);
    assert.equal(outbox.unsent, 3, "scanning goes on");
  }
  // The head: what follows goes by itself and says what it follows, so that the server finds the break.
  const first = await newOutbox();
  await captured(first, ["a", "b"]);
  const disk = first.disk;
  disk.head = disk.head.replace(/^./, (c) => (c === "0" ? "1" : "0"));
  const { head } = disk;
  const outbox = new Outbox(disk);
  await captured(outbox, ["c", "d"]);
  const { pushes } = await exported(outbox);
  assert.deepEqual(pushes.map(({ events }) => events), [["a", "b"], ["c", "d"]]);
  assert.equal(pushes[1].prev_hash, head);
});

/** A receipt of a life. */
const receiptOf = (last, stamp, outbox, epoch = 1) => ({
  ...{ device: DEVICE, epoch, contiguous_seq: last, held_ranges: [[1, last]], missing_ranges: [] },
  ...{ head_hash: outbox.view.row([epoch, last]).hash, stamp, key: 1, sig: "" },
});

/** The answer to the push under way: its events are settled, as far as the receipt covers them. */
function answered(outbox, receipt) {
  const { id, first, last } = outbox.flight;
  const fates = Array(last - first + 1).fill("settled");
  const more = { receipt, anchor: String(receipt.stamp), wall: 0, credit: 100, retry_after: null };
  return outbox.take({ now: 0, jitter: 0, command: { do: "answer", flight: id, first, fates, ...more } });
}

const shown = (actions) => actions.filter((action) => action.do === "show").map(({ notice }) => notice);
const sent = (actions) => actions.filter((action) => action.do === "send").map(({ first, last }) => [first, last]);
const woken = (outbox) => outbox.take({ now: 0, jitter: 0, command: { do: "wake" } });

test("I30: a kept receipt that nobody signed, or of another device, lets nothing go until there is another", async () => {
  const settled = async () => {
    const outbox = await newOutbox();
    await captured(outbox, ["a", "b", "c"]);
    answered(outbox, receiptOf(3, 5, outbox));
    return crashed(outbox, 9);
  };
  const turns = [
    [(receipt) => receipt, () => false],
    [(receipt) => ({ ...receipt, epoch: 2 }), () => true],
    [(receipt) => ({ ...receipt, device: DEVICE.replace("d1", "d3") }), () => true],
  ];
  for (const [turn, believes] of turns) {
    const disk = await settled();
    disk.receipts = { 1: turn(disk.receipts[1]) };
    const outbox = Outbox.begin(disk, believes);
    const actions = woken(outbox);
    assert.deepEqual(shown(actions), [{ say: "doubted", of: 1 }]);
    assert.deepEqual(sent(actions), [[1, 1]], "one event brings another receipt");
    assert.deepEqual([picture(outbox).states.doubted, picture(outbox).states.settled], [[[1, 1, 3]], []]);
    assert.equal((await outbox.push(1, 1, 1)).push.last_receipt, undefined);
    assert.deepEqual((await exported(outbox)).pushes.map(({ events }) => events), [["a", "b", "c"]]);
    const week = 8 * 86_400_000_000;
    assert.deepEqual(sent(answered(outbox, receiptOf(2, week, outbox))), [[3, 3]], "what it does not cover is sent");
    assert.deepEqual(picture(outbox).states.settled, [[1, 1, 2]]);
    answered(outbox, receiptOf(3, 2 * week, outbox));
    assert.deepEqual(crashed(outbox, 9).inOrder().map(({ key }) => key[1]), [3], "and only now they go");
  }
});

test("I30: a state that no signed receipt covers lets nothing go, whatever it says", async () => {
  for (const state of [{ is: "settled", stamp: 5 }, { is: "settlee", stamp: 5 }, { is: "needs_attention", stamp: 2 ** 40 }, {}]) {
    const first = await newOutbox();
    await captured(first, ["a", "b"]);
    answered(first, receiptOf(1, 5, first));
    const disk = crashed(first, 9);
    disk.put({ ...disk.row([1, 2]), state });
    const outbox = Outbox.begin(disk, () => true);
    const actions = woken(outbox);
    assert.deepEqual([shown(actions), sent(actions)], [[{ say: "doubted", of: 1 }], [[2, 2]]]);
    answered(outbox, receiptOf(2, 6, outbox));
    assert.deepEqual([picture(outbox).states.settled, outbox.unsent], [[[1, 1, 2]], 0]);
  }
});

test("I30: the receipt of a second copy, or what it holds beyond its head, lets nothing go that is in doubt", async () => {
  const first = await newOutbox();
  await captured(first, ["a", "b", "c"]);
  const disk = crashed(first, 9);
  disk.put({ ...disk.row([1, 1]), state: { is: "settled", stamp: 0 } });
  const outbox = Outbox.begin(disk, () => true);
  assert.deepEqual(sent(woken(outbox)), [[2, 3]]);
  const others = { ...receiptOf(3, 5, outbox), head_hash: "0".repeat(64) };
  assert.deepEqual(sent(answered(outbox, others)), [[1, 1]], "it is sent, and so kept as a fork");
  const again = Outbox.begin(crashed(outbox, 9), () => true);
  assert.deepEqual([again.disk.row([1, 1]).state, sent(woken(again))], [{ is: "durable" }, [[1, 1]]]);
  // A gap: what is held behind it is not what the hash of the head is of.
  const made = await newOutbox();
  await captured(made, ["a", "b", "c"]);
  answered(made, receiptOf(3, 5, made));
  const gap = Outbox.begin(crashed(made, 9), () => false);
  woken(gap);
  const held = { ...receiptOf(1, 6, gap), held_ranges: [[1, 1], [3, 3]] };
  assert.deepEqual(sent(answered(gap, held)), [[2, 3]]);
});

test("I30: no receipt and no state whose very shape turned keeps a session from beginning", async () => {
  const made = await newOutbox();
  await captured(made, ["a", "b"]);
  answered(made, receiptOf(2, 5, made));
  const [good, rows] = [crashed(made, 9).receipts[1], made.disk.inOrder()];
  const { held_ranges: _, ...rangeless } = good;
  const places = rows.map(({ key }) => key);
  for (const receipt of [null, 7, "", [], {}, rangeless, { ...good, head_hash: 3 }]) {
    const { state: _, ...row } = rows[0];
    const disk = diskOf(DEVICE, 1, "", { ...made.disk, receipts: { 1: receipt } }, placed([row, rows[1]], places));
    const outbox = await outboxOf(disk, [{ n: 1, key: null }]);
    const actions = woken(outbox);
    assert.deepEqual(shown(actions), Array(2).fill({ say: "doubted", of: 1 }));
    answered(outbox, receiptOf(1, 6, outbox));
    answered(outbox, receiptOf(2, 7, outbox));
    assert.deepEqual([picture(outbox).states.settled, outbox.unreceipted], [[[1, 1, 2]], 0]);
  }
});

test("I30: an anchor or a position of which a bit turned is told, and had again with the next answer", async () => {
  const page = (cursor, anchor) => ({ now: 0, jitter: 0, command: { do: "checkpoint", cursor, anchor, wall: 7, fates: [] } });
  const good = async () => {
    const outbox = await newOutbox();
    outbox.take(page(9, "bb"));
    return crashed(outbox, 1);
  };
  const whole = Outbox.begin(await good(), () => true);
  assert.deepEqual([shown(woken(whole)), whole.slot(0).anchor, whole.slot(0).cursor], [[], "bb", 9]);
  const turns = [
    (disk) => (disk.anchor = { ...disk.anchor, text: "zb" }),
    (disk) => (disk.anchor = { ...disk.anchor, wall: 7 + 2 ** 40 }),
    (disk) => (disk.anchor = { ...disk.anchor, check: disk.anchor.check ^ 1 }),
    (disk) => (disk.cursor += 2 ** 40),
    (disk) => (disk.cursorCheck ^= 4),
  ];
  for (const [at, turn] of turns.entries()) {
    const disk = await good();
    turn(disk);
    const outbox = Outbox.begin(disk, () => true);
    assert.deepEqual(shown(woken(outbox)), [{ say: "strayed" }]);
    assert.deepEqual([outbox.slot(0).anchor, outbox.slot(0).cursor], at < 3 ? [null, 9] : ["bb", 0]);
    const [{ write }] = outbox.take(page(10, "bc"));
    outbox.take({ now: 0, jitter: 0, command: { do: "committed", write: write.id } });
    assert.deepEqual([outbox.slot(0).anchor, outbox.slot(0).cursor], ["bc", 10]);
    assert.deepEqual(shown(woken(Outbox.begin(outbox.disk, () => true))), []);
  }
  // The next number: no event is written in the place of another.
  const made = await newOutbox();
  await captured(made, ["a", "b", "c"]);
  made.disk.next = 2;
  assert.equal(Outbox.begin(made.disk, () => true).slot(0).seq, 4);
});

/** A device in its second life, of whose first two events are settled, and one of two of the second. */
async function inItsSecondLife() {
  const outbox = await newOutbox();
  await captured(outbox, ["a", "b"]);
  answered(outbox, receiptOf(2, 5, outbox));
  const life = await prepare(outbox, { do: "new_epoch", epoch: 2, anchor: "6", wall: 1 });
  outbox.take({ now: 0, jitter: 0, command: life });
  await captured(outbox, ["c"]);
  answered(outbox, receiptOf(1, 7, outbox, 2));
  await captured(outbox, ["d"]);
  outbox.take({ now: 0, jitter: 0, command: { do: "checkpoint", cursor: 9, anchor: "8", wall: 2, fates: [] } });
  return crashed(outbox, 99);
}

/** The record of the version before: one receipt, that of this life, and no check values. */
const recordBefore = ({ epoch, next, head, anchor: { text, wall }, receipt, cursor, enrolAgain }) =>
  ({ epoch, next, head, anchor: { text, wall }, receipt, cursor, enrolAgain });

test("I30: a storage of the version before opens with nothing lost and no alarm, and is kept as this one keeps it", async () => {
  const disk = await inItsSecondLife();
  const before = recordBefore(disk);
  const opened = diskOf(DEVICE, 1, "", before, disk.inOrder());
  const outbox = Outbox.begin(opened, () => true);
  const { anchor, cursor, seq, prev_hash: head } = outbox.slot(0);
  assert.deepEqual([anchor, cursor, seq, head], ["8", 9, 3, disk.head]);
  const actions = woken(outbox);
  assert.deepEqual([shown(actions), sent(actions)], [[], [[2, 2]]]);
  const { states } = picture(outbox);
  assert.deepEqual([states.settled, states.doubted], [[[2, 1, 1]], [[1, 1, 2]]], "no receipt of an earlier life was kept");
  assert.deepEqual(sent(answered(outbox, receiptOf(2, 10, outbox, 2))), [[1, 1]], "so one of its events brings another");
  assert.deepEqual(shown(answered(outbox, receiptOf(2, 11, outbox))), []);
  assert.deepEqual([picture(outbox).states.settled, outbox.unreceipted], [[[1, 1, 2], [2, 1, 2]], 0]);
  // Whatever is written first, the receipt is not lost by it, and stands where the others do.
  for (const write of [{ id: 1 }, { id: 1, epoch: 3, genesis: head, anchor: { text: "9", wall: 3 }, cursor: 0 }]) {
    const { receipt, receipts } = headAfter(before, write);
    assert.deepEqual([receipt, receipts], [undefined, { 2: before.receipt }]);
  }
  // A program of before that wrote in between kept a newer one.
  const newer = { ...before.receipt, stamp: 12 };
  assert.deepEqual(diskOf(DEVICE, 1, "", { ...before, receipts: disk.receipts, receipt: newer }, []).receipts, { 1: disk.receipts[1], 2: newer });
});

test("receipts of lives of which nothing is left go, on the storage too", async () => {
  const outbox = await newOutbox();
  let record = {};
  const week = 8 * 86_400_000_000;
  for (let life = 1; life <= 30; life += 1) {
    if (life > 1) outbox.take({ now: 0, jitter: 0, command: await prepare(outbox, { do: "new_epoch", epoch: life, anchor: "", wall: 0 }) });
    await captured(outbox, ["a"]);
    answered(outbox, receiptOf(1, life * week, outbox, life));
    for (const { write } of outbox.pending) record = headAfter(record, write);
    for (const { write } of [...outbox.pending]) outbox.take({ now: 0, jitter: 0, command: { do: "committed", write: write.id } });
    assert.deepEqual(record.receipts, outbox.disk.receipts);
    assert.deepEqual(outbox.disk.inOrder().filter(({ key: [of] }) => !outbox.disk.receipts[of]), []);
    assert.ok(Object.keys(record.receipts).length <= 3, Object.keys(record.receipts).join());
  }
});

test("a late answer of a life of which nothing is left leaves no receipt behind, on the storage neither", async () => {
  const outbox = await newOutbox();
  await captured(outbox, ["a"]);
  const late = receiptOf(1, 5, outbox);
  answered(outbox, late);
  outbox.take({ now: 0, jitter: 0, command: await prepare(outbox, { do: "new_epoch", epoch: 2, anchor: "", wall: 0 }) });
  await captured(outbox, ["b"]);
  const week = 8 * 86_400_000_000;
  answered(outbox, receiptOf(1, week, outbox, 2));
  assert.deepEqual([outbox.view.row([1, 1]), Object.keys(outbox.view.receipts)], [undefined, ["1", "2"]]);
  let record = { receipts: outbox.view.receipts };
  for (const stamp of [week + 1, week + 2]) {
    const more = { receipt: { ...late, stamp }, anchor: "", wall: 0, credit: 100, retry_after: null };
    const actions = outbox.take({ now: 0, jitter: 0, command: { do: "answer", flight: 0, first: 1, fates: ["settled"], ...more } });
    for (const { write } of actions.filter((action) => action.do === "persist")) record = headAfter(record, write);
    assert.deepEqual([outbox.view.receipts, record.receipts].map(Object.keys), [["2"], ["2"]]);
  }
});

test("I30: a push that was not made is not waited for though a late answer settles what is damaged", async () => {
  const outbox = await newOutbox();
  await captured(outbox, ["a", "b", "c"]);
  outbox.take({ now: 10, jitter: 0, command: { do: "lost", flight: 1 } });
  assert.deepEqual(sent(outbox.take({ now: 600, jitter: 0, command: { do: "due" } })), [[1, 3]]);
  // While its texts are hashed, the answer to the first push comes.
  const { hash } = outbox.view.row([1, 2]);
  const receipt = { ...receiptOf(2, 5, outbox), contiguous_seq: 0, held_ranges: [[2, 2]], missing_ranges: [[1, 1]], head_hash: hash };
  const more = { receipt, anchor: "5", wall: 0, credit: 100, retry_after: null };
  outbox.take({ now: 601, jitter: 0, command: { do: "answer", flight: 1, first: 1, fates: Array(3).fill("settled"), ...more } });
  assert.deepEqual(picture(outbox).states.settled, [[1, 2, 2]]);
  const actions = outbox.take({ now: 602, jitter: 0, command: { do: "damaged", keys: [[1, 2]] } });
  assert.deepEqual([shown(actions), sent(actions)], [[], [[1, 1]]]);
});

test("I26: what is refused keeps nothing else waiting, however often the device wakes, and has its turn", async () => {
  const [MINUTE, SOON] = [60_000, 5_200];
  const is401 = (epoch) => (epoch === 1 ? 401 : null);
  const is400 = (epoch, first, last) => (epoch === 2 && first <= 3 && last >= 3 ? 400 : null);
  const outbox = await newOutbox();
  const held = new Map();
  const tries = { life: 0, event: 0 };
  let [now, due, refuses] = [0, Infinity, (...push) => is401(...push) ?? is400(...push)];
  const act = (...todo) => {
    for (const command of todo) {
      for (const action of outbox.take({ now, jitter: 0, command })) {
        if (action.do === "persist") todo.push({ do: "committed", write: action.write.id });
        if (action.do === "wait_until") due = action.at;
        if (action.do !== "send") continue;
        const { flight, epoch, first, last } = action;
        if (epoch === 1) tries.life += 1;
        if (is400(epoch, first, last)) tries.event += 1;
        now += 50;
        const status = refuses(epoch, first, last);
        if (status !== null) {
          todo.push({ do: "refused", flight, status, retry_after: null });
          continue;
        }
        const home = new Set([...(held.get(epoch) ?? []), ...Array.from({ length: last - first + 1 }, (_, at) => first + at)]);
        held.set(epoch, home);
        const ranges = spans([...home].sort((a, b) => a - b).map((seq) => [epoch, seq])).map(([, from, to]) => [from, to]);
        const contiguous = ranges[0][0] === 1 ? ranges[0][1] : 0;
        const head = outbox.view.row([epoch, contiguous])?.hash ?? "";
        const receipt = { device: DEVICE, epoch, contiguous_seq: contiguous, held_ranges: ranges, missing_ranges: [], head_hash: head, stamp: now, key: 1, sig: "" };
        const more = { receipt, anchor: "", wall: 0, credit: 500, retry_after: null };
        todo.push({ do: "answer", flight, first, fates: Array(last - first + 1).fill("settled"), ...more });
      }
    }
  };
  const pass = (ms) => {
    const until = now + ms;
    while (due < until) {
      now = Math.max(now, due);
      due = Infinity;
      act({ do: "due" });
    }
    now = Math.max(now, until);
  };
  const sale = async () => {
    const { epoch, seq } = outbox.slot(now);
    act(await prepare(outbox, { do: "capture", texts: ["a"] }));
    return () => held.get(epoch)?.has(seq) ?? false;
  };
  await sale();
  act(await prepare(outbox, { do: "new_epoch", epoch: 2, anchor: "1", wall: 0 }));
  act(await prepare(outbox, { do: "capture", texts: Array(100).fill("a") }));
  pass(3 * MINUTE);
  assert.deepEqual([held.get(2).size, outbox.unsent], [99, 2]);
  for (let n = 0; n < 240; n += 1) {
    act({ do: "wake" });
    const isHome = await sale();
    pass(SOON);
    assert.ok(isHome(), `${n}`);
    pass(2 * MINUTE - SOON);
  }
  for (const [what, count] of Object.entries(tries)) assert.ok(count > 220 && count < 600, `${what}: ${count}`);
  // Somebody signs in: the event that is refused still is not in the way of the life that no longer is.
  pass(60 * MINUTE);
  refuses = is400;
  act({ do: "wake" });
  pass(2 * SOON);
  assert.ok(held.get(1)?.has(1));
  refuses = () => null;
  pass(6 * MINUTE);
  assert.equal(outbox.unsent, 0);
});

test("what is settled is kept seven days by the server's clock, to the microsecond", async () => {
  const outbox = await newOutbox();
  await captured(outbox, ["a"]);
  const answer = async (stamp, first) => {
    const last = outbox.view.next - 1;
    const held = { contiguous_seq: last, held_ranges: [[1, last]], missing_ranges: [], head_hash: outbox.view.head };
    const receipt = { device: DEVICE, epoch: 1, ...held, stamp, key: 1, sig: "" };
    const more = { receipt, anchor: String(stamp), wall: 0, credit: 100, retry_after: null };
    outbox.take({ now: 0, jitter: 0, command: { do: "answer", flight: outbox.flight.id, first, fates: ["settled"], ...more } });
    outbox.take({ now: 0, jitter: 0, command: { do: "committed", write: outbox.nextWrite } });
  };
  const week = 7 * 86_400_000_000;
  await answer(1000, 1);
  await captured(outbox, ["b"]);
  await answer(1000 + week - 1, 2);
  assert.equal(outbox.disk.rows.size, 2);
  await captured(outbox, ["c"]);
  await answer(1000 + week, 3);
  assert.deepEqual(outbox.disk.inOrder().map(({ key }) => key[1]), [2, 3]);
});

test("fates are those of the answers", () => {
  const note = (severity, closed) => ({ code: "X", severity, subject: {}, closed });
  const result = (status, more = {}) => fateOfResult({ seq: 1, status, findings: [], ...more });
  assert.equal(result("stored"), "settled");
  assert.equal(result("parked"), "waiting");
  assert.equal(result("parked", { code: "GROUP_INCOMPLETE", findings: [note("critical", false)] }), "attention");
  assert.equal(result("quarantined"), "attention");
  assert.equal(result("duplicate"), "settled");
  assert.equal(result("duplicate", { code: "GROUP_INCOMPLETE" }), "waiting");
  assert.equal(result("duplicate", { code: "GROUP_INCOMPLETE", findings: [note("critical", false)] }), "attention");
  assert.equal(result("duplicate", { code: "ID_REUSE", findings: [note("critical", false)] }), "attention");
  assert.equal(result("duplicate", { code: "X", findings: [note("warning", false)] }), "attention");
  assert.equal(result("stored_flagged", { code: "LATE", findings: [note("information", false)] }), "settled");
  assert.equal(fateOfFindings([note("critical", true), note("information", false)]), "settled");
  assert.equal(fateOfFindings([note("critical", false)]), "attention");
});

test("waiting doubles up to five minutes, and jitter is given", () => {
  assert.deepEqual([wait(1, 0), wait(1, 1000), wait(4, 0), wait(4, 500)], [500, 1000, 4000, 6000]);
  assert.deepEqual([wait(4_000_000, 1000), wait(3, 65535)], [300_000, 4000]);
});

test("20 000 unsent events warn once, lose nothing and do not make the next scan slow", async () => {
  const outbox = await newOutbox();
  outbox.pace.notBefore = Infinity;
  const warnings = [];
  for (let n = 0; n < 41; n += 1) {
    const actions = await captured(outbox, Array.from({ length: 500 }, (_, at) => `{"n":${n * 500 + at}}`));
    warnings.push(...actions.filter((action) => action.notice?.say === "many_unsent"));
  }
  assert.deepEqual(warnings, [{ do: "show", notice: { say: "many_unsent", of: UNSENT_WARNING } }]);
  assert.equal(outbox.unsent, 20_500);
  const scans = async () => {
    for (let n = 0; n < 20; n += 1) await captured(outbox, [`{"last":${n}}`]);
  };
  const each = (await cpuMs(scans)) / 20;
  assert.ok(each < 10, `${each.toFixed(2)} ms a scan`);
});

test("whatever commands come, what was said to be saved stays until a receipt covers it", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const throws = dice(seed);
    let outbox = await newOutbox();
    let now = 0;
    let stamp = 1_000;
    const promised = new Map();
    const covered = new Set();
    const head = (at) => outbox.view.row([1, at])?.hash ?? outbox.view.head;
    const act = (command) => {
      for (const action of outbox.take({ now, jitter: throws(1001), command })) {
        if (action.do !== "show" || action.notice.say !== "saved") continue;
        for (const key of action.notice.of) promised.set(key[1], outbox.disk.row(key).text);
      }
    };
    for (let step = 0; step < 120; step += 1) {
      now += throws(20_000);
      const { flight } = outbox;
      const pending = outbox.pending[throws(outbox.pending.length || 1)]?.write.id ?? 0;
      switch (throws(9)) {
        case 0:
        case 1:
          act(await prepare(outbox, { do: "capture", texts: [`{"step":${step}}`, `{"again":${step}}`] }));
          break;
        case 2:
        case 3:
          act({ do: "committed", write: pending });
          break;
        case 4:
          if (throws(3) === 0) act({ do: "not_written", write: pending });
          break;
        case 5:
          if (flight) act({ do: "refused", flight: flight.id, status: [400, 401, 413, 429, 500][throws(5)], retry_after: null });
          break;
        case 6:
          if (flight) {
            const last = Math.min(flight.last, flight.first + throws(40));
            for (let seq = flight.first; seq <= last; seq += 1) covered.add(seq);
            // Receipts never go back (I5).
            const held = spans([...covered].sort((a, b) => a - b).map((seq) => [1, seq])).map(([, from, to]) => [from, to]);
            const contiguous = held[0][0] === 1 ? held[0][1] : 0;
            const receipt = {
              ...{ device: DEVICE, epoch: 1, contiguous_seq: contiguous, held_ranges: held, missing_ranges: [] },
              ...{ head_hash: head(contiguous), stamp: (stamp += 1_000_000), key: 1, sig: "" },
            };
            const fates = Array(flight.last - flight.first + 1).fill(["settled", "waiting", "attention"][throws(3)]);
            const more = { receipt, anchor: String(stamp), wall: 0, credit: throws(3) ? 100 : 0, retry_after: null };
            act({ do: "answer", flight: flight.id, first: flight.first, fates, ...more });
          }
          break;
        case 7:
          act({ do: throws(2) ? "due" : "wake" });
          break;
        default:
          if (throws(10) > 0) break;
          outbox = new Outbox(crashed(outbox, throws(outbox.pending.length + 1)));
          act({ do: "wake" });
      }
      for (const [seq, text] of promised) {
        const row = outbox.disk.row([1, seq]);
        assert.equal(row?.text, text, `seed ${seed} step ${step}: ${seq}`);
        if (row.state.is === "durable") continue;
        assert.ok(covered.has(seq), `seed ${seed} step ${step}: ${seq} without receipt`);
      }
      const open = new Set([...outbox.open].map(([, seq]) => seq));
      for (const row of outbox.view.inOrder()) {
        const isOpen = row.state.is === "durable" && outbox.disk.row(row.key) !== undefined;
        assert.equal(open.has(row.key[1]), isOpen, `seed ${seed} step ${step}`);
      }
      assert.ok(outbox.unsent === 0 || outbox.flight || outbox.timer !== null, "a time to come back is asked for");
    }
  }
});
