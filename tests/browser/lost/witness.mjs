// Somebody who looks over the shoulder of a device: every event that it hands to its storage, whether or
// not that keeps it, and every sound of success. Neither the app nor its storage is asked.

/** Of the sound of success (`screens/sounds.js`), which no other sound has. */
const OK_HERTZ = 1760;

/** In a page: what is put into the outbox, and what is heard. */
function spy(hertz) {
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
    if (this.frequency?.value === hertz) void globalThis.suyuanWitness(null);
    return start.apply(this, given);
  };
}

/** A witness of one device: `watch` and `inits` are for its `hand`. */
export function witness() {
  const made = new Map();
  let heard = 0;
  let [listening, looking] = [() => {}, () => {}];
  const saw = (row) => {
    made.set(row.hash, row);
    looking();
  };
  const sounded = () => {
    heard += 1;
    listening();
  };
  return {
    inits: [[spy, OK_HERTZ]],
    watch: (page) => page.exposeBinding("suyuanWitness", (_, row) => void (row ? saw(row) : sounded())),
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
