//! What handsets hold and are told when everything is well again, held against the log: a snapshot
//! against everything at once (I24), the recall list against what is recalled, badges against those
//! that were given. What is answered at once is held against the log in `answers`.

use super::{
    SimulateError,
    handset::Handset,
    run::{BEGINNING, Run, Stop},
    seen::{Anew, Effect, Seen},
    world::Site,
};
use crate::{
    handheld::down::{
        chunk_store,
        snapshot::{self, Patience},
    },
    http::device::DeviceKnown,
};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::Counterpart,
    facts::Fact,
    fold::{Phase, Place},
    ids::{Gseq, LocationId, Micros},
    invariants::{Broken, i24_snapshot_and_pull_equal_everything as i24},
    recall_list::{Marks, UnitHash},
    wire::{Item, PartnerCard, RecalledBatch, SnapshotChunk, UnitCard},
};

/// Differences told of a run that broke off.
const SHOWN: usize = 5;
/// Of so many handsets one is asked all that costs more than a moment.
const ONE_IN: usize = 4;

/// What is shown, by what it is of.
type Shown = BTreeMap<String, String>;

impl Run {
    /// What a handset holds of the world is what who reads everything at once is told; what ended
    /// before its snapshot was made is left out of that.
    pub(super) fn holds_all(
        &self,
        handset: &Handset,
        held: &Seen,
        whole: &Seen,
    ) -> Result<(), Broken> {
        let shown = |seen: &Seen| -> Shown {
            let items = seen.items.iter().filter(|(what, _)| *what != "recall list");
            items
                .map(|(what, (_, text))| (what.clone(), text.clone()))
                .collect()
        };
        let ended = self.position_at(held.ended);
        let (paged, mut whole_shown) = (shown(held), shown(whole));
        if ended > 0 {
            whole_shown.retain(|what, text| {
                // What goods refer to comes with them.
                let referred = what.starts_with("product ") || what.starts_with("partner ");
                let at = whole.items.get(what).map_or(Gseq::MAX, |(at, _)| *at);
                paged.contains_key(what) || !(referred || (at <= ended && is_ended(text)))
            });
        }
        // Of a product of others that came to the place and left it between two pulls of this handset, and of
        // whom it came from, the place knows since, and tells who begins anew. Nothing the handset holds refers
        // to it.
        let cards: Vec<UnitCard> = whole.items.values().filter_map(|it| card(&it.1)).collect();
        let products: BTreeSet<_> = cards.iter().filter_map(|card| card.product).collect();
        whole_shown.retain(|what, text| match serde_json::from_str(text) {
            Ok(Item::Product(card)) if card.issuer != handset.site.enterprise => {
                products.contains(&card.product) || paged.contains_key(what)
            }
            Ok(Item::Partner(card)) => {
                let sent = cards.iter().any(|unit| is_from(unit.place, &card));
                sent || self.is_on_papers(handset.site, &card) || paged.contains_key(what)
            }
            _ => true,
        });
        let Err(broken) = i24(&paged, &whole_shown) else {
            return Ok(());
        };
        let of = |items: &Shown, others: &Shown| {
            let own = items
                .iter()
                .filter(|(what, text)| others.get(*what) != Some(text));
            let few: Vec<String> = own.take(SHOWN).map(|(_, text)| text.clone()).collect();
            few.join("\n    ")
        };
        let what = format!(
            "{}: {} at {}\n  page by page\n    {}\n  at once\n    {}",
            broken.what,
            handset.device,
            handset.site.id,
            of(&paged, &whole_shown),
            of(&whole_shown, &paged)
        );
        Err(Broken::new("I24", what))
    }

    /// Do papers of a place say that goods came from this partner, or went there?
    fn is_on_papers(&self, site: Site, card: &PartnerCard) -> bool {
        self.told.0.iter().any(|fact| is_named(site, fact, card))
    }

