// The queue as a file takes it: pushes that are not sent but carried.

import { Sorted, compareKeys } from "./keys.js";
import { BATCH_MAX } from "./pace.js";
import { push, run } from "./send.js";

/** @typedef {import("./keys.js").Key} Key */

/**
 * Everything that no receipt covers, as pushes for a file or another device to carry; what is damaged of it
 * (I30) is in none of them. It stays in the queue until a receipt covers it.
 * @param {import("./machine.js").Outbox} outbox
 * @returns {Promise<{ pushes: import("../wire/messages.js").Push[], damaged: Key[] }>}
 */
export async function exported(outbox) {
  const pushes = [];
  const damaged = new Sorted(compareKeys);
  const all = new Sorted(compareKeys, [...outbox.open, ...outbox.doubted].sort(compareKeys));
  for (let rest = all.list; rest[0]; ) {
    const [first] = rest;
    const last = run(outbox, first, BATCH_MAX, damaged, all);
    const made = await push(outbox, first[0], first[1], last[1]);
    // With damage in it the run is made anew, without.
    for (const key of made.damaged ?? []) damaged.add(key);
    if (made.push) pushes.push(made.push);
    rest = rest.filter((key) => !damaged.has(key) && (!made.push || compareKeys(key, last) > 0));
  }
  return { pushes, damaged: damaged.list };
}
