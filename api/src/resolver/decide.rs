//! The one decision about a code: from what is known to legality, advice and reasons.
//!
//! Pure and total: every fact comes in as an argument, the date included. This file must not
//! know HTTP, databases, caches or clocks; everything that answers a consumer goes through
//! [`decide`], so there is no second place where "ok" can be said.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Is this unit's code one that its issuer stands behind (合法判断)? A state of the code, not
/// of the goods: a recalled tin has a `legal` code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Legality {
    /// Issued and commissioned to a batch.
    Legal,
    /// Issued, then destroyed as unqualified before use (MB-6.3).
    Void,
    /// Issued, but not yet commissioned to a batch.
    NotCommissioned,
    /// The product is known, this code was never issued for it. Forged codes end here.
    NotAllocated,
    /// Nothing here issues codes of this kind.
    UnknownIssuer,
}

/// What a person should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Nothing known speaks against it.
    Ok,
    /// Look twice before use.
    Caution,
    /// Do not use.
    Stop,
}

/// Why the advice is not simply `ok`. Declared in the order they are told to a person, worst
/// first; several may hold at once and none hides another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u16)]
pub enum Reason {
    /// Covered by an open recall (召回).
    Recalled = 1 << 0,
    /// Past the printed expiry date (过期).
    Expired = 1 << 1,
    /// The code was destroyed before use (作废).
    Void = 1 << 2,
    /// No such code was ever issued for this product.
    NotAllocated = 1 << 3,
    /// The unit was destroyed (销毁).
    Destroyed = 1 << 4,
    /// The unit was collected in a recall (收回).
    Collected = 1 << 5,
    /// Lot or date carried by the code differ from the batch on record.
    CodeContradictsRecord = 1 << 6,
    /// Two things that cannot both be true of one unit.
    SuspectedCopy = 1 << 7,
    /// Queried unusually often.
    QueriedOften = 1 << 8,
    /// Issued but not in use yet.
    NotCommissioned = 1 << 9,
    /// Nobody we know issues this code.
    UnknownIssuer = 1 << 10,
    /// The code names a product or batch, not one unit.
    NamesProductOnly = 1 << 11,
    /// The code names a pallet or other logistic unit (SSCC).
    NamesLogisticUnit = 1 << 12,
    /// What is known may be out of date, or the batch's record is not published yet.
    CannotConfirm = 1 << 13,
}

impl Reason {
    /// Every reason, worst first.
    pub const ALL: [Reason; 14] = [
        Reason::Recalled,
        Reason::Expired,
        Reason::Void,
        Reason::NotAllocated,
        Reason::Destroyed,
        Reason::Collected,
        Reason::CodeContradictsRecord,
        Reason::SuspectedCopy,
        Reason::QueriedOften,
        Reason::NotCommissioned,
        Reason::UnknownIssuer,
        Reason::NamesProductOnly,
        Reason::NamesLogisticUnit,
        Reason::CannotConfirm,
    ];

    /// What this reason alone advises.
    pub const fn advice(self) -> Advice {
        match self {
            Reason::Recalled
            | Reason::Expired
            | Reason::Void
            | Reason::NotAllocated
            | Reason::Destroyed
            | Reason::Collected
            | Reason::CodeContradictsRecord => Advice::Stop,
            Reason::SuspectedCopy
            | Reason::QueriedOften
            | Reason::NotCommissioned
            | Reason::UnknownIssuer
            | Reason::NamesProductOnly
            | Reason::NamesLogisticUnit
            | Reason::CannotConfirm => Advice::Caution,
        }
    }
}

/// A set of reasons: sixteen bits, so that it can be part of a cache key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reasons(u16);

impl Reasons {
    /// The empty set.
    pub const NONE: Reasons = Reasons(0);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, reason: Reason) -> Reasons {
        Reasons(self.0 | reason as u16)
    }

    /// This set, and `reason` where `holds`.
    #[must_use]
    pub const fn with_if(self, reason: Reason, holds: bool) -> Reasons {
        if holds { self.with(reason) } else { self }
    }

    /// Is `reason` in the set?
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 & reason as u16 != 0
    }

    /// Worst first.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |r| self.contains(*r))
    }

    /// The worst advice any of them gives; `ok` when there is none.
    pub fn advice(self) -> Advice {
        self.iter().map(Reason::advice).max().unwrap_or(Advice::Ok)
    }

    /// The bits, for cache keys and log rows.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

