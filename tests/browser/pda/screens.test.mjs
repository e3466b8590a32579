// The app itself in a real browser, on the real program over TLS: out of the box, a shift with no network,
// the stop at the till, hostile text, and everybody's eyes and thumbs.

import "./shared.mjs";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { requirePackage } from "../browser.mjs";
import { cannot } from "./chromium.mjs";
import { typeKeys } from "./keys.mjs";
import { ORIGIN, shop } from "./shop.mjs";
import { code, expired, undated } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };

let it;
/** The page that is worked with, as `it` has it. */
let page;

before(async () => {
  if (cannot) return;
  it = await shop();
  await opened();
});
after(() => it?.close());

/** The app in a tab of its own, ready. */
async function opened() {
  await it.open();
  ({ page } = it);
}

const scan = (text) => it.scan(text);
const press = (word) => it.press(word);
const told = (text) => it.told(text);
const count = (wanted) => it.count(wanted);
const kinds = () => it.events().map(({ kind }) => kind);

/** What is on the screen can be seen and reached by everybody, in all sizes; pictures for who asked for them. */
async function check(name) {
  const axe = readFileSync(requirePackage.resolve("axe-core/axe.min.js"), "utf8");
  for (const [width, height] of [[320, 640], [360, 640], [800, 1280], [1366, 768]]) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const wrong = await page.evaluate(() => {
      const small = [...document.querySelectorAll("button, input")].filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width < 64 || height < 64;
      });
      const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
      return [...small.map((element) => `small: ${element.outerHTML.slice(0, 80)}`), ...(wide ? ["wider than the screen"] : [])];
    });
    assert.deepEqual(wrong, [], `${name} ${width}`);
    if (process.env.SUYUAN_TEST_SHOTS) await page.screenshot({ path: join(process.env.SUYUAN_TEST_SHOTS, `${name}-${width}.png`) });
  }
  await page.setViewportSize({ width: 360, height: 640 });
  // Past the page's own policy, which forbids scripts of others.
  await it.session.send("Runtime.evaluate", { expression: axe });
  const { result } = await it.session.send("Runtime.evaluate", {
    expression: "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ' ' + v.nodes[0].html)))",
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(result.value, "[]", name);
}

test("out of the box: a wrong code is told, the QR enrols, the tasks are there", when, async () => {
  const ticket = JSON.parse(it.ticket());
  await check("enrol-zh");
  await scan("6901234567892");
  await told("这不是注册二维码");
  await check("enrol-refused-zh");
  await press("language");
  await check("enrol-refused-en");
  await press("language");
  await scan(JSON.stringify({ ...ticket, url: "https://nowhere.invalid" }));
  await told("另一个地址");
  await scan(JSON.stringify({ ...ticket, url: ORIGIN }));
  await page.waitForSelector('[data-do="inbound"]');
  assert.equal(await page.locator("main .grid").first().locator("button").count(), 12);
  await page.waitForSelector(".strip");
});

test("a task by the scanner alone, with no field in focus: badge, task, goods, undo, done", when, async () => {
  await scan("SUYUAN-WHO-W17");
  await told("W17");
  await scan("SUYUAN-TASK-INBOUND");
  await page.waitForSelector("[data-count]");
  await scan(code("A"));
  await count(1);
  await told("已加入");
  await scan(code("B"));
  await count(2);
  await scan(code("A"));
  await told("未重复计数");
  await scan("SUYUAN-UNDO");
  await count(1);
  await scan("SUYUAN-CONFIRM");
  await told("已保存在本机");
  await it.unsent(0);
  const [event] = it.events();
  assert.deepEqual([event.kind, event.location, event.actor.id], ["inbound", it.place, "W17"]);
  assert.deepEqual(event.units, [{ code: code("A"), input: "wedge" }]);
});

test("with no network it starts cold, takes up the task that was open, and works; later all arrives", when, async () => {
  await scan("SUYUAN-TASK-OUTBOUND");
  await page.waitForSelector("[data-count]");
  await scan(code("A"));
  await count(1);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  it.line.pull();
  await it.battery();
  await opened();
  assert.equal(await page.locator("h1").first().textContent(), "出库");
  await count(1);
  await page.waitForFunction(() => document.querySelector(".strip").textContent.includes("离线"));
  await scan(code("C"));
  await count(2);
  await press("confirm");
  await page.waitForSelector("[data-partner]");
  for (const words of ["物流企业", "到达地点"]) {
    await scan("SUYUAN-SKIP");
    await page.waitForFunction((words) => document.querySelector('label[for="answer"]')?.textContent.includes(words), words);
  }
  await scan("SUYUAN-SKIP");
  await told("已保存在本机");
  await it.unsent(1);
  assert.deepEqual(kinds(), ["inbound"]);
  await page.reload();
  await page.waitForSelector('#app[data-ready] [data-unsent="1"]');
  it.line.plug();
  await it.unsent(0);
  assert.deepEqual(kinds(), ["inbound", "outbound"]);
});

test("the till says no: the stop fills the screen, takes no scan, and only a supervisor's badge overrules it, offline too", when, async () => {
  await scan("SUYUAN-TASK-SALE");
  await page.waitForSelector("[data-count]");
  await scan(expired("OLD"));
  await page.waitForSelector(".stop");
  const box = await page.evaluate(() => {
    const { x, y, width, height } = document.querySelector(".stop").getBoundingClientRect();
    return [x, y, width, height];
  });
  assert.deepEqual(box, [0, 0, 360, 640]);
  assert.match(await page.locator(".stop").textContent(), /停止.*已过期/s);
  await scan(code("GOOD"));
  await scan("SUYUAN-CONFIRM");
  assert.equal(await page.locator(".stop").count(), 1, "neither goods nor a command");
  await press("acknowledge");
  await page.waitForSelector(".stop", { state: "detached" });
  await count(0);
  await scan(expired("OLD2"));
  await page.waitForSelector(".stop");
  assert.match(await page.locator(".stop").textContent(), /没有人可以放行.*管理员登记主管工牌/s, "no list: nobody is known, and how that is mended");
  assert.equal(await page.locator("#reason").count(), 0);
  await scan("SUYUAN-WHO-S1");
  await told("没有人可以放行");
  assert.equal(await page.locator(".stop").count(), 1, "no badge overrules where none is known");
  // The badges come while the stop is on the screen, and hold with no network.
  await it.employ({ W17: "worker", W18: "worker", S1: "supervisor" });
  await it.wake();
  await page.waitForSelector("#reason");
  it.line.pull();
  await scan("SUYUAN-WHO-S1");
  await told("请先填写放行原因");
  await page.fill("#reason", "留样检验");
  for (const [badge, words] of [
    ["W17", "本人的工牌不能放行"],
    ["W18", "这不是主管工牌"],
    ["S2", "不在本店名单中"],
  ]) {
    await scan(`SUYUAN-WHO-${badge}`);
    await told(words);
    assert.equal(await page.locator(".stop").count(), 1, badge);
    assert.equal(await page.inputValue("#reason"), "留样检验");
  }
  await scan("SUYUAN-WHO-S1");
  await page.waitForSelector(".stop", { state: "detached" });
  await count(1);
  await press("confirm");
  await told("已保存在本机");
  it.line.plug();
  await it.wake();
  await it.unsent(0);
  const sale = it.events().at(-1);
  assert.deepEqual(sale.override, { code: "expired", reason: "留样检验", supervisor: "S1" });
  assert.deepEqual(sale.actor, { id: "W17", proof: "badge" });
});

test("what was sold here a minute ago is stopped, also offline", when, async () => {
  await scan("SUYUAN-TASK-SALE");
  await page.waitForSelector("[data-count]");
  await scan(expired("OLD2"));
  await page.waitForSelector(".stop");
  assert.match(await page.locator(".stop").textContent(), /已售出/);
  await press("acknowledge");
  await press("cancel");
  await page.waitForSelector('[data-do="inbound"]');
});

test("no text becomes part of the page, and half codes are told", when, async () => {
  await scan("SUYUAN-TASK-INBOUND");
  await page.waitForSelector("[data-count]");
  await scan('<img src=x onerror="alert(1)">');
  await told('<img src=x onerror="alert(1)">');
  assert.equal(await page.locator("#app img").count(), 0);
  await page.fill("#typed", "<script>alert(1)</script>");
  await press("add");
  await told("<script>alert(1)</script>");
  assert.equal(await page.locator("#app script").count(), 0);
  await typeKeys(it.session, "^69012345");
  await told("码不完整");
  await scan("6901234567892^96385074");
  await count(1);
  await press("cancel");
  await page.waitForSelector('[data-do="inbound"]');
});

test("a storage that is full is told, and nothing begins or is counted that is not on it", when, async () => {
  await page.evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    window.full = true;
    IDBObjectStore.prototype.put = function (...call) {
      if (window.full) throw new DOMException("full", "QuotaExceededError");
      return put.apply(this, call);
    };
  });
  await scan("SUYUAN-TASK-INBOUND");
  await told("没有保存");
  assert.equal(await page.locator("[data-count]").count(), 0);
  await page.evaluate(() => (window.full = false));
  await scan("SUYUAN-TASK-INBOUND");
  await count(0);
  await page.evaluate(() => (window.full = true));
  await scan(code("F1"));
  await told("没有保存");
  await count(0);
  await page.evaluate(() => (window.full = false));
  await scan(code("F2"));
  await count(1);
  await page.evaluate(() => (window.full = true));
  await press("confirm");
  await told("没有保存");
  await count(1);
  await page.evaluate(() => (window.full = false));
  await press("confirm");
  await told("已保存在本机");
  await it.unsent(0);
  assert.deepEqual(it.events().at(-1).units, [{ code: code("F2"), input: "wedge" }]);
});

