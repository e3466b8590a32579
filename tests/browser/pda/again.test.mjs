// A device that has to be enrolled again, and is: it says why, goes on under a new key and chain, and what it
// left unsent is neither lost nor made anew, whoever this is from then on. On the real program over TLS.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis } from "../../../api/src/pda/app/core/chain.js";
import { cannot } from "./chromium.mjs";
import { ORIGIN, shop, toPushes } from "./shop.mjs";
import { code, serial, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };

/** A device that is enrolled, for one test. */
async function enrolled(tell) {
  const it = await shop();
  try {
    await it.open();
    await it.enrol();
    // It starts anew with no network later on.
    await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await tell(it);
    assert.deepEqual(it.errors, []);
  } finally {
    await it.close();
  }
}

/** What an officer holds up for this device once more, or for another at the same place. */
const again = (it) => it.desk.call("POST", `/v1/devices/${it.device}/tickets`).then(({ ticket }) => ticket.text);
const revoke = (it) => it.desk.call("POST", `/v1/devices/${it.device}/revoke`, { reason: "lost" });

/** What the server made of each event when it came first: by device, life and number. */
function fates(it) {
  const found = new Map();
  for (const { push, answer } of it.pushed) {
    for (const { seq, status } of answer.results) {
      const key = `${push.device} ${push.epoch}:${seq}`;
      if (status !== "duplicate") found.set(key, status);
    }
  }
  return Object.fromEntries(found);
}

/** Goods that the server was given in some life of a device, in order. */
const goods = (it, device, epoch) =>
  it.pushed
    .filter(({ push }) => push.device === device && push.epoch === epoch)
    .flatMap(({ push }) => push.events.flatMap((text) => JSON.parse(text).units.map(({ code }) => serialOf(code))));

/** Everything is let through, and arrives. */
async function healed(it) {
  it.line.misbehave = () => undefined;
  await it.wake();
  await it.unsent(0);
}

test("a revoked device says so until it is enrolled again by one scan; what was unsent comes as what its old key signed", when, () =>
  enrolled(async (it) => {
    it.line.misbehave = toPushes(() => null);
    await it.act("inbound", ["K1"]);
    await it.act("inbound", ["K2"]);
    await revoke(it);
    await it.wake();
    const told = () => it.page.locator('[data-over="revoked"]');
    await told().waitFor();
    assert.match(await told().textContent(), /必须重新注册.*密钥已停用.*没有上传的记录不会丢失/);
    it.line.pull();
    await it.battery();
    await it.open();
    await told().waitFor();
    await it.unsent(2);
    it.line.plug();
    await it.scan(await again(it));
    await it.told("注册完成");
    assert.equal(await told().count(), 0);
    await it.unsent(2);
    await it.act("inbound", ["K3"]);
    await healed(it);
    const of = (key) => `${it.device} ${key}`;
    assert.deepEqual(fates(it), { [of("1:1")]: "quarantined", [of("1:2")]: "quarantined", [of("2:1")]: "stored" });
    const { push } = it.pushed.find(({ push }) => push.epoch === 2);
    assert.equal(push.prev_hash, await genesis(it.device, 2), "a chain of its own from 1");
    // It is told the cards of its new life, and nothing more is wrong.
    await it.pulled();
    assert.equal(await it.page.locator("[data-over]").count(), 0);
  }));

test("in English, with goods in hand: they are stated or given up first, by who read them", when, () =>
  enrolled(async (it) => {
    await it.press("settings");
    await it.press("language");
    await it.press("back");
    await revoke(it);
    await it.wake();
    const told = it.page.locator('[data-over="revoked"]');
    await told.waitFor();
    assert.match(await told.textContent(), /must be enrolled again.*Nothing unsent is lost/);
    await it.task("inbound");
    await it.read([code("K4")]);
    const asked = it.line.asked.filter(({ url }) => url.pathname === "/v1/enrol").length;
    await it.scan(await again(it));
    await it.told("A task is still open");
    assert.equal(it.line.asked.filter(({ url }) => url.pathname === "/v1/enrol").length, asked, "the code is not used");
    await it.press("to_the_task");
    await it.count(1);
    await it.scan("SUYUAN-CONFIRM");
    await it.told("Saved on this device");
    await it.scan(await again(it));
    await it.told("Enrolled");
    await healed(it);
    assert.deepEqual([goods(it, it.device, 1), goods(it, it.device, 2)], [[serial("K4")], []]);
  }));

