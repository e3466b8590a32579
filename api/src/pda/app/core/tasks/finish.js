// What a finished task states: drafts of events, in one group as far as that fits one push.

import { GROUP_EVENTS_MAX, LOTS_PER_EVENT_MAX, PUSH_BYTES_MAX, QTY_MAX, UNITS_PER_EVENT_MAX } from "../limits.js";
import { byteLength } from "../trace-code/bytes.js";
import { kindOf } from "./kinds.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./goods.js").Line} Line */

/**
 * An event without its place: no id, device, number or time. `act` tells that it is one of several
 * that stand together.
 * @typedef {Omit<import("../event.js").Event, "event_id" | "device" | "epoch" | "seq" | "at" | "zone" | "group">
 *   & { act?: { n: number, of: number } }} Draft
 */

/** Room in a push for what is not goods. */
const SPARE_BYTES = 64 * 1024;

/**
 * The drafts of a task as it stands.
 * @param {State} state
 * @returns {Draft[]}
 */
export function draftsOf(state) {
  const { kind, first } = kindOf(state.task);
  if (kind === null) return [];
  if (first === "target") {
    const base = common(state, kind);
    return together(state.targets.map((target) => ({ ...base, target })));
  }
  const plain = state.goods.lines.filter((line) => line.override === null);
  // An overruled stop is said of that sale alone.
  const overruled = state.goods.lines.filter((line) => line.override !== null);
  const units = cut(plain.filter((line) => line.unit !== null), UNITS_PER_EVENT_MAX);
  const lots = cut(plain.filter((line) => line.unit === null), LOTS_PER_EVENT_MAX);
  const isEmpty = units.length + lots.length === 0 && overruled.length === 0;
  const count = isEmpty ? 1 : Math.max(units.length, lots.length);
  const drafts = Array.from({ length: count }, (_, at) => ({
    ...common(state, kind),
    ...unitsOf(units[at] ?? []),
    ...lotsOf(lots[at] ?? []),
  }));
  const alone = overruled.map((line) => ({
    ...common(state, kind),
    ...(line.unit === null ? lotsOf([line]) : unitsOf([line])),
    override: line.override,
  }));
  return together([...drafts, ...alone]);
}

/** What all events of a task say. @param {State} state @param {import("../event.js").Kind} kind @returns {Draft} */
function common(state, kind) {
  const isCount = kind === "count";
  const scope = isCount && state.isComplete ? { scope: { complete: true } } : {};
  const accepted = isCount ? (state.accepted ?? null) : null;
  const by = accepted && accepted.by !== null && accepted.by !== accepted.supervisor ? { counted_by: accepted.by } : {};
  const body = { ...state.body, ...scope, ...(accepted ? { accepted: true, ...by } : {}) };
  return {
    kind,
    ...(accepted ? { actor: { id: accepted.supervisor, proof: "badge", supervisor: true } } : {}),
    location: state.location,
    counterpart: state.counterpart,
    doc: state.doc,
    env: state.env,
    parent: state.parent,
    declared: state.declared,
    disposition: kind === "inspect" ? state.disposition : null,
    ...(Object.keys(body).length > 0 ? { body } : {}),
  };
}

/** @param {readonly Line[]} lines @returns {Partial<Draft>} */
const unitsOf = (lines) => (lines.length > 0 ? { units: lines.map(({ code, input }) => ({ code, input })) } : {});

/** @param {readonly Line[]} lines @returns {Partial<Draft>} */
const lotsOf = (lines) =>
  lines.length > 0
    ? { lots: lines.map(({ gtin, lot, qty }) => ({ gtin: gtin ?? "", lot, qty: Math.min(qty, QTY_MAX) })) }
    : {};

/**
 * @param {readonly Line[]} lines
 * @param {number} size
 */
function cut(lines, size) {
  /** @type {Line[][]} */
  const parts = [];
  for (let at = 0; at < lines.length; at += size) parts.push(lines.slice(at, at + size));
  return parts;
}

/**
 * Several drafts are one act, if a push can carry them; larger acts are several documents.
 * @param {Draft[]} drafts
 * @returns {Draft[]}
 */
function together(drafts) {
  const of = drafts.length;
  const bytes = drafts.reduce((sum, draft) => sum + byteLength(JSON.stringify(draft)), 0);
  if (of < 2 || of > GROUP_EVENTS_MAX || bytes > PUSH_BYTES_MAX - SPARE_BYTES) return drafts;
  return drafts.map((draft, at) => ({ ...draft, act: { n: at + 1, of } }));
}
