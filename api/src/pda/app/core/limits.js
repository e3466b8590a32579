// Every limit of the protocol that the device keeps, with its unit: the names and values of
// `sync/src/limits.rs`, which a test compares. What a server advertises at enrolment may be less.

export const EVENTS_PER_PUSH_MAX = 500;
export const PUSH_BYTES_MAX = 1024 * 1024;
export const EVENT_BYTES_MAX = 512 * 1024;
export const UNITS_PER_EVENT_MAX = 1000;
export const LOTS_PER_EVENT_MAX = 1000;
export const GROUP_EVENTS_MAX = 500;
/** How deep the JSON of an event may nest. */
export const JSON_DEPTH_MAX = 16;
/** Longest text value of an event, in bytes. */
export const TEXT_BYTES_MAX = 2048;
export const BODY_ITEMS_MAX = 64;
/** Most JSON values in an event's body, those inside others counted too. */
export const BODY_VALUES_MAX = 1024;
/** The greatest sequence number: what a browser's number holds exactly. */
export const SEQ_MAX = 2 ** 53 - 1;
export const QTY_MAX = 1_000_000_000;
/** Unsent events at which a device warns. */
export const UNSENT_WARNING = 20_000;
export const RANGES_MAX = 1000;
/** How long a device keeps what was receipted, in days. */
export const TAIL_DAYS = 7;
/** Longest token a device signs, in bytes. */
export const TOKEN_BYTES_MAX = 2048;
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;
export const PULL_ITEMS_MAX = 500;
