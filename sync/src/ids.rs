//! Names of things as types of their own, so that a device cannot be passed for an enterprise.
//!
//! Plain values: they know how they are written, and nothing of what they name.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Declares an id that is a UUID underneath.
macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

uuid_ids! {
    /// An enterprise: a tenant of the installation.
    EnterpriseId,
    /// A place with a GLN or an id of its own.
    LocationId,
    /// A batch (批次).
    BatchId,
    /// A product (品类).
    ProductId,
    /// A recall (召回).
    RecallId,
    /// A device (random, 128 bit). The nil id stands for the server in the total order.
    DeviceId,
    /// An event, UUIDv7 made by its device; unique per enterprise, never globally.
    EventId,
    /// A group: one business act that must stand together.
    GroupId,
}

impl DeviceId {
    /// What the server itself states is ordered under the nil id.
    pub const SERVER: DeviceId = DeviceId(Uuid::nil());
}

/// An instant in microseconds since 1970, UTC.
pub type Micros = i64;

/// A position in the installation's log: everything at or below it has been committed.
pub type Gseq = i64;

/// The life of a device's chain: 1 at enrolment, a new one after loss of data, restore or fork.
pub type Epoch = u32;

/// The place of an event in its device's epoch: dense from 1, at most [`crate::limits::SEQ_MAX`].
pub type Seq = u64;
