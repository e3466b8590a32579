// Blows to the line and to the server at its end; and what is done with a server besides.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../shift/office.mjs";
import { PUSH, cards, folder, killed, rest, say, some, toPushes } from "./site.mjs";

export async function answers(it) {
  const strange = [
    () => ({ status: 500, body: "<html>oops</html>" }),
    () => "after",
    () => null,
    () => rest(400).then(() => undefined),
    () => ({ body: "<html>hotel wifi</html>" }),
    () => ({ status: 503, headers: { "retry-after": "0" }, body: "{}" }),
    () => "after",
  ];
  let n = 0;
  it.line.misbehave = toPushes((call) => strange[n++]?.(call));
  for (let round = 0; round < 3; round += 1) await it.act("inbound", some(1));
  for (let wake = 0; wake < 200 && n < strange.length; wake += 1) {
    if (wake === 100) await it.act("inbound", some(1));
    await it.wake();
    await rest(60);
  }
  assert.ok(n >= strange.length, `each of them happened (${n})`);
  await it.healed();
  say("500 in the server's place, answers that were lost behind what they answer, held and cut lines, nonsense, 503");
}

export async function kills(it) {
  for (const ms of [0, 15, 60]) {
    let dead = null;
    it.line.misbehave = toPushes(() => {
      dead ??= rest(ms).then(() => killed(it));
    });
    await it.act("inbound", some(2));
    await until("a push that is under way", () => dead !== null);
    await dead;
    // In front of a server that is only just there, an act of its own.
    await it.act("inbound", some(1));
    await it.healed();
  }
  say("the server was killed three times under a push, and started again");
}

export async function setBack(it) {
  it.line.misbehave = toPushes(() => null);
  await it.act("inbound", some(2));
  await it.unsent(1);
  const from = it.line.calls.length;
  const snapshots = () => it.line.calls.slice(from).filter((call) => call === "GET /v1/sync/snapshot").length;
  // Of a log that is longer than this one: the server itself says that it cannot be followed.
  it.line.misbehave = (call) => {
    if (call.url.pathname === PUSH) return null;
    if (call.url.pathname === "/v1/sync/pull") call.url.searchParams.set("cursor", "1000000000");
    return undefined;
  };
  await it.wake();
  await until("a new beginning", () => snapshots() > 0);
  await it.battery();
  await it.open();
  await until("one more, behind the battery", () => snapshots() > 1);
  await it.unsent(1);
  await it.healed();
  assert.ok(await cards(it));
  say("a cursor that is gone (410): the device began anew with a snapshot, and what was unsent stayed");
}

export async function photo(it) {
  const [tin] = some(1);
  await it.task("inbound");
  await it.page.evaluate(() => delete globalThis.BarcodeDetector);
  await it.press("camera");
  const picture = await it.page.evaluate(async (text) => {
    const { qrOf } = await import("/app/core/barcode/qr.js");
    const code = qrOf(text);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = (code.size + 8) * 8;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = "#000";
    for (let y = 0; y < code.size; y += 1) for (let x = 0; x < code.size; x += 1) if (code.dark(x, y)) context.fillRect((x + 4) * 8, (y + 4) * 8, 8, 8);
    return canvas.toDataURL("image/png").split(",")[1];
  }, tin);
  const file = join(folder, "photo.png");
  await writeFile(file, Buffer.from(picture, "base64"));
  await it.page.setInputFiles("#photo", file);
  await it.page.waitForFunction(() => document.querySelector("[role=status]")?.textContent.includes("已加入"), null, { timeout: 60_000 });
  await it.press("back");
  await it.count(1);
  await it.said("inbound", [tin]);
  await it.healed();
  say("the server read a tin's code from a photo");
}

export async function carried(it, other) {
  it.line.pull();
  await it.act("inbound", some(1));
  await it.act("inbound", some(2));
  await it.unsent(2);
  await it.press("queue");
  await it.page.waitForSelector('[data-do="export"]');
  const file = join(folder, "export.ndjson");
  await writeFile(file, await it.exported());
  await it.told("已导出");
  await it.press("back");
  // As when it falls into the cold store's drain: nobody hears of it before the file is handed in.
  await it.browser.kill();
  await other.press("queue");
  await other.page.waitForSelector("#deposit", { state: "attached" });
  other.line.misbehave = (call) => (call.url.pathname === "/v1/sync/deposit" ? "after" : undefined);
  await other.page.setInputFiles("#deposit", file);
  await other.told("没有全部交完");
  other.line.misbehave = () => undefined;
  await other.page.setInputFiles("#deposit", file);
  await other.told("服务器已收到");
  await other.press("back");
  await it.battery();
  await it.open();
  await it.unsent(2);
  await it.healed();
  say("a device that is cut off was exported to a file; another handed that in twice, and then it was found again");
}
