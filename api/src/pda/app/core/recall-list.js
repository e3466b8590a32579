// The exact list of units that a till must not sell and cannot judge by their code or card: recalled,
// void, destroyed and collected ones, as the first 64 bits of a hash each.
//
// Read from delta-coded chunks as `sync::recall_list` writes them; anything else is refused. Hashes
// are kept as halves of 32 bits, since a browser's numbers have 53: a million units take 9 MB and are
// asked in microseconds. It must not know where chunks come from, or what a till decides.

import { sha256 } from "./chain.js";

/** Why a unit is in the list: one or several, so that none hides another. */
export const MARKS = Object.freeze({ recalled: 1, void: 2, destroyed: 4, collected: 8 });

/** Units of a chunk on average, at most. */
const BUCKET_UNITS = 8192;
/** Most bits that tell a chunk. */
const BITS_MAX = 16;
const HEAD = 11;
const MAGIC = [0x53, 0x59, 0x4c, 0x31]; // SYL1

/** @typedef {"malformed" | "misplaced" | "disordered" | "trailing"} ListFault */

/** @typedef {{ ok: true, list: UnitList } | { ok: false, fault: ListFault, chunk: number }} ReadList */

/**
 * The name of a unit in lists: the first eight bytes of `SHA-256("suyuan-unit-1" ‖ key)` as 16
 * hexadecimal digits.
 * @param {string} key of the unit, as its code prints it
 * @returns {Promise<string>}
 */
export async function unitHash(key) {
  return (await sha256(new TextEncoder().encode(`suyuan-unit-1${key}`))).slice(0, 16);
}

/** Units and why they are stopped, ascending, each once. */
export class UnitList {
  /** @param {number} capacity */
  constructor(capacity) {
    this.size = 0;
    this.high = new Uint32Array(capacity);
    this.low = new Uint32Array(capacity);
    this.bits = new Uint8Array(capacity);
  }

  /**
   * What the list says of a unit: its marks, 0 when it is not in it.
   * @param {string} hash 16 hexadecimal digits
   * @returns {number}
   */
  marks(hash) {
    const high = Number.parseInt(hash.slice(0, 8), 16);
    const low = Number.parseInt(hash.slice(8), 16);
    let [from, to] = [0, this.size];
    while (from < to) {
      const middle = (from + to) >> 1;
      const at = this.high[middle] ?? 0;
      const isBelow = at < high || (at === high && (this.low[middle] ?? 0) < low);
      if (isBelow) from = middle + 1;
      else to = middle;
    }
    return this.high[from] === high && this.low[from] === low && from < this.size ? (this.bits[from] ?? 0) : 0;
  }

  /** All units, ascending: hash and marks. @returns {IterableIterator<[string, number]>} */
  *entries() {
    const digits = (/** @type {number} */ half) => half.toString(16).padStart(8, "0");
    for (let at = 0; at < this.size; at += 1) {
      yield [digits(this.high[at] ?? 0) + digits(this.low[at] ?? 0), this.bits[at] ?? 0];
    }
  }
}

/** Chunks that are no list. */
class NoList extends Error {
  /** @param {ListFault} fault @param {number} chunk */
  constructor(fault, chunk) {
    super(`chunk ${chunk}: ${fault}`);
    this.fault = fault;
    this.chunk = chunk;
  }
}

/**
 * Reads all chunks of a list, in order.
 * @param {readonly Uint8Array[]} chunks
 * @returns {ReadList}
 */
export function readList(chunks) {
  // A unit takes at least one byte, so a list cannot be made to ask for more than it is.
  const list = new UnitList(chunks.reduce((sum, chunk) => sum + Math.max(0, chunk.length - HEAD), 0));
  try {
    chunks.forEach((chunk, index) => readChunk(list, chunk, index, chunks.length));
    if (chunks.length !== 2 ** bitsFor(list.size)) throw new NoList("misplaced", chunks.length);
  } catch (error) {
    if (!(error instanceof NoList)) throw error;
    return { ok: false, fault: error.fault, chunk: error.chunk };
  }
  list.high = list.high.slice(0, list.size);
  list.low = list.low.slice(0, list.size);
  list.bits = list.bits.slice(0, list.size);
  return { ok: true, list };
}

