//! A person complains about a tin, is answered, and takes back what they said about themselves.

use crate::support::{officer, path_of, until};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use suyuan::{
    db::{Line, statement},
    demo::Demo,
    inbox::{self, Receiver, Seals, Slot},
    voices::{receipt::Receipt, receive::Voices},
};
use suyuan_tests::{Answer, Caller, Engine, TestApp, caller::Method, on_both};
use uuid::Uuid;

const NAME: &str = "欧阳锦绣";
const CONTACT: &str = "13900001234";
const CONTENT: &str = "罐内结块并有异味";

/// Sends a form as a browser does.
async fn submit(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "text/html"),
    ];
    let body = pairs.join("&").into_bytes();
    app.consumer()
        .send(Method::POST, path, &headers, body)
        .await
}

fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "%{byte:02X}").expect("text");
        all
    })
}

/// The text between two marks of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let start = page.find(before).expect(before) + before.len();
    let rest = &page[start..];
    &rest[..rest.find(after).expect(after)]
}

/// The hidden token of the first form of a page.
fn token(page: &str) -> String {
    between(page, "name=\"form\" value=\"", "\"").to_owned()
}

fn complaint<'a>(token: &'a str, content: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("kind", "complaint"),
        ("form", token),
        ("content", content),
        ("place", "上海门店"),
        ("name", NAME),
        ("contact", CONTACT),
        ("consent", "yes"),
        ("website", ""),
    ]
}

async fn standing(app: &TestApp, receipt: &str) -> Value {
    let path = format!("/v1/public/complaints/{receipt}");
    let answer = app.consumer().get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

async fn stands_at(app: &TestApp, receipt: &str, state: &str) {
    until(state, Duration::from_secs(10), || async {
        standing(app, receipt).await["state"] == state
    })
    .await;
}

async fn only_voice(officer: &Caller) -> Value {
    let list = officer.get("/v1/voices").await.json();
    let items = list["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{list}");
    items[0].clone()
}

/// Complains through the app's call about the demo's first tin.
async fn complain(app: &TestApp, demo: &Demo) -> String {
    let told = json!({"code": demo.codes.legal[0], "content": CONTENT, "place": "上海门店",
        "name": NAME, "contact": CONTACT, "consent": true});
    let answer = app.consumer().post("/v1/public/complaints", &told).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["receipt"].as_str().expect("one").to_owned()
}

/// Every value of every row of the tables that a complaint passes through.
async fn rows(app: &TestApp) -> Vec<u8> {
    let mut all = Vec::new();
    for table in [
        "public_inbox",
        "inbox_aside",
        "voice",
        "voice_personal",
        "public_complaint",
        "log_entry",
        "idempotency",
        "query_log",
        "query_sighting",
    ] {
        let sql = format!("SELECT * FROM {table}");
        let db = &app.state().db;
        let rows = db
            .reader()
            .query_all_raw(statement(db.backend(), &sql, []))
            .await
            .expect("rows");
        for row in rows {
            for column in row.column_names() {
                if let Ok(Some(text)) = row.try_get::<Option<String>>("", &column) {
                    all.extend_from_slice(text.as_bytes());
                } else if let Ok(Some(bytes)) = row.try_get::<Option<Vec<u8>>>("", &column) {
                    all.extend_from_slice(&bytes);
                }
                all.push(b'\n');
            }
        }
    }
    all
}

fn holds(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|part| part == text.as_bytes())
}

