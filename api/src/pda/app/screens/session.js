// A person at the device: what is scanned, typed or pressed goes through the pure machines, what they
// say is kept first and told then. Knows storage and outbox by their doors, and no element of a page.

import { Badges, mayStrike } from "../core/badges.js";
import { COMMANDS, commandOf } from "../core/commands.js";
import { Here, readOwn, unitsOf } from "../core/here.js";
import { UnitList, openList } from "../core/recall-list.js";
import { BUILT_IN, rulesOf } from "../core/required/rules.js";
import { answerOf, begin, kindOf, step } from "../core/tasks.js";
import { HeldList, decideTyped, goodsOf } from "../core/till.js";
import { parse } from "../core/trace-code.js";
import { Driver } from "../device/driver.js";
import { Link } from "../device/link.js";

/** @typedef {import("../core/tasks/state.js").State} State */
/** @typedef {import("../core/tasks/step.js").Input} Input */
/** @typedef {import("../core/tasks/kinds.js").TaskName} TaskName */
/** @typedef {import("../core/event.js").Actor} Actor */
/** @typedef {import("../core/wire/messages.js").UnitCard} UnitCard */
/**
 * What is known of a unit, and by whom: this device as of its last pull, or the server as of its answer;
 * `asked` is what became of asking it.
 * @typedef {{ goods: import("../core/till.js").Goods, unit: string, card: UnitCard | null, decision: import("../core/till.js").Decision,
 *   from: "here" | "server", at: number | null, asked: "asking" | "offline" | "lost" | "answered" }} Looked
 */
/**
 * What a person is told: words, why, and of what, as it was read.
 * @typedef {{ sound: import("./sounds.js").Sound, words: string[], why?: string, of?: string }} Told
 */
/** @typedef {"enrol" | "home" | "task" | "queue" | "settings" | "look-up" | "hand-over" | "doctor" | "sheet" | "camera"} ScreenName */
/** @typedef {{ told: (told: Told) => void, changed: () => void, go: (screen: ScreenName) => void }} Out */

