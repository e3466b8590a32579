// What goes over the wire between device and server, as readers: the messages of `sync::wire`, by
// the same names. Another version is refused; what is not known within one is passed over.

import { isHash } from "../chain.js";
import { isUuid } from "../ids.js";
import { EVENTS_PER_PUSH_MAX, SEQ_MAX, TOKEN_BYTES_MAX } from "../limits.js";
import { byteLength, isAlphanumeric } from "../trace-code/bytes.js";
import { isRanges } from "./ranges.js";
import * as shape from "./shape.js";

const { anything, checked, defaulted, flag, integer, list, nullable, object, oneOf, optional, text } = shape;

const V1 = oneOf(/** @type {const} */ ([1]));
const uuid = checked(isUuid, "a UUID");
const hash = checked(isHash, "a hash");
const ranges = checked(isRanges, "ascending ranges of sequence numbers");
const epoch = integer(0, 2 ** 32 - 1);
const small = integer(0, 2 ** 32 - 1);
const seq = integer(0, SEQ_MAX);
/** Positions of the log and instants in microseconds. */
const position = integer(-SEQ_MAX, SEQ_MAX);
/** As it comes: one beyond what there is counts as a bad number, not as an unreadable frame. */
const anySeq = integer(0, Number.MAX_VALUE);

/** @param {number} length */
const base64Url = (length) =>
  checked(
    /** @returns {value is string} */ (/** @type {unknown} */ value) =>
      typeof value === "string" &&
      value.length === length &&
      Array.from(value).every((c) => isAlphanumeric(c.charCodeAt(0)) || c === "-" || c === "_"),
    `${length} characters of base64url`,
  );
const signature = base64Url(86);

const publicKey = object({
  kty: oneOf(/** @type {const} */ (["EC"])),
  crv: oneOf(/** @type {const} */ (["P-256"])),
  x: base64Url(43),
  y: base64Url(43),
});

export const trustKey = object({ n: small, key: publicKey, since: position, sig: optional(signature) });

export const receipt = object({
  device: uuid,
  epoch,
  contiguous_seq: seq,
  held_ranges: ranges,
  missing_ranges: ranges,
  head_hash: hash,
  stamp: position,
  key: small,
  sig: signature,
});

const chunk = object({ hash, bytes: small });

const finding = object({
  code: text,
  severity: oneOf(/** @type {const} */ (["information", "warning", "critical"])),
  subject: anything,
  closed_by: optional(uuid),
  closed_entry: optional(object({ position, kind: text })),
  closed: defaulted(flag, false),
});

/** What the QR code of an enrolment says. */
export const ticket = object({
  v: V1,
  url: text,
  enterprise: uuid,
  code: text,
  fingerprint: optional(text),
  profile: text,
});

export const enrol = object({ v: V1, code: text, key: publicKey, program: optional(text) });

export const enrolAnswer = object({
  v: V1,
  device: uuid,
  epoch,
  enterprise: uuid,
  location: uuid,
  document_prefix: optional(text),
  profile: text,
  installation: text,
  trust_keys: list(trustKey),
  limits: object({
    events_per_push_max: seq,
    push_bytes_max: seq,
    push_inflated_bytes_max: seq,
    event_bytes_max: seq,
    units_per_event_max: seq,
    lots_per_event_max: seq,
    group_events_max: seq,
    nesting_depth_max: seq,
    json_depth_max: seq,
    text_bytes_max: seq,
    body_items_max: seq,
    body_values_max: seq,
    seq_max: seq,
    qty_max: seq,
    unsent_warning: seq,
    parking_hours: seq,
    tail_days: seq,
    anchor_age_s: seq,
    token_bytes_max: seq,
    snapshot_chunk_bytes: seq,
    pull_items_max: seq,
  }),
  anchor: text,
  t_sent: position,
});

export const push = object({
  v: V1,
  device: uuid,
  epoch,
  first_seq: anySeq,
  prev_hash: hash,
  last_receipt: optional(receipt),
  queue_depth: defaulted(anySeq, 0),
  events: list(text),
});

