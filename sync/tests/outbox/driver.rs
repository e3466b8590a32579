//! An outbox with a storage, a network and a server whose faults are chosen from outside: what a
//! device's program does around it, and what the world does to that.

use crate::world::{DEVICE, Push as Sent, Store};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use suyuan_sync::{
    admission::{Remark, Status},
    event::{Event, Kind},
    finding::Severity,
    ids::{Epoch, EventId, Gseq, Micros, Seq},
    outbox::{Action, Command, Disk, Fate, Input, KeptAnchor, Key, Notice, Outbox, Row, RowState},
    wire::{Base64Url, EventResult, FindingNote, Push, Ranges, Receipt},
};
use uuid::Uuid;

/// What may happen next. Numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub enum Do {
    /// Somebody scans an act of so many events.
    Scan(u8),
    /// The storage commits so many transactions.
    Commit(u8),
    /// It fails at one of those it has.
    FailWrite(u8),
    /// Time passes, in milliseconds; the timer fires if it is due.
    Pass(u32),
    /// The device wakes.
    Wake,
    /// A push under way arrives.
    Arrive(u8),
    /// It gets lost, and nobody is told.
    Vanish(u8),
    /// It is refused.
    Refuse(u8, u16),
    /// The network tells that it is cut.
    Cut,
    /// An answer arrives, one of those under way.
    Answer(u8),
    /// One gets lost.
    Mute(u8),
    /// A pull is answered.
    Pull,
    /// The position is gone: a snapshot of a server that holds less.
    Snapshot,
    /// The program dies, after so many transactions came through.
    Crash(u8),
    /// A bit of an event that is not on the server yet turns on the storage; the program starts again.
    Flip(u16),
    /// Something else on the storage turns: a receipt, a state, the anchor, the position, the next number;
    /// the program starts again.
    Turn(u16),
    /// A copy of the storage is made.
    Backup,
    /// It is put back.
    Restore,
    /// A person enrols the device again, if it asks for that.
    EnrolAgain,
}

/// An answer under way.
#[derive(Clone, Debug)]
struct Reply {
    flight: u64,
    first: Seq,
    results: Vec<EventResult>,
    receipt: Receipt,
    anchor: String,
    credit: u32,
}

/// What was put into the outbox, and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    pub input: Input,
    pub actions: Vec<Action>,
}

/// What stands on the storage otherwise than it was written, but for texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Turned {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<(Key, RowState)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<KeptAnchor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Seq>,
}

impl Turned {
    /// Puts it there.
    pub fn put(&self, disk: &mut Disk) {
        for receipt in &self.receipts {
            disk.receipts.insert(receipt.epoch, receipt.clone());
        }
        for (key, state) in &self.states {
            disk.rows.get_mut(key).expect("a row").state = *state;
        }
        if self.anchor.is_some() {
            disk.anchor.clone_from(&self.anchor);
        }
        disk.cursor = self.cursor.map_or(disk.cursor, |cursor| cursor as Gseq);
        disk.next = self.next.unwrap_or(disk.next);
    }
}

pub struct World {
    pub outbox: Outbox,
    pub now: u64,
    pub wall: Micros,
    pub stamp: Micros,
    pub stores: BTreeMap<Epoch, Store>,
    /// Pushes under way, with their numbers; those of a program that died without one.
    sent: VecDeque<(Option<u64>, Push)>,
    answers: VecDeque<Reply>,
    writes: VecDeque<u64>,
    due: Option<u64>,
    backup: Option<Disk>,
    salt: u128,
    dice: u64,
    /// Texts the person was told are safe, and their keys.
    pub promised: BTreeMap<Key, String>,
    /// Texts a bit turned in, as they stand on the storage.
    pub flipped: BTreeMap<Key, String>,
    /// What else turned before this session began, and the storage it began with.
    pub turned: Turned,
    pub found: Disk,
    /// The receipts that were signed.
    pub signed: Vec<Receipt>,
    pub notices: Vec<Notice>,
    pub steps: Vec<Step>,
    /// With which of these the session began.
    pub began: usize,
}

