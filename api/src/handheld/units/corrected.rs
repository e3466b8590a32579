//! Where the new events of corrections stand (C10): found out when they come to count, and kept with them. Nothing
//! that comes in later changes it.

use super::{
    facts::Reader,
    folding::Change,
    store::{self, Grouped, Life},
};
use crate::log::Position;
use sea_orm::{ConnectionTrait, DbErr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::Kind,
    facts::{Corrected, Fact, World},
    fold::{self, Does, What},
    ids::{EnterpriseId, EventId, GroupId},
};

/// Gives what comes to count by this change its place, where it corrects something. Tells what stands for what, by
/// position, also of what was not read; what has a row keeps it there.
pub async fn take_places(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    change: &mut Change,
) -> Result<BTreeMap<Position, Arc<Corrected>>, DbErr> {
    let mut placed: BTreeMap<Position, Arc<Corrected>> = BTreeMap::new();
    let members = members(conn, change).await?;
    let retracts = retracts(conn, reader, change, &members).await?;
    if retracts.is_empty() {
        return Ok(placed);
    }
    let ids: BTreeSet<EventId> = retracts.values().filter_map(|r| r.event.target).collect();
    let mut targets = store::outlines(conn, reader, &ids, store::NOW).await?;
    targets.retain(|target| !change.arrived.iter().any(|new| new.gseq == target.gseq));
    let meant = change.arrived.iter();
    targets.extend(meant.filter(|fact| ids.contains(&fact.event.id)).cloned());
    let target_of = |retract: &Fact| {
        let named = targets.iter();
        let named = named.filter(|fact| Some(fact.event.id) == retract.event.target);
        named.min_by_key(|fact| (fact.enterprise != retract.enterprise, fact.gseq))
    };
    let does = |one: &Grouped| match one.what.kind {
        Kind::Retract => {
            let retract = retracts.get(&one.gseq)?;
            let target = target_of(retract).map(|target| What::of(&target.event));
            Does::of(&retract.event, target)
        }
        _ => Some(Does::Says(one.what)),
    };
    let mut of: BTreeMap<(EnterpriseId, Life), Vec<_>> = BTreeMap::new();
    for one in members.values() {
        let of = of.entry((one.enterprise, one.of)).or_default();
        of.push((one.seq, does(one), one.gseq));
    }
    let entering = change.arrived.iter().map(|fact| fact.gseq);
    let entering: BTreeSet<Position> = entering
        .chain(change.unread.arrived.iter().copied())
        .collect();
    let pairs = of.into_values().flat_map(fold::pairs);
    let pairs = pairs.filter(|(new, _)| entering.contains(new));
    let pairs: BTreeMap<Position, &Arc<Fact>> = pairs
        .filter_map(|(new, retract)| Some((new, retracts.get(&retract)?)))
        .collect();
    // What a sale named tells of what it is corrected to; of others that is not asked.
    let sales = pairs.values().filter_map(|retract| target_of(retract));
    let sales = sales.filter(|fact| fact.event.kind == Kind::Sale && fact.corrects.is_none());
    let whole = store::by_position(conn, reader, &sales.map(|fact| fact.gseq).collect()).await?;
    let whole: BTreeMap<Position, Arc<Fact>> =
        whole.into_iter().map(|fact| (fact.gseq, fact)).collect();
    // Whether a retract strikes depends on nothing on record; that a shift had ended is a remark on it.
    let world = World::default();
    for (gseq, retract) in pairs {
        let target = target_of(retract);
        let target = target.map(|target| whole.get(&target.gseq).unwrap_or(target));
        let Some(corrected) = fold::stands_for(retract, target.map(AsRef::as_ref), &world) else {
            continue;
        };
        // What it corrects may have taken its place just now, and not be at hand.
        let before = target.and_then(|target| placed.get(&target.gseq)).cloned();
        let corrected = before.unwrap_or_else(|| Arc::new(corrected));
        let mut arrived = change.arrived.iter_mut();
        if let Some(fact) = arrived.find(|fact| fact.gseq == gseq) {
            Arc::make_mut(fact).correct(corrected.clone());
        }
        placed.insert(gseq, corrected);
    }
    Ok(placed)
}

/// What counts of the groups that something comes to count of, of those that have a retract.
async fn members(
    conn: &impl ConnectionTrait,
    change: &Change,
) -> Result<BTreeMap<Position, Grouped>, DbErr> {
    let arrived = change.arrived.iter().filter_map(|fact| grouped(fact));
    let arrived: Vec<Grouped> = arrived.collect();
    let mut groups: BTreeSet<Life> = arrived.iter().map(|one| one.of).collect();
    if !change.unread.arrived.is_empty() {
        groups.extend(store::groups_of(conn, &change.unread.arrived).await?);
    }
    let retracts = change.arrived.iter();
    let retracts = retracts.filter(|fact| fact.event.kind == Kind::Retract);
    let groups_of = |fact: &Arc<Fact>| fact.event.group.map(|group| group.id);
    let mut retracted: BTreeSet<GroupId> = retracts.filter_map(groups_of).collect();
    let others = groups.iter().map(|(group, ..)| *group);
    let others = others.filter(|group| !retracted.contains(group)).collect();
    retracted.extend(store::with_retracts(conn, &others).await?);
    groups.retain(|(group, ..)| retracted.contains(group));
    let mut members = BTreeMap::new();
    for of in groups {
        for one in store::grouped(conn, of).await? {
            members.insert(one.gseq, one);
        }
    }
    let arrived = arrived.into_iter();
    let arrived = arrived.filter(|one| retracted.contains(&one.of.0));
    members.extend(arrived.map(|one| (one.gseq, one)));
    Ok(members)
}

/// A fact as one of its group.
fn grouped(fact: &Fact) -> Option<Grouped> {
    let event = &fact.event;
    Some(Grouped {
        gseq: fact.gseq,
        enterprise: fact.enterprise,
        of: (event.group?.id, event.device, event.epoch),
        seq: event.seq,
        what: What::of(event),
    })
}

/// The retracts among these, if any is a correction's.
async fn retracts(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    change: &Change,
    members: &BTreeMap<Position, Grouped>,
) -> Result<BTreeMap<Position, Arc<Fact>>, DbErr> {
    let is_retract = |one: &&Grouped| one.what.kind == Kind::Retract;
    let retracts = members.values().filter(is_retract);
    let mut unread: BTreeSet<Position> = retracts.map(|one| one.gseq).collect();
    let arrived = change.arrived.iter();
    let mut out: Vec<Arc<Fact>> = arrived
        .filter(|fact| unread.remove(&fact.gseq))
        .cloned()
        .collect();
    if !unread.is_empty() {
        out.extend(store::by_position(conn, reader, &unread).await?);
    }
    out.retain(|retract| retract.event.group.is_some_and(|group| group.correct));
    Ok(out.into_iter().map(|fact| (fact.gseq, fact)).collect())
}
