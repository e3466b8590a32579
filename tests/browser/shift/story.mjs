// A shift with PDAs on the real program over TLS, in real browsers: enrolled by an officer's QR code,
// cut off, worked with, and heard again. Standard input: what `tests/pda/shift.rs` made. What it did
// is printed; the first thing that is not as it should be ends it with 1.

import "../pda/shared.mjs";
import assert from "node:assert/strict";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { office } from "./office.mjs";
import { looked, officerAt } from "./officer.mjs";
import { HOST, browserOf, pda } from "./pda.mjs";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const given = JSON.parse(Buffer.concat(chunks).toString());
const authority = readFileSync(given.authority);
const port = Number(new URL(given.internal).port);
const key = new X509Certificate(readFileSync(given.certificate)).publicKey.export({ type: "spki", format: "der" });
const pin = createHash("sha256").update(key).digest("base64");

const HOUR = 3_600_000;
const began = Date.now();
const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
const folder = await mkdtemp(join(tmpdir(), "suyuan-shift-"));
const ends = [() => rm(folder, { recursive: true, force: true })];

/** Opens a task by its barcode, reads goods, and confirms; what is asked on the way is answered. */
async function task(device, name, codes) {
  await device.scan(`SUYUAN-TASK-${name}`);
  await device.page.waitForSelector("[data-count]");
  for (const [at, code] of codes.entries()) {
    await device.scan(code);
    await device.count(at + 1);
  }
  return device.confirm();
}

async function enrolled(officer, { place, profile, name, skew }) {
  const text = await officer.enrol({ place, profile, name });
  const ticket = JSON.parse(text);
  assert.equal(ticket.fingerprint, createHash("sha256").update(new X509Certificate(authority).raw).digest("hex"));
  const device = await pda({ folder: join(folder, profile), port, pin, skew });
  ends.push(() => device.end());
  assert.ok(await device.page.evaluate(() => isSecureContext && Boolean(navigator.serviceWorker)));
  await device.scan(text);
  await device.page.waitForSelector('[data-do="inbound"]');
  await officer.isDone();
  await device.scan("SUYUAN-WHO-W17");
  await device.told("W17");
  return device;
}

async function story() {
  const tins = given.tins.slice(0, 3);
  const desk = office(given.internal, authority);
  await desk.signIn(given.administrator);
  const stranger = await browserOf({ folder: join(folder, "stranger"), port, pin: null });
  ends.push(() => stranger.line.end(), () => stranger.browser.kill());
  const refused = await stranger.browser.context.newPage().then((page) => page.goto(`https://${HOST}/app/`).catch((error) => error.message));
  assert.match(String(refused), /ERR_CERT_AUTHORITY_INVALID/);
  await stranger.browser.kill();
  say("a browser that was not told to trust the authority does not open the app");

  const { browser, line } = await browserOf({ folder: join(folder, "officer"), port, pin });
  ends.push(() => line.end(), () => browser.kill());
  const officer = await officerAt(browser, given.officer);
  const explained = await browser.context.newPage();
  await explained.goto(`https://${HOST}/app/trust`);
  await explained.waitForSelector("html[data-ready] #some:not([hidden])");
  await looked(explained, "trust");
  await explained.close();
  const warehouse = await enrolled(officer, { place: given.warehouse, profile: "handheld", name: "仓库 1", skew: 3 * HOUR });
  const store = await enrolled(officer, { place: given.store, profile: "till", name: "收银 1", skew: -50 * HOUR });
  assert.deepEqual(officer.errors, []);
  say("two PDAs, clocks 3 h ahead and 50 h behind, are enrolled by what the officer's page shows");

  warehouse.line.pull();
  await task(warehouse, "INBOUND", tins);
  await warehouse.unsent(1);
  assert.equal((await desk.unit(tins[0])).state.phase, "commissioned");
  warehouse.line.plug();
  await warehouse.unsent(0);
  const received = (await desk.unit(tins[0])).state;
  assert.deepEqual([received.phase, received.place.location_id], ["in_stock", given.warehouse]);
  say("an inbound at the warehouse, made with the cable out, is there once it is back in");

  for (const device of [warehouse, store]) {
    const errors = device.errors.filter((error) => !/net::ERR|Failed to load resource/.test(error));
    assert.deepEqual(errors, [], "the policy was never broken");
  }
}

try {
  await story();
  say("done");
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
