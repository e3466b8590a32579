//! Databases of the tests' own. Migrating one takes longer than many a test, so each program of
//! tests migrates one of each kind by the application's own means, and others begin as copies of
//! it. Knows nothing of what tests do with them.
//!
//! A copy is of what this very build of the program made: a program built anew has another name
//! for it, so that no test runs on the schema of yesterday.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};
use suyuan::{config::Settings, db::Db};
use uuid::Uuid;

/// An empty database of its own on the test server, for what is about migrating, or does it itself.
pub async fn new_postgres_database() -> String {
    let server = Server::open().await;
    let url = server.with_database("").await;
    server.admin.close().await.expect("closing");
    url
}

/// A migrated one.
pub async fn migrated_postgres_database() -> String {
    let server = Server::open().await;
    let template = format!("migrated_{:016x}", this_build());
    if !server.has(&template).await {
        server.make(&template).await;
    }
    let url = server.with_database(&format!("TEMPLATE {template}")).await;
    server.admin.close().await.expect("closing");
    url
}

/// A migrated SQLite file in this folder.
pub async fn migrated_sqlite_database(folder: &Path) -> String {
    let path = folder.join("suyuan.db");
    // Where nobody takes it away afterwards, none is kept: the application migrates, as ever.
    if let Some(run) = env::var_os("SUYUAN_TEST_RUN").map(PathBuf::from) {
        let kept = run.join(format!("migrated-{:016x}.db", this_build()));
        if !kept.exists() {
            let own = tempfile::tempdir_in(&run).expect("a temporary folder");
            let made = own.path().join("suyuan.db");
            migrate(&format!("sqlite://{}", made.display())).await;
            // Two may make it at the same time: they are alike.
            fs::rename(&made, &kept).expect("its place");
        }
        fs::copy(&kept, &path).expect("a copy");
    }
    format!("sqlite://{}", path.display())
}

/// The test server.
struct Server {
    admin: DatabaseConnection,
    base: String,
}

impl Server {
    async fn open() -> Server {
        let server = env::var("SUYUAN_TEST_POSTGRES")
            .expect("SUYUAN_TEST_POSTGRES is not set: run the tests with tests/run");
        let admin = Database::connect(&server)
            .await
            .expect("the test PostgreSQL");
        let (base, _) = server.rsplit_once('/').expect("a database in the address");
        let base = base.to_owned();
        Server { admin, base }
    }

    async fn with_database(&self, like: &str) -> String {
        let name = format!("t_{}", Uuid::new_v4().simple());
        self.admin
            .execute_unprepared(&format!("CREATE DATABASE {name} {like}"))
            .await
            .expect("a database of its own");
        format!("{}/{name}", self.base)
    }

    async fn has(&self, name: &str) -> bool {
        let sql = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        let row = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.admin.query_one_raw(row).await.expect("an answer");
        row.is_some()
    }

    /// Migrates a database, and gives it the name when that is done: whoever sees the name sees all
    /// of it. Of two that make one at the same time, the second leaves its own aside.
    async fn make(&self, name: &str) {
        let url = self.with_database("").await;
        migrate(&url).await;
        let (_, made) = url.rsplit_once('/').expect("a name");
        let rename = format!("ALTER DATABASE {made} RENAME TO {name}");
        if let Err(error) = self.admin.execute_unprepared(&rename).await {
            assert!(self.has(name).await, "{error}");
        }
    }
}

/// As the application does it.
async fn migrate(url: &str) {
    let settings = Settings::load(None, &[("database.url", url.to_owned())]).expect("settings");
    let db = Db::open_single(url, &settings.database)
        .await
        .expect("a database");
    db.migrate().await.expect("migrated");
    db.close().await;
}

/// What tells this build of this program from any other.
fn this_build() -> u64 {
    let program = env::current_exe().expect("a path");
    let file = fs::metadata(&program).expect("a file");
    let mut hasher = DefaultHasher::new();
    (program, file.len(), file.modified().expect("a time")).hash(&mut hasher);
    hasher.finish()
}
