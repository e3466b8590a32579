//! Which invariants are looked at when: the cheap ones after every step, those that need the whole
//! log every so many steps and at the end. The invariants themselves are `suyuan_sync`'s.

use super::{
    run::{Run, Stop},
    seen::Seen,
    shown, store,
};
use crate::{
    handheld::{
        down::pull,
        patrol, replay,
        verify::acts::{Tear, verify_acts},
    },
    log,
};
use std::collections::HashMap;
use suyuan_sync::{
    chain::{self, Hash},
    facts::Fact,
    fold,
    ids::Gseq,
    invariants::{self as all, Broken, LogHistory},
    order::Order,
};

/// Differences told of a run that broke off.
const SHOWN: usize = 5;

impl Run {
    /// After every step.
    pub async fn look(&mut self) -> Result<(), Stop> {
        for (handset, history) in self.handsets.iter().zip(&mut self.histories) {
            handset.refresh(history);
        }
        let conn = self.observer.reader();
        let (head, _) = log::head_in(conn).await?;
        if head != self.head {
            self.head = head;
            let last = self.log.events.last().map_or(0, |logged| logged.gseq);
            self.log
                .events
                .extend(store::events_after(conn, last).await?);
            store::stand(conn, &mut self.log.events).await?;
        }
        let (released, admitted) = store::decided(conn).await?;
        let revoked = store::revoked(conn).await?;
        all::i6_groups_stand_whole(&self.log, &released)?;
        all::i32_the_revoked_stay_out(&self.log, &revoked, &admitted)?;
        let (log, devices) = (&self.log, &self.histories);
        all::i1_nothing_is_lost(log, devices)?;
        all::i2_nothing_is_invented(log, devices)?;
        all::i3_exactly_once(log)?;
        self.what_is_not_saved_is_not_sent()?;
        self.nothing_else_is_found_damaged()?;
        all::i4_a_retry_is_answered_alike(devices)?;
        all::i5_receipts_tell_the_truth(log, devices)?;
        all::i11_the_order_is_total(log)?;
        all::i12_who_knew_came_later(&self.knowledge())?;
        all::i31_forks_are_found(log)?;
        all::i31_forks_are_told(devices)?;
        for handset in &self.handsets {
            let cursor = handset.outbox.disk().cursor;
            // That nothing is skipped is looked at with the log as a whole.
            all::i21_cursors_neither_skip_nor_repeat(&[], &handset.seen.pages, cursor)?;
            handset.shows_whole_checkpoints()?;
            all::i23_reads_never_go_back(&handset.reads)?;
        }
        Ok(())
    }

    /// For each event whose maker knew of others: the last of those in the order, and the event.
    fn knowledge(&self) -> Vec<(Order, Order)> {
        // The last in the order among all up to a position.
        let mut latest: Vec<(Gseq, Order)> = Vec::new();
        let mut placed: HashMap<Hash, Order> = HashMap::new();
        for logged in &self.log.events {
            let Some(order) = logged.order else { continue };
            if order.epoch == logged.epoch {
                placed.insert(logged.hash, order);
            }
            let before = latest.last().map(|(_, order)| *order);
            let last = before.map_or(order, |before| before.max(order));
            latest.push((logged.gseq, last));
        }
        let mut pairs = Vec::new();
        for (hash, knew) in self.handsets.iter().flat_map(|handset| &handset.knew) {
            let upto = latest.partition_point(|(gseq, _)| gseq <= knew);
            let known = upto.checked_sub(1).and_then(|at| latest.get(at));
            if let (Some((_, known)), Some(act)) = (known, placed.get(hash)) {
                pairs.push((*known, *act));
            }
        }
        pairs
    }

