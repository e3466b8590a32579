//! Recalls: opened, widened and closed; and recalled goods that somebody sends back to the maker, mostly to
//! some other place of it than the recall wants them at (C3), or sells all the same (C9).

use super::{
    Part,
    run::{Run, Stop},
    scans,
};
use crate::{
    log::Actor,
    recalls::{
        acts as recalls,
        wire::{RecallCloseIn, RecallIn, RecallWidenIn},
    },
};

impl Run {
    /// One is opened, or one that there is is widened or closed.
    pub(super) async fn recall(&mut self) -> Result<(), Stop> {
        let Ok(node) = self.node() else {
            return Ok(());
        };
        let state = node.state.clone();
        let maker = self.world.maker.0;
        let batch = self.dice.pick(&self.world.batches).map(|batch| batch.0);
        let code = self
            .dice
            .pick(&self.world.tins[..80.min(self.world.tins.len())])
            .cloned();
        let (batch_ids, codes) = match self.dice.below(3) {
            0 => (batch.into_iter().collect(), Vec::new()),
            1 => (Vec::new(), code.into_iter().collect()),
            _ => (batch.into_iter().collect(), code.into_iter().collect()),
        };
        let known = self.dice.pick(&self.recalls).copied();
        match (self.dice.below(3), known) {
            (0, _) | (_, None) => {
                let of_batch = batch_ids.iter().flat_map(|it| self.world.of_batch(*it));
                let goods: Vec<String> = of_batch.chain(&codes).cloned().collect();
                let destinations = self.destinations();
                let order = RecallIn {
                    batch_ids,
                    ranges: Vec::new(),
                    codes,
                    reason: "封口不严".into(),
                    instructions: "退回门店".into(),
                    initiated_at: "2020-02-03T04:05:06Z".into(),
                    responsible: "质量部经理".into(),
                    destinations: destinations.clone(),
                };
                let made = recalls::open(&state, maker, Actor::System, None, order).await;
                if let Ok(recall) = made {
                    self.note("recall opened", &recall.id.to_string());
                    self.recalls.push(recall.id);
                    self.memory.recalled(recall.id, goods, &destinations);
                }
            }
            (1, Some(id)) => {
                let by = RecallWidenIn {
                    batch_ids,
                    ranges: Vec::new(),
                    codes,
                };
                let done = recalls::widen(&state, maker, Actor::System, None, id, by).await;
                self.note("recall widened", &format!("{id} {}", done.is_ok()));
            }
            (_, Some(id)) => {
                let how = RecallCloseIn {
                    note: "查清".into(),
                    mistaken: self.dice.happens(300),
                };
                let done = recalls::close(&state, maker, Actor::System, None, id, how).await;
                if done.is_ok() {
                    self.memory.recall_ends(id);
                }
                self.note("recall closed", &format!("{id} {}", done.is_ok()));
            }
        }
        Ok(())
    }

    /// Where recalled goods are to go, of the maker's places; sometimes to any.
    fn destinations(&mut self) -> Vec<uuid::Uuid> {
        if !self.options.has(Part::Rare) || self.dice.happens(300) {
            return Vec::new();
        }
        let own = self.world.sites.iter();
        let own = own.filter(|site| site.enterprise == self.world.maker);
        let own: Vec<uuid::Uuid> = own.map(|site| site.id.0).collect();
        self.dice.pick(&own).copied().into_iter().collect()
    }

    /// Somebody at a place of the maker's sends recalled goods on. Where no recall says where to, one may
    /// be opened first.
    pub(super) async fn send_back(&mut self) -> Result<(), Stop> {
        let own = |n: &usize| {
            let handset = self.handsets.get(*n);
            handset.is_some_and(|it| it.site.enterprise == self.world.maker)
        };
        let own: Vec<usize> = (0..self.handsets.len()).filter(own).collect();
        if !self.memory.wants_back() && !self.stopped {
            return self.recall().await;
        }
        let Some(n) = self.dice.pick(&own).copied() else {
            return Ok(());
        };
        // Over the counter, though the till heard of the recall: it says that it holds an older list.
        let sold = self.dice.happens(400);
        if sold {
            for _ in 0..2 {
                self.pull(n)?;
                let soon = self.dice.between(200, 900) * 1000;
                self.pass(self.now + soon).await?;
                self.commit(n, usize::MAX)?;
            }
        }
        let now = self.now;
        let (handset, history) = (self.handsets.get_mut(n), self.histories.get_mut(n));
        let Some((handset, history)) = handset.zip(history) else {
            return Ok(());
        };
        let (dice, memory) = (&mut self.dice, &mut self.memory);
        let texts = if sold {
            scans::sell_recalled(dice, &self.world, memory, handset, now)
        } else {
            scans::send_back(dice, &self.world, memory, handset, now)
        };
        if texts.is_empty() {
            return Ok(());
        }
        let flights = handset.capture(texts, now, &mut self.dice, history);
        let what = if sold { "sold recalled" } else { "sent back" };
        self.note(what, &n.to_string());
        self.send_all(n, flights)
    }
}
