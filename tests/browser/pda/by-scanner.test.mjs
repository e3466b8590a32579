// Every task worked by the scanner alone: key events of a wedge, from the sheet's bar codes and goods,
// and nothing else: no finger, no field in focus. What is stated is what the real program says it holds.

import "./shared.mjs";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../shift/office.mjs";
import { cannot } from "./chromium.mjs";
import { PULL, shop } from "./shop.mjs";
import { BOTTLE, TIN, code, expired, onPostgres, pallet, serial, undated } from "./site.mjs";

const when = { skip: cannot, timeout: 120_000 };
let it;
/** Another shop of the same maker, and who sells there. */
let other;

onPostgres();

/** Whatever is not a key of the scanner, counted in the page. */
const hands = () => {
  window.hands = 0;
  for (const type of ["pointerdown", "mousedown", "touchstart", "click", "input"]) document.addEventListener(type, () => (window.hands += 1), { capture: true });
};

before(async () => {
  if (cannot) return;
  other = await shop();
  it = await shop(hands);
  await it.employ({ W17: "worker", S1: "supervisor" });
  await it.open();
  await it.enrol();
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
});
after(async () => {
  await it?.close();
  await other?.close();
});

/** Scans goods, and sees each counted. */
async function goods(texts, from = 0) {
  for (const [at, text] of texts.entries()) {
    await it.scan(text);
    await it.count(from + at + 1);
  }
}

/** Says a command and waits for what is told. */
async function say(command, words) {
  await it.scan(`SUYUAN-${command}`);
  await it.told(words);
}

/** The task is stated; its events, as the program holds them; nobody touched anything. */
async function stated(last = "CONFIRM") {
  const before = it.events().length;
  await it.scan(`SUYUAN-${last}`);
  await it.told("已保存在本机");
  await it.unsent(0);
  assert.equal(await it.page.evaluate(() => window.hands), 0, "by the scanner alone");
  assert.deepEqual(it.errors, []);
  const { parked, quarantined, contiguous_seq: held } = await it.status();
  assert.deepEqual([parked, quarantined, held], [[], [], it.events().length]);
  return it.events().slice(before);
}
const asked = (words) => it.page.waitForFunction((words) => document.querySelector('label[for="answer"]')?.textContent.includes(words), words);

test("inbound: who sent it, by which paper, and the goods", when, async () => {
  await it.task("inbound");
  await goods([code("A1"), code("A2")]);
  await say(`TO-${other.place.toUpperCase()}`, other.name);
  await it.scan("SUYUAN-DOCUMENT");
  await asked("单据号");
  // The paper's own bar code, with the mark of its symbology.
  await it.scan("]C0DN-2026-7");
  await it.told("DN-2026-7");
  await it.page.waitForFunction(() => document.getElementById("answer")?.value === "DN-2026-7");
  await say("CONFIRM", "已记下");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.location, event.units.length], ["inbound", it.place, 2]);
  assert.deepEqual([event.counterpart, event.doc], [{ type: "location", id: other.place }, { no: "DN-2026-7" }]);
});

test("outbound of formula: what is asked is answered by codes, or left open by one", when, async () => {
  await it.task("outbound");
  await goods([code("A1")]);
  await it.scan("SUYUAN-CONFIRM");
  await it.page.waitForSelector("[data-partner]");
  // Goods that somebody scans meanwhile are counted, and the question stands.
  await goods([code("A2")], 1);
  await it.told("提问还没有回答");
  assert.ok((await it.page.locator("[data-partner]").count()) > 0);
  await it.scan(`SUYUAN-TO-${it.at.enterprise.toUpperCase()}`);
  await it.told("本机没有这个单位");
  await it.scan(`SUYUAN-TO-${other.place.toUpperCase()}`);
  await asked("物流企业");
  await it.scan("SUYUAN-SAY-SF-EXPRESS");
  await it.told("SF-EXPRESS");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.units.length], ["outbound", 2]);
  assert.deepEqual([event.counterpart, event.body], [{ type: "location", id: other.place }, { "logistics.logistics_company": "SF-EXPRESS" }]);
  // And once more with nothing known: each is asked once.
  await it.task("outbound");
  await goods([code("A3")]);
  await it.scan("SUYUAN-CONFIRM");
  await it.page.waitForSelector("[data-partner]");
  await it.scan("SUYUAN-SKIP");
  await asked("物流企业");
  await it.scan("SUYUAN-CONFIRM");
  await asked("到达地点");
  const [open] = await stated("SKIP");
  assert.deepEqual([open.kind, open.counterpart, open.body], ["outbound", undefined, undefined]);
});

