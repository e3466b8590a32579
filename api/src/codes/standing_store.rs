//! Where it is kept what indices of a code space are: read before the head of the log is locked, and
//! under it only what came since, so that the head is not held for what thousands of indices are.

use super::{
    CodesError,
    ranges::Range,
    standing::{Commissioned, Standing, Voided, chunks_of},
    targets::Minted,
};
use crate::{
    db::Db,
    entities::{public_chunk, public_range},
    log::{self, Act, Position},
    projection::{self, CHUNK_LISTED, CHUNK_VOID, RANGE_COMMISSION},
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Most chunks of 65 536 indices one request may touch, and most code spaces: each is a row written,
/// or two, while the log's head is held.
const CHUNKS_MAX: usize = 160;
/// See [`CHUNKS_MAX`].
const SPACES_MAX: usize = 16;

/// What indices were up to a position.
pub struct Known {
    upto: Position,
    spaces: BTreeMap<String, Standing>,
    chunks: BTreeMap<String, BTreeSet<u32>>,
}

/// Reads what is known of what a request names.
///
/// # Errors
///
/// Where it is spread too wide for one request.
pub async fn read(db: &Db, targets: &Minted) -> Result<Known, CodesError> {
    let mut chunks = BTreeMap::new();
    let mut left = CHUNKS_MAX;
    for (space, ranges) in targets {
        let touched = chunks_of(ranges, left);
        left = left
            .checked_sub(touched.len())
            .filter(|_| targets.len() <= SPACES_MAX)
            .ok_or_else(too_wide)?;
        chunks.insert(space.clone(), touched);
    }
    let tx = db.begin_reading().await?;
    let (upto, _) = log::head_in(&tx).await?;
    let mut known = Known {
        upto,
        spaces: BTreeMap::new(),
        chunks,
    };
    for (space, ranges) in targets {
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            continue;
        };
        let rows = public_range::Entity::find()
            .filter(public_range::Column::Space.eq(space))
            .filter(public_range::Column::Kind.eq(RANGE_COMMISSION))
            .filter(public_range::Column::Lo.lte(last.hi as i64))
            .filter(public_range::Column::Hi.gte(first.lo as i64))
            .all(&tx)
            .await?;
        known.add_ranges(rows);
        let touched = known.chunks.get(space).into_iter().flatten();
        let rows = public_chunk::Entity::find()
            .filter(public_chunk::Column::Space.eq(space))
            .filter(public_chunk::Column::Chunk.is_in(touched.map(|chunk| i64::from(*chunk))))
            .filter(public_chunk::Column::Kind.is_in([CHUNK_VOID, CHUNK_LISTED]))
            .all(&tx)
            .await?;
        known.add_chunks(rows)?;
    }
    tx.commit().await?;
    Ok(known)
}

fn too_wide() -> CodesError {
    CodesError::field(
        "codes",
        "spread-too-wide",
        "these codes lie too far apart for one request; send them in smaller parts",
        "追溯码过于分散，请分批提交",
    )
}

impl Known {
    /// Reads what came since, whatever it is of: between two acts that is little.
    pub async fn renew(&mut self, act: &Act) -> Result<(), DbErr> {
        let rows = public_range::Entity::find()
            .filter(public_range::Column::Position.gt(self.upto))
            .filter(public_range::Column::Kind.eq(RANGE_COMMISSION))
            .all(act.tx())
            .await?;
        self.add_ranges(rows);
        let rows = public_chunk::Entity::find()
            .filter(public_chunk::Column::Position.gt(self.upto))
            .filter(public_chunk::Column::Kind.is_in([CHUNK_VOID, CHUNK_LISTED]))
            .all(act.tx())
            .await?;
        self.add_chunks(rows)
    }

    /// What the indices of a space are.
    pub fn standing(&mut self, space: &str) -> Standing {
        self.spaces.remove(space).unwrap_or_default()
    }

    fn add_ranges(&mut self, rows: Vec<public_range::Model>) {
        for row in rows {
            if let Some(batch) = row.batch_id
                && let Some(range) = Range::new(row.lo as u64, row.hi as u64)
                && self.chunks.contains_key(&row.space)
            {
                self.spaces
                    .entry(row.space)
                    .or_default()
                    .add_range(range, batch);
            }
        }
    }

    fn add_chunks(&mut self, rows: Vec<public_chunk::Model>) -> Result<(), DbErr> {
        for row in rows {
            let chunk = row.chunk as u32;
            let is_asked = |chunks: &BTreeSet<u32>| chunks.contains(&chunk);
            if !self.chunks.get(&row.space).is_some_and(is_asked) {
                continue;
            }
            let bits = projection::read_bits(&row.bits)?;
            let standing = self.spaces.entry(row.space).or_default();
            if row.kind == CHUNK_VOID {
                standing.set_void(chunk, bits);
            } else {
                standing.set_listed(chunk, row.batch_id, bits);
            }
        }
        Ok(())
    }
}

/// Shows codes as commissioned.
pub async fn commission(
    act: &Act,
    space: &str,
    batch: Uuid,
    done: Commissioned,
) -> Result<(), DbErr> {
    let ranges = done.ranges.iter().map(|range| (range.lo, range.hi));
    projection::put_ranges(act, space, RANGE_COMMISSION, ranges, Some(batch)).await?;
    let chunks = done.chunks.into_iter().collect();
    projection::put_chunks(act, space, CHUNK_LISTED, batch, chunks).await
}

/// Shows codes as void.
pub async fn destroy(act: &Act, space: &str, done: Voided) -> Result<(), DbErr> {
    let chunks = done.chunks.into_iter().collect();
    projection::put_chunks(act, space, CHUNK_VOID, Uuid::nil(), chunks).await
}
