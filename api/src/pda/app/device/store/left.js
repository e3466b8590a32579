// What a device left on the storage that this one was before: who it was, its keys and its outbox. Loaded
// where there is any, or is about to be.

import { diskOf, placed } from "./read.js";
import { done, headAfter, putRows } from "./write.js";

/** @typedef {import("../../core/outbox/disk.js").Disk} Disk */
/** @typedef {import("../../core/outbox/types.js").Write} Write */
/** @typedef {import("../../core/outbox/types.js").Row} Row */
/** @typedef {import("../store.js").Extra} Extra */
/** @typedef {import("../store.js").Identity} Identity */

/** Whose it is: the device of an outbox that is left behind, by its name. @param {string} device */
export const leftBy = (device) => ["left", device];
/** What followed in its chain. @param {string} device */
export const headLeftBy = (device) => ["left_head", device];

/**
 * All of them, each with its outbox.
 * @param {IDBTransaction} tx
 * @returns {Promise<{ identity: Identity, disk: Disk }[]>}
 */
export async function readLeft(tx) {
  const records = tx.objectStore("device");
  const identities = /** @type {Identity[]} */ (await done(records.getAll(IDBKeyRange.bound(leftBy(""), ["left", []]))));
  const all = identities.map(async (identity) => {
    const { device, epoch } = identity;
    const [left, its] = [tx.objectStore("left"), IDBKeyRange.bound([device], [device, []])];
    const [head, rows, keys] = await Promise.all([
      done(records.get(headLeftBy(device))),
      done(left.getAll(its)),
      done(left.getAllKeys(its)),
    ]);
    const places = /** @type {[string, number, number][]} */ (keys).map(([, life, seq]) => /** @type {Row["key"]} */ ([life, seq]));
    return { identity, disk: diskOf(device, epoch, "", head ?? null, placed(/** @type {Row[]} */ (rows), places)) };
  });
  return Promise.all(all);
}

/** What a transaction says of them. @param {IDBTransaction} tx @param {Extra} extra @param {Partial<Disk>} head of this device */
export function putLeft(tx, { leaves, left, forgets }, head) {
  if (leaves) leave(tx, leaves, head);
  if (left) became(tx, left.device, left.write);
  if (forgets) forget(tx, forgets);
}

/**
 * What became of events that a device left behind which this one was before.
 * @param {IDBTransaction} tx
 * @param {string} device
 * @param {Write} write
 */
function became(tx, device, write) {
  putRows(tx.objectStore("left"), write, (key) => [device, ...key]);
  const records = tx.objectStore("device");
  const request = records.get(headLeftBy(device));
  request.onsuccess = () => records.put(headAfter(request.result ?? {}, write), headLeftBy(device));
}

/**
 * This becomes another device: what the one before has on record is put aside whole, with its keys, so that
 * it is still sent as its own, and no number of it meets one of the other.
 * @param {IDBTransaction} tx
 * @param {Identity} before
 * @param {Partial<Disk>} head
 */
function leave(tx, before, head) {
  const [rows, left, records] = [tx.objectStore("rows"), tx.objectStore("left"), tx.objectStore("device")];
  const earlier = records.get(leftBy(before.device));
  const request = rows.getAll();
  request.onsuccess = () => {
    const all = /** @type {Row[]} */ (request.result);
    rows.clear();
    if (all.length === 0) return;
    for (const row of all) left.put(row, [before.device, ...row.key]);
    const lives = { ...earlier.result?.lives, ...before.lives };
    records.put({ ...before, lives, trust: [] }, leftBy(before.device));
    records.put(head, headLeftBy(before.device));
  };
}

/** Nothing of it is needed any more. @param {IDBTransaction} tx @param {string} device */
function forget(tx, device) {
  tx.objectStore("left").delete(IDBKeyRange.bound([device], [device, []]));
  for (const name of [leftBy(device), headLeftBy(device)]) tx.objectStore("device").delete(name);
}
