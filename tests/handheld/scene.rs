//! What the stories begin with: a maker with a plant, a warehouse and a store, tins of a batch, and
//! devices that are enrolled.

use crate::support::{Firm, batch, firm, id, made, ok, platform, product, segment, text_of};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;
use suyuan::handheld::{
    patrol::look_at_all,
    replay::replay,
    units::{
        folding::FACTS_MAX,
        store::{UnitRow, units},
    },
    verify::acts::verify_acts,
};
use suyuan_sync::{finding::FindingCode, trace_code, unit::UnitKey};
use suyuan_tests::{Caller, Handheld, TestApp, until};

/// The first 13 digits of the product's GTIN.
pub const GTIN: &str = "0952123400001";

/// See the file's header.
pub struct Scene {
    /// The maker.
    pub firm: Firm,
    /// Its plant.
    pub plant: String,
    /// Its warehouse.
    pub warehouse: String,
    /// Its store.
    pub store: String,
    /// The batch its tins belong to.
    pub batch: String,
    /// Commissioned tins, as printed.
    pub tins: Vec<String>,
    /// Codes of cases, commissioned to the same batch.
    pub cases: Vec<String>,
}

impl Scene {
    /// Makes it.
    pub async fn of(app: &TestApp) -> Scene {
        let firm = firm(app, &platform(app).await, "ACME", &["9521234"]).await;
        let admin = &firm.admin;
        let place = async |code: &str, kind: &str| {
            let body = json!({"code": code, "kind": kind, "name": "地点"});
            id(&made(admin.post("/v1/locations", &body).await))
        };
        let plant = place("PT-1", "plant").await;
        let warehouse = place("WH-1", "warehouse").await;
        let store = place("ST-1", "store").await;
        let product = product(admin, "CM-1", GTIN).await;
        let batch = batch(admin, &product, "L7").await;
        let tins = segment(admin, &product, 60).await;
        let body = json!({"product_id": product, "count": 6, "level": "case"});
        let cases = made(admin.post("/v1/segments", &body).await);
        let mut codes = Vec::new();
        for of in [&tins, &cases] {
            let ranges = json!([{"segment_id": of["id"]}]);
            let body = json!({"batch_id": batch, "ranges": ranges});
            made(admin.post("/v1/commissions", &body).await);
            let path = format!("/v1/segments/{}/codes", text_of(&of["id"]));
            let printed = admin.get(&path).await.text();
            let urls = printed
                .lines()
                .skip(1)
                .filter_map(|line| line.rsplit(',').next());
            codes.push(urls.map(str::to_owned).collect::<Vec<_>>());
        }
        let cases = codes.pop().expect("codes of cases");
        let tins = codes.pop().expect("codes of tins");
        assert_eq!((tins.len(), cases.len()), (60, 6));
        Scene {
            firm,
            plant,
            warehouse,
            store,
            batch,
            tins,
            cases,
        }
    }

    /// Printed codes of its product that belong to no batch.
    pub async fn unused(&self, count: u64) -> Vec<String> {
        let admin = &self.firm.admin;
        let products = ok(admin.get("/v1/products").await);
        let unused = segment(admin, &id(&products["items"][0]), count).await;
        let path = format!("/v1/segments/{}/codes", text_of(&unused["id"]));
        let printed = admin.get(&path).await.text();
        let urls = printed
            .lines()
            .skip(1)
            .filter_map(|line| line.rsplit(',').next());
        urls.map(str::to_owned).collect()
    }

    /// A device at one of its places.
    pub async fn device(&self, app: &TestApp, place: &str) -> Handheld {
        enrolled(app, &self.firm.operator, place).await
    }

    /// The key of a device is not trusted from now on: it was stolen.
    pub async fn revoke(&self, device: &Handheld) {
        let path = format!("/v1/devices/{}/revoke", device.device);
        let why = json!({"reason": "stolen"});
        ok(self.firm.operator.post(&path, &why).await);
    }
}

/// A new device of somebody's, at a place.
pub async fn enrolled(app: &TestApp, staff: &Caller, place: &str) -> Handheld {
    let body = json!({"name": "PDA", "profile": "handheld", "location_id": place});
    let ticket = made(staff.post("/v1/devices", &body).await)["ticket"].clone();
    Handheld::enrol(&app.internal_url, &text_of(&ticket["code"])).await
}

/// What an inbound of these says.
pub fn inbound(codes: &[&String]) -> Value {
    json!({"units": scanned(codes), "doc": {"no": "D-1"}})
}

/// What an outbound to a place says.
pub fn outbound(codes: &[&String], to: &str) -> Value {
    json!({
        "units": scanned(codes), "doc": {"no": "D-2"},
        "counterpart": {"type": "location", "id": to},
        "body": {"logistics.logistics_company": "顺丰"},
    })
}

