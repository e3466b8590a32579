// One step of a task: a scan, a command or an answer gives the next state and what is to be told.
//
// Pure: what a code names and what the till says of it come in with the scan. Whoever drives it keeps
// the new state first and makes the sounds then; drafts are captured as one act, and the task is over
// when they are durable.

import { missing } from "../required.js";
import { adviceOf } from "../till.js";
import { answers, numberOf, offered } from "./ask.js";
import { draftsOf } from "./finish.js";
import * as lines from "./goods.js";
import { kindOf } from "./kinds.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./goods.js").Line} Line */
/** @typedef {import("../till.js").Decision} Decision */

/** @typedef {import("./step-types.js").Scan} Scan */
/** @typedef {import("./step-types.js").Input} Input */
/** @typedef {import("./step-types.js").Answer} Answer */
/** @typedef {import("./step-types.js").Effect} Effect */
/** @typedef {import("./step-types.js").World} World */
/** @typedef {import("./step-types.js").Next} Next */
/** @typedef {import("./step-types.js").Word} Word */

/** The same unit again within this time is one pull of the trigger. */
const SAME_UNIT_MS = 1500;
/** The same lot again within this time likewise; goods of a lot are counted by scanning each. */
const SAME_LOT_MS = 400;

/** @param {State} state @param {...Effect} effects @returns {Next} */
const next = (state, ...effects) => ({ state, effects });
const OK = /** @type {const} */ ({ sound: "ok" });
const TICK = /** @type {const} */ ({ sound: "tick" });
const WARN = /** @type {const} */ ({ sound: "warn" });
const STOP = /** @type {const} */ ({ sound: "stop" });

/**
 * @param {State} state
 * @param {Input} input
 * @param {World} world
 * @returns {Next}
 */
export function step(state, input, world) {
  const after = stepped(state, input, world);
  const isOther = after.state.goods.lines !== state.goods.lines || after.state.isComplete !== state.isComplete;
  // What a supervisor accepted was another difference.
  return state.accepted && isOther
    ? next({ ...after.state, accepted: null }, ...after.effects, { say: "accept_again" })
    : after;
}

/** @param {State} state @param {Input} input @param {World} world @returns {Next} */
function stepped(state, input, world) {
  if (state.step === "done" || state.step === "cancelled") return next(state);
  // A stop has to be seen: until then nothing else is taken.
  if (state.step === "stop" || state.step === "ask") return held(state, input);
  switch (input.do) {
    case "scan":
      return stillAsked(scanned(state, input));
    case "confirm":
      return confirmed(state, world);
    case "undo":
      return undo(state);
    case "cancel":
      return next({ ...state, step: "cancelled" }, { say: "cancelled" });
    case "quantity":
      return quantity(state, input.quantity, world);
    case "at":
      return place(state, input.location);
    case "targets":
      return kindOf(state.task).first === "target" && input.events.length > 0
        ? next({ ...state, targets: input.events, step: "goods" }, OK)
        : next(state, WARN);
    case "answer":
      return answer(state, input.answer, world);
    case "skip":
      return state.question ? skipped(state, state.question, world) : next(state, WARN, { say: "nothing_asked" });
    case "offer":
      return offer(state, input.offer);
    case "accepted":
      return state.question?.said === "accepted"
        ? next({ ...state, accepted: { supervisor: input.supervisor, by: input.by }, question: null, step: "goods" }, OK, { say: "noted" })
        : next(state, WARN, { say: "not_here" });
    case "acknowledge":
    case "override":
      return next(state);
  }
}

