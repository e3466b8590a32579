//! The installation's log: every change of a public answer, and every change by a person, is one
//! entry; its head row gives position, time and commit order at once (sync.md section 4).
//!
//! Whoever changes something begins an [`Act`]: that locks the head before anything else is
//! read, so position order is commit order with any number of processes. The change, its entry
//! and the public projection are committed together, and the act becomes a link of the [`chain`] over
//! the log. This module knows no feature.

pub mod chain;
mod chain_store;
pub mod handlers;
mod held;
mod idempotency_store;
mod instants_store;
mod store;
mod time;
mod watch;
pub mod wire;

pub use idempotency_store::IdempotencyKey;
pub use instants_store::{instants, position_before, position_before_upto};

use crate::{clock::Clock, clock::Micros, db::Db};
use chain::{Link, Seal, Table};
use chain_store::{Ending, EntryText};
use held::Held;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;
use time::DatabaseTime;
use tokio::sync::Notify;
use uuid::Uuid;
use watch::ClockWatch;

/// The position and instant the log has come to, in somebody's snapshot.
pub async fn head_in(conn: &impl ConnectionTrait) -> Result<(Position, Micros), DbErr> {
    store::head(conn).await
}

/// A place in the log: everything at or below it has been committed.
pub type Position = i64;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What an entry is about. The names are stable: they stand in rows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name in rows and answers.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            /// The same the other way round; none if an older or a newer release wrote it.
            pub fn of_name(name: &str) -> Option<Kind> {
                Kind::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    /// Enterprise, prefix, location, product or batch written; not public by itself.
    MasterDataChanged = "master_data_changed",
    /// A product or batch version went public.
    Published = "published",
    /// A segment was allocated (码段分配).
    SegmentAllocated = "segment_allocated",
    /// Codes were commissioned to a batch.
    CodesCommissioned = "codes_commissioned",
    /// Unqualified codes were destroyed.
    CodesVoided = "codes_voided",
    /// A recall began.
    RecallOpened = "recall_opened",
    /// A recall covers more.
    RecallWidened = "recall_widened",
    /// A recall ended.
    RecallClosed = "recall_closed",
    /// A link was registered or taken away.
    LinksChanged = "links_changed",
    /// An account was made or changed.
    AccountChanged = "account_changed",
    /// A watch was begun or ended.
    WatchChanged = "watch_changed",
    /// A complaint or feedback came in.
    VoiceReceived = "voice_received",
    /// Staff moved one on or answered it, or its consumer rated that.
    VoiceHandled = "voice_handled",
    /// The buyer of a sale was filed; nothing personal of it.
    BuyerFiled = "buyer_filed",
    /// Someone read the personal part of a voice, or who bought.
    PersonalDataOpened = "personal_data_opened",
    /// The same was erased.
    PersonalDataErased = "personal_data_erased",
    /// A copy of a unit is suspected, or it was queried unusually often.
    SuspicionRaised = "suspicion_raised",
    /// The issuer looked into a suspicion.
    SuspicionCleared = "suspicion_cleared",
    /// A device was made or changed, or given a code to enrol with.
    DeviceChanged = "device_changed",
    /// A device enrolled: a new epoch with a new key.
    DeviceEnrolled = "device_enrolled",
    /// The keys of a device were revoked.
    DeviceRevoked = "device_revoked",
    /// A badge was made, got another role, or was withdrawn.
    BadgeChanged = "badge_changed",
    /// A gap in a device's sequence is waited for no longer (T4).
    GapForced = "gap_forced",
    /// An incomplete group was taken in as single events (T8).
    GroupReleased = "group_released",
    /// Events that stood aside were taken in (T2, T3, T6, T7, T9).
    Admitted = "admitted",
    /// An operator confirmed that the clock is right after it jumped.
    ClockConfirmed = "clock_confirmed",
    /// The issuer takes another enterprise's events on its units as said (C14).
    HolderAccepted = "holder_accepted",
    /// Windows and thresholds from now on.
    PolicyChanged = "policy_changed",
    /// A shift ended on a device (C10).
    ShiftClosed = "shift_closed",
    /// Reports of a period are final (T10).
    PeriodClosed = "period_closed",
    /// A transport of sensitive goods was put on record, or got other limits.
    TransportChanged = "transport_changed",
    /// What a logger measured on a transport was filed.
    ReadingsFiled = "readings_filed",
    /// What was done about an excursion was recorded.
    ExcursionMeasured = "excursion_measured",
    /// What an earlier entry or event means for units that came in before it was worked out.
    Refolded = "refolded",
    /// What was kept of units otherwise than the log says was set right (巡检).
    Mended = "mended",
}

