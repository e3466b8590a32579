// Drives the outbox: the one writer's loop between machine, storage, line and clock.
//
// Commands are given one at a time, since hashing and signing take turns of the event loop. Actions
// are done in their order; transactions are written one after the other, and when one fails none
// behind it is written. Events are said to be saved when their transaction is on the disk.

import { textsOf } from "../core/act.js";
import { genesis } from "../core/chain.js";
import { Outbox, fateOfFindings, fateOfResult, nameOf, prepare } from "../core/outbox.js";
import { openList } from "../core/recall-list.js";
import { recallListText, receiptText } from "../core/wire.js";
import { makeKeys, publicKeyOf, verifyBy } from "./keys.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Extra} Extra */
/** @typedef {import("./store.js").Identity} Identity */
/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("../core/outbox/machine.js").Command} Command */
/** @typedef {import("../core/outbox/machine.js").Notice} Notice */
/** @typedef {import("../core/outbox/disk.js").Write} Write */

/**
 * The world of a driver: session clock and wall clock in milliseconds, randomness, timers, whom to
 * tell.
 * @typedef {{
 *   now: () => number, wall: () => number, random: (count: number) => Uint8Array,
 *   after: (ms: number, run: () => void) => () => void, tell: (notice: Notice) => void, changed: () => void,
 * }} World
 *
 * What a pull came to. @typedef {"applied" | "more" | "again" | "begin_anew" | "enrol_again" | "bad_list" | "not_saved"} Pulled
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
    this.stopTimer = () => {};
    this.isStopped = false;
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
    const driver = new Driver(store, link, identity, new Outbox(disk), world);
    driver.wake();
    return driver;
  }

  /** The session ends: nothing is asked of it any more. */
  stop() {
    this.isStopped = true;
    this.stopTimer();
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
      this.#take(command, { records });
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
   * Fetches what changed and applies it whole; the cards are there when this resolves.
   * @returns {Promise<Pulled>}
   */
  async pull() {
    const { anchor, cursor, receipt } = this.outbox.disk;
    const outcome = await this.link.pull(this.identity, anchor?.text ?? "", cursor);
    if (outcome.is === "lost") return "again";
    if (outcome.is === "refused") {
      if (outcome.status === 410) return "begin_anew";
      return outcome.status === 403 ? "enrol_again" : "again";
    }
    const page = outcome.answer;
    const items = page.items.map(({ item }) => item);
    const chunks = await this.#chunksOf(items);
    if (!chunks) return "bad_list";
    const fates = items.flatMap((item) => {
      if (item.type !== "verdict" || item.device !== this.identity.device) return [];
      const fate = fateOfFindings(item.findings);
      return [/** @type {[number, number, import("../core/outbox/fate.js").Fate]} */ ([item.epoch, item.seq, fate])];
    });
    const { cursor: next, anchor: fresh } = page;
    const wall = this.#wall();
    // What was receipted before this was asked is in the cards, once there is no more.
    const records = page.more || !receipt ? {} : { shown: receipt.stamp };
    const extra = { items, chunks, records };
    const written = await this.#command({ do: "checkpoint", cursor: next, anchor: fresh, wall, fates }, extra);
    if (!written) return "not_saved";
    return page.more ? "more" : "applied";
  }

  /**
   * The chunks of a recall list that are not here yet; null when it is not signed, or not whole.
   * @param {readonly import("../core/wire/messages.js").Item[]} items
   */
  async #chunksOf(items) {
    /** @type {{ hash: string, bytes: Uint8Array }[]} */
    const fetched = [];
    for (const item of items) {
      if (item.type !== "recall_list") continue;
      if (!(await verifyBy(this.identity.trust, item.key, await recallListText(item), item.sig))) return null;
      const anchor = this.outbox.disk.anchor?.text ?? "";
      const chunks = [];
      for (const { hash } of item.chunks) {
        const held = await this.store.chunk(hash);
        const bytes = held ?? (await this.link.chunk(this.identity, anchor, hash));
        if (!bytes) return null;
        if (!held) fetched.push({ hash, bytes });
        chunks.push(bytes);
      }
      if (item.chunks.length > 0 && !(await openList(item, chunks)).ok) return null;
    }
    return fetched;
  }

  /** Microseconds of the wall clock. */
  #wall() {
    return Math.trunc(this.world.wall()) * 1000;
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
    if (this.isStopped) return Promise.resolve(false);
    const jitter = Math.floor(((this.world.random(1)[0] ?? 0) / 256) * 1001);
    const actions = this.outbox.take({ now: this.world.now(), jitter, command });
    let written = Promise.resolve(true);
    for (const action of actions) {
      switch (action.do) {
        case "persist":
          written = this.#persist(action.write, extra);
          break;
        case "send":
          void this.#send(action);
          break;
        case "wait_until":
          this.stopTimer();
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
    if (!this.isWriting) void this.#writeAll();
    return written;
  }

  async #writeAll() {
    this.isWriting = true;
    for (let next = this.writes.shift(); next; next = this.writes.shift()) {
      const { write, extra, done } = next;
      const written = await this.store.commit(write, extra).then(
        () => true,
        () => false,
      );
      /** @type {typeof this.writes} */
      let behind = [];
      await this.#inTurn(async () => {
        // Nothing behind a failed one may be written: it would follow an event that is not there. What
        // is asked for from now on follows what is.
        if (!written) behind = this.writes.splice(0);
        this.#take({ do: written ? "committed" : "not_written", write: write.id });
      });
      done(written);
      for (const lost of behind) lost.done(false);
    }
    this.isWriting = false;
  }

  /** @param {{ flight: number, epoch: number, first: number, last: number }} wanted */
  async #send({ flight, epoch, first, last }) {
    const push = this.outbox.push(epoch, first, last);
    const outcome = await this.link.push(this.identity, push);
    if (outcome.is === "refused") {
      await this.#command({ do: "refused", flight, status: outcome.status, retry_after: outcome.retryAfter });
      return;
    }
    const answer = outcome.is === "answer" && (await this.#isBelieved(outcome.answer, push)) ? outcome.answer : null;
    if (!answer) {
      await this.#command({ do: "lost", flight });
      return;
    }
    const { receipt, anchor, credit, retry_after: wait } = answer;
    const fates = answer.results.map(fateOfResult);
    const wall = this.#wall();
    await this.#command({
      ...{ do: "answer", flight, first, fates, receipt, anchor, wall, credit, retry_after: wait ?? null },
    });
  }

  /**
   * Whether an answer is one to this push, with a receipt of the installation.
   * @param {import("../core/wire/messages.js").PushAnswer} answer
   * @param {import("../core/wire/messages.js").Push} push
   */
  async #isBelieved({ results, receipt }, push) {
    const fits = results.length === push.events.length && results.every(({ seq }, at) => seq === push.first_seq + at);
    const isOurs = receipt.device === push.device && receipt.epoch === push.epoch;
    return fits && isOurs && (await verifyBy(this.identity.trust, receipt.key, receiptText(receipt), receipt.sig));
  }
}

