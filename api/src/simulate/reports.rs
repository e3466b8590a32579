//! What is told of the log as a whole, held against the log: to handsets what is at their places (I19,
//! I21), to the maker where the goods of a recall are (I17). And the log itself says the same in any order and told twice (I9).

use super::{
    SimulateError,
    handset::{ASTRAY, Handset},
    run::{Run, Stop},
    seen::Seen,
    store,
};
use crate::recalls::reach::{
    self,
    rules::{Whereabouts, whereabouts},
    wire::{LotTotal, ReachOut},
};
use std::collections::BTreeMap;
use suyuan_sync::{
    event::gtin14,
    facts::{AcceptScope, Fact},
    finding::LotKey,
    fold::{self, Folded, Phase, Place},
    ids::{EnterpriseId, Gseq, RecallId},
    invariants::{
        Broken, Delivered, Scope, i9_arrival_changes_nothing,
        i19_nothing_of_elsewhere_is_told as i19, i21_cursors_neither_skip_nor_repeat as i21,
    },
    lots::{Reached, Tally},
    unit::UnitKey,
    wire::Item,
};

impl Run {
    /// I21: every unit that is at a handset's place, or on its way there, is one it was told of as it
    /// stands, if its cursor has come to where that was written.
    pub(super) async fn what_is_here_was_told(&self) -> Result<(), Stop> {
        let changed = store::changed_at(self.observer.reader()).await?;
        // Of a cursor that leads nowhere nothing follows.
        let led = |handset: &&Handset| handset.outbox.disk().cursor < ASTRAY;
        for handset in self.handsets.iter().filter(led) {
            let here = self
                .units
                .iter()
                .filter(|(_, unit)| scope(handset).has(unit.state.place));
            // What ended long before its snapshot is left out of that.
            let ended = self.position_at(handset.seen.ended);
            let left_out = |unit: &Folded, at: Gseq| {
                at <= ended && matches!(unit.state.phase, Phase::Sold | Phase::Destroyed)
            };
            let scope: Vec<(String, Gseq)> = here
                .filter_map(|(key, unit)| {
                    let at = *changed.get(key)?;
                    (!left_out(unit, at)).then(|| (name(key), at))
                })
                .collect();
            let cursor = handset.outbox.disk().cursor;
            let held = handset.seen.items.iter();
            let held = Delivered {
                after: 0,
                upto: cursor,
                items: held.map(|(what, (at, _))| (what.clone(), *at)).collect(),
                applied: true,
                more: false,
            };
            i21(&scope, &[held], cursor)?;
        }
        Ok(())
    }

    /// I19 of what a handset is told that reads everything from the beginning.
    pub(super) fn only_what_is_here(&self, handset: &Handset, told: &Seen) -> Result<(), Stop> {
        let items = told.items.values();
        let items: Result<Vec<Item>, _> =
            items.map(|(_, text)| serde_json::from_str(text)).collect();
        let items = items.map_err(SimulateError::from)?;
        let put = |key: &UnitKey| self.units.get(key).map(put_by);
        Ok(i19(&scope(handset), put, &items)?)
    }

    /// I9: the facts in another order of arrival and twice over make the same states.
    pub(super) fn in_any_order(&self) -> Result<(), Broken> {
        let (facts, world) = &self.told;
        let again: Vec<&Fact> = facts.iter().rev().chain(facts).map(AsRef::as_ref).collect();
        i9_arrival_changes_nothing(&self.units, &fold::forest(&again, world))
    }

    /// I17: every unit of a recall is exactly one of located, in transit, sold, collected, destroyed
    /// or unaccounted for, and it is where the log says.
    pub(super) async fn recalls_reach_everything(&self) -> Result<(), Stop> {
        let state = self.node()?.state.clone();
        for recall in &self.recalls {
            let reached = reach::reach(&state, self.world.maker.0, *recall).await;
            let reached = reached.map_err(|error| SimulateError::World(error.to_string()))?;
            let mut told: BTreeMap<Whereabouts, u64> = BTreeMap::new();
            let places = reached.places.iter();
            told.extend(
                places.filter_map(|at| {
                    Some((Whereabouts::Located(at.location_id?), at.amount.units))
                }),
            );
            let stores = reached.stores.iter();
            told.extend(stores.map(|at| (Whereabouts::Sold(at.location_id), at.amount.units)));
            told.extend(reached.legs.iter().map(|leg| {
                let way = Whereabouts::InTransit {
                    from: leg.from,
                    to: leg.to,
                    to_enterprise: leg.to_enterprise,
                };
                (way, leg.amount.units)
            }));
            told.insert(Whereabouts::Collected, reached.collected.units);
            told.insert(Whereabouts::Destroyed, reached.destroyed.units);
            told.retain(|_, units| *units > 0);
            let sum: u64 = told.values().sum();
            let total = reached.total.units;
            if sum + reached.unaccounted.units != total {
                let what = format!("recall {recall}: {sum} and {reached:?}");
                return Err(Broken::new("I17", what).into());
            }
            let mut wanted: BTreeMap<Whereabouts, u64> = BTreeMap::new();
            for (key, unit) in self.units.iter().filter(|unit| self.is_of(*recall, *unit)) {
                let at = whereabouts(unit.state.phase, unit.state.place);
                if self.options.verbose {
                    eprintln!("recall {recall}: {key} {at:?}");
                }
                *wanted.entry(at).or_default() += 1;
            }
            let unaccounted = wanted.remove(&Whereabouts::Unaccounted).unwrap_or(0);
            if told != wanted || unaccounted > reached.unaccounted.units {
                let what = format!("recall {recall}: told {told:?}, the log gives {wanted:?}");
                return Err(Broken::new("I17", what).into());
            }
            self.lots_reached(self.world.maker.0, &reached)?;
        }
        Ok(())
    }