/// Who acts: an account, or the program itself at set-up. Never a person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The account.
    User(Uuid),
    /// The program itself.
    System,
}

impl Actor {
    /// The name in rows.
    pub fn name(self) -> String {
        match self {
            Actor::User(id) => format!("user:{id}"),
            Actor::System => "system".into(),
        }
    }
}

/// One entry to be written.
pub struct Entry<'a> {
    /// What happened.
    pub kind: Kind,
    /// Whose data; `None` for the installation's own.
    pub enterprise: Option<Uuid>,
    /// What it happened to, e.g. `batch:0198…`.
    pub subject: String,
    /// What changed, as JSON; never personal data.
    pub body: &'a (dyn erased::Body + Sync),
}

/// Lets an entry's body be any serialisable value without a type parameter on [`Entry`].
pub mod erased {
    /// Something that can be written as JSON text.
    pub trait Body {
        /// The text.
        fn json(&self) -> Result<String, serde_json::Error>;
    }

    impl<T: serde::Serialize> Body for T {
        fn json(&self) -> Result<String, serde_json::Error> {
            serde_json::to_string(self)
        }
    }
}

/// Why an act could not begin or end.
#[derive(Debug, Error)]
pub enum ActError {
    /// The database's word.
    #[error("log")]
    Db(#[from] DbErr),
    /// An entry or answer could not be written as JSON.
    #[error("log entry")]
    Json(#[from] serde_json::Error),
    /// The idempotency key belongs to another request.
    #[error("idempotency key reused")]
    KeyReused,
    /// This very request was done before, by a version whose answers this one cannot read.
    #[error("kept answer not readable")]
    AnswerUnreadable,
    /// The clock jumped, and nobody confirmed yet that it is right.
    #[error("the clock jumped")]
    ClockJumped,
}

/// The log of this installation.
#[derive(Clone)]
pub struct Log {
    db: Db,
    clock: Clock,
    installation: Uuid,
    /// Wakes those in this process who follow the log.
    news: Arc<Notify>,
    watch: Arc<ClockWatch>,
    time: Arc<DatabaseTime>,
}

/// An act about to change something: the head is locked, the position is known.
pub struct Act {
    tx: DatabaseTransaction,
    position: Position,
    stamp: Micros,
    installation: Uuid,
    actor: Actor,
    key: Option<idempotency_store::Claim>,
    link: Link,
    news: Arc<Notify>,
    held: Held,
}

/// Entries about to be written that stand in rows of their own: events of devices. The head is
/// locked; each takes a position and an instant, from the first on, in the order in which they are
/// written. Nothing of it stands in `log_entry`.
pub struct Block {
    tx: DatabaseTransaction,
    before: Position,
    last: Micros,
    base: Micros,
    installation: Uuid,
    link: Link,
    news: Arc<Notify>,
    held: Held,
}

/// What a block is called where acts have the name of their entry.
const EVENTS: &str = "events";

/// How an act begins.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and most are acts"
)]
pub enum Begun<T> {
    /// Go on.
    Act(Act),
    /// This very request was answered before; here is the answer.
    Answered(T),
}

impl Log {
    /// Opens the log, giving the installation its id at the first start.
    pub async fn open(db: Db, clock: Clock) -> Result<Log, DbErr> {
        let installation = store::establish(&db, clock.random_id(), &clock).await?;
        let (position, shown) = store::last_shown(db.writer()).await?;
        let log = Log {
            watch: Arc::new(ClockWatch::new(position, shown)),
            time: Arc::default(),
            db,
            clock,
            installation,
            news: Arc::new(Notify::new()),
        };
        log.look_at_the_time().await?;
        Ok(log)
    }

    /// The installation's id.
    pub fn installation(&self) -> Uuid {
        self.installation
    }

    /// Whose time it is, and whose ids.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What time it is by the clock that stamps the log: what devices are told.
    pub fn now(&self) -> Micros {
        let shown = self.time.now(&self.clock);
        shown.unwrap_or_else(|| self.clock.now())
    }

