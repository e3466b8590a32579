// What a device keeps (IndexedDB): its outbox, who it is, cards, the recall list, a task half done.
//
// One `commit` is one transaction, asked to be on the disk before it is done (`durability: "strict"`):
// events with the head of their chain, anchors with the checkpoint or receipt they came with, a pull's
// page whole. It writes only behind what it has read or written itself, and only for whom it says it
// writes: should a browser let two tabs write at once, or empty the storage under an open one, or somebody
// enrol the device anew, what is refused is said not to be saved. What failed and is on the disk all the
// same is undone by the next transaction; where none follows, the next start finds it (`unsaid`). It knows
// names of records and nothing of rules.

import { nameOf } from "../core/outbox.js";
import { LIST, putItem } from "./store/cards.js";
import { diskOf, placed } from "./store/read.js";
import { done, headAfter, madeBy, putRows, undoOf } from "./store/write.js";

/** @typedef {import("../core/outbox/disk.js").Disk} Disk */
/** @typedef {import("../core/outbox/types.js").Write} Write */
/** @typedef {import("../core/outbox/types.js").Row} Row */
/** @typedef {import("../core/wire/messages.js").Item} Item */
/** @typedef {import("../core/wire/messages.js").UnitCard} UnitCard */

/** @typedef {import("./store/types.js").Identity} Identity */
/** @typedef {import("./store/types.js").Extra} Extra */
/** @typedef {import("./store/types.js").Part} Part */
/** @typedef {import("./store/types.js").ListHeld} ListHeld */
/** @typedef {import("./store/types.js").Written} Written */
/** @typedef {import("./store/types.js").Life} Life */

const VERSION = 3;
/** Where nothing follows events, that they were told to be saved is put on record after so long. */
const SETTLE_MS = 1000;
const CARDS = /** @type {const} */ (["units", "products", "partners", "verdicts"]);
const STORES = /** @type {const} */ (["device", "rows", "left", ...CARDS, "chunks", "parts"]);

/** Records of the store `device`. */
const IDENTITY = "identity";
const HEAD = "head";
const LIST_HELD = "recall_list_held";
const WRITTEN = "written";

export class Store {
  /**
   * @param {IDBDatabase} db
   * @param {() => Promise<IDBDatabase>} again opens it anew
   * @param {Written | undefined} found the last transaction before its own
   */
  constructor(db, again, found) {
    this.again = again;
    /** The program is done with it. */
    this.isOver = false;
    this.db = this.#held(db);
    /** What it says of who writes. */
    this.by = crypto.randomUUID();
    /** How many transactions it began. */
    this.begun = 0;
    /** The last transaction that it knows of. */
    this.known = found;
    /** The head of the chain behind that; null before anybody asked. @type {Partial<Disk> | null} */
    this.head = null;
    /** What failed and may be on the disk all the same. @type {import("./store/write.js").Undo | null} */
    this.undo = null;
    /** Records as they are known to stand. @type {Map<string, unknown>} */
    this.records = new Map();
    /** Events that an earlier session put on the disk with its last words, so that nobody may have heard. */
    this.unsaid = found?.made ?? null;
    /** Told when somebody else wrote. */
    this.superseded = () => {};
  }

