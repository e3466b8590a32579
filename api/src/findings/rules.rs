//! Who may see what of findings (sync.md section 5): who issued the unit sees all that shows one; who
//! stated the judged event sees it with their own events; the platform's operator sees all. Of goods of a lot
//! nobody sees what is found but who stated it: the issuer is told in the reach of a recall.
//!
//! Pure. `store` asks the database for what may be seen, by these same rules.

use suyuan_sync::{fold::Reader, ids::EnterpriseId};
use uuid::Uuid;

/// Whose a finding is: of the event that was judged, and of the unit.
#[derive(Debug, Clone, Copy)]
pub struct Concerns {
    /// Who stated the judged event.
    pub stated: Uuid,
    /// Who issued the unit.
    issuer: Option<Uuid>,
}

impl Concerns {
    /// As a row says it; rows of goods of a lot may name an issuer, too.
    pub fn of(stated: Uuid, issuer: Option<Uuid>, is_of_lot: bool) -> Concerns {
        Concerns {
            stated,
            issuer: issuer.filter(|issuer| !is_of_lot || *issuer == stated),
        }
    }
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
        let of = Concerns::of(shop, Some(issuer), false);
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
    fn what_is_found_of_foreign_codes_and_of_lots_belongs_to_who_stated_it() {
        let [stated, issuer] = [2, 3].map(Uuid::from_u128);
        let as_one = |id| Reader::Enterprise(EnterpriseId(id));
        for of in [
            Concerns::of(stated, None, false),
            Concerns::of(stated, Some(issuer), true),
        ] {
            assert!(sees(as_one(stated), of));
            assert!(!sees(as_one(issuer), of));
            assert!(!sees_event(as_one(stated), of, issuer));
        }
        // Of their own lots they see all that shows it.
        let own = Concerns::of(stated, Some(stated), true);
        assert!(sees_event(as_one(stated), own, issuer));
    }
}
