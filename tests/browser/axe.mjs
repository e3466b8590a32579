// Opens pages in a real browser and reports what a reader could not use.
//
//   echo '[{"url":"http://127.0.0.1:8080/","lang":"zh-CN","scheme":"dark","width":320}]' | node axe.mjs
//
// Input, a JSON list on standard input:
//   url        page to open
//   lang       language the reader asks for (Accept-Language)
//   scheme     "light" or "dark"
//   width      width of the window in CSS pixels
//   textScale  optional, text size in per cent (200: WCAG 1.4.4); the page must size text in rem
//   height     optional, 800
//   cookies    optional, [{name, value}], for pages behind a log-in; not repeated in the answer
//
// Output, one JSON object: {chromium, axe, pages: [{
//   …                what was asked
//   status, finalUrl HTTP status of the page, address after redirects
//   htmlLang         the lang attribute of <html>
//   violations       axe findings [{id, impact, help, tags, nodes: [{target, html, summary}]}]:
//                    WCAG 2.0, 2.1 and 2.2 at A and AA, and axe's best practices
//   incomplete       rules that axe could not decide, by name
//   overflow         null, or {scrollWidth, innerWidth, elements}: the page scrolls sideways
//   textNotScaled    elements whose text did not follow textScale
//   hasScript        whether the document holds a script that could run (data for programs, JSON-LD,
//                    cannot); scripts lists all <script> elements
//   requests         number of requests that the page made, itself included
//   offOrigin        requests to other origins; they are not sent (a redirect is followed)
//   consoleErrors    errors in the console, among them those of the content security policy
// }]}
//
// A finding is not a failure of this tool: it ends with 1 only when a page could not be opened or
// the input is wrong.
//
// axe is evaluated in the page through the debugger, so the page's content security policy stays
// in force: what it blocks for readers is blocked here too.

import { readFileSync } from "node:fs";
import { requirePackage, run } from "./browser.mjs";

const source = readFileSync(requirePackage.resolve("axe-core/axe.min.js"), "utf8");
const { version } = requirePackage("axe-core/package.json");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

async function check({ page, response, seen, text }) {
  // Before axe: it adds nothing, but what is counted must be the page's own.
  const own = await page.evaluate(() => {
    const { scrollWidth } = document.scrollingElement;
    const wide = (element) => element.getBoundingClientRect().right > innerWidth + 0.5;
    return {
      htmlLang: document.documentElement.lang,
      scripts: [...document.scripts].map((s) => ({ type: s.type, src: s.src, length: s.text.length })),
      overflow:
        scrollWidth > innerWidth
          ? {
              scrollWidth,
              innerWidth,
              elements: [...document.body.querySelectorAll("*")]
                .filter((element) => wide(element) && ![...element.children].some(wide))
                .slice(0, 5)
                .map((element) => element.outerHTML.slice(0, 120)),
            }
          : null,
    };
  });
  const requests = seen.requests.length;

  await page.evaluate(source);
  const found = await page.evaluate(
    (values) =>
      window.axe.run(document, {
        runOnly: { type: "tag", values },
        resultTypes: ["violations", "incomplete"],
      }),
    TAGS,
  );
  return {
    status: response.status(),
    finalUrl: page.url(),
    htmlLang: own.htmlLang,
    violations: found.violations.map(({ id, impact, help, tags, nodes }) => ({
      id,
      impact,
      help,
      tags,
      nodes: nodes.map((node) => ({
        target: node.target.join(" "),
        html: node.html.slice(0, 300),
        summary: node.failureSummary,
      })),
    })),
    incomplete: found.incomplete.map(({ id }) => id),
    overflow: own.overflow,
    textNotScaled: text.notScaled,
    hasScript: own.scripts.some((s) => s.type !== "application/ld+json" || s.src !== ""),
    scripts: own.scripts,
    requests,
    offOrigin: seen.offOrigin,
    consoleErrors: seen.consoleErrors,
  };
}

await run(check, { axe: version });
