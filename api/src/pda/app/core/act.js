// From what a task states to the texts of events in their place: ids, numbers, times and who acted
// are put to the drafts of one act. Pure: clock and randomness come in.

import { write } from "./event.js";
import { uuid7 } from "./ids.js";

/**
 * Everything an act has to know besides its drafts. `at` in milliseconds; `random` gives that many
 * random bytes.
 * @typedef {{
 *   slot: ReturnType<import("./outbox/machine.js").Outbox["slot"]>, at: number, zone: number,
 *   actor: import("./event.js").Actor | null, listVersion: number | null, random: (count: number) => Uint8Array,
 * }} Moment
 *
 * @typedef {{ ok: true, texts: string[], ids: string[] } | { ok: false, field: string, why: string }} Act
 */

/**
 * The texts of one act, in the order of their numbers.
 * @param {readonly import("./tasks/finish.js").Draft[]} drafts
 * @param {Moment} moment
 * @returns {Act}
 */
export function textsOf(drafts, { slot, at, zone, actor, listVersion, random }) {
  const group = uuid7(at, random(10));
  const texts = [];
  const ids = [];
  for (const [index, { act, ...draft }] of drafts.entries()) {
    const event_id = uuid7(at, random(10));
    const written = write({
      ...draft,
      event_id,
      device: slot.device,
      epoch: slot.epoch,
      seq: slot.seq + index,
      at,
      zone,
      // Who accepts a difference states it; everything else is stated by who works.
      actor: draft.actor ?? actor,
      mono: slot.mono,
      anchor: slot.anchor,
      anchor_wall: slot.anchor_wall,
      list_version: listVersion,
      cursor: slot.cursor,
      group: act ? { id: group, ...act } : null,
    });
    if (!written.ok) return written;
    texts.push(written.text);
    ids.push(event_id);
  }
  return { ok: true, texts, ids };
}
