// Nothing is lost: the app is cut and killed for real at every moment of a shift, with the real program
// behind a line that does what a line hardly ever does. Held together are what the app said, what it keeps
// and what the program says it holds: each act that was said to be saved is there once, byte for byte in
// one chain, and nothing else is. The invariants I1 to I5 are judged on the program's tables, in
// `tests/pda/lost.rs`, where the server is killed as well.

import "./shared.mjs";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { genesis, links } from "../../../api/src/pda/app/core/chain.js";
import { cannot } from "./chromium.mjs";
import { filled, smallDisk } from "./full-disk.mjs";
import { witness } from "../lost/witness.mjs";
import { until } from "../shift/office.mjs";
import { ORIGIN, shop, toPushes } from "./shop.mjs";
import { code, serial, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };
/** Serials of acts that were said to be saved. */
const saved = [];
const promised = (...names) => saved.push(...names.map(serial));
let it;

before(async () => {
  if (cannot) return;
  it = await shop();
  await it.open();
  await it.enrol();
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
});
after(() => it?.close());

async function act(name, serials) {
  await it.act(name, serials);
  promised(...serials);
}

/** All that was promised is in the log, once; what is there was scanned; numbers and chain have no gap. */
async function checked() {
  await it.unsent(0);
  const events = it.events();
  const found = events.flatMap(({ units = [] }) => units.map(({ code }) => serialOf(code)));
  assert.equal(new Set(found).size, found.length, "none twice");
  for (const one of saved) assert.ok(found.includes(one), `${one} was promised`);
  for (const one of found) assert.ok(saved.includes(one), `${one} was invented`);
  assert.deepEqual(events.map(({ seq }) => seq), events.map((_, at) => at + 1));
  const texts = [...it.held().values()];
  const rows = await it.rows();
  assert.deepEqual(rows.map(({ text }) => text), texts, "byte for byte");
  const chained = await links(await genesis(it.device, 1), texts);
  assert.deepEqual(rows.map(({ hash }) => hash), chained.map(({ hash }) => hash), "one chain");
  const { contiguous_seq: last, head_hash: head, parked, quarantined } = await it.status();
  assert.deepEqual([last, head], [texts.length, chained.at(-1).hash], "and the same one on the server");
  assert.deepEqual([parked, quarantined], [[], []]);
}

test("the battery is pulled while an act is being stated: it is there whole, or the task is", when, async () => {
  it.line.misbehave = toPushes(() => null);
  const came = { whole: 0, task: 0 };
  for (let round = 0; round < 6; round += 1) {
    const serials = [`B${round}a`, `B${round}b`];
    await it.task("inbound");
    for (const [at, serial] of serials.entries()) {
      await it.scan(code(serial));
      await it.count(at + 1);
    }
    const pressed = it.page.click('[data-do="confirm"]').catch(() => {});
    // From before the press reaches the app to after its transaction.
    await new Promise((done) => setTimeout(done, round * 8));
    await it.battery();
    await pressed;
    await it.open();
    const task = await it.page.evaluate(() => document.querySelector("[data-count]")?.dataset.count ?? null);
    if (task === null) {
      came.whole += 1;
      promised(...serials);
    } else {
      assert.equal(task, "2", "the task as it stood");
      came.task += 1;
      await it.scan("SUYUAN-CONFIRM");
      await it.told("已保存在本机");
      promised(...serials);
    }
  }
  it.line.misbehave = () => undefined;
  await it.wake();
  await checked();
  assert.equal(came.whole + came.task, 6);
});

test("what is not on the disk yet is not counted, neither on the screen nor aloud", when, async () => {
  await it.task("count");
  await it.page.evaluate(() => {
    const { prototype } = IDBTransaction;
    const own = Object.getOwnPropertyDescriptor(prototype, "oncomplete");
    window.waiting = [];
    window.complete = () => {
      Object.defineProperty(prototype, "oncomplete", own);
      for (const run of window.waiting) run();
    };
    const set = function (run) {
      own.set.call(this, (event) => window.waiting.push(() => run.call(this, event)));
    };
    Object.defineProperty(prototype, "oncomplete", { ...own, set });
  });
  await it.scan(code("H1"));
  await it.page.waitForFunction(() => window.waiting.length > 0);
  const shown = await it.page.evaluate(async () => {
    // Whatever is drawn for another reason meanwhile.
    dispatchEvent(new Event("online"));
    await new Promise((done) => setTimeout(done, 300));
    return { count: document.querySelector("[data-count]").dataset.count, words: document.querySelector("[role=status]").textContent };
  });
  assert.equal(shown.count, "0");
  assert.ok(!shown.words.includes(serial("H1")), shown.words);
  await it.page.evaluate(() => window.complete());
  await it.count(1);
  await it.press("cancel");
});

