// A person with a device: the app in a browser of its own, worked by scanner and fingers, wherever the
// app comes from and whoever answers it.

import { launch } from "./chromium.mjs";
import { typeKeys } from "./keys.mjs";

/**
 * The app at `origin` in a browser that keeps things in `folder`. Each of `inits`, a function with what
 * it is given, runs in every page before the app does; `watch` is shown every page before that.
 */
export async function hand({ origin, folder, flags = [], inits = [], watch = () => undefined }) {
  const it = {
    browser: await launch(folder, flags),
    page: null,
    session: null,
    errors: [],
    /** This page is the one that is worked with. */
    async take(page) {
      it.page = page;
      it.session = await it.browser.context.newCDPSession(page);
    },
    /** A new page that does not show anything yet. */
    async blank() {
      const page = await it.browser.context.newPage();
      await watch(page);
      for (const [init, given] of inits) await page.addInitScript(init, given);
      page.on("pageerror", (error) => it.errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error" && !/net::ERR|Failed to load resource/.test(message.text())) it.errors.push(message.text());
      });
      await page.setViewportSize({ width: 360, height: 640 });
      return page;
    },
    /** A tab with the app, ready. */
    async open() {
      const page = await it.blank();
      await it.take(page);
      await page.goto(`${origin}/app/`);
      await page.waitForSelector("#app[data-ready]");
    },
    /** The log of its storage is filled, as it is behind every start in this browser (`device/fresh-log.js`). */
    async freshLog() {
      const NAME = "suyuan-log";
      await it.page.waitForFunction(async (name) => (await indexedDB.databases()).some((one) => one.name === name), NAME);
      await it.page.evaluate(
        (name) =>
          new Promise((resolve, reject) => {
            const request = indexedDB.open(name);
            request.onerror = () => reject(request.error);
            request.onsuccess = () => {
              // Reads wait for whoever writes before them.
              const tx = request.result.transaction(["filling"]);
              tx.objectStore("filling").count();
              tx.oncomplete = () => {
                request.result.close();
                resolve();
              };
            };
          }),
        NAME,
      );
    },
    /** The battery is pulled, and put back. */
    async battery() {
      await it.browser.kill();
      it.browser = await launch(folder, flags);
    },
    async enrol(ticket) {
      await it.scan(ticket);
      await it.page.waitForSelector('[data-do="inbound"]');
    },
    /** Types as a scanner does: fast, between prefix and Enter, wherever the focus is. */
    scan: (text) => typeKeys(it.session, `^${text}\n`),
    keys: (text) => typeKeys(it.session, text),
    press: (word) => it.page.click(`[data-do="${word}"]`),
    /** The network seems to be back. */
    wake: () => it.page.evaluate(() => dispatchEvent(new Event("online"))),
    told: (text) => it.page.waitForFunction((text) => document.querySelector("[role=status]")?.textContent.includes(text), text),
    count: (wanted) => it.page.waitForFunction((wanted) => document.querySelector("[data-count]")?.dataset.count === wanted, String(wanted)),
    unsent: (wanted, timeout = 15_000) => it.page.waitForSelector(`[data-unsent="${wanted}"]`, { timeout }),
    async task(name) {
      await it.scan(`SUYUAN-TASK-${name.toUpperCase()}`);
      // Whatever was open before is over once this one stands there with nothing in it.
      await it.count(0);
    },
    /** These goods, one after the other, behind `from` others. */
    async read(codes, from = 0) {
      for (const [at, code] of codes.entries()) {
        await it.scan(code);
        await it.count(from + at + 1);
      }
    },
    /** Done, where nothing is asked on the way; said to be saved. */
    async confirm() {
      await it.scan("SUYUAN-CONFIRM");
      await it.told("已保存在本机");
    },
    /** An act of some goods, stated and said to be saved. */
    async state(name, codes) {
      await it.task(name);
      await it.read(codes);
      await it.confirm();
    },
    /** The text of the file that an export of everything unsent makes; the queue is in sight. */
    exported: () =>
      it.page.evaluate(async () => {
        // What the link would save.
        let blob;
        const make = URL.createObjectURL;
        URL.createObjectURL = (given) => {
          blob = given;
          return make.call(URL, given);
        };
        document.querySelector('[data-do="export"]').click();
        for (let n = 0; n < 100 && !blob; n += 1) await new Promise((done) => setTimeout(done, 20));
        URL.createObjectURL = make;
        return blob.text();
      }),
    /** The version that is shown. */
    version: () => it.page.evaluate(() => document.querySelector('[data-chip="version"]').textContent),
    /** The browser looks for a new version of the app, which waits then until the last tab is gone. */
    newVersion: () =>
      it.page.evaluate(async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        await registration.update();
        for (let n = 0; n < 400 && !registration.waiting; n += 1) await new Promise((done) => setTimeout(done, 25));
        if (!registration.waiting) throw new Error("no new worker waits");
      }),
    /** What the outbox holds on this device, in order. */
    rows: () =>
      it.page.evaluate(async () => {
        const { Store } = await import("/app/device/store.js");
        const disk = await (await Store.open(indexedDB, "suyuan-device")).disk("", "");
        return disk.inOrder().map(({ key: [epoch, seq], text, hash, state }) => ({ epoch, seq, text, hash, state: state.is }));
      }),
  };
  return it;
}
