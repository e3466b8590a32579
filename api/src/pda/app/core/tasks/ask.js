// What a person may be asked of an act as a whole, and what an answer in words says: items of the
// standards' tables that are missing, and what a task offers besides. Pure; who asks, and where the
// words come from (a field, a code that names no goods), is not known here.

import { kindOf } from "./kinds.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./step.js").Answer} Answer */
/** @typedef {import("./kinds.js").Offer} Offer */

/**
 * What is asked. `isOffered`: by the person, not by the tables; leaving it open leads back to the goods.
 * `accepted` is answered by a supervisor's badge alone.
 * @typedef {{ item: string, said: import("../required.js").Said | "declared" | "slip" | "accepted", isOffered?: boolean }} Question
 */

/** What each offer asks; a complete count is said at once. @type {Readonly<Record<Exclude<Offer, "complete">, Question>>} */
const ASKS = {
  accept: { item: "accepted", said: "accepted", isOffered: true },
  declared: { item: "declared", said: "declared", isOffered: true },
  slip: { item: "receipt", said: "slip", isOffered: true },
  document: { item: "document", said: "document", isOffered: true },
  counterpart: { item: "counterpart", said: "counterpart", isOffered: true },
};

/** The question of an offer; null where the task does not have it. @param {State["task"]} task @param {Exclude<Offer, "complete">} offer */
export const offered = (task, offer) => (kindOf(task).offers.includes(offer) ? ASKS[offer] : null);

/** Is a number asked for, and of what? @param {Question} question @returns {"env" | "declared" | null} */
export const numberOf = ({ said }) => (said === "temperature" || said === "humidity" ? "env" : said === "declared" ? said : null);

/**
 * What stands in the field before anybody fills it. A paper that the tables demand gets the number of the event
 * it is asked for, behind what tells place and device, where nothing else is scanned: no number comes from the
 * server. A paper that a person wants to tell has its own.
 * @param {Question | null} question
 * @param {{ documentPrefix?: string | null }} identity
 * @param {number} seq of the next event
 */
export const suggested = (question, { documentPrefix }, seq) =>
  question?.said === "document" && !question.isOffered && documentPrefix ? `${documentPrefix}-${seq}` : "";

/**
 * The answer that words give; null when they give none (a number is needed, or a badge).
 * @param {Question} question
 * @param {string} text not empty
 * @returns {Answer | null}
 */
export function answerOf({ item, said }, text) {
  const number = Number(text);
  const tenths = Math.round(number * 10);
  switch (said) {
    case "accepted":
      return null;
    case "document":
      return { doc: { no: text } };
    case "counterpart":
      return { counterpart: { type: "named", name: text } };
    case "temperature":
    case "humidity":
      return Number.isFinite(tenths) ? { env: { [said]: tenths } } : null;
    case "declared":
      return Number.isInteger(number) && number > 0 && number < 2 ** 32 ? { declared: number } : null;
    default:
      return { item, value: text };
  }
}

/** Is this what was asked? @param {Question} question @param {Answer} answer */
export function answers({ item, said }, answer) {
  if ("item" in answer) return answer.item === item;
  if ("env" in answer) return said in (answer.env ?? {});
  if ("doc" in answer) return said === "document";
  if ("declared" in answer) return said === "declared";
  return "counterpart" in answer && (said === "counterpart" || said === "counterpart_place");
}
