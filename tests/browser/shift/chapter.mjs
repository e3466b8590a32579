// The README's "A shift with a PDA", followed by somebody who pastes its lines and does with two devices
// what it says, in real browsers: the demo serves over TLS. Standard input: what `tests/pda/demo.rs`
// started. The first thing that is not as the chapter has it ends it with 1.

import "../pda/shared.mjs";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./office.mjs";
import { officerAt } from "./officer.mjs";
import { browserOf, pda } from "./pda.mjs";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const given = JSON.parse(Buffer.concat(chunks).toString());
const folder = mkdtempSync(join(tmpdir(), "suyuan-chapter-"));
const ends = [() => rmSync(folder, { recursive: true, force: true })];
const key = new X509Certificate(readFileSync(join(given.tls, "server.crt"))).publicKey.export({ type: "spki", format: "der" });
const pin = createHash("sha256").update(key).digest("base64");

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const chapter = readme.slice(readme.indexOf("### A shift with a PDA")).split("\n## ")[0];
const blocks = chapter.split("```sh\n").slice(1).map((part) => part.split("```")[0]);

/** A terminal at the desk, in the folder where the certificate is. */
function terminal() {
  symlinkSync(given.tls, join(folder, "tls"));
  const bash = spawn("bash", ["--norc"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  ends.push(() => bash.kill());
  let said = "";
  bash.stdout.on("data", (more) => (said += more));
  /** Pastes lines and gives what they print; what differs from machine to machine is put in. */
  return async (lines) => {
    const own = lines
      .replace(/^API=.*$/m, `API=https://127.0.0.1:${given.port}`)
      .replace(/^PUB=.*$/m, `PUB=${given.public}`)
      .replace(/^read -r PASSWORD.*$/m, `PASSWORD='${given.password}'`);
    said = "";
    bash.stdin.write(`${own}\necho "[end]"\n`);
    await until("the lines are done", async () => said.endsWith("[end]\n"));
    return said.slice(0, -"[end]\n".length).trim().split("\n");
  };
}

/** What the chapter says that the lines print, as far as it says it: `…` stands for anything. */
function assertShown(printed, block) {
  const shown = block.split("\n").filter((line) => /^# [[{]/.test(line));
  for (const line of shown) {
    const [text] = line.slice(2).split(/ {3,}/);
    const form = new RegExp(`^${text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`);
    assert.ok(printed.some((it) => form.test(it)), `${text}\nis not in\n${printed.join("\n")}`);
  }
  return shown.length;
}

async function task(device, name, codes) {
  await device.scan(`SUYUAN-TASK-${name}`);
  await device.page.waitForSelector("[data-count]");
  for (const [at, code] of codes.entries()) {
    await device.scan(code);
    await device.count(at + 1);
  }
}

async function enrolled(officer, { place, profile, name }) {
  const options = await officer.page.locator('[name="place"] option').allTextContents();
  const label = options.find((option) => option.includes(place));
  const value = await officer.page.locator('[name="place"] option', { hasText: label }).getAttribute("value");
  const text = await officer.enrol({ place: value, profile, name });
  const device = await pda({ folder: join(folder, profile), port: given.port, pin });
  ends.push(() => device.end());
  await device.scan(text);
  await device.page.waitForSelector('[data-do="inbound"]');
  await officer.isDone();
  await device.page.waitForFunction(() => document.body.textContent.includes("可以离线工作"), null, { timeout: 60_000 });
  await device.scan("SUYUAN-WHO-YG-017");
  await device.told("YG-017");
  return device;
}

async function followed() {
  const [start, tins, received, recalled, judged, overruled, told] = blocks;
  assert.equal(blocks.length, 7);
  for (const words of ["suyuan cert --address $HOST --out tls", "SUYUAN__HANDHELD__URL=", "suyuan demo "]) assert.ok(start.includes(words));
  const desk = terminal();
  assert.equal(assertShown(await desk(tins), tins), 1);
  const [SOLD, LEFT, SAMPLE, OTHER] = readFileSync(join(folder, "tins.txt"), "utf8").trim().split("\n");
  for (const n of [1, 2, 3, 4]) assert.match(readFileSync(join(folder, `tin${n}.svg`), "utf8"), /<svg/);

  const { browser, line } = await browserOf({ folder: join(folder, "officer"), port: given.port, pin });
  ends.push(() => line.end(), () => browser.kill());
  const officer = await officerAt(browser, { username: "maker", password: given.password });
  const warehouse = await enrolled(officer, { place: "华北仓", profile: "handheld", name: "仓库 3" });
  const till = await enrolled(officer, { place: "北京一店", profile: "till", name: "收银 3" });

  await task(warehouse, "INBOUND", [SOLD, LEFT, SAMPLE, OTHER]);
  assert.equal(await warehouse.confirm(), 0, "nothing is asked");
  await warehouse.unsent(0);
  assert.equal(assertShown(await desk(received), received), 1);

  warehouse.line.pull();
  till.line.pull();
  await task(warehouse, "OUTBOUND", [SOLD, LEFT, SAMPLE]);
  await warehouse.scan("SUYUAN-CONFIRM");
  await warehouse.page.click('[data-partner]:has-text("晨牧乳业 · 北京一店")');
  await warehouse.page.waitForSelector('section:has(#answer) label:has-text("物流企业")');
  await warehouse.page.fill("#answer", "顺丰");
  await warehouse.page.click("section:has(#answer) [data-do=add]");
  await warehouse.told("已保存在本机");
  await warehouse.unsent(1);
  await warehouse.restart();
  await warehouse.unsent(1);
  await task(till, "INBOUND", [SOLD, LEFT, SAMPLE]);
  assert.equal(await till.confirm(), 0);
  await task(till, "SALE", [SOLD]);
  assert.equal(await till.confirm(), 0);
  await till.unsent(2);

  await desk(recalled);
  till.line.plug();
  await till.unsent(0);
  const early = await desk(judged);
  assert.ok(early.some((it) => it.startsWith('{"code":"TELEPORT","closed":false')), early.join("\n"));
  warehouse.line.plug();
  await warehouse.unsent(0);
  assert.equal(assertShown(await until("the outbound explains it", async () => {
    const late = await desk(judged);
    return late.some((it) => it.startsWith('{"code":"TELEPORT","closed":true')) ? late : null;
  }), judged), 3);

  await till.pull();
  await task(till, "SALE", []);
  await till.scan(LEFT);
  await till.page.waitForSelector(".stop");
  assert.match(await till.page.textContent(".stop"), /停止.*已召回/);
  await till.page.click('[data-do="acknowledge"]');
  await till.scan("SUYUAN-CANCEL");
  till.line.pull();
  await task(till, "SALE", []);
  await till.scan(SAMPLE);
  await till.page.waitForSelector(".stop");
  await till.page.fill("#reason", "送检样品");
  await till.scan("SUYUAN-WHO-YG-017");
  await till.told("本人的工牌不能放行");
  await till.scan("SUYUAN-WHO-ZG-201");
  await till.page.waitForSelector(".stop", { state: "detached" });
  await till.confirm();
  till.line.plug();
  await till.unsent(0);
  await task(till, "COLLECT", [LEFT]);
  await till.confirm();
  await till.unsent(0);
  assert.equal(assertShown(await desk(overruled), overruled), 2);
  const consumers = await until("consumers are told", async () => {
    const lines = await desk(told);
    return lines.filter((it) => it.includes("漏装勺")).length === 3 ? lines : null;
  });
  assert.equal(assertShown(consumers, told), 2);
  assert.ok(consumers[3].startsWith('["ok"'), "the fourth stayed in the warehouse");
}

try {
  await followed();
  console.log("the chapter is as it says");
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const end of ends.reverse()) await end();
}
