// Command barcodes: what a person does on the screen, printed, so that a whole task is done by the
// scanner alone.
//
// `SUYUAN-CONFIRM`, `SUYUAN-AT-{place}`: capitals, digits and hyphens only, which every scanner and
// every keyboard layout sends alike, and which is no trace code. `printed-commands.js` writes them.

import { isUuid } from "./ids.js";
import { allDigits } from "./trace-code/bytes.js";

export const MARK = "SUYUAN-";

/** Commands without anything behind them. */
export const COMMANDS = /** @type {const} */ ([
  "confirm",
  "undo",
  "cancel",
  "home",
  "acknowledge",
  "hand-over",
  "send-now",
  "skip",
]);

/** What may be told of a task besides its goods: a count that saw all, a difference that is accepted, and so on. */
export const OFFERS = /** @type {const} */ (["complete", "accept", "declared", "slip", "document", "counterpart"]);

/** What becomes of inspected goods. */
export const DISPOSITIONS = /** @type {const} */ (["sellable", "hold", "destroy"]);

/** Tasks that a command opens. */
export const TASKS = /** @type {const} */ ([
  "inbound",
  "outbound",
  "sale",
  "return",
  "inspect",
  "pack",
  "unpack",
  "count",
  "collect",
  "destroy",
  "retract",
  "look-up",
]);

/**
 * What a command says: do this, open a task, work at this place, this is who works now, so many; ask me
 * this, that becomes of the goods, they go to or come from there, these words stand in the open field.
 * @typedef {{ is: typeof COMMANDS[number] } | { is: "task", task: typeof TASKS[number] } | { is: "at", location: string }
 *   | { is: "who", badge: string } | { is: "quantity", quantity: number } | { is: "offer", offer: typeof OFFERS[number] }
 *   | { is: "becomes", disposition: typeof DISPOSITIONS[number] } | { is: "to", id: string }
 *   | { is: "say", text: string }} ScreenCommand
 */

/**
 * The command a text is; null when it is none.
 * @param {string} text
 * @returns {ScreenCommand | null}
 */
export function commandOf(text) {
  const trimmed = text.trim();
  if (trimmed.length > 128 || !trimmed.toUpperCase().startsWith(MARK)) return null;
  const rest = trimmed.slice(MARK.length);
  const small = rest.toLowerCase();
  const plain = COMMANDS.find((name) => name === small);
  if (plain) return { is: plain };
  const offer = OFFERS.find((name) => name === small);
  if (offer) return { is: "offer", offer };
  const behind = (/** @type {string} */ name) => (small.startsWith(name) ? rest.slice(name.length) : null);
  const task = TASKS.find((name) => `task-${name}` === small);
  if (task) return { is: "task", task };
  const location = behind("at-")?.toLowerCase();
  if (isUuid(location)) return { is: "at", location };
  const id = behind("to-")?.toLowerCase();
  if (isUuid(id)) return { is: "to", id };
  const disposition = DISPOSITIONS.find((name) => `becomes-${name}` === small);
  if (disposition) return { is: "becomes", disposition };
  const words = behind("say-")?.trim();
  if (words) return { is: "say", text: words };
  const badge = behind("who-");
  if (badge && Array.from(badge).every((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-".includes(c.toUpperCase()))) {
    return { is: "who", badge: badge.toUpperCase() };
  }
  const digits = behind("qty-") ?? "";
  const quantity = digits.length <= 4 && allDigits(digits) ? Number(digits) : 0;
  return quantity > 0 ? { is: "quantity", quantity } : null;
}
