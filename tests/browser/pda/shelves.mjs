// Shops that are full before a test begins: goods by the thousand, commissioned and brought in as people
// would, by a device that has no screen and holds one event after the other to the program.

import "./shared.mjs";
import { randomUUID } from "node:crypto";
import { genesis, head } from "../../../api/src/pda/app/core/chain.js";
import * as wire from "../../../api/src/pda/app/core/wire.js";
import { office, until } from "../shift/office.mjs";
import { signer } from "./notary.mjs";
import { site } from "./site.mjs";

/** Most goods in an event, and most events in a push here. */
const [UNITS, EVENTS] = [1000, 5];

/** A shop with so many tins on its shelves, and their labels. */
export async function stocked(count) {
  const at = await site();
  const { place, name } = await at.shop();
  const tins = await at.goods(at.tins, at.good, count);
  const { ticket } = await at.device(place, "handheld");
  const { key, sign } = await signer();
  const line = office(at.base, at.authority);
  const { device, epoch, installation } = await line.call("POST", "/v1/enrol", { v: 1, code: JSON.parse(ticket).code, key, program: "shelves" });
  let prev_hash = await genesis(device, epoch);
  for (let from = 0; from < count; from += UNITS * EVENTS) {
    const events = [];
    const first_seq = from / UNITS + 1;
    for (let at = from; at < Math.min(count, from + UNITS * EVENTS); at += UNITS) {
      const units = tins.slice(at, at + UNITS).map((code) => ({ code, input: "wedge" }));
      const said = { v: 1, kind: "inbound", event_id: randomUUID(), device, epoch, seq: at / UNITS + 1, at: new Date().toISOString(), location: place, units };
      events.push(JSON.stringify(said));
    }
    const push = { v: 1, device, epoch, first_seq, prev_hash, queue_depth: events.length, events };
    line.bear(await wire.token(wire.TYP_PUSH, await wire.pushClaims(push, installation), sign));
    const { results } = await line.call("POST", "/v1/sync/push", push);
    if (results.some(({ status }) => !status.startsWith("stored"))) throw new Error(JSON.stringify(results));
    prev_hash = await head(prev_hash, events);
  }
  // What became of them is worked out behind the answer, of some sooner than of others.
  await until(
    "goods on the shelves",
    async () => {
      const { items } = await at.desk.call("GET", `/v1/stock?location_id=${place}`);
      return items.flatMap(({ lines }) => lines).reduce((sum, { on_hand }) => sum + on_hand, 0) === count;
    },
    240,
  );
  return { place, name, tins };
}
