// A QR code (ISO/IEC 18004) for a text: byte mode in UTF-8, error correction M, the smallest version
// that holds it, the mask with the least penalty.
//
// For printed sheets and for what one device shows another; nothing is asked of anybody else. Pure.

/** Check bytes of a block, and blocks, by version at level M. */
const CHECKS = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24];
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10];
const VERSION_MAX = 15;
/** Level M as it stands in a symbol. */
const LEVEL = 0;

/** @typedef {{ size: number, dark: (x: number, y: number) => boolean }} Matrix */

/**
 * The symbol of a text; null of one that is too long (about 400 bytes).
 * @param {string} text
 * @returns {Matrix | null}
 */
export function qrOf(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= VERSION_MAX && bytes.length > capacity(version)) version += 1;
  if (version > VERSION_MAX) return null;
  const grid = new Grid(version * 4 + 17);
  drawPatterns(grid, version);
  drawBytes(grid, withChecks(dataOf(bytes, version), version));
  let [best, least] = [0, Infinity];
  for (let mask = 0; mask < 8; mask += 1) {
    invert(grid, mask);
    drawFormat(grid, mask);
    const penalty = penaltyOf(grid);
    if (penalty < least) [best, least] = [mask, penalty];
    invert(grid, mask);
  }
  invert(grid, best);
  drawFormat(grid, best);
  return { size: grid.size, dark: (x, y) => grid.is(x, y) };
}

/** Modules of a symbol; those of its patterns carry no data. */
class Grid {
  /** @param {number} size */
  constructor(size) {
    this.size = size;
    this.dark = new Uint8Array(size * size);
    this.taken = new Uint8Array(size * size);
  }

  /** @param {number} x @param {number} y */
  is(x, y) {
    return this.dark[y * this.size + x] === 1;
  }

  /** @param {number} x @param {number} y */
  isTaken(x, y) {
    return this.taken[y * this.size + x] === 1;
  }

  /** @param {number} x @param {number} y @param {boolean} dark */
  set(x, y, dark) {
    this.dark[y * this.size + x] = dark ? 1 : 0;
  }

  /** A module of a pattern. @param {number} x @param {number} y @param {boolean} dark */
  take(x, y, dark) {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
    this.set(x, y, dark);
    this.taken[y * this.size + x] = 1;
  }
}

/** Bytes of data and checks together. @param {number} version */
function bytesOf(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const marks = Math.floor(version / 7) + 2;
    modules -= (25 * marks - 10) * marks - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

/** @param {number} version */
const dataBytes = (version) => bytesOf(version) - (CHECKS[version] ?? 0) * (BLOCKS[version] ?? 0);

/** Bytes of text it holds. @param {number} version */
const capacity = (version) => dataBytes(version) - (version < 10 ? 2 : 3);

/** Mode, length, text and padding. @param {Uint8Array} bytes @param {number} version */
function dataOf(bytes, version) {
  /** @type {number[]} */
  const bits = [];
  const add = (/** @type {number} */ value, /** @type {number} */ count) => {
    for (let at = count - 1; at >= 0; at -= 1) bits.push((value >>> at) & 1);
  };
  add(4, 4);
  add(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) add(byte, 8);
  const whole = dataBytes(version) * 8;
  add(0, Math.min(4, whole - bits.length));
  add(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < whole; pad ^= 0xec ^ 0x11) add(pad, 8);
  const data = new Uint8Array(bits.length / 8);
  for (const [at, bit] of bits.entries()) data[at >> 3] = (data[at >> 3] ?? 0) | (bit << (7 - (at & 7)));
  return data;
}

/** Blocks with their checks, interleaved. @param {Uint8Array} data @param {number} version */
function withChecks(data, version) {
  const [count, checks] = [BLOCKS[version] ?? 1, CHECKS[version] ?? 0];
  const long = data.length % count;
  const short = Math.floor(data.length / count);
  const divisor = divisorOf(checks);
  const blocks = [];
  for (let block = 0, from = 0; block < count; block += 1) {
    const size = short + (block >= count - long ? 1 : 0);
    const part = data.subarray(from, from + size);
    blocks.push({ part, rest: remainder(part, divisor) });
    from += size;
  }
  /** @type {number[]} */
  const woven = [];
  for (let at = 0; at <= short; at += 1) for (const { part } of blocks) if (at < part.length) woven.push(part[at] ?? 0);
  for (let at = 0; at < checks; at += 1) for (const { rest } of blocks) woven.push(rest[at] ?? 0);
  return woven;
}

/** In the field of 256 elements of QR codes. @param {number} a @param {number} b */
function times(a, b) {
  let product = 0;
  for (let at = 7; at >= 0; at -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> at) & 1) * a;
  }
  return product;
}

/** The generator of so many check bytes. @param {number} degree */
function divisorOf(degree) {
  const result = new Uint8Array(degree);
  result[degree - 1] = 1;
  for (let n = 0, root = 1; n < degree; n += 1, root = times(root, 2)) {
    for (let at = 0; at < degree; at += 1) result[at] = times(result[at] ?? 0, root) ^ (result[at + 1] ?? 0);
  }
  return result;
}

