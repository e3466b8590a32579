//! `loadtest push`, once, with as little of everything as will do, against the program on both databases: each
//! figure comes out, or says why not. Its events are to be stored without any finding, so it breaks as soon as
//! the agreement asks more of an event, or of who states it, than it knows.

use clap::Parser;
use suyuan_loadtest::{
    drive::on_this_thread,
    push::{self, PushArgs},
    summary::PUSH,
};
use suyuan_tests::new_postgres_database;

/// The words of the command.
#[derive(Parser)]
struct Words {
    #[command(flatten)]
    push: PushArgs,
}

/// What is not measured with so little, or is installed for a measurement only.
const LEFT_OUT: [&str; 5] = [
    "push_pouch_ratio",
    "push_units_flat_ratio",
    "backlog_drain_s",
    "reach_million_ms",
    "reach_million_postgres_ms",
];

#[test]
fn loadtest_takes_each_figure_of_pushes_that_nothing_is_found_of() {
    let database = actix_web::rt::System::new().block_on(new_postgres_database());
    let words = Words::parse_from([
        "push",
        "--tiny",
        "--without",
        "pouchdb",
        "--server",
        env!("CARGO_BIN_EXE_suyuan-node"),
        "--postgres",
        &database,
    ]);
    let ran = on_this_thread(push::run(&words.push)).expect("a thread");
    let summary = ran.expect("a run");
    let (told, text) = (summary.to_json(), summary.to_table());
    for (name, _) in PUSH.budgets() {
        let detail = &told["detail"][name];
        let value = if PUSH.has(name) {
            told.get(name).expect("each is named")
        } else if detail["reason"].is_null() {
            &detail["value"]
        } else {
            &serde_json::Value::Null
        };
        let reason = detail["reason"].as_str();
        if LEFT_OUT.contains(&name) {
            let why = reason.expect("a reason");
            assert!(why.contains("--"), "{name}: {why}\n{text}");
            assert!(value.is_null(), "{name}: {value}");
        } else {
            let is_positive = value.as_f64().is_some_and(|value| value > 0.0);
            assert!(is_positive, "{name} is {value}: {reason:?}\n{text}");
        }
    }
    // What is in the table went through as well.
    let variants = told["detail"]["variants"].as_object().expect("a table");
    assert!(variants.len() > 10, "{text}");
    for (name, variant) in variants {
        assert!(variant["problem"].is_null(), "{name}: {variant}");
    }
}
