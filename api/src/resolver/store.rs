//! What the resolver reads: the public projection, and nothing else. Every function here works
//! under the public database role.

use super::{
    exceptions::OtherUnit,
    world::{Batch, Change, Mark, Space, expiry_day},
};
use crate::{
    codes::{
        SpaceKey, UnitLevel,
        ring::{Opener, Ring},
    },
    db::{Reader, query_one},
    entities::{
        public_batch, public_chunk, public_file, public_link, public_product, public_range,
        public_recall, public_space, public_unit, query_chunk, query_count,
    },
    projection::{
        CHUNK_COPY, CHUNK_LISTED, CHUNK_OFTEN, CHUNK_VOID, RANGE_SEGMENT, read_bits,
        units::{
            CHUNK_COLLECTED, CHUNK_COPY_EVENTS, CHUNK_DESTROYED, CHUNK_HOLDS, CHUNK_RECALLED,
            CHUNK_STATED, UnitStatus,
        },
    },
    sealing::SealError,
};
use sea_orm::{ColumnTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use suyuan_sync::unit::UnitKey;
use thiserror::Error;
use uuid::Uuid;

/// Why the projection cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The database's word.
    #[error("projection")]
    Db(#[from] DbErr),
    /// A key does not open.
    #[error("issue key of {0}")]
    Key(String, #[source] SealError),
    /// A stored value cannot be read.
    #[error("projection row {0}")]
    Row(String),
}

/// Where the projection stands, as its primary says. A standby, or a primary that was set aside,
/// may be behind without knowing it: what it says is an error.
pub async fn head(db: &Reader) -> Result<(Uuid, i64), DbErr> {
    let sql = match db.backend() {
        DbBackend::Postgres => {
            "SELECT installation, position, current_setting('transaction_read_only') = 'on' AS behind \
             FROM public_head WHERE id = 1"
        }
        _ => "SELECT installation, position, FALSE AS behind FROM public_head WHERE id = 1",
    };
    let row = query_one(db.reader(), sql, []);
    let row = row
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("public_head".into()))?;
    if row.try_get("", "behind")? {
        return Err(DbErr::Custom(
            "the server takes no writes, so it is no primary".into(),
        ));
    }
    Ok((
        row.try_get("", "installation")?,
        row.try_get("", "position")?,
    ))
}

/// The tables a world is made of, in an order in which what is named comes first. Recalls come after
/// the units they name: they are read later, so that no unit names a recall that is not known yet.
pub const TABLES: [Table; 8] = [
    Table::Spaces,
    Table::Products,
    Table::Batches,
    Table::Ranges,
    Table::Chunks,
    Table::Units,
    Table::Recalls,
    Table::Links,
];

/// One of them.
#[derive(Debug, Clone, Copy)]
pub enum Table {
    /// `public_space`
    Spaces,
    /// `public_product`
    Products,
    /// `public_batch`
    Batches,
    /// `public_range`
    Ranges,
    /// `public_chunk`
    Chunks,
    /// `public_unit`
    Units,
    /// `public_recall`
    Recalls,
    /// `public_link`
    Links,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Table::Spaces => "public_space",
            Table::Products => "public_product",
            Table::Batches => "public_batch",
            Table::Ranges => "public_range",
            Table::Chunks => "public_chunk",
            Table::Units => "public_unit",
            Table::Recalls => "public_recall",
            Table::Links => "public_link",
        }
    }
}

/// Those of them, in their order, in which something has a position after `after`. Most of what is
/// committed changes none, and this is one question instead of two for each.
pub async fn changed(db: &Reader, after: i64) -> Result<Vec<Table>, DbErr> {
    let newer = TABLES.map(|table| {
        let name = table.name();
        format!("EXISTS (SELECT 1 FROM {name} WHERE position > ?) AS {name}")
    });
    let sql = format!("SELECT {}", newer.join(", "));
    let values = TABLES.map(|_| after.into());
    let row = query_one(db.reader(), &sql, values)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("what changed".into()))?;
    let mut changed = Vec::new();
    for table in TABLES {
        if row.try_get("", table.name())? {
            changed.push(table);
        }
    }
    Ok(changed)
}

/// Rows read in one page, give or take those that share the last position.
const PAGE: i64 = 5000;

/// The position a page of changes after `after` ends at; `None` when the rest fits one page.
pub async fn page_end(db: &Reader, table: Table, after: i64) -> Result<Option<i64>, DbErr> {
    let sql = format!(
        "SELECT position FROM {} WHERE position > ? ORDER BY position LIMIT 1 OFFSET {PAGE}",
        table.name()
    );
    let row = query_one(db.reader(), &sql, [after.into()]).await?;
    row.map(|row| row.try_get("", "position")).transpose()
}

