// Background Sync in a real browser: what is unsent goes up although the app was closed, by one writer;
// a page that comes takes over at once, and one that is there is woken. The browser's call is made by
// its own development tools, since its own moment cannot be had.

import "./shared.mjs";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shop } from "./app.mjs";
import { cannot } from "./chromium.mjs";

const when = { skip: cannot, timeout: 120_000 };
let it;
/** A page of the origin that is none of the app's, for the development tools. */
let desk;
let tools;
let registration;

/** What the app asks the browser for; nothing is really asked, so that calls come when the test makes them. */
const spy = () => {
  window.asked = [];
  window.SyncManager.prototype.register = async (tag) => void window.asked.push(tag);
};

before(async () => {
  if (cannot) return;
  it = await shop(spy);
  await it.open();
  await it.enrol();
  await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  desk = await it.browser.context.newPage();
  await desk.goto(`${it.server.origin}/app/blank.html`);
  tools = await it.browser.context.newCDPSession(desk);
  tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => (registration = registrations.at(-1)?.registrationId ?? registration));
  await tools.send("ServiceWorker.enable");
  for (let n = 0; n < 200 && !registration; n += 1) await desk.waitForTimeout(20);
  await it.page.bringToFront();
});
after(() => it?.close());

/** The browser finds a network and calls the worker. */
const call = (tag = "suyuan-unsent") => tools.send("ServiceWorker.dispatchSyncEvent", { origin: it.server.origin, registrationId: registration, tag, lastChance: false });
const until = async (done, what) => {
  for (let n = 0; n < 500; n += 1) {
    if (await done()) return;
    await desk.waitForTimeout(20);
  }
  assert.fail(what);
};
const serials = () => it.events().flatMap(({ units = [] }) => units.map(({ code }) => code.slice(code.lastIndexOf(")") + 1)));
const isFree = () => desk.evaluate(() => navigator.locks.query().then(({ held }) => held.length === 0));

test("the browser is asked when an upload fails, not in a circle, and when the page goes with something unsent", when, async () => {
  await it.act("inbound", ["P0"]);
  await it.unsent(0);
  const hide = () => it.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.hidden;
  });
  await hide();
  assert.deepEqual(await it.page.evaluate(() => window.asked), [], "all is sent");
  it.own.misbehave = ({ url }) => (url.pathname === "/v1/sync/push" ? null : undefined);
  await it.act("inbound", ["P1"]);
  await it.page.waitForFunction(() => window.asked.length === 1);
  const tried = () => it.server.state.calls.filter(({ url }) => url.pathname === "/v1/sync/push").length;
  const before = tried();
  await it.page.evaluate(() => dispatchEvent(new Event("online")));
  await until(() => tried() > before, "it is tried again");
  await it.page.waitForTimeout(100);
  assert.deepEqual(await it.page.evaluate(() => window.asked), ["suyuan-unsent"]);
  await hide();
  assert.deepEqual(await it.page.evaluate(() => window.asked), ["suyuan-unsent", "suyuan-unsent"]);
});

test("a page that is open is woken, and sends itself", when, async () => {
  await it.page.evaluate(() => navigator.serviceWorker.addEventListener("message", ({ data }) => (window.woken = data)));
  it.own.misbehave = () => undefined;
  await call();
  await it.page.waitForFunction(() => window.woken === "suyuan-unsent");
  await it.unsent(0);
  assert.deepEqual(serials(), ["P0", "P1"]);
});

test("with the app closed the worker sends what is unsent, byte for byte, and the app finds it receipted", when, async () => {
  it.own.misbehave = ({ url }) => (url.pathname === "/v1/sync/push" ? null : undefined);
  await it.act("inbound", ["W1"]);
  await it.act("outbound", ["W2"]);
  const kept = await it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    return (await (await Store.open(indexedDB, "suyuan-device")).disk("", "")).inOrder().map(({ text }) => text);
  });
  await it.page.close();
  await until(isFree, "the page is gone");
  // The server is down still: nothing is lost by trying.
  await call();
  await desk.waitForTimeout(500);
  await until(isFree, "the worker is done");
  assert.deepEqual(serials(), ["P0", "P1"]);
  it.own.misbehave = () => undefined;
  await call("something else");
  await desk.waitForTimeout(300);
  assert.deepEqual(serials(), ["P0", "P1"]);
  await call();
  await until(() => serials().length === 4, "the worker sends");
  assert.deepEqual([...it.own.log.values()], kept);
  await until(isFree, "the worker is done");
  const pushes = it.own.pushes;
  await it.open();
  await it.unsent(0);
  assert.equal(it.own.pushes, pushes, "nothing is sent twice");
  await it.act("inbound", ["W3"]);
  await it.unsent(0);
  assert.deepEqual(serials(), ["P0", "P1", "W1", "W2", "W3"]);
});

test("a page that opens while the worker sends takes over at once, and nothing is lost or there twice", when, async () => {
  it.own.misbehave = ({ url }) => (url.pathname === "/v1/sync/push" ? null : undefined);
  await it.act("inbound", ["T1"]);
  await it.page.close();
  await until(isFree, "the page is gone");
  // An answer that takes its time.
  it.own.misbehave = () => undefined;
  const { answer } = it.own;
  let open = () => {};
  let asked = 0;
  it.own.answer = async (call) => {
    const told = await answer(call);
    if (call.url.pathname === "/v1/sync/push" && ++asked === 1) await new Promise((resolve) => (open = resolve));
    return told;
  };
  await call();
  await until(() => asked === 1, "the worker sends");
  const from = performance.now();
  await it.open();
  const took = performance.now() - from;
  assert.ok(took < 10_000, `ready after ${took} ms`);
  await it.unsent(0);
  assert.ok(asked >= 2, "the page sends it once more, for it was told nothing");
  open();
  await it.act("inbound", ["T2"]);
  await it.unsent(0);
  assert.deepEqual(serials(), ["P0", "P1", "W1", "W2", "W3", "T1", "T2"]);
  it.own.answer = answer;
  await it.page.reload();
  await it.page.waitForSelector('#app[data-ready] [data-unsent="0"]');
  assert.deepEqual(it.errors, []);
});
