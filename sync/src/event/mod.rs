//! The event: what a device stated, once its text was read (sync.md section 2).
//!
//! The text itself is kept verbatim for ever and is what hashes and signatures cover; an
//! [`Event`] is only how we understand it. Reading is [`parse`]; it fails for texts that are no
//! event at all, never for one that lacks a mandatory item or names something unknown.

mod bounded;
mod depth;
mod fault;
mod halves;
mod header;
mod instant;
mod kind;
mod meant;
mod read;
mod reads;
pub mod required;
mod shape;
mod write;

pub(crate) use depth::exceeded as depth_exceeded;
pub use fault::EventFault;
pub use halves::replaced as without_halves;
pub use header::Header;
pub use kind::Kind;
pub use read::{counterpart_of, gtin14, parse, parse_bytes};
pub use reads::Reads;

use crate::{
    ids::{
        DeviceId, EnterpriseId, Epoch, EventId, GroupId, Gseq, LocationId, Micros, RecallId, Seq,
    },
    trace_code::{self, Scanned},
    unit::UnitKey,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The version of the event's text that this program reads and writes.
pub const VERSION: u64 = 1;

/// One thing a device states happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unique per enterprise.
    pub id: EventId,
    /// Whose device.
    pub device: DeviceId,
    /// Which life of that device.
    pub epoch: Epoch,
    /// Its place in that life.
    pub seq: Seq,
    /// What it says happened.
    pub kind: Kind,
    /// Who did it.
    pub actor: Actor,
    /// Where: the device's place when it happened; nil when it does not say (`INCOMPLETE`).
    pub location: LocationId,
    /// The units it names; for pack and unpack the children.
    pub units: Reads,
    /// Goods without codes of their own.
    pub lots: Vec<LotLine>,
    /// To whom, from whom.
    pub counterpart: Option<Counterpart>,
    /// The paper it belongs to.
    pub doc: Option<Document>,
    /// When, by the device's own clock.
    pub at: Micros,
    /// The zone of that clock, minutes east of UTC.
    pub zone_minutes: i32,
    /// Milliseconds since the anchor was received, within the same page session; else 0. At most
    /// 2^53 - 1, so added to an anchor it must saturate.
    pub mono_ms: u64,
    /// The greatest anchor the device held, as the opaque text it was given.
    pub anchor: Option<String>,
    /// The device's clock when it received that anchor.
    pub anchor_wall: Option<Micros>,
    /// The recall list it held: the log position the list was made at.
    pub list_version: Option<Gseq>,
    /// The pull position it had applied.
    pub cursor: Gseq,
    /// Temperature and humidity.
    pub env: Option<Environment>,
    /// A stop that was overruled by a supervisor.
    pub overridden: Option<Override>,
    /// The event a retract strikes.
    pub target: Option<EventId>,
    /// The container of pack and unpack.
    pub parent: Option<UnitRead>,
    /// How many children the container should hold.
    pub declared: Option<u32>,
    /// What an inspection decided.
    pub disposition: Option<Disposition>,
    /// The act it is part of.
    pub group: Option<Group>,
    /// Further mandatory items of the standards' tables, by the catalogue's field ids.
    pub body: BTreeMap<String, serde_json::Value>,
}

impl Event {
    /// An event that says nothing but what makes it one, in the zone of Shanghai: a start for
    /// devices in tests, the simulator and the load generator.
    pub fn bare(
        kind: Kind,
        id: EventId,
        device: DeviceId,
        epoch: Epoch,
        seq: Seq,
        at: Micros,
    ) -> Event {
        Event {
            id,
            device,
            epoch,
            seq,
            kind,
            actor: Actor {
                id: String::new(),
                proof: Proof::None,
                login_age_s: None,
                supervisor: false,
            },
            location: LocationId(Uuid::nil()),
            units: Reads::default(),
            lots: Vec::new(),
            counterpart: None,
            doc: None,
            at,
            zone_minutes: 480,
            mono_ms: 0,
            anchor: None,
            anchor_wall: None,
            list_version: None,
            cursor: 0,
            env: None,
            overridden: None,
            target: None,
            parent: None,
            declared: None,
            disposition: None,
            group: None,
            body: BTreeMap::new(),
        }
    }
}

