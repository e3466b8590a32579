//! An outbox as two implementations compare it: everything that later commands depend on, with
//! numbers as ranges.

use super::{Disk, KeptAnchor, Key, Outbox, Pace, RowState};
use crate::{
    chain::Hash,
    ids::{Epoch, Gseq, Seq},
};
use serde::{Deserialize, Serialize};

/// Events as ranges: life, first and last number.
type Spans = Vec<(Epoch, Seq, Seq)>;

/// The events by the six states of section 8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    /// Being written.
    pub captured: Spans,
    /// Committed.
    pub durable: Spans,
    /// Went out in this session.
    pub sent: Spans,
    /// Covered by a receipt; waits on the server.
    pub receipted: Spans,
    /// Nothing is wrong with it.
    pub settled: Spans,
    /// Somebody has to look at it.
    pub needs_attention: Spans,
    /// Found not to be what was made; somebody has to look at it.
    pub damaged: Spans,
    /// Said to be on the server, and no receipt says so.
    #[serde(default)]
    pub doubted: Spans,
}

/// A push under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flying {
    /// Its number.
    pub flight: u64,
    /// Of which life.
    pub epoch: Epoch,
    /// Its first number.
    pub first: Seq,
    /// Its last number.
    pub last: Seq,
    /// When it was sent.
    pub sent_at: u64,
}

/// An outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Which life of the device.
    pub epoch: Epoch,
    /// The number of the next event.
    pub next: Seq,
    /// The head of the chain.
    pub head: Hash,
    /// The greatest anchor on the storage.
    pub anchor: Option<KeptAnchor>,
    /// The position on the storage.
    pub cursor: Gseq,
    /// The device has to be enrolled again.
    pub enrol_again: bool,
    /// How many transactions are being written.
    pub writing: usize,
    /// The events.
    pub states: States,
    /// The push under way.
    pub flying: Option<Flying>,
    /// The pace.
    pub pace: Pace,
    /// Refused one by one.
    pub skipped: Spans,
    /// Lives that are refused.
    pub shut: Vec<Epoch>,
    /// Where the next turn of what is refused begins.
    pub turn: Key,
    /// The time asked for.
    pub timer: Option<u64>,
}

impl Outbox {
    /// Its picture.
    pub fn picture(&self) -> Picture {
        let Outbox { disk, view, .. } = self;
        let of = |wanted: fn(&Outbox, &Disk, Key) -> bool| {
            let rows = view.rows.values();
            let wanted = rows.filter(|row| wanted(self, disk, row.key));
            spans(wanted.map(|row| row.key))
        };
        let safe = |is: fn(RowState) -> bool| {
            let rows = view.rows.values();
            let rows = rows.filter(|row| self.is_safe(row) && is(row.state));
            spans(rows.map(|row| row.key))
        };
        Picture {
            epoch: view.epoch,
            next: view.next,
            head: view.head,
            anchor: disk.anchor.clone(),
            cursor: disk.cursor,
            enrol_again: view.enrol_again,
            writing: self.writing(),
            states: States {
                captured: of(|_, disk, key| !disk.rows.contains_key(&key)),
                durable: of(|outbox, _, key| {
                    outbox.open.contains(&key) && !outbox.sent.contains(&key)
                }),
                sent: of(|outbox, _, key| outbox.open.contains(&key) && outbox.sent.contains(&key)),
                receipted: safe(|state| matches!(state, RowState::Receipted(_))),
                settled: safe(|state| matches!(state, RowState::Settled(_))),
                needs_attention: safe(|state| matches!(state, RowState::NeedsAttention(_))),
                damaged: spans(self.damaged.iter().copied()),
                doubted: spans(self.doubted.iter().copied()),
            },
            flying: self.flight.map(|flight| Flying {
                flight: flight.id,
                epoch: flight.epoch,
                first: flight.first,
                last: flight.last,
                sent_at: flight.sent_at,
            }),
            pace: self.pace,
            skipped: spans(self.skipped.iter().copied()),
            shut: self.shut.iter().copied().collect(),
            turn: self.turn,
            timer: self.timer,
        }
    }
}

/// Ascending keys as ranges.
fn spans(keys: impl Iterator<Item = Key>) -> Spans {
    let mut spans: Spans = Vec::new();
    for (epoch, seq) in keys {
        match spans.last_mut() {
            Some((of, _, last)) if *of == epoch && last.checked_add(1) == Some(seq) => *last = seq,
            _ => spans.push((epoch, seq, seq)),
        }
    }
    spans
}
