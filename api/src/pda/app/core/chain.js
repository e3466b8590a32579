// The hash chain of a device's epoch: every event's hash covers its bytes as they were made and the
// hash before it.
//
// `hash = SHA-256("suyuan-event-1" ‖ prev_hash ‖ bytes)`, and the first `prev_hash` is
// `SHA-256("suyuan-genesis-1" ‖ device ‖ epoch)`: 16 bytes of the device id, the epoch as four bytes,
// the most significant first. A hash is written as 64 small hexadecimal digits. It knows bytes only.

import { hex, uuidBytes } from "./ids.js";

const encoder = new TextEncoder();
const GENESIS = encoder.encode("suyuan-genesis-1");
const EVENT = encoder.encode("suyuan-event-1");

/**
 * An event in its place in the chain.
 * @typedef {{ prev_hash: string, hash: string, text: string }} Link
 */

/**
 * SHA-256 of some bytes, as 64 small hexadecimal digits.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 */
export async function sha256(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {BufferSource} */ (bytes))));
}

/**
 * Whether a text is a hash as it stands on the wire.
 * @param {unknown} text
 * @returns {text is string}
 */
export function isHash(text) {
  if (typeof text !== "string" || text.length !== 64) return false;
  for (const c of text) if (!"0123456789abcdef".includes(c)) return false;
  return true;
}

/**
 * The hash before the first event of an epoch.
 * @param {string} device
 * @param {number} epoch
 */
export function genesis(device, epoch) {
  const bytes = new Uint8Array(GENESIS.length + 20);
  bytes.set(GENESIS);
  bytes.set(uuidBytes(device), GENESIS.length);
  new DataView(bytes.buffer).setUint32(GENESIS.length + 16, epoch);
  return sha256(bytes);
}

/**
 * The hash of an event that follows `prev`.
 * @param {string} prev
 * @param {string} text
 */
export function next(prev, text) {
  const event = encoder.encode(text);
  const bytes = new Uint8Array(EVENT.length + 32 + event.length);
  bytes.set(EVENT);
  for (let at = 0; at < 32; at += 1) {
    bytes[EVENT.length + at] = Number.parseInt(prev.slice(2 * at, 2 * at + 2), 16);
  }
  bytes.set(event, EVENT.length + 32);
  return sha256(bytes);
}

/**
 * The events that follow `prev`, each with the hashes before and after it.
 * @param {string} prev
 * @param {readonly string[]} texts
 * @returns {Promise<Link[]>}
 */
export async function links(prev, texts) {
  /** @type {Link[]} */
  const chained = [];
  let prev_hash = prev;
  for (const text of texts) {
    const hash = await next(prev_hash, text);
    chained.push({ prev_hash, hash, text });
    prev_hash = hash;
  }
  return chained;
}

/**
 * The hash after the last of the events that follow `prev`; `prev` itself when there are none.
 * @param {string} prev
 * @param {readonly string[]} texts
 */
export async function head(prev, texts) {
  const chained = await links(prev, texts);
  return chained[chained.length - 1]?.hash ?? prev;
}