/// Who acted: a pseudonym, and how sure it is. Never a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Pseudonymous id of a member of staff; empty when it does not say (`INCOMPLETE`).
    pub id: String,
    /// How it was shown.
    pub proof: Proof,
    /// Seconds since the last log-in that the server saw.
    pub login_age_s: Option<u64>,
    /// Acts as a supervisor.
    pub supervisor: bool,
}

/// How an actor showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By PIN.
    Pin,
    /// By badge.
    Badge,
    /// Not at all.
    None,
}

impl Proof {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Proof::Pin => "pin",
            Proof::Badge => "badge",
            Proof::None => "none",
        }
    }

    /// The proof of that name.
    pub fn of_name(name: &str) -> Option<Proof> {
        [Proof::Pin, Proof::Badge, Proof::None]
            .into_iter()
            .find(|proof| proof.name() == name)
    }
}

/// A unit as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitRead {
    /// What was read, character by character.
    pub code: String,
    /// How.
    pub input: Input,
    /// What it names, if it can be read.
    pub scanned: Option<Scanned>,
    /// The unit it names, if it names one.
    pub unit: Option<UnitKey>,
}

impl UnitRead {
    /// What a text that was read names, if that can be told.
    pub fn of(code: &str, input: Input) -> UnitRead {
        let scanned = trace_code::parse(code).ok();
        UnitRead {
            code: code.to_owned(),
            input,
            scanned,
            unit: scanned.and_then(|scanned| UnitKey::of(&scanned.code)),
        }
    }
}

/// How a code was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A scanner that types.
    Wedge,
    /// A camera.
    Camera,
    /// A person.
    Typed,
    /// A file.
    Imported,
}

impl Input {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Input::Wedge => "wedge",
            Input::Camera => "camera",
            Input::Typed => "typed",
            Input::Imported => "imported",
        }
    }

    /// The way of that name.
    pub fn of_name(name: &str) -> Option<Input> {
        [Input::Wedge, Input::Camera, Input::Typed, Input::Imported]
            .into_iter()
            .find(|input| input.name() == name)
    }

    /// Was it read off the goods by a machine?
    pub const fn is_machine(self) -> bool {
        matches!(self, Input::Wedge | Input::Camera)
    }
}

/// Goods without codes of their own: a quantity of a lot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LotLine {
    /// GTIN-14.
    pub gtin: String,
    /// The lot; a line without one is a line of its own (`LOT_UNKNOWN`).
    pub lot: Option<String>,
    /// How many base units.
    pub qty: u64,
}

/// The other side of a movement (往来单位).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// An enterprise of this installation.
    Enterprise(EnterpriseId),
    /// A place of this installation.
    Location(LocationId),
    /// Somebody known by name only; links nobody.
    Named(String),
}

/// A paper (单据).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its number, `store-device-counter` when a device made it.
    pub no: String,
    /// Its date.
    pub at: Option<String>,
}

/// Temperature and humidity of a place, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Tenths of a degree Celsius.
    pub temperature: Option<i32>,
    /// Tenths of a per cent.
    pub humidity: Option<i32>,
}

/// A stop at the till that a supervisor overruled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Which stop.
    pub code: String,
    /// Why it was overruled.
    pub reason: String,
    /// Who did.
    pub supervisor: Option<String>,
    /// The recall it was about, when it was about one.
    pub recall: Option<RecallId>,
}

/// What an inspection decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// May be sold.
    Sellable,
    /// Is kept back.
    Hold,
    /// Is to be destroyed.
    Destroy,
}

/// One business act of several events: admitted whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// This event's number in it, from 1.
    pub n: u32,
    /// How many events it has.
    pub of: u32,
    /// A correction: the new events count only with an authorised retract.
    pub correct: bool,
}
