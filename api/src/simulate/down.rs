//! What a handset fetches besides pages: the snapshot it begins with, pieces by their hashes, rules
//! and badges. A page or snapshot is applied whole, once all pieces are here that it names; what was
//! fetched stays, so that it goes on after a break.
//!
//! What it holds then is held against the service in `stands`.

use super::{
    Part, SimulateError,
    handset::{ASTRAY, Handset},
    post::{Asking, What},
    run::{Run, Stop},
    seen::{Anew, Effect},
};
use crate::handheld::keys::point::verify;
use actix_web::http::Method;
use suyuan_sync::{
    chain::Hash,
    event::required,
    ids::{Gseq, Micros},
    invariants::Broken,
    limits::TAIL_DAYS,
    outbox::Command,
    recall_list::UnitList,
    wire::{
        BadgesAnswer, Item, PullAnswer, RecallList, SnapshotChunk, SnapshotManifest, TrustKey,
        follow,
    },
};

/// How long before a snapshot something ended that it leaves out.
const TAIL: Micros = TAIL_DAYS as Micros * 86_400_000_000;

/// One in so many lives of handsets begins with the beginning of the log.
const FROM_THE_BEGINNING: usize = 4;

/// An answer that names pieces.
pub enum Open {
    /// A page asked for with this cursor and this recall list.
    Page {
        /// The cursor.
        after: Gseq,
        /// What list was held, by what it says.
        list: Option<Hash>,
        /// What was told.
        page: Box<PullAnswer>,
    },
    /// A snapshot.
    Snapshot(Box<SnapshotManifest>),
}

