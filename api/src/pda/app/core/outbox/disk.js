// What of an outbox is on the device's storage, and the transactions that change it.
//
// A transaction is applied whole or not at all, and in order. Applying one is a pure function, so
// that any storage can be held against it.

import { Sorted, compareKeys, nameOf } from "./keys.js";

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("../wire/messages.js").Receipt} Receipt */

/**
 * How far an event on the storage has come; `stamp` is that of its receipt.
 * @typedef {{ is: "durable" } | { is: "receipted" | "settled" | "needs_attention", stamp: number }} RowState
 *
 * An event on the storage; its text is never changed.
 * @typedef {{ key: Key, prev_hash: string, hash: string, text: string, state: RowState }} Row
 *
 * An anchor as a device keeps it: the opaque text, and the wall clock in microseconds when it came.
 * A greater one is a greater text.
 * @typedef {{ text: string, wall: number }} KeptAnchor
 *
 * One transaction.
 * @typedef {{
 *   id: number, epoch?: number, genesis?: string, rows?: Row[], marks?: { key: Key, state: RowState }[], drop?: Key[],
 *   receipt?: Receipt, anchor?: KeptAnchor, cursor?: number, enrol_again?: boolean,
 * }} Write
 */

/** The storage of an outbox. */
export class Disk {
  /**
   * A device just enrolled.
   * @param {string} device
   * @param {number} epoch
   * @param {KeptAnchor | null} anchor
   * @param {string} genesis the hash before the first event of the epoch
   */
  constructor(device, epoch, anchor, genesis) {
    this.device = device;
    this.epoch = epoch;
    /** The number of the next event. */
    this.next = 1;
    /** The head of the chain. */
    this.head = genesis;
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** The order of the queue. @type {Sorted<Key>} */
    this.order = new Sorted(compareKeys);
    /** The newest receipt. @type {Receipt | null} */
    this.receipt = null;
    /** The greatest anchor of this life. */
    this.anchor = anchor;
    /** The position of the pull. */
    this.cursor = 0;
    /** The device has to be enrolled again. */
    this.enrolAgain = false;
  }

  /** Another storage with the same on it. */
  clone() {
    const copy = new Disk(this.device, this.epoch, this.anchor, this.head);
    copy.next = this.next;
    copy.rows = new Map(this.rows);
    copy.order = new Sorted(compareKeys, this.order);
    copy.receipt = this.receipt;
    copy.cursor = this.cursor;
    copy.enrolAgain = this.enrolAgain;
    return copy;
  }

  /** @param {Key} key @returns {Row | undefined} */
  row(key) {
    return this.rows.get(nameOf(key));
  }

  /** The rows in the order of the queue. @returns {Row[]} */
  inOrder() {
    return this.order.list.flatMap((key) => this.row(key) ?? []);
  }

  /** Puts a row where it belongs. @param {Row} row */
  put(row) {
    this.rows.set(nameOf(row.key), row);
    this.order.add(row.key);
  }

  /** Applies a transaction. @param {Write} write */
  apply(write) {
    if (write.epoch !== undefined) {
      this.epoch = write.epoch;
      this.next = 1;
      this.head = write.genesis ?? this.head;
      this.anchor = null;
      this.receipt = null;
    }
    for (const row of write.rows ?? []) {
      this.next = row.key[1] + 1;
      this.head = row.hash;
      this.put(row);
    }
    for (const { key, state } of write.marks ?? []) {
      const row = this.row(key);
      if (row) this.rows.set(nameOf(key), { ...row, state });
    }
    for (const key of write.drop ?? []) {
      this.rows.delete(nameOf(key));
      this.order.delete(key);
    }
    if (write.receipt !== undefined) this.receipt = write.receipt;
    if (write.anchor !== undefined) this.anchor = write.anchor;
    if (write.cursor !== undefined) this.cursor = write.cursor;
    if (write.enrol_again !== undefined) this.enrolAgain = write.enrol_again;
  }
}
