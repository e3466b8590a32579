// Reading a message as a whole: bounded, strict JSON, or a fault with the name that is agreed.

import { EVENTS_PER_PUSH_MAX, SEQ_MAX } from "../limits.js";
import { JsonFault, parseJson } from "./json.js";
import { ShapeFault } from "./shape.js";
import * as messages from "./messages.js";

/** How deep a message may nest; events in it are texts and do not count. */
const FRAME_DEPTH_MAX = 8;

/** @typedef {"unreadable_frame" | "bad_seq" | "too_many_events"} FrameFault */

/**
 * @template T
 * @typedef {{ ok: true, message: T } | { ok: false, fault: FrameFault, why: string }} Framed
 */

/**
 * A message by one of the readers of `messages.js`.
 * @template T
 * @param {string} text
 * @param {import("./shape.js").Reader<T>} reader
 * @returns {Framed<T>}
 */
export function readFrame(text, reader) {
  try {
    return { ok: true, message: reader(parseJson(text, FRAME_DEPTH_MAX), "") };
  } catch (error) {
    if (!(error instanceof JsonFault || error instanceof ShapeFault)) throw error;
    return { ok: false, fault: "unreadable_frame", why: error.message };
  }
}

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
