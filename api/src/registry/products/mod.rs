//! Products (品类): class-level values in versions, and the trade items codes are issued for.

pub mod handlers;
pub mod store;
pub mod wire;
