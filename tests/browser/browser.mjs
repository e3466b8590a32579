// What axe.mjs and shots.mjs share: the input, the browser, opening one page.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const modules =
  process.env.SUYUAN_TEST_NODE_MODULES ?? join(dirname(fileURLToPath(import.meta.url)), "node_modules");

/** `require` that finds the packages in SUYUAN_TEST_NODE_MODULES. */
export const requirePackage = createRequire(join(modules, "here.js"));

const FLAGS = [
  "--no-sandbox", // containers and CI run as root
  "--disable-gpu",
  "--disable-dev-shm-usage", // containers have little of it
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const OPEN_TIMEOUT_MS = 30_000;
const PAGE_TIMEOUT_MS = 90_000;

/** A page that holds up its own scripts (CSP `sandbox` does) must not hold up the tests. */
function inTime(promise, url) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished in ${PAGE_TIMEOUT_MS / 1000} s`)), PAGE_TIMEOUT_MS);
  });
  return Promise.race([promise, late])
    .catch((error) => {
      throw new Error(`${url}: ${error.message}`, { cause: error });
    })
    .finally(() => clearTimeout(timer));
}

async function readItems() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const items = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (!Array.isArray(items)) throw new Error("standard input must hold a JSON list");
  for (const item of items) {
    const wrong = (what) => new Error(`${what} in ${JSON.stringify(item)}`);
    if (!/^https?:\/\//.test(item?.url ?? "")) throw wrong("no http url");
    if (typeof item.lang !== "string") throw wrong("no lang");
    if (!["light", "dark"].includes(item.scheme)) throw wrong("scheme must be light or dark");
    if (!Number.isInteger(item.width) || item.width < 100) throw wrong("no width");
    if (!(item.textScale === undefined || item.textScale >= 50)) throw wrong("textScale must be a percentage");
  }
  return items;
}

/**
 * Opens one page in a context of its own: no cache, no cookies but the given ones, no service
 * worker. Requests that leave the page's origin are noted and not sent (but for redirects).
 */
async function open(browser, item) {
  const origin = new URL(item.url).origin;
  const context = await browser.newContext({
    locale: item.lang, // becomes Accept-Language
    colorScheme: item.scheme,
    reducedMotion: "reduce", // colours are measured at rest
    viewport: { width: item.width, height: item.height ?? 800 },
    serviceWorkers: "block",
  });
  context.setDefaultTimeout(OPEN_TIMEOUT_MS);
  for (const cookie of item.cookies ?? []) await context.addCookies([{ url: origin, ...cookie }]);

  const seen = { requests: [], offOrigin: [], consoleErrors: [] };
  const note = (url) => {
    if (!/^(https?|wss?):/.test(url)) return; // data:, blob:, about: never leave the page
    seen.requests.push(url);
    if (new URL(url).host !== new URL(origin).host) seen.offOrigin.push(url);
  };
  context.on("request", (request) => note(request.url()));
  await context.route(
    (url) => url.origin !== origin,
    (route) => route.abort("blockedbyclient"),
  );
  await context.routeWebSocket(
    (url) => url.host !== new URL(origin).host,
    (socket) => {
      note(socket.url());
      socket.close();
    },
  );
  const page = await context.newPage();
  page.on("websocket", (socket) => note(socket.url()));
  page.on("console", (message) => {
    if (message.type() === "error") seen.consoleErrors.push(message.text());
  });
  page.on("pageerror", (error) => seen.consoleErrors.push(String(error)));

  const response = await page.goto(item.url, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const text = await scaleText(page, item.textScale ?? 100);
  return { context, page, response, seen, text };
}

/**
 * Sets the root font size to `percent` of what the page chose, as a reader who enlarges text does,
 * and names text that stayed as it was (sized in px): at most ten elements.
 */
async function scaleText(page, percent) {
  if (percent === 100) return { percent, notScaled: [] };
  return page.evaluate((percent) => {
    const withText = [...document.body.querySelectorAll("*")].filter(
      (element) =>
        element.checkVisibility() &&
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()),
    );
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    const before = withText.map(size);
    const root = document.documentElement;
    // Through the object model: a content security policy does not forbid this.
    root.style.setProperty("font-size", `${(size(root) * percent) / 100}px`, "important");
    const notScaled = withText
      .filter((element, i) => size(element) < (before[i] * percent * 0.99) / 100)
      .slice(0, 10)
      .map((element) => element.outerHTML.slice(0, 120));
    return { percent, notScaled };
  }, percent);
}

/**
 * Reads the list from standard input, opens each page in turn and hands it to `visit`; prints one
 * JSON object. Ends with 1 when something could not be done at all.
 */
export async function run(visit, extra = {}) {
  let browser;
  try {
    const items = await readItems();
    const executablePath = process.env.SUYUAN_TEST_CHROMIUM;
    if (!executablePath) throw new Error("SUYUAN_TEST_CHROMIUM is not set (tests/run sets it)");
    const { chromium } = requirePackage("playwright-core");
    browser = await chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: false });
    const pages = [];
    for (const item of items) {
      const { cookies: _secret, ...asked } = item;
      const look = async () => {
        const opened = await open(browser, item);
        const answer = await visit(opened, item);
        await opened.context.close();
        return answer;
      };
      pages.push({ ...asked, ...(await inTime(look(), item.url)) });
    }
    const answer = { chromium: browser.version(), ...extra, pages };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } catch (error) {
    console.error(error?.stack ?? String(error));
    process.exitCode = 1;
  } finally {
    await browser?.close();
  }
}
