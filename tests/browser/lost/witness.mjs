// Somebody who looks over the shoulder of a device: every event that it hands to its storage, whether or
// not that keeps it, and every sound. Neither the app nor its storage is asked.

import { until } from "../shift/office.mjs";

/** The sound of success, and that of a failure, as `screens/sounds.js` makes them; no other sound is as high, or as low. */
export const [OK_HERTZ, STOP_HERTZ] = [1760, 180];
/** A device on a busy machine has answered a scan by then, or something is wrong; in seconds. */
const ANSWER_S = 60;

/** In a page: what is put into the outbox, and what is heard. */
function spy() {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === "rows") {
      const [{ text, hash }, [epoch, seq]] = given;
      void globalThis.suyuanWitness({ epoch, seq, text, hash });
    }
    return put.apply(this, given);
  };
  const { AudioScheduledSourceNode: sounding } = globalThis;
  const { start } = sounding.prototype;
  sounding.prototype.start = function (...given) {
    if (this.frequency) void globalThis.suyuanWitness(this.frequency.value);
    return start.apply(this, given);
  };
}

/** A witness of one device: `watch` and `inits` are for its `hand`. */
export function witness() {
  const made = new Map();
  const sounds = [];
  let heard = 0;
  let [listening, looking] = [() => {}, () => {}];
  const saw = (row) => {
    made.set(row.hash, row);
    looking();
  };
  const sounded = (hertz) => {
    sounds.push(hertz);
    if (hertz !== OK_HERTZ) return;
    heard += 1;
    listening();
  };
  return {
    inits: [[spy]],
    watch: (page) => page.exposeBinding("suyuanWitness", (_, what) => void (typeof what === "number" ? sounded(what) : saw(what))),
    /**
     * Scans what `it` can do something with, and waits for the answer, however long that takes: what is heard
     * then is of this scan and no other.
     */
    async answered(it, text) {
      const from = sounds.length;
      await it.scan(text);
      await until(`an answer to ${text}`, () => sounds.length > from, ANSWER_S);
      // What is said in the same breath is heard before this comes back.
      await it.page.evaluate(() => new Promise((done) => setTimeout(done)));
      return sounds.slice(from);
    },
    /** A row was found on the device, after its last words were cut off. */
    saw,
    /** Events, by their hashes. */
    made: () => [...made.values()],
    /** The very moment the next event is handed over. */
    put: () => new Promise((resolve) => (looking = resolve)),
    /** How often success was heard. */
    heard: () => heard,
    /** The very moment of the next. */
    sound: () => new Promise((resolve) => (listening = resolve)),
  };
}
