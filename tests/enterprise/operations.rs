//! Every operation of the internal API with a request that is right, so that the tables of the
//! other modules can be made from the OpenAPI document and none can be forgotten.

use crate::support::{
    Firm, PASSWORD, PREFIX, batch, firm, gtin, id, made, platform, product, segment, text_of,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::{
    queries::fold::Counted,
    suspicions::{rules, store},
};
use suyuan_tests::{
    Answer, Caller, TestApp,
    caller::{Method, encoded},
    recall_order,
};
use uuid::Uuid;

/// One operation as documented.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`
    pub id: String,
    /// Method.
    pub method: Method,
    /// Path with its parameters in braces.
    pub path: String,
    /// Is it called with the token of an account, and no other way?
    pub secured: bool,
    /// Media type of its body, if it takes one.
    pub media: Option<String>,
    /// Is it a list for people, page by page?
    pub paged: bool,
    /// Names of its parameters and headers.
    pub parameters: Vec<String>,
    /// Documented statuses.
    pub statuses: Vec<String>,
}

impl Operation {
    /// Does it make something?
    pub fn creates(&self) -> bool {
        let makes = self.method == Method::POST && self.statuses.iter().any(|s| s == "201");
        self.secured && makes
    }

    /// Is it answered again under the same key?
    pub fn keyed(&self) -> bool {
        self.parameters.iter().any(|name| name == "Idempotency-Key")
    }

    /// Does a parameter say which enterprise is looked at?
    pub fn names_enterprise(&self) -> bool {
        self.parameters.iter().any(|name| name == "enterprise_id")
    }

    /// Is it anything but a question?
    pub fn writes(&self) -> bool {
        self.method != Method::GET
    }

    /// Is it a call of devices? These carry frames of the agreement with devices, and tokens that
    /// devices sign; their stories are in `tests/handheld`.
    pub fn is_of_devices(&self) -> bool {
        let of_devices = ["/v1/enrol", "/v1/decode"];
        self.path.starts_with("/v1/sync/") || of_devices.contains(&self.path.as_str())
    }
}

/// By which ways it says it may be called.
fn is_staffs(operation: &Value) -> bool {
    let ways = operation["security"].as_array();
    ways.is_some_and(|ways| ways.iter().all(|way| way.get("bearer").is_some()))
}

/// All operations of the internal listener's document.
pub fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(suyuan::routes::internal_openapi()).expect("a document");
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let body = operation["requestBody"]["content"].as_object();
            let parameters = operation["parameters"].as_array();
            let has =
                |name: &str| parameters.is_some_and(|all| all.iter().any(|p| p["name"] == name));
            let statuses = operation["responses"].as_object().expect("responses");
            all.push(Operation {
                id: text_of(&operation["operationId"]),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                secured: is_staffs(operation),
                paged: is_staffs(operation) && has("limit"),
                parameters: parameters
                    .into_iter()
                    .flatten()
                    .map(|p| text_of(&p["name"]))
                    .collect(),
                media: body.and_then(|content| content.keys().next().cloned()),
                statuses: statuses.keys().cloned().collect(),
            });
        }
    }
    assert!(all.len() > 30, "the document lists {}", all.len());
    // What was erased cannot be read, a closed recall not widened, a withdrawn badge has no role, and a new password ends the
    // caller's own token: these come last.
    all.sort_by_key(|operation| match operation.id.as_str() {
        "close_recall" | "erase_voice" | "withdraw_badge" => 1,
        "change_my_password" => 2,
        _ => 0,
    });
    all
}

/// What a request is sent with.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Value),
    /// Bytes of a file.
    Bytes(Vec<u8>),
}

/// A tenant with one of everything, to make requests about.
pub struct Stage {
    /// Who owns it.
    pub firm: Firm,
    /// A sale; nothing that anybody stated, unless a device did.
    pub event: String,
    /// An account to be changed.
    pub user: String,
    /// A plant.
    pub plant: String,
    /// A product.
    pub product: String,
    /// A batch of it.
    pub batch: String,
    /// A segment of 1000 of it, of which 0 to 9 are commissioned.
    pub segment: String,
    /// A code of the segment, as printed.
    pub code: String,
    /// An open recall.
    pub recall: String,
    /// An open suspicion about one of its units.
    pub suspicion: String,
    /// Hash of a file.
    pub file: String,
    /// A complaint about the product.
    pub voice: String,
    /// A link of the product.
    pub link: String,
    /// A device of the plant.
    pub device: String,
    /// A supervisor's badge.
    pub badge: String,
    /// Another enterprise, which delivers for it.
    pub partner: String,
    /// A closed period, by its position in the log.
    pub period: String,
    /// A line of goods without codes at the plant.
    pub line: i64,
    /// A transport with an excursion from 2026-01-01T00:00:00Z on.
    pub transport: String,
    /// Company prefix.
    pub prefix: String,
}