/// What the code points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Names {
    /// One unit with a code of its own; the standing of that code.
    Unit(Legality),
    /// A registered logistic unit (SSCC): the standing of its code.
    LogisticUnit(Legality),
    /// A product or batch we know, no unit.
    ProductOrBatch,
    /// Something well formed of which nothing is known.
    Nothing,
}

/// How a code of a space that somebody here has stands on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Never allocated; of a serial that was never minted there is no index that could be.
    NotAllocated,
    /// Allocated, not in use.
    Allocated,
    /// Destroyed before use.
    Void,
    /// Commissioned to a batch.
    Commissioned(Uuid),
}

impl Names {
    /// What a code of a product's unit points at.
    pub const fn unit(standing: Standing) -> Names {
        Names::Unit(match standing {
            Standing::NotAllocated => Legality::NotAllocated,
            Standing::Allocated => Legality::NotCommissioned,
            Standing::Void => Legality::Void,
            Standing::Commissioned(_) => Legality::Legal,
        })
    }

    /// What an SSCC points at: it is registered without a batch, so it is in use once it is allocated.
    pub const fn logistic_unit(standing: Standing) -> Names {
        Names::LogisticUnit(match standing {
            Standing::NotAllocated => Legality::NotAllocated,
            Standing::Void => Legality::Void,
            Standing::Allocated | Standing::Commissioned(_) => Legality::Legal,
        })
    }
}

/// Everything the decision looks at. Facts that do not apply are `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each told to the consumer by name
pub struct Facts {
    /// What the code points at.
    pub names: Names,
    /// An open recall covers its batch.
    pub recalled: bool,
    /// Today (Asia/Shanghai) is after the batch's expiry day.
    pub expired: bool,
    /// The unit was destroyed.
    pub destroyed: bool,
    /// The unit was collected.
    pub collected: bool,
    /// Lot or dates in the code differ from the batch on record.
    pub contradicts_record: bool,
    /// A copy is suspected.
    pub suspected_copy: bool,
    /// Queried unusually often.
    pub queried_often: bool,
    /// Freshness has lapsed, or the record of the batch is not published.
    pub cannot_confirm: bool,
}

impl Facts {
    /// Only what the code points at; nothing else known against it.
    pub const fn of(names: Names) -> Facts {
        Facts {
            names,
            recalled: false,
            expired: false,
            destroyed: false,
            collected: false,
            contradicts_record: false,
            suspected_copy: false,
            queried_often: false,
            cannot_confirm: false,
        }
    }
}

/// The answer to one question about one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// `None` where the code names no unit.
    pub legality: Option<Legality>,
    /// Never better than the worst reason.
    pub advice: Advice,
    /// All that hold.
    pub reasons: Reasons,
}

impl Verdict {
    /// Is there something to show (200), or nothing known (404)?
    pub const fn found(self) -> bool {
        !matches!(
            self.legality,
            Some(Legality::NotAllocated | Legality::UnknownIssuer)
        )
    }
}

/// Decides. The only function that can say `ok`.
pub fn decide(facts: &Facts) -> Verdict {
    let (legality, standing) = match facts.names {
        Names::Unit(legality) => (Some(legality), standing_reason(legality)),
        Names::LogisticUnit(legality) => (
            Some(legality),
            standing_reason(legality).or(Some(Reason::NamesLogisticUnit)),
        ),
        Names::ProductOrBatch => (None, Some(Reason::NamesProductOnly)),
        Names::Nothing => (Some(Legality::UnknownIssuer), Some(Reason::UnknownIssuer)),
    };
    let mut reasons = Reasons::NONE
        .with_if(Reason::Recalled, facts.recalled)
        .with_if(Reason::Expired, facts.expired)
        .with_if(Reason::Destroyed, facts.destroyed)
        .with_if(Reason::Collected, facts.collected)
        .with_if(Reason::CodeContradictsRecord, facts.contradicts_record)
        .with_if(Reason::SuspectedCopy, facts.suspected_copy)
        .with_if(Reason::QueriedOften, facts.queried_often)
        .with_if(Reason::CannotConfirm, facts.cannot_confirm);
    if let Some(reason) = standing {
        reasons = reasons.with(reason);
    }
    Verdict {
        legality,
        advice: reasons.advice(),
        reasons,
    }
}

