// The line to the server: enrol, push, pull, chunks, look-ups. Everything that comes is read strictly;
// what is no answer counts as none.
//
// Tokens are made for each call and never kept. Whether something is tried again, and when, is the
// outbox's decision; only an anchor that is too old is made good here, once.

import { object, text as string } from "../core/wire/shape.js";
import * as wire from "../core/wire.js";
import { sign } from "./keys.js";

/** @typedef {import("./store.js").Identity} Identity */
/** @typedef {import("../core/wire/messages.js").Push} Push */

/**
 * What became of a call: an answer, a refusal with its status, or nothing that could be believed.
 * @template T
 * @typedef {{ is: "answer", answer: T } | { is: "refused", status: number, retryAfter: number | null, anchor: string | null, code: string | null }
 *   | { is: "lost" }} Outcome
 */

/** An answer is waited for so long, in milliseconds. */
const PATIENCE_MS = 25_000;
/** Longest answer that is read, in bytes: several times the largest page a server sends. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export class Link {
  /**
   * @param {string} base where the installation answers devices
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, fetcher = (...call) => fetch(...call)) {
    this.base = base.replace(/\/+$/, "");
    this.fetcher = fetcher;
    /** Whether the last call reached the server: what "online" means to a person. */
    this.isReached = true;
  }

  /**
   * A device becomes one of an enterprise, or begins a new epoch.
   * @param {{ code: string, key: import("../core/wire/messages.js").PublicKey, program: string }} asked
   */
  enrol({ code, key, program }) {
    return this.#call("POST", "/v1/enrol", null, { v: 1, code, key, program }, wire.messages.enrolAnswer);
  }

  /**
   * Whom devices of this server are told to trust; null where nobody has to be told, "unknown" when
   * nothing came that says so.
   * @returns {Promise<Authority | null | "unknown">}
   */
  async authority() {
    const outcome = await this.#call("GET", "/app/authority.json", null, null, authority);
    if (outcome.is === "answer") return outcome.answer;
    return outcome.is === "refused" && outcome.status === 404 ? null : "unknown";
  }

  /** @param {Identity} identity @param {Push} push */
  async push(identity, push) {
    return this.#call("POST", "/v1/sync/push", await pushToken(identity, push), push, wire.messages.pushAnswer);
  }

  /**
   * A batch that another device signed.
   * @param {Identity} identity
   * @param {string} anchor
   * @param {import("../core/wire/messages.js").Deposit} deposit
   */
  deposit(identity, anchor, deposit) {
    return this.#read(identity, anchor, "POST", "/v1/sync/deposit", deposit, wire.messages.pushAnswer);
  }

  /**
   * @param {Identity} identity
   * @param {string} anchor
   * @param {number} cursor
   * @param {string | null} list what the list held says
   * @param {string | undefined} [within] where the next part of a position begins
   */
  pull(identity, anchor, cursor, list, within) {
    const part = within === undefined ? "" : `&within=${encodeURIComponent(within)}`;
    const path = `/v1/sync/pull?cursor=${cursor}${part}${list === null ? "" : `&list=${list}`}`;
    return this.#read(identity, anchor, "GET", path, null, wire.messages.pullAnswer);
  }

  /** @param {Identity} identity @param {string} anchor */
  snapshot(identity, anchor) {
    return this.#read(identity, anchor, "GET", "/v1/sync/snapshot", null, wire.messages.snapshotManifest);
  }

  /** @param {Identity} identity @param {string} anchor */
  rules(identity, anchor) {
    return this.#read(identity, anchor, "GET", "/v1/sync/rules", null, wire.messages.rulesAnswer);
  }

  /** @param {Identity} identity @param {string} anchor */
  badges(identity, anchor) {
    return this.#read(identity, anchor, "GET", "/v1/sync/badges", null, wire.messages.badgesAnswer);
  }

  /**
   * The codes in a photo.
   * @param {Identity} identity
   * @param {string} anchor
   * @param {Blob} photo
   */
  decode(identity, anchor, photo) {
    const form = new FormData();
    form.append("photo", photo, "photo");
    return this.#read(identity, anchor, "POST", "/v1/decode", form, wire.messages.decodeAnswer);
  }

  /** @param {Identity} identity @param {string} anchor */
  status(identity, anchor) {
    return this.#read(identity, anchor, "GET", "/v1/sync/status", null, wire.messages.statusAnswer);
  }

  /** @param {Identity} identity @param {string} anchor @param {readonly string[]} codes */
  lookUp(identity, anchor, codes) {
    return this.#read(identity, anchor, "POST", "/v1/sync/lookups", { v: 1, codes }, wire.messages.lookUpAnswer);
  }

  /**
   * A part of a recall list or snapshot, by its hash, with its anchor; null when it could not be had.
   * @param {Identity} identity
   * @param {string} anchor
   * @param {string} hash
   * @returns {Promise<{ bytes: Uint8Array, anchor: string } | null>}
   */
  async chunk(identity, anchor, hash) {
    const ask = async (/** @type {string} */ anchor) =>
      this.#send("GET", `/v1/sync/chunks/${hash}`, await readToken(identity, anchor), null);
    try {
      let response = await ask(anchor);
      const fresh = response?.status === 401 ? said(new TextDecoder().decode(await bounded(response))).anchor : null;
      if (fresh !== null) response = await ask(fresh);
      return response?.ok ? { bytes: await bounded(response), anchor: response.headers.get("suyuan-anchor") ?? "" } : null;
    } catch {
      return null;
    }
  }

  /**
   * A call that reads: once more with a fresh anchor where the one held is too old.
   * @template T
   * @param {Identity} identity
   * @param {string} anchor
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {import("../core/wire/shape.js").Reader<T>} reader
   * @returns {Promise<Outcome<T>>}
   */
  async #read(identity, anchor, method, path, body, reader) {
    const outcome = await this.#call(method, path, await readToken(identity, anchor), body, reader);
    if (outcome.is !== "refused" || outcome.status !== 401 || outcome.anchor === null) return outcome;
    return this.#call(method, path, await readToken(identity, outcome.anchor), body, reader);
  }

  /**
   * @template T
   * @param {string} method
   * @param {string} path
   * @param {string | null} token
   * @param {unknown} body
   * @param {import("../core/wire/shape.js").Reader<T>} reader
   * @returns {Promise<Outcome<T>>}
   */
  async #call(method, path, token, body, reader) {
    const response = await this.#send(method, path, token, body);
    if (!response) return { is: "lost" };
    let text = "";
    try {
      text = new TextDecoder().decode(await bounded(response));
    } catch {
      return { is: "lost" };
    }
    if (response.ok) {
      const read = wire.readFrame(text, reader);
      return read.ok ? { is: "answer", answer: read.message } : { is: "lost" };
    }
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    return {
      is: "refused",
      status: response.status,
      retryAfter: Number.isInteger(seconds) && seconds >= 0 ? seconds : null,
      ...said(text),
    };
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string | null} token
   * @param {unknown} body
   * @returns {Promise<Response | null>}
   */
  async #send(method, path, token, body) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (token !== null) headers.authorization = `Bearer ${token}`;
    const init = /** @type {RequestInit} */ ({ method, headers, cache: "no-store", credentials: "omit", redirect: "error" });
    init.signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      if (body instanceof FormData) {
        init.body = body;
      } else if (body !== null) {
        headers["content-type"] = "application/json";
        init.body = await packed(JSON.stringify(body), headers);
      }
      const response = await this.fetcher(this.base + path, init);
      this.isReached = true;
      return response;
    } catch {
      this.isReached = false;
      return null;
    }
  }
}

