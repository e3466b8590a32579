// What an event has to say (C15), asked of a person once per task: the rules of the standards'
// tables are data that comes in, here is only what they mean, as in `sync::event::required`.
//
// An event that lacks an item is stored and flagged `INCOMPLETE`, never refused, so a person may
// leave a question open.

/**
 * Where an item stands: never missing; by a field of the event; in the body; never asked of the event.
 * @typedef {"always" | "actor" | "location" | "goods" | "seen" | "lots" | "document" | "counterpart" | "counterpart_place"
 *   | "temperature" | "humidity" | "target" | "parent" | "disposition" | "body" | "on_record"} Said
 *
 * One mandatory item of events of a kind; `profile` is null for what the agreement itself needs.
 * @typedef {{ profile: string | null, kind: string, item: string, said: Said }} Rule
 *
 * @typedef {Partial<import("./event.js").Event>} Draft
 */

/** Does what a profile demands hold for goods of another? @param {string} of @param {string} demands */
const includes = (of, demands) => of === demands || (of === "maternal-baby-care" && demands === "maternal-baby");

/**
 * The rules an event breaks under these profiles, in the order of the tables, each item once. What
 * the agreement misses already is not named again under the name of a table.
 * @param {Draft} event
 * @param {readonly Rule[]} rules
 * @param {Iterable<string>} profiles
 * @returns {Rule[]}
 */
export function missing(event, rules, profiles) {
  const of = [...profiles];
  /** @type {Rule[]} */
  const broken = [];
  /** @type {Said[]} */
  const unsaid = [];
  for (const rule of rules) {
    const { profile } = rule;
    const holds = rule.kind === event.kind && (profile === null || of.some((own) => includes(own, profile)));
    if (!holds || isKept(rule, event) || broken.some(({ item }) => item === rule.item)) continue;
    if (profile === null) unsaid.push(rule.said);
    else if (unsaid.includes(rule.said)) continue;
    broken.push(rule);
  }
  return broken;
}

/** @param {Rule} rule @param {Draft} event @returns {boolean} */
function isKept(rule, event) {
  switch (rule.said) {
    case "always":
    case "on_record":
      return true;
    case "actor":
      return Boolean(event.actor?.id);
    case "location":
      return Boolean(event.location);
    case "goods":
      return namesGoods(event);
    case "seen":
      return namesGoods(event) || isInBody(event, "scope");
    case "lots":
      return namesGoods(event) && (event.lots ?? []).every((line) => Boolean(line.lot));
    case "document":
      return Boolean(event.doc?.no);
    case "counterpart":
      return Boolean(event.counterpart);
    case "counterpart_place":
      return event.counterpart?.type === "location" || isInBody(event, rule.item);
    case "temperature":
      return typeof event.env?.temperature === "number";
    case "humidity":
      return typeof event.env?.humidity === "number";
    case "target":
      return Boolean(event.target);
    case "parent":
      return Boolean(event.parent?.code);
    case "disposition":
      return Boolean(event.disposition);
    case "body":
      return isInBody(event, rule.item);
  }
}

/** @param {Draft} event */
const namesGoods = (event) => (event.lots ?? []).length > 0 || (event.units ?? []).some((unit) => unit.code !== "");

/** Something stands there: not null, no empty text, no empty list. @param {Draft} event @param {string} item */
function isInBody(event, item) {
  const value = event.body?.[item];
  if (value === undefined || value === null) return false;
  if (typeof value === "string") return value.trim() !== "";
  return typeof value !== "object" || Object.keys(value).length > 0;
}
