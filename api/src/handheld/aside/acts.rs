//! The acts that end a wait. Each works under the lock of the head, on what stands there then; who
//! asked may have looked earlier.

use super::{
    AsideError,
    store::{self, AsideRow},
    wire::AdmittedOut,
};
use crate::{
    clock::Micros,
    handheld::{
        push::{
            PushError,
            act::{Engine, is_whole},
            frozen::is_read_again,
            meant,
            store::{self as pushed, ChainRow, Restanding},
            timeline,
        },
        units::{
            facts::{flags_of, told_flags},
            folding::{Change, Folding, Moment, Unread, entering::Entering},
            store::{
                Aside, first_of, in_parts, moved as moved_facts, rewrite_aside, write_corrected,
            },
            take_places,
        },
    },
    log::{Act, Actor, Begun, Entry, IdempotencyKey, Kind, Position},
    projection::units::set_unit_statuses,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    admission::{Branch, Extent, Leaving, Outcome, Read, Remark, Waiting, group_released, readmit},
    event::{self, Event},
    facts::Statement,
    finding::FindingCode,
    ids::{DeviceId, Epoch, EventId, GroupId, Seq},
    time::{Timed, interval},
};
use uuid::Uuid;

/// Most units that such an act folds, and names that it relates.
const FOLDED: usize = 256;

/// How many bytes of text an upgrade reads again in one act.
const TEXT: i64 = 128 * 1024;

/// An event on its way from aside into the state, or to another remark.
struct Standing {
    row: AsideRow,
    outcome: Outcome,
    flags: Vec<FindingCode>,
    /// In which epoch it is ordered, when that is another than its own.
    order_epoch: Option<Epoch>,
}

/// Which remark, lifted, would take an event in.
fn liftable(outcome: &Outcome) -> Option<Remark> {
    let decisive = outcome.decisive()?;
    let liftable = matches!(decisive, Remark::Revoked | Remark::Fork) || is_read_again(decisive);
    liftable.then_some(decisive)
}

/// Somebody decided to take an event in. A retried request gets the answer of the first.
pub async fn admit(
    engine: &mut Engine,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    (gseq, note): (i64, &str),
) -> Result<AdmittedOut, AsideError> {
    let begun = engine.log().begin::<Vec<AdmittedOut>>(actor, key).await?;
    let act = match begun {
        Begun::Act(act) => act,
        Begun::Answered(mut told) => return told.pop().ok_or(AsideError::NotAside),
    };
    let Some(row) = store::of(act.tx(), enterprise, gseq).await? else {
        let known = store::counts(act.tx(), enterprise, gseq).await?;
        act.abandon().await?;
        return Err(if known {
            AsideError::NotAside
        } else {
            AsideError::Unknown
        });
    };
    let Some(lifted) = liftable(&row.outcome) else {
        act.abandon().await?;
        return Err(AsideError::NotAside);
    };
    let unknown = event::parse_bytes(&row.body).is_err_and(|fault| fault.parks());
    if unknown && lifted == Remark::Later {
        act.abandon().await?;
        return Err(AsideError::KindUnknown);
    }
    let by = format!("{note} ({})", actor.name());
    let mut stood = lift(engine, act, vec![row], lifted, Some(enterprise), by).await?;
    stood.pop().ok_or(AsideError::NotAside)
}

/// Events of kinds this program knows by now are taken in (T7), and those that it, or an older one,
/// failed to fold (T9). Returns how many there were.
pub async fn admit_known_kinds(
    engine: &mut Engine,
    rows: &[AsideRow],
) -> Result<usize, AsideError> {
    let mut taken = 0;
    let mut by_device: BTreeMap<(Uuid, Uuid, Epoch, Remark), Vec<&AsideRow>> = BTreeMap::new();
    for row in rows {
        let readable = event::parse_bytes(&row.body).is_ok();
        if let (true, Some(remark)) = (
            readable,
            liftable(&row.outcome).filter(|it| is_read_again(*it)),
        ) {
            let key = (row.enterprise, row.device, row.epoch, remark);
            by_device.entry(key).or_default().push(row);
        }
    }
    let mut acts = Vec::new();
    for (key, rows) in by_device {
        let sized = rows.into_iter().map(|row| (row, row.body.len() as i64));
        acts.extend(in_parts(sized, TEXT).into_iter().map(|rows| (key, rows)));
    }
    for ((enterprise, .., remark), rows) in acts {
        let act = begin(engine, Actor::System).await?;
        let mut still = Vec::new();
        for row in rows {
            still.extend(store::of(act.tx(), enterprise, row.gseq).await?);
        }
        // Another server may have read it by now, and it waits for something else.
        still.retain(|row| liftable(&row.outcome) == Some(remark));
        if still.is_empty() {
            act.abandon().await?;
            continue;
        }
        taken += still.len();
        let by = "upgrade".to_owned();
        lift(engine, act, still, remark, Some(enterprise), by).await?;
    }
    Ok(taken)
}

