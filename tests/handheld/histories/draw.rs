//! Draws a story from a number. Each has some of what can happen in it and not all, so that what it has comes
//! together often; and few goods, so that it happens to the same ones. Knows no server.

use super::{
    dice::Dice,
    script::{Story, TELLERS},
};

/// What a story has in it.
struct Has {
    lots: bool,
    groups: bool,
    corrections: bool,
    recalls: bool,
    acceptances: bool,
    aside: bool,
    records: bool,
    commissions: bool,
    counts: bool,
    partners: bool,
    foreign: bool,
    jitter: bool,
    haste: bool,
    narrow: bool,
    late: bool,
}

/// What there is of each kind of goods.
struct Goods {
    tins: Vec<&'static str>,
    cases: Vec<&'static str>,
    pallets: Vec<&'static str>,
}

/// A story while it is drawn.
struct Drawing {
    dice: Dice,
    has: Has,
    goods: Goods,
    story: Story,
    at: i64,
    groups: usize,
    recalls: usize,
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
    fn any(&mut self) -> &'static str {
        match self.dice.below(3) {
            0 => self.tin(),
            1 => self.case(),
            _ => self.pallet(),
        }
    }

    /// Mostly one; what is named twice is named.
    fn some(&mut self) -> String {
        let first = self.any();
        if self.dice.once_in(4) {
            format!("{first} {}", self.any())
        } else {
            first.to_owned()
        }
    }

    fn tin(&mut self) -> &'static str {
        self.dice.pick(&self.goods.tins)
    }

    fn case(&mut self) -> &'static str {
        self.dice.pick(&self.goods.cases)
    }

    fn pallet(&mut self) -> &'static str {
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

    /// Who it was, if not who it is as a rule.
    fn by(&mut self) -> &'static str {
        match self.dice.below(6) {
            0 => " by:w-99",
            1 => " by:boss",
            _ => "",
        }
    }

    /// What somebody states: its kind and its words.
    fn event(&mut self, who: &str) -> String {
        if self.has.lots && self.dice.once_in(2) {
            return self.of_lots();
        }
        if self.has.counts && self.dice.once_in(6) {
            let what = self.any();
            return format!("count complete {what}");
        }
        if self.has.commissions && self.dice.once_in(5) {
            let what = self.dice.pick(&["u0", "u0", "u1", "v0", "t0", "f0"]);
            let batch = self.dice.pick(&["L7", "L8", "L8", "L9"]);
            return format!("commission {what} batch:{batch}");
        }
        let any = self.some();
        match self.dice.below(23) {
            0..6 => {
                let (doc, from) = (self.doc(), self.dice.below(6));
                let from = match from {
                    0 => " from:plant",
                    1 => " from:house",
                    2 => " from:shop",
                    _ => "",
                };
                format!("inbound {any}{doc}{from}")
            }
            6..9 => format!("outbound to:{} {any}", self.to()),
            9..12 => format!("pack {} {}", self.pallet(), self.case()),
            12 => format!("pack {} {}", self.case(), self.tin()),
            13 => format!("pack {} {} {}", self.case(), self.tin(), self.tin()),
            14 => match self.dice.below(3) {
                // Whatever their levels.
                0 => format!("pack {} {}", self.any(), self.any()),
                1 => format!("unpack {} {}", self.case(), self.tin()),
                _ => format!("unpack {} {}", self.pallet(), self.case()),
            },
            15 => format!("unpack {}", self.dice.pick(&["p0", "c0", "p1", "c1", "f0"])),
            16 => format!("sale {any}"),
            17 => format!("return {any}"),
            18 => {
                let kind = self.dice.pick(&["count", "collect", "destroy"]);
                format!("{kind} {any}")
            }
            19 => {
                let disposition = self.dice.pick(&["sellable", "hold", "destroy"]);
                format!("inspect as:{disposition} {any}")
            }
            _ => {
                let whose = if self.dice.once_in(5) {
                    self.dice.pick(&TELLERS[..6])
                } else {
                    who
                };
                let stated = self.story.stated(whose);
                if stated == 0 {
                    return format!("inbound {any}");
                }
                let by = self.by();
                format!("retract {whose}#{}{by}", self.dice.below(stated))
            }
        }
    }

    fn to(&mut self) -> &'static str {
        let places = if self.has.records {
            &["house", "store", "shop", "late", "late"][..]
        } else {
            &["house", "store", "shop"]
        };
        self.dice.pick(places)
    }

    fn doc(&mut self) -> String {
        format!(" doc:{}", 1 + self.dice.below(3))
    }

    /// The same of goods without codes of their own.
    fn of_lots(&mut self) -> String {
        let lots = if self.has.records {
            &["L7", "L7", "L9", "?", "x/X1"][..]
        } else {
            &["L7", "L7", "L8", "?"]
        };
        let (lot, qty) = (self.dice.pick(lots), 1 + self.dice.below(9));
        let of = format!("{lot}*{qty}");
        match self.dice.below(12) {
            0..3 => format!("inbound {of}{}", self.doc()),
            3 | 4 => format!("outbound to:{} {of}", self.to()),
            5 | 6 => format!("sale {of}"),
            7 => format!("return {of}"),
            8 => format!("collect {of}"),
            9 => {
                let words = self.dice.pick(&["", " complete", " accepted by:boss"]);
                format!("count {of}{words}")
            }
            10 => format!("unpack {} {of}", self.case()),
            _ => format!("pack {} {of}", self.dice.pick(&["c0", "c0", "p0", "f0"])),
        }
    }

    /// What the server hears of it, and what happens meanwhile.
    fn is_told(&mut self) {
        if self.has.narrow && self.dice.once_in(2) {
            let most = self.dice.pick(&[2, 3, 5]);
            self.story.push(&format!("narrow {most} &"));
        }
        let mut waiting = Vec::new();
        let mut heard = [0; TELLERS.len()];
        self.is_split(&mut waiting, &mut heard);
        while !waiting.is_empty() {
            if self.dice.once_in(6) {
                self.story.push("released");
            } else if self.dice.once_in(4) {
                self.happens();
            } else if self.has.late && self.dice.once_in(8) {
                let who = self.dice.pick(&["plant", "house", "store", "till", "shop"]);
                let asks = self.dice.pick(&["asks", "asks", "pulls"]);
                self.story.push(&format!("{asks} {who} &"));
                for _ in 0..=self.dice.below(2) {
                    let (at, event) = (self.at, self.event(who));
                    self.story.push(&format!("{who} {at} {event}"));
                }
                self.is_split(&mut waiting, &mut heard);
            } else {
                // Mostly in the order of each device.
                let mut n = self.dice.below(waiting.len());
                if !self.dice.once_in(4) {
                    let who = waiting[n].0;
                    let first = waiting.iter().position(|(of, ..)| *of == who);
                    n = first.unwrap_or(n);
                }
                let (who, from, to): (&str, usize, usize) = waiting.remove(n);
                let again = self.dice.once_in(20);
                let haste = if self.has.haste && self.dice.once_in(2) {
                    " &"
                } else {
                    ""
                };
                if self.has.narrow && self.dice.once_in(3) {
                    self.story.push("full &");
                }
                for _ in 0..=usize::from(again) {
                    self.story.push(&format!("hears {who} {from}..{to}{haste}"));
                }
            }
        }
    }

    /// Into pushes of one to three events.
    fn is_split(
        &mut self,
        waiting: &mut Vec<(&'static str, usize, usize)>,
        heard: &mut [usize; TELLERS.len()],
    ) {
        for (who, next) in TELLERS.into_iter().zip(heard) {
            let stated = self.story.stated(who);
            while *next < stated {
                let to = (*next + 1 + self.dice.below(3)).min(stated);
                waiting.push((who, *next, to));
                *next = to;
            }
        }
    }

    /// Something else happens, if the story has it.
    fn happens(&mut self) {
        let (any, tin) = (self.any(), self.tin());
        let kind = self.dice.below(7);
        let line = match kind {
            0 | 1 if self.has.recalls => self.recall(any),
            2 if self.has.acceptances => {
                let whom = self.dice.pick(&["all", "L7", any, any, tin]);
                format!("accepts {whom}")
            }
            3 if self.has.aside => match self.dice.below(4) {
                0 => "revokes house".into(),
                1 => "revokes shop".into(),
                2 => "gaps".into(),
                _ => format!("admits {}", self.dice.below(3)),
            },
            4 if self.has.records => {
                let what = self.dice.pick(&["product", "place", "L9", "firm"]);
                format!("files {what}")
            }
            5 if self.has.commissions => {
                let what = self.dice.pick(&["u0", "u1", "v0"]);
                match self.dice.below(5) {
                    0 => format!("voids {what}"),
                    1 => "files L9".into(),
                    _ => format!("commissions {} {what}", self.dice.pick(&["L7", "L8"])),
                }
            }
            6 if self.has.narrow => match self.dice.below(3) {
                0 => "full".into(),
                _ => format!("full {any}"),
            },
            6 if self.has.late && self.dice.once_in(3) => {
                format!("policy {}", self.dice.pick(&[0, 600]))
            }
            6 if self.has.corrections => {
                format!("shift {}", self.dice.pick(&["house", "store", "plant"]))
            }
            _ => return,
        };
        let haste = if self.has.haste || line.starts_with("full") {
            " &"
        } else {
            ""
        };
        self.story.push(&format!("{line}{haste}"));
    }

    fn recall(&mut self, any: &str) -> String {
        let one = self.dice.below(self.recalls.max(1));
        match self.dice.below(5) {
            0 if self.recalls > 0 => format!("mistaken {one}"),
            1 if self.recalls > 0 => format!("widens {one} {any}"),
            2 if self.recalls > 0 => format!("closes {one}"),
            _ => {
                self.recalls += 1;
                let what = self.dice.pick(&["L7", "L7", "L8", any]);
                format!("recalls {what}")
            }
        }
    }
}