    /// Whoever writes sees the database's clock; who only reads has to ask.
    async fn look_at_the_time(&self) -> Result<(), DbErr> {
        if store::is_databases_own(self.db.reader(), &self.clock) {
            let shown = store::shown(self.db.reader()).await?;
            self.time.seen(&self.clock, shown);
        }
        Ok(())
    }

    /// Notified after each commit in this process.
    pub fn news(&self) -> Arc<Notify> {
        self.news.clone()
    }

    /// Begins an act: locks the head, then looks whether `key` was answered before.
    pub async fn begin<T: DeserializeOwned>(
        &self,
        actor: Actor,
        key: Option<IdempotencyKey>,
    ) -> Result<Begun<T>, ActError> {
        let tx = self.db.begin().await?;
        let locked = store::lock(&tx, &self.clock, self.installation).await?;
        let held = Held::now();
        self.look_at_the_clock(&tx, locked.first - 1, locked.shown)
            .await?;
        let key = match key {
            None => None,
            Some(key) => match idempotency_store::claim(&tx, actor, key).await? {
                idempotency_store::Found::New(claim) => Some(claim),
                idempotency_store::Found::Answered(text) => {
                    tx.rollback().await?;
                    let answer = serde_json::from_str(&text);
                    return Ok(Begun::Answered(
                        answer.map_err(|_| ActError::AnswerUnreadable)?,
                    ));
                }
                idempotency_store::Found::OtherRequest => return Err(ActError::KeyReused),
            },
        };
        Ok(Begun::Act(Act {
            tx,
            position: locked.first,
            stamp: locked.stamp,
            installation: self.installation,
            actor,
            key,
            link: locked.link,
            news: self.news.clone(),
            held,
        }))
    }

    /// Begins a block of entries that stand in rows of their own: locks the head.
    pub async fn begin_block(&self) -> Result<Block, ActError> {
        let tx = self.db.begin().await?;
        let locked = store::lock(&tx, &self.clock, self.installation).await?;
        let held = Held::now();
        let before = locked.first - 1;
        self.look_at_the_clock(&tx, before, locked.shown).await?;
        Ok(Block {
            tx,
            before,
            last: locked.last,
            base: locked.stamp,
            installation: self.installation,
            link: locked.link,
            news: self.news.clone(),
            held,
        })
    }

    /// An operator says that the clock is right as it is. The entry is all there is to it: every
    /// process finds it there when its watch objects.
    pub async fn confirm_clock(&self, actor: Actor) -> Result<(), ActError> {
        let tx = self.db.begin().await?;
        let locked = store::lock(&tx, &self.clock, self.installation).await?;
        let act = Act {
            tx,
            position: locked.first,
            stamp: locked.stamp,
            installation: self.installation,
            actor,
            key: None,
            link: locked.link,
            news: self.news.clone(),
            held: Held::now(),
        };
        let body = store::Confirmed {
            clock: locked.shown,
        };
        let entry = Entry {
            kind: Kind::ClockConfirmed,
            enterprise: None,
            subject: "clock".into(),
            body: &body,
        };
        act.commit(entry, &()).await
    }

    /// The one place where the clock is watched: whoever writes holds the head, and comes by here.
    async fn look_at_the_clock(
        &self,
        tx: &DatabaseTransaction,
        position: Position,
        shown: Micros,
    ) -> Result<(), ActError> {
        // Both of one machine, or both moved: the database's clock is nobody's to move.
        let now = if store::is_databases_own(tx, &self.clock) {
            self.time.seen(&self.clock, shown);
            Instant::now()
        } else {
            self.clock.monotonic()
        };
        if self.watch.allows(now, position, shown) {
            return Ok(());
        }
        let since = self.watch.last_allowed();
        if let Some(confirmed) = store::confirmed_after(tx, since).await? {
            self.watch.confirmed(confirmed);
            if self.watch.allows(now, position, shown) {
                return Ok(());
            }
        }
        Err(ActError::ClockJumped)
    }

    /// The position and instant the log has come to.
    pub async fn head(&self) -> Result<(Position, Micros), DbErr> {
        store::head(self.db.reader()).await
    }

    /// Begins an act of the program itself.
    pub async fn begin_as_system(&self) -> Result<Act, ActError> {
        match self.begin::<()>(Actor::System, None).await? {
            Begun::Act(act) => Ok(act),
            Begun::Answered(()) => Err(ActError::KeyReused), // no key was given
        }
    }

