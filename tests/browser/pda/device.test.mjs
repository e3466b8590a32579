// The edges of the device in a real browser: storage, key, lock, line, and the loop that drives the
// outbox through lost answers, refusals, full storages and killed browsers. The real program answers over
// TLS; on the line to it somebody cuts, alters and withholds what a test wants, and where it takes a well
// signed untruth, tells that with a key of its own (`notary.mjs`).

import "./shared.mjs";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { genesis, links } from "../../../api/src/pda/app/core/chain.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { until } from "../shift/office.mjs";
import { flagsFor } from "../shift/pda.mjs";
import { blank, cannot, launch } from "./chromium.mjs";
import { notary, signer } from "./notary.mjs";
import { stocked } from "./shelves.mjs";
import { ORIGIN, PULL, cord, heldBy, shop, toPushes } from "./shop.mjs";
import { TIN, code, serialOf, site } from "./site.mjs";
import { golden } from "./shared.mjs";

const when = { skip: cannot, timeout: 120_000 };

let at;
let line;
let told;
let folder;
let browser;
let context;

before(async () => {
  if (cannot) return;
  at = await site();
  told = [];
  line = await cord(told);
  folder = await mkdtemp(join(tmpdir(), "suyuan-pda-"));
  browser = await launch(folder, flagsFor(line, at.pin));
  context = browser.context;
});
beforeEach(() => {
  if (cannot) return;
  told.length = 0;
  line.asked.length = 0;
  line.misbehave = () => undefined;
});
after(async () => {
  await browser?.kill();
  line?.end();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Texts that the program said it holds, since this test began, in order. */
const held = () => [...heldBy(told).values()];
/** Nothing of the API is reached. */
const cut = ({ url }) => (url.pathname.startsWith("/v1/") ? null : undefined);
let tins = 0;
/** So many tins that no test had before. */
const some = (count) => Array.from({ length: count }, () => code(`tin ${(tins += 1)}`));

/** Puts the helpers of a test into a page: `device` is the running driver. */
const prepare = (page) =>
  page.evaluate(async () => {
    const [{ Store }, { enrol }, { Link }, driver, { picture }] = await Promise.all([
      import("/app/device/store.js"),
      import("/app/device/enrol.js"),
      import("/app/device/link.js"),
      import("/app/device/driver.js"),
      import("/app/core/outbox/picture.js"),
    ]);
    const notices = [];
    const world = {
      now: () => performance.now() | 0,
      wall: () => Date.now(),
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
      after: (ms, run) => {
        const timer = setTimeout(run, Math.min(ms, 300));
        return () => clearTimeout(timer);
      },
      tell: (notice) => notices.push(notice),
      changed: () => {},
    };
    const kit = {
      notices,
      drained: () => kit.driver.outbox.unsent === 0 && kit.driver.outbox.pending.length === 0,
      picture: () => picture(kit.driver.outbox),
      open: async (name) => {
        kit.store = await Store.open(indexedDB, name);
        kit.link = new Link(location.origin);
      },
      enrol: (ticket) => enrol(kit.store, kit.link, ticket, { program: "test", wall: world.wall }),
      start: async () => {
        kit.driver = await driver.Driver.start(kit.store, kit.link, world);
        return kit.driver !== null;
      },
      act: (units, more = {}) =>
        kit.driver.state(
          [{ kind: "inbound", location: kit.driver.identity.location, units: units.map((code) => ({ code, input: "wedge" })) }],
          { actor: { id: "s-1", proof: "badge" }, listVersion: null, zone: 480, ...more },
        ),
      until: async (what) => {
        for (let n = 0; n < 600 && !what(); n += 1) await new Promise((done) => setTimeout(done, 20));
        return what();
      },
    };
    window.kit = kit;
  });

/** A device at a shop, enrolled, in a page of its own. */
async function enrolled(name, { place } = {}) {
  const { page, errors } = await blank(context, ORIGIN);
  await prepare(page);
  const given = await at.device(place ?? (await at.shop()).place);
  const result = await page.evaluate(
    async ([name, ticket]) => {
      await kit.open(name);
      const enrolled = await kit.enrol(ticket);
      return [enrolled.ok, await kit.start()];
    },
    [name, JSON.parse(given.ticket)],
  );
  assert.deepEqual(result, [true, true]);
  return { page, errors, device: given.id };
}

test("the vectors hold in the browser too, under the content security policy", when, async () => {
  const { page, errors } = await blank(context, ORIGIN);
  const vectors = { codes: golden("trace_codes"), till: golden("till"), chain: golden("chain"), outbox: golden("outbox_traces") };
  const failed = await page.evaluate(async (vectors) => {
    const { parse, canonicalPath } = await import("/app/core/trace-code.js");
    const { genesis, links } = await import("/app/core/chain.js");
    const { Disk, Outbox, prepare } = await import("/app/core/outbox.js");
    const { picture } = await import("/app/core/outbox/picture.js");
    const same = (a, b) => {
      const sorted = (value) =>
        value && typeof value === "object" && !Array.isArray(value)
          ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
          : Array.isArray(value)
            ? value.map(sorted)
            : value;
      return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
    };
    const wrong = [];
    for (const row of vectors.codes) {
      const read = parse(row.text);
      const good = read.ok ? canonicalPath(read.scanned.code) === row.canonical : read.fault === row.fault && read.position === row.position;
      if (!good) wrong.push(row.text);
    }
    for (const row of vectors.chain) {
      const start = await genesis(row.device, row.epoch);
      const hashes = (await links(start, row.events)).map(({ hash }) => hash);
      if (start !== row.genesis || !same(hashes, row.hashes)) wrong.push(row.genesis);
    }
    let steps = 0;
    for (const trace of vectors.outbox.traces) {
      let disk = new Disk(trace.device, trace.epoch, trace.anchor, await genesis(trace.device, trace.epoch));
      for (const session of trace.sessions) {
        const before = disk.clone();
        for (const [key, text] of session.damage ?? []) disk.put({ ...disk.row(key), text });
        const { receipts = [], states = [], ...turned } = session.turned ?? {};
        for (const receipt of receipts) disk.receipts = { ...disk.receipts, [receipt.epoch]: receipt };
        for (const [key, state] of states) disk.put({ ...disk.row(key), state });
        Object.assign(disk, turned);
        const outbox = Outbox.begin(disk, (receipt) => !receipts.includes(receipt));
        let found = null;
        for (const { input, actions, after } of session.steps) {
          if (!same(found, input.command.do === "damaged" ? input.command.keys : null)) wrong.push(`trace ${trace.seed} before step ${steps}`);
          const hashed = input.command.do === "capture" || input.command.do === "new_epoch";
          const command = hashed ? await prepare(outbox, input.command) : input.command;
          outbox.take({ ...input, command });
          const send = actions.find((action) => action.do === "send");
          found = send ? (await outbox.push(send.epoch, send.first, send.last)).damaged : null;
          steps += 1;
          if (!same(picture(outbox), after)) wrong.push(`trace ${trace.seed} step ${steps}`);
        }
        for (const { write } of outbox.pending.slice(0, session.dies_after ?? 0)) outbox.disk.apply(write);
        disk = session.set_back ? before : outbox.disk;
      }
    }
    return { wrong, steps };
  }, vectors);
  assert.deepEqual(failed.wrong, []);
  assert.ok(failed.steps > 300);
  assert.deepEqual(errors, []);
  await page.close();
});

test("a device is enrolled with a key that cannot be exported, and is there after a cold start without network", when, async () => {
  const { page, device } = await enrolled("cold");
  const told = await page.evaluate(async () => {
    const { lives, device, epoch } = await kit.store.identity();
    const refused = await crypto.subtle.exportKey("jwk", lives[1].privateKey).then(
      () => "exported",
      (error) => error.name,
    );
    kit.driver.stop();
    kit.store.close();
    return { refused, device, epoch };
  });
  assert.deepEqual(told, { refused: "InvalidAccessError", device, epoch: 1 });
  line.misbehave = cut;
  await page.reload();
  await prepare(page);
  const again = await page.evaluate(async (units) => {
    await kit.open("cold");
    const started = await kit.start();
    const said = await kit.act(units);
    return { started, ok: said.ok, anchor: kit.picture().anchor !== null };
  }, some(1));
  assert.deepEqual(again, { started: true, ok: true, anchor: true });
  line.misbehave = () => undefined;
  assert.ok(await page.evaluate(() => kit.driver.wake().then(() => kit.until(() => kit.picture().states.settled.length === 1))));
  assert.equal(held().length, 1);
  await page.close();
});

test("what is stated is saved, sent and settled; the server has it byte for byte", when, async () => {
  const { page, errors, device } = await enrolled("plain");
  const said = await page.evaluate(async (tins) => {
    const acts = await Promise.all(tins.map((tin) => kit.act([tin])));
    await kit.until(kit.drained);
    const rows = kit.driver.outbox.disk.inOrder().map(({ key, text, state }) => [key[1], text, state.is]);
    return { acts, rows, saved: kit.notices.filter(({ say }) => say === "saved").length };
  }, some(25));
  assert.ok(said.acts.every(({ ok }) => ok));
  assert.equal(said.rows.length, 25);
  const log = heldBy(told);
  for (const [seq, text, state] of said.rows) assert.deepEqual([log.get(`1:${seq}`), state], [text, "settled"]);
  const first = JSON.parse(log.get("1:1"));
  assert.deepEqual([first.device, first.seq, first.anchor.length > 16], [device, 1, true]);
  assert.deepEqual(errors, []);
  await page.close();
});

test("answers that are lost, late, refused, nonsense or forged lose nothing and double nothing", when, async () => {
  const own = await notary(line);
  const { page } = await enrolled("rough");
  let n = 0;
  const inflated = (call) => JSON.parse(call.headers["content-encoding"] === "gzip" ? gunzipSync(call.body) : call.body);
  /** A receipt for what was never stored, by somebody who has not the installation's key. */
  const forged = async (call) => {
    const push = inflated(call);
    const last = push.first_seq + push.events.length - 1;
    const { answer } = told.at(-1);
    const receipt = { ...answer.receipt, contiguous_seq: last, held_ranges: [[1, last]], missing_ranges: [] };
    return { body: { ...answer, receipt, results: push.events.map((_, at) => ({ seq: push.first_seq + at, status: "stored", gseq: 1 + at, findings: [] })) } };
  };
  /** The same, well signed, but for other events than were sent. */
  const other = async (call) => {
    const { body } = await forged(call);
    body.receipt.key = 1;
    body.receipt.sig = await own.signed(wire.receiptText(body.receipt));
    for (const result of body.results) result.seq += 1;
    return { body };
  };
  const misbehaviours = [
    () => "after",
    () => null,
    () => ({ status: 500, body: "<html>" }),
    () => ({ status: 200, body: "<html>no</html>" }),
    () => ({ status: 503, body: {}, headers: { "retry-after": "0" } }),
    () => ({ status: 400, body: {} }),
    () => ({ status: 401, body: {} }),
    () => ({ status: 200, body: { v: 1 } }),
    forged,
    other,
    () => undefined,
  ];
  own.misbehave = toPushes((call) => misbehaviours[n++ % misbehaviours.length](call));
  const left = await page.evaluate(async (tins) => {
    for (const tin of tins) {
      await kit.act([tin]);
      await new Promise((done) => setTimeout(done, 60));
      await kit.driver.wake();
    }
    for (let round = 0; round < 200 && !kit.drained(); round += 1) {
      await new Promise((done) => setTimeout(done, 30));
      await kit.driver.wake();
    }
    return { unsent: kit.driver.outbox.unsent, kept: kit.driver.outbox.disk.rows.size };
  }, some(12));
  assert.deepEqual(left, { unsent: 0, kept: 12 });
  assert.equal(held().length, 12);
  assert.ok(n > misbehaviours.length, "each happened");
  await page.close();
});

test("I30: a bit that turned on the storage is found before anything is signed; it is told and kept, and all others arrive", when, async () => {
  const { page } = await enrolled("turned");
  line.misbehave = cut;
  const turned = await page.evaluate(async (tins) => {
    for (const tin of tins) await kit.act([tin]);
    kit.driver.stop();
    await kit.driver.retire();
    const tx = kit.store.db.transaction(["rows"], "readwrite");
    const rows = tx.objectStore("rows");
    const row = await new Promise((done) => (rows.get([1, 2]).onsuccess = ({ target }) => done(target.result)));
    // Still an event that anybody would believe: another serial.
    const last = row.text.indexOf('","input"') - 1;
    const text = row.text.slice(0, last) + String.fromCharCode(row.text.charCodeAt(last) ^ 1) + row.text.slice(last + 1);
    rows.put({ ...row, text }, [1, 2]);
    await new Promise((done) => (tx.oncomplete = done));
    kit.store.close();
    return text;
  }, some(4));
  assert.equal(JSON.parse(turned).seq, 2);
  line.misbehave = () => undefined;
  const said = await page.evaluate(async (tin) => {
    await kit.open("turned");
    await kit.start();
    const act = await kit.act([tin]);
    await kit.until(() => kit.drained() && kit.picture().states.damaged.length > 0);
    const disk = kit.driver.outbox.disk;
    return { act: act.ok, states: kit.picture().states, told: kit.notices.filter(({ say }) => say === "damaged"), kept: disk.row([1, 2]).text };
  }, some(1)[0]);
  assert.ok(said.act, "scanning goes on");
  assert.deepEqual(said.told, [{ say: "damaged", of: [1, 2] }]);
  assert.deepEqual([said.states.damaged, said.states.settled], [[[1, 2, 2]], [[1, 1, 1], [1, 3, 5]]]);
  assert.equal(said.kept, turned, "not a byte is lost");
  assert.deepEqual([...heldBy(told).keys()].sort(), ["1:1", "1:3", "1:4", "1:5"]);
  await page.close();
});

test("I30: a receipt, a state, the anchor, the position or the place of a row that turned lets no event go, and is had again", when, async () => {
  const { page } = await enrolled("doubted");
  const before = await page.evaluate(async (tins) => {
    for (const tin of tins) await kit.act([tin]);
    await kit.until(() => kit.drained());
    await kit.driver.pull();
    const { cursor, receipts } = kit.driver.outbox.disk;
    return { cursor, held: receipts[1].held_ranges };
  }, some(4));
  assert.deepEqual(before.held, [[1, 4]]);
  assert.ok(before.cursor > 0);
  const said = await page.evaluate(
    async ({ tin, cursor }) => {
      const turn = async (change) => {
        await kit.driver.retire();
        const tx = kit.store.db.transaction(["device", "rows"], "readwrite");
        const [device, rows] = ["device", "rows"].map((name) => tx.objectStore(name));
        const head = await new Promise((done) => (device.get("head").onsuccess = ({ target }) => done(target.result)));
        const row = await new Promise((done) => (rows.get([1, 2]).onsuccess = ({ target }) => done(target.result)));
        change(head, row);
        device.put(head, "head");
        rows.put(row, [1, 2]);
        await new Promise((done) => (tx.oncomplete = done));
        kit.store.close();
        kit.notices.length = 0;
        await kit.open("doubted");
        await kit.start();
        await kit.until(() => kit.drained() && kit.driver.outbox.unreceipted === 0);
        await kit.driver.pull();
        const { outbox } = kit.driver;
        const { disk } = outbox;
        return {
          told: kit.notices.filter(({ say }) => ["doubted", "strayed", "damaged"].includes(say)),
          settled: kit.picture().states.settled,
          held: disk.receipts[1]?.held_ranges,
          isBack: disk.cursor >= cursor && disk.anchor !== null,
        };
      };
      const found = {
        receipt: await turn((head) => (head.receipts[1].stamp += 2 ** 20)),
        covers: await turn((head) => (head.receipts[1].held_ranges = [[1, 68]])),
        shape: await turn((head) => delete head.receipts[1].held_ranges),
        sig: await turn((head) => (head.receipts[1].sig = `A${head.receipts[1].sig.slice(1)}`)),
        state: await turn((_, row) => (row.state = { is: "settlee", stamp: 1 })),
        stateless: await turn((_, row) => delete row.state),
        place: await turn((_, row) => (row.key = [1, 3])),
        anchor: await turn((head) => (head.anchor.text = `~${head.anchor.text.slice(1)}`)),
        wall: await turn((head) => (head.anchor.wall += 2 ** 35)),
        cursor: await turn((head) => (head.cursor += 2 ** 12)),
        next: await turn((head) => (head.next -= 4)),
        // Nothing turned: what a program of before kept.
        before: await turn((head) => {
          [head.receipt] = Object.values(head.receipts);
          delete head.receipts;
          delete head.cursorCheck;
          delete head.anchor.check;
        }),
      };
      const act = await kit.act([tin]);
      await kit.until(() => kit.drained());
      return { found, act: act.ok, rows: kit.driver.outbox.disk.inOrder().map(({ key }) => key[1]) };
    },
    { tin: some(1)[0], cursor: before.cursor },
  );
  const [doubted, strayed] = [[{ say: "doubted", of: 1 }], [{ say: "strayed" }]];
  const says = {
    ...{ receipt: doubted, covers: doubted, shape: doubted, sig: doubted, state: doubted, stateless: doubted, place: [] },
    ...{ anchor: strayed, wall: strayed, cursor: strayed, next: [], before: [] },
  };
  for (const [what, of] of Object.entries(said.found)) {
    assert.deepEqual(of, { told: says[what], settled: [[1, 1, 4]], held: [[1, 4]], isBack: true }, what);
  }
  assert.deepEqual([said.act, said.rows], [true, [1, 2, 3, 4, 5]]);
  assert.deepEqual([...heldBy(told).keys()].sort(), ["1:1", "1:2", "1:3", "1:4", "1:5"]);
  await page.close();
});

test("a browser that is killed has everything it said was saved, and one chain", when, async () => {
  const given = await at.device((await at.shop()).place);
  const dying = await mkdtemp(join(tmpdir(), "suyuan-pda-kill-"));
  const promised = [];
  line.misbehave = (call) => (call.url.pathname === "/v1/enrol" ? undefined : cut(call));
  try {
    for (let life = 0; life < 3; life += 1) {
      const victim = await launch(dying, flagsFor(line, at.pin));
      const { page } = await blank(victim.context, ORIGIN);
      await prepare(page);
      await page.exposeFunction("promise", (id) => promised.push(id));
      const running = page.evaluate(
        async ([first, ticket, tins]) => {
          await kit.open("killed");
          if (first) await kit.enrol(ticket);
          await kit.start();
          for (let n = 0; ; n += 1) {
            const said = await kit.act([tins[n % tins.length]]);
            if (said.ok) await window.promise(said.ids[0]);
          }
        },
        [life === 0, JSON.parse(given.ticket), some(30)],
      );
      running.catch(() => {});
      const wanted = promised.length + 15;
      while (promised.length < wanted) await new Promise((done) => setTimeout(done, 10));
      await victim.kill();
    }
    const last = await launch(dying, flagsFor(line, at.pin));
    const { page } = await blank(last.context, ORIGIN);
    await prepare(page);
    line.misbehave = () => undefined;
    const texts = await page.evaluate(async () => {
      await kit.open("killed");
      await kit.start();
      await kit.until(kit.drained);
      return kit.driver.outbox.disk.inOrder().map(({ text, prev_hash, hash }) => ({ text, prev_hash, hash }));
    });
    await last.kill();
    const ids = new Set(texts.map(({ text }) => JSON.parse(text).event_id));
    for (const id of promised) assert.ok(ids.has(id), `${id} was promised`);
    const chained = await links(await genesis(given.id, 1), texts.map(({ text }) => text));
    assert.deepEqual(
      chained.map(({ hash, prev_hash }) => [prev_hash, hash]),
      texts.map(({ hash, prev_hash }) => [prev_hash, hash]),
      "one chain without a gap",
    );
    assert.deepEqual(held(), texts.map(({ text }) => text));
  } finally {
    await rm(dying, { recursive: true, force: true });
  }
});

test("a storage that fails is told at once, nothing behind it is written, and the chain goes on", when, async () => {
  const { page, device } = await enrolled("full");
  const said = await page.evaluate(async ([g1, a, b, c, d, e, f]) => {
    const good = await kit.act([g1]);
    const { commit } = kit.store;
    let failing = 2;
    kit.store.commit = function (...call) {
      const isCapture = call[0]?.rows?.length > 0;
      if (isCapture && failing > 0) {
        failing -= 1;
        return new Promise((_, no) => setTimeout(() => no(new DOMException("full", "QuotaExceededError")), 30));
      }
      return commit.apply(this, call);
    };
    const lost = await Promise.all([a, b, c].map((tin) => kit.act([tin])));
    const next = await Promise.all([kit.act([d]), kit.act([e])]);
    const last = await kit.act([f]);
    await kit.until(kit.drained);
    const fresh = await kit.store.disk(kit.driver.identity.device, "");
    return { good, lost, next, last, rows: fresh.inOrder().map(({ key, text }) => [key[1], text]), head: fresh.head, seq: fresh.next };
  }, some(7));
  assert.ok(said.good.ok && said.last.ok);
  assert.ok(said.lost.some(({ ok }) => !ok));
  const saved = [said.good, ...said.lost, ...said.next, said.last].filter(({ ok }) => ok).flatMap(({ ids }) => ids);
  const onDisk = said.rows.map(([, text]) => JSON.parse(text).event_id);
  assert.deepEqual(onDisk, saved, "what was said to be saved, and nothing else, in order");
  assert.deepEqual(said.rows.map(([seq]) => seq), saved.map((_, at) => at + 1));
  const chained = await links(await genesis(device, 1), said.rows.map(([, text]) => text));
  assert.deepEqual([said.head, said.seq], [chained.at(-1).hash, saved.length + 1]);
  assert.deepEqual(held(), said.rows.map(([, text]) => text));
  await page.close();
});

test("what a failed disk holds beyond what it said goes with the next event", when, async () => {
  const { page } = await enrolled("beyond");
  const seqs = await page.evaluate(async () => {
    kit.driver.stop();
    const row = (seq, text) => ({ key: [1, seq], prev_hash: "", hash: "h", text, state: { is: "durable" } });
    await kit.store.commit({ id: 0, rows: [row(1, "a")] }, {});
    // An act of three was written, and told as not saved.
    await kit.store.commit({ id: 0, rows: [row(2, "lost"), row(3, "lost"), row(4, "lost")] }, {});
    await kit.store.commit({ id: 0, rows: [row(2, "b")] }, {});
    const disk = await kit.store.disk("", "");
    return [disk.inOrder().map(({ key, text }) => [key[1], text]), disk.next];
  });
  assert.deepEqual(seqs, [[[1, "a"], [2, "b"]], 3]);
  await page.close();
});

/** Somebody else at a shop, who takes goods in and out by a device that does not meet what the line does. */
async function clerkAt(place) {
  const it = await shop(null, { beside: { place, name: "" } });
  await it.open();
  await it.enrol();
  return {
    in: (tins) => it.state("inbound", tins).then(() => it.unsent(0)),
    close: () => it.close(),
  };
}

/** A recall of these tins. */
const recalled = (codes) =>
  at.desk.call("POST", "/v1/recalls", { codes, reason: "漏装勺", instructions: "退回门店", initiated_at: new Date(Date.now() - 3_600_000).toISOString(), responsible: "Q-1" });

/** The program's answers to calls of a path, altered. */
const altered = (path, alter) => async (call) => {
  if (!call.url.pathname.startsWith(path)) return undefined;
  const answer = await call.passed();
  return answer.status === 200 ? { ...answer, body: alter(JSON.parse(answer.body)) } : answer;
};
const CHUNKS = "/v1/sync/chunks/";
const keyOf = (tin) => `/01/${TIN}/21/${serialOf(tin)}`;

test("a pull is applied whole with its anchor, and a recall list only if it is signed and complete", when, async (t) => {
  const { place } = await at.shop();
  const clerk = await clerkAt(place);
  t.after(() => clerk.close());
  const { page } = await enrolled("pulls", { place });
  const pull = () =>
    page.evaluate(async () => {
      const before = kit.driver.outbox.disk.anchor.text;
      const pulled = await kit.driver.pull();
      const { cursor, anchor } = await kit.store.disk("", "");
      const held = await kit.store.listHeld();
      const units = (await kit.store.units()).map(({ unit }) => unit).sort();
      return { pulled, cursor, moved: anchor.text !== before, held: held?.version ?? null, units };
    });
  const begun = await pull();
  assert.deepEqual([begun.pulled, begun.moved, begun.units], ["applied", true, []], "the snapshot");
  const tins = some(2);
  const units = tins.map(keyOf).sort();
  await clerk.in(tins);
  line.misbehave = altered(PULL, (body) => ({ ...body, more: true }));
  const shelved = await until("the cards", async () => {
    const came = await pull();
    return came.units.length > 0 ? came : null;
  });
  assert.deepEqual([shelved.pulled, shelved.moved, shelved.units], ["more", true, units]);
  assert.ok(shelved.cursor > begun.cursor);

  const bad = some(3);
  let before;
  /** The next pull that is not of something else. */
  const listed = () =>
    until("the list", async () => {
      const came = await pull();
      if (came.pulled !== "applied" || came.held !== before.held) return came;
      before = came;
      return null;
    });
  line.misbehave = () => undefined;
  before = await pull();
  line.misbehave = ({ url }) => (url.pathname.startsWith(CHUNKS) ? { status: 404, body: {} } : undefined);
  await recalled(bad);
  const refused = async (why) => {
    const { pulled, ...came } = await listed();
    const { cursor, held, units } = before;
    assert.deepEqual([pulled, came], ["bad_list", { cursor, moved: false, held, units }], why);
  };
  await refused("its chunk cannot be had");
  line.misbehave = async (call) => {
    if (!call.url.pathname.startsWith(CHUNKS)) return undefined;
    const { body, ...answer } = await call.passed();
    return { ...answer, body: Buffer.from(body).fill(0, 20, 21) };
  };
  await refused("other bytes");
  const newer = ({ items, ...body }) => ({ ...body, items: items.map((one) => (one.item.type === "recall_list" ? { ...one, item: { ...one.item, version: one.item.version + 1 } } : one)) });
  line.misbehave = altered(PULL, newer);
  await refused("not signed");
  line.misbehave = () => undefined;
  const whole = await listed();
  assert.deepEqual([whole.pulled, whole.moved, whole.units], ["applied", true, units]);
  assert.ok(whole.held > before.held && whole.cursor > before.cursor);
  const marks = await page.evaluate(async (keys) => {
    const { openList, unitHash } = await import("/app/core/recall-list.js");
    const { manifest, chunks } = await kit.store.recallList();
    const opened = await openList(manifest, chunks);
    return Promise.all(keys.map(async (key) => opened.ok && opened.list.marks(await unitHash(key))));
  }, [...bad, ...tins].map(keyOf));
  assert.deepEqual(marks, [1, 1, 1, 0, 0]);
  await page.close();
});

test("I23: up to when cards show what was receipted is kept with the last page; of a snapshot nothing is known to", when, async () => {
  const { page } = await enrolled("shown");
  const receipted = await page.evaluate(async (tins) => {
    await kit.act(tins);
    await kit.until(kit.drained);
    return kit.driver.outbox.disk.receipt.stamp;
  }, some(1));
  const pulled = () => page.evaluate(async () => [await kit.driver.pull(), await kit.store.record("shown"), await kit.store.record("told_until")]);
  assert.deepEqual(await pulled(), ["applied", receipted, 0]);
  const [came, shown, until] = await pulled();
  assert.deepEqual([came, shown], ["applied", receipted]);
  assert.ok(until >= receipted, "nothing was left for later");
  line.misbehave = altered(PULL, (body) => ({ ...body, more: true, told_until: 1 }));
  assert.deepEqual(await pulled(), ["more", receipted, until]);
  line.misbehave = altered(PULL, (body) => ({ ...body, told_until: receipted - 1 }));
  assert.deepEqual(await pulled(), ["applied", receipted, receipted - 1]);
  line.misbehave = altered(PULL, (body) => ({ ...body, told_until: undefined }));
  assert.deepEqual(await pulled(), ["applied", receipted, null]);
  line.misbehave = () => undefined;
  await page.close();
});

test("the anchor of a chunk counts with what it is a part of: the greatest is kept (I12)", when, async () => {
  const { place } = await at.shop();
  const { page } = await enrolled("chunk-anchor", { place });
  const seen = [];
  line.misbehave = async (call) => {
    // These come behind a snapshot or page, with an anchor of their own.
    if (["/v1/sync/badges", "/v1/sync/rules"].includes(call.url.pathname)) return null;
    if (!call.url.pathname.startsWith(CHUNKS) && call.url.pathname !== PULL) return undefined;
    const answer = await call.passed();
    if (answer.status === 200) seen.push(answer.headers["suyuan-anchor"] ?? JSON.parse(answer.body).anchor);
    return answer;
  };
  const pull = () =>
    page.evaluate(async () => {
      const before = (await kit.store.listHeld())?.version ?? 0;
      const came = await kit.driver.pull();
      const { anchor } = await kit.store.disk("", "");
      return { came, anchor: anchor.text, isNew: ((await kit.store.listHeld())?.version ?? 0) > before };
    });
  const begun = await pull();
  assert.deepEqual([begun.came, begun.anchor], ["applied", seen.at(-1)], "a snapshot with its last chunk");
  await recalled(some(1));
  await until("the list", async () => {
    seen.length = 0;
    const told = await pull();
    // Of a page that brought a list the chunk came last.
    return told.isNew && seen.length > 1 && (assert.equal(told.anchor, [...seen].sort().at(-1)), assert.equal(told.anchor, seen.at(-1)), told);
  });
  line.misbehave = () => undefined;
  await page.close();
});

test("a cursor that leads nowhere is answered with a snapshot: what it says holds, the position goes back, the queue stays", when, async () => {
  const { place, tins } = await stocked(1200);
  const { page } = await enrolled("anew", { place });
  const pull = () =>
    page.evaluate(async () => {
      const told = [];
      const came = await kit.driver.pull((progress) => told.push(progress));
      const { cursor } = kit.driver.outbox.disk;
      const kept = (await kit.store.disk("", "")).cursor;
      const units = (await kit.store.units()).map(({ unit, phase }) => `${unit} ${phase}`).sort();
      return { came, cursor, kept, units, products: (await kit.store.products()).length, told };
    });
  const shelved = tins.map((tin) => `${keyOf(tin)} in_stock`).sort();
  const first = await pull();
  assert.deepEqual([first.came, first.units], ["applied", shelved]);
  line.misbehave = toPushes(() => null);
  await page.evaluate((tins) => kit.act(tins), some(1));
  // What is no more: a card of a unit that the program never told.
  await page.evaluate(async () => {
    const [unit] = await kit.store.units();
    await kit.store.commit(null, { items: [{ type: "unit", ...unit, unit: "/01/06901234567892/21/GONE" }] });
  });
  // The log was set back: the position of the device is beyond its end, and the program says so itself.
  await page.evaluate(async () => {
    kit.driver.stop();
    await kit.store.commit({ id: 0, cursor: 1_000_000_000 }, {});
    await kit.start();
  });
  const anew = await pull();
  const { watermark } = await page.evaluate(async () => ({ watermark: await kit.store.record("snapshot") }));
  assert.deepEqual([anew.came, anew.cursor, anew.kept], ["applied", watermark, watermark]);
  assert.ok(watermark >= first.cursor && watermark < 1_000_000_000, `${watermark}`);
  assert.deepEqual([anew.units, anew.products], [shelved, first.products]);
  assert.ok(first.products > 0);
  assert.ok(anew.told.length >= 3 && anew.told.every(({ done, of }) => done <= of) && anew.told.at(-1).done === anew.told.at(-1).of);
  assert.equal(await page.evaluate(() => kit.driver.outbox.unsent), 1);
  await page.close();
});

test("a snapshot that is still being made is asked for again until it is there, and not by a session that is over", when, async () => {
  const { place, tins } = await stocked(3);
  const { page } = await enrolled("made later", { place });
  const asked = () => line.asked.filter(({ url }) => url.pathname === "/v1/sync/snapshot").length;
  const notReady = { status: 503, headers: { "retry-after": "1" }, body: { code: "snapshot-not-ready" } };
  let left = 3;
  line.misbehave = ({ url }) => (url.pathname === "/v1/sync/snapshot" && left-- > 0 ? notReady : undefined);
  const came = await page.evaluate(async () => [await kit.driver.pull(), (await kit.store.units()).length]);
  assert.deepEqual([came, asked()], [["applied", tins.length], 4]);
  // Any other refusal is left to the next pull.
  await page.evaluate(async () => {
    kit.driver.stop();
    await kit.store.commit({ id: 0, cursor: 1_000_000_000 }, {});
    await kit.start();
  });
  line.misbehave = ({ url }) => (url.pathname === "/v1/sync/snapshot" ? { status: 503, body: { code: "unavailable" } } : undefined);
  assert.deepEqual([await page.evaluate(() => kit.driver.pull()), asked()], ["again", 5]);
  line.misbehave = ({ url }) => (url.pathname === "/v1/sync/snapshot" ? notReady : undefined);
  await page.evaluate(() => void (kit.pulled = kit.driver.pull()));
  await until("it asks", () => asked() > 6);
  const stopped = await page.evaluate(() => {
    kit.driver.stop();
    return kit.pulled;
  });
  assert.equal(stopped, "again");
  await page.close();
});

test("a snapshot that breaks off goes on with the parts it has; one that is not signed, or other bytes, changes nothing", when, async () => {
  const { place, tins } = await stocked(2400);
  const { page } = await enrolled("parts", { place });
  const pull = () => page.evaluate(async () => [await kit.driver.pull(), (await kit.store.units()).length]);
  const fetched = () => line.asked.filter(({ url }) => url.pathname.startsWith(CHUNKS)).length;
  let left = 2;
  let manifest;
  line.misbehave = async (call) => {
    if (call.url.pathname.startsWith(CHUNKS) && left-- <= 0) return null;
    return altered("/v1/sync/snapshot", (body) => (manifest = body))(call);
  };
  assert.deepEqual(await pull(), ["again", 0]);
  const { chunks } = manifest;
  assert.ok(chunks.length > 2, `${chunks.length} parts`);
  line.misbehave = altered("/v1/sync/snapshot", (body) => ({ ...body, watermark: body.watermark + 1 }));
  assert.deepEqual(await pull(), ["not_believed", 0], "another position than was signed");
  const before = fetched();
  line.misbehave = async (call) => {
    // The last part says when its recall list was made: it is another one each time.
    if (!call.url.pathname.endsWith(manifest.chunks.at(-1).hash)) return altered("/v1/sync/snapshot", (body) => (manifest = body))(call);
    const { body, ...answer } = await call.passed();
    // As long as it was, and as good a message.
    const other = String(body).replace('"in_stock"', '"returned"');
    assert.notEqual(other, String(body));
    return { ...answer, body: other };
  };
  assert.deepEqual(await pull(), ["not_believed", 0], "other bytes");
  line.misbehave = () => undefined;
  assert.deepEqual(await pull(), ["applied", tins.length]);
  // And one of the recall list, which is no part of it.
  assert.equal(fetched() - before, 1 + (chunks.length - 2) + 1, "two parts were here already");
  await page.close();
});

test("keys are followed: what a newer key signs is believed once the chain leads to it, and not before", when, async () => {
  const own = await notary(line);
  const { page } = await enrolled("keys");
  await page.evaluate(() => kit.driver.pull());
  const base = await page.evaluate(async () => (await kit.store.listHeld()).version);
  const [second, stranger] = [await signer(), await signer()];
  const key = { n: 2, key: second.key, since: 2 };
  /** A page with a list that one of them signed. */
  const list = async (version, by) => {
    const body = { version, made_at: 1, batches: [], count: 0, chunks: [], key: 2 };
    body.sig = await by.signed(await wire.recallListText(body));
    return ({ v, anchor, cursor }) => ({ v, anchor, cursor: cursor + 1, more: false, items: [{ gseq: cursor + 1, item: { type: "recall_list", ...body } }] });
  };
  const pull = async (answer) => {
    own.page = answer;
    return page.evaluate(async () => {
      kit.driver.keysAsked = null;
      return [await kit.driver.pull(), (await kit.store.listHeld())?.version ?? null, (await kit.store.identity()).trust.length];
    });
  };
  own.trust = [own.first, { ...key, sig: "A".repeat(86) }];
  assert.deepEqual(await pull(await list(base + 5, second)), ["bad_list", base, 1], "signed by nobody");
  own.trust = [own.first, { ...key, key: own.first.key }];
  assert.deepEqual(await pull(await list(base + 5, second)), ["bad_list", base, 1], "another key under its number");
  own.trust = [own.first, { ...key, sig: await own.signed(wire.trustKeyText(key, own.first.key)) }];
  assert.deepEqual(await pull(await list(base + 5, stranger)), ["bad_list", base, 2], "the key is known now, and did not sign this");
  assert.deepEqual(await pull(await list(base + 6, second)), ["applied", base + 6, 2]);
  await page.close();
});

test("a list stays as of now as long as the server says, signed, that it is the list", when, async () => {
  const { page } = await enrolled("current");
  const pull = () => page.evaluate(async () => [await kit.driver.pull(), await kit.store.listHeld(), (await kit.store.recallList())?.manifest.made_at]);
  const [first, held] = await pull();
  assert.equal(first, "applied");
  const [second, later, madeAt] = await pull();
  assert.deepEqual([second, later.content], ["applied", held.content]);
  assert.ok(later.made_at > held.made_at && madeAt === later.made_at);
  const manifest = await page.evaluate(async () => (await kit.store.recallList()).manifest);
  const asked = line.asked.filter(({ url }) => url.pathname === PULL).at(-1).url.searchParams.get("list");
  assert.equal(asked, await wire.listContent(manifest), "the device says which list it holds");
  // Another list holds, and does not come: what is here ages.
  let content = held.content;
  const without = (body) => {
    content = body.list.content;
    return { ...body, items: body.items.filter(({ item }) => item.type !== "recall_list") };
  };
  line.misbehave = altered(PULL, without);
  await recalled(some(1));
  const aged = await until("another list", async () => {
    const before = await page.evaluate(() => kit.store.listHeld());
    const [came, after] = await pull();
    return content === held.content ? null : { came, before, after };
  });
  assert.deepEqual([aged.came, aged.after], ["applied", aged.before]);
  line.misbehave = altered(PULL, (body) => ({ ...without(body), list: { ...body.list, made_at: body.list.made_at + 3.6e9 } }));
  assert.deepEqual((await pull()).slice(0, 2), ["bad_list", aged.after], "not signed");
  await page.close();
});

test("enrolled again, the device sends what its earlier life left with the key of that life", when, async () => {
  const { page, device } = await enrolled("lives");
  line.misbehave = toPushes(() => null);
  const { ticket } = await at.desk.call("POST", `/v1/devices/${device}/tickets`);
  await page.evaluate(
    async ([ticket, old, fresh]) => {
      await kit.act([old]);
      kit.driver.stop();
      await kit.enrol(ticket);
      await kit.start();
      await kit.act([fresh]);
    },
    [JSON.parse(ticket.text), ...some(2)],
  );
  line.misbehave = () => undefined;
  assert.ok(await page.evaluate(() => kit.driver.wake().then(() => kit.until(kit.drained))));
  assert.deepEqual([...heldBy(told).keys()], ["1:1", "2:1"]);
  await page.close();
});

test("what is still being written or fetched while a device is enrolled anew is of neither life by halves", when, async (t) => {
  const own = await notary(line);
  const { page, device } = await enrolled("mixed");
  const second = await signer();
  const key = { n: 2, key: second.key, since: 2 };
  own.trust = [own.first, { ...key, sig: await own.signed(wire.trustKeyText(key, own.first.key)) }];
  own.misbehave = toPushes(() => null);
  let release;
  let isHeld = false;
  const gate = new Promise((resolve) => (release = resolve));
  // A key that the first life would note down comes when that is over.
  t.after(() => (line.alter = (path, body) => body));
  line.alter = async (path, body) => {
    if (path !== "/v1/sync/snapshot" || isHeld) return body;
    isHeld = true;
    await gate;
    return body;
  };
  const { ticket } = await at.desk.call("POST", `/v1/devices/${device}/tickets`);
  await page.evaluate((tins) => {
    const { commit } = kit.store;
    const slow = new Promise((resolve) => (kit.write = resolve));
    kit.store.commit = async function (write, ...more) {
      if (write?.rows) await slow;
      return commit.call(this, write, ...more);
    };
    kit.pulled = kit.driver.pull().catch(() => "refused");
    kit.said = kit.act(tins);
  }, some(1));
  await until("a snapshot that is held", () => isHeld);
  await page.evaluate(async (ticket) => {
    kit.driver.stop();
    await kit.enrol(ticket);
    kit.write();
  }, JSON.parse(ticket.text));
  release();
  const found = await page.evaluate(async () => {
    const never = new Promise((resolve) => setTimeout(resolve, 5000, { ok: "never told" }));
    const { ok } = await Promise.race([kit.said, never]);
    await kit.pulled;
    const { epoch, trust } = await kit.store.identity();
    const disk = await kit.store.disk("", "");
    return { ok, epoch, trust: trust.length, disk: [disk.epoch, disk.next, disk.head], rows: disk.rows.size };
  });
  assert.deepEqual(found, { ok: false, epoch: 2, trust: 1, disk: [2, 1, await genesis(device, 2)], rows: 0 });
  await page.close();
});

test("one tab writes; another waits, and takes over when it is gone", when, async () => {
  const first = await blank(context, ORIGIN);
  const second = await blank(context, ORIGIN);
  const be = ({ page }) =>
    page.evaluate(async () => {
      const { beWriter } = await import("/app/device/lock.js");
      window.role = "none";
      void beWriter(navigator.locks, "writer", {
        waits: () => (window.role = "waits"),
        writes: () => {
          window.role = "writes";
          return new Promise(() => {});
        },
      });
      for (let n = 0; n < 100 && window.role === "none"; n += 1) await new Promise((done) => setTimeout(done, 20));
      return window.role;
    });
  assert.equal(await be(first), "writes");
  assert.equal(await be(second), "waits");
  await first.page.close();
  await second.page.waitForFunction(() => window.role === "writes");
  await second.page.close();
});
