// Background Sync: the browser is asked to call when there is a network, so that a page out of sight,
// whose timers a browser holds back, sends what is unsent at once.

/** The name it is asked for under. */
export const UNSENT = "suyuan-unsent";
/** While uploads fail with the app open, it is asked for no more often than this, in milliseconds. */
const ASK_EVERY_MS = 300_000;

export class Sync {
  /** @param {Promise<unknown> | null} ready the service worker, once it serves; null where there is none */
  constructor(ready) {
    /** @type {any} */
    this.registration = null;
    this.asked = -Infinity;
    void ready?.then(
      (registration) => (this.registration = registration),
      () => {},
    );
  }

  /**
   * Something is left unsent and the page may go: at once, since the page may be gone in a moment.
   */
  ask() {
    // Some have none, some forbid it; then it is sent when the app is open again.
    void this.registration?.sync?.register(UNSENT).catch(() => {});
  }

  /** An upload failed. A server that is down must not be asked in a circle. @param {number} now */
  failed(now) {
    if (now - this.asked < ASK_EVERY_MS) return;
    this.asked = now;
    this.ask();
  }
}
