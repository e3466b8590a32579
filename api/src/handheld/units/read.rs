//! Units as people read them: folded on a snapshot of the database, with master data as of that
//! moment. It writes nothing, and knows nobody's rights.
//!
//! Master data is kept between reads and brought up to date by whoever comes first; each reader goes
//! on with a clone of its own, so nobody waits while another one folds.

use super::{
    facts::Reader,
    folding::{Folding, look::Looked},
    store::NOW,
};
use crate::{
    clock::Micros,
    db::Db,
    handheld::{
        turns::{Turn, Turns},
        world::{CodeOf, Source, WorldError},
    },
    log::{self, Position},
    resolver::decide::Standing,
    sealing::Sealer,
};
use sea_orm::{DatabaseTransaction, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::{
        Event,
        required::{self, Profile},
    },
    facts::World,
    fold::{self, UnitState},
    ids::{BatchId, EnterpriseId, RecallId},
    unit::UnitKey,
};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// Reads that go through very many units, at the same time: each holds a connection for seconds.
const HEAVY: usize = 2;
/// Reads of single units about which there is very much to read, at the same time, each of another enterprise.
const LONG: usize = 2;

/// Master data for reads.
pub struct Reading {
    source: Mutex<Source>,
    reader: Reader,
    heavy: Arc<Semaphore>,
    long: Turns,
}

