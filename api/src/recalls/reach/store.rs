//! SQL beside units: sales of recalled goods, what waits to be published.

use super::{lots_store::Told, wire::SalesOut};
use crate::db::{query_all, query_one, rows::by_keys};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeMap;
use suyuan_sync::{
    finding::{Detail, Finding, Knowledge, Subject, When},
    ids::RecallId,
};
use uuid::Uuid;

/// Sales of what a recall covers, as they were classified (C9); not those of goods of a lot that nobody
/// brought to who says to have sold them.
pub(super) async fn sales(
    conn: &impl ConnectionTrait,
    issuer: Uuid,
    recall: Uuid,
    lots: &Told,
) -> Result<Vec<SalesOut>, DbErr> {
    let mut rows = query_all(
        conn,
        "SELECT finding, enterprise_id FROM finding WHERE issuer = ? AND code = 'SOLD_RECALLED' \
         AND closed IS NULL AND line_id IS NULL",
        [issuer.into()],
    )
    .await?;
    let of_lots = "SELECT finding, enterprise_id FROM finding WHERE line_id IN ({keys}) \
                   AND line_id IS NOT NULL AND code = 'SOLD_RECALLED' AND closed IS NULL";
    let lines = lots.rows.iter().map(|id| (*id).into()).collect();
    rows.extend(by_keys(conn, of_lots, &[], lines).await?);
    let mut counted: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in rows {
        let text: String = row.try_get("", "finding")?;
        let finding: Finding =
            serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))?;
        if let Subject::Lot(line) = &finding.subject
            && !lots.counts(row.try_get("", "enterprise_id")?, line)
        {
            continue;
        }
        if let Detail::SoldRecalled {
            recall: of,
            when,
            knowledge,
        } = finding.detail
            && of == RecallId(recall)
        {
            *counted
                .entry((when_name(when), knowledge_name(knowledge)))
                .or_default() += 1;
        }
    }
    Ok(counted
        .into_iter()
        .map(|((when, knowledge), sales)| SalesOut {
            when: when.into(),
            knowledge: knowledge.into(),
            sales,
        })
        .collect())
}

const fn when_name(when: When) -> &'static str {
    match when {
        When::Before => "before",
        When::After => "after",
        When::Uncertain { .. } => "uncertain",
    }
}

const fn knowledge_name(knowledge: Knowledge) -> &'static str {
    match knowledge {
        Knowledge::Overridden => "overridden",
        Knowledge::Knew => "knew",
        Knowledge::StaleList => "stale_list",
        Knowledge::CouldNotKnow => "could_not_know",
    }
}

/// How many units wait to be named by it.
pub(super) async fn pending(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    recall: Uuid,
) -> Result<u64, DbErr> {
    let row = query_one(
        conn,
        "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) AS n FROM recall_stage \
         WHERE enterprise_id = ? AND recall_id = ?",
        [enterprise.into(), recall.into()],
    )
    .await?;
    let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    Ok(n as u64)
}