/// Changes of a table with a position in (after, to].
pub async fn changes(
    db: &Reader,
    opener: &Opener,
    table: Table,
    after: i64,
    to: i64,
) -> Result<Vec<Change>, ReadError> {
    let conn = db.reader();
    match table {
        Table::Spaces => {
            let rows = public_space::Entity::find()
                .filter(public_space::Column::Position.gt(after))
                .filter(public_space::Column::Position.lte(to))
                .all(conn)
                .await?;
            rows.into_iter().map(|row| space(opener, row)).collect()
        }
        Table::Products => {
            // The view itself is read on demand.
            let rows: Vec<(Uuid, i64)> = public_product::Entity::find()
                .select_only()
                .column(public_product::Column::ProductId)
                .column(public_product::Column::Position)
                .filter(public_product::Column::Position.gt(after))
                .filter(public_product::Column::Position.lte(to))
                .into_tuple()
                .all(conn)
                .await?;
            Ok(rows
                .into_iter()
                .map(|(id, at)| Change::Product(id, at))
                .collect())
        }
        Table::Batches => {
            type Row = (Uuid, Uuid, String, String, bool, String, i64);
            let rows: Vec<Row> = public_batch::Entity::find()
                .select_only()
                .column(public_batch::Column::BatchId)
                .column(public_batch::Column::ProductId)
                .column(public_batch::Column::Lot)
                .column(public_batch::Column::ExpiryDate)
                .column(public_batch::Column::Published)
                .column(public_batch::Column::Recalls)
                .column(public_batch::Column::Position)
                .filter(public_batch::Column::Position.gt(after))
                .filter(public_batch::Column::Position.lte(to))
                .into_tuple()
                .all(conn)
                .await?;
            rows.into_iter()
                .map(
                    |(id, product, lot, expiry_date, published, recalls, position)| {
                        Ok(Change::Batch(Box::new(Batch {
                            id,
                            product,
                            lot,
                            expiry_day: expiry_day(&expiry_date),
                            expiry_date,
                            published,
                            recalls: serde_json::from_str(&recalls)
                                .map_err(|_| ReadError::Row(format!("public_batch {id}")))?,
                            position,
                        })))
                    },
                )
                .collect()
        }
        Table::Ranges => {
            let rows = public_range::Entity::find()
                .filter(public_range::Column::Position.gt(after))
                .filter(public_range::Column::Position.lte(to))
                .order_by_asc(public_range::Column::Lo)
                .all(conn)
                .await?;
            rows.into_iter().map(range).collect()
        }
        Table::Chunks => {
            let rows = public_chunk::Entity::find()
                .filter(public_chunk::Column::Position.gt(after))
                .filter(public_chunk::Column::Position.lte(to))
                .all(conn)
                .await?;
            // A kind that a newer release writes is not known here, and changes nothing here.
            rows.into_iter()
                .filter_map(|row| chunk(row).transpose())
                .collect()
        }
        Table::Units => {
            let rows = public_unit::Entity::find()
                .filter(public_unit::Column::Position.gt(after))
                .filter(public_unit::Column::Position.lte(to))
                .all(conn)
                .await?;
            rows.into_iter().map(other).collect()
        }
        Table::Recalls => {
            let rows = public_recall::Entity::find()
                .filter(public_recall::Column::Position.gt(after))
                .filter(public_recall::Column::Position.lte(to))
                .all(conn)
                .await?;
            rows.into_iter().map(recall).collect()
        }
        Table::Links => {
            let rows = public_link::Entity::find()
                .filter(public_link::Column::Position.gt(after))
                .filter(public_link::Column::Position.lte(to))
                .all(conn)
                .await?;
            rows.into_iter().map(links).collect()
        }
    }
}

fn space(opener: &Opener, row: public_space::Model) -> Result<Change, ReadError> {
    let unreadable = || ReadError::Row(format!("public_space {}", row.space));
    let key = SpaceKey::parse(&row.space).ok_or_else(unreadable)?;
    let level = UnitLevel::parse(&row.level).ok_or_else(unreadable)?;
    let keys: Vec<_> = serde_json::from_str(&row.keys).map_err(|_| unreadable())?;
    let ring = Ring::open(opener, &key, &keys)
        .map_err(|error| ReadError::Key(row.space.clone(), error))?;
    Ok(Change::Space(Box::new(Space::new(
        key,
        level,
        row.product_id,
        ring,
    ))))
}

fn range(row: public_range::Model) -> Result<Change, ReadError> {
    let unreadable = || ReadError::Row(format!("public_range {}/{}", row.space, row.lo));
    let key = SpaceKey::parse(&row.space).ok_or_else(unreadable)?;
    let (lo, hi) = (row.lo as u64, row.hi as u64);
    if row.kind == RANGE_SEGMENT {
        return Ok(Change::Segment(key, lo, hi));
    }
    let batch = row.batch_id.ok_or_else(unreadable)?;
    Ok(Change::Commissioned(key, lo, hi, batch))
}

