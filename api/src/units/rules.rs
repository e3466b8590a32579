//! What is told of a unit: which one a text names, what to do with it, what became of it. Pure; who
//! may see what of a timeline is decided in `suyuan_sync::fold::visible`.

use super::{
    UnitError,
    wire::{AdviceOut, ClaimOut, PlaceOut, StateOut},
};
use crate::{
    clock::Micros,
    handheld::units::phase_name,
    resolver::decide::{Facts, Names, Standing, decide},
};
use suyuan_sync::{
    event::Disposition,
    facts::BatchInfo,
    fold::{Ended, Place, UnitState, contradicts, public_status},
    trace_code::{self, Claims},
    unit::{Level, UnitKey},
};

/// A unit somebody asks about, and what else the code says.
#[derive(Debug)]
pub struct Asked {
    /// Which.
    pub unit: UnitKey,
    /// Lot and dates it carries.
    pub claims: Claims,
}

/// The unit a text names, in any form a person may paste.
pub fn asked(text: &str) -> Result<Asked, UnitError> {
    let scanned = trace_code::parse(text)?;
    let unit = UnitKey::of(&scanned.code).ok_or(UnitError::NamesNoUnit)?;
    Ok(Asked {
        unit,
        claims: scanned.claims,
    })
}

/// What the advice looks at.
#[allow(clippy::struct_excessive_bools)] // independent facts, each a reason of its own
pub struct Known<'a> {
    /// Which unit.
    pub unit: &'a UnitKey,
    /// What the code asked with says besides.
    pub claims: &'a Claims,
    /// How its code stands on record; none where nobody here issues such codes.
    pub standing: Option<Standing>,
    /// What became of it.
    pub state: &'a UnitState,
    /// Its batch.
    pub batch: Option<&'a BatchInfo>,
    /// Is the batch's record published?
    pub published: bool,
    /// Queried unusually often.
    pub queried_often: bool,
    /// Queries betray a copy.
    pub copy_by_queries: bool,
    /// When it is asked.
    pub now: Micros,
}

/// What to do with a unit, by the one decision consumers are answered with, and by the same record: a code
/// is commissioned once that is on record of the code itself. A batch that only a line's device named
/// does not make it so.
pub fn advice(known: &Known<'_>) -> AdviceOut {
    let names = match known.standing {
        Some(standing) if known.unit.is_sscc() => Names::logistic_unit(standing),
        Some(standing) => Names::unit(standing),
        None => Names::Nothing,
    };
    let ended = public_status(known.state).unwrap_or_default();
    let verdict = decide(&Facts {
        names,
        recalled: !known.state.recalls.is_empty(),
        expired: known
            .batch
            .and_then(|batch| batch.expires_at)
            .is_some_and(|at| at <= known.now),
        destroyed: ended.ended == Some(Ended::Destroyed),
        collected: ended.ended == Some(Ended::Collected),
        contradicts_record: known
            .batch
            .is_some_and(|batch| contradicts(known.claims, Some(&batch.lot), batch.expires_at)),
        suspected_copy: ended.suspected_copy || known.copy_by_queries,
        queried_often: known.queried_often,
        cannot_confirm: known.batch.is_some() && !known.published,
    });
    AdviceOut {
        advice: verdict.advice,
        legality: verdict.legality,
        reasons: verdict.reasons.iter().collect(),
    }
}

/// A state as told.
pub fn state(state: &UnitState) -> StateOut {
    StateOut {
        phase: phase_name(state.phase).into(),
        place: place(state.place),
        holder: state.holder.map(|id| id.0),
        inside: state.inside.as_ref().map(|key| key.as_str().to_owned()),
        disposition: state.disposition.map(|d| disposition(d).to_owned()),
        suspected_copy: state.suspected_copy,
        recalls: state.recalls.iter().map(|id| id.0).collect(),
        linked: state.linked.iter().map(|id| id.0).collect(),
        claims: state
            .claims
            .iter()
            .map(|(enterprise, at)| ClaimOut {
                enterprise_id: enterprise.0,
                place: place(*at),
            })
            .collect(),
    }
}

