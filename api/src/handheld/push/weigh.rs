//! How heavy a push is: by what its events name and by how much is known of that, not by how many they
//! are. A push that is too heavy for one act goes into several, one after the other. Pure.

use super::act::Incoming;
use crate::handheld::units::folding::FACTS_MAX;
use lru::LruCache;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use suyuan_sync::{
    admission::{Batch, ReadEvent},
    ids::EventId,
    unit::UnitKey,
};

/// Most units and lots that the events of one act name, on the fastest machine ([`super::pace`]). An
/// event alone may be heavier by the facts about what it names.
pub const WEIGHT_MAX: usize = 2000;

/// An act of that weight reads as many facts as it may.
const FACTS: usize = FACTS_MAX / WEIGHT_MAX;

/// Units remembered for the facts about them.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// Units about which there is much, as far as acts came upon them. What is not remembered weighs as if
/// it were new, once. Clones are one.
#[derive(Clone)]
pub struct Long(Arc<Mutex<LruCache<UnitKey, usize>>>);

impl Default for Long {
    fn default() -> Long {
        Long(Arc::new(Mutex::new(LruCache::new(REMEMBERED))))
    }
}

impl Long {
    /// Notes how many facts there are about a unit: many.
    pub fn note(&self, unit: UnitKey, facts: usize) {
        self.known().put(unit, facts);
    }