/// The platform's administrator and a tenant with prefix 9521234.
pub async fn stage(app: &TestApp) -> (Caller, Stage) {
    let platform = platform(app).await;
    let stage = tenant(app, &platform, "AAA", PREFIX).await;
    (platform, stage)
}

/// A tenant with one of everything.
pub async fn tenant(app: &TestApp, platform: &Caller, code: &str, prefix: &str) -> Stage {
    let firm = firm(app, platform, code, &[prefix]).await;
    let admin = &firm.admin;
    let name = format!("{}.other", code.to_lowercase());
    let other = json!({"username": name, "password": PASSWORD, "role": "operator"});
    let user = id(&made(admin.post("/v1/users", &other).await));
    let place = json!({"code": "P1", "kind": "plant", "name": "工厂"});
    let plant = id(&made(admin.post("/v1/locations", &place).await));
    let product = product(admin, "TN-1", &format!("0{prefix}00001")).await;
    let batch = batch(admin, &product, "L1").await;
    let segment = id(&segment(admin, &product, 1000).await);
    let lines = admin
        .get(&format!("/v1/segments/{segment}/codes?from=500&to=500"))
        .await;
    let lines = lines.text();
    let line = lines.lines().nth(1).expect("a line");
    let range = json!({"segment_id": segment, "from": 0, "to": 9});
    let some = json!({"batch_id": batch, "ranges": [range]});
    made(admin.post("/v1/commissions", &some).await);
    let recall = recall_order(&json!([batch]), "封口不严", "退回");
    let recall = id(&made(admin.post("/v1/recalls", &recall).await));
    let kept = upload(admin, "first", format!("%PDF-1.4 of {code}").into_bytes()).await;
    let told = complaint(line.rsplit(',').next().expect("a URL"));
    let voice = id(&made(admin.post("/v1/voices", &told).await));
    let link = json!({
        "anchor": format!("/01/{}", gtin(&format!("0{prefix}00001"))), "link_type": "gs1:faqs",
        "href": "https://brand.example/faqs", "title": "常见问题",
    });
    let link = id(&made(admin.post("/v1/links", &link).await));
    let device = json!({"name": "一号线", "profile": "line", "location_id": plant});
    let device = made(admin.post("/v1/devices", &device).await);
    let badge = json!({"number": "S-1", "role": "supervisor"});
    let badge = id(&made(admin.post("/v1/badges", &badge).await));
    let partner = json!({"code": format!("{code}P"), "name": "承运商", "gs1_prefixes": []});
    let partner = id(&made(platform.post("/v1/enterprises", &partner).await));
    let period = json!({"until": "2025-12-31T16:00:00Z"});
    let period = made(admin.post("/v1/periods", &period).await)["position"].to_string();
    let balance = lot_line(app, &firm.id, &plant, prefix).await;
    let waybill = json!({"waybill_no": "SF-1", "limits": {"temperature": {"max": 8}}});
    let transport = id(&made(admin.post("/v1/transports", &waybill).await));
    let reading = json!({"at": "2026-01-01T00:00:00Z", "temperature": 9.5});
    let series = json!({"logger": "TL-1", "readings": [reading]});
    let path = format!("/v1/transports/{transport}/readings");
    made(admin.post(&path, &series).await);
    Stage {
        // No device stated anything on this stage.
        event: user.clone(),
        user,
        badge,
        partner,
        period,
        voice,
        link,
        device: text_of(&device["device"]["id"]),
        plant,
        product,
        batch,
        segment,
        code: line.rsplit(',').next().expect("a URL").to_owned(),
        recall,
        suspicion: suspicion(app, admin, &format!("0{prefix}00001")).await,
        file: text_of(&made(kept)["hash"]),
        line: balance,
        transport,
        prefix: prefix.to_owned(),
        firm,
    }
}

