//! SQLite's write-ahead log has to go into the file now and then. Left to itself, it does so within the commit that
//! finds the log too long, and whoever writes next waits for thousands of pages. Here a connection
//! that only reads does it beside those who write; only the last few pages are brought in between two of
//! their transactions, so that the log can begin anew. PostgreSQL does all this itself. Knows no table.

use super::Db;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use std::time::{Duration, Instant};

/// Pages that wait in the log before they are brought in: the same pages are written again and again.
const ENOUGH: i64 = 4000;
/// So few are brought in between two transactions of those who write.
const FEW: i64 = 400;
/// How often one goes after those that came meanwhile.
const ROUNDS: usize = 4;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The log as it stands.
struct Waiting {
    /// Pages in it.
    pages: i64,
    /// How many of them are not in the file yet.
    left: i64,
}

/// Works for ever; on PostgreSQL there is nothing to do.
pub async fn for_ever(db: Db) {
    if db.backend() != DbBackend::Sqlite {
        return;
    }
    loop {
        tokio::time::sleep(PAUSE).await;
        if let Err(error) = look(&db).await {
            // Commits do it themselves once it is four times as long.
            tracing::warn!(%error, "the write-ahead log was not brought in");
            tokio::time::sleep(PAUSE * 10).await;
        }
    }
}

async fn look(db: &Db) -> Result<(), DbErr> {
    let mut waiting = checkpoint(db.reader(), "NOOP").await?;
    if waiting.pages < ENOUGH {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        if waiting.left <= FEW {
            break;
        }
        waiting = checkpoint(db.reader(), "PASSIVE").await?;
    }
    let began = Instant::now();
    checkpoint(db.writer(), "PASSIVE").await?;
    metrics::histogram!("suyuan_checkpoint_seconds").record(began.elapsed());
    Ok(())
}

/// None of these waits for anybody: what a reader still needs stays.
async fn checkpoint(conn: &DatabaseConnection, how: &str) -> Result<Waiting, DbErr> {
    let sql = format!("PRAGMA wal_checkpoint({how})");
    let row = conn
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the state of the write-ahead log".into()))?;
    let (pages, done): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
    Ok(Waiting {
        pages,
        left: pages - done,
    })
}
