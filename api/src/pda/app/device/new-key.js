// The key that a device makes for itself when it is enrolled (WebCrypto).

import { CURVE } from "./keys.js";

/** @typedef {import("../core/wire/messages.js").PublicKey} PublicKey */

/**
 * A new key whose private half cannot be exported, by us or by anybody.
 * @returns {Promise<CryptoKeyPair>}
 */
export const makeKeys = () => crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);

/**
 * The public half as it stands on the wire.
 * @param {CryptoKeyPair} keys
 * @returns {Promise<PublicKey>}
 */
export async function publicKeyOf(keys) {
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  return { kty: "EC", crv: "P-256", x, y };
}
