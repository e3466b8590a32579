//! What a handset makes of an answer, if it is still in the session that asked.

use super::{
    SimulateError,
    down::Open,
    handset::{ASTRAY, Parts},
    node::Came,
    post::{Asking, What},
    run::{Run, Stop},
    seen::Effect,
};
use crate::played::is_signed;
use suyuan_sync::{
    invariants::Broken,
    outbox::Command,
    wire::{LookUpAnswer, PullAnswer, PushAnswer, StatusAnswer},
};

impl Run {
    /// An answer reaches a handset.
    pub(super) fn heard(&mut self, to: &Asking, came: Came) -> Result<(), Stop> {
        let (status, body, anchor) = came;
        let body = &body[..];
        let n = to.from;
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        if handset.session != to.session {
            return self.heard_beside(to, status, body);
        }
        if matches!(to.what, What::Pull { .. } | What::Snapshot) {
            handset.pulling = false;
        }
        if status == 401 && !matches!(to.what, What::Push { .. }) {
            return self.fresh_anchor(n, body);
        }
        let wall = handset.wall(self.now);
        match &to.what {
            What::Push { flight, first, .. } => {
                if status != 200 {
                    let retry_after = (status == 503).then_some(2);
                    let refused = Command::Refused {
                        flight: *flight,
                        status,
                        retry_after,
                    };
                    return self.command(n, refused, None);
                }
                let answer: PushAnswer = serde_json::from_slice(body)?;
                if !is_signed(&answer.receipt, &handset.trust) {
                    return Err(Broken::new("I5", "a receipt is not signed").into());
                }
                let own = answer.results.iter().filter_map(|result| result.gseq).max();
                handset.receipted = handset.receipted.max(own.unwrap_or(0));
                let knows = own.map(Effect::Knows);
                let command = Command::answered(*flight, *first, answer, wall);
                self.command(n, command, knows)
            }
            What::Pull {
                after,
                within,
                list,
                ..
            } => match status {
                200 => {
                    let mut page: PullAnswer = serde_json::from_slice(body)?;
                    // Asked twice, or overtaken: only what goes on from here is a checkpoint.
                    if handset.outbox.disk().cursor != *after || handset.writing() > 0 {
                        return Ok(());
                    }
                    let parts = handset.parts.take();
                    if parts.as_ref().map(|parts| &parts.next) != within.as_ref() {
                        return Ok(());
                    }
                    let mut items = parts.map(|parts| parts.items).unwrap_or_default();
                    items.append(&mut page.items);
                    if let Some(next) = page.within {
                        let after = *after;
                        handset.parts = Some(Parts { after, next, items });
                        self.note("part", "");
                        return Ok(());
                    }
                    page.items = items;
                    handset.open = Some(Open::Page {
                        after: *after,
                        list: *list,
                        page: Box::new(page),
                    });
                    self.go_on(n)
                }
                410 if *after >= ASTRAY => {
                    handset.lost = true;
                    self.note("leads nowhere", "");
                    Ok(())
                }
                410 => {
                    let what = format!("a cursor of {} leads nowhere: {after}", handset.device);
                    Err(Broken::new("I24", what).into())
                }
                403 => {
                    handset.over = true;
                    Ok(())
                }
                _ => Err(SimulateError::Answered("pull", status).into()),
            },
            What::LookUp => {
                if status == 200 {
                    let answer: LookUpAnswer = serde_json::from_slice(body)?;
                    let effect = Effect::Knows(answer.position);
                    return self.looked_up(n, answer.anchor, Some(effect));
                }
                Ok(())
            }
            What::Status => {
                if status == 200 {
                    let answer: StatusAnswer = serde_json::from_slice(body)?;
                    handset.over |= answer.re_enrol;
                    return self.looked_up(n, answer.anchor, None);
                }
                Ok(())
            }
            What::Deposit { .. } => Ok(()),
            What::Snapshot => self.heard_snapshot(to, status, body),
            What::Piece { hash } => self.heard_piece(n, *hash, (status, body, anchor)),
            What::Rules => self.heard_rules(n, status, body),
            What::Badges => self.heard_badges(n, status, body),
        }
    }

    /// An anchor that came with anything but a page.
    pub(super) fn looked_up(
        &mut self,
        n: usize,
        anchor: String,
        effect: Option<Effect>,
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let command = Command::Checkpoint {
            // The position that is held, or is being written, holds on.
            cursor: 0,
            anchor,
            wall: handset.wall(self.now),
            fates: Vec::new(),
            anew: false,
        };
        self.command(n, command, effect)
    }

    fn fresh_anchor(&mut self, n: usize, body: &[u8]) -> Result<(), Stop> {
        let problem: serde_json::Value = serde_json::from_slice(body)?;
        match problem.get("anchor").and_then(serde_json::Value::as_str) {
            Some(anchor) => self.looked_up(n, anchor.to_owned(), None),
            None => Ok(()),
        }
    }
}
