// A person at the device: what is scanned, typed or pressed goes through the pure machines, each in its
// turn; what they say is kept first and told then. What that means for one concept stands in `session/`.
// Knows storage and outbox by their doors, and no element of a page.

import { Badges } from "../core/badges.js";
import { commandOf } from "../core/commands.js";
import { Here } from "../core/here.js";
import { BUILT_IN } from "../core/required/rules.js";
import { answerOf, lineOf, step, suggested } from "../core/tasks.js";
import { goodsOf } from "../core/till.js";
import { parse } from "../core/trace-code.js";
import { Driver } from "../device/driver.js";
import { Link } from "../device/link.js";
import { handedOver, knowActor } from "./session/badge.js";
import { commanded, isWords, opened, said } from "./session/commands.js";
import { judged } from "./session/judge.js";
import { LIST_AGE_S, Pulls, placesOf, readCards } from "./session/pulls.js";

/** @typedef {import("../core/tasks/state.js").State} State */
/** @typedef {import("../core/tasks/step.js").Input} Input */
/** @typedef {import("../core/tasks/kinds.js").TaskName} TaskName */
/** @typedef {import("../core/event.js").Actor} Actor */
/** @typedef {import("./types.js").Looked} Looked */
/** @typedef {import("./types.js").Out} Out */

const ZONE = () => -new Date().getTimezoneOffset();

export class Session {
  /**
   * @param {import("../device/store.js").Store} store
   * @param {Out} out
   * @param {string} program
   * @param {() => void} [failed] an upload failed
   */
  constructor(store, out, program, failed = () => {}) {
    this.store = store;
    this.failed = failed;
    this.out = out;
    this.program = program;
    /** @type {Driver | null} */
    this.driver = null;
    /** Those of devices that this one was before. @type {Driver[]} */
    this.left = [];
    /** Why the server wants it enrolled again. @type {import("../device/over.js").Over | null} */
    this.why = null;
    /** An act that is on the disk though nobody may have heard so. @type {import("../core/summary.js").Says | null} */
    this.found = null;
    /** Own events that are to be struck. @type {import("../core/summary.js").Says[]} */
    this.striking = [];
    /** @type {State | null} */
    this.task = null;
    /** @type {Actor | null} */
    this.actor = null;
    /** @type {import("../core/till.js").HeldList | null} */
    this.list = null;
    /** How old that may be, in microseconds. */
    this.listAgeMax = LIST_AGE_S * 1_000_000;
    /** @type {Looked | null} */
    this.looked = null;
    /** What is known of each GTIN. @type {Map<string, { name: string, profile: string | null }>} */
    this.products = new Map();
    /** Whom goods go to and come from. @type {Awaited<ReturnType<import("../device/store.js").Store["partners"]>>} */
    this.partners = [];
    this.rules = BUILT_IN;
    /** All was fetched: cards, rules, and whether this place has badges. */
    this.isPulled = false;
    /** Who works here. */
    this.badges = new Badges("", null);
    /** What was done here. */
    this.here = new Here();
    /** What people compare of the server's certificate: words, or digits; empty where nobody has to. */
    this.fingerprint = "";
    /** A snapshot on its way. @type {import("../device/down.js").Progress | null} */
    this.progress = null;
    /** Why a stop is overruled, before the badge is scanned. */
    this.reason = "";
    /** What stands in the field of the question that is open. */
    this.words = "";
    /** What the device itself put there. */
    this.suggested = "";
    /** The hand-over is on the screen: a second badge takes over what is unsent. */
    this.isHandingOver = false;
    /** Codes of what is open, by event. @type {Map<string, string[]>} */
    this.verdicts = new Map();
    /** What was found, by event. @type {Map<string, import("../core/healed.js").Found[]>} */
    this.findings = new Map();
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    this.pulls = new Pulls(this);
  }

  /** Takes up what is on the storage; false when the device is not enrolled. */
  async start() {
    for (const driver of this.drivers) driver.stop();
    this.driver = await this.#began();
    if (!this.driver) return false;
    const left = await this.store.left();
    this.left = left.length > 0 ? await (await import("../device/left.js")).startLeft(this.driver, left) : [];
    const record = async (/** @type {string} */ name) => (await this.store.record(name)) ?? null;
    this.task = /** @type {State | null} */ (await record("task"));
    this.actor = /** @type {Actor | null} */ (await record("actor"));
    this.why = /** @type {import("../device/over.js").Over | null} */ (await record("over"));
    this.fingerprint = String((await record("fingerprint")) ?? "");
    this.here = new Here();
    this.found = /** @type {import("../core/summary.js").Says | null} */ (await record("found"));
    if (this.store.unsaid) await (await import("./session/unsaid.js")).findUnsaid(this, this.driver);
    this.striking = [];
    if (this.task && this.task.targets.length > 0) await (await import("./session/strike.js")).knowTargets(this);
    this.#suggest(this.driver);
    await readCards(this);
    await knowActor(this);
    return true;
  }

