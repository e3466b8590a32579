//! The units that people mean who type codes of ours ([`trace_code::fold_typed`]). An event says only what may
//! be meant. Whoever admits it finds out what is, from the issue keys, and keeps that beside the event; whoever
//! reads the event again is told. The text stays what it is.

use super::{Event, Input, UnitRead};
use crate::{
    trace_code::{self, TraceCode},
    unit::UnitKey,
};
use std::collections::BTreeSet;

impl UnitRead {
    /// The unit that may be meant instead of what the text says. What was not typed means what it says.
    fn may_mean(&self) -> Option<UnitKey> {
        UnitKey::of(&self.folded()?)
    }

    fn folded(&self) -> Option<TraceCode> {
        let scanned = self.scanned.filter(|_| self.input == Input::Typed)?;
        trace_code::fold_typed(&scanned.code)
    }

    /// Names what is meant, if that is among these units.
    fn mean(&mut self, units: &BTreeSet<UnitKey>) {
        if let Some(code) = self.folded()
            && let Some(unit) = UnitKey::of(&code).filter(|unit| units.contains(unit))
            && let Some(scanned) = &mut self.scanned
        {
            scanned.code = code;
            self.unit = Some(unit);
        }
    }

    /// The unit it names, unless its text names the same.
    fn meant(&self) -> Option<&UnitKey> {
        let said = || UnitRead::of(&self.code, self.input).unit;
        let unit = self.unit.as_ref().filter(|_| self.input == Input::Typed)?;
        (said().as_ref() != Some(unit)).then_some(unit)
    }
}

impl Event {
    /// The units that may be meant by codes that were typed, instead of what these say.
    pub fn may_mean(&self) -> BTreeSet<UnitKey> {
        let reads = self.units.iter().chain(&self.parent);
        reads.filter_map(UnitRead::may_mean).collect()
    }

    /// Takes the codes that may mean one of these units to name it.
    pub fn mean(&mut self, units: &BTreeSet<UnitKey>) {
        if units.is_empty() {
            return;
        }
        self.units.each(|read| read.mean(units));
        if let Some(parent) = &mut self.parent {
            parent.mean(units);
        }
    }

    /// The units it was taken to name that its text does not.
    pub fn meant(&self) -> BTreeSet<UnitKey> {
        let reads = self.units.iter().chain(&self.parent);
        reads.filter_map(UnitRead::meant).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;

    fn pack(input: &str, serials: [&str; 2]) -> Event {
        let [child, parent] = serials.map(|serial| {
            let code = format!("/01/06901234567892/21/{serial}");
            serde_json::json!({"code": code, "input": input})
        });
        let id = "018f2f6e-0000-7000-8000-000000000001";
        let text = serde_json::json!({
            "v": 1, "kind": "pack", "event_id": id, "device": id, "epoch": 1, "seq": 7,
            "at": "2026-01-15T09:30:00.250+08:00", "children": [child], "parent": parent,
        });
        event::parse(&text.to_string()).expect("an event")
    }

    fn unit(serial: &str) -> UnitKey {
        UnitKey::kept(&format!("/01/06901234567892/21/{serial}"))
    }

    fn named(event: &Event) -> [UnitKey; 2] {
        let parent = event.parent.as_ref().expect("a container");
        [&event.units[0], parent].map(|read| read.unit.clone().expect("a unit"))
    }

    #[test]
    fn what_was_typed_names_what_is_meant_by_it() {
        let typed = ["x0123456789abc", "xo123456789abd"];
        let meant = ["X0123456789ABC", "X0123456789ABD"].map(unit);
        let both: BTreeSet<UnitKey> = meant.iter().cloned().collect();
        let mut event = pack("typed", typed);
        assert_eq!(event.may_mean(), both);
        // Nothing is taken unless it is known to be meant.
        event.mean(&BTreeSet::new());
        event.mean(&BTreeSet::from([unit("X0123456789ABE")]));
        assert_eq!((named(&event), event.meant().len()), (typed.map(unit), 0));
        assert!(event.units.name(&unit(typed[0])));
        event.mean(&both);
        assert_eq!(
            (named(&event), event.meant()),
            (meant.clone(), both.clone())
        );
        assert!(event.units.name(&meant[0]) && !event.units.name(&unit(typed[0])));
        assert_eq!(event.units[0].code, "/01/06901234567892/21/x0123456789abc");
        // It is what its text says, character by character, when it is written.
        assert_eq!(event.write(), pack("typed", typed).write());
        // What a machine read is what it says.
        let mut scanned = pack("camera", typed);
        scanned.mean(&both);
        assert_eq!(named(&scanned), typed.map(unit));
        assert!(scanned.may_mean().is_empty() && scanned.meant().is_empty());
    }
}
