//! When something happened, as far as anyone can know (sync.md section 4).
//!
//! [`interval()`] freezes, from one event and its receipt alone, the bounds within which it
//! happened and the device's own word. [`effective()`], [`resume`] and [`resume_to`] turn the intervals of one
//! device epoch into the effective times everything is ordered by.
//!
//! No device clock is trusted, and nothing here reads one. How an anchor is made and verified is
//! told elsewhere: here it is an instant, or missing.

mod effective;
mod interval;

pub use effective::{Changed, Placed, Prefix, Resumed, Timed, effective, resume, resume_to};
pub use interval::{ClockReading, interval};
