//! Connections to the database, SQLite or PostgreSQL, and nothing about any table.
//!
//! SQLite has one writer and several readers; its writing transactions begin IMMEDIATE, so that
//! two of them queue instead of failing. On PostgreSQL both pools are one. A [`Reader`] is all that
//! answering a scan needs: it cannot begin a writing transaction, and its sessions are read-only,
//! so that the database says so as well.

pub mod checkpoint;
mod line;
mod query;
pub mod rows;

pub use line::{Line, Silent};
pub use query::{execute, query_all, query_one, statement};

use crate::config;
use sea_orm::{
    AccessMode, ConnAcquireErr, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, IsolationLevel, RuntimeErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use sqlx::Connection as _;
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
    /// There is no such SQLite file.
    #[error(
        "there is no database at {0}: run this in the folder where the server runs, or name its \
         settings with --config FILE (or SUYUAN__DATA_DIR, SUYUAN__DATABASE__URL); the server makes \
         its database when it first starts, and so does `suyuan migrate`"
    )]
    Missing(String),
    /// It holds nothing of this program.
    #[error("this database holds no schema yet: start the server once, or run `suyuan migrate`")]
    Empty,
    /// The schema is of an older release.
    #[error(
        "this database has the schema of an older release: run `suyuan migrate`, or start the \
         server of this release once"
    )]
    Older,
    /// Neither sqlite: nor postgres:.
    #[error("database.url must start with sqlite:// or postgres://")]
    UnknownKind,
}

/// A database.
#[derive(Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: DatabaseConnection,
    patience: Duration,
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

/// A database that is only read.
#[derive(Clone)]
pub struct Reader {
    connection: DatabaseConnection,
}

/// What a session may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Session {
    ReadWrite,
    ReadOnly,
}

/// A connection for scans that was used within this time is taken for alive: asking it each time
/// would add a round trip to every read, with one connection more held by everyone who waits.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long PostgreSQL works on one statement of a session that writes, and of one that reads for
/// consumers. Whoever waits for it has given up by then.
const STATEMENT_MAX: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(3)];

/// KiB of pages that SQLite keeps for a connection that reads, on top of what the system keeps for
/// all of them. It would keep twice as many, and there are a dozen.
const PAGES: &str = "-1000";

/// The same for one that writes: what an act touches has to stay until its end, or it is written
/// twice.
const PAGES_WRITING: &str = "-16000";

/// Pages of the write-ahead log after which a commit brings them into the file itself: only where nobody
/// does it beside ([`checkpoint`]).
const CHECKPOINT: &str = "16000";

/// Rows that may wait between SQLite's thread and whoever reads them: with few, each costs a switch.
const ROWS_WAITING: usize = 1024;

/// Statements a connection keeps prepared: writes of rows alone come in five sizes ([`rows`]) for each of a
/// dozen tables.
const STATEMENTS: usize = 256;

async fn connect(
    url: &str,
    connections: u32,
    session: Session,
    settings: &config::Database,
) -> Result<DatabaseConnection, OpenError> {
    let acquire = Duration::from_millis(settings.acquire_timeout_ms);
    let mut options = if url.starts_with("sqlite://") {
        let mut options = ConnectOptions::new(format!("{url}?mode=rwc"));
        options.map_sqlx_sqlite_opts(move |o| {
            let o = o
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                .row_buffer_size(ROWS_WAITING)
                .statement_cache_capacity(STATEMENTS);
            match session {
                Session::ReadWrite => o
                    .pragma("cache_size", PAGES_WRITING)
                    .pragma("wal_autocheckpoint", CHECKPOINT),
                Session::ReadOnly => o.pragma("cache_size", PAGES).pragma("query_only", "on"),
            }
        });
        options.map_sqlx_sqlite_before_acquire(|connection, _| {
            Box::pin(async move { Ok(is_outside_of_transactions(connection)) })
        });
        options
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        postgres(url, connections, session)
    } else {
        return Err(OpenError::UnknownKind);
    };
    options
        .max_connections(connections)
        .acquire_timeout(acquire)
        .sqlx_logging(false);
    patiently(options).await
}

