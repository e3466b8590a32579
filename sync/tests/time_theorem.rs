//! I12, the theorem of sync.md section 4: if B had pulled or looked up A's event before acting,
//! every event of B from then on is ordered behind it, whatever the device clocks say.
//!
//! Devices with clocks ten years off, that jump, freeze, run fast or slow, push and pull in any
//! order against one log head. What each had seen when it acted is recorded beside its events.

use proptest::prelude::*;
use std::collections::BTreeMap;
use suyuan_sync::{
    ids::{Micros, Seq},
    order::Interval,
    time::{ClockReading, Timed, effective, interval},
};

const YEAR: Micros = 365 * 86_400_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// True time passes.
    Pass(Micros),
    /// A device scans something.
    Act(usize),
    /// A device uploads what it has: of its unsent events those picked out by the bits.
    Push(usize, u64),
    /// A device pulls, with an anchor.
    Pull(usize),
    /// An answer that was under way for long reaches a device only now.
    OldAnswer(usize, usize),
    /// The wall clock of a device is set.
    SetWall(usize, Micros),
    /// It stops, or goes on.
    Freeze(usize, bool),
    /// The page of a device is loaded anew: its monotonic clock tells nothing of the anchor.
    Reload(usize),
    /// The anchor is lost.
    Forget(usize),
}

#[derive(Clone, Default)]
struct Device {
    offset: Micros,
    frozen: Option<Micros>,
    /// Monotonic clock: permille of true time, and when the session began.
    rate: Micros,
    anchor: Option<(Micros, Option<Micros>, Option<Micros>)>,
    unsent: Vec<(Seq, ClockReading)>,
    next: Seq,
    /// Everything at or below this log position it had seen.
    saw: usize,
    /// What it had seen when it made each event.
    had_seen: BTreeMap<Seq, usize>,
    admitted: BTreeMap<Seq, (Interval, usize)>,
}

struct World {
    now: Micros,
    stamp: Micros,
    /// Owner and seq at each log position.
    log: Vec<(usize, Seq)>,
    devices: Vec<Device>,
    /// Answers made: anchor and position.
    answers: Vec<(Micros, usize)>,
}

impl Device {
    fn wall(&self, now: Micros) -> Micros {
        self.frozen.unwrap_or(now + self.offset)
    }

    /// The greatest anchor is kept, whatever order answers come in.
    fn receive(&mut self, anchor: Micros, position: usize, now: Micros) {
        if self.anchor.is_none_or(|(held, ..)| anchor > held) {
            self.anchor = Some((anchor, Some(self.wall(now)), Some(now)));
        }
        self.saw = self.saw.max(position);
    }

    fn act(&mut self, now: Micros) {
        self.next += 1;
        let mono = |since: Micros| ((now - since) * self.rate / 1_000_000) as u64;
        let reading = ClockReading {
            anchor: self.anchor.map(|(anchor, ..)| anchor),
            at: self.wall(now),
            anchor_wall: self.anchor.and_then(|(_, wall, _)| wall),
            mono_ms: self.anchor.and_then(|(.., since)| since).map_or(0, mono),
        };
        self.unsent.push((self.next, reading));
        self.had_seen.insert(self.next, self.saw);
    }
}

impl World {
    fn new(devices: Vec<(Micros, Micros)>) -> World {
        let device = |(offset, rate)| Device {
            offset,
            rate,
            ..Device::default()
        };
        World {
            now: 60 * YEAR,
            stamp: 60 * YEAR,
            log: Vec::new(),
            devices: devices.into_iter().map(device).collect(),
            answers: Vec::new(),
        }
    }

    /// Server time strictly greater than the stamp of the position the answer was computed at.
    fn answer(&mut self) -> (Micros, usize) {
        let answer = (self.now.max(self.stamp + 1), self.log.len());
        self.answers.push(answer);
        answer
    }

