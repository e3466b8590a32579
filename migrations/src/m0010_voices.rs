//! Complaints and feedback of consumers: the trace record, its personal part apart from it and
//! sealed, and what whoever holds the receipt may see.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The enterprise is nil where no code space names one: the platform's own.
        table("voice")
            .uuid("enterprise_id")
            .uuid("id")
            .uuid("message_id")
            .text("kind")
            .text("state")
            .text("receipt")
            .text("code")
            .text_null("lot")
            .uuid_null("product_id")
            .int("told_at")
            .text_null("place")
            .text("entered_by")
            .text_null("plan")
            .text_null("answer")
            .text_null("result")
            .uuid_null("handler")
            .int_null("answered_at")
            .int_null("handled_at")
            .int_null("closed_at")
            .int_null("satisfaction")
            .int_null("erased_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        for (name, columns, unique) in [
            ("voice_id", &["id"][..], true),
            ("voice_message", &["message_id"], true),
            ("voice_receipt", &["receipt"], true),
            ("voice_code", &["enterprise_id", "code"], false),
        ] {
            index(manager, name, "voice", columns, unique).await?;
        }
        table("voice_personal")
            .uuid("enterprise_id")
            .uuid("voice_id")
            .bytes("sealed")
            .int("keep_until")
            .key(&["enterprise_id", "voice_id"])
            .create(manager)
            .await?;
        index(
            manager,
            "voice_personal_keep",
            "voice_personal",
            &["keep_until"],
            false,
        )
        .await?;
        table("public_complaint")
            .text("receipt")
            .text("kind")
            .text("state")
            .int("received_at")
            .text_null("answer")
            .int_null("answered_at")
            .int_null("closed_at")
            .flag("erased")
            .int("position")
            .key(&["receipt"])
            .create(manager)
            .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