/** @param {Uint8Array} data @param {Uint8Array} divisor */
function remainder(data, divisor) {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    for (let at = 0; at < rest.length; at += 1) rest[at] = (rest[at] ?? 0) ^ times(divisor[at] ?? 0, factor);
  }
  return rest;
}

/** @param {Grid} grid @param {number} version */
function drawPatterns(grid, version) {
  const { size } = grid;
  for (let at = 0; at < size; at += 1) {
    grid.take(6, at, at % 2 === 0);
    grid.take(at, 6, at % 2 === 0);
  }
  for (const [x, y] of /** @type {const} */ ([[3, 3], [size - 4, 3], [3, size - 4]])) square(grid, x, y, 4);
  const marks = marksOf(version, size);
  for (const x of marks) {
    for (const y of marks) {
      const isCorner = (x === 6 && y === 6) || (x === 6 && y === size - 7) || (x === size - 7 && y === 6);
      if (!isCorner) square(grid, x, y, 2);
    }
  }
  drawFormat(grid, 0);
  if (version < 7) return;
  let rest = version;
  for (let n = 0; n < 12; n += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let n = 0; n < 18; n += 1) {
    const dark = ((bits >>> n) & 1) === 1;
    const [a, b] = [size - 11 + (n % 3), Math.floor(n / 3)];
    grid.take(a, b, dark);
    grid.take(b, a, dark);
  }
}

/** Rings round a module: a corner's pattern with its quiet ring (4), or an alignment mark (2). @param {Grid} grid @param {number} x @param {number} y @param {number} reach */
function square(grid, x, y, reach) {
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const ring = Math.max(Math.abs(dx), Math.abs(dy));
      grid.take(x + dx, y + dy, reach === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
    }
  }
}

/** Where alignment marks stand. @param {number} version @param {number} size */
function marksOf(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const marks = [6];
  for (let at = size - 7; marks.length < count; at -= step) marks.splice(1, 0, at);
  return marks;
}

/** Level and mask, twice. @param {Grid} grid @param {number} mask */
function drawFormat(grid, mask) {
  const data = (LEVEL << 3) | mask;
  let rest = data;
  for (let n = 0; n < 10; n += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
  const bits = ((data << 10) | rest) ^ 0x5412;
  const dark = (/** @type {number} */ n) => ((bits >>> n) & 1) === 1;
  const { size } = grid;
  for (let n = 0; n <= 5; n += 1) grid.take(8, n, dark(n));
  grid.take(8, 7, dark(6));
  grid.take(8, 8, dark(7));
  grid.take(7, 8, dark(8));
  for (let n = 9; n < 15; n += 1) grid.take(14 - n, 8, dark(n));
  for (let n = 0; n < 8; n += 1) grid.take(size - 1 - n, 8, dark(n));
  for (let n = 8; n < 15; n += 1) grid.take(8, size - 15 + n, dark(n));
  grid.take(8, size - 8, true);
}

/** Up and down in columns of two, from the right. @param {Grid} grid @param {readonly number[]} bytes */
function drawBytes(grid, bytes) {
  const { size } = grid;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const isUp = ((right + 1) & 2) === 0;
    for (let n = 0; n < size; n += 1) {
      const y = isUp ? size - 1 - n : n;
      for (const x of [right, right - 1]) {
        if (grid.isTaken(x, y) || at >= bytes.length * 8) continue;
        grid.set(x, y, (((bytes[at >> 3] ?? 0) >>> (7 - (at & 7))) & 1) === 1);
        at += 1;
      }
    }
  }
}

/** @type {readonly ((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** Twice is as before. @param {Grid} grid @param {number} mask */
function invert(grid, mask) {
  const isMasked = MASKS[mask] ?? (() => false);
  for (let y = 0; y < grid.size; y += 1) {
    for (let x = 0; x < grid.size; x += 1) if (!grid.isTaken(x, y) && isMasked(x, y)) grid.set(x, y, !grid.is(x, y));
  }
}

/** How hard it would be to read: the standard's four rules. @param {Grid} grid */
function penaltyOf(grid) {
  const { size } = grid;
  let [penalty, dark] = [0, 0];
  for (const isRow of [true, false]) {
    for (let a = 0; a < size; a += 1) {
      let line = "";
      for (let b = 0; b < size; b += 1) line += (isRow ? grid.is(b, a) : grid.is(a, b)) ? "1" : "0";
      for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
      for (let at = 0; at + 11 <= size; at += 1) {
        const part = line.slice(at, at + 11);
        if (part === "10111010000" || part === "00001011101") penalty += 40;
      }
    }
  }
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (grid.is(x, y)) dark += 1;
      if (x === 0 || y === 0) continue;
      const one = grid.is(x, y);
      if (one === grid.is(x - 1, y) && one === grid.is(x, y - 1) && one === grid.is(x - 1, y - 1)) penalty += 3;
    }
  }
  return penalty + Math.floor(Math.abs((dark * 100) / (size * size) - 50) / 5) * 10;
}