on_both!(a_complaint_is_told_answered_and_erased, |app| {
    let demo = app.world().await;
    let tin = path_of(&demo.codes.legal[0]);
    let scan = app.consumer().page(tin).await.text();
    let link = between(&scan, "href=\"/voice", "\"").replace("&amp;", "&");
    let path = format!("/voice{link}");
    let form = app.consumer().page(&path).await;
    assert_eq!(form.status, 200, "{}", form.text());
    assert_eq!(form.header("cache-control"), "no-store");
    let token = token(&form.text());
    // Formula's standard wants to know who complains and where.
    assert!(form.text().contains("id=\"complaint-name\""));
    let name_field = form.text();
    let name_field = between(&name_field, "id=\"complaint-name\"", ">");
    assert!(name_field.contains("required"), "{name_field}");

    let told = submit(&app, &path, &complaint(&token, CONTENT)).await;
    assert_eq!(told.status, 201, "{}", told.text());
    let page = told.text();
    let receipt = between(&page, "class=\"code receipt\">", "<").to_owned();
    assert!(Receipt::parse(&receipt).is_some(), "{receipt}");
    let young = standing(&app, &receipt).await["state"].clone();
    assert!(young == "waiting" || young == "received", "{young}");
    stands_at(&app, &receipt, "received").await;

    let officer = officer(&app, &demo).await;
    let voice = only_voice(&officer).await;
    assert_eq!(voice["kind"], "complaint");
    assert_eq!(voice["entered_by"], "consumer");
    let code = voice["code"].as_str().expect("a code");
    assert!(code.contains("/21/") && tin.contains(code.rsplit('/').next().expect("a serial")));
    assert!(!voice.to_string().contains(NAME) && !voice.to_string().contains(CONTENT));
    let at = format!("/v1/voices/{}", voice["id"].as_str().expect("an id"));
    let sealed = officer.get(&at).await.json();
    assert_eq!(
        sealed["record"]["consumer_complaint.complaint_place"],
        "上海门店"
    );
    assert!(sealed["record"].get("consumer_complaint.content").is_none());
    let open = officer.post(&format!("{at}/openings"), &json!({})).await;
    assert_eq!(open.status, 200, "{}", open.text());
    let record = open.json()["record"].clone();
    assert_eq!(record["consumer_complaint.complainant"], NAME);
    assert_eq!(record["consumer_complaint.content"], CONTENT);
    let log = officer.get("/v1/log?limit=500").await.text();
    assert!(log.contains("personal_data_opened") && !log.contains(NAME));

    let steps = format!("{at}/steps");
    let step = json!({"state": "answered", "answer": "可到门店换货", "plan": "换货"});
    assert_eq!(officer.post(&steps, &step).await.status, 200);
    stands_at(&app, &receipt, "answered").await;
    assert_eq!(standing(&app, &receipt).await["answer"], "可到门店换货");
    let shown = submit(
        &app,
        "/voice/state",
        &[("receipt", &receipt.to_lowercase())],
    )
    .await;
    assert!(shown.text().contains("可到门店换货"), "{}", shown.text());

    let rated = [
        ("receipt", receipt.as_str()),
        ("step", "rate"),
        ("score", "4"),
    ];
    assert_eq!(submit(&app, "/voice/state", &rated).await.status, 200);
    let step = json!({"state": "closed", "result": "已换货"});
    assert_eq!(officer.post(&steps, &step).await.status, 200);
    let rated = || async { officer.get(&at).await.json()["voice"]["satisfaction"] == 4 };
    until("the rating", Duration::from_secs(10), rated).await;
    let record = officer.get(&at).await.json()["record"].clone();
    assert_eq!(record["consumer_complaint.handling_result"], "已换货");

    let erase = [
        ("receipt", receipt.as_str()),
        ("step", "erase"),
        ("sure", "yes"),
    ];
    assert_eq!(submit(&app, "/voice/state", &erase).await.status, 200);
    let erased = || async { standing(&app, &receipt).await["personal_data_erased"] == true };
    until("the erasure", Duration::from_secs(10), erased).await;
    let opened = officer.post(&format!("{at}/openings"), &json!({})).await;
    assert_eq!(opened.problem(), "personal-data-erased");
    let left = officer.get(&at).await.json()["record"].clone();
    assert_eq!(left["consumer_complaint.handling_result"], "已换货");
    let name = left["consumer_complaint.complainant"]
        .as_str()
        .expect("a pseudonym");
    assert!(name.starts_with("consumer-"), "{name}");
    app.stop().await;
});

