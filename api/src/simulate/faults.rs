//! What people decide and what goes wrong: revocations, events taken in by decision; dying
//! programs and storages, wrong clocks, cut networks, copies, and servers that are killed.

use super::{
    Part, SimulateError,
    handset::Life,
    node::Node,
    post::What,
    run::{Run, Stop},
    store,
};
use crate::{
    handheld::{
        aside::{AsideError, tend},
        devices::{DeviceError, store as devices},
        down::{chunk_store, follow_store},
        units::refold,
    },
    log::Actor,
};
use actix_web::http::Method;
use suyuan_sync::{ids::Micros, invariants::DeviceHistory, limits::PARKING_HOURS, outbox::Command};

const SECOND: i64 = 1_000_000;
const YEARS: i64 = 365 * 86_400 * SECOND;

/// So often of a thousand a battery is pulled while something is written.
const PULLED: u32 = 30;

/// What one step does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Do {
    Scan,
    Pull,
    Status,
    LookUp,
    Deposit,
    Recall,
    Revoke,
    Admit,
    EnrolAgain,
    Tend,
    Die,
    FailWrite,
    Lose,
    Clock,
    Cut,
    BackUp,
    Restore,
    Wipe,
    Copy,
    Restart,
    ServersClock,
    Astray,
    Badge,
    Week,
    Tab,
    Counter,
    Decide,
    Flip,
    SendBack,
}

/// What happens without faults, by weight.
const FAIR: [(u32, Do); 5] = [
    (60, Do::Scan),
    (16, Do::Pull),
    (2, Do::Status),
    (4, Do::LookUp),
    (2, Do::Tend),
];

/// What else happens.
const FOUL: [(u32, Do); 16] = [
    (2, Do::Deposit),
    (3, Do::Recall),
    (1, Do::Revoke),
    (2, Do::Admit),
    (4, Do::EnrolAgain),
    (5, Do::Die),
    (2, Do::FailWrite),
    (1, Do::Lose),
    (4, Do::Clock),
    (4, Do::Cut),
    (2, Do::BackUp),
    (1, Do::Restore),
    (1, Do::Wipe),
    (1, Do::Copy),
    (3, Do::Restart),
    (2, Do::ServersClock),
];

/// What else happens with what handsets fetch.
const FETCHED: [(u32, Do); 2] = [(8, Do::Pull), (2, Do::Badge)];

/// And what goes wrong with it.
const LOST: [(u32, Do); 3] = [(2, Do::Wipe), (2, Do::Astray), (1, Do::Week)];

impl Run {
    /// One step: time passes, something happens, storages commit.
    pub async fn step(&mut self) -> Result<(), Stop> {
        self.step += 1;
        let until = self.now + self.pause();
        self.pass(until).await?;
        let mut table = FAIR.to_vec();
        if self.options.has(Part::Faults) {
            table.extend(FOUL);
        }
        if !self.options.has(Part::Faults) {
            table.push((3, Do::Recall));
        }
        if self.options.has(Part::Snapshots) {
            table.extend(FETCHED);
            if self.options.has(Part::Faults) {
                table.extend(LOST);
            }
        }
        if self.options.has(Part::Tabs) && self.options.has(Part::Faults) {
            table.push((3, Do::Tab));
        }
        if self.options.has(Part::Crowds) && self.options.has(Part::Faults) {
            table.push((12, Do::Counter));
        }
        if self.options.has(Part::Desks) {
            table.push((8, Do::Decide));
        }
        if self.options.has(Part::Damage) && self.options.has(Part::Faults) {
            table.push((4, Do::Flip));
        }
        if self.options.has(Part::Rare) && self.options.has(Part::Recalls) {
            table.push((4, Do::SendBack));
        }
        let n = self.dice.below(self.handsets.len());
        if let Some(what) = self.dice.weighed(&table) {
            self.act(what, n).await?;
        }
        let pulled = self.options.has(Part::Desks) && self.options.has(Part::Faults);
        for n in 0..self.handsets.len() {
            let writing = self
                .handsets
                .get(n)
                .map_or(0, super::handset::Handset::writing);
            if writing > 0 && pulled && self.dice.happens(PULLED) {
                self.note("died writing", &n.to_string());
                let now = self.now;
                self.hurt(n, |handset, history, dice| handset.die(now, dice, history))?;
            } else if writing > 0 && !self.dice.happens(200) {
                let count = 1 + self.dice.below(writing);
                self.commit(n, count)?;
            }
        }
        Ok(())
    }