/** @param {State} state @param {Scan} scan @returns {Next} */
function scanned(state, scan) {
  const { goods } = scan;
  const isAgain = state.last?.code === scan.code;
  const since = state.last ? scan.at - state.last.at : Infinity;
  const unit = goods?.unit ?? null;
  if (isAgain && since >= 0 && since < (unit === null ? SAME_LOT_MS : SAME_UNIT_MS)) return next(state, TICK);
  const current = { ...state, last: { code: scan.code, at: scan.at } };
  if (!goods) return next(current, WARN, { say: "unreadable", of: scan.code });
  // What is struck or looked up is found by what it names.
  if (state.task === "look-up" || kindOf(state.task).first === "target") {
    return unit === null ? next(current, WARN, { say: "names_no_goods" }) : next(current, TICK, { look_up: unit });
  }
  if (state.step === "first") return first(current, scan, unit);
  // A scan goes on with the goods, whatever is asked on the way, and that stays open.
  const scanning = { ...current, step: going(state), reviewed: false };
  const line = lineOf(scan);
  if (!line) return next(scanning, WARN, { say: "names_no_goods", of: scan.code });
  if (line.unit === null && !kindOf(state.task).takesLots) return next(scanning, WARN, { say: "no_lots_here" });
  if (unit !== null && unit === state.parentUnit) return next(scanning, WARN, { say: "same_as_container" });
  const known = lines.find(scanning.goods, line);
  if (known >= 0 && line.unit !== null) return next(scanning, WARN, { say: "already", of: line.unit });
  return judged(scanning, line, scan.decision, known);
}

/** Nobody should think that a scan was the answer. @param {Next} after @returns {Next} */
const stillAsked = ({ state, effects }) =>
  state.question && effects.some((effect) => "say" in effect) ? next(state, ...effects, { say: "still_asked" }) : next(state, ...effects);

/** Where goods are taken: beside what is asked, if anything is. @param {State} state @returns {import("./step-types.js").Step} */
const going = ({ question }) => (question ? "question" : "goods");

/** What has to be known before goods. @param {State} state @param {Scan} scan @param {string | null} unit @returns {Next} */
function first(state, scan, unit) {
  // They were not taken: read again, they are no second pull of the trigger.
  if (kindOf(state.task).first === "disposition") return next({ ...state, last: null }, WARN, { say: "question", of: "disposition" });
  if (unit === null) return next(state, WARN, { say: "names_no_goods", of: scan.code });
  const parent = { code: scan.code, input: scan.input };
  return next({ ...state, parent, parentUnit: unit, step: "goods" }, OK, { say: "container", of: unit });
}

/** What was read, as a line; null where that is no goods. @param {Scan} scan @returns {Line | null} */
export function lineOf(scan) {
  const unit = scan.goods?.unit ?? null;
  const code = scan.goods?.scanned.code;
  const line = { code: scan.code, input: scan.input, at: scan.at, qty: 1, surplus: false, override: null };
  const gtin = code?.is === "gtin" ? code.gtin : null;
  const lot = scan.goods?.scanned.claims.lot ?? null;
  if (unit !== null) return { ...line, unit, gtin, lot };
  return gtin === null ? null : { ...line, unit, gtin, lot };
}

/** What the till says of goods decides whether they are taken. @param {State} state @param {Line} line @param {Decision | null} decision @param {number} known @returns {Next} */
function judged(state, line, decision, known) {
  const kind = kindOf(state.task);
  const { stops } = kind;
  const reasons = decision?.reasons ?? [];
  const stopping = reasons.filter((reason) => adviceOf(reason) === "stop" && (stops === "all" || stops.includes(reason)));
  if (decision && stopping.length > 0 && !(state.task === "inspect" && state.disposition !== "sellable")) {
    return next({ ...state, step: "stop", held: { line, decision } }, STOP, { say: "stopped", of: decision });
  }
  // A lot was looked at when it came first; asking at every tin of it teaches people not to read.
  if (decision && stops === "all" && decision.advice === "ask" && known < 0) {
    return next({ ...state, step: "ask", held: { line, decision } }, WARN, { say: "look_twice", of: decision });
  }
  const warns = reasons.filter((reason) => kind.warns.includes(reason));
  if (warns.length === 0) return take(state, line);
  const taken = take(state, { ...line, warns });
  return next(taken.state, WARN, ...taken.effects.filter((effect) => !("sound" in effect)), { say: "warned" }, ...warns.map((say) => ({ say })));
}