const fn standing_reason(legality: Legality) -> Option<Reason> {
    match legality {
        Legality::Legal => None,
        Legality::Void => Some(Reason::Void),
        Legality::NotCommissioned => Some(Reason::NotCommissioned),
        Legality::NotAllocated => Some(Reason::NotAllocated),
        Legality::UnknownIssuer => Some(Reason::UnknownIssuer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEGALITIES: [Legality; 5] = [
        Legality::Legal,
        Legality::Void,
        Legality::NotCommissioned,
        Legality::NotAllocated,
        Legality::UnknownIssuer,
    ];

    /// All names × all 2⁸ combinations of the other facts.
    fn every_situation() -> impl Iterator<Item = Facts> {
        let names = LEGALITIES
            .into_iter()
            .flat_map(|l| [Names::Unit(l), Names::LogisticUnit(l)])
            .chain([Names::ProductOrBatch, Names::Nothing]);
        names.flat_map(|names| {
            (0u16..256).map(move |bits| Facts {
                names,
                recalled: bits & 1 != 0,
                expired: bits & 2 != 0,
                destroyed: bits & 4 != 0,
                collected: bits & 8 != 0,
                contradicts_record: bits & 16 != 0,
                suspected_copy: bits & 32 != 0,
                queried_often: bits & 64 != 0,
                cannot_confirm: bits & 128 != 0,
            })
        })
    }

    #[test]
    fn ok_is_said_only_of_a_legal_unit_with_nothing_against_it() {
        for facts in every_situation() {
            let clean = facts == Facts::of(Names::Unit(Legality::Legal));
            assert_eq!(decide(&facts).advice == Advice::Ok, clean, "{facts:?}");
        }
    }

    #[test]
    fn every_fact_is_told_and_none_hides_another() {
        for facts in every_situation() {
            let reasons = decide(&facts).reasons;
            for (reason, holds) in [
                (Reason::Recalled, facts.recalled),
                (Reason::Expired, facts.expired),
                (Reason::Destroyed, facts.destroyed),
                (Reason::Collected, facts.collected),
                (Reason::CodeContradictsRecord, facts.contradicts_record),
                (Reason::SuspectedCopy, facts.suspected_copy),
                (Reason::QueriedOften, facts.queried_often),
                (Reason::CannotConfirm, facts.cannot_confirm),
            ] {
                assert_eq!(reasons.contains(reason), holds, "{facts:?} {reason:?}");
            }
        }
    }

    #[test]
    fn the_worst_reason_gives_the_advice() {
        for facts in every_situation() {
            let verdict = decide(&facts);
            let worst = verdict.reasons.iter().map(Reason::advice).max();
            assert_eq!(verdict.advice, worst.unwrap_or(Advice::Ok), "{facts:?}");
        }
    }

    #[test]
    fn advice_per_reason_is_as_the_design_lists_it() {
        let stop = [
            Reason::Void,
            Reason::NotAllocated,
            Reason::Recalled,
            Reason::Expired,
            Reason::Destroyed,
            Reason::Collected,
            Reason::CodeContradictsRecord,
        ];
        for reason in Reason::ALL {
            let expected = if stop.contains(&reason) {
                Advice::Stop
            } else {
                Advice::Caution
            };
            assert_eq!(reason.advice(), expected, "{reason:?}");
        }
    }

    #[test]
    fn only_codes_nobody_issued_are_not_found() {
        for facts in every_situation() {
            let verdict = decide(&facts);
            let nobody = matches!(
                verdict.legality,
                Some(Legality::NotAllocated | Legality::UnknownIssuer)
            );
            assert_eq!(verdict.found(), !nobody, "{facts:?}");
        }
    }
}
