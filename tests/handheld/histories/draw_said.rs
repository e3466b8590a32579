//! What somebody states in a drawn story: kinds of events, and the words of `script` that they are said in.

use super::draw::Drawing;
use super::script::TELLERS;

impl Drawing {
    /// Who it was, if not who it is as a rule.
    pub(super) fn by(&mut self) -> &'static str {
        match self.dice.below(6) {
            0 => " by:w-99",
            1 => " by:boss",
            _ => "",
        }
    }

    /// What somebody states: its kind and its words.
    pub(super) fn event(&mut self, who: &str) -> String {
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
}
