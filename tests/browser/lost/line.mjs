// A cable with somebody on it: calls end here under the installation's own certificate and go on to the
// server over TLS again, trusting its authority and nobody else, unless they are cut, held, lost on the
// way back, or answered in the server's place. What the server answered to pushes is kept, also where
// nobody heard it.

import { Agent, createServer, request } from "node:https";
import { gunzipSync } from "node:zlib";
import { HOST } from "../shift/pda.mjs";

/** Not passed on: they are of one hop, or would let a file be altered behind its own back. */
const OWN = ["connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "if-none-match", "if-modified-since"];

/** What goes over the line: an object is told as JSON. */
const bytes = (body) => Buffer.from(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));

/**
 * A line to the server at `port`, who is `certificate` with `key` and was certified by `authority`. Pushes
 * and deposits go into `answered`, with what the server answered.
 */
export async function meddled({ port, key, certificate, authority, answered }) {
  const near = new Set();
  // A line for each call: one that is kept may be closed at the other end just when it is used again.
  const agent = new Agent({ ca: authority, servername: HOST, keepAlive: false });
  let isOut = false;
  let open = 0;
  const line = {
    port: 0,
    /**
     * Gives an answer instead of the server's; null cuts the call, "after" its answer; undefined: nothing. It
     * may wait, and may take the server's own answer to alter it (`call.passed()`; of another path:
     * `call.instead(path)`).
     */
    misbehave: () => undefined,
    /** Another version of what the server serves at a path, now or later. */
    alter: (path, body) => body,
    /** What was asked for, by method and path. */
    calls: [],
    /** The same with everything that was said. */
    asked: [],
    /** How many calls wait for an answer. */
    waiting: () => open,
    /** The server answers here from now on. */
    to(other) {
      port = other;
    },
    /** What was under way is lost, and nothing comes through. */
    pull() {
      isOut = true;
      for (const end of near) end.destroy();
    },
    plug() {
      isOut = false;
    },
    end() {
      line.pull();
      server.close();
      agent.destroy();
    },
  };
  const forwarded = (call) =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => !OWN.includes(name)));
      if (call.body.length > 0) headers["content-length"] = call.body.length;
      const path = call.url.pathname + call.url.search;
      const sent = request({ host: "127.0.0.1", port, agent, method: call.method, path, headers }, async (answer) => {
        try {
          const chunks = [];
          for await (const chunk of answer) chunks.push(chunk);
          resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) });
        } catch (error) {
          reject(error);
        }
      });
      sent.on("error", reject);
      sent.end(call.body);
    });
  const noted = (call, answer) => {
    const { pathname } = call.url;
    if (answer.status !== 200 || !["/v1/sync/push", "/v1/sync/deposit"].includes(pathname)) return;
    const said = JSON.parse(call.headers["content-encoding"] === "gzip" ? gunzipSync(call.body) : call.body);
    answered.push({ push: said.push ?? said, answer: JSON.parse(answer.body) });
  };
  const server = createServer({ key, cert: certificate }, async (asked, response) => {
    const cut = () => asked.socket.destroy();
    open += 1;
    response.once("close", () => (open -= 1));
    try {
      const chunks = [];
      for await (const chunk of asked) chunks.push(chunk);
      const call = { method: asked.method, url: new URL(asked.url, `https://${HOST}`), headers: asked.headers, body: Buffer.concat(chunks) };
      line.calls.push(`${call.method} ${call.url.pathname}`);
      line.asked.push(call);
      call.passed = async () => {
        const answer = await forwarded(call);
        noted(call, answer);
        return answer;
      };
      call.instead = (path) => forwarded({ ...call, method: "GET", url: new URL(path, call.url), body: Buffer.alloc(0) });
      const strange = await line.misbehave(call);
      if (strange === null) return cut();
      const isOurs = strange !== undefined && strange !== "after";
      const answer = isOurs ? { status: 200, headers: { "content-type": "application/json" }, ...strange } : await call.passed();
      if (strange === "after" || isOut) return cut();
      const body = bytes(await line.alter(call.url.pathname, bytes(answer.body)));
      const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !OWN.includes(name)));
      response.writeHead(answer.status, { ...headers, "content-length": body.length });
      return response.end(body);
    } catch {
      return cut();
    }
  });
  // `secureConnection` comes too late for a line that is cut in its handshake.
  server.on("connection", (socket) => {
    if (isOut) return socket.destroy();
    near.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => near.delete(socket));
    return undefined;
  });
  server.on("tlsClientError", () => {});
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  line.port = server.address().port;
  return line;
}
