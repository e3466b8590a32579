// What a task knows of itself: plain JSON, so that it can be kept after every scan and taken up again
// after a battery swap exactly where it stood.

import { NONE } from "./goods.js";
import { kindOf } from "./kinds.js";

/** @typedef {import("./kinds.js").TaskName} TaskName */
/** @typedef {import("./step-types.js").State} State */

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
