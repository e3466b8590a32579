// The edges of the device in a real browser: storage, key, lock, line, and the loop that drives the
// outbox through lost answers, refusals, full storages and killed browsers. The server here is the
// test's own, so that it can answer anything; what is checked is what the device does.

import "./shared.mjs";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { genesis, links } from "../../../api/src/pda/app/core/chain.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { blank, cannot, launch, serve } from "./chromium.mjs";
import { DEVICE, installation } from "./installation.mjs";
import { golden } from "./shared.mjs";

const when = { skip: cannot, timeout: 120_000 };

let server;
let folder;
let browser;
let context;

before(async () => {
  if (cannot) return;
  server = await serve();
  folder = await mkdtemp(join(tmpdir(), "suyuan-pda-"));
  browser = await launch(folder);
  context = browser.context;
});
after(async () => {
  await browser?.kill();
  await server?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Puts the helpers of a test into a page: `device` is the running driver. */
const prepare = (page) =>
  page.evaluate(async () => {
    const [{ Store }, { Link }, driver, { picture }] = await Promise.all([
      import("/app/device/store.js"),
      import("/app/device/link.js"),
      import("/app/device/driver.js"),
      import("/app/core/outbox.js"),
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
      enrol: (ticket) => driver.enrol(kit.store, kit.link, ticket, { program: "test", wall: world.wall }),
      start: async () => {
        kit.driver = await driver.Driver.start(kit.store, kit.link, world);
        return kit.driver !== null;
      },
      act: (units, more = {}) =>
        kit.driver.state(
          [{ kind: "inbound", location: "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11", units: units.map((code) => ({ code, input: "wedge" })) }],
          { actor: { id: "s-1", proof: "badge" }, listVersion: null, zone: 480, ...more },
        ),
      until: async (what) => {
        for (let n = 0; n < 600 && !what(); n += 1) await new Promise((done) => setTimeout(done, 20));
        return what();
      },
    };
    window.kit = kit;
  });

async function enrolled(name) {
  const { page, errors } = await blank(context, server.origin);
  await prepare(page);
  const ticket = golden("wire").messages.find(({ type }) => type === "ticket").json;
  const result = await page.evaluate(
    async ([name, ticket]) => {
      await kit.open(name);
      const enrolled = await kit.enrol(ticket);
      return [enrolled.ok, await kit.start()];
    },
    [name, ticket],
  );
  assert.deepEqual(result, [true, true]);
  return { page, errors };
}

test("the vectors hold in the browser too, under the content security policy", when, async () => {
  const { page, errors } = await blank(context, server.origin);
  const vectors = { codes: golden("trace_codes"), till: golden("till"), chain: golden("chain"), outbox: golden("outbox_traces") };
  const failed = await page.evaluate(async (vectors) => {
    const { parse, canonicalPath } = await import("/app/core/trace-code.js");
    const { genesis, links } = await import("/app/core/chain.js");
    const { Disk, Outbox, picture, prepare } = await import("/app/core/outbox.js");
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
        const outbox = new Outbox(disk);
        for (const { input, after } of session.steps) {
          const hashed = input.command.do === "capture" || input.command.do === "new_epoch";
          const command = hashed ? await prepare(outbox, input.command) : input.command;
          outbox.take({ ...input, command });
          steps += 1;
          if (!same(picture(outbox), after)) wrong.push(`trace ${trace.seed} step ${steps}`);
        }
        disk = session.set_back ? before : outbox.crash(session.dies_after ?? 0);
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
  const own = await installation(server);
  const { page } = await enrolled("cold");
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
  assert.deepEqual(told, { refused: "InvalidAccessError", device: DEVICE, epoch: 1 });
  own.misbehave = () => null;
  await page.reload();
  await prepare(page);
  const again = await page.evaluate(async () => {
    await kit.open("cold");
    const started = await kit.start();
    const said = await kit.act(["(01)06901234567892(21)A"]);
    return { started, ok: said.ok, anchor: kit.picture().anchor !== null };
  });
  assert.deepEqual(again, { started: true, ok: true, anchor: true });
  own.misbehave = () => undefined;
  assert.ok(await page.evaluate(() => kit.driver.wake().then(() => kit.until(() => kit.picture().states.settled.length === 1))));
  assert.equal(own.log.size, 1);
  await page.close();
});

test("what is stated is saved, sent and settled; the server has it byte for byte", when, async () => {
  const own = await installation(server);
  const { page, errors } = await enrolled("plain");
  const said = await page.evaluate(async () => {
    const acts = await Promise.all(Array.from({ length: 25 }, (_, n) => kit.act([`(01)06901234567892(21)S${n}`])));
    await kit.until(kit.drained);
    const rows = kit.driver.outbox.disk.inOrder().map(({ key, text, state }) => [key[1], text, state.is]);
    return { acts, rows, saved: kit.notices.filter(({ say }) => say === "saved").length };
  });
  assert.ok(said.acts.every(({ ok }) => ok));
  assert.equal(said.rows.length, 25);
  for (const [seq, text, state] of said.rows) assert.deepEqual([own.log.get(`1:${seq}`), state], [text, "settled"]);
  const first = JSON.parse(own.log.get("1:1"));
  assert.deepEqual([first.device, first.seq, first.anchor.length], [DEVICE, 1, 17]);
  assert.deepEqual(errors, []);
  await page.close();
});

test("answers that are lost, late, refused, nonsense or forged lose nothing and double nothing", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("rough");
  let n = 0;
  const inflated = (call) => JSON.parse(call.headers["content-encoding"] === "gzip" ? gunzipSync(call.body) : call.body);
  /** A receipt for what was never stored, by somebody who has not the installation's key. */
  const forged = async (call) => {
    const push = inflated(call);
    const body = await own.receipt(push);
    body.receipt.held_ranges = [[1, push.first_seq + push.events.length - 1]];
    return { body };
  };
  /** The same, well signed, but for other events than were sent. */
  const other = async (call) => {
    const { body } = await forged(call);
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
  own.misbehave = (call) => (call.url.pathname === "/v1/sync/push" ? misbehaviours[n++ % misbehaviours.length](call) : undefined);
  const left = await page.evaluate(async () => {
    for (let round = 0; round < 12; round += 1) {
      await kit.act([`(01)06901234567892(21)R${round}`]);
      await new Promise((done) => setTimeout(done, 60));
      await kit.driver.wake();
    }
    for (let round = 0; round < 200 && !kit.drained(); round += 1) {
      await new Promise((done) => setTimeout(done, 30));
      await kit.driver.wake();
    }
    return { unsent: kit.driver.outbox.unsent, kept: kit.driver.outbox.disk.rows.size };
  });
  assert.deepEqual(left, { unsent: 0, kept: 12 });
  assert.equal(own.log.size, 12);
  assert.ok(n > misbehaviours.length, "each happened");
  await page.close();
});

test("a browser that is killed has everything it said was saved, and one chain", when, async () => {
  const own = await installation(server);
  const dying = await mkdtemp(join(tmpdir(), "suyuan-pda-kill-"));
  const promised = [];
  own.misbehave = (call) => (call.url.pathname === "/v1/enrol" ? undefined : null);
  try {
    for (let life = 0; life < 3; life += 1) {
      const victim = await launch(dying);
      const { page } = await blank(victim.context, server.origin);
      await prepare(page);
      await page.exposeFunction("promise", (id) => promised.push(id));
      const ticket = golden("wire").messages.find(({ type }) => type === "ticket").json;
      const running = page.evaluate(
        async ([first, ticket]) => {
          await kit.open("killed");
          if (first) await kit.enrol(ticket);
          await kit.start();
          for (let n = 0; ; n += 1) {
            const said = await kit.act([`(01)06901234567892(21)K${Math.random()}`.slice(0, 40)]);
            if (said.ok) await window.promise(said.ids[0]);
          }
        },
        [life === 0, ticket],
      );
      running.catch(() => {});
      const wanted = promised.length + 15;
      while (promised.length < wanted) await new Promise((done) => setTimeout(done, 10));
      await victim.kill();
    }
    const last = await launch(dying);
    const { page } = await blank(last.context, server.origin);
    await prepare(page);
    own.misbehave = () => undefined;
    const texts = await page.evaluate(async () => {
      await kit.open("killed");
      await kit.start();
      await kit.until(kit.drained);
      return kit.driver.outbox.disk.inOrder().map(({ text, prev_hash, hash }) => ({ text, prev_hash, hash }));
    });
    await last.kill();
    const ids = new Set(texts.map(({ text }) => JSON.parse(text).event_id));
    for (const id of promised) assert.ok(ids.has(id), `${id} was promised`);
    const chained = await links(await genesis(DEVICE, 1), texts.map(({ text }) => text));
    assert.deepEqual(
      chained.map(({ hash, prev_hash }) => [prev_hash, hash]),
      texts.map(({ hash, prev_hash }) => [prev_hash, hash]),
      "one chain without a gap",
    );
    assert.equal(own.log.size, texts.length);
  } finally {
    await rm(dying, { recursive: true, force: true });
  }
});

test("a storage that fails is told at once, nothing behind it is written, and the chain goes on", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("full");
  const said = await page.evaluate(async () => {
    const good = await kit.act(["(01)06901234567892(21)G1"]);
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
    const lost = await Promise.all(["A", "B", "C"].map((serial) => kit.act([`(01)06901234567892(21)${serial}`])));
    const next = await Promise.all([kit.act(["(01)06901234567892(21)D"]), kit.act(["(01)06901234567892(21)E"])]);
    const last = await kit.act(["(01)06901234567892(21)F"]);
    await kit.until(kit.drained);
    const fresh = await kit.store.disk(kit.driver.identity.device, "");
    return { good, lost, next, last, rows: fresh.inOrder().map(({ key, text }) => [key[1], text]), head: fresh.head, seq: fresh.next };
  });
  assert.ok(said.good.ok && said.last.ok);
  assert.ok(said.lost.some(({ ok }) => !ok));
  const saved = [said.good, ...said.lost, ...said.next, said.last].filter(({ ok }) => ok).flatMap(({ ids }) => ids);
  const onDisk = said.rows.map(([, text]) => JSON.parse(text).event_id);
  assert.deepEqual(onDisk, saved, "what was said to be saved, and nothing else, in order");
  assert.deepEqual(said.rows.map(([seq]) => seq), saved.map((_, at) => at + 1));
  const chained = await links(await genesis(DEVICE, 1), said.rows.map(([, text]) => text));
  assert.deepEqual([said.head, said.seq], [chained.at(-1).hash, saved.length + 1]);
  assert.deepEqual([...own.log.values()], said.rows.map(([, text]) => text));
  await page.close();
});

test("what a failed disk holds beyond what it said goes with the next event", when, async () => {
  await installation(server);
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

test("a pull is applied whole with its anchor, and a recall list only if it is signed and complete", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("pulls");
  const items = golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.map(({ item }) => item);
  const cards = items.filter(({ type }) => ["product", "partner", "unit"].includes(type));
  const chunk = Buffer.from(golden("recall_list").lists[1].chunks[0], "base64url");
  const { sha256 } = await import("../../../api/src/pda/app/core/chain.js");
  const hash = await sha256(chunk);
  const count = new Set(golden("recall_list").lists[1].entries.map((entry) => entry.hash)).size;
  const list = { version: 40, made_at: 1, batches: [], count, chunks: [{ hash, bytes: chunk.length }], key: 1 };
  list.sig = await own.signed(await wire.recallListText(list));
  const page1 = { v: 1, items: cards.map((item, at) => ({ gseq: at + 1, item })), cursor: 9, more: true };
  const withList = (list) => ({ v: 1, items: [{ gseq: 10, item: { type: "recall_list", ...list } }], cursor: 10, more: false });
  const pull = () =>
    page.evaluate(async () => {
      const before = kit.driver.outbox.disk.anchor.text;
      const pulled = await kit.driver.pull();
      const { cursor, anchor } = await kit.store.disk("", "");
      const held = await kit.store.recallList();
      const units = (await kit.store.units()).map(({ unit }) => unit);
      return { pulled, cursor, moved: anchor.text > before, held: held?.manifest.version ?? null, units };
    });
  own.pages = [page1];
  const units = cards.flatMap(({ unit }) => unit ?? []).sort();
  assert.deepEqual(await pull(), { pulled: "applied", cursor: 1, moved: true, held: null, units: [] }, "the snapshot");
  assert.deepEqual(await pull(), { pulled: "more", cursor: 9, moved: true, held: null, units });
  own.pages = [withList(list)];
  assert.deepEqual(await pull(), { pulled: "bad_list", cursor: 9, moved: false, held: null, units }, "its chunk cannot be had");
  own.chunks.set(hash, Buffer.from(chunk).fill(0, 20, 21));
  own.pages = [withList(list)];
  assert.equal((await pull()).pulled, "bad_list", "other bytes");
  own.chunks.set(hash, chunk);
  own.pages = [withList(list)];
  assert.deepEqual(await pull(), { pulled: "applied", cursor: 10, moved: true, held: 40, units });
  const asked = await page.evaluate(async () => {
    const { openList } = await import("/app/core/recall-list.js");
    const { manifest, chunks } = await kit.store.recallList();
    const opened = await openList(manifest, chunks);
    return opened.ok && opened.list.marks("cd2533848bb39b10");
  });
  assert.equal(asked, 1);
  own.pages = [withList({ ...list, version: 41 })];
  assert.deepEqual(await pull(), { pulled: "bad_list", cursor: 10, moved: false, held: 40, units }, "not signed");
  await page.close();
});

test("a cursor that leads nowhere is answered with a snapshot: what it says holds, the position goes back, the queue stays", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("anew");
  const [product, partner, unit] = golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.map(({ item }) => item);
  const other = { ...unit, unit: "/01/06901234567892/21/GONE" };
  const pull = () =>
    page.evaluate(async () => {
      const told = [];
      const came = await kit.driver.pull((progress) => told.push(progress));
      const { cursor } = kit.driver.outbox.disk;
      const kept = (await kit.store.disk("", "")).cursor;
      const units = (await kit.store.units()).map(({ unit }) => unit);
      return { came, cursor, kept, units, products: (await kit.store.products()).length, told };
    });
  own.cards = [product, partner, unit, other];
  own.watermark = 900;
  assert.equal((await pull()).came, "applied");
  own.misbehave = (call) => (call.url.pathname === "/v1/sync/push" ? null : undefined);
  await page.evaluate(() => kit.act(["(01)06901234567892(21)KEPT"]));
  // The log was set back: the position of the device is beyond its end.
  own.misbehave = (call) => (/pull|push/.test(call.url.pathname) ? { status: 410, body: {} } : undefined);
  own.cards = [product, ...Array.from({ length: 1200 }, (_, n) => ({ ...unit, unit: `/01/06901234567892/21/N${n}` }))];
  own.watermark = 40;
  const anew = await pull();
  assert.deepEqual([anew.came, anew.cursor, anew.kept, anew.products], ["applied", 40, 40, 1]);
  assert.deepEqual([anew.units.length, anew.units.includes(other.unit)], [1200, false]);
  assert.ok(anew.told.length >= 3 && anew.told.every(({ done, of }) => done <= of) && anew.told.at(-1).done === anew.told.at(-1).of);
  assert.equal(await page.evaluate(() => kit.driver.outbox.unsent), 1);
  await page.close();
});

test("a snapshot that breaks off goes on with the parts it has; one that is not signed, or other bytes, changes nothing", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("parts");
  const [, , unit] = golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.map(({ item }) => item);
  own.cards = Array.from({ length: 2400 }, (_, n) => ({ ...unit, unit: `/01/06901234567892/21/N${n}` }));
  const pull = () => page.evaluate(async () => [await kit.driver.pull(), (await kit.store.units()).length]);
  const fetched = () => server.state.calls.filter(({ url }) => url.pathname.includes("/chunks/")).length;
  let left = 2;
  own.misbehave = (call) => (call.url.pathname.includes("/chunks/") && left-- <= 0 ? null : undefined);
  assert.deepEqual(await pull(), ["again", 0]);
  own.misbehave = () => undefined;
  own.alter = (manifest) => ({ ...manifest, watermark: 2 });
  assert.deepEqual(await pull(), ["not_believed", 0], "another position than was signed");
  own.alter = (manifest) => manifest;
  const before = fetched();
  const { hash } = (await own.snapshot()).chunks[4];
  const good = own.chunks.get(hash);
  // The snapshot is made anew at each call, so the wrong bytes go out by hand.
  own.misbehave = (call) => (call.url.pathname.endsWith(hash) ? { body: Buffer.from(good).fill(32, 20, 21) } : undefined);
  assert.deepEqual(await pull(), ["not_believed", 0], "other bytes");
  own.misbehave = () => undefined;
  assert.deepEqual(await pull(), ["applied", 2400]);
  assert.equal(fetched() - before, 2 + 1 + 1, "two parts were here already");
  await page.close();
});

test("keys are followed: what a newer key signs is believed once the chain leads to it, and not before", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("keys");
  await page.evaluate(() => kit.driver.pull());
  const pairOf = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const jwk = async ({ publicKey }) => {
    const { x, y } = await crypto.subtle.exportKey("jwk", publicKey);
    return { kty: "EC", crv: "P-256", x, y };
  };
  const sign = async ({ privateKey }, text) =>
    Buffer.from(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, new TextEncoder().encode(text))).toString("base64url");
  const [second, stranger] = [await pairOf(), await pairOf()];
  const key = { n: 2, key: await jwk(second), since: 2 };
  const list = async (version, pair) => {
    const body = { version, made_at: 1, batches: [], count: 0, chunks: [], key: 2 };
    body.sig = await sign(pair, await wire.recallListText(body));
    return { v: 1, items: [{ gseq: version, item: { type: "recall_list", ...body } }], cursor: version, more: false };
  };
  const pull = async (answer) => {
    own.pages = [answer];
    const told = await page.evaluate(async () => {
      kit.driver.keysAsked = null;
      return [await kit.driver.pull(), (await kit.store.listHeld())?.version ?? null, (await kit.store.identity()).trust.length];
    });
    own.pages = [];
    return told;
  };
  own.alter = (manifest) => ({ ...manifest, trust_keys: [...own.trust, { ...key, sig: "A".repeat(86) }] });
  assert.deepEqual(await pull(await list(5, second)), ["bad_list", null, 1], "signed by nobody");
  const text = wire.trustKeyText(key, own.trust[0].key);
  own.alter = (manifest) => ({ ...manifest, trust_keys: [...own.trust, { ...key, key: manifest.trust_keys[0].key }] });
  assert.deepEqual(await pull(await list(5, second)), ["bad_list", null, 1], "another key under its number");
  const sig = await own.signed(text);
  own.alter = (manifest) => ({ ...manifest, trust_keys: [...own.trust, { ...key, sig }] });
  assert.deepEqual(await pull(await list(5, stranger)), ["bad_list", null, 2], "the key is known now, and did not sign this");
  assert.deepEqual(await pull(await list(6, second)), ["applied", 6, 2]);
  await page.close();
});

test("a list stays as of now as long as the server says, signed, that it is the list", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("current");
  await page.evaluate(() => kit.driver.pull());
  const list = { version: 5, made_at: 1, batches: golden("wire").messages.find(({ type }) => type === "pull_answer").json.items.flatMap(({ item }) => item.batches ?? []), count: 0, chunks: [], key: 1 };
  list.sig = await own.signed(await wire.recallListText(list));
  own.pages = [{ v: 1, items: [{ gseq: 5, item: { type: "recall_list", ...list } }], cursor: 5, more: false }];
  const pull = () => page.evaluate(async () => [await kit.driver.pull(), await kit.store.listHeld(), (await kit.store.recallList())?.manifest.made_at]);
  const [first, held] = await pull();
  assert.deepEqual([first, held.version, held.made_at], ["applied", 5, 1]);
  own.list = { ...list, version: 9 };
  const [second, later, madeAt] = await pull();
  assert.deepEqual([second, later.version, later.content], ["applied", 9, held.content]);
  assert.ok(later.made_at > 1 && madeAt === later.made_at);
  const asked = server.state.calls.filter(({ url }) => url.pathname === "/v1/sync/pull").at(-1).url.searchParams.get("list");
  assert.equal(asked, await wire.listContent(list), "the device says which list it holds");
  // Another list holds: what is here ages.
  own.list = { ...list, version: 12, count: 1 };
  assert.deepEqual((await pull())[1], later);
  own.list = list;
  const forged = await own.current();
  own.pages = [{ v: 1, items: [], cursor: 5, more: false, list: { ...forged, made_at: forged.made_at + 3.6e9 } }];
  assert.deepEqual((await pull()).slice(0, 2), ["bad_list", later], "not signed");
  await page.close();
});

test("enrolled again, the device sends what its earlier life left with the key of that life", when, async () => {
  const own = await installation(server);
  const { page } = await enrolled("lives");
  own.misbehave = (call) => (call.url.pathname === "/v1/sync/push" ? null : undefined);
  const ticket = golden("wire").messages.find(({ type }) => type === "ticket").json;
  await page.evaluate(async (ticket) => {
    await kit.act(["(01)06901234567892(21)OLD"]);
    kit.driver.stop();
    await kit.enrol(ticket);
    await kit.start();
    await kit.act(["(01)06901234567892(21)NEW"]);
  }, ticket);
  own.misbehave = () => undefined;
  assert.ok(await page.evaluate(() => kit.driver.wake().then(() => kit.until(kit.drained))));
  assert.deepEqual([...own.log.keys()].sort(), ["1:1", "2:1"]);
  await page.close();
});

test("one tab writes; another waits, and takes over when it is gone", when, async () => {
  const first = await blank(context, server.origin);
  const second = await blank(context, server.origin);
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
