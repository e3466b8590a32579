// An event's text: what a device stated, written once and never again.
//
// The text is canonical as `sync::event` writes it: one order of names, nothing that says nothing,
// no white space. What would be no event to the server (T9) is refused here, with the field that is
// wrong, so that no scan can end as an unreadable one. It must not know what an event has to say to
// be complete: an incomplete one is an event all the same.

import { isUuid } from "./ids.js";
import { writeInstant } from "./instant.js";
import {
  BODY_ITEMS_MAX,
  BODY_VALUES_MAX,
  EVENT_BYTES_MAX,
  GROUP_EVENTS_MAX,
  JSON_DEPTH_MAX,
  LOTS_PER_EVENT_MAX,
  QTY_MAX,
  SEQ_MAX,
  TEXT_BYTES_MAX,
  UNITS_PER_EVENT_MAX,
} from "./limits.js";
import { byteLength } from "./trace-code/bytes.js";

/** The version of the text. */
export const VERSION = 1;

/** All kinds a device states, in the order of their rules. */
export const KINDS = /** @type {const} */ ([
  "commission",
  "pack",
  "unpack",
  "inbound",
  "outbound",
  "sale",
  "return",
  "inspect",
  "collect",
  "destroy",
  "count",
  "retract",
]);

/** @typedef {typeof KINDS[number]} Kind */
/** @typedef {"wedge" | "camera" | "typed" | "imported"} Input */

/** @typedef {import("./event-types.js").UnitRead} UnitRead */
/** @typedef {import("./event-types.js").LotLine} LotLine */
/** @typedef {import("./event-types.js").Actor} Actor */
/** @typedef {import("./event-types.js").Counterpart} Counterpart */
/** @typedef {import("./event-types.js").Override} Override */
/** @typedef {import("./event-types.js").Group} Group */
/** @typedef {import("./event-types.js").Event} Event */

/** @typedef {{ ok: true, text: string } | { ok: false, field: string, why: string }} Written */

/** What an event says that no event can say. */
class NoEvent extends Error {
  /** @param {string} field @param {string} why */
  constructor(field, why) {
    super(`\`${field}\` ${why}`);
    this.field = field;
    this.why = why;
  }
}

/**
 * The text of an event, or which field keeps it from being one.
 * @param {Event} event
 * @returns {Written}
 */
export function write(event) {
  try {
    const text = written(event);
    if (byteLength(text) > EVENT_BYTES_MAX) throw new NoEvent("event", `has more than ${EVENT_BYTES_MAX} bytes`);
    return { ok: true, text };
  } catch (error) {
    if (!(error instanceof NoEvent)) throw error;
    return { ok: false, field: error.field, why: error.why };
  }
}

/** @param {Event} event */
function written(event) {
  if (!KINDS.includes(event.kind)) throw new NoEvent("kind", "is not known");
  const holdsChildren = event.kind === "pack" || event.kind === "unpack";
  const units = list("units", event.units, UNITS_PER_EVENT_MAX, (unit) => unitOf("units", unit));
  const { doc, env, counterpart, group } = event;
  const override = event.override;
  return objectOf([
    ["v", String(VERSION)],
    ["kind", JSON.stringify(event.kind)],
    ["event_id", id("event_id", event.event_id)],
    ["device", id("device", event.device)],
    ["epoch", number("epoch", event.epoch, 1, 2 ** 32 - 1)],
    ["seq", number("seq", event.seq, 1, SEQ_MAX)],
    ["at", JSON.stringify(writeInstant(event.at, event.zone))],
    ["actor", actorOf(event.actor)],
    ["location", optional(event.location, (location) => id("location", location))],
    ["parent", optional(event.parent, (unit) => unitOf("parent", unit))],
    ["children", holdsChildren ? units : null],
    ["declared", optional(event.declared, (n) => number("declared", n, 0, 2 ** 32 - 1))],
    ["units", holdsChildren ? null : units],
    ["lots", list("lots", event.lots, LOTS_PER_EVENT_MAX, lotOf)],
    ["counterpart", optional(counterpart, counterpartOf)],
    ["doc", optional(doc, ({ no, at }) => objectOf([["no", said("doc.no", no)], ["at", said("doc.at", at)]]))],
    ["mono", event.mono ? number("mono", event.mono, 0, SEQ_MAX) : null],
    ["anchor", said("anchor", event.anchor)],
    ["anchor_wall", optional(event.anchor_wall, (us) => JSON.stringify(writeInstant(us / 1000, event.zone)))],
    ["list_version", optional(event.list_version, (n) => number("list_version", n, 0, SEQ_MAX))],
    ["cursor", event.cursor ? number("cursor", event.cursor, 0, SEQ_MAX) : null],
    ["env", optional(env, (measured) => envOf(measured))],
    ["override", optional(override, overrideOf)],
    ["target", optional(event.target, (target) => id("target", target))],
    ["disposition", optional(event.disposition, (name) => JSON.stringify(name))],
    ["group", optional(group, groupOf)],
    ["body", bodyOf(event.body ?? {})],
  ]);
}

/**
 * An object of those fields that say something, each as JSON already.
 * @param {readonly (readonly [string, string | null])[]} fields
 */
function objectOf(fields) {
  const texts = fields.flatMap(([name, json]) => (json === null ? [] : [`${JSON.stringify(name)}:${json}`]));
  return `{${texts.join(",")}}`;
}

/**
 * @template T
 * @param {T | null | undefined} value
 * @param {(value: T) => string} json
 */
const optional = (value, json) => (value === null || value === undefined ? null : json(value));

