//! What is decided at desks while people scan: whose events count on whose goods, when a shift and a
//! period end, which windows hold, which codes are void or put on goods after all, and which device takes
//! the place of one that was lost. Decided by the functions the API's handlers call; what is refused there
//! is refused here.

use super::{
    Part, SimulateError,
    handset::{Handset, Life},
    run::{Run, Stop},
    scans,
};
use crate::{
    app::Internal,
    demo::world as made,
    handheld::{
        decisions::{
            self, DecisionError,
            wire::{AcceptanceIn, DUPLICATE_WINDOW_S_MAX, PolicyIo},
        },
        devices::{
            DeviceError, store as devices,
            wire::{DeviceIn, Profile},
        },
    },
    log::Actor,
    problem::Problem,
};
use actix_web::web::Data;
use suyuan_sync::{ids::DeviceId, invariants::DeviceHistory};

const SECOND: i64 = 1_000_000;

/// What is decided.
#[derive(Clone, Copy)]
enum Decision {
    /// A partner's events count on the maker's goods (C14).
    Accept,
    /// A shift ended on a device (C10).
    ShiftEnds,
    /// A period is closed (T10).
    PeriodEnds,
    /// Other windows hold (C2, C9).
    Windows,
    /// A code that was on no goods is void (C1).
    Void,
    /// A code that was on no goods is on some of a batch (C1).
    Commission,
    /// A device is lost; another one takes its place.
    Replace,
    /// What was named long ago is filed (C15).
    FileLate,
}

/// By weight.
const DECISIONS: [(u32, Decision); 7] = [
    (4, Decision::Accept),
    (3, Decision::ShiftEnds),
    (2, Decision::PeriodEnds),
    (2, Decision::Windows),
    (1, Decision::Void),
    (1, Decision::Commission),
    (2, Decision::Replace),
];

/// Tins of the maker's whose codes are on no goods and not void, when a run begins.
const ON_NO_GOODS: std::ops::Range<u64> = 80..84;

/// Does it stand, or was it refused as anybody's may be?
fn stands<T>(done: Result<T, DecisionError>) -> Result<bool, SimulateError> {
    match done {
        Ok(_) => Ok(true),
        Err(DecisionError::Field(..) | DecisionError::Unknown) => Ok(false),
        Err(error) => Err(SimulateError::World(error.to_string())),
    }
}

impl Run {
    /// Somebody decides something.
    pub(super) async fn decide(&mut self, n: usize) -> Result<(), Stop> {
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let state = node.state.clone();
        let mut table = DECISIONS.to_vec();
        if self.options.has(Part::Rare) {
            table.extend([(3, Decision::FileLate), (6, Decision::ShiftEnds)]);
        }
        match self.dice.weighed(&table) {
            Some(Decision::Accept) => self.accept(&state).await,
            Some(Decision::ShiftEnds) => self.shift_ends(&state, n).await,
            Some(Decision::PeriodEnds) => self.period_ends(&state, n).await,
            Some(Decision::Windows) => self.windows(&state).await,
            Some(Decision::Void) => self.of_a_code(&state, true).await,
            Some(Decision::Commission) => self.of_a_code(&state, false).await,
            Some(Decision::Replace) => self.replace(&state, n).await,
            Some(Decision::FileLate) => self.file_late(&state).await,
            None => Ok(()),
        }
    }

    async fn accept(&mut self, state: &Data<Internal>) -> Result<(), Stop> {
        let Some(partner) = self.dice.pick(&self.world.sites).copied() else {
            return Ok(());
        };
        let (batch, tin) = (
            self.dice.pick(&self.world.batches).map(|batch| batch.0),
            self.dice.pick(&self.world.tins).cloned(),
        );
        // One unit, a batch, or all; mostly from the beginning on.
        let (unit, batch_id) = match self.dice.below(3) {
            0 => (tin, None),
            1 => (None, batch),
            _ => (None, None),
        };
        let from = if self.dice.happens(300) { self.head } else { 0 };
        let asked = AcceptanceIn {
            partner_id: partner.enterprise.0,
            unit,
            batch_id,
            from,
        };
        let told = format!("{asked:?}");
        let (log, maker) = (&state.log, self.world.maker.0);
        let done = decisions::accept(log, maker, Actor::System, None, asked).await;
        let stands = stands(done)?;
        self.note("holder accepted", &format!("{told} {stands}"));
        Ok(())
    }

    async fn shift_ends(&mut self, state: &Data<Internal>, n: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let (enterprise, device) = (handset.site.enterprise.0, handset.device.0);
        let done =
            decisions::close_shift(&state.log, enterprise, Actor::System, None, device).await;
        let stands = stands(done)?;
        self.note("shift ended", &format!("{n} {stands}"));
        if stands && self.options.has(Part::Rare) {
            return self.take_back(n).await;
        }
        Ok(())
    }

