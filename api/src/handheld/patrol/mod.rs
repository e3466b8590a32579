//! The patrol (巡检): in quiet times it goes over all units, page by page and for ever, folds each again as
//! [`replay`](super::replay) would and holds it against what is kept, and against what consumers are told. It
//! reads beside the acts that go on and takes the head of the log only if something is not as it should be:
//! then it sets that right, says so in the log, and raises `suyuan_patrol_mended_total`, for somebody to find
//! out why.
//!
//! It finds what folding in steps missed. It goes by which events the tables say are about a unit: that those
//! are right, the columns that repeat what a row says, lines of goods, and findings about events themselves
//! only `suyuan admin verify-state` tells, which reads the whole log.

mod mend;
mod store;

use super::{
    push::{PushError, ingest::Ingest},
    replay::{Difference, compare},
    units::{
        facts::Reader,
        folding::{FACTS_MAX, Folding, look::Held},
        refold,
    },
    world::{Source, WorldError},
};
use crate::{
    clock::{Clock, Micros},
    db::Db,
    log,
    projection::units::{PublicUnit, UnitStatus, shown_statuses, unit_status},
    sealing::Sealer,
};
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DbErr};
use std::{collections::BTreeMap, time::Duration};
use store::{Next, Progress, next, note, progress};
use suyuan_sync::unit::UnitKey;
use tokio::runtime::Handle;

/// Between two pages.
const BETWEEN: Duration = Duration::from_secs(1);
/// Between two rounds, in microseconds: of few units it would begin anew all the time.
const REST: Micros = 3_600_000_000;
/// Units of a page at most.
pub const PAGE_MAX: u16 = 1_000;

/// Goes on until it is dropped, so many units a second; none: not at all.
pub async fn for_ever(
    (db, sealer): (Db, Sealer),
    ingest: Ingest,
    clock: Clock,
    units_a_second: u16,
) {
    if units_a_second == 0 {
        return;
    }
    let whole = usize::from(units_a_second);
    let begin = || Patrol::new(db.clone(), sealer.clone(), ingest.clone());
    let (mut patrol, mut most) = (begin(), whole);
    loop {
        tokio::time::sleep(BETWEEN).await;
        // Folding may take long where much is known of a unit, and nobody waits for this.
        let (now, runtime) = (clock.now(), Handle::current());
        let step = tokio::task::spawn_blocking(move || {
            let step = runtime.block_on(patrol.step(most, now));
            (patrol, step)
        });
        let (again, step) = step
            .await
            .unwrap_or_else(|_| (begin(), Err(PushError::Broken)));
        patrol = again;
        most = match step {
            Ok(_) => whole,
            Err(error) if error.is_of_the_push() && most == 1 => {
                tracing::error!(%error, "the patrol passes by a unit that cannot be folded");
                if let Err(error) = patrol.pass(now).await {
                    tracing::warn!(%error, "the patrol does not get on");
                }
                whole
            }
            Err(error) => {
                tracing::warn!(%error, "the patrol does not get on");
                (most / 2).max(1)
            }
        };
    }
}

/// What a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something waits to be worked in, or the next round has time.
    Rests,
    /// So many units were looked at, and of so many something was set right.
    Looked {
        /// How many.
        units: usize,
        /// Of these.
        mended: usize,
    },
}

/// Who goes over the units.
pub struct Patrol {
    db: Db,
    ingest: Ingest,
    source: Source,
    reader: Reader,
}

impl Patrol {
    /// Ready to look.
    pub fn new(db: Db, sealer: Sealer, ingest: Ingest) -> Patrol {
        Patrol {
            db,
            ingest,
            source: Source::new(sealer),
            reader: Reader::default(),
        }
    }

    /// Looks at the next units, at most so many, and sets right what is kept of them otherwise.
    pub async fn step(&mut self, most: usize, now: Micros) -> Result<Step, PushError> {
        let tx = self.db.begin_reading().await?;
        let from = progress(&tx).await?;
        let (head, _) = log::head_in(&tx).await?;
        if now < from.not_before || !refold::store::is_quiet(&tx, head).await? {
            return Ok(Step::Rests);
        }
        let found = next(&tx, from.after, most).await?;
        let mut facts = 0;
        let fits = found.iter().take_while(|unit| {
            facts += unit.facts;
            facts <= FACTS_MAX
        });
        let fits = fits.count().max(1).min(found.len());
        let keys = found.iter().take(fits).map(|unit| unit.key.clone());
        let keys: Vec<UnitKey> = keys.collect();
        self.source.refresh(&tx, head).await?;
        let parts = (&mut self.source, &mut self.reader);
        let looked = look(&tx, parts, &keys, &Shown::AskedFor).await?;
        tx.commit().await?;
        let mended = self.mend(looked).await?;
        metrics::counter!("suyuan_patrol_units_total").increment(keys.len() as u64);
        let is_last = fits == found.len() && found.len() < most;
        let last = found.get(fits.saturating_sub(1)).filter(|_| !is_last);
        note(self.db.writer(), onward(last, now)).await?;
        Ok(Step::Looked {
            units: keys.len(),
            mended,
        })
    }