test("a paper that nobody has gets the device's own number, and a scanned one takes its place", when, async () => {
  const number = async (serial, paper) => {
    await it.task("outbound");
    await goods([`(01)${BOTTLE}(21)${serial}`]);
    await it.scan(`SUYUAN-TO-${other.place.toUpperCase()}`);
    await it.scan("SUYUAN-CONFIRM");
    await asked("单据号");
    const next = it.events().length + 1;
    const own = await it.page.evaluate(() => document.getElementById("answer")?.value);
    if (paper) await it.scan(paper);
    const [event] = await stated();
    return { own, next, event };
  };
  const first = await number("D1");
  assert.match(first.own, /^ST-\d+-[0-9A-F]{8}-\d+$/);
  assert.ok(first.own.endsWith(`-${first.next}`), "the number of the event that says it");
  assert.deepEqual([first.event.seq, first.event.doc], [first.next, { no: first.own }]);
  const second = await number("D2", "DN-2026-8");
  assert.deepEqual(second.event.doc, { no: "DN-2026-8" });
  const third = await number("D3");
  assert.notEqual(third.event.doc.no, first.event.doc.no);
});

test("sale: looked at twice, taken, undone, overruled by a supervisor with a reason from the sheet", when, async () => {
  await it.task("sale");
  await it.scan(undated("A4"));
  await it.page.waitForSelector(".stop.ask");
  await it.scan("SUYUAN-CONFIRM");
  await it.count(1);
  await it.scan(expired("OLD"));
  await it.page.waitForSelector(".stop:not(.ask)");
  await it.scan("SUYUAN-ACKNOWLEDGE");
  await it.page.waitForSelector(".stop", { state: "detached" });
  await it.scan(expired("OLD2"));
  await it.page.waitForSelector("#reason");
  await it.scan("SUYUAN-SAY-LABORATORY-SAMPLE");
  await it.page.waitForFunction(() => document.getElementById("reason")?.value === "LABORATORY-SAMPLE");
  await it.scan("SUYUAN-WHO-S1");
  await it.count(2);
  await it.scan("SUYUAN-DOCUMENT");
  await asked("单据号");
  await it.scan("SUYUAN-SAY-S-1");
  await it.told("S-1");
  await say("CONFIRM", "已记下");
  const events = await stated();
  assert.deepEqual(events.map(({ kind, doc, group }) => [kind, doc.no, group.of]), [["sale", "S-1", 2], ["sale", "S-1", 2]]);
  assert.deepEqual(events[1].override, { code: "expired", reason: "LABORATORY-SAMPLE", supervisor: "S1" });
});

test("return: with the number of the consumer's receipt", when, async () => {
  await it.task("return");
  await goods([code("A4")]);
  await it.scan("SUYUAN-SLIP");
  await asked("购物小票号");
  await it.scan("S-2");
  await it.told("S-2");
  await say("CONFIRM", "已记下");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.units.length, event.body], ["return", 1, { receipt: "S-2" }]);
});

