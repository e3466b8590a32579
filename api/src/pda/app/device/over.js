// Whether this device has to be enrolled again, as the server says: it is asked once more before anything
// is told, since somebody on the way may refuse a call, too.

/** @typedef {import("./driver.js").Driver} Driver */

/**
 * Why: its key was revoked or replaced, the server does not know its key, or (as the outbox finds it by a
 * receipt) there is a second copy of it.
 * @typedef {"revoked" | "unknown" | "copy"} Over
 */

/**
 * A pull was refused: why the device has to be enrolled again; undefined where nobody says so.
 * @param {Driver} driver
 * @returns {Promise<Over | undefined>}
 */
export async function overBy(driver) {
  const outcome = await driver.link.status(driver.identity, driver.outbox.disk.anchor?.text ?? "");
  if (outcome.is === "answer") return outcome.answer.re_enrol ? "revoked" : undefined;
  return outcome.is === "refused" && outcome.code === "device-not-known" ? "unknown" : undefined;
}