    async fn act(&mut self, what: Do, n: usize) -> Result<(), Stop> {
        let now = self.now;
        let writes = matches!(
            what,
            Do::Recall
                | Do::Revoke
                | Do::Admit
                | Do::EnrolAgain
                | Do::Wipe
                | Do::Tend
                | Do::Restart
                | Do::Badge
                | Do::Decide
        );
        if writes && self.stopped {
            // Whoever wants to write is told to have the clock looked at.
            return self.confirm_clock().await;
        }
        match what {
            Do::Scan => {
                let other = self.handsets.get(n).and_then(|it| it.other.as_ref());
                let beside = other.is_some_and(|tab| now <= tab.until);
                if beside && self.dice.happens(500) {
                    return self.scan_beside(n);
                }
                self.scan(n)
            }
            Do::Tab => self.tab(n),
            Do::Counter => self.counter(n).await,
            Do::Decide => self.decide(n).await,
            Do::Pull => self.pull(n),
            Do::Status => {
                let path = "/v1/sync/status".to_owned();
                self.ask(n, What::Status, Method::GET, path, Vec::new())
            }
            Do::LookUp => {
                let code = self.dice.pick(&self.world.tins).cloned();
                let body = serde_json::json!({"v": 1, "codes": [code]});
                let body = serde_json::to_vec(&body)?;
                let path = "/v1/sync/lookups".to_owned();
                self.ask(n, What::LookUp, Method::POST, path, body)
            }
            Do::Deposit => {
                let of = self.dice.below(self.handsets.len());
                self.deposit(n, of)
            }
            Do::Recall if self.options.has(Part::Recalls) => self.recall().await,
            Do::Recall => Ok(()),
            Do::SendBack => self.send_back().await,
            Do::Revoke => self.revoke(n).await,
            Do::Admit => self.admit().await,
            Do::EnrolAgain => {
                let over = |n: &usize| self.handsets.get(*n).is_some_and(|handset| handset.over);
                let over: Vec<usize> = (0..self.handsets.len()).filter(over).collect();
                match self.dice.pick(&over).copied() {
                    Some(n) => self.enrol_again(n, false).await,
                    None => Ok(()),
                }
            }
            Do::Tend => self.tend().await,
            Do::Die => {
                self.note("died", &n.to_string());
                self.hurt(n, |handset, history, dice| handset.die(now, dice, history))
            }
            Do::FailWrite => {
                self.note("write failed", &n.to_string());
                self.hurt(n, |handset, history, dice| {
                    handset.fail_write(now, dice, history)
                })
            }
            Do::Lose => {
                self.note("lost a row", &n.to_string());
                self.hurt(n, |handset, history, dice| handset.lose(now, dice, history))
            }
            Do::Flip => self.flip(n),
            Do::Clock => {
                let offset = match self.dice.below(5) {
                    0 => 0,
                    1 => self.dice.between(-10 * YEARS, 10 * YEARS),
                    2 => self.dice.between(-600, 600) * SECOND,
                    3 => 10 * YEARS,
                    _ => -10 * YEARS,
                };
                let stands = self.dice.happens(300);
                self.note("clock", &format!("{n} {offset} {stands}"));
                if let Some(handset) = self.handsets.get_mut(n) {
                    handset.upset_clock(offset, stands, now);
                }
                Ok(())
            }
            Do::Cut => {
                let until = now + self.dice.between(60, 4 * 3_600) * SECOND;
                self.note("cut", &n.to_string());
                self.post.cut_off(n, until);
                Ok(())
            }
            Do::BackUp => {
                if let Some(handset) = self.handsets.get_mut(n) {
                    handset.back_up();
                }
                Ok(())
            }
            Do::Restore => {
                self.note("restored", &n.to_string());
                self.hurt(n, |handset, history, dice| {
                    handset.restore(now, dice, history)
                })
            }
            Do::Wipe => self.enrol_again(n, true).await,
            Do::Copy => {
                self.copy(n);
                Ok(())
            }
            Do::Restart => self.restart().await,
            Do::ServersClock => self.servers_clock().await,
            Do::Astray => {
                self.note("led astray", &n.to_string());
                self.hurt(n, |handset, history, dice| {
                    handset.lead_astray(now, dice, history)
                })
            }
            Do::Badge => self.change_badges().await,
            // Everybody is away for longer than a snapshot looks back.
            Do::Week => {
                if self.dice.happens(300) {
                    self.note("a week", "");
                    // Nobody leaves for so long with a server that refuses everything.
                    self.confirm_clock().await?;
                    self.pass(now + 8 * 86_400 * SECOND).await?;
                }
                Ok(())
            }
        }
    }

    /// The servers' clock jumps, or somebody sets it right; or an operator looks at it and says that
    /// it is right as it is. Until then nothing is written (503).
    async fn servers_clock(&mut self) -> Result<(), Stop> {
        if self.stopped {
            return self.confirm_clock().await;
        }
        // Less than how long is waited beyond the time that groups may be parked.
        let by = match self.dice.below(3) {
            0 => 0,
            1 => self.dice.between(90, 2_400),
            _ => -self.dice.between(90, 2_400),
        } * SECOND;
        self.jump(by);
        Ok(())
    }

