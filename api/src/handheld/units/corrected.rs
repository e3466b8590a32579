//! Where the new events of corrections stand (C10): found out when they come to count, and kept with them. Nothing
//! that comes in later changes it.

use super::{
    facts::Reader,
    folding::Change,
    store::{self, Grouped},
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
    ids::{DeviceId, EnterpriseId, Epoch, EventId, GroupId, Seq},
};

/// Members of a group of one life of a device.
type Members = BTreeMap<(EnterpriseId, GroupId, DeviceId, Epoch), Vec<(Seq, Does, Position)>>;

/// Gives what comes to count by this change its place, where it corrects something. Tells what stands for what, by
/// position, also of what was not read; what has a row keeps it there.
pub async fn take_places(
    conn: &impl ConnectionTrait,
    reader: &mut Reader,
    change: &mut Change,
) -> Result<BTreeMap<Position, Arc<Corrected>>, DbErr> {
    let mut placed: BTreeMap<Position, Arc<Corrected>> = BTreeMap::new();
    let corrections = change.arrived.iter().filter_map(|fact| fact.event.group);
    let corrections = corrections.filter(|group| group.correct);
    let mut groups: BTreeSet<GroupId> = corrections.map(|group| group.id).collect();
    if !change.unread.arrived.is_empty() {
        groups.extend(store::groups_of(conn, &change.unread.arrived).await?);
    }
    if groups.is_empty() {
        return Ok(placed);
    }
    let mut retracts: BTreeMap<Position, Arc<Fact>> = BTreeMap::new();
    let in_rows = store::by_group(conn, reader, &groups, Kind::Retract).await?;
    for fact in in_rows.iter().chain(&change.arrived) {
        let correct = fact.event.group.is_some_and(|group| group.correct);
        if correct && fact.event.kind == Kind::Retract {
            retracts.insert(fact.gseq, fact.clone());
        }
    }
    let entering = change.arrived.iter().map(|fact| fact.gseq);
    let entering: BTreeSet<Position> = entering
        .chain(change.unread.arrived.iter().copied())
        .collect();
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
    let strikes = |gseq: Position| {
        let retract = retracts.get(&gseq)?;
        let target = target_of(retract).map(|target| What::of(&target.event));
        Some(Does::Strikes(target))
    };
    let pairs = pairs(conn, change, &groups, strikes).await?;
    let pairs = pairs.into_iter().filter(|(new, _)| entering.contains(new));
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

/// Which members of these groups go with which retract of a correction.
async fn pairs(
    conn: &impl ConnectionTrait,
    change: &Change,
    groups: &BTreeSet<GroupId>,
    strikes: impl Fn(Position) -> Option<Does>,
) -> Result<Vec<(Position, Position)>, DbErr> {
    let mut members: BTreeMap<Position, Grouped> = BTreeMap::new();
    for one in store::grouped(conn, groups).await? {
        members.insert(one.gseq, one);
    }
    members.extend(change.arrived.iter().filter_map(|fact| {
        let group = fact
            .event
            .group
            .filter(|group| groups.contains(&group.id))?;
        let one = Grouped {
            gseq: fact.gseq,
            enterprise: fact.enterprise,
            made_by: (fact.event.device, fact.event.epoch),
            seq: fact.event.seq,
            group: group.id,
            what: What::of(&fact.event),
        };
        Some((fact.gseq, one))
    }));
    let mut of: Members = BTreeMap::new();
    for one in members.into_values() {
        let (device, epoch) = one.made_by;
        let does = match one.what.kind {
            Kind::Retract => strikes(one.gseq),
            _ => Some(Does::Says(one.what)),
        };
        // One that strikes something aside from the correction goes with nothing.
        let Some(does) = does else {
            continue;
        };
        let of = of.entry((one.enterprise, one.group, device, epoch));
        of.or_default().push((one.seq, does, one.gseq));
    }
    Ok(of.into_values().flat_map(fold::pairs).collect())
}
