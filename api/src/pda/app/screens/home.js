// All tasks, and the way to everything else.

import { TASKS } from "../core/commands.js";
import { h } from "./view.js";

/** @typedef {import("./app.js").App} App */

/** @param {App} app */
export function homeScreen(app) {
  const tasks = TASKS.map((name) => app.button(name, () => app.after(app.session.open(name)), "main"));
  const others = /** @type {const} */ (["queue", "hand-over", "doctor", "sheet", "settings"]);
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("home")),
      app.said ? app.told() : null,
      h("div", { class: "grid" }, tasks),
      h("div", { class: "grid" }, others.map((screen) => app.button(screen, () => app.go(screen)))),
    ),
  ];
}
