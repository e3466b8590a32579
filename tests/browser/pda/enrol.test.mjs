// Out of the box: which server a device is enrolled with, and when it says that it can work with no
// network. On the real program over TLS.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isKept } from "../../../api/src/pda/app/device/offline.js";
import { until } from "../shift/office.mjs";
import { looked } from "../shift/officer.mjs";
import { ORIGIN, shop } from "./shop.mjs";
import { cannot } from "./chromium.mjs";
import { OFFICER, code, expired } from "./site.mjs";

const when = { skip: cannot, timeout: 120_000 };
const AUTHORITY = "/app/authority.json";

/** A device out of its box, for one test. */
async function box(tell, init) {
  const it = await shop(init);
  try {
    await tell(it);
  } finally {
    await it.close();
  }
}

test("who has no service worker yet, or lacks a file, is not ready", async () => {
  const kept = new Set(["/app/a.js"]);
  const caches = { match: async (path) => (kept.has(path) ? {} : undefined) };
  let serve;
  const serviceWorker = { ready: new Promise((resolve) => (serve = resolve)) };
  const looked = isKept({ serviceWorker, caches, files: ["a.js", "b.js"] });
  const later = new Promise((resolve) => setTimeout(() => resolve("waits"), 20));
  assert.equal(await Promise.race([looked, later]), "waits");
  serve();
  assert.equal(await looked, false);
  kept.add("/app/b.js");
  assert.equal(await isKept({ serviceWorker, caches, files: ["a.js", "b.js"] }), true);
});

test("ready to work offline is said when every file is kept, and not before", when, () =>
  box(
    async (it) => {
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      // A file that nothing but the service worker wants before the person goes there.
      it.line.alter = async (path, body) => {
        if (path === "/app/screens/tools/sheet.js") await gate;
        return body;
      };
      await it.open();
      await it.enrol();
      await it.page.waitForFunction(() => window.asked > 0);
      const state = await it.page.evaluate(async () => {
        await new Promise((done) => setTimeout(done, 1500));
        return [document.querySelector("[data-offline]").dataset.offline, document.querySelector("[data-offline]").textContent];
      });
      assert.deepEqual(state, ["preparing", "… 正在准备离线工作，请保持联网"]);
      release();
      await it.page.waitForSelector('[data-offline="ready"]');
    },
    `window.asked = 0; const ask = StorageManager.prototype.persist; StorageManager.prototype.persist = function () { window.asked += 1; return ask.call(this); };`,
  ));

test("a file that was lost on the way to the device is fetched again, with the app left open", when, () =>
  box(async (it) => {
    let lost = 0;
    let isBroken = true;
    it.line.misbehave = (call) => {
      if (!isBroken || call.url.pathname !== "/app/screens/tools/sheet.js") return undefined;
      lost += 1;
      return null;
    };
    await it.open();
    await it.enrol();
    await until("the file is lost", () => lost > 0);
    isBroken = false;
    await it.page.waitForSelector('[data-offline="ready"]');
    it.line.pull();
    await it.page.reload();
    await it.page.waitForSelector("#app[data-ready]");
  }));

test("a first enrolment is called so to its end: what is scanned meanwhile is told to be scanned again, then badges hold", when, () =>
  box(async (it) => {
    await it.employ({ W17: "worker" });
    let release;
    let reached;
    const gate = new Promise((resolve) => (release = resolve));
    const isDownloading = new Promise((resolve) => (reached = resolve));
    it.line.alter = async (path, body) => {
      if (!path.startsWith("/v1/sync/snapshot")) return body;
      reached();
      await gate;
      return body;
    };
    await it.open();
    // Pasted, and Enter.
    for (const [text, answer] of [["6901234567892", "这不是注册二维码"], [it.ticket(), null]]) {
      await it.page.fill("#ticket", text);
      await it.page.press("#ticket", "Enter");
      if (answer) await it.told(answer);
    }
    await isDownloading;
    const seen = () => it.page.evaluate(() => [document.querySelector("h1").textContent, document.querySelectorAll("#ticket, [data-do=enrol], [data-do=camera]").length]);
    for (const text of ["SUYUAN-WHO-XX-1", "SUYUAN-HOME", code("A")]) {
      await it.scan(text);
      await it.told("资料还在下载");
      assert.deepEqual(await seen(), ["注册本设备", 0], text);
    }
    release();
    await it.page.waitForSelector('[data-do="inbound"]');
    await it.told("下载期间扫描的内容没有读入");
    await it.scan("SUYUAN-WHO-XX-1");
    await it.told("不在本店名单");
    await it.scan("SUYUAN-WHO-W17");
    await it.told("W17");
    assert.deepEqual(it.errors, []);
  }));

