// Who overrules a stop, of the badges of a place (`badges.js`). Wanted when there is a stop only.

/** @typedef {import("./badges.js").Badges} Badges */

/**
 * Why a badge does not overrule a stop; null when it does.
 * @param {Badges} badges
 * @param {string} number
 * @param {import("./event.js").Actor | null} actor who works
 * @returns {Promise<"badge_own" | Badges["nobody"] | "badge_unknown" | "badge_worker" | null>}
 */
export async function notOverruling(badges, number, actor) {
  if (number === actor?.id) return "badge_own";
  if (!badges.hasSupervisor) return badges.nobody;
  const role = await badges.role(number);
  if (role === null) return "badge_unknown";
  return role === "supervisor" ? null : "badge_worker";
}
