// What a shift needs besides tasks: snapshot in sight, mandatory items, hand-over, change of people,
// files of other devices, the camera, the doctor, and the sheets; in a real browser, offline where it
// says so.

import "./shared.mjs";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TESTS } from "../../../api/src/pda/app/core/doctor.js";
import { code, shop } from "./app.mjs";
import { cannot } from "./chromium.mjs";
import { DEVICE } from "./installation.mjs";
import { golden } from "./shared.mjs";

const when = { skip: cannot, timeout: 120_000 };
let it;
let folder;

/** A camera that sees what `window.inView` holds, in a real stream of the browser's. */
const camera = () => {
  window.inView = [];
  globalThis.BarcodeDetector = class {
    static getSupportedFormats = async () => ["qr_code", "data_matrix"];
    detect = async () => window.inView.map((rawValue) => ({ rawValue }));
  };
  navigator.mediaDevices.getUserMedia = async () => {
    if (window.forbidden) throw new DOMException("no", "NotAllowedError");
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 10, 10);
    window.stream = canvas.captureStream(10);
    setInterval(() => canvas.getContext("2d").fillRect(0, 0, 10, 10), 50);
    return window.stream;
  };
};

before(async () => {
  if (cannot) return;
  folder = await mkdtemp(join(tmpdir(), "suyuan-tools-"));
  it = await shop(camera);
  await it.open();
});
after(async () => {
  await it?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const main = () => it.page.locator("main").textContent();

test("the enrolment shows how much of the snapshot is here, and the device is ready with all of it", when, async () => {
  const [product, partner, unit] = golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.map(({ item }) => item);
  it.own.cards = [product, partner, ...Array.from({ length: 3000 }, (_, n) => ({ ...unit, unit: `/01/06901234567892/21/N${n}` }))];
  let held;
  const gate = new Promise((resolve) => (held = resolve));
  let chunks = 0;
  it.own.misbehave = (call) => (call.url.pathname.includes("/chunks/") && ++chunks === 3 ? gate.then(() => undefined) : undefined);
  const v1 = it.own.v1;
  it.server.state.v1 = async (call) => {
    const strange = await it.own.misbehave(call);
    return strange === undefined ? it.own.answer(call) : strange;
  };
  await it.scan(it.ticket());
  await it.page.waitForSelector("progress");
  await it.page.waitForFunction(() => document.querySelector("progress")?.value > 0);
  assert.match(await main(), /正在下载资料 \d+ \/ \d+ kB/);
  held();
  await it.page.waitForSelector('[data-do="inbound"]');
  it.own.misbehave = () => undefined;
  it.server.state.v1 = v1;
  assert.equal(await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    return (await (await Store.open(indexedDB, "suyuan-device")).units()).length;
  }), 3000);
});

test("people change by a badge, with no network, in less than two seconds", when, async () => {
  it.server.state.isDown = true;
  let worst = 0;
  for (const badge of ["W17", "W18", "W17"]) {
    const from = performance.now();
    await it.scan(`SUYUAN-WHO-${badge}`);
    await it.page.waitForFunction((badge) => document.querySelector('[data-chip="who"]').textContent.includes(badge), badge);
    worst = Math.max(worst, performance.now() - from);
  }
  console.log(`change of people, offline: ${Math.round(worst)} ms at worst`);
  assert.ok(worst < 2000, `${worst} ms`);
  it.server.state.isDown = false;
});

test("mandatory items are asked once per task: a partner is a press, a number is typed, the rest may stay open", when, async () => {
  await it.task("outbound");
  await it.scan(code("M1"));
  await it.count(1);
  await it.scan(code("M2"));
  await it.count(2);
  await it.press("confirm");
  await it.page.waitForSelector(".question");
  await it.page.click("[data-partner]");
  await it.page.waitForFunction(() => document.querySelector('label[for="answer"]')?.textContent.includes("物流企业"));
  await it.page.fill("#answer", "<b>顺丰</b>");
  await it.page.locator(".question [data-do=add]").click();
  await it.told("已保存在本机");
  await it.unsent(0);
  const event = it.events().at(-1);
  assert.deepEqual([event.units.length, event.counterpart.type, event.body], [2, "location", { "logistics.logistics_company": "<b>顺丰</b>" }]);
});

