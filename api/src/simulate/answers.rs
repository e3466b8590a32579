//! What a handset is answered at once when everything is well again, held against the log: the status
//! against what was received and found (I5), look-ups against what became of units (I20).

use super::{
    SimulateError,
    handset::Handset,
    node::Asked,
    run::{Run, Stop},
};
use actix_web::http::Method;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use suyuan_sync::{
    finding::{FindingCode, Severity},
    fold::{Place, UnitState},
    ids::{EventId, Seq},
    invariants::Broken,
    trace_code,
    unit::UnitKey,
    wire::{Aside, LookUpAnswer, ReadClaims, Status, StatusAnswer, TYP_READ, UnitCard},
};

impl Run {
    /// I5: what a device is told is held of it, is missing, stands aside and was found, is what the log
    /// has.
    pub(super) async fn status_tells_the_log(&self, handset: &Handset) -> Result<(), Stop> {
        let path = "/v1/sync/status";
        let told: StatusAnswer = self
            .asked_now(handset, Method::GET, path, Vec::new())
            .await?;
        let own = self.log.events.iter();
        let own = own.filter(|logged| logged.device == handset.device);
        let life = own.clone().filter(|logged| logged.epoch == told.epoch);
        let seqs: BTreeSet<Seq> = life.clone().map(|logged| logged.seq).collect();
        let last = seqs.last().copied().unwrap_or(0);
        let unlike = (1..=last + 1).find(|seq| {
            let (held, is_gap) = (seqs.contains(seq), !seqs.contains(seq) && *seq < last);
            told.held_ranges.contains(*seq) != held || told.missing_ranges.contains(*seq) != is_gap
        });
        // Nothing is waited for any more: the chain ends where the last that was held does. A second branch may
        // be longer, and goes on from another.
        let goes_on = life.clone().any(|logged| {
            logged.seq == told.contiguous_seq + 1 && logged.prev_hash == told.head_hash
        });
        let end = life.filter(|logged| logged.seq == told.contiguous_seq);
        let mut end = end.map(|logged| logged.hash).peekable();
        let ends = told.contiguous_seq <= last
            && !goes_on
            && (end.peek().is_none() || end.any(|hash| hash == told.head_hash));
        let aside = |fate: Status| -> Vec<Option<EventId>> {
            let aside = own
                .clone()
                .filter(|logged| logged.fate == fate && !logged.counts());
            let mut events: Vec<_> = aside.map(|logged| logged.event).collect();
            events.sort_unstable();
            events
        };
        let said = |aside: &[Aside]| -> Vec<Option<EventId>> {
            let mut events: Vec<_> = aside.iter().map(|aside| aside.event).collect();
            events.sort_unstable();
            events
        };
        let apart = said(&told.parked) == aside(Status::Parked)
            && said(&told.quarantined) == aside(Status::Quarantined);
        let found = self.found_of(handset, &told);
        if unlike.is_some() || !ends || !(apart && found || told.more) {
            let what = format!(
                "{unlike:?} of {} is told otherwise ({ends} {apart} {found}): {told:?}",
                handset.device
            );
            return Err(Broken::new("I5", what).into());
        }
        Ok(())
    }

    /// Are the findings told of that need somebody, about events that count, and no others?
    fn found_of(&self, handset: &Handset, told: &StatusAnswer) -> bool {
        let own = self.log.events.iter();
        let own = own.filter(|logged| logged.device == handset.device && logged.counts());
        let counting: BTreeSet<EventId> = own.filter_map(|logged| logged.event).collect();
        let open = self.open.iter().filter(|finding| {
            finding.device == handset.device && finding.code.severity() >= Severity::Warning
        });
        let mut open: Vec<(EventId, FindingCode)> = open
            .map(|finding| (finding.event, finding.code))
            .filter(|(event, _)| counting.contains(event))
            .collect();
        let said = told.findings.iter();
        let mut said: Vec<(EventId, FindingCode)> = said
            .map(|own| (own.event, own.finding.code))
            .filter(|(event, _)| counting.contains(event))
            .collect();
        open.sort_unstable();
        said.sort_unstable();
        open == said
    }

    /// I20: a card is of the unit that was asked about and says what became of it, as far as who asks has
    /// business with it; the answer is as of now.
    pub(super) async fn look_ups_tell_the_log(&self, handset: &Handset) -> Result<(), Stop> {
        let codes = &self.world.tins;
        let body = serde_json::to_vec(&serde_json::json!({"v": 1, "codes": codes}))?;
        let path = "/v1/sync/lookups";
        let told: LookUpAnswer = self.asked_now(handset, Method::POST, path, body).await?;
        let (head, _) = self.node()?.state.log.head().await?;
        if told.position != head {
            let what = format!("a look-up is as of {}, not {head}", told.position);
            return Err(Broken::new("I20", what).into());
        }
        for (code, card) in codes.iter().zip(&told.cards) {
            let key = trace_code::parse(code).ok();
            let Some(key) = key.and_then(|read| UnitKey::of(&read.code)) else {
                continue;
            };
            let state = self.units.get(&key).map(|unit| &unit.state);
            if !may_be_told(handset, &key, state, card.as_ref()) {
                let what = format!("{} is told {card:?} of {state:?}", handset.device);
                return Err(Broken::new("I20", what).into());
            }
        }
        Ok(())
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
        // As the servers have it: of another one it would be an old anchor.
        let (anchors, now) = (&node.state.handheld.anchors, self.clock.now());
        let claims = ReadClaims {
            aud: handset.installation.clone(),
            device: handset.device,
            epoch,
            anchor: anchors.issue(handset.device.0, epoch, now, now),
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

/// Is this what a handset is to be told of a unit that stands so? Who issued it, holds it or is to get it
/// all, who had it all but where it is, and nobody else anything.
fn may_be_told(
    handset: &Handset,
    key: &UnitKey,
    state: Option<&UnitState>,
    card: Option<&UnitCard>,
) -> bool {
    let (Some(state), site) = (state, handset.site) else {
        return card.is_none_or(|card| card.unit == *key);
    };
    let own = Some(site.enterprise);
    let comes = match state.place {
        Place::At(at) => at == site.id,
        Place::Between {
            to, to_enterprise, ..
        } => to == Some(site.id) || to_enterprise == own,
        Place::Nowhere => false,
    };
    let is_near = comes || state.issuer == own || state.holder == own;
    match card {
        // Who only had it in a container need not be told.
        None => !is_near && (state.inside.is_some() || !state.linked.contains(&site.enterprise)),
        Some(card) => {
            let (place, inside) = if is_near {
                (state.place, state.inside.as_ref())
            } else {
                (Place::Nowhere, None)
            };
            (is_near || state.linked.contains(&site.enterprise))
                && card.unit == *key
                && (card.phase, card.place, card.inside.as_ref()) == (state.phase, place, inside)
                && (card.level, card.batch) == (state.level, state.batch)
                && card.disposition == state.disposition
                // What is in a container is stopped by the list, as its container is; by which recalls
                // is as of when it was last folded itself.
                && (state.inside.is_some() || card.recalls.iter().eq(&state.recalls))
        }
    }
}
