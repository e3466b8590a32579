//! What nobody asks for and somebody must do: forces gaps and releases groups that were waited for
//! long enough, and takes in the events that the program can read, or fold, by now. It only looks;
//! each act decides again under the lock. What fails in it rests and stops nothing else; only a
//! house that cannot work at all ends a round.

use super::{
    AsideError, acts,
    store::{self, AsideRow},
    wire::AdmittedOut,
};
use crate::{
    clock::Clock,
    config,
    db::Db,
    handheld::{failing::Failing, push::ingest::Ingest},
    log::{Actor, IdempotencyKey},
};
use futures_util::FutureExt;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use suyuan_sync::{
    admission::due,
    ids::{Epoch, GroupId, Micros, Seq},
};
use uuid::Uuid;

/// Rows looked at in one go.
const PAGE: i64 = 100;
/// Between two looks at what stands aside for a program that knows more. An older program may still
/// run beside this one and go on setting events aside.
const LOOK: Duration = Duration::from_hours(1);

/// Tends for ever.
pub async fn for_ever(settings: config::Handheld, db: Db, clock: Clock, ingest: Ingest) {
    let mut looked: Option<Instant> = None;
    let mut tending = Tending::new(&db, &ingest);
    loop {
        if looked.is_none_or(|at| at.elapsed() > LOOK) {
            looked = Some(Instant::now());
            match known_kinds(&db, &ingest).await {
                Ok(0) => {}
                Ok(taken) => {
                    tracing::info!(taken, "events that are known by now were admitted");
                }
                Err(error) => {
                    if error.is_of_the_house() {
                        looked = None;
                    }
                    tracing::warn!(%error, "not every event that stands aside was taken in");
                }
            }
        }
        let due = due(clock.now(), settings.parking_s);
        for (what, done) in [
            ("gaps", tending.gaps(due).await),
            ("groups", tending.groups(due).await),
        ] {
            if let Err(error) = done {
                tracing::warn!(%error, what, "not all that waits was tended");
            }
        }
        tokio::time::sleep(Duration::from_millis(settings.tend_ms)).await;
    }
}