    fn run(&mut self, step: Step) {
        let count = self.devices.len();
        match step {
            Step::Pass(by) => self.now += by,
            Step::Act(d) => self.devices[d % count].act(self.now),
            Step::Push(d, bits) => {
                let d = d % count;
                let unsent = std::mem::take(&mut self.devices[d].unsent);
                for (n, (seq, reading)) in unsent.into_iter().enumerate() {
                    if bits >> (n % 64) & 1 == 0 {
                        self.devices[d].unsent.push((seq, reading));
                        continue;
                    }
                    self.stamp = self.now.max(self.stamp + 1);
                    self.log.push((d, seq));
                    let (found, _) = interval(&reading, 59 * YEAR, self.stamp);
                    let at = self.log.len();
                    self.devices[d].admitted.insert(seq, (found, at));
                }
            }
            Step::Pull(d) => {
                let (anchor, position) = self.answer();
                let now = self.now;
                // Anchor and rows arrive together, and are kept in one transaction.
                self.devices[d % count].receive(anchor, position, now);
            }
            Step::OldAnswer(d, n) => {
                if !self.answers.is_empty() {
                    let (anchor, position) = self.answers[n % self.answers.len()];
                    let now = self.now;
                    self.devices[d % count].receive(anchor, position, now);
                }
            }
            Step::SetWall(d, offset) => self.devices[d % count].offset = offset,
            Step::Freeze(d, stop) => {
                let now = self.now;
                let device = &mut self.devices[d % count];
                device.frozen = stop.then(|| device.wall(now));
            }
            Step::Reload(d) => {
                if let Some((_, _, since)) = &mut self.devices[d % count].anchor {
                    *since = None;
                }
            }
            Step::Forget(d) => {
                let device = &mut self.devices[d % count];
                // With the anchor goes what came with it: both stand in one transaction.
                device.anchor = None;
                device.saw = 0;
            }
        }
    }

    /// The theorem, for every pair of events there is.
    fn judge(&self) -> Result<(), TestCaseError> {
        let effs: Vec<BTreeMap<Seq, Micros>> = self
            .devices
            .iter()
            .map(|device| {
                let timed: Vec<Timed> = device
                    .admitted
                    .iter()
                    .map(|(&seq, &(interval, _))| Timed { seq, interval })
                    .collect();
                let seqs = timed.iter().map(|timed| timed.seq);
                seqs.zip(effective(&timed)).collect()
            })
            .collect();
        for (device, effs_b) in self.devices.iter().zip(&effs) {
            let mut most = 0;
            for (seq, eff_b) in effs_b {
                // "From then on": what it had seen once counts for all that follows.
                most = most.max(device.had_seen[seq]);
                for (owner, seq_a) in &self.log[..most] {
                    let eff_a = effs[*owner][seq_a];
                    let same = std::ptr::eq(&raw const self.devices[*owner], device);
                    prop_assert!(
                        same || eff_a < *eff_b,
                        "{eff_a} of device {owner} was seen before {eff_b}"
                    );
                }
            }
        }
        Ok(())
    }
}

fn step() -> impl Strategy<Value = Step> {
    let d = 0..4usize;
    prop_oneof![
        3 => prop_oneof![Just(0), 1..5i64, 0..100_000_000i64, 0..30 * 86_400_000_000i64].prop_map(Step::Pass),
        6 => d.clone().prop_map(Step::Act),
        4 => (d.clone(), prop_oneof![Just(u64::MAX), any::<u64>()]).prop_map(|(d, bits)| Step::Push(d, bits)),
        4 => d.clone().prop_map(Step::Pull),
        1 => (d.clone(), any::<usize>()).prop_map(|(d, n)| Step::OldAnswer(d, n)),
        1 => (d.clone(), -10 * YEAR..10 * YEAR).prop_map(|(d, to)| Step::SetWall(d, to)),
        1 => (d.clone(), any::<bool>()).prop_map(|(d, stop)| Step::Freeze(d, stop)),
        1 => d.clone().prop_map(Step::Reload),
        1 => d.prop_map(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn i12_what_was_seen_is_ordered_before_what_was_done_after_seeing_it(
        clocks in prop::collection::vec((-10 * YEAR..10 * YEAR, 0..3000i64), 2..5),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(clocks);
        for step in steps {
            world.run(step);
        }
        world.judge()?;
    }
}
