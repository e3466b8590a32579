// Bar codes as they are printed and shown: QR, and Code 128 for lasers. Drawn here, by nobody else.

import { code128Of } from "../../core/barcode/code128.js";
import { qrOf } from "../../core/barcode/qr.js";
import { drawn, h } from "../view.js";

/** Modules of white round a QR code, and beside a bar code. */
const QUIET = 4;
const QUIET_BARS = 10;

/** @param {string} text @returns {Element | null} */
export function qr(text) {
  const matrix = qrOf(text);
  if (!matrix) return null;
  /** @type {[number, number, number, number][]} */
  const dark = [];
  for (let y = 0; y < matrix.size; y += 1) {
    for (let x = 0; x < matrix.size; x += 1) {
      let run = 0;
      while (x + run < matrix.size && matrix.dark(x + run, y)) run += 1;
      if (run > 0) dark.push([x + QUIET, y + QUIET, run, 1]);
      x += run;
    }
  }
  const size = matrix.size + 2 * QUIET;
  return h("div", { class: "qr" }, drawn(text, size, size, dark));
}

/** @param {string} text @returns {Element | null} */
export function bars(text) {
  const widths = code128Of(text);
  if (!widths) return null;
  /** @type {[number, number, number, number][]} */
  const dark = [];
  let at = QUIET_BARS;
  for (const [index, width] of widths.entries()) {
    if (index % 2 === 0) dark.push([at, 0, width, 1]);
    at += width;
  }
  return h("div", { class: "bars" }, drawn(text, at + QUIET_BARS, 1, dark));
}