  /** @param {IDBDatabase} db */
  #held(db) {
    // Another tab with a newer program must not wait for this one.
    db.onversionchange = () => this.close();
    return db;
  }

  /**
   * A transaction. A browser closes a database whose disk fails or is full; then it is opened anew, so
   * that with room again the work goes on.
   * @param {readonly (typeof STORES[number])[]} stores
   * @param {IDBTransactionMode} [mode]
   * @param {IDBTransactionOptions} [options]
   * @returns {Promise<IDBTransaction>}
   */
  async #transaction(stores, mode = "readonly", options = {}) {
    try {
      return this.db.transaction([...stores], mode, options);
    } catch (error) {
      if (this.isOver || !(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
    }
    this.db = this.#held(await this.again());
    return this.db.transaction([...stores], mode, options);
  }

  /**
   * Opens the device's storage, and makes it where there is none.
   * @param {IDBFactory} factory
   * @param {string} name
   * @returns {Promise<Store>}
   */
  static async open(factory, name) {
    const again = () => opened(factory, name);
    const db = await again();
    // Before anything else is read: what is read later may be newer, never older.
    const found = /** @type {Written | undefined} */ (await done(db.transaction(["device"]).objectStore("device").get(WRITTEN)));
    return new Store(db, again, found);
  }

  close() {
    this.isOver = true;
    this.db.close();
  }

  /**
   * Writes all of this or nothing, and resolves when it is on the disk.
   * @param {Write | null} write
   * @param {Extra} [extra]
   * @param {Life | null} [of] whose it is: of nobody else while it is written
   * @returns {Promise<void>}
   */
  async commit(write, extra = {}, of = null) {
    const isOfLeft = extra.leaves ?? extra.left ?? extra.forgets;
    const left = isOfLeft ? await import("./store/left.js") : null;
    const tx = await this.#transaction(STORES, "readwrite", { durability: "strict" });
    this.begun += 1;
    const own = /** @type {Written} */ ({ by: this.by, n: this.begun, ...madeBy(write) });
    return new Promise((resolve, reject) => {
      let { undo, head } = this;
      let isBegun = false;
      tx.oncomplete = () => {
        this.known = own;
        this.head = head;
        if (this.undo === undo) this.undo = null;
        for (const [name, record] of Object.entries(extra.records ?? {})) this.records.set(name, record);
        resolve();
        if (own.made) this.#settle(own.n);
      };
      tx.onabort = () => {
        // Who it is, is as it is found at the next look.
        if (isBegun && !extra.identity) this.undo = undoOf(this.undo, write, extra);
        reject(tx.error ?? new Error("the transaction was aborted"));
      };
      const refuse = (/** @type {unknown} */ why) => {
        isBegun = false;
        reject(why);
        tx.abort();
      };
      const [written, identity, headed] = [WRITTEN, IDENTITY, HEAD].map((name) => tx.objectStore("device").get(name));
      // They are answered in their order, and behind the end of every transaction before this one.
      if (headed) headed.onsuccess = () => {
        const last = /** @type {Written | undefined} */ (written?.result);
        if (!this.#knows(last)) {
          refuse(new Error(last ? "another tab wrote" : "the storage was emptied"));
          if (last && last.by !== this.by) this.superseded();
          return;
        }
        if (of && (of.device !== identity?.result?.device || of.epoch !== identity?.result?.epoch)) {
          refuse(new Error("this device was enrolled anew"));
          return;
        }
        ({ undo } = this);
        if (!undo) this.head = headed.result ?? null;
        ({ head } = this);
        isBegun = true;
        try {
          if (undo) this.#putUndone(tx, undo);
          left?.putLeft(tx, extra, head ?? {});
          if (write) {
            putRows(tx.objectStore("rows"), write);
            // Another device begins with nothing of the one before.
            head = headAfter((extra.leaves ? null : head) ?? {}, write);
            put(tx, "device", head, HEAD);
          }
          putExtra(tx, extra);
          put(tx, "device", own, WRITTEN);
        } catch (error) {
          // What cannot be stored (quota, a value that is none) takes the whole transaction back.
          refuse(error);
        }
      };
    });
  }

  /** What was told as not saved is not: neither the events, nor what was written with them. @param {IDBTransaction} tx @param {import("./store/write.js").Undo} undo */
  #putUndone(tx, undo) {
    for (const key of undo.keys) tx.objectStore("rows").delete(key);
    if (this.head) put(tx, "device", this.head, HEAD);
    else tx.objectStore("device").delete(HEAD);
    for (const name of undo.records) if (this.records.has(name)) put(tx, "device", this.records.get(name), `record:${name}`);
  }

  /** Where nothing follows soon, that the last events were told is put on record by itself. @param {number} n */
  #settle(n) {
    setTimeout(() => {
      if (this.begun === n && !this.isOver) void this.commit(null).catch(() => {});
    }, SETTLE_MS);
  }

  /**
   * Is the storage as this knows it? A failed disk may hold more of its own than it said.
   * @param {Written | undefined} last
   */
  #knows(last) {
    const { known } = this;
    if (last?.by === this.by) return known?.by !== this.by || last.n >= known.n;
    return last?.by === known?.by && last?.n === known?.n;
  }

  /** Who this device is; null before it is enrolled. @returns {Promise<Identity | null>} */
  async identity() {
    return /** @type {Identity | undefined} */ (await this.#get("device", IDENTITY)) ?? null;
  }

  /**
   * The outbox as it is on the disk; null before the device is enrolled.
   * @param {string} device
   * @param {string} genesis of the epoch, while there is no head of its chain yet
   * @returns {Promise<Disk>}
   */
  async disk(device, genesis) {
    const tx = await this.#transaction(["device", "rows"]);
    const head = /** @type {Partial<Disk> | undefined} */ (await done(tx.objectStore("device").get(HEAD)));
    const stored = tx.objectStore("rows");
    // Where a row stands says which it is.
    const [rows, keys] = /** @type {[Row[], Row["key"][]]} */ (await Promise.all([done(stored.getAll()), done(stored.getAllKeys())]));
    const { undo } = this;
    if (!undo) this.head = head ?? null;
    const failed = new Set((undo?.keys ?? []).map(nameOf));
    return diskOf(device, 1, genesis, this.head, placed(rows, keys).filter(({ key }) => !failed.has(nameOf(key))));
  }

  /** Devices that this one was before with something on record, and their outboxes. */
  async left() {
    const tx = await this.#transaction(["device", "left"]);
    if ((await done(tx.objectStore("left").count())) === 0) return [];
    const { readLeft } = await import("./store/left.js");
    return readLeft(await this.#transaction(["device", "left"]));
  }

  /** @param {string} unit @returns {Promise<UnitCard | null>} */
  async unit(unit) {
    return /** @type {UnitCard | undefined} */ (await this.#get("units", unit)) ?? null;
  }

  /** Of what is in a container. @param {string} container @returns {Promise<UnitCard[]>} */
  async inside(container) {
    return done((await this.#transaction(["units"])).objectStore("units").index("inside").getAll(container));
  }

  /** Everything the device knows units of. @returns {Promise<UnitCard[]>} */
  async units() {
    return /** @type {UnitCard[]} */ (await this.#all("units"));
  }

  /** @returns {Promise<Extract<Item, { type: "product" }>[]>} */
  async products() {
    return /** @type {any} */ (await this.#all("products"));
  }

  /** @returns {Promise<Extract<Item, { type: "partner" }>[]>} */
  async partners() {
    return /** @type {any} */ (await this.#all("partners"));
  }

  /** @returns {Promise<Extract<Item, { type: "verdict" }>[]>} */
  async verdicts() {
    return /** @type {any} */ (await this.#all("verdicts"));
  }

  /** What list is held, and as of when; null where there is none. @returns {Promise<ListHeld | null>} */
  async listHeld() {
    return /** @type {ListHeld | undefined} */ (await this.#get("device", LIST_HELD)) ?? null;
  }

  /** The recall list that is held, as of when it is known to hold, with its chunks. */
  async recallList() {
    const held = await this.listHeld();
    const tx = await this.#transaction(["device", "chunks"]);
    const stored = /** @type {import("../core/wire/messages.js").RecallList | undefined} */ (
      await done(tx.objectStore("device").get(LIST))
    );
    if (!stored) return null;
    const manifest = held ? { ...stored, version: held.version, made_at: held.made_at } : stored;
    const chunks = manifest.chunks.map(({ hash }) => done(tx.objectStore("chunks").get(hash)));
    return { manifest, chunks: /** @type {(Uint8Array | undefined)[]} */ (await Promise.all(chunks)) };
  }

  /** Whether a chunk is here already. @param {string} hash @returns {Promise<Uint8Array | null>} */
  async chunk(hash) {
    return /** @type {Uint8Array | undefined} */ (await this.#get("chunks", hash)) ?? null;
  }

  /** A part of a snapshot that is not whole yet. @param {string} hash @returns {Promise<Uint8Array | null>} */
  async part(hash) {
    return /** @type {Uint8Array | undefined} */ (await this.#get("parts", hash)) ?? null;
  }

  /** @param {string} name @returns {Promise<unknown>} */
  async record(name) {
    const isUndone = this.undo?.records.includes(name) && this.records.has(name);
    if (!isUndone) this.records.set(name, await this.#get("device", `record:${name}`));
    return this.records.get(name);
  }

  /** @param {typeof STORES[number]} store @param {IDBValidKey} key @returns {Promise<unknown>} */
  async #get(store, key) {
    return done((await this.#transaction([store])).objectStore(store).get(key));
  }

  /** @param {typeof STORES[number]} store @returns {Promise<unknown[]>} */
  async #all(store) {
    return done((await this.#transaction([store])).objectStore(store).getAll());
  }
}

/**
 * @param {IDBFactory} factory
 * @param {string} name
 * @returns {Promise<IDBDatabase>}
 */
function opened(factory, name) {
  const request = factory.open(name, VERSION);
  request.onupgradeneeded = ({ oldVersion }) => {
    const db = request.result;
    if (oldVersion < 2) db.createObjectStore("parts");
    db.createObjectStore("left");
    if (oldVersion > 0) return;
    db.createObjectStore("device");
    db.createObjectStore("rows");
    db.createObjectStore("units", { keyPath: "unit" }).createIndex("inside", "inside");
    db.createObjectStore("products", { keyPath: "product" }).createIndex("gtin", "gtin");
    db.createObjectStore("partners", { keyPath: "enterprise" });
    db.createObjectStore("verdicts", { keyPath: "event" });
    db.createObjectStore("chunks");
  };
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab holds an older version open"));
  });
}

/** @param {IDBTransaction} tx @param {typeof STORES[number]} store @param {unknown} value @param {IDBValidKey} [key] */
const put = (tx, store, value, key) => tx.objectStore(store).put(value, key);

/** @param {IDBTransaction} tx @param {Extra} extra */
function putExtra(tx, extra) {
  if (extra.identity) put(tx, "device", extra.identity, IDENTITY);
  if (extra.anew) for (const name of [...CARDS, /** @type {const} */ ("parts")]) tx.objectStore(name).clear();
  for (const { hash, bytes } of extra.parts ?? []) put(tx, "parts", bytes, hash);
  for (const { hash, bytes } of extra.chunks ?? []) put(tx, "chunks", bytes, hash);
  for (const item of extra.items ?? []) putItem(tx, item);
  if (extra.current) put(tx, "device", extra.current, LIST_HELD);
  for (const [name, record] of Object.entries(extra.records ?? {})) put(tx, "device", record, `record:${name}`);
}
