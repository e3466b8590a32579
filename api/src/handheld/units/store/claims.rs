//! Where strangers say units are (C14), beside the states that say the same: for the stock figures of
//! whoever says so, and for nobody else. Few units have a row.

use super::UnitId;
use crate::db::{rows::Rows, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use std::collections::BTreeMap;
use suyuan_sync::ids::{EnterpriseId, LocationId};

/// Writes what is claimed of these units now, in place of what was.
pub async fn write_claims(
    conn: &impl ConnectionTrait,
    claims: &BTreeMap<UnitId, BTreeMap<EnterpriseId, LocationId>>,
) -> Result<(), DbErr> {
    let units: Vec<Value> = claims.keys().map(|unit| (*unit).into()).collect();
    for units in units.chunks(500) {
        let list = vec!["?"; units.len()].join(", ");
        let sql = format!("DELETE FROM unit_claim WHERE unit_id IN ({list})");
        let query = statement(conn.get_database_backend(), &sql, units.to_vec());
        conn.execute_raw(query).await?;
    }
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
