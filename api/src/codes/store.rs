//! All SQL about issuing codes.

use super::{
    CodesError, InTheWay, SpaceError, SpaceKey, UnitLevel,
    minting::MintProfile,
    ranges::{Range, uncovered},
    ring::{Opener, Ring, WrappedKey, context},
    standing::EXAMPLES,
    wire::{CommissionRecord, DestructionRecord, SegmentOut},
};
use crate::{
    clock::{day_of, rfc3339},
    db::Db,
    entities::{code_destruction, code_space, commission, issue_key, public_space, segment},
    http::page::Paging,
    log::Act,
    projection::{self, RANGE_SEGMENT},
    sealing::Sealer,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

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
    projection::put_ranges(act, name, RANGE_SEGMENT, [(lo, hi)], None).await?;
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

/// Writes what was commissioned.
pub async fn insert_commission(act: &Act, record: commission::ActiveModel) -> Result<(), DbErr> {
    commission::Entity::insert(record)
        .exec_without_returning(act.tx())
        .await?;
    Ok(())
}

/// Writes what was destroyed.
pub async fn insert_destruction(
    act: &Act,
    record: code_destruction::ActiveModel,
) -> Result<(), DbErr> {
    code_destruction::Entity::insert(record)
        .exec_without_returning(act.tx())
        .await?;
    Ok(())
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
