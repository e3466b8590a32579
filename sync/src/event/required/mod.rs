//! What an event has to say (C15): the mandatory items of the standards' tables for inbound,
//! outbound, transport, sale and count, as data.
//!
//! An event that lacks one is stored and flagged `INCOMPLETE`, never refused. Most items stand in
//! the envelope (time, operator, place, paper, counterpart, goods) or follow from what is on
//! record of the goods; the few others stand in the event's `body` under the catalogue's field id,
//! `record_type.field`.
//!
//! The standards differ, so each rule names its profile. Which profiles an event falls under is
//! told by its goods ([`profiles`]); what the agreement itself needs of a kind holds for all.

mod tables;

pub use tables::RULES;

use super::{Counterpart, Event, Kind};
use crate::{
    chain::Hash,
    facts::{BatchInfo, World},
    ids::EnterpriseId,
    trace_code::TraceCode,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::LazyLock};

/// A profile of a standard, as the catalogue names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Infant formula (婴幼儿配方乳粉).
    InfantFormula,
    /// Maternal and baby products (母婴用品).
    MaternalBaby,
    /// Care products among them (护理用品), which have all of `MaternalBaby` and more.
    MaternalBabyCare,
}

impl Profile {
    /// The profile of that id in the catalogue.
    pub fn of_id(id: &str) -> Option<Profile> {
        match id {
            "infant-formula" => Some(Profile::InfantFormula),
            "maternal-baby" => Some(Profile::MaternalBaby),
            "maternal-baby-care" => Some(Profile::MaternalBabyCare),
            _ => None,
        }
    }

    /// Does what `other` demands hold here too?
    const fn includes(self, other: Profile) -> bool {
        self as u8 == other as u8
            || matches!(
                (self, other),
                (Profile::MaternalBabyCare, Profile::MaternalBaby)
            )
    }
}

/// One mandatory item of events of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The profile that demands it; `None`: the agreement itself, of all.
    pub profile: Option<Profile>,
    /// Of which kind of event.
    pub kind: Kind,
    /// The catalogue's field id, or the field of the event the agreement needs.
    pub item: &'static str,
    /// Table and row, or clause, that the item comes from.
    pub source: &'static str,
    /// What says it.
    pub said: Said,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// In a field without which a text is no event: never missing.
    Always,
    /// By the operator.
    Actor,
    /// By the place.
    Location,
    /// By the goods named: units or lot lines.
    Goods,
    /// By the goods that were seen; by none, if all there is was looked at.
    Seen,
    /// By the goods, and every lot line tells its lot. The batch of a unit is on record.
    Lots,
    /// By the number of the paper.
    Document,
    /// By the counterpart.
    Counterpart,
    /// By a counterpart that is a place, else in the body.
    CounterpartPlace,
    /// By the temperature measured.
    Temperature,
    /// By the humidity measured.
    Humidity,
    /// By the target.
    Target,
    /// By the container.
    Parent,
    /// By the disposition.
    Disposition,
    /// In the body.
    Body,
    /// By what is on record of the goods, or by the events before and after: never asked of the
    /// event itself.
    OnRecord,
}

impl Rule {
    fn is_kept(&self, event: &Event) -> bool {
        match self.said {
            Said::Always | Said::OnRecord => true,
            Said::Actor => !event.actor.id.is_empty(),
            Said::Location => !event.location.0.is_nil(),
            Said::Goods => names_goods(event),
            Said::Seen => names_goods(event) || crate::fold::is_complete(event),
            Said::Lots => names_goods(event) && event.lots.iter().all(|line| line.lot.is_some()),
            Said::Document => event.doc.as_ref().is_some_and(|doc| !doc.no.is_empty()),
            Said::Counterpart => event.counterpart.is_some(),
            Said::CounterpartPlace => {
                matches!(event.counterpart, Some(Counterpart::Location(_)))
                    || in_body(event, self.item)
            }
            Said::Temperature => event.env.is_some_and(|env| env.temperature.is_some()),
            Said::Humidity => event.env.is_some_and(|env| env.humidity.is_some()),
            Said::Target => event.target.is_some(),
            Said::Parent => event
                .parent
                .as_ref()
                .is_some_and(|unit| !unit.code.is_empty()),
            Said::Disposition => event.disposition.is_some(),
            Said::Body => in_body(event, self.item),
        }
    }
}

fn names_goods(event: &Event) -> bool {
    !event.lots.is_empty() || event.units.iter().any(|unit| !unit.code.is_empty())
}

/// Something stands there: not null, no empty text, no empty list.
fn in_body(event: &Event, item: &str) -> bool {
    use serde_json::Value;
    event.body.get(item).is_some_and(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    })
}

/// Changes with the rules, so that a device sees whether it holds those of its server: the beginning
/// of the SHA-256 of their JSON.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_vec(RULES).unwrap_or_default();
        let bytes: [u8; 32] = Sha256::digest(text).into();
        let mut hash = Hash(bytes).to_string();
        hash.truncate(16);
        hash
    });
    &VERSION
}

/// The items the agreement needs of an event of this kind, whatever its goods, and that it lacks.
pub fn missing(event: &Event) -> Vec<&'static str> {
    missing_under(event, &BTreeSet::new())
}

/// The items that these profiles demand, and the agreement itself, and that the event lacks: in
/// the order of the tables, each once.
pub fn missing_under(event: &Event, profiles: &BTreeSet<Profile>) -> Vec<&'static str> {
    let mut items = Vec::new();
    let mut unsaid = Vec::new();
    for rule in RULES {
        let holds = rule.kind == event.kind
            && rule
                .profile
                .is_none_or(|demands| profiles.iter().any(|profile| profile.includes(demands)));
        if !holds || rule.is_kept(event) || items.contains(&rule.item) {
            continue;
        }
        // What the agreement misses already is not named again under the name of a table.
        if rule.profile.is_none() {
            unsaid.push(rule.said);
        } else if unsaid.contains(&rule.said) {
            continue;
        }
        items.push(rule.item);
    }
    items
}

/// The profiles that the goods of an event fall under, as far as their products are on record. What stands in
/// its lines is its stater's word (`World::product_said`).
pub fn profiles(event: &Event, stater: EnterpriseId, world: &World) -> BTreeSet<Profile> {
    let of_units = event.units.iter().chain(&event.parent).filter_map(|read| {
        let Some(unit) = &read.unit else {
            let TraceCode::Gtin(code) = read.scanned?.code else {
                return None;
            };
            return world.profile_of(world.product_on_codes(code.gtin.as_str())?);
        };
        let info = world.units.get(unit);
        let commissioned = info.and_then(|info| info.commissioned);
        let batch = commissioned.and_then(|commissioned| world.batches.get(&commissioned.batch));
        let product = batch.map(BatchInfo::of_product);
        world.profile_of(product.or_else(|| world.product_of_unit(unit))?)
    });
    let of_lots = event
        .lots
        .iter()
        .filter_map(|line| world.profile_of(world.product_said(&line.gtin, stater)?));
    of_units.chain(of_lots).collect()
}
