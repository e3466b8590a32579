//! Draws drafts from a number alone, for long runs that print a seed when they fail.

use super::{
    Case,
    draft::{Draft, build},
    settings::{RecallDraft, Settings},
};

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u8 {
        (self.roll() % n) as u8
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }
}

fn draft(dice: &mut Dice, few: u64) -> Draft {
    Draft {
        plausible: dice.chance(70),
        again: dice.chance(10),
        kind: dice.below(256),
        good: dice.below(few),
        more: if dice.chance(30) {
            dice.roll() as u16
        } else {
            0
        },
        place: dice.below(6),
        hand: dice.below(5),
        gap: dice.below(8),
        width: if dice.chance(60) { dice.below(25) } else { 0 },
        late: if dice.chance(30) { dice.below(40) } else { 0 },
        partner: dice.below(256),
        paper: dice.below(4),
        aux: dice.roll() as u32,
    }
}

fn recall(dice: &mut Dice) -> RecallDraft {
    RecallDraft {
        by_batch: dice.chance(60),
        what: dice.below(11),
        opened: dice.below(16),
        widened: dice.below(6),
        closed: dice.below(8),
        mistaken: dice.chance(30),
        destination: dice.below(6),
    }
}

/// The history of a seed: 1 to `max` events.
pub fn seeded(seed: u64, max: u64) -> Case {
    let mut dice = Dice(seed);
    let (recalls, policies, shifts, accepted) =
        (dice.below(3), dice.below(2), dice.below(3), dice.below(2));
    let settings = Settings {
        recalls: (0..recalls).map(|_| recall(&mut dice)).collect(),
        policies: (0..policies)
            .map(|_| (dice.below(16), dice.below(8)))
            .collect(),
        shifts: (0..shifts)
            .map(|_| (dice.below(16), dice.below(5)))
            .collect(),
        accepted: (0..accepted)
            .map(|_| (dice.below(5), dice.below(256), dice.below(20)))
            .collect(),
    };
    // Few goods make dense histories.
    let few = 1 + u64::from(dice.below(12));
    let events = 1 + u64::from(dice.below(max));
    let drafts: Vec<Draft> = (0..events).map(|_| draft(&mut dice, few)).collect();
    build(&settings, &drafts)
}
