//! Who may see what of findings (sync.md section 5): who issued the unit sees all that shows one; who
//! stated the judged event sees it with their own events; the platform's operator sees all. Pure.

use suyuan_sync::{fold::Reader, ids::EnterpriseId};
use uuid::Uuid;

/// Whose a finding is: of the event that was judged, and of the unit.
#[derive(Debug, Clone, Copy)]
pub struct Concerns {
    /// Who stated the judged event.
    pub stated: Uuid,
    /// Who issued the unit.
    pub issuer: Option<Uuid>,
}

/// May `who` see this event, which shows or explains a finding that they see?
pub fn sees_event(who: Reader, of: Concerns, event_of: Uuid) -> bool {
    match who {
        Reader::All => true,
        Reader::Enterprise(EnterpriseId(me)) => of.issuer == Some(me) || event_of == me,
    }
}

/// May `who` see this finding at all?
pub fn sees(who: Reader, of: Concerns) -> bool {
    match who {
        Reader::All => true,
        Reader::Enterprise(EnterpriseId(me)) => of.issuer == Some(me) || of.stated == me,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_sees_all_a_holder_its_own_and_others_nothing() {
        let [issuer, shop, other] = [1, 2, 3].map(Uuid::from_u128);
        let of = Concerns {
            stated: shop,
            issuer: Some(issuer),
        };
        let as_one = |id| Reader::Enterprise(EnterpriseId(id));
        for (who, finding, own, others) in [
            (Reader::All, true, true, true),
            (as_one(issuer), true, true, true),
            (as_one(shop), true, true, false),
            (as_one(other), false, false, true),
        ] {
            assert_eq!(sees(who, of), finding, "{who:?}");
            assert_eq!(sees_event(who, of, shop), own, "{who:?}");
            assert_eq!(sees_event(who, of, other), others, "{who:?}");
        }
    }

    #[test]
    fn a_finding_about_a_foreign_code_belongs_to_who_stated_it() {
        let of = Concerns {
            stated: Uuid::from_u128(2),
            issuer: None,
        };
        let as_one = |id| Reader::Enterprise(EnterpriseId(Uuid::from_u128(id)));
        assert!(sees(as_one(2), of));
        assert!(!sees(as_one(3), of));
    }
}