  /** @param {Driver} driver */
  #suggest({ identity, outbox }) {
    this.words = this.suggested = suggested(this.task?.question ?? null, identity, outbox.view.next);
  }

  async #began() {
    const identity = await this.store.identity();
    if (!identity) return null;
    return Driver.start(this.store, new Link(identity.url), {
      now: () => Math.trunc(performance.now()),
      wall: () => Date.now(),
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      after: (ms, run) => {
        const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
        return () => clearTimeout(timer);
      },
      tell: (notice) => {
        if (notice.say === "not_saved") this.out.told({ sound: "stop", words: ["not_saved"], why: "storage_failed" });
        if (notice.say === "damaged") this.out.told({ sound: "warn", words: ["record_damaged"], of: String(notice.of[1]) });
        if (notice.say === "doubted" || notice.say === "strayed") this.out.told({ sound: "warn", words: ["storage_turned"] });
        if (notice.say === "enrol_again") this.out.told({ sound: "warn", words: ["enrol_again"] });
      },
      changed: () => this.out.changed(),
      hint: () => void this.pull(),
      failed: this.failed,
    });
  }

  /** Who this device was and is: all that may have something to send. */
  get drivers() {
    return [...this.left, ...(this.driver ? [this.driver] : [])];
  }

  /** How many events are not known to be on the server, whoever made them. */
  get unsent() {
    return this.drivers.reduce((sum, { outbox }) => sum + outbox.unreceipted, 0);
  }

  /** Goods may have been read that are not stated yet; a look-up states nothing. */
  get isActing() {
    return this.task !== null && this.task.task !== "look-up";
  }

  /** Why this device has to be enrolled again; null where it has not. @returns {import("../device/over.js").Over | null} */
  get over() {
    return this.driver?.outbox.view.enrolAgain ? "copy" : this.why;
  }

  /** Nothing of who this was is written or sent behind this, until the next start. */
  async retire() {
    await Promise.all(this.drivers.map((driver) => driver.retire()));
    this.pulls.forget();
  }

  /** Somebody has seen which act was found. */
  seen() {
    return this.#inTurn(() => this.unfind());
  }

  /** The same within a turn. */
  async unfind() {
    await this.keep({ found: null });
    this.found = null;
    this.out.changed();
  }

  /** Keeps these, if this is still who this device is. @param {Record<string, unknown>} records */
  keep(records) {
    return this.store.commit(null, { records }, this.driver?.identity ?? null);
  }

  /** Fetches what changed, and takes it up. */
  pull() {
    return this.pulls.pull();
  }

  /** What came is at hand, and who is at work is who may. */
  async taken() {
    await readCards(this);
    await this.#inTurn(() => knowActor(this));
  }

  /**
   * Enrols this device with what its QR code says.
   * @param {string} text
   * @returns {Promise<string | null>} the word for what went wrong
   */
  async enrol(text) {
    // Acts before it are on record as who this was, and those behind it as who this is.
    const { enrolled } = await import("./enrolling.js");
    const wrong = await this.#inTurn(() => enrolled(this, text));
    if (wrong === null) await this.pull();
    return wrong;
  }

  /**
   * A code that was read, by whatever means: a command, a badge, or goods.
   * @param {string} text
   * @param {import("../core/event.js").Input} input
   * @param {number} at
   */
  scan(text, input, at) {
    const command = commandOf(text);
    return this.#inTurn(() => (command ? commanded(this, command) : this.#goods(text, input, at)));
  }

  /** Whom goods go to and come from, each of their places by name. */
  get places() {
    return placesOf(this.partners);
  }

  /** @param {Input} input */
  act(input) {
    return this.#inTurn(() => this.step(input));
  }

  /** @param {TaskName} name */
  open(name) {
    return this.#inTurn(() => opened(this, name));
  }

  /**
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #inTurn(run) {
    const turn = this.last.then(run);
    this.last = turn.catch(() => {});
    return turn;
  }

  /** The shift is over. @param {string | null} supervisor who takes over what is unsent */
  handOver(supervisor) {
    return this.#inTurn(() => handedOver(this, supervisor));
  }

  /** @param {string} text @param {import("../core/event.js").Input} input @param {number} at */
  async #goods(text, input, at) {
    const read = parse(text);
    if (!this.task || !this.driver) return this.#lookUp(text, input);
    // What is no code of goods may be what is asked for: the number on a paper. It is seen before it is taken.
    if (!read.ok && isWords(this.task)) return said(this, text.replace(/^\][A-Za-z]\d/, ""));
    const goods = read.ok ? await goodsOf(read.scanned, input) : null;
    const decision = goods ? await judged(this, goods) : null;
    if (!read.ok) this.out.told({ sound: "warn", words: [read.fault], of: text });
    return this.step({ do: "scan", code: text, input, at, goods, decision }, read.ok);
  }

  /** @param {string} text @param {import("../core/event.js").Input} input */
  async #lookUp(text, input) {
    const { lookUp } = await import("./look.js");
    return lookUp(this, text, input);
  }

  /**
   * One step of the task: kept, then told; what it states is captured with the task's end in one
   * transaction.
   * @param {Input} wanted
   * @param {boolean} [says] whether the words are told
   * @param {string} [of] what they are told of
   */
  async step(wanted, says = true, of) {
    if (!this.task || !this.driver) return;
    // Who is done with a question means what stands in its field.
    const { question } = this.task.step === "question" ? this.task : { question: null };
    const words = this.words.trim();
    const answer = question && wanted.do === "confirm" && words !== "" ? answerOf(question, words) : null;
    if (question && wanted.do === "confirm" && words !== "" && !answer) {
      this.out.told({ sound: "warn", words: ["no_number"], of: words });
      return;
    }
    const input = answer ? /** @type {Input} */ ({ do: "answer", answer }) : wanted;
    const profileOf = (/** @type {string} */ gtin) => this.products.get(gtin)?.profile ?? null;
    const world = { rules: this.rules, profileOf, actor: this.actor };
    const before = this.task;
    const { state, effects } = step(before, input, world);
    const stated = effects.flatMap((effect) => ("state" in effect ? effect.state : []));
    const after = state.step === "done" || state.step === "cancelled" ? null : state;
    if (!(await this.kept(stated, after))) return;
    if (this.task?.question?.item !== before.question?.item) this.#suggest(this.driver);
    if (stated.length > 0) {
      this.out.told({ sound: "ok", words: ["done", "saved"] });
      return;
    }
    // What was found, or why not, is what is told.
    const found = effects.flatMap((effect) => ("look_up" in effect ? effect.look_up : []));
    for (const unit of found) {
      if (input.do !== "scan") continue;
      if (this.task?.task === "retract") await (await import("./session/strike.js")).strikeLast(this, unit, input);
      else await this.#lookUp(input.code, input.input);
    }
    if (found.length > 0) return;
    const sound = effects.flatMap((effect) => ("sound" in effect ? effect.sound : []))[0] ?? "tick";
    const told = effects.flatMap((effect) => ("say" in effect ? effect.say : []));
    const named = input.do === "scan" ? this.#readAs(input, told) : of;
    if (says) this.out.told({ sound, words: told, ...(named === undefined ? {} : { of: named }) });
  }

  /**
   * Goods as people know them: the product's name, then what tells it apart.
   * @param {Pick<import("../core/tasks/goods.js").Line, "unit" | "gtin" | "lot">} line
   */
  named({ unit, gtin, lot }) {
    const name = gtin === null ? null : (this.products.get(gtin)?.name ?? gtin);
    const own = unit === null ? (lot ?? "") : unit.slice(unit.lastIndexOf("/") + 1);
    return name === null ? (unit ?? "") : `${name} · ${own}`;
  }

  /**
   * What was read, by its name if it is goods; and for what it is taken, where a warning is of that.
   * @param {import("../core/tasks/step.js").Scan} scan
   * @param {readonly string[]} told
   */
  #readAs(scan, told) {
    const line = lineOf(scan);
    const name = line ? this.named(line) : scan.code;
    return scan.decision?.taken_for && told.includes("warned") ? `${name} → ${scan.decision.taken_for}` : name;
  }

  /**
   * Keeps the task as it is to stand, or what it states with its end in one transaction. What is not on
   * the disk did not happen, and is told: the scan has to be made again.
   * @param {import("../core/tasks/finish.js").Draft[]} stated
   * @param {State | null} after
   * @returns {Promise<boolean>} whether it stands so
   */
  async kept(stated, after) {
    const why = await this.#written(stated, after).catch((error) => String(error));
    if (why !== null) this.out.told({ sound: "stop", words: ["not_saved"], why: whyNot(why) });
    return why === null;
  }

  /** @param {import("../core/tasks/finish.js").Draft[]} stated @param {State | null} after @returns {Promise<string | null>} what went wrong */
  async #written(stated, after) {
    if (stated.length === 0 || !this.driver) {
      await this.#keep(after);
      return null;
    }
    const { actor, list } = this;
    const said = { actor, listVersion: list?.version ?? null, zone: ZONE(), records: { task: null } };
    const result = await this.driver.state(stated, said);
    if (!result.ok) return result.why;
    this.task = after;
    return null;
  }

  /** The task stands so once it is on the disk, and is not shown so before. @param {State | null} task */
  async #keep(task) {
    await this.keep({ task });
    this.task = task;
    this.out.changed();
  }
}

/** The word for why something was not kept; a fault that has none is told as it is. @param {string} fault */
export function whyNot(fault) {
  if (fault.includes("another tab wrote")) return "other_tab_wrote";
  if (fault.includes("enrolled anew")) return "other_tab_enrolled";
  return /not saved|emptied|Error/.test(fault) ? "storage_failed" : fault;
}
