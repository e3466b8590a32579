//! The clock that stamps the log, watched in one place for whoever writes (sync.md section 4): after
//! a jump nothing is written, in any process, until the log says that an operator looked.

use jiff::Timestamp;
use suyuan::{
    clock::Clock,
    log::{ActError, Actor, Entry, Kind, Log},
};
use suyuan_tests::on_both;

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