    /// The last position stamped at or before this instant, of those where events lie.
    pub(super) fn position_at(&self, at: Micros) -> Gseq {
        if at < BEGINNING {
            return 0;
        }
        let later = self.log.events.iter().find(|logged| logged.recv > at);
        later.map_or(Gseq::MAX, |logged| logged.gseq - 1)
    }

    /// For a handset that read everything, after `fresh` was read from the beginning of the log.
    pub(super) async fn stands(&self, n: usize, fresh: &Seen) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n).filter(|handset| handset.seen.begun) else {
            return Ok(());
        };
        self.list_stops_what_is_recalled(handset)?;
        let held: BTreeSet<_> = handset
            .seen
            .badges
            .iter()
            .flat_map(|held| &held.badges)
            .collect();
        if held != self.badges_at(handset.site).iter().collect() {
            let what = format!("{} holds other badges than were given", handset.device);
            return Err(Broken::new("I22", what).into());
        }
        if n.is_multiple_of(ONE_IN) {
            self.a_snapshot_is_everything(handset, fresh).await?;
            self.status_tells_the_log(handset).await?;
            self.look_ups_tell_the_log(handset).await?;
        }
        Ok(())
    }

    /// I24, of a snapshot alone.
    async fn a_snapshot_is_everything(&self, handset: &Handset, fresh: &Seen) -> Result<(), Stop> {
        let state = self.node()?.state.clone();
        let who = self.known(handset);
        let make = || async {
            let made = snapshot::make(&state, &who, Patience::default()).await;
            made.map_err(|error| SimulateError::World(error.to_string()))
        };
        let mut manifest = make().await?;
        if manifest.watermark < self.head {
            // It was made for the handset when that asked before, and was cut off.
            manifest = make().await?;
        }
        let (mut items, conn) = (Vec::new(), state.db.reader());
        for chunk in &manifest.chunks {
            let bytes = chunk_store::bytes(conn, who.enterprise, &chunk.hash).await?;
            let part: SnapshotChunk = serde_json::from_slice(&bytes.unwrap_or_default())?;
            items.extend(part.items);
        }
        let mut alone = Seen::default();
        alone.apply(Effect::Anew(Box::new(Anew {
            watermark: manifest.watermark,
            ended: super::down::ended(&manifest),
            items,
        })));
        Ok(self.holds_all(handset, &alone, fresh)?)
    }

    /// No unit that is recalled by its code is missed by the list its issuer's handsets hold, and no
    /// batch.
    pub(super) fn list_stops_what_is_recalled(&self, handset: &Handset) -> Result<(), Broken> {
        if handset.site.enterprise != self.world.maker {
            return Ok(());
        }
        let missing = || Broken::new("I24", format!("{} holds no recall list", handset.device));
        let list = handset.seen.list.as_ref().ok_or_else(missing)?;
        let units = handset.units_of(list)?;
        let open = self.told.1.recalls.iter();
        for span in open.filter(|span| span.closed.is_none()) {
            let batch = span.scope.batches.iter().find(|batch| {
                let told = |told: &&suyuan_sync::wire::RecalledBatch| told.batch == **batch;
                !list.batches.iter().any(|it| told(&it))
            });
            let unit = span.scope.units.iter().find(|unit| {
                let known = self.units.get(unit).and_then(|unit| unit.state.issuer);
                known == Some(self.world.maker) && units.marks(UnitHash::of(unit)).is_empty()
            });
            if batch.is_some() || unit.is_some() {
                let what = format!("the list of {} misses {batch:?} {unit:?}", handset.device);
                return Err(Broken::new("I24", what));
            }
        }
        let spans = &self.told.1.recalls;
        let covers = |told: &RecalledBatch| {
            spans.iter().any(|span| {
                span.recall == told.recall
                    && span.closed.is_none()
                    && span.scope.batches.contains(&told.batch)
            })
        };
        // What a till stops over the counter for a recall that ended costs a sale.
        let released = list.batches.iter().find(|told| !covers(told));
        let released_unit = self.units.iter().find(|(key, unit)| {
            unit.state.recalls.is_empty() && units.marks(UnitHash::of(key)).has(Marks::RECALLED)
        });
        if released.is_some() || released_unit.is_some() {
            let what = format!(
                "the list of {} stops {released:?} {released_unit:?}",
                handset.device
            );
            return Err(Broken::new("I24", what));
        }
        let (head, version) = (self.head, list.version);
        if version > head {
            return Err(Broken::new(
                "I24",
                format!("a list of {version}, after {head}"),
            ));
        }
        Ok(())
    }

    pub(super) fn known(&self, handset: &Handset) -> DeviceKnown {
        DeviceKnown {
            enterprise: handset.site.enterprise.0,
            device: handset.device.0,
            epoch: handset.outbox.disk().epoch,
            location: handset.site.id.0,
            anchor: self.now,
            over: false,
        }
    }
}

