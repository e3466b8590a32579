//! Subcommands that say more than a line each: their flags, and what they print. What they do is the
//! library's.

pub mod cert;
pub mod demo;
pub mod device;
pub mod simulate;
