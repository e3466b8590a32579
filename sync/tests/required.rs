//! C15: what an event has to say, held against the tables of the standards.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    event::{
        Counterpart, Document, Environment, Event, Input, Kind, LotLine, UnitRead,
        required::{Profile, RULES, Said, missing, missing_under, profiles, version},
    },
    facts::{Shared, World},
    ids::{DeviceId, EnterpriseId, EventId, LocationId},
};
use uuid::Uuid;

const TABLES: [(Profile, &str); 3] = [
    (
        Profile::InfantFormula,
        include_str!("../../api/standards/infant-formula.toml"),
    ),
    (
        Profile::MaternalBaby,
        include_str!("../../api/standards/maternal-baby.toml"),
    ),
    (
        Profile::MaternalBabyCare,
        include_str!("../../api/standards/maternal-baby-care.toml"),
    ),
];

/// The record types that an event of some kind fills.
const RECORDS: [&str; 10] = [
    "scan_event",
    "finished_goods_warehousing",
    "enterprise_dispatch",
    "logistics",
    "store_sale",
    "inbound",
    "inventory",
    "outbound",
    "transport",
    "outbound_scan",
];

/// The mandatory items of these record types: field id and source.
fn mandatory(standard: &str) -> BTreeSet<(String, String)> {
    let table: toml::Table = standard.parse().unwrap();
    let mut items = BTreeSet::new();
    for record in table["record_type"].as_array().unwrap() {
        let id = record["id"].as_str().unwrap();
        if !RECORDS.contains(&id) && id != "sales_terminal" {
            continue;
        }
        for field in record["field"].as_array().unwrap() {
            if field["required"].as_bool() == Some(true) {
                items.insert((
                    format!("{id}.{}", field["name"].as_str().unwrap()),
                    field["source"].as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    items
}

#[test]
fn every_mandatory_item_of_the_tables_has_a_rule_and_none_is_made_up() {
    for (profile, standard) in TABLES {
        let rules: BTreeSet<(String, String)> = RULES
            .iter()
            .filter(|rule| rule.profile == Some(profile))
            .map(|rule| (rule.item.to_owned(), rule.source.to_owned()))
            .collect();
        assert_eq!(rules, mandatory(standard), "{profile:?}");
    }
}

#[test]
fn every_kind_has_what_the_agreement_needs_and_no_rule_stands_twice() {
    for kind in Kind::ALL {
        assert!(
            RULES
                .iter()
                .any(|rule| rule.kind == kind && rule.profile.is_none())
        );
    }
    let distinct: BTreeMap<_, _> = RULES
        .iter()
        .map(|rule| ((rule.profile, rule.kind, rule.item), rule))
        .collect();
    assert_eq!(distinct.len(), RULES.len());
    let in_body: BTreeSet<_> = RULES
        .iter()
        .filter(|rule| matches!(rule.said, Said::Body | Said::CounterpartPlace))
        .map(|rule| rule.item)
        .collect();
    assert_eq!(
        in_body.into_iter().collect::<Vec<_>>(),
        [
            "logistics.logistics_company",
            "logistics.place_of_arrival",
            "transport.place_of_arrival"
        ]
    );
}

fn bare(kind: Kind) -> Event {
    let id = Uuid::from_u128(7);
    Event::bare(kind, EventId(id), DeviceId(id), 1, 1, 0)
}

/// Says what the agreement needs.
fn said(kind: Kind) -> Event {
    let mut event = bare(kind);
    "s-17".clone_into(&mut event.actor.id);
    event.location = LocationId(Uuid::from_u128(8));
    event.units = vec![unit("(01)06901234567892(21)A9")].into();
    event.parent = Some(unit("(00)106141411234567897"));
    event.target = Some(EventId(Uuid::from_u128(9)));
    event.disposition = Some(suyuan_sync::event::Disposition::Hold);
    event
}

fn unit(code: &str) -> UnitRead {
    UnitRead::of(code, Input::Camera)
}

fn lot(lot: Option<&str>) -> LotLine {
    LotLine {
        gtin: "06901234567892".to_owned(),
        lot: lot.map(str::to_owned),
        qty: 3,
    }
}

fn under(event: &Event, profile: Profile) -> Vec<&'static str> {
    missing_under(event, &BTreeSet::from([profile]))
}

#[test]
fn c15_the_agreement_misses_what_a_kind_cannot_do_without() {
    for (kind, items) in [
        (Kind::Commission, vec!["actor", "location", "units"]),
        (Kind::Pack, vec!["actor", "location", "parent", "children"]),
        // An unpack without units takes out all.
        (Kind::Unpack, vec!["actor", "location", "parent"]),
        (Kind::Count, vec!["actor", "location", "units"]),
        (
            Kind::Inspect,
            vec!["actor", "location", "units", "disposition"],
        ),
        (Kind::Retract, vec!["actor", "target"]),
        (Kind::Sale, vec!["actor", "location", "units"]),
    ] {
        assert_eq!(missing(&bare(kind)), items, "{kind:?}");
    }
    for kind in Kind::ALL {
        assert!(missing(&said(kind)).is_empty(), "{kind:?}");
    }
    // A count may see nothing, if it looked at all there is.
    let mut nothing = bare(Kind::Count);
    for (complete, items) in [(true, 2), (false, 3)] {
        let scope = serde_json::json!({"complete": complete});
        nothing.body.insert("scope".to_owned(), scope);
        assert_eq!(missing(&nothing).len(), items);
    }
    let mut empty_code = said(Kind::Sale);
    empty_code.units = vec![unit("")].into();
    assert_eq!(missing(&empty_code), ["units"]);
}

#[test]
fn c15_a_dispatch_of_infant_formula_names_purchaser_carrier_and_arrival() {
    let profile = Profile::InfantFormula;
    let mut event = said(Kind::Outbound);
    assert_eq!(
        under(&event, profile),
        [
            "enterprise_dispatch.purchaser",
            "logistics.logistics_company",
            "logistics.place_of_arrival",
            "logistics.receiver_name"
        ]
    );
    event.counterpart = Some(Counterpart::Enterprise(EnterpriseId(Uuid::from_u128(3))));
    for nothing in [json!(null), json!(""), json!(" "), json!([]), json!({})] {
        event
            .body
            .insert("logistics.logistics_company".to_owned(), nothing);
        assert_eq!(
            under(&event, profile),
            ["logistics.logistics_company", "logistics.place_of_arrival"]
        );
    }
    event
        .body
        .insert("logistics.logistics_company".to_owned(), json!("顺达物流"));
    event
        .body
        .insert("logistics.place_of_arrival".to_owned(), json!("北京"));
    assert!(under(&event, profile).is_empty());
    event.body.remove("logistics.place_of_arrival");
    event.counterpart = Some(Counterpart::Location(LocationId(Uuid::from_u128(4))));
    assert!(under(&event, profile).is_empty());
}

#[test]
fn c15_the_profiles_differ() {
    let inbound = said(Kind::Inbound);
    assert!(under(&inbound, Profile::InfantFormula).is_empty());
    assert_eq!(
        under(&inbound, Profile::MaternalBaby),
        ["inbound.inbound_document_no"]
    );
    // Care products have what all maternal and baby products have, and more.
    let mut care = said(Kind::Outbound);
    assert_eq!(
        under(&care, Profile::MaternalBabyCare),
        [
            "outbound.outbound_document_no",
            "outbound.counterparty_type",
            "outbound.counterparty_name",
            "transport.place_of_arrival",
            "transport.receiver_name"
        ]
    );
    care.doc = Some(Document {
        no: "S1-D1-7".to_owned(),
        at: None,
    });
    assert!(under(&care, Profile::MaternalBaby).is_empty());
    let mut count = said(Kind::Count);
    assert!(under(&count, Profile::MaternalBaby).is_empty());
    assert_eq!(
        under(&count, Profile::MaternalBabyCare),
        [
            "inventory.storage_temperature",
            "inventory.storage_humidity"
        ]
    );
    count.env = Some(Environment {
        temperature: Some(215),
        humidity: None,
    });
    assert_eq!(
        under(&count, Profile::MaternalBabyCare),
        ["inventory.storage_humidity"]
    );
    // Goods of several profiles in one event: all of them, each item once.
    let both = BTreeSet::from([Profile::MaternalBaby, Profile::MaternalBabyCare]);
    assert_eq!(missing_under(&count, &both), ["inventory.storage_humidity"]);
}

#[test]
fn c15_a_lot_line_without_its_lot_lacks_the_batch() {
    let mut event = said(Kind::Inbound);
    event.units.clear();
    event.lots = vec![lot(Some("L7")), lot(None)];
    assert_eq!(
        under(&event, Profile::InfantFormula),
        ["finished_goods_warehousing.batch_no"]
    );
    event.lots.pop();
    assert!(under(&event, Profile::InfantFormula).is_empty());
}

#[test]
fn what_the_agreement_misses_is_not_named_twice() {
    assert_eq!(
        under(&bare(Kind::Sale), Profile::InfantFormula),
        ["actor", "location", "units"]
    );
}

#[test]
fn the_goods_tell_the_profile() {
    let world = World {
        products: [("06901234567892".to_owned(), firm(1))]
            .into_iter()
            .collect(),
        own_products: own(1, "06901234567892", Profile::InfantFormula),
        ..World::default()
    };
    let mut event = said(Kind::Sale);
    let told = |event: &Event| profiles(event, firm(2), &world);
    assert_eq!(told(&event), BTreeSet::from([Profile::InfantFormula]));
    event.units.clear();
    assert!(told(&event).is_empty());
    event.lots = vec![lot(None)];
    assert_eq!(told(&event).len(), 1);
    for (profile, standard) in TABLES {
        let table: toml::Table = standard.parse().unwrap();
        let id = table["profile"]["id"].as_str().unwrap();
        assert_eq!(Profile::of_id(id), Some(profile));
        assert_eq!(serde_json::to_value(profile).unwrap(), json!(id));
    }
}

fn firm(n: u128) -> EnterpriseId {
    EnterpriseId(Uuid::from_u128(n))
}

type OwnProducts = Shared<BTreeMap<EnterpriseId, BTreeMap<String, Option<Profile>>>>;

fn own(whose: u128, name: &str, profile: Profile) -> OwnProducts {
    let products = BTreeMap::from([(name.to_owned(), Some(profile))]);
    BTreeMap::from([(firm(whose), products)]).into()
}

#[test]
fn c15_a_product_code_is_its_staters_and_who_else_uses_it_changes_nothing() {
    let mut event = said(Kind::Inbound);
    event.units.clear();
    let mut line = lot(Some("L7"));
    line.gtin = "PR-1".to_owned();
    event.lots = vec![line.clone()];
    let mut world = World {
        own_products: own(1, "PR-1", Profile::InfantFormula),
        ..World::default()
    };
    let (mine, theirs) = (firm(1), firm(2));
    let infant = BTreeSet::from([Profile::InfantFormula]);
    assert_eq!(profiles(&event, mine, &world), infant);
    // Theirs is theirs, whoever registered first.
    assert!(profiles(&event, theirs, &world).is_empty());
    let of_them = BTreeMap::from([("PR-1".to_owned(), Some(Profile::MaternalBaby))]);
    world.own_products.insert(theirs, of_them);
    world.products.insert("AA2.PR-1".to_owned(), theirs);
    world
        .product_of
        .insert("AA2.PR-1".to_owned(), "PR-1".to_owned());
    assert_eq!(profiles(&event, mine, &world), infant);
    let baby = BTreeSet::from([Profile::MaternalBaby]);
    assert_eq!(profiles(&event, theirs, &world), baby);
    // As it stands on codes it is theirs in my mouth too.
    event.lots[0].gtin = "AA2.PR-1".to_owned();
    assert_eq!(profiles(&event, mine, &world), baby);
}

#[test]
fn c15_what_is_a_gtin_is_never_a_product_code() {
    let mut event = said(Kind::Inbound);
    event.units.clear();
    event.lots = vec![lot(None)];
    let gtin = event.lots[0].gtin.clone();
    let mut world = World {
        own_products: own(1, &gtin, Profile::MaternalBaby),
        ..World::default()
    };
    assert!(profiles(&event, firm(1), &world).is_empty());
    // So nothing changes when its owner registers it, but that it is known.
    world.products.insert(gtin.clone(), firm(2));
    let theirs = BTreeMap::from([(gtin, Some(Profile::InfantFormula))]);
    world.own_products.insert(firm(2), theirs);
    let told = profiles(&event, firm(1), &world);
    assert_eq!(told, BTreeSet::from([Profile::InfantFormula]));
}

/// `golden/required.json` was made from the printed tables by another program (Python); the app reads
/// the same file, and what `GET /v1/sync/rules` tells.
#[test]
fn the_rules_as_devices_are_told_them() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("golden/required.json")).unwrap();
    assert_eq!(serde_json::to_value(RULES).unwrap(), golden["rules"]);
    assert_eq!(version(), golden["version"]);
}
