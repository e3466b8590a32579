//! One physical copy of a device: the sans-I/O outbox of `suyuan_sync` with a storage, a clock and a
//! memory that can be hurt. A cloned device is two of these with one id.

use super::{
    checkpoints::Checkpoints,
    dice::Dice,
    down::Open,
    seen::{Effect, Seen},
    tabs::Tab,
    world::Site,
};
use crate::played::{DeviceKey, is_signed};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    sync::Arc,
};
use suyuan_sync::{
    chain::{self, Hash},
    ids::{DeviceId, Epoch, EventId, Gseq, Micros, Seq},
    invariants::{DeviceHistory, Made, Whereabouts},
    outbox::{Action, Command, Disk, Fate, Input, KeptAnchor, Key, Notice, Outbox},
    wire::{Item, PullItem, TrustKey},
};

/// How far a cursor that leads nowhere is from any that leads somewhere.
pub const ASTRAY: Gseq = 1_000_000_000;

/// Parts of the position after a cursor, and where the next one begins.
pub struct Parts {
    /// The cursor.
    pub after: Gseq,
    /// The next part.
    pub next: String,
    /// What was told.
    pub items: Vec<PullItem>,
}

/// A copy of a device's storage, to be put back.
struct Backup {
    disk: Disk,
    seen: Seen,
    checkpoints: Checkpoints,
    keys: BTreeMap<Epoch, Rc<DeviceKey>>,
}

/// A new life of a device.
pub struct Life {
    /// Its number.
    pub epoch: Epoch,
    /// Its key.
    pub key: Rc<DeviceKey>,
    /// Its first anchor.
    pub anchor: String,
}

/// A push the outbox wants sent.
pub struct Flight {
    /// The number of the attempt.
    pub id: u64,
    /// Of which life.
    pub epoch: Epoch,
    /// First number.
    pub first: Seq,
    /// Last number.
    pub last: Seq,
}

impl Flight {
    /// The push that an action asks for, if it asks for one.
    pub fn of(action: &Action) -> Option<Flight> {
        let &Action::Send {
            flight: id,
            epoch,
            first,
            last,
        } = action
        else {
            return None;
        };
        Some(Flight {
            id,
            epoch,
            first,
            last,
        })
    }
}

/// See the file's header.
pub struct Handset {
    /// Which device it says it is.
    pub device: DeviceId,
    /// Where it is used, and by whom.
    pub site: Site,
    /// A key for each of its lives.
    pub keys: BTreeMap<Epoch, Rc<DeviceKey>>,
    /// Its outbox in this session.
    pub outbox: Outbox,
    /// Counts sessions: an answer to an earlier one is heard by nobody.
    pub session: u64,
    /// When the timer fires, by the session's clock.
    pub due: Option<u64>,
    /// A tab that did not notice that it is not the writer any more.
    pub other: Option<Box<Tab>>,
    /// Events that were told as not saved there.
    pub unsaved: BTreeSet<Hash>,
    /// What it holds of the world.
    pub seen: Seen,
    /// What it should show at the cursor.
    pub checkpoints: Checkpoints,
    /// It has to be enrolled again.
    pub over: bool,
    /// It was asked what changed, and no answer came yet.
    pub pulling: bool,
    /// Parts of a position that are kept aside until the last is there.
    pub parts: Option<Parts>,
    /// A page or snapshot whose pieces are being fetched.
    pub open: Option<Open>,
    /// Pieces of snapshots and recall lists, kept as they came.
    pub pieces: BTreeMap<Hash, Vec<u8>>,
    /// Its cursor leads nowhere: it begins anew.
    pub lost: bool,
    /// Whose signatures it believes.
    pub trust: Vec<TrustKey>,
    /// What its tokens name as `aud`.
    pub installation: String,
    /// What it made, and what of others' it could retract.
    pub events: Vec<EventId>,
    /// What lies on its storage otherwise than it was made.
    pub flipped: BTreeMap<Key, Arc<str>>,
    /// What it knew when it made an event.
    pub knew: Vec<(Hash, Gseq)>,
    /// Receipted positions and where it read afterwards (I23).
    pub reads: Vec<(Gseq, Gseq)>,
    /// The newest position it was told for an event of its own.
    pub receipted: Gseq,
    begun: Micros,
    offset: Micros,
    frozen: Option<Micros>,
    writes: VecDeque<u64>,
    effects: BTreeMap<u64, Effect>,
    backup: Option<Backup>,
}

