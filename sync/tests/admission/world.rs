//! A device that makes events and pushes of them, and a store that keeps what admission decides.
//!
//! The store fetches exactly what a `Lookup` names, so that the tests also show it is enough.

use std::collections::{BTreeMap, BTreeSet};

use suyuan_sync::{
    admission::{
        Branch, Decision, Extent, Fork, FrameFault, GroupHeld, Held, Judged, Kept, Lookup, Outcome,
        Receipted, Remark, Status, Waiting, admit, due, group_released, read, readmit,
    },
    chain::{self, Hash},
    event::{self, Event, EventFault, Group, Kind},
    ids::{DeviceId, Epoch, EventId, GroupId, Micros, Seq},
    limits::PARKING_HOURS,
};
use uuid::Uuid;

pub const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xd1));

/// One event as its device has it.
#[derive(Clone, Debug)]
pub struct Made {
    pub prev: Hash,
    pub hash: Hash,
    pub text: String,
}

/// A device with its whole history.
#[derive(Clone, Debug)]
pub struct Device {
    pub epoch: Epoch,
    pub made: Vec<Made>,
    /// Tells its ids from those of its copies.
    pub salt: u128,
}

/// A push on its way.
#[derive(Clone, Debug)]
pub struct Push {
    pub first: Seq,
    pub prev: Hash,
    pub texts: Vec<String>,
}

impl Device {
    pub fn new() -> Device {
        Device {
            epoch: 1,
            made: Vec::new(),
            salt: 0,
        }
    }

    /// A copy that goes its own way from here on.
    pub fn copy(&self, salt: u128) -> Device {
        Device {
            salt,
            ..self.clone()
        }
    }

    pub fn next_seq(&self) -> Seq {
        self.made.len() as Seq + 1
    }

    pub fn head(&self) -> Hash {
        self.made
            .last()
            .map_or(chain::genesis(DEVICE, self.epoch), |made| made.hash)
    }

    pub fn id(&self, seq: Seq) -> EventId {
        EventId(Uuid::from_u128(self.salt << 64 | u128::from(seq) | 7 << 76))
    }

    /// The next event, not yet made.
    pub fn bare(&self) -> Event {
        let seq = self.next_seq();
        Event::bare(
            Kind::Sale,
            self.id(seq),
            DEVICE,
            self.epoch,
            seq,
            1_800_000_000_000_000,
        )
    }

    /// Puts a text into the chain, whatever it is.
    pub fn put(&mut self, text: impl Into<String>) -> &mut Device {
        let (prev, text) = (self.head(), text.into());
        self.made.push(Made {
            prev,
            hash: chain::next(prev, text.as_bytes()),
            text,
        });
        self
    }

    pub fn sale(&mut self) -> &mut Device {
        let text = self.bare().write();
        self.put(text)
    }

    pub fn sales(&mut self, count: usize) -> &mut Device {
        for _ in 0..count {
            self.sale();
        }
        self
    }

    pub fn member(&mut self, group: u128, n: u32, of: u32) -> &mut Device {
        let mut event = self.bare();
        event.group = Some(Group {
            id: GroupId(Uuid::from_u128(group)),
            n,
            of,
            correct: false,
        });
        self.put(event.write())
    }

    /// An event of a kind that today's program does not know.
    pub fn of_tomorrow(&mut self) -> &mut Device {
        let text = self
            .bare()
            .write()
            .replace(r#""kind":"sale""#, r#""kind":"teleport""#);
        self.put(text)
    }

    /// A push of some of its events.
    pub fn push(&self, first: Seq, last: Seq) -> Push {
        let made = &self.made[first as usize - 1..last as usize];
        Push {
            first,
            prev: made.first().map_or(Hash([0; 32]), |made| made.prev),
            texts: made.iter().map(|made| made.text.clone()).collect(),
        }
    }

    pub fn all(&self) -> Push {
        self.push(1, self.made.len() as Seq)
    }
}

/// A row: what was decided first, and what holds now.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kept: Kept,
    pub text: String,
    pub now: Outcome,
}