on_both!(what_is_personal_is_sealed_wherever_it_rests, |app| {
    let demo = app.world().await;
    let receipt = complain(&app, &demo).await;
    stands_at(&app, &receipt, "received").await;
    // And once more, waiting, so that a message is looked at too.
    complain(&app, &demo).await;
    let all = rows(&app).await;
    assert!(holds(&all, "上海门店"), "the rows are read");
    for secret in [NAME, CONTACT, CONTENT, &receipt, &receipt.replace('-', "")] {
        assert!(!holds(&all, secret), "{secret} is in a row");
    }
    if app.engine == Engine::Sqlite {
        let file = app.database_url.strip_prefix("sqlite://").expect("a path");
        for end in ["", "-wal"] {
            let bytes = std::fs::read(format!("{file}{end}")).expect("the file");
            for secret in [NAME, CONTACT, CONTENT, &receipt.replace('-', "")] {
                assert!(!holds(&bytes, secret), "{secret} is in the file{end}");
            }
        }
    }
    app.stop().await;
});

on_both!(
    a_seal_opens_with_the_private_key_and_for_its_message_only,
    |app| {
        let seals = &app.state().seals;
        let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
        let sealed = seals
            .seal(id, "complaint", b"secret")
            .await
            .expect("a seal");
        assert!(!holds(&sealed, "secret"));
        let opened = seals.open(id, "complaint", &sealed).await.expect("opens");
        assert_eq!(&**opened, b"secret");
        assert!(seals.open(other, "complaint", &sealed).await.is_err());
        assert!(seals.open(id, "feedback", &sealed).await.is_err());
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(
                seals.open(id, "complaint", &bent).await.is_err(),
                "byte {at}"
            );
        }
        assert!(seals.open(id, "complaint", &sealed[..20]).await.is_err());
        // A new key follows; the old seal still opens.
        assert_eq!(seals.rotate(app.clock.now()).await.expect("a key"), 2);
        let newer = seals
            .seal(id, "complaint", b"secret")
            .await
            .expect("a seal");
        assert_ne!(newer[..4], sealed[..4]);
        for seal in [&newer, &sealed] {
            assert!(seals.open(id, "complaint", seal).await.is_ok());
        }
        // Whoever holds the database without the master key opens nothing.
        let key = suyuan::sealing::Sealer::generate().expect("a key");
        let thief = suyuan::sealing::Sealer::from_base64(&key).expect("a key");
        let thief = Seals::open_keys(app.state().db.clone(), thief, 0).await;
        let thief = thief.expect("the keys are there already");
        assert!(thief.open(id, "complaint", &sealed).await.is_err());
        assert!(thief.rotate(0).await.is_err(), "nothing would open again");
        app.stop().await;
    }
);

on_both!(a_form_sent_twice_is_one_complaint, |app| {
    let demo = app.world().await;
    let path = format!("/voice{}", path_of(&demo.codes.legal[0]));
    let form = token(&app.consumer().page(&path).await.text());
    let mut receipts = Vec::new();
    for content in [CONTENT, CONTENT, "另一件事"] {
        let told = submit(&app, &path, &complaint(&form, content)).await;
        let page = told.text();
        receipts.push(between(&page, "class=\"code receipt\">", "<").to_owned());
        // The second comes when the first was taken already, or still waits.
        stands_at(&app, &receipts[0], "received").await;
    }
    let digests: Vec<String> = receipts
        .iter()
        .map(|text| Receipt::parse(text).expect("a receipt").digest())
        .collect();
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
    stands_at(&app, &receipts[2], "received").await;
    let officer = officer(&app, &demo).await;
    let list = officer.get("/v1/voices").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    // What came twice was known, not broken.
    let db = &app.state().db;
    let query = statement(db.backend(), "SELECT id FROM inbox_aside", []);
    let aside = db.reader().query_all_raw(query).await.expect("rows");
    assert!(aside.is_empty());
    app.stop().await;
});

