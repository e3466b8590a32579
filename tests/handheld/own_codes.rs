//! Products without a GTIN, whose codes are each enterprise's own: what somebody else registers under the
//! same code, before or after, changes nothing for one's events (C9, C15).

use crate::{
    held::Held,
    lots::lots_of,
    scene::{enrolled, holds, settled},
    support::{Firm, batch, firm, id, made, ok, platform},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use suyuan_sync::finding::{Detail, Finding, FindingCode};
use suyuan_tests::{Handheld, TestApp, on_both, recall_order};

/// Two enterprises, each with a store and a device there.
pub async fn neighbours(app: &TestApp) -> [(Firm, Handheld); 2] {
    let platform = platform(app).await;
    let mut out = Vec::new();
    for name in ["AAA", "BBB"] {
        let firm = firm(app, &platform, name, &[]).await;
        let body = json!({"code": "ST-1", "kind": "store", "name": "门店"});
        let store = id(&made(firm.admin.post("/v1/locations", &body).await));
        let device = enrolled(app, &firm.operator, &store).await;
        out.push((firm, device));
    }
    out.try_into()
        .unwrap_or_else(|_| unreachable!("two were made"))
}

/// Registers the product that both call so.
async fn registers(firm: &Firm, profile: &str) -> String {
    let body = json!({"code": "PR-1", "name": "护理", "profile": profile});
    id(&made(firm.admin.post("/v1/products", &body).await))
}

fn received(name: &str) -> Value {
    json!({"lots": lots_of(name, Some("L7"), 5)})
}

async fn states(device: &mut Handheld, kind: &str, said: &Value) -> String {
    let text = device.event(kind, said);
    let event: Value = serde_json::from_str(&text).expect("an event");
    device.push(&[text]).await;
    crate::support::text_of(&event["event_id"])
}

/// What is open of an event, once all slices are done.
async fn open(app: &TestApp, event: &str) -> Vec<(FindingCode, Detail)> {
    settled(app).await;
    let db = &app.state().db;
    let sql = "SELECT finding FROM finding WHERE closed IS NULL ORDER BY id";
    let query = suyuan::db::statement(db.backend(), sql, []);
    let rows = db.reader().query_all_raw(query).await.expect("findings");
    let texts = rows.iter().map(|row| row.try_get::<String>("", "finding"));
    texts
        .map(|text| serde_json::from_str::<Finding>(&text.expect("a text")).expect("a finding"))
        .filter(|finding| finding.event.0.to_string() == event)
        .map(|finding| (finding.code, finding.detail))
        .collect()
}

fn unknown(name: &str) -> (FindingCode, Detail) {
    let what = format!("product:{name}");
    (FindingCode::UnknownRef, Detail::Unknown { what, more: 0 })
}

fn lacks(item: &str) -> (FindingCode, Detail) {
    let items = vec![item.to_owned()];
    (FindingCode::Incomplete, Detail::Missing { items })
}

const NUMBER: &str = "inbound.inbound_document_no";

on_both!(
    c15_what_an_event_must_say_is_told_by_its_own_enterprises_product,
    |app| {
        let [(mine, mut device), (theirs, mut other)] = neighbours(&app).await;
        let event = states(&mut device, "inbound", &received("PR-1")).await;
        let of_other = states(&mut other, "inbound", &received("PR-1")).await;
        let as_printed = states(&mut device, "inbound", &received("BBB.PR-1")).await;
        assert_eq!(open(&app, &event).await, [unknown("PR-1")]);
        // Somebody else's product of that code, registered first, is not mine.
        registers(&theirs, "maternal-baby").await;
        assert_eq!(open(&app, &event).await, [unknown("PR-1")]);
        assert_eq!(open(&app, &of_other).await, [lacks(NUMBER)]);
        // Under what stands on its codes I name it all the same.
        assert_eq!(open(&app, &as_printed).await, [lacks(NUMBER)]);
        holds(&app, "theirs on record").await;
        registers(&mine, "infant-formula").await;
        assert_eq!(open(&app, &event).await, []);
        assert_eq!(open(&app, &of_other).await, [lacks(NUMBER)]);
        let again = states(&mut device, "inbound", &received("PR-1")).await;
        assert_eq!(open(&app, &again).await, []);
        holds(&app, "both on record").await;
        app.stop().await;
    }
);

on_both!(
    c11_a_complete_count_of_a_product_misses_its_goods_whatever_they_are_called,
    |app| {
        let [(mine, mut device), (theirs, _)] = neighbours(&app).await;
        states(&mut device, "inbound", &received("AAA.PR-1")).await;
        let count = |name: &str| json!({"body": {"scope": {"complete": true, "gtins": [name]}}});
        let mut counts = Vec::new();
        for name in ["PR-1", "BBB.PR-1"] {
            counts.push(states(&mut device, "count", &count(name)).await);
        }
        assert_eq!(open(&app, &counts[0]).await, [unknown("PR-1")]);
        // Somebody else's product of that code is not what was counted, nor what is here.
        registers(&theirs, "infant-formula").await;
        assert_eq!(open(&app, &counts[0]).await, [unknown("PR-1")]);
        assert_eq!(open(&app, &counts[1]).await, []);
        holds(&app, "theirs on record").await;
        // It is once both names are on record as one product.
        registers(&mine, "infant-formula").await;
        let codes = |open: Vec<(FindingCode, Detail)>| -> Vec<FindingCode> {
            open.into_iter().map(|(code, _)| code).collect()
        };
        let missing = FindingCode::MissingAtCount;
        assert_eq!(codes(open(&app, &counts[0]).await), [missing]);
        assert_eq!(open(&app, &counts[1]).await, []);
        holds(&app, "both on record").await;
        app.stop().await;
    }
);

on_both!(
    c9_of_two_batches_of_one_code_and_lot_that_of_the_own_enterprise_is_meant,
    |app| {
        let [(mine, mut device), (theirs, mut shipper)] = neighbours(&app).await;
        // Theirs is on record first.
        let mut batches = Vec::new();
        let mut products = Vec::new();
        for firm in [&theirs, &mine] {
            let product = registers(firm, "infant-formula").await;
            batches.push(batch(&firm.admin, &product, "L7").await);
            products.push(product);
        }
        // What is theirs came from them: else it is what somebody says (C14).
        states(&mut shipper, "inbound", &received("PR-1")).await;
        let mut sent = received("PR-1");
        sent["counterpart"] = json!({"type": "enterprise", "id": mine.id});
        states(&mut shipper, "outbound", &sent).await;
        let mut sales = Vec::new();
        for name in ["PR-1", "BBB.PR-1"] {
            states(&mut device, "inbound", &received(name)).await;
            let sold = json!({"lots": lots_of(name, Some("L7"), 2)});
            sales.push(states(&mut device, "sale", &sold).await);
        }
        let [plain, as_printed] = &sales[..] else {
            panic!("two sales");
        };
        let recalled = async |event: &str| {
            let open = open(&app, event).await;
            let codes = open.iter().map(|(code, _)| *code);
            codes
                .filter(|code| *code == FindingCode::SoldRecalled)
                .count()
        };
        let recall = async |firm: &Firm, batch: &str| {
            let order = recall_order(&json!([batch]), "r", "i");
            id(&made(firm.admin.post("/v1/recalls", &order).await))
        };
        let of_theirs = recall(&theirs, &batches[0]).await;
        assert_eq!(recalled(plain).await, 0);
        assert_eq!(recalled(as_printed).await, 1);
        holds(&app, "theirs recalled").await;
        let of_mine = recall(&mine, &batches[1]).await;
        assert_eq!(recalled(plain).await, 1);
        let sold = json!({"lots": lots_of("PR-1", Some("L7"), 1)});
        let at_once = states(&mut device, "sale", &sold).await;
        assert_eq!(recalled(&at_once).await, 1);
        holds(&app, "both recalled").await;
        // The recalls reach the goods they find, and no others.
        for (firm, recall, name, balance) in [
            (&theirs, of_theirs, "BBB.PR-1", 3),
            (&mine, of_mine, "PR-1", 2),
        ] {
            let path = format!("/v1/recalls/{recall}/reach");
            let reach = ok(firm.admin.get(&path).await);
            let lots = reach["lots"].as_array().expect("lots");
            let told = lots.iter().filter(|lot| lot["balance"] != 0);
            let told = told.map(|lot| (&lot["gtin"], &lot["balance"]));
            let told: Vec<(&Value, &Value)> = told.collect();
            assert_eq!(told, [(&json!(name), &json!(balance))]);
        }
        let path = format!("/v1/findings?product={}&code=SOLD_RECALLED", products[1]);
        let found = ok(mine.admin.get(&path).await);
        assert_eq!(found["items"].as_array().map(Vec::len), Some(2), "{found}");
        app.stop().await;
    }
);

on_both!(
    c15_a_code_without_a_serial_lacks_what_its_product_demands_once_that_is_known,
    |app| {
        let platform = platform(&app).await;
        let firm = firm(&app, &platform, "AAA", &["9521234"]).await;
        let body = json!({"code": "ST-1", "kind": "store", "name": "门店"});
        let store = id(&made(firm.admin.post("/v1/locations", &body).await));
        let mut device = enrolled(&app, &firm.operator, &store).await;
        let gtin = crate::support::gtin("0952123400001");
        let read = json!({"units": [{"code": format!("(01){gtin}"), "input": "wedge"}]});
        let event = states(&mut device, "inbound", &read).await;
        let codes = async || -> Vec<FindingCode> {
            let open = open(&app, &event).await;
            open.into_iter().map(|(code, _)| code).collect()
        };
        assert_eq!(codes().await, [FindingCode::UnknownRef]);
        let body = json!({
            "code": "PR-1", "name": "护理", "profile": "maternal-baby", "gtin": gtin,
        });
        made(firm.admin.post("/v1/products", &body).await);
        assert!(codes().await.contains(&FindingCode::Incomplete));
        holds(&app, "on record").await;
        app.stop().await;
    }
);

on_both!(
    c9_a_recalled_lot_is_in_the_list_of_whoever_has_it_by_the_name_codes_carry,
    |app| {
        let [(mine, mut device), (theirs, mut other)] = neighbours(&app).await;
        let mut batches = Vec::new();
        for firm in [&mine, &theirs] {
            let product = registers(firm, "infant-formula").await;
            batches.push(batch(&firm.admin, &product, "L7").await);
        }
        for (firm, batch) in [&mine, &theirs].into_iter().zip(&batches) {
            let order = recall_order(&json!([batch]), "r", "i");
            made(firm.admin.post("/v1/recalls", &order).await);
        }
        let [own, others] = &batches[..] else {
            panic!("two batches");
        };
        let mut till = Held::default();
        till.pull(&mut device).await;
        let named = |till: &Held, of: &str| -> BTreeSet<String> {
            let list = till.list.as_ref().expect("a list");
            let of = list
                .batches
                .iter()
                .filter(|told| told.batch.to_string() == of);
            of.map(|told| format!("{} {}", told.gtin, told.lot))
                .collect()
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(named(&till, own), names(&["AAA.PR-1 L7", "PR-1 L7"]));
        assert_eq!(named(&till, others), names(&[]), "none of it is here");
        states(&mut device, "inbound", &received("BBB.PR-1")).await;
        till.pull(&mut device).await;
        // By its code alone it would be taken for one's own.
        assert_eq!(named(&till, others), names(&["BBB.PR-1 L7"]));
        let mut till = Held::default();
        till.pull(&mut other).await;
        assert_eq!(named(&till, own), names(&[]));
        assert_eq!(named(&till, others), names(&["BBB.PR-1 L7", "PR-1 L7"]));
        app.stop().await;
    }
);