test("rules the server tells take the place of the built-in ones, once for each version", when, async () => {
  const rule = { profile: null, kind: "count", item: "inventory.storage_temperature", source: "x", said: "temperature" };
  const answer = it.own.answer;
  let asked = 0;
  it.own.answer = async (call) => {
    if (call.url.pathname === "/v1/sync/rules") {
      asked += 1;
      return { body: { v: 1, version: "r2", rules: [rule], anchor: it.own.anchor() } };
    }
    const told = await answer(call);
    return call.url.pathname === "/v1/sync/pull" ? { body: { ...told.body, rules: "r2" } } : told;
  };
  const pull = async () => {
    const before = it.server.state.calls.filter(({ url }) => url.pathname === "/v1/sync/pull").length;
    await it.page.evaluate(() => dispatchEvent(new Event("online")));
    for (let n = 0; n < 100; n += 1) {
      if (it.server.state.calls.filter(({ url }) => url.pathname === "/v1/sync/pull").length > before) break;
      await it.page.waitForTimeout(20);
    }
    await it.page.waitForTimeout(200);
  };
  await pull();
  await pull();
  assert.equal(asked, 1);
  it.own.answer = answer;
  await it.task("count");
  await it.scan(code("R1"));
  await it.count(1);
  await it.press("confirm");
  await it.page.waitForSelector(".question");
  await it.page.fill("#answer", "warm");
  await it.page.locator(".question [data-do=add]").click();
  await it.told("请输入数字");
  await it.page.fill("#answer", "-18.5");
  await it.page.locator(".question [data-do=add]").click();
  await it.told("已保存在本机");
  await it.unsent(0);
  assert.deepEqual(it.events().at(-1).env, { temperature: -18.5 });
  await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    await (await Store.open(indexedDB, "suyuan-device")).commit(null, { records: { rules: null } });
  });
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
});

test("hand-over: refused while records are unsent, unless somebody else takes them over; done when all is sent", when, async () => {
  it.own.misbehave = () => null;
  await it.act("inbound", ["H1"]);
  await it.unsent(1);
  await it.scan("SUYUAN-HAND-OVER");
  await it.page.waitForSelector('[data-left="1"]');
  assert.equal(await it.page.locator('[data-do="hand_over_done"]').count(), 0);
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
  assert.match(await it.page.locator('[data-chip="who"]').textContent(), /W17/, "one's own badge takes over nothing");
  await it.scan("SUYUAN-WHO-S1");
  await it.told("交班完成");
  assert.match(await it.page.locator('[data-chip="who"]').textContent(), /请扫描工牌/);
  await it.scan("SUYUAN-WHO-W18");
  await it.told("W18");
  it.own.misbehave = () => undefined;
  await it.press("send-now");
  await it.page.waitForSelector('[data-left="0"]');
  assert.ok(await it.page.locator(".qr svg").count(), "the receipt's head as a code");
  await it.press("hand_over_done");
  await it.told("交班完成");
  await it.scan("SUYUAN-HOME");
  await it.page.waitForSelector('[data-do="inbound"]');
  await it.scan("SUYUAN-WHO-W17");
});

