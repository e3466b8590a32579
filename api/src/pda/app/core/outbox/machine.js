// The machine: takes commands one by one, keeps storage and session apart, asks for actions.
//
// `disk` is what is committed, `view` the same with what is being written, of which nothing is
// promised. Knows no storage, no network and no clock. Hashing takes a turn of the event loop, so hashes
// come in with their commands (`prepare` makes them).

import { genesis, links } from "../chain.js";
import { SEQ_MAX, UNSENT_WARNING } from "../limits.js";
import { keptAnchor } from "./disk.js";
import { Sorted, compareKeys } from "./keys.js";
import { Pace } from "./pace.js";
import * as receive from "./receive.js";
import * as send from "./send.js";

/** @typedef {import("./keys.js").Key} Key */
/** @typedef {import("./disk.js").Disk} Disk */
/** @typedef {import("./types.js").Write} Write */
/** @typedef {import("./types.js").Command} Command */
/** @typedef {import("./types.js").Action} Action */
/** @typedef {import("./types.js").Flight} Flight */
/** @typedef {import("./types.js").RowState} RowState */
/** @typedef {import("../wire/messages.js").Receipt} Receipt */

/** @param {[number, Key]} a @param {[number, Key]} b */
const compareTail = (a, b) => a[0] - b[0] || compareKeys(a[1], b[1]);

/** An outbox in one session of its device: its one writer. */
export class Outbox {
  /**
   * A session with what is on a storage that turns no bits.
   * @param {Disk} disk
   * @param {import("./types.js").Notice[]} [found] what is to be told of it
   */
  constructor(disk, found = []) {
    this.found = found;
    this.disk = disk;
    this.view = disk.clone();
    /** Transactions being written, with the time their anchor was received. @type {{ write: Write, heard: number | null }[]} */
    this.pending = [];
    this.nextWrite = 1;
    /** When the anchor on the disk was received, if in this session. @type {number | null} */
    this.heard = null;
    /** What is committed and not receipted. @type {Sorted<Key>} */
    this.open = new Sorted(compareKeys);
    /** What is settled, by the stamp of its receipt: the tail that is kept a while. @type {Sorted<[number, Key]>} */
    this.tail = new Sorted(compareTail);
    /** What went out in this session. @type {Sorted<Key>} */
    this.sent = new Sorted(compareKeys);
    /** @type {Flight | null} */
    this.flight = null;
    this.nextFlight = 1;
    this.pace = new Pace();
    /** Refused one by one; tried again by turns when nothing else is left. @type {Sorted<Key>} */
    this.skipped = new Sorted(compareKeys);
    /** Found in this session not to be what was made. @type {Sorted<Key>} */
    this.damaged = new Sorted(compareKeys);
    /** On the server by their states alone: no receipt holds and covers them (I30). @type {Sorted<Key>} */
    this.doubted = new Sorted(compareKeys);
    /** Lives whose signature the server does not know; likewise. @type {Set<number>} */
    this.shut = new Set();
    /** Where the next turn of these begins. @type {Key} */
    this.turn = [0, 0];
    /** The time asked for. @type {number | null} */
    this.timer = null;
    this.warned = false;
    this.index();
  }

  /**
   * The same of any storage: a kept receipt counts if it is believed to be signed (I30).
   * @param {Disk} disk
   * @param {(receipt: Receipt) => boolean} believes
   */
  static begin(disk, believes) {
    const outbox = new Outbox(disk, disk.doubt(believes));
    // Those whose states say otherwise than a receipt that is good.
    const lives = new Set([...outbox.doubted].map(([epoch]) => epoch));
    for (const of of lives) if (disk.receipts[of]) outbox.found.push({ say: "doubted", of });
    return outbox;
  }

  /** Is it on the server, by its state and by a receipt that is kept? @param {import("./types.js").Row} row */
  isSafe({ key, state }) {
    return state.is !== "durable" && ![this.open, this.doubted, this.damaged].some((keys) => keys.has(key));
  }

  /** How many events are unsent or not receipted, and can be sent. */
  get unsent() {
    return this.open.size;
  }

  /** The same, with those that no receipt says are on the server. */
  get unreceipted() {
    return this.open.size + this.doubted.size;
  }

