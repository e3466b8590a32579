//! Which entry of the log changed what was found, where no event did: units are folded again by slices, and each
//! says because of which entry; of what the patrol set right that is its own. All SQL of it.

use super::wire::CauseOut;
use crate::{
    db::rows::by_keys,
    log::{Kind, Position},
};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, BTreeSet};

/// Of these positions, those of slices, with the entries that made them necessary.
pub async fn causes(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<BTreeMap<Position, CauseOut>, DbErr> {
    let slices = by_keys(
        conn,
        "SELECT DISTINCT gseq, subject FROM log_entry WHERE kind IN (?, ?) AND gseq IN ({keys})",
        &[Kind::Refolded.name().into(), Kind::Mended.name().into()],
        positions.iter().map(|at| (*at).into()).collect(),
    )
    .await?;
    let mut because: BTreeMap<Position, Position> = BTreeMap::new();
    for row in slices {
        let subject: String = row.try_get("", "subject")?;
        let entry = subject
            .strip_prefix("entry:")
            .and_then(|at| at.parse().ok());
        if let Some(entry) = entry {
            because.insert(row.try_get("", "gseq")?, entry);
        }
    }
    let entries: BTreeSet<Position> = because.values().copied().collect();
    let found = by_keys(
        conn,
        "SELECT DISTINCT gseq, kind FROM log_entry WHERE gseq IN ({keys})",
        &[],
        entries.into_iter().map(Into::into).collect(),
    )
    .await?;
    let mut kinds: BTreeMap<Position, String> = BTreeMap::new();
    for row in found {
        kinds.insert(row.try_get("", "gseq")?, row.try_get("", "kind")?);
    }
    let cause = |(at, position): (Position, Position)| {
        let kind = kinds.get(&position)?.clone();
        Some((at, CauseOut { position, kind }))
    };
    Ok(because.into_iter().filter_map(cause).collect())
}
