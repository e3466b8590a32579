//! Writes the public projection: everything a consumer-facing process may read, in the same
//! transaction as the log entry that changed it. Rows carry the act's position. This module
//! decides nothing; the resolver reads what stands here.

pub mod rights;
pub mod units;

use crate::{
    catalogue::PublicItem,
    db::{execute, query_one, rows::Rows},
    log::{Act, Position},
};
use roaring::RoaringBitmap;
use sea_orm::{DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where the projection is written: in whose transaction, under which position.
pub trait Place {
    /// The transaction.
    fn tx(&self) -> &DatabaseTransaction;
    /// The position rows carry.
    fn position(&self) -> Position;
}

impl Place for Act {
    fn tx(&self) -> &DatabaseTransaction {
        Act::tx(self)
    }

    fn position(&self) -> Position {
        Act::position(self)
    }
}

/// A place within a block of entries.
pub struct Placed<'a> {
    /// The block's transaction.
    pub tx: &'a DatabaseTransaction,
    /// A position of the block.
    pub position: Position,
}

impl Place for Placed<'_> {
    fn tx(&self) -> &DatabaseTransaction {
        self.tx
    }

    fn position(&self) -> Position {
        self.position
    }
}

/// What a published product or batch shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct View {
    /// The name consumers know.
    pub name: String,
    /// Table 8 in printed order.
    pub items: Vec<PublicItem>,
    /// A newer version of the product is public; these goods show the one they were made under.
    pub newer: bool,
    /// The standard it follows: what a complaint about it must say depends on it.
    #[serde(default)]
    pub profile: String,
}

/// A batch as the public side knows it.
pub struct Batch<'a> {
    /// Id.
    pub id: Uuid,
    /// Its product.
    pub product: Uuid,
    /// Lot.
    pub lot: &'a str,
    /// `YYYY-MM-DD`, empty for goods that do not expire.
    pub expiry_date: &'a str,
    /// Absent until published.
    pub view: Option<&'a View>,
}

/// An open recall as a batch shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Id.
    pub id: Uuid,
    /// Why.
    pub reason: String,
    /// What to do.
    pub instructions: String,
    /// When it was opened, microseconds.
    pub opened_at: i64,
}

/// How a complaint or feedback stands, for whoever holds its receipt.
pub struct Complaint<'a> {
    /// Digest of the receipt.
    pub receipt: &'a str,
    /// `complaint` or `feedback`.
    pub kind: &'a str,
    /// Its state.
    pub state: &'a str,
    /// When it was told, microseconds.
    pub received_at: i64,
    /// What was answered.
    pub answer: Option<&'a str>,
    /// When.
    pub answered_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Is its personal part gone?
    pub erased: bool,
}

/// A link as the public side knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Id.
    pub id: Uuid,
    /// Link type: `gs1:…` or the address of another.
    pub link_type: String,
    /// Where it leads.
    pub href: String,
    /// What is there.
    pub title: String,
    /// Media type of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Languages of the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hreflang: Vec<String>,
    /// Contexts it is meant for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
}

/// Kinds of `public_range`.
pub const RANGE_SEGMENT: &str = "segment";
/// A range commissioned to a batch.
pub const RANGE_COMMISSION: &str = "commission";
/// Kinds of `public_chunk`: indices commissioned one by one.
pub const CHUNK_LISTED: &str = "listed";
/// Indices destroyed before use.
pub const CHUNK_VOID: &str = "void";
/// Indices queried unusually often.
pub const CHUNK_OFTEN: &str = "queried_often";
/// Indices of which a copy is suspected.
pub const CHUNK_COPY: &str = "suspected_copy";

/// Shows a code space and its wrapped keys.
pub async fn put_space(
    act: &Act,
    space: &str,
    enterprise: Uuid,
    product: Option<Uuid>,
    level: &str,
    keys: &str,
) -> Result<(), DbErr> {
    run(
        act,
        "INSERT INTO public_space (space, enterprise_id, product_id, level, keys, position) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (space) DO UPDATE SET \
         keys = excluded.keys, position = excluded.position",
        vec![
            space.into(),
            enterprise.into(),
            product.into(),
            level.into(),
            keys.into(),
            act.position().into(),
        ],
    )
    .await
}

/// Shows a product.
pub async fn put_product(act: &Act, product: Uuid, view: &View) -> Result<(), DbErr> {
    run(
        act,
        "INSERT INTO public_product (product_id, view, position) VALUES (?, ?, ?) \
         ON CONFLICT (product_id) DO UPDATE SET view = excluded.view, position = excluded.position",
        vec![product.into(), json(view)?.into(), act.position().into()],
    )
    .await
}

/// Shows a batch; its recalls stay as they are.
pub async fn put_batch(act: &Act, batch: &Batch<'_>) -> Result<(), DbErr> {
    let view = match batch.view {
        Some(view) => json(view)?,
        None => String::new(),
    };
    run(
        act,
        "INSERT INTO public_batch \
         (batch_id, product_id, lot, expiry_date, published, view, recalls, position) \
         VALUES (?, ?, ?, ?, ?, ?, '[]', ?) ON CONFLICT (batch_id) DO UPDATE SET \
         lot = excluded.lot, expiry_date = excluded.expiry_date, published = excluded.published, \
         view = excluded.view, position = excluded.position",
        vec![
            batch.id.into(),
            batch.product.into(),
            batch.lot.into(),
            batch.expiry_date.into(),
            batch.view.is_some().into(),
            view.into(),
            act.position().into(),
        ],
    )
    .await
}

