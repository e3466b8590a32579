//! Every limit of the protocol, with its unit (sync.md section 10). Those of `advertised!` are told
//! at enrolment ([`Limits`]) and stand, each with its text and its value, in the API's document. The
//! others are those of single calls, or bound what the server itself says, makes and remarks on. A
//! push, a deposit or an event that exceeds one is told which, with its value; a token that is too
//! long is, like any that is not good, of nobody we know.

use serde::{Deserialize, Serialize};

/// One limit as it is advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// Its name at enrolment.
    pub name: &'static str,
    /// What it limits, and in which unit.
    pub about: &'static str,
    /// Its value in this program.
    pub value: u64,
}

/// Declares limits that are advertised: each is a constant, a field of [`Limits`] of the same text,
/// and a line of [`Limits::ADVERTISED`].
macro_rules! advertised {
    ($($(#[doc = $doc:literal])+ $constant:ident: $type:ty = $value:expr => $name:ident;)+) => {
        $($(#[doc = $doc])+ pub const $constant: $type = $value;)+

        /// The limits of the protocol as they are advertised.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Limits {
            /// Those of this program.
            pub const OURS: Limits = Limits { $($name: $constant as u64,)+ };

            /// The same, each with what it is about.
            pub const ADVERTISED: &'static [Advertised] = &[$(Advertised {
                name: stringify!($name),
                about: concat!($($doc),+).trim_ascii_start(),
                value: $constant as u64,
            },)+];
        }
    };
}

advertised! {
    /// Most events in one push.
    EVENTS_PER_PUSH_MAX: usize = 500 => events_per_push_max;
    /// Most bytes of a push as sent.
    PUSH_BYTES_MAX: usize = 1024 * 1024 => push_bytes_max;
    /// Most bytes of a push after inflation.
    PUSH_INFLATED_BYTES_MAX: usize = 8 * 1024 * 1024 => push_inflated_bytes_max;
    /// Most bytes of one event's text.
    EVENT_BYTES_MAX: usize = 512 * 1024 => event_bytes_max;
    /// Most units one event names; larger acts are several documents.
    UNITS_PER_EVENT_MAX: usize = 1000 => units_per_event_max;
    /// Most lot lines one event names.
    LOTS_PER_EVENT_MAX: usize = 1000 => lots_per_event_max;
    /// Most events of one group; a group fits one push.
    GROUP_EVENTS_MAX: u32 = 500 => group_events_max;
    /// Containers within containers.
    NESTING_DEPTH_MAX: usize = 3 => nesting_depth_max;
    /// How deep the JSON of an event may nest.
    JSON_DEPTH_MAX: usize = 16 => json_depth_max;
    /// Longest text value of an event, in bytes.
    TEXT_BYTES_MAX: usize = 2048 => text_bytes_max;
    /// Most further items in an event's body.
    BODY_ITEMS_MAX: usize = 64 => body_items_max;
    /// Most JSON values in an event's body, those inside others counted too.
    BODY_VALUES_MAX: usize = 1024 => body_values_max;
    /// The greatest sequence number: what a browser's number holds exactly.
    SEQ_MAX: u64 = (1 << 53) - 1 => seq_max;
    /// The greatest quantity on a lot line.
    QTY_MAX: u64 = 1_000_000_000 => qty_max;
    /// Unsent events at which a device warns.
    UNSENT_WARNING: u64 = 20_000 => unsent_warning;
    /// How long a gap or an incomplete group is waited for, in hours; an installation may be set to
    /// another.
    PARKING_HOURS: u64 = 72 => parking_hours;
    /// How long a device keeps what was receipted, in days.
    TAIL_DAYS: u64 = 7 => tail_days;
    /// How old an anchor may be as a nonce of a read, in seconds.
    ANCHOR_AGE_S: i64 = 15 * 60 => anchor_age_s;
    /// Longest token a device signs, in bytes.
    TOKEN_BYTES_MAX: usize = 2048 => token_bytes_max;
    /// Most bytes of a snapshot chunk; an item is never cut, so one that is larger has one of its own.
    SNAPSHOT_CHUNK_BYTES: usize = 256 * 1024 => snapshot_chunk_bytes;
    /// Most items of a page of a pull.
    PULL_ITEMS_MAX: usize = 500 => pull_items_max;
}

/// Most characters of why a text is no event; of a longer reason its beginning is told.
pub const REASON_CHARS_MAX: usize = 200;
/// Most findings in the result of one event; how many more there are is told as a number.
pub const FINDINGS_TOLD_MAX: usize = 100;
/// Most batches that the card of a container names of what is in it.
pub const BATCHES_TOLD_MAX: usize = 50;
/// Most references of one event that are named as not on record; how many more there are is told as a
/// number.
pub const REFERENCES_TOLD_MAX: usize = 10;
/// Most characters of such a reference; of a longer one its beginning is told.
pub const REFERENCE_CHARS_MAX: usize = 100;
/// How deep the JSON of a request may nest; events in it are texts and do not count.
pub const FRAME_DEPTH_MAX: usize = 8;
/// Most ranges of sequence numbers in one receipt; a receipt that names fewer is true all the same.
pub const RANGES_MAX: usize = 1000;
/// How long an enrolment code holds, in seconds.
pub const ENROLMENT_S: i64 = 10 * 60;
/// Most bytes of an enrolment.
pub const ENROL_BYTES_MAX: usize = 16 * 1024;
/// How long chunks of a snapshot or a recall list can be fetched after they were told, in hours.
pub const CHUNK_HOURS: u64 = 48;
/// Most codes of one look-up.
pub const LOOK_UP_CODES_MAX: usize = 100;
/// Most badges of an enterprise that are not withdrawn.
pub const BADGES_MAX: u64 = 10_000;
/// Most units of a page for each item it was asked to have: with containers come the units in them.
pub const PULL_UNITS_PER_ITEM: usize = 4;
/// An event later than this after it happened is `LATE`, in seconds.
pub const LATE_S: i64 = 24 * 60 * 60;
/// Clocks apart by more than this are flagged, in seconds.
pub const CLOCK_SKEW_S: i64 = 120;
/// Wall and monotonic clock apart by more than this within a session are flagged, in milliseconds.
pub const CLOCK_JUMP_MS: i64 = 2000;