/** Goods are taken: a new line, or one more of a lot. @param {State} state @param {Line} line @returns {Next} */
function take(state, line) {
  const known = lines.find(state.goods, line);
  const own = state.goods.lines[known];
  if (own && line.unit === null && line.override === null) {
    const more = lines.withQuantity(state.goods, known, own.qty + line.qty, line.warns);
    return next({ ...state, goods: more }, OK, { say: "added", of: { ...own, qty: own.qty + line.qty } });
  }
  const surplus = state.expected !== null && !lines.isExpected(state.expected, line);
  const goods = lines.added(state.goods, { ...line, surplus });
  return next({ ...state, goods }, surplus ? WARN : OK, { say: surplus ? "surplus" : "added", of: { ...line, surplus } });
}

/** Goods are held up: a person decides. @param {State} state @param {Input} input @returns {Next} */
function held(state, input) {
  const { held: goods } = state;
  const free = { ...state, held: null, step: going(state) };
  if (!goods) return next(free);
  if (input.do === "acknowledge" || input.do === "undo" || input.do === "cancel") {
    return next(free, TICK, { say: "dropped", of: goods.line });
  }
  if (state.step === "ask" && input.do === "confirm") return take(free, goods.line);
  if (state.step === "stop" && input.do === "override" && input.supervisor !== "" && input.reason.trim() !== "") {
    const { supervisor, reason } = input;
    const [code = ""] = goods.decision.reasons;
    const override = { code, reason, supervisor, recall: goods.decision.recalls[0] ?? null };
    const taken = take(free, { ...goods.line, override });
    return next(taken.state, WARN, { say: "overruled", of: { ...goods.line, override } });
  }
  return next(state, state.step === "stop" ? STOP : WARN, { say: "screen_first" });
}

/** @param {State} state @returns {Next} */
function undo(state) {
  if (state.question) return next({ ...state, question: null, step: "goods" }, TICK, { say: "undone" });
  const { goods, undone } = lines.undone(state.goods);
  const back = { ...state, goods, reviewed: false, last: null };
  if (undone) return next({ ...back, step: "goods" }, TICK, { say: "undone", of: undone });
  if (kindOf(state.task).first && state.step === "goods") {
    return next({ ...back, parent: null, parentUnit: null, targets: [], disposition: null, step: "first" }, TICK, { say: "undone" });
  }
  return next(state, WARN, { say: "nothing_to_undo" });
}

/** So many of what was read last, or as what is asked. @param {State} state @param {number} wanted @param {World} world @returns {Next} */
function quantity(state, wanted, world) {
  const asked = state.question && numberOf(state.question);
  if (state.question && asked && Number.isInteger(wanted) && wanted > 0) {
    const { said } = state.question;
    return answer(state, asked === "env" ? { env: { [said]: wanted * 10 } } : { declared: wanted }, world);
  }
  const change = state.goods.changes[state.goods.changes.length - 1];
  const line = change && state.goods.lines[change.index];
  const isNumber = Number.isInteger(wanted) && wanted > 0 && wanted <= 1_000_000;
  if (!change || !line || line.unit !== null || !isNumber) return next(state, WARN, { say: "no_quantity" });
  const goods = lines.withQuantity(state.goods, change.index, wanted);
  return next({ ...state, goods, reviewed: false }, OK, { say: "added", of: { ...line, qty: wanted } });
}

/** The place comes first; goods that were read belong to it. @param {State} state @param {string} location @returns {Next} */
function place(state, location) {
  if (state.location === location) return next(state, OK, { say: "place", of: location });
  if (state.goods.lines.length > 0) return next(state, WARN, { say: "wrong_place", of: location });
  return next({ ...state, location }, OK, { say: "place", of: location });
}

/** @param {State} state @param {Answer} given @param {World} world @returns {Next} */
function answer(state, given, world) {
  if (!("disposition" in given)) return answered(state, given, world);
  if (kindOf(state.task).first !== "disposition") return next(state, WARN, { say: "not_here" });
  // Goods were judged by what was to become of them.
  if (state.goods.lines.length > 0) return next(state, WARN, { say: "has_goods" });
  return next({ ...withAnswer(state, given), step: given.disposition ? "goods" : state.step }, OK);
}

/** @param {State} state @param {Answer} answer @returns {State} */
function withAnswer(state, answer) {
  if ("item" in answer) return { ...state, body: { ...state.body, [answer.item]: answer.value } };
  if ("env" in answer) return { ...state, env: { ...state.env, ...answer.env } };
  return { ...state, ...answer };
}