/** A text that keeps the limit. @param {string} field @param {string} text */
function kept(field, text) {
  if (typeof text !== "string") throw new NoEvent(field, "is no text");
  if (byteLength(text) > TEXT_BYTES_MAX) throw new NoEvent(field, `has more than ${TEXT_BYTES_MAX} bytes`);
  return JSON.stringify(text);
}

/** A text, unless it is empty. @param {string} field @param {string | null | undefined} text */
const said = (field, text) => (text === "" ? null : optional(text, (some) => kept(field, some)));

/** @param {string} field @param {string} uuid */
function id(field, uuid) {
  if (!isUuid(uuid)) throw new NoEvent(field, "is no UUID");
  return JSON.stringify(uuid.toLowerCase());
}

/** @param {string} field @param {number} n @param {number} least @param {number} most */
function number(field, n, least, most) {
  if (!Number.isInteger(n) || n < least || n > most) throw new NoEvent(field, `is not between ${least} and ${most}`);
  return String(n);
}

/**
 * @template T
 * @param {string} field
 * @param {readonly T[] | undefined} entries
 * @param {number} max
 * @param {(entry: T) => string} json
 */
function list(field, entries, max, json) {
  if (!entries || entries.length === 0) return null;
  if (entries.length > max) throw new NoEvent(field, `are more than ${max}`);
  return `[${entries.map(json).join(",")}]`;
}

/** @param {Actor | null | undefined} actor */
function actorOf(actor) {
  if (!actor) return null;
  const { id: name, proof, login_age_s: age, supervisor } = actor;
  if (name === "" && proof === "none" && (age === null || age === undefined) && !supervisor) return null;
  return objectOf([
    ["id", said("actor.id", name)],
    ["proof", JSON.stringify(proof)],
    ["login_age_s", optional(age, (seconds) => number("actor.login_age_s", seconds, 0, SEQ_MAX))],
    ["supervisor", supervisor ? "true" : null],
  ]);
}

/** @param {string} field @param {UnitRead} unit */
const unitOf = (field, unit) => objectOf([["code", kept(field, unit.code)], ["input", JSON.stringify(unit.input)]]);

/** @param {LotLine} line */
const lotOf = (line) =>
  objectOf([
    ["gtin", said("lots.gtin", line.gtin)],
    ["lot", said("lots.lot", line.lot)],
    ["qty", number("lots.qty", line.qty, 0, QTY_MAX)],
  ]);

/** @param {Counterpart} counterpart */
function counterpartOf(counterpart) {
  const [name, json] =
    counterpart.type === "named"
      ? ["name", kept("counterpart.name", counterpart.name)]
      : ["id", id("counterpart.id", counterpart.id)];
  return objectOf([
    ["type", JSON.stringify(counterpart.type)],
    [name, json],
  ]);
}

/** @param {NonNullable<Event["env"]>} env */
function envOf(env) {
  const tenths = (/** @type {string} */ field, /** @type {number} */ n) => {
    if (!Number.isInteger(n)) throw new NoEvent(field, "is not in whole tenths");
    return String(n / 10);
  };
  return objectOf([
    ["temperature", optional(env.temperature, (n) => tenths("env.temperature", n))],
    ["humidity", optional(env.humidity, (n) => tenths("env.humidity", n))],
  ]);
}

/** @param {Override} override */
const overrideOf = (override) =>
  objectOf([
    ["code", said("override.code", override.code)],
    ["reason", said("override.reason", override.reason)],
    ["supervisor", said("override.supervisor", override.supervisor)],
    ["recall", optional(override.recall, (recall) => id("override.recall", recall))],
  ]);

/** @param {Group} group */
const groupOf = (group) =>
  objectOf([
    ["id", id("group.id", group.id)],
    ["n", number("group.n", group.n, 1, group.of)],
    ["of", number("group.of", group.of, 1, GROUP_EVENTS_MAX)],
    ["correct", group.correct ? "true" : null],
  ]);

/** @param {Readonly<Record<string, unknown>>} body */
function bodyOf(body) {
  const names = Object.keys(body);
  if (names.length === 0) return null;
  if (names.length > BODY_ITEMS_MAX) throw new NoEvent("body", `has more than ${BODY_ITEMS_MAX} items`);
  const left = { values: BODY_VALUES_MAX + 1 };
  // The event itself is one level.
  return anyOf(body, 2, left);
}

/**
 * Any JSON value, names ascending, as long as values are left.
 * @param {unknown} value
 * @param {number} depth
 * @param {{ values: number }} left
 * @returns {string}
 */
function anyOf(value, depth, left) {
  left.values -= 1;
  if (left.values < 0) throw new NoEvent("body", `has more than ${BODY_VALUES_MAX} values`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return kept("body", value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value !== "object") throw new NoEvent("body", "holds what is no JSON");
  if (depth > JSON_DEPTH_MAX) throw new NoEvent("body", `nests deeper than ${JSON_DEPTH_MAX}`);
  if (Array.isArray(value)) return `[${value.map((entry) => anyOf(entry, depth + 1, left)).join(",")}]`;
  const entries = Object.entries(value).sort(([a], [b]) => compareTexts(a, b));
  return `{${entries.map(([name, entry]) => `${kept("body", name)}:${anyOf(entry, depth + 1, left)}`).join(",")}}`;
}

/** By characters, as UTF-8 would be. @param {string} a @param {string} b */
function compareTexts(a, b) {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const step = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (step !== 0) return step;
  }
  return left.length - right.length;
}
