// The end of a shift: what is still on the device only, what has to be looked at, and what the server
// holds, signed. Nobody leaves unsent records behind without a supervisor knowing.

import { readOwn } from "../../core/here.js";
import { madeAt } from "../../core/standing.js";
import { qr } from "./codes.js";
import { age, standingOf } from "../strip.js";
import { h } from "../view.js";

/** @typedef {import("../app.js").App} App */

/** How far back a shift's records are counted, in milliseconds. */
const SHIFT_MS = 14 * 3_600_000;

/** @param {App} app */
export function handOverScreen(app) {
  const { session } = app;
  const { driver, actor, task } = session;
  const now = standingOf(app);
  if (!driver || !now) return [];
  const { receipt, device } = driver.outbox.view;
  const isOpen = task !== null;
  const isClear = now.unsent === 0 && !isOpen;
  const head = receipt ? `SUYUAN-RECEIPT ${device} ${receipt.epoch} ${receipt.contiguous_seq} ${receipt.head_hash}` : null;
  const counts = ownCounts(app);
  const oldest = now.oldestMs === null ? "" : ` · ${app.say("oldest")} ${age(app, now.oldestMs)}`;
  return [
    h(
      "main",
      {},
      h("h1", {}, app.say("hand-over")),
      app.said ? app.told() : null,
      h(
        "ul",
        { class: "lines" },
        h("li", {}, actor ? `${app.say("who")} ${actor.id}` : app.say("nobody")),
        h("li", { "data-left": now.unsent }, now.unsent > 0 ? `! ${app.say("unsent")} ${now.unsent}${oldest}` : `✓ ${app.say("all_sent")}`),
        h("li", {}, now.attention > 0 ? `! ${app.say("needs_attention")} ${now.attention}` : `✓ ${app.say("nothing_open")}`),
        isOpen ? h("li", {}, `! ${app.say("task_open")} ${app.say(task.task)}`) : null,
        h("li", {}, now.receiptMs === null ? app.say("no_receipt") : `${app.say("receipt")} ${age(app, now.receiptMs)}`),
        counts.map(([kind, count]) => h("li", {}, `${app.say(kind)} × ${count}`)),
      ),
      isClear ? null : h("p", { class: "told warn" }, app.say(isOpen ? "hand_over_task" : "hand_over_unsent")),
      h(
        "div",
        { class: "grid" },
        isClear ? app.button("hand_over_done", () => app.after(session.handOver(null)), "main") : app.button("send-now", () => app.woken(), "main"),
        isOpen ? app.button("to_task", () => app.go("task")) : app.button("back", () => app.back()),
      ),
      head ? h("h2", {}, app.say("receipt_head")) : null,
      head ? qr(head) : null,
      head ? h("p", { class: "small" }, head) : null,
    ),
  ];
}

/**
 * The shift is over.
 * @param {import("../session.js").Session} session
 * @param {string | null} supervisor who takes over what is unsent
 */
export async function handedOver(session, supervisor) {
  const { driver, actor, task, unsent } = session;
  if (!driver || task || (supervisor === null && unsent > 0)) {
    session.out.told({ sound: "warn", words: ["screen_first"] });
    return;
  }
  const { view } = driver.outbox;
  const handed = { by: actor?.id ?? null, supervisor, at: driver.now(), unsent, epoch: view.epoch, seq: view.next - 1, head: view.head };
  await session.keep({ actor: null, handed_over: handed });
  session.actor = null;
  session.out.told({ sound: "ok", words: ["handed_over"], ...(supervisor === null ? {} : { of: supervisor }) });
}

/** What this person stated in this shift, by kind. @param {App} app @returns {[kind: string, count: number][]} */
function ownCounts({ session }) {
  const { driver, actor } = session;
  /** @type {Map<string, number>} */
  const counts = new Map();
  const since = Date.now() - SHIFT_MS;
  for (const { text } of driver?.outbox.view.inOrder() ?? []) {
    if ((madeAt(text) ?? 0) < since) continue;
    for (const { kind, actor: by } of readOwn(text)) if (actor && by?.id === actor.id) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts];
}