/** The answer to what is asked leads to the next question; what a person asked for, back to the goods. @param {State} state @param {Answer} given @param {World} world @returns {Next} */
function answered(state, given, world) {
  const { question } = state;
  const told = withAnswer(state, given);
  if (!question || !answers(question, given)) return next(told, TICK, { say: "noted" });
  const free = { ...told, question: null, step: /** @type {const} */ ("goods") };
  return question.isOffered ? next(free, OK, { say: "noted" }) : confirmed(free, world);
}

/** What is asked stays open. @param {State} state @param {import("./ask.js").Question} question @param {World} world @returns {Next} */
function skipped(state, question, world) {
  const free = { ...state, question: null, step: /** @type {const} */ ("goods") };
  if (question.isOffered) return next(free, TICK, { say: "left_open" });
  return confirmed({ ...free, skipped: [...state.skipped, question.item] }, world);
}

/** Somebody wants to tell more than the tables ask for. @param {State} state @param {import("./kinds.js").Offer} wanted @returns {Next} */
function offer(state, wanted) {
  if (state.step === "first") return next(state, WARN, { say: "nothing_yet" });
  if (wanted === "complete") {
    if (!kindOf(state.task).offers.includes(wanted)) return next(state, WARN, { say: "not_here" });
    const isComplete = !state.isComplete;
    return next({ ...state, isComplete, reviewed: false }, isComplete ? OK : WARN, { say: isComplete ? "all_seen" : "not_all_seen" });
  }
  const question = offered(state.task, wanted);
  if (!question) return next(state, WARN, { say: "not_here" });
  return next({ ...state, question, step: "question" }, TICK, { say: "question", of: question });
}

/** Done: unless something is missing, which is shown once, or asked for once. @param {State} state @param {World} world @returns {Next} */
function confirmed(state, world) {
  // Once more done: what was asked is left open, as what is missing is.
  if (state.question) return skipped(state, state.question, world);
  const { kind, mayBeEmpty } = kindOf(state.task);
  if (kind === null) return next({ ...state, step: "done" }, { say: "done" });
  const isEmpty = state.goods.lines.length === 0;
  if (state.step === "first" || (isEmpty && !mayBeEmpty && !state.isComplete)) return next(state, WARN, { say: "nothing_yet" });
  const difference = lines.compared(state.goods, state.expected);
  const isShort = difference.missing.length + difference.missingLots.length > 0;
  if (isShort && !state.reviewed) {
    return next({ ...state, step: "review", reviewed: true }, WARN, { say: "missing", of: difference });
  }
  const question = openQuestion(state, world);
  if (question) return next({ ...state, step: "question", question }, TICK, { say: "question", of: question });
  return next({ ...state, step: "done", question: null }, { state: draftsOf(state) }, { say: "done" });
}

/** The first item that is missing and that a person can still tell. @param {State} state @param {World} world */
function openQuestion(state, world) {
  const gtins = state.goods.lines.flatMap((line) => line.gtin ?? []);
  const profiles = new Set(gtins.flatMap((gtin) => world.profileOf(gtin) ?? []));
  const [draft] = draftsOf(state);
  if (!draft) return null;
  // Goods may stand in any of several events of the act.
  const whole = { ...draft, actor: world.actor, ...wholeGoods(state) };
  // Who left the counterpart open is not asked for it again under the name of another table.
  const left = world.rules.filter(({ item, said }) => said !== "body" && state.skipped.includes(item)).map(({ said }) => said);
  const open = missing(whole, world.rules, profiles).filter(({ item, said }) => {
    const isAsked = !["actor", "goods", "lots", "target", "parent"].includes(said);
    return isAsked && !state.skipped.includes(item) && !left.includes(said);
  });
  const [first] = open;
  return first ? { item: first.item, said: first.said } : null;
}

/** @param {State} state */
const wholeGoods = ({ goods }) => ({
  units: goods.lines.flatMap(({ unit, code, input }) => (unit === null ? [] : [{ code, input }])),
  lots: goods.lines.flatMap(({ unit, gtin, lot, qty }) => (unit === null ? [{ gtin: gtin ?? "", lot, qty }] : [])),
});
