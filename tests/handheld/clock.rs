//! The clock that stamps the log, watched in one place for whoever writes (sync.md section 4): after
//! a jump nothing is written, in any process, until the log says that an operator looked.
//!
//! On SQLite that is the clock of the process, which tests move. On PostgreSQL it is the database's, which
//! nobody moves but who owns the machine. There a database is given a function `clock_timestamp` of its own
//! and looks for that one first: all the program says to PostgreSQL is what it says ever, the answer alone is
//! of a clock that was set.

use crate::{
    scene::{Scene, sale},
    support::{PASSWORD, refused},
};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;
use suyuan::{
    clock::Clock,
    log::{ActError, Actor, Entry, Kind, Log},
    sealing::Sealer,
};
use suyuan_sync::wire::{PushAnswer, Status};
use suyuan_tests::{Answer, Engine, Handheld, TestApp, migrated_postgres_database, on_both};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Writes an entry; its instant.
async fn write(log: &Log) -> Result<i64, ActError> {
    let act = log.begin_as_system().await?;
    let stamp = act.stamp();
    let entry = Entry {
        kind: Kind::WatchChanged,
        enterprise: None,
        subject: "test".into(),
        body: &(),
    };
    act.commit(entry, &()).await?;
    Ok(stamp)
}

async fn refuses(log: &Log) {
    let act = write(log).await;
    assert!(matches!(act, Err(ActError::ClockJumped)), "{act:?}");
    let block = log.begin_block().await.err();
    assert!(matches!(block, Some(ActError::ClockJumped)), "{block:?}");
}

on_both!(
    every_writer_of_every_process_waits_until_the_log_says_that_somebody_looked,
    |app| {
        let db = app.state().db.clone();
        let clock = Clock::standing(Timestamp::now().as_microsecond() + 10 * SECOND);
        let open = || Log::open(db.clone(), clock.clone());
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        write(&one).await.unwrap();
        let before = write(&other).await.unwrap();

        clock.jump_by(3600 * SECOND);
        let head = one.head().await.unwrap();
        for log in [&one, &other, &one] {
            refuses(log).await;
        }
        assert_eq!(one.head().await.unwrap(), head);
        one.confirm_clock(Actor::System).await.unwrap();
        for log in [&other, &one] {
            assert!(write(log).await.unwrap() >= before + 3600 * SECOND);
        }

        // Set right again: what was stamped stays, the next stamps are just above it.
        clock.jump_by(0);
        for log in [&one, &other] {
            refuses(log).await;
        }
        other.confirm_clock(Actor::System).await.unwrap();
        let ahead = write(&one).await.unwrap();
        // However quiet it is meanwhile, and for a process that begins.
        for minutes in [2, 4, 30] {
            clock.set(clock.now() + minutes * 60 * SECOND);
            assert!(write(&other).await.unwrap() < ahead + SECOND);
        }
        let new = open().await.unwrap();
        assert!(write(&new).await.unwrap() < ahead + SECOND);

        // A process that begins holds the clock against what it showed when it was confirmed, or
        // against the log's last stamp once that is caught up with.
        clock.jump_by(-3600 * SECOND);
        refuses(&open().await.unwrap()).await;
        clock.jump_by(0);
        clock.set(clock.now() + 3600 * SECOND);
        assert!(write(&one).await.unwrap() > ahead + SECOND);
        for (jump, refused) in [(-70 * SECOND, true), (20 * DAY, false), (40 * DAY, true)] {
            clock.jump_by(jump);
            let log = open().await.unwrap();
            if refused {
                refuses(&log).await;
            } else {
                log.begin_as_system()
                    .await
                    .unwrap()
                    .abandon()
                    .await
                    .unwrap();
            }
        }
        app.stop().await;
    }
);

/// A clock as it is after it was set; it goes on as fast as the right one.
const OWN_CLOCK: &str = "CREATE TABLE clock_set (forward interval NOT NULL); \
    INSERT INTO clock_set VALUES (interval '0'); \
    CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ \
    BEGIN RETURN pg_catalog.clock_timestamp() + (SELECT forward FROM public.clock_set); END $$;";

