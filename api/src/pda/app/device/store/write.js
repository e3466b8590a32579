// Writes of the outbox as they stand on the storage: rows and, in one record, what the next event follows
// from; and what a transaction that was told to have failed may have left behind.

import { check, receiptsAfter, receiptsOf } from "../../core/outbox/disk.js";

/** @typedef {import("../../core/outbox/disk.js").Disk} Disk */
/** @typedef {import("../../core/outbox/types.js").Write} Write */
/** @typedef {import("../../core/outbox/types.js").Row} Row */
/** @typedef {import("../../core/outbox/keys.js").Key} Key */
/** @typedef {import("../store.js").Extra} Extra */

/**
 * What may be on the disk though it was told not to be: events by their keys, and records by their names.
 * @typedef {{ keys: readonly Key[], records: readonly string[] }} Undo
 */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Which events a transaction adds, first and last. @param {Write | null} write */
export function madeBy(write) {
  const [first] = write?.rows ?? [];
  const [last] = write?.rows?.slice(-1) ?? [];
  return first && last ? { made: { epoch: first.key[0], first: first.key[1], last: last.key[1] } } : {};
}

/**
 * A transaction failed: what has to be undone before anything follows, should the disk hold it after all.
 * @param {Undo | null} before
 * @param {Write | null} write
 * @param {Extra} extra
 * @returns {Undo}
 */
export const undoOf = (before, write, { records = {} }) => ({
  keys: [...(before?.keys ?? []), ...(write?.rows ?? []).map(({ key }) => key)],
  records: [...new Set([...(before?.records ?? []), ...Object.keys(records)])],
});

/**
 * Rows, their states, and those that go.
 * @param {IDBObjectStore} rows
 * @param {Write} write
 * @param {(key: Key) => IDBValidKey} [nameOf]
 */
export function putRows(rows, write, nameOf = (key) => key) {
  const [last] = (write.rows ?? []).slice(-1);
  // Nothing follows the last event but what is written after it.
  if (last) rows.delete(IDBKeyRange.bound([last.key[0], last.key[1] + 1], [last.key[0], []]));
  for (const row of write.rows ?? []) rows.put(row, nameOf(row.key));
  for (const { key, state } of write.marks ?? []) {
    const request = rows.get(nameOf(key));
    request.onsuccess = () => {
      if (request.result) rows.put({ ...request.result, state }, nameOf(key));
    };
  }
  for (const key of write.drop ?? []) rows.delete(nameOf(key));
}

/**
 * What the next event follows from, behind a transaction.
 * @param {Partial<Disk>} before
 * @param {Write} write
 * @returns {Partial<Disk>}
 */
export function headAfter(before, write) {
  const { receipt: _, ...head } = { ...before, receipts: receiptsAfter(receiptsOf(before), write) };
  if (write.epoch !== undefined) {
    Object.assign(head, { epoch: write.epoch, next: 1, head: write.genesis, anchor: null });
  }
  const last = write.rows?.[write.rows.length - 1];
  if (last) Object.assign(head, { next: last.key[1] + 1, head: last.hash });
  if (write.anchor !== undefined) head.anchor = write.anchor;
  if (write.cursor !== undefined) Object.assign(head, { cursor: write.cursor, cursorCheck: check(String(write.cursor)) });
  if (write.enrol_again !== undefined) head.enrolAgain = write.enrol_again;
  return head;
}