/// A group that was waited for long enough is taken in as single events (T8).
pub async fn release_group(
    engine: &mut Engine,
    device: Uuid,
    epoch: Epoch,
    id: GroupId,
) -> Result<(), AsideError> {
    let act = begin(engine, Actor::System).await?;
    let groups = pushed::groups(act.tx(), device, epoch, &[id]).await?;
    let Some(group) = groups.get(&id) else {
        return Ok(act.abandon().await?);
    };
    let (released, leaving) = group_released(group);
    let events: Vec<EventId> = leaving.iter().map(|left| left.event).collect();
    let rows = store::by_id(act.tx(), device, epoch, &events).await?;
    if released == *group {
        return Ok(act.abandon().await?);
    }
    let enterprise = rows.first().map(|row| row.enterprise);
    let standing = rows.into_iter().map(|row| left(row, &leaving)).collect();
    let groups = BTreeMap::from([(id, released)]);
    pushed::write_groups(act.tx(), device, epoch, &groups, act.stamp()).await?;
    enter(engine, &act, standing, &BTreeSet::new()).await?;
    let body = Statement::GroupReleased { group: id };
    let entry = Entry {
        kind: Kind::GroupReleased,
        enterprise,
        subject: format!("group:{id}"),
        body: &body,
    };
    Ok(act.commit(entry, &()).await?)
}

/// A gap that was waited for long enough is waited for no longer (T4).
pub async fn force_gap(
    engine: &mut Engine,
    device: Uuid,
    epoch: Epoch,
    due: Micros,
) -> Result<bool, AsideError> {
    let act = begin(engine, Actor::System).await?;
    let wanted = BTreeSet::from([(device, epoch)]);
    let mut chains = pushed::chains(act.tx(), &wanted).await?;
    let Some(mut chain) = chains.remove(&(device, epoch)) else {
        act.abandon().await?;
        return Ok(false);
    };
    let extent: &Extent = &chain.state.extent;
    let Some(gap) = extent.gap() else {
        act.abandon().await?;
        return Ok(false);
    };
    let head = store::hash_after(act.tx(), device, epoch, gap.then).await?;
    let is_due = store::is_missed_since(act.tx(), device, epoch, gap.last, due).await?;
    let Some(head) = head.filter(|_| is_due) else {
        act.abandon().await?;
        return Ok(false);
    };
    chain.state.extent = extent.forced(gap, head);
    let contiguous = chain.state.extent.contiguous;
    let enterprise = chain.enterprise;
    let row = ChainRow {
        device,
        epoch,
        chain,
    };
    pushed::write_chains(act.tx(), &[row], act.position()).await?;
    let body = Statement::GapForced {
        device: DeviceId(device),
        epoch,
        contiguous,
    };
    let entry = Entry {
        kind: Kind::GapForced,
        enterprise: Some(enterprise),
        subject: format!("device:{device}"),
        body: &body,
    };
    act.commit(entry, &()).await?;
    Ok(true)
}

async fn begin(engine: &Engine, actor: Actor) -> Result<Act, AsideError> {
    match engine.log().begin::<()>(actor, None).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(()) => Err(AsideError::Unknown), // no key was given
    }
}

