//! A page of stock is bounded in lines, however many products are at a place.

use crate::{
    scene::{Scene, settled},
    support::{ok, refused},
};
use sea_orm::ConnectionTrait;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use suyuan::{
    db::statement,
    handheld::units::{
        Kept,
        store::{UnitWrite, write_units},
    },
    stock::lines::LINES_MAX,
};
use suyuan_sync::{
    fold::{Phase, Place, UnitState},
    ids::{BatchId, LocationId},
    unit::UnitKey,
};
use suyuan_tests::on_both;
use tokio::time::timeout;
use uuid::Uuid;

/// A place, a kind and a batch, as they are told.
type Key = (String, String, Option<String>);

/// On hand, returned and claimed.
type Figures = [u64; 3];

fn unit(id: i64, key: &str, at: (&str, Phase, Option<&str>), inside: Option<i64>) -> UnitWrite {
    let (place, phase, batch) = at;
    UnitWrite {
        id,
        gseq: 1,
        key: UnitKey::kept(key),
        product: None,
        inside,
        exceptional: false,
        facts: 0,
        elsewhere: false,
        kept: Kept {
            state: UnitState {
                phase,
                place: Place::At(LocationId(place.parse().expect("an id"))),
                batch: batch.map(|id| BatchId(id.parse().expect("an id"))),
                ..UnitState::default()
            },
            ..Kept::default()
        },
    }
}

/// What `GET /v1/stock` tells page by page, each line once.
async fn walked(scene: &Scene, asked: &str) -> (BTreeMap<Key, Figures>, Vec<usize>) {
    let (mut told, mut sizes, mut more) = (BTreeMap::new(), Vec::new(), String::new());
    let mut last: Option<Key> = None;
    loop {
        let path = format!("/v1/stock?{asked}{more}");
        let page = ok(scene.firm.operator.get(&path).await);
        sizes.push(0);
        for place in page["items"].as_array().expect("places") {
            for line in place["lines"].as_array().expect("lines") {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let key = (
                    text(&place["location_id"]).expect("a place"),
                    text(&line["kind"]).expect("a kind"),
                    text(&line["batch_id"]),
                );
                // As they are told they go up: no place, kind or batch out of its turn.
                assert!(last.as_ref() < Some(&key), "{last:?} before {key:?}");
                last = Some(key.clone());
                let figures = ["on_hand", "returned", "claimed"];
                let figures = figures.map(|what| line[what].as_u64().expect("a figure"));
                told.insert(key, figures);
                *sizes.last_mut().expect("a page") += 1;
            }
        }
        let Some(next) = page["next"].as_str() else {
            return (told, sizes);
        };
        more = format!("&after={next}");
    }
}

