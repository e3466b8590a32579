// What a kill in the middle of a record leaves of Chromium's log of the storage: the app writes on behind it,
// and the start after that still has everything. The cut is made by hand, since a kill hits it once in some
// hundred times; it is what LevelDB leaves between its two writes of a record, a head and no body.

import "./shared.mjs";
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freshLog } from "../../../api/src/pda/app/device/fresh-log.js";
import { until } from "../shift/office.mjs";
import { cannot } from "./chromium.mjs";
import { shop } from "./shop.mjs";
import { serial, serialOf } from "./site.mjs";

const when = { skip: cannot, timeout: 180_000 };

/** The log that a browser writes the app's storage to; null where it is kept in another way. */
function logOf(folder) {
  const kept = join(folder, "Default", "IndexedDB");
  const database = existsSync(kept) ? readdirSync(kept).find((name) => name.endsWith(".indexeddb.leveldb")) : undefined;
  if (!database) return null;
  const logs = readdirSync(join(kept, database)).filter((name) => name.endsWith(".log"));
  return join(kept, database, logs.sort().at(-1));
}

test("a log that a kill cut in the middle of a record costs nothing at the second start behind it", when, async (t) => {
  const disk = await mkdtemp(join(tmpdir(), "suyuan-torn-"));
  const it = await shop(null, { disk });
  try {
    await it.open();
    await it.enrol();
    await it.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    it.line.pull();
    await it.act("inbound", ["T1"]);
    await it.browser.kill();
    const log = logOf(disk);
    if (!log) return t.skip("this browser keeps no such log");
    // A record of 1171 bytes, of which there is the head.
    appendFileSync(log, Buffer.from([0x78, 0xfa, 0x74, 0x74, 0x93, 0x04, 0x01]));

    await it.battery();
    await it.open();
    await it.act("inbound", ["T2"]);
    await it.freshLog();
    await until("the log that was cut is put aside", () => !existsSync(log));
    for (let start = 0; start < 2; start += 1) {
      await it.battery();
      await it.open();
      await it.unsent(2, 15_000);
    }
    const kept = (await it.rows()).flatMap(({ text }) => JSON.parse(text).units.map(({ code }) => serialOf(code)));
    assert.deepEqual(kept, ["T1", "T2"].map(serial));
    it.line.plug();
    await it.wake();
    await it.unsent(0);
    assert.deepEqual(it.errors, []);
  } finally {
    await it.close();
    await rm(disk, { recursive: true, force: true });
  }
  return undefined;
});

test("a browser that has no such log is left alone", async () => {
  const factory = { open: () => assert.fail("nothing is opened") };
  await freshLog(factory, {});
});
