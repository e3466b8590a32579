//! What happens in a story besides that somebody states something: what people decide, what comes on record, what
//! is waited for no longer, and how little room there is. What is refused does not happen.

use super::stage::{LATE, Stage};
use crate::{
    scene::key,
    support::{product, text_of},
};
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use suyuan::{
    handheld::{aside::tend, units::folding::FACTS_MAX},
    log::Actor,
    registry::locations::{
        store as locations,
        wire::{LocationKind, LocationOut},
    },
};
use suyuan_tests::{Answer, TestApp, recall_order};

impl Stage {
    /// Something happens.
    pub async fn happens(&mut self, app: &TestApp, words: &[&str]) {
        let (verb, of) = (words[0], &words[1..]);
        let state = app.state();
        let ingest = &state.handheld.ingest;
        match verb {
            "asks" => {
                let teller = self.tellers.get_mut(of[0]).expect("a teller");
                teller.asks().await;
            }
            "pulls" => {
                let teller = self.tellers.get_mut(of[0]).expect("a teller");
                teller.pulls().await;
            }
            "copies" => self.copies(app),
            "released" => {
                let done = tend::groups(&state.db, ingest, i64::MAX).await;
                done.expect("groups");
            }
            "gaps" => {
                let done = tend::gaps(&state.db, ingest, i64::MAX).await;
                done.expect("gaps");
            }
            "narrow" => {
                let most: usize = of[0].parse().expect("a number");
                let narrow = ingest.with_engine(move |engine| {
                    engine.narrow(most);
                    async {}.boxed()
                });
                narrow.await.expect("the engine");
            }
            "full" => self.fills_up(app, of).await,
            "files" if of == ["place"] => self.files_the_place(app).await,
            _ => {
                let answer = self.decides(verb, of).await;
                let answer = answer.expect("something that can happen");
                assert!(answer.status < 500, "{words:?}: {}", answer.text());
            }
        }
    }

    /// As if there were more to read about these than an act may; about all, if none is named.
    async fn fills_up(&self, app: &TestApp, of: &[&str]) {
        let codes = of.iter().filter_map(|name| self.code(name));
        let keys: Vec<String> = codes.map(|code| format!("'{}'", key(&code))).collect();
        let these = format!(" WHERE unit_key IN ({})", keys.join(", "));
        let these = if of.is_empty() { "" } else { &these };
        let sql = format!("UPDATE unit SET facts = {}{these}", FACTS_MAX + 1);
        let tx = app.state().db.begin().await.expect("a transaction");
        for sql in ["UPDATE log_head SET gseq = gseq", &sql] {
            tx.execute_unprepared(sql).await.expect("rows");
        }
        tx.commit().await.expect("a commit");
    }

    /// The place that was named before comes on record: it is the partner's.
    async fn files_the_place(&self, app: &TestApp) {
        let place = LocationOut {
            id: self.late,
            code: "S-9".into(),
            kind: LocationKind::Store,
            name: "店".into(),
            gln: None,
            fields: json!({}),
        };
        let owner = self.partner.id.parse().expect("an id");
        // A second time it is refused.
        let _ = locations::create(&app.state().log, Actor::System, None, owner, place).await;
    }

