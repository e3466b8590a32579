//! Verification of the kept log (I30): whether each event is, bit for bit, what its device chained and
//! signed; where one is not, which.
//!
//! It reads only, page by page, so that it takes no more memory of a great log than of a small one, and
//! may run beside serving processes: what is in the log stays as it is. It knows the bytes, the chain and
//! the row of an event, and nothing of what follows from it: that is [`replay`](super::replay)'s.
//!
//! What servers state, and what of an event's row its device does not vouch for, is held against the chain
//! over the log, act by act ([`acts`]).

pub mod acts;
mod acts_store;
mod store;

use crate::{db::Db, log::Position};
use sea_orm::DbErr;
use std::fmt;
use store::{After, Kept};
use suyuan_sync::{
    admission::Remark,
    chain::{self, Hash},
    event::Header,
    ids::{DeviceId, Epoch, Seq},
    wire::Ranges,
};
use uuid::Uuid;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its bytes and the hash before it do not give its hash.
    Hash,
    /// Its row names another device, epoch, number or id than its bytes.
    Place,
    /// It does not follow the event before it, and nobody found so when it came (T5).
    Link,
    /// It was received, and is not there.
    Missing,
    /// The head of its device's chain is another.
    Head,
    /// What is kept of its device's sequence cannot be read.
    Sequence,
}

/// Something that is not what was received, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// Its position in the log, if that is known.
    pub gseq: Option<Position>,
    /// Of which device.
    pub device: DeviceId,
    /// Of which life of it.
    pub epoch: i64,
    /// Its number there.
    pub seq: i64,
    /// The last number, if it is several; else the same.
    pub last: i64,
    /// What is wrong.
    pub fault: Fault,
}

/// What was gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events.
    pub events: u64,
    /// Sequences of device epochs.
    pub chains: u64,
    /// How often something was wrong.
    pub damaged: u64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gseq) = self.gseq {
            write!(f, "position {gseq}: ")?;
        }
        let Damage {
            device,
            epoch,
            seq,
            last,
            ..
        } = self;
        write!(f, "event {seq} ")?;
        if last != seq {
            write!(f, "to {last} ")?;
        }
        write!(f, "of epoch {epoch} of device {device} ")?;
        f.write_str(match self.fault {
            Fault::Hash => "does not give its hash",
            Fault::Place => "says that it belongs elsewhere",
            Fault::Link => "does not follow the one before it",
            Fault::Missing => "is said to have been received and is not there",
            Fault::Head => "has another hash than the head that is kept of its chain",
            Fault::Sequence => "and all others: what is kept of their sequence cannot be read",
        })
    }
}

/// Goes through the whole log and tells what is wrong as it is found.
pub async fn verify(db: &Db, mut tell: impl FnMut(Damage)) -> Result<Verified, DbErr> {
    let mut verified = Verified::default();
    let mut found = |damage: Damage, verified: &mut Verified| {
        verified.damaged += 1;
        tell(damage);
    };
    for second in [false, true] {
        let (mut after, mut before) = (After::default(), None);
        loop {
            let (page, next) = store::events(db.reader(), second, after).await?;
            if page.is_empty() {
                break;
            }
            after = next;
            for kept in page {
                verified.events += 1;
                let earlier = before.take().filter(|_| !second);
                let fault = fault(&kept, earlier.as_ref());
                if let Some(fault) = fault {
                    found(kept.damage(fault), &mut verified);
                }
                // Of one that is no link of a chain nothing can be said to follow.
                before = (fault != Some(Fault::Hash)).then_some(kept);
            }
        }
    }
    let mut after = (Uuid::nil(), 0);
    loop {
        let page = store::chains(db.reader(), after).await?;
        let Some(last) = page.last() else {
            return Ok(verified);
        };
        after = (last.device.0, i64::from(last.epoch));
        for stands in page {
            verified.chains += 1;
            for damage in sequence(db, &stands).await? {
                found(damage, &mut verified);
            }
        }
    }
}

