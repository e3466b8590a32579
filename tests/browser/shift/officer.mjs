// An officer at /app/enrol: signs in, chooses, and holds the QR code up.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requirePackage } from "../browser.mjs";
import { HOST } from "./pda.mjs";

const axe = readFileSync(requirePackage.resolve("axe-core/axe.min.js"), "utf8");

/** The page as it stands is one that everybody can use, in both sizes and schemes; pictures for who asked for them. */
export async function looked(page, name) {
  const folder = process.env.SUYUAN_TEST_SHOTS;
  const session = await page.context().newCDPSession(page);
  // Past the page's own policy, which forbids scripts of others.
  await session.send("Runtime.evaluate", { expression: axe });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [360, 640],
      [800, 1280],
      [1366, 768],
    ]) {
      await page.setViewportSize({ width, height });
      const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      assert.equal(isWide, false, `${name} at ${width} px is wider than the screen`);
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, textarea, summary, input:not([type=radio]), label:has([type=radio])")]
          .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 64)
          .map((element) => element.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(small, [], `${name} at ${width} px`);
      const { result } = await session.send("Runtime.evaluate", {
        expression: "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ' ' + v.nodes[0].html)))",
        awaitPromise: true,
        returnByValue: true,
      });
      assert.equal(result.value, "[]", `${name} ${width} ${colorScheme}`);
      if (folder) await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await session.detach();
}

/** The page in a browser, signed in. */
export async function officerAt(browser, who) {
  const page = await browser.context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`https://${HOST}/app/enrol`);
  await page.waitForSelector("#sign-in:not([hidden])");
  await page.fill('[name="username"]', who.username);
  await page.fill('[name="password"]', "wrong horse battery");
  await page.click("#sign-in button");
  await page.waitForFunction(() => document.getElementById("told").textContent.includes("密码"));
  await looked(page, "enrol-sign-in");
  errors.length = 0; // The refusal stands in the console, too.
  await page.fill('[name="username"]', who.username);
  await page.fill('[name="password"]', who.password);
  await page.click("#sign-in button");
  await page.waitForSelector("#make:not([hidden])");
  return {
    page,
    errors,
    /** Makes a device and gives the text of its QR code. */
    enrol: async ({ place, profile, name }) => {
      if (await page.isVisible("#next")) await page.click("#next");
      await page.selectOption('[name="place"]', place);
      await page.check(`[name="profile"][value="${profile}"]`);
      await page.fill('[name="name"]', name);
      await looked(page, "enrol-make");
      await page.click("#make button:not([type=button])");
      await page.waitForSelector("#ticket:not([hidden])");
      assert.equal(await page.textContent("#device"), name);
      await page.waitForFunction(() => document.getElementById("qr").naturalWidth > 0);
      await looked(page, "enrol-ticket");
      return page.inputValue("#text");
    },
    /** The device has enrolled, as the page says. */
    isDone: () => page.waitForFunction(() => document.getElementById("state").textContent.includes("注册完成"), null, { timeout: 15_000 }),
  };
}
