//! Which events count for nothing (C10), asked of events by position, whatever they are about. The rule is the
//! fold's; this finds what it is to be asked of, no more text at a time than is read at once elsewhere, and keeps
//! no more of each than who said what of which event.

use super::facts::parts;
use crate::{
    db::rows::{KEYS_AT_ONCE, by_keys},
    handheld::units::facts::{COLUMNS, fact_of, outline},
    log::Position,
};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Fact, World},
    fold,
};
use uuid::Uuid;

/// An event that is asked about.
pub struct Asked {
    /// Its position.
    pub gseq: Position,
    /// The id it claims.
    pub id: Uuid,
    /// Its group.
    pub group: Option<Uuid>,
}

/// Which of these events of an enterprise, all of them in, are struck, or are new events of corrections that do
/// not count; other events may be among them.
pub async fn struck(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    asked: &[Asked],
) -> Result<BTreeSet<Position>, DbErr> {
    let mut out = BTreeSet::new();
    for asked in asked.chunks(KEYS_AT_ONCE) {
        let targeting = targeting(conn, enterprise, asked).await?;
        let correcting = correcting(conn, enterprise, asked).await?;
        let targeted = |one: &&Asked| targeting.contains_key(&one.id) || one.group.is_some();
        let own = asked.iter().filter(targeted).map(|one| one.gseq).collect();
        let retracts = targeting.into_values().flatten();
        let retracts: BTreeSet<Position> = retracts.chain(correcting).collect();
        if retracts.is_empty() {
            continue;
        }
        let own = outlines(conn, &own).await?;
        for part in parts(conn, &retracts).await? {
            out.extend(struck_by(conn, &own, &part).await?);
        }
    }
    Ok(out)
}

/// A retract or its target, as the other one's.
pub struct Naming {
    /// Its position.
    pub gseq: Position,
    /// Its id.
    pub id: Uuid,
    /// The one strikes the other.
    pub strikes: bool,
}

/// The retracts of an enterprise that are in and name an event of its own: so many, those that strike it first; and how
/// many there are.
pub async fn retracts_naming(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    asked: &Asked,
    most: usize,
) -> Result<(Vec<Naming>, usize), DbErr> {
    let named = targeting(conn, enterprise, std::slice::from_ref(asked)).await?;
    let retracts: BTreeSet<Position> = named.into_values().flatten().collect();
    let own = outlines(conn, &BTreeSet::from([asked.gseq])).await?;
    let strikes = |retract: &Fact| {
        own.iter()
            .any(|own| fold::strikes(retract, own, &World::default()))
    };
    let mut out = Vec::new();
    for part in parts(conn, &retracts).await? {
        for retract in read(conn, &part).await? {
            out.push(Naming {
                gseq: retract.gseq,
                id: retract.event.id.0,
                strikes: strikes(&retract),
            });
        }
    }
    out.sort_by_key(|naming| (!naming.strikes, naming.gseq));
    let all = out.len();
    out.truncate(most);
    Ok((out, all))
}

/// The event of the same enterprise that a retract names, if it came in.
pub async fn target_of(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    retract: Position,
    target: Uuid,
) -> Result<Option<Naming>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT gseq FROM event WHERE enterprise_id = ? AND event_id IN ({keys})",
        &[enterprise.into()],
        vec![target.into()],
    )
    .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let gseq: Position = row.try_get("", "gseq")?;
    let both = outlines(conn, &BTreeSet::from([gseq, retract])).await?;
    let at = |position| both.iter().find(|fact| fact.gseq == position);
    let strikes = |(retract, target): (&Arc<Fact>, &Arc<Fact>)| {
        fold::strikes(retract, target, &World::default())
    };
    Ok(Some(Naming {
        gseq,
        id: target,
        strikes: at(retract).zip(at(gseq)).is_some_and(strikes),
    }))
}

/// What these retracts say of the events that are asked about: each retract by itself, so that they need not be
/// known together.
async fn struck_by(
    conn: &impl ConnectionTrait,
    own: &[Arc<Fact>],
    retracts: &BTreeSet<Position>,
) -> Result<Vec<Position>, DbErr> {
    let retracts = read(conn, retracts).await?;
    let mut targets: BTreeSet<Uuid> = retracts
        .iter()
        .filter_map(|retract| retract.event.target)
        .map(|target| target.0)
        .collect();
    for known in own {
        targets.remove(&known.event.id.0);
    }
    let targets = by_keys(
        conn,
        "SELECT gseq FROM event WHERE event_id IN ({keys}) AND event_id IS NOT NULL",
        &[],
        targets.into_iter().map(Value::from).collect(),
    )
    .await?;
    let targets = targets.iter().map(|row| row.try_get("", "gseq"));
    let targets = outlines(conn, &targets.collect::<Result<_, DbErr>>()?).await?;
    let facts = own.iter().chain(&retracts).chain(&targets);
    let facts: BTreeMap<Position, &Fact> = facts.map(|fact| (fact.gseq, fact.as_ref())).collect();
    let mut facts: Vec<&Fact> = facts.into_values().collect();
    facts.sort_by_key(|fact| fact.order);
    // Whether a shift had ended is remarked on a retract, and makes no difference to what it strikes.
    let struck = fold::struck(&facts, &World::default());
    Ok(struck.into_iter().map(|fact| fact.gseq).collect())
}

/// Where retracts of these events stand that are of the same enterprise, by the id of the target.
async fn targeting(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    asked: &[Asked],
) -> Result<BTreeMap<Uuid, Vec<Position>>, DbErr> {
    let rows = by_keys(
        conn,
        "SELECT DISTINCT target_id, gseq FROM event_target WHERE enterprise_id = ? \
         AND target_id IN ({keys})",
        &[enterprise.into()],
        asked.iter().map(|one| one.id.into()).collect(),
    )
    .await?;
    let mut out: BTreeMap<Uuid, Vec<Position>> = BTreeMap::new();
    for row in rows {
        let of = out.entry(row.try_get("", "target_id")?).or_default();
        of.push(row.try_get("", "gseq")?);
    }
    Ok(out)
}

/// Where retracts of their groups stand.
async fn correcting(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    asked: &[Asked],
) -> Result<Vec<Position>, DbErr> {
    let groups: BTreeSet<Uuid> = asked.iter().filter_map(|one| one.group).collect();
    let rows = by_keys(
        conn,
        "SELECT gseq FROM event WHERE enterprise_id = ? AND kind = ? AND group_id IN ({keys}) \
         AND group_id IS NOT NULL",
        &[enterprise.into(), Kind::Retract.name().into()],
        groups.into_iter().map(Value::from).collect(),
    )
    .await?;
    rows.iter().map(|row| row.try_get("", "gseq")).collect()
}

/// Outlines of those of these events that are in.
async fn outlines(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let mut out = Vec::new();
    for part in parts(conn, positions).await? {
        out.extend(read(conn, &part).await?);
    }
    Ok(out)
}

/// The same of one part.
async fn read(
    conn: &impl ConnectionTrait,
    positions: &BTreeSet<Position>,
) -> Result<Vec<Arc<Fact>>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM event e WHERE e.counts_from IS NOT NULL AND e.gseq IN ({{keys}})"
    );
    let keys = positions.iter().map(|gseq| (*gseq).into()).collect();
    let mut out = Vec::new();
    for row in by_keys(conn, &sql, &[], keys).await? {
        if let Some(event) = outline(&row)? {
            out.push(fact_of(&row, Arc::new(event))?);
        }
    }
    Ok(out)
}
