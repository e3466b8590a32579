// A real browser for the tests of the web app: headless Chromium that loads the app's files from a
// server of ours under the content security policy they are made for, and answers of the test's own
// under /v1.

import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { requirePackage } from "../browser.mjs";

const APP = fileURLToPath(new URL("../../../api/src/pda/app/", import.meta.url));
const TYPES = {
  ".js": "text/javascript",
  ".html": "text/html",
  ".css": "text/css",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
};
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
  "worker-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types app";

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

/** Serves the app at /app/; `v1` answers everything under /v1 and may be replaced at any time, and so may `alter`, which makes another version of a file (now or later), and `authority`, whom devices have to trust; a server that is down answers nothing at all. */
export async function serve() {
  const state = { v1: () => ({ status: 404, body: {} }), calls: [], isDown: false, authority: null, alter: (name, body) => body };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (state.isDown) {
      request.socket.destroy();
      return;
    }
    if (url.pathname.startsWith("/v1/")) {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const call = { method: request.method, url, headers: request.headers, body: Buffer.concat(chunks) };
      state.calls.push(call);
      const answer = await state.v1(call);
      if (answer === null) {
        request.socket.destroy();
        return;
      }
      const body = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(body);
      return;
    }
    if (url.pathname === "/app/authority.json" && state.authority !== null) {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(typeof state.authority === "string" ? state.authority : JSON.stringify(state.authority));
      return;
    }
    if (url.pathname === "/favicon.ico") {
      response.writeHead(204).end();
      return;
    }
    const name = url.pathname === "/app/" ? "index.html" : url.pathname.replace(/^\/app\//, "");
    const file = normalize(join(APP, name));
    const isPage = url.pathname === "/app/blank.html";
    if (!isPage && (!url.pathname.startsWith("/app/") || !file.startsWith(APP) || !existsSync(file))) {
      response.writeHead(404).end();
      return;
    }
    const body = isPage ? "<!doctype html><title>blank</title>" : await state.alter(name, await readFile(file));
    const type = TYPES[isPage ? ".html" : extname(name)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "content-security-policy": POLICY, "cache-control": "no-store" });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { state, origin, close };
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
    // Dead ones that nobody takes away count as there, so this does not wait for ever.
    for (let n = 0; signal(0) && n < 400; n += 1) await new Promise((done) => setTimeout(done, 5));
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

/**
 * A disk of its own, small enough to be filled: what `fill` takes, `room` gives back. Null where this
 * process may not mount one.
 */
export async function smallDisk() {
  const folder = await mkdtemp(join(tmpdir(), "suyuan-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256m", "tmpfs", folder]);
  if (mounted.status !== 0) {
    await rm(folder, { recursive: true });
    return null;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    fill() {
      const file = openSync(filler, "w");
      try {
        for (let size = 1 << 20; size >= 1; size >>= 1) {
          const part = Buffer.alloc(size);
          try {
            while (writeSync(file, part) === size);
          } catch (error) {
            if (error.code !== "ENOSPC") throw error;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    room: () => rm(filler, { force: true }),
    async close() {
      spawnSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A page of the app's origin with nothing on it; what the page complains of is collected. */
export async function blank(context, origin) {
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`${origin}/app/blank.html`);
  return { page, errors };
}
