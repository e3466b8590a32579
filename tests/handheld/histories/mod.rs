//! I8 over drawn histories: stories nobody thought of, told in an order nobody would choose, with what is kept held
//! against the log after each thing that is heard. Nearly every unit that the step-by-step fold ever missed was
//! found by them. A story that failed once is told by name in `nested` or `found`; here they follow from numbers.
//!
//! `SUYUAN_TEST_HISTORIES=100..200` tells others than the usual ones, and makes those that fail short; the path of a
//! file, the script that stands in it.

mod dice;
mod draw;
mod draw_heard;
mod draw_said;
mod happens;
pub mod script;
mod stage;
mod teller;
pub mod told;

use script::Story;
use suyuan_tests::Engine;
use told::{fault, shortened};

/// Those that are always told: with as much in them as can be.
const USUAL: [u64; 3] = [9076, 9320, 9641];

/// A test of a story on both databases.
macro_rules! story {
    ($(#[$doc:meta])* $name:ident, $text:expr) => {
        suyuan_tests::on_both!($(#[$doc])* $name, |app| {
            let story = $crate::histories::script::Story::of($text);
            $crate::histories::told::told(&app, &story).await;
            app.stop().await;
        });
    };
}
pub(crate) use story;

/// The stories of some numbers, or the one that stands in a file.
fn stories(asked: Option<&str>) -> Vec<(String, Story)> {
    let drawn = |number: u64| (number.to_string(), draw::drawn(number));
    match asked.map(|text| (text, text.split_once(".."))) {
        None => USUAL.map(drawn).into(),
        Some((_, Some((from, to)))) => {
            let number = |text: &str| text.parse().expect("a number");
            (number(from)..number(to)).map(drawn).collect()
        }
        Some((path, None)) => {
            let text = std::fs::read_to_string(path).expect("a story in a file");
            vec![(path.to_owned(), Story::of(&text))]
        }
    }
}

async fn are_told(engine: Engine) {
    let asked = std::env::var("SUYUAN_TEST_HISTORIES").ok();
    let mut failed = Vec::new();
    for (name, story) in stories(asked.as_deref()) {
        if asked.is_some() {
            println!("history {name}:\n{story}\n");
        }
        let Some(why) = fault(engine, &story).await else {
            continue;
        };
        println!("history {name} fails:\n{story}\n\n{why}\n");
        failed.push(name.clone());
        if asked.is_some() {
            let short = shortened(engine, story, &why).await;
            println!("history {name}, as short as it fails:\n{short}\n");
            println!("{}\n", fault(engine, &short).await.unwrap_or_default());
        }
    }
    assert!(
        failed.is_empty(),
        "these histories do not come to what the log gives: {failed:?}; \
         SUYUAN_TEST_HISTORIES=N..M tells them again, and makes them short"
    );
}

mod i8_drawn_histories_come_to_what_the_log_gives {
    use super::{Engine, are_told};

    #[actix_web::test]
    async fn sqlite() {
        are_told(Engine::Sqlite).await;
    }

    #[actix_web::test]
    async fn postgres() {
        are_told(Engine::Postgres).await;
    }
}
