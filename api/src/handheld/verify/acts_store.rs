//! All SQL of a verification of the chain over the log: links and rows by position, page by page. Reads
//! only. Texts are read as bytes: one in which a bit turned need be no text any more.

use crate::{
    db::{query_all, query_one},
    handheld::push::{
        frozen::{Frozen, Reading},
        store::Told,
    },
    log::{
        Position,
        chain::{Canonical, EntryRow, Link, Table},
    },
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};
use std::collections::VecDeque;
use suyuan_sync::chain::Hash;
use uuid::Uuid;

/// Entries read at once: a body may be long.
const ENTRIES: i64 = 64;
/// Events and links read at once.
const LINES: i64 = 1_000;

/// A row of the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) first: Position,
    pub(super) last: Position,
    /// `None`: it has not the length of a hash.
    pub(super) hash: Option<Hash>,
}

impl Kept {
    /// What the act behind it goes on from.
    pub(super) fn link(&self) -> Option<Link> {
        let last = self.last;
        self.hash.map(|hash| Link { hash, last })
    }
}

/// The head, its copy for the public side, and what the tables reach to, all of one moment.
pub(super) struct Head {
    pub(super) installation: Uuid,
    pub(super) link: Option<Link>,
    /// Does the copy say the same?
    pub(super) copied: bool,
    /// The installation as the copy says.
    pub(super) copy: Uuid,
    /// How far the head or its copy say that the log came, whichever says less.
    pub(super) least: Position,
    /// And more.
    pub(super) furthest: Position,
    /// The last row behind that, if there is one.
    pub(super) beyond: Option<Position>,
}

fn hash(bytes: Option<Vec<u8>>) -> Option<Hash> {
    let bytes = <[u8; 32]>::try_from(bytes?).ok()?;
    Some(Hash(bytes))
}

/// The head.
pub(super) async fn head(conn: &impl ConnectionTrait) -> Result<Head, DbErr> {
    let row = query_one(
        conn,
        "SELECT h.installation, h.gseq, h.stamp, h.chain, h.chained, p.installation AS copy, \
         p.position, p.stamp AS copied, (SELECT MAX(gseq) FROM event) AS event, \
         (SELECT MAX(gseq) FROM log_entry) AS entry FROM log_head h \
         JOIN public_head p ON p.id = h.id WHERE h.id = 1",
        [],
    )
    .await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("log_head".into()))?;
    let number = |name: &str| row.try_get::<Position>("", name);
    let (gseq, position) = (number("gseq")?, number("position")?);
    let (installation, copy): (Uuid, Uuid) =
        (row.try_get("", "installation")?, row.try_get("", "copy")?);
    let chained: Option<Position> = row.try_get("", "chained")?;
    let furthest = gseq.max(position);
    let [event, entry]: [Option<Position>; 2] =
        [row.try_get("", "event")?, row.try_get("", "entry")?];
    Ok(Head {
        installation,
        link: hash(row.try_get("", "chain")?)
            .zip(chained)
            .map(|(hash, last)| Link { hash, last }),
        copied: (gseq, number("stamp")?, installation) == (position, number("copied")?, copy),
        copy,
        least: gseq.min(position),
        furthest,
        beyond: event.max(entry).filter(|last| *last > furthest),
    })
}

/// The next links behind a position, in their order.
pub(super) async fn links(
    conn: &impl ConnectionTrait,
    after: Position,
) -> Result<Vec<Kept>, DbErr> {
    let rows = query_all(
        conn,
        "SELECT first_gseq, last_gseq, hash FROM log_chain WHERE first_gseq > ? \
         ORDER BY first_gseq LIMIT ?",
        [after.into(), LINES.into()],
    )
    .await?;
    let kept = |row: &QueryResult| {
        Ok(Kept {
            first: row.try_get("", "first_gseq")?,
            last: row.try_get("", "last_gseq")?,
            hash: hash(Some(row.try_get("", "hash")?)),
        })
    };
    rows.iter().map(kept).collect()
}

/// A row of the log in the bytes that the chain covers.
pub(super) struct Row {
    pub(super) gseq: Position,
    pub(super) table: Table,
    pub(super) bytes: Canonical,
}

/// The rows of a table, read on as they are taken.
struct Rows {
    table: Table,
    after: Position,
    read: VecDeque<Row>,
    ended: bool,
}

impl Rows {
    fn of(table: Table) -> Rows {
        Rows {
            table,
            after: Position::MIN,
            read: VecDeque::new(),
            ended: false,
        }
    }

    /// The position of the next one.
    async fn next(&mut self, conn: &impl ConnectionTrait) -> Result<Option<Position>, DbErr> {
        if self.read.is_empty() && !self.ended {
            let page = match self.table {
                Table::Entry => entries(conn, self.after).await?,
                Table::Event => events(conn, self.after).await?,
            };
            self.ended = page.is_empty();
            self.after = page.last().map_or(self.after, |last| last.gseq);
            self.read.extend(page);
        }
        Ok(self.read.front().map(|row| row.gseq))
    }
}

/// All rows of the log, in the order of their positions.
pub(super) struct Log {
    entries: Rows,
    events: Rows,
}

impl Log {
    pub(super) fn begin() -> Log {
        Log {
            entries: Rows::of(Table::Entry),
            events: Rows::of(Table::Event),
        }
    }

