// A task: what was scanned, what is wanted next, what was asked; and the stop that fills the screen.

import { DISPOSITIONS } from "../core/commands.js";
import { answerOf, compared, kindOf } from "../core/tasks.js";
import { longList } from "./list.js";
import { h } from "./view.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("../core/tasks/step.js").Input} Input */
/** @typedef {import("../core/tasks/goods.js").Line} Line */
/** @typedef {import("../core/tasks/ask.js").Question} Question */

/** Quantities of goods without codes of their own, as buttons. */
const QUANTITIES = [1, 2, 5, 6, 10, 12, 24, 48];

/** @param {App} app @returns {(input: Input) => unknown} */
const actor = (app) => (input) => app.after(app.session.act(input));

/** @param {App} app */
export function taskScreen(app) {
  const { task } = app.session;
  if (!task) return [];
  const act = actor(app);
  const lines = [...task.goods.lines].reverse();
  const { missing } = compared(task.goods, task.expected);
  const wanted = task.expected ? ` / ${task.expected.units.length} ${app.say("expected")}` : "";
  const total = lines.reduce((sum, line) => sum + line.qty, 0);
  const { first } = kindOf(task.task);
  const prompt = { parent: "scan_first", target: "find_record", disposition: "choose_disposition" };
  const isFirst = task.step === "first" && first !== null;
  // What went wrong is seen at the first step, too.
  const isWarned = app.said?.sound === "warn" || app.said?.sound === "stop";
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say(task.task)),
      isFirst ? h("p", { class: "told", ...(isWarned ? {} : { role: "status" }) }, app.say(prompt[first])) : null,
      isFirst && !isWarned ? null : app.told(),
      isFirst && first === "disposition" ? dispositions(app, act) : null,
      h("p", { class: "count", "data-count": total }, h("span", { class: "of" }, app.say("scanned")), ` ${total}${wanted}`),
      task.step === "question" && task.question ? question(app, task.question, act) : null,
      isLot(task.goods) && task.step !== "question" ? quantities(app, act) : null,
      task.step === "review" ? h("h2", {}, `${app.say("missing_now")} ${missing.length}`) : null,
      task.step === "review" ? longList(missing, (unit) => `□ ${unit}`) : null,
      noted(app, task),
      isFirst || task.step === "question" ? null : offers(app, task, act),
      longList(lines, (line) => lineText(app, line)),
      typing(app),
    ),
    h(
      "nav",
      { class: "actions", "aria-label": app.say(task.task) },
      app.button("cancel", () => act({ do: "cancel" })),
      app.button("undo", () => act({ do: "undo" })),
      app.button("confirm", () => act({ do: "confirm" }), "main"),
    ),
  ];
}

/** Was goods of a lot read last? @param {import("../core/tasks/goods.js").Goods} goods */
function isLot({ lines, changes }) {
  const last = changes[changes.length - 1];
  return last !== undefined && lines[last.index]?.unit === null;
}

/** @param {App} app @param {Line} line */
function lineText(app, line) {
  const { warns = [] } = line;
  const mark = line.override ? "‼" : warns.length > 0 ? "!" : line.surplus ? "+" : "✓";
  // Of a long name the end may not be seen.
  const text = [...warns.map((word) => app.say(word)), app.session.named(line)].join(" · ");
  return `${mark} ${text}${line.unit === null ? ` × ${line.qty}` : ""}`;
}

/** The unit that is judged, where that is not what was typed. @param {App} app @param {import("../core/till.js").Decision} decision */
export const takenFor = (app, { taken_for: unit }) => (unit ? h("p", {}, `${app.say("taken_for")} `, h("span", { class: "code" }, unit.slice(unit.lastIndexOf("/") + 1))) : null);

/** @param {App} app @param {(input: Input) => unknown} act */
const dispositions = (app, act) =>
  h(
    "div",
    { class: "grid" },
    DISPOSITIONS.map((disposition) =>
      app.button(disposition, () => act({ do: "answer", answer: { disposition } })),
    ),
  );

/** @param {App} app @param {(input: Input) => unknown} act */
const quantities = (app, act) =>
  h(
    "section",
    { class: "quantities", "aria-label": app.say("quantity") },
    h("span", {}, app.say("quantity")),
    QUANTITIES.map((quantity) => h("button", { type: "button", "data-do": `qty-${quantity}`, click: () => void act({ do: "quantity", quantity }) }, quantity)),
  );

/** What may be told besides, where somebody wants to. @param {App} app @param {import("../core/tasks/state.js").State} task @param {(input: Input) => unknown} act */
function offers(app, task, act) {
  const { offers: names } = kindOf(task.task);
  if (names.length === 0) return null;
  const buttons = names.map((offer) => {
    const button = app.button(offer, () => act({ do: "offer", offer }));
    if (offer === "complete") button.setAttribute("aria-pressed", String(task.isComplete));
    return button;
  });
  return h("div", { class: "grid offers" }, buttons);
}

