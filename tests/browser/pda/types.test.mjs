// The app's types, which stand in comments, hold: `tsc --noEmit` over every file of it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requirePackage } from "../browser.mjs";
import { cannot } from "./chromium.mjs";

test("every file of the app is typed, strictly", { skip: cannot, timeout: 300_000 }, () => {
  const project = fileURLToPath(new URL("../../../api/src/pda/tsconfig.json", import.meta.url));
  const compiler = requirePackage.resolve("typescript/lib/tsc.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", project], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});
