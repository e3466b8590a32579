//! Every limit of the protocol, with its unit (sync.md section 10). They are advertised at
//! enrolment, stand in the API's documentation, and are named in every refusal.

/// Most events in one push.
pub const EVENTS_PER_PUSH_MAX: usize = 500;
/// Most bytes of a push as sent.
pub const PUSH_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of a push after inflation.
pub const PUSH_INFLATED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most bytes of one event's text.
pub const EVENT_BYTES_MAX: usize = 512 * 1024;
/// Most units one event names; larger acts are several documents.
pub const UNITS_PER_EVENT_MAX: usize = 1000;
/// Most lot lines one event names.
pub const LOTS_PER_EVENT_MAX: usize = 1000;
/// Most events of one group; a group fits one push.
pub const GROUP_EVENTS_MAX: u32 = 500;
/// Most findings in the result of one event; how many more there are is told as a number.
pub const FINDINGS_TOLD_MAX: usize = 100;
/// Most references of one event that are named as not on record; how many more there are is told as a
/// number.
pub const REFERENCES_TOLD_MAX: usize = 10;
/// Most characters of such a reference; of a longer one its beginning is told.
pub const REFERENCE_CHARS_MAX: usize = 100;
/// Containers within containers.
pub const NESTING_DEPTH_MAX: usize = 3;
/// How deep the JSON of a request may nest; events in it are texts and do not count.
pub const FRAME_DEPTH_MAX: usize = 8;
/// How deep the JSON of an event may nest.
pub const JSON_DEPTH_MAX: usize = 16;
/// Longest text value of an event, in bytes.
pub const TEXT_BYTES_MAX: usize = 2048;
/// Most further items in an event's body.
pub const BODY_ITEMS_MAX: usize = 64;
/// Most JSON values in an event's body, those inside others counted too.
pub const BODY_VALUES_MAX: usize = 1024;
/// The greatest sequence number: what a browser's number holds exactly.
pub const SEQ_MAX: u64 = (1 << 53) - 1;
/// The greatest quantity on a lot line.
pub const QTY_MAX: u64 = 1_000_000_000;
/// Unsent events at which a device warns.
pub const UNSENT_WARNING: u64 = 20_000;
/// Most ranges of sequence numbers in one receipt; a receipt that names fewer is true all the same.
pub const RANGES_MAX: usize = 1000;
/// How long a gap or an incomplete group is waited for, in hours.
pub const PARKING_HOURS: u64 = 72;
/// How long a device keeps what was receipted, in days.
pub const TAIL_DAYS: u64 = 7;
/// How old an anchor may be as a nonce of a read, in seconds.
pub const ANCHOR_AGE_S: i64 = 15 * 60;
/// How long an enrolment code holds, in seconds.
pub const ENROLMENT_S: i64 = 10 * 60;
/// Most bytes of an enrolment.
pub const ENROL_BYTES_MAX: usize = 16 * 1024;
/// Longest token a device signs, in bytes.
pub const TOKEN_BYTES_MAX: usize = 2048;
/// Most bytes of a snapshot chunk; an item is never cut, so one that is larger has one of its own.
pub const SNAPSHOT_CHUNK_BYTES: usize = 256 * 1024;
/// How long chunks of a snapshot or a recall list can be fetched after they were told, in hours.
pub const CHUNK_HOURS: u64 = 48;
/// Most codes of one look-up.
pub const LOOK_UP_CODES_MAX: usize = 100;
/// Most badges of an enterprise that are not withdrawn.
pub const BADGES_MAX: u64 = 10_000;
/// Most items of a page of a pull.
pub const PULL_ITEMS_MAX: usize = 500;
/// Most units of a page for each item it was asked to have: with containers come the units in them.
pub const PULL_UNITS_PER_ITEM: usize = 4;
/// An event later than this after it happened is `LATE`, in seconds.
pub const LATE_S: i64 = 24 * 60 * 60;
/// Clocks apart by more than this are flagged, in seconds.
pub const CLOCK_SKEW_S: i64 = 120;
/// Wall and monotonic clock apart by more than this within a session are flagged, in milliseconds.
pub const CLOCK_JUMP_MS: i64 = 2000;
