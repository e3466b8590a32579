//! The service side of sync (sync.md): devices and their keys, what they push, what they may read.
//!
//! The agreement itself is the pure crate `suyuan_sync`; here are its database, its clock and its
//! HTTP. An event is an entry of the log with a row of its own: see [`push`].

pub mod anchor;
pub mod devices;
pub mod inflate;
pub mod keys;
pub mod token;

use crate::{
    clock::Micros,
    db::Db,
    problem::{Problem, ProblemCode},
    sealing::Sealer,
};
use anchor::Anchors;
use keys::{KeyError, ListKeys};
use suyuan_sync::wire::FrameFault;
use uuid::Uuid;

/// What the calls of devices work with.
pub struct Handheld {
    /// Makes and reads anchors.
    pub anchors: Anchors,
    /// Signs receipts and lists.
    pub keys: ListKeys,
}

impl Handheld {
    /// Opens keys.
    pub async fn open(
        db: &Db,
        sealer: &Sealer,
        installation: Uuid,
        now: Micros,
    ) -> Result<Handheld, KeyError> {
        Ok(Handheld {
            anchors: Anchors::new(sealer, installation),
            keys: ListKeys::open(db, sealer, now).await?,
        })
    }
}

/// A message that cannot be taken as a whole; it fills no sequence number.
pub fn frame_problem(fault: &FrameFault) -> Problem {
    let code = if fault.is_size() {
        ProblemCode::TooLarge
    } else {
        ProblemCode::MalformedBody
    };
    Problem::new(code).detail(
        format!("{}: {fault}", fault.name()),
        format!("{}：请拆分或修正后重发", fault.name()),
    )
}