    fn jump(&mut self, by: Micros) {
        if by != self.jumped {
            self.clock.jump_by(by);
            (self.jumped, self.stopped) = (by, true);
            self.note("servers' clock", &by.to_string());
        }
    }

    /// An operator says that the clock is right as it is.
    pub(super) async fn confirm_clock(&mut self) -> Result<(), Stop> {
        if !self.stopped {
            return Ok(());
        }
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let log = node.state.log.clone();
        log.confirm_clock(Actor::System)
            .await
            .map_err(DeviceError::from)?;
        self.stopped = false;
        self.note("clock confirmed", "");
        Ok(())
    }

    pub(super) fn hurt(
        &mut self,
        n: usize,
        by: impl FnOnce(
            &mut super::handset::Handset,
            &mut DeviceHistory,
            &mut super::dice::Dice,
        ) -> Vec<super::handset::Flight>,
    ) -> Result<(), Stop> {
        let Some((handset, history)) = self.handsets.get_mut(n).zip(self.histories.get_mut(n))
        else {
            return Ok(());
        };
        let flights = by(handset, history, &mut self.dice);
        self.send_all(n, flights)
    }

    /// Somebody copies a device, with its keys. There are never many of these.
    fn copy(&mut self, n: usize) {
        let copies = self.handsets.len() - self.options.devices;
        if copies > self.options.devices / 4 {
            return;
        }
        self.note("copied", &n.to_string());
        if let Some(handset) = self.handsets.get(n) {
            let (copy, device) = (handset.copy(self.now), handset.device);
            self.handsets.push(copy);
            self.histories.push(DeviceHistory {
                device,
                made: Vec::new(),
                told: Vec::new(),
            });
        }
    }

