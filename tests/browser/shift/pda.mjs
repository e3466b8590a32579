// A PDA: a browser of its own with the storage of its own, a cable of its own, and a clock that may be
// wrong. People use it by its scanner and its screen.

import { typeKeys } from "../pda/keys.mjs";
import { launch } from "../pda/chromium.mjs";
import { cable } from "./line.mjs";

export const HOST = "suyuan.test";

/**
 * A browser that finds the installation's name at the end of a cable and takes its certificate, which
 * a person would have installed: this one key, no other.
 */
export async function browserOf({ folder, port, pin }) {
  const line = await cable(port);
  const flags = [`--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${line.port}`, ...(pin ? [`--ignore-certificate-errors-spki-list=${pin}`] : [])];
  const browser = await launch(folder, flags);
  return { line, flags, browser };
}

/** The app on a new device whose clock is `skew` milliseconds off. */
export async function pda({ folder, port, pin, skew = 0 }) {
  const { line, flags, browser } = await browserOf({ folder, port, pin });
  let own = browser;
  let page;
  let session;
  const errors = [];
  const open = async () => {
    page = await own.context.newPage();
    session = await own.context.newCDPSession(page);
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.addInitScript((skew) => {
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
    }, skew);
    await page.setViewportSize({ width: 360, height: 640 });
    await page.goto(`https://${HOST}/app/`);
    await page.waitForSelector("#app[data-ready]");
  };
  await open();
  const device = {
    line,
    errors,
    get page() {
      return page;
    },
    /** Types as a scanner does: fast, between prefix and Enter, wherever the focus is. */
    scan: (text) => typeKeys(session, `^${text}\n`),
    told: (text) => page.waitForFunction((text) => document.querySelector("[role=status]")?.textContent.includes(text), text),
    count: (wanted) => page.waitForFunction((wanted) => document.querySelector("[data-count]")?.dataset.count === wanted, String(wanted)),
    unsent: (wanted) => page.waitForSelector(`[data-unsent="${wanted}"]`, { state: "attached", timeout: 60_000 }),
    /** Done; what is asked on the way is answered: where goods go to by a press, all else with `words`. */
    confirm: async ({ to = null, words = "D-1" } = {}) => {
      await typeKeys(session, "^SUYUAN-CONFIRM\n");
      let asked = 0;
      for (;;) {
        const came = await page.waitForFunction(() => {
          if (document.getElementById("answer")) return document.querySelector("[data-partner]") ? "partner" : "words";
          return document.querySelector("[role=status]")?.textContent.includes("已保存在本机") ? "saved" : null;
        });
        const what = await came.jsonValue();
        if (what === "saved") return asked;
        asked += 1;
        const question = await page.textContent("section:has(#answer) label");
        if (what === "partner" && to) {
          await page.click(`[data-partner="${to}"]`);
        } else {
          await page.fill("#answer", words);
          await page.locator("section:has(#answer) [data-do=add]").click();
        }
        // The next question, or none.
        await page.waitForFunction((before) => document.querySelector("section:has(#answer) label")?.textContent !== before, question);
      }
    },
    /** Fetches what changed, as somebody does who presses that. */
    pull: async () => {
      await page.reload();
      await page.waitForSelector("#app[data-ready]");
    },
    /** The battery is pulled and put back. */
    restart: async () => {
      await own.kill();
      own = await launch(folder, flags);
      await open();
    },
    end: async () => {
      await own.kill();
      line.end();
    },
  };
  return device;
}
