//! Where strangers say units are (C14), beside the states that say the same: for the stock figures of
//! whoever says so, and for nobody else. Few units have a row.

use super::UnitId;
use crate::db::rows::{Rows, change_by_keys};
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::BTreeMap;
use suyuan_sync::ids::{EnterpriseId, LocationId};

/// Writes what is claimed of these units now, in place of what was.
pub async fn write_claims(
    conn: &impl ConnectionTrait,
    claims: &BTreeMap<UnitId, BTreeMap<EnterpriseId, LocationId>>,
) -> Result<(), DbErr> {
    let units = claims.keys().map(|unit| (*unit).into()).collect();
    let sql = "DELETE FROM unit_claim WHERE unit_id IN ({keys})";
    change_by_keys(conn, sql, &[], units).await?;
    let mut rows = Rows::of(3);
    for (unit, claimed) in claims {
        for (enterprise, place) in claimed {
            rows.add([(*unit).into(), enterprise.0.into(), place.0.into()]);
        }
    }
    rows.write(
        conn,
        "INSERT INTO unit_claim (unit_id, enterprise_id, location_id)",
        "",
    )
    .await?;
    Ok(())
}
