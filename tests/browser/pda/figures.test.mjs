// Figures of the app in front of the real program, which shelved its twenty thousand units: how much is loaded first, how soon it is ready with no network on a slow
// processor, how long from a scan to its beep, and how a long list scrolls. Printed as they are; bytes
// are held to the budget, times with slack, since machines that test are busy.

import "./shared.mjs";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cannot } from "./chromium.mjs";
import { firstLoad } from "./precache.mjs";
import { stocked } from "./shelves.mjs";
import { shop } from "./shop.mjs";
import { code, undated } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };
/** How much slower than the budget a busy machine may be. */
const SLACK = 5;
const CARDS = 20_000;
const SCANS = 5_000;
const UNSENT = 2_000;
let it;
let asked;
/** What is on the shelves, as labels. */
let tins;

const watch = () => {
  window.beeps = [];
  let pressed = 0;
  document.addEventListener("keydown", (event) => event.key === "Enter" && (pressed = event.timeStamp), { capture: true });
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...call) {
    if (pressed > 0) window.beeps.push(performance.now() - pressed);
    pressed = 0;
    return start.apply(this, call);
  };
  const seen = new MutationObserver(() => {
    if (document.getElementById("app")?.dataset.ready && !window.readyAt) window.readyAt = performance.now();
  });
  seen.observe(document, { subtree: true, attributes: true, childList: true });
};

before(async () => {
  if (cannot) return;
  const shelves = await stocked(CARDS);
  ({ tins } = shelves);
  it = await shop(watch, { beside: shelves });
  asked = new Set();
  it.browser.context.on("request", (request) => {
    // The worker asks for everything; the page only for what it needs.
    if (request.frame && !request.serviceWorker()) asked.add(new URL(request.url()).pathname.replace("/app/", ""));
  });
  await it.open();
});
after(() => it?.close());

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const high = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * 0.95)];

test("the first load is below 150 kB compressed, and is what the page asks for", when, async () => {
  const files = firstLoad();
  const known = [...asked].map((name) => (name === "" ? "index.html" : name)).filter((name) => name !== "sw.js" && name !== "precache.js");
  // What is fetched later may have begun already.
  for (const name of files) if (name !== "precache.js" && !/icon|webmanifest/.test(name)) assert.ok(known.includes(name), `${name} is not asked for`);
  const size = (name) => gzipSync(readFileSync(new URL(`../../../api/src/pda/app/${name}`, import.meta.url)), { level: 9 }).length;
  const bytes = files.reduce((sum, name) => sum + size(name), 0);
  console.log(`first load: ${files.length} files, ${(bytes / 1000).toFixed(1)} kB in gzip`);
  assert.ok(bytes < 150_000, `${bytes} bytes`);
});

test("ready with no network, the processor slowed down six times, with twenty thousand units at hand", when, async () => {
  await it.enrol();
  await it.page.waitForSelector('[data-offline="ready"]', { timeout: 60_000 });
  const cards = await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    return (await (await Store.open(indexedDB, "suyuan-device")).units()).length;
  });
  assert.equal(cards, CARDS);
  await it.page.close();
  await it.open();
  it.line.pull();
  const times = [];
  for (let n = 0; n < 9; n += 1) {
    await it.session.send("Emulation.setCPUThrottlingRate", { rate: 6 });
    await it.page.reload();
    await it.page.waitForSelector("#app[data-ready]");
    times.push(await it.page.evaluate(() => window.readyAt));
  }
  await it.session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  console.log(`ready offline, processor six times slower: ${Math.round(middle(times))} ms (nine loads: ${times.map(Math.round).join(", ")})`);
  assert.ok(middle(times) < 1000 * SLACK);
});

