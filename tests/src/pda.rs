//! A handheld as it works in a shop: what it states goes through the outbox machine of
//! `suyuan_sync`, which alone decides what is sent, what is sent again and what may be dropped. This
//! file is what the machine asks for: a storage (its own model of one), a network, timers, dice.
//! It keeps what was made and told, so that the invariants can judge the program by it.

use crate::{Answer, Caller, Handheld, NoAnswer, handheld::jiff_now};
use hyper::Method;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};
use suyuan::handheld::keys::point;
use suyuan_sync::{
    chain,
    ids::EventId,
    invariants::{DeviceHistory, Made, Told, Whereabouts},
    outbox::{Action, Command, Disk, Input, KeptAnchor, Key, Notice, Outbox},
    wire::{EventResult, Push, PushAnswer, Receipt, Status, TrustKey},
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Random numbers that follow from a seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

/// What came of a push.
enum Heard {
    Answer(Box<(Push, PushAnswer)>),
    Nothing(NoAnswer),
    Refused(u16, Option<u32>),
}

/// How it went, in numbers.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Pushes that went out.
    pub pushes: u64,
    /// Of these, how many found nobody.
    pub unreached: u64,
    /// How many were cut off: sent, maybe stored, and never answered.
    pub unanswered: u64,
    /// Refusals by status.
    pub refused: BTreeMap<u16, u64>,
    /// Sessions that ended without warning.
    pub crashes: u64,
    /// Events sent again that were held already.
    pub duplicates: u64,
}

/// See the file's header.
pub struct Pda {
    /// Its key, and its mouth for what is not a push.
    pub wire: Handheld,
    /// Where it calls: `http://127.0.0.1:PORT`.
    pub url: String,
    /// Compresses what it sends.
    pub gzip: bool,
    /// How it went.
    pub tally: Tally,
    outbox: Outbox,
    began: Instant,
    hurry: u64,
    dice: Dice,
    hearing: mpsc::UnboundedReceiver<(u64, Heard)>,
    telling: mpsc::UnboundedSender<(u64, Heard)>,
    timer: Option<u64>,
    writing: VecDeque<u64>,
    trust: Vec<TrustKey>,
    made: Vec<Made>,
    gone: BTreeSet<usize>,
    told: Vec<Told>,
}

impl Pda {
    /// An enrolled device begins to work. Its session's clock runs `hurry` times as fast as ours, so
    /// that back-off and time-outs take less of our time.
    pub fn new(wire: Handheld, url: &str, seed: u64, hurry: u64) -> Pda {
        let anchor = KeptAnchor::new(wire.anchor.clone(), wall());
        let disk = Disk::new(wire.device, wire.epoch, Some(anchor));
        let trust = serde_json::from_value(wire.welcome["trust_keys"].clone());
        let (telling, hearing) = mpsc::unbounded_channel();
        Pda {
            url: url.to_owned(),
            gzip: false,
            tally: Tally::default(),
            outbox: Outbox::new(disk),
            began: Instant::now(),
            hurry,
            dice: Dice::new(seed),
            hearing,
            telling,
            timer: None,
            writing: VecDeque::new(),
            trust: trust.expect("trust keys"),
            made: Vec::new(),
            gone: BTreeSet::new(),
            told: Vec::new(),
            wire,
        }
    }

    /// States one act: an event, or several as a group that stands together.
    pub fn state(&mut self, act: &[(&str, Value)]) {
        let slot = self.outbox.slot(self.now());
        let group = Uuid::now_v7();
        let mut head = slot.prev_hash;
        let mut texts = Vec::new();
        for ((kind, said), seq) in act.iter().zip(slot.seq..) {
            let id = Uuid::now_v7();
            let mut said = said.clone();
            said["event_id"] = json!(id);
            said["epoch"] = json!(slot.epoch);
            said["cursor"] = json!(slot.cursor);
            said["mono"] = json!(slot.mono_ms / self.hurry);
            said["anchor"] = json!(slot.anchor);
            if let Some(at) = slot.anchor_wall {
                said["anchor_wall"] = json!(rfc3339(at));
            }
            if act.len() > 1 {
                let n = seq - slot.seq + 1;
                said["group"] = json!({"id": group, "n": n, "of": act.len()});
            }
            let text = self.wire.text(seq, kind, &said);
            head = chain::next(head, text.as_bytes());
            self.made.push(Made {
                epoch: slot.epoch,
                seq,
                event: EventId(id),
                text: text.clone(),
                hash: head,
                whereabouts: Whereabouts::NeverPromised,
            });
            texts.push(text);
        }
        self.take(Command::Capture { texts });
    }