/** What was told besides goods. @param {App} app @param {import("../core/tasks/state.js").State} task */
function noted(app, { disposition, counterpart, doc, declared, body, isComplete, accepted, targets }) {
  const to = counterpart && counterpart.type !== "named" ? app.session.places.find(({ id }) => id === counterpart.id)?.name : counterpart?.name;
  const rows = [
    ...app.session.striking.filter(({ id }) => targets.includes(id)).map((act) => `${app.say("strikes")} ${app.actText(act)}`),
    disposition ? app.say(disposition) : null,
    counterpart ? `${app.say("counterpart")} ${to ?? ""}` : null,
    doc ? `${app.say("document")} ${doc.no}` : null,
    declared ? `${app.say("declared")} ${declared}` : null,
    body.receipt ? `${app.say("slip")} ${body.receipt}` : null,
    isComplete ? app.say("all_seen") : null,
    accepted ? `${app.say("accepted")} ${accepted.supervisor}` : null,
  ].flatMap((text) => (text === null ? [] : [h("li", {}, `✓ ${text}`)]));
  return rows.length > 0 ? h("ol", { class: "lines noted" }, rows) : null;
}

/**
 * An item of the standard, asked for once, or what somebody wants to tell.
 * @param {App} app
 * @param {Question} asked
 * @param {(input: Input) => unknown} act
 */
function question(app, asked, act) {
  const { item, said } = asked;
  const { session } = app;
  const left = app.button("skip", () => act({ do: "skip" }));
  if (said === "accepted") {
    return h("section", { class: "question" }, h("p", { class: "told warn" }, app.say(session.badges.hasSupervisor ? "accept_how" : session.badges.nobody)), left);
  }
  const isNumber = said === "temperature" || said === "humidity" || said === "declared";
  const input = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLInputElement) session.words = target.value;
  };
  // Whoever types means something else than what the device suggests.
  const select = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLInputElement && target.value === session.suggested) target.select();
  };
  const field = h("input", { id: "answer", autocomplete: "off", inputmode: isNumber ? "decimal" : "text", value: session.words, input, focus: select });
  const answer = () => {
    const text = session.words.trim();
    const given = text === "" ? null : answerOf(asked, text);
    if (given) return act({ do: "answer", answer: given });
    return text === "" ? act({ do: "skip" }) : app.tell({ sound: "warn", words: ["no_number"], of: text });
  };
  const isWho = said === "counterpart" || said === "counterpart_place";
  return h(
    "section",
    { class: "question" },
    isWho ? partners(app, act) : null,
    h("label", { for: "answer" }, `${app.say("question")} · ${app.say(item !== "receipt" && app.knows(item) ? item : said)}`),
    field,
    h("p", {}, app.button("add", answer, "main", "take_answer"), " ", left),
  );
}

/** Who is known. @param {App} app @param {(input: Input) => unknown} act */
const partners = (app, act) =>
  h(
    "div",
    { class: "grid" },
    app.session.places.slice(0, 30).map(({ type, id, name }) =>
      h("button", { type: "button", "data-partner": id, click: () => void act({ do: "answer", answer: { counterpart: { type, id } } }) }, name),
    ),
  );

/** A code typed by hand is a scan that says so; a camera is one that sees. @param {App} app */
export function typing(app) {
  const field = h("input", { id: "typed", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const add = () => {
    if (!(field instanceof HTMLInputElement) || field.value.trim() === "") return;
    const text = field.value;
    field.value = "";
    app.read(text, "typed");
  };
  field.addEventListener("keydown", (event) => {
    if (event instanceof KeyboardEvent && event.key === "Enter") add();
  });
  const label = app.session.task && app.session.task.task !== "look-up" ? "add" : "look-up";
  const buttons = [app.button("add", add, "", label), " ", app.button("camera", () => app.go("camera"))];
  return h("section", {}, h("label", { for: "typed" }, app.say("type_code")), field, h("p", {}, buttons));
}

/** A stop fills the screen until somebody has seen it. @param {App} app */
export function stopScreen(app) {
  const { task } = app.session;
  if (!task?.held || (task.step !== "stop" && task.step !== "ask")) return [];
  const { line, decision } = task.held;
  const isStop = task.step === "stop";
  const canOverrule = isStop && app.session.badges.hasSupervisor;
  const act = actor(app);
  const input = (/** @type {Event} */ { target }) => {
    if (target instanceof HTMLInputElement) app.session.reason = target.value;
  };
  const reason = h("input", { id: "reason", autocomplete: "off", value: app.session.reason, input });
  // What was said since is behind the stop; what the stop itself says stands in it.
  /** @type {readonly string[]} */
  const reasons = decision.reasons;
  const isSaidSince = app.said && !app.said.words.some((word) => ["stopped", "look_twice", ...reasons].includes(word));
  return [
    h(
      "div",
      { class: isStop ? "stop" : "stop ask", role: "alertdialog", "aria-modal": "true", "aria-labelledby": "stop-title" },
      h("h1", { id: "stop-title" }, isStop ? `✕ ${app.say("stopped")}` : `! ${app.say("look_twice")}`),
      h("ul", {}, decision.reasons.map((word) => h("li", {}, app.say(word)))),
      h("p", {}, line.unit === null && line.gtin === null ? line.code : app.session.named(line)),
      takenFor(app, decision),
      app.button("acknowledge", () => act({ do: "acknowledge" })),
      isStop ? null : app.button("take_anyway", () => act({ do: "confirm" })),
      canOverrule ? h("label", { for: "reason" }, `${app.say("overrule")} · ${app.say("reason")}`) : null,
      canOverrule ? reason : null,
      isStop && !canOverrule ? h("p", {}, app.say(app.session.badges.nobody)) : null,
      isSaidSince ? app.told() : null,
    ),
  ];
}
