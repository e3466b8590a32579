// What an event consists of, before it is text. Types only, in a file that nothing loads, so that the first load
// has none of it.

/** @typedef {import("./event.js").Kind} Kind */
/** @typedef {import("./event.js").Input} Input */

/**
 * A unit as it was read, character by character, and how.
 * @typedef {{ code: string, input: Input }} UnitRead
 *
 * Goods without codes of their own: a quantity of a lot.
 * @typedef {{ gtin: string, lot?: string | null, qty: number }} LotLine
 *
 * Who acted: a pseudonym, and how sure it is. Never a person's name.
 * @typedef {{ id: string, proof: "pin" | "badge" | "none", login_age_s?: number | null, supervisor?: boolean }} Actor
 *
 * @typedef {{ type: "enterprise" | "location", id: string } | { type: "named", name: string }} Counterpart
 *
 * A stop at the till that a supervisor overruled.
 * @typedef {{ code: string, reason: string, supervisor?: string | null, recall?: string | null }} Override
 *
 * One business act of several events: admitted whole.
 * @typedef {{ id: string, n: number, of: number, correct?: boolean }} Group
 */

/**
 * An event before it is text. `at` is in milliseconds by the device's clock, `zone` in minutes east
 * of UTC, `anchor_wall` in microseconds, `env` in tenths. The `units` of a pack or unpack are its
 * children.
 * @typedef {{
 *   kind: Kind, event_id: string, device: string, epoch: number, seq: number, at: number, zone: number,
 *   actor?: Actor | null, location?: string | null, units?: readonly UnitRead[], lots?: readonly LotLine[],
 *   counterpart?: Counterpart | null, doc?: { no: string, at?: string | null } | null,
 *   mono?: number, anchor?: string | null, anchor_wall?: number | null,
 *   list_version?: number | null, cursor?: number,
 *   env?: { temperature?: number | null, humidity?: number | null } | null,
 *   override?: Override | null, target?: string | null, parent?: UnitRead | null, declared?: number | null,
 *   disposition?: "sellable" | "hold" | "destroy" | null, group?: Group | null,
 *   body?: Readonly<Record<string, unknown>>,
 * }} Event
 */

export {};
