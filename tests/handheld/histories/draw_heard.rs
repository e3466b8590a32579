//! What the server hears of a drawn story, in which order, and what people decide and file in between.

use super::draw::Drawing;
use super::script::TELLERS;

impl Drawing {
    /// What the server hears of it, and what happens meanwhile.
    pub(super) fn is_told(&mut self) {
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
