// The frame of all screens: what a session knows, drawn anew after every change, and keys, wherever the
// focus is, handed to the scanner. Decides nothing about goods, events or the queue.

import { commandOf } from "../core/commands.js";
import { Scanner } from "../core/scanner.js";
import { homeScreen } from "./home.js";
import { settle } from "./list.js";
import { whyNot } from "./session.js";
import { play } from "./sounds.js";
import { strip } from "./strip.js";
import { stopScreen, taskScreen } from "./task.js";
import { h } from "./view.js";
import { speaker } from "./words.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").ScreenName} ScreenName */
/** @typedef {import("./types.js").Settings} Settings */
/** @typedef {import("./types.js").About} About */
/** @typedef {import("./types.js").Tools} Tools */
/** Keys that came in time may wait so long behind other work before they are seen. */
const GRACE_MS = 200;

/** A screen that could not be fetched is fetched again, in milliseconds. */
const FETCH_AGAIN_MS = 3000;

/** Minutes between pulls that nothing else asked for: how old a recall list gets on a till that is online. */
const PULL_EVERY = 5;

export class App {
  /**
   * @param {HTMLElement} root
   * @param {Session} session
   * @param {Settings} settings
   * @param {About} about
   */
  constructor(root, session, settings, about) {
    this.root = root;
    this.session = session;
    this.settings = settings;
    this.about = about;
    /** @type {ScreenName} */
    this.screen = "enrol";
    /** @type {Told | null} */
    this.said = null;
    /** Fetched when somebody enrols, or has to. @type {import("./enrol.js").Enrolment | null} */
    this.enrolment = null;
    /** Screens that are fetched later. @type {Tools | null} */
    this.tools = null;
    this.scanner = new Scanner(settings);
    this.isDrawing = false;
    /** The task of looking up is open; it has to be seen when it ends. */
    this.isLooking = false;
    this.ticks = 0;
    /** A finger is down, or an input method is at work: what they are on must not be drawn anew. */
    this.isHeld = false;
    this.isStale = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.watching = undefined;
  }

