//! What goes over the wire between device and server (sync.md section 3), as types.

mod ranges;

pub use ranges::Ranges;
