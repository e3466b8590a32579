// Somebody at a desk who calls the API over TLS, trusting the installation's own authority and nobody
// else's.

import assert from "node:assert/strict";
import { request } from "node:https";

/** Calls the API at `base`; `ca` is the authority's certificate. */
export function office(base, ca) {
  let token = null;
  const call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const isForm = body instanceof URLSearchParams;
      const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
      const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": type }) };
      const sent = request(new URL(path, base), { method, headers, ca, agent: false }, async (answer) => {
        const chunks = [];
        for await (const chunk of answer) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        const isJson = answer.headers["content-type"]?.startsWith("application/json");
        if (answer.statusCode >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        else if (text === "") resolve(null);
        else resolve(isJson ? JSON.parse(text) : text);
      });
      sent.on("error", reject);
      sent.end(body && (isForm ? body.toString() : JSON.stringify(body)));
    });
  return {
    call,
    signIn: async (who) => {
      token = (await call("POST", "/v1/sessions", who)).access_token;
    },
    /** Calls with this token from now on. */
    bear: (other) => {
      token = other;
    },
    /** State, timeline and findings of a unit. */
    unit: (code) => call("GET", `/v1/units/${encodeURIComponent(code)}`),
  };
}

/** Asks until it is so; a debug build on a busy machine takes its time. */
export async function until(what, so, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const came = await so();
    if (came) return came;
    assert.ok(Date.now() < end, `${what}: not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
