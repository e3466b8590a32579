// What a shift needs besides tasks: snapshot in sight, mandatory items, hand-over, change of people,
// files of other devices, the camera, the doctor, and the sheets; in a real browser on the real program,
// offline where it says so.

import "./shared.mjs";
import { FINDING_WORDS } from "../../../api/src/pda/app/screens/tools/finding-words.js";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TESTS } from "../../../api/src/pda/app/core/doctor.js";
import { until } from "../shift/office.mjs";
import { cannot } from "./chromium.mjs";
import { stocked } from "./shelves.mjs";
import { ORIGIN, PULL, shop, toPushes } from "./shop.mjs";
import { code, onPostgres } from "./site.mjs";

const when = { skip: cannot, timeout: 120_000 };
/** How many tins are on the shelves of the shop. */
const STOCK = 3000;
let it;
let folder;

onPostgres();

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
  it = await shop(camera, { beside: await stocked(STOCK) });
  await it.open();
});
after(async () => {
  await it?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** In a page: a photo of these codes, as the text of a PNG. */
const drawn = async (texts) => {
  const { qrOf } = await import("/app/core/barcode/qr.js");
  const canvas = document.createElement("canvas");
  canvas.width = 900;
  canvas.height = 450;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#000";
  texts.forEach((text, at) => {
    const code = qrOf(text);
    for (let y = 0; y < code.size; y += 1) for (let x = 0; x < code.size; x += 1) if (code.dark(x, y)) context.fillRect(40 + at * 430 + x * 8, 40 + y * 8, 8, 8);
  });
  return canvas.toDataURL("image/png").split(",")[1];
};

const main = () => it.page.locator("main").textContent();

test("the enrolment shows how much of the snapshot is here, and the device is ready with all of it", when, async () => {
  let held;
  const gate = new Promise((resolve) => (held = resolve));
  let chunks = 0;
  it.line.misbehave = async ({ url }) => {
    if (url.pathname.includes("/chunks/") && ++chunks === 3) await gate;
    return undefined;
  };
  await it.scan(it.ticket());
  await it.page.waitForSelector("progress");
  await it.page.waitForFunction(() => document.querySelector("progress")?.value > 0);
  assert.match(await main(), /正在下载资料 \d+ \/ \d+ kB/);
  held();
  await it.page.waitForSelector('[data-do="inbound"]');
  it.line.misbehave = () => undefined;
  assert.equal(await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    return (await (await Store.open(indexedDB, "suyuan-device")).units()).length;
  }), STOCK);
});

test("people change by a badge, with no network, in less than two seconds", when, async () => {
  it.line.pull();
  let worst = 0;
  for (const badge of ["W17", "W18", "W17"]) {
    const from = performance.now();
    await it.scan(`SUYUAN-WHO-${badge}`);
    await it.page.waitForFunction((badge) => document.querySelector('[data-chip="who"]').textContent.includes(badge), badge);
    worst = Math.max(worst, performance.now() - from);
  }
  console.log(`change of people, offline: ${Math.round(worst)} ms at worst`);
  assert.ok(worst < 2000, `${worst} ms`);
  it.line.plug();
});

test("mandatory items are asked once per task: a partner is a press, a number is typed, the rest may stay open", when, async () => {
  await it.task("outbound");
  await it.scan(code("M1"));
  await it.count(1);
  await it.scan(code("M2"));
  await it.count(2);
  await it.press("confirm");
  await it.page.waitForSelector(".question");
  await it.page.locator("[data-partner]").first().click();
  await it.page.waitForFunction(() => document.querySelector('label[for="answer"]')?.textContent.includes("物流企业"));
  await it.page.fill("#answer", "<b>顺丰</b>");
  await it.page.locator(".question [data-do=add]").click();
  await it.told("已保存在本机");
  await it.unsent(0);
  const event = it.events().at(-1);
  assert.deepEqual([event.units.length, event.counterpart.type, event.body], [2, "location", { "logistics.logistics_company": "<b>顺丰</b>" }]);
});