/// How often the first connection of a pool is tried, each time for as long as one is waited for later. Whoever
/// starts has nobody waiting for it, and a busy database takes its time.
const FIRST_TRIES: usize = 3;

async fn patiently(options: ConnectOptions) -> Result<DatabaseConnection, OpenError> {
    let mut tries = 1;
    loop {
        match Box::pin(Database::connect(options.clone())).await {
            Err(DbErr::Conn(RuntimeErr::SqlxError(error)))
                if tries < FIRST_TRIES && matches!(*error, sqlx::Error::PoolTimedOut) =>
            {
                tries += 1;
            }
            connected => return Ok(connected?),
        }
    }
}

/// When SQLite itself rolls a transaction back (its disk is full, or fails), the pool's own rollback
/// fails, and the connection is taken for one that is still inside: its next "transactions" would be
/// savepoints of one that nobody ever commits. All they write would be acknowledged and lost.
fn is_outside_of_transactions(connection: &sqlx::SqliteConnection) -> bool {
    let outside = !connection.is_in_transaction();
    if !outside {
        tracing::warn!("a connection was left inside a transaction: it is closed");
    }
    outside
}

fn postgres(url: &str, connections: u32, session: Session) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // A process that was stopped while it held the log's head must not stop all others.
    options.map_sqlx_postgres_opts(move |o| {
        let o = o.statement_cache_capacity(STATEMENTS).options([
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "5s"),
            ("default_transaction_isolation", "read committed"),
        ]);
        match session {
            // All that an act reads, it reads by an index. Of a table that is young nothing is known
            // yet: a plan that reads it whole would be made, and kept while it grows.
            Session::ReadWrite => o.options([("enable_seqscan", "off"), ("jit", "off")]),
            Session::ReadOnly => o.options([("default_transaction_read_only", "on")]),
        }
    });
    if session == Session::ReadOnly {
        // Made before the first request: a pool that makes connections as needed makes them inside
        // the requests that find it empty, all in the first moment of load, and these requests, and
        // those queued behind them, wait several times as long as any later one.
        options
            .statement_timeout(STATEMENT_MAX[1])
            .min_connections(connections)
            .test_before_acquire_if_idle_for(TRUSTED_FOR);
        return options;
    }
    options.statement_timeout(STATEMENT_MAX[0]);
    // Looked at instead of a ping: a server that became a standby, or was fenced, keeps its old
    // connections. They are left, so that the next one may reach the new primary.
    options
        .test_before_acquire(false)
        .map_sqlx_postgres_before_acquire(|connection, _| {
            Box::pin(async move {
                let read_only: String = sqlx::query_scalar("SHOW transaction_read_only")
                    .fetch_one(connection)
                    .await?;
                Ok(read_only != "on")
            })
        });
    options
}

impl Reader {
    /// Opens a pool for `url`, of a database that is there already.
    pub async fn open(url: &str, settings: &config::Database) -> Result<Reader, OpenError> {
        let connection = connect(url, settings.connections, Session::ReadOnly, settings).await?;
        Ok(Reader { connection })
    }

    /// Opens a pool of one, for the freshness poll alone: it must never wait behind others. Its
    /// session is not made read-only, so that it can tell a primary from a server that takes no
    /// writes.
    pub async fn open_single(url: &str, settings: &config::Database) -> Result<Reader, OpenError> {
        let connection = connect(url, 1, Session::ReadWrite, settings).await?;
        Ok(Reader { connection })
    }

    /// For statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Which of the two this is.
    pub fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// Closes all connections.
    pub async fn close(self) {
        let _ = self.connection.close().await;
    }
}

impl Db {
    /// Opens pools for `url` with `connections` readers.
    pub async fn open(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        Db::open_sized(url, settings.connections, settings).await
    }

    /// Opens a pool of one, for a writer that works one after the other.
    pub async fn open_single(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        Db::open_sized(url, 1, settings).await
    }

