//! All SQL about devices, their keys and the codes they enrol with.

use super::{
    DeviceError,
    wire::{DeviceIn, DeviceOut},
};
use crate::{
    clock::Micros,
    db::Db,
    entities::{device, device_key, enrolment},
    http::page::Paging,
    log::{Act, ActError, Actor, Begun, Entry, IdempotencyKey, Kind, Log, Position},
    registry,
    sealing::{SealError, Sealer, random_digits},
};
use aws_lc_rs::digest;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use suyuan_sync::limits::ENROLMENT_S;
use uuid::Uuid;

/// A one-time code, to be shown once.
pub struct Ticket {
    /// The code.
    pub code: String,
    /// Until when it holds.
    pub expires_at: Micros,
}

/// The key of an epoch, with what may have become of it.
#[derive(Debug, Clone)]
pub struct EpochKey {
    /// Whose device.
    pub enterprise: Uuid,
    /// The point, as 04, x, y.
    pub public_key: Vec<u8>,
    /// When the epoch began.
    pub enrolled_at: Micros,
    /// Since which position it is revoked.
    pub revoked: Option<Position>,
}

/// What an enrolment gives.
pub struct Enrolled {
    /// The device.
    pub device: device::Model,
    /// The new epoch.
    pub epoch: u32,
    /// The log position it was made at.
    pub position: Position,
    /// The instant of it.
    pub stamp: Micros,
}

/// A key to answer a request by again, and what the code is sealed with in the answer that is kept:
/// whoever reads the database must not enrol by it.
pub type Retry<'a> = (IdempotencyKey, &'a Sealer);

/// The answer that is kept of what made a ticket.
#[derive(Serialize, Deserialize)]
struct Kept {
    device: DeviceOut,
    /// The code, sealed, in base64.
    code: String,
    expires_at: Micros,
}

/// What the codes of kept answers are sealed for.
const KEPT: &str = "enrolment-code";

impl Kept {
    fn of(device: &DeviceOut, ticket: &Ticket, sealer: &Sealer) -> Result<Kept, DeviceError> {
        let code = sealer.wrap(&format!("{KEPT}/{}", device.id), ticket.code.as_bytes());
        Ok(Kept {
            device: device.clone(),
            code: STANDARD.encode(code?),
            expires_at: ticket.expires_at,
        })
    }

    fn opened(self, sealer: &Sealer) -> Result<(DeviceOut, Ticket), DeviceError> {
        let sealed = STANDARD.decode(&self.code);
        let sealed = sealed.map_err(|_| SealError::DoesNotOpen)?;
        let code = sealer.unwrap(&format!("{KEPT}/{}", self.device.id), &sealed)?;
        let code = String::from_utf8(code.to_vec()).map_err(|_| SealError::DoesNotOpen)?;
        let expires_at = self.expires_at;
        Ok((self.device, Ticket { code, expires_at }))
    }
}

/// Begins an act that makes a ticket, unless this very request was answered before.
async fn begin_ticket(
    log: &Log,
    actor: Actor,
    retry: Option<&Retry<'_>>,
) -> Result<Result<Act, (DeviceOut, Ticket)>, DeviceError> {
    let key = retry.map(|(key, _)| key.clone());
    Ok(match (log.begin::<Kept>(actor, key).await?, retry) {
        (Begun::Act(act), _) => Ok(act),
        (Begun::Answered(kept), Some((_, sealer))) => {
            let opened = kept.opened(sealer);
            Err(opened.map_err(|_| ActError::AnswerUnreadable)?)
        }
        (Begun::Answered(_), None) => return Err(DeviceError::Unknown), // no key was given
    })
}

/// Ends it.
async fn commit_ticket(
    act: Act,
    enterprise: Uuid,
    retry: Option<Retry<'_>>,
    body: &(dyn crate::log::erased::Body + Sync),
    (device, ticket): (DeviceOut, Ticket),
) -> Result<(DeviceOut, Ticket), DeviceError> {
    let entry = entry(Kind::DeviceChanged, enterprise, device.id, body);
    let kept = retry.map(|(_, sealer)| Kept::of(&device, &ticket, sealer));
    // Without a key nothing is kept.
    act.commit(entry, &kept.transpose()?).await?;
    Ok((device, ticket))
}

