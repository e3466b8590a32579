// Out of the box, or again: the enrolment code is scanned or pasted, and everything a device has to know
// comes down before it is ready. Fetched when it is wanted.

import { ENROL_WORDS } from "./enrol-words.js";
import { h } from "./view.js";
import { learn } from "./words.js";

learn(ENROL_WORDS);

/** @typedef {import("./app.js").App} App */

export class Enrolment {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.isBusy = false;
    /** What is under way is not the first of this device. */
    this.isAnew = false;
    /** Something was scanned meanwhile. */
    this.isMissed = false;
    /** The camera looks for an enrolment code. */
    this.isReading = false;
  }

  draw() {
    const { app } = this;
    const field = h("input", { id: "ticket", autocomplete: "off" });
    const run = () => this.enrol(field instanceof HTMLInputElement ? field.value : "");
    field.addEventListener("keydown", (event) => {
      if (event instanceof KeyboardEvent && event.key === "Enter" && !event.isComposing) void run();
    });
    const isPrivate = app.about.storage.isPrivate;
    return [
      h(
        "main",
        {},
        h("h1", {}, app.say((this.isBusy ? this.isAnew : app.session.driver) ? "enrol_anew" : "enrol_title")),
        this.#stays(),
        isPrivate ? h("p", { class: "told warn", role: "alert" }, app.say("enrol_private")) : h("p", {}, app.say(this.isBusy ? "enrolling" : "enrol_how")),
        this.#progress(),
        this.isBusy && app.session.fingerprint ? h("p", { class: "code" }, `${app.say("fingerprint")} ${app.session.fingerprint}`) : null,
        app.said ? app.told() : null,
        isPrivate || this.isBusy
          ? null
          : h("section", {}, h("label", { for: "ticket" }, app.say("enrol_text")), field, h("p", {}, app.button("enrol", run, "main"), " ", app.button("camera", () => this.#camera()))),
        app.session.driver && !this.isBusy ? h("p", {}, app.button("back", () => app.back())) : null,
        h("p", {}, app.button("language", () => app.choose({ lang: app.settings.lang === "zh" ? "en" : "zh" }))),
      ),
    ];
  }

  /** The server wants this device enrolled again: why, what becomes of what is unsent, and how it is done. */
  again() {
    const { app } = this;
    return h(
      "section",
      { class: "told again", role: "alert", "data-over": app.session.over },
      h("h2", {}, `⚠ ${app.say("enrol_again")}`),
      h("p", {}, app.say(`over_${app.session.over}`)),
      h("p", {}, app.say("enrol_again_how")),
      app.button("enrol_anew", () => app.go("enrol"), "main"),
    );
  }

  /** What becomes of what is on a device that is enrolled already. */
  #stays() {
    const { app } = this;
    const { driver, task, isActing, unsent, over } = app.session;
    if (!driver || this.isBusy) return null;
    const why = over ? h("p", {}, app.say(`over_${over}`)) : null;
    const stays = h("p", { "data-stays": unsent }, unsent > 0 ? `${app.say("unsent")} ${unsent} · ${app.say("enrol_stays")}` : app.say("enrol_nothing_unsent"));
    const open = task && isActing ? h("p", { class: "told warn" }, `${app.say("enrol_task")} (${app.say(task.task)})`) : null;
    return h("section", {}, why, stays, open, open ? app.button("to_the_task", () => app.back(), "main") : null);
  }

  /** The camera reads the enrolment code, and nothing else. */
  #camera() {
    this.app.go("camera");
    this.isReading = true;
  }

  /** How much of a snapshot is here, in words too. */
  #progress() {
    const { progress } = this.app.session;
    if (!progress) return null;
    const kb = (/** @type {number} */ bytes) => Math.ceil(bytes / 1024);
    const label = `${this.app.say("downloading")} ${kb(progress.done)} / ${kb(progress.of)} kB`;
    const bar = h("progress", { id: "progress", max: Math.max(1, progress.of), value: progress.done });
    return h("p", { class: "progress" }, h("label", { for: "progress" }, label), bar);
  }

  /** Who works here, and what is recalled, is not known before all of it is here: nothing is read until then, and that is told. */
  wait() {
    this.isMissed = true;
    this.app.tell({ sound: "warn", words: ["enrol_wait"] });
  }

  /** @param {string} text */
  async enrol(text) {
    const { app } = this;
    if (this.isBusy || app.about.storage.isPrivate) return;
    this.isBusy = true;
    this.isAnew = app.session.driver !== null;
    this.isMissed = false;
    app.said = null;
    app.draw();
    const wrong = await app.session.enrol(text).catch(() => "enrol_lost");
    this.isBusy = false;
    this.isReading = false;
    if (wrong) {
      app.screen = "enrol";
      app.tell({ sound: "warn", words: [wrong] });
      return;
    }
    app.back();
    const { fingerprint } = app.session;
    app.tell({ sound: "ok", words: [...(this.isMissed ? ["enrol_missed"] : []), fingerprint ? "enrolled" : "enrolled_plain"], of: fingerprint });
  }
}
