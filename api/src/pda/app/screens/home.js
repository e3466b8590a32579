// All tasks, and the way to everything else.

import { TASKS } from "../core/commands.js";
import { h } from "./view.js";

/** @typedef {import("./app.js").App} App */

/**
 * Whether a shift with no network may begin: the app starts without one, and all it needs is here.
 * @param {App} app
 */
function readiness(app) {
  const isReady = app.about.isOffline && app.session.isPulled;
  return h("p", { class: isReady ? "ready" : "ready bad", "data-offline": isReady ? "ready" : "preparing" }, isReady ? `✓ ${app.say("offline_ready")}` : `… ${app.say("offline_preparing")}`);
}

/** An act that is on the disk, of which nobody may have been told, or told otherwise. @param {App} app */
function found(app) {
  const { found: act } = app.session;
  if (!act) return null;
  return h(
    "section",
    { class: "told warn", role: "alert", "data-found": act.id },
    h("h2", {}, `! ${app.say("found_saved")}`),
    h("p", {}, app.actText(act)),
    h("p", {}, app.say("found_how")),
    app.button("understood", () => app.after(app.session.seen()), "main"),
  );
}

/** @param {App} app */
export function homeScreen(app) {
  const tasks = TASKS.map((name) => app.button(name, () => app.after(app.session.open(name)), "main"));
  const others = /** @type {const} */ (["queue", "hand-over", "doctor", "sheet", "settings"]);
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("home")),
      app.session.over ? app.enrolling((enrolment) => enrolment.again()) : null,
      found(app),
      readiness(app),
      app.said ? app.told() : null,
      h("div", { class: "grid" }, tasks),
      h("div", { class: "grid" }, others.map((screen) => app.button(screen, () => app.go(screen)))),
    ),
  ];
}