    /// Every so many steps, and at the end: the log as a whole.
    pub async fn look_closely(&mut self) -> Result<(), Stop> {
        // What is kept is as the log says once nothing is left to be folded.
        if self.node().is_err() {
            return Ok(());
        }
        self.confirm_clock().await?;
        self.tend().await?;
        self.look().await?;
        self.nothing_is_safe_without_a_receipt()?;
        let whole = LogHistory {
            events: store::events_after(self.observer.reader(), 0).await?,
        };
        all::i7_nothing_is_rewritten(&self.log, &whole)?;
        all::i30_every_flipped_bit_is_found(&whole)?;
        self.log = whole;
        self.the_log_is_what_was_written().await?;
        let examined = replay::examine(&self.observer, &self.sealer).await?;
        // Of a run that fails, too: whoever looks for the reason begins with these.
        self.told = (examined.told.facts.clone(), examined.told.world.clone());
        if !examined.differences.is_empty() {
            let few = examined.differences.iter().take(SHOWN);
            let few: Vec<String> = few.map(ToString::to_string).collect();
            let (all, few) = (examined.differences.len(), few.join("\n  "));
            return Err(Broken::new("I8", format!("{all} differences\n  {few}")).into());
        }
        let found = patrol::look_at_all(&self.observer, &self.sealer).await?;
        if let Some(first) = found.first() {
            let what = format!("the patrol finds what is right wrong: {first}");
            return Err(Broken::new("I8", what).into());
        }
        let units = &examined.rebuilt.units;
        let states = units
            .iter()
            .map(|(key, folded)| (key.clone(), folded.state.clone()));
        if let Err(broken) = all::i13_each_unit_is_in_one_state(&states.collect(), &examined.open) {
            let apart = units.iter().find_map(|(key, folded)| {
                let inside = folded.state.inside.as_ref()?;
                let container = units.get(inside)?;
                (broken.what.contains(key.as_str()))
                    .then(|| format!("\n  {:?}\n  {:?}", folded.state, container.state))
            });
            let what = format!("{}{}", broken.what, apart.unwrap_or_default());
            return Err(Broken::new("I13", what).into());
        }
        let lines = store::lines(self.observer.reader()).await?;
        all::i13_each_balance_is_the_sum(&lines)?;
        all::i14_fates_add_up(&self.log, &self.histories)?;
        let shown = shown::reflected(&examined, &lines)?;
        all::i14_no_silent_effect(&self.log, &shown, &examined.open)?;
        all::i16_no_finding_without_witnesses(&self.log, &examined.open)?;
        self.looks += 1;
        // Of the same log the oracle says the same.
        if self.judged != self.head {
            let (facts, world) = &self.told;
            let facts: Vec<Fact> = facts.iter().map(|fact| (**fact).clone()).collect();
            all::i15_the_oracle_finds_the_same(world, &facts)?;
            self.judged = self.head;
        }
        let balances = examined.rebuilt.lines.iter();
        let balances = balances.map(|(key, line)| (key.clone(), line.balance));
        all::i17_goods_of_lots_add_up(&balances.collect(), &examined.rebuilt.tallies)?;
        self.tallies = examined.rebuilt.tallies;
        self.nowhere = examined.rebuilt.nowhere;
        self.legs = examined.rebuilt.legs;
        self.units = examined.rebuilt.units;
        self.open = examined.open;
        self.in_any_order()?;
        self.what_is_here_was_told().await?;
        self.recalls_reach_everything().await?;
        self.strangers_are_told_nothing().await?;
        self.some_are_told_the_log().await?;
        self.the_past_stays().await
    }

    /// Every position is in an act of the chain over the log, and every act gives its hash (I30).
    async fn the_log_is_what_was_written(&self) -> Result<(), Stop> {
        let mut tears = Vec::new();
        let told = |tear: Tear| tears.push(tear.to_string());
        let acts = verify_acts(&self.observer, told).await?;
        if acts.begins != 1 || acts.outside > 0 || !tears.is_empty() {
            let what = format!("{acts:?}\n  {}", tears.join("\n  "));
            return Err(Broken::new("I30", what).into());
        }
        Ok(())
    }

    /// A hash over what became of everything by the log as it was last looked at as a whole (I10).
    pub fn states(&self) -> Hash {
        let mut states = Hash::of(b"suyuan-simulate-states-1");
        for (key, unit) in &self.units {
            states = chain::next(states, &fold::state_hash(key, unit));
        }
        for (key, line) in &self.tallies {
            states = chain::next(states, format!("{key:?} {line:?}").as_bytes());
        }
        let mut open = self.open.clone();
        open.sort();
        for finding in &open {
            states = chain::next(states, format!("{finding:?}").as_bytes());
        }
        states
    }

    /// I24 for everybody who read everything: page by page, and after a snapshot, is what all at once
    /// is.
    pub async fn compare_readers(&mut self) -> Result<(), Stop> {
        let state = self.node()?.state.clone();
        for (n, handset) in self.handsets.iter().enumerate() {
            if handset.over {
                continue;
            }
            let who = self.known(handset);
            let (mut fresh, mut cursor, mut within) = (Seen::default(), 0, None);
            loop {
                let page = pull::page(&state, &who, (cursor, within), 500, None).await?;
                for item in page.items {
                    fresh.put(item.gseq, item.item);
                }
                (cursor, within) = (page.cursor, page.within);
                if !page.more {
                    break;
                }
            }
            self.only_what_is_here(handset, &fresh)?;
            self.holds_all(handset, &handset.seen, &fresh)?;
            self.stands(n, &fresh).await?;
        }
        for clerk in &self.clerks {
            self.findings_are_told(clerk).await?;
        }
        Ok(())
    }
}
