// Check digits and check characters of GS1, as pure arithmetic.

import { allDigits } from "./bytes.js";

/**
 * The GS1 check digit (校验码) of the digits before it; null when there are none, or others.
 * @param {string} data
 * @returns {number | null}
 */
export function checkDigit(data) {
  if (data === "" || !allDigits(data)) return null;
  let sum = 0;
  for (let at = data.length - 1, weight = 3; at >= 0; at -= 1, weight = 4 - weight) {
    sum += (data.charCodeAt(at) - 0x30) * weight;
  }
  return (10 - (sum % 10)) % 10;
}

/**
 * The check digit of ISO 7064 MOD 11,10 (GB/T 17710).
 * @param {string} data
 * @returns {number | null}
 */
export function mod11x10(data) {
  if (data === "" || !allDigits(data)) return null;
  let product = 10;
  for (let at = 0; at < data.length; at += 1) {
    const sum = (product + data.charCodeAt(at) - 0x30) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10;
}

/** The characters of CSET 82 in the order of their values. */
export const CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

const CSET_32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];

/**
 * The check character pair of a Global Model Number: values weighted with the primes from the
 * right, modulo 1021. Null when the data is too long or leaves CSET 82.
 * @param {string} data
 * @returns {string | null}
 */
export function checkPair(data) {
  if (data.length > PRIMES.length) return null;
  let sum = 0;
  for (let at = 0; at < data.length; at += 1) {
    const value = CSET_82.indexOf(data.charAt(data.length - 1 - at));
    if (value < 0) return null;
    sum += value * (PRIMES[at] ?? 0);
  }
  sum %= 1021;
  return CSET_32.charAt(sum >> 5) + CSET_32.charAt(sum & 31);
}

/**
 * A number of one of these lengths with a good check digit. Returns the index of the byte that is
 * wrong and the fault, or null.
 * @param {string} digits
 * @param {number[]} lengths
 * @returns {[number, import("./fault.js").Fault] | null}
 */
export function numberFault(digits, lengths) {
  if (digits === "") return [0, "empty"];
  for (let at = 0; at < digits.length; at += 1) {
    if (!allDigits(digits.charAt(at))) return [at, "bad-digit"];
  }
  if (!lengths.includes(digits.length)) return [0, "bad-length"];
  const last = digits.length - 1;
  if (checkDigit(digits.slice(0, last)) !== digits.charCodeAt(last) - 0x30) return [last, "bad-check-digit"];
  return null;
}

/** The lengths a GTIN may be written with. */
export const GTIN_LENGTHS = [8, 12, 13, 14];