/// A stamp as an anchor: greater ones are greater texts.
fn anchor(at: Micros) -> String {
    format!("{at:016x}")
}

impl World {
    pub fn new() -> World {
        let stamp = 1_800_000_000_000_000;
        let kept = KeptAnchor::new(anchor(stamp), 5);
        let disk = Disk::new(DEVICE, 1, Some(kept));
        let mut world = World {
            outbox: Outbox::new(disk.clone()),
            now: 0,
            wall: 5,
            stamp,
            stores: BTreeMap::new(),
            sent: VecDeque::new(),
            answers: VecDeque::new(),
            writes: VecDeque::new(),
            due: None,
            backup: None,
            salt: 0,
            dice: 7,
            promised: BTreeMap::new(),
            flipped: BTreeMap::new(),
            turned: Turned::default(),
            found: disk,
            signed: Vec::new(),
            notices: Vec::new(),
            steps: Vec::new(),
            began: 0,
        };
        world.store(1);
        world
    }

    pub fn store(&mut self, epoch: Epoch) -> &mut Store {
        self.stores.entry(epoch).or_insert_with(|| {
            let mut store = Store::new();
            store.epoch = epoch;
            store.extent = suyuan_sync::admission::Extent::empty(DEVICE, epoch);
            store
        })
    }

