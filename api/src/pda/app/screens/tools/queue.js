// Where one's records are: how many in which state, each with its time, and what has to be looked at;
// and the way out by a file when a network does not come.

import { picture } from "../../core/outbox.js";
import { madeAt } from "../../core/standing.js";
import { longList } from "../list.js";
import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** A file that is brought has at most so many bytes: some hundred pushes. */
const FILE_MAX = 64 * 1024 * 1024;

/** @param {App} app */
export function queueScreen(app) {
  const { driver, verdicts } = app.session;
  if (!driver) return [];
  const { outbox } = driver;
  const counted = Object.entries(picture(outbox).states).map(([name, spans]) => {
    const count = spans.reduce((sum, [, first, last]) => sum + last - first + 1, 0);
    return h("li", { "data-state": name }, `${app.say(name)}: ${count}`);
  });
  const rows = outbox.view.inOrder().reverse();
  const state = (/** @type {import("../../core/outbox/disk.js").Row} */ row) =>
    row.state.is !== "durable" ? row.state.is : outbox.disk.row(row.key) ? (outbox.sent.has(row.key) ? "sent" : "durable") : "captured";
  const text = (/** @type {import("../../core/outbox/disk.js").Row} */ row) => {
    const { id, kind, count } = saysOf(row.text);
    const why = row.state.is === "needs_attention" ? ` ${(verdicts.get(id) ?? []).join(" ")}` : "";
    const at = new Date(madeAt(row.text) ?? 0).toLocaleTimeString(app.settings.lang === "zh" ? "zh-CN" : "en", { hour: "2-digit", minute: "2-digit" });
    return `${at} ${app.say(kind)} ${count} · ${app.say(state(row))}${why}`;
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
      h("div", { class: "grid" }, app.button("export", () => exported(app)), app.button("back", () => app.back())),
      h("p", {}, h("label", { for: "deposit" }, app.say("deposit")), file),
      rows.length > 0 ? h("h2", {}, app.say("records")) : null,
      longList(rows, text, (row) => ({ "data-row": state(row) })),
    ),
  ];
}

/**
 * What the server holds aside of this device and what needs its user, as numbers: all there is, also
 * what its answer has no room to tell one by one.
 * @param {App} app
 */
function standing(app) {
  const said = app.session.standing;
  if (!said) return null;
  const counts = {
    server_parked: said.parked.length + (said.more_parked ?? 0),
    server_quarantined: said.quarantined.length + (said.more_quarantined ?? 0),
    server_findings: said.findings.length + (said.more_findings ?? 0),
  };
  const lines = Object.entries(counts).map(([name, count]) => h("li", { "data-standing": name }, `${app.say(name)}: ${count}`));
  return h("ol", { class: "lines" }, lines);
}

/** What a row's text says, for people. @param {string} text */
function saysOf(text) {
  try {
    const { event_id: id, kind, units = [], children = [], lots = [] } = JSON.parse(text);
    const loose = lots.reduce((/** @type {number} */ sum, /** @type {{ qty: number }} */ lot) => sum + lot.qty, 0);
    return { id: String(id), kind: String(kind), count: units.length + children.length + loose };
  } catch {
    return { id: "", kind: "unreadable", count: 0 };
  }
}

/** Everything unsent as a file that another device or an office can deposit. @param {App} app */
async function exported(app) {
  const { driver } = app.session;
  if (!driver) return;
  const lines = await driver.exported();
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
  await app.after(file.text().then((text) => app.session.deposit(text)));
}