/// A place as told.
pub fn place(place: Place) -> PlaceOut {
    let mut out = PlaceOut::default();
    match place {
        Place::Nowhere => {}
        Place::At(location) => out.location_id = Some(location.0),
        Place::Between {
            from,
            to,
            to_enterprise,
        } => {
            out.from = Some(from.0);
            out.to = to.map(|id| id.0);
            out.to_enterprise = to_enterprise.map(|id| id.0);
        }
    }
    out
}

/// The name of a level.
pub const fn level(level: Level) -> &'static str {
    match level {
        Level::Item => "item",
        Level::Case => "case",
        Level::Pallet => "pallet",
    }
}

/// The name of what an inspection decided.
pub const fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Sellable => "sellable",
        Disposition::Hold => "hold",
        Disposition::Destroy => "destroy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::decide::{Advice, Legality, Reason};
    use suyuan_sync::{
        fold::Phase,
        ids::{BatchId, EnterpriseId, RecallId},
    };
    use uuid::Uuid;

    #[test]
    fn any_form_of_a_code_names_the_same_unit() {
        for text in [
            "https://id.example/01/09521234000013/21/A7",
            "(01)09521234000013(21)A7",
            "]d20109521234000013 21A7",
            "/01/09521234000013/10/L7/21/A7?17=280115",
        ] {
            let asked = asked(text);
            if let Ok(asked) = &asked {
                assert_eq!(asked.unit.as_str(), "/01/09521234000013/21/A7", "{text}");
            }
            assert_eq!(asked.is_ok(), !text.contains(' '), "{text}");
        }
        assert!(matches!(
            asked("/01/09521234000013/10/L7"),
            Err(UnitError::NamesNoUnit)
        ));
        assert!(matches!(asked("\u{0}"), Err(UnitError::Code(_))));
    }

    #[test]
    fn the_advice_about_a_unit_says_every_reason() {
        let unit = UnitKey::kept("/01/09521234000013/21/A7");
        let issuer = EnterpriseId(Uuid::nil());
        let mut state = UnitState {
            issuer: Some(issuer),
            ..UnitState::default()
        };
        let batch = BatchInfo {
            issuer,
            product: "09521234000013".into(),
            lot: "L7".into(),
            expires_at: Some(100),
            plant: None,
        };
        let scanned = trace_code::parse("/01/09521234000013/10/L8/21/A7");
        let claims = scanned.map(|scanned| scanned.claims).unwrap_or_default();
        state.phase = Phase::Destroyed;
        state.recalls.insert(RecallId(Uuid::nil()));
        let told = advice(&Known {
            unit: &unit,
            claims: &claims,
            standing: Some(Standing::NotAllocated),
            state: &state,
            batch: Some(&batch),
            published: false,
            queried_often: true,
            copy_by_queries: true,
            now: 100,
        });
        assert_eq!(told.advice, Advice::Stop);
        assert_eq!(
            told.reasons,
            [
                Reason::Recalled,
                Reason::Expired,
                Reason::NotAllocated,
                Reason::Destroyed,
                Reason::CodeContradictsRecord,
                Reason::SuspectedCopy,
                Reason::QueriedOften,
                Reason::CannotConfirm,
            ]
        );
    }

    #[test]
    fn a_batch_that_only_a_device_named_makes_no_code_legal() {
        let unit = UnitKey::kept("/01/09521234000013/21/A7");
        let state = UnitState {
            batch: Some(BatchId(Uuid::nil())),
            ..UnitState::default()
        };
        let legality = |standing| {
            let told = advice(&Known {
                unit: &unit,
                claims: &Claims::default(),
                standing: Some(standing),
                state: &state,
                batch: None,
                published: true,
                queried_often: false,
                copy_by_queries: false,
                now: 100,
            });
            told.legality
        };
        let allocated = legality(Standing::Allocated);
        assert_eq!(allocated, Some(Legality::NotCommissioned));
        let on_record = legality(Standing::Commissioned(Uuid::nil()));
        assert_eq!(on_record, Some(Legality::Legal));
    }
}