test("enrolled as another device, it goes on from 1; what it left is sent as that device's, or handed in as a file", when, () =>
  enrolled(async (it) => {
    it.line.misbehave = toPushes(() => null);
    await it.act("inbound", ["K5"]);
    await it.act("inbound", ["K6"]);
    const other = await it.at.device(it.place);
    await it.press("settings");
    await it.press("enrol_anew");
    await it.page.waitForSelector('[data-stays="2"]');
    await it.scan(other.ticket);
    await it.told("注册完成");
    await it.unsent(2);
    // What was read a moment ago is known, whoever it was.
    await it.act("sale", ["K5"]);
    await it.battery();
    await it.open();
    await it.unsent(3);
    await it.press("queue");
    await it.page.waitForSelector('[data-before="2"]');
    const lines = (await it.exported()).trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ push }) => [push.device, push.epoch, push.first_seq, push.events.length]), [
      [it.device, 1, 1, 2],
      [other.id, 1, 1, 1],
    ]);
    const { results } = await it.desk.call("POST", "/v1/sync/deposit", lines[0]);
    assert.deepEqual(results.map(({ status }) => status), ["stored", "stored"]);
    await healed(it);
    assert.deepEqual([goods(it, it.device, 1), goods(it, other.id, 1)], [["K5", "K6"].map(serial), [serial("K5")]]);
    assert.deepEqual(fates(it), { [`${other.id} 1:1`]: "stored" }, "what was handed in was there already");
    const { push } = it.pushed.find(({ push }) => push.device === other.id);
    assert.equal(push.prev_hash, await genesis(other.id, 1));
    await it.battery();
    await it.open();
    await it.unsent(0);
  }));

test("a code is not used by a device whose storage fails, and who it was goes on", when, () =>
  enrolled(async (it) => {
    await it.page.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      window.isFull = true;
      IDBObjectStore.prototype.put = function (...given) {
        if (window.isFull) throw new DOMException("full", "QuotaExceededError");
        return put.apply(this, given);
      };
    });
    await it.press("settings");
    await it.press("enrol_anew");
    const ticket = await again(it);
    await it.scan(ticket);
    await it.told("存储出错");
    assert.equal(it.line.asked.filter(({ url }) => url.pathname === "/v1/enrol").length, 1, "the first");
    await it.page.evaluate(() => (window.isFull = false));
    await it.press("back");
    await it.act("inbound", ["K7"]);
    await it.press("settings");
    await it.press("enrol_anew");
    await it.scan(ticket);
    await it.told("注册完成");
    await it.act("inbound", ["K8"]);
    await healed(it);
    assert.deepEqual([goods(it, it.device, 1), goods(it, it.device, 2)], [[serial("K7")], [serial("K8")]]);
  }));

test("two tabs, though one should wait: while one holds an act the other enrols anew; the act lands in neither life by halves", when, () =>
  enrolled(async (it) => {
    await it.task("inbound");
    await it.read([code("K9")]);
    const first = it.page;
    const second = await it.blank();
    await second.addInitScript(() => {
      LockManager.prototype.request = (name, options, then) => (then ?? options)({ name });
    });
    await second.goto(`${ORIGIN}/app/`);
    await second.waitForSelector("#app[data-ready]");
    await it.take(second);
    await second.bringToFront();
    await it.scan("SUYUAN-CANCEL");
    await it.page.waitForSelector('[data-do="settings"]');
    await it.press("settings");
    await it.press("enrol_anew");
    await it.scan(await again(it));
    await it.told("注册完成");
    // The first knows nothing of it, and holds the goods still.
    await it.take(first);
    await first.bringToFront();
    const refused = async () => {
      await it.scan("SUYUAN-CONFIRM");
      await it.told("没有保存");
    };
    await Promise.all([first.waitForNavigation(), refused()]);
    await first.waitForSelector("#app[data-ready]");
    await second.close();
    await it.page.waitForSelector('[data-do="inbound"]');
    await it.act("inbound", ["K10"]);
    await healed(it);
    assert.deepEqual([goods(it, it.device, 1), goods(it, it.device, 2)], [[], [serial("K10")]]);
    const rows = await it.rows();
    assert.deepEqual(rows.map(({ epoch, seq }) => [epoch, seq]), [[2, 1]]);
  }));