/// A share in what few may have at a time, until it is dropped.
enum Share {
    Heavy(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
    Long(#[expect(dead_code, reason = "held")] Turn),
}

/// A snapshot of everything, and what folds need on it.
pub struct Snapshot {
    source: Source,
    reader: Reader,
    tx: DatabaseTransaction,
    /// The position it is as of.
    pub position: Position,
    /// When that was committed.
    pub stamp: Micros,
    _share: Option<Share>,
}

impl Reading {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Reading {
        Reading {
            source: Mutex::new(Source::new(sealer)),
            reader: Reader::default(),
            heavy: Arc::new(Semaphore::new(HEAVY)),
            long: Turns::new(LONG),
        }
    }

    /// Begins a read.
    pub async fn begin(&self, db: &Db) -> Result<Snapshot, WorldError> {
        self.snapshot(db, None).await
    }

    /// Begins a read that goes through very many units. Few do so at a time, so that connections are
    /// left for everybody else; the others wait for them.
    pub async fn begin_heavy(&self, db: &Db) -> Result<Snapshot, WorldError> {
        // It is never closed; without a permit there is nothing to wait for.
        let permit = self.heavy.clone().acquire_owned().await.ok();
        self.snapshot(db, permit.map(Share::Heavy)).await
    }

    /// Begins a read of a unit about which there is very much to read. An enterprise reads one such unit at
    /// a time, and waits for no more than one of another's.
    pub async fn begin_long(&self, db: &Db, enterprise: Uuid) -> Result<Snapshot, WorldError> {
        let turn = self.long.next(enterprise).await;
        self.snapshot(db, turn.map(Share::Long)).await
    }

    async fn snapshot(&self, db: &Db, share: Option<Share>) -> Result<Snapshot, WorldError> {
        let (source, tx, head) = {
            // First the turn, then the connection: were it the other way round, all connections could be held
            // by such as wait for their turn.
            let mut source = db.in_turn(self.source.lock()).await?;
            let (tx, head) = moment(db).await?;
            source.refresh(&tx, head.0).await?;
            (source.clone(), tx, head)
        };
        Ok(Snapshot {
            source,
            reader: self.reader.clone(),
            tx,
            position: head.0,
            stamp: head.1,
            _share: share,
        })
    }
}

/// One moment of the database, and which it is.
async fn moment(db: &Db) -> Result<(DatabaseTransaction, (Position, Micros)), DbErr> {
    let tx = db.begin_reading().await?;
    let head = log::head_in(&tx).await?;
    Ok((tx, head))
}

impl Snapshot {
    /// To read more of the same moment.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// What is on record: of places, products and batches.
    pub fn world(&self) -> &World {
        self.source.world()
    }

    /// What became of a unit as it was known at a position; now, with
    /// [`NOW`].
    pub async fn unit(&mut self, key: &UnitKey, upto: Position) -> Result<Looked, WorldError> {
        let mut then = self.as_known(upto).await?;
        let source = then.as_mut().unwrap_or(&mut self.source);
        Folding::look(source, &mut self.reader, &self.tx, key, upto).await
    }

    /// The same, if that is no more to read than an act may, with all the unit was ever packed into.
    pub async fn unit_if_short(
        &mut self,
        key: &UnitKey,
        upto: Position,
    ) -> Result<Option<Looked>, WorldError> {
        let mut then = self.as_known(upto).await?;
        let source = then.as_mut().unwrap_or(&mut self.source);
        Folding::look_if_short(source, &mut self.reader, &self.tx, key, upto).await
    }

    /// Master data as known at a position; none for now, which the snapshot has.
    async fn as_known(&self, upto: Position) -> Result<Option<Source>, WorldError> {
        Ok(match upto {
            NOW => None,
            upto => Some(self.source.as_known(&self.tx, upto).await?),
        })
    }

    /// What became of units, now; of the containers they were in, too.
    pub async fn states(
        &mut self,
        keys: &[UnitKey],
    ) -> Result<BTreeMap<UnitKey, UnitState>, WorldError> {
        Folding::states(&mut self.source, &mut self.reader, &self.tx, keys).await
    }

    /// Who issued a unit: of a code that nobody here issued, whose product it is, if that is on record.
    pub async fn issuer(&mut self, key: &UnitKey) -> Result<Option<EnterpriseId>, WorldError> {
        if let Some(code) = self.code(key).await? {
            return Ok(Some(EnterpriseId(code.issuer)));
        }
        let products = &self.world().products;
        Ok(key.gtin().and_then(|gtin| products.get(gtin)).copied())
    }

    /// The recalls that cover units now, each in the batch that is given with it: what is kept of a unit
    /// names them as of when it was last folded.
    pub async fn recalls(
        &mut self,
        units: &BTreeMap<UnitKey, Option<BatchId>>,
    ) -> Result<BTreeMap<UnitKey, BTreeSet<RecallId>>, WorldError> {
        let mut codes = BTreeMap::new();
        for unit in units.keys() {
            codes.insert(unit.clone(), self.code(unit).await?);
        }
        let batches = units.values().flatten().copied().collect();
        self.source.about(&self.tx, &codes, &batches).await?;
        let of = |(unit, batch): (&UnitKey, &Option<BatchId>)| {
            (
                unit.clone(),
                fold::recalls_of(self.source.world(), unit, *batch),
            )
        };
        Ok(units.iter().map(of).collect())
    }

    /// How codes stand on record, of those in whose space somebody here issues codes.
    pub async fn standing(
        &mut self,
        keys: &BTreeSet<UnitKey>,
    ) -> Result<BTreeMap<UnitKey, Standing>, WorldError> {
        self.source.standing(&self.tx, keys).await
    }

    /// The profiles that the goods of an enterprise's event fall under, as far as they are on record.
    pub async fn profiles(
        &mut self,
        stater: EnterpriseId,
        event: &Event,
    ) -> Result<BTreeSet<Profile>, WorldError> {
        let mut codes = BTreeMap::new();
        for unit in event.units.iter().filter_map(|read| read.unit.as_ref()) {
            codes.insert(unit.clone(), self.code(unit).await?);
        }
        self.source
            .about(&self.tx, &codes, &BTreeSet::new())
            .await?;
        Ok(required::profiles(event, stater, self.source.world()))
    }

    /// What a code is to us.
    pub async fn code(&mut self, key: &UnitKey) -> Result<Option<CodeOf>, WorldError> {
        self.source.code(&self.tx, key).await
    }
}