impl Kept {
    fn damage(&self, fault: Fault) -> Damage {
        Damage {
            gseq: Some(self.gseq),
            device: self.device,
            epoch: self.epoch,
            seq: self.seq,
            last: self.seq,
            fault,
        }
    }

    fn is_of(&self, other: &Kept) -> bool {
        (self.device, self.epoch) == (other.device, other.epoch)
    }
}

/// What is wrong with an event, by itself and behind the one that was read before it.
fn fault(kept: &Kept, before: Option<&Kept>) -> Option<Fault> {
    let (Some(prev), Some(hash)) = (kept.prev_hash, kept.hash) else {
        return Some(Fault::Hash);
    };
    if chain::next(prev, &kept.body) != hash {
        return Some(Fault::Hash);
    }
    if is_elsewhere(kept) {
        return Some(Fault::Place);
    }
    let broken = |kept: &Kept| kept.remarks.contains(&Remark::ChainBreak);
    let before = before.filter(|before| before.is_of(kept) && before.seq + 1 == kept.seq);
    let follows = match before {
        Some(before) => before.hash == Some(prev) || broken(before),
        None => kept.seq != 1 || first_hash(kept) == Some(prev),
    };
    (!follows && !broken(kept)).then_some(Fault::Link)
}

fn first_hash(kept: &Kept) -> Option<Hash> {
    let epoch = Epoch::try_from(kept.epoch).ok()?;
    Some(chain::genesis(kept.device, epoch))
}

/// Does its text say otherwise than its row where it stands? A text that names another place was taken
/// in as such (T9); an id is not in the row of what could not be read, nor of a second copy.
fn is_elsewhere(kept: &Kept) -> bool {
    let said = Header::read(&kept.body);
    let id = kept.event.is_some() && said.event_id.is_some() && said.event_id != kept.event;
    let known = [Remark::SeqMismatch, Remark::Unreadable];
    if kept.remarks.iter().any(|remark| known.contains(remark)) {
        return id;
    }
    let place = said.device == Some(kept.device)
        && said.epoch.map(i64::from) == Some(kept.epoch)
        && said.seq.and_then(|seq| i64::try_from(seq).ok()) == Some(kept.seq);
    id || !place
}

/// What is wrong with a sequence: numbers that were received and are not there, and the head. It was read
/// before the events are looked for, so that all it holds must be there.
async fn sequence(db: &Db, stands: &store::Stands) -> Result<Vec<Damage>, DbErr> {
    let of = (stands.device, stands.epoch);
    let damage = |(seq, last): (Seq, Seq), fault| Damage {
        gseq: None,
        device: stands.device,
        epoch: i64::from(stands.epoch),
        seq: seq as i64,
        last: last as i64,
        fault,
    };
    let Some(state) = &stands.state else {
        return Ok(vec![damage((0, 0), Fault::Sequence)]);
    };
    let extent = &state.extent;
    let mut missing = Vec::new();
    for &(first, last) in extent.held.ranges() {
        let mut there = Ranges::EMPTY;
        let mut from = first;
        while from <= last {
            let numbers = store::numbers(db.reader(), of, (from, last)).await?;
            let Some(end) = numbers.last() else { break };
            from = end.saturating_add(1);
            for seq in numbers {
                there.add(seq, seq);
            }
        }
        let lost = Ranges::of(first, last).without(&there);
        let lost = lost.ranges().iter();
        missing.extend(lost.map(|range| damage(*range, Fault::Missing)));
    }
    let head = match extent.contiguous {
        0 => Some(chain::genesis(stands.device, stands.epoch)),
        seq => store::hash_at(db.reader(), stands.device, stands.epoch, seq).await?,
    };
    if head.is_some_and(|head| head != extent.head) {
        let at = extent.contiguous;
        missing.push(damage((at, at), Fault::Head));
    }
    Ok(missing)
}
