//! Who goes into which act. I27: somebody at a till does not wait behind the backlog of another device. Told
//! by what is admitted before a sale, not by how long that takes. What waits at the same time is written at
//! once; and the more waits, the less each is let send.

use crate::scene::{Scene, count, inbound, sale};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use suyuan_sync::{
    limits::EVENTS_PER_PUSH_MAX,
    wire::{PushAnswer, Status},
};
use suyuan_tests::{Answer, Engine, Handheld, TestApp, on_both, until};
use tokio::sync::oneshot;

/// Events of one push of the backlog: two of one device never go into one act.
const EVENTS: usize = 40;
/// Pushes of the backlog that wait when somebody sells.
const PUSHES: usize = 12;
/// Tills at which somebody sells.
const TILLS: usize = 3;

/// Keeps the one who admits busy until what is returned is let go; it is busy when this returns.
async fn busy(app: &TestApp) -> oneshot::Sender<()> {
    let (begun, begins) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let ingest = app.state().handheld.ingest.clone();
    actix_web::rt::spawn(async move {
        let kept = ingest.with_engine(move |_| {
            Box::pin(async move {
                begun.send(()).expect("somebody waits for it");
                let _ = released.await;
            })
        });
        kept.await.expect("an engine");
    });
    begins.await.expect("a task between two acts");
    release
}

/// A push of a device that says how many events wait on it.
async fn pushed(device: &Handheld, first: usize, events: &[String], waiting: u64) -> Answer {
    let (seq, prev) = (first as u64 + 1, device.history[first]);
    let mut frame = device.frame(seq, prev, events);
    frame["queue_depth"] = json!(waiting);
    let claims = device.claims(seq, prev, events);
    let token = device.key.token(suyuan_sync::wire::TYP_PUSH, &claims);
    device
        .send(&token, "", frame.to_string().into_bytes())
        .await
}

on_both!(
    i27_a_sale_waits_for_one_push_of_a_backlog_and_no_more,
    |app| {
        let scene = Scene::of(&app).await;
        let mut drains = scene.device(&app, &scene.store).await;
        let mut made = Vec::new();
        for n in 0..EVENTS * PUSHES {
            let tin = &scene.tins[n % scene.tins.len()];
            made.push(drains.event("inbound", &inbound(&[tin])));
        }
        let mut tills = Vec::new();
        for n in 0..TILLS {
            let mut till = scene.device(&app, &scene.store).await;
            let sold = till.event("sale", &sale(&[&scene.tins[n]]));
            tills.push((till, sold));
        }
        let ingest = app.state().handheld.ingest.clone();
        let (put, gathered) = ingest.progress();
        let release = busy(&app).await;
        let backlog = made.chunks(EVENTS).enumerate();
        let backlog = backlog.map(|(n, events)| pushed(&drains, n * EVENTS, events, 1_000_000));
        let selling = async {
            let patience = Duration::from_mins(1);
            // The next act is gathered; everything else of the backlog waits.
            until("the backlog waits", patience, async || {
                ingest.progress() == (put + PUSHES, gathered + 1)
            })
            .await;
            let sales = tills.iter();
            let sales = sales.map(|(till, sold)| pushed(till, 0, std::slice::from_ref(sold), 1));
            let let_go = async {
                until("the sales wait", patience, async || {
                    ingest.progress() == (put + PUSHES + TILLS, gathered + 1)
                })
                .await;
                release.send(()).expect("it is kept busy");
            };
            let (sold, ()) = futures_util::join!(join_all(sales), let_go);
            sold
        };
        let (drained, sold) = futures_util::join!(join_all(backlog), selling);
        for answer in drained.iter().chain(&sold) {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
            let mut results = answer.results.iter();
            assert!(results.all(|result| result.status == Status::Stored));
        }
        let before = "SELECT COUNT(*) AS n FROM event WHERE kind = 'inbound' AND gseq < \
                  (SELECT MAX(gseq) FROM event WHERE kind = 'sale')";
        assert_eq!(count(&app, before).await, EVENTS as i64);
        let all = "SELECT COUNT(*) AS n FROM event WHERE kind = 'inbound'";
        assert_eq!(count(&app, all).await, (EVENTS * PUSHES) as i64);
        app.stop().await;
    }
);

/// What is answered to a push that is taken.
fn answered(answer: &Answer) -> PushAnswer {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer: PushAnswer = serde_json::from_slice(&answer.body).expect("an answer");
    let mut results = answer.results.iter();
    assert!(results.all(|result| result.status == Status::Stored));
    answer
}

