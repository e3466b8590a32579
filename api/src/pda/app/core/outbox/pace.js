// How much to send and when: batches sized for round trips of five seconds, and back-off. In whole
// numbers, so that two implementations agree.

export const BATCH_MIN = 10;
export const BATCH_MAX = 500;
/** What a round trip should take, in milliseconds. */
export const ROUND_TRIP_MS = 5_000;
/** An answer later than this is lost, in milliseconds. */
export const FLIGHT_MS = 30_000;

const FIRST_BATCH = 100;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
const NO_CREDIT_WAIT_MS = 5_000;
/** No server has a device wait longer than this, in seconds. */
const LONGEST_TOLD_S = 3_600;

/** The pace of an outbox in this session. */
export class Pace {
  constructor() {
    /** How many events the next batch may have. */
    this.size = FIRST_BATCH;
    /** How many attempts failed since the last that did not. */
    this.failures = 0;
    /** Nothing is sent before. */
    this.notBefore = 0;
    /** The server said that it wants nothing before, so waking up does not change that. */
    this.toldUntil = 0;
    /** How often something was refused for what it is, since nothing is. */
    this.refusals = 0;
    /** What is refused waits until then, */
    this.again = 0;
    /** but has so many turns since the device woke. */
    this.turns = 0;
  }

  /** An attempt brought something forward. @param {number} count @param {number} took milliseconds */
  wentWell(count, took) {
    const fits = Math.floor((ROUND_TRIP_MS * count) / Math.max(took, 1));
    this.size = Math.min(Math.max(fits, BATCH_MIN), BATCH_MAX);
    this.failures = 0;
    this.notBefore = 0;
    this.toldUntil = 0;
  }

  /** An attempt brought nothing forward. @param {number} now @param {number} jitter */
  failed(now, jitter) {
    this.failures += 1;
    this.notBefore = now + wait(this.failures, jitter);
    this.toldUntil = 0;
  }

  /** Something is refused for what it is. The rest hardly waits for it. @param {number} now @param {number} jitter */
  refused(now, jitter) {
    this.refusals += 1;
    const waits = wait(this.refusals, jitter);
    this.again = now + waits;
    this.notBefore = Math.max(this.notBefore, now + Math.min(waits, ROUND_TRIP_MS));
  }

  /** What is sent takes too long or gets lost: less of it. */
  slower() {
    this.size = Math.max(Math.floor(this.size / 2), BATCH_MIN);
  }

  /** A frame of so many events is refused: half of them, down to one. @param {number} count */
  split(count) {
    this.size = Math.max(Math.floor(count / 2), 1);
  }

  /** The server said how many events it takes, and when. @param {number} now @param {number} jitter @param {number} credit @param {number | null} retryAfter */
  told(now, jitter, credit, retryAfter) {
    if (credit > 0) this.size = Math.min(this.size, credit);
    if (retryAfter === null && credit > 0) return;
    const waits = retryAfter === null ? NO_CREDIT_WAIT_MS : Math.min(retryAfter, LONGEST_TOLD_S) * 1_000;
    // Devices told the same do not come back in the same moment.
    const spread = Math.floor((Math.floor(waits / 4) * Math.min(jitter, 1_000)) / 1_000);
    this.toldUntil = now + waits + spread;
    // Who is told the same again and again asks more and more rarely.
    this.notBefore = Math.max(this.notBefore, this.toldUntil);
  }

  /** Something promises better luck. @param {number} now @param {number} refused */
  wake(now, refused) {
    this.notBefore = Math.min(this.notBefore, Math.max(now, this.toldUntil));
    this.turns = refused;
  }
}

/**
 * From half to all of a second doubled with every failure, at most five minutes.
 * @param {number} failures
 * @param {number} jitter 0 to 1000
 */
export function wait(failures, jitter) {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 16), LONGEST_WAIT_MS);
  return longest / 2 + Math.floor(((longest / 2) * Math.min(jitter, 1_000)) / 1_000);
}
