// The sheet to print: how to set a scanner, the test codes, and a bar code for every action, so that a
// shift is worked by the scanner alone.

import { COMMANDS, DISPOSITIONS, OFFERS, TASKS } from "../../core/commands.js";
import { TESTS } from "../../core/doctor.js";
import { printedCommand } from "../../core/printed-commands.js";
import { bars, qr } from "./codes.js";
import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** Scanner families, each with the words that say where its settings are. */
const FAMILIES = /** @type {const} */ (["datawedge", "honeywell", "other"]);
const QUANTITIES = [2, 6, 10, 12, 24];
/** Why a supervisor overrules a stop, as it stands in the record. */
const REASONS = /** @type {const} */ (["LABORATORY-SAMPLE", "WRONG-MASTER-DATA", "BACK-TO-SUPPLIER"]);
/** A sheet of more places than this is none. */
const PLACES_MAX = 100;

/** @param {App} app */
export function sheetScreen(app) {
  const { session } = app;
  const place = session.driver?.identity.location;
  /** @param {string} name @param {string} text */
  const code = (name, text) => h("li", {}, h("p", {}, name), bars(text), qr(text), h("p", { class: "small" }, text));
  const own = place ? [code(app.say("this_place"), printedCommand({ is: "at", location: place }))] : [];
  const badge = session.actor ? [code(`${app.say("who")} ${session.actor.id}`, printedCommand({ is: "who", badge: session.actor.id }))] : [];
  return [
    h(
      "main",
      { class: "sheet" },
      h("h1", {}, app.say("sheet")),
      h("p", { class: "no-print" }, app.button("print", () => print(), "main"), " ", app.button("back", () => app.back())),
      h("h2", {}, app.say("scanner")),
      h("ul", {}, ["set_prefix", "set_suffix", "set_layout", "set_case", "set_gs", "set_aim", "set_speed"].map((word) => h("li", {}, app.say(word)))),
      h("dl", {}, FAMILIES.flatMap((family) => [h("dt", {}, app.say(family)), h("dd", {}, app.say(`${family}_how`))])),
      h("h2", {}, app.say("doctor")),
      h("ol", { class: "codes" }, TESTS.map((text, at) => h("li", {}, h("p", {}, `${app.say("test_code")} ${at + 1}`), text.length < 30 ? bars(text) : null, qr(text)))),
      h("h2", {}, app.say("commands")),
      h("ul", { class: "codes" }, COMMANDS.map((is) => code(app.say(is), printedCommand({ is })))),
      h("h2", {}, app.say("inspect")),
      h("ul", { class: "codes" }, DISPOSITIONS.map((disposition) => code(app.say(disposition), printedCommand({ is: "becomes", disposition })))),
      h("h2", {}, app.say("told_besides")),
      h("ul", { class: "codes" }, OFFERS.map((offer) => code(app.say(offer), printedCommand({ is: "offer", offer })))),
      h("h2", {}, app.say("reason")),
      h("ul", { class: "codes" }, REASONS.map((text) => code(app.say(text), printedCommand({ is: "say", text })))),
      h("h2", {}, app.say("tasks")),
      h("ul", { class: "codes" }, TASKS.map((task) => code(app.say(task), printedCommand({ is: "task", task })))),
      h("h2", {}, app.say("quantity")),
      h("ul", { class: "codes" }, QUANTITIES.map((quantity) => code(`${app.say("quantity")} ${quantity}`, printedCommand({ is: "quantity", quantity })))),
      own.length + badge.length > 0 ? h("h2", {}, app.say("place_and_people")) : null,
      h("ul", { class: "codes" }, own, badge),
      session.places.length > 0 ? h("h2", {}, app.say("counterpart")) : null,
      h("ul", { class: "codes" }, session.places.slice(0, PLACES_MAX).map(({ id, name }) => code(name, printedCommand({ is: "to", id })))),
    ),
  ];
}
