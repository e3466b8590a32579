// What a task knows of itself, what happens to it and what comes of that, in the words of `step.js`. Types only, in a file that nothing
// loads, so that the first load has none of it.

/** @typedef {import("./kinds.js").TaskName} TaskName */
/** @typedef {import("./ask.js").Question} Question */
/** @typedef {import("../till.js").Decision} Decision */

/**
 * A code that was read: what it names (null when it cannot be read), and what the till says of it.
 * @typedef {{ do: "scan", code: string, input: import("../event.js").Input, at: number,
 *   goods: import("../till.js").Goods | null, decision: Decision | null }} Scan
 *
 * @typedef {Scan
 *   | { do: "confirm" } | { do: "undo" } | { do: "cancel" } | { do: "acknowledge" }
 *   | { do: "override", supervisor: string, reason: string }
 *   | { do: "quantity", quantity: number }
 *   | { do: "at", location: string }
 *   | { do: "targets", events: readonly string[] }
 *   | { do: "answer", answer: Answer }
 *   | { do: "skip" }
 *   | { do: "offer", offer: import("./kinds.js").Offer }
 *   | { do: "accepted", supervisor: string, by: string | null }} Input
 *
 * What a person says of the act as a whole.
 * @typedef {{ doc: State["doc"] } | { counterpart: State["counterpart"] } | { env: State["env"] }
 *   | { disposition: State["disposition"] } | { declared: number | null } | { item: string, value: unknown }} Answer
 *
 * What is to be told. A sound that says "safe" is made when the state is kept.
 * @typedef {{ sound: "ok" | "tick" | "warn" | "stop" } | { say: Word, of?: unknown } | { look_up: string }
 *   | { state: import("./finish.js").Draft[] }} Effect
 *
 * @typedef {"added" | "already" | "surplus" | "container" | "unreadable" | "names_no_goods" | "no_lots_here" | "warned"
 *   | "stopped" | "look_twice" | "dropped" | "overruled" | "undone" | "nothing_to_undo" | "nothing_yet" | "missing"
 *   | "question" | "wrong_place" | "place" | "same_as_container" | "no_quantity" | "screen_first" | "has_goods"
 *   | "done" | "cancelled" | "not_here" | "nothing_asked" | "still_asked" | "left_open" | "noted" | "all_seen" | "not_all_seen"
 *   | "accept_again" | import("../till.js").Reason} Word
 *
 * What a task has to know of the world: the rules, and the profile a product falls under.
 * @typedef {{ rules: readonly import("../required.js").Rule[], profileOf: (gtin: string) => string | null,
 *   actor: import("../event.js").Actor | null }} World
 *
 * @typedef {{ state: State, effects: Effect[] }} Next
 */

/**
 * - `first`: container, struck event or disposition are wanted; `goods`: scans are taken.
 * - `stop`: a stop fills the screen, nothing else is taken; `ask`: somebody has to look twice.
 * - `review`: what is missing is shown before it is stated; `question`: an item is asked for.
 * - `done` and `cancelled` take nothing any more.
 * @typedef {"first" | "goods" | "stop" | "ask" | "review" | "question" | "done" | "cancelled"} Step
 */

/**
 * `accepted` names the supervisor who accepts the difference a count shows, and who counted.
 * @typedef {{
 *   task: TaskName, step: Step, location: string | null, goods: import("./goods.js").Goods,
 *   expected: import("./goods.js").Expected | null, parent: import("../event.js").UnitRead | null,
 *   parentUnit: string | null, targets: readonly string[], counterpart: import("../event.js").Counterpart | null,
 *   doc: { no: string, at?: string | null } | null, env: { temperature?: number | null, humidity?: number | null } | null,
 *   disposition: "sellable" | "hold" | "destroy" | null, declared: number | null, body: Readonly<Record<string, unknown>>,
 *   isComplete: boolean, accepted: { supervisor: string, by: string | null } | null, held: { line: import("./goods.js").Line, decision: Decision } | null,
 *   question: Question | null, skipped: readonly string[], reviewed: boolean,
 *   last: { code: string, at: number } | null,
 * }} State
 */

export {};