    /// The same of goods without codes: what is told of a lot is what the log gives of its lines, those of
    /// enterprises that no leg of it reached apart.
    fn lots_reached(&self, issuer: uuid::Uuid, reach: &ReachOut) -> Result<(), Stop> {
        let world = &self.told.1;
        for told in &reach.lot_totals {
            let reached = self.reached(EnterpriseId(issuer), told, reach);
            let (mut tally, mut claimed) = (Tally::default(), 0);
            let mut apart = BTreeMap::new();
            for (key, line) in &self.tallies {
                if key.gtin != told.gtin || key.lot.as_ref() != Some(&told.lot) {
                    continue;
                }
                // At a place that is on no record goods are theirs who said first that they are there.
                let place = world.places.get(&key.location);
                let whose = match place {
                    Some(place) => Some(place.enterprise),
                    None => self.first_to_say(key),
                };
                if whose.is_some_and(|whose| reached.has(whose)) {
                    tally += *line;
                    apart.insert(key.location.0, line.apart);
                } else {
                    claimed += line.on_hand + line.apart;
                }
            }
            let (gtin, lot) = (told.gtin.clone(), told.lot.clone());
            let wanted = LotTotal::of(told.batch_id, gtin, lot, &tally, claimed);
            if *told != wanted {
                let what = format!("told {told:?}, the log gives {wanted:?}");
                return Err(Broken::new("I17", what).into());
            }
            let lines = reach.lots.iter().filter(|line| {
                (line.batch_id, &line.gtin, &line.lot) == (told.batch_id, &told.gtin, &told.lot)
            });
            let told: BTreeMap<_, _> = lines
                .map(|line| (line.location_id, line.apart))
                .filter(|(_, apart)| *apart != 0)
                .collect();
            apart.retain(|_, apart| *apart != 0);
            if told != apart {
                let what = format!("apart by place: told {told:?}, the log gives {apart:?}");
                return Err(Broken::new("I17", what).into());
            }
        }
        Ok(())
    }

    /// Who said first that goods of a lot are somewhere, by naming them or what they are in.
    fn first_to_say(&self, key: &LotKey) -> Option<EnterpriseId> {
        let carried = self.nowhere.get(key);
        let facts = self.told.0.iter();
        let facts = facts.filter(|fact| {
            let mut lots = fact.event.lots.iter();
            carried.is_some_and(|carried| carried.contains(&fact.order))
                || fact.event.location == key.location
                    && lots.any(|line| gtin14(&line.gtin) == key.gtin && line.lot == key.lot)
        });
        let first = facts.min_by_key(|fact| fact.gseq);
        first.map(|fact| fact.enterprise)
    }

    /// Whom goods of a batch reached, by all its names.
    fn reached(&self, issuer: EnterpriseId, of: &LotTotal, reach: &ReachOut) -> Reached {
        let accepted = self.told.1.accepted_by(issuer);
        let accepted = accepted.filter(|accepted| match &accepted.scope {
            AcceptScope::Batch(batch) => batch.0 == of.batch_id,
            AcceptScope::Partner(_) => true,
            AcceptScope::Unit(_) => false,
        });
        let begin = accepted.map(|accepted| accepted.partner);
        let mut reached = Reached::from(begin.chain([issuer]));
        let names = reach.lot_totals.iter();
        let names = names.filter(|name| name.batch_id == of.batch_id);
        let legs = names.filter_map(|name| {
            let name = (name.gtin.clone(), Some(name.lot.clone()));
            self.legs.get(&name)
        });
        let legs: Vec<_> = legs.flatten().copied().collect();
        while let Some(stater) = reached.to_ask() {
            for (_, other) in legs.iter().filter(|(by, _)| *by == stater) {
                reached.leg_to(*other);
            }
        }
        reached
    }

    fn is_of(&self, recall: uuid::Uuid, (key, unit): (&UnitKey, &Folded)) -> bool {
        let spans = self.told.1.recalls.iter();
        let mut spans = spans.filter(|span| span.recall == RecallId(recall));
        spans.any(|span| {
            let of_batch = unit.state.batch.as_ref();
            of_batch.is_some_and(|batch| span.scope.batches.contains(batch))
                || span.scope.units.contains(key)
        })
    }
}

fn name(unit: &UnitKey) -> String {
    format!("unit {unit}")
}

/// Where a unit is, and whose word that is: of the last event there that took effect, or of who issued it, whose
/// record says at which plant it was made.
fn put_by(unit: &Folded) -> (Place, Option<EnterpriseId>) {
    let place = unit.state.place;
    let put = unit.steps.iter().rfind(|step| {
        let here = Place::At(step.fact.event.location);
        step.took && here == place
    });
    let by = put.map(|step| step.fact.enterprise);
    (place, by.or(unit.state.issuer))
}

fn scope(handset: &Handset) -> Scope {
    Scope {
        device: handset.device,
        enterprise: handset.site.enterprise,
        location: handset.site.id,
    }
}
