//! People who may act: accounts, their refresh tokens (kept hashed), the keys that sign access
//! tokens (kept wrapped) and the one-time link that makes the first administrator.

use crate::table::{index, table};
use sea_orm_migration::prelude::*;

/// See the file's header.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table("user_account")
            .uuid("id")
            .uuid_null("enterprise_id")
            .text("username")
            .text("password_hash")
            .text("role")
            .flag("disabled")
            .int("created_at")
            .int("failed_logins")
            .int("locked_until")
            .int("generation")
            .key(&["id"])
            .create(manager)
            .await?;
        index(
            manager,
            "user_account_username",
            "user_account",
            &["username"],
            true,
        )
        .await?;
        table("refresh_token")
            .text("hash")
            .uuid("family")
            .uuid("user_id")
            .int("generation")
            .int("issued_at")
            .int("expires_at")
            .int_null("used_at")
            .flag("revoked")
            .key(&["hash"])
            .create(manager)
            .await?;
        index(
            manager,
            "refresh_token_family",
            "refresh_token",
            &["family"],
            false,
        )
        .await?;
        index(
            manager,
            "refresh_token_user",
            "refresh_token",
            &["user_id"],
            false,
        )
        .await?;
        table("setup_link")
            .text("hash")
            .int("expires_at")
            .int_null("used_at")
            .key(&["hash"])
            .create(manager)
            .await?;
        table("signing_key")
            .text("kid")
            .bytes("wrapped")
            .bytes("public_key")
            .int("created_at")
            .int_null("retired_at")
            .key(&["kid"])
            .create(manager)
            .await?;
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the schema only moves forward".into()))
    }
}
