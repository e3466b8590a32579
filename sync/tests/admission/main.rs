//! Admission, T1 to T10 of sync.md section 6: the rules one by one, and what must hold for any
//! pushes in any order.

mod edges;
mod properties;
mod rules;
mod seen;
mod world;
