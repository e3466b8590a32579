//! What a device makes of what it pulls: cards, and a recall list whose signature holds and whose
//! chunks are fetched by their hashes; and what a till decides from just that, or with its own events.

use std::collections::{BTreeMap, BTreeSet};
use suyuan::handheld::keys::point::verify;
use suyuan_sync::{
    chain::Hash,
    event::{self, Event},
    facts::Policy,
    recall_list::UnitList,
    till::{Advice, Asked, Decision, HeldList, Here, Reason, Till, Typed, decide, graver, holding},
    trace_code,
    unit::UnitKey,
    wire::{
        Item, ListCurrent, LookUpAnswer, PullAnswer, RecallList, Removed, SnapshotChunk,
        SnapshotManifest, TrustKey, UnitCard, follow,
    },
};
use suyuan_tests::Handheld;

use crate::scene::key;

/// See the file's header.
#[derive(Default)]
pub struct Held {
    /// Where the next pull goes on.
    pub cursor: i64,
    /// Cards of units.
    pub cards: BTreeMap<UnitKey, UnitCard>,
    /// Everything else it was told, by what it is about.
    pub others: BTreeMap<String, String>,
    /// The list it was told last.
    pub list: Option<RecallList>,
    /// Chunks it has.
    pub chunks: BTreeMap<Hash, Vec<u8>>,
    /// As of when the list holds: version and instant.
    pub as_of: (i64, i64),
    /// How old it may be, once a page said so.
    pub list_age_s: Option<u32>,
    /// How often a chunk was fetched.
    pub fetched: usize,
    /// Keys it was shipped besides those it enrolled with.
    pub keys: Vec<TrustKey>,
    /// Its own events, each with the stamp of its receipt.
    pub own: Vec<(i64, Event)>,
    /// The receipt that was the newest when it pulled last; what was receipted later shows in no card.
    pub shown: i64,
    /// Up to when what was receipted shows, as that pull said.
    pub told_until: i64,
}

impl Held {
    /// Pulls until there is no more, as a device does: each page whole, the list's chunks with it.
    pub async fn pull(&mut self, device: &mut Handheld) {
        let (mut parts, mut within) = (Vec::new(), String::new());
        loop {
            let holds = self
                .list
                .as_ref()
                .map(|list| format!("&list={}", list.content()));
            let path = format!(
                "/v1/sync/pull?cursor={}{within}{}",
                self.cursor,
                holds.unwrap_or_default()
            );
            let answer = device.read(&path).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let page: PullAnswer = serde_json::from_slice(&answer.body).expect("a page");
            device.keep(&page.anchor);
            let more = page.more;
            parts.extend(page.items);
            if let Some(next) = page.within {
                within = format!("&within={next}");
                continue;
            }
            within.clear();
            for item in std::mem::take(&mut parts) {
                assert!(item.gseq <= page.cursor);
                self.apply(device, item.item).await;
            }
            self.confirm(device, &page.list.expect("which list holds"));
            self.list_age_s = page.list_age_s.or(self.list_age_s);
            self.cursor = page.cursor;
            if !more {
                self.shown = self.own.last().map_or(0, |(stamp, _)| *stamp);
                self.told_until = page.told_until.expect("up to when cards show");
                return;
            }
        }
    }

    /// Begins anew with a snapshot.
    pub async fn snapshot(device: &mut Handheld) -> Held {
        let answer = device.read("/v1/sync/snapshot").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let manifest: SnapshotManifest = serde_json::from_slice(&answer.body).expect("a manifest");
        device.keep(&manifest.anchor);
        Held::of(device, &manifest).await
    }

