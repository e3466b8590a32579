// What the story of lost and killed things stands on: what `tests/pda/lost.rs` made and does when it is
// asked, devices with a witness each and somebody on their cables, and what they promised.

import "../pda/shared.mjs";
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { office, until } from "../shift/office.mjs";
import { pda } from "../shift/pda.mjs";
import { meddled } from "./line.mjs";
import { witness } from "./witness.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
export const given = await hear();
const [authority, certificate, key] = ["authority", "certificate", "key"].map((name) => readFileSync(given[name]));
const spki = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
const pin = createHash("sha256").update(spki).digest("base64");

const began = Date.now();
export const say = (what) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${what}`);
export const rest = (ms) => new Promise((done) => setTimeout(done, ms));
export const folder = await mkdtemp(join(tmpdir(), "suyuan-lost-"));
export const ends = [() => rm(folder, { recursive: true, force: true })];
export const desk = office(given.internal, authority);
/** Where a device sends what it has. */
export const PUSH = "/v1/sync/push";

const tins = [...given.tins];
export const some = (count) => tins.splice(0, count);
export const devices = [];
/** Acts of which a device said that they are saved, each of goods that no other act is of. */
export const acts = [];
/** Pushes and deposits of all devices, in the order of the server's answers. */
export const told = [];

/** Where the server is; not for long. */
let port = Number(new URL(given.internal).port);

/** What an officer holds up for a new device at a place. */
export async function ticketFor(place, profile) {
  const { ticket } = await desk.call("POST", "/v1/devices", { name: profile, profile, location_id: place });
  return ticket.text;
}

/** A device out of the box, with its enrolment code in hand. */
export async function device(ticket, { disk = null, inits = [] } = {}) {
  const line = await meddled({ port, key, certificate, authority, answered: told });
  const seen = witness();
  const it = await pda({ folder: disk ?? join(folder, `d${devices.length}`), cord: line, pin, watch: seen.watch, inits: [...seen.inits, ...inits] });
  devices.push(it);
  ends.push(() => it.end());
  const { open } = it;
  return Object.assign(it, {
    seen,
    ticket,
    open: async () => {
      await open();
      await it.found();
      // A kill in the middle of a record (`batteries` aims there), and a second one before the log is filled
      // behind it: then Chromium throws the storage away, and no app can help it (the app's README). A
      // device that is started lives for longer than that takes.
      await it.freshLog();
    },
    /** What is on the device now. */
    found: async () => {
      for (const row of await it.rows()) seen.saw(row);
    },
    id: () =>
      it.page.evaluate(async () => {
        const { Store } = await import("/app/device/store.js");
        return (await (await Store.open(indexedDB, "suyuan-device")).identity()).device;
      }),
    /** Goods are read when they are heard to be: the number on the screen is ahead of the storage. */
    read: async (codes, from = 0) => {
      for (const [at, code] of codes.entries()) {
        const before = seen.heard();
        await it.scan(code);
        await it.count(from + at + 1);
        await until("the sound of success", () => seen.heard() > before, 5);
      }
    },
    /** So many acts are told to be saved once the words and the sound of it came. */
    said: async (kind, codes) => {
      const [before, behind] = [seen.heard(), it.made()];
      await it.confirm();
      await until("the sound of success", () => seen.heard() > before, 5);
      it.promised(kind, codes, behind);
    },
    /** How many events it made so far, whatever became of them. */
    made: () => seen.made().length,
    /** Success was heard of an act that was stated `behind` so many events: it is none of those. */
    promised: (kind, codes, behind) => acts.push({ device: devices.indexOf(it), kind, codes, behind }),
    act: async (kind, codes) => {
      await it.task(kind);
      await it.read(codes);
      await it.said(kind, codes);
    },
    /** The goods of the open task; null without one. */
    open_goods: () => it.page.evaluate(() => document.querySelector("[data-count]")?.dataset.count ?? null),
    /** Everything comes through from here on, and all that waits is sent. */
    healed: async () => {
      it.line.misbehave = () => undefined;
      it.line.plug();
      // Again and again: a wake does not shorten a wait that begins behind it.
      const isSent = async () => {
        await it.wake();
        return it.page.isVisible('[data-unsent="0"]');
      };
      await until("all that waits is sent", isSent, 60);
    },
  });
}

/** Answers of `misbehave` to pushes alone. */
export const toPushes = (answer) => (call) => (call.url.pathname === PUSH ? answer(call) : undefined);

/** Whether a snapshot was taken in whole. */
export const cards = (it) =>
  it.page.evaluate(async () => {
    const { Store } = await import("/app/device/store.js");
    const store = await Store.open(indexedDB, "suyuan-device");
    return (await store.products()).length > 0 && (await store.record("snapshot")) !== null;
  });

/** `kill -9`, and a server that starts anew. */
export async function killed(it) {
  console.log("@kill");
  ({ port } = await hear());
  for (const { line } of devices) line.to(port);
  await it.wake();
}
