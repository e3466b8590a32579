// Somebody on a line whom a device takes for the installation: it is told this one's key when it enrols, and
// whatever the program signed is signed with that instead. For what no honest program says: well signed,
// and untrue. All the rest is the program's own.

import "./shared.mjs";
import { sha256 } from "../../../api/src/pda/app/core/chain.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";

const ES256 = { name: "ECDSA", hash: "SHA-256" };

/** A pair of keys: the public one as it is told, what it signs, and that as text. */
export async function signer() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const sign = async (bytes) => new Uint8Array(await crypto.subtle.sign(ES256, pair.privateKey, bytes));
  const signed = async (text) => Buffer.from(await sign(new TextEncoder().encode(text))).toString("base64url");
  return { key: { kty: "EC", crv: "P-256", x, y }, sign, signed };
}

/**
 * Sits on a line. `own.trust` is whom a manifest names; `own.page` gives a page of what changed in the
 * place of the program's; `own.misbehave` is asked before, as the line's own would be.
 */
export async function notary(line) {
  const { key, signed } = await signer();
  const first = { n: 1, key, since: 1 };
  const chunks = new Map();
  const own = { first, trust: [first], signed, page: () => null, misbehave: () => undefined };
  const listed = async (list) => {
    const text = { ...list, key: 1 };
    return { ...text, sig: await signed(await wire.recallListText(text)) };
  };
  const items = (all) => Promise.all(all.map((item) => (item.type === "recall_list" ? listed(item) : item)));
  const current = async (list) => {
    const text = { ...list, key: 1 };
    return { ...text, sig: await signed(wire.listCurrentText(text)) };
  };
  const ways = {
    "/v1/enrol": (body) => ({ ...body, trust_keys: [first] }),
    "/v1/sync/push": async (body) => {
      const receipt = { ...body.receipt, key: 1 };
      return { ...body, receipt: { ...receipt, sig: await signed(wire.receiptText(receipt)) } };
    },
    "/v1/sync/pull": async (body) => {
      const given = own.page(body);
      if (given) return given;
      const told = await Promise.all(body.items.map(async (one) => ({ ...one, item: (await items([one.item]))[0] })));
      return { ...body, items: told, ...(body.list && { list: await current(body.list) }) };
    },
    "/v1/sync/snapshot": async (body, call) => {
      const named = [];
      for (const { hash } of body.chunks) {
        const { body: bytes } = await call.instead(`/v1/sync/chunks/${hash}`);
        const chunk = JSON.parse(bytes);
        const text = Buffer.from(JSON.stringify({ ...chunk, items: await items(chunk.items) }));
        const name = await sha256(text);
        chunks.set(name, text);
        named.push({ hash: name, bytes: text.length });
      }
      const manifest = { ...body, chunks: named, trust_keys: own.trust, key: 1 };
      return { ...manifest, sig: await signed(wire.snapshotText(manifest)) };
    },
  };
  line.misbehave = async (call) => {
    const strange = await own.misbehave(call);
    if (strange !== undefined && strange !== "after") return strange;
    const chunk = chunks.get(call.url.pathname.split("/").at(-1));
    if (chunk) return { body: chunk };
    const way = ways[call.url.pathname];
    if (!way) return strange;
    const answer = await call.passed();
    if (strange === "after") return null;
    return answer.status < 300 ? { ...answer, body: await way(JSON.parse(answer.body), call) } : answer;
  };
  return own;
}
