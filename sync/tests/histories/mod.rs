//! Small worlds and histories to judge: plausible, contradictory, late.
//!
//! `stage` is a fixed cast: a maker, a chain of shops and a stranger, with their places, devices
//! and goods. `draft` turns small numbers into events on that stage, so that a failing history
//! shrinks; `strategy` draws them with proptest and `seeded` from a number alone. `meddling` adds what
//! somebody says who has no part in it. `telling` is for stories written by hand.
//!
//! It must not know what any rule makes of a history.

// Each test target uses some of it and not the rest.
#![allow(dead_code, unused_imports)]

mod draft;
mod meddling;
mod plausible;
mod seeded;
mod settings;
pub mod stage;
mod strategy;
mod telling;

pub use draft::{Draft, build};
pub use meddling::{MEDDLER, is_of_meddler, meddled};
pub use seeded::{Dice, seeded};
pub use settings::{RecallDraft, Settings};
pub use strategy::{case, drafts, settings};
pub use telling::{Line, Telling};

use suyuan_sync::facts::{Fact, World};

/// A world and what was stated in it, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Case {
    pub world: World,
    pub facts: Vec<Fact>,
}
