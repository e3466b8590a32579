//! Nothing breaks: what the others are held against.

use crate::{
    site::{Installation, alone, drained, seed},
    verdict::Verdict,
};
use std::time::Duration;
use suyuan_tests::{Engine, pda::Dice};

#[actix_web::test]
async fn nothing_breaks_on_sqlite() {
    Box::pin(nothing_breaks(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn nothing_breaks_on_postgres() {
    Box::pin(nothing_breaks(Engine::Postgres)).await;
}

async fn nothing_breaks(engine: Engine) {
    let _alone = alone();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (site, devices) = Installation::new(engine, 4).await;
    let mut pdas = site.at_work(devices, seed);
    let server = site.start().await;
    site.all_busy(&mut pdas, &mut dice, Duration::from_secs(2))
        .await;
    drained(&mut pdas, Duration::from_mins(1)).await;
    let tables = site.tables().await;
    let numbers = Verdict::default().end(&tables, &pdas).await;
    println!("{engine:?}: {numbers:?}");
    let replayed = site.replayed().await;
    println!("{replayed:?}");
    drop(server);
}