test("what is wanted while something is fetched is fetched behind it", when, async () => {
  await it.pulled();
  let release;
  let pulls = 0;
  const gate = new Promise((resolve) => (release = resolve));
  it.line.misbehave = async ({ url }) => {
    if (url.pathname === PULL && (pulls += 1) === 1) await gate;
    return undefined;
  };
  await it.wake();
  await until("one that is under way", () => pulls === 1);
  // Something changed that it may have been too early for.
  await it.wake();
  release();
  await until("one behind it", () => pulls > 1);
  it.line.misbehave = () => undefined;
});

test("rules the server tells take the place of the built-in ones, once for each version", when, async () => {
  // The program's own rules are those built in; one that it may have tomorrow is put among them on the way.
  const rule = { profile: null, kind: "count", item: "inventory.storage_temperature", source: "x", said: "temperature" };
  let asked = 0;
  it.line.misbehave = async (call) => {
    const { pathname } = call.url;
    if (pathname !== PULL && pathname !== "/v1/sync/rules") return undefined;
    const answer = await call.passed();
    if (answer.status !== 200) return answer;
    const told = JSON.parse(answer.body);
    if (pathname === PULL) return { ...answer, body: { ...told, rules: "r2" } };
    asked += 1;
    return { ...answer, body: { ...told, version: "r2", rules: [rule] } };
  };
  await it.pulled();
  await it.pulled();
  assert.equal(asked, 1);
  it.line.misbehave = ({ url }) => (url.pathname === PULL ? null : undefined);
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
  it.line.misbehave = () => undefined;
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
});

