//! All SQL about files of an enterprise.

use super::wire::FileOut;
use crate::{
    db::Db,
    entities::file_object,
    log::{Actor, Begun, Entry, IdempotencyKey, Kind, Log},
    registry::RegistryError,
};
use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait};
use uuid::Uuid;

/// Keeps a file. The same bytes again keep the first title.
pub async fn put(
    log: &Log,
    actor: Actor,
    key: Option<IdempotencyKey>,
    enterprise: Uuid,
    file: FileOut,
    content: Vec<u8>,
) -> Result<FileOut, RegistryError> {
    let act = match log.begin(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    file_object::Entity::insert(file_object::ActiveModel {
        enterprise_id: Set(enterprise),
        hash: Set(file.hash.clone()),
        media_type: Set(file.media_type.clone()),
        title: Set(file.title.clone()),
        size: Set(file.size),
        content: Set(content),
        created_at: Set(act.stamp()),
    })
    .on_conflict_do_nothing()
    .exec_without_returning(act.tx())
    .await?;
    let kept = file_object::Entity::find_by_id((enterprise, file.hash.clone()))
        .one(act.tx())
        .await?;
    let title = kept.map_or(file.title, |row| row.title);
    let file = FileOut { title, ..file };
    let entry = Entry {
        kind: Kind::MasterDataChanged,
        enterprise: Some(enterprise),
        subject: format!("file:{}", file.hash),
        body: &file,
    };
    act.commit(entry, &file).await?;
    Ok(file)
}

/// Has this enterprise such a file?
pub async fn exists(
    tx: &impl sea_orm::ConnectionTrait,
    enterprise: Uuid,
    hash: &str,
) -> Result<bool, sea_orm::DbErr> {
    let found = file_object::Entity::find_by_id((enterprise, hash.to_owned()))
        .count(tx)
        .await?;
    Ok(found == 1)
}

/// One file with its bytes.
pub async fn get(
    db: &Db,
    enterprise: Uuid,
    hash: &str,
) -> Result<file_object::Model, RegistryError> {
    let row = file_object::Entity::find_by_id((enterprise, hash.to_owned()))
        .one(db.reader())
        .await?;
    row.ok_or(RegistryError::Unknown)
}

/// The refusal for a file nobody uploaded.
pub fn unknown(hash: &str) -> RegistryError {
    RegistryError::field(
        &format!("files/{hash}"),
        "unknown-file",
        "upload this file first: POST /v1/files",
        "请先上传该文件：POST /v1/files",
    )
}
