// What is known here of a unit, and what the till would say of it.

import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** @param {App} app */
export function lookUpScreen(app) {
  const { looked } = app.session;
  const reasons = looked && looked.decision.reasons.length > 0 ? looked.decision.reasons : ["ok"];
  const known = looked?.card ? `${looked.card.lot ?? ""} ${app.say(looked.card.phase)}` : app.say("unknown_here");
  const rows = looked
    ? [
        h("p", { class: looked.decision.advice === "ok" ? "told" : "told warn" }, looked.unit),
        h("ul", {}, reasons.map((word) => h("li", {}, app.say(word)))),
        h("p", {}, known),
      ]
    : [h("p", { class: "told" }, app.say("scan_now"))];
  return [h("main", {}, h("h1", {}, app.say("look-up")), rows, app.button("back", () => app.go("home")))];
}
