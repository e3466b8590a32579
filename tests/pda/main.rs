//! The internal listener over TLS, and the web app it serves in a real browser, for a whole shift:
//! the program itself with a certificate of `suyuan cert`, on both databases.

mod demo;
mod lost;
#[path = "../enterprise/support.rs"]
#[allow(dead_code)]
mod people;
#[path = "../nodes/support.rs"]
#[allow(dead_code)]
mod programs;
#[path = "../handheld/scene.rs"]
#[allow(dead_code)]
mod scene;
mod secure;
mod seen;
mod shift;
mod site;
#[path = "../chaos/verdict.rs"]
#[allow(dead_code)]
mod verdict;

/// Where the files of the other stories look for what they share.
mod support {
    #[allow(unused_imports)]
    pub use crate::{people::*, programs::*};
}
