// Reading what devices push: what another exported and this one hands in. Fetched when somebody does.

import { EVENTS_PER_PUSH_MAX, SEQ_MAX } from "../limits.js";
import { readFrame } from "./frame.js";
import * as messages from "./messages.js";

/** @typedef {import("./frame.js").FrameFault} FrameFault */
/**
 * @template T
 * @typedef {import("./frame.js").Framed<T>} Framed
 */

/** @param {string} text @returns {Framed<messages.Push>} */
export function readPush(text) {
  const read = readFrame(text, messages.push);
  return read.ok ? (outOfBounds(read.message) ?? read) : read;
}

/**
 * A batch that another device exported.
 * @param {string} text
 * @returns {Framed<messages.Deposit>}
 */
export function readDeposit(text) {
  const read = readFrame(text, messages.deposit);
  return read.ok ? (outOfBounds(read.message.push) ?? read) : read;
}

/**
 * @param {messages.Push} push
 * @returns {{ ok: false, fault: FrameFault, why: string } | null}
 */
function outOfBounds(push) {
  if (push.events.length > EVENTS_PER_PUSH_MAX) {
    return { ok: false, fault: "too_many_events", why: `a push has at most ${EVENTS_PER_PUSH_MAX} events` };
  }
  // Beyond the greatest number a browser cannot tell numbers apart, so nothing is added to it.
  const { first_seq: first, events } = push;
  if (first === 0 || first > SEQ_MAX - Math.max(0, events.length - 1)) {
    return { ok: false, fault: "bad_seq", why: "sequence numbers are between 1 and 2^53 - 1" };
  }
  return null;
}
