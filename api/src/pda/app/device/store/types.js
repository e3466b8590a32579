// What stands on a device's storage besides its outbox, and what goes into a transaction. Types only, in a file
// that nothing loads, so that the first load has none of it.

/** @typedef {import("../../core/outbox/types.js").Write} Write */
/** @typedef {import("../../core/wire/messages.js").Item} Item */

/**
 * Who this device is, as it was told when it enrolled, the key it made for each of its lives, and
 * those it trusts.
 * @typedef {{
 *   device: string, epoch: number, enterprise: string, location: string, documentPrefix?: string | null, profile: string, installation: string,
 *   url: string, lives: Readonly<Record<number, CryptoKeyPair>>, trust: import("../../core/wire/messages.js").TrustKey[],
 * }} Identity
 *
 * What goes into a transaction besides the outbox's own: a pull's page, chunks of the recall list, and
 * records by name (`task`, `clock`, `settings`); `anew` drops all cards first, and `parts` are what a
 * snapshot consists of, kept until it is whole. `leaves`: who this was until now, its outbox put aside;
 * `left`: what became of an outbox that was; `forgets` one.
 * @typedef {{ identity?: Identity, anew?: boolean, items?: readonly Item[], chunks?: readonly Part[], parts?: readonly Part[],
 *   current?: ListHeld, records?: Readonly<Record<string, unknown>>, leaves?: Identity,
 *   left?: { device: string, write: Write }, forgets?: string }} Extra
 *
 * @typedef {{ hash: string, bytes: Uint8Array }} Part
 *
 * The list that is held: what it says (a hash), and as of when it is known to hold.
 * @typedef {{ content: string, version: number, made_at: number }} ListHeld
 *
 * Whose the last transaction was, the how-manieth of theirs, and the events it added.
 * @typedef {{ by: string, n: number, made?: Made }} Written
 * @typedef {{ epoch: number, first: number, last: number }} Made
 *
 * Whose life it is. @typedef {Pick<Identity, "device" | "epoch">} Life
 */

export {};
