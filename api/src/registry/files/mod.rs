//! Files of Table 8: inspection reports and certificates. Kept by the SHA-256 of their bytes;
//! public once something published names them.

pub mod handlers;
pub mod rules;
pub mod store;
pub mod wire;
