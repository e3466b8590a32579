// Every task worked by the scanner alone: key events of a wedge, from the sheet's bar codes and goods,
// and nothing else: no finger, no field in focus. What is stated is read from the installation.

import "./shared.mjs";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { code, shop } from "./app.mjs";
import { cannot } from "./chromium.mjs";
import { PLACE } from "./installation.mjs";
import { golden } from "./shared.mjs";

const when = { skip: cannot, timeout: 120_000 };
const CASE = "(00)106141411234567897";
const CARE = "09521234000013";
const PARTNER = "7d1c4a55-2f2e-4b11-9f59-0a6f5a3b1c20";
const SHOP = "8e2d5b66-3f3e-4c22-8a6a-1b7f6b4c2d31";
let it;

/** Whatever is not a key of the scanner, counted in the page. */
const hands = () => {
  window.hands = 0;
  for (const type of ["pointerdown", "mousedown", "touchstart", "click", "input"]) document.addEventListener(type, () => (window.hands += 1), { capture: true });
};

before(async () => {
  if (cannot) return;
  it = await shop(hands);
  const [product, partner] = golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.map(({ item }) => item);
  const places = [{ location: SHOP, name: "西城店 1" }];
  it.own.cards = [product, { ...product, product: "4c9d0f6e-52a1-4a6b-8f5c-2c1f7e9b8a41", gtin: CARE, name: "沐浴露", profile: "maternal-baby-care" }, { ...partner, enterprise: PARTNER, name: "西城", places }];
  await it.open();
  await it.enrol();
  await it.own.employ({ W17: "worker", S1: "supervisor" });
  const badges = () => it.server.state.calls.some(({ url }) => url.pathname === "/v1/sync/badges");
  await it.page.evaluate(() => dispatchEvent(new Event("online")));
  for (let n = 0; n < 200 && !badges(); n += 1) await it.page.waitForTimeout(20);
  await it.page.waitForTimeout(200);
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
});
after(() => it?.close());

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

/** The task is stated; its events, read from the installation; nobody touched anything. */
async function stated(last = "CONFIRM") {
  const before = it.events().length;
  await it.scan(`SUYUAN-${last}`);
  await it.told("已保存在本机");
  await it.unsent(0);
  assert.equal(await it.page.evaluate(() => window.hands), 0, "by the scanner alone");
  assert.deepEqual(it.errors, []);
  return it.events().slice(before);
}
const asked = (words) => it.page.waitForFunction((words) => document.querySelector('label[for="answer"]')?.textContent.includes(words), words);

test("inbound: who sent it, by which paper, and the goods", when, async () => {
  await it.task("inbound");
  await goods([code("A1"), code("A2")]);
  await say(`TO-${SHOP.toUpperCase()}`, "西城店 1");
  await it.scan("SUYUAN-DOCUMENT");
  await asked("单据号");
  // The paper's own bar code, with the mark of its symbology.
  await it.scan("]C0DN-2026-7");
  await it.told("DN-2026-7");
  await it.page.waitForFunction(() => document.getElementById("answer")?.value === "DN-2026-7");
  await say("CONFIRM", "已记下");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.location, event.units.length], ["inbound", PLACE, 2]);
  assert.deepEqual([event.counterpart, event.doc], [{ type: "location", id: SHOP }, { no: "DN-2026-7" }]);
});

test("outbound of formula: what is asked is answered by codes, or left open by one", when, async () => {
  await it.task("outbound");
  await goods([code("A1")]);
  await it.scan("SUYUAN-CONFIRM");
  await it.page.waitForSelector("[data-partner]");
  // Goods that somebody scans meanwhile are counted, and the question stands.
  await goods([code("A2")], 1);
  await it.told("提问还没有回答");
  assert.equal(await it.page.locator("[data-partner]").count(), 1);
  await it.scan(`SUYUAN-TO-${PARTNER.toUpperCase()}`);
  await it.told("本机没有这个单位");
  await it.scan(`SUYUAN-TO-${SHOP.toUpperCase()}`);
  await asked("物流企业");
  await it.scan("SUYUAN-SAY-SF-EXPRESS");
  await it.told("SF-EXPRESS");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.units.length], ["outbound", 2]);
  assert.deepEqual([event.counterpart, event.body], [{ type: "location", id: SHOP }, { "logistics.logistics_company": "SF-EXPRESS" }]);
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