  /**
   * What the next event has to state. Always at hand: capture waits for nothing.
   * @param {number} now
   */
  slot(now) {
    // An anchor of an earlier life means nothing in this one.
    const anchor = this.disk.epoch === this.view.epoch ? this.disk.anchor : null;
    return {
      device: this.view.device,
      epoch: this.view.epoch,
      seq: this.view.next,
      prev_hash: this.view.head,
      anchor: anchor?.text ?? null,
      anchor_wall: anchor?.wall ?? null,
      mono: anchor && this.heard !== null ? Math.max(0, now - this.heard) : 0,
      cursor: this.disk.cursor,
    };
  }

  /**
   * The session's clock stood still for a while (the device slept): its interval is over, and events say
   * `mono` 0 until the next anchor.
   */
  slept() {
    this.heard = null;
    for (const pending of this.pending) pending.heard = null;
  }

  /** The push that a `send` asks for, or what is damaged of it. @param {number} epoch @param {number} first @param {number} last */
  push(epoch, first, last) {
    return send.push(this, epoch, first, last);
  }

  /**
   * Takes a command; the actions are to be done in their order.
   * @param {import("./types.js").Input} input
   * @returns {Action[]}
   */
  take({ now, jitter, command }) {
    /** @type {Action[]} */
    const actions = this.found.splice(0).map((notice) => ({ do: "show", notice }));
    switch (command.do) {
      case "capture":
        this.#capture(command.links, actions);
        break;
      case "committed":
        this.#committed(command.write, actions);
        break;
      case "not_written":
        this.#notWritten(command.write, now, jitter, actions);
        break;
      case "due":
        this.timer = null;
        if (this.flight && send.isOverdue(this.flight, now)) send.lost(this, now, jitter);
        break;
      case "wake":
        this.pace.wake(now, this.skipped.size + this.shut.size);
        break;
      case "answer":
        this.#answer(command, now, jitter, actions);
        break;
      case "lost":
        if (this.flight?.id === command.flight) send.lost(this, now, jitter);
        break;
      case "refused": {
        const flight = send.land(this, command.flight);
        if (flight) send.refused(this, flight, command.status, command.retry_after, now, jitter, actions);
        break;
      }
      case "damaged":
        send.setAside(this, command.keys, actions);
        break;
      case "checkpoint":
        receive.checkpoint(this, command, now, actions);
        break;
      case "new_epoch":
        if (command.epoch > this.view.epoch) {
          const { epoch, anchor, wall } = command;
          const write = { epoch, genesis: command.genesis, anchor: keptAnchor(anchor, wall), enrol_again: false };
          this.persist(write, now, actions);
        }
        break;
    }
    send.plan(this, now, actions);
    return actions;
  }

