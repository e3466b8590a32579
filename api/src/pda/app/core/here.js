// What became of units by this device's own events that their cards do not show yet: by those that name
// them, and by those that name a container they were in at the time. So that a till does not sell twice
// what it sold a minute ago, nor a tin of the case, with no network. What its card shows and was struck since is
// doubted. The same as `sync::till::Here`, which says why.

/** @typedef {import("./outbox/types.js").Row} Row */
/** @typedef {import("./outbox/disk.js").Disk} Disk */
/** @typedef {import("./wire/messages.js").Phase} Phase */
/** @typedef {import("./wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("./event.js").Actor} Actor */
/** With what else a till asks: kept back, or good but for what was struck. @typedef {Phase | "held" | "struck"} Became */

import { mayStrike } from "./badges.js";
import { nameOf } from "./outbox.js";
import { foldTyped, parse, unitKey } from "./trace-code.js";

/** Containers around goods that are looked at: a case, and the pallet it stands on. */
const CONTAINERS = 2;

/** What an event of a kind leaves a unit as; an inspection finds it sellable, or to `hold`. @type {Readonly<Record<string, Became>>} */
const AFTER = {
  inbound: "in_stock",
  outbound: "in_transit",
  inspect: "in_stock",
  hold: "held",
  sale: "sold",
  return: "returned",
  collect: "collected",
  destroy: "destroyed",
};

/** What stays that, by which kinds of events; by any, what was destroyed. */
const KEPT = ["returned", "collected", "held"];
/** @type {Readonly<Record<string, string[]>>} */
const KEEPS = { inbound: KEPT, outbound: KEPT, hold: ["collected"] };

/** @param {Became} was @param {string} kind */
const after = (was, kind) => (was === "destroyed" || KEEPS[kind]?.includes(was) ? was : (AFTER[kind] ?? was));

/**
 * What an event did to a unit it names: it `went` through this, so that it was out of its container, or `stood`; a
 * container it was `put` in, null for none; or, to a container, a unit came into it, as it was read, or all in it was
 * taken out.
 * @typedef {{ is: "went" | "stood", kind: string } | { is: "put", in: string | null } | { is: "got", unit: string, read: OwnRead } | { is: "emptied" }} Did
 *
 * How codes that were typed are taken: as they are said, or for what may be meant by them.
 * @typedef {"said" | "meant"} Typed
 *
 * With the event's place among those that were read, what tells whether it is still there, and how its codes are
 * to be taken for it to name the unit, null where that does not matter.
 * @typedef {{ device: string, key: Key, hash: string }} Where
 * @typedef {Where & { at: number, id: string, by: string | null, typed: Typed | null, did: Did }} Done
 *
 * What a unit went through, by the places of the events. @typedef {Map<number, string>} Went
 *
 * @typedef {(unit: string) => Promise<Pick<UnitCard, "phase" | "inside"> | null>} CardOf
 * @typedef {{ doneTo: (unit: string) => Done[], cardOf: CardOf }} Known
 */
/** @typedef {import("./outbox/keys.js").Key} Key */

/**
 * Own events by the units they name: each is read once, when it is new, so that a scan costs the same
 * with twenty thousand of them as with none.
 */
export class Here {
  constructor() {
    /** @type {Map<string, Done[]>} */
    this.done = new Map();
    /** Events that are struck, with who struck them. @type {Map<string, (Where & { actor: Actor | null })[]>} */
    this.struck = new Map();
    /** What is read already: the hash of an event by its device and key. @type {Map<string, string>} */
    this.read = new Map();
    /** How many events were read. */
    this.count = 0;
  }

  /**
   * What is known here by own events that cards do not show, by codes as they were `typed`.
   * @param {Typed} typed
   * @param {readonly Disk[]} disks of this device, behind those of devices it was before
   * @param {number} shown the stamp up to which receipts are in the cards
   * @param {CardOf} cardOf
   * @returns {Known}
   */
  known(typed, disks, shown, cardOf) {
    for (const disk of disks) this.#readNew(disk);
    const of = new Map(disks.map((disk) => [disk.device, disk]));
    // Of what could not be written nothing is true; another event took its number.
    const isOpen = (/** @type {Where} */ { device, key, hash }) => {
      const row = of.get(device)?.row(key);
      return row !== undefined && row.hash === hash && (row.state.is === "durable" || row.state.stamp > shown);
    };
    const strikes = (/** @type {Done} */ { id, by, device }) =>
      (this.struck.get(id) ?? []).some((it) => isOpen(it) && mayStrike(by, it.actor) && (by ?? it.actor ?? it.device === device));
    /** @param {Done} one @returns {Done[]} */
    const told = (one) => {
      if ((one.typed ?? typed) !== typed || isOpen(one) === strikes(one)) return [];
      return isOpen(one) ? [one] : one.did.is === "got" ? [] : [{ ...one, did: { is: "stood", kind: "struck" } }];
    };
    return { doneTo: (unit) => (this.done.get(unit) ?? []).flatMap(told), cardOf };
  }