/** How many bits tell the chunks of so many units. @param {number} units */
function bitsFor(units) {
  let bits = 0;
  while (bits < BITS_MAX && units > BUCKET_UNITS * 2 ** bits) bits += 1;
  return bits;
}

/**
 * @param {UnitList} list
 * @param {Uint8Array} chunk
 * @param {number} index
 * @param {number} chunks
 */
function readChunk(list, chunk, index, chunks) {
  if (chunk.length < HEAD || MAGIC.some((byte, at) => chunk[at] !== byte)) throw new NoList("malformed", index);
  const head = new DataView(chunk.buffer, chunk.byteOffset, HEAD);
  const prefixBits = head.getUint8(4);
  if (prefixBits > BITS_MAX) throw new NoList("malformed", index);
  if (2 ** prefixBits !== chunks || head.getUint16(5) !== index) throw new NoList("misplaced", index);
  const units = head.getUint32(7);
  let at = HEAD;
  let [high, low] = [0, 0];
  for (let unit = 0; unit < units; unit += 1) {
    // A number of at most 68 bits in groups of seven, as parts of 28, 28 and 14 bits.
    let [bottom, middle, top] = [0, 0, 0];
    for (let group = 0; ; group += 1) {
      const byte = chunk[at];
      if (byte === undefined || group === 10) throw new NoList("malformed", index);
      at += 1;
      const seven = byte & 0x7f;
      if (group < 4) bottom += seven * 2 ** (7 * group);
      else if (group < 8) middle += seven * 2 ** (7 * (group - 4));
      else top += seven * 2 ** (7 * (group - 8));
      if (byte < 0x80) {
        // No byte more than needed.
        if (byte === 0 && group > 0) throw new NoList("malformed", index);
        break;
      }
    }
    // 16 × the step from the hash before + the marks.
    const marks = bottom & 0xf;
    const stepLow = ((bottom >>> 4) | ((middle & 0xff) << 24)) >>> 0;
    const stepHigh = ((middle >>> 8) | ((top & 0xfff) << 20)) >>> 0;
    const isStep = unit === 0 || stepLow > 0 || stepHigh > 0;
    const sum = low + stepLow;
    low = sum >>> 0;
    high = high + stepHigh + (sum > 0xffffffff ? 1 : 0);
    const isInChunk = prefixBits === 0 || high >>> (32 - prefixBits) === index;
    if (top > 0xfff || marks === 0 || !isStep || high > 0xffffffff || !isInChunk) throw new NoList("disordered", index);
    list.high[list.size] = high;
    list.low[list.size] = low;
    list.bits[list.size] = marks;
    list.size += 1;
  }
  if (at < chunk.length) throw new NoList("trailing", index);
}

/**
 * The list that a manifest names, if these are its chunks, byte for byte. (Whether the manifest is
 * signed was asked before.)
 * @param {import("./wire/messages.js").RecallList} manifest
 * @param {readonly Uint8Array[]} chunks
 * @returns {Promise<{ ok: true, list: UnitList } | { ok: false, fault: ListFault | "other-bytes" | "other-count", chunk: number }>}
 */
export async function openList(manifest, chunks) {
  if (chunks.length !== manifest.chunks.length) return { ok: false, fault: "other-bytes", chunk: chunks.length };
  for (const [at, named] of manifest.chunks.entries()) {
    const chunk = chunks[at] ?? new Uint8Array();
    const isThis = chunk.length === named.bytes && (await sha256(chunk)) === named.hash;
    if (!isThis) return { ok: false, fault: "other-bytes", chunk: at };
  }
  const read = readList(chunks);
  if (read.ok && read.list.size !== manifest.count) return { ok: false, fault: "other-count", chunk: chunks.length };
  return read;
}
