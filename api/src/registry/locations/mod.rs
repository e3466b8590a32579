//! Locations: plants, warehouses, stores, farms. A plant carries the producer's name and contact
//! that the public table prints per batch (H27).

pub mod handlers;
pub mod store;
pub mod wire;
