//! A snapshot: everything a device is told, as of one position, for one that has nothing or whose
//! cursor leads nowhere. It is what a pull of everything up to there would give, less what that would
//! take back again; the pull goes on from its watermark (I24). Parts are named by their hashes and
//! fetched one by one.
//!
//! That of a large place takes longer than anybody waits for an answer. So it is made (`making`)
//! on a task of its own, which goes on when the device that asked was told to come again, and what it came to
//! is found by that. What says for whom and when is signed only as it is given.

use super::{
    going_on::GoingOn,
    listed::{ListError, RecallLists, unsigned},
    making::{Made, Maker},
};
use crate::{
    app::Internal,
    db::Db,
    handheld::{keys::KeyError, turns::Turns},
    http::device::DeviceKnown,
    log::Log,
    problem::{Problem, ProblemCode},
    sealing::Sealer,
};
use sea_orm::DbErr;
use std::time::Duration;
use suyuan_sync::{
    bugs::{self, Bug},
    ids::DeviceId,
    limits::PULL_ITEMS_MAX,
    wire::{SnapshotManifest, V},
};
use thiserror::Error;

/// Snapshots made at once, one of an enterprise: what bounds the work they are.
const AT_ONCE: usize = 2;
/// Longest wait for one; less than any answer may take.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// When to ask again.
const AGAIN_S: u32 = 5;
/// Given up when nobody asked for so long: more than an app lets pass that asks now and then.
const UNASKED_MAX: Duration = Duration::from_mins(10);

/// Snapshots that are being made.
pub struct Snapshots {
    maker: Maker,
    turns: Turns,
    making: GoingOn<Made, Problem>,
}

impl Snapshots {
    /// None yet.
    pub fn new(db: &Db, log: &Log, sealer: &Sealer, lists: &RecallLists) -> Snapshots {
        Snapshots {
            maker: Maker {
                db: db.clone(),
                log: log.clone(),
                sealer: sealer.clone(),
                lists: lists.clone(),
            },
            turns: Turns::new(AT_ONCE),
            making: GoingOn::new(UNASKED_MAX),
        }
    }
}

/// How a snapshot is made.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long it is waited for.
    pub wait: Duration,
    /// About how many items are read at a time.
    pub page: i64,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            wait: WAIT_MAX,
            page: PULL_ITEMS_MAX as i64,
        }
    }
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// It is being made.
    #[error("the snapshot is still being made")]
    NotYet,
    /// It could not be made.
    #[error("{0}")]
    NotMade(Problem),
    /// The database's word.
    #[error("snapshot")]
    Db(#[from] DbErr),
    /// There is no recall list.
    #[error("snapshot")]
    List(#[from] ListError),
    /// It could not be signed.
    #[error("snapshot")]
    Key(#[from] KeyError),
    /// An item could not be written.
    #[error("snapshot")]
    Json(#[from] serde_json::Error),
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Problem {
        match error {
            SnapshotError::NotYet => Problem {
                retry_after_s: Some(AGAIN_S),
                ..Problem::new(ProblemCode::SnapshotNotReady)
            },
            SnapshotError::NotMade(problem) => problem,
            SnapshotError::Db(error) | SnapshotError::List(ListError::Db(error)) => error.into(),
            error => Problem::internal(&error),
        }
    }
}

/// That of a device: one that was made or is being made since it asked before, or a new one.
pub async fn make(
    state: &Internal,
    device: &DeviceKnown,
    patience: Patience,
) -> Result<SnapshotManifest, SnapshotError> {
    let snapshots = &state.handheld.snapshots;
    let work = || {
        let (maker, turns) = (snapshots.maker.clone(), snapshots.turns.clone());
        let device = device.clone();
        async move {
            let turn = turns.next(device.enterprise).await;
            let _turn = turn.ok_or(SnapshotError::NotYet)?;
            Ok(maker.make(&device, patience.page).await?)
        }
    };
    let made = snapshots.making.ask(device.device, patience.wait, work);
    let made = made.await.ok_or(SnapshotError::NotYet)?;
    told(state, device, made.map_err(SnapshotError::NotMade)?)
}

/// What was made, as a device is told it now.
fn told(
    state: &Internal,
    device: &DeviceKnown,
    made: Made,
) -> Result<SnapshotManifest, SnapshotError> {
    let (handheld, now) = (&state.handheld, state.log.now());
    let anchors = &handheld.anchors;
    let mut manifest = SnapshotManifest {
        v: V,
        device: DeviceId(device.device),
        epoch: device.epoch,
        watermark: made.watermark + i64::from(bugs::on(Bug::WatermarkOneTooHigh)),
        made_at: now.max(made.stamp),
        chunks: made.chunks,
        trust_keys: handheld.keys.chain(),
        key: 0,
        sig: unsigned()?,
        anchor: anchors.issue(device.device, device.epoch, made.stamp, now),
    };
    let (key, sig) = handheld.keys.sign(|key| {
        manifest.key = key;
        manifest.bytes_to_sign()
    })?;
    (manifest.key, manifest.sig) = (key, sig);
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ready_is_asked_for_again_and_long_before_it_is_given_up() {
        let problem = Problem::from(SnapshotError::NotYet);
        assert_eq!(problem.code.code(), "snapshot-not-ready");
        assert_eq!(problem.code.status(), 503);
        assert_eq!(problem.retry_after_s, Some(AGAIN_S));
        let wait = Duration::from_secs(AGAIN_S.into()) + WAIT_MAX;
        assert!(wait * 10 < UNASKED_MAX);
    }
}
