//! Which batch a unit is of comes of its events: when another one comes of them, the recalls of that one are
//! asked for (`refolds` tells of what is recalled itself).

use crate::{
    known::printed,
    refolds::{id_of, recalled},
    scene::{Scene, holds, open, sale, scanned, settled, unit},
    support::{batch, ok, segment, text_of},
};
use serde_json::json;
use suyuan_sync::fold::Phase;
use suyuan_tests::{Handheld, on_both};

/// Another batch of the scene's product, and the codes of tins that are not commissioned on record.
pub async fn uncommissioned(scene: &Scene) -> (String, Vec<String>) {
    let admin = &scene.firm.admin;
    let products = ok(admin.get("/v1/products").await);
    let product = text_of(&products["items"][0]["id"]);
    let other = batch(admin, &product, "L8").await;
    let segment = segment(admin, &product, 3).await;
    (other, printed(admin, &segment).await)
}

/// One line commissions a tin to one batch, then another line to the other: what the first one said.
pub async fn commissioned_twice(
    tin: &String,
    first: &mut Handheld,
    second: &mut Handheld,
) -> String {
    let says = |batch: &str| json!({"units": scanned(&[tin]), "body": {"batch": batch}});
    let said = first.event("commission", &says("L7"));
    first.push(std::slice::from_ref(&said)).await;
    let event = second.event("commission", &says("L8"));
    second.push(&[event]).await;
    id_of(&said)
}

on_both!(
    c9_goods_that_come_to_be_of_a_recalled_batch_are_under_its_recall,
    |app| {
        let scene = Scene::of(&app).await;
        let (other, tins) = uncommissioned(&scene).await;
        let [sold, back] = [&tins[0], &tins[1]];
        let mut first = scene.device(&app, &scene.plant).await;
        let mut second = scene.device(&app, &scene.plant).await;
        let mut till = scene.device(&app, &scene.store).await;
        let mut struck = Vec::new();
        for tin in [sold, back] {
            struck.push(commissioned_twice(tin, &mut first, &mut second).await);
        }
        recalled(&scene, &other).await;
        settled(&app).await;
        till.push(&[]).await;
        let sells = till.event("sale", &sale(&[sold, back]));
        let returns = till.event("return", &json!({"units": scanned(&[back])}));
        till.push(&[sells, returns]).await;
        assert!(!open(&app, sold).await.contains(&"SOLD_RECALLED"));
        // The first line says that it was mistaken.
        for target in struck {
            let event = first.event("retract", &json!({"target": target}));
            first.push(&[event]).await;
        }
        settled(&app).await;
        assert!(open(&app, sold).await.contains(&"SOLD_RECALLED"));
        assert_eq!(unit(&app, back).await.kept.state.phase, Phase::Collected);
        holds(&app, "after another commission counts").await;
        app.stop().await;
    }
);