    /// What people decide and put on record.
    async fn decides(&mut self, verb: &str, of: &[&str]) -> Option<Answer> {
        let admin = &self.scene.firm.admin;
        let recall = |at: &str| {
            let at = at.parse::<usize>().ok();
            let found = at.and_then(|at| self.recalls.get(at));
            found.cloned().unwrap_or_else(|| self.scene.batch.clone())
        };
        let codes = |names: &[&str]| -> Vec<String> {
            names.iter().filter_map(|name| self.code(name)).collect()
        };
        Some(match verb {
            "recalls" => {
                let batches: Vec<&String> =
                    of.iter().filter_map(|lot| self.batches.get(*lot)).collect();
                let mut order = recall_order(&json!(batches), "r", "i");
                order["codes"] = json!(codes(of));
                let answer = admin.post("/v1/recalls", &order).await;
                if answer.status == 201 {
                    self.recalls.push(text_of(&answer.json()["id"]));
                }
                answer
            }
            "widens" => {
                let path = format!("/v1/recalls/{}/widen", recall(of[0]));
                let more = json!({"codes": codes(&of[1..])});
                admin.post(&path, &more).await
            }
            "closes" | "mistaken" => {
                let path = format!("/v1/recalls/{}/close", recall(of[0]));
                let how = json!({"note": "n", "mistaken": verb == "mistaken"});
                admin.post(&path, &how).await
            }
            "accepts" => {
                // Of the partner's goods the partner accepts the maker.
                let theirs = of[0].starts_with(['s', 'z']) || of[0] == "M1";
                let (who, whom) = if theirs {
                    (&self.partner.admin, &self.scene.firm.id)
                } else {
                    (admin, &self.partner.id)
                };
                let mut accept = json!({"partner_id": whom});
                if let Some(code) = self.code(of[0]) {
                    accept["unit"] = json!(code);
                } else if let Some(batch) = self.batches.get(of[0]) {
                    accept["batch_id"] = json!(batch);
                }
                who.post("/v1/acceptances", &accept).await
            }
            "revokes" => {
                let device = self.tellers[of[0]].device.device;
                let path = format!("/v1/devices/{device}/revoke");
                let why = json!({"reason": "stolen"});
                self.scene.firm.operator.post(&path, &why).await
            }
            "admits" => {
                let listed = admin.get("/v1/quarantine").await;
                let items = listed.json()["items"].clone();
                let at: usize = of[0].parse().expect("a number");
                let Some(position) = items[at]["position"].as_i64() else {
                    return Some(listed);
                };
                let path = format!("/v1/quarantine/{position}/admit");
                admin.post(&path, &json!({"note": "n"})).await
            }
            "commissions" => {
                let ranges: Vec<Value> = of[1..].iter().filter_map(|n| self.range(n)).collect();
                let body = json!({"batch_id": self.batches.get(of[0]), "ranges": ranges});
                admin.post("/v1/commissions", &body).await
            }
            "voids" => {
                let body = json!({
                    "ranges": [], "codes": codes(of), "reason": "r", "method": "m",
                    "witness": "w", "destroyed_on": "2026-01-01",
                });
                admin.post("/v1/code-destructions", &body).await
            }
            "files" if of == ["product"] => {
                let products = admin.get("/v1/products").await;
                if products.text().contains("CM-9") {
                    return Some(products);
                }
                product(admin, "CM-9", LATE).await;
                products
            }
            // Whose pallets `f0`… turn out to be.
            "files" if of == ["firm"] => {
                let firm = json!({"code": "LATE", "name": "企业", "gs1_prefixes": ["0614141"]});
                self.platform.post("/v1/enterprises", &firm).await
            }
            "policy" => {
                let window: i64 = of[0].parse().expect("a number");
                let policy = json!({"duplicate_window_s": window, "list_age_s": 3600});
                self.platform.post("/v1/policy", &policy).await
            }
            "files" => {
                let of_product = json!({
                    "product_id": self.product, "lot": of[0], "production_date": "2026-01-15",
                });
                let answer = admin.post("/v1/batches", &of_product).await;
                if answer.status == 201 {
                    let id = text_of(&answer.json()["id"]);
                    self.batches.insert(of[0].to_owned(), id);
                }
                answer
            }
            "shift" => {
                let device = self.tellers[of[0]].device.device;
                let path = format!("/v1/devices/{device}/shift-closures");
                self.scene.firm.operator.post(&path, &json!({})).await
            }
            "badge" => {
                let body = json!({
                    "number": of[0], "role": "worker", "location_id": self.place(of[1]),
                });
                admin.post("/v1/badges", &body).await
            }
            _ => return None,
        })
    }
}
