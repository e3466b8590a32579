//! Adds up where units are. Every unit of the scope is counted once.

use super::{
    rows_store::{self, Row, Walk},
    rules::{Whereabouts, whereabouts},
    scope_store::Scope,
    wire::{Amount, LegAmount, MissingAmount, PlaceAmount, ReachOut},
};
use crate::{
    handheld::{
        units::read::Snapshot,
        world::{CodeOf, WorldError},
    },
    log::Position,
};
use roaring::RoaringTreemap;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::unit::{Level, UnitKey};
use uuid::Uuid;

/// A sum in the making.
pub(super) struct Sum {
    pub(super) scope: Scope,
    amounts: BTreeMap<Whereabouts, Amount>,
    /// Units with rows that are not accounted for, by batch.
    missing: BTreeMap<Option<Uuid>, Amount>,
    /// Minted units that have rows: what was commissioned besides was never seen.
    seen: BTreeMap<String, RoaringTreemap>,
    /// Named units minted elsewhere that have rows.
    seen_others: BTreeSet<UnitKey>,
}

impl Amount {
    fn add(&mut self, units: u64, items: bool) {
        self.units += units;
        self.items += if items { units } else { 0 };
    }

    fn plus(&mut self, other: Amount) {
        self.units += other.units;
        self.items += other.items;
    }
}

impl Sum {
    pub(super) fn of(scope: Scope) -> Sum {
        Sum {
            scope,
            amounts: BTreeMap::new(),
            missing: BTreeMap::new(),
            seen: BTreeMap::new(),
            seen_others: BTreeSet::new(),
        }
    }

    /// Adds all that something happened to.
    pub(super) async fn add_rows(
        &mut self,
        snapshot: &mut Snapshot,
        enterprise: Uuid,
    ) -> Result<(), WorldError> {
        let mut walk = Walk::begin(snapshot.tx(), enterprise, &self.scope).await?;
        while let Some(units) = walk.next(snapshot.tx()).await? {
            self.add_page(snapshot, units).await?;
        }
        Ok(())
    }

    async fn add_page(
        &mut self,
        snapshot: &mut Snapshot,
        units: Vec<Row>,
    ) -> Result<(), WorldError> {
        let mut covered = Vec::with_capacity(units.len());
        for row in units {
            let code = snapshot.code(&row.key).await?;
            if let Some(code) = &code {
                let seen = self.seen.entry(code.space.to_string()).or_default();
                seen.insert(code.index);
            }
            if self.covers(&row, code.as_ref()) {
                let items = code.is_none_or(|code| code.level == Level::Item);
                if self.scope.others.contains(&row.key) {
                    self.seen_others.insert(row.key.clone());
                }
                covered.push((row, items));
            }
        }
        let (rows, items): (Vec<Row>, Vec<bool>) = covered.into_iter().unzip();
        let states = rows_store::states(snapshot, &rows).await?;
        for (row, items) in rows.iter().zip(items) {
            let at = states
                .get(&row.id)
                .map_or(Whereabouts::Unaccounted, |(phase, place)| {
                    whereabouts(*phase, *place)
                });
            self.amounts.entry(at).or_default().add(1, items);
            if at == Whereabouts::Unaccounted {
                self.missing.entry(row.batch).or_default().add(1, items);
            }
        }
        Ok(())
    }

    /// Is it covered? Its own batch counts, whatever it was commissioned to besides.
    fn covers(&self, row: &Row, code: Option<&CodeOf>) -> bool {
        let of_batch = row
            .batch
            .is_some_and(|batch| self.scope.batches.contains_key(&batch));
        let named = match code {
            Some(code) => {
                let named = self.scope.named.get(&*code.space);
                named.is_some_and(|named| named.contains(code.index))
            }
            None => self.scope.others.contains(&row.key),
        };
        of_batch || named || self.scope.others.contains(&row.key)
    }

    /// What came out, with what was never seen.
    pub(super) fn told(mut self, recall: Uuid, position: Position) -> ReachOut {
        let nothing = RoaringTreemap::new();
        for ((space, batch), bits) in &self.scope.commissioned {
            let seen = self.seen.get(space).unwrap_or(&nothing);
            let unseen = bits.len() - bits.intersection_len(seen);
            let items = self
                .scope
                .spaces
                .get(space)
                .is_some_and(|space| space.items);
            if unseen > 0 {
                let missing = self.missing.entry(Some(*batch)).or_default();
                missing.add(unseen, items);
                let amount = self.amounts.entry(Whereabouts::Unaccounted).or_default();
                amount.add(unseen, items);
            }
        }
        let others = self.scope.others.difference(&self.seen_others).count() as u64;
        if others > 0 {
            self.missing.entry(None).or_default().add(others, true);
            let amount = self.amounts.entry(Whereabouts::Unaccounted).or_default();
            amount.add(others, true);
        }
        let not_commissioned = self
            .scope
            .unused
            .iter()
            .map(|(space, bits)| {
                let seen = self.seen.get(space).unwrap_or(&nothing);
                bits.len() - bits.intersection_len(seen)
            })
            .sum();
        let mut out = ReachOut {
            recall,
            position,
            total: Amount::default(),
            located: Amount::default(),
            in_transit: Amount::default(),
            sold: Amount::default(),
            collected: Amount::default(),
            destroyed: Amount::default(),
            unaccounted: Amount::default(),
            not_commissioned,
            places: Vec::new(),
            legs: Vec::new(),
            stores: Vec::new(),
            missing: Vec::new(),
            sales: Vec::new(),
            lots: Vec::new(),
            lot_totals: Vec::new(),
            pending: 0,
        };
        for (at, amount) in self.amounts {
            out.total.plus(amount);
            match at {
                Whereabouts::Located(place) => {
                    out.located.plus(amount);
                    out.places.push(PlaceAmount {
                        location_id: Some(place),
                        amount,
                    });
                }
                Whereabouts::InTransit {
                    from,
                    to,
                    to_enterprise,
                } => {
                    out.in_transit.plus(amount);
                    out.legs.push(LegAmount {
                        from,
                        to,
                        to_enterprise,
                        amount,
                    });
                }
                Whereabouts::Sold(store) => {
                    out.sold.plus(amount);
                    out.stores.push(PlaceAmount {
                        location_id: store,
                        amount,
                    });
                }
                Whereabouts::Collected => out.collected.plus(amount),
                Whereabouts::Destroyed => out.destroyed.plus(amount),
                Whereabouts::Unaccounted => out.unaccounted.plus(amount),
            }
        }
        for (batch, amount) in self.missing {
            let plant_id = batch.and_then(|batch| {
                let own = self.scope.batches.get(&batch);
                let own = own.map(|batch| batch.plant);
                own.or_else(|| self.scope.plants.get(&batch).copied())?
            });
            out.missing.push(MissingAmount {
                batch_id: batch,
                plant_id,
                amount,
            });
        }
        let most = |amount: Amount| std::cmp::Reverse(amount.units);
        out.places.sort_by_key(|place| most(place.amount));
        out.legs.sort_by_key(|leg| most(leg.amount));
        out.stores.sort_by_key(|store| most(store.amount));
        out.missing.sort_by_key(|missing| most(missing.amount));
        out
    }
}
