// A shop of the tests: a person with a device (`hand.mjs`) at a shop of the site (`site.mjs`), and on its
// cable somebody who passes everything on to the program and back, unless a test says otherwise
// (`../lost/line.mjs`).

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { meddled } from "../lost/line.mjs";
import { until } from "../shift/office.mjs";
import { HOST, flagsFor } from "../shift/pda.mjs";
import { hand } from "./hand.mjs";
import { code, site } from "./site.mjs";

export const ORIGIN = `https://${HOST}`;
/** Where a device sends what it has, and fetches what changed. */
export const [PUSH, PULL] = ["/v1/sync/push", "/v1/sync/pull"];

/** Answers of `misbehave` to pushes alone. */
export const toPushes = (answer) => (call) => (call.url.pathname === PUSH ? answer(call) : undefined);

/** Events the server said it holds, by epoch and number: what was sent, once its receipt covers that. */
export function heldBy(told) {
  const held = new Map();
  for (const { push, answer } of told) {
    const { held_ranges: ranges, epoch } = answer.receipt;
    push.events.forEach((text, at) => {
      const seq = push.first_seq + at;
      if (epoch !== push.epoch || !ranges.some(([first, last]) => first <= seq && seq <= last)) return;
      const key = `${push.epoch}:${seq}`;
      if ((held.get(key) ?? text) !== text) throw new Error(`${key} was sent twice, as two events`);
      held.set(key, text);
    });
  }
  const number = (key) => key.split(":").map(Number);
  const order = ([a], [b]) => number(a)[0] - number(b)[0] || number(a)[1] - number(b)[1];
  return new Map([...held].sort(order));
}

/** A cable to the site's program. */
export async function cord(answered = []) {
  const { port, key, certificate, authority } = await site();
  return meddled({ port, key, certificate, authority, answered });
}

/**
 * A shop with one device out of the box. `init` runs in every page before the app does; `disk` is where its
 * browser keeps things; `profile` is what the device is for; `beside`: another device in whose shop it is;
 * `seen` a witness (`../lost/witness.mjs`) of what it does.
 */
export async function shop(init = null, { disk = null, profile = "till", beside = null, seen = null } = {}) {
  const at = await site();
  const { place, name } = beside ?? (await at.shop());
  const device = await at.device(place, profile);
  const told = [];
  const line = await cord(told);
  const folder = disk ?? (await mkdtemp(join(tmpdir(), "suyuan-app-")));
  const it = await hand({ origin: ORIGIN, folder, flags: flagsFor(line, at.pin), watch: seen?.watch, inits: [...(seen?.inits ?? []), ...(init ? [[init]] : [])] });
  const { enrol, unsent } = it;
  const badges = new Map();
  return Object.assign(it, {
    ...{ at, place, name, line, device: device.id, desk: at.desk },
    ticket: () => device.ticket,
    enrol: () => enrol(device.ticket),
    // A debug build on a busy machine takes its time.
    unsent: (wanted, timeout = 60_000) => unsent(wanted, timeout),
    /** An act of some tins, by name, stated and said to be saved. */
    act: (name, names) => it.state(name, names.map(code)),
    /** What the server holds of this device: texts by epoch and number, and what they say. */
    held: () => heldBy(told),
    events: () => [...heldBy(told).values()].map((text) => JSON.parse(text)),
    /** What the server says it holds of this device, when that asks. */
    status: () =>
      it.page.evaluate(async () => {
        const [{ Store }, { Link }] = await Promise.all([import("/app/device/store.js"), import("/app/device/link.js")]);
        const store = await Store.open(indexedDB, "suyuan-device");
        const { anchor } = await store.disk("", "");
        return (await new Link(location.origin).status(await store.identity(), anchor?.text ?? "")).answer;
      }),
    /** Pushes and deposits, each with what the server answered. */
    pushed: told,
    /** Calls to the API, of one path or all. */
    calls: (path = null) => line.asked.filter(({ url }) => (path === null ? url.pathname.startsWith("/v1/") : url.pathname === path)),
    /** Badges of this place, by number and role. */
    async employ(roles) {
      for (const [number, role] of Object.entries(roles)) {
        badges.set(number, await at.desk.call("POST", "/v1/badges", { number, role, location_id: place }));
      }
    },
    /** One of them works no more. */
    dismiss: (number) => at.desk.call("POST", `/v1/badges/${badges.get(number).id}/withdraw`),
    /** What changed was asked for from now on, and is on the device. */
    async pulled() {
      const applied = () =>
        it.page.evaluate(async () => {
          const { Store } = await import("/app/device/store.js");
          return (await Store.open(indexedDB, "suyuan-device")).record("pulled");
        });
      // What is under way was asked for before.
      await until("silence", () => line.waiting() === 0);
      const before = await applied();
      await it.wake();
      await until("a pull that is applied", async () => (await applied()) !== before);
    },
    async close() {
      await it.browser.kill();
      line.end();
      if (!disk) await rm(folder, { recursive: true, force: true });
    },
  });
}