/// Makes a device with the code it enrols by. A retried request gets the answer of the first.
pub async fn create(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    retry: Option<Retry<'_>>,
    new: DeviceIn,
) -> Result<(DeviceOut, Ticket), DeviceError> {
    let act = match begin_ticket(log, actor, retry.as_ref()).await? {
        Ok(act) => act,
        Err(answer) => return Ok(answer),
    };
    if !registry::location_exists(act.tx(), enterprise, new.location_id).await? {
        return Err(DeviceError::UnknownLocation);
    }
    let row = device::Model {
        enterprise_id: enterprise,
        id: log.clock().random_id(),
        name: new.name,
        profile: new.profile.name().into(),
        location_id: new.location_id,
        epoch: 0,
        created_at: act.stamp(),
        revoked_at: None,
    };
    device::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(act.tx())
        .await?;
    let ticket = write_ticket(&act, &row).await?;
    let out = DeviceOut::from(row);
    let body = out.clone();
    commit_ticket(act, enterprise, retry, &body, (out, ticket)).await
}

/// Makes a one-time code for a device; codes it was given before hold no more. A retried request
/// gets the answer of the first.
pub async fn ticket(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    retry: Option<Retry<'_>>,
    id: Uuid,
) -> Result<(DeviceOut, Ticket), DeviceError> {
    let act = match begin_ticket(log, actor, retry.as_ref()).await? {
        Ok(act) => act,
        Err(answer) => return Ok(answer),
    };
    let row = find(act.tx(), enterprise, id).await?;
    let ticket = write_ticket(&act, &row).await?;
    let body = serde_json::json!({"ticket": crate::clock::rfc3339(ticket.expires_at)});
    commit_ticket(act, enterprise, retry, &body, (row.into(), ticket)).await
}

/// A new code for a device, in place of those nobody used.
async fn write_ticket(act: &Act, device: &device::Model) -> Result<Ticket, DeviceError> {
    enrolment::Entity::delete_many()
        .filter(enrolment::Column::DeviceId.eq(device.id))
        .filter(enrolment::Column::UsedAt.is_null())
        .exec(act.tx())
        .await?;
    let code = code()?;
    let expires_at = act.stamp() + ENROLMENT_S * 1_000_000;
    enrolment::Entity::insert(enrolment::ActiveModel {
        code_hash: Set(hash(&code)),
        enterprise_id: Set(device.enterprise_id),
        device_id: Set(device.id),
        created_at: Set(act.stamp()),
        expires_at: Set(expires_at),
        used_at: Set(None),
    })
    .exec_without_returning(act.tx())
    .await?;
    Ok(Ticket { code, expires_at })
}