on_both!(i29_a_page_of_stock_ends_after_so_many_lines, |app| {
    let scene = Scene::of(&app).await;
    // No event stands behind these rows: nobody may fold them.
    settled(&app).await;
    let (batch, mut rows) = (Some(&*scene.batch), Vec::new());
    let mut wanted: BTreeMap<Key, Figures> = BTreeMap::new();
    let mut add = |key: &str, (place, phase, batch): (&str, Phase, Option<&str>), inside| {
        let id = rows.len() as i64 + 1;
        rows.push(unit(id, key, (place, phase, batch), inside));
        let own_scheme = !key.starts_with('/');
        let kind = if own_scheme { &key[..3] } else { &key[..18] };
        let batch = batch.map(str::to_owned);
        let line = wanted.entry((place.to_owned(), kind.to_owned(), batch));
        let n = usize::from(phase == Phase::Returned);
        line.or_default()[n] += 1;
        id
    };
    let gtin = |n: usize| format!("/01/1{n:013}/21/");
    let case = add(
        &format!("{}C", gtin(0)),
        (&scene.store, Phase::InStock, None),
        None,
    );
    for n in 1..=3_500 {
        let there = (&*scene.warehouse, Phase::InStock, None);
        add(&format!("{}W", gtin(n)), there, None);
    }
    for n in 1..=3_000 {
        for (serial, phase, batch) in [
            ("1", Phase::InStock, None),
            ("2", Phase::InStock, batch),
            ("3", Phase::Returned, batch),
        ] {
            let code = format!("{}{serial}", gtin(n));
            add(&code, (&scene.store, phase, batch), None);
        }
        // One in three of another product in a case.
        if n % 3 == 0 {
            let there = (&*scene.store, Phase::InStock, batch);
            add(&format!("{}4", gtin(n * 2)), there, Some(case));
        }
    }
    // Where databases do not agree what comes first, unless they are told.
    for code in ["aB1.T.1", "AB2.T.1", "Ab3.T.1", "_B4.T.1"] {
        add(code, (&scene.store, Phase::InStock, None), None);
    }
    let db = &app.state().db;
    for rows in rows.chunks(2_000) {
        write_units(db.writer(), rows).await.expect("units");
    }
    // Of one product in five the firm says as well that one is there which nobody gave it.
    let own: Uuid = scene.firm.id.parse().expect("an id");
    let store: Uuid = scene.store.parse().expect("an id");
    let sql = "INSERT INTO unit_claim (unit_id, enterprise_id, location_id) \
               SELECT id, ?, ? FROM unit WHERE unit_key LIKE '/01/1%5/21/1' AND id > 1";
    let claims = statement(db.backend(), sql, [own.into(), store.into()]);
    db.writer().execute_raw(claims).await.expect("claims");
    let five = wanted
        .iter_mut()
        .filter(|((place, kind, batch), _)| {
            let product: usize = kind.get(5..).and_then(|n| n.parse().ok()).unwrap_or(0);
            *place == scene.store && kind.ends_with('5') && batch.is_none() && product <= 3_000
        })
        .map(|(_, figures)| figures[2] += 1);
    assert_eq!(five.count(), 300);

    let (told, sizes) = walked(&scene, "limit=3").await;
    println!("{:?}: {sizes:?} lines", app.engine);
    assert!(told == wanted, "{} of {}", told.len(), wanted.len());
    assert!(sizes.iter().all(|lines| *lines <= LINES_MAX), "{sizes:?}");
    assert!(sizes.len() > 2, "{sizes:?}");
    // One place at a time, and one place alone.
    assert_eq!(walked(&scene, "limit=1").await.0, told);
    let of_store = format!("location_id={}", scene.store);
    let mut there = told.clone();
    there.retain(|(place, _, _), _| *place == scene.store);
    assert_eq!(walked(&scene, &of_store).await.0, there);
    // Of one batch nothing is claimed, and all is told.
    there.retain(|(_, _, batch), _| batch.is_some());
    let of_batch = format!("{of_store}&batch_id={}", scene.batch);
    assert_eq!(walked(&scene, &of_batch).await.0, there);
    for after in ["x", "1.2", &format!("{store}."), &format!("{store}..AA")] {
        let path = format!("/v1/stock?after={after}");
        refused(scene.firm.operator.get(&path).await, "malformed-request");
    }
    app.stop().await;
});

on_both!(
    a_page_of_stock_is_one_of_the_few_reads_of_very_many_units,
    |app| {
        let scene = Scene::of(&app).await;
        let staff = &scene.firm.operator;
        let state = app.state();
        let reading = &state.handheld.reading;
        let heavy = async || reading.begin_heavy(&state.db).await.expect("a read");
        let held = [heavy().await, heavy().await];
        let pages = ["/v1/stock", "/v1/stock/expiring"];
        for path in pages {
            let waits = timeout(Duration::from_millis(500), staff.get(path)).await;
            assert!(waits.is_err(), "{path} waits for its turn");
        }
        // Nobody else does.
        ok(staff.get("/v1/stock/lots").await);
        drop(held);
        for path in pages {
            ok(staff.get(path).await);
        }
        app.stop().await;
    }
);