/// Is this the card of something that ended?
fn is_ended(text: &str) -> bool {
    card(text).is_some_and(|card| matches!(card.phase, Phase::Sold | Phase::Destroyed))
}

/// Does a paper of a place name a partner? What another enterprise states there brings the place no
/// partner (I19).
fn is_named(site: Site, paper: &Fact, card: &PartnerCard) -> bool {
    let own = (paper.event.location, paper.enterprise) == (site.id, site.enterprise);
    own && match paper.event.counterpart {
        Some(Counterpart::Enterprise(id)) => id == card.enterprise,
        Some(Counterpart::Location(id)) => is_of(id, card),
        _ => false,
    }
}

/// Is it a place of a partner's?
fn is_of(place: LocationId, card: &PartnerCard) -> bool {
    card.places.iter().any(|own| own.location == place)
}

/// Is something on its way from a partner's place?
fn is_from(place: Place, card: &PartnerCard) -> bool {
    matches!(place, Place::Between { from, .. } if is_of(from, card))
}

/// The card of a unit, if it is one.
fn card(text: &str) -> Option<UnitCard> {
    match serde_json::from_str(text) {
        Ok(Item::Unit(card)) => Some(card),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::{
        event::{Event, Kind},
        ids::{DeviceId, EnterpriseId, EventId},
        order::{Interval, Order},
        wire::PlaceCard,
    };
    use uuid::Uuid;

    fn at(site: Site, by: EnterpriseId, to: Counterpart) -> Fact {
        let (id, device) = (EventId(Uuid::nil()), DeviceId::SERVER);
        let mut event = Event::bare(Kind::Outbound, id, device, 1, 1, 0);
        (event.location, event.counterpart) = (site.id, Some(to));
        Fact {
            order: Order {
                eff: 0,
                device,
                epoch: 1,
                seq: 1,
                event: id,
            },
            interval: Interval {
                lo: 0,
                est: 0,
                hi: 0,
            },
            gseq: 1,
            enterprise: by,
            event: event.into(),
            delivered: 0,
            flags: Vec::new(),
            corrects: None,
        }
    }

    #[test]
    fn i19_only_a_places_own_papers_name_its_partners() {
        let enterprise = |n| EnterpriseId(Uuid::from_u128(n));
        let place = |n| LocationId(Uuid::from_u128(n));
        let site = |n, of| Site {
            id: place(n),
            enterprise: enterprise(of),
        };
        let card = PartnerCard {
            enterprise: enterprise(3),
            name: "GAMA".to_owned(),
            places: vec![PlaceCard {
                location: place(30),
                name: "S-1".to_owned(),
                gln: None,
            }],
        };
        let own = site(10, 1);
        for to in [
            Counterpart::Enterprise(enterprise(3)),
            Counterpart::Location(place(30)),
        ] {
            assert!(is_named(own, &at(own, enterprise(1), to.clone()), &card));
            let anothers = at(own, enterprise(2), to.clone());
            assert!(!is_named(own, &anothers, &card));
            let elsewhere = at(site(11, 1), enterprise(1), to);
            assert!(!is_named(own, &elsewhere, &card));
        }
        let other = Counterpart::Enterprise(enterprise(2));
        assert!(!is_named(own, &at(own, enterprise(1), other), &card));
    }
}
