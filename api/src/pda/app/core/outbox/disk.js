// What of an outbox is on the device's storage, and the transactions that change it.
//
// A transaction is applied whole or not at all, and in order. Applying one is a pure function, so
// that any storage can be held against it.

import { contains } from "../wire/ranges.js";
import { Sorted, compareKeys, nameOf } from "./keys.js";

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Write} Write */
/** @typedef {import("./types.js").KeptAnchor} KeptAnchor */
/** @typedef {import("../wire/messages.js").Receipt} Receipt */

/** A check value of something short that nobody signed: FNV-1a, in which any bit that turns shows. @param {string} text */
export function check(text) {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return sum;
}

/** An anchor that came at this time. @param {string} text @param {number} wall @returns {KeptAnchor} */
export const keptAnchor = (text, wall) => ({ text, wall, check: check(`${text} ${wall}`) });

/**
 * The receipts on a storage. Programs of before kept the newest alone.
 * @param {{ receipts?: Record<number, Receipt>, receipt?: Receipt | null | undefined }} head
 * @returns {Record<number, Receipt>}
 */
export const receiptsOf = ({ receipts, receipt }) => (receipt ? { ...receipts, [receipt.epoch]: receipt } : (receipts ?? {}));

/** The same behind a transaction. @param {Record<number, Receipt>} receipts @param {Write} write */
export function receiptsAfter(receipts, { forget = [], receipt }) {
  const after = receiptsOf({ receipts, receipt });
  return forget.length > 0 ? Object.fromEntries(Object.entries(after).filter(([life]) => !forget.includes(Number(life)))) : after;
}

const STATES = ["durable", "receipted", "settled", "needs_attention"];

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
    /** The newest of each life: what these cover is safe, whatever the states of rows say. @type {Record<number, Receipt>} */
    this.receipts = {};
    /** The greatest anchor of this life. */
    this.anchor = anchor;
    /** The position of the pull. */
    this.cursor = 0;
    /** @type {number | undefined} */
    this.cursorCheck = undefined;
    /** The device has to be enrolled again. */
    this.enrolAgain = false;
  }

  /** Another storage with the same on it. */
  clone() {
    const copy = new Disk(this.device, this.epoch, this.anchor, this.head);
    copy.next = this.next;
    copy.rows = new Map(this.rows);
    copy.order = new Sorted(compareKeys, this.order);
    copy.receipts = this.receipts;
    copy.cursor = this.cursor;
    copy.cursorCheck = this.cursorCheck;
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

  /** The newest receipt of this life. */
  get receipt() {
    return this.receipts[this.epoch] ?? null;
  }

  /** Does a receipt say that an event is safe? @param {Key} key */
  covers([epoch, seq]) {
    const receipt = this.receipts[epoch];
    return receipt !== undefined && contains(receipt.held_ranges, seq);
  }

  /**
   * I30: lets go of what is not what was kept, before a session begins: receipts that are not believed to be
   * signed, an anchor or a position with another check value. What is told of it.
   * @param {(receipt: Receipt) => boolean} believes
   */
  doubt(believes) {
    /** @type {import("./types.js").Notice[]} */
    const found = [];
    const kept = Object.entries(this.receipts).filter(([life, receipt]) => {
      const isGood = believes(receipt) && receipt.device === this.device && receipt.epoch === Number(life);
      if (!isGood) found.push({ say: "doubted", of: Number(life) });
      return isGood;
    });
    this.receipts = Object.fromEntries(kept);
    // A state of which a bit turned is none.
    const stateless = this.inOrder().filter(({ state }) => !STATES.includes(state.is));
    for (const row of stateless) this.put({ ...row, state: { is: "durable" } });
    for (const of of new Set(stateless.map(({ key }) => key[0]))) found.push({ say: "doubted", of });
    const { anchor, cursorCheck } = this;
    const turned = anchor?.check !== undefined && anchor.check !== keptAnchor(anchor.text, anchor.wall).check;
    const strayed = cursorCheck !== undefined && cursorCheck !== check(String(this.cursor));
    if (turned) this.anchor = null;
    if (strayed) [this.cursor, this.cursorCheck] = [0, undefined];
    if (turned || strayed) found.push({ say: "strayed" });
    // No event is ever written in the place of another, nor under a number that was given away.
    const [epoch, made] = this.order.list[this.order.lowerBound([this.epoch, Infinity]) - 1] ?? [0, 0];
    const held = this.enrolAgain ? 0 : this.receipt?.held_ranges.at(-1)?.[1];
    this.next = Math.max(this.next, (epoch === this.epoch ? made : 0) + 1, (held ?? 0) + 1);
    return found;
  }

  /** Earlier lives with a receipt, kept or just come, of which no event is left: it says nothing. @param {number} came */
  over(came) {
    const { list } = this.order;
    const lives = Object.keys({ ...this.receipts, [came]: 0 }).map(Number);
    return lives.filter((life) => life !== this.epoch && list[this.order.lowerBound([life, 0])]?.[0] !== life);
  }

  /** Applies a transaction. @param {Write} write */
  apply(write) {
    if (write.epoch !== undefined) {
      this.epoch = write.epoch;
      this.next = 1;
      this.head = write.genesis ?? this.head;
      this.anchor = null;
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
    this.receipts = receiptsAfter(this.receipts, write);
    if (write.anchor !== undefined) this.anchor = write.anchor;
    if (write.cursor !== undefined) {
      this.cursor = write.cursor;
      this.cursorCheck = check(String(write.cursor));
    }
    if (write.enrol_again !== undefined) this.enrolAgain = write.enrol_again;
  }
}
