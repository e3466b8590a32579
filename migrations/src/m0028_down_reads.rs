//! What a pull asks, by index: units by where they are and when they last changed, those that were
//! told and may have left, papers of a place by when they came to count, findings by device, master
//! data by what it is of.

use crate::table::{sql, table};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Statements that both databases understand.
const STATEMENTS: &[&str] = &[
    // `gseq` is the unit's own as of the position `told_follow` stands at: whoever follows the log
    // brings it there, so that neither pushes nor pulls pay for it. 0 where an older program told.
    "ALTER TABLE told_unit ADD COLUMN gseq BIGINT NOT NULL DEFAULT 0",
    "UPDATE told_unit SET gseq = COALESCE((SELECT u.gseq FROM unit u WHERE u.id = unit_id), 0)",
    "INSERT INTO told_follow (id, gseq) SELECT 1, COALESCE(MAX(gseq), 0) FROM log_head",
    "CREATE INDEX told_unit_gseq ON told_unit (location_id, gseq)",
    "CREATE INDEX told_unit_unit ON told_unit (unit_id)",
    // What ended apart from what is there: a shop sells for years, and whoever begins anew is told
    // of the last days only.
    "CREATE INDEX unit_here ON unit (place, gseq) \
     WHERE place IS NOT NULL AND phase NOT IN ('sold', 'destroyed')",
    "CREATE INDEX unit_ended ON unit (place, gseq) \
     WHERE place IS NOT NULL AND phase IN ('sold', 'destroyed')",
    // By when it came to count, not by when it was received: what was aside comes late.
    "CREATE INDEX event_leg ON event (location_id, counts_from) \
     WHERE kind IN ('inbound', 'outbound') AND counts_from IS NOT NULL",
    "CREATE INDEX event_aside_device ON event (device_id, fate, gseq) WHERE counts_from IS NULL",
    "CREATE INDEX finding_device_opened ON finding (device_id, opened)",
    "CREATE INDEX finding_device_closed ON finding (device_id, closed) WHERE closed IS NOT NULL",
    "CREATE INDEX finding_device_event ON finding (device_id, event_gseq)",
    // Those that need somebody: warnings and worse.
    "CREATE INDEX finding_device_needs ON finding (device_id, id) \
     WHERE closed IS NULL AND severity >= 1",
    "CREATE INDEX log_entry_subject ON log_entry (subject, gseq) \
     WHERE kind IN ('master_data_changed', 'published')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("told_follow")
            .int("id")
            .int("gseq")
            .key(&["id"])
            .create(manager)
            .await?;
        for statement in STATEMENTS {
            sql(manager, statement).await?;
        }
        // What is on its way to an enterprise that named no place of its own: its state says to whom.
        let to = match manager.get_database_backend() {
            DbBackend::Postgres => "(state::jsonb #>> '{state,place,between,to_enterprise}')",
            _ => "json_extract(state, '$.state.place.between.to_enterprise')",
        };
        let bound = format!(
            "CREATE INDEX unit_bound ON unit ({to}, gseq) \
             WHERE place IS NULL AND phase IN ('in_transit', 'returned', 'collected')"
        );
        sql(manager, &bound).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
