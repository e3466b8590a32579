//! Batches (批次): lot, dates, batch-level values in versions, and what of them goes public.

pub mod handlers;
pub mod publication;
pub mod store;
pub mod wire;
