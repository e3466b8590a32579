//! `admitted` (T3, T6, T7, and of T9 what could not be folded): a logged decision, or a newer
//! program, lifts what kept events out, and they are judged again by the rules behind it.
//!
//! They keep their ids, places, hashes and times of receipt. Those of a second branch (T3) are
//! ordered by the device's new epoch; that is for whoever gives them their place in the order.

use super::{GroupHeld, Leaving, Outcome, Read, Remark, batch, group::Joining};
use crate::{
    event::{Event, EventFault},
    ids::{DeviceId, Epoch, EventId, GroupId, Seq},
};
use std::collections::BTreeMap;

/// An event that is kept out of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Whose.
    pub device: DeviceId,
    /// Of which life.
    pub epoch: Epoch,
    /// The number it fills.
    pub seq: Seq,
    /// The id it claims.
    pub event: Option<EventId>,
    /// Its bytes.
    pub text: String,
    /// What is remarked on it now.
    pub outcome: Outcome,
}

/// It, judged again.
#[derive(Clone, Debug, PartialEq)]
pub struct Readmitted {
    /// Which.
    pub waiting: Waiting,
    /// What it was read as now.
    pub read: Read,
    /// What is remarked on it now. Only if it is [`Outcome::in_state`] does it enter the state.
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Readmission {
    /// Each event, in the order given.
    pub events: Vec<Readmitted>,
    /// Members of its groups that had been waiting and now leave parking.
    pub leaving: Vec<Leaving>,
    /// Members of its groups that had been taken in without the rest, which is there now.
    pub whole: Vec<EventId>,
    /// The groups that were joined, as they stand now.
    pub groups: BTreeMap<GroupId, GroupHeld>,
}

/// Lifts one remark from events of one device epoch and judges them again. `Later` is lifted only
/// from what the program at hand can read; no other remark than `Later`, `Unfoldable`, `Revoked` and
/// `Fork` can be lifted.
pub fn readmit(
    waiting: Vec<Waiting>,
    lifted: Remark,
    groups: &BTreeMap<GroupId, GroupHeld>,
    parse: impl Fn(&str) -> Result<Event, EventFault>,
) -> Readmission {
    let liftable = matches!(
        lifted,
        Remark::Later | Remark::Unfoldable | Remark::Revoked | Remark::Fork
    );
    let mut joining = Joining::new(groups);
    let mut events: Vec<Readmitted> = waiting
        .into_iter()
        .map(|waiting| {
            let place = (waiting.device, waiting.epoch, waiting.seq);
            let read = batch::read_one(&waiting.text, place, &parse);
            let mut outcome = match &read {
                Read::Later(_) if lifted == Remark::Later => waiting.outcome.clone(),
                _ if liftable => waiting.outcome.without(lifted),
                _ => waiting.outcome.clone(),
            };
            match &read {
                Read::Unreadable(_) => outcome = outcome.with(Remark::Unreadable),
                Read::Elsewhere(_) => outcome = outcome.with(Remark::SeqMismatch),
                Read::Later(_) => outcome = outcome.with(Remark::Later),
                Read::Unfoldable(_) => outcome = outcome.with(Remark::Unfoldable),
                Read::Event(_) => {}
            }
            let was = waiting.outcome.in_state();
            if let (false, true, Some(group), Some(id)) =
                (was, outcome.in_state(), read.group(), waiting.event)
                && !joining.join(group, waiting.seq, id)
            {
                outcome = outcome.with(Remark::PartialGroup);
            }
            Readmitted {
                waiting,
                read,
                outcome,
            }
        })
        .collect();
    let joined = joining.finish();
    for event in &mut events {
        let id = event.waiting.event;
        if let Some(remark) = id.and_then(|id| joined.remark(id)) {
            event.outcome = event.outcome.with(remark);
        }
    }
    Readmission {
        events,
        leaving: joined.leaving,
        whole: joined.whole,
        groups: joined.groups,
    }
}
