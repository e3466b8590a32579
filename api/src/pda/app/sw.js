// The service worker: the app's own files, all or none, from the device; and, when the browser calls it
// for what is unsent, that is sent although the app was closed. Calls of a page are not its business.

import { sendAll } from "./device/background.js";
import { UNSENT } from "./device/sync.js";
import { FILES, VERSION } from "./precache.js";

const worker = /** @type {any} */ (self);
const CACHE = `suyuan-app-${VERSION}`;

worker.addEventListener("install", (/** @type {any} */ event) => {
  // A version is whole or it is not installed.
  const whole = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((file) => new Request(`/app/${file}`, { cache: "reload" })));
  };
  event.waitUntil(whole());
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  const clean = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith("suyuan-app-") && name !== CACHE).map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(clean());
});

/** A page of the app comes: who sends stops, since the page will. */
let comes = () => {};

/** @param {string} path */
const isApp = (path) => path === "/app/" || path === "/app/index.html";

worker.addEventListener("sync", (/** @type {any} */ event) => {
  if (event.tag !== UNSENT) return;
  const send = async () => {
    /** @type {any[]} */
    const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = pages.filter(({ url }) => isApp(new URL(url).pathname));
    for (const page of open) page.postMessage(UNSENT);
    if (open.length > 0) return;
    const came = new Promise((/** @type {(none: void) => void} */ resolve) => (comes = resolve));
    // Not all was sent: the browser calls again, less and less often.
    if ((await sendAll(came)) === "left") throw new Error("left");
  };
  event.waitUntil(send());
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.mode === "navigate" && isApp(pathname)) comes();
  if (event.request.method !== "GET" || origin !== worker.location.origin || !pathname.startsWith("/app/")) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    // The folder is its page; other pages below it are the server's own.
    const path = pathname === "/app/" ? "/app/index.html" : pathname;
    return (await cache.match(path)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
