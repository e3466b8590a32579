// What is known of a unit and what the till would say of it: by this device at once, and by the server
// when it answers; and which of the two it was.

import { h } from "../view.js";
import { takenFor, typing } from "../task.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../types.js").Looked} Looked */

/** @param {App} app */
export function lookUpScreen(app) {
  const { session } = app;
  const { looked } = session;
  // What was said of anything else is seen, whatever was looked at before: a code that is none, a badge.
  const isSaid = app.said !== null && !app.said.words.includes("look-up");
  const back = () => (session.task ? app.after(session.act({ do: "cancel" })) : app.go("home"));
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("look-up")),
      isSaid || !looked ? app.told() : null,
      looked ? told(app, looked) : null,
      typing(app),
    ),
    h("nav", { class: "actions", "aria-label": app.say("look-up") }, app.button("back", back, "main")),
  ];
}

/** @param {App} app @param {Looked} looked */
function told(app, { goods, unit, card, decision, from, at, asked }) {
  const { code, claims } = goods.scanned;
  const gtin = code.is === "gtin" ? code.gtin : null;
  const name = gtin === null ? unit : app.session.named({ unit, gtin, lot: claims.lot ?? null });
  /** @type {readonly string[]} */
  const reasons = decision.reasons.length > 0 ? decision.reasons : ["ok"];
  const isServer = from === "server";
  const known = card ? cardText(app, card) : app.say(isServer ? "unknown_there" : "unknown_here");
  const time = at === null ? "" : ` ${app.say("as_of")} ${new Date(at / 1000).toLocaleString(app.settings.lang === "zh" ? "zh-CN" : "en")}`;
  return h(
    "section",
    { "data-from": from, "data-asked": asked },
    h("p", { class: decision.advice === "ok" ? "told" : "told warn", role: "status" }, name, gtin === null ? null : h("br", {}), gtin === null ? null : h("span", { class: "code" }, unit)),
    h("ul", {}, reasons.map((word) => h("li", {}, app.say(word)))),
    takenFor(app, decision),
    h("p", {}, known),
    h("p", { class: "code" }, `${isServer ? "●" : "○"} ${app.say(isServer ? "by_server" : "by_device")}${time}`),
    isServer ? null : h("p", {}, app.say(`server_${asked}`)),
  );
}

/** @param {App} app @param {import("../../core/wire/messages.js").UnitCard} card */
function cardText(app, { lot, phase, place, inside }) {
  const { driver, places } = app.session;
  const at = typeof place === "object" && "at" in place ? place.at : null;
  const name = at === driver?.identity.location ? app.say("this_place") : (places.find(({ id }) => id === at)?.name ?? at);
  return [lot, app.say(phase), at && `${app.say("this_place_is")} ${name}`, inside && `${app.say("inside")} ${inside}`].filter(Boolean).join(" · ");
}