test("an export is a file that the server takes from another device; it stays here until it is receipted", when, async () => {
  it.own.misbehave = (call) => (call.url.pathname === "/v1/sync/push" ? null : undefined);
  await it.act("inbound", ["X1"]);
  await it.act("inbound", ["X2"]);
  await it.unsent(2);
  await it.press("queue");
  await it.page.waitForSelector('[data-do="export"]');
  const taken = await it.exported();
  await it.told("已导出");
  await it.unsent(2);
  const file = join(folder, "export.ndjson");
  await writeFile(file, taken);
  const answer = it.own.answer;
  const deposited = [];
  it.own.answer = async (call) => {
    if (call.url.pathname !== "/v1/sync/deposit") return answer(call);
    const { push, token } = JSON.parse(call.body);
    assert.equal(token.split(".").length, 3);
    deposited.push(...push.events);
    push.events.forEach((text, at) => it.own.log.set(`${push.epoch}:${push.first_seq + at}`, text));
    return { body: await it.own.receipt(push) };
  };
  await it.page.setInputFiles("#deposit", file);
  await it.told("服务器已收到，条数");
  assert.deepEqual(deposited.map((text) => JSON.parse(text).units[0].code), [code("X1"), code("X2")]);
  await writeFile(file, taken.slice(0, taken.length / 2));
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有上交任何内容");
  await writeFile(file, "<script>alert(1)</script>\n");
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有上交任何内容");
  // A receipt by somebody else is none.
  it.own.answer = async (call) => {
    const told = await answer(call);
    if (call.url.pathname !== "/v1/sync/deposit") return told;
    const body = await it.own.receipt(JSON.parse(call.body).push);
    body.receipt.stamp += 1;
    return { body };
  };
  await writeFile(file, taken);
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有全部交完");
  it.own.answer = answer;
  it.own.misbehave = () => undefined;
  await it.page.evaluate(() => dispatchEvent(new Event("online")));
  await it.unsent(0);
  await it.press("back");
});

test("the camera reads what is in view once, takes none of two, and says when it is forbidden", when, async () => {
  await it.task("inbound");
  await it.press("camera");
  await it.page.waitForSelector("video");
  await it.page.evaluate((text) => (window.inView = [text]), code("C1"));
  await it.told("已加入");
  await it.page.waitForTimeout(2500);
  await it.page.evaluate((texts) => (window.inView = texts), [code("C2"), code("C3")]);
  await it.told("不止一个码");
  await it.page.evaluate(() => (window.inView = []));
  await it.page.waitForTimeout(1500);
  await it.page.evaluate((text) => (window.inView = [text]), code("C1"));
  await it.told("未重复计数");
  await it.page.evaluate(() => (window.inView = ["SUYUAN-CONFIRM"]));
  await it.told("已保存在本机");
  assert.equal(await it.page.evaluate(() => window.stream.getTracks().every((track) => track.readyState === "live")), true);
  await it.press("back");
  await it.page.waitForFunction(() => window.stream.getTracks().every((track) => track.readyState === "ended"));
  await it.unsent(0);
  assert.deepEqual(it.events().at(-1).units, [{ code: code("C1"), input: "camera" }]);
  await it.page.evaluate(() => (window.forbidden = true));
  await it.task("inbound");
  await it.press("camera");
  await it.page.waitForFunction(() => document.querySelector("[role=alert]")?.textContent.includes("允许相机"));
  await it.press("back");
  await it.press("cancel");
});

test("without a detector a photo goes to the server; offline, damaged and empty ones are told", when, async () => {
  await it.page.evaluate(() => delete globalThis.BarcodeDetector);
  await it.task("inbound");
  await it.press("camera");
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const photo = join(folder, "photo.png");
  await writeFile(photo, png);
  const answer = it.own.answer;
  let decoded = () => ({ body: { v: 1, codes: [{ text: code("P1") }] } });
  it.own.answer = async (call) => {
    if (call.url.pathname !== "/v1/decode") return answer(call);
    assert.match(call.headers["content-type"], /^multipart\/form-data/);
    assert.ok(call.body.includes("image/jpeg") && call.body.includes('name="photo"'));
    return decoded();
  };
  await it.page.setInputFiles("#photo", photo);
  await it.told("已加入");
  decoded = () => ({ status: 422, body: {} });
  await it.page.setInputFiles("#photo", photo);
  await it.told("没有找到码");
  decoded = () => ({ body: { v: 1, codes: [{ text: code("P2") }, { text: code("P3") }] } });
  await it.page.setInputFiles("#photo", photo);
  await it.told("不止一个码");
  decoded = () => ({ body: "<html>nonsense" });
  await it.page.setInputFiles("#photo", photo);
  await it.told("连不上服务器");
  await writeFile(photo, "no picture");
  await it.page.setInputFiles("#photo", photo);
  await it.told("不是可用的照片");
  it.own.answer = answer;
  await it.press("back");
  await it.count(1);
  await it.press("confirm");
  await it.told("已保存在本机");
  await it.unsent(0);
  assert.deepEqual(it.events().at(-1).units, [{ code: code("P1"), input: "camera" }]);
});