test("the battery is pulled right behind a scan: what was counted is counted", when, async () => {
  await it.task("count");
  for (let round = 0; round < 3; round += 1) {
    await it.scan(code(`S${round}`));
    await it.count(round + 1);
    await it.battery();
    await it.open();
    await it.count(round + 1);
  }
  await it.scan("SUYUAN-CONFIRM");
  await it.told("已保存在本机");
  promised("S0", "S1", "S2");
  await checked();
});

test("a tab that crashes or is closed in the middle, and a reload, leave the task as it stood", when, async () => {
  await it.task("inbound");
  await it.scan(code("T1"));
  await it.count(1);
  const crashed = it.page.waitForEvent("crash");
  void it.session.send("Page.crash").catch(() => {});
  await crashed;
  await it.open();
  await it.count(1);
  await it.scan(code("T2"));
  await it.count(2);
  await it.page.close({ runBeforeUnload: false });
  await it.open();
  await it.count(2);
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  await it.count(2);
  await it.scan("SUYUAN-CONFIRM");
  await it.told("已保存在本机");
  promised("T1", "T2");
  await checked();
});

test("errors, nonsense and lost answers of the server: all arrives once", when, async () => {
  const answers = [
    () => ({ status: 500, body: "<html>oops</html>" }),
    () => "after",
    () => null,
    () => ({ status: 200, body: "<html>hotel wifi</html>" }),
    () => ({ status: 200, body: { v: 1, results: [] } }),
    () => ({ status: 503, body: {}, headers: { "retry-after": "0" } }),
    () => ({ status: 302, body: "", headers: { location: "https://portal.invalid/" } }),
  ];
  let n = 0;
  it.line.misbehave = toPushes((call) => (n < 14 ? answers[n++ % answers.length](call) : undefined));
  for (let round = 0; round < 3; round += 1) await act("inbound", [`E${round}`]);
  for (let wake = 0; wake < 80 && n < 14; wake += 1) {
    await it.wake();
    await new Promise((done) => setTimeout(done, 60));
  }
  assert.ok(n >= 14, `each happened twice (${n})`);
  it.line.misbehave = () => undefined;
  await it.wake();
  await checked();
});

test("a new version comes in the middle of a task: nothing changes until the tabs are closed, and nothing is lost", when, async () => {
  await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const before = await it.version();
  it.line.misbehave = toPushes(() => null);
  await act("inbound", ["V0"]);
  await it.task("inbound");
  await it.scan(code("V1"));
  await it.count(1);
  it.line.alter = (path, body) => (path === "/app/precache.js" ? String(body).replace(/VERSION = "\w+"/, 'VERSION = "newnew01"') : body);
  await it.newVersion();
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  assert.equal(await it.version(), before, "a reload does not swap the program under a task");
  await it.count(1);
  await it.scan(code("V2"));
  await it.count(2);
  // The last tab goes; the next one is of the new version, with the network away.
  const blank = await it.browser.context.newPage();
  await it.page.close();
  it.line.pull();
  await new Promise((done) => setTimeout(done, 500));
  await it.open();
  await blank.close();
  assert.match(await it.version(), /newnew01/);
  await it.count(2);
  await it.unsent(1);
  await it.scan("SUYUAN-CONFIRM");
  await it.told("已保存在本机");
  promised("V1", "V2");
  it.line.plug();
  it.line.misbehave = () => undefined;
  await it.wake();
  await checked();
});

test("clocks that are set forth and back ten years: order and chain hold, and events say the anchor and no lie of the wall", when, async () => {
  await it.page.evaluate(() => {
    const real = Date.now.bind(Date);
    window.ahead = 0;
    Date.now = () => real() + window.ahead;
  });
  const years = 10 * 365 * 86_400_000;
  for (const [at, ahead] of [years, -years, 0].entries()) {
    await it.page.evaluate((ahead) => (window.ahead = ahead), ahead);
    await act("inbound", [`C${at}`]);
    await it.unsent(0);
  }
  const [forth, back] = it.events().slice(-3);
  assert.ok(Date.parse(forth.at) - Date.parse(back.at) > 1.9 * years, "what the wall said is kept");
  for (const event of [forth, back]) assert.ok(event.anchor && event.mono > 0 && event.mono < 60_000, "and what the session's clock says");
  assert.match(await it.page.evaluate(() => document.querySelector('[data-chip="clock"]').textContent), /时钟/);
  await checked();
});

test("a device that slept says no mono until it hears an anchor again", when, async () => {
  it.line.misbehave = () => null;
  await it.page.evaluate(() => {
    // Half an hour by the wall, none by the session's clock.
    const real = Date.now.bind(Date);
    const sight = (hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    };
    sight(true);
    Date.now = () => real() + 1_800_000;
    sight(false);
  });
  await act("inbound", ["W0"]);
  it.line.misbehave = () => undefined;
  await it.wake();
  await it.unsent(0);
  assert.equal(it.events().at(-1).mono, undefined);
  await act("inbound", ["W1"]);
  await it.unsent(0);
  assert.ok(it.events().at(-1).mono > 0, "a new interval");
  await checked();
});

