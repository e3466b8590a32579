// Reads a scanner that types (keyboard wedge): a pure machine over key events with their times.
//
// Told apart from a person by the prefix that the scanner is set to send, and only where none is set
// by speed, for people and scanners overlap there. Keys of a scan are kept from the page; anything
// that could make a code other than it was printed (a key no code has, one swallowed by an input
// method, a code without end) is told as a broken scan, never guessed. It must not know codes.

import { MAX_TEXT } from "./trace-code.js";
import { GS, Keys } from "./scanner/keys.js";

/** @typedef {import("./scanner/keys.js").KeyEvent} KeyEvent */

/**
 * How the scanner is set: what it sends before and after each code, keys and tokens that stand for
 * GS. Times in milliseconds.
 * @typedef {{
 *   prefix: string, suffix: "Enter" | "Tab" | "", gsKeys: readonly string[], gsTokens: readonly string[],
 *   patienceMs: number, averageMs: number, endMs: number, minLength: number,
 * }} Settings
 */

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  // No code holds a caret.
  prefix: "^",
  suffix: "Enter",
  gsKeys: ["F8"],
  gsTokens: ["␝"],
  /** With a prefix: how long to wait for the next key. */
  patienceMs: 1000,
  /** Without one: how fast a scanner is on average, and how long silence ends a code. */
  averageMs: 30,
  endMs: 100,
  minLength: 6,
});

/**
 * Why a scan is broken: a key that no code has, one that an input method swallowed or a held key
 * repeated, no end in time, no end before the next one, too long, no prefix from a scanner that was
 * not set to send it.
 * @typedef {"alien-key" | "lost-key" | "repeated-key" | "no-end" | "run-together" | "too-long" | "no-prefix"} Broken
 *
 * A code was read; `leaked` of its first characters went to the page before it was known for one. Or
 * one was not, and what was seen of it is shown.
 * @typedef {{ is: "scan", text: string, leaked: number } | { is: "broken", why: Broken, text: string, key?: string }} Effect
 *
 * @typedef {{ prevent: boolean, effects: Effect[] }} Taken
 */

/** A burst of keys. @typedef {{ text: string, count: number, startedAt: number, lastAt: number, broken: Broken | null, key?: string, leaked: number }} Burst */

/** How many keys have to follow each other fast before a burst is kept from the page. */
const SURE_AFTER = 3;

export class Scanner {
  /** @param {Partial<Settings>} [settings] */
  constructor(settings = {}) {
    this.settings = { ...DEFAULTS, ...settings };
    this.keys = new Keys(this.settings.suffix, this.settings.gsKeys);
    /** @type {Burst | null} */
    this.burst = null;
    /** Keys without the prefix, which are a person's unless nobody types so fast. @type {Burst | null} */
    this.bare = null;
  }