    fn roll(&mut self) -> u16 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.dice >> 33) as u16 % 1001
    }

    /// One command, and its actions done in their order.
    pub fn command(&mut self, command: Command) {
        let input = Input {
            now: self.now,
            jitter: self.roll(),
            command,
        };
        let actions = self.outbox.take(input.clone());
        let mut damaged = None;
        for action in &actions {
            match action {
                Action::Persist { write } => self.writes.push_back(write.id),
                Action::Send {
                    flight,
                    epoch,
                    first,
                    last,
                } => {
                    let push = match self.outbox.push(*epoch, *first, *last) {
                        Ok(push) => push,
                        Err(keys) => {
                            damaged = Some(keys);
                            continue;
                        }
                    };
                    assert_eq!(push.last_seq(), *last);
                    for seq in *first..=*last {
                        let row = &self.outbox.disk().rows[&(*epoch, seq)];
                        assert_eq!(
                            *row.text,
                            push.events[(seq - first) as usize],
                            "durable first"
                        );
                    }
                    self.sent.push_back((Some(*flight), push));
                }
                Action::WaitUntil { at } => self.due = Some(*at),
                Action::Show { notice } => {
                    if let Notice::Saved(keys) = notice {
                        for key in keys {
                            let text = self.outbox.disk().rows[key].text.to_string();
                            assert!(self.promised.insert(*key, text).is_none());
                        }
                    }
                    self.notices.push(notice.clone());
                }
            }
        }
        self.steps.push(Step { input, actions });
        self.nothing_is_dropped_early();
        if let Some(keys) = damaged {
            self.command(Command::Damaged { keys });
        }
    }

    /// I1: what the device no longer holds, or thinks receipted, the server has, byte for byte.
    fn nothing_is_dropped_early(&self) {
        for (key, text) in &self.promised {
            let row = self.outbox.disk().rows.get(key);
            if row.is_some_and(|row| !self.outbox.is_safe(row)) {
                continue;
            }
            assert!(self.has(key.0, text), "{key:?} is not on the server");
        }
    }

    /// Does the server hold this text?
    pub fn has(&self, epoch: Epoch, text: &str) -> bool {
        let store = self.stores.get(&epoch);
        store.is_some_and(|store| store.rows.iter().any(|row| row.text == text))
    }

    /// Makes the events of an act for the slot there is, and puts them in.
    pub fn scan(&mut self, count: u8) {
        let slot = self.outbox.slot(self.now);
        let texts: Vec<String> = (slot.seq..)
            .take(usize::from(count % 4))
            .map(|seq| {
                self.salt += 1;
                let id = EventId(Uuid::from_u128(self.salt | 7 << 76));
                let text = Event::bare(Kind::Sale, id, DEVICE, slot.epoch, seq, self.wall).write();
                // Some a program of today cannot read, and some no program ever.
                match self.salt % 16 {
                    5 => text.replace("sale", "teleport"),
                    11 => text.replace('{', ""),
                    _ => text,
                }
            })
            .collect();
        self.command(Command::Capture { texts });
    }

    pub fn commit(&mut self, count: u8) {
        for _ in 0..count {
            if let Some(write) = self.writes.pop_front() {
                self.command(Command::Committed { write });
            }
        }
    }

    /// The server takes a push. Returns the place of the answer among those under way.
    pub fn arrive(&mut self, n: u8) -> Option<usize> {
        let (flight, push) = self.take_sent(n)?;
        self.stamp += 1;
        let anchor = anchor(self.stamp + 1);
        let (epoch, stamp) = (push.epoch, self.stamp);
        let sent = Sent {
            first: push.first_seq,
            prev: push.prev_hash,
            texts: push.events,
        };
        let answer = self.store(epoch).push(sent);
        let flight = flight?;
        let results = (push.first_seq..)
            .zip(answer.decision.judged.iter())
            .map(|(seq, judged)| EventResult {
                seq,
                status: judged.status(),
                code: judged
                    .kept()
                    .outcome
                    .decisive()
                    .map(|remark: Remark| remark.name().to_owned()),
                reason: None,
                gseq: None,
                findings: judged
                    .kept()
                    .outcome
                    .findings()
                    .map(|code| FindingNote {
                        code,
                        severity: Severity::Critical,
                        subject: suyuan_sync::finding::Subject::Event,
                        closed_by: None,
                        closed_entry: None,
                        closed: false,
                    })
                    .collect(),
                more_findings: 0,
                pending: false,
            })
            .collect();
        let receipt = Receipt {
            device: DEVICE,
            epoch,
            contiguous_seq: answer.receipt.contiguous,
            held_ranges: answer.receipt.held,
            missing_ranges: answer.receipt.missing,
            head_hash: answer.receipt.head,
            stamp,
            key: 1,
            sig: Base64Url::of(&"A".repeat(86)).expect("86 characters"),
        };
        self.signed.push(receipt.clone());
        let credit = if self.roll() < 100 { 0 } else { 500 };
        self.answers.push_back(Reply {
            flight,
            first: push.first_seq,
            results,
            receipt,
            anchor,
            credit,
        });
        Some(self.answers.len() - 1)
    }

    fn take_sent(&mut self, n: u8) -> Option<(Option<u64>, Push)> {
        let at = usize::from(n).checked_rem(self.sent.len())?;
        self.sent.remove(at)
    }

    fn take_answer(&mut self, n: usize) -> Option<Reply> {
        let at = n.checked_rem(self.answers.len())?;
        self.answers.remove(at)
    }

    pub fn answer(&mut self, n: usize) {
        if let Some(reply) = self.take_answer(n) {
            self.command(Command::Answer {
                flight: reply.flight,
                first: reply.first,
                fates: reply.results.iter().map(Fate::of_result).collect(),
                receipt: reply.receipt,
                anchor: reply.anchor,
                wall: self.wall,
                credit: reply.credit,
                retry_after: None,
            });
        }
    }

    fn die(&mut self, disk: Disk) {
        self.found = disk.clone();
        self.turned = Turned::default();
        let signed = &self.signed;
        self.outbox = Outbox::begin(disk, |receipt| signed.contains(receipt));
        self.writes.clear();
        self.answers.clear();
        for (flight, _) in &mut self.sent {
            *flight = None;
        }
        self.due = None;
        self.now = 0;
        self.began = self.steps.len();
        // The program that starts again looks at once for what is left to do.
        self.command(Command::Wake);
    }

    pub fn run(&mut self, action: Do) {
        match action {
            Do::Scan(count) => self.scan(count),
            Do::Commit(count) => self.commit(count % 4),
            Do::FailWrite(n) => {
                if let Some(at) = usize::from(n).checked_rem(self.writes.len()) {
                    let write = self.writes[at];
                    self.writes.truncate(at);
                    self.command(Command::NotWritten { write });
                }
            }
            Do::Pass(ms) => self.pass(ms),
            Do::Wake => self.command(Command::Wake),
            Do::Arrive(n) => {
                self.arrive(n);
            }
            Do::Vanish(n) => {
                self.take_sent(n);
            }
            Do::Refuse(n, status) => {
                if let Some((Some(flight), _)) = self.take_sent(n) {
                    self.command(Command::Refused {
                        flight,
                        status,
                        retry_after: (status == 503).then_some(3),
                    });
                }
            }
            Do::Cut => {
                // It is not known of what was under way whether it arrived.
                let flights: Vec<u64> =
                    self.sent.iter().filter_map(|(flight, _)| *flight).collect();
                for flight in flights {
                    self.command(Command::Lost { flight });
                }
            }
            Do::Answer(n) => self.answer(usize::from(n)),
            Do::Mute(n) => {
                self.take_answer(usize::from(n));
            }
            Do::Pull => self.pull(false),
            Do::Snapshot => self.pull(true),
            Do::Crash(reached) => {
                let reached = usize::from(reached) % (self.writes.len() + 1);
                let disk = self.outbox.clone().crash(reached);
                self.die(disk);
            }
            Do::Flip(n) => self.flip(n),
            Do::Turn(n) => self.turn(n),
            Do::Backup => self.backup = Some(self.outbox.disk().clone()),
            Do::Restore => {
                if let Some(disk) = self.backup.clone() {
                    // What was promised since the backup goes with the storage, unless it is
                    // somewhere else.
                    let stays = |key: &Key, text: &String| {
                        disk.rows.get(key).is_some_and(|row| *row.text == **text)
                            || self.has(key.0, text)
                    };
                    let kept = self.promised.clone().into_iter();
                    self.promised = kept.filter(|(key, text)| stays(key, text)).collect();
                    // Keys may be given anew, to other texts.
                    let past = self.promised.clone();
                    self.promised.retain(|key, _| disk.rows.contains_key(key));
                    for (key, text) in past {
                        assert!(disk.rows.contains_key(&key) || self.has(key.0, &text));
                    }
                    self.die(disk);
                }
            }
            Do::EnrolAgain => {
                if self.outbox.picture().enrol_again {
                    self.stamp += 1;
                    let epoch = self.stores.keys().max().map_or(1, |last| last + 1);
                    self.store(epoch);
                    self.command(Command::NewEpoch {
                        epoch,
                        anchor: anchor(self.stamp + 1),
                        wall: self.wall,
                    });
                }
            }
        }
    }

    fn flip(&mut self, n: u16) {
        let mut disk = self.outbox.clone().crash(0);
        let whole = |row: &&mut Row| !row.state.is_receipted() && row.is_whole();
        let mut rows: Vec<&mut Row> = disk.rows.values_mut().filter(whole).collect();
        let n = usize::from(n);
        let Some(at) = n.checked_rem(rows.len()) else {
            return;
        };
        let mut text = rows[at].text.as_bytes().to_vec();
        let bit = n / rows.len();
        let byte = bit / 7 % text.len();
        text[byte] ^= 1 << (bit % 7);
        rows[at].text = String::from_utf8(text).expect("ASCII").into();
        self.flipped.insert(rows[at].key, rows[at].text.to_string());
        self.die(disk);
    }

    fn turn(&mut self, n: u16) {
        let mut disk = self.outbox.clone().crash(0);
        let (what, n) = (n % 6, usize::from(n / 6));
        let mut turned = Turned::default();
        match what {
            0 | 1 => {
                let mut receipts = disk.receipts.values().cloned();
                let at = n.checked_rem(disk.receipts.len());
                let Some(mut receipt) = at.and_then(|at| receipts.nth(at)) else {
                    return;
                };
                // It says that more is held, or that it is older or newer.
                if what == 0 {
                    receipt.held_ranges = Ranges::of(1, 1 << (n % 20));
                    receipt.contiguous_seq = 1 << (n % 20);
                } else {
                    receipt.stamp ^= 1 << (n % 50);
                }
                turned.receipts.push(receipt);
            }
            2 => {
                let states = disk.rows.values().map(|row| (row.key, row.state));
                let states: Vec<(Key, RowState)> = states.collect();
                let Some(at) = n.checked_rem(states.len()) else {
                    return;
                };
                let (key, state) = states[at];
                let stamp = state.stamp().unwrap_or_default() ^ 1 << (n % 50);
                let other = [
                    RowState::Durable,
                    RowState::Receipted(stamp),
                    RowState::Settled(stamp),
                    RowState::NeedsAttention(stamp),
                ];
                turned.states.push((key, other[n / states.len() % 4]));
            }
            3 => {
                let Some(mut kept) = disk.anchor.clone() else {
                    return;
                };
                let at = n % kept.text.len();
                match n % 3 {
                    0 => kept.wall ^= 1 << (n % 60),
                    1 => kept.check = kept.check.map(|check| check ^ 1 << (n % 32)),
                    _ => kept.text.replace_range(at..=at, "~"),
                }
                turned.anchor = Some(kept);
            }
            4 => turned.cursor = Some((disk.cursor ^ 1 << (n % 40)) as u64),
            _ => turned.next = Some(disk.next & !(1 << (n % 12))),
        }
        turned.put(&mut disk);
        self.die(disk);
        self.turned = turned;
    }

    pub fn pass(&mut self, ms: u32) {
        self.now += u64::from(ms);
        self.wall += Micros::from(ms) * 1000;
        self.stamp += Micros::from(ms) * 1000;
        if self.due.is_some_and(|at| at <= self.now) {
            self.due = None;
            self.command(Command::Due);
        }
    }

    /// A page of verdicts: what waits on the server is there by now, and somebody saw to the rest.
    /// So does a snapshot, and it may begin before the position that was held.
    pub fn pull(&mut self, anew: bool) {
        self.stamp += 1;
        let stores = self.stores.iter();
        let fates = stores
            .flat_map(|(epoch, store)| {
                let row = |row: &crate::world::Row| {
                    let fate = match row.now.status {
                        Status::Stored | Status::StoredFlagged | Status::Duplicate => Fate::Settled,
                        Status::Parked => Fate::Waiting,
                        Status::Quarantined => Fate::Attention,
                    };
                    (*epoch, row.kept.seq, fate)
                };
                store.rows.iter().map(row)
            })
            .collect();
        self.command(Command::Checkpoint {
            cursor: self.stamp % 1_000_000_000 / if anew { 2 } else { 1 },
            anchor: anchor(self.stamp + 1),
            wall: self.wall,
            fates,
            anew,
        });
    }

    /// From now on everything works. How long until all is home, in milliseconds?
    pub fn heal(&mut self, within: u64) -> Option<u64> {
        let start = self.now;
        while self.now - start <= within {
            self.commit(u8::MAX);
            while !self.sent.is_empty() {
                self.arrive(0);
            }
            while !self.answers.is_empty() {
                self.answer(0);
            }
            self.commit(u8::MAX);
            let doubted = self.outbox.doubted().len() as u64;
            if self.outbox.unsent() + doubted == 0 && self.outbox.writing() == 0 {
                return Some(self.now - start);
            }
            // No new scan, no wake: only the timer.
            self.pass(250);
        }
        None
    }
}
