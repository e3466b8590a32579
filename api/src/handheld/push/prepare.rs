//! Everything about a push that needs no lock and no database: inflation, the frame, whether it is
//! what was signed, and every text hashed and parsed. Pure.

use super::{act::Incoming, weigh::Struck};
use crate::handheld::inflate::{Encoding, InflateError, inflate};
use suyuan_sync::{
    admission, event,
    limits::{PUSH_INFLATED_BYTES_MAX, TOKEN_BYTES_MAX},
    wire::{FrameFault, Push, PushClaims, TokenFault},
};

/// Why a push was not taken. It fills nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is not compressed as its sender says, or was damaged on the way.
    Encoding,
    /// It cannot be read, or is too large.
    Frame(FrameFault),
    /// It is not what was signed.
    Token(TokenFault),
    /// Its numbers cannot be.
    Numbers(admission::FrameFault),
}

/// Opens a body of at most so many bytes when inflated.
pub fn open(body: &[u8], encoding: Encoding) -> Result<Vec<u8>, Refused> {
    let max = PUSH_INFLATED_BYTES_MAX + TOKEN_BYTES_MAX;
    inflate(body, encoding, max).map_err(|error| match error {
        InflateError::TooLarge => Refused::Frame(FrameFault::TooLong {
            bytes: None,
            max: PUSH_INFLATED_BYTES_MAX,
        }),
        InflateError::Window { asked, max } => {
            Refused::Frame(FrameFault::WindowTooLarge { window: asked, max })
        }
        InflateError::Malformed => Refused::Encoding,
    })
}

/// Holds a push against what its device signed, and reads every text.
pub fn read(
    push: Push,
    claims: &PushClaims,
    installation: &str,
    imported: bool,
) -> Result<Incoming, Refused> {
    let covered = claims.cover(push, installation).map_err(Refused::Token)?;
    let batch = admission::read_covered(covered, event::parse);
    Ok(Incoming {
        batch: batch.map_err(Refused::Numbers)?,
        imported,
        struck: Struck::default(),
    })
}