  /** Listens for the scanner wherever the focus is. */
  listen() {
    const take = (/** @type {KeyboardEvent} */ event) => {
      const key = {
        type: /** @type {"keydown" | "keyup"} */ (event.type === "keyup" ? "keyup" : "keydown"),
        code: event.code,
        key: event.key,
        at: event.timeStamp,
        shift: event.shiftKey,
        ctrl: event.ctrlKey,
        alt: event.altKey,
        meta: event.metaKey,
        repeat: event.repeat,
        composing: event.isComposing,
      };
      if (this.screen === "doctor" && this.tools) {
        // What a scanner sends must press no button here.
        if (this.tools.doctor.take(key)) event.preventDefault();
        return;
      }
      const taken = this.scanner.take(key);
      if (taken.prevent) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
      this.#heard(taken.effects);
      this.#watch();
    };
    document.addEventListener("keydown", take, { capture: true });
    document.addEventListener("keyup", take, { capture: true });
    for (const type of ["pointerdown", "compositionstart"]) document.addEventListener(type, () => (this.isHeld = true));
    for (const type of ["pointerup", "pointercancel", "compositionend"]) {
      document.addEventListener(type, () => {
        this.isHeld = false;
        // The click that belongs to a finger comes after this.
        if (this.isStale) setTimeout(() => this.draw(), 50);
      });
    }
    addEventListener("online", () => this.woken());
    addEventListener("offline", () => this.draw());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        this.tools?.camera.close();
        this.session.driver?.hidden();
      } else {
        this.woken();
      }
    });
    setInterval(() => this.#tick(), 60_000);
  }

  /** A minute went by: ages are drawn anew, and now and then somebody asks what changed. */
  #tick() {
    this.ticks += 1;
    if (this.ticks % PULL_EVERY === 0 && this.session.driver && navigator.onLine) void this.session.pull();
    void this.about.look().then(() => this.draw());
  }

  /** Half a code is told when its time is over, not with the next one. */
  #watch() {
    clearTimeout(this.watching);
    const due = this.scanner.dueAt();
    if (due === null) return;
    const wait = Math.max(1, due + GRACE_MS - performance.now());
    this.watching = setTimeout(() => {
      this.#heard(this.scanner.wake(performance.now() - GRACE_MS));
      this.#watch();
    }, wait);
  }

  /** Network or person are back. */
  woken() {
    this.session.driver?.inSight();
    void this.session.driver?.wake();
    if (this.session.driver && navigator.onLine) void this.session.pull();
    this.draw();
  }

  /** @param {import("../core/scanner.js").Effect[]} effects */
  #heard(effects) {
    for (const effect of effects) {
      if (effect.is === "broken") this.tell({ sound: "warn", words: [effect.why], of: effect.key ?? (effect.why === "no-prefix" ? "" : effect.text) });
      else this.read(effect.text, "wedge");
    }
  }

  /** A code was read, by whatever means. @param {string} text @param {import("../core/event.js").Input} input */
  read(text, input) {
    if (this.enrolment?.isBusy) return this.enrolment.wait();
    // Out of the box nothing else is read; who is told to enrol again holds the code in front of any screen.
    const isTicket = text.trim().startsWith("{") && (this.screen === "enrol" || this.session.over);
    if (isTicket || !this.session.driver) {
      this.screen = "enrol";
      void this.#fetchEnrolment().then((enrolment) => enrolment.enrol(text)).catch(() => this.tell({ sound: "warn", words: ["tools_lost"] }));
    } else if (this.screen === "enrol" && !commandOf(text)) this.tell({ sound: "warn", words: ["enrol_bad"] });
    else void this.after(this.session.scan(text, input, performance.now()));
  }

  /** What happened is shown and heard. @param {Told} told */
  tell(told) {
    this.said = told;
    play(told.sound);
    this.draw();
    // The sentences about codes that are none come with the tools.
    if (!this.tools) void this.fetchTools().then(() => this.draw(), () => {});
  }

  /** What could not be done is told, whatever it was. @param {Promise<unknown>} doing */
  async after(doing) {
    try {
      await doing;
    } catch (error) {
      this.tell({ sound: "stop", words: ["not_saved"], why: whyNot(String(error)) });
    }
    this.#follow();
  }

  /** The screen of what the session does. @returns {"task" | "look-up" | "home"} */
  get base() {
    const { task } = this.session;
    if (task) return task.task === "look-up" ? "look-up" : "task";
    return "home";
  }

  /** The screen that belongs to what the session does. */
  #follow() {
    const { base } = this;
    if (base === "look-up") {
      if (this.screen !== "camera") this.screen = base;
    } else if (base === "task") {
      this.session.looked = null;
      if (this.screen !== "camera") this.screen = base;
    } else if (this.screen === "task" || (this.screen === "look-up" && this.isLooking)) {
      this.session.looked = null;
      this.screen = base;
    } else if (this.session.looked) {
      this.screen = "look-up";
    }
    this.isLooking = base === "look-up";
    if (this.session.task?.held || this.screen !== "camera") this.tools?.camera.close();
    this.draw();
  }

  /** @param {ScreenName} screen */
  go(screen) {
    if (screen !== "camera") this.tools?.camera.close();
    if (screen !== "look-up" && screen !== "camera") this.session.looked = null;
    if (this.enrolment) this.enrolment.isReading = false;
    this.session.isHandingOver = screen === "hand-over";
    if (screen === "queue") void import("./tools/queue.js").then(({ ask }) => ask(this.session)).catch(() => {});
    this.screen = screen;
    this.said = null;
    scrollTo(0, 0);
    this.draw();
  }

  /** To the task that is open, or to all of them. */
  back() {
    this.go(this.base);
  }

  /** @param {Partial<Settings>} change */
  choose(change) {
    this.settings = { ...this.settings, ...change };
    this.scanner = new Scanner(this.settings);
    this.about.keep(this.settings);
    this.draw();
  }

  /** Draws once for all changes of a moment. */
  draw() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.drawNow();
    });
  }

  drawNow() {
    this.isStale = this.isHeld;
    if (this.isHeld) return;
    const active = document.activeElement;
    const typed = active instanceof HTMLInputElement ? { id: active.id, value: active.value } : null;
    const pressed = active instanceof HTMLButtonElement ? active.dataset.do : undefined;
    document.documentElement.lang = this.settings.lang === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.look = this.settings.look;
    const screens = {
      enrol: () => this.enrolling((enrolment) => enrolment.draw()) ?? [h("main", {}, h("p", {}, this.say("loading")))],
      home: () => homeScreen(this),
      task: () => taskScreen(this),
      doctor: () => this.#tool((tools) => tools.doctor.draw()),
      camera: () => this.#tool((tools) => tools.camera.draw()),
    };
    const { screen } = this;
    const drawn = screen in screens ? screens[/** @type {keyof typeof screens} */ (screen)]() : this.#tool((tools) => tools.screens[/** @type {keyof Tools["screens"]} */ (screen)](this));
    this.root.replaceChildren(...(screen === "enrol" ? [] : [strip(this)]), ...drawn, ...stopScreen(this));
    settle();
    this.#focus(typed, pressed);
  }

  async #fetchEnrolment() {
    const { Enrolment } = await import("./enrol.js");
    return (this.enrolment ??= new Enrolment(this));
  }

  /**
   * What the enrolment shows; null until it is fetched.
   * @template T
   * @param {(enrolment: import("./enrol.js").Enrolment) => T} draw
   */
  enrolling(draw) {
    if (this.enrolment) return draw(this.enrolment);
    void this.#fetchEnrolment().then(() => this.draw(), () => setTimeout(() => this.draw(), FETCH_AGAIN_MS));
    return null;
  }

  /** A screen that may have to be fetched. @param {(tools: Tools) => HTMLElement[]} draw */
  #tool(draw) {
    if (this.tools) return draw(this.tools);
    void this.fetchTools().then(
      () => this.draw(),
      () => {
        this.back();
        this.tell({ sound: "warn", words: ["tools_lost"] });
      },
    );
    return [h("main", {}, h("p", {}, this.say("loading")))];
  }

  /** Fetches the screens that no scan waits for. */
  async fetchTools() {
    const { CameraScreen, DoctorScreen, screens } = await import("./tools.js");
    this.tools ??= { camera: new CameraScreen(this), doctor: new DoctorScreen(this), screens };
  }

  /** Who typed goes on typing; who pressed a key finds the same button. @param {{ id: string, value: string } | null} typed @param {string | undefined} pressed */
  #focus(typed, pressed) {
    const field = typed ? document.getElementById(typed.id) : null;
    const stop = this.root.querySelector(".stop button");
    if (field instanceof HTMLInputElement && typed && (!stop || stop.parentElement?.contains(field))) {
      // What stands in the field of a question is the session's: a scan may have written it.
      if (field.type !== "file" && field.id !== "answer") field.value = typed.value;
      field.focus();
    } else if (stop instanceof HTMLElement) {
      stop.focus();
    } else if (pressed) {
      const same = [...this.root.querySelectorAll("button")].find((button) => button.dataset.do === pressed);
      same?.focus({ preventScroll: true });
    }
  }

  /** Whether there is a word for a name. @param {string} name */
  knows(name) {
    return this.say(name) !== name;
  }

  /** @param {string} word */
  say(word) {
    return speaker(this.settings.lang)(word);
  }

  /** @param {string} word what it does @param {() => unknown} run @param {string} [look] @param {string} [label] where it says it in another word */
  button(word, run, look = "", label = word) {
    return h("button", { type: "button", class: look, "data-do": word, click: () => void run() }, this.say(label));
  }

  /** An act in a few words: when, what, of how many goods. @param {import("../core/summary.js").Says} act */
  actText(act) {
    const at = act.at === 0 ? "" : new Date(act.at).toLocaleString(this.settings.lang === "zh" ? "zh-CN" : "en", { dateStyle: "short", timeStyle: "short" });
    return `${at} ${this.say(act.kind)}${act.count > 0 ? ` × ${act.count}` : ""}`;
  }

  /** What was said last. */
  told() {
    if (!this.said) return h("p", { class: "told", role: "status" }, this.say("scan_now"));
    const { sound, words, of, why } = this.said;
    const look = sound === "warn" || sound === "stop" ? "told warn" : "told";
    const mark = { ok: "✓", tick: "·", warn: "!", stop: "✕" }[sound];
    const text = `${mark} ${words.map((word) => this.say(word)).join("，")}`;
    return h("p", { class: look, role: "status" }, text, why ? h("br", {}) : null, why ? this.say(why) : null, of ? h("br", {}) : null, of ?? null);
  }
}
