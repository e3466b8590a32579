//! Where new events of a device stand in time: `suyuan_sync::time` over rows. At the end of a growing
//! sequence it takes what is kept with the device; a late filler goes back to a checkpoint.

use super::store::{self, Last, Timeline};
use crate::clock::Micros;
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::{
    ids::{Epoch, Seq},
    time::{Placed, Prefix, Resumed, Timed, resume},
};
use uuid::Uuid;

/// What became of the effective times of an epoch.
#[derive(Default)]
pub struct Placement {
    /// Of all that is new or moved, by number.
    pub eff: Vec<(Seq, Micros)>,
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
    let unplaced = |timed: &Timed| Placed {
        timed: *timed,
        eff: None,
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
        return kept(conn, device, epoch, timeline, None, resumed, &events).await;
    }
    // Back to where the sequence stands whatever comes in.
    let mut below = first.seq;
    loop {
        let prefix = store::checkpoint_before(conn, device, epoch, below).await?;
        let prefix = prefix.unwrap_or(Prefix::START);
        let mut events = store::placed_after(conn, device, epoch, prefix.seq).await?;
        // What enters now may have its row already: it has no place yet all the same.
        events.retain(|placed| new.iter().all(|new| new.seq != placed.timed.seq));
        events.extend(new.iter().map(unplaced));
        events.sort_by_key(|placed| placed.timed.seq);
        if let Some(resumed) = resume(prefix, &events) {
            return kept(
                conn,
                device,
                epoch,
                timeline,
                Some(prefix.seq),
                resumed,
                &events,
            )
            .await;
        }
        if prefix == Prefix::START {
            // It stands always.
            return Err(DbErr::Custom(format!(
                "times of device {device} do not stand"
            )));
        }
        below = prefix.seq;
    }
}

async fn kept(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: Epoch,
    timeline: &mut Timeline,
    resumed_from: Option<Seq>,
    resumed: Resumed,
    events: &[Placed],
) -> Result<Placement, DbErr> {
    if let Some(seq) = resumed_from {
        store::forget_checkpoints(conn, device, epoch, seq).await?;
    }
    store::keep_checkpoints(conn, device, epoch, &resumed.checkpoints).await?;
    let eff: Vec<(Seq, Micros)> = resumed.changed.iter().map(|c| (c.seq, c.eff)).collect();
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
    Ok(Placement { eff })
}
