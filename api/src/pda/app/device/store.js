// What a device keeps (IndexedDB): its outbox, who it is, cards, the recall list, a task half done.
//
// One `commit` is one transaction, asked to be on the disk before it is done (`durability: "strict"`):
// events with the head of their chain, anchors with the checkpoint or receipt they came with, a pull's
// page whole. It writes only behind what it has read or written itself: should a browser let two tabs
// write at once, or empty the storage under an open one, what is refused is said not to be saved. It knows
// names of records and nothing of rules.

import { Disk, compareKeys } from "../core/outbox.js";

/** @typedef {import("../core/outbox/disk.js").Write} Write */
/** @typedef {import("../core/outbox/disk.js").Row} Row */
/** @typedef {import("../core/wire/messages.js").Item} Item */
/** @typedef {import("../core/wire/messages.js").UnitCard} UnitCard */

/**
 * Who this device is, as it was told when it enrolled, the key it made for each of its lives, and
 * those it trusts.
 * @typedef {{
 *   device: string, epoch: number, enterprise: string, location: string, profile: string, installation: string,
 *   url: string, lives: Readonly<Record<number, CryptoKeyPair>>, trust: import("../core/wire/messages.js").TrustKey[],
 * }} Identity
 *
 * What goes into a transaction besides the outbox's own: a pull's page, chunks of the recall list, and
 * records by name (`task`, `clock`, `settings`); `anew` drops all cards first, and `parts` are what a
 * snapshot consists of, kept until it is whole.
 * @typedef {{ identity?: Identity, anew?: boolean, items?: readonly Item[], chunks?: readonly Part[], parts?: readonly Part[],
 *   current?: ListHeld, records?: Readonly<Record<string, unknown>> }} Extra
 *
 * @typedef {{ hash: string, bytes: Uint8Array }} Part
 *
 * The list that is held: what it says (a hash), and as of when it is known to hold.
 * @typedef {{ content: string, version: number, made_at: number }} ListHeld
 *
 * Whose the last transaction was, and the how-manieth of theirs.
 * @typedef {{ by: string, n: number }} Written
 */

const VERSION = 2;
const CARDS = /** @type {const} */ (["units", "products", "partners", "verdicts"]);
const STORES = /** @type {const} */ (["device", "rows", ...CARDS, "chunks", "parts"]);

