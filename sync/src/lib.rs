//! What the handheld and the server must agree on, and nothing else.
//!
//! Everything in this crate is a pure, total function: no I/O, no clock, no randomness, no
//! async, no panic on any input. The server, the load generator, the simulator and the checker
//! call these functions; the web app is a second implementation, held to the first by the
//! vectors in `tests/golden/`.
//!
//! It must not know HTTP, SQL, or who is asking.
//!
//! ```
//! use suyuan_sync::trace_code::{self, TraceCode};
//!
//! let scanned = trace_code::parse("https://id.example.cn/01/06901234567892/10/L7/21/A-9?17=270331")?;
//! assert_eq!(scanned.code.to_string(), "/01/06901234567892/10/L7/21/A-9");
//! assert_eq!(scanned.claims.expiry, Some(*b"270331"));
//! assert!(matches!(scanned.code, TraceCode::Gtin(code) if code.serial.is_some()));
//! # Ok::<(), trace_code::CodeError>(())
//! ```

pub mod admission;
pub mod bugs;
pub mod chain;
pub mod event;
pub mod facts;
pub mod finding;
pub mod fold;
pub mod ids;
pub mod invariants;
pub mod limits;
pub mod lots;
pub mod oracle;
pub mod order;
pub mod outbox;
pub mod recall_list;
pub mod till;
pub mod time;
pub mod trace_code;
pub mod unit;
pub mod wire;