test("two tabs: the second waits, takes over what the first left open, and there is one chain", when, async () => {
  await it.task("inbound");
  await it.scan(code("D0"));
  await it.count(1);
  const first = it.page;
  const second = await it.browser.context.newPage();
  await second.goto(`${ORIGIN}/app/`);
  await second.waitForFunction(() => document.querySelector("h1")?.textContent.includes("另一个页面"));
  await first.close();
  await second.waitForSelector("#app[data-ready]");
  it.page = second;
  it.session = await it.browser.context.newCDPSession(second);
  await it.count(1);
  await it.scan(code("D1"));
  await it.count(2);
  await it.scan("SUYUAN-CONFIRM");
  await it.told("已保存在本机");
  promised("D0", "D1");
  await checked();
  assert.deepEqual(it.errors, []);
});

/** Goes on in this tab. */
async function inTab(page) {
  await it.take(page);
  await page.bringToFront();
}

test("two tabs that both write, since the browser's locks do not hold: what one has not seen it does not write over", when, async () => {
  await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  // So that nothing is written but what is done here.
  it.line.pull();
  await it.task("inbound");
  await it.read([code("D2")]);
  const [first, second] = [it.page, await it.blank()];
  await second.addInitScript(() => {
    LockManager.prototype.request = (name, options, then) => (then ?? options)({ name });
  });
  const isReady = (page) => page.waitForSelector("#app[data-ready]");
  await second.goto(`${ORIGIN}/app/`);
  await isReady(second);
  // The first goes on, and the second does not know of it: it says plainly that what it reads is not
  // saved, and begins anew.
  await inTab(first);
  await it.read([code("D3")], 1);
  const refused = async (page, text) => {
    await inTab(page);
    const told = async () => {
      await it.scan(text);
      await it.told("没有保存");
    };
    await Promise.all([page.waitForNavigation(), told()]);
    await isReady(page);
  };
  await refused(second, code("D4"));
  await it.count(2);
  await it.read([code("D4")], 2);
  // And the other way round, with an act.
  await refused(first, code("D5"));
  await it.count(3);
  await it.confirm();
  promised("D2", "D3", "D4");
  await refused(second, "SUYUAN-CONFIRM");
  await it.page.waitForSelector('[data-do="inbound"]');
  await second.close();
  await inTab(first);
  it.line.plug();
  await it.wake();
  await checked();
  assert.deepEqual(it.errors, []);
});

test("a browser that empties its storage under the app: nothing is said to be saved there, and what was is sent", when, async () => {
  const own = await shop();
  try {
    await own.open();
    await own.enrol();
    own.line.pull();
    await own.act("inbound", ["R0"]);
    await own.task("inbound");
    await own.session.send("Storage.clearDataForOrigin", { origin: ORIGIN, storageTypes: "indexeddb" });
    await own.scan(code("R1"));
    await own.told("没有保存");
    await own.count(0);
    own.line.plug();
    await own.wake();
    await until("what was saved before", () => own.events().length > 0);
    assert.deepEqual(own.events().map(({ units }) => serialOf(units[0].code)), [serial("R0")]);
  } finally {
    await own.close();
  }
});

test("a disk that is really full: what is not on it is not counted and not said to be saved; with room again the work goes on", when, async (t) => {
  const disk = await smallDisk();
  if (!disk) return t.skip("this process may not mount a disk");
  // A browser tells little of a small disk; the app would take it for a private window.
  const roomy = () => {
    navigator.storage.estimate = async () => ({ quota: 1e11, usage: 0 });
  };
  const seen = witness();
  const own = Object.assign(await shop(roomy, { disk: disk.folder, seen }), { seen });
  const kept = [];
  try {
    await own.open();
    await own.enrol();
    const acted = async (name) => {
      await own.act("inbound", [name]);
      kept.push(serial(name));
    };
    await acted("F0");
    const goods = Array.from({ length: 8 }, (_, n) => code(`X${n}`));
    const refused = await filled(own, disk, goods, (tins) => kept.push(...tins.map(serialOf)));
    assert.ok(refused > 0 && goods.length > 0, "the disk was full");
    // What was told not to be saved is done again.
    await own.state("inbound", goods.slice(0, 1));
    kept.push(serialOf(goods[0]));
    for (let n = 0; n < 2; n += 1) await acted(`G${n}`);
    await own.unsent(0);
    assert.deepEqual(own.events().map(({ units }) => serialOf(units[0].code)), kept);
    assert.deepEqual(own.events().map(({ seq }) => seq), kept.map((_, at) => at + 1));
    const rows = await own.rows();
    assert.deepEqual(rows.map(({ text }) => text), [...own.held().values()], "and on the disk");
  } finally {
    await own.close();
    await disk.close();
  }
});