test("from a scan to its beep, with twenty thousand units and thousands of unsent records", when, async () => {
  // Records of earlier hours, none of them sent.
  await it.page.evaluate(async (unsent) => {
    const { Store } = await import("/app/device/store.js");
    const { links } = await import("/app/core/chain.js");
    const store = await Store.open(indexedDB, "suyuan-device");
    const identity = await store.identity();
    const { genesis } = await import("/app/core/chain.js");
    const disk = await store.disk(identity.device, await genesis(identity.device, identity.epoch));
    const text = (n) => JSON.stringify({ v: 1, kind: "sale", event_id: `018f2f6e-0000-7000-8000-${String(n).padStart(12, "0")}`, device: identity.device, epoch: disk.epoch, seq: disk.next + n, at: new Date().toISOString(), location: identity.location, units: [{ code: `(01)06901234567892(21)O${n}`, input: "wedge" }] });
    const made = await links(disk.head, Array.from({ length: unsent }, (_, n) => text(n)));
    const rows = made.map(({ prev_hash, hash, text }, n) => ({ key: [disk.epoch, disk.next + n], prev_hash, hash, text, state: { is: "durable" } }));
    await store.commit({ id: 0, rows }, {});
  }, UNSENT);
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  await it.unsent(UNSENT);
  await it.task("sale");
  await it.scan(undated("A"));
  await it.page.waitForSelector(".stop.ask");
  await it.press("take_anyway");
  await it.count(1);
  await it.press("cancel");
  await it.task("inbound");
  await it.page.evaluate(() => (window.beeps = []));
  for (let n = 0; n < 40; n += 1) {
    await it.scan(tins[n * 400]);
    await it.count(n + 1);
    // What is drawn for another reason meanwhile may show the count before the beep, which is for what is kept.
    await it.page.waitForFunction((beeps) => window.beeps.length > beeps, n);
  }
  const beeps = await it.page.evaluate(() => window.beeps);
  assert.equal(beeps.length, 40);
  console.log(`scan to beep, ${CARDS} units and ${UNSENT} unsent: ${middle(beeps).toFixed(1)} ms, 95 of 100 below ${high(beeps).toFixed(1)} ms`);
  assert.ok(middle(beeps) < 50 * SLACK);
  await it.press("cancel");
});

test("a list of five thousand scans: what is in sight is drawn, it scrolls, and the next scan is no slower", when, async () => {
  await it.task("inbound");
  await it.page.evaluate(async (scans) => {
    const { Store } = await import("/app/device/store.js");
    const store = await Store.open(indexedDB, "suyuan-device");
    const task = await store.record("task");
    const line = (n) => ({ code: `(01)06901234567892(21)L${n}`, input: "wedge", at: n, qty: 1, surplus: false, override: null, unit: `/01/06901234567892/21/L${n}`, gtin: "06901234567892", lot: null });
    const lines = Array.from({ length: scans }, (_, n) => line(n));
    await store.commit(null, { records: { task: { ...task, goods: { lines, changes: lines.map((_, index) => ({ index, was: 0 })) } } } });
  }, SCANS);
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  await it.count(SCANS);
  await it.page.evaluate(() => (window.beeps = []));
  for (let n = 1; n <= 15; n += 1) {
    await it.scan(code(`Z${n}`));
    await it.count(SCANS + n);
  }
  const beeps = await it.page.evaluate(() => window.beeps);
  const frames = await it.page.evaluate(async () => {
    const times = [];
    let last = performance.now();
    let drawn = 0;
    for (let n = 0; n < 240; n += 1) {
      scrollBy(0, n < 120 ? 900 : -900);
      await new Promise((done) => requestAnimationFrame(done));
      const now = performance.now();
      times.push(now - last);
      last = now;
      drawn = Math.max(drawn, document.querySelectorAll("ol.long li").length);
      const list = [...document.querySelectorAll("ol.long")].at(-1).getBoundingClientRect();
      // Whatever the page stands at, rows are there.
      if (list.top < 0 && list.bottom > innerHeight && !document.elementFromPoint(100, 250)?.closest("li")) throw new Error("a hole in the list");
    }
    return { times, drawn };
  });
  console.log(`with ${SCANS} scans in the task: scan to beep ${middle(beeps).toFixed(1)} ms; scrolling ${middle(frames.times).toFixed(1)} ms a frame, 95 of 100 below ${high(frames.times).toFixed(1)} ms; ${frames.drawn} rows drawn`);
  assert.ok(frames.drawn < 100, `${frames.drawn} rows`);
  assert.ok(middle(frames.times) < 17 * SLACK);
  assert.ok(middle(beeps) < 50 * SLACK);
  assert.deepEqual(it.errors, []);
});