    /// Opens a database that is there, with the schema of this release, for a command beside a server:
    /// it makes neither.
    pub async fn open_made(url: &str, settings: &config::Database) -> Result<Db, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite://")
            && !Path::new(path).is_file()
        {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let db = Db::open_single(url, settings).await?;
        let table = match db.backend() {
            DbBackend::Postgres => {
                "SELECT 1 FROM pg_class WHERE oid = to_regclass('seaql_migrations')"
            }
            _ => "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'",
        };
        let table = Statement::from_string(db.backend(), table);
        if db.reader().query_one_raw(table).await?.is_none() {
            return Err(OpenError::Empty);
        }
        let applied = Migrator::get_migration_models(db.writer()).await?;
        let is_applied = |name: &str| applied.iter().any(|row| row.version == name);
        let ours = Migrator::migrations();
        if !ours.iter().all(|migration| is_applied(migration.name())) {
            return Err(OpenError::Older);
        }
        Ok(db)
    }

    async fn open_sized(
        url: &str,
        connections: u32,
        settings: &config::Database,
    ) -> Result<Db, OpenError> {
        let patience = Duration::from_millis(settings.acquire_timeout_ms);
        let Some(path) = url.strip_prefix("sqlite://") else {
            let pool = connect(url, connections, Session::ReadWrite, settings).await?;
            return Ok(Db {
                read: pool.clone(),
                write: pool,
                patience,
            });
        };
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder)
                .map_err(|error| OpenError::Folder(folder.display().to_string(), error))?;
        }
        keep_private(path)?;
        // The writer first: it makes the file and turns the write-ahead log on.
        let write = connect(url, 1, Session::ReadWrite, settings).await?;
        let read = connect(url, connections, Session::ReadOnly, settings).await?;
        Ok(Db {
            read,
            write,
            patience,
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

    /// Brings the schema up to date. Processes that start at the same time do it one after the
    /// other. A newer schema is left as it is: releases only add to it, so that this one still
    /// works while the next is being rolled out.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        self.install_migrations().await?;
        let tx = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            // Whoever waits here waits for another's migration, however long it takes.
            tx.execute_unprepared(
                "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
                 LOCK TABLE seaql_migrations IN SHARE ROW EXCLUSIVE MODE",
            )
            .await?;
        }
        let ours = Migrator::migrations();
        let applied = Migrator::get_migration_models(&tx).await?;
        let is_applied = |name: &str| applied.iter().any(|row| row.version == name);
        if ours.iter().all(|migration| is_applied(migration.name())) {
            if applied.len() > ours.len() {
                tracing::info!("the schema is of a newer release");
            }
            return Ok(tx.commit().await?);
        }
        Migrator::up(&tx, None).await?;
        Ok(tx.commit().await?)
    }

    /// The table that says what was applied. Two processes that make it at the same moment are in
    /// each other's way, `IF NOT EXISTS` or not.
    async fn install_migrations(&self) -> Result<(), DbErr> {
        for _ in 0..10 {
            if Migrator::install(&self.write).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Migrator::install(&self.write).await
    }

    /// Begins a transaction that is alone in writing `table` until it ends.
    pub async fn begin_alone_in(&self, table: &str) -> Result<DatabaseTransaction, DbErr> {
        let tx = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            let lock = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
            tx.execute_unprepared(&lock).await?;
        }
        Ok(tx)
    }

    /// The same database, for those who only read.
    pub fn as_reader(&self) -> Reader {
        Reader {
            connection: self.read.clone(),
        }
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

    /// Begins a transaction that only reads, and sees one moment.
    pub async fn begin_reading(&self) -> Result<DatabaseTransaction, DbErr> {
        // SQLite has no levels: a transaction there sees one moment anyway.
        let postgres = self.backend() == DbBackend::Postgres;
        self.read
            .begin_with_options(TransactionOptions {
                isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
                access_mode: postgres.then_some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            })
            .await
    }

    /// Waits for a turn no longer than for a connection: whoever has it may wait for one, and of many who wait
    /// for their turn each would wait for all before them.
    pub async fn in_turn<T>(&self, turn: impl Future<Output = T>) -> Result<T, DbErr> {
        in_turn(self.patience, turn).await
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

/// Waits for a turn for so long; then the database is busy, as where no connection is free.
pub async fn in_turn<T>(longest: Duration, turn: impl Future<Output = T>) -> Result<T, DbErr> {
    let turn = tokio::time::timeout(longest, turn).await;
    turn.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
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

#[cfg(test)]
mod tests {
    use super::*;

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
