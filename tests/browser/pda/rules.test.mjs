// The rules of the standards as the app has them: those built in are those of the server, but for rows
// that no event can lack; and what `GET /v1/sync/rules` tells is read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILT_IN, rulesOf } from "../../../api/src/pda/app/core/required/rules.js";
import { messages, readFrame } from "../../../api/src/pda/app/core/wire.js";
import { golden } from "./shared.mjs";

const told = golden("required");
const plain = ({ profile, kind, item, said }) => ({ profile, kind, item, said });

test("the rules built in are the agreed ones", () => {
  const asked = told.rules.filter(({ said }) => said !== "always" && said !== "on_record");
  assert.deepEqual(BUILT_IN.map(plain), asked.map(plain));
});

test("the rules a server tells are read, kept and used", () => {
  const read = readFrame(JSON.stringify({ v: 1, ...told, anchor: "a" }), messages.rulesAnswer);
  assert.ok(read.ok);
  assert.equal(read.message.version, told.version);
  assert.deepEqual(rulesOf(read.message).map(plain), told.rules.map(plain));
  assert.equal(rulesOf({ version: "x", rules: [{ kind: 1 }] }), BUILT_IN, "what cannot be read is not used");
});