test("nor before the cards are here; and then it is true", when, () =>
  box(async (it) => {
    await it.employ({ W21: "worker" });
    let isCut = true;
    it.line.misbehave = (call) => (isCut && call.url.pathname === "/v1/sync/snapshot" ? null : undefined);
    await it.open();
    await it.enrol();
    await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => new Promise((done) => setTimeout(done, 500))));
    await it.page.waitForSelector('[data-offline="preparing"]');
    // Nobody knows yet who works here: that is said, and a badge is judged once it is known.
    await it.scan("SUYUAN-WHO-XX-1");
    await it.told("工牌名单还没有下载");
    isCut = false;
    await it.wake();
    await it.told("不在本店名单");
    await it.page.waitForSelector('[data-offline="ready"]');
    it.line.pull();
    await it.battery();
    await it.open();
    await it.page.waitForSelector('[data-offline="ready"]');
    for (const screen of ["sheet", "doctor", "hand-over"]) {
      await it.press(screen);
      await it.page.waitForFunction(() => !document.querySelector("main").textContent.includes("正在打开"));
      await it.press("back");
    }
    assert.deepEqual(it.errors, []);
  }));

test("nor before its badges and the rules are here; and until then nobody is told that the place has no supervisor", when, () =>
  box(async (it) => {
    await it.employ({ W22: "worker", S22: "supervisor" });
    let cut = ["/v1/sync/badges", "/v1/sync/rules"];
    it.line.misbehave = ({ url }) => (cut.includes(url.pathname) ? null : undefined);
    await it.open();
    await it.enrol();
    await until("both were asked for", () => cut.every((path) => it.calls(path).length > 0));
    await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => new Promise((done) => setTimeout(done, 500))));
    const readiness = () => it.page.evaluate(() => document.querySelector("[data-offline]").dataset.offline);
    assert.equal(await readiness(), "preparing");
    await it.task("sale");
    await it.scan(expired("EARLY"));
    await it.page.waitForSelector(".stop:not(.ask)");
    const stop = () => it.page.locator(".stop").textContent();
    assert.match(await stop(), /工牌名单还没有下载/);
    await it.scan("SUYUAN-WHO-S22");
    await it.told("工牌名单还没有下载");
    assert.doesNotMatch(await stop(), /没有登记/);
    cut = ["/v1/sync/rules"];
    await it.wake();
    await it.page.waitForSelector("#reason");
    await it.scan("SUYUAN-WHO-S22");
    await it.told("请先填写放行原因");
    await it.press("acknowledge");
    await it.press("cancel");
    await it.page.waitForSelector("[data-offline]");
    assert.equal(await readiness(), "preparing", "the rules are not here");
    cut = [];
    await it.wake();
    await it.page.waitForSelector('[data-offline="ready"]');
    assert.deepEqual(it.errors, []);
  }));

/** Whom devices have to trust, as the server says. */
const said = (it) => it.page.evaluate((path) => fetch(path).then((answer) => answer.json()), AUTHORITY);

test("the certificate's fingerprint is compared, told in words, and stays in the settings", when, () =>
  box(async (it) => {
    await it.open();
    await it.enrol();
    const { words_zh: zh, words_en: en } = await said(it);
    assert.ok(zh.length > 10 && en.length > 10, `${zh} ${en}`);
    await it.told("请核对");
    await it.told(`${zh} · ${en}`);
    await it.battery();
    await it.open();
    await it.press("settings");
    await it.page.waitForSelector("#prefix");
    assert.ok((await it.page.locator("main").textContent()).includes(`服务器证书指纹${zh}`));
  }));