/// The server's side of one device epoch, and the ids of the enterprise.
#[derive(Clone, Debug)]
pub struct Store {
    pub epoch: Epoch,
    pub extent: Extent,
    pub forks: Vec<Fork>,
    pub rows: Vec<Row>,
    pub groups: BTreeMap<GroupId, GroupHeld>,
    pub ids: BTreeSet<EventId>,
    pub revoked: bool,
    /// The instant it is.
    pub now: Micros,
    /// When numbers were received, on the branch in state.
    pub received: BTreeMap<Seq, Micros>,
    /// Does the program know tomorrow's kinds?
    pub upgraded: bool,
}

/// What a push was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub statuses: Vec<Status>,
    pub remarks: Vec<Vec<Remark>>,
    pub receipt: Receipted,
    pub decision: Decision,
}

impl Store {
    pub fn new() -> Store {
        Store {
            epoch: 1,
            extent: Extent::empty(DEVICE, 1),
            forks: Vec::new(),
            rows: Vec::new(),
            groups: BTreeMap::new(),
            ids: BTreeSet::new(),
            revoked: false,
            now: 0,
            received: BTreeMap::new(),
            upgraded: false,
        }
    }

    pub fn parse(upgraded: bool) -> impl Fn(&str) -> Result<Event, EventFault> {
        move |text| {
            if upgraded {
                event::parse(&text.replace(r#""kind":"teleport""#, r#""kind":"sale""#))
            } else {
                event::parse(text)
            }
        }
    }

    fn fetch(&self, lookup: &Lookup) -> Held {
        let rows: Vec<Kept> = self
            .rows
            .iter()
            .filter(|row| lookup.seqs.contains(&row.kept.seq) || lookup.end == Some(row.kept.seq))
            .map(|row| row.kept.clone())
            .collect();
        Held {
            extent: self.extent.clone(),
            revoked: self.revoked,
            rows,
            taken: lookup
                .ids
                .iter()
                .copied()
                .filter(|id| self.ids.contains(id))
                .collect(),
            groups: lookup
                .groups
                .iter()
                .filter_map(|id| Some((*id, self.groups.get(id)?.clone())))
                .collect(),
        }
    }

    pub fn try_push(&mut self, push: &Push) -> Result<Answer, FrameFault> {
        let parse = Store::parse(self.upgraded);
        let batch = read(
            DEVICE,
            self.epoch,
            push.first,
            push.prev,
            push.texts.clone(),
            parse,
        )?;
        let held = self.fetch(&Lookup::of(&batch, &self.extent));
        let decision = admit(&held, &batch)?;
        assert_eq!(decision.judged.len(), batch.events.len());
        for (_, kept, event) in decision.new_events(&batch) {
            if let Some(id) = kept.event {
                assert!(self.ids.insert(id), "an id is claimed once");
            }
            if kept.branch == Branch::First {
                self.received.insert(kept.seq, self.now);
            }
            self.rows.push(Row {
                kept: kept.clone(),
                text: event.text.clone(),
                now: kept.outcome.clone(),
            });
        }
        self.extent = decision.extent.clone();
        self.forks.extend(decision.forks.clone());
        for seq in &decision.breaks {
            self.remark(*seq, Remark::ChainBreak);
        }
        self.leave(&decision.leaving);
        self.are_whole(&decision.whole);
        self.groups.extend(decision.groups.clone());
        Ok(Answer {
            statuses: decision.judged.iter().map(Judged::status).collect(),
            remarks: decision
                .judged
                .iter()
                .map(|judged| judged.kept().outcome.remarks.clone())
                .collect(),
            receipt: decision.receipt.clone(),
            decision,
        })
    }

    pub fn push(&mut self, push: Push) -> Answer {
        self.try_push(&push).expect("a frame in order")
    }

    fn remark(&mut self, seq: Seq, remark: Remark) {
        let row = self.first_mut(seq);
        row.now = row.now.with(remark);
    }

    fn first_mut(&mut self, seq: Seq) -> &mut Row {
        self.rows
            .iter_mut()
            .find(|row| row.kept.seq == seq && row.kept.branch == Branch::First)
            .expect("a row that is held")
    }

    fn leave(&mut self, leaving: &[suyuan_sync::admission::Leaving]) {
        for left in leaving {
            let row = self
                .rows
                .iter_mut()
                .find(|row| row.kept.event == Some(left.event))
                .expect("a row that waits");
            assert_eq!(row.now.status, Status::Parked);
            row.now = row.now.without(Remark::GroupIncomplete);
            if let Some(remark) = left.remark {
                row.now = row.now.with(remark);
            }
            assert!(row.now.in_state());
        }
    }

    fn are_whole(&mut self, members: &[EventId]) {
        for id in members {
            let mut rows = self.rows.iter_mut();
            let row = rows.find(|row| row.kept.event == Some(*id));
            let row = row.expect("a row that was taken in");
            assert!(row.now.in_state());
            assert!(row.now.remarks.contains(&Remark::PartialGroup));
            row.now = row.now.without(Remark::PartialGroup);
        }
    }

    /// `gap_forced`.
    pub fn force_gap(&mut self) {
        let gap = self.extent.gap().expect("a gap");
        let head = self.first_mut(gap.then).kept.hash;
        self.extent = self.extent.forced(gap, head);
    }

    /// What a server does by itself: forces the first gap if it was waited for long enough.
    pub fn tend(&mut self) -> bool {
        let Some(gap) = self.extent.gap() else {
            return false;
        };
        let behind = self.received.range(gap.last + 1..);
        let since = behind.map(|(_, at)| *at).min().expect("what is behind it");
        let is_due = since <= due(self.now, PARKING_HOURS as i64 * 3_600);
        if is_due {
            self.force_gap();
        }
        is_due
    }

    /// `group_released`.
    pub fn release(&mut self, group: u128) {
        let id = GroupId(Uuid::from_u128(group));
        let (held, leaving) = group_released(&self.groups[&id]);
        self.leave(&leaving);
        self.groups.insert(id, held);
    }

    /// `admitted`.
    pub fn readmit(&mut self, lifted: Remark) {
        let rows: Vec<usize> = (0..self.rows.len())
            .filter(|n| self.rows[*n].now.remarks.contains(&lifted))
            .collect();
        let waiting = rows
            .iter()
            .map(|n| {
                let row = &self.rows[*n];
                Waiting {
                    device: DEVICE,
                    epoch: self.epoch,
                    seq: row.kept.seq,
                    event: row.kept.event,
                    text: row.text.clone(),
                    outcome: row.now.clone(),
                }
            })
            .collect();
        let found = readmit(waiting, lifted, &self.groups, Store::parse(self.upgraded));
        for (n, event) in rows.into_iter().zip(found.events) {
            self.rows[n].now = event.outcome;
        }
        self.leave(&found.leaving);
        self.are_whole(&found.whole);
        self.groups.extend(found.groups);
    }

    /// What holds now of the event at a number, on the branch in state.
    pub fn now(&self, seq: Seq) -> &Outcome {
        let row = self
            .rows
            .iter()
            .find(|row| row.kept.seq == seq && row.kept.branch == Branch::First);
        &row.expect("a row that is held").now
    }

    /// All that is held, in an order of its own: what must not depend on the order of arrival.
    pub fn content(&self) -> Vec<(Seq, Hash, Outcome)> {
        let mut rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| (row.kept.seq, row.kept.hash, row.now.clone()))
            .collect();
        rows.sort_by_key(|(seq, hash, _)| (*seq, *hash));
        rows
    }
}
