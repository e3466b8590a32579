// A long list of which only what is in sight is drawn: rows of one height, placed by the page's own
// scrolling. Five thousand scans cost as much as twenty.

import { h } from "./view.js";

/** Height of a row in CSS pixels; the style sheet has the same. */
export const ROW_PX = 56;
/** Rows drawn beyond what is in sight, above and below. */
const BEYOND = 12;

/** Lists that may be on the page, with what draws them. @type {Map<HTMLElement, () => void>} */
const live = new Map();
addEventListener("scroll", settle, { passive: true });
addEventListener("resize", settle);

/** Draws what is in sight of every list; those that were taken off the page are forgotten. */
export function settle() {
  for (const [list, draw] of live) {
    if (list.isConnected) draw();
    else live.delete(list);
  }
}

/**
 * A list, to be settled once it is on the page.
 * @template T
 * @param {readonly T[]} rows
 * @param {(row: T) => string} textOf
 * @param {(row: T) => Record<string, string>} [marks]
 * @returns {HTMLElement}
 */
export function longList(rows, textOf, marks = () => ({})) {
  const list = h("ol", { class: "lines long", "data-rows": rows.length });
  list.style.height = `${rows.length * ROW_PX}px`;
  let [first, last] = [-1, -1];
  live.set(list, () => {
    const top = -list.getBoundingClientRect().top;
    const from = Math.max(0, Math.min(rows.length, Math.floor(top / ROW_PX) - BEYOND));
    const to = Math.min(rows.length, Math.max(from, Math.ceil((top + innerHeight) / ROW_PX) + BEYOND));
    if (from === first && to === last) return;
    [first, last] = [from, to];
    const items = rows.slice(from, to).map((row, at) => {
      const item = h("li", { "aria-posinset": from + at + 1, "aria-setsize": rows.length, ...marks(row) }, h("span", {}, textOf(row)));
      item.style.top = `${(from + at) * ROW_PX}px`;
      return item;
    });
    list.replaceChildren(...items);
  });
  return list;
}
