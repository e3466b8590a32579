// A disk that keeps what it says it has not: the transaction is told to have failed, and turns out to be there.
// Who makes the act again, gives it up, or starts anew has it once, never, or is told that it is there.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { cannot } from "./chromium.mjs";
import { shop } from "./shop.mjs";
import { code, serial, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };

/** In a page: so many of the next transactions with events in them are committed, and told to have failed. */
function lies(times) {
  const { put } = IDBObjectStore.prototype;
  const stated = new WeakSet();
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === "rows") stated.add(this.transaction);
    return put.apply(this, given);
  };
  const { prototype } = IDBTransaction;
  const own = Object.getOwnPropertyDescriptor(prototype, "oncomplete");
  let left = times;
  Object.defineProperty(prototype, "oncomplete", {
    ...own,
    set(run) {
      own.set.call(this, (event) => {
        const isLie = stated.has(this) && left-- > 0;
        if (isLie) this.onabort(event);
        else run.call(this, event);
      });
    },
  });
}

/** A device with a cable that is out, and goods in hand that were told not to be saved. */
async function told(tell) {
  const it = await shop();
  try {
    await it.open();
    await it.enrol();
    await it.pulled();
    await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    it.line.pull();
    await it.act("inbound", ["N0"]);
    await it.page.evaluate(lies, 1);
    await it.task("inbound");
    await it.read([code("N1"), code("N2")]);
    await it.scan("SUYUAN-CONFIRM");
    await it.told("没有保存");
    await tell(it);
    assert.deepEqual(it.errors, []);
  } finally {
    await it.close();
  }
}

/** Everything arrives; goods of each event that the server holds. */
async function arrived(it) {
  it.line.plug();
  await it.wake();
  await it.unsent(0);
  const { missing_ranges: missing } = await it.status();
  assert.deepEqual(missing, []);
  return it.events().map(({ units }) => units.map(({ code }) => serialOf(code)));
}

/** What was saved before, and what was told not to be. */
const [first, lost] = [() => ["N0"].map(serial), () => ["N1", "N2"].map(serial)];

test("made again in the same session it is one act", when, () =>
  told(async (it) => {
    await it.count(2);
    await it.confirm();
    assert.deepEqual(await arrived(it), [first(), lost()]);
    await it.battery();
    await it.open();
    assert.equal(await it.page.locator("[data-found]").count(), 0);
  }));

test("given up it is not there, behind a restart neither", when, () =>
  told(async (it) => {
    await it.scan("SUYUAN-CANCEL");
    await it.page.waitForSelector('[data-do="inbound"]');
    await it.battery();
    await it.open();
    await it.unsent(1);
    assert.equal(await it.page.locator("[data-found]").count(), 0);
    await it.act("inbound", ["N3"]);
    assert.deepEqual(await arrived(it), [first(), [serial("N3")]]);
  }));

test("another scan, and a restart: the goods are in hand as they were, and the act is not there", when, () =>
  told(async (it) => {
    await it.scan(code("N4"));
    await it.count(3);
    await it.battery();
    await it.open();
    await it.count(3);
    await it.unsent(1);
    await it.confirm();
    assert.deepEqual(await arrived(it), [first(), [...lost(), serial("N4")]]);
  }));

test("restarted at once it is there, and that is told until somebody says that it was seen", when, () =>
  told(async (it) => {
    for (let start = 0; start < 2; start += 1) {
      await it.battery();
      await it.open();
      const found = it.page.locator("[data-found]");
      await found.waitFor();
      assert.match(await found.textContent(), /最后一次提交已保存.*入库 × 2.*不要重做/);
    }
    await it.unsent(2);
    await it.scan("SUYUAN-ACKNOWLEDGE");
    await it.page.waitForSelector("[data-found]", { state: "detached" });
    await it.battery();
    await it.open();
    assert.equal(await it.page.locator("[data-found]").count(), 0);
    assert.deepEqual(await arrived(it), [first(), lost()]);
  }));

test("what was told to be saved a while ago is not told again", when, () =>
  told(async (it) => {
    await it.confirm();
    await it.page.waitForTimeout(2500);
    await it.battery();
    await it.open();
    assert.equal(await it.page.locator("[data-found]").count(), 0);
    assert.deepEqual(await arrived(it), [first(), lost()]);
  }));
