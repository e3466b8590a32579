//! `POST /v1/enrol`: a device becomes one of an enterprise, or begins a new epoch.

use super::{FrameFault, PublicKey, TrustKey, V, frame};
use crate::{
    ids::{DeviceId, EnterpriseId, Epoch, LocationId, Micros},
    limits,
};
use serde::{Deserialize, Serialize};

/// What the QR code of an enrolment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Version of this message.
    pub v: V<1>,
    /// Where the installation answers devices.
    pub url: String,
    /// Which enterprise.
    pub enterprise: EnterpriseId,
    /// The one-time code.
    pub code: String,
    /// SHA-256 of the server's certificate, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What the device is for: `warehouse`, `till`, ….
    pub profile: String,
}

/// A device asks to be enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// Version of this message.
    pub v: V<1>,
    /// The one-time code of the ticket.
    pub code: String,
    /// The key it made; the private half never leaves it.
    pub key: PublicKey,
    /// Which program it runs, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

impl Enrol {
    /// Reads the request.
    pub fn read(bytes: &[u8]) -> Result<Enrol, FrameFault> {
        frame::read(bytes, limits::ENROL_BYTES_MAX)
    }
}

/// The device is enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// Version of this message.
    pub v: V<1>,
    /// Its id.
    pub device: DeviceId,
    /// Its life; its first event has number 1.
    pub epoch: Epoch,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// Its place.
    pub location: LocationId,
    /// What it is for.
    pub profile: String,
    /// What a token of the device names as `aud`.
    pub installation: String,
    /// The keys the installation signs with, in the order of their numbers.
    pub trust_keys: Vec<TrustKey>,
    /// The limits it has to keep.
    pub limits: Limits,
    /// Its first anchor, opaque.
    pub anchor: String,
    /// When this answer was sent.
    pub t_sent: Micros,
}

/// Declares the advertised limits, each under the name of its constant in [`limits`].
macro_rules! advertised {
    ($($name:ident = $constant:ident),+ $(,)?) => {
        /// The limits of the protocol as they are advertised ([`limits`] tells their units).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Limits {
            $(#[doc = concat!("See [`limits::", stringify!($constant), "`].")] pub $name: u64,)+
        }

        impl Limits {
            /// Those of this program.
            pub const OURS: Limits = Limits { $($name: limits::$constant as u64,)+ };
        }
    };
}

advertised! {
    events_per_push_max = EVENTS_PER_PUSH_MAX,
    push_bytes_max = PUSH_BYTES_MAX,
    push_inflated_bytes_max = PUSH_INFLATED_BYTES_MAX,
    event_bytes_max = EVENT_BYTES_MAX,
    units_per_event_max = UNITS_PER_EVENT_MAX,
    lots_per_event_max = LOTS_PER_EVENT_MAX,
    group_events_max = GROUP_EVENTS_MAX,
    nesting_depth_max = NESTING_DEPTH_MAX,
    json_depth_max = JSON_DEPTH_MAX,
    text_bytes_max = TEXT_BYTES_MAX,
    body_items_max = BODY_ITEMS_MAX,
    body_values_max = BODY_VALUES_MAX,
    seq_max = SEQ_MAX,
    qty_max = QTY_MAX,
    unsent_warning = UNSENT_WARNING,
    parking_hours = PARKING_HOURS,
    tail_days = TAIL_DAYS,
    anchor_age_s = ANCHOR_AGE_S,
    token_bytes_max = TOKEN_BYTES_MAX,
    snapshot_chunk_bytes = SNAPSHOT_CHUNK_BYTES,
    pull_items_max = PULL_ITEMS_MAX,
}
