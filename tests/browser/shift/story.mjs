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
import { office, until } from "./office.mjs";
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
async function task(device, name, codes, answers) {
  await device.task(name);
  for (const [at, code] of codes.entries()) {
    await device.scan(code);
    await device.page.waitForSelector(`.stop, [data-count="${at + 1}"]`);
    if (await device.page.isVisible(".stop.ask")) await device.page.click('[data-do="take_anyway"]');
    await device.count(at + 1);
  }
  return device.confirm(answers);
}

async function enrolled(officer, { place, profile, name, skew }) {
  const text = await officer.enrol({ place, profile, name });
  const ticket = JSON.parse(text);
  assert.equal(ticket.fingerprint, createHash("sha256").update(new X509Certificate(authority).raw).digest("hex"));
  const device = await pda({ folder: join(folder, profile), port, pin, skew });
  ends.push(() => device.end());
  assert.ok(await device.page.evaluate(() => isSecureContext && Boolean(navigator.serviceWorker)));
  await device.enrol(text);
  await officer.isDone();
  // From now on it opens with no network.
  await device.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await device.scan("SUYUAN-WHO-W17");
  await device.told("W17");
  return device;
}

const names = (findings, isOpen) => findings.filter(({ closed }) => Boolean(closed) !== isOpen).map(({ code }) => code);

