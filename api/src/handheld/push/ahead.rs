//! What an act needs to know is read before its turn, on a snapshot, while the act before it runs; under
//! the head only what changed since is read anew. What may have changed is known exactly: positions
//! have no holes, so either nothing happened since, or nothing but one act of this engine, which
//! remembers what it touched ([`Touched`]). After anything else nothing of it counts.
//!
//! It decides nothing about pushes, and knows no queue.

use super::{
    act::Incoming,
    store::{self, Known},
};
use crate::{
    db::Db,
    handheld::units::{self, facts::Reader},
    log::{self, Position},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use suyuan_sync::{
    admission::Batch,
    ids::{DeviceId, Epoch, EventId},
    unit::UnitKey,
};
use tokio::runtime::Handle;

/// What was read for some pushes.
pub struct Ahead {
    /// The position it is as of.
    pub seen: Position,
    /// What is held of each push's device, in their order.
    pub known: Vec<Known>,
    /// What is kept of the units they name.
    pub units: units::ahead::Ahead,
}

impl Ahead {
    /// Reads it.
    pub async fn read(db: &Db, reader: &mut Reader, pushes: &[Incoming]) -> Result<Ahead, DbErr> {
        let tx = db.begin_reading().await?;
        let (seen, _) = log::head_in(&tx).await?;
        let known = held(&tx, pushes).await?;
        let named = named(pushes, &known);
        let units = units::ahead::Ahead::read(&tx, reader, named).await?;
        tx.rollback().await?;
        Ok(Ahead { seen, known, units })
    }
}

/// What is held of the devices of these pushes.
pub async fn held(conn: &impl ConnectionTrait, pushes: &[Incoming]) -> Result<Vec<Known>, DbErr> {
    let batches: Vec<&Batch> = pushes.iter().map(|push| &push.batch).collect();
    store::known(conn, &batches).await
}

/// The units that new events name. Those of a revoked device count for nothing yet.
fn named(pushes: &[Incoming], known: &[Known]) -> BTreeSet<UnitKey> {
    let of = pushes.iter().zip(known);
    let of = of.filter(|(_, known)| !known.chain.revoked);
    let new = of.flat_map(|(push, known)| {
        let events = push.batch.events.iter();
        events.filter(|event| !known.told.contains_key(&event.hash))
    });
    let events = new.filter_map(|event| event.read.event());
    let named = events.flat_map(|event| event.units.iter().chain(&event.parent));
    named.filter_map(|read| read.unit.clone()).collect()
}

/// After so many acts in a row for which it was useless to read ahead…
const USELESS: usize = 3;
/// …it is tried for one in so many.
const TRIED: usize = 8;

/// Reads ahead on a thread of its own, beside the act that runs. Where others write, too, what is read ahead is
/// mostly out of date when its turn comes, and only costs: then it is tried seldom.
#[derive(Clone)]
pub struct Scout {
    db: Db,
    reader: Reader,
    /// Acts in a row for which it was useless, or not tried.
    useless: Arc<AtomicUsize>,
}

impl Scout {
    /// It remembers what `reader` remembers.
    pub fn new(db: Db, reader: Reader) -> Scout {
        Scout {
            db,
            reader,
            useless: Arc::default(),
        }
    }

    /// Reads for these pushes. Where that fails there is nothing, and the act reads for itself and says why
    /// it cannot.
    pub async fn read(&self, pushes: &Arc<Vec<Incoming>>) -> Option<Ahead> {
        if !is_worth_a_try(self.useless.load(Ordering::Relaxed)) {
            self.useless.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let (mut scout, pushes, runtime) = (self.clone(), pushes.clone(), Handle::current());
        let read = tokio::task::spawn_blocking(move || {
            runtime.block_on(Ahead::read(&scout.db, &mut scout.reader, &pushes))
        });
        match read.await {
            Ok(Ok(ahead)) => Some(ahead),
            Ok(Err(error)) => {
                tracing::debug!(%error, "nothing was read ahead");
                None
            }
            Err(error) => {
                if error.is_panic() {
                    tracing::error!("what is read ahead panicked");
                }
                None
            }
        }
    }

    /// What became of what it read for an act.
    pub fn was_worth_it(&self, worth: bool) {
        if worth {
            self.useless.store(0, Ordering::Relaxed);
        } else {
            self.useless.fetch_add(1, Ordering::Relaxed);
        }
        metrics::counter!("suyuan_read_ahead_total", "stood" => if worth { "yes" } else { "no" })
            .increment(1);
    }
}

/// Is it tried again after so many acts in a row for which it was useless, or not tried?
const fn is_worth_a_try(useless: usize) -> bool {
    useless < USELESS || useless.is_multiple_of(TRIED)
}

/// What the last act of this engine touched.
pub struct Touched {
    /// The positions it wrote at: the last before them, and the last of them.
    pub positions: (Position, Position),
    /// Device epochs whose events it took.
    pub devices: HashSet<(DeviceId, Epoch)>,
    /// Ids of these events.
    pub ids: HashSet<EventId>,
    /// Units it read: it wrote no others.
    pub units: BTreeSet<UnitKey>,
}

/// What happened between a reading and the act it was for.
pub enum Since<'t> {
    /// Nothing.
    Nothing,
    /// One act, which touched this.
    One(&'t Touched),
    /// Nobody knows.
    Anything,
}

impl<'t> Since<'t> {
    /// What happened after one position up to another, given what the last act touched if that is known.
    pub fn of(touched: Option<&'t Touched>, after: Position, upto: Position) -> Since<'t> {
        match touched {
            _ if after == upto => Since::Nothing,
            Some(touched) if touched.positions == (after, upto) => Since::One(touched),
            _ => Since::Anything,
        }
    }
}

impl Touched {
    /// May it have changed what is held of the devices of these pushes, or which ids are taken?
    pub fn concerns(&self, pushes: &[Incoming]) -> bool {
        pushes.iter().any(|push| {
            let batch = &push.batch;
            let mut ids = batch.events.iter().filter_map(|event| event.read.id());
            self.devices.contains(&(batch.device, batch.epoch))
                || ids.any(|id| self.ids.contains(&id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handheld::push::weigh::tests::push;
    use uuid::Uuid;

    fn touched(device: u128, ids: &[u128]) -> Touched {
        Touched {
            positions: (10, 14),
            devices: HashSet::from([(DeviceId(Uuid::from_u128(device)), 1)]),
            ids: ids.iter().map(|id| EventId(Uuid::from_u128(*id))).collect(),
            units: BTreeSet::new(),
        }
    }

    #[test]
    fn it_is_known_what_happened_only_after_nothing_or_one_act_of_ones_own() {
        let one = touched(1, &[]);
        let since = |after, upto| Since::of(Some(&one), after, upto);
        assert!(matches!(since(14, 14), Since::Nothing));
        assert!(matches!(since(10, 14), Since::One(_)));
        // Two acts, an act of somebody else, an act that is not whole.
        for (after, upto) in [(9, 14), (10, 15), (14, 15), (11, 14), (10, 13)] {
            assert!(
                matches!(since(after, upto), Since::Anything),
                "{after} {upto}"
            );
        }
        assert!(matches!(Since::of(None, 10, 14), Since::Anything));
        assert!(matches!(Since::of(None, 14, 14), Since::Nothing));
    }

    #[test]
    fn what_was_useless_is_tried_seldom_and_never_given_up() {
        let tried: Vec<usize> = (0..30).filter(|n| is_worth_a_try(*n)).collect();
        assert_eq!(tried, [0, 1, 2, 8, 16, 24]);
    }

    #[test]
    fn an_act_of_the_same_device_or_with_the_same_id_concerns_a_push() {
        // A push of the device 0 with the ids 0 and 1.
        let pushes = [push(&[(1, None), (1, None)])];
        assert!(touched(0, &[]).concerns(&pushes));
        assert!(touched(1, &[1]).concerns(&pushes));
        assert!(!touched(1, &[2]).concerns(&pushes));
    }
}
