//! How often the database is asked under the head of the log: as often for many containers, places and counts as
//! for one. What costs there is the trip.

use crate::scene::{Scene, inbound, key, scanned, settled};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    entity::prelude::async_trait,
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};
use suyuan::handheld::{
    units::{
        facts::Reader,
        folding::{Change, Folding, Moment},
        store::by_position,
    },
    world::Source,
};
use suyuan_sync::{trace_code::check_digit, unit::UnitKey};
use suyuan_tests::{Handheld, TestApp, on_both};

/// A transaction, and how often it was asked something.
struct Counting {
    tx: DatabaseTransaction,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl ConnectionTrait for Counting {
    fn get_database_backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.tx.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.tx.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.tx.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.tx.query_all_raw(statement).await
    }
}

/// What an act brings.
enum Brings {
    /// These units are folded again.
    Units(Vec<UnitKey>),
    /// Events at these positions moved in the order.
    Moved(Vec<i64>),
}

/// How often an act asks that brings this. Nothing of it is kept.
async fn asked(app: &TestApp, source: &mut Source, brings: Brings) -> usize {
    let tx = app.state().db.begin().await.expect("a transaction");
    let (seen, stamp) = suyuan::log::head_in(&tx).await.expect("the head");
    source.refresh(&tx, seen).await.expect("master data");
    let mut reader = Reader::default();
    let mut change = Change::default();
    match brings {
        Brings::Units(units) => change.units = units.into_iter().collect(),
        Brings::Moved(at) => {
            let at: BTreeSet<i64> = at.into_iter().collect();
            let moved = by_position(&tx, &mut reader, &at).await.expect("facts");
            assert_eq!(moved.len(), at.len());
            change.moved = moved;
        }
    }
    let moment = Moment {
        first: seen + 1,
        last: seen + 1,
        stamp: stamp + 1,
    };
    let counting = Counting {
        tx,
        asked: AtomicUsize::new(0),
    };
    let folding = Folding::new(source, &mut reader, moment);
    folding.run(&counting, &change).await.expect("folded");
    let asked = counting.asked.load(Ordering::Relaxed);
    counting.tx.rollback().await.expect("a rollback");
    asked
}

/// A pallet that nobody here issued.
fn pallet(n: usize) -> String {
    let data = format!("3401234500000{n:04}");
    format!("/00/{data}{}", check_digit(&data).expect("digits"))
}

on_both!(
    an_act_asks_once_for_all_containers_places_and_counts,
    |app| {
        let scene = Scene::of(&app).await;
        let (tins, cases) = (&scene.tins, &scene.cases);
        let mut plant = scene.device(&app, &scene.plant).await;
        let mut warehouse = scene.device(&app, &scene.warehouse).await;
        let mut store = scene.device(&app, &scene.store).await;
        let pack = |device: &mut Handheld, parent: &String, children: &[&String]| {
            let parent = json!({"code": parent, "input": "wedge"});
            device.event(
                "pack",
                &json!({"parent": parent, "children": scanned(children)}),
            )
        };
        let pallets: Vec<String> = (1..=3).map(pallet).collect();
        let mut events = Vec::new();
        for (n, case) in cases.iter().enumerate() {
            events.push(pack(&mut plant, case, &[&tins[2 * n], &tins[2 * n + 1]]));
        }
        for (n, pallet) in pallets.iter().enumerate() {
            let both = [&cases[2 * n], &cases[2 * n + 1]];
            events.push(pack(&mut plant, pallet, &both));
        }
        plant.push(&events).await;
        let counted = json!({"body": {"scope": {"complete": true}}});
        let mut counts = Vec::new();
        for (n, device) in [&mut plant, &mut warehouse, &mut store]
            .into_iter()
            .enumerate()
        {
            device.push(&[]).await;
            let event = device.event("inbound", &inbound(&[&tins[20 + n]]));
            device.push(&[event]).await;
            for _ in 0..3 {
                device.push(&[]).await;
                let event = device.event("count", &counted);
                let told = device.push(&[event]).await;
                counts.push(told.results[0].gseq.expect("stored"));
            }
        }
        settled(&app).await;
        let mut source = Source::new(app.sealer.clone());
        let units = |codes: &[String]| Brings::Units(codes.iter().map(|code| key(code)).collect());
        // What is read once is known then.
        asked(&app, &mut source, units(&pallets)).await;
        asked(&app, &mut source, units(&tins[20..23])).await;
        let moved = |counts: &[i64]| Brings::Moved(counts.to_vec());
        let acts = [
            ("pallets with cases", units(&pallets[..1]), units(&pallets)),
            (
                "tins at places that were counted",
                units(&tins[20..21]),
                units(&tins[20..23]),
            ),
            (
                "counts of a place that moved",
                moved(&counts[3..4]),
                moved(&counts[3..6]),
            ),
        ];
        // Each count that moved is work of its own, which is looked for among what waits.
        let works = [0, 0, 2];
        let mut more = Vec::new();
        for ((what, one, three), works) in acts.into_iter().zip(works) {
            let one = asked(&app, &mut source, one).await;
            let three = asked(&app, &mut source, three).await;
            println!(
                "{:?}, {what}: asked {one} times and {three} times",
                app.engine
            );
            more.extend((three > one + works).then_some((what, one, three)));
        }
        assert_eq!(more, []);
        app.stop().await;
    }
);
