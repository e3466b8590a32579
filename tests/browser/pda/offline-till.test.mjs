// A till with no network, in a real browser: when its recall list counts as old, what it remembers of
// containers, and what it makes of serials that people type in small letters. The policy, the list and the cards come from the real program over TLS.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { cannot } from "./chromium.mjs";
import { shop } from "./shop.mjs";
import { box, code, pallet, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };

/** A wall that the test sets forth. */
const CLOCK = () => {
  const real = Date.now.bind(Date);
  Date.now = () => real() + (window.ahead ?? 0);
};
const HOURS = 3_600_000;

test("a list is too old by the policy that the server judges by: 4 hours where it says 4, not where it says 24", when, async (t) => {
  const it = await shop(CLOCK);
  t.after(() => it.close());
  await it.open();
  await it.enrol();
  // It starts anew with no network later on.
  await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const chip = (look, words) => 
    it.page.waitForFunction(
      ([look, words]) => {
        const chip = document.querySelector('[data-chip="list"]');
        return chip?.className === look && chip.textContent.includes(words);
      },
      [look, words],
    );
  const ahead = async (hours) => {
    await it.page.evaluate((ms) => {
      window.ahead = ms;
      dispatchEvent(new Event("offline"));
    }, hours * HOURS);
  };
  /** Told the policy now, then offline for so long. */
  const told = async (hours) => {
    const policy = await it.at.platform.call("GET", "/v1/policy");
    await it.at.platform.call("POST", "/v1/policy", { ...policy, list_age_s: hours * 3600 });
    it.line.plug();
    await it.pulled();
    await chip("", "召回名单 0 分钟");
    it.line.pull();
  };
  await told(4);
  await ahead(3.9);
  await chip("", "3 小时");
  await it.task("sale");
  await it.scan(code("YOUNG"));
  await it.count(1);
  await ahead(4.1);
  await chip("bad", "召回名单过旧");
  await it.scan(code("OLD"));
  await it.page.waitForSelector(".stop.ask");
  assert.match(await it.page.locator(".stop").textContent(), /召回名单过旧/);
  await it.press("take_anyway");
  await it.count(2);
  await ahead(12.1);
  await chip("worse", "召回名单过旧");
  // Another policy: the same age is fine.
  await told(24);
  await ahead(12.1 + 23.9);
  await chip("", "23 小时");
  await it.scan(code("FINE"));
  await it.count(3);
  // It holds over a cold start with no network.
  await it.page.reload();
  await it.page.waitForSelector("#app[data-ready]");
  await ahead(12.1 + 24.2);
  await chip("bad", "召回名单过旧");
  assert.deepEqual(it.errors, []);
});

test("what was done here to a case by its own code stops the tins in it, with no network: sold, fetched back, destroyed", when, async (t) => {
  const clerk = await shop();
  t.after(() => clerk.close());
  await clerk.open();
  await clerk.enrol();
  const NAMES = ["SALE", "COLLECT", "DESTROY", "LEFT", "PALLET"];
  await clerk.act("inbound", NAMES.map((name) => `IN-${name}`));
  const packed = async (container, content) => {
    await clerk.task("pack");
    await clerk.scan(container);
    await clerk.told("容器");
    await clerk.read([content]);
    await clerk.confirm();
  };
  for (const name of NAMES) await packed(box(name), code(`IN-${name}`));
  await packed(pallet("PALLET"), box("PALLET"));
  await clerk.unsent(0);
  // What the clerk packed, the till is told when it begins.
  const it = await shop(null, { beside: clerk });
  t.after(() => it.close());
  await it.open();
  await it.enrol();
  it.line.pull();
  for (const [task, name] of [["sale", "SALE"], ["collect", "COLLECT"], ["destroy", "DESTROY"], ["destroy", "PALLET"]]) {
    await it.task(task);
    await it.scan(name === "PALLET" ? pallet(name) : box(name));
    await it.page.waitForSelector('.stop.ask, [data-count="1"]');
    if (await it.page.isVisible(".stop.ask")) await it.press("take_anyway");
    await it.count(1);
    await it.scan("SUYUAN-CONFIRM");
    await it.told("已保存在本机");
  }
  await it.unsent(4);
  await it.task("sale");
  for (const [name, words] of [
    ["SALE", /已售出/],
    ["COLLECT", /已召回收回/],
    ["DESTROY", /已销毁/],
    ["PALLET", /已销毁/],
  ]) {
    await it.scan(code(`IN-${name}`));
    await it.page.waitForSelector(".stop:not(.ask)");
    const box = await it.page.evaluate(() => {
      const { x, y, width, height } = document.querySelector(".stop").getBoundingClientRect();
      return [x, y, width, height];
    });
    assert.deepEqual(box, [0, 0, 360, 640], name);
    assert.match(await it.page.locator(".stop").textContent(), words);
    await it.press("acknowledge");
    await it.page.waitForSelector(".stop", { state: "detached" });
  }
  // A tin of a case that nobody touched.
  await it.scan(code("IN-LEFT"));
  await it.page.waitForSelector('.stop.ask, [data-count="1"]');
  assert.doesNotMatch(await it.page.locator("main").textContent(), /已售出|收回|已销毁/);
  assert.deepEqual(it.errors, []);
});

