//! The total order of everything that is folded (sync.md section 4).
//!
//! `(eff, device, epoch, seq, event_id)`: ends in ids, never favours anyone. What the server
//! states is ordered under the nil device.

use crate::ids::{DeviceId, Epoch, EventId, Micros, Seq};
use serde::{Deserialize, Serialize};

/// Where something stands in the total order. Compares field by field as they stand here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Order {
    /// Effective time.
    pub eff: Micros,
    /// Who stated it; nil for the server.
    pub device: DeviceId,
    /// Which life of the device.
    pub epoch: Epoch,
    /// Its place there; the log position for what the server stated.
    pub seq: Seq,
    /// Its id.
    pub event: EventId,
}

/// What is known of when something happened, frozen at admission: `lo ≤ est ≤ hi`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// Not before.
    pub lo: Micros,
    /// The device's own word.
    pub est: Micros,
    /// Not after: when it was received.
    pub hi: Micros,
}
