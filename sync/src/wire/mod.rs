//! What goes over the wire between device and server (sync.md section 3), as types with a version
//! number each.
//!
//! Requests of devices are read by their `read` functions, which hold the limits; answers are
//! plain serde. What is signed has one form in bytes (`bytes_to_sign`): ASCII lines that begin
//! with what they are for. Fields a program does not know are passed over, so that a device and a
//! server of different age understand each other within a version.
//!
//! It must not know HTTP, databases or cryptography beyond SHA-256.

mod badge;
mod card;
mod enrol;
mod frame;
mod key;
mod list;
mod more;
mod pull;
mod push;
mod ranges;
mod receipt;
mod token;
mod version;

pub use badge::{BadgeCard, BadgeRole, BadgesAnswer, hash_of_badge};
pub use card::{
    Chunk, HeldBatch, Item, ListCurrent, PartnerCard, PlaceCard, ProductCard, RecallList,
    RecalledBatch, Removed, UnitCard, Verdict,
};
pub use enrol::{Enrol, EnrolAnswer, Ticket};
pub use frame::FrameFault;
pub use key::{Base64Url, Curve, KeyType, PublicKey, Signature, TrustKey, follow};
pub use more::is_none;
pub use pull::{
    Aside, LookUpAnswer, OwnFinding, PullAnswer, PullItem, RulesAnswer, SnapshotChunk,
    SnapshotManifest, StatusAnswer,
};
pub use push::{ClosingEntry, Deposit, EventResult, FindingNote, Push, PushAnswer, Status};
pub use ranges::Ranges;
pub use receipt::Receipt;
pub use token::{Covered, PushClaims, ReadClaims, TYP_PUSH, TYP_READ, TokenFault};
pub use version::V;