/// Lifts a remark from events of one device epoch, and commits. Tells what stands now, which is also the
/// answer for who asks again.
async fn lift(
    engine: &mut Engine,
    act: Act,
    rows: Vec<AsideRow>,
    lifted: Remark,
    enterprise: Option<Uuid>,
    by: String,
) -> Result<Vec<AdmittedOut>, AsideError> {
    let Some((device, epoch)) = rows.first().map(|row| (row.device, row.epoch)) else {
        act.abandon().await?;
        return Ok(Vec::new());
    };
    let waiting: Vec<Waiting> = rows.iter().map(waiting).collect();
    let ids: Vec<GroupId> = rows
        .iter()
        .filter_map(|row| event::parse_bytes(&row.body).ok()?.group)
        .map(|group| group.id)
        .collect();
    let groups = pushed::groups(act.tx(), device, epoch, &ids).await?;
    let readmitted = readmit(waiting, lifted, &groups, event::parse);
    let order_epoch = match lifted {
        // Ordered in the life that both copies begin by enrolling again, even if neither did yet.
        Remark::Fork => newest_epoch(&act, device)
            .await?
            .map(|newest| newest.max(epoch.saturating_add(1))),
        _ => None,
    };
    let mut standing = Vec::new();
    for (mut row, now) in rows.into_iter().zip(readmitted.events) {
        let mut flags = flags_of(&row.flags);
        flags.retain(|flag| Some(*flag) != lifted.finding());
        flags.extend(
            now.outcome
                .findings()
                .filter(|code| !row.outcome.findings().any(|c| c == *code)),
        );
        if let (true, Read::Event(event)) = (is_read_again(lifted), &now.read) {
            flags.extend(read_now(engine, &act, &mut row, event).await?);
        }
        standing.push(Standing {
            row,
            outcome: now.outcome,
            flags,
            order_epoch,
        });
    }
    let told: Vec<AdmittedOut> = standing
        .iter()
        .map(|one| AdmittedOut::of(one.row.gseq, &one.outcome))
        .collect();
    let events: Vec<EventId> = standing.iter().filter_map(|one| one.row.event).collect();
    let leave: Vec<EventId> = readmitted.leaving.iter().map(|left| left.event).collect();
    let leaving = store::by_id(act.tx(), device, epoch, &leave).await?;
    standing.extend(
        leaving
            .into_iter()
            .map(|row| left(row, &readmitted.leaving)),
    );
    pushed::write_groups(act.tx(), device, epoch, &readmitted.groups, act.stamp()).await?;
    let whole = pushed::members(act.tx(), device, epoch, &readmitted.whole).await?;
    let now_whole: Vec<Restanding> = whole.iter().map(is_whole).collect();
    pushed::write_standing(act.tx(), &now_whole).await?;
    let whole = whole.iter().map(|row| row.gseq).collect();
    enter(engine, &act, standing, &whole).await?;
    let body = Statement::Admitted {
        events,
        rule: lifted.rule().to_owned(),
        by,
    };
    let entry = Entry {
        kind: Kind::Admitted,
        enterprise,
        subject: format!("device:{device}"),
        body: &body,
    };
    act.commit(entry, &told).await?;
    Ok(told)
}

fn waiting(row: &AsideRow) -> Waiting {
    Waiting {
        device: DeviceId(row.device),
        epoch: row.epoch,
        seq: row.seq,
        event: row.event,
        text: String::from_utf8_lossy(&row.body).into_owned(),
        outcome: row.outcome.clone(),
    }
}

/// A member of a group that leaves parking.
fn left(row: AsideRow, leaving: &[Leaving]) -> Standing {
    let why = leaving.iter().find(|left| Some(left.event) == row.event);
    let remark = why.and_then(|left| left.remark);
    let mut outcome = row.outcome.without(Remark::GroupIncomplete);
    let mut flags = flags_of(&row.flags);
    if let Some(remark) = remark {
        outcome = outcome.with(remark);
        flags.extend(remark.finding());
    }
    Standing {
        row,
        outcome,
        flags,
        order_epoch: None,
    }
}

/// The newest epoch of a device: admitted forks are ordered in it.
async fn newest_epoch(act: &Act, device: Uuid) -> Result<Option<Epoch>, AsideError> {
    let row = crate::handheld::devices::store::by_id(act.tx(), device).await?;
    Ok(row.and_then(|row| Epoch::try_from(row.epoch).ok()))
}

/// An event that this program can read by now: what it says of its clock, place and group, and which units
/// it means.
async fn read_now(
    engine: &mut Engine,
    act: &Act,
    row: &mut AsideRow,
    event: &Event,
) -> Result<Vec<FindingCode>, AsideError> {
    let key = crate::handheld::devices::store::key(act.tx(), row.device, row.epoch).await?;
    let enrolled = key.map_or(row.interval.hi, |key| key.enrolled_at);
    let Some(reading) = engine.clock(row.device, row.epoch, Some(event)) else {
        return Ok(Vec::new());
    };
    let (device, epoch) = (row.device, row.epoch);
    let before = pushed::anchored_before(act.tx(), (device, epoch), row.branch, row.seq).await?;
    let anchored = reading.anchor.max(before);
    let anchor = anchored.unwrap_or(enrolled);
    let delivered = pushed::delivered_before(act.tx(), device, epoch, anchor).await?;
    let (interval, flags) = interval(&reading, enrolled, row.interval.hi);
    row.interval = interval;
    let location = Some(event.location.0).filter(|place| !place.is_nil());
    row.place = location;
    let group = event.group.map(|group| group.id.0);
    let said = (location, group);
    store::set_times(
        act.tx(),
        row.gseq,
        event.kind.name(),
        said,
        interval,
        (delivered, anchored),
    )
    .await?;
    let environs = pushed::Environs::of(row.enterprise, row.gseq, event);
    pushed::write_environs(act.tx(), environs.into_iter().collect()).await?;
    meant::note(engine.parts().0, act.tx(), row.gseq, event).await?;
    Ok(flags)
}

