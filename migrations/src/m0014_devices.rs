//! Handhelds and tills: who they are, the keys they sign with, the one-time codes they enrol by,
//! and the keys this installation signs receipts and lists with.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `epoch` is the newest one, 0 before the first enrolment.
        table("device")
            .uuid("enterprise_id")
            .uuid("id")
            .text("name")
            .text("profile")
            .uuid("location_id")
            .int("epoch")
            .int("created_at")
            .int_null("revoked_at")
            .key(&["enterprise_id", "id"])
            .create(manager)
            .await?;
        index(manager, "device_id", "device", &["id"], true).await?;
        // One row an epoch, never changed but for its revocation. `public_key` is the point of
        // P-256 as 04, x, y.
        table("device_key")
            .uuid("device_id")
            .int("epoch")
            .uuid("enterprise_id")
            .bytes("public_key")
            .int("enrolled_at")
            .int("enrolled_gseq")
            .int_null("revoked_at")
            .int_null("revoked_gseq")
            .text("revoked_why")
            .key(&["device_id", "epoch"])
            .create(manager)
            .await?;
        index(
            manager,
            "device_key_public",
            "device_key",
            &["public_key"],
            true,
        )
        .await?;
        table("enrolment")
            .text("code_hash")
            .uuid("enterprise_id")
            .uuid("device_id")
            .int("created_at")
            .int("expires_at")
            .int_null("used_at")
            .key(&["code_hash"])
            .create(manager)
            .await?;
        index(
            manager,
            "enrolment_device",
            "enrolment",
            &["device_id"],
            false,
        )
        .await?;
        // A chain: each key but the first is signed by the one before.
        table("list_key")
            .int("number")
            .bytes("wrapped")
            .bytes("public_key")
            .bytes("signed_by_previous")
            .int("created_at")
            .key(&["number"])
            .create(manager)
            .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
