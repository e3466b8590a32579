//! Lets the app of a brand open printed codes itself: the two files by which a phone asks an
//! address whether an app speaks for it (Android App Links, Apple Universal Links). Made once from
//! the settings; this module reads nothing else.

mod files;
pub mod handlers;

pub use files::{AppLinkFiles, LinkError};
