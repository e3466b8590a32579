// How a device is enrolled, and enrolled again: with a new key, in one transaction. What is unsent stays
// under the key and in the chain it was made in: that of an earlier life of the same device in its queue,
// that of another device put aside with all that is of it (`left.js`).

import { genesis } from "../core/chain.js";
import { keptAnchor } from "../core/outbox.js";
import { makeKeys, publicKeyOf } from "./new-key.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Identity} Identity */

/** What is of who this was and whom it served: nothing of it goes over. Of another place, cards neither. */
const ANEW = { snapshot: null, pulled: null, task: null, actor: null, over: null, enrolling: null };
const ELSEWHERE = { badges: null, shown: null, handed_over: null };

/** The key that was made for a code. @typedef {{ code: string, keys: CryptoKeyPair }} Enrolling */

/**
 * Makes its key, asks, and keeps who it is with the beginning of its chain. No driver of this device may run
 * meanwhile. A code holds once, for one key: that is kept before it is asked for, so that who lost the answer
 * gets it again, and nobody asks who cannot keep what comes of it.
 * @param {Store} store
 * @param {import("./link.js").Link} link
 * @param {import("../core/wire/messages.js").Ticket} ticket
 * @param {{ program: string, wall: () => number, records?: Record<string, unknown> }} said and records kept with it
 * @returns {Promise<{ ok: true, identity: Identity } | { ok: false, why: "refused" | "lost" | "not_saved", status: number }>}
 */
export async function enrol(store, link, ticket, { program, wall, records: kept = {} }) {
  const before = await store.identity();
  const isKept = (/** @type {Promise<void>} */ written) => written.then(() => true, () => false);
  const notSaved = /** @type {const} */ ({ ok: false, why: "not_saved", status: 0 });
  const made = /** @type {Enrolling | null | undefined} */ (await store.record("enrolling"));
  const keys = made?.code === ticket.code ? made.keys : await makeKeys();
  const enrolling = { code: ticket.code, keys };
  if (!(await isKept(store.commit(null, { records: { enrolling } }, before)))) return notSaved;
  const outcome = await link.enrol({ code: ticket.code, key: await publicKeyOf(keys), program });
  if (outcome.is !== "answer") {
    return { ok: false, why: outcome.is, status: outcome.is === "refused" ? outcome.status : 0 };
  }
  const { device, epoch, enterprise, location, document_prefix: documentPrefix = null, profile, installation, trust_keys: trust, anchor } = outcome.answer;
  const isOther = before !== null && before.device !== device;
  const isElsewhere = before !== null && (before.enterprise !== enterprise || before.location !== location);
  const lives = { ...(isOther ? {} : before?.lives), [epoch]: keys };
  const identity = { device, epoch, enterprise, location, documentPrefix, profile, installation, url: ticket.url, lives, trust };
  const first = keptAnchor(anchor, Math.trunc(wall()) * 1000);
  const write = { id: 0, epoch, genesis: await genesis(device, epoch), anchor: first, cursor: 0, enrol_again: false };
  const records = { ...ANEW, ...(isElsewhere ? ELSEWHERE : {}), ...kept, clock: { server: outcome.answer.t_sent, wall: wall() } };
  const extra = { identity, records, ...(isElsewhere ? { anew: true } : {}), ...(isOther ? { leaves: before } : {}) };
  return (await isKept(store.commit(write, extra, before))) ? { ok: true, identity } : notSaved;
}
