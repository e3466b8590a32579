//! T7 by the program itself: what a program of before could not read waits, and the next one takes it in
//! as it starts, if it can; nobody asks it to.

use crate::{
    scene::{inbound, sale},
    site::Installation,
};
use serde_json::json;
use std::time::Duration;
use suyuan_sync::wire::Status;
use suyuan_tests::{Engine, until};

#[actix_web::test]
async fn a_program_that_starts_takes_in_what_it_can_read_on_sqlite() {
    Box::pin(takes_in_what_it_can_read(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn a_program_that_starts_takes_in_what_it_can_read_on_postgres() {
    Box::pin(takes_in_what_it_can_read(Engine::Postgres)).await;
}

async fn takes_in_what_it_can_read(engine: Engine) {
    let (site, devices) = Installation::new(engine, 1).await;
    let server = site.start().await;
    let mut device = devices[0].copy(&site.server());
    let tin = &site.tins[0];
    let events = [
        device.event("inbound", &inbound(&[tin])),
        device.event("sale", &sale(&[tin])),
        device.event("levitate", &json!({})),
    ];
    let told = device.push(&events).await;
    let told: Vec<Status> = told.results.iter().map(|result| result.status).collect();
    assert_eq!(told, [Status::Stored, Status::Stored, Status::Parked]);
    drop(server);
    // The program that was there knew no sales: so let the rows of this one say.
    let tables = site.tables().await;
    for undo in [
        "DELETE FROM event_unit WHERE gseq = (SELECT gseq FROM event WHERE seq = 2)",
        "UPDATE event SET fate = 'parked', remarks = 'UNKNOWN_KIND', counts_from = NULL, \
         told = '{\"status\":\"parked\",\"remarks\":[\"UNKNOWN_KIND\"],\"findings\":[]}' WHERE seq = 2",
    ] {
        tables.run(undo).await;
    }
    let parked = "SELECT COUNT(*) AS n FROM event WHERE fate = 'parked'";
    assert_eq!(tables.number(parked).await, 2);

    let server = site.start().await;
    let patience = Duration::from_secs(30);
    let taken = async || tables.number(parked).await == 1;
    until("what it knows is taken in", patience, taken).await;
    // What no program can read still waits.
    let still = "SELECT COUNT(*) AS n FROM event WHERE fate = 'parked' AND seq = 3";
    assert_eq!(tables.number(still).await, 1);
    let sold =
        "SELECT COUNT(*) AS n FROM event_unit WHERE gseq = (SELECT gseq FROM event WHERE seq = 2)";
    assert_eq!(tables.number(sold).await, 1);
    tables.close().await;
    site.replayed().await;
    drop(server);
}
