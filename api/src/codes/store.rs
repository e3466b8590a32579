//! All SQL about issuing codes.

use super::{
    CodesError, InTheWay, SpaceError, SpaceKey, UnitLevel,
    minting::MintProfile,
    ranges::{Range, runs, uncovered},
    ring::{Opener, Ring, WrappedKey, context},
    wire::{CommissionRecord, DestructionRecord, SegmentOut},
};
use crate::{
    clock::{day_of, rfc3339},
    db::Db,
    entities::{
        code_destruction, code_space, commission, issue_key, public_chunk, public_range,
        public_space, segment,
    },
    http::page::Paging,
    log::Act,
    projection::{self, CHUNK_LISTED, CHUNK_VOID, RANGE_COMMISSION, RANGE_SEGMENT},
    sealing::Sealer,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use roaring::RoaringBitmap;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Offsets in a chunk.
const CHUNK_BITS: u32 = 16;
/// Indices named in a refusal.
const EXAMPLES: usize = 5;

/// A code space to be opened.
pub struct NewSpace {
    /// Its name.
    pub space: SpaceKey,
    /// Whose units it holds; none for logistic units.
    pub product: Option<Uuid>,
    /// The level of its units.
    pub level: UnitLevel,
    /// How its serials are minted; without meaning for logistic units.
    pub profile: MintProfile,
}

/// Opens a code space with its first key and shows it to the public side.
pub async fn open_space(
    act: &Act,
    sealer: &Sealer,
    enterprise: Uuid,
    new: NewSpace,
) -> Result<(), SpaceError> {
    let NewSpace {
        space,
        product,
        level,
        profile,
    } = new;
    let name = space.to_string();
    code_space::Entity::insert(code_space::ActiveModel {
        enterprise_id: Set(enterprise),
        space: Set(name.clone()),
        product_id: Set(product),
        level: Set(level.name().into()),
        mint_profile: Set(profile.name().into()),
        next_index: Set(0),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    let mut keys = Vec::new();
    if space.is_minted() {
        let id = profile.first_key_id();
        let bound_to = context(&space, id, profile);
        let secret = sealer.new_secret(&bound_to)?;
        keys.push(WrappedKey::wrap(
            sealer,
            &space,
            id,
            profile,
            secret.as_slice(),
        )?);
        issue_key::Entity::insert(issue_key::ActiveModel {
            enterprise_id: Set(enterprise),
            space: Set(name.clone()),
            key_id: Set(id.into()),
            wrapped: Set(sealer.wrap(&bound_to, secret.as_slice())?),
            created_at: Set(act.stamp()),
        })
        .exec_without_returning(act.tx())
        .await?;
    }
    let keys =
        serde_json::to_string(&keys).map_err(|e| SpaceError::Db(DbErr::Json(e.to_string())))?;
    projection::put_space(act, &name, enterprise, product, level.name(), &keys).await?;
    Ok(())
}

/// Wraps for readers what a release without reader keys wrote. Changes no answer, so no position
/// moves; a row that changed meanwhile is left to whoever changed it. Returns how many rows it was.
pub async fn wrap_for_readers(db: &Db, sealer: &Sealer) -> Result<u64, SpaceError> {
    let unread = |why: String| SpaceError::Db(DbErr::Custom(why));
    let mut wrapped = 0;
    for row in public_space::Entity::find().all(db.reader()).await? {
        let name = || unread(format!("public_space {}", row.space));
        let space = SpaceKey::parse(&row.space).ok_or_else(name)?;
        let keys: Vec<WrappedKey> = serde_json::from_str(&row.keys).map_err(|_| name())?;
        if keys.iter().all(|key| !key.for_readers.is_empty()) {
            continue;
        }
        let opener = Opener::Master(sealer.clone());
        let keys = keys
            .into_iter()
            .map(|key| {
                let secret = opener.open(&space, &key)?;
                WrappedKey::wrap(sealer, &space, key.id, key.profile, &secret)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let keys = serde_json::to_string(&keys).map_err(|e| unread(e.to_string()))?;
        let update = public_space::Entity::update_many()
            .col_expr(public_space::Column::Keys, keys.into())
            .filter(public_space::Column::Space.eq(&row.space))
            .filter(public_space::Column::Keys.eq(&row.keys));
        wrapped += update.exec(db.writer()).await?.rows_affected;
    }
    Ok(wrapped)
}

/// Spaces of a product, smallest unit first.
pub async fn spaces_of(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    product: Uuid,
) -> Result<Vec<code_space::Model>, DbErr> {
    code_space::Entity::find()
        .filter(code_space::Column::EnterpriseId.eq(enterprise))
        .filter(code_space::Column::ProductId.eq(product))
        .order_by_desc(code_space::Column::Level)
        .all(tx)
        .await
}

/// How the serials of a space are minted.
pub fn profile_of(space: &code_space::Model) -> Result<MintProfile, DbErr> {
    MintProfile::parse(&space.mint_profile)
        .ok_or_else(|| DbErr::Type(format!("code_space {}: mint_profile", space.space)))
}

/// Is this a space of the enterprise?
pub async fn has_space(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    key: SpaceKey,
) -> Result<bool, DbErr> {
    Ok(space(tx, enterprise, &key.to_string()).await?.is_some())
}

/// A space of this enterprise.
pub async fn space(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    name: &str,
) -> Result<Option<code_space::Model>, DbErr> {
    code_space::Entity::find_by_id((enterprise, name.to_owned()))
        .one(tx)
        .await
}

/// The opened keys of a space of this enterprise.
pub async fn ring(
    db: &Db,
    sealer: &Sealer,
    enterprise: Uuid,
    space: &SpaceKey,
) -> Result<Ring, SpaceError> {
    let name = space.to_string();
    let profile = match self::space(db.reader(), enterprise, &name).await? {
        Some(space) => profile_of(&space)?,
        None => return Ok(Ring::default()),
    };
    let rows = issue_key::Entity::find()
        .filter(issue_key::Column::EnterpriseId.eq(enterprise))
        .filter(issue_key::Column::Space.eq(name))
        .all(db.reader())
        .await?;
    let keys: Vec<WrappedKey> = rows
        .into_iter()
        .map(|row| WrappedKey {
            id: u8::try_from(row.key_id).unwrap_or(u8::MAX),
            wrapped: STANDARD.encode(row.wrapped),
            for_readers: String::new(),
            profile,
        })
        .collect();
    Ok(Ring::open(&Opener::Master(sealer.clone()), space, &keys)?)
}

/// Takes the next `count` indices of a space as a segment and shows it.
pub async fn allocate(
    act: &Act,
    enterprise: Uuid,
    name: &str,
    count: u64,
) -> Result<SegmentOut, CodesError> {
    let space = space(act.tx(), enterprise, name)
        .await?
        .ok_or(CodesError::Unknown)?;
    let profile = profile_of(&space)?;
    let (capacity, key_id) = match SpaceKey::parse(name).ok_or(CodesError::Unknown)? {
        SpaceKey::Sscc(prefix) => (SpaceKey::sscc_capacity(&prefix), 0),
        SpaceKey::Gtin(_) | SpaceKey::Own(..) => (profile.index_space(), profile.first_key_id()),
    };
    let lo = space.next_index as u64;
    let hi = lo.saturating_add(count - 1);
    if hi >= capacity {
        return Err(CodesError::field(
            "count",
            "space-exhausted",
            "the code space has not that many codes left",
            "剩余码量不足",
        ));
    }
    code_space::Entity::update_many()
        .col_expr(code_space::Column::NextIndex, (hi as i64 + 1).into())
        .filter(code_space::Column::EnterpriseId.eq(enterprise))
        .filter(code_space::Column::Space.eq(name))
        .exec(act.tx())
        .await?;
    let id = Uuid::now_v7();
    segment::Entity::insert(segment::ActiveModel {
        enterprise_id: Set(enterprise),
        id: Set(id),
        space: Set(name.to_owned()),
        key_id: Set(key_id.into()),
        lo: Set(lo as i64),
        hi: Set(hi as i64),
        created_at: Set(act.stamp()),
    })
    .exec_without_returning(act.tx())
    .await?;
    projection::put_range(act, name, RANGE_SEGMENT, (lo, hi), None).await?;
    Ok(SegmentOut {
        id,
        space: name.to_owned(),
        from: lo,
        to: hi,
        count,
    })
}

/// A segment of this enterprise.
pub async fn segment(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<segment::Model, CodesError> {
    let row = segment::Entity::find_by_id((enterprise, id))
        .one(tx)
        .await?;
    row.ok_or(CodesError::Unknown)
}

/// Segments of an enterprise.
pub async fn segments(db: &Db, enterprise: Uuid, paging: Paging) -> Result<Vec<SegmentOut>, DbErr> {
    let rows = segment::Entity::find()
        .filter(segment::Column::EnterpriseId.eq(enterprise))
        .filter(segment::Column::Id.gt(paging.after))
        .order_by_asc(segment::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    Ok(rows.into_iter().map(segment_out).collect())
}

/// Commissionings of an enterprise.
pub async fn commissions(
    db: &Db,
    enterprise: Uuid,
    paging: Paging,
) -> Result<Vec<CommissionRecord>, DbErr> {
    let rows = commission::Entity::find()
        .filter(commission::Column::EnterpriseId.eq(enterprise))
        .filter(commission::Column::Id.gt(paging.after))
        .order_by_asc(commission::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    let told = |row: commission::Model| CommissionRecord {
        id: row.id,
        space: row.space,
        batch_id: row.batch_id,
        codes: row.codes,
        what: row.what,
        at: rfc3339(row.created_at),
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Destructions of an enterprise.
pub async fn destructions(
    db: &Db,
    enterprise: Uuid,
    paging: Paging,
) -> Result<Vec<DestructionRecord>, DbErr> {
    let rows = code_destruction::Entity::find()
        .filter(code_destruction::Column::EnterpriseId.eq(enterprise))
        .filter(code_destruction::Column::Id.gt(paging.after))
        .order_by_asc(code_destruction::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await?;
    let told = |row: code_destruction::Model| DestructionRecord {
        id: row.id,
        space: row.space,
        codes: row.codes,
        what: row.what,
        reason: row.reason,
        method: row.method,
        witness: row.witness,
        evidence: row.evidence,
        destroyed_on: day_of(row.destroyed_at).to_string(),
        at: rfc3339(row.created_at),
    };
    Ok(rows.into_iter().map(told).collect())
}

/// A segment as told.
pub fn segment_out(row: segment::Model) -> SegmentOut {
    SegmentOut {
        id: row.id,
        space: row.space,
        from: row.lo as u64,
        to: row.hi as u64,
        count: (row.hi - row.lo + 1) as u64,
    }
}

/// What is known of the indices a request names, in one space.
struct Standing {
    /// Commissioned ranges that overlap, with their batch.
    ranges: Vec<(Range, Uuid)>,
    /// Commissioned one by one, per batch and chunk.
    listed: BTreeMap<(u32, Uuid), RoaringBitmap>,
    /// Destroyed, per chunk.
    void: BTreeMap<u32, RoaringBitmap>,
}

impl Standing {
    /// Indices of `range` listed for a batch that `owner` accepts.
    fn listed(&self, range: Range, owner: impl Fn(Uuid) -> bool) -> impl Iterator<Item = u64> {
        let (first, last) = (split(range.lo).0, split(range.hi).0);
        self.listed
            .range((first, Uuid::nil())..=(last, Uuid::max()))
            .filter(move |((_, batch), _)| owner(*batch))
            .flat_map(move |((chunk, _), bits)| within(range, *chunk, bits))
    }

    /// Destroyed indices of `range`.
    fn void(&self, range: Range) -> impl Iterator<Item = u64> {
        let (first, last) = (split(range.lo).0, split(range.hi).0);
        self.void
            .range(first..=last)
            .flat_map(move |(chunk, bits)| within(range, *chunk, bits))
    }

    /// First indices of the parts of `range` in ranges of a batch that `owner` accepts.
    fn taken(&self, range: Range, owner: impl Fn(Uuid) -> bool) -> impl Iterator<Item = u64> {
        self.ranges
            .iter()
            .filter(move |(taken, batch)| taken.overlaps(range) && owner(*batch))
            .map(move |(taken, _)| taken.lo.max(range.lo))
    }
}

/// A run long enough to be a range costs one row; a scattered index costs one bit.
const RUN_MIN: u64 = 64;

/// Commissions ranges to a batch, all or none. Returns how many are new and how many were so.
pub async fn commission(
    act: &Act,
    space: &str,
    batch: Uuid,
    wanted: &[Range],
) -> Result<(u64, u64), CodesError> {
    let standing = standing(act, space, wanted).await?;
    let (mut new, mut same) = (0, 0);
    let mut chunks: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
    let mut runs_to_put = Vec::new();
    for &range in wanted {
        refuse(InTheWay::Void, standing.void(range))?;
        let other = |owner| owner != batch;
        let others = standing
            .taken(range, other)
            .chain(standing.listed(range, other));
        refuse(InTheWay::OtherBatch, others)?;
        let mut taken: Vec<Range> = standing
            .ranges
            .iter()
            .map(|(taken, _)| *taken)
            .filter(|taken| taken.overlaps(range))
            .collect();
        let listed: Vec<u64> = standing.listed(range, |_| true).collect();
        taken.extend(runs(&listed));
        let parts = uncovered(range, &taken);
        let added: u64 = parts.iter().map(|part| part.len()).sum();
        new += added;
        same += range.len() - added;
        for part in parts {
            if part.len() >= RUN_MIN {
                runs_to_put.push(part);
            } else {
                for index in part.lo..=part.hi {
                    let (chunk, offset) = split(index);
                    chunks.entry(chunk).or_default().insert(offset);
                }
            }
        }
    }
    for run in runs_to_put {
        projection::put_range(act, space, RANGE_COMMISSION, (run.lo, run.hi), Some(batch)).await?;
    }
    for (chunk, mut bits) in chunks {
        bits |= standing
            .listed
            .get(&(chunk, batch))
            .unwrap_or(&RoaringBitmap::new());
        projection::put_chunk(act, space, chunk, CHUNK_LISTED, batch, bits).await?;
    }
    Ok((new, same))
}

/// Makes indices void, all or none. Refused while any is in use.
pub async fn destroy(act: &Act, space: &str, wanted: &[Range]) -> Result<(u64, u64), CodesError> {
    let standing = standing(act, space, wanted).await?;
    let mut void: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
    for &range in wanted {
        let used = standing
            .taken(range, |_| true)
            .chain(standing.listed(range, |_| true));
        refuse(InTheWay::InUse, used)?;
        for chunk in split(range.lo).0..=split(range.hi).0 {
            let start = u64::from(chunk) << CHUNK_BITS;
            let from = range.lo.max(start) - start;
            let to = range.hi.min(start + 0xffff) - start;
            void.entry(chunk)
                .or_default()
                .insert_range(from as u32..=to as u32);
        }
    }
    let (mut new, mut same) = (0, 0);
    for (chunk, mut bits) in void {
        let none = RoaringBitmap::new();
        let before = standing.void.get(&chunk).unwrap_or(&none);
        let known = bits.intersection_len(before);
        same += known;
        new += bits.len() - known;
        bits |= before;
        projection::put_chunk(act, space, chunk, CHUNK_VOID, Uuid::nil(), bits).await?;
    }
    Ok((new, same))
}

fn refuse(what: InTheWay, indices: impl Iterator<Item = u64>) -> Result<(), CodesError> {
    let examples: Vec<u64> = indices.take(EXAMPLES).collect();
    if examples.is_empty() {
        return Ok(());
    }
    Err(CodesError::InTheWay(what, examples))
}

/// Most chunks of 65 536 indices one request may touch: each is a row written while the log's head
/// is held.
pub const CHUNKS_MAX: usize = 160;

/// Reads what is known, in two statements however many indices are named.
async fn standing(act: &Act, space: &str, wanted: &[Range]) -> Result<Standing, CodesError> {
    let mut standing = Standing {
        ranges: Vec::new(),
        listed: BTreeMap::new(),
        void: BTreeMap::new(),
    };
    let (Some(lo), Some(hi)) = (
        wanted.iter().map(|r| r.lo).min(),
        wanted.iter().map(|r| r.hi).max(),
    ) else {
        return Ok(standing);
    };
    let mut touched = BTreeSet::new();
    for range in wanted {
        for chunk in split(range.lo).0..=split(range.hi).0 {
            touched.insert(i64::from(chunk));
            if touched.len() > CHUNKS_MAX {
                return Err(CodesError::field(
                    "codes",
                    "spread-too-wide",
                    "these codes lie too far apart for one request; send them in smaller parts",
                    "追溯码过于分散，请分批提交",
                ));
            }
        }
    }
    standing.ranges = public_range::Entity::find()
        .filter(public_range::Column::Space.eq(space))
        .filter(public_range::Column::Kind.eq(RANGE_COMMISSION))
        .filter(public_range::Column::Lo.lte(hi as i64))
        .filter(public_range::Column::Hi.gte(lo as i64))
        .all(act.tx())
        .await?
        .iter()
        .filter_map(|row| Some((Range::new(row.lo as u64, row.hi as u64)?, row.batch_id?)))
        .collect();
    let chunks = public_chunk::Entity::find()
        .filter(public_chunk::Column::Space.eq(space))
        .filter(public_chunk::Column::Chunk.is_in(touched))
        .filter(public_chunk::Column::Kind.is_in([CHUNK_VOID, CHUNK_LISTED]))
        .all(act.tx())
        .await?;
    for row in chunks {
        let bits = projection::read_bits(&row.bits)?;
        let chunk = row.chunk as u32;
        if row.kind == CHUNK_VOID {
            standing.void.insert(chunk, bits);
        } else {
            standing.listed.insert((chunk, row.batch_id), bits);
        }
    }
    Ok(standing)
}

/// Are all these indices allocated to this enterprise?
pub async fn refuse_unallocated(
    tx: &impl ConnectionTrait,
    enterprise: Uuid,
    space: &str,
    wanted: &[Range],
) -> Result<(), CodesError> {
    let rows = segment::Entity::find()
        .filter(segment::Column::EnterpriseId.eq(enterprise))
        .filter(segment::Column::Space.eq(space))
        .all(tx)
        .await?;
    let held: Vec<Range> = rows
        .iter()
        .filter_map(|row| Range::new(row.lo as u64, row.hi as u64))
        .collect();
    let outside: Vec<u64> = wanted
        .iter()
        .flat_map(|range| uncovered(*range, &held))
        .map(|range| range.lo)
        .take(EXAMPLES)
        .collect();
    if outside.is_empty() {
        return Ok(());
    }
    Err(CodesError::InTheWay(InTheWay::NotAllocated, outside))
}

/// The indices of a chunk's bitmap that lie in a range.
fn within(range: Range, chunk: u32, bits: &RoaringBitmap) -> impl Iterator<Item = u64> {
    let start = u64::from(chunk) << CHUNK_BITS;
    let from = range.lo.max(start) - start;
    let to = range.hi.min(start + 0xffff).saturating_sub(start);
    bits.range(from as u32..=to as u32)
        .map(move |offset| start | u64::from(offset))
}

/// Chunk and offset of an index.
pub fn split(index: u64) -> (u32, u32) {
    ((index >> CHUNK_BITS) as u32, (index & 0xffff) as u32)
}