    /// What a snapshot says.
    pub async fn of(device: &mut Handheld, manifest: &SnapshotManifest) -> Held {
        let keys = trusted(device, &manifest.trust_keys);
        let key = keys
            .iter()
            .find(|key| key.n == manifest.key)
            .expect("a key");
        assert!(verify(&key.key, &manifest.bytes_to_sign(), &manifest.sig));
        assert_eq!(
            (manifest.device, manifest.epoch),
            (device.device, device.epoch)
        );
        let mut held = Held {
            keys: manifest.trust_keys.clone(),
            ..Held::default()
        };
        for chunk in &manifest.chunks {
            let bytes = fetch(device, chunk.hash).await;
            assert_eq!(bytes.len() as u32, chunk.bytes);
            let part: SnapshotChunk = serde_json::from_slice(&bytes).expect("a part");
            for item in part.items {
                held.apply(device, item).await;
            }
        }
        held.cursor = manifest.watermark;
        held
    }

    async fn apply(&mut self, device: &Handheld, item: Item) {
        let text = serde_json::to_string(&item).expect("an item");
        match item {
            Item::Unit(card) => {
                self.cards.insert(card.unit.clone(), card);
            }
            Item::Removed(Removed::Unit(unit)) => {
                self.cards.remove(&unit);
            }
            Item::RecallList(list) => self.take(device, list).await,
            Item::Product(card) => {
                self.others
                    .insert(format!("product {}", card.product), text);
            }
            Item::Partner(card) => {
                self.others
                    .insert(format!("partner {}", card.enterprise), text);
            }
            Item::Verdict(verdict) => {
                self.others
                    .insert(format!("verdict {}", verdict.event), text);
            }
            Item::Removed(_) => panic!("{text}"),
        }
    }

    async fn take(&mut self, device: &Handheld, list: RecallList) {
        let keys = trusted(device, &self.keys);
        let key = keys.iter().find(|key| key.n == list.key).expect("a key");
        assert!(verify(&key.key, &list.bytes_to_sign(), &list.sig));
        for chunk in &list.chunks {
            if !self.chunks.contains_key(&chunk.hash) {
                self.fetched += 1;
                let bytes = fetch(device, chunk.hash).await;
                assert_eq!(bytes.len() as u32, chunk.bytes);
                self.chunks.insert(chunk.hash, bytes);
            }
        }
        self.as_of = (list.version, list.made_at);
        self.list = Some(list);
    }

    fn confirm(&mut self, device: &Handheld, current: &ListCurrent) {
        let keys = trusted(device, &self.keys);
        let key = keys.iter().find(|key| key.n == current.key).expect("a key");
        assert!(verify(&key.key, &current.bytes_to_sign(), &current.sig));
        let held = self.list.as_ref().map(RecallList::content);
        assert_eq!(held, Some(current.content), "it holds the list that holds");
        assert!(current.version >= self.as_of.0 && current.made_at >= self.as_of.1);
        self.as_of = (current.version, current.made_at);
    }

    /// The list, ready to be asked.
    pub fn asked(&self) -> Option<HeldList> {
        let list = self.list.as_ref()?;
        let chunks: Vec<&Vec<u8>> = list
            .chunks
            .iter()
            .map(|chunk| &self.chunks[&chunk.hash])
            .collect();
        let units = UnitList::read(&chunks).expect("a list");
        assert_eq!(units.len() as u64, list.count);
        Some(HeldList::new(
            self.as_of.0,
            self.as_of.1,
            list.batches.clone(),
            units,
        ))
    }

    /// What the till says of a code.
    pub fn decide(&self, code: &str, now: i64) -> Decision {
        self.decide_both_ways(code, &self.cards, (i64::MAX, i64::MAX), now)
    }

    /// The same with what its own events did that the cards do not show, or may not show yet.
    pub fn decide_here(&self, code: &str, now: i64) -> Decision {
        self.decide_both_ways(code, &self.cards, (self.shown, self.told_until), now)
    }

