// Who works here, and who may overrule: badges as the enterprise registered them for this place, known
// by their hashes. It must not know where the list comes from, nor what is shown.
//
// - No list: the place never had a badge. Any badge works, and nobody may overrule.
// - A list: what is not in it does not work, and only its supervisors overrule a stop, never the one's
//   own who works, and strike what another stated.

import { badgeHash } from "./wire.js";

/** @typedef {import("./event.js").Actor} Actor */
/** @typedef {"worker" | "supervisor"} Role */
/** The list as it is kept. @typedef {{ version: string, badges: readonly { badge: string, role: string }[] }} Kept */

export class Badges {
  /** @param {string} enterprise @param {Kept | null} kept @param {boolean} [isTold] whether that is what the server says */
  constructor(enterprise, kept, isTold = true) {
    this.enterprise = enterprise;
    this.isSet = kept !== null;
    /** @type {Map<string, Role>} */
    this.roles = new Map((kept?.badges ?? []).map(({ badge, role }) => [badge, role === "supervisor" ? "supervisor" : "worker"]));
    this.hasSupervisor = [...this.roles.values()].includes("supervisor");
    /** The word for why nobody may overrule, where nobody is known who may. @type {"no_supervisor" | "badge_unchecked"} */
    this.nobody = isTold ? "no_supervisor" : "badge_unchecked";
  }

  /** What a badge may do; null for one that is not on the list, or was withdrawn. @param {string} number @returns {Promise<Role | null>} */
  async role(number) {
    return this.isSet ? (this.roles.get(await badgeHash(this.enterprise, number)) ?? null) : null;
  }

  /** Who acts by a badge; null when it does not work here. @param {string} number @returns {Promise<Actor | null>} */
  async actor(number) {
    const role = await this.role(number);
    if (this.isSet && role === null) return null;
    return { id: number, proof: "badge", ...(role === "supervisor" ? { supervisor: true } : {}) };
  }
}

/**
 * May somebody strike what another stated (sync.md C10)?
 * @param {string | null} by who stated it
 * @param {Actor | null} actor
 */
export const mayStrike = (by, actor) => actor?.supervisor === true || by === (actor?.id ?? null);
