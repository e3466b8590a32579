//! What comes down: a device that knows nothing pulls all that stands at its place, page by page, and
//! one that knows everything pulls what a push of another just changed. Rows are items of pages.

use std::{cell::RefCell, time::Instant};

use suyuan_sync::{
    ids::Gseq,
    wire::{PullAnswer, Status},
};

use super::{
    device::Identity,
    fleet::Fleet,
    lanes::{Lane, Tally, Watch, send_all},
    life::Step,
};
use crate::{
    LoadError,
    client::{Connection, request},
    http::Decoder,
    summary::{Series, progress},
    target::Target,
};

/// Items of a page, of each sort.
const PAGE: usize = 500;
/// More pages than this for one pull are no pull.
const PAGES_MAX: usize = 100_000;

/// Both ways to pull.
pub struct Pulled {
    /// A device that knows nothing.
    pub fresh: Series,
    /// A device that knows all but the newest push.
    pub caught_up: Series,
}

/// Puts `units` tins into the warehouse, and has a new device pull them in each round.
pub async fn measure(fleet: &mut Fleet, rounds: usize, units: usize) -> Result<Pulled, LoadError> {
    let (store, change) = (fleet.store(), fleet.sizes.change);
    let mut pulled = Pulled {
        fresh: Series::empty(format!("{store} pull, new")),
        caught_up: Series::empty(format!("{store} pull, held")),
    };
    progress(&format!("{units} tins into the warehouse, to be pulled"));
    receive(fleet, units, 500).await?;
    for round in 0..rounds {
        progress(&format!("round {}: pull", round + 1));
        let mut puller = Puller::enrol(fleet, 1_000_000 + round).await?;
        let watch = Watch::start(Some(fleet.demo.pid()));
        let tally = RefCell::new(Tally::new(watch.since())?);
        puller.pull(&tally).await?;
        let mut tally = tally.into_inner();
        if tally.events() < units as u64 {
            tally.wrong(format!("{} rows of {units} tins", tally.events()));
        }
        pulled.fresh.outcomes.push(watch.stop(&mut tally)?);

        let watch = Watch::start(Some(fleet.demo.pid()));
        let tally = RefCell::new(Tally::new(watch.since())?);
        let mut pulling = std::time::Duration::ZERO;
        for _ in 0..fleet.sizes.changes {
            receive(fleet, change, change).await?;
            let since = Instant::now();
            let before = tally.borrow().events();
            puller.pull(&tally).await?;
            pulling += since.elapsed();
            let told = tally.borrow().events() - before;
            if told < change as u64 {
                let what = format!("{told} rows of {change} new tins");
                tally.borrow_mut().wrong(what);
            }
        }
        let mut outcome = watch.stop(&mut tally.into_inner())?;
        // The pushes in between are not what is measured, nor is their processor time.
        outcome.measured = pulling;
        (outcome.cpu_us, outcome.server_busy) = (None, None);
        pulled.caught_up.outcomes.push(outcome);
    }
    Ok(pulled)
}

/// The warehouse receives tins.
async fn receive(fleet: &mut Fleet, units: usize, batch: usize) -> Result<(), LoadError> {
    let codes = fleet.take_codes(units).await?;
    let mut device = fleet.lend()?;
    let steps = codes.chunks(1).map(|unit| (Step::Receive, unit));
    let parcels = device.fill(steps, batch, &fleet.places)?;
    let (target, pid) = (fleet.demo.internal.clone(), fleet.demo.pid());
    let lane = Lane { device, parcels };
    let (lanes, sent) = send_all(&target, pid, vec![lane], Status::Stored).await?;
    fleet.take_back(lanes);
    match sent.outcome.first_wrong {
        None => Ok(()),
        Some(what) => Err(LoadError::Unusable(what)),
    }
}

/// A device that pulls.
struct Puller {
    identity: Identity,
    anchor: String,
    cursor: Gseq,
    within: Option<String>,
    target: Target,
    connection: Connection,
}

impl Puller {
    async fn enrol(fleet: &Fleet, n: usize) -> Result<Self, LoadError> {
        let identity = fleet.enrol(n).await?;
        let target = fleet.demo.internal.clone();
        Ok(Self {
            anchor: identity.first_anchor.0.text.clone(),
            identity,
            cursor: 0,
            within: None,
            connection: Connection::open(&target).await?,
            target,
        })
    }

    /// Pages until there is no more.
    async fn pull(&mut self, tally: &RefCell<Tally>) -> Result<(), LoadError> {
        for _ in 0..PAGES_MAX {
            let since = Instant::now();
            let page = self.page().await?;
            tally
                .borrow_mut()
                .answered(page.items.len(), since.elapsed());
            if page.more && page.cursor <= self.cursor && page.within.is_none() {
                let what = format!("a page that leads nowhere, at {}", page.cursor);
                return Err(LoadError::Unusable(what));
            }
            self.cursor = page.cursor;
            self.within = page.within;
            if page.anchor > self.anchor {
                self.anchor = page.anchor;
            }
            if !page.more {
                return Ok(());
            }
        }
        Err(LoadError::Unusable(format!("more than {PAGES_MAX} pages")))
    }

    async fn page(&mut self) -> Result<PullAnswer, LoadError> {
        let mut path = format!("/v1/sync/pull?cursor={}&limit={PAGE}", self.cursor);
        if let Some(within) = &self.within {
            path = format!("{path}&within={within}");
        }
        let bearer = format!("Bearer {}", self.identity.read_token(&self.anchor)?);
        let headers = [("Authorization", bearer.as_str())];
        let bytes = request(&self.target, "GET", &path, &headers, None);
        let (mut decoder, mut body) = (Decoder::new(), Vec::new());
        self.connection
            .exchange(&bytes, &mut decoder, |part| body.extend_from_slice(part))
            .await?;
        if decoder.status() != 200 {
            let text = String::from_utf8_lossy(&body);
            return Err(LoadError::Status {
                what: "a pull".to_owned(),
                status: decoder.status(),
                body: text.chars().take(300).collect(),
            });
        }
        serde_json::from_slice(&body)
            .map_err(|error| LoadError::Unusable(format!("a page: {error}")))
    }
}
