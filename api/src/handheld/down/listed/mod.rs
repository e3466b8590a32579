//! The recall list of each enterprise (sync.md section 7), as it stands at the head of the log.
//!
//! What is stopped is held in memory, unit by unit ([`known`]), and brought up to date by reading
//! what the log changed since: nobody ever holds the head for it, and only units that came in are
//! named. A list is coded anew when a unit or batch of its scope changed, else the one made last is
//! told again; so any number of devices pay for one. Its chunks are kept in the database, named by
//! their hashes. One process makes one list at a time, on a thread that nobody waits for who stops.
//!
//! A list is as of the newest position there was when it was asked for: what was recalled by then
//! stands in it, so a recall reaches a till with its next pull.

pub mod known;
pub mod store;

use super::chunk_store;
use crate::{
    clock::Micros,
    codes::ring::Opener,
    db::Db,
    handheld::keys::{KeyError, ListKeys},
    log::{self, Log, Position},
    sealing::{SealError, Sealer},
};
use known::{Changes, Known, Scope, Stamps};
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    thread,
};
use store::Minter;
use suyuan_sync::{
    chain::Hash,
    wire::{Chunk, ListCurrent, RecallList, RecalledBatch, Signature},
};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
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

/// Chunks are told to be needed at most so often.
const TOUCHED_EVERY: Micros = 3600 * 1_000_000;

/// Makes lists, and remembers the last of each enterprise.
#[derive(Clone)]
pub struct RecallLists {
    db: Db,
    log: Log,
    opener: Opener,
    keys: ListKeys,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    /// Everything up to here is in `known`.
    position: Position,
    known: Known,
    made: BTreeMap<Uuid, Made>,
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
    fn take_in(self, mut held: OwnedMutexGuard<Held>) -> OwnedMutexGuard<Held> {
        if self.set_back {
            *held = Held::default();
        }
        let minters = self.minters;
        let name = |space: &str, index| minters.get(space)?.name(index);
        held.known.apply(self.changes, name);
        held.position = self.upto;
        held
    }
}

/// A list that was made, and what it was made of.
struct Made {
    scope: Scope,
    stamps: Stamps,
    batches: BTreeSet<RecalledBatch>,
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
            held: Arc::default(),
        }
    }

    /// Takes in what the log changed, so that whoever asks for a list next need not wait for it.
    pub async fn follow(&self) -> Result<(), ListError> {
        let held = self.held.clone().lock_owned().await;
        let tx = self.db.begin_reading().await?;
        let (version, _) = log::head_in(&tx).await?;
        if version == held.position {
            return Ok(tx.commit().await?);
        }
        let news = self.news(&held, &tx, version).await?;
        tx.commit().await?;
        beside(move || news.take_in(held)).await?;
        Ok(())
    }

    /// What changed since, up to a position.
    async fn news(
        &self,
        held: &Held,
        tx: &impl ConnectionTrait,
        upto: Position,
    ) -> Result<News, ListError> {
        let set_back = upto < held.position;
        let after = if set_back { 0 } else { held.position };
        let changes = store::changes(tx, after, upto).await?;
        let mut minters = BTreeMap::new();
        for space in held.known.to_be_named(&changes) {
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
        let mut held = self.held.clone().lock_owned().await;
        // Before anything is read: what is read holds at this instant or later.
        let asked_at = self.log.now();
        self.still_kept(&mut held, enterprise, asked_at).await?;
        let tx = self.db.begin_reading().await?;
        let (version, stamp) = log::head_in(&tx).await?;
        let news = self.news(&held, &tx, version).await?;
        let scope = store::scope(&tx, enterprise).await?;
        let batches = store::batches(&tx, enterprise).await?;
        tx.commit().await?;
        let (mut held, coded) = beside(move || {
            let held = news.take_in(held);
            let stamps = held.known.stamps(&scope);
            let same = held.made.get(&enterprise).is_some_and(|made| {
                made.scope == scope && made.stamps == stamps && made.batches == batches
            });
            let coded = (!same).then(|| {
                let list = held.known.list(&scope);
                let count = list.len() as u64;
                let hashed = |bytes: Vec<u8>| (Hash::of(&bytes), bytes);
                let parts: Vec<_> = list.chunks().into_iter().map(hashed).collect();
                (scope, stamps, batches, count, parts)
            });
            (held, coded)
        })
        .await?;
        let made_at = asked_at.max(stamp);
        if let Some((scope, stamps, batches, count, parts)) = coded {
            // Until it is kept, there is none.
            held.made.remove(&enterprise);
            chunk_store::put(&self.db, enterprise, &parts, asked_at).await?;
            let made = Made {
                scope,
                stamps,
                list: Arc::new(Content::new(&batches, count, &parts)),
                batches,
                touched: asked_at,
            };
            held.made.insert(enterprise, made);
        }
        let made = held.made.get(&enterprise);
        let made = made.ok_or_else(|| DbErr::RecordNotFound("a list just made".into()))?;
        Ok(Listed {
            version,
            made_at,
            content: made.list.clone(),
            keys: self.keys.clone(),
        })
    }

    /// The chunks of the list made last are needed again. Where nobody asked for longer than they are
    /// kept, they are forgotten, and the list is coded anew.
    async fn still_kept(
        &self,
        held: &mut Held,
        enterprise: Uuid,
        asked_at: Micros,
    ) -> Result<(), DbErr> {
        let Some(made) = held.made.get_mut(&enterprise) else {
            return Ok(());
        };
        if asked_at.saturating_sub(made.touched) <= TOUCHED_EVERY {
            return Ok(());
        }
        let hashes: Vec<Hash> = made.list.chunks.iter().map(|chunk| chunk.hash).collect();
        if chunk_store::touch(&self.db, enterprise, &hashes, asked_at).await? {
            made.touched = asked_at;
        } else {
            held.made.remove(&enterprise);
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