impl Handset {
    /// A device just enrolled.
    pub fn new(device: DeviceId, site: Site, life: Life, now: Micros) -> Handset {
        let Life { epoch, key, anchor } = life;
        let kept = KeptAnchor::new(anchor, now);
        Handset {
            device,
            site,
            keys: BTreeMap::from([(epoch, key)]),
            outbox: Outbox::new(Disk::new(device, epoch, Some(kept))),
            session: 0,
            due: None,
            other: None,
            unsaved: BTreeSet::new(),
            seen: Seen::default(),
            checkpoints: Checkpoints::default(),
            over: false,
            pulling: false,
            parts: None,
            open: None,
            pieces: BTreeMap::new(),
            lost: false,
            trust: Vec::new(),
            installation: String::new(),
            events: Vec::new(),
            flipped: BTreeMap::new(),
            knew: Vec::new(),
            reads: Vec::new(),
            receipted: 0,
            begun: now,
            offset: 0,
            frozen: None,
            writes: VecDeque::new(),
            effects: BTreeMap::new(),
            backup: None,
        }
    }

    /// The device's wall clock.
    pub fn wall(&self, now: Micros) -> Micros {
        let real = now.saturating_add(self.offset);
        self.frozen.unwrap_or(real)
    }

    /// The session's clock, in milliseconds.
    pub fn session_ms(&self, now: Micros) -> u64 {
        u64::try_from(now.saturating_sub(self.begun) / 1000).unwrap_or(0)
    }

    /// Moves its wall clock, or lets it stand still.
    pub fn upset_clock(&mut self, offset: Micros, stands: bool, now: Micros) {
        self.offset = offset;
        self.frozen = stands.then(|| now.saturating_add(offset));
    }

    /// One command, its actions done; the pushes it wants sent.
    pub fn take(
        &mut self,
        command: Command,
        effect: Option<Effect>,
        now: Micros,
        dice: &mut Dice,
    ) -> Vec<Flight> {
        let input = Input {
            now: self.session_ms(now),
            jitter: dice.below(1001) as u16,
            command,
        };
        let (mut effect, mut flights) = (effect, Vec::new());
        for action in self.outbox.take(input) {
            match action {
                Action::Persist { write } => {
                    self.writes.push_back(write.id);
                    if let Some(effect) =
                        effect.take_if(|_| write.anchor.is_some() || write.cursor.is_some())
                    {
                        self.effects.insert(write.id, effect);
                    }
                }
                Action::Send { .. } => flights.extend(Flight::of(&action)),
                Action::WaitUntil { at } => self.due = Some(at),
                Action::Show { notice } => {
                    self.over |= notice == Notice::EnrolAgain;
                }
            }
        }
        flights
    }

    /// Its storage commits so many of the transactions it was asked for.
    pub fn commit(&mut self, count: usize, now: Micros, dice: &mut Dice) -> Vec<Flight> {
        let mut flights = Vec::new();
        for _ in 0..count {
            let Some(write) = self.writes.pop_front() else {
                break;
            };
            if let Some(effect) = self.effects.remove(&write) {
                self.seen.apply(effect);
            }
            flights.extend(self.take(Command::Committed { write }, None, now, dice));
        }
        flights
    }

    /// Its storage refuses one of the transactions it was asked for, and all after it.
    pub fn fail_write(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let at = dice.below(self.writes.len());
        let Some(write) = self.writes.get(at).copied() else {
            return Vec::new();
        };
        self.writes.truncate(at);
        self.effects.retain(|id, _| *id < write);
        let flights = self.take(Command::NotWritten { write }, None, now, dice);
        self.forget(history, Whereabouts::NeverPromised);
        flights
    }

    /// A checkpoint goes to the storage.
    pub(super) fn put_together(&mut self, effect: &Effect) {
        let kept = self.backup.as_ref().map(|backup| backup.disk.cursor);
        let held = (self.outbox.disk().cursor, kept);
        self.checkpoints.put_together(&self.seen, effect, held);
    }