/// What a sale says.
pub fn sale(codes: &[&String]) -> Value {
    json!({"units": scanned(codes)})
}

/// Codes read by the wedge.
pub fn scanned(codes: &[&String]) -> Value {
    codes
        .iter()
        .map(|code| json!({"code": code, "input": "wedge"}))
        .collect()
}

/// The unit of a printed code.
pub fn key(code: &str) -> UnitKey {
    let scanned = trace_code::parse(code).expect("a code");
    UnitKey::of(&scanned.code).expect("a unit")
}

/// What is kept of a unit.
pub async fn unit(app: &TestApp, code: &str) -> UnitRow {
    let found = units(app.state().db.reader(), &[key(code)]).await;
    let mut found = found.expect("units");
    assert_eq!(found.len(), 1, "{code}: something happened to it");
    found.remove(0)
}

/// The names of what is open about a unit.
pub async fn open(app: &TestApp, code: &str) -> Vec<&'static str> {
    let findings = unit(app, code).await.kept.findings;
    findings
        .iter()
        .map(|kept| kept.finding.code.name())
        .collect()
}

/// Open findings about events themselves, and how many there are of each.
pub async fn open_about_events(app: &TestApp, code: FindingCode) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) AS n FROM finding WHERE code = '{}' AND unit_id IS NULL AND closed IS NULL",
        code.name()
    );
    count(app, &sql).await
}

/// Waits until nothing is left for slices, and what entries of the log mean was worked out.
pub async fn settled(app: &TestApp) {
    until("slices", Duration::from_secs(20), async || {
        let entry = "SELECT COALESCE(MAX(gseq), 0) AS n FROM log_entry WHERE kind <> 'refolded'";
        let followed = "SELECT COALESCE(MAX(cursor), 0) AS n FROM refold WHERE id = 0";
        // In this order: what is followed leaves its work behind in the same transaction.
        count(app, followed).await >= count(app, entry).await
            && count(app, "SELECT COUNT(*) AS n FROM refold WHERE id > 0").await == 0
    })
    .await;
}

/// As if there were more to read about every unit that is in than an act may.
pub async fn fill_up(app: &TestApp) {
    let sql = format!("UPDATE unit SET facts = {}", FACTS_MAX + 1);
    let tx = app.state().db.begin().await.expect("a transaction");
    // As acts do, or it would lock them out, and they it.
    for sql in ["UPDATE log_head SET gseq = gseq", &sql] {
        tx.execute_unprepared(sql).await.expect("rows");
    }
    tx.commit().await.expect("a commit");
}

/// I8: what is kept is what the log gives. I30: each act of the log gives its hash, and no position is in no act.
pub async fn holds(app: &TestApp, what: &str) {
    is_as_replayed(app, what).await;
    let mut torn = Vec::new();
    let acts = verify_acts(&app.state().db, |tear| torn.push(tear.to_string())).await;
    let acts = acts.expect("a verification");
    assert!(torn.is_empty(), "{what}\n{}", torn.join("\n"));
    assert_eq!((acts.begins, acts.outside), (1, 0), "{what}");
}

/// I8: what is kept is what the log gives, once nothing is left for slices.
pub async fn is_as_replayed(app: &TestApp, what: &str) {
    settled(app).await;
    let state = app.state();
    let replayed = replay(&state.db, &state.sealer).await.expect("a replay");
    let said: Vec<String> = replayed
        .differences
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(said.is_empty(), "{what}\n{}", said.join("\n"));
    let found = look_at_all(&state.db, &state.sealer).await;
    let found = found.expect("a patrol");
    assert_eq!(found, [], "{what}: the patrol takes it for something else");
}

/// The number a query gives as `n`.
pub async fn count(app: &TestApp, sql: &str) -> i64 {
    let db = &app.state().db;
    let query = suyuan::db::statement(db.backend(), sql, []);
    let row = db.reader().query_one_raw(query).await.expect("a query");
    row.expect("a row").try_get("", "n").expect("a number")
}

/// The fates of all events, in the order of the log.
pub async fn fates(app: &TestApp) -> Vec<(i64, String)> {
    let db = &app.state().db;
    let query = suyuan::db::statement(
        db.backend(),
        "SELECT seq, fate FROM event ORDER BY gseq",
        [],
    );
    let rows = db.reader().query_all_raw(query).await.expect("events");
    let pair = |row: &sea_orm::QueryResult| {
        Ok::<_, sea_orm::DbErr>((row.try_get("", "seq")?, row.try_get("", "fate")?))
    };
    rows.iter().map(|row| pair(row).expect("a row")).collect()
}