/**
 * The whole body of an answer. One that does not end is no answer: a device has to stay able to work.
 * @param {Response} response
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function bounded(response) {
  const reader = response.body?.getReader();
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) break;
    length += part.value.length;
    if (length > ANSWER_BYTES_MAX) {
      await reader?.cancel();
      throw new RangeError("an answer that does not end");
    }
    parts.push(part.value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bodies of some size go compressed. @param {string} text @param {Record<string, string>} headers */
async function packed(text, headers) {
  if (text.length < 2048 || typeof CompressionStream === "undefined") return text;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  headers["content-encoding"] = "gzip";
  return new Blob([await new Response(stream).arrayBuffer()]);
}

/** What a refusal may bring: a fresh anchor, and the name of what is wrong. @param {string} text @returns {{ anchor: string | null, code: string | null }} */
function said(text) {
  const read = wire.readFrame(text, problem);
  return read.ok ? { anchor: read.message.anchor ?? null, code: read.message.code ?? null } : { anchor: null, code: null };
}

/** @typedef {{ sha256: string, groups: string, words_zh: string, words_en: string }} Authority */

/** @type {import("../core/wire/shape.js").Reader<Authority>} */
const authority = object({ sha256: string, groups: string, words_zh: string, words_en: string });

/** @type {import("../core/wire/shape.js").Reader<{ anchor?: string, code?: string }>} */
const problem = (value) => {
  const told = /** @type {{ anchor?: unknown, code?: unknown }} */ (typeof value === "object" && value !== null ? value : {});
  return {
    ...(typeof told.anchor === "string" ? { anchor: told.anchor } : {}),
    ...(typeof told.code === "string" ? { code: told.code } : {}),
  };
};

/** The token over a push: what a deposit carries too. @param {Identity} identity @param {Push} push */
export async function pushToken(identity, push) {
  const claims = await wire.pushClaims(push, identity.installation);
  return wire.token(wire.TYP_PUSH, claims, (bytes) => signAs(identity, push.epoch, bytes));
}

/** @param {Identity} identity @param {string} anchor */
export function readToken(identity, anchor) {
  const claims = wire.readClaims(identity, anchor, identity.installation);
  return wire.token(wire.TYP_READ, claims, (bytes) => signAs(identity, identity.epoch, bytes));
}

/** With the key of a life; one that is gone signs nothing anybody believes. @param {Identity} identity @param {number} epoch @param {Uint8Array} bytes */
function signAs(identity, epoch, bytes) {
  const keys = identity.lives[epoch];
  return keys ? sign(keys, bytes) : Promise.resolve(new Uint8Array(64));
}
