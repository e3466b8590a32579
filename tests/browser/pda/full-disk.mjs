// A disk that can be full, and what somebody does on a device whose disk is: each step is taken when the one
// before was answered, and nothing is concluded from how long anything took.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OK_HERTZ, STOP_HERTZ } from "../lost/witness.mjs";
import { until } from "../shift/office.mjs";

/** Most steps on a full disk, and how many that are refused are enough. */
const [STEPS, REFUSALS] = [40, 3];

/**
 * A disk of its own, small enough to be filled: what `fill` takes, `room` gives back. Null where this
 * process may not mount one.
 */
export async function smallDisk() {
  const folder = await mkdtemp(join(tmpdir(), "suyuan-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256m", "tmpfs", folder]);
  if (mounted.status !== 0) {
    await rm(folder, { recursive: true });
    return null;
  }
  const filler = join(folder, "filler");
  return {
    folder,
    /** Takes what is free, also a second time: a browser makes room by itself now and then. */
    fill() {
      const file = openSync(filler, "a");
      try {
        for (let size = 1 << 20; size >= 1; size >>= 1) {
          const part = Buffer.alloc(size);
          try {
            while (writeSync(file, part) === size);
          } catch (error) {
            if (error.code !== "ENOSPC") throw error;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    room: () => rm(filler, { force: true }),
    async close() {
      spawnSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Fills the disk of a device (`it`, with a witness `it.seen`) that has goods in hand and goes on stating goods,
 * one by one, until some steps were told not to be saved; then gives room again and what is open up. An act of which success
 * was heard is `promised`, with how many events were made before, and its goods are no more in `goods`. How
 * many steps were refused.
 */
export async function filled(it, disk, goods, promised) {
  let refused = 0;
  // What meets the full disk first is an act.
  for (const text of ["SUYUAN-TASK-INBOUND", goods[0]]) await it.seen.answered(it, text);
  let [isOpen, isRead] = [true, true];
  // A small write may still find room in a file that is there.
  for (let step = 0; step < STEPS && refused < REFUSALS && goods.length > 1; step += 1) {
    disk.fill();
    const behind = it.seen.made().length;
    const heard = await it.seen.answered(it, isRead ? "SUYUAN-CONFIRM" : isOpen ? goods[0] : "SUYUAN-TASK-INBOUND");
    if (heard.includes(STOP_HERTZ)) refused += 1;
    else if (isRead) {
      if (!heard.includes(OK_HERTZ)) throw new Error(`an act was answered with ${heard}`);
      promised(goods.splice(0, 1), behind);
      [isOpen, isRead] = [false, false];
    } else if (isOpen) isRead = true;
    else isOpen = true;
  }
  await disk.room();
  // The first words may still meet the storage as it was left.
  const isGivenUp = async () => !(await it.seen.answered(it, "SUYUAN-CANCEL")).includes(STOP_HERTZ);
  if (isOpen) await until("room again", isGivenUp, 60);
  await it.page.waitForSelector('[data-do="inbound"]');
  return refused;
}
