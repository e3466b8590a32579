// The words of the outbox: what it is told, what it wants done, and what is written. Types only, in a file that
// nothing loads, so that the first load has none of it.

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("./fate.js").Fate} Fate */
/** @typedef {import("../wire/messages.js").Receipt} Receipt */

/**
 * How far an event on the storage has come; `stamp` is that of its receipt.
 * @typedef {{ is: "durable" } | { is: "receipted" | "settled" | "needs_attention", stamp: number }} RowState
 *
 * An event on the storage; its text is never changed.
 * @typedef {{ key: Key, prev_hash: string, hash: string, text: string, state: RowState }} Row
 *
 * An anchor as a device keeps it: the opaque text, the wall clock in microseconds when it came, and the check
 * value of both (I30; programs of before kept none). A greater one is a greater text.
 * @typedef {{ text: string, wall: number, check?: number }} KeptAnchor
 *
 * One transaction.
 * @typedef {{
 *   id: number, epoch?: number, genesis?: string, rows?: Row[], marks?: { key: Key, state: RowState }[], drop?: Key[],
 *   forget?: number[], receipt?: Receipt, anchor?: KeptAnchor, cursor?: number, enrol_again?: boolean,
 * }} Write
 */

/**
 * What happened. Times are the session's clock in milliseconds, walls in microseconds.
 * @typedef {{ do: "capture", links: import("../chain.js").Link[] }
 *   | { do: "committed", write: number }
 *   | { do: "not_written", write: number }
 *   | { do: "due" }
 *   | { do: "wake" }
 *   | { do: "answer", flight: number, first: number, fates: Fate[], receipt: Receipt, anchor: string, wall: number, credit: number, retry_after: number | null }
 *   | { do: "lost", flight: number }
 *   | { do: "refused", flight: number, status: number, retry_after: number | null }
 *   | { do: "damaged", keys: readonly Key[] }
 *   | { do: "checkpoint", cursor: number, anchor: string, wall: number, fates: [epoch: number, seq: number, fate: Fate][], anew?: boolean }
 *   | { do: "new_epoch", epoch: number, genesis: string, anchor: string, wall: number }} Command
 *
 * A command with what the outbox does not know by itself; `jitter` is random, 0 to 1000.
 * @typedef {{ now: number, jitter: number, command: Command }} Input
 *
 * What a person is told.
 * @typedef {{ say: "saved" | "not_saved", of: Key[] } | { say: "many_unsent", of: number }
 *   | { say: "sign_in" | "doubted", of: number } | { say: "enrol_again" | "strayed" }
 *   | { say: "stuck" | "damaged" | "attention" | "resolved", of: Key }} Notice
 *
 * What is to be done.
 * @typedef {{ do: "persist", write: Write }
 *   | { do: "send", flight: number, epoch: number, first: number, last: number }
 *   | { do: "wait_until", at: number }
 *   | { do: "show", notice: Notice }} Action
 *
 * A push under way.
 * @typedef {{ id: number, epoch: number, first: number, last: number, sentAt: number }} Flight
 */

export {};
