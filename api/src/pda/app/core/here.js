// What became of units by this device's own events that their cards do not show yet: so that a till
// does not sell twice what it sold a minute ago, with no network.

/** @typedef {import("./outbox/disk.js").Row} Row */
/** @typedef {import("./wire/messages.js").Phase} Phase */

import { parse, unitKey } from "./trace-code.js";

/** What an event of a kind leaves a unit as. @type {Readonly<Record<string, Phase>>} */
const AFTER = {
  inbound: "in_stock",
  outbound: "in_transit",
  sale: "sold",
  return: "returned",
  collect: "collected",
  destroy: "destroyed",
};

/**
 * The phases of units by own events, in the order of the queue.
 * @param {readonly Row[]} rows
 * @param {number} shown the stamp up to which receipts are in the cards
 * @returns {Map<string, Phase>}
 */
export function phasesHere(rows, shown) {
  const open = rows.filter(({ state }) => state.is === "durable" || state.stamp > shown);
  const events = open.flatMap(({ text }) => readOwn(text));
  const struck = new Set(events.flatMap(({ kind, target }) => (kind === "retract" && target ? [target] : [])));
  /** @type {Map<string, Phase>} */
  const phases = new Map();
  for (const { kind, id, units, disposition } of events) {
    const phase = kind === "inspect" && disposition === "sellable" ? "in_stock" : AFTER[kind];
    if (phase === undefined || struck.has(id)) continue;
    for (const code of units) {
      const read = parse(code);
      const unit = read.ok ? unitKey(read.scanned.code) : null;
      if (unit !== null) phases.set(unit, phase);
    }
  }
  return phases;
}

/**
 * What is wanted of an event this device wrote; nothing of a text it cannot have written.
 * @param {string} text
 * @returns {{ kind: string, id: string, target: string | null, disposition: string | null, units: string[] }[]}
 */
export function readOwn(text) {
  try {
    const { kind, event_id: id, target = null, disposition = null, units = [] } = JSON.parse(text);
    return [{ kind, id, target, disposition, units: units.map((/** @type {{ code: string }} */ unit) => unit.code) }];
  } catch {
    return [];
  }
}