test("sale: looked at twice, taken, undone, overruled by a supervisor with a reason from the sheet", when, async () => {
  await it.task("sale");
  await it.scan(code("A4"));
  await it.page.waitForSelector(".stop.ask");
  await it.scan("SUYUAN-CONFIRM");
  await it.count(1);
  await it.scan("(01)06901234567892(17)200101(21)OLD");
  await it.page.waitForSelector(".stop:not(.ask)");
  await it.scan("SUYUAN-ACKNOWLEDGE");
  await it.page.waitForSelector(".stop", { state: "detached" });
  await it.scan("(01)06901234567892(17)200101(21)OLD2");
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
  await it.scan(CASE);
  await it.told("容器");
  await goods([code("A1"), code("A2")]);
  await it.scan("SUYUAN-DECLARED");
  await asked("应装数量");
  await say("QTY-6", "已记下");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.parent.code, event.children.length, event.declared], ["pack", CASE, 2, 6]);
});

test("unpack: all of a container", when, async () => {
  await it.task("unpack");
  await it.scan(CASE);
  await it.told("容器");
  const [event] = await stated();
  assert.deepEqual([event.kind, event.parent.code, event.children], ["unpack", CASE, undefined]);
});

test("count: saw all, the climate, and a difference that a supervisor accepts", when, async () => {
  await it.task("count");
  await goods([code("A1")]);
  await it.scan(`(01)${CARE}(10)L7`);
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
  assert.deepEqual([event.kind, event.units.length, event.lots], ["count", 1, [{ gtin: CARE, lot: "L7", qty: 12 }]]);
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
  const text = () => it.page.locator("main").textContent();
  const key = (serial) => `/01/06901234567892/21/${serial}`;
  const answer = it.own.answer;
  const card = { unit: key("L1"), lot: "L7", phase: "sold", place: { at: SHOP }, void: false, recalls: ["91f0c3de-7b64-4e8a-a7c2-5d3e6f708192"] };
  let cards = [card];
  let gate = Promise.resolve();
  const codes = [];
  it.own.answer = async (call) => {
    if (call.url.pathname !== "/v1/sync/lookups") return answer(call);
    codes.push(...JSON.parse(call.body).codes);
    await gate;
    return { body: { v: 1, cards, position: 9, anchor: it.own.anchor() } };
  };
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
  assert.match(await text(), /已召回.*已售出.*L7 · 已售出 · 在 西城 · 西城店 1.*服务器答复 截至/s);
  assert.deepEqual(codes, [key("L1")]);
  // What is printed on the code counts, whoever answers.
  cards = [null];
  await it.scan("(01)06901234567892(17)200101(21)L2");
  await it.page.waitForFunction(() => document.querySelector('[data-from="server"]')?.textContent.includes("L2"));
  assert.match(await text(), /已过期.*服务器没有它的资料/s);
  // A card of something else is no answer.
  cards = [card];
  await it.scan(code("L3"));
  await looked("here", "lost");
  // An answer that comes when something else is looked at is none.
  gate = new Promise((resolve) => (open = resolve));
  await it.scan(code("L1"));
  await looked("here", "asking");
  const late = open;
  gate = Promise.resolve();
  cards = [null];
  await it.scan(code("L4"));
  await it.page.waitForFunction(() => document.querySelector('[data-from="server"]')?.textContent.includes("L4"));
  cards = [card];
  late();
  await it.page.waitForTimeout(200);
  assert.match(await text(), /L4/);
  // No network: the device's own word, at once.
  it.server.state.isDown = true;
  await it.scan(code("L5"));
  await looked("here", "lost");
  assert.match(await text(), /服务器没有答复/);
  await it.browser.context.setOffline(true);
  await it.scan(code("A4"));
  await looked("here", "offline");
  assert.match(await text(), /没有询问服务器/);
  await it.browser.context.setOffline(false);
  it.server.state.isDown = false;
  it.own.answer = answer;
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
