// What time it is by the server, for a device whose clocks are set, stop and are wrong; and the interval
// of an anchor, which a sleep ends.

import "./shared.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";
import { genesis } from "../../../api/src/pda/app/core/chain.js";
import { Clock, stoodStill } from "../../../api/src/pda/app/core/clock.js";
import { Disk, Outbox } from "../../../api/src/pda/app/core/outbox.js";

const SERVER = 1_768_440_600_000_000;
const HOUR = 3_600_000;

test("the server's time goes on by whichever clock went further, and never back", () => {
  const clock = new Clock(null);
  assert.equal(clock.now(5, 0), 5000, "before any answer: the wall");
  assert.equal(clock.offset(5, 0), null);
  // The wall is ten years behind.
  clock.heard(SERVER, 1000, 50);
  assert.equal(clock.now(1000, 50), SERVER);
  assert.equal(clock.offset(1000, 50), 1000 - SERVER / 1000);
  assert.equal(clock.now(1000 + HOUR, 50 + HOUR), SERVER + HOUR * 1000);
  assert.equal(clock.now(1000 - HOUR, 50 + 60_000), SERVER + 60_000_000, "set back: the session's clock counts");
  assert.equal(clock.now(1000 + HOUR, 60), SERVER + HOUR * 1000, "slept: the wall counts");
  const next = new Clock(clock.last);
  assert.equal(next.now(1000 + HOUR, 3), SERVER + HOUR * 1000, "another session goes by the wall");
  assert.equal(next.now(0, 3), SERVER, "and never behind what was told");
});

test("a clock that stood still is one that slept; one that was set back is not", () => {
  const before = { wall: 1000, mono: 500 };
  assert.equal(stoodStill(before, { wall: 1000 + HOUR, mono: 700 }), true);
  assert.equal(stoodStill(before, { wall: 1000 + HOUR, mono: 500 + HOUR }), false);
  assert.equal(stoodStill(before, { wall: 1000 - HOUR, mono: 700 }), false);
  assert.equal(stoodStill(before, { wall: 3000, mono: 501 }), false, "two seconds are no gap");
});

test("after a sleep events say no mono until the next anchor comes", async () => {
  const device = "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b";
  const outbox = new Outbox(new Disk(device, 1, null, await genesis(device, 1)));
  const anchor = (text, now) => {
    const command = { do: "checkpoint", cursor: 1, anchor: text, wall: 1, fates: [] };
    const [{ write }] = outbox.take({ now, jitter: 0, command });
    return () => outbox.take({ now, jitter: 0, command: { do: "committed", write: write.id } });
  };
  anchor("a1", 100)();
  assert.equal(outbox.slot(400).mono, 300);
  const written = anchor("a2", 450);
  outbox.slept();
  assert.deepEqual([outbox.slot(500).mono, outbox.slot(500).anchor], [0, "a1"]);
  written();
  assert.deepEqual([outbox.slot(600).mono, outbox.slot(600).anchor], [0, "a2"], "it was on its way before the sleep");
  anchor("a3", 700)();
  assert.equal(outbox.slot(900).mono, 200);
});
