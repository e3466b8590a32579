// What is sent next, and when: the queue first in, first out, one push under way, nothing that is
// refused or damaged in the way of what follows it.

import { next } from "../chain.js";
import { PUSH_BYTES_MAX } from "../limits.js";
import { byteLength } from "../trace-code/bytes.js";
import { compareKeys } from "./keys.js";
import { FLIGHT_MS } from "./pace.js";

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("../wire/messages.js").Push} Push */
/** @typedef {import("./machine.js").Outbox} Outbox */
/** @typedef {import("./types.js").Flight} Flight */
/** @typedef {import("./types.js").Action} Action */

/**
 * The push of the very texts that were made; where one is not (I30), the keys for `damaged`.
 * @param {Outbox} outbox
 * @param {number} epoch
 * @param {number} first
 * @param {number} last
 * @returns {Promise<{ push: Push, damaged: null } | { push: null, damaged: Key[] }>}
 */
export async function push(outbox, epoch, first, last) {
  const { view } = outbox;
  /** @type {import("./types.js").Row[]} */
  const rows = [];
  for (let seq = first; seq <= last; seq += 1) {
    const row = view.row([epoch, seq]);
    if (row) rows.push(row);
  }
  const push = {
    v: /** @type {const} */ (1),
    device: view.device,
    epoch,
    first_seq: first,
    prev_hash: rows[0]?.prev_hash ?? view.head,
    last_receipt: view.receipts[epoch],
    queue_depth: outbox.unsent,
    events: rows.map((row) => row.text),
  };
  const hashes = await Promise.all(rows.map((row) => next(row.prev_hash, row.text)));
  const damaged = rows.flatMap(({ key, hash }, at) => (hash === hashes[at] ? [] : [key]));
  return damaged.length > 0 ? { push: null, damaged } : { push, damaged: null };
}

/**
 * What is damaged (I30) is neither sent nor let go. Only an answer to a push that held it while it was whole
 * settles it.
 * @param {Outbox} outbox
 * @param {readonly Key[]} keys
 * @param {Action[]} actions
 */
export function setAside(outbox, keys, actions) {
  const { flight, open, doubted } = outbox;
  // A push that was to hold one was not made.
  if (keys.some(([epoch, seq]) => flight?.epoch === epoch && flight.first <= seq && seq <= flight.last)) outbox.flight = null;
  for (const key of keys.filter((key) => open.has(key) || doubted.has(key))) {
    for (const of of [open, doubted, outbox.sent, outbox.skipped]) of.delete(key);
    outbox.damaged.add(key);
    actions.push({ do: "show", notice: { say: "damaged", of: key } });
  }
}

/**
 * Sends if it may, else says when to come back.
 * @param {Outbox} outbox
 * @param {number} now
 * @param {Action[]} actions
 */
export function plan(outbox, now, actions) {
  const { open, doubted, skipped, shut, pace, turn } = outbox;
  const may = (/** @type {Key} */ key) => !skipped.has(key) && !shut.has(key[0]);
  // Any answer brings a receipt, by which those in doubt are judged.
  const free = open.list.find(may) ?? doubted.list.find(may);
  // Where nothing else is left, what was refused, by turns.
  const refused = free ? [] : [...open, ...doubted].sort(compareKeys);
  const start = free ?? refused.find((key) => compareKeys(key, turn) >= 0) ?? refused[0];
  let at = Math.max(pace.notBefore, free || pace.turns ? 0 : pace.again);
  if (!outbox.flight && start && now >= at) {
    const [epoch, first] = start;
    if (!free) {
      outbox.turn = shut.has(epoch) ? [epoch + 1, 0] : [epoch, first + 1];
      if (pace.turns) pace.turns -= 1;
    }
    const [, last] = doubted.has(start) ? start : run(outbox, start, pace.size, skipped);
    const flight = outbox.nextFlight++;
    outbox.flight = { id: flight, epoch, first, last, sentAt: now };
    for (let seq = first; seq <= last; seq += 1) outbox.sent.add([epoch, seq]);
    actions.push({ do: "send", flight, epoch, first, last });
  }
  if (outbox.flight) at = outbox.flight.sentAt + FLIGHT_MS;
  if ((outbox.flight || start) && outbox.timer !== at) {
    outbox.timer = at;
    actions.push({ do: "wait_until", at });
  }
}

/**
 * The last of the events `of` these from `first` on that follow each other and fit one push.
 * @param {Outbox} outbox
 * @param {Key} first
 * @param {number} size
 * @param {import("./keys.js").Sorted<Key>} without
 * @returns {Key}
 */
export function run(outbox, first, size, without, of = outbox.open) {
  const bytesOf = (/** @type {Key} */ key) => byteLength(outbox.view.row(key)?.text ?? "");
  let [last, bytes, count] = [first, bytesOf(first), 1];
  for (let at = of.lowerBound(first) + 1; at < of.size; at += 1) {
    const key = /** @type {Key} */ (of.list[at]);
    bytes += bytesOf(key);
    const follows = key[0] === last[0] && key[1] === last[1] + 1;
    if (!follows || count >= size || bytes > PUSH_BYTES_MAX) break;
    // What follows a head that turned (I30) begins a push, so that the server finds the break (T5).
    if (without.has(key) || outbox.view.row(last)?.hash !== outbox.view.row(key)?.prev_hash) break;
    last = key;
    count += 1;
  }
  return last;
}

/** @param {Flight} flight @param {number} now */
export const isOverdue = (flight, now) => now >= flight.sentAt + FLIGHT_MS;

/** Takes a push as no longer under way. @param {Outbox} outbox @param {number} id @returns {Flight | null} */
export function land(outbox, id) {
  const { flight } = outbox;
  if (flight?.id !== id) return null;
  outbox.flight = null;
  return flight;
}

/** The push under way is lost, or its answer: it may have arrived. @param {Outbox} outbox @param {number} now @param {number} jitter */
export function lost(outbox, now, jitter) {
  outbox.flight = null;
  outbox.pace.slower();
  outbox.pace.failed(now, jitter);
}

/**
 * A push was refused as a whole. The queue stays as it is, whatever the reason.
 * @param {Outbox} outbox
 * @param {Flight} flight
 * @param {number} status
 * @param {number | null} retryAfter
 * @param {number} now
 * @param {number} jitter
 * @param {Action[]} actions
 */
export function refused(outbox, flight, status, retryAfter, now, jitter, actions) {
  outbox.pace[[400, 401, 403, 413].includes(status) ? "refused" : "failed"](now, jitter);
  switch (status) {
    case 400:
    case 413:
      // Too much, or not to be read: in smaller parts. A single event that is refused lets those
      // behind it pass.
      if (flight.first === flight.last) {
        /** @type {Key} */
        const key = [flight.epoch, flight.first];
        outbox.skipped.add(key);
        actions.push({ do: "show", notice: { say: "stuck", of: key } });
      } else {
        outbox.pace.split(flight.last - flight.first + 1);
      }
      break;
    case 401:
    case 403:
      // Whoever signed in or not: what is queued is signed by the device, and stays queued.
      outbox.shut.add(flight.epoch);
      actions.push({ do: "show", notice: { say: "sign_in", of: flight.epoch } });
      break;
    case 429:
    case 503:
      outbox.pace.told(now, jitter, 1, retryAfter ?? 5);
      break;
    default:
      outbox.pace.slower();
  }
}