test("another fingerprint than the server's is refused before anything is made; where nobody has to trust, digits are shown", when, () =>
  box(async (it) => {
    await it.open();
    const truth = await said(it);
    const claimed = (body) => (it.line.misbehave = ({ url }) => (url.pathname === AUTHORITY ? body : undefined));
    claimed({ body: { ...truth, sha256: "00".repeat(32) } });
    await it.scan(it.ticket());
    await it.told("证书指纹与本服务器的不同");
    assert.deepEqual(it.calls(), [], "the code was not used");
    for (const nonsense of ["<html>portal</html>", "{", "[]", { sha256: 7 }]) {
      claimed({ body: nonsense });
      await it.scan(it.ticket());
      await it.told("稍后再扫");
      assert.deepEqual(it.calls(), [], "the code was not used");
    }
    // As of a server whose certificate everybody trusts already.
    claimed({ status: 404, body: {} });
    await it.enrol();
    const digits = JSON.parse(it.ticket()).fingerprint.toUpperCase();
    await it.told([0, 4, 8].map((from) => digits.slice(from, from + 4)).join(" "));
    assert.deepEqual(it.errors, []);
  }));

test("an answer that was lost comes again, after a cold start too: the same code with the same key is the same enrolment", when, () =>
  box(async (it) => {
    await it.open();
    const asked = () => it.calls("/v1/enrol").map(({ body }) => JSON.parse(body));
    it.line.misbehave = ({ url }) => (url.pathname === "/v1/enrol" ? "after" : undefined);
    await it.scan(it.ticket());
    await it.told("连不上服务器");
    await it.battery();
    await it.open();
    await it.scan(it.ticket());
    await it.told("连不上服务器");
    it.line.misbehave = () => undefined;
    await it.enrol();
    // A browser asks again by itself, too, where the line was cut.
    const { length } = asked();
    assert.ok(length >= 3, String(length));
    assert.equal(new Set(asked().map(({ key }) => JSON.stringify(key))).size, 1, "one key");
    assert.equal((await it.desk.call("GET", `/v1/devices/${it.device}`)).epoch, 1);
    // That key is its own from now on, and of no other enrolment.
    await it.act("inbound", ["L1"]);
    await it.unsent(0);
    const { ticket } = await it.desk.call("POST", `/v1/devices/${it.device}/tickets`);
    await it.press("settings");
    await it.press("enrol_anew");
    await it.scan(ticket.text);
    await it.told("注册完成");
    assert.notDeepEqual(asked()[length].key, asked()[0].key);
    assert.deepEqual(it.errors, []);
  }));

test("what could not be kept is kept by the same code, with the same key, once there is room", when, () =>
  box(
    async (it) => {
      await it.open();
      const keys = () => it.calls("/v1/enrol").map(({ body }) => JSON.stringify(JSON.parse(body).key));
      it.line.misbehave = async (call) => {
        if (call.url.pathname !== "/v1/enrol") return undefined;
        const answer = await call.passed();
        await it.page.evaluate(() => (window.isFull = true));
        return answer;
      };
      await it.scan(it.ticket());
      await it.told("再扫一次同一个注册码");
      assert.equal((await it.desk.call("GET", `/v1/devices/${it.device}`)).epoch, 1);
      it.line.misbehave = () => undefined;
      await it.page.evaluate(() => (window.isFull = false));
      await it.enrol();
      assert.equal(new Set(keys()).size, 1, "one key");
      assert.equal((await it.desk.call("GET", `/v1/devices/${it.device}`)).epoch, 1);
      assert.deepEqual(it.errors, []);
    },
    `const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (...given) { if (window.isFull) throw new DOMException("", "QuotaExceededError"); return put.apply(this, given); };`,
  ));

