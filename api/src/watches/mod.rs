//! Watches (召回提醒订阅): a person asks to hear of a recall of their tins, without an account. They
//! hold a token; we hold its hash and the codes, and nothing about them.
//!
//! The public side puts a message into the inbox (`handlers`), the internal side makes the row of
//! the public projection from it with its log entry (`take`). What is said of the codes is not
//! kept anywhere: each time the token is shown they are judged anew, so a recall shows in a watch
//! as soon as in a scan.

pub mod example;
pub mod handlers;
pub mod rules;
pub mod store;
pub mod take;
pub mod wire;