  /** New events are the last ones. @param {Disk} disk */
  #readNew(disk) {
    const { device } = disk;
    const { list } = disk.order;
    let from = list.length;
    for (; from > 0; from -= 1) {
      const row = disk.row(/** @type {Key} */ (list[from - 1]));
      if (row && this.read.get(device + nameOf(row.key)) === row.hash) break;
    }
    for (const key of list.slice(from)) {
      const row = disk.row(key);
      if (row) this.#read(device, row);
    }
  }

  /** @param {string} device @param {Row} row */
  #read(device, { key, hash, text }) {
    this.read.set(device + nameOf(key), hash);
    const at = (this.count += 1);
    for (const { kind, id, actor, target, parent, units, disposition } of readOwn(text)) {
      if (kind === "retract" && target) this.struck.set(target, [...(this.struck.get(target) ?? []), { device, key, hash, actor }]);
      const add = (/** @type {Typed | null} */ typed, /** @type {string | null} */ unit, /** @type {Did} */ did) => {
        if (unit !== null) this.done.set(unit, [...(this.done.get(unit) ?? []), { device, at, key, hash, id, by: actor?.id ?? null, typed, did }]);
      };
      const container = parent && unitsOf(parent);
      const named = units.map(unitsOf);
      const isOne = [container, ...named].every((units) => !units || units.said === units.meant);
      for (const typed of isOne ? [null] : BOTH) {
        const of = typed ?? "said";
        if (kind === "unpack" && units.length === 0) add(typed, container?.[of] ?? null, { is: "emptied" });
        const did = didOf(kind, disposition, container?.[of] ?? null);
        for (const [at, { [of]: unit }] of named.entries()) {
          if (did) add(typed, unit, did);
          const read = units[at];
          if (did?.is === "put" && unit && read) add(typed, did.in, { is: "got", unit, read });
        }
      }
    }
  }
}

/** @type {readonly Typed[]} */
const BOTH = ["said", "meant"];

/** @param {string} kind @param {string | null} disposition @param {string | null} container @returns {Did | null} */
function didOf(kind, disposition, container) {
  if (kind === "pack" || kind === "unpack") return { is: "put", in: kind === "pack" ? container : null };
  if (kind === "inspect") return disposition === null ? null : { is: "stood", kind: disposition === "sellable" ? kind : "hold" };
  return AFTER[kind] ? { is: "went", kind } : null;
}

/**
 * The unit a code of an event names, as it says and as it may be meant.
 * @param {OwnRead} read
 * @returns {Record<Typed, string | null>}
 */
export function unitsOf({ code, input }) {
  const read = parse(code);
  const said = read.ok ? unitKey(read.scanned.code) : null;
  const folded = read.ok && input === "typed" ? foldTyped(read.scanned.code) : null;
  return { said, meant: folded ? unitKey(folded) : said };
}

/** What became of a unit. @param {string} unit @param {Known} known @returns {Promise<Became | null>} */
export async function becameOf(unit, known) {
  const [went] = await lifeOf(unit, known);
  const kinds = [...went].sort(([one], [other]) => one - other).map(([, kind]) => kind);
  const became = kinds.reduce(after, (await known.cardOf(unit))?.phase ?? "unknown");
  const isDoubted = kinds.lastIndexOf("struck") > kinds.lastIndexOf("inspect") && ![...KEPT, "sold", "destroyed"].includes(became);
  return isDoubted ? "struck" : kinds.length > 0 ? became : null;
}

/**
 * What a unit went through from one place among the events until before another: by itself, or with the
 * container it was in then. And the container it was in last.
 * @param {string} unit
 * @param {Known} known
 * @param {[number, number]} range
 * @param {number} containers
 * @returns {Promise<[Went, string | null]>}
 */
export async function lifeOf(unit, known, [since, until] = [0, Infinity], containers = CONTAINERS) {
  let container = (await known.cardOf(unit))?.inside ?? null;
  let from = 0;
  /** @type {Went} */
  const went = new Map();
  // With the container, from when it came to be in it until then.
  const emptied = () => container && known.doneTo(container).find(({ at, did }) => at >= from && did.is === "emptied");
  const together = async (/** @type {number} */ to) => {
    if (!container || !containers) return /** @type {Went} */ (new Map());
    const till = Math.min(to, until, (emptied() || { at: to }).at);
    return (await lifeOf(container, known, [Math.max(from, since), till], containers - 1))[0];
  };
  const add = async (/** @type {number} */ to) => {
    for (const [at, kind] of await together(to)) went.set(at, kind);
  };
  for (const { at, did } of known.doneTo(unit)) {
    if (at >= until) break;
    if (did.is === "put" || (did.is === "went" && !(await together(at + 1)).has(at))) {
      await add(at);
      container = did.is === "put" ? did.in : null;
      from = at;
    }
    if ("kind" in did && at >= since) went.set(at, did.kind);
  }
  await add(until);
  return [went, emptied() ? null : container];
}

/** @typedef {{ code: string, input: string }} OwnRead */

/**
 * What is wanted of an event this device wrote; nothing of a text it cannot have written.
 * @param {string} text
 * @returns {{ kind: string, id: string, actor: Actor | null, target: string | null, disposition: string | null, parent: OwnRead | null, units: OwnRead[] }[]}
 */
export function readOwn(text) {
  try {
    const { kind, event_id: id, actor = null, target = null, disposition = null, parent = null, units, children = [] } = JSON.parse(text);
    const read = (/** @type {OwnRead} */ { code, input }) => ({ code, input });
    return [{ kind, id, actor, target, disposition, parent: parent && read(parent), units: (units ?? children).map(read) }];
  } catch {
    return [];
  }
}