    /// How many transactions wait to be committed.
    pub fn writing(&self) -> usize {
        self.writes.len()
    }

    /// Takes new events into its history and hands them to the outbox, as one act.
    pub fn capture(
        &mut self,
        texts: Vec<(EventId, String)>,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let slot = self.outbox.slot(self.session_ms(now));
        let (mut head, mut seq) = (slot.prev_hash, slot.seq);
        for (event, text) in &texts {
            head = chain::next(head, text.as_bytes());
            // Who says nothing of an anchor is placed by when it enrolled (NO_ANCHOR).
            if text.contains("\"anchor\":") {
                self.knew.push((head, self.seen.knows));
            }
            self.events.push(*event);
            history.made.push(Made {
                epoch: slot.epoch,
                seq,
                event: *event,
                text: text.clone(),
                hash: head,
                whereabouts: Whereabouts::Waiting,
            });
            seq += 1;
        }
        let texts = texts.into_iter().map(|(_, text)| text).collect();
        self.take(Command::Capture { texts }, None, now, dice)
    }

    /// The program dies, after some of its transactions came through, and starts again. A second
    /// tab taking over from one that is gone is the same.
    pub fn die(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let reached = dice.below(self.writes.len() + 1);
        self.die_after(reached, now, dice, history)
    }

    /// A second tab takes over after some transactions of the first came through; the first goes on,
    /// and the storage refuses what it asks for. What either wants sent.
    pub fn second_tab(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> (Vec<Flight>, Vec<Flight>) {
        let reached = dice.below(self.writes.len() + 1);
        let mut old = Box::new(Tab {
            outbox: self.outbox.clone(),
            session: self.session,
            saved: BTreeSet::new(),
            until: now.saturating_add(dice.between(10, 900) * 1_000_000),
            due: self.due,
            begun: self.begun,
        });
        let mut beside = Vec::new();
        for (at, write) in self.writes.iter().copied().enumerate() {
            if at >= reached {
                beside.extend(old.take(Command::NotWritten { write }, now, dice));
                break;
            }
            beside.extend(old.take(Command::Committed { write }, now, dice));
        }
        let flights = self.die_after(reached, now, dice, history);
        self.other = Some(old);
        (flights, beside)
    }

    fn die_after(
        &mut self,
        reached: usize,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        for write in self.writes.iter().take(reached) {
            if let Some(effect) = self.effects.remove(write) {
                self.seen.apply(effect);
            }
        }
        let disk = self.outbox.clone().crash(reached);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::NeverPromised);
        flights
    }

    pub(super) fn start(&mut self, disk: Disk, now: Micros, dice: &mut Dice) -> Vec<Flight> {
        let trust = &self.trust;
        self.outbox = Outbox::begin(disk, |receipt| is_signed(receipt, trust));
        self.other = None;
        self.session += 1;
        self.begun = now;
        self.writes.clear();
        self.effects.clear();
        self.due = None;
        self.pulling = false;
        self.parts = None;
        self.open = None;
        self.lost = false;
        self.take(Command::Wake, None, now, dice)
    }

    /// What it made and no longer holds, without ever having heard that it is safe, is where
    /// `lost` says.
    pub(super) fn forget(&self, history: &mut DeviceHistory, lost: Whereabouts) {
        for made in &mut history.made {
            if made.whereabouts != Whereabouts::Waiting {
                continue;
            }
            let row = self.outbox.disk().rows.get(&(made.epoch, made.seq));
            if row.is_none_or(|row| row.hash != made.hash) {
                made.whereabouts = lost;
            }
        }
    }

    /// Its history learns what the outbox let go.
    pub fn refresh(&self, history: &mut DeviceHistory) {
        let disk = self.outbox.disk();
        for made in &mut history.made {
            if made.whereabouts != Whereabouts::Waiting {
                continue;
            }
            let key = (made.epoch, made.seq);
            let pending = key >= (disk.epoch, disk.next);
            let row = disk.rows.get(&key);
            let row = row.filter(|row| row.hash == made.hash);
            if row.is_some() && self.outbox.damaged().contains(&key) {
                made.whereabouts = Whereabouts::Damaged;
            } else if !pending && row.is_none_or(|row| self.outbox.is_safe(row)) {
                made.whereabouts = Whereabouts::Dropped;
            }
        }
    }

