//! What devices fetch in pieces: parts of recall lists and snapshots, by their hash; and whose
//! products an enterprise handles.

use crate::table::{hot, sql};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Immutable: what changes is only until when a part is needed. Any process answers for what
        // another made, and a download goes on after a restart.
        hot(
            manager,
            "CREATE TABLE sync_chunk (
                enterprise_id UUID NOT NULL,
                hash BYTES NOT NULL,
                bytes BYTES NOT NULL,
                needed_at BIGINT NOT NULL,
                PRIMARY KEY (enterprise_id, hash)
            )",
        )
        .await?;
        sql(
            manager,
            "CREATE INDEX sync_chunk_needed ON sync_chunk (needed_at)",
        )
        .await?;
        // Products of others that a place of the enterprise was told units of. Never forgotten: a
        // recall concerns those who held the goods.
        hot(
            manager,
            "CREATE TABLE handled_product (
                enterprise_id UUID NOT NULL,
                product_id UUID NOT NULL,
                PRIMARY KEY (enterprise_id, product_id)
            ) CLUSTERED",
        )
        .await?;
        // Products and enterprises of others that a place was told of: it is told again when they
        // change.
        hot(
            manager,
            "CREATE TABLE known_product (
                location_id UUID NOT NULL,
                product_id UUID NOT NULL,
                PRIMARY KEY (location_id, product_id)
            ) CLUSTERED",
        )
        .await?;
        hot(
            manager,
            "CREATE TABLE known_partner (
                location_id UUID NOT NULL,
                partner_id UUID NOT NULL,
                PRIMARY KEY (location_id, partner_id)
            ) CLUSTERED",
        )
        .await?;
        sql(
            manager,
            "INSERT INTO handled_product (enterprise_id, product_id) \
             SELECT DISTINCT l.enterprise_id, u.product_id FROM told_unit t \
             JOIN unit u ON u.id = t.unit_id JOIN location l ON l.id = t.location_id \
             WHERE u.product_id IS NOT NULL",
        )
        .await?;
        sql(
            manager,
            "CREATE INDEX lot_line_enterprise ON lot_line (enterprise_id, gtin)",
        )
        .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
