//! What a handset was told: what it holds of the world besides its outbox, and what a page or a snapshot
//! does to that.

use std::collections::BTreeMap;
use suyuan_sync::{
    ids::{Gseq, Micros},
    invariants::Delivered,
    wire::{BadgesAnswer, Item, PullAnswer, PullItem, RecallList, Removed},
};

/// What a device holds of the world besides its outbox; written in the outbox's transactions.
#[derive(Clone, Default)]
pub struct Seen {
    /// What it shows, by what it is of: the position and the item as text.
    pub items: BTreeMap<String, (Gseq, String)>,
    /// The recall list it holds.
    pub list_version: Option<Gseq>,
    /// The newest position of which it was told anything.
    pub knows: Gseq,
    /// The pages it applied.
    pub pages: Vec<Delivered>,
    /// It is everything as of the cursor: it began with a snapshot, or with the beginning of the log.
    pub begun: bool,
    /// It began with a snapshot that leaves out what ended at or before this instant.
    pub ended: Micros,
    /// The recall list it holds, with all its pieces.
    pub list: Option<RecallList>,
    /// The version of the rules it holds.
    pub rules: Option<String>,
    /// The badges it holds, and their version.
    pub badges: Option<BadgesAnswer>,
}

/// What is done to `Seen` when a transaction is committed.
pub enum Effect {
    /// It was told of events up to here.
    Knows(Gseq),
    /// A page asked for with this cursor.
    Page(Gseq, Box<PullAnswer>),
    /// A snapshot, in the place of all it held.
    Anew(Box<Anew>),
}

/// Everything a handset is told, as of one position.
pub struct Anew {
    /// The position.
    pub watermark: Gseq,
    /// What ended at or before this instant is left out.
    pub ended: Micros,
    /// What is told.
    pub items: Vec<Item>,
}

impl Seen {
    /// A transaction is committed.
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Knows(upto) => self.knows = self.knows.max(upto),
            Effect::Page(after, page) => {
                self.knows = self.knows.max(page.cursor);
                // A recall list is of no position: it is another where what it says is (`list_holds`).
                let of_the_log = |told: &&PullItem| !matches!(told.item, Item::RecallList(_));
                let items = page.items.iter().filter(of_the_log);
                let items = items.map(|told| (name(&told.item), told.gseq));
                self.pages.push(Delivered {
                    after,
                    upto: page.cursor,
                    items: items.collect(),
                    applied: true,
                    more: page.more,
                });
                for item in page.items {
                    self.put(item.gseq, item.item);
                }
                let held = self.list.as_ref().map(RecallList::content);
                let told = page.list.filter(|told| held == Some(told.content));
                if let Some(told) = told.filter(|_| self.begun) {
                    self.list_version = self.list_version.max(Some(told.version));
                }
            }
            Effect::Anew(anew) => {
                self.items.clear();
                self.pages.clear();
                self.knows = self.knows.max(anew.watermark);
                (self.begun, self.ended) = (true, anew.ended);
                for item in anew.items {
                    self.put(anew.watermark, item);
                }
            }
        }
    }

    /// An item takes the place of the one before it.
    pub fn put(&mut self, gseq: Gseq, item: Item) {
        let name = name(&item);
        if let Item::RecallList(list) = &item {
            self.list_version = Some(list.version);
            self.list = Some(list.clone());
        }
        if matches!(item, Item::Removed(_)) {
            self.items.remove(&name);
        } else {
            let text = serde_json::to_string(&item).unwrap_or_default();
            self.items.insert(name, (gseq, text));
        }
    }
}

/// What an item is of.
pub(super) fn name(item: &Item) -> String {
    match item {
        Item::Product(card) => format!("product {}", card.product),
        Item::Partner(card) => format!("partner {}", card.enterprise),
        Item::Unit(card) => format!("unit {}", card.unit),
        Item::RecallList(_) => "recall list".to_owned(),
        Item::Verdict(verdict) => format!("verdict {} {}", verdict.device, verdict.event),
        Item::Removed(Removed::Product(id)) => format!("product {id}"),
        Item::Removed(Removed::Partner(id)) => format!("partner {id}"),
        Item::Removed(Removed::Unit(unit)) => format!("unit {unit}"),
    }
}
