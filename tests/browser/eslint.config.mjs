// The rules for every JavaScript file of this repository: the web app, the pages beside it, and
// the tests that drive them. `pda/lint.test.mjs` runs them; a warning is a failure.
//
// What TypeScript says about the app (unknown names, types) is not asked twice.

import { requirePackage } from "./browser.mjs";

const { configs } = requirePackage("@eslint/js");
const typed = requirePackage("typescript-eslint");

const APP = ["api/src/pda/**/*.js"];
const TESTS = ["tests/browser/**/*.mjs"];

/** Ways to make a text part of a page, or of a program. The policy stops them in a browser; nobody is to rely on that. */
const TEXT_AS_PAGE = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "createContextualFragment", "parseFromString", "srcdoc"];

/** What Node.js and a browser both have. */
const EVERYWHERE =
  "AbortController AbortSignal Blob Event TextDecoder TextEncoder URL URLSearchParams atob btoa clearInterval clearTimeout console crypto fetch performance queueMicrotask setInterval setTimeout structuredClone CompressionStream DecompressionStream Response";
/** What functions use that a test sends into a page. */
const PAGE =
  "DOMException IDBObjectStore IDBTransaction HTMLElement MutationObserver OscillatorNode isSecureContext Node kit KeyboardEvent LockManager Window addEventListener axe caches dispatchEvent document getComputedStyle indexedDB innerHeight innerWidth localStorage location matchMedia navigator requestAnimationFrame scrollTo scrollBy self sessionStorage window";
const named = (list) => Object.fromEntries(list.split(" ").map((name) => [name, "readonly"]));

const rules = {
  ...configs.recommended.rules,
  "no-unused-vars": ["error", { args: "after-used", caughtErrors: "all", ignoreRestSiblings: true }],
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-globals": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-throw-literal": "error",
  "no-self-compare": "error",
  "no-shadow-restricted-names": "error",
  "no-unreachable-loop": "error",
  "no-constant-binary-expression": "error",
  "array-callback-return": "error",
  "default-case-last": "error",
  "no-return-assign": ["error", "except-parens"],
  "no-sequences": "error",
  "no-useless-return": "error",
  "no-extend-native": "error",
  radix: "error",
};

export default [
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  {
    files: APP,
    plugins: { typed: typed.plugin },
    languageOptions: {
      parser: typed.parser,
      // Where `CI` is set, the parser takes a run for its only one and gives a text that is not the file's no types.
      parserOptions: { project: "api/src/pda/tsconfig.json", tsconfigRootDir: process.cwd(), disallowAutomaticSingleRunInference: true },
      sourceType: "module",
      ecmaVersion: 2022,
    },
    rules: {
      ...rules,
      "no-undef": "off",
      "no-restricted-properties": [
        "error",
        ...TEXT_AS_PAGE.map((property) => ({ property, message: "Text never becomes part of the page: use textContent or nodes." })),
        { object: "document", property: "write", message: "Text never becomes part of the page." },
        { object: "document", property: "writeln", message: "Text never becomes part of the page." },
        { object: "document", property: "cookie", message: "The app keeps what it keeps in device/store.js." },
      ],
      "no-restricted-globals": ["error", { name: "event", message: "Take the handler's argument." }, "alert", "confirm", "prompt"],
      "no-console": "error",
      "typed/no-floating-promises": "error",
      "typed/no-misused-promises": ["error", { checksVoidReturn: { arguments: false, attributes: false, properties: false, variables: false } }],
      "typed/await-thenable": "error",
      "typed/no-for-in-array": "error",
      "typed/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // The core is pure: what it needs of the world is given to it.
    files: ["api/src/pda/app/core/**/*.js"],
    rules: {
      "no-restricted-globals": [
        "error",
        ..."window document navigator location indexedDB localStorage sessionStorage fetch XMLHttpRequest WebSocket setTimeout setInterval performance addEventListener self caches".split(" "),
      ],
      "no-restricted-properties": [
        "error",
        ...TEXT_AS_PAGE.map((property) => ({ property })),
        { object: "Date", property: "now", message: "The core has no clock." },
        { object: "Math", property: "random", message: "The core has no randomness." },
        { object: "crypto", property: "getRandomValues", message: "The core has no randomness." },
      ],
    },
  },
  {
    files: TESTS,
    languageOptions: { sourceType: "module", ecmaVersion: 2022, globals: { ...named(EVERYWHERE), ...named(PAGE), Buffer: "readonly", process: "readonly" } },
    // Hostile links are what some of these tests are made of.
    rules: { ...rules, "no-script-url": "off" },
  },
];
