//! What is under way between handsets and servers, and what the network does to it: requests and
//! answers are late, lost, doubled, overtaken; a handset is cut off for a while; an answer is lost
//! after its request was carried out.

use super::{dice::Dice, node::Came};
use actix_web::http::Method;
use std::collections::BTreeMap;
use suyuan_sync::{
    chain::Hash,
    ids::{Epoch, Gseq, Micros, Seq},
};

/// What comes at once is no longer than this altogether, so that it is never more than goes into one act,
/// however slow the machine is.
const BYTES_TOGETHER: usize = 12_000;

/// What a request is.
#[derive(Clone, Debug)]
pub enum What {
    /// A push, with the hashes of its events.
    Push {
        /// The number of the attempt.
        flight: u64,
        /// Of which life.
        epoch: Epoch,
        /// Its first number.
        first: Seq,
        /// After each event.
        hashes: Vec<Hash>,
    },
    /// A push carried by another handset, that of the number.
    Deposit {
        /// Whose events they are.
        of: usize,
        /// Of which life.
        epoch: Epoch,
        /// After each event.
        hashes: Vec<Hash>,
    },
    /// What changed since a cursor.
    Pull {
        /// The cursor.
        after: Gseq,
        /// Which part of a position.
        within: Option<String>,
        /// The recall list that is held, by what it says.
        list: Option<Hash>,
        /// How many items are asked for.
        most: usize,
    },
    /// Everything, as of one position.
    Snapshot,
    /// A piece of a snapshot or recall list.
    Piece {
        /// Which.
        hash: Hash,
    },
    /// What events have to say.
    Rules,
    /// Which badges work.
    Badges,
    /// How it stands.
    Status,
    /// What is known of a code.
    LookUp,
}

/// A request under way.
#[derive(Clone)]
pub struct Asking {
    /// Which handset asks.
    pub from: usize,
    /// In which session.
    pub session: u64,
    /// What.
    pub what: What,
    /// GET or POST.
    pub method: Method,
    /// With its query.
    pub path: String,
    /// Its token.
    pub bearer: String,
    /// Its body.
    pub body: Vec<u8>,
    /// The newest position the handset was told for an event of its own when it asked.
    pub receipted: Gseq,
}

impl Asking {
    /// Is it a push of its own events?
    pub fn is_push(&self) -> bool {
        matches!(self.what, What::Push { .. })
    }
}

/// Something under way.
#[derive(Clone)]
pub enum Letter {
    /// To a server.
    Request(Box<Asking>),
    /// Back.
    Answer {
        /// The request.
        to: Box<Asking>,
        /// What came.
        came: Came,
    },
}

/// Everything under way, by when it arrives.
#[derive(Default)]
pub struct Post {
    letters: BTreeMap<(Micros, u64), Letter>,
    sent: u64,
    /// Until when handsets are cut off.
    cut: BTreeMap<usize, Micros>,
    /// Nothing is lost or late any more.
    pub healed: bool,
}

impl Post {
    /// Sends something; how often it arrives and when is the weather's affair.
    pub fn send(&mut self, letter: Letter, now: Micros, dice: &mut Dice) {
        let times = match dice.below(100) {
            _ if self.healed => 1,
            0..10 => 0,
            10..16 => 2,
            _ => 1,
        };
        for _ in 0..times {
            let late = match dice.below(20) {
                _ if self.healed => dice.between(1, 50),
                0 => dice.between(10_000, 120_000),
                1..4 => dice.between(1_000, 10_000),
                _ => dice.between(5, 1_000),
            };
            self.sent += 1;
            self.letters
                .insert((now + late * 1000, self.sent), letter.clone());
        }
    }

    /// When the next thing arrives.
    pub fn next(&self) -> Option<Micros> {
        self.letters.keys().next().map(|(at, _)| *at)
    }

    /// What arrives now. What a cut handset is sent or sends is lost.
    pub fn take(&mut self, now: Micros) -> Option<Letter> {
        loop {
            let entry = self.letters.first_entry()?;
            if entry.key().0 > now {
                return None;
            }
            let letter = entry.remove();
            let (Letter::Request(asking) | Letter::Answer { to: asking, .. }) = &letter;
            let cut = self.cut.get(&asking.from);
            if cut.is_none_or(|until| *until <= now) {
                return Some(letter);
            }
        }
    }

    /// A push that arrives within a minute and is not too much with these: it comes now.
    pub fn meeting(&mut self, now: Micros, come: &[Asking]) -> Option<Asking> {
        let soon = now + 60_000_000;
        let mut bytes = BYTES_TOGETHER;
        for asking in come {
            bytes = bytes.saturating_sub(asking.body.len());
        }
        let other = self.letters.iter().find(|((at, _), letter)| {
            let push = match letter {
                Letter::Request(asking) => {
                    asking.is_push() && asking.body.len() <= bytes && !self.is_cut(asking.from, now)
                }
                Letter::Answer { .. } => false,
            };
            push && *at <= soon
        });
        let key = *other?.0;
        match self.letters.remove(&key) {
            Some(Letter::Request(asking)) => Some(*asking),
            Some(Letter::Answer { .. }) | None => None,
        }
    }

    /// Cuts a handset off until then.
    pub fn cut_off(&mut self, handset: usize, until: Micros) {
        self.cut.insert(handset, until);
    }

    /// Nothing is lost or late any more.
    pub fn heal(&mut self) {
        self.healed = true;
        self.cut.clear();
    }

    /// Is this handset cut off?
    pub fn is_cut(&self, handset: usize, now: Micros) -> bool {
        self.cut.get(&handset).is_some_and(|until| *until > now)
    }
}