test("a recalled tin that is taken all the same is told as such by its name, and marked in the list, with no network", when, async (t) => {
  const it = await shop();
  t.after(() => it.close());
  await it.open();
  await it.enrol();
  const TASKS = ["inbound", "outbound", "count", "pack"];
  const bad = TASKS.map((name) => code(`W-${name}`));
  await it.desk.call("POST", "/v1/recalls", { codes: bad, reason: "漏装勺", instructions: "退回门店", initiated_at: new Date(Date.now() - 3_600_000).toISOString(), responsible: "Q-1" });
  await it.pulled();
  it.line.pull();
  for (const [at, task] of TASKS.entries()) {
    await it.task(task);
    if (task === "pack") {
      await it.scan(box("W-CASE"));
      await it.told("容器");
    }
    await it.scan(bad[at]);
    await it.count(1);
    const said = await it.page.locator("main [role=status]").textContent();
    assert.equal(said, `! 已加入，请注意，已召回三段奶粉 · ${serialOf(bad[at])}`, task);
    await it.scan(code(`W-good-${task}`));
    await it.count(2);
    // What was said is gone with the next scan: the list goes on saying so.
    const lines = await it.page.locator("main ol.lines li").allTextContents();
    assert.deepEqual(lines, [`✓ 三段奶粉 · ${serialOf(code(`W-good-${task}`))}`, `! 已召回 · 三段奶粉 · ${serialOf(bad[at])}`], task);
    await it.press("cancel");
  }
  assert.deepEqual(it.errors, []);
});

test("a tin that is typed in small letters is the tin, with no network: recalled, it is stopped; sold, its label is", when, async (t) => {
  const it = await shop();
  t.after(() => it.close());
  await it.open();
  await it.enrol();
  await it.act("inbound", ["T-SOLD", "T-PACKED"]);
  await it.unsent(0);
  await it.desk.call("POST", "/v1/recalls", { codes: [code("T-RECALLED")], reason: "漏装勺", instructions: "退回门店", initiated_at: new Date(Date.now() - 3_600_000).toISOString(), responsible: "Q-1" });
  await it.pulled();
  it.line.pull();
  const small = (label) => label.replace(serialOf(label), serialOf(label).toLowerCase().replaceAll("0", "o"));
  const typed = async (text) => {
    // What was typed before is taken, and the field drawn anew.
    await it.page.waitForFunction(() => document.querySelector("#typed")?.value === "");
    await it.page.fill("#typed", text);
    await it.page.locator("section [data-do=add]").last().click();
  };
  const stopped = async (words, meant) => {
    await it.page.waitForSelector(".stop:not(.ask)");
    const text = await it.page.locator(".stop").textContent();
    assert.match(text, words);
    const taken = `判断依据此码： ${meant}`;
    assert.equal(text.includes(taken), meant !== null, text);
    await it.press("acknowledge");
    await it.page.waitForSelector(".stop", { state: "detached" });
  };
  await it.task("sale");
  // What a machine read is what it says: of this serial nothing is known.
  await it.scan(small(code("T-RECALLED")));
  await it.count(1);
  await it.press("undo");
  await it.count(0);
  await typed(small(code("T-RECALLED")));
  await stopped(/已召回/, serialOf(code("T-RECALLED")));
  // Sold by what was typed: its label is stopped.
  await typed(small(code("T-SOLD")));
  await it.count(1);
  await it.scan("SUYUAN-CONFIRM");
  await it.told("已保存在本机");
  await it.task("sale");
  await it.scan(code("T-SOLD"));
  await stopped(/已售出/, null);
  await typed(small(code("T-SOLD")));
  await stopped(/已售出/, null);
  await it.press("cancel");
  // Packed by what was typed, into a case that was typed, which is sold by its label.
  await it.task("pack");
  await typed(small(box("T-CASE")));
  await it.told("容器");
  await typed(small(code("T-PACKED")));
  await it.count(1);
  await it.confirm();
  await it.task("sale");
  await it.scan(box("T-CASE"));
  await it.page.waitForSelector('.stop.ask, [data-count="1"]');
  if (await it.page.isVisible(".stop.ask")) await it.press("take_anyway");
  await it.count(1);
  await it.confirm();
  await it.task("sale");
  await it.scan(code("T-PACKED"));
  await stopped(/已售出/, null);
  await it.press("cancel");
  // A recalled tin, packed here with no network, keeps its case from being sold.
  await it.task("pack");
  await it.scan(box("T-BAD"));
  await it.told("容器");
  await it.scan(code("T-RECALLED"));
  await it.count(1);
  await it.confirm();
  await it.task("sale");
  await it.scan(box("T-BAD"));
  await stopped(/已召回/, serialOf(code("T-RECALLED")));
  assert.deepEqual(it.errors, []);
});
