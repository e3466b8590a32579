//! GS1-Conformant Resolver 1.2, told like its checklist: names begin with the number of a check of
//! GS1's test suite, or with the clause of the standard beyond it. One file a group.

mod doctor;
mod errors;
mod hostile;
mod levels;
mod links;
mod linkset;
mod service;

use crate::support::{officer, path_of};
use serde_json::{Value, json};
use suyuan::demo::Demo;
use suyuan_tests::{Answer, Caller, TestApp, caller::Method};

pub const VOCABULARY: &str = "https://ref.gs1.org/voc/";

/// A tin with links: one default link, several types, one type in two languages, two links alike
/// in everything, one meant for a context, one at its batch, one at its serial.
pub struct Stage {
    pub app: TestApp,
    pub demo: Demo,
    pub officer: Caller,
    /// Path of the tin: GTIN, batch, serial.
    pub tin: String,
    /// Path of its product.
    pub product: String,
    /// Path of its batch.
    pub batch: String,
    /// Path of its serial, as links are registered for it.
    pub serial: String,
}

/// A link as it is registered.
pub fn link(anchor: &str, kind: &str, href: &str) -> Value {
    json!({"anchor": anchor, "link_type": kind, "href": href, "title": format!("to {href}")})
}

impl Stage {
    pub async fn set(app: TestApp) -> Stage {
        let demo = app.world().await;
        let officer = officer(&app, &demo).await;
        let tin = path_of(&demo.codes.legal[0]);
        let tin = tin.split('?').next().expect("a path").to_owned();
        let parts: Vec<&str> = tin.split('/').collect();
        let product = format!("/01/{}", parts[2]);
        let stage = Stage {
            batch: format!("{product}/10/{}", parts[4]),
            serial: format!("{product}/21/{}", parts[6]),
            product,
            tin: tin.clone(),
            app,
            demo,
            officer,
        };
        let of = |kind: &str, href: &str| link(&stage.product, kind, href);
        let mut zh = of("gs1:instructions", "https://brand.example/zh/how");
        zh["hreflang"] = json!(["zh-CN", "zh"]);
        let mut en = of("gs1:instructions", "https://brand.example/en/how");
        en["hreflang"] = json!(["en"]);
        let mut here = of("gs1:promotion", "https://brand.example/cn/promotion");
        here["context"] = json!(["CN"]);
        let mut pdf = of("gs1:safetyInfo", "https://brand.example/safety.pdf");
        pdf["media_type"] = json!("application/pdf");
        let mut html = of("gs1:safetyInfo", "https://brand.example/safety");
        html["media_type"] = json!("text/html");
        for new in [
            of("gs1:homepage", "https://brand.example/?from=tin"),
            zh,
            en,
            here,
            of("gs1:promotion", "https://brand.example/promotion"),
            pdf,
            html,
            of("gs1:socialMedia", "https://one.example/"),
            of("gs1:socialMedia", "https://two.example/"),
            of(
                "https://brand.example/voc/club",
                "https://brand.example/club",
            ),
            link(
                &stage.batch,
                "gs1:certificationInfo",
                "https://brand.example/certificate",
            ),
            link(&stage.serial, "gs1:epcis", "https://brand.example/events"),
        ] {
            stage.register(&new).await;
        }
        stage.app.settled().await;
        stage
    }

    pub async fn register(&self, new: &Value) -> String {
        let answer = self.officer.post("/v1/links", new).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The address of a path on this resolver.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.app.public_url)
    }

    /// A request without wishes, as the suite makes it; not counted as a consumer's.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(path, &[("accept", "*/*")]).await
    }

    pub async fn get_as(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("user-agent", "suyuan-test-monitor")];
        all.extend_from_slice(headers);
        self.app.consumer().get_with(path, &all).await
    }

    pub async fn linkset(&self, path: &str) -> Value {
        let answer = self.get(&format!("{path}?linkType=linkset")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Where a link type of the tin leads.
    pub async fn leads(&self, query: &str, headers: &[(&str, &str)]) -> String {
        let answer = self.get_as(&format!("{}?{query}", self.tin), headers).await;
        format!("{} {}", answer.status, answer.header("location"))
    }

    pub async fn preflight(&self, path: &str) -> Answer {
        let headers = [
            ("origin", "https://other.example"),
            ("access-control-request-method", "GET"),
        ];
        let consumer = self.app.consumer();
        consumer
            .send(Method::OPTIONS, path, &headers, Vec::new())
            .await
    }
}

/// Holds a body to a schema.
pub fn valid(schema: &str, body: &Value) {
    let schema = serde_json::from_str(schema).expect("a schema");
    let validator = jsonschema::draft7::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    let faults: Vec<String> = validator.iter_errors(body).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{body:#}");
}

pub const LINKSET_SCHEMA: &str = include_str!("linkset.schema.json");
pub const DESCRIPTION_SCHEMA: &str = include_str!("description.schema.json");
