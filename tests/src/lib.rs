//! The harness: read first. Every test runs the real application on a real database of its own,
//! over real sockets; `on_both!` runs one body on SQLite and on PostgreSQL.
//!
//! `tests/run` starts PostgreSQL and Redis and says where they are; without it, tests that need
//! them fail and say so.

pub mod app;
pub mod caller;
pub mod chaos;
mod databases;
pub mod form;
pub mod handheld;
pub mod history;
mod orders;
mod patience;
pub mod pda;

pub use app::{Engine, TestApp};
pub use caller::{Answer, Caller, NoAnswer};
pub use chaos::{Proxy, Weather};
pub use databases::{migrated_postgres_database, new_postgres_database};
pub use handheld::{DeviceKey, Handheld};
pub use orders::recall_order;
pub use patience::until;
pub use pda::Pda;

/// Runs one test body on both databases: `on_both!(name, |app| { … })` makes `name::sqlite` and
/// `name::postgres`. `app` is a [`TestApp`] with an empty database.
#[macro_export]
macro_rules! on_both {
    ($(#[$doc:meta])* $name:ident, |$app:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($app: $crate::TestApp) $body

            #[actix_web::test]
            async fn sqlite() {
                body($crate::TestApp::spawn($crate::Engine::Sqlite).await).await;
            }

            #[actix_web::test]
            async fn postgres() {
                body($crate::TestApp::spawn($crate::Engine::Postgres).await).await;
            }
        }
    };
}