/// Enrols whoever holds the code: a new epoch with a new key. Whoever brings the same code and key again
/// lost the answer, and gets it again. Whoever holds no code makes nobody wait for the head of the log.
pub async fn enrol(
    db: &Db,
    log: &Log,
    code: &str,
    public_key: &[u8],
) -> Result<Enrolled, DeviceError> {
    let code = hash(&folded(code));
    let held = enrolment::Entity::find_by_id(code.clone()).one(db.reader());
    let held = held.await?.ok_or(DeviceError::WrongCode)?;
    if held.used_at.is_some() {
        return again(db.reader(), &held, public_key, log.now()).await;
    }
    let act = begin(log, Actor::System).await?;
    let used = enrolment::Entity::update_many()
        .col_expr(enrolment::Column::UsedAt, act.stamp().into())
        .filter(enrolment::Column::CodeHash.eq(code.clone()))
        .filter(enrolment::Column::UsedAt.is_null())
        .filter(enrolment::Column::ExpiresAt.gt(act.stamp()))
        .exec_with_returning(act.tx())
        .await?;
    let Some(ticket) = used.into_iter().next() else {
        // Used while this waited for the head, or its time is over.
        let held = enrolment::Entity::find_by_id(code).one(act.tx()).await?;
        let held = held.ok_or(DeviceError::WrongCode)?;
        return again(act.tx(), &held, public_key, act.stamp()).await;
    };
    let known = device_key::Entity::find()
        .filter(device_key::Column::PublicKey.eq(public_key.to_vec()))
        .one(act.tx())
        .await?;
    if known.is_some() {
        // The code stays good: nothing of this act is kept.
        return Err(DeviceError::KeyKnown);
    }
    let mut row = find(act.tx(), ticket.enterprise_id, ticket.device_id).await?;
    row.epoch += 1;
    row.revoked_at = None;
    device::Entity::update_many()
        .col_expr(device::Column::Epoch, row.epoch.into())
        .col_expr(device::Column::RevokedAt, Option::<i64>::None.into())
        .filter(device::Column::EnterpriseId.eq(row.enterprise_id))
        .filter(device::Column::Id.eq(row.id))
        .exec(act.tx())
        .await?;
    device_key::Entity::insert(device_key::ActiveModel {
        device_id: Set(row.id),
        epoch: Set(row.epoch),
        enterprise_id: Set(row.enterprise_id),
        public_key: Set(public_key.to_vec()),
        enrolled_at: Set(act.stamp()),
        enrolled_gseq: Set(act.position()),
        revoked_at: Set(None),
        revoked_gseq: Set(None),
        revoked_why: Set(String::new()),
    })
    .exec_without_returning(act.tx())
    .await?;
    let enrolled = Enrolled {
        epoch: u32::try_from(row.epoch).map_err(|_| DeviceError::Unknown)?,
        position: act.position(),
        stamp: act.stamp(),
        device: row,
    };
    let body = serde_json::json!({
        "epoch": enrolled.epoch,
        "public_key": URL_SAFE_NO_PAD.encode(public_key),
    });
    let (enterprise, id) = (enrolled.device.enterprise_id, enrolled.device.id);
    act.commit(entry(Kind::DeviceEnrolled, enterprise, id, &body), &())
        .await?;
    Ok(enrolled)
}

/// What an enrolment gave, to the key that it was given to: as long as the code would have held, and
/// while that key is the newest of its device and is not revoked. Nothing in it is of use to anybody
/// without the private half of that key.
async fn again(
    conn: &impl ConnectionTrait,
    ticket: &enrolment::Model,
    public_key: &[u8],
    now: Micros,
) -> Result<Enrolled, DeviceError> {
    let used_at = ticket.used_at.filter(|_| now < ticket.expires_at);
    let used_at = used_at.ok_or(DeviceError::WrongCode)?;
    let row = find(conn, ticket.enterprise_id, ticket.device_id).await?;
    // No other act has the stamp of the one that used the code.
    let key = device_key::Entity::find_by_id((row.id, row.epoch))
        .filter(device_key::Column::EnrolledAt.eq(used_at))
        .filter(device_key::Column::PublicKey.eq(public_key.to_vec()))
        .filter(device_key::Column::RevokedGseq.is_null())
        .one(conn)
        .await?
        .ok_or(DeviceError::WrongCode)?;
    Ok(Enrolled {
        epoch: u32::try_from(row.epoch).map_err(|_| DeviceError::Unknown)?,
        position: key.enrolled_gseq,
        stamp: key.enrolled_at,
        device: row,
    })
}

