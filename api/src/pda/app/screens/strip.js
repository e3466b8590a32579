// The strip on every screen: online or not, what is unsent and how old, the last receipt, the age of the
// recall list, clock, storage, who, version. In words; colour only repeats them.

import { FREE_LEAST, OFFSET_MS, ageOf, listLook, standing } from "../core/standing.js";
import { h } from "./view.js";

/** @typedef {import("./app.js").App} App */

/** An age in words. @param {App} app @param {number} ms */
export function age(app, ms) {
  const { count, unit } = ageOf(ms);
  return `${count} ${app.say(unit)}`;
}

/** How the device stands now; null before it is enrolled. @param {App} app */
export function standingOf({ session }) {
  const { driver, list } = session;
  if (!driver) return null;
  return standing(session.drivers.map(({ outbox }) => outbox), { wall: Date.now(), server: driver.now(), listMadeAt: list?.madeAt ?? null });
}

/** @param {App} app */
export function strip(app) {
  const { driver, actor } = app.session;
  const { persisted, free } = app.about.storage;
  const now = standingOf(app);
  const isOnline = navigator.onLine && driver?.link.isReached !== false;
  const say = (/** @type {string} */ word) => app.say(word);
  const chip = (/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ look) => h("span", { "data-chip": name, class: look }, text);
  const bad = (/** @type {boolean} */ isBad) => (isBad ? "bad" : "");
  const { unsent = 0, oldestMs = null, receiptMs = null, listMs = null } = now ?? {};
  const oldest = oldestMs === null ? "" : ` · ${say("oldest")} ${age(app, oldestMs)}`;
  const unsentChip = chip("unsent", unsent > 0 ? `↑ ${say("unsent")} ${unsent}${oldest}` : `✓ ${say("all_sent")}`, bad(unsent > 0));
  unsentChip.dataset.unsent = String(unsent);
  const offset = driver?.offset() ?? null;
  const isOff = offset !== null && Math.abs(offset) > OFFSET_MS;
  const clock = offset === null ? say("clock_unknown") : isOff ? `${say(offset > 0 ? "clock_fast" : "clock_slow")} ${age(app, Math.abs(offset))}` : say("clock_right");
  const look = listLook(listMs, app.session.listAgeMax);
  const list = listMs === null ? say("no_list") : `${look === "" ? say("list_age") : `⚠ ${say("stale_list")}`} ${age(app, listMs)}`;
  const isFull = free !== null && free < FREE_LEAST;
  const space = free === null ? "" : ` · ${say("free")} ${Math.floor(free * 100)}%`;
  return h(
    "header",
    { class: "strip" },
    app.session.over ? chip("enrol_again", `⚠ ${say("enrol_again")}`, "worse") : null,
    chip("online", `${isOnline ? "●" : "○"} ${say(isOnline ? "online" : "offline")}`, bad(!isOnline)),
    unsentChip,
    chip("receipt", receiptMs === null ? say("no_receipt") : `${say("receipt")} ${age(app, receiptMs)}`, ""),
    chip("list", list, look),
    chip("clock", `${say("clock")} ${clock}`, bad(isOff)),
    chip("storage", `${say("storage")} ${say(persisted ? "kept" : "not_kept")}${space}`, bad(!persisted || isFull)),
    chip("who", actor ? `${say("who")} ${actor.id}` : say("nobody"), bad(!actor)),
    chip("version", `${say("version")} ${app.about.version}`, ""),
  );
}