  /**
   * Chain and event go into one transaction, all events of an act into the same.
   * @param {import("../chain.js").Link[]} made
   * @param {Action[]} actions
   */
  #capture(made, actions) {
    const { epoch, next } = this.view;
    const keys = made.map((_, at) => /** @type {Key} */ ([epoch, next + at]));
    if (next > SEQ_MAX - made.length) {
      actions.push({ do: "show", notice: { say: "not_saved", of: keys } });
      return;
    }
    let head = this.view.head;
    for (const link of made) {
      // Whoever hashed against another head than this would fork the device's own chain.
      if (link.prev_hash !== head) throw new Error("an event was chained to another head");
      head = link.hash;
    }
    const rows = made.map((link, at) => ({
      key: /** @type {Key} */ ([epoch, next + at]),
      prev_hash: link.prev_hash,
      hash: link.hash,
      text: link.text,
      state: /** @type {const} */ ({ is: "durable" }),
    }));
    if (rows.length > 0) this.persist({ rows }, null, actions);
  }

  /**
   * @param {Extract<Command, { do: "answer" }>} answer
   * @param {number} now
   * @param {number} jitter
   * @param {Action[]} actions
   */
  #answer(answer, now, jitter, actions) {
    const landed = send.land(this, answer.flight);
    const brought = receive.answer(this, answer, now, actions);
    if (landed && (brought > 0 || receive.isHome(this, landed))) {
      this.pace.wentWell(answer.fates.length, Math.max(0, now - landed.sentAt));
      if (this.skipped.size + this.shut.size === 0) this.pace.refusals = 0;
    } else if (landed) {
      this.pace.failed(now, jitter);
    }
    this.pace.told(now, jitter, answer.credit, answer.retry_after);
  }

  /**
   * Asks for a transaction.
   * @param {Omit<Write, "id">} wanted
   * @param {number | null} heard
   * @param {Action[]} actions
   */
  persist(wanted, heard, actions) {
    const write = { id: this.nextWrite, ...wanted };
    this.nextWrite += 1;
    this.view.apply(write);
    for (const { key, state } of write.marks ?? []) this.#note(key, state);
    this.pending.push({ write, heard });
    actions.push({ do: "persist", write });
  }

  /** @param {number} write @param {Action[]} actions */
  #committed(write, actions) {
    while (this.pending[0] && this.pending[0].write.id <= write) {
      const done = this.pending.shift();
      if (!done) break;
      this.disk.apply(done.write);
      if (done.write.anchor) this.heard = done.heard;
      if (!done.write.rows || done.write.rows.length === 0) continue;
      const saved = done.write.rows.map((row) => row.key);
      for (const key of saved) this.open.add(key);
      actions.push({ do: "show", notice: { say: "saved", of: saved } });
      if (this.unsent < UNSENT_WARNING) {
        this.warned = false;
      } else if (!this.warned) {
        this.warned = true;
        actions.push({ do: "show", notice: { say: "many_unsent", of: this.unsent } });
      }
    }
  }

  /**
   * The storage failed: what was being written is not, and the person is told what is lost.
   * @param {number} write
   * @param {number} now
   * @param {number} jitter
   * @param {Action[]} actions
   */
  #notWritten(write, now, jitter, actions) {
    const from = this.pending.findIndex((pending) => pending.write.id >= write);
    const lost = from < 0 ? [] : this.pending.splice(from);
    if (lost.length === 0) return;
    this.view = this.disk.clone();
    for (const pending of this.pending) this.view.apply(pending.write);
    this.index();
    // What was sent for nothing is not sent again at once.
    this.pace.failed(now, jitter);
    for (const { write: undone } of lost) {
      if (undone.rows?.length) {
        actions.push({ do: "show", notice: { say: "not_saved", of: undone.rows.map((row) => row.key) } });
      }
    }
  }

  /** Keeps the indexes with a change of state. @param {Key} key @param {RowState} state */
  #note(key, state) {
    if (state.is === "durable") {
      this.doubted.delete(key);
      this.open.add(key);
    }
    // What a pull tells of an event in doubt is no receipt.
    if (state.is === "durable" || this.doubted.has(key)) return;
    for (const keys of [this.open, this.sent, this.skipped, this.damaged]) keys.delete(key);
    if (state.is === "settled") this.tail.add([state.stamp, key]);
    else this.tail.delete([state.stamp, key]);
  }

  /** Puts an event where it belongs: what is safe on the server is what a receipt covers. @param {Key} key @param {RowState} state */
  #place(key, state) {
    if (this.damaged.has(key)) return;
    if (state.is === "durable") {
      // What is not on the disk yet is not open: it must not be sent before it is durable.
      if (this.disk.row(key)) this.open.add(key);
    } else if (!this.view.covers(key)) this.doubted.add(key);
    else if (state.is === "settled") this.tail.add([state.stamp, key]);
  }

  /** A receipt of this life may be kept: those it covers and proves are in doubt no more. @param {number} epoch */
  resolve(epoch) {
    for (const key of [...this.doubted].filter(([life]) => life === epoch)) {
      this.doubted.delete(key);
      this.skipped.delete(key);
      const row = this.view.row(key);
      if (row) this.#place(key, row.state);
    }
  }

  /** Makes the indexes anew. */
  index() {
    for (const keys of [this.open, this.doubted, this.tail]) keys.clear();
    for (const { key, state } of this.view.inOrder()) this.#place(key, state);
    for (const keys of [this.sent, this.skipped]) keys.list = keys.list.filter((key) => this.open.has(key));
  }
}

/**
 * Hashes what a command needs hashed: texts that were made for the slot, or the beginning of a life.
 * Nothing else may be given to the outbox before the result is.
 * @param {Outbox} outbox
 * @param {{ do: "capture", texts: string[] } | { do: "new_epoch", epoch: number, anchor: string, wall: number }} command
 * @returns {Promise<Command>}
 */
export async function prepare(outbox, command) {
  if (command.do === "capture") return { do: "capture", links: await links(outbox.view.head, command.texts) };
  return { ...command, genesis: await genesis(outbox.view.device, command.epoch) };
}
