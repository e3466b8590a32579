//! I30 of the log: a bit that turned in a kept event, wherever in it, is found and located by `suyuan admin
//! verify-log`, and nothing else is taken for damaged.

use crate::scene::{Scene, count, inbound, sale, settled};
use sea_orm::{ConnectionTrait, Value};
use serde_json::json;
use std::process::{Command, Stdio};
use suyuan::{
    db::{self, statement},
    handheld::verify::{Damage, Fault, verify},
};
use suyuan_sync::{chain, chain::Hash};
use suyuan_tests::{TestApp, on_both};

/// Everything that may stand in a log: texts nobody can read, of a later program, of a group, behind a gap,
/// behind a break of the chain (T5), of another number than they say (T9), and a second branch (T3).
pub async fn kept(app: &TestApp) {
    let scene = Scene::of(app).await;
    let tins = &scene.tins;
    let mut device = scene.device(app, &scene.store).await;
    let events = [
        device.event("inbound", &inbound(&[&tins[0], &tins[1], &tins[2]])),
        device.make("not an event".to_owned()),
        device.event("teleport", &json!({})),
    ];
    device.push(&events).await;
    let mut copy = device.copy(&app.internal_url);
    let own = device.event("sale", &sale(&[&tins[0]]));
    device.push(&[own]).await;
    let forked = [
        copy.event("sale", &sale(&[&tins[1]])),
        copy.event("sale", &sale(&[&tins[2]])),
    ];
    copy.push(&forked).await;
    // Lost on the device.
    device.event("sale", &sale(&[&tins[1]]));
    let behind = device.event("sale", &sale(&[&tins[2]]));
    device.push(&[behind]).await;
    let mut other = scene.device(app, &scene.store).await;
    let first = other.event("inbound", &inbound(&[&tins[3]]));
    other.push(&[first]).await;
    let torn = other.text(2, "sale", &sale(&[&tins[3]]));
    let misplaced = other.text(9, "sale", &sale(&[&tins[4]]));
    other.push_at(2, Hash([7; 32]), &[torn, misplaced]).await;
}

async fn damage(app: &TestApp) -> Vec<Damage> {
    let mut found = Vec::new();
    let db = &app.state().db;
    let verified = verify(db, |damage| found.push(damage)).await;
    let verified = verified.expect("a verification");
    assert_eq!(verified.damaged, found.len() as u64);
    let events = count(app, "SELECT COUNT(*) AS n FROM event").await;
    assert_eq!(verified.events, events as u64);
    found
}

pub async fn write(app: &TestApp, sql: &str, values: Vec<Value>) {
    let db = &app.state().db;
    let query = statement(db.backend(), sql, values);
    let done = db.writer().execute_raw(query).await.expect("a statement");
    assert_eq!(done.rows_affected(), 1, "{sql}");
}

/// The rows of events: position, device, epoch, number, and these bytes of it.
async fn rows(app: &TestApp, bytes: &str) -> Vec<(i64, i64, Vec<u8>)> {
    let db = &app.state().db;
    let sql = format!("SELECT gseq, seq, {bytes} AS bytes FROM event ORDER BY gseq");
    let query = statement(db.backend(), &sql, []);
    let rows = db.reader().query_all_raw(query).await.expect("rows");
    let row = |row: &sea_orm::QueryResult| {
        (
            row.try_get("", "gseq").expect("a position"),
            row.try_get("", "seq").expect("a number"),
            row.try_get("", "bytes").expect("bytes"),
        )
    };
    rows.iter().map(row).collect()
}

on_both!(
    i30_a_flipped_bit_in_a_kept_event_is_found_and_located,
    |app| {
        kept(&app).await;
        assert_eq!(damage(&app).await, [], "all is what was received");
        for what in ["body", "prev_hash", "hash"] {
            let set = format!("UPDATE event SET {what} = ? WHERE gseq = ?");
            for (gseq, seq, good) in rows(&app, what).await {
                for at in [0, good.len() / 2, good.len() - 1] {
                    let mut turned = good.clone();
                    turned[at] ^= 1 << (at % 8);
                    write(&app, &set, vec![turned.into(), gseq.into()]).await;
                    let found = damage(&app).await;
                    let named = |damage: &Damage| (damage.gseq, damage.seq, damage.fault);
                    let event: Vec<_> = found
                        .iter()
                        .filter(|it| it.gseq.is_some())
                        .map(named)
                        .collect();
                    assert_eq!(event, [(Some(gseq), seq, Fault::Hash)], "{what} {at}");
                    // Of its chain's head the hash is kept a second time.
                    let besides = found.iter().filter(|it| it.gseq.is_none());
                    let mut besides = besides.map(|it| (it.seq, it.fault));
                    assert!(besides.all(|it| what == "hash" && it == (seq, Fault::Head)));
                }
                write(&app, &set, vec![good.into(), gseq.into()]).await;
            }
        }
        assert_eq!(damage(&app).await, []);
        app.stop().await;
    }
);

