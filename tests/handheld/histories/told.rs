//! Tells a story to an application of its own, and holds what is kept against the log after each thing that is
//! heard or happens (I8). A story that fails is made as short as it fails yet.

use super::{script::Story, stage::Stage};
use crate::scene::{holds, settled};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use suyuan_tests::{Engine, TestApp};

/// Tells it. Panics where what is kept is not what the log gives.
pub async fn told(app: &TestApp, story: &Story) {
    told_to(app, None, story).await;
}

/// Tells it to two processes, if there is another.
async fn told_to(app: &TestApp, other: Option<&TestApp>, story: &Story) {
    let mut stage = Stage::of(app, story.lasts()).await;
    stage.other = other.map(|other| other.internal_url.clone());
    for (n, line) in story.0.iter().enumerate() {
        let words = line.words();
        if line.teller().is_some() {
            stage.says(line);
            continue;
        }
        match line.heard() {
            Some((who, of)) => stage.hears(who, of).await,
            None => stage.happens(app, &words).await,
        }
        if !line.is_hasty() {
            holds(app, &format!("line {}: {}", n + 1, words.join(" "))).await;
        }
    }
    stage.happens(app, &["released"]).await;
    settled(app).await;
    holds(app, "in the end").await;
}

/// What went wrong when it was told, if anything did. On PostgreSQL there are two processes (I10).
pub async fn fault(engine: Engine, story: &Story) -> Option<String> {
    let app = TestApp::spawn(engine).await;
    let other = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => {
            let folder = tempfile::tempdir().expect("a folder");
            let (url, sealer) = (app.database_url.clone(), app.sealer.clone());
            Some(TestApp::spawn_on(engine, url, sealer, folder, &[]).await)
        }
    };
    let told = told_to(&app, other.as_ref(), story);
    let told = AssertUnwindSafe(told).catch_unwind().await;
    if let Some(other) = other {
        other.stop().await;
    }
    app.stop().await;
    let why = told.err()?;
    let text = why.downcast_ref::<String>().cloned();
    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Some(text.unwrap_or_default())
}

/// Is it that something is kept otherwise than the log gives it? A machine that is too busy fails otherwise.
fn is_of_the_log(why: &str) -> bool {
    why.contains(": kept is ")
}

/// A story that fails, made as short as it fails the same way: first without long parts of it, then without single lines.
pub async fn shortened(engine: Engine, mut story: Story, of: &str) -> Story {
    let mut part = story.0.len() / 2;
    while part > 0 {
        let mut at = story.0.len();
        while at > 0 {
            at = at.saturating_sub(part);
            let mut shorter = story.clone();
            let mut left = part.min(shorter.0.len().saturating_sub(at));
            while left > 0 && at < shorter.0.len() {
                // What falls with it falls at once.
                let before = shorter.0.len();
                shorter = shorter.without(at);
                left = left.saturating_sub(before - shorter.0.len());
            }
            if shorter.0.len() == story.0.len() {
                continue;
            }
            let why = fault(engine, &shorter).await;
            if why.is_some_and(|why| is_of_the_log(&why) == is_of_the_log(of)) {
                story = shorter;
            }
        }
        part /= 2;
    }
    story
}
