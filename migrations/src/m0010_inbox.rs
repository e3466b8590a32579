//! The public inbox: where a consumer-facing process puts what consumers tell. That process may
//! insert here and read nothing, so the database itself keeps the table from growing without end.
//! Beside it: the keys personal parts are sealed to, how far the inbox was emptied, and what could
//! not be read.

use crate::table::{index, sql, table};
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Messages that may wait at once: about 640 MB at their largest.
const WAITING_MAX: u32 = 20_000;
/// Longest part of one message, in bytes or characters.
const PART_MAX: u32 = 32_768;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("public_inbox")
            .uuid("id")
            .text("kind")
            .int("at")
            .text("body")
            .bytes("sealed")
            .key(&["id"])
            .create(manager)
            .await?;
        index(manager, "public_inbox_at", "public_inbox", &["at"], false).await?;
        table("inbox_aside")
            .uuid("id")
            .text("kind")
            .int("at")
            .text("body")
            .bytes("sealed")
            .text("reason")
            .int("set_aside_at")
            .key(&["id"])
            .create(manager)
            .await?;
        table("inbox_key")
            .int("id")
            .bytes("wrapped")
            .int("created_at")
            .key(&["id"])
            .create(manager)
            .await?;
        table("public_inbox_key")
            .int("id")
            .bytes("public_key")
            .key(&["id"])
            .create(manager)
            .await?;
        table("public_inbox_state")
            .int("id")
            .int("taken_until")
            .key(&["id"])
            .create(manager)
            .await?;
        sql(
            manager,
            "INSERT INTO public_inbox_state (id, taken_until) VALUES (1, 0)",
        )
        .await?;
        bound(manager).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}

/// A full inbox, and a message that is too large, are refused by the database: a process that
/// was taken over is held to it as well. The function reads the table with its owner's rights.
async fn bound(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let large = format!("length(NEW.body) > {PART_MAX} OR length(NEW.sealed) > {PART_MAX}");
    if manager.get_database_backend() != DbBackend::Postgres {
        return sql(
            manager,
            &format!(
                "CREATE TRIGGER public_inbox_bound BEFORE INSERT ON public_inbox \
                 WHEN {large} OR (SELECT COUNT(*) FROM public_inbox) >= {WAITING_MAX} \
                 BEGIN SELECT RAISE(ABORT, 'inbox full'); END"
            ),
        )
        .await;
    }
    sql(
        manager,
        &format!(
            "CREATE FUNCTION public_inbox_bound() RETURNS trigger LANGUAGE plpgsql \
             SECURITY DEFINER SET search_path = pg_catalog AS $$ \
             DECLARE waiting bigint; BEGIN \
             EXECUTE format('SELECT COUNT(*) FROM %I.public_inbox', TG_TABLE_SCHEMA) INTO waiting; \
             IF {large} OR waiting >= {WAITING_MAX} THEN RAISE EXCEPTION 'inbox full'; END IF; \
             RETURN NEW; END $$"
        ),
    )
    .await?;
    sql(
        manager,
        "CREATE TRIGGER public_inbox_bound BEFORE INSERT ON public_inbox \
         FOR EACH ROW EXECUTE FUNCTION public_inbox_bound()",
    )
    .await
}