    /// Goes on until then: writes, sends, hears, waits.
    pub async fn work(&mut self, during: Duration) {
        let until = Instant::now() + during;
        while Instant::now() < until {
            self.turn(until).await;
        }
    }

    /// Goes on until nothing waits any more; false when it took too long.
    pub async fn drain(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        loop {
            self.commit();
            if self.outbox.unsent() == 0 && self.writing.is_empty() {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            self.turn(until).await;
        }
    }

    /// The network seems to be back.
    pub fn wake(&mut self) {
        self.take(Command::Wake);
    }

    /// The program on the device dies: what was being written is on the storage or is not, what is
    /// under way is not heard of any more; and it is started again.
    pub fn crash(&mut self) {
        let reached = self.dice.roll(self.writing.len() as u64 + 1) as usize;
        let placeholder = Outbox::new(self.outbox.disk().clone());
        let disk = std::mem::replace(&mut self.outbox, placeholder).crash(reached);
        for (n, made) in self.made.iter().enumerate() {
            let key = (made.epoch, made.seq);
            let kept = disk.rows.get(&key).is_some_and(|row| row.hash == made.hash);
            let promised = made.whereabouts != Whereabouts::NeverPromised;
            if !kept && !promised {
                self.gone.insert(n);
            }
        }
        let trust = &self.trust;
        self.outbox = Outbox::begin(disk, |receipt| is_signed(trust, receipt));
        (self.telling, self.hearing) = mpsc::unbounded_channel();
        (self.timer, self.began) = (None, Instant::now());
        self.writing.clear();
        self.tally.crashes += 1;
        // What a session begins with.
        self.take(Command::Wake);
        self.promise();
    }

    /// How many events wait.
    pub fn unsent(&self) -> u64 {
        self.outbox.unsent()
    }

    /// The machine.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How many receipts and results it was told so far.
    pub fn told(&self) -> usize {
        self.told.len()
    }

    /// What it made and was told, from this answer on.
    pub fn history_from(&self, told: usize) -> DeviceHistory {
        let rows = &self.outbox.disk().rows;
        let made = self.made.iter().enumerate().map(|(n, made)| {
            let row = rows.get(&(made.epoch, made.seq));
            let row = row.filter(|row| row.hash == made.hash);
            let whereabouts = match row {
                _ if self.gone.contains(&n) => Whereabouts::NeverPromised,
                Some(row) if !self.outbox.is_safe(row) => Whereabouts::Waiting,
                None if made.whereabouts == Whereabouts::NeverPromised => {
                    Whereabouts::NeverPromised
                }
                // It may be dropped whenever the outbox likes.
                _ => Whereabouts::Dropped,
            };
            Made {
                whereabouts,
                ..made.clone()
            }
        });
        DeviceHistory {
            device: self.wire.device,
            made: made.collect(),
            told: self.told[told.min(self.told.len())..].to_vec(),
        }
    }

    /// All it made and was told.
    pub fn history(&self) -> DeviceHistory {
        self.history_from(0)
    }

    async fn turn(&mut self, until: Instant) {
        self.commit();
        let now = self.now();
        let due = self.timer.map(|at| {
            let ms = at.saturating_sub(now).div_ceil(self.hurry);
            Instant::now() + Duration::from_millis(ms)
        });
        let next = due.map_or(until, |due| due.min(until));
        tokio::select! {
            Some((flight, heard)) = self.hearing.recv() => self.hear(flight, heard),
            () = tokio::time::sleep_until(next.into()) => {
                if due.is_some_and(|due| due <= Instant::now()) {
                    self.timer = None;
                    self.take(Command::Due);
                }
            }
        }
    }

    /// Everything that is being written comes through.
    fn commit(&mut self) {
        while let Some(write) = self.writing.pop_front() {
            self.take(Command::Committed { write });
        }
    }

    /// What is on the storage is promised: the success sound was heard, or will be.
    fn promise(&mut self) {
        let saved: Vec<Key> = self.outbox.disk().rows.keys().copied().collect();
        self.saved(&saved);
    }

    fn saved(&mut self, keys: &[Key]) {
        let keys: BTreeSet<&Key> = keys.iter().collect();
        let Some(first) = keys.first().map(|(_, seq)| *seq) else {
            return;
        };
        let made = self.made.iter_mut().enumerate().rev();
        for (n, made) in made.take_while(|(_, made)| made.seq >= first) {
            if keys.contains(&(made.epoch, made.seq)) && !self.gone.contains(&n) {
                made.whereabouts = Whereabouts::Waiting;
            }
        }
    }

    fn take(&mut self, command: Command) {
        let input = Input {
            now: self.now(),
            jitter: self.dice.roll(1001) as u16,
            command,
        };
        for action in self.outbox.take(input) {
            match action {
                Action::Persist { write } => self.writing.push_back(write.id),
                Action::WaitUntil { at } => self.timer = Some(at),
                Action::Show {
                    notice: Notice::Saved(keys),
                } => self.saved(&keys),
                Action::Show { .. } => {}
                Action::Send {
                    flight,
                    epoch,
                    first,
                    last,
                } => match self.outbox.push(epoch, first, last) {
                    Ok(push) => self.send(flight, push),
                    Err(keys) => self.take(Command::Damaged { keys }),
                },
            }
        }
    }

    fn send(&mut self, flight: u64, push: Push) {
        self.tally.pushes += 1;
        let mut body = serde_json::to_vec(&push).expect("a frame");
        let bearer = format!("Bearer {}", self.wire.signed(&push));
        let (url, told, gzip) = (self.url.clone(), self.telling.clone(), self.gzip);
        if gzip {
            body = gzipped(&body);
        }
        tokio::spawn(async move {
            let mut headers = vec![
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
            ];
            if gzip {
                headers.push(("content-encoding", "gzip"));
            }
            let caller = Caller::new(&url, None);
            let answer = caller
                .try_send(Method::POST, "/v1/sync/push", &headers, body)
                .await;
            // The session may be over.
            let _ = told.send((flight, heard(push, answer)));
        });
    }

    fn hear(&mut self, flight: u64, heard: Heard) {
        let (push, answer) = match heard {
            Heard::Nothing(why) => {
                match why {
                    NoAnswer::Unreached(_) => self.tally.unreached += 1,
                    NoAnswer::Cut(_) => self.tally.unanswered += 1,
                }
                return self.take(Command::Lost { flight });
            }
            Heard::Refused(status, retry_after) => {
                *self.tally.refused.entry(status).or_default() += 1;
                return self.take(Command::Refused {
                    flight,
                    status,
                    retry_after,
                });
            }
            Heard::Answer(both) => *both,
        };
        let receipt = &answer.receipt;
        assert!(
            is_signed(&self.trust, receipt),
            "a receipt that nobody signed"
        );
        assert_eq!(answer.results.len(), push.events.len(), "a result for each");
        let known = |result: &&EventResult| result.status == Status::Duplicate;
        self.tally.duplicates += answer.results.iter().filter(known).count() as u64;
        self.told.extend(told(&push, &answer));
        self.wire.keep(&answer.anchor);
        let answered = Command::answered(flight, push.first_seq, answer, wall());
        self.take(answered);
    }

    /// The session's clock, in milliseconds.
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64 * self.hurry
    }
}