test("the doctor hears a scanner that is set wrongly, says what to set, and sets what it can itself", when, async () => {
  await it.press("doctor");
  await it.page.waitForSelector(".tests");
  assert.equal(await it.page.locator(".tests .qr svg").count(), TESTS.length);
  await it.keys(`^${TESTS[0]}\n`);
  await it.page.waitForSelector('section.told[data-test="1"]:not(.warn)');
  await it.keys(`${TESTS[1].toUpperCase()}\n`);
  await it.page.waitForSelector('[data-finding="case"]');
  assert.equal(await it.page.locator('[data-finding="prefix"]').count(), 1);
  await it.keys(`^${TESTS[3].replace("\x1d", "{GS}")}\n`);
  await it.page.waitForSelector('[data-finding="gs_token"]');
  await it.press("doctor_use");
  await it.press("back");
  await it.task("inbound");
  await it.scan("]d20106901234567892" + "10L7{GS}21AB");
  await it.count(1);
  assert.match(await main(), /AB/);
  await it.press("cancel");
});

test("the sheet has every command as a code, and asks nobody else for anything", when, async () => {
  const foreign = [];
  it.page.on("request", (request) => {
    if (!request.url().startsWith(it.server.origin) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  await it.press("sheet");
  await it.page.waitForSelector(".sheet .codes");
  const labels = await it.page.$$eval(".sheet .bars svg", (drawings) => drawings.map((drawing) => drawing.getAttribute("aria-label")));
  for (const wanted of ["SUYUAN-CONFIRM", "SUYUAN-UNDO", "SUYUAN-HAND-OVER", "SUYUAN-TASK-SALE", "SUYUAN-QTY-12", "SUYUAN-SKIP", ...["HOLD", "SELLABLE", "DESTROY"].map((is) => `SUYUAN-BECOMES-${is}`), ...["COMPLETE", "ACCEPT", "DECLARED", "SLIP", "DOCUMENT"].map((is) => `SUYUAN-${is}`), "SUYUAN-TO-2F1B7C2A-90AA-4C0E-8A55-0C7A7D2A9B11"]) assert.ok(labels.includes(wanted), wanted);
  assert.ok(labels.some((label) => label.startsWith("SUYUAN-AT-")) && labels.includes("SUYUAN-WHO-W17"));
  await it.page.emulateMedia({ media: "print" });
  assert.equal(await it.page.locator(".strip").isVisible(), false);
  await it.page.emulateMedia({ media: null });
  await it.press("back");
  assert.deepEqual(foreign, []);
});

test("records are shown one by one with their state, and what needs attention with its reason", when, async () => {
  const last = it.events().at(-1);
  const finding = { code: "TELEPORT", severity: "warning", subject: { of: "event" }, closed: false };
  const verdict = { type: "verdict", event: last.event_id, device: DEVICE, epoch: 1, seq: last.seq, findings: [finding] };
  it.own.pages = [{ v: 1, items: [{ gseq: 50, item: verdict }], cursor: 50, more: false }];
  await it.page.evaluate(() => dispatchEvent(new Event("online")));
  await it.press("queue");
  await it.page.waitForSelector('[data-row="needs_attention"]');
  assert.match(await it.page.locator('[data-row="needs_attention"]').first().textContent(), /入库 1 · 需要处理 TELEPORT/);
  await it.press("back");
  assert.deepEqual(it.errors, []);
});

test("a private window is told plainly where the browser tells it, and nothing is enrolled", when, async () => {
  const other = await shop(() => {
    navigator.storage.estimate = async () => ({ quota: 1e8, usage: 0 });
    navigator.storage.persist = async () => false;
  });
  try {
    await other.open();
    assert.match(await other.page.locator("[role=alert]").textContent(), /无痕/);
    assert.equal(await other.page.locator("#ticket").count(), 0);
    await other.scan(other.ticket());
    await other.page.waitForTimeout(300);
    assert.equal(other.server.state.calls.length, 0);
  } finally {
    await other.close();
  }
});
