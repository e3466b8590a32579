// What goes to the server on other ways than a push: as a file that this device writes and another hands in,
// and as a photo whose codes it reads.

import { exported as carried } from "../../core/outbox/export.js";
import { receiptText } from "../../core/wire.js";
import { readDeposit } from "../../core/wire/carried.js";
import { pushToken } from "../../device/link.js";
import { isSigned } from "../../device/trust.js";

/** @typedef {import("../../device/driver.js").Driver} Driver */

/** Everything unsent and whole, signed, as lines that another device or an office can deposit. @param {Driver} driver */
export async function exported({ identity, outbox }) {
  const lines = [];
  for (const push of (await carried(outbox)).pushes) lines.push(JSON.stringify({ v: 1, token: await pushToken(identity, push), push }));
  return lines;
}

/**
 * Hands in what another device wrote down.
 * @param {Driver} driver
 * @param {import("../../core/wire/messages.js").Deposit} deposit
 * @returns {Promise<boolean>} whether the server receipted it
 */
async function isReceipted(driver, deposit) {
  const outcome = await driver.link.deposit(driver.identity, driver.outbox.disk.anchor?.text ?? "", deposit);
  if (outcome.is !== "answer") return false;
  const { receipt } = outcome.answer;
  const isOfIt = receipt.device === deposit.push.device && receipt.epoch === deposit.push.epoch;
  return isOfIt && (await isSigned(driver, receipt.key, receiptText(receipt), receipt.sig));
}

/**
 * Hands in a file that another device wrote.
 * @param {Driver | null} driver
 * @param {string} text
 * @returns {Promise<import("../types.js").Told>} what came of it
 */
export async function handIn(driver, text) {
  const deposits = text.split("\n").filter((line) => line.trim() !== "").map(readDeposit);
  const good = deposits.flatMap((read) => (read.ok ? [read.message] : []));
  if (good.length === 0 || good.length < deposits.length) return { sound: "warn", words: ["deposit_bad"] };
  let events = 0;
  for (const deposit of good) {
    if (!driver || !(await isReceipted(driver, deposit))) return { sound: "warn", words: ["deposit_lost"], of: String(events) };
    events += deposit.push.events.length;
  }
  return { sound: "ok", words: ["deposited"], of: String(events) };
}

/**
 * The codes in a photo, read by the server.
 * @param {Driver | null} driver
 * @param {Blob} photo
 * @returns {Promise<{ ok: true, codes: string[] } | { ok: false, why: string }>}
 */
export async function codesIn(driver, photo) {
  if (!driver) return { ok: false, why: "photo_lost" };
  const outcome = await driver.link.decode(driver.identity, driver.outbox.disk.anchor?.text ?? "", photo);
  if (outcome.is === "lost") return { ok: false, why: "photo_lost" };
  if (outcome.is === "refused") return { ok: false, why: outcome.status === 422 ? "photo_no_code" : "photo_refused" };
  const codes = [...new Set(outcome.answer.codes.map(({ text }) => text))];
  return codes.length > 0 ? { ok: true, codes } : { ok: false, why: "photo_no_code" };
}