fn heard(push: Push, answer: Result<Answer, NoAnswer>) -> Heard {
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => return Heard::Nothing(why),
    };
    if answer.status == 200 {
        return match serde_json::from_slice(&answer.body) {
            Ok(told) => Heard::Answer(Box::new((push, told))),
            Err(error) => Heard::Nothing(NoAnswer::Cut(error.to_string())),
        };
    }
    Heard::Refused(answer.status, answer.header("retry-after").parse().ok())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn wall() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

fn rfc3339(at: i64) -> String {
    let at = jiff::Timestamp::from_microsecond(at).map(|at| at.to_string());
    at.unwrap_or_else(|_| jiff_now())
}

/// What an answer tells a device of a push.
pub fn told(push: &Push, answer: &PushAnswer) -> Vec<Told> {
    let hashes = chain::hashes(push.prev_hash, &push.events);
    let results = answer.results.iter().zip(hashes);
    let results = results.map(|(result, hash)| Told::Result {
        epoch: push.epoch,
        seq: result.seq,
        hash,
        status: result.status,
        code: result.code.clone(),
        gseq: result.gseq,
    });
    results
        .chain([Told::Receipt(answer.receipt.clone())])
        .collect()
}

/// Did the installation sign it?
fn is_signed(trust: &[TrustKey], receipt: &Receipt) -> bool {
    let key = trust.iter().find(|key| key.n == receipt.key);
    key.is_some_and(|key| point::verify(&key.key, &receipt.bytes_to_sign(), &receipt.sig))
}
