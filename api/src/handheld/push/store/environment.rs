//! What events say of temperature and humidity, by the document they name, so that what was measured on a
//! transport is found without reading all events.

use crate::{db::rows::Rows, log::Position};
use sea_orm::{ConnectionTrait, DbErr};
use suyuan_sync::event::{Event, Kind};
use uuid::Uuid;

/// What an event says of where it was, to be written.
pub struct Environs {
    enterprise: Uuid,
    document: String,
    gseq: Position,
    temperature: Option<i32>,
    humidity: Option<i32>,
}

impl Environs {
    /// Of an event: of inbound and outbound ones that name a document and say what it was like.
    pub fn of(enterprise: Uuid, gseq: Position, event: &Event) -> Option<Environs> {
        if !matches!(event.kind, Kind::Inbound | Kind::Outbound) {
            return None;
        }
        let document = event.doc.as_ref().map(|doc| doc.no.as_str())?;
        let env = event.env?;
        let said = env.temperature.is_some() || env.humidity.is_some();
        (said && !document.is_empty()).then(|| Environs {
            enterprise,
            document: document.to_owned(),
            gseq,
            temperature: env.temperature,
            humidity: env.humidity,
        })
    }
}

/// Writes it.
pub async fn write_environs(conn: &impl ConnectionTrait, said: Vec<Environs>) -> Result<(), DbErr> {
    let mut rows = Rows::of(5);
    for one in said {
        rows.add([
            one.enterprise.into(),
            one.document.into(),
            one.gseq.into(),
            one.temperature.map(i64::from).into(),
            one.humidity.map(i64::from).into(),
        ]);
    }
    rows.write(
        conn,
        "INSERT INTO event_environment (enterprise_id, document, gseq, temperature, humidity)",
        "ON CONFLICT (enterprise_id, document, gseq) DO NOTHING",
    )
    .await?;
    Ok(())
}
