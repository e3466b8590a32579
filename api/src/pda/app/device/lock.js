// One writer of a device across all tabs of its browser (Web Locks). The others wait; they take over
// when the tab that holds it is closed, crashes or is discarded.

/**
 * Becomes the writer as soon as nobody else is, and stays it until `until` is resolved.
 * @param {LockManager} locks
 * @param {string} name
 * @param {{ waits: () => void, writes: () => Promise<void> }} roles `waits` is called when another tab is the writer
 * @returns {Promise<void>}
 */
export async function beWriter(locks, name, { waits, writes }) {
  const got = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock === null) return false;
    await writes();
    return true;
  });
  if (got) return;
  waits();
  await locks.request(name, () => writes());
}
