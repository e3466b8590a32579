//! The master data folds read, held in memory and kept up to date from the log: places, products,
//! batches, who is on record as acting, what codes were commissioned and voided, decisions. Whoever folds under the lock of the
//! head refreshes it there, so it is exactly as of the position before.
//!
//! It decides nothing; it puts a [`World`] together.

mod changes_store;
mod codes;
mod filed_store;
mod registry_store;
pub mod store;

pub use codes::{CodeOf, Codes};

use crate::{
    handheld::decisions::{Periods, note_periods},
    log::{self, Position},
    resolver::decide::Standing,
    sealing::Sealer,
};
use changes_store::{Change, Changes};
use registry_store::SpacesOf;
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    facts::{Accepted, RecallSpan, Shared, ShiftClosed, StatedAt, Statement, World},
    ids::{BatchId, EnterpriseId, Gseq, LocationId, Micros},
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

/// Master data as of a position. A clone stays as it is while the other goes on, and costs next to
/// nothing: what neither changed is shared.
#[derive(Clone)]
pub struct Source {
    /// Everything in the log up to here is in it; −1 before the first reading.
    position: Position,
    world: World,
    codes: Codes,
    /// What batches call each product.
    named: Shared<BTreeMap<Uuid, Arc<str>>>,
    /// Places at which something was counted.
    counted: Shared<BTreeSet<Uuid>>,
    counted_to: Position,
    /// The newest entry of the log that is not an event: there may be something to pull.
    news: Position,
    /// Was anything ever recalled?
    recalls: bool,
    /// The batches that recalls ever covered.
    recalled: Shared<BTreeSet<BatchId>>,
    periods: Shared<Periods>,
}