on_both!(
    a_message_nobody_can_read_is_set_aside_and_blocks_nothing,
    |app| {
        let demo = app.world().await;
        let db = &app.state().db;
        for (kind, body) in [
            ("nonsense", "{}"),
            ("complaint", "not json"),
            (
                "complaint",
                r#"{"code":"/99/x","lot":null,"place":null,"receipt":"r"}"#,
            ),
            ("erasure", r#"{"receipt":"nobody"}"#),
            ("satisfaction", r#"{"receipt":"nobody","score":9}"#),
        ] {
            let insert = statement(
                db.backend(),
                "INSERT INTO public_inbox (id, kind, at, body, sealed) VALUES (?, ?, 1, ?, ?)",
                [
                    Uuid::new_v4().into(),
                    kind.into(),
                    body.into(),
                    vec![1u8, 2].into(),
                ],
            );
            db.writer().execute_raw(insert).await.expect("an insert");
        }
        let receipt = complain(&app, &demo).await;
        stands_at(&app, &receipt, "received").await;
        let query = statement(db.backend(), "SELECT reason FROM inbox_aside", []);
        let aside = db.reader().query_all_raw(query).await.expect("rows");
        assert_eq!(aside.len(), 5);
        let query = statement(db.backend(), "SELECT id FROM public_inbox", []);
        assert!(
            db.reader()
                .query_all_raw(query)
                .await
                .expect("rows")
                .is_empty()
        );
        app.stop().await;
    }
);

/// A feature that cannot stand a message.
struct Fragile;

impl Receiver for Fragile {
    fn kinds(&self) -> &'static [&'static str] {
        &["fragile"]
    }

    fn take<'a>(
        &'a self,
        _: &'a suyuan::log::Act,
        _: &'a inbox::Message,
    ) -> futures_util::future::BoxFuture<'a, Result<inbox::Taken, inbox::TakeError>> {
        Box::pin(async { panic!("broken") })
    }
}

