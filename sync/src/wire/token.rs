//! What a device signs: the claims of its tokens (JWT, ES256), judged without trust in its clock.
//!
//! A token of a push covers the chain's hash after the batch, and by that every byte of it. `exp`,
//! `iat` and `nbf` are no claims here: whoever verifies must clear the claims its library
//! requires and judge no time. Signatures are the caller's matter.

use super::Push;
use crate::{
    chain::Hash,
    ids::{DeviceId, Epoch, Seq},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The `typ` of a token over a push.
pub const TYP_PUSH: &str = "suyuan-push+jwt";
/// The `typ` of a token that reads.
pub const TYP_READ: &str = "suyuan-read+jwt";

/// What a device claims of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushClaims {
    /// The installation.
    pub aud: String,
    /// The device.
    pub device: DeviceId,
    /// Its life.
    pub epoch: Epoch,
    /// The number of the first event.
    pub first_seq: Seq,
    /// The number of the last event; `first_seq - 1` when there is none.
    pub last_seq: Seq,
    /// The chain's hash before the first event.
    pub prev_hash: Hash,
    /// The chain's hash after the last event.
    pub head: Hash,
}

/// What a device claims when it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadClaims {
    /// The installation.
    pub aud: String,
    /// The device.
    pub device: DeviceId,
    /// Its life.
    pub epoch: Epoch,
    /// The newest anchor it holds, as nonce: older than
    /// [`ANCHOR_AGE_S`](crate::limits::ANCHOR_AGE_S) is stale.
    pub anchor: String,
}

/// A token that does not belong to the push it came with (401).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Made for another installation.
    #[error("the token is for another installation")]
    Audience,
    /// Names another device or epoch.
    #[error("the token is of another device or epoch")]
    Device,
    /// Names other numbers.
    #[error("the token is about other sequence numbers")]
    Seq,
    /// The chain's hash before or after the events is another: other bytes than were signed.
    #[error("the token is about other bytes")]
    Chain,
}

impl PushClaims {
    /// What a device has to sign for this push.
    pub fn of(push: &Push, installation: &str) -> PushClaims {
        PushClaims {
            aud: installation.to_owned(),
            device: push.device,
            epoch: push.epoch,
            first_seq: push.first_seq,
            last_seq: push.last_seq(),
            prev_hash: push.prev_hash,
            head: push.head(),
        }
    }

    /// Is this push, byte for byte, what was signed?
    pub fn cover(&self, push: Push, installation: &str) -> Result<Covered, TokenFault> {
        if self.aud != installation {
            return Err(TokenFault::Audience);
        }
        if (self.device, self.epoch) != (push.device, push.epoch) {
            return Err(TokenFault::Device);
        }
        if (self.first_seq, self.last_seq) != (push.first_seq, push.last_seq()) {
            return Err(TokenFault::Seq);
        }
        let hashes: Vec<Hash> = crate::chain::hashes(push.prev_hash, &push.events).collect();
        let head = hashes.last().copied().unwrap_or(push.prev_hash);
        if (self.prev_hash, self.head) != (push.prev_hash, head) {
            return Err(TokenFault::Chain);
        }
        Ok(Covered { push, hashes })
    }
}

/// A push that is, byte for byte, what its device signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Covered {
    push: Push,
    hashes: Vec<Hash>,
}

impl Covered {
    /// The chain's hash after each event.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The push, and the chain's hash after each event.
    pub fn into_parts(self) -> (Push, Vec<Hash>) {
        (self.push, self.hashes)
    }
}