    /// The next row, unless it stands behind this position.
    pub(super) async fn next(
        &mut self,
        conn: &impl ConnectionTrait,
        upto: Position,
    ) -> Result<Option<Row>, DbErr> {
        let entry = self.entries.next(conn).await?;
        let event = self.events.next(conn).await?;
        let (entry, event) = (
            entry.unwrap_or(Position::MAX),
            event.unwrap_or(Position::MAX),
        );
        if entry.min(event) > upto {
            return Ok(None);
        }
        let rows = if entry <= event {
            &mut self.entries
        } else {
            &mut self.events
        };
        Ok(rows.read.pop_front())
    }
}

/// A text of a row as its bytes.
fn as_bytes(backend: DbBackend, column: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("convert_to({column}, 'UTF8') AS {column}"),
        _ => format!("CAST({column} AS BLOB) AS {column}"),
    }
}

/// A row that the database gives in other shapes than it was written in is no row that was written.
fn read(row: &QueryResult, table: Table) -> Result<Row, DbErr> {
    let gseq = row.try_get("", "gseq")?;
    let bytes = match table {
        Table::Entry => entry(row, gseq),
        Table::Event => event(row, gseq),
    };
    Ok(Row {
        gseq,
        table,
        bytes: bytes.unwrap_or_default(),
    })
}

async fn entries(conn: &impl ConnectionTrait, after: Position) -> Result<Vec<Row>, DbErr> {
    let backend = conn.get_database_backend();
    let texts = ["kind", "actor", "subject", "body"].map(|name| as_bytes(backend, name));
    let texts = texts.join(", ");
    let sql = format!(
        "SELECT gseq, stamp, enterprise_id, {texts} FROM log_entry WHERE gseq > ? \
         ORDER BY gseq LIMIT ?"
    );
    let rows = query_all(conn, &sql, [after.into(), ENTRIES.into()]).await?;
    rows.iter().map(|row| read(row, Table::Entry)).collect()
}

fn entry(row: &QueryResult, gseq: Position) -> Result<Canonical, DbErr> {
    let bytes = |name: &str| row.try_get::<Vec<u8>>("", name);
    let enterprise: Option<Uuid> = row.try_get("", "enterprise_id")?;
    let entry = EntryRow {
        gseq,
        stamp: row.try_get("", "stamp")?,
        kind: &bytes("kind")?,
        enterprise: enterprise.as_ref().map(|id| &id.as_bytes()[..]),
        actor: &bytes("actor")?,
        subject: &bytes("subject")?,
        body: &bytes("body")?,
    };
    Ok(entry.canonical())
}

async fn events(conn: &impl ConnectionTrait, after: Position) -> Result<Vec<Row>, DbErr> {
    let backend = conn.get_database_backend();
    let texts = ["kind", "told", "meant"].map(|name| as_bytes(backend, name));
    let texts = texts.join(", ");
    let sql = format!(
        "SELECT gseq, stamp, enterprise_id, device_id, epoch, seq, event_id, location_id, lo, est, \
         delivered, group_id, CAST(CAST(imported AS INTEGER) AS BIGINT) AS imported, branch, hash, \
         {texts} FROM event WHERE gseq > ? ORDER BY gseq LIMIT ?"
    );
    let rows = query_all(conn, &sql, [after.into(), LINES.into()]).await?;
    rows.iter().map(|row| read(row, Table::Event)).collect()
}

fn bytes_of(id: Option<&Uuid>) -> Option<&[u8]> {
    id.map(|id| &id.as_bytes()[..])
}

fn event(row: &QueryResult, gseq: Position) -> Result<Canonical, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    let bytes = |name: &str| row.try_get::<Vec<u8>>("", name);
    let maybe = |name: &str| row.try_get::<Option<Vec<u8>>>("", name);
    let id = |name: &str| row.try_get::<Option<Uuid>>("", name);
    let [enterprise, device] =
        [id("enterprise_id")?, id("device_id")?].map(Option::unwrap_or_default);
    let [event, location, group] = [id("event_id")?, id("location_id")?, id("group_id")?];
    let told = bytes("told")?;
    let (branch, meant) = (maybe("branch")?, maybe("meant")?);
    let frozen = Frozen {
        gseq,
        stamp: number("stamp")?,
        enterprise: enterprise.as_bytes(),
        device: device.as_bytes(),
        epoch: number("epoch")?,
        seq: number("seq")?,
        event: bytes_of(event.as_ref()),
        imported: number("imported")?,
        told: &told,
        branch: branch.as_deref(),
        hash: &bytes("hash")?,
        read: Reading {
            kind: &bytes("kind")?,
            location: bytes_of(location.as_ref()),
            group: bytes_of(group.as_ref()),
            lo: number("lo")?,
            est: number("est")?,
            delivered: number("delivered")?,
            meant: meant.as_deref(),
        },
    };
    // What cannot be read is not what was written, whatever stands beside it.
    let first = std::str::from_utf8(&told).ok().map(Told::read);
    let first = first.and_then(Result::ok).map(|told| told.remarks);
    let mut into = Canonical::default();
    frozen.write(&first.unwrap_or_default(), &mut into);
    Ok(into)
}
