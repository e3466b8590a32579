// The tasks of a device as data: what each states, what it asks first, and what its scans are held
// against.

/** @typedef {import("../event.js").Kind} Kind */
/** @typedef {import("../till.js").Reason} Reason */
/** @typedef {typeof import("../commands.js").OFFERS[number]} Offer */

/**
 * - `kind`: what it states; null when it states nothing.
 * - `first`: what has to be known before goods: a container, the event that is struck, or what is to
 *   become of the goods.
 * - `takesLots`: goods without codes of their own may be counted.
 * - `mayBeEmpty`: it says something without any goods (all of a container).
 * - `offers`: what may be told besides, where somebody wants to.
 * - `stops`: reasons of the till that stop it; `warns`: those that are said and do not.
 * @typedef {{ kind: Kind | null, first: "parent" | "target" | "disposition" | null, takesLots: boolean, mayBeEmpty: boolean,
 *   offers: readonly Offer[], stops: "all" | readonly Reason[], warns: readonly Reason[] }} TaskKind
 */

const UNSOUND = /** @type {const} */ (["recalled", "expired", "void", "destroyed", "collected", "code_contradicts_record"]);

/** @param {Kind} kind @param {Partial<TaskKind>} [more] @returns {TaskKind} */
const goods = (kind, more = {}) => ({
  kind,
  first: null,
  takesLots: true,
  mayBeEmpty: false,
  offers: [],
  stops: [],
  warns: UNSOUND,
  ...more,
});

/** @satisfies {Record<string, TaskKind>} */
export const TASK_KINDS = {
  // It makes nothing sellable that was not (C2): whoever receives it is to put it aside.
  inbound: goods("inbound", { offers: ["counterpart", "document"], warns: [...UNSOUND, "uninspected", "held"] }),
  outbound: goods("outbound", { offers: ["counterpart", "document"], warns: [...UNSOUND, "held", "sold"] }),
  sale: goods("sale", { offers: ["document"], stops: "all", warns: [] }),
  return: goods("return", { offers: ["slip"], warns: ["recalled", "void", "destroyed", "collected"] }),
  // What a recall covers cannot be released; the server would not believe it.
  inspect: goods("inspect", { first: "disposition", stops: ["recalled"], warns: UNSOUND }),
  pack: goods("pack", { first: "parent", offers: ["declared"] }),
  unpack: goods("unpack", { first: "parent", mayBeEmpty: true }),
  count: goods("count", { offers: ["complete", "accept"], warns: ["recalled", "expired"] }),
  collect: goods("collect", { warns: ["destroyed", "collected"] }),
  destroy: goods("destroy", { warns: ["sold", "destroyed"] }),
  retract: goods("retract", { first: "target", takesLots: false, mayBeEmpty: true }),
  "look-up": { kind: null, first: null, takesLots: true, mayBeEmpty: true, offers: [], stops: [], warns: [] },
};

/** @typedef {keyof typeof TASK_KINDS} TaskName */

/** @param {TaskName} name @returns {TaskKind} */
export const kindOf = (name) => TASK_KINDS[name];
