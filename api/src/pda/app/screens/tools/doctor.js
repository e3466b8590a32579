// The scanner doctor: scan the test codes, read what was received and what to set.

import { Recorder, SILENCE_MS, TESTS, examine } from "../../core/doctor.js";
import { bars, qr } from "./codes.js";
import { play } from "../sounds.js";
import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("../../core/doctor.js").Diagnosis} Diagnosis */

export class DoctorScreen {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.recorder = new Recorder();
    /** By test, the last told. @type {Map<number, Diagnosis>} */
    this.told = new Map();
    /** @type {Diagnosis | null} */
    this.last = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
  }

  /**
   * A key while the doctor is on the screen; whether the page must not see it. A person's Tab and
   * Enter go on working: a scanner's come within milliseconds of its other keys.
   * @param {import("../../core/scanner/keys.js").KeyEvent} event
   */
  take(event) {
    const isAlone = this.recorder.heard.length === 0 && ["Enter", "Tab", "Escape", " "].includes(event.key);
    if (isAlone) return false;
    this.recorder.take(event);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#heard(), SILENCE_MS + 50);
    return true;
  }

  #heard() {
    const heard = this.recorder.done(performance.now());
    if (!heard) {
      if (this.recorder.heard.length > 0) this.waiting = setTimeout(() => this.#heard(), SILENCE_MS);
      return;
    }
    // A key or two are a person's.
    if (heard.length < 3) return;
    this.last = examine(heard, this.app.settings.prefix);
    this.told.set(this.last.test, this.last);
    play(this.last.findings.length === 0 ? "ok" : "warn");
    this.app.draw();
  }

  draw() {
    const { app, last } = this;
    const canSet = last !== null && Object.keys(last.set).length > 0;
    return [
      h(
        "main",
        {},
        h("h1", {}, app.say("doctor")),
        h("p", {}, app.say("doctor_how")),
        last
          ? h(
              "section",
              { class: last.findings.length === 0 ? "told" : "told warn", role: "status", "data-test": last.test },
              h("p", {}, last.findings.length === 0 ? `✓ ${app.say("doctor_good")}` : `! ${app.say("doctor_wrong")}`),
              h("p", { class: "code" }, `${app.say("received")} ${last.seen}`),
              h("ul", {}, last.findings.map((finding) => h("li", { "data-finding": finding }, app.say(`doctor_${finding}`)))),
              canSet ? app.button("doctor_use", () => this.#use(last)) : null,
            )
          : null,
        h(
          "ol",
          { class: "tests" },
          TESTS.map((text, at) => {
            const told = this.told.get(at + 1);
            const mark = !told ? "○" : told.findings.length === 0 ? "✓" : "!";
            return h("li", {}, h("p", {}, `${mark} ${app.say("test_code")} ${at + 1}`), text.length < 30 ? bars(text) : null, qr(text));
          }),
        ),
        h("p", {}, app.button("back", () => app.back())),
      ),
    ];
  }

  /** What the app can set by itself to understand this scanner. @param {Diagnosis} diagnosis */
  #use({ set }) {
    const { settings } = this.app;
    const more = (/** @type {string[]} */ held, /** @type {string[] | undefined} */ found) => [...new Set([...held, ...(found ?? [])])];
    this.app.choose({
      suffix: set.suffix ?? settings.suffix,
      gsKeys: more(settings.gsKeys, set.gsKeys),
      gsTokens: more(settings.gsTokens, set.gsTokens),
    });
    this.last = null;
  }
}
