//! The service side of sync (sync.md): devices and their keys, what they push, what they may read.
//!
//! The agreement itself is the pure crate `suyuan_sync`; here are its database, its clock and its
//! HTTP. An event is an entry of the log with a row of its own: see [`push`].

pub mod anchor;
pub mod aside;
pub mod decisions;
pub mod devices;
pub mod down;
pub mod failing;
pub mod inflate;
pub mod keys;
pub mod lots;
pub mod push;
pub mod replay;
pub mod token;
pub mod units;
pub mod world;

use crate::{
    clock::Clock,
    config,
    db::Db,
    log::Log,
    problem::{Problem, ProblemCode},
    sealing::Sealer,
};
use anchor::Anchors;
use down::{listed::RecallLists, snapshot::Snapshots};
use keys::{KeyError, ListKeys};
use push::{
    act::Engine,
    ingest::{Gathering, Ingest},
    memory::Memory,
};
use std::time::Duration;
use suyuan_sync::{
    bugs::{self, Bug},
    wire::FrameFault,
};
use tokio::task::JoinHandle;
use units::read::Reading;
use world::Source;

/// What the calls of devices work with.
pub struct Handheld {
    /// Makes and reads anchors.
    pub anchors: Anchors,
    /// Signs receipts and lists.
    pub keys: ListKeys,
    /// Makes recall lists.
    pub lists: RecallLists,
    /// Makes snapshots.
    pub snapshots: Snapshots,
    /// Admits pushes.
    pub ingest: Ingest,
    /// What pushes on their way may take.
    pub memory: Memory,
    /// Folds for people who look.
    pub reading: Reading,
}

impl Handheld {
    /// Opens keys, starts admitting.
    pub async fn open(
        settings: &config::Handheld,
        db: &Db,
        log: &Log,
        sealer: &Sealer,
        clock: &Clock,
    ) -> Result<(Handheld, JoinHandle<()>), KeyError> {
        let anchors = Anchors::new(sealer, log.installation());
        let engine = Engine::new(
            db.clone(),
            log.clone(),
            anchors.clone(),
            Source::new(sealer.clone()),
        );
        if bugs::on(Bug::ParkedForgotten) {
            push::store::forget_waiting(db.writer()).await?;
        }
        let gathering = Gathering {
            wait: Duration::from_millis(settings.gather_ms),
            events: settings.gather_events,
            waiting: settings.waiting,
        };
        let (ingest, task) = Ingest::start(engine, gathering);
        let keys = ListKeys::open(db, sealer, clock.now()).await?;
        let handheld = Handheld {
            lists: RecallLists::new(db, clock, sealer, &keys),
            snapshots: Snapshots::default(),
            keys,
            anchors,
            ingest,
            memory: Memory::default(),
            reading: Reading::new(sealer.clone()),
        };
        Ok((handheld, task))
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