    /// Forgets kept answers that are too old to be asked for again, and looks what time it is, once an hour
    /// for ever.
    pub async fn tidy_for_ever(self) {
        loop {
            if let Err(error) = self.look_at_the_time().await {
                tracing::warn!(%error, "the time was not to be had");
            }
            if let Err(error) = idempotency_store::forget(&self.db, self.clock.now()).await {
                tracing::warn!(%error, "old answers not forgotten");
            }
            tokio::time::sleep(Duration::from_hours(1)).await;
        }
    }

    /// One page of entries at or above `from`, oldest first, of one enterprise or of all.
    pub async fn page(
        &self,
        enterprise: Option<Uuid>,
        from: Position,
        limit: u64,
    ) -> Result<Vec<wire::EntryOut>, DbErr> {
        store::page(&self.db, enterprise, from, limit).await
    }
}

impl Block {
    /// The transaction everything of this block is written in.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The last position before this block.
    pub fn before(&self) -> Position {
        self.before
    }

    /// The instant of that position: what the log is as of while nothing of this block is in it, whatever the
    /// clock shows.
    pub fn as_of(&self) -> Micros {
        self.last
    }

    /// The position of its entry number `n`, from 0.
    pub fn position(&self, n: usize) -> Position {
        self.before + 1 + n as Position
    }

    /// The instant of its entry number `n`: strictly above that of every earlier entry.
    pub fn stamp(&self, n: usize) -> Micros {
        self.base + n as Micros
    }

    /// Ends the block without a trace.
    pub async fn abandon(self) -> Result<(), ActError> {
        Ok(self.tx.rollback().await?)
    }

    /// Begins what the chain over the log is told of its entries: a row for each, in their order.
    pub fn seal(&self) -> Seal {
        Seal::after(self.link, self.position(0))
    }

    /// Moves the head by the entries of the seal, commits. Tells how long the head was held.
    pub async fn commit(self, seal: Seal) -> Result<Duration, ActError> {
        let Some(last) = seal.rows().checked_sub(1) else {
            self.tx.rollback().await?;
            return Ok(self.held.given_up());
        };
        let ending = Ending {
            installation: self.installation,
            first: self.position(0),
            link: seal.close(self.position(last)),
            stamp: self.stamp(last),
            entry: None,
        };
        chain_store::end(&self.tx, ending).await?;
        let commit_began = Instant::now();
        self.tx.commit().await?;
        let held = self.held.ends(EVENTS, commit_began);
        self.news.notify_waiters();
        Ok(held)
    }
}

impl Act {
    /// The transaction everything of this act is written in.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The position this act will have.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The time of this act: strictly above that of every earlier one.
    pub fn stamp(&self) -> Micros {
        self.stamp
    }

    /// Ends the act without a trace: nothing was changed, and the next act takes its position.
    pub async fn abandon(self) -> Result<(), ActError> {
        Ok(self.tx.rollback().await?)
    }

    /// Writes the entry and the answer for retries, moves the public head, commits.
    pub async fn commit<T: Serialize>(self, entry: Entry<'_>, answer: &T) -> Result<(), ActError> {
        let (body, actor) = (entry.body.json()?, self.actor.name());
        let text = EntryText {
            kind: entry.kind.name(),
            enterprise: entry.enterprise,
            actor: &actor,
            subject: &entry.subject,
            body: &body,
        };
        let mut seal = Seal::after(self.link, self.position);
        let row = text.row(self.position, self.stamp).canonical();
        seal.row(Table::Entry, &row);
        let ending = Ending {
            installation: self.installation,
            first: self.position,
            link: seal.close(self.position),
            stamp: self.stamp,
            entry: Some(text),
        };
        chain_store::end(&self.tx, ending).await?;
        if let Some(claim) = self.key {
            let answer = serde_json::to_string(answer)?;
            idempotency_store::keep(&self.tx, claim, &answer, self.stamp).await?;
        }
        let commit_began = Instant::now();
        self.tx.commit().await?;
        self.held.ends(entry.kind.name(), commit_began);
        self.news.notify_waiters();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_name(kind.name()), Some(*kind));
        }
        assert_eq!(Kind::of_name("of_a_newer_release"), None);
    }
}
