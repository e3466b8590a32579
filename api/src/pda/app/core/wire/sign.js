// What is signed has one form in bytes: ASCII lines with a line feed between, first the purpose, so
// that no signature can be taken for another's. And the chain of keys that sign.
//
// Whether a signature holds is asked of the caller.

import { sha256 } from "../chain.js";
import { printed } from "./ranges.js";

/** @typedef {import("./messages.js").TrustKey} TrustKey */
/** @typedef {import("./messages.js").PublicKey} PublicKey */

/** @param {import("./messages.js").Receipt} receipt */
export const receiptText = (receipt) =>
  [
    "suyuan-receipt-1",
    receipt.device,
    receipt.epoch,
    receipt.contiguous_seq,
    printed(receipt.held_ranges),
    printed(receipt.missing_ranges),
    receipt.head_hash,
    receipt.stamp,
    receipt.key,
  ].join("\n");

/** @param {import("./messages.js").SnapshotManifest} manifest */
export const snapshotText = (manifest) =>
  [
    "suyuan-snapshot-1",
    manifest.device,
    manifest.epoch,
    manifest.watermark,
    manifest.made_at,
    manifest.key,
    manifest.chunks.length,
    ...manifest.chunks.map(({ hash, bytes }) => `${hash} ${bytes}`),
  ].join("\n");

/**
 * The hash of a batch in signatures. GTIN and lot are free texts; a GTIN holds no line feed, and the
 * lot comes last.
 * @param {import("./messages.js").RecalledBatch} batch
 */
const batchHash = ({ recall, batch, gtin, lot }) =>
  sha256(new TextEncoder().encode([recall, batch, gtin.replaceAll("\n", " "), lot].join("\n")));

/** @param {import("./messages.js").RecallList} list */
export async function recallListText(list) {
  return [
    "suyuan-recall-list-1",
    list.version,
    list.made_at,
    list.key,
    list.batches.length,
    list.count,
    list.chunks.length,
    ...(await Promise.all(list.batches.map(batchHash))),
    ...list.chunks.map(({ hash, bytes }) => `${hash} ${bytes}`),
  ].join("\n");
}

/**
 * What a list says, whenever it was made: two that stop the same goods have the same.
 * @param {import("./messages.js").RecallList} list
 */
export async function listContent(list) {
  const batches = await Promise.all(list.batches.map(batchHash));
  const lines = [
    ...["suyuan-recall-list-content-1", list.count],
    ...batches.map((hash) => `b ${hash}`),
    ...list.chunks.map(({ hash }) => `c ${hash}`),
  ];
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

/** @param {import("./messages.js").ListCurrent} current */
export const listCurrentText = ({ version, made_at, key, content }) =>
  ["suyuan-recall-list-current-1", version, made_at, key, content].join("\n");

/**
 * What the key before this one signs.
 * @param {TrustKey} key
 * @param {PublicKey} before
 */
export const trustKeyText = (key, before) =>
  ["suyuan-trust-key-1", key.n, key.since, before.x, before.y, key.key.x, key.key.y].join("\n");

/**
 * Follows the chain from the newest key a device trusts to the newest one shipped, and returns the
 * keys to trust from now on: that one and those after it. Stops at the first that is not signed by
 * the one before it, or not its successor.
 * @param {TrustKey} trusted
 * @param {readonly TrustKey[]} shipped
 * @param {(key: PublicKey, text: string, sig: string) => Promise<boolean>} verify
 * @returns {Promise<TrustKey[]>}
 */
export async function follow(trusted, shipped, verify) {
  const chain = [trusted];
  let last = trusted;
  for (const next of shipped) {
    if (next.n <= last.n) continue;
    const follows = last.n + 1 === next.n && next.sig !== undefined;
    if (!follows || !(await verify(last.key, trustKeyText(next, last.key), next.sig ?? ""))) break;
    chain.push(next);
    last = next;
  }
  return chain;
}

/** What a badge is known by, so that nobody prints badges from a device's storage. @param {string} enterprise @param {string} number */
export const badgeHash = (enterprise, number) => sha256(new TextEncoder().encode(`suyuan-badge-1\n${enterprise}\n${number}`));