on_both!(pushes_that_wait_together_are_written_by_one_act, |app| {
    let scene = Scene::of(&app).await;
    let mut opens = scene.device(&app, &scene.store).await;
    let opened = opens.event("inbound", &inbound(&[&scene.tins[9]]));
    let mut tills = Vec::new();
    for n in 0..TILLS {
        let mut till = scene.device(&app, &scene.store).await;
        let sold = till.event("sale", &sale(&[&scene.tins[n]]));
        tills.push((till, sold));
    }
    let ingest = app.state().handheld.ingest.clone();
    let (put, gathered) = ingest.progress();
    let release = busy(&app).await;
    let opening = pushed(&opens, 0, std::slice::from_ref(&opened), 1);
    let selling = async {
        let patience = Duration::from_mins(1);
        until("an act waits", patience, async || {
            ingest.progress() == (put + 1, gathered + 1)
        })
        .await;
        let sales = tills.iter();
        let sales = sales.map(|(till, sold)| pushed(till, 0, std::slice::from_ref(sold), 1));
        let let_go = async {
            until("the sales wait", patience, async || {
                ingest.progress() == (put + 1 + TILLS, gathered + 1)
            })
            .await;
            release.send(()).expect("it is kept busy");
        };
        futures_util::join!(join_all(sales), let_go).0
    };
    let (opening, sold) = futures_util::join!(opening, selling);
    for answer in sold.iter().chain([&opening]) {
        answered(answer);
    }
    // An act is one link of the chain over the log.
    let of = |kind: &str| {
        format!(
            "SELECT COUNT(*) AS n FROM log_chain WHERE EXISTS (SELECT 1 FROM event WHERE kind = '{kind}' \
             AND gseq BETWEEN first_gseq AND last_gseq)"
        )
    };
    let sales = "SELECT COUNT(*) AS n FROM event WHERE kind = 'sale'";
    assert_eq!(count(&app, sales).await, TILLS as i64);
    assert_eq!(count(&app, &of("sale")).await, 1, "one act for all");
    assert_eq!(count(&app, &of("inbound")).await, 1);
    app.stop().await;
});

#[actix_web::test]
async fn the_more_waits_the_less_may_be_sent_sqlite() {
    Box::pin(the_more_waits_the_less_may_be_sent(Engine::Sqlite)).await;
}

#[actix_web::test]
async fn the_more_waits_the_less_may_be_sent_postgres() {
    Box::pin(the_more_waits_the_less_may_be_sent(Engine::Postgres)).await;
}

/// Pushes of one device, of which an act holds one: while the first is written, the others wait.
async fn the_more_waits_the_less_may_be_sent(engine: Engine) {
    const WAIT: usize = 8;
    let app = TestApp::spawn_with(engine, &[("handheld.waiting", "10")]).await;
    let scene = Scene::of(&app).await;
    let mut device = scene.device(&app, &scene.store).await;
    let tins = scene.tins.iter().take(1 + WAIT);
    let events: Vec<String> = tins
        .map(|tin| device.event("inbound", &inbound(&[tin])))
        .collect();
    let ingest = app.state().handheld.ingest.clone();
    let (put, gathered) = ingest.progress();
    let release = busy(&app).await;
    let first = pushed(&device, 0, &events[..1], 1);
    let more = async {
        let patience = Duration::from_mins(1);
        until("an act waits", patience, async || {
            ingest.progress() == (put + 1, gathered + 1)
        })
        .await;
        let rest = events.chunks(1).enumerate().skip(1);
        let rest = rest.map(|(n, event)| pushed(&device, n, event, 1));
        let let_go = async {
            until("the others wait", patience, async || {
                ingest.progress() == (put + 1 + WAIT, gathered + 1)
            })
            .await;
            release.send(()).expect("it is kept busy");
        };
        futures_util::join!(join_all(rest), let_go).0
    };
    let (first, more) = futures_util::join!(first, more);
    let (first, all) = (answered(&first), EVENTS_PER_PUSH_MAX as u32);
    assert!(first.credit > 0 && first.credit < all, "{first:?}");
    // Whoever is written last keeps nobody waiting.
    let told: Vec<u32> = more.iter().map(|answer| answered(answer).credit).collect();
    assert_eq!(told.iter().max(), Some(&all), "{told:?}");
    let push = device.event("inbound", &inbound(&[&scene.tins[0]]));
    let calm = device.push(&[push]).await;
    assert_eq!((calm.credit, calm.retry_after), (all, None));
    app.stop().await;
}
