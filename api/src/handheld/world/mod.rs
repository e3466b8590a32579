//! The master data folds read, held in memory and kept up to date from the log: places, products,
//! batches, what codes were commissioned and voided, decisions. Whoever folds under the lock of the
//! head refreshes it there, so it is exactly as of the position before.
//!
//! It decides nothing; it puts a [`World`] together.

mod codes;
mod store;

pub use codes::{CodeOf, Codes};

use crate::{
    handheld::decisions::periods,
    log::{self, Position},
    sealing::Sealer,
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use store::Part;
use suyuan_sync::{
    facts::World,
    ids::{BatchId, Gseq, Micros},
    unit::UnitKey,
};
use thiserror::Error;
use uuid::Uuid;

/// Why master data cannot be read.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The database's word.
    #[error("master data")]
    Db(#[from] DbErr),
    /// A key of a code space does not open.
    #[error("issue key")]
    Key(#[from] crate::sealing::SealError),
    /// A stored value cannot be read.
    #[error("stored value {0}")]
    Stored(String),
}

/// Master data as of a position.
pub struct Source {
    /// Everything in the log up to here is in it; −1 before the first reading.
    position: Position,
    world: World,
    codes: Codes,
    /// Places at which something was counted.
    counted: BTreeSet<Uuid>,
    counted_to: Position,
    /// The newest entry of the log that is not an event: there may be something to pull.
    news: Position,
    /// Was anything ever recalled?
    recalls: bool,
    /// Closed periods by enterprise and end, each with the position it was closed at.
    periods: BTreeMap<Uuid, BTreeMap<Micros, Position>>,
}

impl Source {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Source {
        Source {
            position: -1,
            world: World::default(),
            codes: Codes::new(sealer),
            counted: BTreeSet::new(),
            counted_to: 0,
            news: 0,
            recalls: false,
            periods: BTreeMap::new(),
        }
    }

    /// Reads what changed up to `head`, which must not move meanwhile: the log is locked, or whoever
    /// asks takes what there is.
    pub async fn refresh(
        &mut self,
        conn: &impl ConnectionTrait,
        head: Position,
    ) -> Result<(), WorldError> {
        if head == self.position {
            return Ok(());
        }
        let known = self.position;
        let (changed, newest) = store::changes(conn, known).await?;
        self.news = self.news.max(newest);
        for part in changed {
            match part {
                Part::Registry => store::registry(conn, &mut self.world).await?,
                Part::Devices => self.world.devices = store::devices(conn).await?,
                Part::Decisions => {
                    store::decisions(conn, &mut self.world).await?;
                    self.periods = periods(conn).await?;
                }
                Part::Codes => self.codes.forget(),
                Part::Recalls => self.recalls = store::any_recall(conn).await?,
            }
        }
        for place in store::counted(conn, self.counted_to).await? {
            self.counted.insert(place);
        }
        self.counted_to = head;
        self.position = head;
        Ok(())
    }

    /// Its world: what all folds share. Units, contents, recalls and instants are put in for the
    /// fold at hand, by [`Source::about`] and whoever folds.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The same, to put in what the fold at hand needs.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Was anything ever counted at this place?
    pub fn is_counted(&self, place: Uuid) -> bool {
        self.counted.contains(&place)
    }

    /// Something is about to be counted there.
    pub fn note_counted(&mut self, place: Uuid) {
        self.counted.insert(place);
    }

    /// The closed period of an enterprise that an instant belongs to: the position it was closed at.
    pub fn period_of(&self, enterprise: Uuid, at: Micros) -> Option<Position> {
        let mut later = self.periods.get(&enterprise)?.range(at..);
        later.next().map(|(_, closed)| *closed)
    }

    /// The newest entry that is not an event.
    pub fn news(&self) -> Position {
        self.news
    }

    /// What each code is to us.
    pub async fn code(
        &mut self,
        conn: &impl ConnectionTrait,
        unit: &UnitKey,
    ) -> Result<Option<CodeOf>, WorldError> {
        self.codes.of(conn, unit).await
    }

    /// Puts in what is on record of these units, and of the recalls that cover them or `batches`.
    pub async fn about(
        &mut self,
        conn: &impl ConnectionTrait,
        units: &BTreeMap<UnitKey, Option<CodeOf>>,
        batches: &BTreeSet<BatchId>,
    ) -> Result<(), WorldError> {
        // A code nobody here issued is its product's owner's, if the product is on record.
        let info =
            |(key, code): (&UnitKey, &Option<CodeOf>)| Some((key.clone(), code.as_ref()?.info()));
        self.world.units = units.iter().filter_map(info).collect();
        self.world.recalls = if self.recalls {
            store::recalls(conn, units, batches).await?
        } else {
            Vec::new()
        };
        Ok(())
    }

    /// Puts in until when these positions were the newest: when the next one was committed, an entry
    /// of the log or an event; nothing while none followed. Whoever knew the log up to there knew all
    /// of it until then, so a list of that position is as old as that, however long nothing happened
    /// before.
    pub async fn instants(
        &mut self,
        conn: &impl ConnectionTrait,
        positions: BTreeSet<Gseq>,
    ) -> Result<(), WorldError> {
        // Positions have no holes.
        let next = |position: Gseq| position.saturating_add(1);
        let following = positions.iter().map(|position| next(*position)).collect();
        let following = log::instants(conn, &following).await?;
        let known = |position| Some((position, *following.get(&next(position))?));
        self.world.instants = positions.into_iter().filter_map(known).collect();
        Ok(())
    }
}
