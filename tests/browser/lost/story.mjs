// Nothing is lost, on the real program over TLS: the app in Chromium, cut and killed at every moment of a
// shift, and the server with it. Standard input: in its first line what `tests/pda/lost.rs` made; behind
// that its answers to lines that begin with `@`. What it did is printed. At the end it says what was
// seen (`@seen`): what devices made, what was heard, what the server answered; whether that and the log
// agree is judged there, by the invariants of `suyuan_sync`.

import assert from "node:assert/strict";
import { batteries, clocks, enrolment, full, tabs, versions } from "./device-blows.mjs";
import { answers, carried, kills, photo, setBack } from "./line-blows.mjs";
import { acts, desk, device, devices, ends, given, say, ticketFor, told } from "./site.mjs";

async function story() {
  await desk.signIn(given.officer);
  // The desk does not follow a server that is started anew.
  const [first, second, third] = [await ticketFor(given.warehouse, "handheld"), await ticketFor(given.store, "till"), await ticketFor(given.warehouse, "handheld")];
  const it = await device(first);
  await enrolment(it);
  await it.scan("SUYUAN-WHO-W17");
  await it.told("W17");
  await batteries(it);
  await tabs(it);
  await answers(it);
  await kills(it);
  await versions(it);
  await clocks(it);
  await setBack(it);
  await photo(it);
  const other = await device(second);
  await other.enrol(other.ticket);
  await carried(it, other);
  await full(third);
}

/** What was seen, once nothing is unsent. */
async function seen() {
  const each = async (it) => {
    await it.found();
    return { device: await it.id(), made: it.seen.made(), kept: await it.rows() };
  };
  return { devices: await Promise.all(devices.map(each)), acts, told };
}

/** What the browser holds of the app's: whether the app shows the wrong thing, or has lost what it stored. */
function held(page) {
  return page.evaluate(async () => ({
    databases: await indexedDB.databases(),
    workers: (await navigator.serviceWorker.getRegistrations()).map((it) => it.scope),
    caches: await caches.keys(),
    persisted: await navigator.storage.persisted(),
    estimate: await navigator.storage.estimate(),
  })).catch((error) => `not told: ${error.message}`);
}

try {
  await story();
  for (const it of devices) assert.deepEqual(it.errors, []);
  console.log(`@seen ${JSON.stringify(await seen())}`);
  say("done");
} catch (error) {
  console.error(error);
  for (const { page, line } of devices) {
    console.error(await page.locator("body").innerText().catch(() => "no page"));
    console.error(await held(page));
    console.error(line.calls.slice(-10));
  }
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
  process.stdin.destroy();
}
