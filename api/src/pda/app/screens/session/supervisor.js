// What a supervisor's badge does: it accepts the difference of a count, and overrules a stop. Within a turn of the
// session. Fetched with the tools, or when it is wanted.

import { notOverruling } from "../../core/overruling.js";

/** @typedef {import("../session.js").Session} Session */

/** A supervisor's badge accepts the difference of a count, whoever counted. @param {Session} session @param {string} badge */
export async function accepted(session, badge) {
  const { badges, out } = session;
  if (!badges.hasSupervisor) return out.told({ sound: "warn", words: [badges.nobody] });
  const role = await badges.role(badge);
  if (role !== "supervisor") return out.told({ sound: "stop", words: [role === null ? "badge_unknown" : "accept_worker"], of: badge });
  return session.step({ do: "accepted", supervisor: badge, by: session.actor?.id ?? null }, true, badge);
}

/** A stop stands, whatever is scanned, until a supervisor's badge overrules it. @param {Session} session @param {string} badge */
export async function overruled(session, badge) {
  const { reason, out } = session;
  const why = await notOverruling(session.badges, badge, session.actor);
  if (why !== null) return out.told({ sound: "stop", words: [why], of: badge });
  if (reason.trim() === "") return out.told({ sound: "stop", words: ["reason_first"] });
  session.reason = "";
  return session.step({ do: "override", supervisor: badge, reason });
}
