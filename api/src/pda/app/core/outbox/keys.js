// Keys of events and sets of them in the order of the queue.
//
// A device appends at one end and lets go at the other, so a sorted list is fast where it matters.

/** An event of this device: its life and number. @typedef {[epoch: number, seq: number]} Key */

/** @param {Key} a @param {Key} b */
export const compareKeys = (a, b) => a[0] - b[0] || a[1] - b[1];

/** A key as the name of an entry. @param {Key} key */
export const nameOf = (key) => `${key[0]}:${key[1]}`;

/**
 * Entries in order, each once.
 * @template T
 */
export class Sorted {
  /** @param {(a: T, b: T) => number} compare @param {Iterable<T>} [entries] already in order */
  constructor(compare, entries = []) {
    this.compare = compare;
    this.list = [...entries];
  }

  get size() {
    return this.list.length;
  }

  /** The place of the first that is not below `entry`. @param {T} entry */
  lowerBound(entry) {
    let [from, to] = [0, this.list.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.compare(/** @type {T} */ (this.list[middle]), entry) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** @param {T} entry */
  has(entry) {
    const found = this.list[this.lowerBound(entry)];
    return found !== undefined && this.compare(found, entry) === 0;
  }

  /** @param {T} entry */
  add(entry) {
    const at = this.lowerBound(entry);
    const found = this.list[at];
    if (found !== undefined && this.compare(found, entry) === 0) return;
    if (at === this.list.length) this.list.push(entry);
    else this.list.splice(at, 0, entry);
  }

  /** @param {T} entry */
  delete(entry) {
    const at = this.lowerBound(entry);
    const found = this.list[at];
    if (found !== undefined && this.compare(found, entry) === 0) this.list.splice(at, 1);
  }

  /** Takes all that are below `entry` out. @param {T} entry @returns {T[]} */
  takeBelow(entry) {
    return this.list.splice(0, this.lowerBound(entry));
  }

  clear() {
    this.list = [];
  }

  [Symbol.iterator]() {
    return this.list[Symbol.iterator]();
  }
}
