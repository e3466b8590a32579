// What the server's answers mean for the queue: which events are home, what anybody has to look at,
// which anchor and receipt are kept, and whether there is a second copy of this device.
//
// It believes what it is given: whether a receipt's signature holds was asked before.

import { TAIL_DAYS } from "../limits.js";
import { contains } from "../wire/ranges.js";
import { stateOf } from "./fate.js";
import { keptAnchor } from "./disk.js";
import { Sorted, compareKeys, nameOf } from "./keys.js";

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("./machine.js").Outbox} Outbox */
/** @typedef {import("./types.js").Action} Action */
/** @typedef {import("./types.js").Command} Command */
/** @typedef {import("../wire/messages.js").Receipt} Receipt */

const TAIL = TAIL_DAYS * 86_400 * 1_000_000;

/**
 * An answer to a push of `first` and the following. Returns how many events it brought home.
 * @param {Outbox} outbox
 * @param {Extract<Command, { do: "answer" }>} command
 * @param {number} now
 * @param {Action[]} actions
 */
export function answer(outbox, command, now, actions) {
  const { receipt, first, fates } = command;
  const { view } = outbox;
  if (receipt.device !== view.device) return 0;
  const { epoch, stamp } = receipt;
  outbox.shut.delete(epoch);
  /** @type {Omit<import("./types.js").Write, "id">} */
  const write = {};
  /** @type {NonNullable<import("./types.js").Write["marks"]>} */
  const marks = [];
  const unproven = unprovenBy(outbox, receipt);
  fates.forEach((fate, at) => {
    /** @type {Key} */
    const key = [epoch, first + at];
    // It was good when this push was made.
    const isDamaged = outbox.damaged.has(key);
    const waits = isDamaged || outbox.open.has(key) || unproven.has(key);
    // Only what was in this push and is covered by its receipt is safe.
    if (!contains(receipt.held_ranges, key[1]) || !waits) return;
    outbox.doubted.delete(key);
    unproven.delete(key);
    marks.push({ key, state: stateOf(fate, stamp) });
    if (fate === "attention") actions.push({ do: "show", notice: { say: "attention", of: key } });
    else if (isDamaged) actions.push({ do: "show", notice: { say: "resolved", of: key } });
  });
  const brought = marks.length;
  if (epoch === view.epoch) {
    if (isACopy(outbox, receipt) && !view.enrolAgain) {
      write.enrol_again = true;
      actions.push({ do: "show", notice: { say: "enrol_again" } });
    }
    const anchor = greater(outbox, command);
    if (anchor) write.anchor = anchor;
  }
  const held = view.receipts[epoch];
  if (!held || stamp > held.stamp) write.receipt = receipt;
  // The tail is measured by the server's clock, so a wrong one here drops nothing early.
  /** @type {Key[]} */
  const drop = [];
  // So is what is in doubt and not proven, whatever is held under its number: with the receipt comes that it is unsent.
  const unsent = write.receipt ? [...unproven] : [];
  for (const [, key] of outbox.tail.takeBelow([stamp - TAIL, [Infinity, Infinity]])) {
    const isHeld = write.receipt && key[0] === epoch ? contains(receipt.held_ranges, key[1]) : view.covers(key);
    // A server that was set back holds less than it receipted: it is told again.
    (isHeld ? drop : unsent).push(key);
  }
  for (const key of unsent) marks.push({ key, state: { is: "durable" } });
  if (marks.length > 0) write.marks = marks;
  if (drop.length > 0) write.drop = drop;
  const forget = view.over(epoch);
  if (forget.length > 0) write.forget = forget;
  if (Object.keys(write).length > 0) outbox.persist(write, write.anchor ? now : null, actions);
  outbox.resolve(epoch);
  return brought;
}

/**
 * Those in doubt, of the life of this receipt, of which it does not prove that the server holds these very events
 * and not those of a second copy under their numbers: the hash of its head is of all before it. Where one is kept
 * and did not cover them, their states are untrue.
 * @param {Outbox} outbox
 * @param {Receipt} receipt
 */
function unprovenBy({ view, doubted }, { epoch, contiguous_seq: head, head_hash }) {
  const upto = !view.receipts[epoch] && view.row([epoch, head])?.hash === head_hash ? head : 0;
  return new Sorted(compareKeys, [...doubted].filter(([life, seq]) => life === epoch && seq > upto));
}

/**
 * Is all of this push receipted, if only by another answer?
 * @param {Outbox} outbox
 * @param {import("./types.js").Flight} flight
 */
export function isHome({ open, doubted }, { epoch, first, last }) {
  return [open, doubted].every((keys) => {
    const next = keys.list[keys.lowerBound([epoch, first])];
    return !next || next[0] !== epoch || next[1] > last;
  });
}

/**
 * Does the server hold another event than this device at the head it receipts, or more than this
 * device ever made?
 * @param {Outbox} outbox
 * @param {Receipt} receipt
 */
function isACopy({ view }, receipt) {
  const own = view.row([receipt.epoch, receipt.contiguous_seq]);
  return receipt.contiguous_seq >= view.next || (own !== undefined && own.hash !== receipt.head_hash);
}

/** An anchor if it is greater than the one held. @param {Outbox} outbox @param {{ anchor: string, wall: number }} came */
function greater({ view }, { anchor, wall }) {
  return view.anchor === null || anchor > view.anchor.text ? keptAnchor(anchor, wall) : null;
}

/**
 * Anchor, position and what the page tells go into one transaction. A snapshot begins anew (`anew`):
 * where the position held leads nowhere any more, a lower one holds.
 * @param {Outbox} outbox
 * @param {Extract<Command, { do: "checkpoint" }>} command
 * @param {number} now
 * @param {Action[]} actions
 */
export function checkpoint(outbox, command, now, actions) {
  const { view } = outbox;
  /** @type {Map<string, { key: Key, state: import("./types.js").RowState }>} */
  const marks = new Map();
  for (const [epoch, seq, fate] of command.fates) {
    /** @type {Key} */
    const key = [epoch, seq];
    const was = marks.get(nameOf(key))?.state ?? view.row(key)?.state;
    if (!was || was.is === "durable") continue;
    const state = stateOf(fate, was.stamp);
    if (state.is === was.is) continue;
    marks.set(nameOf(key), { key, state });
    if (state.is === "needs_attention") {
      actions.push({ do: "show", notice: { say: "attention", of: key } });
    } else if (was.is === "needs_attention" && state.is === "settled") {
      actions.push({ do: "show", notice: { say: "resolved", of: key } });
    }
  }
  const anchor = greater(outbox, command);
  const sorted = [...marks.values()].sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1]);
  /** @type {Omit<import("./types.js").Write, "id">} */
  const write = { cursor: command.anew ? command.cursor : Math.max(command.cursor, view.cursor) };
  if (sorted.length > 0) write.marks = sorted;
  if (anchor) write.anchor = anchor;
  outbox.persist(write, anchor ? now : null, actions);
}