impl Source {
    /// Nothing read yet.
    pub fn new(sealer: Sealer) -> Source {
        Source {
            position: -1,
            world: World::default(),
            codes: Codes::new(sealer),
            named: Shared::default(),
            counted: Shared::default(),
            counted_to: 0,
            news: 0,
            recalls: false,
            recalled: Shared::default(),
            periods: Shared::default(),
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
        match changes_store::changes(conn, known, head).await? {
            Changes::Everything => self.read_everything(conn, head).await?,
            Changes::These(changes) => {
                for change in changes {
                    self.take_in(conn, head, change).await?;
                }
            }
        }
        self.codes.stand_at(head);
        self.news = changes_store::newest(conn, head).await?;
        for place in store::counted(conn, self.counted_to).await? {
            self.counted.insert(place);
        }
        self.counted_to = head;
        self.position = head;
        Ok(())
    }

    /// The log came to `head` by events that whoever holds this wrote, which change no master data. Of places
    /// it knows where what counts was counted ([`Source::note_counted`]); those of counts that wait are
    /// read with whatever comes from somebody else.
    pub fn pass(&mut self, head: Position) {
        self.codes.stand_at(head);
        self.position = head;
    }

    async fn read_everything(
        &mut self,
        conn: &impl ConnectionTrait,
        head: Position,
    ) -> Result<(), WorldError> {
        let named = registry_store::all(conn, &mut self.world).await?;
        self.named = Shared::default();
        self.name(named);
        self.codes.forget();
        let world = &mut self.world;
        (world.policies, world.accepted, world.shifts) = Default::default();
        for (at, statement) in changes_store::decisions(conn, head).await? {
            self.decided(at, statement);
        }
        self.periods = Shared::default();
        note_periods(conn, (0, head), &mut self.periods).await?;
        self.recalls = store::any_recall(conn).await?;
        self.recalled = store::recalled(conn, None).await?.into_iter().collect();
        Ok(())
    }

    /// Reads what an entry changed, and nothing else.
    async fn take_in(
        &mut self,
        conn: &impl ConnectionTrait,
        head: Position,
        change: Change,
    ) -> Result<(), WorldError> {
        let world = &mut self.world;
        match change {
            Change::Enterprise(id) => {
                registry_store::enterprises(conn, Some(id), world).await?;
                self.codes.forget_prefixes();
                for space in registry_store::spaces(conn, SpacesOf::Enterprise(id)).await? {
                    self.codes.touch(space, head);
                }
            }
            Change::Place(id) => registry_store::places(conn, Some(id), world).await?,
            Change::Product(id) => {
                let named = registry_store::products(conn, Some(id), world).await?;
                self.name(named);
                for space in registry_store::spaces(conn, SpacesOf::Product(id)).await? {
                    self.codes.touch(space, head);
                }
            }
            Change::Batch(id) => registry_store::one_batch(conn, id, world).await?,
            Change::Device(id) => registry_store::devices(conn, Some(id), world).await?,
            Change::Actor(enterprise, named, at) => {
                let actors = world.actors.entry(EnterpriseId(enterprise)).or_default();
                let place = named.location_id.map(LocationId);
                actors.put(named.number.into(), place, at);
            }
            Change::Codes(spaces) => {
                for space in spaces {
                    self.codes.touch(space, head);
                }
            }
            Change::Recall(id) => {
                self.recalls = true;
                let batches = store::recalled(conn, Some(id)).await?;
                if batches.iter().any(|batch| !self.recalled.contains(batch)) {
                    self.recalled.extend(batches);
                }
            }
            Change::Periods => {
                note_periods(conn, (self.position, head), &mut self.periods).await?;
            }
            Change::Decided(at, statement) => self.decided(at, statement),
        }
        Ok(())
    }

    fn name(&mut self, named: registry_store::Named) {
        let named = named.into_iter().map(|(id, name)| (id, name.into()));
        self.named.extend(named);
    }

    fn decided(&mut self, at: StatedAt, statement: Statement) {
        match statement {
            Statement::PolicyChanged { policy } => self.world.policies.push((at, policy)),
            Statement::ShiftClosed { device } => self.world.shifts.push(ShiftClosed { at, device }),
            Statement::HolderAccepted {
                issuer,
                partner,
                scope,
                from,
            } => self.world.accepted.push(Accepted {
                at,
                issuer,
                partner,
                scope,
                from,
            }),
            _ => {}
        }
    }

    /// The same as it was known at a position: without what was filed, said and decided later. Devices that were
    /// enrolled, windows that were changed and shifts that ended later stand behind every event that was
    /// known then, in its order too, and so say nothing of it.
    pub async fn as_known(
        &self,
        conn: &impl ConnectionTrait,
        upto: Position,
    ) -> Result<Source, WorldError> {
        let mut then = self.clone();
        let stamps = log::instants(conn, &[upto].into()).await?;
        let stamp = stamps.get(&upto);
        let stamp = stamp.ok_or_else(|| WorldError::Stored(format!("position {upto}")))?;
        let (named, world) = (&self.named, &mut then.world);
        let opened = filed_store::forget_since(conn, *stamp, named, world).await?;
        then.codes.tell_as_of(upto, opened);
        then.world.known_to = Some(upto);
        Ok(then)
    }

    /// The position it is as of.
    pub fn position(&self) -> Position {
        self.position
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

    /// How these codes stand on record now.
    pub async fn standing(
        &mut self,
        conn: &impl ConnectionTrait,
        units: &BTreeSet<UnitKey>,
    ) -> Result<BTreeMap<UnitKey, Standing>, WorldError> {
        self.codes.standing(conn, units).await
    }

    /// Puts in what is on record of these units, and of the recalls that cover them or `batches`.
    pub async fn about(
        &mut self,
        conn: &impl ConnectionTrait,
        units: &BTreeMap<UnitKey, Option<CodeOf>>,
        batches: &BTreeSet<BatchId>,
    ) -> Result<(), WorldError> {
        // A code nobody here issued is its product's owner's, if the product is on record.
        let info = |(key, code): (&UnitKey, &Option<CodeOf>)| {
            let code = code.as_ref()?;
            let product = code.product.and_then(|id| self.named.get(&id).cloned());
            Some((key.clone(), code.info(product)))
        };
        self.world.units = units.iter().filter_map(info).collect();
        self.world.recalls = if self.recalls {
            store::recalls(conn, units, batches).await?
        } else {
            Vec::new()
        };
        if let Some(upto) = self.world.known_to {
            let recalls = &mut self.world.recalls;
            recalls.retain(|span| span.from.gseq <= upto);
            for span in recalls {
                if span.closed.is_some_and(|at| at.gseq > upto) {
                    (span.closed, span.mistaken) = (None, false);
                }
            }
        }
        Ok(())
    }

    /// Did a recall ever cover this batch?
    pub fn was_recalled(&self, batch: BatchId) -> bool {
        self.recalled.contains(&batch)
    }

    /// The recalls that cover these batches.
    pub async fn recalls_of(
        &self,
        conn: &impl ConnectionTrait,
        batches: &BTreeSet<BatchId>,
    ) -> Result<Vec<RecallSpan>, WorldError> {
        Ok(store::recalls_of(conn, batches).await?)
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
        let upto = self.world.known_to.unwrap_or(Gseq::MAX);
        let following = positions.iter().map(|position| next(*position));
        let following = following.filter(|next| *next <= upto).collect();
        let following = log::instants(conn, &following).await?;
        let known = |position| Some((position, *following.get(&next(position))?));
        self.world.instants = positions.into_iter().filter_map(known).collect();
        Ok(())
    }
}
