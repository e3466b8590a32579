//! Draws a story from a number. Each has some of what can happen in it and not all, so that what it has comes
//! together often; and few goods, so that it happens to the same ones. Knows no server.

use super::{dice::Dice, script::Story};

/// What a story has in it.
#[allow(clippy::struct_excessive_bools)] // each may be without the others
pub(super) struct Has {
    pub(super) lots: bool,
    pub(super) groups: bool,
    pub(super) corrections: bool,
    pub(super) recalls: bool,
    pub(super) acceptances: bool,
    pub(super) aside: bool,
    pub(super) records: bool,
    pub(super) commissions: bool,
    pub(super) counts: bool,
    pub(super) partners: bool,
    pub(super) foreign: bool,
    pub(super) jitter: bool,
    pub(super) haste: bool,
    pub(super) narrow: bool,
    pub(super) late: bool,
}

/// What there is of each kind of goods.
struct Goods {
    tins: Vec<&'static str>,
    cases: Vec<&'static str>,
    pallets: Vec<&'static str>,
}

/// A story while it is drawn.
pub struct Drawing {
    pub(super) dice: Dice,
    pub(super) has: Has,
    goods: Goods,
    pub(super) story: Story,
    pub(super) at: i64,
    pub(super) groups: usize,
    pub(super) recalls: usize,
}

/// The story of a number.
pub fn drawn(number: u64) -> Story {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9));
    let mut some = |of: usize| dice.once_in(of);
    let has = Has {
        lots: some(3),
        groups: some(2),
        corrections: some(4),
        recalls: some(3),
        acceptances: some(3),
        aside: some(5),
        records: some(4),
        commissions: some(4),
        counts: some(3),
        partners: some(4),
        foreign: some(3),
        jitter: some(2),
        haste: some(3),
        narrow: some(3),
        late: some(3),
    };
    // Often there are so few goods that all happens to the same.
    let few = dice.once_in(2);
    let mut tins = vec!["t0", "t1", if few { "t0" } else { "t2" }];
    let mut cases = vec!["c0", "c0", if few { "c0" } else { "c1" }];
    let mut pallets = vec!["p0", "p0"];
    if has.commissions {
        tins.extend(["u0", "u0", "u1"]);
        cases.push("v0");
    }
    if has.records {
        tins.extend(["x0", "x0"]);
    }
    if has.partners {
        tins.extend(["s0", "s0"]);
        cases.push("z0");
    }
    pallets.extend(if has.foreign {
        &["f0", "f0"][..]
    } else {
        &["p1"]
    });
    let goods = Goods {
        tins,
        cases,
        pallets,
    };
    let mut drawing = Drawing {
        dice,
        has,
        goods,
        story: Story::default(),
        at: 1,
        groups: 0,
        recalls: 0,
    };
    let many = 8 + drawing.dice.below(14);
    drawing.is_said(many);
    drawing.is_told();
    drawing.story
}

impl Drawing {
    pub(super) fn any(&mut self) -> &'static str {
        match self.dice.below(3) {
            0 => self.tin(),
            1 => self.case(),
            _ => self.pallet(),
        }
    }

    /// Mostly one; what is named twice is named.
    pub(super) fn some(&mut self) -> String {
        let first = self.any();
        if self.dice.once_in(4) {
            format!("{first} {}", self.any())
        } else {
            first.to_owned()
        }
    }

    pub(super) fn tin(&mut self) -> &'static str {
        self.dice.pick(&self.goods.tins)
    }

    pub(super) fn case(&mut self) -> &'static str {
        self.dice.pick(&self.goods.cases)
    }

    pub(super) fn pallet(&mut self) -> &'static str {
        self.dice.pick(&self.goods.pallets)
    }

    /// All that is said before anything is heard: first that goods are packed, as a rule.
    fn is_said(&mut self, many: usize) {
        // What nobody names shares what becomes of what it is in.
        let packs = [
            self.dice.pick(&["pack c0 t0 t1", "pack c0 t0 t1 t3 t4"]),
            self.dice.pick(&["", "pack c1 t5 t6"]),
            self.dice.pick(&["pack p0 c0", "pack p0 c0 c1"]),
        ];
        for packs in packs {
            if !packs.is_empty() && !self.dice.once_in(5) {
                let at = self.at;
                self.story.push(&format!("plant {at} {packs}"));
                self.at += 2;
            }
        }
        // Somebody may copy the house's device, and the copy goes on beside it.
        let copied = (self.has.aside && self.dice.once_in(2)).then(|| self.dice.below(many));
        for n in 0..many {
            self.at += 1 + self.dice.below(3) as i64;
            if copied == Some(n) {
                self.story.push("copies &");
            }
            let is_copied = copied.is_some_and(|at| at <= n);
            let who = if is_copied && self.dice.once_in(4) {
                "twin"
            } else {
                self.dice.pick(&[
                    "plant", "house", "house", "store", "store", "shop", "line", "till",
                ])
            };
            self.act(who);
        }
    }

    /// Somebody acts: states an event, or several that belong together.
    fn act(&mut self, who: &str) {
        let at = if self.has.jitter && self.dice.once_in(4) {
            (self.at + self.dice.below(30) as i64 - 20).max(1)
        } else {
            self.at
        };
        if self.has.corrections && self.dice.once_in(5) && self.story.stated(who) > 0 {
            self.groups += 1;
            let (group, target) = (self.groups, self.dice.below(self.story.stated(who)));
            let by = self.by();
            let event = self.event(who);
            for said in [
                format!("{who} {at} retract {who}#{target} g{group}:1/2!{by}"),
                format!("{who} {at} {event} g{group}:2/2!{by}"),
            ] {
                self.story.push(&said);
            }
            return;
        }
        if self.has.groups && self.dice.once_in(3) {
            self.groups += 1;
            let (group, of) = (self.groups, 1 + self.dice.below(3));
            // Not always all of them.
            for n in 1..=of {
                let event = self.event(who);
                let at = at + self.dice.below(3) as i64;
                let of = of.max(2);
                self.story
                    .push(&format!("{who} {at} {event} g{group}:{n}/{of}"));
            }
            return;
        }
        let event = self.event(who);
        self.story.push(&format!("{who} {at} {event}"));
    }
}
