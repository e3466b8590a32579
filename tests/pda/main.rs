//! The internal listener over TLS, and the web app it serves in a real browser, for a whole shift:
//! the program itself with a certificate of `suyuan cert`, on both databases.

mod demo;
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
mod shift;
mod site;

/// Where the files of the other stories look for what they share.
mod support {
    #[allow(unused_imports)]
    pub use crate::{people::*, programs::*};
}
