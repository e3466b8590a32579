//! Connections to the database, SQLite or PostgreSQL, and nothing about any table.
//!
//! SQLite has one writer and several readers; its writing transactions begin IMMEDIATE, so that
//! two of them queue instead of failing. On PostgreSQL both pools are one.

use crate::config;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use std::{fs, io, path::Path, time::Duration};
use suyuan_migrations::{Migrator, MigratorTrait};
use thiserror::Error;

/// Why the database cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The driver's word.
    #[error("database")]
    Db(#[from] DbErr),
    /// The folder or lock file.
    #[error("data folder {0}")]
    Folder(String, #[source] io::Error),
    /// Another process has this SQLite file.
    #[error("{0} is in use by another process; stop it, or use PostgreSQL to run several")]
    InUse(String),
    /// Neither sqlite: nor postgres:.
    #[error("database.url must start with sqlite:// or postgres://")]
    UnknownKind,
}

/// When the connections of a PostgreSQL pool are made.
///
/// A pool that makes them as needed makes them inside the requests that find it empty, all of them
/// in the first moment of load, when the machine has least time for it: these requests, and those
/// queued behind them, wait several times as long as any other later does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// By the request that needs one.
    AsNeeded,
    /// Before the first request, and again in the background when one is given up.
    AtOnce,
}

/// A connection used within this time is taken for alive: asking it each time would add a round
/// trip to every read, with one connection more held by everyone who waits.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A database.
#[derive(Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
}

/// Held while this process owns a SQLite file.
pub struct FileLock(#[allow(dead_code)] Option<fs::File>);

/// Where the database of these settings is.
pub fn url(settings: &config::Settings) -> String {
    let url = settings.database.url.expose();
    if url.is_empty() {
        format!("sqlite://{}", settings.data_dir.join("suyuan.db").display())
    } else {
        url.to_owned()
    }
}

impl Db {
    /// Opens pools for `url` with `connections` readers.
    pub async fn open(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        Db::open_sized(url, settings.connections, Opened::AsNeeded, settings).await
    }

    /// The same for scans, whose longest wait is bounded.
    pub async fn open_for_scans(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        Db::open_sized(url, settings.connections, Opened::AtOnce, settings).await
    }

    /// Opens a pool of one, for the freshness poll alone: it must never wait behind others.
    pub async fn open_single(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        Db::open_sized(url, 1, Opened::AsNeeded, settings).await
    }

    async fn open_sized(
        url: &str,
        connections: u32,
        opened: Opened,
        settings: &config::Database,
    ) -> Result<Db, OpenError> {
        let acquire = Duration::from_millis(settings.acquire_timeout_ms);
        if let Some(path) = url.strip_prefix("sqlite://") {
            if let Some(folder) = Path::new(path).parent() {
                fs::create_dir_all(folder)
                    .map_err(|error| OpenError::Folder(folder.display().to_string(), error))?;
            }
            keep_private(path)?;
            let options = |connections: u32| {
                let mut options = ConnectOptions::new(format!("{url}?mode=rwc"));
                options
                    .max_connections(connections)
                    .acquire_timeout(acquire)
                    .sqlx_logging(false)
                    .map_sqlx_sqlite_opts(move |o| {
                        o.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                            .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                            .busy_timeout(Duration::from_secs(5))
                            .foreign_keys(true)
                    });
                options
            };
            // The writer first: it makes the file and turns the write-ahead log on.
            let write = Database::connect(options(1)).await?;
            let read = Database::connect(options(connections)).await?;
            return Ok(Db { read, write });
        }
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(OpenError::UnknownKind);
        }
        let mut options = ConnectOptions::new(url);
        // A process that was stopped while it held the log's head must not stop all others.
        options
            .max_connections(connections)
            .acquire_timeout(acquire)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|o| {
                o.options([
                    ("lock_timeout", "5s"),
                    ("idle_in_transaction_session_timeout", "5s"),
                ])
            });
        if opened == Opened::AtOnce {
            options
                .min_connections(connections)
                .test_before_acquire_if_idle_for(TRUSTED_FOR);
        }
        let pool = Database::connect(options).await?;
        Ok(Db {
            read: pool.clone(),
            write: pool,
        })
    }

    /// Takes the right to be the only serving process on a SQLite file.
    pub fn lock(url: &str) -> Result<FileLock, OpenError> {
        let Some(path) = url.strip_prefix("sqlite://") else {
            return Ok(FileLock(None));
        };
        let lock = format!("{path}.lock");
        let failed = |error| OpenError::Folder(lock.clone(), error);
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock(Some(file))),
            Err(fs::TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        Ok(Migrator::up(&self.write, None).await?)
    }

    /// For statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For single statements that write.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Which of the two this is.
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.write
            .begin_with_options(TransactionOptions {
                isolation_level: None,
                access_mode: None,
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            })
            .await
    }

    /// Does it answer?
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.read.ping().await
    }

    /// Closes all connections.
    pub async fn close(self) {
        let _ = self.read.close().await;
        let _ = self.write.close().await;
    }
}

/// Makes the file, readable by its owner only: it holds password hashes. SQLite gives its other
/// files the same mode.
fn keep_private(path: &str) -> Result<(), OpenError> {
    use std::os::unix::fs::OpenOptionsExt;
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(OpenError::Folder(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}

/// A statement written once with `?` for each value, for both databases.
pub fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    if backend != DbBackend::Postgres {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut n = 0;
    for part in sql.split_inclusive('?') {
        match part.strip_suffix('?') {
            Some(before) => {
                n += 1;
                numbered.push_str(before);
                numbered.push('$');
                numbered.push_str(&n.to_string());
            }
            None => numbered.push_str(part),
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgres_only() {
        let values = || [Value::from(1i64), Value::from(2i64)];
        let sql = "SELECT 1 WHERE a = ? AND b = ?";
        assert_eq!(
            statement(DbBackend::Postgres, sql, values()).sql,
            "SELECT 1 WHERE a = $1 AND b = $2"
        );
        assert_eq!(statement(DbBackend::Sqlite, sql, values()).sql, sql);
    }

    #[test]
    fn a_sqlite_file_has_one_serving_process() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/x.db", folder.path().display());
        let held = Db::lock(&url).unwrap();
        assert!(matches!(Db::lock(&url), Err(OpenError::InUse(_))));
        drop(held);
        assert!(Db::lock(&url).is_ok());
    }
}
