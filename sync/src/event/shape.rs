//! The JSON of an event, field by field: one list of names for reader and writer.
//!
//! Knows names and types, and nothing of what the values mean: that is `read` and `write`. The
//! bounds that hold while reading are those of the types in `bounded`.

use super::bounded::{Body, Bounded, Short};
use crate::limits::{LOTS_PER_EVENT_MAX, UNITS_PER_EVENT_MAX};
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// An event as it stands in JSON, names in the order they are written.
#[derive(Deserialize, Serialize)]
pub(super) struct Shape<'a> {
    pub(super) v: u64,
    #[serde(borrow)]
    pub(super) kind: Short<'a>,
    #[serde(borrow)]
    pub(super) event_id: Short<'a>,
    #[serde(borrow)]
    pub(super) device: Short<'a>,
    pub(super) epoch: u32,
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) at: Short<'a>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<ActorShape<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<UnitShape<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) children: Option<Bounded<UnitShape<'a>, UNITS_PER_EVENT_MAX>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<u32>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) units: Option<Bounded<UnitShape<'a>, UNITS_PER_EVENT_MAX>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) lots: Option<Bounded<LotShape<'a>, LOTS_PER_EVENT_MAX>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) counterpart: Option<CounterpartShape<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) doc: Option<DocShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mono: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) anchor: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) anchor_wall: Option<Short<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) list_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) env: Option<EnvShape>,
    #[serde(borrow, rename = "override", skip_serializing_if = "Option::is_none")]
    pub(super) overridden: Option<OverrideShape<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) disposition: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<GroupShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ActorShape<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) proof: Option<Short<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) login_age_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supervisor: Option<bool>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct UnitShape<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Short<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct LotShape<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) gtin: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) lot: Option<Short<'a>>,
    pub(super) qty: u64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct CounterpartShape<'a> {
    #[serde(borrow, rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Short<'a>>,
}

/// Of an event only to or from whom; all else is passed over.
#[derive(Deserialize)]
pub(super) struct CounterpartOnly<'a> {
    #[serde(borrow)]
    pub(super) counterpart: Option<CounterpartShape<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct DocShape<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) no: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Short<'a>>,
}

/// Degrees Celsius and per cent, with one decimal.
#[derive(Deserialize, Serialize)]
pub(super) struct EnvShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) humidity: Option<Number>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct OverrideShape<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) supervisor: Option<Short<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) recall: Option<Short<'a>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct GroupShape<'a> {
    #[serde(borrow)]
    pub(super) id: Short<'a>,
    pub(super) n: u32,
    pub(super) of: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correct: Option<bool>,
}
