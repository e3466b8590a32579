// An outbox as two implementations compare it, and as a screen shows it: everything that later
// commands depend on, with numbers as ranges.

/** @typedef {import("./types.js").Row} Row */

/**
 * Ascending keys as ranges: life, first and last number.
 * @param {Iterable<import("./keys.js").Key>} keys
 * @returns {[number, number, number][]}
 */
export function spans(keys) {
  /** @type {[number, number, number][]} */
  const found = [];
  for (const [epoch, seq] of keys) {
    const last = found[found.length - 1];
    if (last && last[0] === epoch && last[2] + 1 === seq) last[2] = seq;
    else found.push([epoch, seq, seq]);
  }
  return found;
}

/** @param {import("./machine.js").Outbox} outbox */
export function picture(outbox) {
  const { disk, view, flight, pace } = outbox;
  const rows = view.inOrder();
  const of = (/** @type {(row: Row) => boolean} */ wanted) => spans(rows.filter(wanted).map((row) => row.key));
  const isSafe = (/** @type {Row} */ row, /** @type {string} */ is) => row.state.is === is && outbox.isSafe(row);
  const isOpen = (/** @type {Row} */ row) => outbox.open.has(row.key);
  const isSent = (/** @type {Row} */ row) => outbox.sent.has(row.key);
  return {
    epoch: view.epoch,
    next: view.next,
    head: view.head,
    anchor: disk.anchor,
    cursor: disk.cursor,
    enrol_again: view.enrolAgain,
    writing: outbox.pending.length,
    states: {
      captured: of((row) => disk.row(row.key) === undefined),
      durable: of((row) => isOpen(row) && !isSent(row)),
      sent: of((row) => isOpen(row) && isSent(row)),
      receipted: of((row) => isSafe(row, "receipted")),
      settled: of((row) => isSafe(row, "settled")),
      needs_attention: of((row) => isSafe(row, "needs_attention")),
      damaged: spans(outbox.damaged),
      doubted: spans(outbox.doubted),
    },
    flying: flight && {
      flight: flight.id,
      epoch: flight.epoch,
      first: flight.first,
      last: flight.last,
      sent_at: flight.sentAt,
    },
    pace: {
      ...{ size: pace.size, failed: pace.failures, not_before: pace.notBefore, told: pace.toldUntil },
      ...{ refused: pace.refusals, again: pace.again, turns: pace.turns },
    },
    skipped: spans(outbox.skipped),
    shut: [...outbox.shut].sort((a, b) => a - b),
    turn: outbox.turn,
    timer: outbox.timer,
  };
}
