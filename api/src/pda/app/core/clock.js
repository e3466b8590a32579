// What time it is by the server, as well as a device can know: for expiry, and the age of lists.
//
// Answers tell the server's time. From then on goes whichever of wall and session clock went further:
// the session's stops while a device sleeps, the wall is set by anybody, and a till that believes it
// is later is the stricter one. Pure; it judges no event (that is the server's business).

/** What is kept over sessions: the server's time in microseconds, and the wall's in milliseconds, when it was told. @typedef {{ server: number, wall: number }} Heard */

/** Gaps between wall and session clock below this are none, in milliseconds. */
export const GAP_MS = 2000;

export class Clock {
  /** @param {Heard | null} heard of an earlier session */
  constructor(heard) {
    this.last = heard;
    /** The session's clock then; null where that was another session. @type {number | null} */
    this.mono = null;
  }

  /**
   * An answer told the server's time.
   * @param {number} server microseconds
   * @param {number} wall milliseconds
   * @param {number} mono milliseconds of this session
   */
  heard(server, wall, mono) {
    this.last = { server, wall };
    this.mono = mono;
  }

  /** Now by the server, in microseconds; by the wall alone before any answer. @param {number} wall @param {number} mono */
  now(wall, mono) {
    if (!this.last) return wall * 1000;
    const byMono = this.mono === null ? 0 : mono - this.mono;
    return this.last.server + Math.max(0, wall - this.last.wall, byMono) * 1000;
  }

  /** How far the wall is ahead of the server, in milliseconds; null before any answer of this session. @param {number} wall @param {number} mono */
  offset(wall, mono) {
    if (!this.last || this.mono === null) return null;
    return wall - (this.last.server / 1000 + Math.max(mono - this.mono, 0));
  }
}

/**
 * Did the session's clock stand still since a moment that was looked at, as it does while a device
 * sleeps? Only asked of a page that was hidden: of one in sight, somebody set the wall.
 * @param {{ wall: number, mono: number }} before
 * @param {{ wall: number, mono: number }} now
 */
export const stoodStill = (before, now) => now.wall - before.wall - (now.mono - before.mono) > GAP_MS;
