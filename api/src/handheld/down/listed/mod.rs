//! The recall list of each enterprise (sync.md section 7), as it stands at the head of the log.
//!
//! What is stopped is held in memory, unit by unit ([`known`]), and brought up to date by reading
//! what the log changed since: nobody ever holds the head for it, and only units that came in are
//! named. A list is coded anew when a unit or batch of its scope changed, else the one made last is
//! told again; so any number of devices pay for one. Its chunks are kept in the database, named by
//! their hashes. One process makes one list of an enterprise at a time, and few in all, on threads that
//! nobody waits for who stops; whose list is as it was waits for none of them.
//!
//! A list is as of the newest position there was when it was asked for: what was recalled by then
//! stands in it, so a recall reaches a till with its next pull.

pub mod known;
pub mod store;

use super::chunk_store;
use crate::{
    clock::Micros,
    codes::ring::Opener,
    db::{Db, in_turn},
    handheld::keys::{KeyError, ListKeys},
    log::{self, Log, Position},
    sealing::{SealError, Sealer},
};
use known::{Changes, Known, Scope, Stamps};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{self, Arc, PoisonError},
    thread,
    time::Duration,
};
use store::Minter;
use suyuan_sync::{
    chain::Hash,
    recall_list::UnitList,
    wire::{Chunk, ListCurrent, RecallList, RecalledBatch, Signature},
};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, oneshot};
use uuid::Uuid;

