// Drives the outbox: the one writer's loop between machine, storage, line and clock.
//
// Commands are given one at a time, since hashing and signing take turns of the event loop. Actions
// are done in their order; transactions are written one after the other, and when one fails none
// behind it is written. Events are said to be saved when their transaction is on the disk.

import { textsOf } from "../core/act.js";
import { genesis } from "../core/chain.js";
import { Clock, stoodStill } from "../core/clock.js";
import { fateOfResult, nameOf, prepare } from "../core/outbox.js";
import { receiptText } from "../core/wire.js";
import { isSigned, outboxOf } from "./trust.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Extra} Extra */
/** @typedef {import("./store.js").Identity} Identity */
/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("../core/outbox.js").Outbox} Outbox */
/** @typedef {import("../core/outbox/types.js").Command} Command */
/** @typedef {import("../core/outbox/types.js").Notice} Notice */
/** @typedef {import("../core/outbox/types.js").Write} Write */

/**
 * The world of a driver: session clock and wall clock in milliseconds, randomness, timers, whom to
 * tell; `hint`: there is something to pull; `failed`: an upload brought no answer, or a refusal.
 * @typedef {{
 *   now: () => number, wall: () => number, random: (count: number) => Uint8Array,
 *   after: (ms: number, run: () => void) => () => void, tell: (notice: Notice) => void, changed: () => void,
 *   hint?: () => void, failed?: () => void,
 * }} World
 */

export class Driver {
  /**
   * @param {Store} store
   * @param {Link} link
   * @param {Identity} identity
   * @param {Outbox} outbox
   * @param {World} world
   */
  constructor(store, link, identity, outbox, world) {
    this.store = store;
    this.link = link;
    this.identity = identity;
    this.outbox = outbox;
    this.world = world;
    /** Who waits for which event to be saved, by its key. @type {Map<string, (saved: boolean) => void>} */
    this.waiting = new Map();
    /** @type {{ write: Write, extra: Extra, done: (written: boolean) => void }[]} */
    this.writes = [];
    this.isWriting = false;
    /** @type {Promise<unknown>} */
    this.last = Promise.resolve();
    /** What is being written, to its end. @type {Promise<unknown>} */
    this.writing = Promise.resolve();
    this.stopTimer = () => {};
    this.isStopped = false;
    /** By whose keys of the installation a receipt is judged. @type {Driver} */
    this.believes = this;
    this.clock = new Clock(null);
    /** When the page went out of sight. @type {{ wall: number, mono: number } | null} */
    this.outOfSight = null;
    /** When keys that are not known were asked for. @type {number | null} */
    this.keysAsked = null;
  }

  /**
   * Begins a session with what is on the storage. The device has to be enrolled.
   * @param {Store} store
   * @param {Link} link
   * @param {World} world
   * @returns {Promise<Driver | null>}
   */
  static async start(store, link, world) {
    const identity = await store.identity();
    if (!identity) return null;
    const disk = await store.disk(identity.device, await genesis(identity.device, identity.epoch));
    const driver = new Driver(store, link, identity, await outboxOf(disk, identity.trust), world);
    driver.clock = new Clock(/** @type {import("../core/clock.js").Heard | undefined} */ (await store.record("clock")) ?? null);
    void driver.wake();
    return driver;
  }

  /** The session ends: nothing is asked of it any more. */
  stop() {
    this.isStopped = true;
    this.stopTimer();
  }

  /** The same, and all that was asked of it before is on the disk or told not to be. */
  async retire() {
    this.stop();
    await this.last;
    await this.writing;
  }

  /** Keeps something of this device besides its outbox, if that is still who this is. @param {Extra} extra */
  keep(extra) {
    return this.store.commit(null, extra, this.identity);
  }

