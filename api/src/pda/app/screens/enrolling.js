// What is done with an enrolment code, by a device out of the box and by one that is enrolled already: whom
// it speaks with, that nothing of an act is in hand, and what is told where it fails.

import { messages, readFrame } from "../core/wire.js";
import { enrol } from "../device/enrol.js";
import { Link } from "../device/link.js";

/** @typedef {import("./session.js").Session} Session */

/** With these the server says that a code is none, or not any more; with others that it cannot tell now. */
const CODE_IS_BAD = [400, 401, 404, 409, 410, 422];

/**
 * Enrols this device with what its QR code says. Who this was writes and sends nothing while that is done.
 * @param {Session} session
 * @param {string} text
 * @returns {Promise<string | null>} the word for what went wrong
 */
export async function enrolled(session, text) {
  const ticket = readFrame(text.trim(), messages.ticket);
  if (!ticket.ok) return "enrol_bad";
  // The app speaks with whom it came from and nobody else; the policy would stop it anyway.
  if (originOf(ticket.message.url) !== location.origin) return "enrol_elsewhere";
  // Goods that were read are stated by who read them, or given up.
  if (session.isActing) return "enrol_task";
  const link = new Link(ticket.message.url);
  const { fingerprint } = ticket.message;
  const authority = fingerprint ? await link.authority() : null;
  // What cannot be compared now is compared before the code is used, later.
  if (authority === "unknown") return "enrol_busy";
  if (authority && authority.sha256 !== fingerprint) return "enrol_fingerprint";
  const told = authority ? `${authority.words_zh} · ${authority.words_en}` : grouped(fingerprint ?? "");
  session.fingerprint = told;
  await session.retire();
  const said = { program: session.program, wall: () => Date.now(), records: { fingerprint: told } };
  const result = await enrol(session.store, link, ticket.message, said);
  await session.start();
  if (result.ok) return null;
  if (result.why === "not_saved") return "enrol_not_saved";
  if (result.why === "lost") return "enrol_lost";
  return CODE_IS_BAD.includes(result.status) ? "enrol_refused" : "enrol_busy";
}

/** Hexadecimal digits as people compare them. @param {string} digits */
const grouped = (digits) => (digits.toUpperCase().match(/.{1,4}/g) ?? []).slice(0, 16).join(" ");

/** @param {string} url */
function originOf(url) {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
}