async function story() {
  const [sold, left, other, sample] = given.tins;
  const desk = office(given.internal, authority);
  await desk.signIn(given.administrator);
  for (const [number, role] of [
    ["W17", "worker"],
    ["W18", "worker"],
    ["S1", "supervisor"],
  ]) {
    const { printed } = await desk.call("POST", "/v1/badges", { number, role });
    assert.equal(printed, `SUYUAN-WHO-${number}`);
  }
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
  await task(warehouse, "INBOUND", [sold, left, other, sample]);
  await warehouse.unsent(1);
  assert.equal((await desk.unit(sold)).state.phase, "commissioned");
  warehouse.line.plug();
  await warehouse.unsent(0);
  const received = (await desk.unit(sold)).state;
  assert.deepEqual([received.phase, received.place.location_id], ["in_stock", given.warehouse]);
  say("an inbound at the warehouse, made with the cable out, is there once it is back in");

  warehouse.line.pull();
  store.line.pull();
  const asked = await task(warehouse, "OUTBOUND", [sold, left, sample], { to: given.store, words: "顺丰" });
  assert.ok(asked >= 2, "where they go, and who carries them");
  await warehouse.unsent(1);
  await warehouse.restart();
  await warehouse.unsent(1);
  await task(store, "INBOUND", [sold, left, sample]);
  await task(store, "SALE", [sold]);
  await store.unsent(2);
  say("cables out: outbound at the warehouse, whose battery is pulled; inbound and a sale at the shop");

  const recall = await desk.call("POST", "/v1/recalls", {
    codes: [sold, left, sample],
    reason: "漏装勺",
    instructions: "退回门店",
    initiated_at: new Date(Date.now() - HOUR).toISOString(),
    responsible: "Q-1",
  });
  say("meanwhile a recall of these tins is opened");

  store.line.plug();
  await store.unsent(0);
  const early = await desk.unit(sold);
  assert.equal(early.state.phase, "sold");
  const open = names(early.findings, true);
  assert.ok(open.includes("TELEPORT") && open.includes("SOLD_RECALLED"), JSON.stringify(early.findings));
  say(`the shop is heard first: ${open.join(", ")}`);

  warehouse.line.plug();
  await warehouse.unsent(0);
  const late = await until("the late outbound explains it", async () => {
    const unit = await desk.unit(sold);
    return names(unit.findings, true).includes("TELEPORT") ? null : unit;
  });
  assert.ok(names(late.findings, false).includes("TELEPORT"), JSON.stringify(late.findings));
  const sale = late.findings.find(({ code }) => code === "SOLD_RECALLED");
  assert.deepEqual([sale.detail.knowledge, sale.detail.when.is], ["could_not_know", "uncertain"]);
  say("the warehouse's upload explains it; what stays is a recalled sale of which the till could not know");
  const kinds = late.timeline.map(({ kind }) => kind).filter((kind) => ["inbound", "outbound", "sale"].includes(kind));
  assert.deepEqual(kinds, ["inbound", "outbound", "inbound", "sale"], "in the order of things, whatever the clocks said");

  await store.pull();
  await store.task("SALE");
  await store.scan(left);
  await store.page.waitForSelector(".stop");
  assert.match(await store.page.locator(".stop").textContent(), /已召回|召回/);
  await store.page.click('[data-do="acknowledge"]');
  await store.scan("SUYUAN-CANCEL");
  const beside = await store.page.context().newPage();
  await beside.goto(`https://${HOST}/app/trust`);
  assert.match(await beside.title(), /信任证书/, "what devices keep does not stand before the server's pages");
  await beside.close();
  say("the till refuses the tin that is left");

  store.line.pull();
  await store.task("SALE");
  await store.scan(sample);
  await store.page.waitForSelector(".stop");
  await store.page.fill("#reason", "送检样品");
  for (const [badge, words] of [
    ["W17", "本人的工牌不能放行"],
    ["W18", "这不是主管工牌"],
    ["GUEST", "不在本店名单中"],
  ]) {
    await store.scan(`SUYUAN-WHO-${badge}`);
    await store.told(words);
    assert.ok(await store.page.isVisible(".stop"), `${badge} overrules nothing`);
  }
  await store.scan("SUYUAN-WHO-S1");
  await store.page.waitForSelector(".stop", { state: "detached" });
  await store.count(1);
  await store.confirm();
  await store.unsent(1);
  store.line.plug();
  await store.unsent(0);
  const overruled = await desk.unit(sample);
  const warned = overruled.findings.find(({ code }) => code === "SOLD_RECALLED");
  assert.equal(warned.detail.knowledge, "overridden");
  const act = overruled.timeline.find(({ kind }) => kind === "sale");
  assert.deepEqual(act.actor, { id: "W17", supervisor: false, not_on_record: false });
  const { recall_id, ...said } = act.override;
  assert.equal(recall_id, recall.id);
  assert.deepEqual(said, { code: "recalled", reason: "送检样品", supervisor: "S1", not_on_record: false });
  say("cable out: a stop stands against one's own, a colleague's and an unknown badge; the supervisor's overrules it, and that is on record");
  await task(store, "COLLECT", [left]);
  await store.unsent(0);
  assert.equal((await desk.unit(left)).state.phase, "collected");

  const reach = await desk.call("GET", `/v1/recalls/${recall.id}/reach`);
  assert.deepEqual([reach.total.units, reach.sold.units, reach.collected.units, reach.unaccounted.units], [3, 2, 1, 0]);
  say("the tin that was left is collected, and the recall reaches all three");
  for (const [code, words] of [
    [sold, ["漏装勺", "退回门店"]],
    [left, ["漏装勺", "退回门店"]],
    [sample, ["漏装勺", "退回门店"]],
    [other, []],
  ]) {
    const { pathname } = new URL(code);
    const view = await until("consumers are told", async () => {
      const answer = await fetch(`${given.public}${pathname}`, { headers: { accept: "application/json" } });
      const view = await answer.json();
      return words.length === 0 || view.recall ? view : null;
    });
    assert.equal(view.advice === "stop", words.length > 0, JSON.stringify(view));
    if (code === left) assert.ok(view.reasons.includes("collected"), JSON.stringify(view));
    const page = await browser.context.newPage();
    await page.goto(`${given.public}${pathname}`);
    const text = await page.textContent("body");
    for (const word of words) assert.ok(text.includes(word), text);
    assert.equal(text.includes("漏装勺"), words.length > 0);
    await page.close();
  }
  say("consumers are told the truth of each tin");
  for (const device of [warehouse, store]) {
    assert.deepEqual(device.errors, [], "the policy was never broken");
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