fn chunk(row: public_chunk::Model) -> Result<Option<Change>, ReadError> {
    let key = SpaceKey::parse(&row.space)
        .ok_or_else(|| ReadError::Row(format!("public_chunk {}", row.space)))?;
    let bits = read_bits(&row.bits)?;
    let number = row.chunk as u32;
    let mark = match row.kind.as_str() {
        CHUNK_LISTED => return Ok(Some(Change::Listed(key, number, row.batch_id, bits))),
        CHUNK_STATED => return Ok(Some(Change::Stated(key, number, row.batch_id, bits))),
        CHUNK_HOLDS => return Ok(Some(Change::Holding(key, number, row.batch_id, bits))),
        CHUNK_RECALLED => return Ok(Some(Change::Recalled(key, number, row.batch_id, bits))),
        CHUNK_VOID => Mark::Void,
        CHUNK_OFTEN => Mark::QueriedOften,
        CHUNK_COPY => Mark::CopyByQueries,
        CHUNK_COPY_EVENTS => Mark::CopyByEvents,
        CHUNK_COLLECTED => Mark::Collected,
        CHUNK_DESTROYED => Mark::Destroyed,
        _ => return Ok(None),
    };
    Ok(Some(Change::Marked(key, number, mark, bits)))
}

fn other(row: public_unit::Model) -> Result<Change, ReadError> {
    let unreadable = |_| ReadError::Row(format!("public_unit {}", row.unit));
    let known = OtherUnit {
        status: UnitStatus::of_bits(row.status),
        recalls: serde_json::from_str(&row.recalls).map_err(unreadable)?,
        holds: serde_json::from_str(&row.holds).map_err(unreadable)?,
    };
    Ok(Change::Other(UnitKey::kept(&row.unit), known))
}

fn recall(row: public_recall::Model) -> Result<Change, ReadError> {
    if row.notice.is_empty() {
        return Ok(Change::Recall(row.recall_id, None));
    }
    let notice = serde_json::from_str(&row.notice)
        .map_err(|_| ReadError::Row(format!("public_recall {}", row.recall_id)))?;
    Ok(Change::Recall(row.recall_id, Some(notice)))
}

fn links(row: public_link::Model) -> Result<Change, ReadError> {
    let links = serde_json::from_str(&row.links)
        .map_err(|_| ReadError::Row(format!("public_link {}", row.anchor)))?;
    Ok(Change::Links(row.anchor, links))
}

/// What a batch shows (empty until published), and the version that was read.
pub async fn batch_view(db: &Reader, id: Uuid) -> Result<(String, i64), DbErr> {
    let row: Option<(String, i64)> = public_batch::Entity::find_by_id(id)
        .select_only()
        .column(public_batch::Column::View)
        .column(public_batch::Column::Position)
        .into_tuple()
        .one(db.reader())
        .await?;
    Ok(row.unwrap_or_default())
}

/// What a product shows, and the version that was read.
pub async fn product_view(db: &Reader, id: Uuid) -> Result<(String, i64), DbErr> {
    let row: Option<(String, i64)> = public_product::Entity::find_by_id(id)
        .select_only()
        .column(public_product::Column::View)
        .column(public_product::Column::Position)
        .into_tuple()
        .one(db.reader())
        .await?;
    Ok(row.unwrap_or_default())
}

/// A public file.
pub async fn file(db: &Reader, hash: &str) -> Result<Option<public_file::Model>, DbErr> {
    public_file::Entity::find_by_id(hash.to_owned())
        .one(db.reader())
        .await
}

/// How often a unit was queried, and first when.
pub async fn count(db: &Reader, space: &str, index: u64) -> Result<Option<(i64, i64)>, DbErr> {
    let row = query_count::Entity::find_by_id((space.to_owned(), index as i64))
        .one(db.reader())
        .await?;
    Ok(row.map(|row| (row.n, row.first_at)))
}

/// The fold a page of changed bitmaps ends at; `None` when the rest fits one page.
pub async fn queried_page_end(db: &Reader, after: i64) -> Result<Option<i64>, DbErr> {
    let row = query_one(
        db.reader(),
        "SELECT fold FROM query_chunk WHERE fold > ? ORDER BY fold LIMIT 1 OFFSET 2000",
        [after.into()],
    )
    .await?;
    row.map(|row| row.try_get("", "fold")).transpose()
}

/// Bitmaps of indices queried before, of folds in (after, to].
pub async fn queried(db: &Reader, after: i64, to: i64) -> Result<Vec<query_chunk::Model>, DbErr> {
    query_chunk::Entity::find()
        .filter(query_chunk::Column::Fold.gt(after))
        .filter(query_chunk::Column::Fold.lte(to))
        .all(db.reader())
        .await
}