    async fn revoke(&mut self, n: usize) -> Result<(), Stop> {
        let (Ok(node), Some(handset)) = (self.node(), self.handsets.get(n)) else {
            return Ok(());
        };
        let (device, enterprise) = (handset.device, handset.site.enterprise.0);
        let log = node.state.log.clone();
        match devices::revoke(&log, enterprise, Actor::System, None, (device.0, "丢失")).await {
            Ok(_) => self.note("revoked", &n.to_string()),
            Err(DeviceError::AlreadyRevoked) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// A supervisor takes something in that stood aside, or finds that it cannot be.
    async fn admit(&mut self) -> Result<(), Stop> {
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let state = node.state.clone();
        let aside = store::quarantined(state.db.reader()).await?;
        let Some((gseq, enterprise)) = self.dice.pick(&aside).copied() else {
            return Ok(());
        };
        let ingest = &state.handheld.ingest;
        let done = tend::admit(
            ingest,
            enterprise,
            Actor::System,
            None,
            (gseq, "核对".into()),
        )
        .await;
        match done {
            Ok(out) => self.note("admitted", &format!("{gseq} {}", out.fate)),
            Err(AsideError::NotAside | AsideError::Unknown | AsideError::KindUnknown) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// A person enrols a handset again; `wiped` after its storage was lost.
    pub async fn enrol_again(&mut self, n: usize, wiped: bool) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        if self.node().is_err() || self.post.is_cut(n, self.now) {
            return Ok(());
        }
        let (device, enterprise, now) = (handset.device, handset.site.enterprise.0, self.now);
        let (welcome, key) = self.enrol(enterprise, device).await?;
        self.note(
            if wiped { "wiped" } else { "enrolled again" },
            &n.to_string(),
        );
        self.hurt(n, |handset, history, dice| {
            let life = Life {
                epoch: welcome.epoch,
                key,
                anchor: welcome.anchor,
            };
            handset.enrolled(life, wiped, now, dice, history)
        })
    }

    /// What a serving process does by itself: gaps and groups that were waited for long enough.
    pub async fn tend(&mut self) -> Result<(), Stop> {
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let state = node.state.clone();
        let due = self.now - PARKING_HOURS as i64 * 3_600 * SECOND;
        let ingest = &state.handheld.ingest;
        tend::gaps(&state.db, ingest, due).await?;
        tend::groups(&state.db, ingest, due).await?;
        refold::job::catch_up(&state.db, &state.log, ingest).await?;
        while follow_store::follow(&state.db).await? {}
        if self.options.has(Part::Snapshots) {
            let kept = self.now - chunk_store::KEPT;
            while chunk_store::forget(&state.db, kept).await? > 0 {}
        }
        self.note("tended", "");
        Ok(())
    }

    /// A server process is killed, or one that was comes back.
    async fn restart(&mut self) -> Result<(), Stop> {
        let n = self.dice.below(self.nodes.len());
        if self.kill(n).await {
            // Half of the time it is back before anybody notices.
            if self.dice.happens(500) {
                return Ok(());
            }
        }
        self.start_node(n).await
    }

    /// Was there one to kill?
    async fn kill(&mut self, n: usize) -> bool {
        let Some(node) = self.nodes.get_mut(n).and_then(Option::take) else {
            return false;
        };
        node.die().await;
        self.note("killed", &n.to_string());
        true
    }

    async fn start_node(&mut self, n: usize) -> Result<(), Stop> {
        if self.nodes.get(n).is_none_or(Option::is_some) {
            return Ok(());
        }
        let settings = self.settings.clone();
        let node = Node::start(settings, self.clock.clone(), self.sealer.clone()).await?;
        tend::known_kinds(&node.state.db, &node.state.handheld.ingest).await?;
        if let Some(slot) = self.nodes.get_mut(n) {
            *slot = Some(node);
        }
        self.note("started", &n.to_string());
        Ok(())
    }

    /// Everything is well again: all servers run, nothing is lost, clocks are right; nobody scans.
    /// Then everything that waited must go through.
    pub async fn heal(&mut self) -> Result<(), Stop> {
        self.post.heal();
        for n in 0..self.nodes.len() {
            self.start_node(n).await?;
        }
        for n in 0..self.handsets.len() {
            if let Some(handset) = self.handsets.get_mut(n) {
                handset.upset_clock(0, false, self.now);
                handset.pulling = false;
                handset.other = None;
            }
            self.commit(n, usize::MAX)?;
            self.command(n, Command::Wake, None)?;
        }
        self.jump(0);
        self.confirm_clock().await?;
        self.note("healed", "");
        for _ in 0..400 {
            self.pass(self.now + 90 * SECOND).await?;
            let mut waiting = 0;
            for n in 0..self.handsets.len() {
                self.commit(n, usize::MAX)?;
                let outbox = self.handsets.get(n).map(|handset| &handset.outbox);
                waiting += outbox.map_or(0, |it| it.unsent() + it.doubted().len() as u64);
            }
            if waiting == 0 {
                break;
            }
        }
        self.look().await?;
        suyuan_sync::invariants::i26_every_outbox_drains(&self.histories)?;
        if let Some(handset) = self
            .handsets
            .iter()
            .find(|handset| handset.outbox.unsent() > 0)
        {
            let what = format!("a copy of {} still waits", handset.device);
            return Err(suyuan_sync::invariants::Broken::new("I26", what).into());
        }
        // Power fails once more: what waits is not kept by who waited for it.
        if self.options.has(Part::Faults) && self.options.has(Part::Rare) {
            for n in 0..self.nodes.len() {
                self.kill(n).await;
                self.start_node(n).await?;
            }
        }
        // What waits for company is waited for long enough; then everybody reads what there is.
        self.pass(self.now + (PARKING_HOURS as i64 + 1) * 3_600 * SECOND)
            .await?;
        self.tend().await?;
        let state = self.node()?.state.clone();
        let waiting = store::waiting(state.db.reader()).await?;
        let at_most = PARKING_HOURS as i64 * 3_600 * SECOND;
        suyuan_sync::invariants::i28_what_is_parked_leaves_parking(&waiting, self.now, at_most)?;
        self.catch_up().await
    }

    /// Everybody pulls until there is nothing new; then once more: what is no part of the log is told with
    /// any page.
    async fn catch_up(&mut self) -> Result<(), Stop> {
        self.follow_the_log().await?;
        if self.options.has(Part::Snapshots) {
            for n in 0..self.handsets.len() {
                self.pull(n)?;
            }
            self.pass(self.now + SECOND).await?;
        }
        self.follow_the_log().await
    }

    /// Everybody pulls until their cursor is at the head of the log.
    async fn follow_the_log(&mut self) -> Result<(), Stop> {
        // Of two copies only the one that enrolled last may read: the other is not asked for ever.
        let mut again = std::collections::BTreeSet::new();
        for _ in 0..400 {
            let (head, _) = self.node()?.state.log.head().await?;
            let fetches = self.options.has(Part::Snapshots);
            let mut behind = 0;
            for n in 0..self.handsets.len() {
                self.commit(n, usize::MAX)?;
                let Some(handset) = self.handsets.get(n) else {
                    continue;
                };
                if handset.over {
                    if again.insert(n) {
                        self.enrol_again(n, false).await?;
                        behind += 1;
                    }
                } else if handset.is_behind(head, fetches) {
                    behind += 1;
                    if !handset.pulling {
                        self.pull(n)?;
                    }
                }
            }
            if behind == 0 {
                return Ok(());
            }
            self.pass(self.now + SECOND).await?;
        }
        Err(Stop::Failed(SimulateError::Behind))
    }
}
