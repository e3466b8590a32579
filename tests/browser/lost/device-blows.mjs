// Blows to a device: its battery, its tabs, its program, its clock, its disk.

import assert from "node:assert/strict";
import { filled, smallDisk } from "../pda/full-disk.mjs";
import { until } from "../shift/office.mjs";
import { cards, device, ends, rest, say, some, toPushes } from "./site.mjs";

export async function enrolment(it) {
  let held;
  const gate = new Promise((resolve) => (held = resolve));
  let chunks = 0;
  it.line.misbehave = async (call) => {
    if (!call.url.pathname.includes("/chunks/") || ++chunks > 1) return undefined;
    await gate;
    return null;
  };
  await it.scan(it.ticket);
  await it.page.waitForSelector("progress");
  assert.match(await it.page.locator("main").textContent(), /正在下载资料 0 \/ [1-9]\d* kB/);
  held();
  await it.page.waitForSelector('[data-do="inbound"]');
  await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await it.battery();
  await it.open();
  await until("the snapshot goes on where it was cut", () => cards(it));
  say("enrolled; the snapshot was cut with its progress in sight, the battery pulled, and it came all the same");
}

export async function batteries(it) {
  const came = { whole: 0, task: 0, heard: 0 };
  // Before the press reaches the app; somewhere behind it; with the very sound of success; and as the event
  // is handed to the storage, which hardly ever keeps it then.
  const moments = [() => undefined, () => rest(40), () => it.seen.sound(), () => it.seen.put()];
  for (const [round, moment] of moments.entries()) {
    // Every other time the server may hear of it meanwhile.
    if (round % 2 === 0) it.line.pull();
    const goods = some(2);
    await it.task("inbound");
    await it.read(goods);
    const [before, behind] = [it.seen.heard(), it.made()];
    const come = moment();
    const pressed = it.page.click('[data-do="confirm"]').catch(() => {});
    await come;
    await it.battery();
    await pressed;
    const isHeard = it.seen.heard() > before;
    await it.open();
    const task = await it.open_goods();
    if (isHeard) came.heard += 1;
    // Heard or not: goods that are in no task any more were stated.
    if (task === null || isHeard) it.promised("inbound", goods, behind);
    came[task === null ? "whole" : "task"] += 1;
    if (task !== null) {
      assert.equal(task, "2", "the task as it stood");
      // What was heard is not done again; whether it is there is judged in the end.
      if (isHeard) await it.scan("SUYUAN-CANCEL");
      else await it.said("inbound", goods);
    }
    it.line.plug();
  }
  const [first, second] = some(2);
  await it.task("count");
  await it.read([first]);
  await it.battery();
  await it.open();
  await it.count(1);
  await it.read([second], 1);
  await it.said("count", [first, second]);
  await it.healed();
  say(`battery pulled in the middle of an act (${JSON.stringify(came)}), and right behind a scan`);
}

export async function tabs(it) {
  const goods = some(2);
  await it.task("inbound");
  await it.read(goods.slice(0, 1));
  const crashed = it.page.waitForEvent("crash");
  void it.session.send("Page.crash").catch(() => {});
  await crashed;
  await it.open();
  await it.count(1);
  await it.read(goods.slice(1), 1);
  await it.page.close({ runBeforeUnload: false });
  await it.open();
  await it.count(2);
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  await it.count(2);
  await it.said("inbound", goods);
  say("a tab that crashed, one that was closed, and a reload leave the task as it stood");

  const [left, taken] = some(2);
  await it.task("inbound");
  await it.read([left]);
  const first = it.page;
  const second = await it.blank();
  await second.goto(first.url());
  await second.waitForFunction(() => document.querySelector("h1")?.textContent.includes("另一个页面"));
  await first.close();
  await second.waitForSelector("#app[data-ready]");
  await it.take(second);
  await it.count(1);
  await it.read([taken], 1);
  await it.said("inbound", [left, taken]);
  await it.healed();
  say("a second tab waits, and takes over what the first left open");
}

export async function versions(it) {
  const before = await it.version();
  it.line.misbehave = toPushes(() => null);
  await it.act("inbound", some(1));
  const goods = some(2);
  await it.task("inbound");
  await it.read(goods.slice(0, 1));
  it.line.alter = (path, body) => (path === "/app/precache.js" ? String(body).replace(/VERSION = "\w+"/, 'VERSION = "newnew01"') : body);
  await it.newVersion();
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  assert.equal(await it.version(), before, "a reload does not swap the program under a task");
  await it.count(1);
  await it.read(goods.slice(1), 1);
  // The last tab goes; the next one is of the new version, with the cable out.
  const other = await it.browser.context.newPage();
  await it.page.close();
  it.line.pull();
  await rest(500);
  await it.open();
  await other.close();
  assert.match(await it.version(), /newnew01/);
  await it.count(2);
  await it.unsent(1);
  await it.said("inbound", goods);
  await it.healed();
  say("a new version came in the middle of a task, and took over with the cable out");
}

export async function clocks(it) {
  await it.page.evaluate(() => {
    const real = Date.now.bind(Date);
    window.ahead = 0;
    Date.now = () => real() + window.ahead;
  });
  const years = 10 * 365 * 86_400_000;
  for (const ahead of [years, -years, 0]) {
    await it.page.evaluate((ahead) => (window.ahead = ahead), ahead);
    await it.act("inbound", some(1));
  }
  await it.healed();
  say("the clock was set forth and back by ten years");
}

export async function full(ticket) {
  const disk = await smallDisk();
  if (!disk) return say("SKIPPED: this process may not mount a disk that can be filled");
  ends.push(() => disk.close());
  // A browser tells little of a small disk; the app would take it for a private window.
  const roomy = () => {
    navigator.storage.estimate = async () => ({ quota: 1e11, usage: 0 });
  };
  const it = await device(ticket, { disk: disk.folder, inits: [[roomy]] });
  await it.enrol(it.ticket);
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
  await it.act("inbound", some(1));
  const goods = some(6);
  const refused = await filled(it, disk, goods, (tins, behind) => it.promised("inbound", tins, behind));
  assert.ok(refused > 0 && goods.length > 0, "the disk was full");
  for (const tin of goods.slice(0, 2)) await it.act("inbound", [tin]);
  await it.healed();
  return say("a disk that is really full: what is not on it is not said to be saved, and with room again work goes on");
}
