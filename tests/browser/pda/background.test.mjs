// Background Sync in a real browser: the page asks for it when it goes with something unsent and when an
// upload fails, and is woken by the call. The call is made by the browser's own development tools, since
// its own moment cannot be had.

import "./shared.mjs";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cannot } from "./chromium.mjs";
import { ORIGIN, PUSH, shop, toPushes } from "./shop.mjs";
import { serial, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 120_000 };
let it;
/** A page of the origin on which no app runs, for the development tools. */
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
  await desk.goto(`${ORIGIN}/app/precache.js`);
  tools = await it.browser.context.newCDPSession(desk);
  tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => (registration = registrations.at(-1)?.registrationId ?? registration));
  await tools.send("ServiceWorker.enable");
  for (let n = 0; n < 200 && !registration; n += 1) await desk.waitForTimeout(20);
  await it.page.bringToFront();
});
after(() => it?.close());

/** The browser finds a network and calls the worker. */
const call = (tag = "suyuan-unsent") => tools.send("ServiceWorker.dispatchSyncEvent", { origin: ORIGIN, registrationId: registration, tag, lastChance: false });
const until = async (done, what) => {
  for (let n = 0; n < 500; n += 1) {
    if (await done()) return;
    await desk.waitForTimeout(20);
  }
  assert.fail(what);
};
const serials = () => it.events().flatMap(({ units = [] }) => units.map(({ code }) => serialOf(code)));

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
  it.line.misbehave = toPushes(() => null);
  await it.act("inbound", ["P1"]);
  await it.page.waitForFunction(() => window.asked.length === 1);
  const tried = () => it.calls(PUSH).length;
  const before = tried();
  await it.wake();
  await until(() => tried() > before, "it is tried again");
  await it.page.waitForTimeout(100);
  assert.deepEqual(await it.page.evaluate(() => window.asked), ["suyuan-unsent"]);
  await hide();
  assert.deepEqual(await it.page.evaluate(() => window.asked), ["suyuan-unsent", "suyuan-unsent"]);
});

test("a page that is open is woken, and sends itself", when, async () => {
  await it.page.evaluate(() => navigator.serviceWorker.addEventListener("message", ({ data }) => (window.woken = data)));
  it.line.misbehave = () => undefined;
  await call("something else");
  await desk.waitForTimeout(200);
  assert.equal(await it.page.evaluate(() => window.woken), undefined);
  await call();
  await it.page.waitForFunction(() => window.woken === "suyuan-unsent");
  await it.unsent(0);
  assert.deepEqual(serials(), ["P0", "P1"].map(serial));
  assert.deepEqual(it.errors, []);
});

