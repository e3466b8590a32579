//! A page of excursions: of one transport behind the other, each with what was done about it. Knows no HTTP
//! and no SQL.

use super::{
    ExcursionError,
    read_store::{self, Source, Transport},
    rules::{self, Excursion},
    wire::{After, ExcursionOut, ExcursionPage, ExcursionQuery, MeasureOut, Place, shown, written},
};
use crate::{clock::rfc3339, http::page::Paging};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// A page looks at no more transports than this, and at no more once it looked at so many readings.
const TRANSPORTS: u64 = 100;
const READINGS: usize = 40_000;

/// The excursions of a transport, with whose series each is, in the order of their beginning.
pub async fn of(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    transport: &Transport,
) -> Result<(Vec<(Source, Excursion<Place>)>, usize), ExcursionError> {
    let series = read_store::series(conn, enterprise, transport).await?;
    let read = series.values().map(Vec::len).sum();
    let mut found: Vec<(Source, Excursion<Place>)> = series
        .into_iter()
        .flat_map(|(source, readings)| {
            let runs = rules::excursions(readings, &transport.limits);
            runs.into_iter().map(move |run| (source.clone(), run))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| {
        let key = |run: &Excursion<Place>| (run.start, run.quantity, run.side);
        key(one).cmp(&key(other)).then_with(|| a.cmp(b))
    });
    Ok((found, read))
}

/// One page. `limit` was checked.
pub async fn page(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    query: &ExcursionQuery,
    limit: u64,
) -> Result<ExcursionPage, ExcursionError> {
    let paging = Paging {
        after: query.after.map_or(Uuid::nil(), |after| after.transport),
        limit: TRANSPORTS,
    };
    let waybill = query.waybill_no.as_deref();
    let transports = read_store::transports(conn, enterprise, waybill, paging, true).await?;
    let more = transports.len() as u64 == TRANSPORTS;
    let (mut items, mut read, mut last) = (Vec::new(), 0, None);
    for transport in transports {
        if read > READINGS {
            return Ok(ends(items, last));
        }
        let (found, readings) = of(conn, enterprise, &transport).await?;
        read += readings;
        let mut measures = None;
        let mut places = numbered(&transport, found);
        places.retain(|(place, ..)| query.after.is_none_or(|after| *place > after));
        for (place, source, run) in places {
            if query
                .quantity
                .is_some_and(|quantity| quantity != run.quantity)
                || query.open.is_some_and(|open| open != run.end.is_none())
            {
                continue;
            }
            let measures = match &mut measures {
                Some(measures) => measures,
                none => none.insert(read_store::measures(conn, enterprise, transport.id).await?),
            };
            let out = told(&transport, &source, &run, measures);
            if query
                .measured
                .is_some_and(|measured| measured == out.measures.is_empty())
            {
                continue;
            }
            items.push(out);
            if items.len() as u64 == limit {
                return Ok(ends(items, Some(place)));
            }
        }
        last = Some(After::all_of(transport.id));
    }
    Ok(ends(items, last.filter(|_| more)))
}

fn ends(items: Vec<ExcursionOut>, last: Option<After>) -> ExcursionPage {
    ExcursionPage {
        items,
        next: last.map(|after| after.to_string()),
    }
}

/// Each with where it stands in the list.
fn numbered(
    transport: &Transport,
    found: Vec<(Source, Excursion<Place>)>,
) -> Vec<(After, Source, Excursion<Place>)> {
    let mut before = None;
    let mut n = 0;
    let numbered = found.into_iter().map(|(source, run)| {
        n = if before == Some(run.start) { n + 1 } else { 0 };
        before = Some(run.start);
        let place = After {
            transport: transport.id,
            start: run.start,
            n,
        };
        (place, source, run)
    });
    numbered.collect()
}

fn told(
    transport: &Transport,
    source: &Source,
    run: &Excursion<Place>,
    measures: &[read_store::Measure],
) -> ExcursionOut {
    let of = source.to_string();
    let measures = measures
        .iter()
        .filter(|one| one.source == of && one.quantity == run.quantity && run.covers(one.at));
    let (logger, device) = match source {
        Source::Logger(name) => (Some(name.clone()), None),
        Source::Device(id) => (None, Some(*id)),
    };
    ExcursionOut {
        transport_id: transport.id,
        waybill_no: transport.waybill_no.clone(),
        logger,
        device,
        quantity: run.quantity,
        side: run.side,
        limit: shown(run.limit),
        start: written(run.start),
        end: run.end.map(written),
        duration_s: run.duration() as f64 / 1e6,
        extreme: shown(run.extreme),
        extreme_at: written(run.extreme_at),
        readings: run.readings,
        places: run.places.clone(),
        measures: measures
            .map(|one| MeasureOut {
                id: one.id,
                at: written(one.at),
                measure: one.measure.clone(),
                recorded_at: rfc3339(one.recorded_at),
            })
            .collect(),
    }
}

/// Has this series an excursion of this quantity at this instant?
pub async fn holds(
    conn: &impl ConnectionTrait,
    enterprise: Uuid,
    transport: Uuid,
    (source, quantity, at): (&Source, rules::Quantity, i64),
) -> Result<bool, ExcursionError> {
    let transport = read_store::transport(conn, enterprise, transport).await?;
    let (found, _) = of(conn, enterprise, &transport).await?;
    let mut found = found.iter();
    Ok(found.any(|(of, run)| of == source && run.quantity == quantity && run.covers(at)))
}