/** Records of the store `device`. */
const IDENTITY = "identity";
const HEAD = "head";
const LIST = "recall_list";
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
   * @returns {Promise<void>}
   */
  async commit(write, extra = {}) {
    const tx = await this.#transaction(STORES, "readwrite", { durability: "strict" });
    this.begun += 1;
    const own = { by: this.by, n: this.begun };
    return new Promise((resolve, reject) => {
      tx.oncomplete = () => {
        this.known = own;
        resolve();
      };
      tx.onabort = () => reject(tx.error ?? new Error("the transaction was aborted"));
      const request = tx.objectStore("device").get(WRITTEN);
      request.onsuccess = () => {
        const last = /** @type {Written | undefined} */ (request.result);
        if (this.#knows(last)) {
          put(tx, "device", own, WRITTEN);
          return;
        }
        reject(new Error(last ? "another tab wrote" : "the storage was emptied"));
        tx.abort();
        if (last && last.by !== this.by) this.superseded();
      };
      try {
        if (extra.identity) put(tx, "device", extra.identity, IDENTITY);
        if (write) putWrite(tx, write);
        if (extra.anew) for (const name of [...CARDS, /** @type {const} */ ("parts")]) tx.objectStore(name).clear();
        for (const { hash, bytes } of extra.parts ?? []) put(tx, "parts", bytes, hash);
        for (const { hash, bytes } of extra.chunks ?? []) put(tx, "chunks", bytes, hash);
        for (const item of extra.items ?? []) putItem(tx, item);
        if (extra.current) put(tx, "device", extra.current, LIST_HELD);
        for (const [name, record] of Object.entries(extra.records ?? {})) put(tx, "device", record, `record:${name}`);
      } catch (error) {
        // What cannot be stored (quota, a value that is none) takes the whole transaction back.
        tx.abort();
        reject(error);
      }
    });
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
    const rows = /** @type {Row[]} */ (await done(tx.objectStore("rows").getAll()));
    const disk = new Disk(device, head?.epoch ?? 1, head?.anchor ?? null, head?.head ?? genesis);
    disk.next = head?.next ?? 1;
    disk.receipt = head?.receipt ?? null;
    disk.cursor = head?.cursor ?? 0;
    disk.enrolAgain = head?.enrolAgain ?? false;
    for (const row of rows.sort((a, b) => compareKeys(a.key, b.key))) disk.put(row);
    return disk;
  }

  /** Is there anything that no receipt covers? */
  async hasUnsent() {
    const rows = /** @type {Row[]} */ (await this.#all("rows"));
    return rows.some((row) => row.state.is === "durable");
  }

  /** @param {string} unit @returns {Promise<UnitCard | null>} */
  async unit(unit) {
    return /** @type {UnitCard | undefined} */ (await this.#get("units", unit)) ?? null;
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
  record(name) {
    return this.#get("device", `record:${name}`);
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
    db.createObjectStore("parts");
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

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} tx @param {typeof STORES[number]} store @param {unknown} value @param {IDBValidKey} [key] */
const put = (tx, store, value, key) => tx.objectStore(store).put(value, key);

/**
 * A transaction of the outbox: rows and, in one record, what the next event follows from.
 * @param {IDBTransaction} tx
 * @param {Write} write
 */
function putWrite(tx, write) {
  const rows = tx.objectStore("rows");
  const [last] = (write.rows ?? []).slice(-1);
  // A failed disk may hold more than it said. What was told as not saved is not, and nothing follows
  // the last event but what is written after it.
  if (last) rows.delete(IDBKeyRange.bound([last.key[0], last.key[1] + 1], [last.key[0], []]));
  for (const row of write.rows ?? []) rows.put(row, row.key);
  for (const { key, state } of write.marks ?? []) {
    const request = rows.get(key);
    request.onsuccess = () => {
      if (request.result) rows.put({ ...request.result, state }, key);
    };
  }
  for (const key of write.drop ?? []) rows.delete(key);
  const request = tx.objectStore("device").get(HEAD);
  request.onsuccess = () => put(tx, "device", headAfter(request.result ?? {}, write), HEAD);
}

/**
 * @param {Partial<Disk>} before
 * @param {Write} write
 * @returns {Partial<Disk>}
 */
function headAfter(before, write) {
  const head = { ...before };
  if (write.epoch !== undefined) {
    Object.assign(head, { epoch: write.epoch, next: 1, head: write.genesis, anchor: null, receipt: null });
  }
  const last = write.rows?.[write.rows.length - 1];
  if (last) Object.assign(head, { next: last.key[1] + 1, head: last.hash });
  if (write.receipt !== undefined) head.receipt = write.receipt;
  if (write.anchor !== undefined) head.anchor = write.anchor;
  if (write.cursor !== undefined) head.cursor = write.cursor;
  if (write.enrol_again !== undefined) head.enrolAgain = write.enrol_again;
  return head;
}

/**
 * One thing the device was told; it replaces what was told of it before.
 * @param {IDBTransaction} tx
 * @param {Item} item
 */
function putItem(tx, item) {
  switch (item.type) {
    case "product":
      put(tx, "products", item);
      break;
    case "partner":
      put(tx, "partners", item);
      break;
    case "unit":
      put(tx, "units", item);
      break;
    case "verdict":
      put(tx, "verdicts", item);
      break;
    case "recall_list":
      putList(tx, item);
      break;
    case "removed": {
      const stores = /** @type {const} */ ({ product: "products", partner: "partners", unit: "units" });
      tx.objectStore(stores[item.of]).delete(item.id);
      break;
    }
  }
}

/** The list, and none of the chunks that only an older one had. @param {IDBTransaction} tx @param {Extract<Item, { type: "recall_list" }>} list */
function putList(tx, list) {
  put(tx, "device", list, LIST);
  const kept = new Set(list.chunks.map(({ hash }) => hash));
  const chunks = tx.objectStore("chunks");
  const request = chunks.getAllKeys();
  request.onsuccess = () => {
    for (const hash of request.result) if (!kept.has(String(hash))) chunks.delete(hash);
  };
}