export const deposit = object({
  v: V1,
  token: checked(
    /** @returns {value is string} */ (/** @type {unknown} */ value) =>
      typeof value === "string" && byteLength(value) <= TOKEN_BYTES_MAX,
    `a token of at most ${TOKEN_BYTES_MAX} bytes`,
  ),
  push,
});

const eventResult = object({
  seq,
  status: oneOf(/** @type {const} */ (["stored", "duplicate", "stored_flagged", "parked", "quarantined"])),
  code: optional(text),
  gseq: optional(position),
  findings: defaulted(list(finding), []),
  pending: optional(flag),
});

export const pushAnswer = object({
  v: V1,
  results: list(eventResult, EVENTS_PER_PUSH_MAX),
  receipt,
  anchor: text,
  t_recv: position,
  t_sent: position,
  credit: small,
  retry_after: optional(small),
  pull_hint: flag,
});

export const phase = oneOf(
  /** @type {const} */ ([
    "unknown",
    "commissioned",
    "in_stock",
    "in_transit",
    "sold",
    "returned",
    "collected",
    "destroyed",
  ]),
);

const between = object({ from: uuid, to: nullable(uuid), to_enterprise: nullable(uuid) });

/** @type {shape.Reader<"nowhere" | { at: string } | { between: { from: string, to: string | null, to_enterprise: string | null } }>} */
const place = (value, path) => {
  if (value === "nowhere") return value;
  const { at, between: way } = object({ at: optional(uuid), between: optional(between) })(value, path);
  if (at !== undefined) return { at };
  if (way !== undefined) return { between: way };
  throw new shape.ShapeFault(path, "is no place");
};

export const unitCard = object({
  unit: text,
  level: optional(oneOf(/** @type {const} */ (["item", "case", "pallet"]))),
  product: optional(uuid),
  batch: optional(uuid),
  lot: optional(text),
  expires_at: optional(position),
  phase,
  place,
  inside: optional(text),
  disposition: optional(oneOf(/** @type {const} */ (["sellable", "hold", "destroy"]))),
  void: defaulted(flag, false),
  recalls: defaulted(list(uuid), []),
  holds: optional(list(object({ batch: uuid, expires_at: optional(position) }))),
  holds_more: optional(flag),
});

export const recalledBatch = object({ recall: uuid, batch: uuid, gtin: text, lot: text });

export const recallList = object({
  version: position,
  made_at: position,
  batches: list(recalledBatch),
  count: seq,
  chunks: list(chunk),
  key: small,
  sig: signature,
});

/** That a list of this content is still the list, as of this version and instant. */
export const listCurrent = object({ version: position, made_at: position, content: hash, key: small, sig: signature });

const productCard = object({
  product: uuid,
  gtin: text,
  issuer: uuid,
  name: text,
  specification: optional(text),
  profile: optional(text),
});

const partnerCard = object({
  enterprise: uuid,
  name: text,
  places: defaulted(list(object({ location: uuid, name: text, gln: optional(text) })), []),
});

const verdict = object({ event: uuid, device: uuid, epoch, seq, findings: list(finding) });

const removed = object({ of: oneOf(/** @type {const} */ (["product", "partner", "unit"])), id: text });

const ITEMS = {
  product: productCard,
  partner: partnerCard,
  unit: unitCard,
  recall_list: recallList,
  verdict,
  removed,
};
const itemType = object({ type: oneOf(/** @type {(keyof typeof ITEMS)[]} */ (Object.keys(ITEMS))) });

/**
 * One thing a device is told. A later item of the same thing replaces an earlier one.
 * @typedef {{ type: "product" } & ReturnType<typeof productCard>
 *   | { type: "partner" } & ReturnType<typeof partnerCard>
 *   | { type: "unit" } & UnitCard
 *   | { type: "recall_list" } & RecallList
 *   | { type: "verdict" } & Verdict
 *   | { type: "removed" } & ReturnType<typeof removed>} Item
 */

