//! How heavy a push is: by what its events name, not by how many they are. A push that is too heavy for
//! one act goes into several, one after the other. Pure.

use super::act::Incoming;
use suyuan_sync::admission::{Batch, ReadEvent};

/// Most units and lots that the events of one act name, on the fastest machine ([`super::pace`]). No
/// event alone is heavier, since it names at most so many of each.
pub const WEIGHT_MAX: usize = 2000;

/// What one event weighs: what its act reads and folds for it. What else a complete count is about, units
/// or lines of its place, is left for slices and weighs nothing here.
fn one(event: &ReadEvent) -> usize {
    let named = event.read.event().map_or(0, |event| {
        event.units.len() + event.lots.len() + usize::from(event.parent.is_some())
    });
    named.max(1)
}

/// What a push weighs.
pub fn weight(push: &Incoming) -> usize {
    push.batch.events.iter().map(one).sum()
}

/// Takes as much from the front of a push as one act may hold, at least an event; and what is left.
/// A group stays together where it can.
pub fn cut(push: Incoming, max: usize) -> (Incoming, Option<Incoming>) {
    let events = &push.batch.events;
    let mut sum = 0;
    let fits = events.iter().take_while(|event| {
        sum += one(event);
        sum <= max
    });
    let fits = fits.count().max(1);
    if fits >= events.len() {
        return (push, None);
    }
    let group = |at: usize| events[at].read.group().map(|group| group.id);
    let mut at = fits;
    while at > 0 && group(at).is_some() && group(at) == group(at - 1) {
        at -= 1;
    }
    let at = if at == 0 { fits } else { at };
    let (first, rest) = split(push, at);
    (first, Some(rest))
}

/// Its two halves.
pub fn halves(push: Incoming) -> (Incoming, Incoming) {
    let at = push.batch.events.len() / 2;
    split(push, at)
}

fn split(push: Incoming, at: usize) -> (Incoming, Incoming) {
    let mut first = push.batch;
    let second = first.events.split_off(at);
    let second = Batch {
        device: first.device,
        epoch: first.epoch,
        first_seq: first.last_seq() + 1,
        prev_hash: first.head(),
        events: second,
    };
    let imported = push.imported;
    let of = |batch| Incoming { batch, imported };
    (of(first), of(second))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use suyuan_sync::{
        admission,
        chain::Hash,
        event::{Event, EventFault, Group, Kind, LotLine},
        ids::{DeviceId, EventId, GroupId},
    };
    use uuid::Uuid;

    fn lot() -> LotLine {
        LotLine {
            gtin: "00012345678905".into(),
            lot: Some("L".into()),
            qty: 1,
        }
    }

    /// Events that each name so many lots; those with a number are of that group.
    pub fn push(said: &[(usize, Option<u128>)]) -> Incoming {
        let texts = (0..said.len()).map(|n| n.to_string()).collect();
        let device = DeviceId(Uuid::nil());
        let batch = admission::read(device, 1, 1, Hash([0; 32]), texts, |text| {
            let at: usize = text
                .parse()
                .map_err(|_| EventFault::NotAnEvent { why: String::new() })?;
            let id = EventId(Uuid::from_u128(at as u128));
            let mut event = Event::bare(Kind::Count, id, device, 1, at as u64 + 1, 0);
            event.lots = vec![lot(); said[at].0];
            event.group = said[at].1.map(|id| Group {
                id: GroupId(Uuid::from_u128(id)),
                n: 1,
                of: 9,
                correct: false,
            });
            Ok(event)
        });
        Incoming {
            batch: batch.expect("a push"),
            imported: false,
        }
    }

    fn parts(mut push: Incoming) -> Vec<Vec<usize>> {
        let mut parts = Vec::new();
        let mut head = push.batch.prev_hash;
        loop {
            let (first, rest) = cut(push, WEIGHT_MAX);
            assert_eq!(first.batch.prev_hash, head, "it chains");
            head = first.batch.head();
            parts.push(first.batch.events.iter().map(one).collect());
            match rest {
                Some(rest) => push = rest,
                None => return parts,
            }
        }
    }

    #[test]
    fn no_act_holds_more_than_it_may_and_nothing_is_lost() {
        let said: Vec<_> = (0..140)
            .map(|n| (if n % 7 == 0 { 0 } else { 1000 }, None))
            .collect();
        let parts = parts(push(&said));
        assert!(
            parts
                .iter()
                .all(|part| part.iter().sum::<usize>() <= WEIGHT_MAX)
        );
        let all: Vec<usize> = parts.concat();
        let wanted: Vec<usize> = said.iter().map(|(lots, _)| (*lots).max(1)).collect();
        assert_eq!(all, wanted);
        assert_eq!(weight(&push(&said)), wanted.iter().sum::<usize>());
    }

    #[test]
    fn five_hundred_scans_are_one_act() {
        assert_eq!(parts(push(&vec![(1, None); 500])).len(), 1);
        // As much as there may be, to the last.
        assert_eq!(parts(push(&[(WEIGHT_MAX / 2, None); 2])).len(), 1);
        assert_eq!(parts(push(&[(WEIGHT_MAX / 2 + 1, None); 2])).len(), 2);
    }

    #[test]
    fn a_group_is_cut_only_when_it_is_too_heavy_itself() {
        let (one, two) = (Some(1), Some(2));
        let said = [(900, None), (500, one), (500, one), (500, one), (900, None)];
        let of = |said: &[(usize, Option<u128>)]| {
            let lengths = parts(push(said)).into_iter().map(|part| part.len());
            lengths.collect::<Vec<_>>()
        };
        assert_eq!(of(&said), [1, 3, 1]);
        let said = [(900, one), (900, one), (900, one), (900, two), (900, two)];
        assert_eq!(of(&said), [2, 1, 2]);
    }
}
