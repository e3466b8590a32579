//! Where stories play: goods, places, and devices that say when things happened. Knows what the words of a line
//! mean to a device; what people and time do knows `happens`.
//!
//! Goods: tins `t0`… and cases `c0`… of the batch L7; tins `u0`… and cases `v0`… that are printed and in no batch
//! (L8 has expired, L9 is filed late, if ever); pallets `p0`…; pallets of nobody on record `f0`…; tins `x0`… of a product that is filed late, if ever; tins
//! `s0`… and cases `z0`… of the partner, of its batch M1.

use super::{
    script::{Line, TELLERS},
    teller::Teller,
};
use crate::{
    scene::{GTIN, Scene, enrolled, scanned, settled},
    support::{Firm, PASSWORD, batch, firm, gtin, id, made, number, product, segment, text_of},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use suyuan_sync::trace_code::check_digit;
use suyuan_tests::{Caller, TestApp};
use uuid::Uuid;

/// Milliseconds between two instants: what anchors are off by is less.
const APART: i64 = 5;

/// The first digits of the product that is filed late, and of the partner's.
pub const LATE: &str = "0952123400003";
const PARTNERS: &str = "0952123500001";

/// Printed codes, of a segment from its first number on.
pub struct Printed {
    /// Which segment.
    pub segment: Value,
    /// As printed.
    pub codes: Vec<String>,
}

/// See the file's header.
pub struct Stage {
    /// The maker's.
    pub scene: Scene,
    /// Who runs the platform.
    pub platform: Caller,
    /// The maker's product.
    pub product: String,
    /// Its partner.
    pub partner: Firm,
    /// The partner's shop.
    pub shop: String,
    /// A place that is filed late, if ever.
    pub late: Uuid,
    /// Codes by the letter of their name.
    pub printed: BTreeMap<char, Printed>,
    /// Devices by their names.
    pub tellers: BTreeMap<String, Teller>,
    /// Batches by their lots.
    pub batches: BTreeMap<String, String>,
    /// Recalls, in their order.
    pub recalls: Vec<String>,
    /// Where another process listens, which hears every other push.
    pub other: Option<String>,
    heard: usize,
    begun: jiff::Timestamp,
    groups: BTreeMap<String, Uuid>,
}

/// The codes of a segment.
async fn printed(admin: &Caller, segment: Value) -> Printed {
    let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
    let printed = admin.get(&path).await.text();
    let lines = printed.lines().skip(1);
    let urls = lines.filter_map(|line| line.rsplit(',').next());
    Printed {
        codes: urls.map(str::to_owned).collect(),
        segment,
    }
}

impl Stage {
    /// Makes it, for a story that lasts so many instants.
    pub async fn of(app: &TestApp, lasts: i64) -> Stage {
        let scene = Scene::of(app).await;
        let platform = app.signed_in("platform.admin", PASSWORD).await;
        let partner = firm(app, &platform, "SHEN", &["9521235"]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
        let shop = id(&made(partner.admin.post("/v1/locations", &shop).await));
        let mut tellers = BTreeMap::new();
        for (name, place) in TELLERS.into_iter().zip([
            &scene.plant,
            &scene.plant,
            &scene.warehouse,
            &scene.store,
            &scene.store,
            &shop,
        ]) {
            let staff = [&scene.firm.operator, &partner.operator][usize::from(name == "shop")];
            let device = enrolled(app, staff, place).await;
            tellers.insert(name.to_owned(), Teller::of(device));
        }
        let admin = &scene.firm.admin;
        let products = admin.get("/v1/products").await.json();
        let own = text_of(&products["items"][0]["id"]);
        let mut codes = BTreeMap::new();
        let pallets = json!({"gs1_prefix": "9521234", "count": 3});
        let pallets = made(admin.post("/v1/segments", &pallets).await);
        codes.insert('p', printed(admin, pallets).await);
        codes.insert('u', printed(admin, segment(admin, &own, 4).await).await);
        let cases = json!({"product_id": own, "count": 2, "level": "case"});
        let cases = made(admin.post("/v1/segments", &cases).await);
        codes.insert('v', printed(admin, cases).await);
        let expired = json!({
            "product_id": own, "lot": "L8", "production_date": "2026-01-15",
            "expiry_date": "2026-02-01",
        });
        let other = id(&made(admin.post("/v1/batches", &expired).await));
        // The partner's own.
        let admin = &partner.admin;
        let theirs = product(admin, "SM-1", PARTNERS).await;
        let of_partner = batch(admin, &theirs, "M1").await;
        let cases = json!({"product_id": theirs, "count": 2, "level": "case"});
        let cases = made(admin.post("/v1/segments", &cases).await);
        for (name, segment) in [('s', segment(admin, &theirs, 3).await), ('z', cases)] {
            let ranges = json!([{"segment_id": segment["id"]}]);
            let body = json!({"batch_id": of_partner, "ranges": ranges});
            made(admin.post("/v1/commissions", &body).await);
            codes.insert(name, printed(admin, segment).await);
        }
        let batches = [("L7", &scene.batch), ("L8", &other), ("M1", &of_partner)];
        let batches = batches.map(|(lot, id)| (lot.to_owned(), id.clone()));
        let mut stage = Stage {
            product: own,
            partner,
            shop,
            late: Uuid::now_v7(),
            printed: codes,
            tellers,
            batches: batches.into(),
            recalls: Vec::new(),
            other: None,
            heard: 0,
            begun: jiff::Timestamp::now(),
            groups: BTreeMap::new(),
            scene,
            platform,
        };
        settled(app).await;
        for teller in stage.tellers.values_mut() {
            teller.asks().await;
        }
        stage.begun = jiff::Timestamp::now();
        let waits = u64::try_from((lasts + 2) * APART).expect("a while");
        tokio::time::sleep(Duration::from_millis(waits)).await;
        stage
    }

    /// The code of goods of this name; none if it is no name of goods.
    pub fn code(&self, name: &str) -> Option<String> {
        let mut letters = name.chars();
        let kind = letters.next()?;
        let n: usize = letters.as_str().parse().ok()?;
        let code = match kind {
            't' => self.scene.tins[n].clone(),
            'c' => self.scene.cases[n].clone(),
            'x' => format!("https://id.example.cn/01/{}/21/A-{n}", gtin(LATE)),
            'f' => {
                let body = format!("00614141{n:09}");
                let check = check_digit(&body).expect("digits");
                format!("(00){body}{check}")
            }
            _ => self.printed.get(&kind)?.codes.get(n)?.clone(),
        };
        Some(code)
    }

    /// The place of this name.
    pub fn place(&self, name: &str) -> Option<String> {
        Some(match name {
            "plant" | "line" => self.scene.plant.clone(),
            "house" | "twin" => self.scene.warehouse.clone(),
            "store" | "till" => self.scene.store.clone(),
            "shop" => self.shop.clone(),
            "late" => self.late.to_string(),
            _ => return None,
        })
    }

    /// Somebody states something.
    pub fn says(&mut self, line: &Line) {
        let words = line.words();
        let (who, kind) = (words[0], words[2]);
        let mut said = json!({"doc": {"no": "D-1"}});
        let mut named = Vec::new();
        let mut lots = Vec::new();
        for word in &words[3..] {
            if let Some(code) = self.code(word) {
                named.push(code);
            } else if let Some((lot, qty)) = word.split_once('*') {
                lots.push(line_of_goods(lot, qty));
            } else {
                self.also(&mut said, word);
            }
        }
        let mut units: Vec<&String> = named.iter().collect();
        if ["pack", "unpack"].contains(&kind) && !units.is_empty() {
            said["parent"] = json!({"code": units.remove(0), "input": "wedge"});
        }
        said["units"] = scanned(&units);
        said["lots"] = json!(lots);
        let at = self.begun + jiff::Span::new().milliseconds(line.at() * APART);
        let teller = self.tellers.get_mut(who).expect("a teller");
        teller.states(kind, said, at);
    }

    /// What else a word of it says.
    fn also(&mut self, said: &mut Value, word: &str) {
        match word.split_once(':').unwrap_or((word, "")) {
            ("to" | "from", place) => {
                let place = self.place(place).expect("a place");
                said["counterpart"] = json!({"type": "location", "id": place});
            }
            ("doc", no) => said["doc"]["no"] = json!(format!("D-{no}")),
            ("as", disposition) => said["disposition"] = json!(disposition),
            ("by", "boss") => {
                said["actor"] = json!({"id": "boss", "proof": "badge", "supervisor": true});
            }
            ("by", actor) => said["actor"] = json!({"id": actor, "proof": "pin"}),
            ("batch", lot) => said["body"]["batch"] = json!(lot),
            ("complete", _) => said["body"]["scope"] = json!({"complete": true}),
            ("accepted", _) => said["body"]["accepted"] = json!(true),
            // `g1:2/3`: the second of three of a group; with `!` of a correction.
            (group, of) if group.starts_with('g') && of.contains('/') => {
                let correct = of.ends_with('!');
                let (n, of) = of.trim_end_matches('!').split_once('/').expect("of");
                let number = |text: &str| text.parse::<u32>().expect("a number");
                let id = *self.groups.entry(group.into()).or_insert_with(Uuid::now_v7);
                said["group"] = json!({"id": id, "n": number(n), "of": number(of)});
                if correct {
                    said["group"]["correct"] = json!(true);
                }
            }
            _ => {
                let (who, at) = word.split_once('#').expect("a word that is known");
                let texts = &self.tellers[who].texts;
                let at: usize = at.parse().expect("a number");
                let text: Value = serde_json::from_str(&texts[at]).expect("an event");
                said["target"] = text["event_id"].clone();
            }
        }
    }

    /// The server hears what somebody stated.
    pub async fn hears(&mut self, who: &str, of: std::ops::Range<usize>) {
        let teller = self.tellers.get_mut(who).expect("a teller");
        self.heard += 1;
        let other = self.other.as_deref();
        let other = other.filter(|_| self.heard.is_multiple_of(2));
        teller.pushes(of, other).await;
    }

    /// Somebody makes a copy of the house's device, as it is.
    pub fn copies(&mut self, app: &TestApp) {
        let twin = self.tellers["house"].copy(&app.internal_url);
        self.tellers.insert("twin".into(), twin);
    }

    /// The range of a printed code, as `/v1/commissions` takes it.
    pub fn range(&self, name: &str) -> Option<Value> {
        let printed = self.printed.get(&name.chars().next()?)?;
        let at = number(&printed.segment["from"]) + name[1..].parse::<u64>().ok()?;
        Some(json!({"segment_id": printed.segment["id"], "from": at, "to": at}))
    }
}

/// Goods of a lot: `L7*5`, `?*5` of no lot, `x/L1*5` of the product that is filed late.
fn line_of_goods(lot: &str, qty: &str) -> Value {
    let qty: u64 = qty.parse().expect("a number");
    let (body, lot) = match lot.split_once('/') {
        Some(("x", lot)) => (LATE, lot),
        Some((_, lot)) => (PARTNERS, lot),
        None => (GTIN, lot),
    };
    match lot {
        "?" => json!({"gtin": gtin(body), "qty": qty}),
        lot => json!({"gtin": gtin(body), "lot": lot, "qty": qty}),
    }
}
