//! The program as it is deployed: one internal and three public processes on one PostgreSQL, each a
//! process of its own, and what becomes of them when something breaks.

mod bad_input;
mod devices;
mod faults;
mod loadtest;
#[allow(dead_code)]
mod postgres;
mod recalls;
mod role;
mod starting;
#[allow(dead_code)]
mod support;
mod voices;
