//! `suyuan demo`: a small honest world on an embedded database, made through the same functions
//! the API uses, dates relative to today. Prints where to look and a QR for the phone.

mod check;
mod handset;
mod report;
mod shift;
mod staff;
mod tell;
mod texts;
pub(crate) mod world;

pub use check::check;
pub use staff::Badges;
pub use tell::{lan_address, qr_for_terminal};
pub use world::{Codes, Demo, DemoError, Enrolment, make};
