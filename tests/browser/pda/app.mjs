// A shop of the tests: a person with a device (`hand.mjs`), and behind it the installation that
// `installation.mjs` plays.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "./chromium.mjs";
import { hand } from "./hand.mjs";
import { installation } from "./installation.mjs";
import { golden } from "./shared.mjs";

export const code = (serial) => `(01)06901234567892(10)L7(17)991231(21)${serial}`;

/** A shop with one device out of the box. `init` runs in every page before the app does; `disk` is where its browser keeps things. */
export async function shop(init = null, disk = null) {
  const server = await serve();
  const own = await installation(server);
  const folder = disk ?? (await mkdtemp(join(tmpdir(), "suyuan-app-")));
  const it = await hand({ origin: server.origin, folder, inits: init ? [[init]] : [] });
  const { enrol } = it;
  return Object.assign(it, {
    server,
    own,
    ticket: () => JSON.stringify({ ...golden("wire").messages.find(({ type }) => type === "ticket").json, url: server.origin }),
    enrol: () => enrol(it.ticket()),
    /** An act of some units, stated and said to be saved. */
    act: (name, serials) => it.state(name, serials.map(code)),
    events: () => [...own.log.values()].map((text) => JSON.parse(text)),
    async close() {
      await it.browser.kill();
      await server.close();
      if (!disk) await rm(folder, { recursive: true, force: true });
    },
  });
}
