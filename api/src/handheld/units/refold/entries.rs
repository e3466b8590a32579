//! What entries of the log mean for units that were scanned before: which are folded again. Reads
//! the entries' words, decides nothing about units.
//!
//! A policy and an end of a shift are not here: they hold for what is later in the order than they are, and
//! whatever came in before an entry is earlier. So does a voided code, but the card of its unit tells it.

use super::{Scope, Work, pages_store, record_store, store::Told};
use crate::{handheld::units::folding::NUMBER_BITS, log::Kind};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use suyuan_sync::{
    facts::{AcceptScope, Statement},
    ids::{BatchId, EnterpriseId, RecallId},
};
use uuid::Uuid;

/// Whom the body of an entry puts on record.
#[derive(Deserialize)]
struct Badge {
    number: String,
}

/// The work an entry makes necessary.
pub async fn work_of(conn: &impl ConnectionTrait, told: &Told) -> Result<Vec<Work>, DbErr> {
    let subject = |of: &str| -> Option<Uuid> {
        let id = told.subject.strip_prefix(of)?.strip_prefix(':')?;
        id.parse().ok()
    };
    let batch = |batch: Uuid| {
        let batch = BatchId(batch);
        [Scope::Batch { batch }, Scope::Holding { batch }]
    };
    let goods = |of: Uuid| {
        let [units, holding] = batch(of);
        let batch = Some(BatchId(of));
        [units, holding, Scope::Went { batch }]
    };
    let issuer = told.enterprise.map(EnterpriseId);
    let mut scopes = Vec::new();
    let Some(kind) = Kind::of_name(&told.kind) else {
        // A newer program beside this one wrote it, and works it out.
        return Ok(Vec::new());
    };
    match kind {
        Kind::RecallOpened | Kind::RecallWidened | Kind::RecallClosed => {
            let Some(recall) = subject("recall") else {
                return Ok(Vec::new());
            };
            let since = (kind != Kind::RecallClosed).then_some(told.gseq);
            let (batches, listed) = pages_store::recalled(conn, recall, since).await?;
            scopes.extend(batches.into_iter().flat_map(goods));
            if let (true, Some(issuer)) = (listed, issuer) {
                let recall = RecallId(recall);
                scopes.push(Scope::Listed { issuer, recall });
            }
        }
        Kind::MasterDataChanged | Kind::Published => {
            scopes.push(Scope::Unknown);
            // Not only of what was found: of goods of which all was struck, nothing is.
            if record_store::opened_a_space(conn, told).await? {
                scopes.push(Scope::Unissued);
            }
            scopes.extend(subject("batch").into_iter().flat_map(goods));
        }
        Kind::BadgeChanged => {
            if let (Some(enterprise), Ok(Badge { number })) =
                (issuer, serde_json::from_str(&told.body))
            {
                scopes.push(Scope::Actor { enterprise, number });
            } else {
                tracing::error!(gseq = told.gseq, "an entry cannot be read");
            }
        }
        Kind::CodesCommissioned => {
            let of = |issuer| [Scope::Unbatched { issuer }, Scope::Stated { issuer }];
            scopes.extend(issuer.into_iter().flat_map(of));
        }
        Kind::CodesVoided => {
            let since = told.gseq;
            let of = |issuer| Scope::Voided { issuer, since };
            scopes.extend(issuer.map(of));
        }
        Kind::HolderAccepted => {
            if let Ok(Statement::HolderAccepted {
                issuer,
                partner,
                scope,
                ..
            }) = serde_json::from_str(&told.body)
            {
                // What a batch's container reports is found at the container.
                if let AcceptScope::Batch(of) = scope {
                    scopes.extend(batch(of.0));
                }
                if !matches!(scope, AcceptScope::Partner(_)) {
                    scopes.push(Scope::Apart { accepted: scope });
                }
                let since = told.gseq;
                scopes.push(Scope::Stranger {
                    issuer,
                    partner,
                    since,
                });
            } else {
                tracing::error!(gseq = told.gseq, "an entry cannot be read");
            }
        }
        Kind::SegmentAllocated
        | Kind::LinksChanged
        | Kind::AccountChanged
        | Kind::WatchChanged
        | Kind::VoiceReceived
        | Kind::VoiceHandled
        | Kind::BuyerFiled
        | Kind::PersonalDataOpened
        | Kind::PersonalDataErased
        | Kind::SuspicionRaised
        | Kind::SuspicionCleared
        | Kind::DeviceChanged
        | Kind::DeviceEnrolled
        | Kind::DeviceRevoked
        | Kind::GapForced
        | Kind::GroupReleased
        | Kind::Admitted
        | Kind::ClockConfirmed
        | Kind::PolicyChanged
        | Kind::ShiftClosed
        | Kind::PeriodClosed
        | Kind::TransportChanged
        | Kind::ReadingsFiled
        | Kind::ExcursionMeasured
        | Kind::Refolded
        | Kind::Mended => {}
    }
    let work = scopes.into_iter().zip(1..).map(|(scope, n)| Work {
        id: (told.gseq << NUMBER_BITS) | n,
        scope,
        cursor: 0,
        cause: None,
        gseq: told.gseq,
    });
    Ok(work.collect())
}