    /// Keeps a copy of its storage.
    pub fn back_up(&mut self) {
        self.backup = Some(Backup {
            disk: self.outbox.disk().clone(),
            seen: self.seen.clone(),
            checkpoints: self.checkpoints.clone(),
            keys: self.keys.clone(),
        });
    }

    /// Puts the copy back: what it made since is gone, and it does not know.
    pub fn restore(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let Some(backup) = &self.backup else {
            return Vec::new();
        };
        let disk = backup.disk.clone();
        self.seen = backup.seen.clone();
        self.checkpoints = backup.checkpoints.clone();
        self.seen.pages.clear();
        self.keys = backup.keys.clone();
        self.reads.clear();
        self.refresh(history);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::Wiped);
        flights
    }

    /// Its storage loses an event that is not on the server yet, and does not tell: what comes after
    /// leaves a gap.
    pub fn lose(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let mut disk = self.outbox.disk().clone();
        let unsent = disk.rows.values().filter(|row| !row.state.is_receipted());
        let unsent: Vec<_> = unsent.map(|row| row.key).collect();
        let Some(key) = dice.pick(&unsent) else {
            return Vec::new();
        };
        disk.rows.remove(key);
        self.refresh(history);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::Wiped);
        flights
    }

    /// Its cursor is one of a log that was set back since.
    pub fn lead_astray(
        &mut self,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let mut disk = self.outbox.disk().clone();
        disk.cursor = disk.cursor.saturating_add(ASTRAY);
        // It was led astray, not damaged.
        disk.cursor_check = None;
        self.refresh(history);
        let flights = self.start(disk, now, dice);
        self.forget(history, Whereabouts::NeverPromised);
        flights
    }

    /// A second copy of it, in other hands.
    pub fn copy(&self, now: Micros) -> Handset {
        Handset {
            outbox: Outbox::new(self.outbox.disk().clone()),
            keys: self.keys.clone(),
            seen: Seen {
                pages: Vec::new(),
                ..self.seen.clone()
            },
            checkpoints: self.checkpoints.clone(),
            trust: self.trust.clone(),
            installation: self.installation.clone(),
            events: self.events.clone(),
            flipped: self.flipped.clone(),
            knew: Vec::new(),
            reads: Vec::new(),
            receipted: 0,
            session: 0,
            due: None,
            other: None,
            unsaved: BTreeSet::new(),
            over: false,
            pulling: false,
            parts: None,
            open: None,
            pieces: self.pieces.clone(),
            lost: false,
            begun: now,
            offset: self.offset,
            frozen: None,
            writes: VecDeque::new(),
            effects: BTreeMap::new(),
            backup: None,
            device: self.device,
            site: self.site,
        }
    }

    /// Enrolled again under a new key. `wiped`: nothing of before is left.
    pub fn enrolled(
        &mut self,
        life: Life,
        wiped: bool,
        now: Micros,
        dice: &mut Dice,
        history: &mut DeviceHistory,
    ) -> Vec<Flight> {
        let Life { epoch, key, anchor } = life;
        self.over = false;
        let wall = self.wall(now);
        if wiped {
            self.refresh(history);
            let kept = KeptAnchor::new(anchor, wall);
            self.seen = Seen::default();
            self.checkpoints = Checkpoints::default();
            self.pieces.clear();
            self.keys.clear();
            self.backup = None;
            self.reads.clear();
            self.keys.insert(epoch, key);
            let flights = self.start(Disk::new(self.device, epoch, Some(kept)), now, dice);
            self.forget(history, Whereabouts::Wiped);
            return flights;
        }
        self.keys.insert(epoch, key);
        let command = Command::NewEpoch {
            epoch,
            anchor,
            wall,
        };
        self.take(command, None, now, dice)
    }

    /// What items say of own events.
    pub fn fates<'a>(&self, items: impl IntoIterator<Item = &'a Item>) -> Vec<(Epoch, Seq, Fate)> {
        items
            .into_iter()
            .filter_map(|item| match item {
                Item::Verdict(verdict) if verdict.device == self.device => Some((
                    verdict.epoch,
                    verdict.seq,
                    Fate::of_findings(&verdict.findings),
                )),
                _ => None,
            })
            .collect()
    }
}
