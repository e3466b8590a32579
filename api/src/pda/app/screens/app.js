// The screens: what a session knows, drawn anew after every change, and what a person does, handed to
// the session. Decides nothing about goods, events or the queue.

import { picture } from "../core/outbox.js";
import { Scanner } from "../core/scanner.js";
import { compared, kindOf } from "../core/tasks.js";
import { pushToken } from "../device/link.js";
import { play } from "./sounds.js";
import { h } from "./view.js";
import { speaker } from "./words.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./session.js").Told} Told */
/** @typedef {import("../core/tasks/kinds.js").TaskName} TaskName */
/** @typedef {{ lang: import("./words.js").Lang, look: "light" | "dark", prefix: string }} Settings */

/** Keys that came in time may wait so long behind other work before they are seen. */
const GRACE_MS = 200;

/** Minutes between pulls that nothing else asked for: how old a recall list gets on a till that is online. */
const PULL_EVERY = 5;

/** Lines that are drawn; the rest is counted. */
const LINES_SHOWN = 200;

/** @type {readonly TaskName[]} */
const TASKS = ["inbound", "outbound", "sale", "return", "inspect", "pack", "unpack", "count", "collect", "destroy", "retract", "look-up"];

export class App {
  /**
   * @param {HTMLElement} root
   * @param {Session} session
   * @param {Settings} settings
   * @param {{ version: string, persisted: boolean, keep: (settings: Settings) => void }} about
   */
  constructor(root, session, settings, about) {
    this.root = root;
    this.session = session;
    this.settings = settings;
    this.about = about;
    /** @type {"enrol" | "home" | "task" | "queue" | "settings" | "look-up"} */
    this.screen = "enrol";
    /** @type {Told | null} */
    this.said = null;
    this.isBusy = false;
    this.scanner = new Scanner({ prefix: settings.prefix });
    this.isDrawing = false;
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
      const taken = this.scanner.take({
        type: event.type === "keyup" ? "keyup" : "keydown",
        code: event.code,
        key: event.key,
        at: event.timeStamp,
        shift: event.shiftKey,
        ctrl: event.ctrlKey,
        alt: event.altKey,
        meta: event.metaKey,
        repeat: event.repeat,
        composing: event.isComposing,
      });
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
      if (document.hidden) this.session.driver?.hidden();
      else this.woken();
    });
    setInterval(() => this.#tick(), 60_000);
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

  /** A minute went by: ages are drawn anew, and now and then somebody asks what changed. */
  #tick() {
    this.ticks += 1;
    if (this.ticks % PULL_EVERY === 0 && this.session.driver && navigator.onLine) void this.session.pull();
    this.draw();
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
      if (effect.is === "broken") this.tell({ sound: "warn", words: [effect.why], of: effect.key ?? effect.text });
      else if (this.screen === "enrol") void this.#enrol(effect.text);
      else void this.#after(this.session.scan(effect.text, "wedge", performance.now()));
    }
  }

  /** What happened is shown and heard. @param {Told} told */
  tell(told) {
    this.said = told;
    play(told.sound);
    this.draw();
  }

  /** What could not be done is told, whatever it was. @param {Promise<unknown>} doing */
  async #after(doing) {
    try {
      await doing;
    } catch (error) {
      this.tell({ sound: "stop", words: ["not_saved"], of: String(error) });
    }
    this.#follow();
  }

  /** The screen that belongs to what the session does. */
  #follow() {
    if (this.session.task) this.screen = "task";
    else if (this.session.looked) this.screen = "look-up";
    else if (this.screen === "task") this.screen = "home";
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
    document.documentElement.lang = this.settings.lang === "zh" ? "zh-CN" : "en";
    document.documentElement.dataset.look = this.settings.look;
    const screens = {
      enrol: () => this.#enrolScreen(),
      home: () => this.#home(),
      task: () => this.#task(),
      queue: () => this.#queue(),
      settings: () => this.#settings(),
      "look-up": () => this.#lookUp(),
    };
    this.root.replaceChildren(...(this.screen === "enrol" ? [] : [this.#strip()]), ...screens[this.screen](), ...this.#stop());
    const field = typed ? document.getElementById(typed.id) : null;
    if (field instanceof HTMLInputElement && typed) {
      field.value = typed.value;
      field.focus();
    }
    const stop = this.root.querySelector(".stop button");
    if (stop instanceof HTMLElement && !(field && stop.parentElement?.contains(field))) stop.focus();
  }

  /** @param {string} word */
  say(word) {
    return speaker(this.settings.lang)(word);
  }

  /** @param {string} word @param {() => unknown} run @param {string} [look] */
  #button(word, run, look = "") {
    return h("button", { type: "button", class: look, "data-do": word, click: () => void run() }, this.say(word));
  }

  /** Always there: online or not, unsent, age of the list, storage, version, who. */
  #strip() {
    const { driver, list, actor } = this.session;
    const unsent = driver?.outbox.unsent ?? 0;
    const hours = list ? Math.floor((Date.now() * 1000 - list.madeAt) / 3.6e9) : null;
    const isOnline = navigator.onLine && driver?.link.isReached !== false;
    const listText = hours === null ? this.say("no_list") : `${this.say("list_age")} ${hours} ${this.say("hours")}`;
    const storage = `${this.say("storage")} ${this.say(this.about.persisted ? "kept" : "not_kept")}`;
    return h(
      "header",
      { class: "strip" },
      h("span", { class: isOnline ? "" : "bad" }, `${isOnline ? "●" : "○"} ${this.say(isOnline ? "online" : "offline")}`),
      h("span", { class: unsent > 0 ? "bad" : "", "data-unsent": unsent }, unsent > 0 ? `↑ ${this.say("unsent")} ${unsent}` : `✓ ${this.say("all_sent")}`),
      h("span", { class: hours === null || hours >= 24 ? "bad" : "" }, listText),
      h("span", { class: this.about.persisted ? "" : "bad" }, storage),
      h("span", { class: actor ? "" : "bad" }, actor ? `${this.say("who")} ${actor.id}` : this.say("nobody")),
      h("span", {}, `${this.say("version")} ${this.about.version}`),
      driver?.outbox.view.enrolAgain ? h("span", { class: "bad" }, this.say("enrol_again")) : null,
    );
  }

  #told() {
    if (!this.said) return h("p", { class: "told", role: "status" }, this.say("scan_now"));
    const { sound, words, of } = this.said;
    const look = sound === "warn" || sound === "stop" ? "told warn" : "told";
    const mark = { ok: "✓", tick: "·", warn: "!", stop: "✕" }[sound];
    const text = `${mark} ${words.map((word) => this.say(word)).join("，")}`;
    return h("p", { class: look, role: "status" }, text, of ? h("br", {}) : null, of ?? null);
  }

  #enrolScreen() {
    const field = h("input", { id: "ticket", autocomplete: "off" });
    const run = () => this.#enrol(field instanceof HTMLInputElement ? field.value : "");
    return [
      h(
        "main",
        {},
        h("h1", {}, this.say("enrol_title")),
        h("p", {}, this.say(this.isBusy ? "enrolling" : "enrol_how")),
        this.#progress(),
        this.said ? this.#told() : null,
        h("label", { for: "ticket" }, this.say("enrol_text")),
        field,
        h("p", {}, this.#button("enrol", run, "main")),
      ),
    ];
  }

  /** How much of a snapshot is here, in words too. */
  #progress() {
    const { progress } = this.session;
    if (!progress) return null;
    const kb = (/** @type {number} */ bytes) => Math.ceil(bytes / 1024);
    const label = `${this.say("downloading")} ${kb(progress.done)} / ${kb(progress.of)} kB`;
    return h("p", { class: "progress" }, h("label", { for: "progress" }, label), h("progress", { id: "progress", max: Math.max(1, progress.of), value: progress.done }));
  }

  /** @param {string} text */
  async #enrol(text) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.draw();
    const wrong = await this.session.enrol(text).catch(() => "enrol_lost");
    this.isBusy = false;
    if (wrong) {
      this.tell({ sound: "warn", words: [wrong] });
      return;
    }
    this.said = null;
    this.screen = "home";
    this.draw();
  }

  #home() {
    const open = (/** @type {TaskName} */ name) => this.#after(this.session.open(name));
    return [
      h(
        "main",
        {},
        h("h1", {}, this.say("home")),
        this.said ? this.#told() : null,
        h("div", { class: "grid" }, TASKS.map((name) => this.#button(name, () => open(name), "main"))),
        h("div", { class: "grid" }, this.#button("queue", () => this.#go("queue")), this.#button("settings", () => this.#go("settings"))),
      ),
    ];
  }

  /** @param {App["screen"]} screen */
  #go(screen) {
    this.screen = screen;
    this.said = null;
    this.draw();
  }

  #task() {
    const { task } = this.session;
    if (!task) return this.#home();
    const act = (/** @type {import("../core/tasks/step.js").Input} */ input) => this.#after(this.session.act(input));
    const lines = [...task.goods.lines].reverse();
    const difference = compared(task.goods, task.expected);
    const wanted = task.expected ? ` / ${task.expected.units.length} ${this.say("expected")}` : "";
    const total = lines.reduce((sum, line) => sum + line.qty, 0);
    const { first } = kindOf(task.task);
    const prompt = { parent: "scan_first", target: "find_record", disposition: "choose_disposition" };
    return [
      h(
        "main",
        {},
        h("h1", {}, this.say(task.task)),
        task.step === "first" && first ? h("p", { class: "told" }, this.say(prompt[first])) : this.#told(),
        task.step === "first" && first === "disposition"
          ? h(
              "div",
              { class: "grid" },
              /** @type {const} */ (["sellable", "hold", "destroy"]).map((disposition) =>
                this.#button(disposition, () => act({ do: "answer", answer: { disposition } })),
              ),
            )
          : null,
        h("p", { class: "count", "data-count": total }, `${total}${wanted}`),
        task.step === "question" && task.question ? this.#question(task.question, act) : null,
        task.step === "review" ? h("ol", { class: "lines" }, difference.missing.slice(0, LINES_SHOWN).map((unit) => h("li", {}, `□ ${unit}`))) : null,
        h(
          "ol",
          { class: "lines" },
          lines.slice(0, LINES_SHOWN).map((line) => {
            const mark = line.override ? "‼" : line.surplus ? "+" : "✓";
            return h("li", {}, `${mark} ${this.#named(line)}${line.unit === null ? ` × ${line.qty}` : ""}`);
          }),
        ),
        lines.length > LINES_SHOWN ? h("p", {}, `… ${lines.length - LINES_SHOWN}`) : null,
        this.#typing(),
      ),
      h(
        "nav",
        { class: "actions" },
        this.#button("cancel", () => act({ do: "cancel" })),
        this.#button("undo", () => act({ do: "undo" })),
        this.#button("confirm", () => act({ do: "confirm" }), "main"),
      ),
    ];
  }

  /**
   * Goods as people know them: the product by its name where that is here, then what tells it apart.
   * @param {Pick<import("../core/tasks/goods.js").Line, "unit" | "gtin" | "lot">} line
   */
  #named({ unit, gtin, lot }) {
    const name = gtin === null ? null : (this.session.products.get(gtin)?.name ?? gtin);
    const own = unit === null ? (lot ?? "") : unit.slice(unit.lastIndexOf("/") + 1);
    return name === null ? (unit ?? "") : `${name} · ${own}`;
  }

  /**
   * An item of the standard, asked for once.
   * @param {import("../core/required.js").Rule} question
   * @param {(input: import("../core/tasks/step.js").Input) => unknown} act
   */
  #question({ item, said }, act) {
    const field = h("input", { id: "answer", autocomplete: "off", inputmode: said === "temperature" || said === "humidity" ? "decimal" : "text" });
    const answer = () => {
      const value = field instanceof HTMLInputElement ? field.value.trim() : "";
      const tenths = Math.round(Number(value) * 10);
      if (value === "") return act({ do: "skip" });
      if (said === "document") return act({ do: "answer", answer: { doc: { no: value } } });
      if (said === "counterpart") return act({ do: "answer", answer: { counterpart: { type: "named", name: value } } });
      if (said === "temperature" || said === "humidity") {
        return Number.isFinite(tenths) ? act({ do: "answer", answer: { env: { [said]: tenths } } }) : undefined;
      }
      return act({ do: "answer", answer: { item, value } });
    };
    const buttons = [this.#button("add", answer, "main"), this.#button("skip", () => act({ do: "skip" }))];
    return h("section", {}, h("label", { for: "answer" }, `${this.say("question")} ${this.say(item)}`), field, h("p", {}, buttons));
  }

  /** A code typed by hand is a scan that says so. */
  #typing() {
    const field = h("input", { id: "typed", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    const add = () => {
      if (!(field instanceof HTMLInputElement) || field.value.trim() === "") return;
      const text = field.value;
      field.value = "";
      void this.#after(this.session.scan(text, "typed", performance.now()));
    };
    const enter = (/** @type {Event} */ event) => {
      if (event instanceof KeyboardEvent && event.key === "Enter") add();
    };
    field.addEventListener("keydown", enter);
    return h("section", {}, h("label", { for: "typed" }, this.say("type_code")), field, h("p", {}, this.#button("add", add)));
  }

  /** A stop fills the screen until somebody has seen it. */
  #stop() {
    const { task } = this.session;
    if (!task?.held || (task.step !== "stop" && task.step !== "ask")) return [];
    const { line, decision } = task.held;
    const isStop = task.step === "stop";
    const act = (/** @type {import("../core/tasks/step.js").Input} */ input) => this.#after(this.session.act(input));
    const reason = h("input", {
      id: "reason",
      autocomplete: "off",
      input: (event) => {
        if (event.target instanceof HTMLInputElement) this.session.reason = event.target.value;
      },
    });
    return [
      h(
        "div",
        { class: isStop ? "stop" : "stop ask", role: "alertdialog", "aria-modal": "true", "aria-labelledby": "stop-title" },
        h("h1", { id: "stop-title" }, isStop ? `✕ ${this.say("stopped")}` : `! ${this.say("look_twice")}`),
        h("ul", {}, decision.reasons.map((word) => h("li", {}, this.say(word)))),
        h("p", {}, line.unit === null && line.gtin === null ? line.code : this.#named(line)),
        this.#button("acknowledge", () => act({ do: "acknowledge" })),
        isStop ? null : this.#button("take_anyway", () => act({ do: "confirm" })),
        isStop ? h("label", { for: "reason" }, `${this.say("overrule")} · ${this.say("reason")}`) : null,
        isStop ? reason : null,
      ),
    ];
  }

  #lookUp() {
    const { looked } = this.session;
    const rows = looked
      ? [
          h("p", { class: looked.decision.advice === "ok" ? "told" : "told warn" }, looked.unit),
          h("ul", {}, (looked.decision.reasons.length > 0 ? looked.decision.reasons : ["ok"]).map((word) => h("li", {}, this.say(word)))),
          looked.card ? h("p", {}, `${looked.card.lot ?? ""} ${this.say(looked.card.phase)}`) : h("p", {}, this.say("unknown_here")),
        ]
      : [h("p", { class: "told" }, this.say("scan_now"))];
    return [h("main", {}, h("h1", {}, this.say("look-up")), rows, this.#button("back", () => this.#go("home")))];
  }

  #queue() {
    const { driver } = this.session;
    const states = driver ? picture(driver.outbox).states : null;
    const counted = Object.entries(states ?? {}).map(([name, spans]) => {
      const count = spans.reduce((sum, [, first, last]) => sum + last - first + 1, 0);
      return h("li", { "data-state": name }, `${this.say(name)}: ${count}`);
    });
    return [
      h(
        "main",
        {},
        h("h1", {}, this.say("queue")),
        h("ol", { class: "lines" }, counted),
        h("div", { class: "grid" }, this.#button("export", () => this.#export()), this.#button("back", () => this.#go("home"))),
      ),
    ];
  }

  /** Everything unsent as a file that another device or an office can deposit. */
  async #export() {
    const { driver } = this.session;
    if (!driver) return;
    const deposits = [];
    for (const push of driver.outbox.export()) deposits.push(JSON.stringify({ v: 1, token: await pushToken(driver.identity, push), push }));
    const address = URL.createObjectURL(new Blob([`${deposits.join("\n")}\n`], { type: "application/x-ndjson" }));
    const link = h("a", { href: address, download: `suyuan-${driver.identity.device}.ndjson` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  #settings() {
    const choose = (/** @type {Partial<Settings>} */ change) => {
      this.settings = { ...this.settings, ...change };
      this.scanner = new Scanner({ prefix: this.settings.prefix });
      this.about.keep(this.settings);
      this.draw();
    };
    const prefix = h("input", {
      id: "prefix",
      maxlength: 1,
      value: this.settings.prefix,
      change: (event) => {
        if (event.target instanceof HTMLInputElement) choose({ prefix: event.target.value });
      },
    });
    return [
      h(
        "main",
        {},
        h("h1", {}, this.say("settings")),
        h("div", { class: "grid" }, [
          this.#button("language", () => choose({ lang: this.settings.lang === "zh" ? "en" : "zh" })),
          this.#button(this.settings.look === "light" ? "dark" : "sunlight", () => choose({ look: this.settings.look === "light" ? "dark" : "light" })),
        ]),
        h("p", {}, h("label", { for: "prefix" }, this.say("prefix")), prefix),
        this.#button("back", () => this.#go("home")),
      ),
    ];
  }
}
