// A stand-in for an installation, written in JavaScript, for fast tests of the app alone: it enrols, keeps
// what it is given in a map, signs receipts and lists, and can be told to misbehave in any way. It judges
// nothing and answers `stored` to every event, over plain HTTP: what a test shows on it is what the app
// does, never that the server does its part. That nothing is lost between app and server is shown by
// `tests/pda/lost.rs`, on the real program over TLS, by its own log and the invariants of `suyuan_sync`.

import "./shared.mjs";
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { genesis, links, sha256 } from "../../../api/src/pda/app/core/chain.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { golden } from "./shared.mjs";

export const DEVICE = "5b0c1c5e-7f39-4f53-9a0c-3f0a4e1d2c3b";
export const PLACE = "2f1b7c2a-90aa-4c0e-8a55-0c7a7d2a9b11";
const ES256 = { name: "ECDSA", hash: "SHA-256" };

/** Answers for `server` from now on. `misbehave` gives an answer instead, null to cut the line, or "after" to lose the answer. */
export async function installation(server) {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const trust = [{ n: 1, key: { kty: "EC", crv: "P-256", x, y }, since: 1 }];
  const signed = async (text) =>
    Buffer.from(await crypto.subtle.sign(ES256, pair.privateKey, new TextEncoder().encode(text))).toString("base64url");
  const log = new Map();
  let stamp = 1_768_440_600_000_000;
  let epoch = 0;
  const keys = new Map();
  const anchor = () => `${(stamp += 1000).toString(16).padStart(16, "0")}x`;
  const claims = async (call, typ) => {
    const token = call.headers.authorization?.replace("Bearer ", "") ?? "";
    const [head, body, sig] = token.split(".");
    const said = JSON.parse(Buffer.from(body, "base64url"));
    const key = keys.get(said.epoch);
    const good = key && (await crypto.subtle.verify(ES256, key, Buffer.from(sig, "base64url"), Buffer.from(`${head}.${body}`)));
    return good && JSON.parse(Buffer.from(head, "base64url")).typ === typ ? said : null;
  };
  const own = {
    log,
    trust,
    signed,
    anchor,
    pushes: 0,
    misbehave: () => undefined,
    pages: [],
    chunks: new Map(),
    /** What a snapshot says; by whom it is signed, and what became of it, a test may change. */
    cards: [],
    watermark: 1,
    alter: (manifest) => manifest,
    /** The badges of the place: none before anybody is employed, by number and role. */
    badges: null,
    async employ(roles) {
      const [{ json }] = golden("wire").messages.filter(({ type }) => type === "enrol_answer");
      const card = async ([number, role]) => ({ badge: await wire.badgeHash(json.enterprise, number), role });
      own.badges = { version: String((stamp += 1000)), badges: await Promise.all(Object.entries(roles).map(card)) };
    },
    /** The newest recall list, whose content a pull says is current. */
    list: null,
    async current() {
      if (!own.list) return undefined;
      const current = { version: own.list.version, made_at: stamp, content: await wire.listContent(own.list), key: 1 };
      return { ...current, sig: await signed(wire.listCurrentText(current)) };
    },
    async snapshot() {
      const parts = [];
      for (let at = 0; at === 0 || at < own.cards.length; at += 500) {
        parts.push(Buffer.from(JSON.stringify({ v: 1, items: own.cards.slice(at, at + 500) })));
      }
      const chunks = [];
      for (const bytes of parts) {
        const hash = await sha256(bytes);
        own.chunks.set(hash, bytes);
        chunks.push({ hash, bytes: bytes.length });
      }
      const manifest = { v: 1, device: DEVICE, epoch, watermark: own.watermark, made_at: (stamp += 1000), chunks, trust_keys: trust, key: 1 };
      manifest.sig = await signed(wire.snapshotText(manifest));
      return { ...own.alter(manifest), anchor: anchor() };
    },
    async v1(call) {
      const strange = own.misbehave(call);
      if (strange !== undefined && strange !== "after") return strange;
      const answer = await own.answer(call);
      return strange === "after" ? null : answer;
    },
    async answer(call) {
      const { pathname } = call.url;
      if (pathname === "/v1/enrol") {
        epoch += 1;
        const { key } = JSON.parse(call.body);
        keys.set(epoch, await crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]));
        const [{ json }] = golden("wire").messages.filter(({ type }) => type === "enrol_answer");
        const body = { ...json, device: DEVICE, epoch, location: PLACE, installation: "inst-1", trust_keys: trust, anchor: anchor() };
        return { status: 201, body };
      }
      if (pathname === "/v1/sync/push") {
        own.pushes += 1;
        const zipped = call.headers["content-encoding"] === "gzip";
        const push = JSON.parse(zipped ? gunzipSync(call.body) : call.body);
        const said = await claims(call, "suyuan-push+jwt");
        assert.deepEqual(said, await wire.pushClaims(push, "inst-1"), "the token covers the push");
        push.events.forEach((text, at) => {
          const key = `${push.epoch}:${push.first_seq + at}`;
          assert.equal(log.get(key) ?? text, text, "a number has one event");
          log.set(key, text);
        });
        return { body: await own.receipt(push) };
      }
      if (!(await claims(call, "suyuan-read+jwt"))) return { status: 401, body: { code: "stale-anchor", anchor: anchor() } };
      if (pathname === "/v1/sync/pull") {
        const page = own.pages.shift() ?? { v: 1, items: [], cursor: Number(call.url.searchParams.get("cursor")), more: false };
        return { body: { list: await own.current(), ...(own.badges && { badges: own.badges.version }), ...page, anchor: anchor() } };
      }
      if (pathname === "/v1/sync/badges") return { body: { v: 1, badges: [], ...own.badges, anchor: anchor() } };
      if (pathname === "/v1/sync/snapshot") return { body: await own.snapshot() };
      const bytes = own.chunks.get(pathname.split("/").at(-1));
      return bytes ? { body: Buffer.from(bytes) } : { status: 404, body: {} };
    },
    async receipt(push) {
      const mine = [...log.keys()].filter((key) => key.startsWith(`${push.epoch}:`)).map((key) => Number(key.split(":")[1]));
      mine.sort((a, b) => a - b);
      const last = mine.findIndex((seq, at) => seq !== at + 1);
      const contiguous = last < 0 ? mine.length : last;
      const texts = Array.from({ length: contiguous }, (_, at) => log.get(`${push.epoch}:${at + 1}`));
      const start = await genesis(DEVICE, push.epoch);
      const head_hash = (await links(start, texts)).at(-1)?.hash ?? start;
      const receipt = {
        ...{ device: DEVICE, epoch: push.epoch, contiguous_seq: contiguous, held_ranges: contiguous ? [[1, contiguous]] : [] },
        ...{ missing_ranges: [], head_hash, stamp: (stamp += 1000), key: 1 },
      };
      receipt.sig = await signed(wire.receiptText(receipt));
      const results = push.events.map((_, at) => ({ seq: push.first_seq + at, status: "stored", gseq: at, findings: [] }));
      return { v: 1, results, receipt, anchor: anchor(), t_recv: stamp, t_sent: stamp, credit: 500, pull_hint: false };
    },
  };
  server.state.v1 = own.v1;
  server.state.calls = [];
  return own;
}