/// A line of goods without codes, as a device's event would leave it.
async fn lot_line(app: &TestApp, enterprise: &str, plant: &str, prefix: &str) -> i64 {
    let id: i64 = prefix.parse().expect("digits");
    let db = &app.state().db;
    let uuid = |text: &str| sea_orm::Value::from(text.parse::<Uuid>().expect("an id"));
    let insert = suyuan::db::statement(
        db.backend(),
        "INSERT INTO lot_line (id, gtin, lot, location_id, enterprise_id, balance, findings, gseq, \
         state) VALUES (?, ?, 'L1', ?, ?, 7, 0, 1, '{}')",
        [
            id.into(),
            gtin(&format!("0{prefix}00001")).into(),
            uuid(plant),
            uuid(enterprise),
        ],
    );
    db.writer().execute_raw(insert).await.expect("a line");
    id
}

/// A complaint that formula's standard finds complete.
pub fn complaint(code: &str) -> Value {
    json!({
        "kind": "complaint", "code": code, "content": "奶粉结块", "place": "上海", "name": "王女士",
        "contact": "13800000000",
    })
}

/// Raises a suspicion about a unit of a product, as the query log would.
async fn suspicion(app: &TestApp, admin: &Caller, twelve: &str) -> String {
    let unit = Counted {
        space: format!("01/{}", gtin(twelve)),
        index: 3,
        code: format!("/01/{}/21/A", gtin(twelve)),
        n: 100,
    };
    let state = app.state();
    let (_, evidence) = rules::judge(&[], state.settings.suspicion);
    let kind = rules::Suspicion::QueriedOften;
    store::raise(&state.log, &state.db, &unit, kind, &evidence)
        .await
        .expect("raised");
    let list = admin.get("/v1/suspicions?open=true").await.json();
    text_of(&list["items"][0]["id"])
}

/// Sends a file.
pub async fn upload(caller: &Caller, title: &str, bytes: Vec<u8>) -> Answer {
    let headers = [("content-type", "application/octet-stream")];
    let path = format!("/v1/files?title={title}");
    caller.send(Method::POST, &path, &headers, bytes).await
}