test("nothing is drawn anew under a finger, or while an input method is at work", when, async () => {
  const again = () =>
    page.evaluate(async () => {
      const before = document.querySelector("main");
      dispatchEvent(new Event("offline"));
      await new Promise((done) => setTimeout(done, 200));
      return document.querySelector("main") !== before;
    });
  assert.equal(await again(), true);
  for (const [begin, end] of [["pointerdown", "pointerup"], ["compositionstart", "compositionend"]]) {
    await page.evaluate((type) => document.body.dispatchEvent(new Event(type, { bubbles: true })), begin);
    assert.equal(await again(), false, begin);
    const drawn = page.evaluate(async () => {
      const before = document.querySelector("main");
      for (let n = 0; n < 50 && document.querySelector("main") === before; n += 1) await new Promise((done) => setTimeout(done, 20));
      return document.querySelector("main") !== before;
    });
    await page.evaluate((type) => document.body.dispatchEvent(new Event(type, { bubbles: true })), end);
    assert.equal(await drawn, true, end);
  }
});

test("a second tab says that the app is open, and takes over", when, async () => {
  const second = await it.browser.context.newPage();
  await second.goto(`${ORIGIN}/app/`);
  await second.waitForFunction(() => document.querySelector("h1")?.textContent.includes("另一个页面"));
  await page.close();
  await second.waitForSelector("#app[data-ready]");
  await second.close();
  await opened();
});

