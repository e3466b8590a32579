//! Units as people read them: folded on a snapshot of the database, with master data that is kept
//! between reads. It writes nothing, and knows nobody's rights.

use super::{
    facts::Reader,
    folding::{Folding, look::Looked},
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::world::{CodeOf, Source, WorldError},
    log::{self, Position},
    sealing::Sealer,
};
use sea_orm::DatabaseTransaction;
use std::collections::BTreeMap;
use suyuan_sync::{facts::World, fold::UnitState, unit::UnitKey};
use tokio::sync::{Mutex, MutexGuard};

/// Master data for reads; one reader at a time folds.
pub struct Reading(Mutex<(Source, Reader)>);

/// A snapshot of everything, and what folds need on it.
pub struct Snapshot<'a> {
    kept: MutexGuard<'a, (Source, Reader)>,
    tx: DatabaseTransaction,
    /// The position it is as of.
    pub position: Position,
    /// When that was committed.
    pub stamp: Micros,
}

impl Reading {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Reading {
        Reading(Mutex::new((Source::new(sealer), Reader::default())))
    }

    /// Begins a read. The snapshot is taken while nobody else folds, so that master data never
    /// stands ahead of it.
    pub async fn begin(&self, db: &Db) -> Result<Snapshot<'_>, WorldError> {
        let mut kept = self.0.lock().await;
        let tx = db.begin_reading().await?;
        let (position, stamp) = log::head_in(&tx).await?;
        kept.0.refresh(&tx, position).await?;
        Ok(Snapshot {
            kept,
            tx,
            position,
            stamp,
        })
    }
}

impl Snapshot<'_> {
    /// To read more of the same moment.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// What is on record: of places, products and batches.
    pub fn world(&self) -> &World {
        self.kept.0.world()
    }

    /// What became of a unit as it was known at a position; now, with
    /// [`super::store::NOW`].
    pub async fn unit(&mut self, key: &UnitKey, upto: Position) -> Result<Looked, WorldError> {
        let (source, reader) = &mut *self.kept;
        Folding::look(source, reader, &self.tx, key, upto).await
    }

    /// What became of units, now; of the containers they were in, too.
    pub async fn states(
        &mut self,
        keys: &[UnitKey],
    ) -> Result<BTreeMap<UnitKey, UnitState>, WorldError> {
        let (source, reader) = &mut *self.kept;
        Folding::states(source, reader, &self.tx, keys).await
    }

    /// What a code is to us.
    pub async fn code(&mut self, key: &UnitKey) -> Result<Option<CodeOf>, WorldError> {
        self.kept.0.code(&self.tx, key).await
    }
}
