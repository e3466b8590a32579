//! Where strangers say units are (C14): what of a unit's state shows in the stock figures of whoever
//! says so, and nowhere else. Most units have no row.

use crate::table::{hot, sql};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Those that states tell of, but what linked enterprises said before they were linked and what was
/// said of things in containers: neither is a claim any more.
const KNOWN: &str = "INSERT INTO unit_claim (unit_id, enterprise_id, location_id) \
     SELECT u.id, {who}, {place} FROM unit u, {claims} c \
     WHERE u.state LIKE '%\"claims\":{\"%' AND u.inside IS NULL \
     AND {at} IS NOT NULL AND NOT {linked}";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        hot(
            manager,
            "CREATE TABLE unit_claim (
                unit_id BIGINT NOT NULL,
                enterprise_id UUID NOT NULL,
                location_id UUID NOT NULL,
                PRIMARY KEY (unit_id, enterprise_id)
            ) CLUSTERED",
        )
        .await?;
        // What an enterprise says is at a place.
        sql(
            manager,
            "CREATE INDEX unit_claim_place ON unit_claim (enterprise_id, location_id, unit_id)",
        )
        .await?;
        let words: [(&str, &str); 5] = match manager.get_database_backend() {
            DbBackend::Postgres => [
                ("{claims}", "jsonb_each(u.state::jsonb->'state'->'claims')"),
                ("{who}", "c.key::uuid"),
                ("{place}", "(c.value->>'at')::uuid"),
                ("{at}", "c.value->>'at'"),
                ("{linked}", "u.state::jsonb->'state'->'linked' ? c.key"),
            ],
            _ => [
                ("{claims}", "json_each(u.state, '$.state.claims')"),
                ("{who}", "unhex(c.key, '-')"),
                ("{place}", "unhex({at}, '-')"),
                ("{at}", "json_extract(u.state, c.fullkey || '.at')"),
                (
                    "{linked}",
                    "EXISTS (SELECT 1 FROM json_each(u.state, '$.state.linked') l \
                     WHERE l.value = c.key)",
                ),
            ],
        };
        let known = words.iter().fold(KNOWN.to_owned(), |text, (word, spelt)| {
            text.replace(word, spelt)
        });
        sql(manager, &known).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
