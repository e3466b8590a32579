// A log of the storage that begins anew. Where Chromium keeps IndexedDB in LevelDB, a log that was cut in
// the middle of a record by a kill is written on behind the cut; the start after that takes it for damaged
// and throws away all that the app keeps (google/leveldb#1287). A log that is full is put aside in good
// order, with whatever is cut in it. So each start fills it, once and before much is written behind a cut.

/** Its own database: it waits for nobody, and nobody for it. All of an origin share one log. */
const NAME = "suyuan-log";
const STORE = "filling";
/** A log is full with 4 MiB; what is longer than 64 KiB is kept beside it. */
const [PIECES, PIECE_BYTES] = [75, 60_000];

/**
 * Fills the log; only in browsers that may have one. What is left of it is a record of nothing.
 * @param {IDBFactory} factory
 * @param {object} browser its `navigator`: Chromium alone says there what it is
 * @returns {Promise<void>}
 */
export async function freshLog(factory, browser) {
  if (!("userAgentData" in browser)) return;
  const db = await new Promise((/** @type {(db: IDBDatabase) => void} */ resolve, reject) => {
    const request = factory.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  try {
    const tx = db.transaction([STORE], "readwrite");
    const store = tx.objectStore(STORE);
    const piece = new Uint8Array(PIECE_BYTES);
    for (let n = 0; n < PIECES; n += 1) store.put(piece, 0);
    // The one behind the full log makes it a new one.
    store.clear();
    await new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = () => reject(tx.error);
    });
  } finally {
    db.close();
  }
}