/**
 * Enrols this device: makes its key, asks, and keeps who it is with the beginning of its chain.
 * @param {Store} store
 * @param {Link} link
 * @param {import("../core/wire/messages.js").Ticket} ticket
 * @param {{ program: string, wall: () => number }} said
 * What is unsent of an earlier life stays in the queue, and is signed with the key of that life.
 * @returns {Promise<{ ok: true, identity: Identity } | { ok: false, why: "refused" | "lost" | "other_device", status: number }>}
 */
export async function enrol(store, link, ticket, { program, wall }) {
  const before = await store.identity();
  const keys = await makeKeys();
  const outcome = await link.enrol({ code: ticket.code, key: await publicKeyOf(keys), program });
  if (outcome.is !== "answer") {
    return { ok: false, why: outcome.is, status: outcome.is === "refused" ? outcome.status : 0 };
  }
  const { device, epoch, enterprise, location, profile, installation, trust_keys: trust, anchor } = outcome.answer;
  const isOther = before !== null && before.device !== device;
  if (isOther && (await store.hasUnsent())) return { ok: false, why: "other_device", status: 0 };
  const lives = { ...(isOther ? {} : before?.lives), [epoch]: keys };
  const identity = { device, epoch, enterprise, location, profile, installation, url: ticket.url, lives, trust };
  const kept = { text: anchor, wall: Math.trunc(wall()) * 1000 };
  const write = { id: 0, epoch, genesis: await genesis(device, epoch), anchor: kept, cursor: 0, enrol_again: false };
  await store.commit(write, { identity });
  return { ok: true, identity };
}
