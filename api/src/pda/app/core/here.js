// What became of units by this device's own events that their cards do not show yet: so that a till
// does not sell twice what it sold a minute ago, with no network.

/** @typedef {import("./outbox/disk.js").Row} Row */
/** @typedef {import("./wire/messages.js").Phase} Phase */

import { nameOf } from "./outbox.js";
import { parse, unitKey } from "./trace-code.js";

/** What an event of a kind leaves a unit as. @type {Readonly<Record<string, Phase>>} */
const AFTER = {
  inbound: "in_stock",
  outbound: "in_transit",
  sale: "sold",
  return: "returned",
  collect: "collected",
  destroy: "destroyed",
};

/** An event of this device, by what it says of units. @typedef {{ key: Key, hash: string, id: string, phase: Phase }} Said */
/** @typedef {import("./outbox/keys.js").Key} Key */

/**
 * Own events by the units they name: each is read once, when it is new, so that a scan costs the same
 * with twenty thousand of them as with none.
 */
export class Here {
  constructor() {
    /** @type {Map<string, Said[]>} */
    this.said = new Map();
    /** Events that are struck, with who struck them. @type {Map<string, { key: Key, hash: string }[]>} */
    this.struck = new Map();
    /** What is read already: the hash of an event by its key. @type {Map<string, string>} */
    this.read = new Map();
  }

  /**
   * What became of a unit by own events that its card does not show.
   * @param {string} unit
   * @param {import("./outbox/disk.js").Disk} disk
   * @param {number} shown the stamp up to which receipts are in the cards
   * @returns {Phase | null}
   */
  phase(unit, disk, shown) {
    this.#readNew(disk);
    // Of what could not be written nothing is true; another event took its number.
    const isOpen = (/** @type {{ key: Key, hash: string }} */ { key, hash }) => {
      const row = disk.row(key);
      return row !== undefined && row.hash === hash && (row.state.is === "durable" || row.state.stamp > shown);
    };
    const said = this.said.get(unit) ?? [];
    for (let at = said.length - 1; at >= 0; at -= 1) {
      const one = said[at];
      if (one && isOpen(one) && !(this.struck.get(one.id) ?? []).some(isOpen)) return one.phase;
    }
    return null;
  }

  /** New events are the last ones. @param {import("./outbox/disk.js").Disk} disk */
  #readNew(disk) {
    const { list } = disk.order;
    let from = list.length;
    for (; from > 0; from -= 1) {
      const row = disk.row(/** @type {Key} */ (list[from - 1]));
      if (row && this.read.get(nameOf(row.key)) === row.hash) break;
    }
    for (const key of list.slice(from)) {
      const row = disk.row(key);
      if (row) this.#read(row);
    }
  }

  /** @param {Row} row */
  #read({ key, hash, text }) {
    this.read.set(nameOf(key), hash);
    for (const { kind, id, target, units, disposition } of readOwn(text)) {
      if (kind === "retract" && target) this.struck.set(target, [...(this.struck.get(target) ?? []), { key, hash }]);
      const phase = kind === "inspect" && disposition === "sellable" ? "in_stock" : AFTER[kind];
      if (phase === undefined) continue;
      for (const code of units) {
        const read = parse(code);
        const unit = read.ok ? unitKey(read.scanned.code) : null;
        if (unit !== null) this.said.set(unit, [...(this.said.get(unit) ?? []), { key, hash, id, phase }]);
      }
    }
  }
}

/**
 * What is wanted of an event this device wrote; nothing of a text it cannot have written.
 * @param {string} text
 * @returns {{ kind: string, id: string, by: string | null, target: string | null, disposition: string | null, units: string[] }[]}
 */
export function readOwn(text) {
  try {
    const { kind, event_id: id, actor, target = null, disposition = null, units = [] } = JSON.parse(text);
    return [{ kind, id, by: actor?.id ?? null, target, disposition, units: units.map((/** @type {{ code: string }} */ unit) => unit.code) }];
  } catch {
    return [];
  }
}
