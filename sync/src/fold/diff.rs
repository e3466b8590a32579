//! What opened and what closed between two folds of the same thing.

use crate::{
    bugs::{self, Bug},
    finding::{Finding, Identity},
};
use std::collections::BTreeMap;

/// The findings that opened and those that closed. Two findings are the same if code, subject,
/// event and batch are; one whose witnesses or detail changed stays open and is in neither list.
pub fn diff(old_open: &[Finding], new_open: &[Finding]) -> (Vec<Finding>, Vec<Finding>) {
    let old: BTreeMap<_, _> = old_open.iter().map(|f| (f.identity(), f)).collect();
    let new: BTreeMap<_, _> = new_open.iter().map(|f| (f.identity(), f)).collect();
    let without = |these: &BTreeMap<Identity<'_>, &Finding>,
                   those: &BTreeMap<Identity<'_>, &Finding>| {
        these
            .iter()
            .filter(|(identity, _)| !those.contains_key(*identity))
            .map(|(_, finding)| (*finding).clone())
            .collect::<Vec<_>>()
    };
    let closed = if bugs::on(Bug::FindingsNeverClose) {
        Vec::new()
    } else {
        without(&old, &new)
    };
    (without(&new, &old), closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        finding::{Detail, FindingCode, Subject},
        ids::{DeviceId, EventId},
        unit::UnitKey,
    };
    use uuid::Uuid;

    fn finding(code: FindingCode, event: u128) -> Finding {
        Finding {
            code,
            subject: Subject::Unit(UnitKey::kept("/01/06901234567892/21/A")),
            event: EventId(Uuid::from_u128(event)),
            device: DeviceId(Uuid::from_u128(1)),
            batch: None,
            witnesses: vec![EventId(Uuid::from_u128(event))],
            detail: Detail::Nothing,
        }
    }

    #[test]
    fn what_is_new_opened_and_what_is_gone_closed() {
        let (stays, goes, comes) = (
            finding(FindingCode::DoubleSale, 1),
            finding(FindingCode::OrphanSale, 1),
            finding(FindingCode::OrphanSale, 2),
        );
        let (opened, closed) = diff(&[stays.clone(), goes.clone()], &[comes.clone(), stays]);
        assert_eq!(opened, [comes]);
        assert_eq!(closed, [goes]);
    }

    #[test]
    fn an_id_that_two_enterprises_use_makes_two_findings() {
        let one = finding(FindingCode::UnexpectedHolder, 1);
        let mut other = one.clone();
        other.device = DeviceId(Uuid::from_u128(2));
        let (opened, closed) = diff(std::slice::from_ref(&one), std::slice::from_ref(&other));
        assert_eq!((opened, closed), (vec![other], vec![one]));
    }

    #[test]
    fn other_witnesses_make_no_other_finding() {
        let old = finding(FindingCode::DoubleSale, 1);
        let mut new = old.clone();
        new.witnesses.push(EventId(Uuid::from_u128(9)));
        assert_eq!(diff(&[old], &[new]), (Vec::new(), Vec::new()));
    }
}