/// Why there is no list.
#[derive(Debug, Error)]
pub enum ListError {
    /// The database's word.
    #[error("recall list")]
    Db(#[from] DbErr),
    /// A key of a code space does not open.
    #[error("issue key")]
    Seal(#[from] SealError),
    /// It could not be signed.
    #[error("recall list")]
    Key(#[from] KeyError),
    /// A stored value cannot be read.
    #[error("stored value {0}")]
    Stored(String),
    /// There is no thread to code it.
    #[error("coding the recall list")]
    NoThread(#[from] io::Error),
    /// Whoever coded it gave up.
    #[error("coding the recall list")]
    Coding(#[from] oneshot::error::RecvError),
}

/// Works on a thread of its own. To name ten million units takes seconds; a program that stops waits
/// for all that its runtime was asked to do, but not for this, of which nothing has to be kept.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ListError> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new()
        .name("recall-list".into())
        .spawn(move || {
            let _ = tell.send(work());
        })?;
    Ok(told.await?)
}

/// Lists that are coded at once: each takes some memory for every unit in it.
const CODED_AT_ONCE: usize = 2;
/// Longer than it takes to name or to code what a list may hold; who waits longer waits for such as wait for a
/// database that does not answer.
const WAITED: Duration = Duration::from_secs(20);
/// Chunks are told to be needed at most so often.
const TOUCHED_EVERY: Micros = 3600 * 1_000_000;

/// Makes lists, and remembers the last of each enterprise.
#[derive(Clone)]
pub struct RecallLists {
    db: Db,
    log: Log,
    opener: Opener,
    keys: ListKeys,
    followed: Arc<Mutex<Followed>>,
    /// Whoever makes a list has it locked; whoever has it locked may lock what was followed.
    made: Arc<sync::Mutex<Lists>>,
    coding: Arc<Semaphore>,
}

/// The list of each enterprise that was made last.
type Lists = BTreeMap<Uuid, Arc<Mutex<Option<Made>>>>;

/// What is stopped, as the log says.
#[derive(Default)]
struct Followed {
    /// Everything up to here is in `known`.
    position: Position,
    known: Known,
    /// How often the log was set back: what was made of another is of no use.
    set_back: u64,
}

impl Followed {
    fn of(&self, scope: Scope, batches: BTreeSet<RecalledBatch>) -> Of {
        Of {
            stamps: self.known.stamps(&scope),
            scope,
            batches,
            set_back: self.set_back,
        }
    }
}

/// What the log changed, and who names units of it.
struct News {
    upto: Position,
    /// The log was set back: nothing that is held is true.
    set_back: bool,
    changes: Changes,
    minters: BTreeMap<String, Minter>,
}

impl News {
    /// Is there so little in it that it is taken in at once?
    fn is_nothing(&self) -> bool {
        !self.set_back && self.changes.is_empty()
    }

    fn take_in(self, mut followed: OwnedMutexGuard<Followed>) -> OwnedMutexGuard<Followed> {
        if self.set_back {
            *followed = Followed {
                set_back: followed.set_back + 1,
                ..Followed::default()
            };
        }
        let minters = self.minters;
        let name = |space: &str, index| minters.get(space)?.name(index);
        followed.known.apply(self.changes, name);
        followed.position = self.upto;
        followed
    }
}

/// What a list is made of.
#[derive(PartialEq, Eq)]
struct Of {
    scope: Scope,
    stamps: Stamps,
    batches: BTreeSet<RecalledBatch>,
    set_back: u64,
}

/// A list that was made, and of what it was.
struct Made {
    of: Of,
    /// The position at which it was looked at last, with its instant: up to there it is the list.
    version: Position,
    stamp: Micros,
    list: Arc<Content>,
    touched: Micros,
}

/// What a list says, whenever it was made.
struct Content {
    batches: Vec<RecalledBatch>,
    count: u64,
    chunks: Vec<Chunk>,
    hash: Hash,
}

/// A list as of now.
pub struct Listed {
    version: Position,
    made_at: Micros,
    content: Arc<Content>,
    keys: ListKeys,
}

impl RecallLists {
    /// Nothing read yet.
    pub fn new(db: &Db, log: &Log, sealer: &Sealer, keys: &ListKeys) -> RecallLists {
        RecallLists {
            db: db.clone(),
            log: log.clone(),
            opener: Opener::Master(sealer.clone()),
            keys: keys.clone(),
            followed: Arc::default(),
            made: Arc::default(),
            coding: Arc::new(Semaphore::new(CODED_AT_ONCE)),
        }
    }

    /// Takes in what the log changed, so that whoever asks for a list next need not wait for it.
    pub async fn follow(&self) -> Result<(), ListError> {
        let (head, _) = log::head_in(self.db.reader()).await?;
        self.upto(head).await?;
        Ok(())
    }

    /// What is stopped, at least as of a position that was the head.
    async fn upto(&self, position: Position) -> Result<OwnedMutexGuard<Followed>, ListError> {
        let followed = in_turn(WAITED, self.followed.clone().lock_owned()).await?;
        if followed.position == position {
            return Ok(followed);
        }
        // Somebody may have gone further meanwhile, or the log was set back: its head tells.
        let tx = self.db.begin_reading().await?;
        let (head, _) = log::head_in(&tx).await?;
        if followed.position == head {
            return Ok(followed);
        }
        let news = self.news(&followed, &tx, head).await?;
        tx.commit().await?;
        if news.is_nothing() {
            return Ok(news.take_in(followed));
        }
        beside(move || news.take_in(followed)).await
    }

    /// What changed since, up to a position.
    async fn news(
        &self,
        followed: &Followed,
        tx: &impl ConnectionTrait,
        upto: Position,
    ) -> Result<News, ListError> {
        let set_back = upto < followed.position;
        let after = if set_back { 0 } else { followed.position };
        let changes = store::changes(tx, after, upto).await?;
        let mut minters = BTreeMap::new();
        for space in followed.known.to_be_named(&changes) {
            if let Some(minter) = store::Minter::of(tx, &self.opener, &space).await? {
                minters.insert(space, minter);
            }
        }
        Ok(News {
            upto,
            set_back,
            changes,
            minters,
        })
    }

    /// The list of an enterprise, at least as new as anything its caller read before.
    pub async fn current(&self, enterprise: Uuid) -> Result<Listed, ListError> {
        // Before anything is read: what is read holds at this instant or later.
        let asked_at = self.log.now();
        // And before anybody is waited for: who waits holds no connection, and where there is none to be had
        // nobody waits for anybody.
        let tx = self.db.begin_reading().await?;
        let (version, stamp) = log::head_in(&tx).await?;
        let scope = store::scope(&tx, enterprise).await?;
        let batches = store::batches(&tx, enterprise).await?;
        tx.commit().await?;
        let mut made = in_turn(WAITED, self.made_for(enterprise).lock_owned()).await?;
        self.still_kept(&mut made, enterprise, asked_at).await?;
        let mut of = self.upto(version).await?.of(scope, batches);
        let same = |made: &&mut Made| {
            // What was made since this one began to read is newer than what it read.
            made.of == of || made.of.set_back == of.set_back && made.version > version
        };
        if let Some(made) = made.as_mut().filter(same) {
            (made.version, made.stamp) = (made.version, made.stamp).max((version, stamp));
            return Ok(self.listed(made, asked_at));
        }
        let turn = in_turn(WAITED, self.coding.clone().acquire_owned()).await?;
        let turn = turn.ok(); // it is never closed
        let followed = self.upto(version).await?;
        of = followed.of(of.scope, of.batches);
        let (mut made, of, count, parts) = beside(move || {
            let units = followed.known.units(&of.scope);
            drop(followed);
            let list = UnitList::of(units);
            let hashed = |bytes: Vec<u8>| (Hash::of(&bytes), bytes);
            let parts: Vec<_> = list.chunks().into_iter().map(hashed).collect();
            drop(turn);
            (made, of, list.len() as u64, parts)
        })
        .await?;
        // Until it is kept, there is none.
        *made = None;
        chunk_store::put(&self.db, enterprise, &parts, asked_at).await?;
        let made = made.insert(Made {
            list: Arc::new(Content::new(&of.batches, count, &parts)),
            of,
            version,
            stamp,
            touched: asked_at,
        });
        Ok(self.listed(made, asked_at))
    }

    fn made_for(&self, enterprise: Uuid) -> Arc<Mutex<Option<Made>>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(enterprise).or_default().clone()
    }

    fn listed(&self, made: &Made, asked_at: Micros) -> Listed {
        Listed {
            version: made.version,
            made_at: asked_at.max(made.stamp),
            content: made.list.clone(),
            keys: self.keys.clone(),
        }
    }

    /// The chunks of the list made last are needed again. Where nobody asked for longer than they are
    /// kept, they are forgotten, and the list is coded anew.
    async fn still_kept(
        &self,
        made: &mut Option<Made>,
        enterprise: Uuid,
        asked_at: Micros,
    ) -> Result<(), DbErr> {
        let Some(known) = made.as_mut() else {
            return Ok(());
        };
        if asked_at.saturating_sub(known.touched) <= TOUCHED_EVERY {
            return Ok(());
        }
        let hashes: Vec<Hash> = known.list.chunks.iter().map(|chunk| chunk.hash).collect();
        if chunk_store::touch(&self.db, enterprise, &hashes, asked_at).await? {
            known.touched = asked_at;
        } else {
            *made = None;
        }
        Ok(())
    }
}

impl Content {
    fn new(batches: &BTreeSet<RecalledBatch>, count: u64, parts: &[(Hash, Vec<u8>)]) -> Content {
        let chunk = |(hash, bytes): &(Hash, Vec<u8>)| Chunk {
            hash: *hash,
            bytes: bytes.len() as u32,
        };
        let (batches, chunks) = (
            batches.iter().cloned().collect::<Vec<_>>(),
            parts.iter().map(chunk).collect::<Vec<_>>(),
        );
        Content {
            hash: RecallList::content_of(&batches, count, &chunks),
            batches,
            count,
            chunks,
        }
    }
}

impl Listed {
    /// What it says, by hash.
    pub fn content(&self) -> Hash {
        self.content.hash
    }

    /// The log position it is of.
    pub fn version(&self) -> Position {
        self.version
    }

    /// The whole list, signed.
    pub fn told(&self) -> Result<RecallList, KeyError> {
        let mut list = RecallList {
            version: self.version,
            made_at: self.made_at,
            batches: self.content.batches.clone(),
            count: self.content.count,
            chunks: self.content.chunks.clone(),
            key: 0,
            sig: unsigned()?,
        };
        let (key, sig) = self.keys.sign(|key| {
            list.key = key;
            list.bytes_to_sign()
        })?;
        (list.key, list.sig) = (key, sig);
        Ok(list)
    }

    /// That it holds, signed.
    pub fn current(&self) -> Result<ListCurrent, KeyError> {
        let mut current = ListCurrent {
            version: self.version,
            made_at: self.made_at,
            content: self.content.hash,
            key: 0,
            sig: unsigned()?,
        };
        let (key, sig) = self.keys.sign(|key| {
            current.key = key;
            current.bytes_to_sign()
        })?;
        (current.key, current.sig) = (key, sig);
        Ok(current)
    }
}

/// What stands for a signature until there is one.
pub fn unsigned() -> Result<Signature, KeyError> {
    Signature::of(&"A".repeat(86)).ok_or(KeyError::Signing)
}