test("inspect: each of the three dispositions", when, async () => {
  for (const [disposition, words] of [["sellable", "可销售"], ["hold", "暂扣"], ["destroy", "销毁"]]) {
    await it.task("inspect");
    await it.scan(code(`I-${disposition}`));
    await it.told("请补充");
    await it.scan(`SUYUAN-BECOMES-${disposition.toUpperCase()}`);
    await it.page.waitForFunction((words) => document.querySelector(".noted")?.textContent.includes(words), words);
    await goods([code(`I-${disposition}`)]);
    const [event] = await stated();
    assert.deepEqual([event.kind, event.disposition, event.units.length], ["inspect", disposition, 1]);
  }
});

test("pack: the container, its contents, and how many there should be", when, async () => {
  await it.task("pack");
  await it.scan(pallet("CASE"));
  await it.told("容器");
  await goods([code("A1"), code("A2")]);
  await it.scan("SUYUAN-DECLARED");
  await asked("应装数量");
  await say("QTY-6", "已记下");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.parent.code, event.children.length, event.declared], ["pack", pallet("CASE"), 2, 6]);
});

test("unpack: all of a container", when, async () => {
  await it.task("unpack");
  await it.scan(pallet("CASE"));
  await it.told("容器");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.parent.code, event.children], ["unpack", pallet("CASE"), undefined]);
});

test("count: saw all, the climate, and a difference that a supervisor accepts", when, async () => {
  await it.task("count");
  await goods([code("A1")]);
  await it.scan(`(01)${BOTTLE}(10)L7`);
  await it.count(2);
  await say("QTY-12", "已加入");
  await it.count(13);
  await say("COMPLETE", "没扫到的算缺少");
  await it.scan("SUYUAN-ACCEPT");
  await it.page.waitForFunction(() => document.querySelector(".question")?.textContent.includes("主管扫描工牌"));
  await say("WHO-W17", "差异没有确认");
  await say("WHO-NOBODY", "不在本店名单中");
  await say("WHO-S1", "已记下");
  assert.match(await it.page.locator('[data-chip="who"]').textContent(), /W17/, "who works goes on working");
  await it.scan("SUYUAN-CONFIRM");
  await asked("温度");
  await it.scan("SUYUAN-SAY--18.5");
  await it.told("-18.5");
  await it.scan("SUYUAN-CONFIRM");
  await asked("湿度");
  const [event] = await stated("QTY-40");
  assert.deepEqual([event.kind, event.units.length, event.lots], ["count", 1, [{ gtin: BOTTLE, lot: "L7", qty: 12 }]]);
  assert.deepEqual(event.body, { accepted: true, counted_by: "W17", scope: { complete: true } });
  assert.deepEqual([event.actor, event.env], [{ id: "S1", proof: "badge", supervisor: true }, { temperature: -18.5, humidity: 40 }]);
});

test("collect and destroy: the goods, and done", when, async () => {
  for (const task of ["collect", "destroy"]) {
    await it.task(task);
    await goods([code("D1"), code("D2")]);
    await it.scan("SUYUAN-UNDO");
    await it.count(1);
    const [event] = await stated();
    assert.deepEqual([event.kind, event.units], [task, [{ code: code("D1"), input: "wedge" }]]);
  }
});

test("retract: a scan of the goods finds the record, and it is struck", when, async () => {
  const target = it.events().at(-1).event_id;
  await it.task("retract");
  await it.scan(code("D1"));
  await it.page.waitForFunction(() => !document.querySelector("main").textContent.includes("请扫描要撤销记录中的商品"));
  const [event] = await stated();
  assert.deepEqual([event.kind, event.target], ["retract", target]);
});

