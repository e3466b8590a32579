// An act that is on the disk though nobody may have heard so. Fetched where there may be one.

/** @typedef {import("../session.js").Session} Session */

/**
 * What the last session put on the disk with its last words: its battery was pulled, or the disk kept what
 * it said it had not. Who was told nothing, or the wrong thing, would do it again.
 * @param {Session} session
 * @param {import("../../device/driver.js").Driver} driver
 */
export async function findUnsaid(session, { outbox }) {
  const { store } = session;
  const { unsaid } = store;
  store.unsaid = null;
  const isOfIt = (/** @type {import("../../core/outbox/keys.js").Key} */ [epoch, seq]) => epoch === unsaid?.epoch && seq >= unsaid.first && seq <= unsaid.last;
  const texts = outbox.disk.inOrder().flatMap(({ key, text }) => (isOfIt(key) ? [text] : []));
  const act = texts.length > 0 ? (await import("../../core/summary.js")).actOf(texts) : null;
  if (!act) return;
  session.found = act;
  await session.keep({ found: act }).catch(() => {});
}
