// A real browser for the tests of the web app: headless Chromium, and a page of the app's origin without the
// app.

import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { requirePackage } from "../browser.mjs";

/** Why these tests cannot be run here; false where they can. In `tests/run` they always can. */
export const cannot = (() => {
  if (process.env.SUYUAN_TEST_NODE_MODULES) return false;
  try {
    requirePackage.resolve("playwright-core");
    return false;
  } catch {
    return "npm ci in tests/browser installs the driver of the browser";
  }
})();

/** Does any process of a group live? Dead ones that nobody takes away do not. */
function isAlive(group) {
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      // Behind the name, which may hold anything: state, parent, group.
      const [state, , of] = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
      return Number(of) === group && state !== "Z";
    } catch {
      return false; // it is gone by now
    }
  });
}

/**
 * A browser whose storage lives in a folder, with flags of the test's own. `kill` ends it and
 * everything it started as a battery pull does, without asking; `context` is that of its one window.
 */
export async function launch(folder, flags = []) {
  const { chromium } = requirePackage("playwright-core");
  const child = spawn(
    process.env.SUYUAN_TEST_CHROMIUM ?? "/usr/bin/chromium",
    [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"],
      ...["--disable-sync", "--lang=zh-CN", "--accept-lang=zh-CN", "--remote-debugging-port=0", ...flags, `--user-data-dir=${folder}`, "about:blank"],
    ],
    { detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const signal = (name) => {
    try {
      return process.kill(-child.pid, name);
    } catch {
      return false; // all of it is gone
    }
  };
  const kill = async () => {
    signal("SIGKILL");
    await ended;
    // The next browser in this folder must not meet one of its processes that still dies, with files open.
    for (let n = 0; isAlive(child.pid) && n < 4000; n += 1) await new Promise((done) => setTimeout(done, 5));
  };
  const address = await new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    ended.then(() => reject(new Error(`the browser ended: ${said}`)));
  });
  const browser = await chromium.connectOverCDP(address);
  const [context] = browser.contexts();
  context.setDefaultTimeout(15_000);
  return { context, kill };
}

/** A page of the app's origin on which nothing runs; what the page complains of is collected. */
export async function blank(context, origin) {
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // A browser asks for the icon of a page that names none.
    if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) errors.push(message.text());
  });
  await page.goto(`${origin}/app/precache.js`);
  return { page, errors };
}
