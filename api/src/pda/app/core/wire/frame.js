// Reading a message as a whole: bounded, strict JSON, or a fault with the name that is agreed.

import { JsonFault, parseJson } from "./json.js";
import { ShapeFault } from "./shape.js";

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
