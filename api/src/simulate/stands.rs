//! What handsets hold and are told when everything is well again, held against the log: a snapshot
//! against everything at once (I24), the recall list against what is recalled, badges against those
//! that were given, the status against what was received (I5), look-ups against what became of units
//! (I20).

use super::{
    SimulateError,
    handset::{Anew, Effect, Handset, Seen},
    node::Asked,
    run::{BEGINNING, Run, Stop},
};
use crate::{
    handheld::down::{chunk_store, snapshot},
    http::device::DeviceKnown,
};
use actix_web::http::Method;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    fold::{Folded, Phase, Place},
    ids::{EventId, Gseq, Micros, Seq},
    invariants::{Broken, i24_snapshot_and_pull_equal_everything as i24},
    recall_list::UnitHash,
    trace_code,
    unit::UnitKey,
    wire::{
        Item, LookUpAnswer, ReadClaims, SnapshotChunk, Status, StatusAnswer, TYP_READ, UnitCard,
    },
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
    pub(super) fn holds_all(&self, held: &Seen, whole: &Seen) -> Result<(), Broken> {
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
            "{}\n  page by page\n    {}\n  at once\n    {}",
            broken.what,
            of(&paged, &whole_shown),
            of(&whole_shown, &paged)
        );
        Err(Broken::new("I24", what))
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
        let made = snapshot::make(&state, &who).await;
        let manifest = made.map_err(|error| SimulateError::World(error.to_string()))?;
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
        Ok(self.holds_all(&alone, fresh)?)
    }

    /// No unit that is recalled by its code is missed by the list its issuer's handsets hold, and no
    /// batch.
    fn list_stops_what_is_recalled(&self, handset: &Handset) -> Result<(), Broken> {
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
        Ok(())
    }

    /// I5: what a device is told is held of it, parked and quarantined, is what the log has.
    async fn status_tells_the_log(&self, handset: &Handset) -> Result<(), Stop> {
        let path = "/v1/sync/status";
        let told: StatusAnswer = self
            .asked_now(handset, Method::GET, path, Vec::new())
            .await?;
        let own = self.log.events.iter();
        let own = own.filter(|logged| logged.device == handset.device);
        let life = own.clone().filter(|logged| logged.epoch == told.epoch);
        let seqs: BTreeSet<Seq> = life.map(|logged| logged.seq).collect();
        let last = seqs.last().copied().unwrap_or(0);
        let unlike =
            (1..=last + 1).find(|seq| told.held_ranges.contains(*seq) != seqs.contains(seq));
        let aside = |fate: Status| -> Vec<Option<EventId>> {
            let aside = own
                .clone()
                .filter(|logged| logged.fate == fate && !logged.counts());
            let mut events: Vec<_> = aside.map(|logged| logged.event).collect();
            events.sort_unstable();
            events
        };
        let said = |aside: &[suyuan_sync::wire::Aside]| -> Vec<Option<EventId>> {
            let mut events: Vec<_> = aside.iter().map(|aside| aside.event).collect();
            events.sort_unstable();
            events
        };
        let parked = said(&told.parked) == aside(Status::Parked);
        let quarantined = said(&told.quarantined) == aside(Status::Quarantined);
        if unlike.is_some() || !(parked && quarantined || told.more) {
            let what = format!(
                "{unlike:?} of {} is told otherwise: {told:?}",
                handset.device
            );
            return Err(Broken::new("I5", what).into());
        }
        Ok(())
    }

    /// I20: a card is of the unit that was asked about; the issuer is told what became of it, and who
    /// has no business with it nothing.
    async fn look_ups_tell_the_log(&self, handset: &Handset) -> Result<(), Stop> {
        let codes = &self.world.tins;
        let body = serde_json::to_vec(&serde_json::json!({"v": 1, "codes": codes}))?;
        let path = "/v1/sync/lookups";
        let told: LookUpAnswer = self.asked_now(handset, Method::POST, path, body).await?;
        for (code, card) in codes.iter().zip(&told.cards) {
            let key = trace_code::parse(code).ok();
            let Some(key) = key.and_then(|read| UnitKey::of(&read.code)) else {
                continue;
            };
            let unit = self.units.get(&key);
            if !may_be_told(handset, &key, unit, card.as_ref()) {
                let state = unit.map(|unit| &unit.state);
                let what = format!("{} is told {card:?} of {state:?}", handset.device);
                return Err(Broken::new("I20", what).into());
            }
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

    /// What a handset is answered that asks at this moment, over nothing that could be lost.
    async fn asked_now<T: DeserializeOwned>(
        &self,
        handset: &Handset,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, Stop> {
        let (node, epoch) = (self.node()?, handset.outbox.disk().epoch);
        let anchors = &node.state.handheld.anchors;
        let claims = ReadClaims {
            aud: handset.installation.clone(),
            device: handset.device,
            epoch,
            anchor: anchors.issue(handset.device.0, epoch, self.now, self.now),
        };
        let key = handset.keys.get(&epoch).ok_or(SimulateError::Behind)?;
        let bearer = key.token(TYP_READ, &claims)?;
        let asked = Asked {
            method,
            path,
            bearer: Some(&bearer),
            body,
        };
        match node.call(asked).await {
            (200, body) => Ok(serde_json::from_slice(&body)?),
            (status, _) => Err(SimulateError::Answered("a question", status).into()),
        }
    }
}

/// Is this the card of something that ended?
fn is_ended(text: &str) -> bool {
    let Ok(Item::Unit(card)) = serde_json::from_str(text) else {
        return false;
    };
    matches!(card.phase, Phase::Sold | Phase::Destroyed)
}

/// May a handset be told this of a unit that stands so?
fn may_be_told(
    handset: &Handset,
    key: &UnitKey,
    unit: Option<&Folded>,
    card: Option<&UnitCard>,
) -> bool {
    let (Some(unit), site) = (unit, handset.site) else {
        return card.is_none_or(|card| card.unit == *key);
    };
    let state = &unit.state;
    let is_own = state.issuer == Some(site.enterprise);
    match card {
        None => !is_own,
        Some(card) if is_own => {
            card.unit == *key && card.phase == state.phase && card.place == state.place
        }
        Some(card) => {
            let comes = match state.place {
                Place::At(at) => at == site.id,
                Place::Between {
                    to, to_enterprise, ..
                } => to == Some(site.id) || to_enterprise == Some(site.enterprise),
                Place::Nowhere => false,
            };
            let linked = state.linked.contains(&site.enterprise);
            let holds = state.holder == Some(site.enterprise);
            card.unit == *key && (comes || linked || holds)
        }
    }
}
