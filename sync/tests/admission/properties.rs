//! What must hold for any pushes in any order: I1 to I5, I14, I18, I31, I33 of sync.md section 9.

use crate::{
    seen,
    world::{DEVICE, Device, Push, Store},
};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    admission::{Branch, Remark, Status},
    chain::Hash,
    event::Header,
    ids::Seq,
    invariants::{
        DeviceHistory, i3_exactly_once, i18_a_bad_event_changes_no_others_result,
        i31_forks_are_found, i31_forks_are_told,
    },
    wire::Ranges,
};

/// What a device may do next.
#[derive(Clone, Debug)]
enum Act {
    Sale,
    Rubbish,
    Tomorrow,
    Reuse,
    Group(u32),
    /// It forgets the head of its chain.
    Break,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Sale),
        1 => Just(Act::Rubbish),
        1 => Just(Act::Tomorrow),
        1 => Just(Act::Reuse),
        2 => (1..4u32).prop_map(Act::Group),
        1 => Just(Act::Break),
    ]
}

fn live(device: &mut Device, acts: &[Act]) {
    for act in acts {
        match act {
            Act::Sale => device.sale(),
            Act::Rubbish => {
                let text = format!("rubbish {} {}", device.salt, device.made.len());
                device.put(text)
            }
            Act::Tomorrow => device.of_tomorrow(),
            Act::Reuse => {
                let mut event = device.bare();
                event.id = device.id(1);
                device.put(event.write())
            }
            Act::Group(of) => {
                let id = (device.salt << 32) + device.made.len() as u128 + 1;
                for n in 1..=*of {
                    device.member(id, n, *of);
                }
                &mut *device
            }
            Act::Break => {
                device.sale();
                let mut made = device.made.pop().expect("just made");
                made.prev = Hash([device.made.len() as u8; 32]);
                made.hash = suyuan_sync::chain::next(made.prev, made.text.as_bytes());
                device.made.push(made);
                &mut *device
            }
        };
    }
}

fn history() -> impl Strategy<Value = Device> {
    prop::collection::vec(act(), 1..14).prop_map(|acts| {
        let mut device = Device::new();
        live(&mut device, &acts);
        device
    })
}

/// Pushes that cover a whole history: cuts of it, some sent again, in any order.
fn pushes(device: &Device, cuts: &[Index], again: &[(Index, Index)], order: &[u32]) -> Vec<Push> {
    let n = device.made.len();
    // A break of the chain is a break of pushes too: one frame states one prev_hash.
    let mut ends: BTreeSet<usize> = cuts.iter().map(|cut| cut.index(n) + 1).collect();
    ends.insert(n);
    let mut all: Vec<(usize, usize)> = Vec::new();
    let mut start = 1;
    for end in ends {
        all.push((start, end));
        start = end + 1;
    }
    for (a, b) in again {
        let (a, b) = (a.index(n) + 1, b.index(n) + 1);
        all.push((a.min(b), a.max(b)));
    }
    let unbroken = |(first, last): (usize, usize)| {
        let mut parts = vec![(first, last)];
        for at in first + 1..=last {
            if device.made[at - 1].prev != device.made[at - 2].hash {
                let (first, last) = parts.pop().expect("one part");
                parts.push((first, at - 1));
                parts.push((at, last));
            }
        }
        parts
    };
    let mut all: Vec<(usize, usize)> = all.into_iter().flat_map(unbroken).collect();
    for (n, by) in order.iter().enumerate().take(all.len()) {
        let with = *by as usize % all.len();
        all.swap(n, with);
    }
    all.into_iter()
        .map(|(first, last)| device.push(first as Seq, last as Seq))
        .collect()
}

/// Reused ids: which copy came first decides, so the two may change places.
fn without_who_came_first(store: &Store) -> Vec<(Seq, Hash)> {
    store
        .content()
        .into_iter()
        .map(|(seq, hash, _)| (seq, hash))
        .collect()
}

