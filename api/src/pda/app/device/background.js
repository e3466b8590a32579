// What the service worker does for the outbox while no page of the app is open: it sends what is
// unsent by the page's own code, as the one writer there is, and leaves at once when a page comes.
//
// A page asks for it with `askForSync`; where a browser has no Background Sync nothing is asked, and
// what is unsent is sent when the app is opened.

import { Driver } from "./driver.js";
import { Link } from "./link.js";
import { WRITER } from "./lock.js";
import { Store } from "./store.js";

/** So long an upload may take before the browser is asked to call again, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Sends until nothing is unsent, an upload fails, time is over, or `until` is resolved.
 * @param {Promise<unknown>} until
 * @returns {Promise<"sent" | "left" | "taken">} `taken`: a page is the writer
 */
export async function sendAll(until) {
  return await navigator.locks.request(WRITER, { ifAvailable: true }, async (lock) => (lock === null ? "taken" : sendAsWriter(until)));
}

/** @param {Promise<unknown>} until @returns {Promise<"sent" | "left">} */
async function sendAsWriter(until) {
  const store = await Store.open(indexedDB, "suyuan-device");
  /** @type {Driver | null} */
  let driver = null;
  /** @type {() => void} */
  let end = () => {};
  const ended = new Promise((/** @type {(none: void) => void} */ resolve) => (end = resolve));
  const look = () => {
    if (driver?.outbox.unsent === 0) end();
  };
  const timer = setTimeout(end, PATIENCE_MS);
  void until.then(end);
  try {
    const identity = await store.identity();
    if (!identity) return "sent";
    driver = await Driver.start(store, new Link(identity.url), {
      now: () => Math.trunc(performance.now()),
      wall: () => Date.now(),
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      // What has to wait is the browser's to call again for.
      after: () => () => {},
      tell: () => {},
      changed: look,
      failed: end,
    });
    look();
    await ended;
    await driver?.end();
    return driver?.outbox.unsent === 0 ? "sent" : "left";
  } finally {
    clearTimeout(timer);
    store.close();
  }
}
