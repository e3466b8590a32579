// Whether this app starts with no network: its service worker serves, and every file of it is kept on
// the device. Said to a person only when both are so; what else a device has to hold (its cards) is
// the driver's to say.

/**
 * Resolves when it was looked; never while no service worker serves.
 * @param {{ serviceWorker: { ready: Promise<unknown> }, caches: { match: (path: string) => Promise<unknown> }, files: readonly string[] }} world
 * @returns {Promise<boolean>}
 */
export async function isKept({ serviceWorker, caches, files }) {
  await serviceWorker.ready;
  for (const file of files) {
    if (!(await caches.match(`/app/${file}`))) return false;
  }
  return true;
}
