// Where one's records are: how many in which state, each with its time, and what has to be looked at;
// and the way out by a file when a network does not come.

import { healedBy } from "../../core/healed.js";
import { picture } from "../../core/outbox/picture.js";
import { saysOf } from "../../core/summary.js";
import { longList } from "../list.js";
import { exported, handIn } from "./hand-in.js";
import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** A file that is brought has at most so many bytes: some hundred pushes. */
const FILE_MAX = 64 * 1024 * 1024;

/** @param {App} app */
export function queueScreen(app) {
  const { driver, drivers, left, verdicts, findings } = app.session;
  if (!driver) return [];
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { outbox } of drivers) {
    for (const [name, spans] of Object.entries(picture(outbox).states)) {
      counts.set(name, spans.reduce((sum, [, first, last]) => sum + last - first + 1, counts.get(name) ?? 0));
    }
  }
  const counted = [...counts].map(([name, count]) => h("li", { "data-state": name }, `${app.say(name)}: ${count}`));
  const before = left.reduce((sum, { outbox }) => sum + outbox.unsent, 0);
  const rows = drivers.flatMap(({ outbox }) => outbox.view.inOrder().map((row) => ({ row, outbox }))).reverse();
  /** @typedef {typeof rows[number]} Kept */
  const state = (/** @type {Kept} */ { row, outbox }) =>
    outbox.damaged.has(row.key) ? "damaged" : outbox.doubted.has(row.key) ? "doubted" : outbox.isSafe(row) ? row.state.is : outbox.disk.row(row.key) ? (outbox.sent.has(row.key) ? "sent" : "durable") : "captured";
  // The server may hold what was sent before it was damaged.
  const isHeld = (/** @type {Kept} */ { row: { key: [epoch, seq] }, outbox: { view } }) => view.covers([epoch, seq]);
  const text = (/** @type {Kept} */ kept) => {
    const { row } = kept;
    const { id, kind, at: made, count } = saysOf(row.text);
    const codes = row.state.is === "needs_attention" ? [...new Set(verdicts.get(id))] : state(kept) === "damaged" ? [isHeld(kept) ? "damaged_held" : "damaged_how"] : [];
    const why = codes.length > 0 ? `：${codes.map((code) => app.say(code)).join(" ")}` : "";
    const gone = healedBy(findings.get(id) ?? []).map(({ code, by }) => `；${app.say("healed")}${app.say(code)}（${app.say(app.knows(`by_${by}`) ? `by_${by}` : "by_entry")}）`);
    const at = new Date(made).toLocaleTimeString(app.settings.lang === "zh" ? "zh-CN" : "en", { hour: "2-digit", minute: "2-digit" });
    return `${at} ${app.say(kind)}${count > 0 ? ` ${count}` : ""} · ${app.say(state(kept))}${why}${[...new Set(gone)].join("")}`;
  };
  const file = h("input", { id: "deposit", type: "file", accept: ".ndjson,application/x-ndjson", change: (event) => void bring(app, event.target) });
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("queue")),
      app.said ? app.told() : null,
      h("ol", { class: "lines" }, counted),
      standing(app),
      before > 0 ? h("p", { class: "told warn", "data-before": before }, `${app.say("left_unsent")} ${before}`) : null,
      h("div", { class: "grid" }, app.button("export", () => save(app)), app.button("back", () => app.back())),
      h("p", {}, h("label", { for: "deposit" }, app.say("deposit")), file),
      rows.length > 0 ? h("h2", {}, app.say("records")) : null,
      longList(rows, text, (kept) => ({ "data-row": state(kept) })),
    ),
  ];
}

/**
 * What the server said last of what it holds of a device.
 * @type {WeakMap<NonNullable<import("../session.js").Session["driver"]>, import("../../core/wire/messages.js").StatusAnswer>}
 */
const held = new WeakMap();

/**
 * Asks the server what it holds of this device. Nobody waits for it: what is known here is shown until it
 * answers, and what it said last stands where it does not.
 * @param {import("../session.js").Session} session
 */
export async function ask(session) {
  const { driver } = session;
  if (!driver || !navigator.onLine) return;
  const outcome = await driver.link.status(driver.identity, driver.outbox.disk.anchor?.text ?? "");
  if (outcome.is !== "answer" || session.driver !== driver) return;
  held.set(driver, outcome.answer);
  session.out.changed();
}

/**
 * What the server holds aside of this device and what needs its user, as numbers: all there is, also
 * what its answer has no room to tell one by one.
 * @param {App} app
 */
function standing(app) {
  const { driver } = app.session;
  const said = driver && held.get(driver);
  if (!said) return null;
  const counts = {
    server_parked: said.parked.length + (said.more_parked ?? 0),
    server_quarantined: said.quarantined.length + (said.more_quarantined ?? 0),
    server_findings: said.findings.length + (said.more_findings ?? 0),
  };
  const lines = Object.entries(counts).map(([name, count]) => h("li", { "data-standing": name }, `${app.say(name)}: ${count}`));
  return h("ol", { class: "lines" }, lines);
}

/** Everything unsent as a file that another device or an office can deposit. @param {App} app */
async function save(app) {
  const { driver, drivers } = app.session;
  if (!driver) return;
  const lines = (await Promise.all(drivers.map(exported))).flat();
  if (lines.length === 0) {
    app.tell({ sound: "tick", words: ["all_sent"] });
    return;
  }
  const address = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" }));
  h("a", { href: address, download: `suyuan-${driver.identity.device}.ndjson` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  app.tell({ sound: "ok", words: ["exported"] });
}

/** A file that another device wrote is handed to the server. @param {App} app @param {EventTarget | null} field */
async function bring(app, field) {
  const file = field instanceof HTMLInputElement ? field.files?.[0] : undefined;
  if (!file) return;
  if (file.size > FILE_MAX) {
    app.tell({ sound: "warn", words: ["too-long"], of: file.name });
    return;
  }
  await app.after(file.text().then(async (text) => app.tell(await handIn(app.session.driver, text))));
}
