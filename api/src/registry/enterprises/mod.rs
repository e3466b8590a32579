//! Enterprises (企业): the tenants. Made by the platform's operator; what they say of themselves is
//! theirs to change, version by version.

pub mod handlers;
pub mod store;
pub mod wire;