/** The first screen says that the device has to be enrolled again, and which act was found; no pull says otherwise. */
async function toldAtHome() {
  it.line.misbehave = ({ url }) => (url.pathname === "/v1/sync/pull" ? null : undefined);
  await page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    const store = await Store.open(indexedDB, "suyuan-device");
    await store.commit(null, { records: { over: "revoked", found: { id: "e", kind: "sale", at: Date.now(), count: 2 } } });
    store.close();
  });
  await page.reload();
  await page.waitForSelector("[data-over]");
  await page.waitForSelector("[data-found]");
}

test("everybody can see and reach it: both languages, both looks, three sizes, each screen", when, async () => {
  for (const lang of ["zh", "en"]) {
    for (const look of ["sunlight", "dark"]) {
      const name = (screen) => `${screen}-${lang}-${look}`;
      await check(name("home"));
      await press("queue");
      await page.waitForSelector("[data-state]");
      await check(name("queue"));
      await press("back");
      await press("sale");
      await page.waitForSelector("[data-count]");
      await scan(undated(`E${lang}${look}`));
      await page.waitForSelector(".stop.ask");
      await check(name("ask"));
      await press("take_anyway");
      await count(1);
      await check(name("task"));
      await scan(expired("OLD3"));
      await page.waitForSelector(".stop");
      await check(name("stop"));
      await press("acknowledge");
      await press("cancel");
      // What a task may be told besides its goods, and what is asked.
      await press("inspect");
      await page.waitForSelector('[data-do="hold"]');
      await check(name("inspect"));
      await press("cancel");
      for (const [task, offer] of [["count", "accept"], ["return", "slip"], ["inbound", "counterpart"]]) {
        await press(task);
        await page.waitForSelector("[data-count]");
        await scan(code(`Q${task}${lang}${look}`));
        await count(1);
        if (task === "count") await press("complete");
        await check(name(`${task}-offers`));
        await press(offer);
        await page.waitForSelector(".question");
        if (offer === "slip") await scan("SUYUAN-SAY-S-2");
        await check(name(`${task}-${offer}`));
        await press("cancel");
        await page.waitForSelector('[data-do="inbound"]');
      }
      await press("look-up");
      await scan(code("A"));
      await page.waitForSelector('[data-asked="answered"]');
      await check(name("look-up"));
      await press("back");
      await page.waitForSelector('[data-do="inbound"]');
      for (const screen of ["hand-over", "doctor", "sheet", "camera", "settings"]) {
        if (screen === "camera") {
          await press("inbound");
          await page.waitForSelector("[data-count]");
        }
        await press(screen);
        await page.waitForSelector("h1");
        await check(name(screen));
        if (screen === "settings") break;
        await press("back");
        if (screen === "camera") await press("cancel");
        await page.waitForSelector('[data-do="inbound"]');
      }
      await press("enrol_anew");
      await page.waitForSelector("[data-stays]");
      await check(name("enrol-anew"));
      await press("back");
      await toldAtHome();
      await check(name("told"));
      await press("understood");
      await page.waitForSelector("[data-found]", { state: "detached" });
      it.line.misbehave = () => undefined;
      await press("settings");
      await page.waitForSelector("#prefix");
      await press(look === "sunlight" ? "dark" : "sunlight");
      if (look === "dark") await press("language");
      await press("back");
      await page.waitForSelector('[data-do="inbound"]');
    }
  }
  assert.deepEqual(it.errors, [], "the policy was never broken");
});

test("small and fast: what is loaded first, compressed, and a card among 20 000", when, async () => {
  const { gzipSync } = await import("node:zlib");
  const { firstLoad } = await import("./precache.mjs");
  const files = firstLoad();
  assert.ok(files.length > 60 && !files.includes("screens/tools.js"));
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(new URL(`../../../api/src/pda/app/${file}`, import.meta.url))).length, 0);
  assert.ok(bytes < 150_000, `${bytes} bytes`);
  const took = await page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    const store = await Store.open(indexedDB, "suyuan-device");
    const items = Array.from({ length: 20_000 }, (_, n) => ({ type: "unit", unit: `/01/06901234567892/21/C${n}`, phase: "in_stock", place: "nowhere", void: false, recalls: [], expires_at: 4e15, batch: "6a0b1a9e-0f0e-4d7a-bb1a-1f0f5f6c7d80" }));
    await store.commit(null, { items });
    const before = performance.now();
    for (let n = 0; n < 50; n += 1) await store.unit(`/01/06901234567892/21/C${n * 399}`);
    return (performance.now() - before) / 50;
  });
  assert.ok(took < 50, `${took} ms a card`);
});