test("a device that lost its key is chosen on the officer's page: it enrols anew and is the same device", when, () =>
  box(async (it) => {
    await it.open();
    await it.enrol();
    const page = await it.browser.context.newPage();
    await page.goto(`${ORIGIN}/app/enrol`);
    for (const [name, value] of Object.entries(OFFICER)) await page.fill(`[name="${name}"]`, value);
    await page.click("#sign-in button");
    await page.waitForSelector("#make:not([hidden])");
    assert.equal(await page.isVisible("#anew"), false);
    await page.selectOption('[name="device"]', it.device);
    assert.match(await page.textContent("#anew"), /原密钥随之停用/);
    assert.ok(await page.isVisible("#anew"));
    assert.equal(await page.isVisible('[name="place"]'), false);
    await looked(page, "enrol-anew");
    await page.click("#make button:not([type=button])");
    await page.waitForSelector("#ticket:not([hidden])");
    const ticket = await page.inputValue("#text");
    await it.page.bringToFront();
    await it.press("settings");
    await it.press("enrol_anew");
    await it.scan(ticket);
    await it.told("注册完成");
    await page.waitForFunction(() => document.getElementById("state").textContent.includes("注册完成"));
    const { items } = await it.desk.call("GET", "/v1/devices?limit=500");
    const here = items.filter(({ location_id }) => location_id === it.place);
    assert.deepEqual(here.map(({ id, epoch }) => [id, epoch]), [[it.device, 2]]);
    // The next is a new one again, unless one is chosen.
    await page.bringToFront();
    await page.click("#next");
    await page.waitForSelector("#make:not([hidden])");
    assert.ok(await page.isVisible('[name="place"]'));
    assert.deepEqual(it.errors, []);
  }));

test("pressed again after an answer that was lost, the officer's page makes no second device and no second code", when, () =>
  box(async (it) => {
    const page = await it.browser.context.newPage();
    await page.goto(`${ORIGIN}/app/enrol`);
    const signIn = async () => {
      await page.waitForSelector("#sign-in:not([hidden])");
      for (const [name, value] of Object.entries(OFFICER)) await page.fill(`[name="${name}"]`, value);
      await page.click("#sign-in button");
      await page.waitForSelector("#make:not([hidden])");
    };
    await signIn();
    const devices = async () => (await it.desk.call("GET", "/v1/devices?limit=500")).items.filter(({ location_id }) => location_id === it.place);
    const before = (await devices()).length;
    const press = (button) => page.click(button);
    const unheard = async (button) => {
      it.line.misbehave = ({ method, url }) => (method === "POST" && url.pathname.startsWith("/v1/devices") ? "after" : undefined);
      await press(button);
      await page.waitForFunction(() => document.getElementById("told").textContent.includes("连不上"));
      it.line.misbehave = () => undefined;
    };
    const make = "#make button:not([type=button])";
    const fill = async (name) => {
      await page.selectOption('[name="place"]', it.place);
      await page.fill('[name="name"]', name);
    };
    await fill("收银台 1");
    await unheard(make);
    // Pressed again behind a new sign-in, too: the session may be over by then.
    it.line.misbehave = ({ method, url }) => (method === "POST" && url.pathname === "/v1/devices" ? { status: 401, body: {} } : undefined);
    await press(make);
    it.line.misbehave = () => undefined;
    await signIn();
    await fill("收银台 1");
    await press(make);
    await page.waitForSelector("#ticket:not([hidden])");
    assert.equal((await devices()).length, before + 1, "one device");
    const { id } = (await devices()).find(({ name }) => name === "收银台 1");
    const path = `/v1/devices/${id}/tickets`;
    const keys = (path) => it.calls(path).filter(({ method }) => method === "POST").map(({ headers }) => headers["idempotency-key"]);
    const codes = () => it.desk.call("GET", "/v1/log?from=1&limit=500").then(({ items }) => items.filter(({ subject }) => subject === `device:${id}`).length);
    // The code that is shown is the one that holds; the next one that is asked for is another.
    const first = await page.inputValue("#text");
    await unheard("#again");
    await press("#again");
    await page.waitForFunction((first) => document.getElementById("text").value !== first, first);
    const second = await page.inputValue("#text");
    await press("#again");
    await page.waitForFunction((second) => document.getElementById("text").value !== second, second);
    // A browser sends by itself again, too, where the line was cut.
    assert.equal(new Set(keys("/v1/devices")).size, 1);
    assert.equal(new Set(keys(path)).size, 2, "two codes were asked for");
    // Another name is another device, and so is the same name again once the first was answered.
    for (const name of ["收银台 2", "收银台 2"]) {
      await press("#next");
      await page.waitForSelector("#make:not([hidden])");
      await fill(name);
      await press(make);
      await page.waitForSelector("#ticket:not([hidden])");
    }
    assert.equal((await devices()).length, before + 3);
    assert.equal(await codes(), 3, "made once, and two codes");
    assert.deepEqual(it.errors, []);
  }));
