//! Transport of sensitive goods (敏感母婴用品): the limits of a waybill, what loggers measured on the way,
//! the measures taken, and what devices' events say of temperature and humidity. Excursions have no table:
//! they follow from these.

use crate::table::{hot, index, sql, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Values are tenths of a degree, of a per cent, of a hertz. What is measured at one instant by one logger
/// stands once. `event_environment` has the positions of events that name a document and say what it was like
/// there; whether they count, where and when they were, stands in `event`.
const TABLES: &[&str] = &[
    "CREATE TABLE transport_reading (
        transport_id UUID NOT NULL,
        logger TEXT NOT NULL,
        at BIGINT NOT NULL,
        enterprise_id UUID NOT NULL,
        temperature BIGINT,
        humidity BIGINT,
        vibration BIGINT,
        place TEXT NOT NULL,
        gseq BIGINT NOT NULL,
        PRIMARY KEY (transport_id, logger, at)
    ) CLUSTERED",
    "CREATE TABLE event_environment (
        enterprise_id UUID NOT NULL,
        document TEXT NOT NULL,
        gseq BIGINT NOT NULL,
        temperature BIGINT,
        humidity BIGINT,
        PRIMARY KEY (enterprise_id, document, gseq)
    ) CLUSTERED",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `limits` is JSON, in tenths.
        table("transport")
            .uuid("enterprise_id")
            .uuid("id")
            .text("waybill_no")
            .text("limits")
            .int("created_at")
            .int("changed_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(
            manager,
            "transport_waybill",
            "transport",
            &["enterprise_id", "waybill_no"],
            true,
        )
        .await?;
        for create in TABLES {
            hot(manager, create).await?;
        }
        // `source` and `quantity` are whose series was out of what, `at` an instant of it.
        table("excursion_measure")
            .uuid("enterprise_id")
            .uuid("id")
            .uuid("transport_id")
            .text("source")
            .text("quantity")
            .int("at")
            .text("measure")
            .int("recorded_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        sql(
            manager,
            "CREATE INDEX excursion_measure_of ON excursion_measure (transport_id, id)",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