/** @type {shape.Reader<Item>} */
export const item = (value, path) => {
  const { type } = itemType(value, path);
  return /** @type {Item} */ ({ type, ...ITEMS[type](value, path) });
};

export const pullAnswer = object({
  v: V1,
  items: list(object({ gseq: position, item })),
  cursor: position,
  more: flag,
  within: optional(text),
  list: optional(listCurrent),
  rules: optional(text),
  badges: optional(text),
  list_age_s: optional(small),
  told_until: optional(position),
  anchor: text,
});

/** The badges that work at this device's place, by their hashes. A role that is not known is a worker's. */
export const badgesAnswer = object({
  v: V1,
  version: optional(text),
  badges: list(object({ badge: hash, role: text })),
  anchor: text,
});

/** What events have to say; who reads a rule is `core/required/rules.js`. */
export const rulesAnswer = object({ v: V1, version: text, rules: list(anything), anchor: text });

export const snapshotManifest = object({
  v: V1,
  device: uuid,
  epoch,
  watermark: position,
  made_at: position,
  chunks: list(chunk),
  trust_keys: list(trustKey),
  key: small,
  sig: signature,
  anchor: text,
});

export const snapshotChunk = object({ v: V1, items: list(item) });

const aside = object({ epoch, seq, event: optional(uuid), code: text, since: position, imported: optional(flag) });

export const statusAnswer = object({
  v: V1,
  device: uuid,
  epoch,
  contiguous_seq: seq,
  held_ranges: ranges,
  missing_ranges: ranges,
  head_hash: hash,
  re_enrol: flag,
  parked: list(aside),
  quarantined: list(aside),
  findings: list(object({ event: uuid, epoch, seq, imported: optional(flag), finding })),
  more: flag,
  more_parked: optional(anySeq),
  more_quarantined: optional(anySeq),
  more_findings: optional(anySeq),
  anchor: text,
});

/** The codes in a photo. */
export const decodeAnswer = object({
  v: V1,
  codes: list(object({ text, unit: optional(text), fault: optional(text) })),
  anchor: optional(text),
});

export const lookUpAnswer = object({ v: V1, cards: list(nullable(unitCard)), position, told_until: optional(position), anchor: text });

export const pushClaims = object({
  aud: text,
  device: uuid,
  epoch,
  first_seq: seq,
  last_seq: seq,
  prev_hash: hash,
  head: hash,
});

export const readClaims = object({ aud: text, device: uuid, epoch, anchor: text });

/** @typedef {ReturnType<typeof receipt>} Receipt */
/** @typedef {ReturnType<typeof trustKey>} TrustKey */
/** @typedef {ReturnType<typeof publicKey>} PublicKey */
/** @typedef {ReturnType<typeof ticket>} Ticket */
/** @typedef {ReturnType<typeof enrolAnswer>} EnrolAnswer */
/** @typedef {ReturnType<typeof push>} Push */
/** @typedef {ReturnType<typeof deposit>} Deposit */
/** @typedef {ReturnType<typeof pushAnswer>} PushAnswer */
/** @typedef {ReturnType<typeof eventResult>} EventResult */
/** @typedef {ReturnType<typeof finding>} FindingNote */
/** @typedef {ReturnType<typeof unitCard>} UnitCard */
/** @typedef {ReturnType<typeof recallList>} RecallList */
/** @typedef {ReturnType<typeof listCurrent>} ListCurrent */
/** @typedef {ReturnType<typeof recalledBatch>} RecalledBatch */
/** @typedef {ReturnType<typeof verdict>} Verdict */
/** @typedef {ReturnType<typeof pullAnswer>} PullAnswer */
/** @typedef {ReturnType<typeof badgesAnswer>} BadgesAnswer */
/** @typedef {ReturnType<typeof snapshotManifest>} SnapshotManifest */
/** @typedef {ReturnType<typeof statusAnswer>} StatusAnswer */
/** @typedef {ReturnType<typeof phase>} Phase */