on_both!(
    i30_a_row_that_says_otherwise_than_its_bytes_is_found,
    |app| {
        kept(&app).await;
        let first = "SELECT MIN(gseq) AS n FROM event";
        let gseq = count(&app, first).await;
        let faults = async || -> Vec<(Option<i64>, i64, Fault)> {
            let found = damage(&app).await;
            found.iter().map(|it| (it.gseq, it.seq, it.fault)).collect()
        };
        let set = |what: &str| format!("UPDATE event SET {what} WHERE gseq = ?");
        // A bit of its number: it is missing where it was as well, and where it is it follows nothing.
        write(&app, &set("seq = seq + 1024"), vec![gseq.into()]).await;
        let found = faults().await;
        assert!(
            found.contains(&(Some(gseq), 1025, Fault::Place)),
            "{found:?}"
        );
        assert!(found.contains(&(None, 1, Fault::Missing)), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
        write(&app, &set("seq = seq - 1024"), vec![gseq.into()]).await;
        write(&app, &set("epoch = epoch + 2"), vec![gseq.into()]).await;
        let found = faults().await;
        assert!(found.contains(&(Some(gseq), 1, Fault::Place)), "{found:?}");
        write(&app, &set("epoch = epoch - 2"), vec![gseq.into()]).await;
        // A row with whole bytes and hashes in the place of another: it follows nothing.
        let (_, _, body) = rows(&app, "body").await.remove(0);
        let (_, _, good) = rows(&app, "prev_hash").await.remove(0);
        let (_, _, hash) = rows(&app, "hash").await.remove(0);
        let another = chain::next(Hash([9; 32]), &body);
        let swap = set("prev_hash = ?, hash = ?");
        let values = |prev: Vec<u8>, hash: Vec<u8>| vec![prev.into(), hash.into(), gseq.into()];
        write(&app, &swap, values(vec![9; 32], another.0.to_vec())).await;
        let found = faults().await;
        assert_eq!(found[..1], [(Some(gseq), 1, Fault::Link)], "{found:?}");
        write(&app, &swap, values(good, hash)).await;
        assert_eq!(faults().await, []);
        write(&app, "DELETE FROM event WHERE gseq = ?", vec![gseq.into()]).await;
        assert_eq!(faults().await, [(None, 1, Fault::Missing)]);
        app.stop().await;
    }
);

/// The program's exit status, and what it says of the log.
pub async fn verify_log(app: &TestApp) -> (Option<i32>, String) {
    admin(app, "verify-log", "").await
}

/// The program's exit status, and what it says, with this master key.
pub async fn admin(app: &TestApp, what: &'static str, key: &str) -> (Option<i32>, String) {
    let url = db::url(&app.state().settings);
    let key = key.to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suyuan-node"));
        command.args(["admin", what]).stdin(Stdio::null());
        command.env("SUYUAN__DATABASE__URL", url);
        command.env("SUYUAN__SECURITY__MASTER_KEY", key);
        command.output().expect("the program")
    });
    let ended = ended.await.expect("its end");
    let told = String::from_utf8(ended.stdout).expect("text");
    eprint!("{}", String::from_utf8_lossy(&ended.stderr));
    (ended.status.code(), told)
}

on_both!(i30_the_command_names_the_event_and_ends_with_1, |app| {
    kept(&app).await;
    let events = count(&app, "SELECT COUNT(*) AS n FROM event").await;
    settled(&app).await;
    let acts = count(&app, "SELECT COUNT(*) AS n FROM log_chain").await;
    let acts = format!("{acts} acts of the log from position 1: 0 damaged\n");
    let (status, told) = verify_log(&app).await;
    let all = format!("{events} events of 2 device epochs");
    assert_eq!(
        (status, told),
        (Some(0), format!("{all}: 0 damaged\n{acts}"))
    );
    let (gseq, seq, mut body) = rows(&app, "body").await.remove(0);
    body[40] ^= 1;
    let set = "UPDATE event SET body = ? WHERE gseq = ?";
    write(&app, set, vec![body.into(), gseq.into()]).await;
    let (status, told) = verify_log(&app).await;
    assert_eq!(status, Some(1), "{told}");
    let named = format!("position {gseq}: event {seq} of epoch 1 of device ");
    let (first, last) = told.split_once('\n').expect("two lines");
    assert!(first.starts_with(&named), "{told}");
    assert!(first.ends_with(" does not give its hash"), "{told}");
    assert_eq!(last, format!("{all}: 1 damaged\n{acts}"));
    app.stop().await;
});
