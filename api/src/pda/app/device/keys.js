// Signs with the device's key, which never leaves it, and checks what others signed (WebCrypto).

import { fromBase64Url } from "../core/wire.js";

/** @typedef {import("../core/wire/messages.js").PublicKey} PublicKey */
/** @typedef {import("../core/wire/messages.js").TrustKey} TrustKey */

export const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ES256 = { name: "ECDSA", hash: "SHA-256" };

/**
 * The 64 bytes r and s of a signature.
 * @param {CryptoKeyPair} keys
 * @param {Uint8Array} bytes
 */
export async function sign(keys, bytes) {
  return new Uint8Array(await crypto.subtle.sign(ES256, keys.privateKey, /** @type {BufferSource} */ (bytes)));
}

/**
 * Whether a key made a signature over a text. A key that is no point of the curve made none.
 * @param {PublicKey} key
 * @param {string} text
 * @param {string} sig
 * @returns {Promise<boolean>}
 */
export async function verify(key, text, sig) {
  const signature = fromBase64Url(sig);
  if (!signature) return false;
  try {
    const imported = await crypto.subtle.importKey("jwk", { ...key, ext: true }, CURVE, false, ["verify"]);
    const bytes = new TextEncoder().encode(text);
    return await crypto.subtle.verify(ES256, imported, /** @type {BufferSource} */ (signature), bytes);
  } catch {
    return false;
  }
}

/**
 * Whether the key of this number, among those that are trusted, signed a text.
 * @param {readonly TrustKey[]} trusted
 * @param {number} number
 * @param {string} text
 * @param {string} sig
 */
export async function verifyBy(trusted, number, text, sig) {
  const key = trusted.find(({ n }) => n === number);
  return key !== undefined && verify(key.key, text, sig);
}
