//! The log of events as it stands in a database, for the invariants of `suyuan_sync`. It reads the
//! tables by itself, so that what the program says about them is not what it is judged by.

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
};
use suyuan_sync::{
    chain::Hash,
    event,
    ids::{DeviceId, EnterpriseId, EventId, Gseq},
    invariants::{LogHistory, Logged},
    order::{Interval, Order},
    wire::Status,
};
use uuid::Uuid;

/// The tables of one installation, read from outside.
pub struct Tables {
    db: DatabaseConnection,
}

impl Tables {
    /// Opens them.
    pub async fn open(url: &str) -> Tables {
        let db = Database::connect(url).await.expect("the database");
        Tables { db }
    }

    /// The connection.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// Rows of a query.
    pub async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let query = Statement::from_string(self.db.get_database_backend(), sql);
        self.db.query_all_raw(query).await.expect("rows")
    }

    /// The number that a query gives as `n`.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql).await;
        rows[0].try_get("", "n").expect("a number")
    }

    /// Runs a statement.
    pub async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.expect("a statement");
    }

    /// All events.
    pub async fn log(&self) -> LogHistory {
        self.log_after(0).await
    }

    /// The events above a position.
    pub async fn log_after(&self, gseq: Gseq) -> LogHistory {
        let sql = format!(
            "SELECT gseq, stamp, enterprise_id, device_id, epoch, seq, fate, order_epoch, lo, est, \
             eff, prev_hash, hash, body FROM event WHERE gseq > {gseq} ORDER BY gseq"
        );
        let rows = self.rows(&sql).await;
        let events = rows.iter().map(|row| logged(row).expect("an event"));
        LogHistory {
            events: events.collect(),
        }
    }

    /// Closes the connection.
    pub async fn close(self) {
        self.db.close().await.expect("closing");
    }

    /// Is it PostgreSQL?
    pub fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }
}

fn logged(row: &QueryResult) -> Result<Logged, DbErr> {
    let number = |name: &str| row.try_get::<i64>("", name);
    let id = |name: &str| row.try_get::<Uuid>("", name);
    let hash = |name: &str| {
        let bytes: Vec<u8> = row.try_get("", name)?;
        let bytes = bytes.try_into();
        Ok::<_, DbErr>(Hash(bytes.expect("32 bytes")))
    };
    let body: Vec<u8> = row.try_get("", "body")?;
    let fate: String = row.try_get("", "fate")?;
    let fate = Status::of_name(&fate).expect("a fate");
    let event = event::parse_bytes(&body).ok();
    let (device, seq) = (DeviceId(id("device_id")?), number("seq")? as u64);
    let counts = matches!(fate, Status::Stored | Status::StoredFlagged);
    let order = event.as_ref().filter(|_| counts).map(|event| {
        Ok::<_, DbErr>(Order {
            eff: number("eff")?,
            device,
            epoch: number("order_epoch")? as u32,
            seq,
            event: event.id,
        })
    });
    Ok(Logged {
        gseq: number("gseq")?,
        recv: number("stamp")?,
        enterprise: EnterpriseId(id("enterprise_id")?),
        device,
        epoch: number("epoch")? as u32,
        seq,
        event: event.as_ref().map(|event| EventId(event.id.0)),
        group: event
            .as_ref()
            .and_then(|event| event.group)
            .map(|group| (group.id, group.of)),
        prev_hash: hash("prev_hash")?,
        hash: hash("hash")?,
        body,
        fate,
        order: order.transpose()?,
        interval: Interval {
            lo: number("lo")?,
            est: number("est")?,
            hi: number("stamp")?,
        },
    })
}
