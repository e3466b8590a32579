// A PDA: a browser of its own with the storage of its own, a cable of its own, and a clock that may be
// wrong. People use it by its scanner and its screen.

import { launch } from "../pda/chromium.mjs";
import { hand } from "../pda/hand.mjs";
import { cable } from "./line.mjs";

export const HOST = "suyuan.test";

/**
 * What makes a browser find the installation's name at the end of a cable and take its certificate, which
 * a person would have installed: this one key, no other.
 */
export const flagsFor = (line, pin) => [
  `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${line.port}`,
  ...(pin ? [`--ignore-certificate-errors-spki-list=${pin}`] : []),
];

/** A browser at a cable of its own. */
export async function browserOf({ folder, port, pin }) {
  const line = await cable(port);
  return { line, browser: await launch(folder, flagsFor(line, pin)) };
}

/** A clock that is so many milliseconds off. */
function skewed(skew) {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + skew);
      else super(...given);
    }
    static now() {
      return Real.now() + skew;
    }
  };
}

/**
 * The app on a new device, by a clock that is `skew` milliseconds off, at the end of a cable to `port`, or
 * of `cord`, which is one already; what else is said is `hand`'s.
 */
export async function pda({ folder, port, cord = null, pin, skew = 0, inits = [], ...more }) {
  const line = cord ?? (await cable(port));
  const it = await hand({ origin: `https://${HOST}`, folder, flags: flagsFor(line, pin), inits: [[skewed, skew], ...inits], ...more });
  const end = async () => {
    await it.browser.kill();
    line.end();
  };
  try {
    await it.open();
  } catch (error) {
    await end();
    throw error;
  }
  const { unsent } = it;
  return Object.assign(it, {
    line,
    // A debug build on a busy machine takes its time.
    unsent: (wanted, timeout = 60_000) => unsent(wanted, timeout),
    /** Done; what is asked on the way is answered: where goods go to by a press, all else with `words`. */
    confirm: async ({ to = null, words = "D-1" } = {}) => {
      await it.scan("SUYUAN-CONFIRM");
      let asked = 0;
      for (;;) {
        const came = await it.page.waitForFunction(() => {
          if (document.getElementById("answer")) return document.querySelector("[data-partner]") ? "partner" : "words";
          return document.querySelector("[role=status]")?.textContent.includes("已保存在本机") ? "saved" : null;
        });
        const what = await came.jsonValue();
        if (what === "saved") return asked;
        asked += 1;
        const question = await it.page.textContent("section:has(#answer) label");
        if (what === "partner" && to) {
          await it.page.click(`[data-partner="${to}"]`);
        } else {
          await it.page.fill("#answer", words);
          await it.page.locator("section:has(#answer) [data-do=add]").click();
        }
        // The next question, or none.
        await it.page.waitForFunction((before) => document.querySelector("section:has(#answer) label")?.textContent !== before, question);
      }
    },
    /** Fetches what changed, as somebody does who presses that. */
    pull: async () => {
      await it.page.reload();
      await it.page.waitForSelector("#app[data-ready]");
    },
    /** The battery is pulled and put back. */
    restart: async () => {
      await it.battery();
      await it.open();
    },
    end,
  });
}
