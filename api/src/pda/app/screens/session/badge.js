// What a badge does: it tells who works, and takes over at the end of a shift; a supervisor's does more. Who may
// what, `core/badges.js` says. Within a turn of the session.

/** @typedef {import("../session.js").Session} Session */

/**
 * Whose badge was withdrawn works no more, and whose role changed has another. What is open is finished
 * in the name of who began it.
 * @param {Session} session
 */
export async function knowActor(session) {
  const { actor } = session;
  if (!actor || session.task) return;
  const known = await session.badges.actor(actor.id);
  if (known && known.supervisor === actor.supervisor) return;
  session.actor = known;
  await session.keep({ actor: known });
  if (!known) session.out.told({ sound: "warn", words: ["badge_unknown"], of: actor.id });
}

/** A badge tells who works now; at a stop, who overrules it. @param {Session} session @param {string} badge */
export async function badged(session, badge) {
  const { task, out } = session;
  if (task?.step === "stop") return (await import("./supervisor.js")).overruled(session, badge);
  if (task?.question?.said === "accepted") return (await import("./supervisor.js")).accepted(session, badge);
  const actor = await session.badges.actor(badge);
  if (!actor) return out.told({ sound: "stop", words: ["badge_unknown"], of: badge });
  if (session.isHandingOver && session.actor && badge !== session.actor.id && session.unsent > 0) return handedOver(session, badge);
  // What is about to be struck was judged by who is at work.
  if (session.task && session.task.targets.length > 0 && badge !== session.actor?.id) {
    return out.told({ sound: "warn", words: ["screen_first"] });
  }
  session.actor = actor;
  await session.keep({ actor });
  out.told({ sound: "ok", words: [actor.supervisor ? "who_supervisor" : "who"], ...(session.isPulled ? {} : { why: "badge_unchecked" }), of: badge });
  return undefined;
}

/** The shift is over. @param {Session} session @param {string | null} supervisor who takes over what is unsent */
export async function handedOver(session, supervisor) {
  const handOver = await import("../tools/hand-over.js");
  return handOver.handedOver(session, supervisor);
}
