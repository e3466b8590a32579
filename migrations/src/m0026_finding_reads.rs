//! Findings are read back newest first by whose they are: open ones had indexes for it, closed ones
//! get theirs. A row enters these only when its finding closes. Sales of recalled goods are read by
//! recall, disputed batches and units without one by their issuer; few rows are any of these.

use crate::table::sql;
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in [
            "CREATE INDEX finding_closed ON finding (enterprise_id, id) WHERE closed IS NOT NULL",
            "CREATE INDEX finding_closed_issuer ON finding (issuer, id) WHERE closed IS NOT NULL",
            "CREATE INDEX finding_recalled ON finding (issuer) \
             WHERE code = 'SOLD_RECALLED' AND closed IS NULL",
            "CREATE INDEX finding_disputed ON finding (issuer) \
             WHERE code = 'COMMISSION_CONFLICT' AND closed IS NULL",
            "CREATE INDEX unit_unbatched ON unit (issuer, product_id, id) WHERE batch_id IS NULL",
            "CREATE INDEX lot_line_page ON lot_line (enterprise_id, id)",
        ] {
            sql(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