    /// The same with cards that were looked up just now.
    pub fn decide_looked_up(&self, code: &str, told: &LookUpAnswer, now: i64) -> Decision {
        let mut cards = self.cards.clone();
        cards.remove(&key(code));
        let told_of = told.cards.iter().flatten();
        cards.extend(told_of.map(|card| (card.unit.clone(), card.clone())));
        let until = told.told_until.expect("up to when cards show");
        self.decide_both_ways(code, &cards, (i64::MAX, until), now)
    }

    /// It did this, and was given a receipt of this stamp.
    pub fn did(&mut self, stamp: i64, events: &[String]) {
        let events = events
            .iter()
            .map(|text| event::parse(text).expect("an event"));
        self.own.extend(events.map(|event| (stamp, event)));
    }

    fn decide_both_ways(
        &self,
        code: &str,
        cards: &BTreeMap<UnitKey, UnitCard>,
        (shown, told_until): (i64, i64),
        now: i64,
    ) -> Decision {
        let by = |shown: i64| {
            let own = |is_shown: bool| {
                let own = self.own.iter();
                let own = own.filter(move |(stamp, _)| (*stamp <= shown) == is_shown);
                own.map(|(_, event)| event)
            };
            let here = Here::of(own(true), own(false));
            self.decide_on(code, cards, &here, now)
        };
        graver(by(shown), by(shown.min(told_until)))
    }

    fn decide_on(
        &self,
        code: &str,
        cards: &BTreeMap<UnitKey, UnitCard>,
        here: &Here,
        now: i64,
    ) -> Decision {
        let scanned = trace_code::parse(code).expect("a code");
        let card = |unit: &UnitKey| cards.get(unit);
        let list = self.asked();
        let told = self.list_age_s.map(|age| i64::from(age) * 1_000_000);
        let till = Till {
            now,
            list: list.as_ref(),
            list_age_max: told.unwrap_or(Policy::default().list_age_us),
        };
        let unit = key(code);
        let own = decide(
            &Asked {
                scanned: &scanned,
                card: card(&unit),
                here: here.became(&unit, Typed::Said, &card),
            },
            &till,
        );
        let by_cards = |container: &UnitKey| {
            let inside = cards.values();
            let inside = inside.filter(|card| card.inside.as_ref() == Some(container));
            inside.map(|card| card.unit.clone()).collect()
        };
        let inside = here.inside(&unit, Typed::Said, &card, &by_cards);
        inside.iter().fold(own, |decision, (unit, scanned)| {
            let asked = Asked {
                scanned,
                card: card(unit),
                here: here.became(unit, Typed::Said, &card),
            };
            holding(decision, &asked, &till)
        })
    }

    /// The grave reasons against a code; empty where nobody says stop.
    pub fn stops(&self, code: &str, now: i64) -> BTreeSet<Reason> {
        let mut reasons = self.decide(code, now).reasons;
        reasons.retain(|reason| reason.advice() == Advice::Stop);
        reasons
    }

    /// All it shows, by what it is about; the recall list by what it says.
    pub fn shown(&self) -> BTreeMap<String, String> {
        let mut shown = self.others.clone();
        for (unit, card) in &self.cards {
            let text = serde_json::to_string(card).expect("a card");
            shown.insert(format!("unit {unit}"), text);
        }
        let list = self.list.as_ref().map(|list| list.content().to_string());
        shown.insert("recall list".into(), list.unwrap_or_default());
        shown
    }
}

/// The keys a device trusts once it was shipped these.
fn trusted(device: &Handheld, shipped: &[TrustKey]) -> Vec<TrustKey> {
    let known: Vec<TrustKey> =
        serde_json::from_value(device.welcome["trust_keys"].clone()).expect("keys");
    follow(&known[0], shipped, verify)
}

/// A chunk, which must be what its hash says.
pub async fn fetch(device: &Handheld, hash: Hash) -> Vec<u8> {
    let answer = device.read(&format!("/v1/sync/chunks/{hash}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(Hash::of(&answer.body), hash);
    answer.body.clone()
}
