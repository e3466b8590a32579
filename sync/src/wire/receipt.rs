//! The receipt: what a device may rely on. It drops from its outbox only what a signed receipt
//! covers.

use super::{Ranges, Signature};
use crate::{
    chain::Hash,
    ids::{DeviceId, Epoch, Micros, Seq},
};
use serde::{Deserialize, Serialize};

/// What the server holds of a device's epoch, durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose.
    pub device: DeviceId,
    /// Of which life.
    pub epoch: Epoch,
    /// Nothing at or below it is waited for: all of it is held, or a gap was given up (T4).
    pub contiguous_seq: Seq,
    /// What is held. Only this is *covered*.
    pub held_ranges: Ranges,
    /// What is not held below the greatest that is.
    pub missing_ranges: Ranges,
    /// The chain's hash after the highest event of the contiguous branch in state; the hash the
    /// epoch begins with while there is none.
    pub head_hash: Hash,
    /// The stamp of the log position it was given at; strictly increasing.
    pub stamp: Micros,
    /// The number of the trust key that signed it.
    pub key: u32,
    /// The signature over [`Receipt::bytes_to_sign`].
    pub sig: Signature,
}

impl Receipt {
    /// May the device drop this event?
    pub fn covers(&self, seq: Seq) -> bool {
        self.held_ranges.contains(seq)
    }

    /// The bytes that are signed.
    pub fn bytes_to_sign(&self) -> Vec<u8> {
        format!(
            "suyuan-receipt-1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            self.device,
            self.epoch,
            self.contiguous_seq,
            self.held_ranges,
            self.missing_ranges,
            self.head_hash,
            self.stamp,
            self.key,
        )
        .into_bytes()
    }
}
