//! `POST /v1/enrol`: a device becomes one of an enterprise, or begins a new epoch.

use super::{FrameFault, PublicKey, TrustKey, V, frame};
use crate::{
    ids::{DeviceId, EnterpriseId, Epoch, LocationId, Micros},
    limits::{self, Limits},
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
    /// What numbers of documents begin with that this device gives itself, place and device in them: the
    /// counter behind it is the device's. No other life of any device has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_prefix: Option<String>,
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