  /**
   * Takes a key; `prevent` tells whether the page must not see it.
   * @param {KeyEvent} event
   * @returns {Taken}
   */
  take(event) {
    const effects = this.wake(event.at);
    const meaning = this.keys.read(event);
    if (meaning.is === "nothing") return { prevent: false, effects };
    if (this.settings.prefix === "") return this.#byTime(event, meaning, effects);
    if (meaning.is === "character" && meaning.character === this.settings.prefix && !event.repeat) {
      // The code before it lost its end: two in one would be a code nobody printed.
      if (this.burst) effects.push(brokenBy(this.burst, "run-together"));
      this.burst = { text: "", count: 0, startedAt: event.at, lastAt: event.at, broken: null, leaked: 0 };
      return { prevent: true, effects };
    }
    if (!this.burst) return { prevent: this.#endsBare(event, meaning, effects), effects };
    this.#collect(this.burst, event, meaning, effects);
    return { prevent: true, effects };
  }

  /**
   * Whether this key ends the code of a scanner that sends no prefix, as it comes out of its box: it
   * must press no button, and is told.
   * @param {KeyEvent} event
   * @param {import("./scanner/keys.js").Meaning} meaning
   * @param {Effect[]} effects
   */
  #endsBare(event, meaning, effects) {
    const { bare } = this;
    const follows = bare !== null && event.at - bare.lastAt <= this.settings.endMs;
    if (meaning.is === "character" && !event.repeat) {
      this.bare = follows ? bare : { text: "", count: 0, startedAt: event.at, lastAt: event.at, broken: null, leaked: 0 };
      if (this.bare) this.#collect(this.bare, event, meaning, effects);
      return false;
    }
    this.bare = null;
    if (meaning.is !== "end" || !follows || !this.#isFast(bare)) return false;
    effects.push(brokenBy(bare, "no-prefix"));
    return true;
  }

  /**
   * Time passes without a key: what is not finished by now is over.
   * @param {number} now
   * @returns {Effect[]}
   */
  wake(now) {
    const due = this.dueAt();
    const { burst } = this;
    if (!burst || due === null || now < due) return [];
    this.burst = null;
    if (this.settings.prefix !== "") return [brokenBy(burst, "no-end")];
    // Without prefix and suffix, silence is the end; a person's keys are theirs.
    if (!this.#isFast(burst)) return [];
    return this.settings.suffix === "" ? [this.#finished(burst)] : [brokenBy(burst, "no-end")];
  }

  /** When `wake` has to be called at the latest; null while nothing is being read. @returns {number | null} */
  dueAt() {
    if (!this.burst) return null;
    return this.burst.lastAt + (this.settings.prefix === "" ? this.settings.endMs : this.settings.patienceMs);
  }

  /**
   * @param {KeyEvent} event
   * @param {import("./scanner/keys.js").Meaning} meaning
   * @param {Effect[]} effects
   * @returns {Taken}
   */
  #byTime(event, meaning, effects) {
    // What begins a burst is a character; every other key alone is a person's.
    if (!this.burst && (meaning.is !== "character" || event.repeat)) return { prevent: false, effects };
    this.burst ??= { text: "", count: 0, startedAt: event.at, lastAt: event.at, broken: null, leaked: 0 };
    const { burst } = this;
    const isSure = burst.count >= SURE_AFTER && this.#average(burst) <= this.settings.averageMs;
    if (meaning.is === "end" && !this.#isFast(burst)) {
      this.burst = null;
      return { prevent: false, effects };
    }
    if (meaning.is === "character" && !isSure) burst.leaked += 1;
    this.#collect(burst, event, meaning, effects);
    return { prevent: isSure || meaning.is === "end", effects };
  }

  /**
   * @param {Burst} burst
   * @param {KeyEvent} event
   * @param {import("./scanner/keys.js").Meaning} meaning
   * @param {Effect[]} effects
   */
  #collect(burst, event, meaning, effects) {
    burst.lastAt = event.at;
    if (meaning.is === "end") {
      this.burst = null;
      effects.push(burst.broken ? brokenBy(burst, burst.broken) : this.#finished(burst));
      return;
    }
    burst.count += 1;
    if (meaning.is === "character" && burst.text.length < MAX_TEXT) burst.text += meaning.character;
    else if (meaning.is === "character") burst.broken ??= "too-long";
    if (meaning.is === "lost") burst.broken ??= "lost-key";
    if (event.repeat) burst.broken ??= "repeated-key";
    if (meaning.is === "alien" && !burst.broken) {
      burst.broken = "alien-key";
      burst.key = meaning.name;
    }
  }

  /** @param {Burst} burst @returns {Effect} */
  #finished(burst) {
    let { text } = burst;
    for (const token of this.settings.gsTokens) if (token !== "") text = text.replaceAll(token, GS);
    return { is: "scan", text, leaked: burst.leaked };
  }

  /** Milliseconds from key to key. @param {Burst} burst */
  #average(burst) {
    return burst.count < 2 ? 0 : (burst.lastAt - burst.startedAt) / (burst.count - 1);
  }

  /** Whether only a scanner types so. @param {Burst} burst */
  #isFast(burst) {
    return burst.count >= this.settings.minLength && this.#average(burst) <= this.settings.averageMs;
  }
}

/** @param {Burst} burst @param {Broken} why @returns {Effect} */
function brokenBy(burst, why) {
  const cause = burst.broken ?? why;
  return { is: "broken", why: cause, text: burst.text, ...(burst.key === undefined ? {} : { key: burst.key }) };
}