proptest! {
    /// I1, I2, I3, I14: any re-batching, duplication and order of pushes keeps the same events,
    /// byte for byte and once each, with the same fate.
    #[test]
    fn any_pushes_give_the_same_held_set(
        device in history(),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
        again in prop::collection::vec(any::<(Index, Index)>(), 0..4),
        order in prop::collection::vec(any::<u32>(), 20),
    ) {
        let mut in_order = Store::new();
        for push in pushes(&device, &[], &[], &[]) {
            in_order.push(push);
        }
        let mut other = Store::new();
        for push in pushes(&device, &cuts, &again, &order) {
            other.push(push);
        }
        let n = device.made.len();
        prop_assert_eq!(other.extent.held.ranges(), [(1, n as Seq)]);
        prop_assert_eq!(&other.extent, &in_order.extent);
        prop_assert_eq!(without_who_came_first(&other), without_who_came_first(&in_order));
        let reused = |store: &Store| {
            store.rows.iter().any(|row| row.now.remarks.contains(&Remark::IdReuse))
        };
        if !reused(&in_order) {
            prop_assert_eq!(other.content(), in_order.content());
        }
        for row in &other.rows {
            let made = &device.made[row.kept.seq as usize - 1];
            prop_assert_eq!((&row.text, row.kept.hash), (&made.text, made.hash));
            let fate = row.now.status;
            prop_assert!(fate != Status::Duplicate, "I14: each has a fate");
            let waits = fate == Status::Parked && !row.now.remarks.contains(&Remark::Later);
            prop_assert!(!waits || reused(&in_order), "I28: whole groups leave parking");
        }
    }

    /// I4: whoever asks again gets the original result. I5: receipts tell the truth and never go
    /// backwards.
    #[test]
    fn receipts_never_go_backwards_and_answers_stay(
        device in history(),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
        again in prop::collection::vec(any::<(Index, Index)>(), 0..6),
        order in prop::collection::vec(any::<u32>(), 20),
        force in any::<Index>(),
    ) {
        let mut store = Store::new();
        let (mut last, mut held) = (0, Ranges::EMPTY);
        let mut answers: BTreeMap<Seq, Vec<Remark>> = BTreeMap::new();
        let pushes = pushes(&device, &cuts, &again, &order);
        let force = force.index(pushes.len());
        for (n, push) in pushes.into_iter().enumerate() {
            let first = push.first;
            let answer = store.push(push);
            let receipt = answer.receipt;
            prop_assert!(receipt.contiguous >= last, "contiguous went back");
            prop_assert!(held.without(&receipt.held).is_empty(), "what was held is held");
            prop_assert_eq!(receipt.held.gaps(), receipt.missing.clone());
            for seq in receipt.held.numbers() {
                prop_assert!(store.rows.iter().any(|row| row.kept.seq == seq), "{seq} is not held");
            }
            if receipt.contiguous > 0 {
                prop_assert_eq!(receipt.head, device.made[receipt.contiguous as usize - 1].hash);
            }
            for (seq, remarks) in (first..).zip(answer.remarks) {
                let original = answers.entry(seq).or_insert_with(|| remarks.clone());
                prop_assert_eq!(original, &remarks);
            }
            (last, held) = (receipt.contiguous, receipt.held);
            if n == force && store.extent.gap().is_some() {
                store.force_gap();
            }
        }
    }

    /// I18: a bad event changes no other's result, those of its own group apart.
    #[test]
    fn a_bad_event_changes_no_others_result(device in history(), at in any::<Index>(), bad in ".{0,40}") {
        let at = at.index(device.made.len());
        let mut spoilt = Device::new();
        for (n, made) in device.made.iter().enumerate() {
            spoilt.put(if n == at { bad.clone() } else { made.text.clone() });
        }
        let mut sound = Device::new();
        for made in &device.made {
            sound.put(made.text.clone());
        }
        let group = |text: &str| suyuan_sync::event::parse(text).ok().and_then(|event| event.group.map(|group| group.id));
        let id = |text: &str| Header::read(text.as_bytes()).event_id;
        let text = &device.made[at].text;
        let before = Store::new().push(sound.all());
        let after = Store::new().push(spoilt.all());
        let tied = device.made.iter().enumerate().filter(|(n, made)| {
            *n == at
                || group(&made.text).is_some() && group(&made.text) == group(text)
                || id(&made.text).is_some() && id(&made.text) == id(text)
        });
        let tied = tied.map(|(n, _)| n).collect();
        let holds = i18_a_bad_event_changes_no_others_result(&before.remarks, &after.remarks, &tied);
        prop_assert!(holds.is_ok(), "{:?}", holds);
    }

    /// I31 and T3: two copies of a device, pushing in any order. Forks are found at the first
    /// contact, nothing is lost, nothing of the second branch is in state, and what a receipt
    /// covers of what a copy pushed is held, byte for byte, and never less than before.
    #[test]
    fn two_copies_of_a_device_lose_nothing(
        shared in prop::collection::vec(act(), 0..6),
        one in prop::collection::vec(act(), 1..8),
        two in prop::collection::vec(act(), 1..8),
        sizes in prop::collection::vec((any::<bool>(), 1..4u64), 1..30),
    ) {
        let mut a = Device::new();
        live(&mut a, &shared);
        let parted = a.made.len() as Seq;
        let mut b = a.copy(1);
        live(&mut a, &one);
        live(&mut b, &two);
        let mut store = Store::new();
        let heard = |device| DeviceHistory { device, made: Vec::new(), told: Vec::new() };
        let mut heard = [heard(DEVICE), heard(DEVICE)];
        let (mut sent, mut covered) = ([0, 0], Ranges::EMPTY);
        for (of_b, size) in sizes.into_iter().chain([(true, 99), (false, 99)]) {
            let device = if of_b { &b } else { &a };
            let at = &mut sent[usize::from(of_b)];
            let n = device.made.len() as Seq;
            // In order, as a device does; a break of its chain begins a new push.
            for _ in 0..size {
                if *at == n {
                    break;
                }
                *at += 1;
                let push = device.push(*at, *at);
                let answer = store.push(push.clone());
                heard[usize::from(of_b)].told.extend(seen::told(&push, &answer));
                prop_assert!(covered.without(&answer.receipt.held).is_empty(), "I5");
                covered = answer.receipt.held.clone();
                for seq in answer.receipt.held.numbers().filter(|seq| *seq <= *at) {
                    let made = &device.made[seq as usize - 1];
                    prop_assert!(
                        store.rows.iter().any(|row| row.text == made.text),
                        "{} was receipted and is not held", seq
                    );
                }
                for row in &store.rows {
                    let fork = row.kept.branch != Branch::First;
                    prop_assert_eq!(fork, row.now.remarks.contains(&Remark::Fork));
                    prop_assert!(!(fork && row.now.in_state()));
                }
            }
        }
        for device in [&a, &b] {
            for made in &device.made {
                prop_assert!(store.rows.iter().any(|row| row.text == made.text), "lost");
            }
        }
        if a.made.len() as Seq > parted && b.made.len() as Seq > parted {
            prop_assert!(!store.forks.is_empty(), "two copies and no fork");
        }
        let log = seen::log(&store);
        for holds in [i3_exactly_once(&log), i31_forks_are_found(&log), i31_forks_are_told(&heard)] {
            prop_assert!(holds.is_ok(), "{:?}", holds);
        }
        let firsts: Vec<Seq> = store.rows.iter().filter(|row| row.kept.branch == Branch::First).map(|row| row.kept.seq).collect();
        let distinct: BTreeSet<Seq> = firsts.iter().copied().collect();
        prop_assert_eq!(firsts.len(), distinct.len(), "I3: one event in state for each number");
    }

    /// I33: whatever comes is durable or refused by its frame, and never a panic.
    #[test]
    fn rubbish_is_kept_or_refused(
        device in history(),
        frames in prop::collection::vec((
            prop_oneof![1..30u64, Just(0), Just(u64::MAX), Just(1u64 << 63), any::<u64>()],
            prop_oneof![Just(None), any::<[u8; 32]>().prop_map(Some)],
            prop::collection::vec(prop_oneof![".{0,20}".prop_map(Ok), any::<Index>().prop_map(Err)], 0..6),
            any::<bool>(),
        ), 1..12),
    ) {
        let mut store = Store::new();
        for (first, prev, texts, revoked) in frames {
            store.revoked = revoked;
            let n = device.made.len();
            let texts: Vec<String> = texts
                .into_iter()
                .map(|text| text.unwrap_or_else(|at: Index| device.made[at.index(n)].text.clone()))
                .collect();
            let before = store.rows.len();
            let push = Push { first, prev: prev.map_or(device.head(), Hash), texts: texts.clone() };
            if let Ok(answer) = store.try_push(&push) {
                    let new = answer.statuses.iter().filter(|status| **status != Status::Duplicate).count();
                    prop_assert_eq!(store.rows.len(), before + new);
                    for (seq, text) in (first..).zip(&texts) {
                        prop_assert!(store.rows.iter().any(|row| row.kept.seq == seq && row.text == *text));
                        prop_assert!(answer.receipt.held.contains(seq), "every one fills its number");
                    }
            } else {
                prop_assert_eq!(store.rows.len(), before);
            }
        }
    }
}