/** How old a recall list may be at the till, in seconds, until a pull says what the policy is. */
const LIST_AGE_S = 24 * 3600;
/** What may stand in the field of a question. */
const WORDS_MAX = 128;
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
    /** @type {HeldList | null} */
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
    /** Who works here. */
    this.badges = new Badges("", null);
    /** What was done here. */
    this.here = new Here();
    /** What people compare of the server's certificate: words, or digits; empty where nobody has to. */
    this.fingerprint = "";
    /** A snapshot was taken in. */
    this.hasCards = false;
    /** A snapshot on its way. @type {import("../device/down.js").Progress | null} */
    this.progress = null;
    /** Reason given for overruling a stop, before the badge is scanned. */
    this.reason = "";
    /** What stands in the field of the question that is open. */
    this.words = "";
    /** The hand-over is on the screen: a second badge takes over what is unsent. */
    this.isHandingOver = false;
    /** Codes of what was found and is open, by event. @type {Map<string, string[]>} */
    this.verdicts = new Map();
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    /** @type {Promise<import("../device/down.js").Came> | null} */
    this.pulling = null;
    /** Something changed since the fetch under way began. */
    this.isPullWanted = false;
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
    await this.#findUnsaid(this.driver);
    await this.#knowTargets();
    await this.#readCards();
    await this.#knowActor();
    return true;
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

  /** How many events are unsent, whoever made them. */
  get unsent() {
    return this.drivers.reduce((sum, { outbox }) => sum + outbox.unsent, 0);
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
    this.pulling = null;
  }

  /**
   * What the last session put on the disk with its last words: its battery was pulled, or the disk kept what
   * it said it had not. Who was told nothing, or the wrong thing, would do it again.
   * @param {Driver} driver
   */
  async #findUnsaid({ outbox }) {
    const { unsaid } = this.store;
    this.store.unsaid = null;
    const isOfIt = (/** @type {import("../core/outbox/keys.js").Key} */ [epoch, seq]) => epoch === unsaid?.epoch && seq >= unsaid.first && seq <= unsaid.last;
    const texts = outbox.disk.inOrder().flatMap(({ key, text }) => (isOfIt(key) ? [text] : []));
    const act = texts.length > 0 ? (await import("../core/summary.js")).actOf(texts) : null;
    this.found = act ?? /** @type {import("../core/summary.js").Says | null} */ ((await this.store.record("found")) ?? null);
    if (act) await this.keep({ found: act }).catch(() => {});
  }

  /** Somebody has seen which act was found. */
  seen() {
    return this.#inTurn(() => this.#seen());
  }

  async #seen() {
    await this.keep({ found: null });
    this.found = null;
    this.out.changed();
  }

  /** Keeps these, if this is still who this device is. @param {Record<string, unknown>} records */
  keep(records) {
    return this.store.commit(null, { records }, this.driver?.identity ?? null);
  }

  /** What the cards say that every scan needs at hand. */
  async #readCards() {
    this.products.clear();
    for (const { gtin, name, profile = null } of await this.store.products()) this.products.set(gtin, { name, profile });
    this.hasCards = (this.driver?.outbox.disk.cursor ?? 0) > 0 || ((await this.store.record("snapshot")) ?? null) !== null;
    const held = await this.store.recallList();
    const chunks = (held?.chunks ?? []).flatMap((chunk) => chunk ?? []);
    const { manifest } = held ?? {};
    const opened = manifest && manifest.chunks.length > 0 ? await openList(manifest, chunks) : null;
    const units = opened ? (opened.ok ? opened.list : null) : new UnitList(0);
    if (manifest && units) this.list = new HeldList(manifest.version, manifest.made_at, manifest.batches, units);
    this.listAgeMax = Number((await this.store.record("list_age_s")) ?? LIST_AGE_S) * 1_000_000;
    this.partners = await this.store.partners();
    for (const { event, findings } of await this.store.verdicts()) {
      this.verdicts.set(event, findings.flatMap(({ code, closed }) => (closed ? [] : [code])));
    }
    this.rules = rulesOf(await this.store.record("rules"));
    const badges = /** @type {import("../core/badges.js").Kept | null | undefined} */ (await this.store.record("badges"));
    this.badges = new Badges(this.driver?.identity.enterprise ?? "", badges ?? null);
  }

  /**
   * Whose badge was withdrawn works no more, and whose role changed has another. What is open is finished
   * in the name of who began it.
   */
  async #knowActor() {
    const { actor } = this;
    if (!actor || this.task) return;
    const known = await this.badges.actor(actor.id);
    if (known && known.supervisor === actor.supervisor) return;
    this.actor = known;
    await this.keep({ actor: known });
    if (!known) this.out.told({ sound: "warn", words: ["badge_unknown"], of: actor.id });
  }

  /** Fetches what changed, page by page; one fetch at a time. What is wanted meanwhile is fetched behind it. */
  pull() {
    if (this.pulling) {
      this.isPullWanted = true;
      return this.pulling;
    }
    const pulling = this.#pull().finally(() => {
      if (this.pulling !== pulling) return;
      this.pulling = null;
      if (this.isPullWanted) void this.pull();
    });
    this.pulling = pulling;
    this.isPullWanted = false;
    return pulling;
  }

  async #pull() {
    const tell = (/** @type {import("../device/down.js").Progress} */ progress) => {
      this.progress = progress;
      this.out.changed();
    };
    const { driver } = this;
    // What came is applied whatever came of the rest; a storage that fails fails the next scan aloud.
    const next = () => driver?.pull(tell).catch(() => /** @type {const} */ ("not_saved"));
    let pulled = await next();
    while (pulled === "more") pulled = await next();
    if (driver) await this.#knowOver(driver, pulled ?? "again").catch(() => {});
    this.progress = null;
    await this.#readCards();
    await this.#inTurn(() => this.#knowActor());
    this.out.changed();
    return pulled ?? "again";
  }

  /** A device that has to be enrolled again says so until it is, with a network or without. @param {Driver} driver @param {import("../device/down.js").Came} came */
  async #knowOver(driver, came) {
    if (!["applied", "more", "enrol_again"].includes(came)) return;
    const why = came === "enrol_again" ? await (await import("../device/over.js")).overBy(driver) : null;
    if (why === undefined || why === this.why || driver !== this.driver) return;
    this.why = why;
    if (why) this.out.told({ sound: "warn", words: ["enrol_again"] });
    await driver.keep({ records: { over: why } });
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
    return this.#inTurn(() => (command ? this.#command(command) : this.#goods(text, input, at)));
  }

  /** Whom goods go to and come from, each of their places by name. */
  get places() {
    /** @typedef {{ type: "location" | "enterprise", id: string, name: string }} Place */
    return this.partners.flatMap(({ enterprise, name, places }) => {
      /** @type {Place[]} */
      const known = places.map((place) => ({ type: "location", id: place.location, name: `${name} · ${place.name}` }));
      return known.length > 0 ? known : [/** @type {Place} */ ({ type: "enterprise", id: enterprise, name })];
    });
  }

  /** @param {Input} input */
  act(input) {
    return this.#inTurn(() => this.#step(input));
  }

  /** @param {TaskName} name */
  open(name) {
    return this.#inTurn(() => this.#open(name));
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

  /** @param {TaskName} name */
  async #open(name) {
    // A stop has to be seen, and goods that were read are stated or given up first.
    if (this.task && (this.task.held || this.task.goods.lines.length > 0)) {
      this.out.told({ sound: "warn", words: ["screen_first"] });
      return;
    }
    await this.#knowActor();
    // Where badges are known, nobody works without one.
    if (this.badges.isSet && !this.actor) {
      this.out.told({ sound: "warn", words: ["nobody"] });
      return;
    }
    const location = this.driver?.identity.location ?? null;
    const units = name === "inbound" ? await this.store.units() : [];
    const coming = units.filter(({ place }) => typeof place === "object" && "between" in place && place.between.to === location);
    const expected = coming.length > 0 ? { units: coming.map(({ unit, inside }) => ({ unit, inside: inside ?? null })), lots: [] } : null;
    this.looked = null;
    if (await this.#kept([], begin(name, { location, expected }))) this.out.told({ sound: "tick", words: [name] });
  }

  /** @param {import("../core/commands.js").ScreenCommand} command */
  async #command(command) {
    switch (command.is) {
      case "task":
        return this.#open(command.task);
      case "who":
        return this.#badge(command.badge);
      case "at":
        return this.#step({ do: "at", location: command.location });
      case "quantity":
        return this.#step({ do: "quantity", quantity: command.quantity });
      case "offer":
        return this.#step({ do: "offer", offer: command.offer });
      case "becomes":
        return this.#step({ do: "answer", answer: { disposition: command.disposition } });
      case "to":
        return this.#to(command.id);
      case "say":
        return this.#say(command.text);
      case "send-now":
        await this.driver?.wake();
        return undefined;
      case "acknowledge":
        return this.task || !this.found ? this.#step({ do: "acknowledge" }) : this.#seen();
      case "home":
      case "hand-over":
        // A look-up states nothing, so it is simply over.
        if (this.task?.task === "look-up") await this.#step({ do: "cancel" }, false);
        // What is open is finished or cancelled first; a stop has to be seen.
        return this.task?.held || (this.task && command.is === "home")
          ? this.out.told({ sound: "warn", words: ["screen_first"] })
          : this.out.go(command.is);
      default:
        return COMMANDS.includes(command.is) ? this.#step({ do: command.is }) : undefined;
    }
  }

  /** A badge tells who works now; at a stop, who overrules it. @param {string} badge */
  async #badge(badge) {
    if (this.task?.step === "stop") return this.#overrule(badge);
    if (this.task?.question?.said === "accepted") return this.#accept(badge);
    const actor = await this.badges.actor(badge);
    if (!actor) return this.out.told({ sound: "stop", words: ["badge_unknown"], of: badge });
    if (this.isHandingOver && this.actor && badge !== this.actor.id && this.unsent > 0) return this.#handOver(badge);
    // What is about to be struck was judged by who is at work.
    if (this.task && this.task.targets.length > 0 && badge !== this.actor?.id) {
      return this.out.told({ sound: "warn", words: ["screen_first"] });
    }
    this.actor = actor;
    await this.keep({ actor });
    this.out.told({ sound: "ok", words: [actor.supervisor ? "who_supervisor" : "who"], of: badge });
    return undefined;
  }

  /** Where goods go to or come from. @param {string} id */
  async #to(id) {
    const place = this.places.find((place) => place.id === id);
    if (!place) return this.out.told({ sound: "warn", words: ["partner_unknown"], of: id });
    if (!this.task || !kindOf(this.task.task).offers.includes("counterpart")) {
      return this.out.told({ sound: "warn", words: ["not_here"], of: place.name });
    }
    return this.#step({ do: "answer", answer: { counterpart: { type: place.type, id } } }, true, place.name);
  }

  /** Words for the field that is open: they are taken when that is confirmed. @param {string} text */
  async #say(text) {
    if (this.task?.step === "stop") this.reason = text;
    else if (this.task?.step === "question" && this.task.question?.said !== "accepted") this.words = text.slice(0, WORDS_MAX);
    else return this.out.told({ sound: "warn", words: ["nothing_asked"], of: text });
    return this.out.told({ sound: "tick", words: ["filled"], of: text });
  }

  /** A supervisor's badge accepts the difference of a count, whoever counted. @param {string} badge */
  async #accept(badge) {
    if (!this.badges.hasSupervisor) return this.out.told({ sound: "warn", words: ["accept_nobody"] });
    const role = await this.badges.role(badge);
    if (role !== "supervisor") return this.out.told({ sound: "stop", words: [role === null ? "badge_unknown" : "accept_worker"], of: badge });
    return this.#step({ do: "accepted", supervisor: badge, by: this.actor?.id ?? null }, true, badge);
  }

  /** A stop stands, whatever is scanned, until a supervisor's badge overrules it. @param {string} badge */
  async #overrule(badge) {
    const { reason } = this;
    const why = await this.badges.notOverruling(badge, this.actor);
    if (why !== null) return this.out.told({ sound: "stop", words: [why], of: badge });
    if (reason.trim() === "") return this.out.told({ sound: "stop", words: ["reason_first"] });
    this.reason = "";
    return this.#step({ do: "override", supervisor: badge, reason });
  }

  /** The shift is over. @param {string | null} supervisor who takes over what is unsent */
  handOver(supervisor) {
    return this.#inTurn(() => this.#handOver(supervisor));
  }

  /** @param {string | null} supervisor */
  async #handOver(supervisor) {
    const { handedOver } = await import("./tools/hand-over.js");
    return handedOver(this, supervisor);
  }

  /** @param {string} text @param {import("../core/event.js").Input} input @param {number} at */
  async #goods(text, input, at) {
    const read = parse(text);
    if (!this.task || !this.driver) return this.#lookUp(text, input);
    // What is no code of goods may be what is asked for: the number on a paper. It is seen before it is taken.
    if (!read.ok && isWords(this.task)) return this.#say(text.replace(/^\][A-Za-z]\d/, ""));
    const goods = read.ok ? await goodsOf(read.scanned, input) : null;
    const decision = goods ? await this.decision(goods) : null;
    if (!read.ok) this.out.told({ sound: "warn", words: [read.fault], of: text });
    return this.#step({ do: "scan", code: text, input, at, goods, decision }, read.ok);
  }

  /**
   * What the till says of goods, with what is known here, or with cards the server told just now, in
   * which all is that it receipted.
   * @param {import("../core/till.js").Goods} goods
   * @param {ReadonlyMap<string, UnitCard | null>} [told]
   */
  async decision(goods, told) {
    const cardOf = async (/** @type {string} */ unit) => told?.get(unit) ?? (told?.has(unit) ? null : await this.store.unit(unit));
    const shown = told ? Number.MAX_SAFE_INTEGER : Number((await this.store.record("shown")) ?? 0);
    const disks = this.drivers.map(({ outbox }) => outbox.view);
    const inside = async (/** @type {string} */ unit) => (await cardOf(unit))?.inside ?? null;
    const asked = async (/** @type {import("../core/till.js").Named} */ goods, /** @type {import("../core/here.js").Typed} */ typed) => ({
      goods,
      card: goods.unit === null ? null : await cardOf(goods.unit),
      here: goods.unit === null ? null : await this.here.phase(goods.unit, typed, disks, shown, inside),
    });
    const till = { now: this.driver?.now() ?? Date.now() * 1000, list: this.list, listAgeMax: this.listAgeMax };
    return decideTyped(await asked(goods, "said"), await asked(goods.meant ?? goods, "meant"), till);
  }

  /** What is to be struck, as a person sees it before that is stated. */
  async #knowTargets() {
    const ids = this.task?.targets ?? [];
    const { saysOf } = ids.length > 0 ? await import("../core/summary.js") : { saysOf: null };
    this.striking = saysOf ? this.#rows().map(({ text }) => saysOf(text)).filter(({ id }) => ids.includes(id)) : [];
  }

  #rows() {
    return this.drivers.flatMap(({ outbox }) => outbox.view.inOrder());
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
  async #step(wanted, says = true, of) {
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
    if (!(await this.#kept(stated, after))) return;
    if (this.task?.question?.item !== before.question?.item) this.words = "";
    if (stated.length > 0) {
      this.out.told({ sound: "ok", words: ["done", "saved"] });
      return;
    }
    // What was found, or why not, is what is told.
    const found = effects.flatMap((effect) => ("look_up" in effect ? effect.look_up : []));
    for (const unit of found) if (input.do === "scan") await this.#found(unit, input);
    if (found.length > 0) return;
    const sound = effects.flatMap((effect) => ("sound" in effect ? effect.sound : []))[0] ?? "tick";
    const told = effects.flatMap((effect) => ("say" in effect ? effect.say : []));
    const named = input.do === "scan" ? readAs(input, told) : of;
    if (says) this.out.told({ sound, words: told, ...(named === undefined ? {} : { of: named }) });
  }

  /** Goods were looked up in a task: their card, or the own events that name them. @param {string} unit @param {import("../core/tasks/step.js").Scan} scan */
  async #found(unit, scan) {
    if (this.task?.task === "retract") {
      const events = this.#rows().flatMap(({ text }) => readOwn(text));
      const asked = [unit, scan.goods?.meant?.unit ?? unit];
      const names = (/** @type {import("../core/here.js").OwnRead} */ read) => Object.values(unitsOf(read)).some((unit) => unit !== null && asked.includes(unit));
      const naming = events.filter(({ kind, units }) => kind !== "retract" && units.some(names));
      const last = naming[naming.length - 1];
      if (!last) this.out.told({ sound: "warn", words: ["unknown_here"], of: unit });
      else if (!mayStrike(last.by, this.actor)) this.out.told({ sound: "stop", words: ["not_yours"], of: last.by ?? unit });
      else {
        await this.#step({ do: "targets", events: [last.id] }, false);
        await this.#knowTargets();
        if (this.striking.length > 0) this.out.told({ sound: "ok", words: ["target_found"] });
      }
      return;
    }
    await this.#lookUp(scan.code, scan.input);
  }

  /**
   * Keeps the task as it is to stand, or what it states with its end in one transaction. What is not on
   * the disk did not happen, and is told: the scan has to be made again.
   * @param {import("../core/tasks/finish.js").Draft[]} stated
   * @param {State | null} after
   * @returns {Promise<boolean>} whether it stands so
   */
  async #kept(stated, after) {
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

/** Are words asked for, so that a scan may be them? @param {State} task */
const isWords = ({ step, question }) => step === "question" && question !== null && ["document", "slip", "body"].includes(question.said);

/** The word for why something was not kept; a fault that has none is told as it is. @param {string} fault */
export function whyNot(fault) {
  if (fault.includes("another tab wrote")) return "other_tab_wrote";
  if (fault.includes("enrolled anew")) return "other_tab_enrolled";
  return /not saved|emptied|Error/.test(fault) ? "storage_failed" : fault;
}

/**
 * Goods as they were read; and for what they are taken, where a warning is of that.
 * @param {import("../core/tasks/step.js").Scan} scan
 * @param {readonly string[]} told
 */
const readAs = ({ code, decision }, told) => (decision?.taken_for && told.includes("warned") ? `${code} → ${decision.taken_for}` : code);
