//! The resolver description file, `/.well-known/gs1resolver`: what this resolver is and supports.

use super::{Site, linkset::CONTEXT};
use crate::links::rules::VOCABULARY;
use serde_json::{Value, json};

/// Primary keys whose addresses are read.
const KEYS: [&str; 16] = [
    "00", "01", "253", "255", "401", "402", "414", "415", "417", "8003", "8004", "8006", "8010",
    "8013", "8017", "8018",
];

/// Writes it down.
pub fn description(site: &Site) -> Value {
    json!({
        "name": "Suyuan 溯源",
        "resolverRoot": site.base_url,
        "supportedPrimaryKeys": KEYS,
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": false,
        "jsonLdContextLocation": CONTEXT,
    })
}