  /**
   * States an act. Resolves with its ids when it is on the disk, or with what keeps it from being
   * stated. Records go into the same transaction, such as the task that is over with it.
   * @param {readonly import("../core/tasks/finish.js").Draft[]} drafts
   * @param {{ actor: import("../core/event.js").Actor | null, listVersion: number | null, zone: number, records?: Record<string, unknown> }} said
   * @returns {Promise<{ ok: true, ids: string[] } | { ok: false, why: string }>}
   */
  state(drafts, { actor, listVersion, zone, records = {} }) {
    return this.#inTurn(async () => {
      const none = Promise.resolve(false);
      if (this.isStopped) return { saved: none, result: { ok: /** @type {const} */ (false), why: "the session is over" } };
      const slot = this.outbox.slot(this.world.now());
      const moment = { slot, at: this.world.wall(), zone, actor, listVersion, random: this.world.random };
      const act = textsOf(drafts, moment);
      if (!act.ok) return { saved: none, result: { ok: /** @type {const} */ (false), why: `${act.field} ${act.why}` } };
      const command = await prepare(this.outbox, { do: "capture", texts: act.texts });
      const last = nameOf([slot.epoch, slot.seq + act.texts.length - 1]);
      const saved = new Promise((/** @type {(saved: boolean) => void} */ resolve) => this.waiting.set(last, resolve));
      void this.#take(command, { records });
      return { saved, result: { ok: /** @type {const} */ (true), ids: act.ids } };
    }).then(async ({ saved, result }) => {
      if (!result.ok) return result;
      return (await saved) ? result : { ok: false, why: "not saved" };
    });
  }

  /** Something promises better luck: network, visibility, background sync, a person. */
  wake() {
    return this.#command({ do: "wake" });
  }

  /**
   * Fetches what changed and applies it whole; the cards are there when this resolves. A device that
   * has nothing yet begins with a snapshot.
   * @param {(progress: import("./down.js").Progress) => void} [tell]
   * @returns {Promise<import("./down.js").Came>}
   */
  async pull(tell = () => {}) {
    const { beginAnew, pull } = await import("./down.js");
    const hasNothing = this.outbox.disk.cursor === 0 && !(await this.store.record("snapshot"));
    const came = hasNothing ? await beginAnew(this, tell) : await pull(this);
    return came === "begin_anew" && !hasNothing ? beginAnew(this, tell) : came;
  }

  /**
   * What came down goes into one transaction.
   * @param {Command} command
   * @param {Extra} extra
   */
  checkpoint(command, extra) {
    return this.#command(command, extra);
  }

  /** Microseconds of the wall clock. */
  wall() {
    return Math.trunc(this.world.wall()) * 1000;
  }

  /** An answer told the server's time: what is kept of it. @param {number} server microseconds */
  heard(server) {
    this.clock.heard(server, this.world.wall(), this.world.now());
    return this.clock.last;
  }

  /** Now by the server as well as is known, in microseconds. */
  now() {
    return this.clock.now(this.world.wall(), this.world.now());
  }

  /** How far the wall is ahead of the server, in milliseconds; null before any answer of this session. */
  offset() {
    return this.clock.offset(this.world.wall(), this.world.now());
  }

  /** The page goes out of sight: the device may sleep from here on. */
  hidden() {
    this.outOfSight = { wall: this.world.wall(), mono: this.world.now() };
  }

  /** The page is in sight again. Where the session's clock stood still, its interval is over. */
  inSight() {
    const before = this.outOfSight;
    this.outOfSight = null;
    if (before && stoodStill(before, { wall: this.world.wall(), mono: this.world.now() })) this.outbox.slept();
  }

  /**
   * One command after the other: what one of them hashes or signs, the next must not change.
   * @template T
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #inTurn(run) {
    const turn = this.last.then(run);
    this.last = turn.catch(() => {});
    return turn;
  }

  /**
   * @param {Command} command
   * @param {Extra} [extra] goes into the transaction the command asks for
   * @returns {Promise<boolean>} whether that is on the disk; true where none is asked for
   */
  async #command(command, extra = {}) {
    const { written } = await this.#inTurn(async () => ({ written: this.#take(command, extra) }));
    return written;
  }

  /**
   * @param {Command} command
   * @param {Extra} [extra]
   * @returns {Promise<boolean>}
   */
  #take(command, extra = {}) {
    // What became of a transaction is heard to the end.
    const isOfTheDisk = command.do === "committed" || command.do === "not_written";
    if (this.isStopped && !isOfTheDisk) return Promise.resolve(false);
    const jitter = Math.floor(((this.world.random(1)[0] ?? 0) / 256) * 1001);
    const actions = this.outbox.take({ now: this.world.now(), jitter, command });
    let written = Promise.resolve(true);
    for (const action of actions) {
      switch (action.do) {
        case "persist":
          written = this.#persist(action.write, extra);
          break;
        case "send":
          if (!this.isStopped) void this.#send(action);
          break;
        case "wait_until":
          this.stopTimer();
          if (this.isStopped) break;
          this.stopTimer = this.world.after(Math.max(0, action.at - this.world.now()), () => {
            void this.#command({ do: "due" });
          });
          break;
        case "show":
          this.#show(action.notice);
          break;
      }
    }
    this.world.changed();
    return written;
  }

  /** @param {Notice} notice */
  #show(notice) {
    if (notice.say === "saved" || notice.say === "not_saved") {
      for (const key of notice.of) {
        this.waiting.get(nameOf(key))?.(notice.say === "saved");
        this.waiting.delete(nameOf(key));
      }
    }
    this.world.tell(notice);
  }

  /** @param {Write} write @param {Extra} extra @returns {Promise<boolean>} */
  #persist(write, extra) {
    const written = new Promise((/** @type {(written: boolean) => void} */ done) => this.writes.push({ write, extra, done }));
    if (!this.isWriting) this.writing = this.#writeAll();
    return written;
  }

  async #writeAll() {
    this.isWriting = true;
    for (let next = this.writes.shift(); next; next = this.writes.shift()) {
      const { write, extra, done } = next;
      const written = await this.store.commit(write, extra, this.identity).then(
        () => true,
        () => false,
      );
      /** @type {typeof this.writes} */
      let behind = [];
      await this.#inTurn(async () => {
        // Nothing behind a failed one may be written: it would follow an event that is not there. What
        // is asked for from now on follows what is.
        if (!written) behind = this.writes.splice(0);
        void this.#take({ do: written ? "committed" : "not_written", write: write.id });
      });
      done(written);
      for (const lost of behind) lost.done(false);
    }
    this.isWriting = false;
  }

  /** @param {{ flight: number, epoch: number, first: number, last: number }} wanted */
  async #send({ flight, epoch, first, last }) {
    const { push, damaged } = await this.outbox.push(epoch, first, last);
    if (push === null) {
      await this.#command({ do: "damaged", keys: damaged });
      return;
    }
    const outcome = await this.link.push(this.identity, push);
    if (outcome.is === "refused") {
      await this.#command({ do: "refused", flight, status: outcome.status, retry_after: outcome.retryAfter });
      this.world.failed?.();
      return;
    }
    const answer = outcome.is === "answer" && (await this.#isBelieved(outcome.answer, push)) ? outcome.answer : null;
    if (!answer) {
      await this.#command({ do: "lost", flight });
      this.world.failed?.();
      return;
    }
    const { receipt, anchor, credit, retry_after: wait } = answer;
    const fates = answer.results.map(fateOfResult);
    const wall = this.wall();
    const records = { clock: this.heard(answer.t_sent) };
    const command = { flight, first, fates, receipt, anchor, wall, credit, retry_after: wait ?? null };
    await this.#command({ do: "answer", ...command }, { records });
    if (answer.pull_hint) this.world.hint?.();
  }

  /**
   * Whether an answer is one to this push, with a receipt of the installation.
   * @param {import("../core/wire/messages.js").PushAnswer} answer
   * @param {import("../core/wire/messages.js").Push} push
   */
  async #isBelieved({ results, receipt }, push) {
    const fits = results.length === push.events.length && results.every(({ seq }, at) => seq === push.first_seq + at);
    const isOurs = receipt.device === push.device && receipt.epoch === push.epoch;
    return fits && isOurs && (await isSigned(this.believes, receipt.key, receiptText(receipt), receipt.sig));
  }
}
