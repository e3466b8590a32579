// What a device signs: the claims of its tokens (JWT, ES256). A token of a push covers the chain's
// hash after the batch, and by that every byte of it. No time is claimed: the device's clock is not
// trusted. The key and the signing are the caller's.

import { head } from "../chain.js";

/** The `typ` of a token over a push. */
export const TYP_PUSH = "suyuan-push+jwt";
/** The `typ` of a token that reads. */
export const TYP_READ = "suyuan-read+jwt";

/**
 * What a device claims of a push.
 * @param {import("./messages.js").Push} push
 * @param {string} installation
 */
export async function pushClaims(push, installation) {
  return {
    aud: installation,
    device: push.device,
    epoch: push.epoch,
    first_seq: push.first_seq,
    last_seq: push.first_seq + push.events.length - 1,
    prev_hash: push.prev_hash,
    head: await head(push.prev_hash, push.events),
  };
}

/**
 * What a device claims when it reads: the newest anchor it holds is the nonce.
 * @param {{ device: string, epoch: number }} who
 * @param {string} anchor
 * @param {string} installation
 */
export const readClaims = ({ device, epoch }, anchor, installation) => ({ aud: installation, device, epoch, anchor });

/**
 * A token of these claims.
 * @param {string} typ
 * @param {Record<string, unknown>} claims
 * @param {(bytes: Uint8Array) => Promise<Uint8Array>} sign gives the 64 bytes r and s
 */
export async function token(typ, claims, sign) {
  const encoder = new TextEncoder();
  const part = (/** @type {object} */ value) => base64Url(encoder.encode(JSON.stringify(value)));
  const text = `${part({ alg: "ES256", typ })}.${part(claims)}`;
  return `${text}.${base64Url(await sign(encoder.encode(text)))}`;
}

/** @param {Uint8Array} bytes @returns {string} without padding */
export function base64Url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  let text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_");
  while (text.endsWith("=")) text = text.slice(0, -1);
  return text;
}

/** @param {string} text @returns {Uint8Array | null} null for what is no base64url */
export function fromBase64Url(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}
