// What a task knows of itself: plain JSON, so that it can be kept after every scan and taken up again
// after a battery swap exactly where it stood.

import { NONE } from "./goods.js";
import { kindOf } from "./kinds.js";

/** @typedef {import("./kinds.js").TaskName} TaskName */
/** @typedef {import("../till.js").Decision} Decision */
/** @typedef {import("./ask.js").Question} Question */

/**
 * - `first`: container, struck event or disposition are wanted; `goods`: scans are taken.
 * - `stop`: a stop fills the screen, nothing else is taken; `ask`: somebody has to look twice.
 * - `review`: what is missing is shown before it is stated; `question`: an item is asked for.
 * - `done` and `cancelled` take nothing any more.
 * @typedef {"first" | "goods" | "stop" | "ask" | "review" | "question" | "done" | "cancelled"} Step
 */

/**
 * `accepted` names the supervisor who accepts the difference a count shows, and who counted.
 * @typedef {{
 *   task: TaskName, step: Step, location: string | null, goods: import("./goods.js").Goods,
 *   expected: import("./goods.js").Expected | null, parent: import("../event.js").UnitRead | null,
 *   parentUnit: string | null, targets: readonly string[], counterpart: import("../event.js").Counterpart | null,
 *   doc: { no: string, at?: string | null } | null, env: { temperature?: number | null, humidity?: number | null } | null,
 *   disposition: "sellable" | "hold" | "destroy" | null, declared: number | null, body: Readonly<Record<string, unknown>>,
 *   isComplete: boolean, accepted: { supervisor: string, by: string | null } | null, held: { line: import("./goods.js").Line, decision: Decision } | null,
 *   question: Question | null, skipped: readonly string[], reviewed: boolean,
 *   last: { code: string, at: number } | null,
 * }} State
 */

/**
 * A task at its beginning.
 * @param {TaskName} task
 * @param {{ location: string | null, expected?: import("./goods.js").Expected | null, counterpart?: State["counterpart"], doc?: State["doc"] }} start
 * @returns {State}
 */
export const begin = (task, { location, expected = null, counterpart = null, doc = null }) => ({
  task,
  step: kindOf(task).first ? "first" : "goods",
  location,
  goods: NONE,
  expected,
  parent: null,
  parentUnit: null,
  targets: [],
  counterpart,
  doc,
  env: null,
  disposition: null,
  declared: null,
  body: {},
  isComplete: false,
  accepted: null,
  held: null,
  question: null,
  skipped: [],
  reviewed: false,
  last: null,
});