    /// Goes on after the next unit without looking at it.
    async fn pass(&self, now: Micros) -> Result<(), PushError> {
        let from = progress(self.db.reader()).await?;
        let next = next(self.db.reader(), from.after, 1).await?;
        Ok(note(self.db.writer(), onward(next.first(), now)).await?)
    }

    /// Sets right what is kept otherwise than it should be, if it still is.
    async fn mend(&self, looked: BTreeMap<UnitKey, Looked>) -> Result<usize, PushError> {
        let keys: Vec<UnitKey> = looked.into_keys().collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let mended = self
            .ingest
            .with_engine(move |engine| async move { mend::mend(engine, &keys).await }.boxed())
            .await
            .flatten()?;
        for difference in mended.values().flat_map(|looked| &looked.differences) {
            tracing::error!(%difference, "kept otherwise than the log says: set right");
        }
        metrics::counter!("suyuan_patrol_mended_total").increment(mended.len() as u64);
        Ok(mended.len())
    }
}

/// Where the patrol goes on after a unit; after the last, from the first one on, later.
fn onward(after: Option<&Next>, now: Micros) -> Progress {
    after.map_or(
        Progress {
            after: 0,
            not_before: now.saturating_add(REST),
        },
        |unit| Progress {
            after: unit.id,
            not_before: 0,
        },
    )
}

/// What is kept otherwise of a unit.
pub struct Looked {
    /// How.
    pub differences: Vec<Difference>,
    /// What the public side should be told.
    pub public: (PublicUnit, UnitStatus),
}

/// Looks at all units there are, and only looks: what is kept otherwise.
pub async fn look_at_all(db: &Db, sealer: &Sealer) -> Result<Vec<Difference>, WorldError> {
    let tx = db.begin_reading().await?;
    let (head, _) = log::head_in(&tx).await?;
    let mut source = Source::new(sealer.clone());
    source.refresh(&tx, head).await?;
    let shown = Shown::Read(shown_statuses(&tx).await?);
    let (mut reader, mut after, mut out) = (Reader::default(), 0, Vec::new());
    loop {
        let page = next(&tx, after, usize::from(PAGE_MAX)).await?;
        let Some(last) = page.last() else {
            tx.commit().await?;
            return Ok(out);
        };
        after = last.id;
        let keys: Vec<UnitKey> = page.into_iter().map(|unit| unit.key).collect();
        let looked = look(&tx, (&mut source, &mut reader), &keys, &shown).await?;
        out.extend(looked.into_values().flat_map(|looked| looked.differences));
    }
}

/// Where to learn what the public side is told of units.
enum Shown {
    /// Of each it is asked for.
    AskedFor,
    /// All that is told was read.
    Read(BTreeMap<PublicUnit, UnitStatus>),
}

impl Shown {
    async fn of(
        &self,
        conn: &impl ConnectionTrait,
        unit: &PublicUnit,
    ) -> Result<UnitStatus, DbErr> {
        match self {
            Shown::AskedFor => unit_status(conn, unit).await,
            Shown::Read(shown) => Ok(shown.get(unit).cloned().unwrap_or_default()),
        }
    }
}

/// Of these units those of which something else is kept than the log gives.
async fn look(
    conn: &impl ConnectionTrait,
    (source, reader): (&mut Source, &mut Reader),
    keys: &[UnitKey],
    shown: &Shown,
) -> Result<BTreeMap<UnitKey, Looked>, WorldError> {
    let (held, folded) = Folding::held_against(source, reader, conn, keys).await?;
    let mut out = BTreeMap::new();
    for unit in held {
        let Held {
            key,
            kept,
            inside,
            exceptional,
            holds,
            public,
        } = unit;
        let Some(again) = folded.get(&key) else {
            continue;
        };
        let row = compare::Row {
            key: &key,
            kept: &kept,
            inside: inside.as_ref().map(Option::as_ref),
            exceptional,
        };
        let container = again.state.inside.as_ref().and_then(|key| folded.get(key));
        let mut differences = Vec::new();
        compare::unit(&row, again, container, &mut differences);
        compare::holds(&key, &kept.holds, &holds, &mut differences);
        let told = shown.of(conn, &public.0).await?;
        if told != public.1 {
            let what = format!("what is told of {key}");
            compare::differ(&mut differences, what, &told, &public.1);
        }
        if !differences.is_empty() {
            let (name, status) = public;
            let public = (name, status.instead_of(told.holds.into_keys()));
            let looked = Looked {
                differences,
                public,
            };
            out.insert(key, looked);
        }
    }
    Ok(out)
}
