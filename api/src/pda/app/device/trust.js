// Whom a device believes: the keys of its installation, and those that follow from them.

import { Outbox } from "../core/outbox.js";
import { follow, receiptText } from "../core/wire.js";
import { verify, verifyBy } from "./keys.js";

/** @typedef {import("./driver.js").Driver} Driver */

/** Keys that are not known are asked for at most so often, in milliseconds. */
const KEYS_EVERY_MS = 60_000;

/**
 * Whether the installation signed a text: with a key that is trusted, or with a newer one that
 * follows from those.
 * @param {Driver} driver
 * @param {number} number
 * @param {string} text
 * @param {string} sig
 */
export async function isSigned(driver, number, text, sig) {
  if (driver.identity.trust.every(({ n }) => n < number)) await askForKeys(driver);
  return verifyBy(driver.identity.trust, number, text, sig);
}

/**
 * A session of an outbox, by the receipts on its storage that the installation signed (I30).
 * @param {import("../core/outbox.js").Disk} disk
 * @param {readonly import("../core/wire/messages.js").TrustKey[]} trust
 */
export async function outboxOf(disk, trust) {
  const kept = Object.values(disk.receipts);
  const good = await Promise.allSettled(kept.map(async (receipt) => verifyBy(trust, receipt.key, receiptText(receipt), receipt.sig)));
  return Outbox.begin(disk, (receipt) => {
    const found = good[kept.indexOf(receipt)];
    return found?.status === "fulfilled" && found.value;
  });
}

/** The keys come with a snapshot's manifest. @param {Driver} driver */
async function askForKeys(driver) {
  const now = driver.world.now();
  if (driver.keysAsked !== null && now - driver.keysAsked < KEYS_EVERY_MS) return;
  driver.keysAsked = now;
  const outcome = await driver.link.snapshot(driver.identity, driver.outbox.disk.anchor?.text ?? "");
  if (outcome.is === "answer") await followKeys(driver, outcome.answer.trust_keys);
}

/** Trusts what follows from the newest key that is trusted. @param {Driver} driver @param {readonly import("../core/wire/messages.js").TrustKey[]} shipped */
export async function followKeys(driver, shipped) {
  const { trust } = driver.identity;
  const newest = [...trust].sort((a, b) => b.n - a.n)[0];
  if (!newest) return;
  const [, ...more] = await follow(newest, shipped, verify);
  if (more.length === 0) return;
  const identity = { ...driver.identity, trust: [...trust, ...more] };
  await driver.keep({ identity });
  driver.identity = identity;
}
