// A person with a device: the app in a browser of its own, worked by scanner and fingers, and the
// installation of the tests behind it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, serve } from "./chromium.mjs";
import { installation } from "./installation.mjs";
import { typeKeys } from "./keys.mjs";
import { golden } from "./shared.mjs";

export const code = (serial) => `(01)06901234567892(10)L7(17)991231(21)${serial}`;

/** A shop with one device out of the box. `init` runs in every page before the app does; `disk` is where its browser keeps things. */
export async function shop(init = null, disk = null) {
  const server = await serve();
  const own = await installation(server);
  const folder = disk ?? (await mkdtemp(join(tmpdir(), "suyuan-app-")));
  const it = {
    server,
    own,
    browser: await launch(folder),
    page: null,
    session: null,
    errors: [],
    /** A tab with the app, ready. */
    async open() {
      it.page = await it.browser.context.newPage();
      it.session = await it.browser.context.newCDPSession(it.page);
      if (init) await it.page.addInitScript(init);
      it.page.on("pageerror", (error) => it.errors.push(String(error)));
      it.page.on("console", (message) => {
        if (message.type() === "error" && !/net::ERR|Failed to load resource/.test(message.text())) it.errors.push(message.text());
      });
      await it.page.setViewportSize({ width: 360, height: 640 });
      await it.page.goto(`${server.origin}/app/`);
      await it.page.waitForSelector("#app[data-ready]");
    },
    /** The battery is pulled, and put back. */
    async battery() {
      await it.browser.kill();
      it.browser = await launch(folder);
    },
    ticket: () => JSON.stringify({ ...golden("wire").messages.find(({ type }) => type === "ticket").json, url: server.origin }),
    async enrol() {
      await it.scan(it.ticket());
      await it.page.waitForSelector('[data-do="inbound"]');
    },
    /** Types as a scanner does: fast, between prefix and Enter, wherever the focus is. */
    scan: (text) => typeKeys(it.session, `^${text}\n`),
    keys: (text) => typeKeys(it.session, text),
    press: (word) => it.page.click(`[data-do="${word}"]`),
    told: (text) => it.page.waitForFunction((text) => document.querySelector("[role=status]")?.textContent.includes(text), text),
    count: (wanted) => it.page.waitForFunction((wanted) => document.querySelector("[data-count]")?.dataset.count === wanted, String(wanted)),
    unsent: (wanted) => it.page.waitForSelector(`[data-unsent="${wanted}"]`),
    async task(name) {
      await it.scan(`SUYUAN-TASK-${name.toUpperCase()}`);
      await it.page.waitForSelector("[data-count]");
    },
    /** An act of some units, stated and said to be saved. */
    async act(name, serials) {
      await it.task(name);
      for (const [at, serial] of serials.entries()) {
        await it.scan(code(serial));
        await it.count(at + 1);
      }
      await it.scan("SUYUAN-CONFIRM");
      await it.told("已保存在本机");
    },
    events: () => [...own.log.values()].map((text) => JSON.parse(text)),
    async close() {
      await it.browser.kill();
      await server.close();
      if (!disk) await rm(folder, { recursive: true, force: true });
    },
  };
  return it;
}