test("hand-over: refused while records are unsent, unless somebody else takes them over; done when all is sent", when, async () => {
  it.line.misbehave = ({ url }) => (url.pathname.startsWith("/v1/") ? null : undefined);
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
  it.line.misbehave = () => undefined;
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
  it.line.misbehave = toPushes(() => null);
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
  const before = it.pushed.length;
  await it.page.setInputFiles("#deposit", file);
  await it.told("服务器已收到，条数");
  const deposited = it.pushed.slice(before).flatMap(({ push }) => push.events);
  assert.deepEqual(deposited.map((text) => JSON.parse(text).units[0].code), [code("X1"), code("X2")]);
  assert.deepEqual(it.events().slice(-2).map(({ units }) => units[0].code), [code("X1"), code("X2")], "and the server holds them");
  await writeFile(file, taken.slice(0, taken.length / 2));
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有上交任何内容");
  await writeFile(file, "<script>alert(1)</script>\n");
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有上交任何内容");
  // A receipt by somebody else is none.
  it.line.misbehave = async (call) => {
    if (call.url.pathname === "/v1/sync/push") return null;
    if (call.url.pathname !== "/v1/sync/deposit") return undefined;
    const answer = await call.passed();
    const body = JSON.parse(answer.body);
    body.receipt.stamp += 1;
    return { ...answer, body };
  };
  await writeFile(file, taken);
  await it.page.setInputFiles("#deposit", file);
  await it.told("没有全部交完");
  it.line.misbehave = () => undefined;
  await it.wake();
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
  const photo = join(folder, "photo.png");
  const took = async (texts) => {
    await writeFile(photo, Buffer.from(await it.page.evaluate(drawn, texts), "base64"));
    await it.page.setInputFiles("#photo", photo);
  };
  // A debug build reads pictures slowly.
  const told = (words) => it.page.waitForFunction((words) => document.querySelector("[role=status]")?.textContent.includes(words), words, { timeout: 60_000 });
  await took([code("P1")]);
  await told("已加入");
  const [{ headers, body }] = it.calls("/v1/decode");
  assert.match(headers["content-type"], /^multipart\/form-data/);
  assert.ok(body.includes("image/jpeg") && body.includes('name="photo"'));
  await took([]);
  await told("没有找到码");
  await took([code("P2"), code("P3")]);
  await told("不止一个码");
  it.line.misbehave = ({ url }) => (url.pathname === "/v1/decode" ? { body: "<html>nonsense" } : undefined);
  await took([code("P4")]);
  await told("连不上服务器");
  it.line.misbehave = () => undefined;
  await writeFile(photo, "no picture");
  await it.page.setInputFiles("#photo", photo);
  await it.told("不是可用的照片");
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
    if (!request.url().startsWith(ORIGIN) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  await it.press("sheet");
  await it.page.waitForSelector(".sheet .codes");
  const labels = await it.page.$$eval(".sheet .bars svg", (drawings) => drawings.map((drawing) => drawing.getAttribute("aria-label")));
  for (const wanted of ["SUYUAN-CONFIRM", "SUYUAN-UNDO", "SUYUAN-HAND-OVER", "SUYUAN-TASK-SALE", "SUYUAN-QTY-12", "SUYUAN-SKIP", ...["HOLD", "SELLABLE", "DESTROY"].map((is) => `SUYUAN-BECOMES-${is}`), ...["COMPLETE", "ACCEPT", "DECLARED", "SLIP", "DOCUMENT"].map((is) => `SUYUAN-${is}`), `SUYUAN-TO-${it.at.plant.toUpperCase()}`]) assert.ok(labels.includes(wanted), wanted);
  assert.ok(labels.some((label) => label.startsWith("SUYUAN-AT-")) && labels.includes("SUYUAN-WHO-W17"));
  await it.page.emulateMedia({ media: "print" });
  assert.equal(await it.page.locator(".strip").isVisible(), false);
  await it.page.emulateMedia({ media: null });
  await it.press("back");
  assert.deepEqual(foreign, []);
});

test("records are shown one by one with their state, and what needs attention with its reason", when, async () => {
  // Sold elsewhere; that it comes in here again is for somebody to look at, as the server says.
  const other = await shop();
  try {
    await other.open();
    await other.enrol();
    await other.act("sale", ["V1"]);
    await other.unsent(0);
  } finally {
    await other.close();
  }
  await it.act("inbound", ["V1"]);
  await it.unsent(0);
  const last = it.events().at(-1);
  const found = async () => (await it.status()).findings.filter(({ event }) => event === last.event_id).map(({ finding }) => finding.code);
  const [finding] = await until("what the server finds", async () => ((await found()).length > 0 ? found() : null));
  await it.pulled();
  await it.press("queue");
  await it.page.waitForSelector('[data-row="needs_attention"]');
  const rows = await it.page.locator('[data-row="needs_attention"]').allTextContents();
  assert.ok(rows.some((row) => row.includes("入库 1 · 需要处理") && row.includes(FINDING_WORDS[finding].zh)), `${finding}: ${rows.join(" | ")}`);
  // How many findings the server has in all, whatever its answer has room for.
  const { findings, more_findings: more = 0 } = await it.status();
  await it.page.waitForSelector('[data-standing="server_findings"]');
  assert.equal(await it.page.locator('[data-standing="server_findings"]').textContent(), `服务器：待查看的问题: ${findings.length + more}`);
  await it.press("back");
  assert.deepEqual(it.errors, []);
});

test("what is to be struck, and what is looked at, is named before anybody presses", when, async () => {
  await it.act("inbound", ["V2"]);
  await it.task("retract");
  await it.scan(code("V2"));
  await it.told("已找到这条记录");
  assert.match(await it.page.locator(".noted").textContent(), /将撤销 .*入库 × 1/);
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  assert.match(await it.page.locator(".noted").textContent(), /将撤销 .*入库 × 1/, "behind a restart, too");
  await it.scan("SUYUAN-CANCEL");
  await it.page.waitForSelector('[data-do="inbound"]');
  await it.scan(code("V2"));
  await it.told("三段奶粉");
  await it.press("back");
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
    assert.equal(other.calls().length, 0);
  } finally {
    await other.close();
  }
});