impl Run {
    /// Before a handset asks what changed: has it something to fetch first? Most of those that have
    /// nothing begin with a snapshot, some with the beginning of the log.
    pub(super) fn fetches_first(&mut self, n: usize) -> Result<bool, Stop> {
        if !self.options.has(Part::Snapshots) {
            return Ok(false);
        }
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(true);
        };
        if handset.open.is_some() {
            self.go_on(n)?;
            return Ok(true);
        }
        let life = handset.outbox.disk().epoch as usize;
        if (n + life).is_multiple_of(FROM_THE_BEGINNING) {
            handset.seen.begun = true;
        }
        if handset.seen.begun && !handset.lost {
            return Ok(false);
        }
        handset.pulling = true;
        self.fetch(n, What::Snapshot, "/v1/sync/snapshot".to_owned())?;
        Ok(true)
    }

    fn fetch(&mut self, n: usize, what: What, path: String) -> Result<(), Stop> {
        self.ask(n, what, Method::GET, path, Vec::new())
    }

    /// A snapshot was answered.
    pub(super) fn heard_snapshot(
        &mut self,
        to: &Asking,
        status: u16,
        body: &[u8],
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(to.from) else {
            return Ok(());
        };
        match status {
            200 => {}
            403 => {
                handset.over = true;
                return Ok(());
            }
            503 => return Ok(()),
            _ => return Err(SimulateError::Answered("snapshot", status).into()),
        }
        let manifest: SnapshotManifest = serde_json::from_slice(body)?;
        let keys = trusted(handset, &manifest.trust_keys);
        let key = keys.iter().find(|key| key.n == manifest.key);
        let signed =
            key.is_some_and(|key| verify(&key.key, &manifest.bytes_to_sign(), &manifest.sig));
        if !signed || manifest.device != handset.device {
            return Err(Broken::new("I24", "a snapshot is not signed for whom it is made").into());
        }
        // It was enrolled again meanwhile, or began otherwise.
        let stale = manifest.epoch != handset.outbox.disk().epoch;
        if stale || (handset.seen.begun && !handset.lost) {
            return Ok(());
        }
        handset.open = Some(Open::Snapshot(Box::new(manifest)));
        self.note("snapshot", &to.from.to_string());
        self.go_on(to.from)
    }

    /// A piece was answered: it is what its name says, or it is not kept any more.
    pub(super) fn heard_piece(
        &mut self,
        n: usize,
        hash: Hash,
        (status, body, anchor): (u16, &[u8], Option<String>),
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        match status {
            200 if Hash::of(body) == hash => {
                let Some(anchor) = anchor else {
                    return Err(Broken::new("I12", "a piece came without an anchor").into());
                };
                // It counts with what it is a piece of, once that is whole.
                let named = match &mut handset.open {
                    Some(Open::Page { page, .. }) => Some(&mut page.anchor),
                    Some(Open::Snapshot(manifest)) => Some(&mut manifest.anchor),
                    None => None,
                };
                if let Some(held) = named.filter(|held| **held < anchor) {
                    *held = anchor;
                }
                handset.pieces.insert(hash, body.to_vec());
                self.note("piece", "");
                self.go_on(n)
            }
            200 => Err(Broken::new("I30", format!("piece {hash} is another")).into()),
            403 => {
                handset.over = true;
                Ok(())
            }
            404 => {
                handset.open = None;
                self.note("a piece is gone", "");
                Ok(())
            }
            _ => Err(SimulateError::Answered("a piece", status).into()),
        }
    }

    /// Applies what is open if it is whole, and asks for what it lacks if not.
    pub(super) fn go_on(&mut self, n: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        let fetches = self.options.has(Part::Snapshots);
        let Some(open) = handset.open.take() else {
            return Ok(());
        };
        let lacks = if fetches {
            handset.lacks(&open)?
        } else {
            Vec::new()
        };
        if !lacks.is_empty() {
            handset.open = Some(open);
            for hash in lacks {
                let path = format!("/v1/sync/chunks/{hash}");
                self.fetch(n, What::Piece { hash }, path)?;
            }
            return Ok(());
        }
        match open {
            Open::Page { after, list, page } => {
                // Only what goes on from here is a checkpoint.
                if handset.outbox.disk().cursor != after || handset.writing() > 0 {
                    return Ok(());
                }
                if fetches {
                    handset.list_holds(list, &page)?;
                }
                let command = Command::Checkpoint {
                    cursor: page.cursor,
                    anchor: page.anchor.clone(),
                    wall: handset.wall(self.now),
                    fates: handset.fates(page.items.iter().map(|told| &told.item)),
                    anew: false,
                };
                let (rules, badges) = (page.rules.clone(), page.badges.clone());
                let effect = Effect::Page(after, page);
                handset.put_together(&effect);
                self.command(n, command, Some(effect))?;
                if fetches {
                    self.follow_versions(n, rules, badges)?;
                }
                Ok(())
            }
            Open::Snapshot(manifest) if handset.writing() > 0 => {
                handset.open = Some(Open::Snapshot(manifest));
                Ok(())
            }
            Open::Snapshot(manifest) => {
                let items = handset.items(&manifest)?;
                let command = Command::Checkpoint {
                    cursor: manifest.watermark,
                    anchor: manifest.anchor.clone(),
                    wall: handset.wall(self.now),
                    fates: handset.fates(&items),
                    anew: true,
                };
                handset.lost = false;
                let anew = Anew {
                    watermark: manifest.watermark,
                    ended: ended(&manifest),
                    items,
                };
                let effect = Effect::Anew(Box::new(anew));
                handset.put_together(&effect);
                self.note("began anew", &format!("{n} {}", manifest.watermark));
                self.command(n, command, Some(effect))?;
                self.fetch(n, What::Badges, "/v1/sync/badges".to_owned())
            }
        }
    }

    /// Asks for rules and badges where others hold than those that are held.
    fn follow_versions(
        &mut self,
        n: usize,
        rules: Option<String>,
        badges: Option<String>,
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        let new_rules = handset.seen.rules != rules;
        let held = handset.seen.badges.as_ref();
        let new_badges = held.and_then(|held| held.version.as_ref()) != badges.as_ref();
        if badges.is_none() {
            handset.seen.badges = None;
        }
        if new_rules {
            self.fetch(n, What::Rules, "/v1/sync/rules".to_owned())?;
        }
        if new_badges && badges.is_some() {
            self.fetch(n, What::Badges, "/v1/sync/badges".to_owned())?;
        }
        Ok(())
    }

    /// The rules were answered: all of them, of the version that was named.
    pub(super) fn heard_rules(&mut self, n: usize, status: u16, body: &[u8]) -> Result<(), Stop> {
        if status != 200 {
            return Ok(());
        }
        let told: serde_json::Value = serde_json::from_slice(body)?;
        let text = |name: &str| told.get(name).and_then(serde_json::Value::as_str);
        let (version, anchor) = (text("version"), text("anchor").map(str::to_owned));
        let rules = told.get("rules").and_then(serde_json::Value::as_array);
        if version != Some(required::version())
            || rules.map(Vec::len) != Some(required::RULES.len())
        {
            return Err(Broken::new("I22", "the rules are not those that hold").into());
        }
        if let Some(handset) = self.handsets.get_mut(n) {
            handset.seen.rules = version.map(str::to_owned);
        }
        self.note("rules", "");
        match anchor {
            Some(anchor) => self.looked_up(n, anchor, None),
            None => Ok(()),
        }
    }

    /// The badges were answered.
    pub(super) fn heard_badges(&mut self, n: usize, status: u16, body: &[u8]) -> Result<(), Stop> {
        if status != 200 {
            return Ok(());
        }
        let told: BadgesAnswer = serde_json::from_slice(body)?;
        let anchor = told.anchor.clone();
        if let Some(handset) = self.handsets.get_mut(n) {
            let at = |badges: &BadgesAnswer| badges.version.as_ref()?.parse::<i64>().ok();
            // An answer that was overtaken is not what holds.
            let held = handset.seen.badges.as_ref().and_then(at);
            if at(&told) >= held {
                handset.seen.badges = Some(told);
            }
        }
        self.note("badges", "");
        self.looked_up(n, anchor, None)
    }
}