    /// Somebody takes back what they stated before their shift ended.
    async fn take_back(&mut self, n: usize) -> Result<(), Stop> {
        let later = self.dice.between(1, 300) * SECOND;
        self.pass(self.now + later).await?;
        let (handset, history) = (self.handsets.get_mut(n), self.histories.get_mut(n));
        let Some((handset, history)) = handset.zip(history) else {
            return Ok(());
        };
        let (dice, memory, now) = (&mut self.dice, &mut self.memory, self.now);
        let texts = scans::take_back(dice, &self.world, memory, handset, now);
        if texts.is_empty() {
            return Ok(());
        }
        let flights = handset.capture(texts, now, &mut self.dice, history);
        self.note("taken back", &n.to_string());
        self.send_all(n, flights)
    }

    async fn period_ends(&mut self, state: &Data<Internal>, n: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let enterprise = handset.site.enterprise.0;
        let until = self.now - self.dice.between(0, 4 * 3_600) * SECOND;
        let done =
            decisions::close_period(&state.log, enterprise, Actor::System, None, until).await;
        let stands = stands(done)?;
        self.note("period closed", &format!("{enterprise} {until} {stands}"));
        Ok(())
    }

    async fn windows(&mut self, state: &Data<Internal>) -> Result<(), Stop> {
        let asked = PolicyIo {
            duplicate_window_s: match self.dice.below(3) {
                0 => 0,
                1 => self.dice.between(1, 600),
                _ => DUPLICATE_WINDOW_S_MAX,
            },
            list_age_s: self.dice.between(60, 2 * 86_400),
        };
        let policy = asked.checked().map_err(Problem::from)?;
        let done = decisions::change_policy(&state.log, Actor::System, None, policy).await;
        let stands = stands(done)?;
        self.note("windows", &format!("{asked:?} {stands}"));
        Ok(())
    }

    /// A code that was on no goods is void, or is on some.
    async fn of_a_code(&mut self, state: &Data<Internal>, void: bool) -> Result<(), Stop> {
        let of = ON_NO_GOODS.start as i64..=ON_NO_GOODS.end as i64 - 1;
        let at = self.dice.between(*of.start(), *of.end()) as u64;
        let batch = self.dice.pick(&self.world.batches).copied();
        let (maker, segment) = (self.world.maker.0, self.world.segment.clone());
        let done = if void {
            let today = crate::clock::day_of(state.clock.now());
            made::destroy(state, maker, &segment, at, at, today).await
        } else {
            let Some(batch) = batch else {
                return Ok(());
            };
            made::commission(state, maker, batch.0, &segment, at, at).await
        };
        let what = if void {
            "code voided"
        } else {
            "code commissioned"
        };
        self.note(what, &format!("{at} {}", done.is_ok()));
        Ok(())
    }

    /// A device is reported as lost, with all that is on it. Whoever has it may go on with it; those it
    /// was for get another. There are never many of these.
    async fn replace(&mut self, state: &Data<Internal>, n: usize) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        if self.handsets.len() - self.options.devices > self.options.devices / 4 {
            return Ok(());
        }
        let (lost, site) = (handset.device, handset.site);
        let (log, enterprise) = (&state.log, site.enterprise.0);
        match devices::revoke(log, enterprise, Actor::System, None, (lost.0, "丢失")).await {
            Ok(_) | Err(DeviceError::AlreadyRevoked) => {}
            Err(error) => return Err(error.into()),
        }
        self.note("replaced", &n.to_string());
        let wanted = DeviceIn {
            name: format!("PDA {}", self.handsets.len()),
            profile: Profile::Handheld,
            location_id: site.id.0,
        };
        let made = devices::create(log, enterprise, Actor::System, None, wanted);
        let device = DeviceId(made.await?.0.id);
        Ok(self.add(device, site).await?)
    }

    /// A device that was just made is enrolled and handed to somebody.
    pub(super) async fn add(
        &mut self,
        device: DeviceId,
        site: super::world::Site,
    ) -> Result<(), SimulateError> {
        let (welcome, key) = self.enrol(site.enterprise.0, device).await?;
        let life = Life {
            epoch: welcome.epoch,
            key,
            anchor: welcome.anchor,
        };
        let mut handset = Handset::new(device, site, life, self.now);
        handset.trust = welcome.trust_keys;
        handset.installation = welcome.installation;
        self.handsets.push(handset);
        self.histories.push(DeviceHistory {
            device,
            made: Vec::new(),
            told: Vec::new(),
        });
        Ok(())
    }
}
