//! Badges: who works with devices, as devices know people (sync.md section 2, "actor"). A badge is a
//! number, what it may do and where; no name of a person is known here (design section 2.13).
//!
//! What events say of people is never judged by a list that came later, so a number is given once:
//! a withdrawn badge stays on record.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod wire;
