//! Facts out of rows: events as they are folded. A text is read once and then remembered, since the
//! same events are folded again and again while their units move.

use super::remembered::Remembered;
use crate::handheld::push::{meant, store::interval};
use sea_orm::{DbErr, QueryResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use suyuan_sync::{
    event::{self, Event},
    facts::{Corrected, Fact},
    finding::FindingCode,
    ids::{DeviceId, EnterpriseId, Epoch, Gseq, Micros, Seq},
    order::Order,
    unit::UnitKey,
};

macro_rules! frame {
    () => {
        "e.gseq, e.stamp, e.enterprise_id, e.device_id, e.order_epoch, e.seq, e.lo, e.est, e.eff, \
         e.delivered, e.flags, e.corrects"
    };
}

/// The columns of `event` a fact is made of, but for what was stated.
pub const FRAME: &str = frame!();

/// All of them.
pub const COLUMNS: &str = concat!(frame!(), ", e.body, e.meant");

/// Reads facts. What a clone reads all of them remember: the text at a position never changes.
#[derive(Clone, Default)]
pub struct Reader {
    events: Remembered,
    digests: Remembered,
    outlines: Remembered,
}

/// How much of an event is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All.
    Whole,
    /// Whose it is and what it is, at least; what it names is not needed.
    Outline,
}

impl Reader {
    /// Remembers an event that was read already.
    pub fn remember(&mut self, gseq: Gseq, event: &Arc<Event>) {
        self.events.put(gseq, event.clone());
    }

    /// A fact out of a row with [`COLUMNS`]. An event that this program cannot read does not count;
    /// it would never have been admitted.
    pub fn fact(&mut self, row: &QueryResult) -> Result<Option<Arc<Fact>>, DbErr> {
        let event = self.event(row)?;
        event.map(|event| fact_of(row, event)).transpose()
    }

    /// The same of a row with [`FRAME`] whose `body` is an event without the units it names.
    pub fn digest(&mut self, row: &QueryResult) -> Result<Option<Arc<Fact>>, DbErr> {
        let event = read(&self.digests, row, &BTreeSet::new())?;
        event.map(|event| fact_of(row, event)).transpose()
    }

    /// So much of the event at a position, if it was read before.
    pub fn known(&self, gseq: Gseq, part: Part) -> Option<Arc<Event>> {
        let whole = self.events.get(gseq);
        whole.or_else(|| self.outlines.get(gseq).filter(|_| part == Part::Outline))
    }

    /// The event of a row with `gseq`, `body` and `meant`, which this program may not be able to read.
    pub fn event(&mut self, row: &QueryResult) -> Result<Option<Arc<Event>>, DbErr> {
        let meant: Option<String> = row.try_get("", "meant")?;
        read(&self.events, row, &meant::of_column(meant.as_deref()))
    }

    /// The outline of an event. So many do not make others forgotten by all they name.
    pub fn outline(&mut self, row: &QueryResult) -> Result<Option<Arc<Event>>, DbErr> {
        let gseq: Gseq = row.try_get("", "gseq")?;
        let event = outline(row)?.map(Arc::new);
        if let Some(event) = &event {
            self.outlines.put(gseq, event.clone());
        }
        Ok(event)
    }
}

/// The outline of the event of a row with `gseq` and `body`: what it names and what else it says is not kept.
pub fn outline(row: &QueryResult) -> Result<Option<Event>, DbErr> {
    let gseq: Gseq = row.try_get("", "gseq")?;
    let event = parsed(gseq, &row.try_get::<Vec<u8>>("", "body")?);
    Ok(event.map(|event| Event {
        units: Vec::new().into(),
        lots: Vec::new(),
        body: BTreeMap::new(),
        ..event
    }))
}

/// The event of a row with `gseq` and `body`, unless it is remembered.
fn read(
    events: &Remembered,
    row: &QueryResult,
    meant: &BTreeSet<UnitKey>,
) -> Result<Option<Arc<Event>>, DbErr> {
    let gseq: Gseq = row.try_get("", "gseq")?;
    if let Some(known) = events.get(gseq) {
        return Ok(Some(known));
    }
    let Some(mut event) = parsed(gseq, &row.try_get::<Vec<u8>>("", "body")?) else {
        return Ok(None);
    };
    event.mean(meant);
    let event = Arc::new(event);
    events.put(gseq, event.clone());
    Ok(Some(event))
}

fn parsed(gseq: Gseq, body: &[u8]) -> Option<Event> {
    let event = event::parse_bytes(body);
    if event.is_err() {
        tracing::error!(gseq, "an admitted event cannot be read");
    }
    event.ok()
}

/// A fact: what was stated, framed by a row with [`FRAME`].
pub fn fact_of(row: &QueryResult, event: Arc<Event>) -> Result<Arc<Fact>, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    let flags: String = row.try_get("", "flags")?;
    let mut fact = Fact {
        order: Order {
            eff: number("eff")?,
            device: DeviceId(row.try_get("", "device_id")?),
            epoch: number("order_epoch")? as Epoch,
            seq: number("seq")? as Seq,
            event: event.id,
        },
        interval: interval(row)?,
        gseq: number("gseq")?,
        enterprise: EnterpriseId(row.try_get("", "enterprise_id")?),
        event,
        delivered: number("delivered")?,
        flags: flags_of(&flags),
        corrects: None,
    };
    if let Some(corrected) = corrected(row)? {
        fact.correct(Arc::new(corrected));
    }
    Ok(Arc::new(fact))
}

/// What the event of a row with `corrects` stands for, if that is another.
pub fn corrected(row: &QueryResult) -> Result<Option<Corrected>, DbErr> {
    let text: Option<String> = row.try_get("", "corrects")?;
    let read = |text: String| serde_json::from_str(&text);
    let read = text.map(read).transpose();
    read.map_err(|error| DbErr::Json(format!("event.corrects: {error}")))
}

/// When the event of a row with `eff` and `corrects` happened, or what it corrects: where it stands.
pub fn eff_there(row: &QueryResult) -> Result<Micros, DbErr> {
    match corrected(row)? {
        Some(corrected) => Ok(corrected.order.eff),
        None => row.try_get("", "eff"),
    }
}

/// The same the other way round as `corrected`.
pub fn told_corrected(corrected: &Corrected) -> Result<String, DbErr> {
    serde_json::to_string(corrected).map_err(|error| DbErr::Json(error.to_string()))
}

/// Findings by name, as they stand in a column: with commas.
pub fn flags_of(text: &str) -> Vec<FindingCode> {
    text.split(',').filter_map(FindingCode::of_name).collect()
}

/// The same the other way round.
pub fn told_flags(flags: &[FindingCode]) -> String {
    let names: Vec<&str> = flags.iter().map(|flag| flag.name()).collect();
    names.join(",")
}