impl Handset {
    /// Has it still to be told something, or to fetch something?
    pub(super) fn is_behind(&self, head: Gseq, fetches: bool) -> bool {
        let cursor = self.outbox.disk().cursor;
        let begins = !self.seen.begun || self.lost || self.open.is_some() || cursor >= ASTRAY;
        cursor < head || (fetches && begins)
    }

    /// Pieces that are not here yet: of a snapshot first its own, then those of the list in it.
    fn lacks(&self, open: &Open) -> Result<Vec<Hash>, Stop> {
        let lacks = |hashes: Vec<Hash>| -> Vec<Hash> {
            let missing = |hash: &Hash| !self.pieces.contains_key(hash);
            hashes.into_iter().filter(missing).collect()
        };
        let pieces = |list: &RecallList| list.chunks.iter().map(|chunk| chunk.hash).collect();
        let of_lists = |items: Vec<&Item>| -> Vec<Hash> {
            let lists = items.into_iter().filter_map(|item| match item {
                Item::RecallList(list) => Some(pieces(list)),
                _ => None,
            });
            lists.flat_map(|hashes: Vec<Hash>| hashes).collect()
        };
        match open {
            Open::Page { page, .. } => {
                let items = page.items.iter().map(|told| &told.item).collect();
                Ok(lacks(of_lists(items)))
            }
            Open::Snapshot(manifest) => {
                let own = manifest.chunks.iter().map(|chunk| chunk.hash).collect();
                let own = lacks(own);
                if !own.is_empty() {
                    return Ok(own);
                }
                let items = self.items(manifest)?;
                Ok(lacks(of_lists(items.iter().collect())))
            }
        }
    }

    /// What a snapshot says whose pieces are all here.
    fn items(&self, manifest: &SnapshotManifest) -> Result<Vec<Item>, Stop> {
        let mut items = Vec::new();
        for chunk in &manifest.chunks {
            let bytes = self.pieces.get(&chunk.hash).map_or(&[][..], Vec::as_slice);
            let part: SnapshotChunk = serde_json::from_slice(bytes)?;
            items.extend(part.items);
        }
        for item in &items {
            if let Item::RecallList(list) = item {
                let whole = list.chunks.iter();
                let whole = whole.clone().all(|it| self.pieces.contains_key(&it.hash));
                if whole {
                    self.units_of(list)?;
                }
            }
        }
        Ok(items)
    }

    /// What a list says, whose signature must hold and whose pieces must be all here.
    pub(super) fn units_of(&self, list: &RecallList) -> Result<UnitList, Broken> {
        let key = self.trust.iter().find(|key| key.n == list.key);
        let signed = key.is_some_and(|key| verify(&key.key, &list.bytes_to_sign(), &list.sig));
        let pieces = list.chunks.iter().map(|chunk| self.pieces.get(&chunk.hash));
        let pieces: Option<Vec<&Vec<u8>>> = pieces.collect();
        let units = pieces.and_then(|pieces| UnitList::read(&pieces).ok());
        match units {
            Some(units) if signed && units.len() as u64 == list.count => Ok(units),
            _ => Err(Broken::new(
                "I24",
                "a recall list is not signed, or not whole",
            )),
        }
    }

    /// The list that holds is the one a page brings, or the one that was held when it was asked for, which is
    /// not brought again. It may be another at one position of the log: an enterprise handles more products
    /// once any of its places was told of them.
    fn list_holds(&self, asked: Option<Hash>, page: &PullAnswer) -> Result<(), Broken> {
        let mut held = asked;
        for told in &page.items {
            if let Item::RecallList(list) = &told.item {
                self.units_of(list)?;
                if held == Some(list.content()) {
                    return Err(Broken::new(
                        "I21",
                        "the recall list that was held came again",
                    ));
                }
                held = Some(list.content());
            }
        }
        let current = page.list.as_ref().map(|current| current.content);
        // A list is told with the first page that has anything to tell.
        if held.is_some() && held != current {
            return Err(Broken::new(
                "I22",
                "a page lacks the recall list that holds",
            ));
        }
        Ok(())
    }
}

/// What ended at or before this instant is left out of a snapshot.
pub fn ended(manifest: &SnapshotManifest) -> Micros {
    manifest.made_at.saturating_sub(TAIL)
}

/// The keys a handset trusts once it was shipped these.
fn trusted(handset: &Handset, shipped: &[TrustKey]) -> Vec<TrustKey> {
    let first = handset.trust.first();
    first.map_or_else(Vec::new, |first| follow(first, shipped, verify))
}