on_both!(a_feature_that_panics_takes_nothing_with_it, |app| {
    let state = app.state();
    let receivers: Vec<Arc<dyn Receiver>> = vec![
        Arc::new(Fragile),
        Arc::new(Voices {
            keep_days: 1,
            profiles: state.settings.codes.profiles.clone(),
        }),
    ];
    let head = suyuan::resolver::store::head(&state.db.as_reader())
        .await
        .expect("head");
    let line = Line::open(&app.database_url, &state.settings.database)
        .await
        .expect("a connection");
    let slot = Slot::new(
        state.db.as_reader(),
        Arc::new(line),
        app.clock.clone(),
        100.try_into().expect("100"),
    );
    slot.put(Uuid::new_v4(), "fragile", &json!({}), b"x")
        .await
        .expect("put");
    for _ in 0..20 {
        // The application's own round may be first; it does not know this kind either.
        inbox::take_round(&state.db, &state.log, &app.clock, &receivers)
            .await
            .expect("a round");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let query = statement(state.db.backend(), "SELECT id FROM inbox_aside", []);
    let aside = state.db.reader().query_all_raw(query).await.expect("rows");
    assert_eq!(aside.len(), 1);
    let after = suyuan::resolver::store::head(&state.db.as_reader())
        .await
        .expect("head");
    assert_eq!(head, after, "no position was taken");
    app.stop().await;
});

on_both!(
    a_full_inbox_and_a_large_message_are_refused_by_the_database,
    |app| {
        let db = &app.state().db;
        let insert = |length: usize| {
            statement(
                db.backend(),
                "INSERT INTO public_inbox (id, kind, at, body, sealed) VALUES (?, 'x', 1, '', ?)",
                [Uuid::new_v4().into(), vec![0u8; length].into()],
            )
        };
        let large = db.writer().execute_raw(insert(40_000)).await;
        let error = large.expect_err("too large").to_string();
        assert!(error.contains("inbox full"), "{error}");
        // Filled in a transaction that is given up, so that nobody takes what is in it.
        let fill: &[&str] = match app.engine {
            Engine::Sqlite => &[
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
             INSERT INTO public_inbox SELECT randomblob(16), 'x', 1, '', x'' FROM n",
            ],
            Engine::Postgres => &[
                "ALTER TABLE public_inbox DISABLE TRIGGER public_inbox_bound",
                "INSERT INTO public_inbox SELECT gen_random_uuid(), 'x', 1, '', '' \
             FROM generate_series(1, 20000)",
                "ALTER TABLE public_inbox ENABLE TRIGGER public_inbox_bound",
            ],
        };
        let tx = db.begin().await.expect("a transaction");
        for sql in fill {
            tx.execute_unprepared(sql).await.expect("filled");
        }
        let full = tx.execute_raw(insert(1)).await;
        let error = full.expect_err("full").to_string();
        assert!(error.contains("inbox full"), "{error}");
        tx.rollback().await.expect("given up");
        app.stop().await;
    }
);

on_both!(wrong_forms_are_told_what_is_wrong, |app| {
    let demo = app.world().await;
    let path = format!("/voice{}", path_of(&demo.codes.legal[0]));
    let page = app.consumer().page(&path).await.text();
    let form = token(&page);
    let with = |field: &'static str, value: &'static str| {
        let mut fields = vec![
            ("kind", "complaint"),
            ("content", "<script>alert(1)</script>"),
            ("place", "上海"),
            ("name", "\"><b>王"),
            ("contact", ""),
            ("consent", "yes"),
        ];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        fields
    };
    for (field, value) in [
        ("content", ""),
        ("place", " "),
        ("name", ""),
        ("consent", ""),
    ] {
        let mut fields = with(field, value);
        fields.push(("form", &form));
        let told = submit(&app, &path, &fields).await;
        assert_eq!(told.status, 422, "{field}: {}", told.text());
        let page = told.text();
        assert!(page.contains("aria-invalid=\"true\""), "{field}");
        assert!(
            !page.contains("<script") && !page.contains("<b>"),
            "{field}"
        );
        // What was typed is given back.
        assert!(
            field == "name" || page.contains("&#62;&#60;b&#62;王"),
            "{field} {page}"
        );
    }
    for fields in [
        with("website", "http://x"),
        with("kind", "other"),
        with("form", "1"),
    ] {
        let mut fields = fields;
        if !fields.iter().any(|(name, _)| *name == "form") {
            fields.push(("form", &form));
        }
        let told = submit(&app, &path, &fields).await;
        assert_eq!(told.status, 400, "{}", told.text());
    }
    let huge = "x".repeat(17_000);
    let told = submit(&app, &path, &[("content", huge.as_str())]).await;
    assert_eq!(told.status, 413, "{}", told.text());
    for bad in ["/voice/01/123", "/voice/x", "/voice/", "/voice/01/%00/21/x"] {
        let answer = app.consumer().page(bad).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text());
    }
    app.stop().await;
});