/// Takes in what waits since an older program could not read it (T7), or this one could not fold it,
/// page by page. What fails is passed over; the first failure is told at the end.
pub async fn known_kinds(db: &Db, ingest: &Ingest) -> Result<usize, AsideError> {
    let (mut after, mut taken, mut first) = (0, 0, None);
    loop {
        let rows = store::unknown_kinds(db.reader(), after, PAGE).await?;
        let Some(last) = rows.last() else {
            return first.map_or(Ok(taken), Err);
        };
        after = last.gseq;
        let mut by_device: BTreeMap<(Uuid, Epoch), Vec<AsideRow>> = BTreeMap::new();
        for row in rows {
            by_device
                .entry((row.device, row.epoch))
                .or_default()
                .push(row);
        }
        for rows in by_device.into_values() {
            match known(ingest, rows.clone()).await {
                Ok(count) => taken += count,
                Err(error) if error.is_of_the_house() => return Err(error),
                // One of them is at fault: each alone.
                Err(_) => {
                    for row in rows {
                        let gseq = row.gseq;
                        match known(ingest, vec![row]).await {
                            Ok(count) => taken += count,
                            Err(error) if error.is_of_the_house() => return Err(error),
                            Err(error) => {
                                tracing::error!(%error, gseq, "an event stays aside");
                                failed("aside");
                                first.get_or_insert(error);
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn known(ingest: &Ingest, rows: Vec<AsideRow>) -> Result<usize, AsideError> {
    ingest
        .with_engine(move |engine| {
            async move { acts::admit_known_kinds(engine, &rows).await }.boxed()
        })
        .await
        .map_err(AsideError::Push)?
}

/// Forces the gaps that were waited for since `due` (T4).
pub async fn gaps(db: &Db, ingest: &Ingest, due: i64) -> Result<(), AsideError> {
    Tending::new(db, ingest).gaps(due).await
}

/// Releases the groups that were waited for since `due` (T8).
pub async fn groups(db: &Db, ingest: &Ingest, due: i64) -> Result<(), AsideError> {
    Tending::new(db, ingest).groups(due).await
}

/// Round after round of gaps and groups, with what failed in earlier ones.
struct Tending<'a> {
    db: &'a Db,
    ingest: &'a Ingest,
    /// Since when gaps are missed, by their last number.
    missed: BTreeMap<(Uuid, Epoch), (Seq, Micros)>,
    gaps: Failing<(Uuid, Epoch)>,
    groups: Failing<(Uuid, Epoch, GroupId)>,
}

impl<'a> Tending<'a> {
    fn new(db: &'a Db, ingest: &'a Ingest) -> Tending<'a> {
        Tending {
            db,
            ingest,
            missed: BTreeMap::new(),
            gaps: Failing::default(),
            groups: Failing::default(),
        }
    }

    async fn gaps(&mut self, due: i64) -> Result<(), AsideError> {
        let mut first = None;
        let gapped = store::gapped(self.db.reader()).await?;
        self.gaps.retain(|key| {
            let still = |row: &(_, Uuid, Epoch, _)| (row.1, row.2) == *key;
            gapped.iter().any(still)
        });
        self.missed.retain(|key, _| {
            let still = |row: &(_, Uuid, Epoch, _)| (row.1, row.2) == *key;
            gapped.iter().any(still)
        });
        for (_, device, epoch, state) in gapped {
            let key = (device, epoch);
            let Some(gap) = state.extent.gap() else {
                continue;
            };
            if self.gaps.rests(&key, Instant::now()) {
                continue;
            }
            // Whatever comes in behind the same gap came later.
            let since = match self.missed.get(&key) {
                Some((last, since)) if *last == gap.last => Some(*since),
                _ => store::missed_since(self.db.reader(), device, epoch, gap.last).await?,
            };
            let Some(since) = since else {
                continue;
            };
            self.missed.insert(key, (gap.last, since));
            if since > due {
                continue;
            }
            let forced = self.ingest.with_engine(move |engine| {
                async move { acts::force_gap(engine, device, epoch, due).await }.boxed()
            });
            match forced.await.map_err(AsideError::Push).flatten() {
                Ok(_) => self.gaps.done(&key),
                Err(error) if error.is_of_the_house() => return Err(error),
                Err(error) => {
                    let times = self.gaps.failed(key, Instant::now());
                    tracing::error!(%error, %device, epoch, times, "a gap stays");
                    failed("gap");
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    async fn groups(&mut self, due: i64) -> Result<(), AsideError> {
        let mut first = None;
        // Those that rest must not fill the page for ever.
        let limit = PAGE + self.groups.len() as i64;
        let overdue = store::overdue_groups(self.db.reader(), due, limit).await?;
        self.groups.retain(|key| overdue.contains(key));
        for (device, epoch, group) in overdue {
            let key = (device, epoch, group);
            if self.groups.rests(&key, Instant::now()) {
                continue;
            }
            let released = self.ingest.with_engine(move |engine| {
                async move { acts::release_group(engine, device, epoch, group).await }.boxed()
            });
            match released.await.map_err(AsideError::Push).flatten() {
                Ok(()) => self.groups.done(&key),
                Err(error) if error.is_of_the_house() => return Err(error),
                Err(error) => {
                    let times = self.groups.failed(key, Instant::now());
                    tracing::error!(%error, %device, epoch, %group, times, "a group stays");
                    failed("group");
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

fn failed(what: &'static str) {
    metrics::counter!("suyuan_tend_failures_total", "what" => what).increment(1);
}

/// Takes an event in by somebody's decision.
pub async fn admit(
    ingest: &Ingest,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    (gseq, note): (i64, String),
) -> Result<AdmittedOut, AsideError> {
    ingest
        .with_engine(move |engine| {
            async move { acts::admit(engine, enterprise, actor, key, (gseq, &note)).await }.boxed()
        })
        .await
        .map_err(AsideError::Push)?
}