/// The application on a PostgreSQL database whose clock can be set.
async fn on_a_clock_of_its_own() -> TestApp {
    let url = migrated_postgres_database().await;
    let db = Database::connect(&url).await.expect("the database");
    let (_, name) = url.rsplit_once('/').expect("a name");
    let first = format!("ALTER DATABASE {name} SET search_path = public, pg_catalog");
    for sql in [OWN_CLOCK, &first] {
        db.execute_unprepared(sql).await.expect("a statement");
    }
    db.close().await.expect("closing");
    let key = Sealer::generate().expect("randomness");
    let sealer = Sealer::from_base64(&key).expect("a fresh key");
    let folder = tempfile::tempdir().expect("a folder");
    TestApp::spawn_on(Engine::Postgres, url, sealer, folder, &[]).await
}

/// Sets the clock that stamps the log so many seconds forward of the right time.
async fn set_clock(app: &TestApp, seconds: i64) {
    if app.engine == Engine::Sqlite {
        return app.clock.jump_by(seconds * SECOND);
    }
    let sql = format!("UPDATE clock_set SET forward = make_interval(secs => {seconds})");
    let db = app.state().db.writer();
    db.execute_unprepared(&sql).await.expect("a clock set");
}

/// An operator says that it is right as it is.
async fn confirm(app: &TestApp) {
    // The sessions of before a jump may be over, too.
    let staff = app.signed_in("acme.admin", PASSWORD).await;
    let tried = staff.post("/v1/clock/confirm", &json!({})).await;
    refused(tried, "not-allowed");
    let platform = app.signed_in("platform.admin", PASSWORD).await;
    let confirmed = platform.post("/v1/clock/confirm", &json!({})).await;
    assert_eq!(confirmed.status, 204, "{}", confirmed.text());
}

/// A sale that a device makes and pushes, and pushes again if it is refused.
struct Sale {
    seq: u64,
    prev: suyuan_sync::chain::Hash,
    event: [String; 1],
}

impl Sale {
    fn of(device: &mut Handheld, tin: &String) -> Sale {
        let (seq, prev) = (device.next, device.head());
        let event = [device.event("sale", &sale(&[tin]))];
        Sale { seq, prev, event }
    }

    async fn pushed(&self, device: &Handheld) -> Answer {
        device.try_push(self.seq, self.prev, &self.event).await
    }

    /// It is in; its instant.
    async fn is_taken(&self, device: &Handheld) -> i64 {
        let answer = self.pushed(device).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
        assert_ne!(answer.results[0].status, Status::Duplicate);
        answer.receipt.stamp
    }

    async fn has_to_wait(&self, device: &Handheld) {
        for _ in 0..2 {
            let answer = self.pushed(device).await;
            assert_eq!(answer.status, 503);
            assert!(!answer.header("retry-after").is_empty());
            refused(answer, "clock-jumped");
        }
    }
}

async fn nothing_is_admitted_until_somebody_looked(app: TestApp) {
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let mut sales = scene.tins.iter();
    let mut next = |device: &mut Handheld| Sale::of(device, sales.next().expect("a tin"));
    // Another process, which watches by itself.
    let clock = match app.engine {
        Engine::Sqlite => app.clock.clone(),
        Engine::Postgres => Clock::system(),
    };
    let beside = Log::open(app.state().db.clone(), clock).await.expect("it");
    write(&beside).await.expect("an entry");
    let before = next(&mut device).is_taken(&device).await;

    // Less than a minute is drift.
    set_clock(&app, 50).await;
    let drifted = next(&mut device).is_taken(&device).await;
    assert!((50 * SECOND..110 * SECOND).contains(&(drifted - before)));
    write(&beside).await.expect("an entry");

    // More is a jump: forward, and back to what was right.
    for set in [3650, 0] {
        set_clock(&app, set).await;
        let waits = next(&mut device);
        waits.has_to_wait(&device).await;
        refuses(&beside).await;
        confirm(&app).await;
        let taken = waits.is_taken(&device).await;
        // What was stamped stays; the next stamp is above it whatever the clock shows.
        let since = (taken - before) / SECOND;
        assert!((3650..3710).contains(&since), "{since} s");
        write(&beside).await.expect("an entry");
    }
    app.stop().await;
}

mod nothing_is_admitted_after_the_clock_jumped_until_somebody_looked {
    use super::{
        Engine, TestApp, nothing_is_admitted_until_somebody_looked, on_a_clock_of_its_own,
    };

    #[actix_web::test]
    async fn sqlite() {
        let app = TestApp::spawn(Engine::Sqlite).await;
        nothing_is_admitted_until_somebody_looked(app).await;
    }

    #[actix_web::test]
    async fn postgres() {
        let app = on_a_clock_of_its_own().await;
        nothing_is_admitted_until_somebody_looked(app).await;
    }
}