on_both!(wrong_calls_are_refused_by_name, |app| {
    let demo = app.world().await;
    let right = json!({"code": demo.codes.legal[0], "content": "x", "place": "y", "name": "z",
        "consent": true});
    let nobody = Uuid::now_v7().to_string();
    for (field, value, status, code) in [
        ("consent", json!(false), 422, "invalid-fields"),
        ("content", json!("字".repeat(1001)), 422, "invalid-fields"),
        ("content", json!("a\u{202e}b"), 422, "invalid-fields"),
        ("name", json!("a\nb"), 422, "invalid-fields"),
        ("place", Value::Null, 422, "invalid-fields"),
        ("request_id", json!(nobody), 422, "invalid-fields"),
        ("code", json!("nonsense"), 400, "malformed-code"),
        ("surprise", json!(1), 400, "malformed-body"),
    ] {
        let mut body = right.clone();
        body[field] = value;
        let answer = app.consumer().post("/v1/public/complaints", &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, code),
            "{field}"
        );
    }
    let feedback = json!({"code": demo.codes.legal[0], "content": "好喝", "consent": true,
        "place": "网店", "bought_at": "2026-02-30"});
    let answer = app.consumer().post("/v1/public/feedback", &feedback).await;
    assert_eq!(answer.json()["errors"][0]["field"], "bought_at");
    // A care product's standard asks for nothing but the text.
    let care = json!({"code": demo.codes.care[0], "content": "好用", "consent": true});
    let answer = app.consumer().post("/v1/public/feedback", &care).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    for path in ["/v1/public/complaints", "/v1/public/feedback"] {
        let answer = app.consumer().get(path).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "POST, OPTIONS")
        );
        let caller = app.consumer();
        let asked = caller.send(Method::OPTIONS, path, &[], Vec::new()).await;
        assert_eq!(asked.status, 204, "{path}");
    }
    app.stop().await;
});

on_both!(a_receipt_nobody_was_given_is_unknown, |app| {
    let demo = app.world().await;
    // Young: it may still be on its way in, and that is all that is said.
    let young = suyuan::voices::receipt::give(Uuid::new_v4(), b"x", app.clock.now());
    assert_eq!(
        standing(&app, &young.receipt.to_string()).await["state"],
        "waiting"
    );
    let path = |receipt: &str, rest: &str| format!("/v1/public/complaints/{receipt}{rest}");
    let erase = path(&young.receipt.to_string(), "/erasure");
    let answer = app.consumer().post(&erase, &json!({})).await;
    assert_eq!(
        (answer.status, answer.problem()),
        (409, "wrong-step".into())
    );
    assert!(!answer.header("retry-after").is_empty());
    // Old: everything told before was taken in since.
    let old = app.clock.now() - 3_600_000_000;
    let old = suyuan::voices::receipt::give(Uuid::new_v4(), b"x", old);
    let old = old.receipt.to_string();
    let unknown = || async { app.consumer().get(&path(&old, "")).await.status == 404 };
    until("unknown", Duration::from_secs(10), unknown).await;
    let typed = submit(&app, "/voice/state", &[("receipt", &old)]).await;
    assert_eq!(typed.status, 404, "{}", typed.text());
    for bad in ["x", "00000-00000", "%00", "A/B"] {
        let answer = app.consumer().get(&path(bad, "")).await;
        assert_eq!(answer.status, 404, "{bad}: {}", answer.text());
    }
    // Not answered yet: nothing to rate.
    let receipt = complain(&app, &demo).await;
    stands_at(&app, &receipt, "received").await;
    let rate = path(&receipt, "/satisfaction");
    let answer = app.consumer().post(&rate, &json!({"score": 5})).await;
    assert_eq!(answer.problem(), "wrong-step");
    app.stop().await;
});

#[actix_web::test]
async fn a_process_puts_only_so_many_messages() {
    let few = [("inbox.per_second", "1")];
    let app = TestApp::spawn_with(Engine::Sqlite, &few).await;
    let demo = app.world().await;
    let mut refused = 0;
    for _ in 0..14 {
        let told = json!({"code": demo.codes.legal[0], "content": CONTENT, "place": "上海",
            "name": NAME, "consent": true});
        let answer = app.consumer().post("/v1/public/complaints", &told).await;
        if answer.status == 429 {
            assert_eq!(answer.problem(), "too-many-requests");
            refused += 1;
        }
    }
    assert!((2..=4).contains(&refused), "{refused} of 14");
    app.stop().await;
}