    /// How many facts there are about a unit, if that is many.
    pub fn facts(&self, unit: &UnitKey) -> usize {
        self.known().peek(unit).copied().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, LruCache<UnitKey, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much the events name that retracts of a push strike, as far as that is known: a retract is about all
/// of it.
#[derive(Debug, Clone, Default)]
pub struct Struck(Arc<BTreeMap<EventId, usize>>);

impl Struck {
    /// The events that retracts of a push mean, and what those name that are in it themselves.
    pub fn of(batch: &Batch) -> (BTreeSet<EventId>, Struck) {
        let events = batch.events.iter();
        let events = events.filter_map(|read| Some((read, read.read.event()?)));
        let meant: BTreeSet<EventId> = events
            .clone()
            .filter_map(|(_, event)| event.target)
            .collect();
        let here = events.filter(|(_, event)| meant.contains(&event.id));
        let here: BTreeMap<_, _> = here.map(|(read, event)| (event.id, one(read))).collect();
        let elsewhere = meant.iter().filter(|id| !here.contains_key(id));
        (elsewhere.copied().collect(), Struck(Arc::new(here)))
    }

    /// The same, with what is known of others.
    #[must_use]
    pub fn and(&self, known: impl IntoIterator<Item = (EventId, usize)>) -> Struck {
        let mut all = (*self.0).clone();
        all.extend(known);
        Struck(Arc::new(all))
    }
}

/// Adds up events of one act. What is about a unit is read once, however many of them name it.
struct Sum<'a> {
    long: &'a Long,
    seen: BTreeSet<&'a UnitKey>,
    weight: usize,
}

impl<'a> Sum<'a> {
    fn new(long: &'a Long) -> Sum<'a> {
        Sum {
            long,
            seen: BTreeSet::new(),
            weight: 0,
        }
    }

    fn add(&mut self, event: &'a ReadEvent, struck: &Struck) {
        self.weight += one(event);
        let Some(event) = event.read.event() else {
            return;
        };
        let target = event.target.and_then(|target| struck.0.get(&target));
        self.weight += target.copied().unwrap_or_default();
        let named = event.units.iter().chain(&event.parent);
        for unit in named.filter_map(|read| read.unit.as_ref()) {
            let facts = self.long.facts(unit);
            if facts > 0 && self.seen.insert(unit) {
                self.weight += facts / FACTS;
            }
        }
    }
}

/// What one event weighs by what it names, as if nothing were known of it. What else a complete count is
/// about, units or lines of its place, is left for slices and weighs nothing here.
fn one(event: &ReadEvent) -> usize {
    let named = event.read.event().map_or(0, |event| {
        event.units.len() + event.lots.len() + usize::from(event.parent.is_some())
    });
    named.max(1)
}

/// What a push weighs.
pub fn weight(push: &Incoming, long: &Long) -> usize {
    let mut sum = Sum::new(long);
    let events = push.batch.events.iter();
    events.for_each(|event| sum.add(event, &push.struck));
    sum.weight
}

/// Takes as much from the front of a push as one act may hold, at least an event; and what is left. One that is too
/// heavy by itself, for what is known of what it names, takes others of the same with it: were each alone, all
/// that would be read for each. A group stays together where it can.
pub fn cut(push: Incoming, max: usize, long: &Long) -> (Incoming, Option<Incoming>) {
    let events = &push.batch.events;
    let mut sum = Sum::new(long);
    let mut most = max;
    let fits = events.iter().enumerate().take_while(|(at, event)| {
        sum.add(event, &push.struck);
        if *at == 0 && sum.weight > max {
            most = sum.weight + max / 2;
        }
        sum.weight <= most
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
    let of = |batch| Incoming {
        batch,
        imported: push.imported,
        struck: push.struck.clone(),
    };
    (of(first), of(second))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use suyuan_sync::{
        admission::{self, Read},
        chain::Hash,
        event::{Event, EventFault, Group, Input, Kind, LotLine, UnitRead},
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
            struck: Struck::default(),
        }
    }

    fn parts(mut push: Incoming) -> Vec<Vec<usize>> {
        let mut parts = Vec::new();
        let mut head = push.batch.prev_hash;
        loop {
            let (first, rest) = cut(push, WEIGHT_MAX, &Long::default());
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
        assert_eq!(
            weight(&push(&said), &Long::default()),
            wanted.iter().sum::<usize>()
        );
    }

    #[test]
    fn a_retract_weighs_what_it_strikes() {
        let mut push = push(&[(300, None), (0, None), (0, None)]);
        for event in &mut push.batch.events[1..] {
            if let Read::Event(event) = &mut event.read {
                let event = Arc::make_mut(event);
                let target = if event.seq == 2 { 0 } else { 77 };
                event.kind = Kind::Retract;
                event.target = Some(EventId(Uuid::from_u128(target)));
            }
        }
        let (elsewhere, here) = Struck::of(&push.batch);
        assert_eq!(elsewhere, [EventId(Uuid::from_u128(77))].into());
        push.struck = here.and([(EventId(Uuid::from_u128(77)), 900)]);
        assert_eq!(weight(&push, &Long::default()), 300 + 301 + 901);
        let (first, rest) = cut(push, 1000, &Long::default());
        let rest = rest.expect("more than an act may hold");
        assert_eq!((first.batch.events.len(), rest.batch.events.len()), (2, 1));
        assert_eq!(weight(&rest, &Long::default()), 901);
    }

    /// Events that name these units.
    fn scans(named: &[&str]) -> Incoming {
        let mut push = push(&vec![(0, None); named.len()]);
        for (event, code) in push.batch.events.iter_mut().zip(named) {
            let Read::Event(stated) = &event.read else {
                unreachable!("they are events");
            };
            let mut stated = Event::clone(stated);
            stated.units = vec![UnitRead::of(code, Input::Wedge)].into();
            event.read = Read::Event(stated.into());
        }
        push
    }

    #[test]
    fn what_is_known_of_a_unit_weighs_once_in_each_act() {
        let codes = ["00106141412345678908", "00106141412345678915"];
        let push = scans(&[codes[0], codes[0], codes[1], codes[0]]);
        let long = Long::default();
        assert_eq!(weight(&push, &long), 4);
        for code in codes {
            let unit = UnitRead::of(code, Input::Wedge).unit.expect("a code");
            long.note(unit, 100 * FACTS);
        }
        assert_eq!(weight(&push, &long), 4 + 2 * 100);
        // Two of the one go together, even if it is too much alone; the other needs an act of its own, and is
        // never without one.
        for max in [150, 50] {
            let (first, rest) = cut(push.clone(), max, &long);
            let rest = rest.expect("more");
            assert_eq!((first.batch.events.len(), rest.batch.events.len()), (2, 2));
        }
        let (first, rest) = cut(push, 1, &long);
        assert_eq!(first.batch.events.len(), 1);
        assert_eq!(rest.expect("more").batch.first_seq, 2);
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
