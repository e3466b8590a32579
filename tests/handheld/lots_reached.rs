//! The reach of a recall of goods of a lot: what those say whom the goods reached, and apart from it what
//! anybody else says of the lot.

use crate::{
    enrolment::place,
    lots_recalled::{of, recalled, sold},
    scene::{Scene, enrolled, settled},
    support::{PASSWORD, firm, made, ok},
};
use serde_json::{Value, json};
use suyuan_tests::on_both;

on_both!(i17_a_strangers_word_of_a_lot_is_told_apart, |app| {
    let scene = Scene::of(&app).await;
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let mut firms = Vec::new();
    for code in ["SHEN", "HENG", "BETA"] {
        let firm = firm(&app, &platform, code, &[]).await;
        let shop = place(&firm.operator, "S-1", "store").await;
        let till = enrolled(&app, &firm.operator, &shop).await;
        firms.push((firm, shop, till));
    }
    let (mut holder, mut second, mut strange) = {
        let [a, b, c] = <[_; 3]>::try_from(firms).map_err(drop).expect("three");
        (a, b, c)
    };
    let mut plant = scene.device(&app, &scene.plant).await;
    let to_holder = json!({"type": "enterprise", "id": holder.0.id});
    let to_second = json!({"type": "location", "id": second.1});
    let made_here = [
        plant.event("commission", &json!({"lots": of("L7", 100)})),
        plant.event(
            "outbound",
            &json!({"lots": of("L7", 40), "counterpart": to_holder}),
        ),
    ];
    plant.push(&made_here).await;
    let came = |qty: u64| json!({"lots": of("L7", qty), "doc": {"no": "D-1"}});
    let sent_on = [
        holder.2.event("inbound", &came(40)),
        holder.2.event(
            "outbound",
            &json!({"lots": of("L7", 10), "counterpart": to_second}),
        ),
    ];
    holder.2.push(&sent_on).await;
    let arrived = [
        second.2.event("inbound", &came(10)),
        second.2.event("sale", &sold(4)),
    ];
    second.2.push(&arrived).await;
    // It even says that the maker sent it, and sends some to the maker: that links nobody but the maker.
    let maker = json!({"type": "enterprise", "id": scene.firm.id});
    let mut invented = came(1_000_000);
    invented["counterpart"] = maker.clone();
    let word = [
        strange.2.event("inbound", &invented),
        strange.2.event("sale", &sold(900_000)),
        strange.2.event("collect", &json!({"lots": of("L7", 70)})),
        strange.2.event(
            "outbound",
            &json!({"lots": of("L7", 30), "counterpart": maker}),
        ),
    ];
    strange.2.push(&word).await;
    let recall = recalled(&scene, &[&scene.batch]).await;
    settled(&app).await;
    let path = format!("/v1/recalls/{recall}/reach");
    let reach = ok(scene.firm.admin.get(&path).await);
    let figures = |reach: &Value, wanted: &[(&str, i64)]| {
        for (name, wanted) in wanted {
            assert_eq!(reach["lot_totals"][0][name], *wanted, "{name} of {reach}");
        }
    };
    let others = [
        ("made", 100),
        ("shipped", 50),
        ("received", 50),
        ("sold", 4),
    ];
    figures(&reach, &others);
    figures(
        &reach,
        &[("collected", 0), ("on_hand", 96), ("on_the_way", 0)],
    );
    figures(&reach, &[("claimed", 99_900)]);
    let lines = reach["lots"].as_array().expect("lines");
    let places = lines.iter().filter_map(|line| line["location_id"].as_str());
    let mut places: Vec<&str> = places.collect();
    let mut wanted = [&*scene.plant, &*holder.1, &*second.1];
    places.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(places, wanted);
    let sales = |reach: &Value| {
        let sales = reach["sales"].as_array().expect("sales").iter();
        sales
            .map(|row| row["sales"].as_u64().expect("a number"))
            .sum::<u64>()
    };
    assert_eq!(sales(&reach), 1, "{reach}");
    // Once the maker takes its word for the batch it is no claim any more.
    let accept = json!({"partner_id": strange.0.id, "batch_id": scene.batch});
    made(scene.firm.admin.post("/v1/acceptances", &accept).await);
    let reach = ok(scene.firm.admin.get(&path).await);
    figures(
        &reach,
        &[("claimed", 0), ("collected", 70), ("sold", 900_004)],
    );
    assert_eq!(sales(&reach), 2, "{reach}");
    app.stop().await;
});
