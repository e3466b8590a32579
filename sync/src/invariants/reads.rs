//! That who asks is told what is theirs and no more: nothing of what is elsewhere (I19) or others' (I20),
//! and never more at once than may be (I29); and of the past what was told of it then (I25).

use super::{Broken, Holds};
use crate::{
    fold::Place,
    ids::{DeviceId, EnterpriseId, Gseq, LocationId},
    unit::UnitKey,
    wire::Item,
};
use std::fmt::Debug;

/// Whom a pull tells: of the goods of its place, and of its own events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// Its place.
    pub location: LocationId,
}

impl Scope {
    /// Is what is there at its place, on its way there, or on its way to its enterprise, to no place
    /// that was said?
    pub fn has(&self, place: Place) -> bool {
        match place {
            Place::Nowhere => false,
            Place::At(at) => at == self.location,
            Place::Between { to: Some(to), .. } => to == self.location,
            Place::Between { to_enterprise, .. } => to_enterprise == Some(self.enterprise),
        }
    }

    /// Is what is there in this scope, and there by the word of whose place it is, or on its way? Nobody else puts
    /// anything into a place (C14), whatever a log that was folded otherwise says.
    fn has_by(&self, (place, by): (Place, Option<EnterpriseId>)) -> bool {
        let own_word = match place {
            Place::At(_) => by == Some(self.enterprise),
            Place::Between { .. } | Place::Nowhere => true,
        };
        self.has(place) && own_word
    }
}

/// I19: who reads everything is told of units that are in its scope, by where the log says they are and who
/// said so, and of what was found about its own events; of no others.
pub fn i19_nothing_of_elsewhere_is_told<'a>(
    scope: &Scope,
    put: impl Fn(&UnitKey) -> Option<(Place, Option<EnterpriseId>)>,
    told: impl IntoIterator<Item = &'a Item>,
) -> Holds {
    for item in told {
        let (within, what) = match item {
            Item::Unit(card) => {
                let put = put(&card.unit);
                let within = put.is_some_and(|put| scope.has_by(put));
                (within, format!("{}, which is put by {put:?}", card.unit))
            }
            Item::Verdict(verdict) => {
                let of = format!("event {} of {}", verdict.event, verdict.device);
                (verdict.device == scope.device, of)
            }
            Item::Product(_) | Item::Partner(_) | Item::RecallList(_) | Item::Removed(_) => {
                continue;
            }
        };
        if !within {
            let what = format!("{} was told of {what}", scope.device);
            return Err(Broken::new("I19", what));
        }
    }
    Ok(())
}

/// I25: what was told of something as known at a position is told alike ever after.
pub fn i25_as_known_then_never_changes<T: PartialEq + Debug>(
    what: &str,
    at: Gseq,
    was: &T,
    is: &T,
) -> Holds {
    if was == is {
        return Ok(());
    }
    let what = format!("{what} as known at {at}\n  was\n    {was:?}\n  is\n    {is:?}");
    Err(Broken::new("I25", what))
}

/// What somebody was told who asked for a thing by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asked for what.
    pub what: String,
    /// They have a part in it.
    pub may: bool,
    /// There is such a thing, they were told.
    pub told: bool,
    /// In which words.
    pub words: String,
    /// What is told in its place of an id that nobody ever gave.
    pub of_nothing: String,
}

/// I20: who has a part in a thing is told of it; for anybody else there is no such thing, and they are
/// told so in the words that are told of what there never was.
pub fn i20_strangers_are_told_nothing(asked: &[Asked]) -> Holds {
    for asked in asked {
        let words = &asked.words;
        let wrong = if asked.may {
            (!asked.told).then(|| format!("is not told: {words}"))
        } else if asked.told {
            Some(format!("is told of what is others': {words}"))
        } else {
            let differ = *words != asked.of_nothing;
            differ.then(|| format!("is told {words}, of nothing {}", asked.of_nothing))
        };
        if let Some(wrong) = wrong {
            return Err(Broken::new("I20", format!("{} {wrong}", asked.what)));
        }
    }
    Ok(())
}

/// I29: what is sent or told at once has a bound, whatever there is.
pub fn i29_no_more_at_once_than_may_be(what: &str, is: usize, most: usize) -> Holds {
    if is > most {
        return Err(Broken::new("I29", format!("{is} {what}, at most {most}")));
    }
    Ok(())
}
