// Devices that this one was before, with what is on record of them: each has its own outbox, which takes no
// act any more and goes on sending what is unsent, signed with the keys of that device. Whatever becomes of
// the device that this is now, none of it is signed anew, renumbered or given up.

import { TAIL_DAYS } from "../core/limits.js";
import { Driver } from "./driver.js";
import { outboxOf } from "./trust.js";

/** @typedef {import("./store.js").Store} Store */

const TAIL = TAIL_DAYS * 86_400 * 1_000_000;

/**
 * Begins a session of each of these. Who has nothing left to send, and was receipted long enough ago by the server's
 * time, is forgotten.
 * @param {Driver} now who this device is
 * @param {Awaited<ReturnType<Store["left"]>>} left
 * @returns {Promise<Driver[]>}
 */
export async function startLeft(now, left) {
  const { store, link, world } = now;
  /** @type {Driver[]} */
  const started = [];
  for (const { identity, disk } of left) {
    const outbox = await outboxOf(disk, now.identity.trust);
    const stamps = Object.values(disk.receipts).map(({ stamp }) => stamp);
    if (outbox.unreceipted === 0 && now.clock.last !== null && Math.max(0, ...stamps) < now.now() - TAIL) {
      await store.commit(null, { forgets: identity.device });
      continue;
    }
    /** @type {Pick<Store, "commit">} */
    const own = { commit: (write) => store.commit(null, write ? { left: { device: identity.device, write } } : {}) };
    const told = { ...world, tell: () => {}, hint: () => {} };
    const driver = new Driver(/** @type {Store} */ (own), link, identity, outbox, told);
    driver.believes = now;
    started.push(driver);
    void driver.wake();
  }
  return started;
}
