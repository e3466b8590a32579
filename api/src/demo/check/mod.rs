//! `demo --once`: asks the running demo from outside, as phones and staff would, and says what is not
//! as it should be.

mod line;
mod scans;
mod story;

use super::Demo;

/// Everything that is wrong, in words; empty when all is right.
pub async fn check(demo: &Demo) -> Vec<String> {
    let mut wrong = scans::check(&demo.codes).await;
    if let Err(fault) = story::check(demo).await {
        wrong.push(format!("story: {fault}"));
    }
    wrong
}
