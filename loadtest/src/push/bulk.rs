//! The baseline of the engine itself: the very event rows of an upload, written again by
//! `INSERT … SELECT` into an empty copy of the table with all its indexes, as many rows to a
//! transaction as a push had events, on one connection, waiting for the disk each time. The rows
//! come out of a staged copy in memory (SQLite) or a temporary table (PostgreSQL), so that neither
//! a client's binding nor reading the source is charged to the engine. Nothing that inserts these
//! rows by itself does it faster; the service has to parse, verify, fold and answer besides.
//!
//! Knows one table, `event`, and of it the key `gseq` alone.

use std::{path::Path, time::Instant};

use sqlx::{
    Connection as _, Executor, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use suyuan_sync::ids::Gseq;

use super::lanes::{Tally, Watch};
use crate::{LoadError, drive::Outcome, process::ScratchFolder, target::require_local_store};

/// Of the copy, in a database that is the service's own otherwise.
const SCHEMA: &str = "suyuan_loadtest_bulk";

/// A copy of the table, filled as the table is.
pub enum Bulk {
    /// A file of its own.
    Sqlite {
        /// On it.
        connection: SqliteConnection,
        /// Where it is; removed with it.
        _folder: ScratchFolder,
    },
    /// A schema of its own, which [`Bulk::remove`] takes away again.
    Postgres(PgConnection),
}

impl Bulk {
    /// An empty copy of the table in this file.
    pub async fn sqlite(file: &Path) -> Result<Self, LoadError> {
        let folder = ScratchFolder::new()?;
        // As the service opens its own.
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("bulk.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-1000")
            .pragma("temp_store", "memory");
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(sql("opening the copy"))?;
        sqlx::query("ATTACH ? AS source")
            .bind(format!("file:{}?mode=ro", file.display()))
            .execute(&mut connection)
            .await
            .map_err(sql("attaching the service's file"))?;
        let made: Vec<String> = sqlx::query_scalar(
            "SELECT sql FROM source.sqlite_master WHERE tbl_name = 'event' AND sql IS NOT NULL \
             ORDER BY type DESC",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(sql("reading the schema"))?;
        for statement in made {
            run(&mut connection, statement, "making the copy").await?;
        }
        Ok(Self::Sqlite {
            connection,
            _folder: folder,
        })
    }

    /// An empty copy of the table in this database.
    pub async fn postgres(url: &str) -> Result<Self, LoadError> {
        require_local_store(url)?;
        let mut connection = PgConnection::connect(url)
            .await
            .map_err(sql("connecting to PostgreSQL"))?;
        for statement in [
            format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"),
            format!("CREATE SCHEMA {SCHEMA}"),
            format!("CREATE TABLE {SCHEMA}.event (LIKE public.event INCLUDING ALL)"),
        ] {
            run(&mut connection, statement, "making the copy").await?;
        }
        Ok(Self::Postgres(connection))
    }

    /// Copies the rows of these positions, `batch` to a transaction.
    pub async fn insert(
        &mut self,
        (first, last): (Gseq, Gseq),
        batch: usize,
    ) -> Result<Outcome, LoadError> {
        match self {
            Self::Sqlite { connection, .. } => {
                let stage = format!(
                    "CREATE TEMP TABLE staged AS SELECT * FROM source.event \
                     WHERE gseq BETWEEN {first} AND {last} ORDER BY gseq"
                );
                run(connection, stage, "staging rows").await?;
                let numbers: Vec<i64> = sqlx::query_scalar("SELECT rowid FROM temp.staged")
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(sql("counting rows"))?;
                let outcome = timed(&numbers, batch, async |from, to| {
                    let insert = "INSERT INTO main.event SELECT * FROM temp.staged \
                                  WHERE rowid BETWEEN ? AND ?";
                    let insert = sqlx::query(insert).bind(from).bind(to);
                    let done = insert.execute(&mut *connection).await;
                    done.map(|done| done.rows_affected())
                })
                .await?;
                run(connection, "DROP TABLE temp.staged".into(), "unstaging").await?;
                Ok(outcome)
            }
            Self::Postgres(connection) => {
                for statement in [
                    format!(
                        "CREATE TEMP TABLE staged AS SELECT * FROM public.event \
                         WHERE gseq BETWEEN {first} AND {last} ORDER BY gseq"
                    ),
                    "CREATE UNIQUE INDEX ON staged (gseq)".to_owned(),
                    "ANALYZE staged".to_owned(),
                ] {
                    run(connection, statement, "staging rows").await?;
                }
                let numbers: Vec<i64> = sqlx::query_scalar("SELECT gseq FROM staged ORDER BY gseq")
                    .fetch_all(&mut *connection)
                    .await
                    .map_err(sql("counting rows"))?;
                let outcome = timed(&numbers, batch, async |from, to| {
                    let insert = format!(
                        "INSERT INTO {SCHEMA}.event SELECT * FROM staged \
                         WHERE gseq BETWEEN $1 AND $2"
                    );
                    let insert = sqlx::query(sqlx::AssertSqlSafe(insert)).bind(from).bind(to);
                    let done = insert.execute(&mut *connection).await;
                    done.map(|done| done.rows_affected())
                })
                .await?;
                run(connection, "DROP TABLE staged".into(), "unstaging").await?;
                Ok(outcome)
            }
        }
    }

    /// Takes the copy away.
    pub async fn remove(self) -> Result<(), LoadError> {
        match self {
            Self::Sqlite { connection, .. } => {
                connection.close().await.map_err(sql("closing the copy"))
            }
            Self::Postgres(mut connection) => {
                let drop = format!("DROP SCHEMA {SCHEMA} CASCADE");
                run(&mut connection, drop, "removing the copy").await
            }
        }
    }
}

/// Inserts rows with these ascending numbers, `batch` of them at a time.
async fn timed(
    numbers: &[i64],
    batch: usize,
    mut insert: impl AsyncFnMut(i64, i64) -> Result<u64, sqlx::Error>,
) -> Result<Outcome, LoadError> {
    let watch = Watch::start(None);
    let mut tally = Tally::new(watch.since())?;
    for chunk in numbers.chunks(batch.max(1)) {
        let (Some(from), Some(to)) = (chunk.first(), chunk.last()) else {
            continue;
        };
        let since = Instant::now();
        let rows = insert(*from, *to).await.map_err(sql("inserting rows"))?;
        tally.answered(rows as usize, since.elapsed());
    }
    watch.stop(&mut tally)
}

/// Runs a statement made of names and numbers of ours alone.
async fn run<'c, C: sqlx::Connection>(
    connection: &'c mut C,
    statement: String,
    what: &'static str,
) -> Result<(), LoadError>
where
    &'c mut C: Executor<'c, Database = C::Database>,
{
    connection
        .execute(sqlx::AssertSqlSafe(statement))
        .await
        .map(|_| ())
        .map_err(sql(what))
}

fn sql(what: &'static str) -> impl FnOnce(sqlx::Error) -> LoadError {
    move |error| LoadError::Unusable(format!("{what}: {error}"))
}