test("look-up: this device answers at once, and the server when it is there; which of them, and as of when", when, async () => {
  const looked = (from, asked) => it.page.waitForSelector(`[data-from="${from}"][data-asked="${asked}"]`);
  const answered = (words) => it.page.waitForFunction((words) => document.querySelector('[data-from="server"]')?.textContent.includes(words), words);
  const text = () => it.page.locator("main").textContent();
  // Sold at the other shop, and recalled since; this device is not told before it asks.
  await other.open();
  await other.enrol();
  await other.act("sale", ["L1"]);
  await other.unsent(0);
  const codes = [];
  let gate = Promise.resolve();
  let card;
  let anchor;
  const whole = (answer) => {
    card ??= answer.cards[0];
    anchor = answer.anchor;
    return answer;
  };
  let alter = whole;
  it.line.misbehave = async (call) => {
    if (call.url.pathname === PULL) return null;
    if (call.url.pathname !== "/v1/sync/lookups") return undefined;
    codes.push(...JSON.parse(call.body).codes);
    await gate;
    const answer = await call.passed();
    return { ...answer, body: alter(JSON.parse(answer.body)) };
  };
  await it.desk.call("POST", "/v1/recalls", { codes: [code("L1")], reason: "漏装勺", instructions: "退回门店", initiated_at: new Date(Date.now() - 3_600_000).toISOString(), responsible: "Q-1" });
  await it.scan("SUYUAN-TASK-LOOK-UP");
  await it.page.waitForFunction(() => document.querySelector("h1")?.textContent === "查询");
  let open;
  gate = new Promise((resolve) => (open = resolve));
  await it.scan(code("L1"));
  await looked("here", "asking");
  assert.match(await text(), /本机所知 截至.*正在询问服务器/s);
  assert.match(await text(), /本机没有它的资料/);
  open();
  await looked("server", "answered");
  assert.match(await text(), new RegExp(`已召回.*已售出.*L7 · 已售出 · .*${other.name}.*服务器答复 截至`, "s"));
  assert.deepEqual(codes, [`/01/${TIN}/21/${serial("L1")}`]);
  // Whoever saw it acts behind it, whatever the clocks say (I12).
  const held = await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    return (await (await Store.open(indexedDB, "suyuan-device")).disk("", "")).anchor.text;
  });
  assert.equal(held, anchor);
  // What is printed on the code counts, whoever answers: of this serial nobody knows.
  await it.scan(`(01)${TIN}(17)200101(21)0FORGED0000000`);
  await answered("0FORGED0000000");
  assert.match(await text(), /已过期.*服务器没有它的资料/s);
  // A card of something else is no answer.
  assert.ok(card.unit.endsWith(serial("L1")));
  alter = (answer) => ({ ...answer, cards: [card] });
  await it.scan(code("L3"));
  await looked("here", "lost");
  alter = whole;
  // An answer that comes when something else is looked at is none.
  gate = new Promise((resolve) => (open = resolve));
  await it.scan(code("L1"));
  await looked("here", "asking");
  const late = open;
  gate = Promise.resolve();
  await it.scan(code("L4"));
  await answered(serial("L4"));
  late();
  await until("the late answer", () => it.line.waiting() === 0);
  await it.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.ok((await text()).includes(serial("L4")) && !(await text()).includes(serial("L1")));
  // No network: the device's own word, at once.
  it.line.pull();
  await it.scan(code("L5"));
  await looked("here", "lost");
  assert.match(await text(), /服务器没有答复/);
  await it.browser.context.setOffline(true);
  await it.scan(code("A4"));
  await looked("here", "offline");
  assert.match(await text(), /没有询问服务器/);
  await it.browser.context.setOffline(false);
  it.line.plug();
  it.line.misbehave = () => undefined;
  await it.scan("garbage");
  await it.told("garbage");
  await it.scan("SUYUAN-CONFIRM");
  await it.page.waitForSelector('[data-do="inbound"]');
  // Without a task, a scan looks up as well, and the way back is a code.
  await it.scan(code("L6"));
  await it.page.waitForSelector("[data-from]");
  await it.scan("SUYUAN-HOME");
  await it.page.waitForSelector('[data-do="inbound"]');
  await it.scan("SUYUAN-TASK-LOOK-UP");
  await it.page.waitForFunction(() => document.querySelector("h1")?.textContent === "查询");
  await it.scan("SUYUAN-HOME");
  await it.page.waitForSelector('[data-do="inbound"]');
  assert.equal(await it.page.evaluate(() => window.hands), 0, "by the scanner alone");
  assert.deepEqual(it.errors, []);
});
