//! Which units' codes are void: all SQL of it. Most code spaces have no such code, so a unit's
//! serial is opened only where its space has any.

use super::listed::store::keys_of;
use crate::{
    codes::{
        SpaceKey, UnitName,
        ring::{Opener, Ring},
        sscc_index,
    },
    db::rows::by_keys,
    projection::{CHUNK_VOID, read_bits},
};
use roaring::RoaringBitmap;
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    trace_code::{self, TraceCode},
    unit::UnitKey,
};

/// Digits a company prefix may have.
const PREFIXES: std::ops::RangeInclusive<usize> = 4..=12;

/// Those of these units whose codes are void.
pub async fn voided<'a>(
    conn: &impl ConnectionTrait,
    opener: &Opener,
    units: impl Iterator<Item = &'a UnitKey>,
) -> Result<BTreeSet<UnitKey>, DbErr> {
    let mut named: BTreeMap<String, Vec<(&UnitKey, TraceCode)>> = BTreeMap::new();
    for unit in units {
        let Ok(scanned) = trace_code::parse_path(unit.as_str(), "") else {
            continue;
        };
        for space in spaces(&scanned.code) {
            named.entry(space).or_default().push((unit, scanned.code));
        }
    }
    let found = by_keys(
        conn,
        "SELECT DISTINCT space, chunk, bits FROM public_chunk WHERE kind = ? AND space IN ({keys})",
        &[CHUNK_VOID.into()],
        named.keys().map(|space| space.as_str().into()).collect(),
    )
    .await?;
    let mut void: BTreeMap<String, BTreeMap<u64, RoaringBitmap>> = BTreeMap::new();
    for row in found {
        let (space, bits): (String, Vec<u8>) =
            (row.try_get("", "space")?, row.try_get("", "bits")?);
        let chunk: i64 = row.try_get("", "chunk")?;
        let bits = read_bits(&bits)?;
        void.entry(space).or_default().insert(chunk as u64, bits);
    }
    let mut voided = BTreeSet::new();
    for (name, chunks) in void {
        let Some(space) = SpaceKey::parse(&name) else {
            continue;
        };
        let ring = ring(conn, opener, &space).await?;
        for (unit, code) in named.get(&name).into_iter().flatten() {
            let index = match (&space, code) {
                (SpaceKey::Sscc(prefix), TraceCode::Sscc(sscc)) => sscc_index(sscc, prefix),
                _ => UnitName::of(code).and_then(|name| ring.index_of(&name.serial)),
            };
            let is_void = index.is_some_and(|index| {
                let chunk = chunks.get(&(index >> 16));
                chunk.is_some_and(|bits| bits.contains((index & 0xffff) as u32))
            });
            if is_void {
                voided.insert((*unit).clone());
            }
        }
    }
    Ok(voided)
}

/// Spaces a code may be of; an SSCC does not tell how long its prefix is.
fn spaces(code: &TraceCode) -> Vec<String> {
    match code {
        TraceCode::Sscc(sscc) => PREFIXES
            .filter_map(|len| Some(format!("00/{}", sscc.as_str().get(1..=len)?)))
            .collect(),
        code => UnitName::of(code)
            .map(|name| name.space.to_string())
            .into_iter()
            .collect(),
    }
}

async fn ring(
    conn: &impl ConnectionTrait,
    opener: &Opener,
    space: &SpaceKey,
) -> Result<Ring, DbErr> {
    let keys = keys_of(conn, &space.to_string()).await?;
    let keys = keys.map(|(_, keys)| keys).unwrap_or_default();
    Ring::open(opener, space, &keys).map_err(|error| DbErr::Custom(error.to_string()))
}