/// Writes how these stand now, gives those that enter the state their places in time, and folds what
/// they are about.
///
/// Less than before is remarked on those at the positions `recheck`.
async fn enter(
    engine: &mut Engine,
    act: &Act,
    standing: Vec<Standing>,
    recheck: &BTreeSet<Position>,
) -> Result<(), AsideError> {
    let mut entering: BTreeMap<(Uuid, Epoch, Branch), Vec<Timed>> = BTreeMap::new();
    let (mut positions, mut still_aside) = (BTreeSet::new(), Vec::new());
    let mut rows = Vec::with_capacity(standing.len());
    for one in &standing {
        let enters = one.outcome.in_state();
        if !enters {
            still_aside.push(Aside {
                enterprise: one.row.enterprise,
                device: one.row.device,
                event: one.row.event,
                gseq: one.row.gseq,
                place: one.row.place,
                codes: one.outcome.findings().collect(),
            });
        }
        if enters {
            let key = (one.row.device, one.row.epoch, one.row.branch);
            entering.entry(key).or_default().push(Timed {
                seq: one.row.seq,
                interval: one.row.interval,
            });
            positions.insert(one.row.gseq);
        }
        rows.push(Restanding {
            gseq: one.row.gseq,
            outcome: one.outcome.clone(),
            flags: told_flags(&one.flags),
            counts_from: enters.then_some(act.position()),
            eff: None,
            order_epoch: one.order_epoch,
        });
    }
    pushed::write_standing(act.tx(), &rows).await?;
    let mut moved = BTreeSet::new();
    for ((device, epoch, branch), mut timed) in entering {
        timed.sort_by_key(|timed| timed.seq);
        match branch {
            Branch::First => {
                moved.extend(place(act, device, epoch, &timed).await?);
            }
            Branch::Fork(root) => {
                let (tx, from) = (act.tx(), act.position());
                moved.extend(timeline::place_on_branch(tx, device, epoch, root, from).await?);
            }
        }
    }
    moved.retain(|gseq| !positions.contains(gseq));
    rewrite_aside(act.tx(), act.position(), still_aside).await?;
    let most = engine.at_most(FOLDED);
    let (source, reader) = engine.parts();
    source
        .refresh(act.tx(), act.position() - 1)
        .await
        .map_err(PushError::from)?;
    let (arrived, arrived_unread) = first_of(act.tx(), reader, &positions).await?;
    let (moved, moved_unread) = moved_facts(act.tx(), reader, &moved).await?;
    let (recheck, recheck_unread) = first_of(act.tx(), reader, recheck).await?;
    let mut change = Change {
        arrived,
        moved,
        recheck,
        unread: Unread {
            arrived: arrived_unread,
            recheck: recheck_unread,
            moved: moved_unread.into_iter().collect(),
        },
        ..Change::default()
    };
    let moment = Moment {
        first: act.position(),
        last: act.position(),
        stamp: act.stamp(),
    };
    let placed = take_places(act.tx(), reader, &mut change).await?;
    write_corrected(act.tx(), &placed).await?;
    let entering = Entering::cut(act.tx(), &mut change, most).await?;
    let mut folding = Folding::new(source, reader, moment).within(most);
    folding.entering = entering;
    let done = folding.run(act.tx(), &change).await;
    let done = done.map_err(PushError::from)?;
    set_unit_statuses(act, &done.public).await?;
    Ok(())
}

/// Works events into the times of their epoch; returns the positions of others that moved.
async fn place(
    act: &Act,
    device: Uuid,
    epoch: Epoch,
    timed: &[Timed],
) -> Result<BTreeSet<i64>, AsideError> {
    let wanted = BTreeSet::from([(device, epoch)]);
    let mut chains = pushed::chains(act.tx(), &wanted).await?;
    let Some(mut chain) = chains.remove(&(device, epoch)) else {
        return Ok(BTreeSet::new());
    };
    let time = &mut chain.state.time;
    let placement = timeline::place(act.tx(), device, epoch, time, timed).await?;
    let from = act.position();
    pushed::move_events(act.tx(), device, epoch, &placement.eff, from).await?;
    let seqs: Vec<Seq> = placement.eff.iter().map(|(seq, _)| *seq).collect();
    let moved = pushed::standing(act.tx(), device, epoch, &seqs).await?;
    let row = ChainRow {
        device,
        epoch,
        chain,
    };
    pushed::write_chains(act.tx(), &[row], act.position()).await?;
    Ok(moved.into_iter().map(|row| row.gseq).collect())
}
