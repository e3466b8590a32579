// What the tests of the web app share: where the agreed vectors and the Rust sources are.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { webcrypto } from "node:crypto";

// Node.js 18 has WebCrypto, but not as a global.
if (!globalThis.crypto) Object.defineProperty(globalThis, "crypto", { value: webcrypto });

const ROOT = new URL("../../../", import.meta.url);

/** The text of a file of the repository. */
export const source = (path) => readFileSync(fileURLToPath(new URL(path, ROOT)), "utf8");

/** The vectors that device and server have to agree on. */
export const golden = (name) => JSON.parse(source(`sync/tests/golden/${name}.json`));

/** Numbers that follow from a seed. */
export function dice(seed) {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

/** Milliseconds of the processor's time that something took, however busy the machine is. */
export async function cpuMs(what) {
  const before = process.cpuUsage();
  await what();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
