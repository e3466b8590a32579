// Takes pictures of pages, each over its full length.
//
//   echo '[{"url":"http://127.0.0.1:8080/","lang":"zh-CN","scheme":"light","width":390,"file":"/tmp/a.png"}]' \
//     | node shots.mjs
//
// Input: the list that axe.mjs reads, with `file` besides, the PNG to write (its folder is made).
// Output, one JSON object: {chromium, pages: [{…what was asked, status, finalUrl, height, bytes}]},
// height being that of the whole page in CSS pixels. Ends with 1 when a page could not be opened or
// a file not written.

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { run } from "./browser.mjs";

async function shoot({ page, response }, item) {
  if (typeof item.file !== "string") throw new Error(`no file in ${JSON.stringify(item.url)}`);
  await mkdir(dirname(item.file), { recursive: true });
  const png = await page.screenshot({ path: item.file, fullPage: true, animations: "disabled" });
  return {
    status: response.status(),
    finalUrl: page.url(),
    height: await page.evaluate(() => document.scrollingElement.scrollHeight),
    bytes: png.length,
  };
}

await run(shoot);
