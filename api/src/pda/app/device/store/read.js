// An outbox as it is read from the storage.

import { Disk, compareKeys } from "../../core/outbox.js";
import { receiptsOf } from "../../core/outbox/disk.js";

/** @typedef {import("../../core/outbox/types.js").Row} Row */

/** Rows where they stand; of which a bit turned, one may have no state. @param {Row[]} rows @param {Row["key"][]} keys */
export const placed = (rows, keys) => rows.map((row, at) => ({ ...row, key: keys[at] ?? row.key, state: row.state ?? { is: "" } }));

/**
 * @param {string} device
 * @param {number} epoch while nothing is on record
 * @param {string} genesis likewise
 * @param {Partial<Disk> | null} head
 * @param {Row[]} rows
 */
export function diskOf(device, epoch, genesis, head, rows) {
  const disk = new Disk(device, head?.epoch ?? epoch, head?.anchor ?? null, head?.head ?? genesis);
  disk.next = head?.next ?? 1;
  disk.receipts = receiptsOf(head ?? {});
  disk.cursor = head?.cursor ?? 0;
  disk.cursorCheck = head?.cursorCheck;
  disk.enrolAgain = head?.enrolAgain ?? false;
  for (const row of rows.sort((a, b) => compareKeys(a.key, b.key))) disk.put(row);
  return disk;
}