/// Revokes all keys of a device. What they sign from now on is kept in quarantine. A retried request
/// gets the answer of the first.
pub async fn revoke(
    log: &Log,
    enterprise: Uuid,
    actor: Actor,
    key: Option<IdempotencyKey>,
    (id, reason): (Uuid, &str),
) -> Result<DeviceOut, DeviceError> {
    let act = match log.begin::<DeviceOut>(actor, key).await? {
        Begun::Act(act) => act,
        Begun::Answered(out) => return Ok(out),
    };
    let mut row = find(act.tx(), enterprise, id).await?;
    if row.revoked_at.is_some() {
        return Err(DeviceError::AlreadyRevoked);
    }
    row.revoked_at = Some(act.stamp());
    device::Entity::update_many()
        .col_expr(device::Column::RevokedAt, act.stamp().into())
        .filter(device::Column::EnterpriseId.eq(enterprise))
        .filter(device::Column::Id.eq(id))
        .exec(act.tx())
        .await?;
    device_key::Entity::update_many()
        .col_expr(device_key::Column::RevokedAt, act.stamp().into())
        .col_expr(device_key::Column::RevokedGseq, act.position().into())
        .col_expr(device_key::Column::RevokedWhy, reason.to_owned().into())
        .filter(device_key::Column::DeviceId.eq(id))
        .filter(device_key::Column::RevokedGseq.is_null())
        .exec(act.tx())
        .await?;
    enrolment::Entity::delete_many()
        .filter(enrolment::Column::DeviceId.eq(id))
        .filter(enrolment::Column::UsedAt.is_null())
        .exec(act.tx())
        .await?;
    let body = serde_json::json!({"reason": reason, "epoch": row.epoch});
    let out = DeviceOut::from(row);
    act.commit(entry(Kind::DeviceRevoked, enterprise, id, &body), &out)
        .await?;
    Ok(out)
}

/// A device of this enterprise.
pub async fn get(db: &Db, enterprise: Uuid, id: Uuid) -> Result<device::Model, DeviceError> {
    find(db.reader(), enterprise, id).await
}

/// Devices of an enterprise.
pub async fn list(db: &Db, enterprise: Uuid, paging: Paging) -> Result<Vec<device::Model>, DbErr> {
    device::Entity::find()
        .filter(device::Column::EnterpriseId.eq(enterprise))
        .filter(device::Column::Id.gt(paging.after))
        .order_by_asc(device::Column::Id)
        .limit(paging.limit)
        .all(db.reader())
        .await
}

/// The key of an epoch of a device, whoever's it is: the signature says who is calling.
pub async fn key(
    conn: &impl ConnectionTrait,
    device: Uuid,
    epoch: u32,
) -> Result<Option<EpochKey>, DbErr> {
    let row = device_key::Entity::find_by_id((device, i64::from(epoch)))
        .one(conn)
        .await?;
    Ok(row.map(|row| EpochKey {
        enterprise: row.enterprise_id,
        public_key: row.public_key,
        enrolled_at: row.enrolled_at,
        revoked: row.revoked_gseq,
    }))
}

/// A device that signed, whoever's it is.
pub async fn by_id(conn: &impl ConnectionTrait, id: Uuid) -> Result<Option<device::Model>, DbErr> {
    device::Entity::find()
        .filter(device::Column::Id.eq(id))
        .one(conn)
        .await
}

async fn begin(log: &Log, actor: Actor) -> Result<Act, DeviceError> {
    match log.begin::<()>(actor, None).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(()) => Err(DeviceError::Unknown), // no key was given
    }
}

async fn find(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    id: Uuid,
) -> Result<device::Model, DeviceError> {
    device::Entity::find_by_id((enterprise, id))
        .one(conn)
        .await?
        .ok_or(DeviceError::Unknown)
}

/// 130 random bits as 26 digits.
fn code() -> Result<String, DeviceError> {
    Ok(random_digits::<26>()?)
}

/// As typed by a person: small letters, spaces and hyphens, O for 0, I and L for 1.
fn folded(code: &str) -> String {
    code.chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

fn hash(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, code.as_bytes()))
}

fn entry(
    kind: Kind,
    enterprise: Uuid,
    id: Uuid,
    body: &(dyn crate::log::erased::Body + Sync),
) -> Entry<'_> {
    Entry {
        kind,
        enterprise: Some(enterprise),
        subject: format!("device:{id}"),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_26_digits_and_read_as_people_type_it() {
        let code = code().unwrap();
        assert_eq!(code.len(), 26);
        let digit = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
        assert!(code.bytes().all(digit), "{code}");
        assert_eq!(folded(&code), code);
        let typed = code.to_lowercase().replace('0', "o").replace('1', "l");
        let typed = format!("{} {}-{}", &typed[..4], &typed[4..9], &typed[9..]);
        assert_eq!(folded(&typed), code);
    }
}
