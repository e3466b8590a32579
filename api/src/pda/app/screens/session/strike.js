// Own events that are to be struck: found by the goods they name, and shown before that is stated. Within a turn
// of the session. Fetched with the tools, or when it is wanted.

import { mayStrike } from "../../core/badges.js";
import { readOwn, unitsOf } from "../../core/here.js";

/** @typedef {import("../session.js").Session} Session */

/** @param {Session} session */
const textsOf = ({ drivers }) => drivers.flatMap(({ outbox }) => outbox.view.inOrder()).map(({ text }) => text);

/** What is to be struck, as a person sees it before that is stated. @param {Session} session */
export async function knowTargets(session) {
  const ids = session.task?.targets ?? [];
  const { saysOf } = ids.length > 0 ? await import("../../core/summary.js") : { saysOf: null };
  session.striking = saysOf ? textsOf(session).map((text) => saysOf(text)).filter(({ id }) => ids.includes(id)) : [];
}

/** The last own event that names a unit, by either way a code was typed. @param {Session} session @param {string} unit @param {import("../../core/tasks/step.js").Scan} scan */
export async function strikeLast(session, unit, { goods }) {
  const { out } = session;
  const asked = [unit, goods?.meant?.unit ?? unit];
  const names = (/** @type {import("../../core/here.js").OwnRead} */ read) => Object.values(unitsOf(read)).some((unit) => unit !== null && asked.includes(unit));
  const naming = textsOf(session).flatMap((text) => readOwn(text)).filter(({ kind, units }) => kind !== "retract" && units.some(names));
  const last = naming[naming.length - 1];
  if (!last) return out.told({ sound: "warn", words: ["unknown_here"], of: unit });
  const by = last.actor?.id ?? null;
  if (!mayStrike(by, session.actor)) return out.told({ sound: "stop", words: ["not_yours"], of: by ?? unit });
  await session.step({ do: "targets", events: [last.id] }, false);
  await knowTargets(session);
  if (session.striking.length > 0) out.told({ sound: "ok", words: ["target_found"] });
  return undefined;
}