impl Stage {
    /// Path and body of a right request for an operation; `n` makes what is made differ. `None`
    /// for an operation nobody thought of here.
    pub fn request(&self, operation: &Operation, n: usize) -> Option<(String, Body)> {
        let at = |id: &str| operation.path.replace("{id}", id);
        let plain = || (operation.path.clone(), Body::Nothing);
        let post = |path: String, body: Value| (path, Body::Json(body));
        let here = || operation.path.clone();
        let range =
            |from: usize, to: usize| json!([{"segment_id": self.segment, "from": from, "to": to}]);
        Some(match operation.id.as_str() {
            "create_session" => post(
                here(),
                json!({"username": "aaa.admin", "password": PASSWORD}),
            ),
            "refresh_session" | "end_session" => post(here(), json!({"refresh_token": "made-up"})),
            "create_user" => post(
                here(),
                json!({
                    "username": format!("user-{n}"), "password": PASSWORD, "role": "operator",
                    "enterprise_id": self.firm.id,
                }),
            ),
            "change_user" => post(at(&self.user), json!({"disabled": false})),
            "create_enterprise" => post(
                here(),
                json!({
                    "code": format!("ENT{n}"), "name": "企业", "gs1_prefixes": [format!("{}", 880_000 + n)],
                    "fields": {"enterprise_information.enterprise_name": "甲"},
                }),
            ),
            "change_my_password" => post(
                here(),
                json!({
                    "current": PASSWORD, "new": PASSWORD,
                }),
            ),
            "get_profile" => (at("infant-formula"), Body::Nothing),
            "get_enterprise" => (at(&self.firm.id), Body::Nothing),
            "revise_enterprise" => post(
                at(&self.firm.id),
                json!({
                    "name": format!("企业 {n}"), "valid_from": "2026-01-01",
                    "fields": {"enterprise_information.enterprise_name": "甲"},
                }),
            ),
            "create_location" => post(
                here(),
                json!({
                    "code": format!("W{n}"), "kind": "warehouse", "name": "仓库",
                    "gln": gtin("952123400001"),
                    "fields": {"enterprise_information.enterprise_name": "甲"},
                }),
            ),
            "get_location" => (at(&self.plant), Body::Nothing),
            "create_badge" => post(
                here(),
                json!({"number": format!("W-{n}"), "role": "worker", "location_id": self.plant}),
            ),
            "change_badge_role" => post(
                at(&self.badge),
                json!({"role": if n.is_multiple_of(2) { "supervisor" } else { "worker" }}),
            ),
            "get_badge" | "withdraw_badge" => (at(&self.badge), Body::Nothing),
            "create_product" => post(
                here(),
                json!({
                    "code": format!("SK-{n}"), "name": "奶粉", "profile": "infant-formula",
                    "category": null, "gtin": gtin(&format!("0{}{:05}", self.prefix, 100 + n)),
                    "case_gtin": gtin(&format!("1{}{:05}", self.prefix, 100 + n)),
                    "fields": {"finished_product.product_name": "奶粉"},
                }),
            ),
            "get_product" | "publish_product" => (at(&self.product), Body::Nothing),
            "revise_product" => post(
                at(&self.product),
                json!({
                    "name": format!("奶粉 {n}"), "valid_from": "2026-01-01",
                    "fields": {"finished_product.product_name": "奶粉"},
                }),
            ),
            "create_batch" => post(
                here(),
                json!({
                    "product_id": self.product, "lot": format!("B{n}"), "plant_id": self.plant,
                    "production_date": "2026-01-15", "expiry_date": "2028-01-15",
                    "fields": {"finished_product.shelf_life": "24个月"},
                }),
            ),
            "get_batch" | "publish_batch" => (at(&self.batch), Body::Nothing),
            "revise_batch" => post(
                at(&self.batch),
                json!({
                    "fields": {"finished_product.shelf_life": format!("{}个月", 12 + n)},
                }),
            ),
            "create_file" => (
                format!("/v1/files?title=file-{n}"),
                Body::Bytes(format!("%PDF-1.4 number {n}").into_bytes()),
            ),
            "get_file" => (operation.path.replace("{hash}", &self.file), Body::Nothing),
            "create_device" => post(
                here(),
                json!({
                    "name": format!("手持 {n}"), "profile": "handheld", "location_id": self.plant,
                }),
            ),
            "get_device" | "create_device_ticket" | "close_shift" => {
                (at(&self.device), Body::Nothing)
            }
            "get_event" | "get_buyer" | "open_buyer" | "erase_buyer" => {
                (at(&self.event), Body::Nothing)
            }
            "file_buyer" => post(
                at(&self.event),
                json!({"purchase_time": "2026-01-15", "purchase_place": "上海"}),
            ),
            // Nothing stands aside on this stage.
            "get_quarantined" => (operation.path.replace("{position}", "1"), Body::Nothing),
            "admit_event" => post(
                operation.path.replace("{position}", "1"),
                json!({"note": "已核实"}),
            ),
            "revoke_device" => post(at(&self.device), json!({"reason": "遗失"})),
            "change_policy" => post(
                here(),
                json!({"duplicate_window_s": 300 + n, "list_age_s": 86_400}),
            ),
            "create_acceptance" => post(
                here(),
                json!({"partner_id": self.partner, "batch_id": self.batch, "from": n % 4}),
            ),
            // A period ends a second after the one before.
            "close_period" => post(
                here(),
                json!({"until": format!("2026-01-01T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60)}),
            ),
            "list_restatements" => (
                operation.path.replace("{position}", &self.period),
                Body::Nothing,
            ),
            // Nobody has a code or a device's key here.
            "enrol" => post(
                here(),
                json!({
                    "v": 1, "code": "0".repeat(26),
                    "key": {"kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43)},
                }),
            ),
            _ if operation.is_of_devices() => match operation.media {
                Some(_) => post(here(), json!({"v": 1})),
                None => plain(),
            },
            "create_segment" => post(
                here(),
                json!({
                    "product_id": self.product, "level": "case", "count": 10 + n,
                }),
            ),
            "print_segment" => (at(&self.segment), Body::Nothing),
            "create_commission" => post(
                here(),
                json!({
                    "batch_id": self.batch, "ranges": range(100 + n, 100 + n), "codes": [self.code],
                }),
            ),
            "create_code_destruction" => post(
                here(),
                json!({
                    "ranges": range(700 + n, 700 + n), "codes": [], "reason": "印刷模糊",
                    "method": "粉碎", "witness": "QA-07", "evidence": self.file,
                    "destroyed_on": "2026-02-01",
                }),
            ),
            "draw_qr" => ("/v1/qr.svg?code=06901234567892".into(), Body::Nothing),
            "draw_qr_png" => ("/v1/qr.png?code=06901234567892".into(), Body::Nothing),
            "open_recall" => post(
                here(),
                recall_order(&json!([self.batch]), &format!("原因 {n}"), "退回"),
            ),
            "create_link" => post(
                here(),
                json!({
                    "anchor": format!("/01/{}", gtin(&format!("0{}00001", self.prefix))),
                    "link_type": "gs1:faqs", "href": format!("https://brand.example/{n}"),
                    "title": "问题", "media_type": "text/html", "hreflang": ["zh-CN"],
                    "context": ["CN"],
                }),
            ),
            "delete_link" => (at(&self.link), Body::Nothing),
            "create_transport" => post(
                here(),
                json!({
                    "waybill_no": format!("SF-{n}-N"),
                    "limits": {"temperature": {"min": 2, "max": 8}, "vibration_max": 12.5},
                }),
            ),
            "file_readings" => post(
                at(&self.transport),
                json!({
                    "logger": format!("TL-{n}"),
                    "readings": [{"at": "2026-01-01T00:00:00Z", "humidity": 55.5, "place": "武汉"}],
                }),
            ),
            "record_measure" => post(
                at(&self.transport),
                json!({
                    "logger": "TL-1", "quantity": "temperature", "at": "2026-01-01T00:00:00Z",
                    "measure": format!("换车 {n}"),
                }),
            ),
            "list_lot_movements" => (at(&self.line.to_string()), Body::Nothing),
            "get_recall" | "get_recall_reach" => (at(&self.recall), Body::Nothing),
            "create_voice" => {
                let mut told = complaint(&self.code);
                told["content"] = json!(format!("奶粉结块 {n}"));
                post(here(), told)
            }
            "handle_voice" => post(at(&self.voice), json!({"state": "in_progress"})),
            "get_voice" | "open_voice" | "erase_voice" => (at(&self.voice), Body::Nothing),
            "get_suspicion" | "list_suspicion_queries" => (at(&self.suspicion), Body::Nothing),
            "clear_suspicion" => post(at(&self.suspicion), json!({"note": "家人多次查询"})),
            "widen_recall" => post(
                at(&self.recall),
                json!({
                    "batch_ids": [], "ranges": range(200 + n, 200 + n), "codes": [self.code],
                }),
            ),
            "close_recall" => post(at(&self.recall), json!({"note": "已处理"})),
            "get_unit" | "list_unit_contents" => (
                operation.path.replace("{code}", &encoded(&self.code)),
                Body::Nothing,
            ),
            "list_users"
            | "list_findings"
            | "count_findings"
            | "list_stock"
            | "list_expiring_stock"
            | "list_lot_balances"
            | "list_transports"
            | "list_excursions"
            | "list_enterprises"
            | "list_locations"
            | "list_badges"
            | "list_products"
            | "list_commissions"
            | "list_code_destructions"
            | "list_profiles"
            | "get_me"
            | "list_batches"
            | "list_segments"
            | "list_recalls"
            | "list_voices"
            | "list_links"
            | "list_suspicions"
            | "list_log"
            | "list_devices"
            | "list_quarantine"
            | "get_policy"
            | "list_acceptances"
            | "list_periods"
            | "confirm_clock"
            | "livez"
            | "readyz"
            | "healthz"
            | "metrics" => plain(),
            _ => return None,
        })
    }
}

/// Sends what [`Stage::request`] made, with more headers if wanted.
pub async fn call(
    caller: &Caller,
    operation: &Operation,
    path: &str,
    body: &Body,
    more: &[(&str, &str)],
) -> Answer {
    let (media, bytes) = match body {
        Body::Nothing => (None, Vec::new()),
        Body::Json(value) => (Some("application/json"), value.to_string().into_bytes()),
        Body::Bytes(bytes) => (Some("application/octet-stream"), bytes.clone()),
    };
    let mut headers: Vec<(&str, &str)> = media.map(|m| ("content-type", m)).into_iter().collect();
    headers.extend_from_slice(more);
    caller
        .send(operation.method.clone(), path, &headers, bytes)
        .await
}

/// The one who may do it: the platform for enterprises, else the tenant's administrator.
pub fn right_caller<'a>(
    operation: &Operation,
    platform: &'a Caller,
    stage: &'a Stage,
) -> &'a Caller {
    match operation.id.as_str() {
        "create_enterprise" | "list_enterprises" | "confirm_clock" | "change_policy" => platform,
        _ => &stage.firm.admin,
    }
}
