//! All SQL of the chain over the log: how far it has come stands in the head row, which every act reads
//! anyway; what ends an act is written in one trip.

use super::{
    Position,
    chain::{EntryRow, Link},
};
use crate::{clock::Micros, db::execute};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Value};
use suyuan_sync::chain::Hash;
use uuid::Uuid;

/// The columns of the head that tell it.
pub(super) const COLUMNS: &str = "chain, chained";

/// How far the chain has come, in a row of the head. A head that says nothing, or nothing that is a hash, is
/// one before the first act: a damaged one stops nobody, and a verification sees it.
pub(super) fn link(head: &QueryResult, installation: Uuid) -> Result<Link, DbErr> {
    let hash: Option<Vec<u8>> = head.try_get("", "chain")?;
    let last: Option<Position> = head.try_get("", "chained")?;
    let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
    Ok(match (hash, last) {
        (Some(hash), Some(last)) => Link {
            hash: Hash(hash),
            last,
        },
        _ => Link::genesis(installation),
    })
}

/// What an act writes at its end.
pub(super) struct Ending<'a> {
    pub(super) installation: Uuid,
    /// Where it begins.
    pub(super) first: Position,
    /// Where it ends, and the hash of it.
    pub(super) link: Link,
    /// The instant of its last position.
    pub(super) stamp: Micros,
    /// Its entry; events are written before.
    pub(super) entry: Option<EntryText<'a>>,
}

/// An entry as it is written.
#[derive(Clone, Copy)]
pub(super) struct EntryText<'a> {
    pub(super) kind: &'a str,
    pub(super) enterprise: Option<Uuid>,
    pub(super) actor: &'a str,
    pub(super) subject: &'a str,
    pub(super) body: &'a str,
}

impl<'a> EntryText<'a> {
    /// For its hash.
    pub(super) fn row(&'a self, gseq: Position, stamp: Micros) -> EntryRow<'a> {
        EntryRow {
            gseq,
            stamp,
            kind: self.kind.as_bytes(),
            enterprise: self.enterprise.as_ref().map(|id| &id.as_bytes()[..]),
            actor: self.actor.as_bytes(),
            subject: self.subject.as_bytes(),
            body: self.body.as_bytes(),
        }
    }
}

/// Writes the entry, the link, the head and its copy for the public side. One trip: PostgreSQL takes them as
/// one statement, SQLite as several in one text.
pub(super) async fn end(tx: &DatabaseTransaction, ending: Ending<'_>) -> Result<(), DbErr> {
    const ENTRY: &str = "INSERT INTO log_entry (gseq, stamp, kind, enterprise_id, actor, subject, body) \
                         VALUES (?, ?, ?, ?, ?, ?, ?)";
    const LINK: &str = "INSERT INTO log_chain (first_gseq, last_gseq, hash) VALUES (?, ?, ?)";
    const HEAD: &str =
        "UPDATE log_head SET gseq = ?, stamp = ?, chain = ?, chained = ? WHERE id = 1";
    let Ending {
        installation,
        first,
        link: Link { hash, last },
        stamp,
        entry,
    } = ending;
    let mut values: Vec<Value> = Vec::with_capacity(17);
    if let Some(entry) = entry {
        values.extend([
            last.into(),
            stamp.into(),
            entry.kind.into(),
            entry.enterprise.into(),
            entry.actor.into(),
            entry.subject.into(),
            entry.body.into(),
        ]);
    }
    values.extend([first.into(), last.into(), hash.0.to_vec().into()]);
    values.extend([
        last.into(),
        stamp.into(),
        hash.0.to_vec().into(),
        last.into(),
    ]);
    values.extend([installation.into(), last.into(), stamp.into()]);
    let backend = tx.get_database_backend();
    let public = super::store::PUBLIC_HEAD;
    let sql = match (backend, entry.is_some()) {
        (DbBackend::Postgres, true) => {
            format!("WITH entry AS ({ENTRY}), link AS ({LINK}), head AS ({HEAD}) {public}")
        }
        (DbBackend::Postgres, false) => format!("WITH link AS ({LINK}), head AS ({HEAD}) {public}"),
        (_, true) => format!("{ENTRY}; {LINK}; {HEAD}; {public}"),
        (_, false) => format!("{LINK}; {HEAD}; {public}"),
    };
    execute(tx, &sql, values).await?;
    Ok(())
}
