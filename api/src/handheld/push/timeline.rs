//! Where new events of a device stand in time: `suyuan_sync::time` over rows. At the end of a growing
//! sequence it takes what is kept with the device; a late filler goes back to a checkpoint, and from
//! there on only until everything is as it was.

use super::store::{self, Last, Timeline};
use crate::{clock::Micros, log::Position};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeSet;
use suyuan_sync::{
    chain::Hash,
    ids::{Epoch, Seq},
    time::{Placed, Prefix, Resumed, Timed, effective, resume, resume_to},
};
use uuid::Uuid;

/// What became of the effective times of an epoch.
#[derive(Default)]
pub struct Placement {
    /// Of all that is new or moved, by number.
    pub eff: Vec<(Seq, Micros)>,
    /// How many rows of events were read for it.
    pub read: usize,
}

/// Works new events into the sequence of an epoch. `new` are those that enter the state, in order
/// of their numbers.
pub async fn place(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    timeline: &mut Timeline,
    new: &[Timed],
) -> Result<Placement, DbErr> {
    let Some(first) = new.first() else {
        return Ok(Placement::default());
    };
    let appended = match &timeline.last {
        None => Some((
            timeline.prefix,
            new.iter().map(unplaced).collect::<Vec<_>>(),
        )),
        Some(last) if last.timed.seq < first.seq => {
            let last = Placed {
                timed: last.timed,
                eff: Some(last.eff),
            };
            let events = std::iter::once(last).chain(new.iter().map(unplaced));
            Some((timeline.prefix, events.collect()))
        }
        Some(_) => None,
    };
    if let Some((prefix, events)) = appended
        && let Some(resumed) = resume(prefix, &events)
    {
        store::keep_checkpoints(conn, device, epoch, &resumed.checkpoints).await?;
        let eff = to_the_end(timeline, &resumed, &events);
        return Ok(Placement { eff, read: 0 });
    }
    // Back to where the sequence stands whatever comes in.
    let mut below = first.seq;
    loop {
        let prefix = store::checkpoint_before(conn, device, epoch, below).await?;
        let prefix = prefix.unwrap_or(Prefix::START);
        if let Some(placement) = late(conn, (device, epoch), timeline, prefix, new).await? {
            return Ok(placement);
        }
        if prefix == Prefix::START {
            return Err(fault(device)); // it stands always
        }
        below = prefix.seq;
    }
}

/// Places what counts on a second branch, from a position on: such a branch is short, and gone over whole.
/// Returns the positions of those that moved, or are new.
pub async fn place_on_branch(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    root: Hash,
    from: Position,
) -> Result<BTreeSet<Position>, DbErr> {
    let events = store::on_branch(conn, device, epoch, root).await?;
    let timed: Vec<Timed> = events.iter().map(|event| event.timed).collect();
    let placed = events.iter().zip(effective(&timed));
    let moved: Vec<_> = placed
        .filter(|(event, eff)| event.eff != *eff || event.counts_from >= from)
        .collect();
    store::move_on_branch(conn, &moved, from).await?;
    Ok(moved.iter().map(|(event, _)| event.gseq).collect())
}

/// Works late ones in from a prefix on, page by page; nothing if the prefix does not stand for them.
async fn late(
    conn: &impl ConnectionTrait,
    (device, epoch): (Uuid, Epoch),
    timeline: &mut Timeline,
    prefix: Prefix,
    new: &[Timed],
) -> Result<Option<Placement>, DbErr> {
    let mut placement = Placement::default();
    let (mut from, mut behind) = (prefix, new.last().map_or(0, |last| last.seq));
    loop {
        let end = store::checkpoint_from(conn, device, epoch, behind).await?;
        let end = end.filter(Prefix::is_bounded);
        let page = (from.seq, end.map(|end| end.seq));
        let mut events = store::placed(conn, device, epoch, page).await?;
        placement.read += events.len();
        if from == prefix {
            // What enters now may have its row already: it has no place yet all the same.
            let seqs: BTreeSet<Seq> = new.iter().map(|new| new.seq).collect();
            events.retain(|placed| !seqs.contains(&placed.timed.seq));
            events.extend(new.iter().map(unplaced));
            events.sort_by_key(|placed| placed.timed.seq);
        }
        if !from.stands(&events) {
            return Ok(None);
        }
        let Some(end) = end else {
            let resumed = resume(from, &events).ok_or_else(|| fault(device))?;
            store::forget_checkpoints(conn, device, epoch, page).await?;
            store::keep_checkpoints(conn, device, epoch, &resumed.checkpoints).await?;
            placement
                .eff
                .extend(to_the_end(timeline, &resumed, &events));
            return Ok(Some(placement));
        };
        let mut resumed = resume_to(from, &events, end).ok_or_else(|| fault(device))?;
        placement.eff.extend(moved(&resumed));
        (from, behind) = (resumed.prefix, end.seq + 1);
        resumed.checkpoints.push(from);
        store::forget_checkpoints(conn, device, epoch, page).await?;
        store::keep_checkpoints(conn, device, epoch, &resumed.checkpoints).await?;
        if from == end {
            return Ok(Some(placement));
        }
    }
}

fn unplaced(timed: &Timed) -> Placed {
    Placed {
        timed: *timed,
        eff: None,
    }
}

fn moved(resumed: &Resumed) -> Vec<(Seq, Micros)> {
    resumed.changed.iter().map(|c| (c.seq, c.eff)).collect()
}

fn fault(device: Uuid) -> DbErr {
    DbErr::Custom(format!("times of device {device} do not stand"))
}

/// All behind was gone over: what the next append goes on from.
fn to_the_end(timeline: &mut Timeline, resumed: &Resumed, events: &[Placed]) -> Vec<(Seq, Micros)> {
    let eff = moved(resumed);
    timeline.prefix = resumed.prefix;
    if let Some(last) = events.last() {
        let changed = eff.iter().rev().find(|(seq, _)| *seq == last.timed.seq);
        timeline.last = Some(Last {
            timed: last.timed,
            eff: changed
                .map(|(_, eff)| *eff)
                .or(last.eff)
                .unwrap_or(last.timed.interval.est),
        });
    }
    eff
}