/// Shows which recalls are open for these batches.
pub async fn set_recalls(act: &Act, batches: &[Uuid], recalls: &[Recall]) -> Result<(), DbErr> {
    if batches.is_empty() {
        return Ok(());
    }
    let places = vec!["?"; batches.len()].join(", ");
    let mut values = vec![json(&recalls)?.into(), act.position().into()];
    values.extend(batches.iter().map(|batch| sea_orm::Value::from(*batch)));
    let sql =
        format!("UPDATE public_batch SET recalls = ?, position = ? WHERE batch_id IN ({places})");
    run(act, &sql, values).await
}

/// Shows the links of an anchor, all of them; none is the tombstone.
pub async fn put_links(act: &Act, anchor: &str, links: &[Link]) -> Result<(), DbErr> {
    run(
        act,
        "INSERT INTO public_link (anchor, links, position) VALUES (?, ?, ?) \
         ON CONFLICT (anchor) DO UPDATE SET links = excluded.links, position = excluded.position",
        vec![anchor.into(), json(&links)?.into(), act.position().into()],
    )
    .await
}

/// Shows disjoint ranges of indices; none is none.
pub async fn put_ranges(
    act: &Act,
    space: &str,
    kind: &str,
    ranges: impl IntoIterator<Item = (u64, u64)>,
    batch: Option<Uuid>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(6);
    for (lo, hi) in ranges {
        rows.add([
            space.into(),
            kind.into(),
            (lo as i64).into(),
            (hi as i64).into(),
            batch.into(),
            act.position().into(),
        ]);
    }
    let head = "INSERT INTO public_range (space, kind, lo, hi, batch_id, position)";
    rows.write(act.tx(), head, "").await?;
    Ok(())
}

/// Shows bitmaps over 65 536 indices each, of one kind; none is none. `batch` is nil where none is meant.
pub async fn put_chunks(
    act: &impl Place,
    space: &str,
    kind: &str,
    batch: Uuid,
    chunks: Vec<(u32, RoaringBitmap)>,
) -> Result<(), DbErr> {
    let mut rows = Rows::of(6);
    for (chunk, mut bits) in chunks {
        rows.add([
            space.into(),
            i64::from(chunk).into(),
            kind.into(),
            batch.into(),
            write_bits(&mut bits)?.into(),
            act.position().into(),
        ]);
    }
    let head = "INSERT INTO public_chunk (space, chunk, kind, batch_id, bits, position)";
    let tail = "ON CONFLICT (space, chunk, kind, batch_id) \
                DO UPDATE SET bits = excluded.bits, position = excluded.position";
    rows.write(act.tx(), head, tail).await?;
    Ok(())
}

/// Shows a file of an enterprise. Its bytes stay in the database.
pub async fn put_file(act: &Act, enterprise: Uuid, hash: &str) -> Result<(), DbErr> {
    run(
        act,
        "INSERT INTO public_file (hash, media_type, title, content, position) \
         SELECT hash, media_type, title, content, ? FROM file_object \
         WHERE enterprise_id = ? AND hash = ? ON CONFLICT (hash) DO NOTHING",
        vec![act.position().into(), enterprise.into(), hash.into()],
    )
    .await
}

/// Shows how a complaint stands, to whoever holds its receipt.
pub async fn put_complaint(act: &Act, complaint: &Complaint<'_>) -> Result<(), DbErr> {
    run(
        act,
        "INSERT INTO public_complaint \
         (receipt, kind, state, received_at, answer, answered_at, closed_at, erased, position) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receipt) DO UPDATE SET \
         state = excluded.state, answer = excluded.answer, answered_at = excluded.answered_at, \
         closed_at = excluded.closed_at, erased = excluded.erased, position = excluded.position",
        vec![
            complaint.receipt.into(),
            complaint.kind.into(),
            complaint.state.into(),
            complaint.received_at.into(),
            complaint.answer.into(),
            complaint.answered_at.into(),
            complaint.closed_at.into(),
            complaint.erased.into(),
            act.position().into(),
        ],
    )
    .await
}

/// Does a batch show exactly this already?
pub async fn is_shown(act: &Act, batch: Uuid, view: &View) -> Result<bool, DbErr> {
    let sql = "SELECT view FROM public_batch WHERE batch_id = ?";
    let row = query_one(act.tx(), sql, [batch.into()]).await?;
    let shown: Option<String> = row.map(|row| row.try_get("", "view")).transpose()?;
    Ok(shown.as_deref() == Some(json(view)?.as_str()))
}

/// Reads a stored bitmap.
pub fn read_bits(bytes: &[u8]) -> Result<RoaringBitmap, DbErr> {
    RoaringBitmap::deserialize_from(bytes).map_err(|e| DbErr::Custom(format!("bitmap: {e}")))
}

/// Writes a bitmap as small as it gets.
pub fn write_bits(bits: &mut RoaringBitmap) -> Result<Vec<u8>, DbErr> {
    bits.optimize();
    let mut bytes = Vec::with_capacity(bits.serialized_size());
    bits.serialize_into(&mut bytes)
        .map_err(|e| DbErr::Custom(format!("bitmap: {e}")))?;
    Ok(bytes)
}

fn json(value: &impl Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|e| DbErr::Json(e.to_string()))
}

async fn run(act: &impl Place, sql: &str, values: Vec<sea_orm::Value>) -> Result<(), DbErr> {
    let tx = act.tx();
    execute(tx, sql, values).await?;
    Ok(())
}
