// The service worker: the app's own files, all or none, from the device; and, when the browser calls it
// for what is unsent, a page that is there is woken. Calls to the server are not its business.

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

worker.addEventListener("sync", (/** @type {any} */ event) => {
  if (event.tag !== UNSENT) return;
  const wake = async () => {
    for (const page of await worker.clients.matchAll({ type: "window" })) page.postMessage(UNSENT);
  };
  event.waitUntil(wake());
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== worker.location.origin || !pathname.startsWith("/app/")) return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    // The folder is its page; other pages below it are the server's own.
    const path = pathname === "/app/" ? "/app/index.html" : pathname;
    return (await cache.match(path)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
