//! The wire: what handsets send, on its way to a server and what that says. Of time it knows only
//! when it is; what a handset makes of an answer is told in `heard`.

use super::{
    bounds,
    handset::Flight,
    node::{Asked, Called, Came, Node},
    post::{Asking, Letter, What},
    run::{Run, Stop},
};
use actix_web::http::Method;
use suyuan_sync::{
    chain,
    ids::Gseq,
    invariants::{Broken, Told, i18_nothing_sent_is_a_fault_of_ours},
    outbox::Command,
    wire::{
        Deposit, LookUpAnswer, PullAnswer, PushAnswer, PushClaims, ReadClaims, RecallList,
        SnapshotManifest, TYP_PUSH, TYP_READ, V,
    },
};

impl Run {
    /// Sends the pushes an outbox wants sent.
    pub fn send_all(&mut self, n: usize, flights: Vec<Flight>) -> Result<(), Stop> {
        self.send_of(n, flights, false)
    }

    /// Sends those a tab beside wants sent.
    pub fn send_beside(&mut self, n: usize, flights: Vec<Flight>) -> Result<(), Stop> {
        self.send_of(n, flights, true)
    }

    fn send_of(&mut self, n: usize, flights: Vec<Flight>, beside: bool) -> Result<(), Stop> {
        for flight in flights {
            let Some(handset) = self.handsets.get(n) else {
                continue;
            };
            let (outbox, session) = match &handset.other {
                _ if !beside => (&handset.outbox, handset.session),
                Some(tab) => (&tab.outbox, tab.session),
                None => continue,
            };
            let push = match outbox.push(flight.epoch, flight.first, flight.last) {
                Ok(push) => push,
                Err(keys) => {
                    self.note("found damaged", &format!("{n} {keys:?}"));
                    let damaged = Command::Damaged { keys };
                    if beside {
                        self.command_beside(n, damaged)?;
                    } else {
                        self.command(n, damaged, None)?;
                    }
                    continue;
                }
            };
            let Some(key) = handset.keys.get(&flight.epoch) else {
                let refused = Command::Refused {
                    flight: flight.id,
                    status: 401,
                    retry_after: None,
                };
                if beside {
                    self.command_beside(n, refused)?;
                } else {
                    self.command(n, refused, None)?;
                }
                continue;
            };
            bounds::push(&push)?;
            let what = What::Push {
                flight: flight.id,
                epoch: push.epoch,
                first: push.first_seq,
                hashes: chain::hashes(push.prev_hash, &push.events).collect(),
            };
            let claims = PushClaims::of(&push, &handset.installation);
            let asking = Asking {
                from: n,
                session,
                what,
                method: Method::POST,
                path: "/v1/sync/push".into(),
                bearer: key.token(TYP_PUSH, &claims)?,
                body: serde_json::to_vec(&push)?,
                receipted: handset.receipted,
            };
            self.send(asking);
        }
        Ok(())
    }

    fn send(&mut self, asking: Asking) {
        let letter = Letter::Request(Box::new(asking));
        self.post.send(letter, self.now, &mut self.dice);
    }

    /// What a handset asks as itself: signed over the newest anchor it holds.
    pub fn ask(
        &mut self,
        n: usize,
        what: What,
        method: Method,
        path: String,
        body: Vec<u8>,
    ) -> Result<(), Stop> {
        let Some(handset) = self.handsets.get(n) else {
            return Ok(());
        };
        let disk = handset.outbox.disk();
        let (Some(anchor), Some(key)) = (&disk.anchor, handset.keys.get(&disk.epoch)) else {
            return Ok(());
        };
        let claims = ReadClaims {
            aud: handset.installation.clone(),
            device: handset.device,
            epoch: disk.epoch,
            anchor: anchor.text.clone(),
        };
        let asking = Asking {
            from: n,
            session: handset.session,
            what,
            method,
            path,
            bearer: key.token(TYP_READ, &claims)?,
            body,
            receipted: handset.receipted,
        };
        self.send(asking);
        Ok(())
    }

    /// A handset asks what changed.
    pub fn pull(&mut self, n: usize) -> Result<(), Stop> {
        if self.fetches_first(n)? {
            return Ok(());
        }
        let Some(handset) = self.handsets.get_mut(n) else {
            return Ok(());
        };
        handset.pulling = true;
        let after = handset.outbox.disk().cursor;
        let limit = [3, 20, 500].get(self.dice.below(3)).copied().unwrap_or(500);
        let parts = handset.parts.take_if(|parts| parts.after == after);
        let within = parts.as_ref().map(|parts| parts.next.clone());
        handset.parts = parts;
        let mut path = format!("/v1/sync/pull?cursor={after}&limit={limit}");
        if let Some(within) = &within {
            path = format!("{path}&within={within}");
        }
        let held = handset.seen.list.as_ref().filter(|_| handset.seen.begun);
        let list = held.map(RecallList::content);
        if let Some(list) = list {
            path = format!("{path}&list={list}");
        }
        let what = What::Pull {
            after,
            within,
            list,
            most: limit,
        };
        self.ask(n, what, Method::GET, path, Vec::new())
    }

    /// A handset carries what another could not send.
    pub fn deposit(&mut self, carrier: usize, of: usize) -> Result<(), Stop> {
        let Some(owner) = self.handsets.get(of) else {
            return Ok(());
        };
        for push in owner.outbox.export().0 {
            let Some(key) = owner.keys.get(&push.epoch) else {
                continue;
            };
            let token = key.token(TYP_PUSH, &PushClaims::of(&push, &owner.installation))?;
            let what = What::Deposit {
                of,
                epoch: push.epoch,
                hashes: chain::hashes(push.prev_hash, &push.events).collect(),
            };
            let body = serde_json::to_vec(&Deposit { v: V, token, push })?;
            self.note("deposit", &format!("{carrier} {of}"));
            return self.ask(carrier, what, Method::POST, "/v1/sync/deposit".into(), body);
        }
        Ok(())
    }

    /// A letter arrives.
    pub(super) async fn deliver(&mut self, letter: Letter) -> Result<(), Stop> {
        match letter {
            Letter::Request(asking) => self.arrive(*asking).await,
            Letter::Answer { to, came } => self.heard(&to, came),
        }
    }

    /// A request reaches a server; others as well, perhaps, before it is carried out.
    async fn arrive(&mut self, asking: Asking) -> Result<(), Stop> {
        let Some(n) = self.any_node() else {
            return Ok(());
        };
        let come = self.come_with(n, asking);
        if let [_, _, ..] = come[..] {
            return self.arrive_together(n, come).await;
        }
        for asking in come {
            let answer = call(self.nodes.get(n), &asking).await;
            self.answered(asking, answer)?;
        }
        Ok(())
    }

    /// What a server answered goes back.
    pub(super) fn answered(&mut self, asking: Asking, answer: Option<Came>) -> Result<(), Stop> {
        let Some((status, body, anchor)) = answer else {
            return Ok(());
        };
        let said = String::from_utf8_lossy(&body);
        i18_nothing_sent_is_a_fault_of_ours(&asking.path, status, &said)?;
        // A piece's name is of the signatures in it, which are chance.
        let path = match &asking.what {
            What::Piece { .. } => "a piece",
            _ => &asking.path,
        };
        let answered = format!("{} {path} {status}", asking.from);
        self.note("answered", &answered);
        if status == 200 {
            self.hear(&asking, &body)?;
        }
        let letter = Letter::Answer {
            to: Box::new(asking),
            came: (status, body, anchor),
        };
        self.post.send(letter, self.now, &mut self.dice);
        Ok(())
    }

    /// What a server said is said, whether anybody heard it or not.
    fn hear(&mut self, asking: &Asking, body: &[u8]) -> Result<(), Stop> {
        let (of, epoch, hashes) = match &asking.what {
            What::Push { epoch, hashes, .. } => (asking.from, *epoch, hashes),
            What::Deposit { of, epoch, hashes } => (*of, *epoch, hashes),
            What::Pull { most, .. } => {
                let page: PullAnswer = serde_json::from_slice(body)?;
                bounds::page(&page, *most)?;
                let read = (asking.receipted, page.cursor);
                self.read(asking, read, page.more);
                return Ok(());
            }
            What::LookUp => {
                let answer: LookUpAnswer = serde_json::from_slice(body)?;
                bounds::look_up(&answer)?;
                self.read(asking, (asking.receipted, answer.position), false);
                return Ok(());
            }
            What::Snapshot => {
                let manifest: SnapshotManifest = serde_json::from_slice(body)?;
                self.read(asking, (asking.receipted, manifest.watermark), false);
                return Ok(());
            }
            What::Piece { .. } => return Ok(bounds::piece(body)?),
            What::Status | What::Rules | What::Badges => return Ok(()),
        };
        let answer: PushAnswer = serde_json::from_slice(body)?;
        bounds::answer(&answer)?;
        if answer.results.len() != hashes.len() {
            let what = format!(
                "{} results for {} events",
                answer.results.len(),
                hashes.len()
            );
            return Err(Broken::new("I6", what).into());
        }
        let detail: Vec<String> = answer
            .results
            .iter()
            .map(|result| format!("{}{}{:?}", result.seq, result.status.name(), result.gseq))
            .collect();
        self.note("results", &detail.join(" "));
        let Some(history) = self.histories.get_mut(of) else {
            return Ok(());
        };
        for (result, hash) in answer.results.into_iter().zip(hashes) {
            history.told.push(Told::Result {
                epoch,
                seq: result.seq,
                hash: *hash,
                status: result.status,
                code: result.code,
                gseq: result.gseq,
            });
        }
        history.told.push(Told::Receipt(answer.receipt));
        Ok(())
    }

    /// A handset that is still in the session that asked read at a position.
    fn read(&mut self, asking: &Asking, read: (Gseq, Gseq), more: bool) {
        if let Some(handset) = self.handsets.get_mut(asking.from)
            && handset.session == asking.session
            && !more
        {
            handset.reads.push(read);
        }
    }
}

/// Calls a server, if it runs.
async fn call(node: Option<&Option<Node>>, asking: &Asking) -> Option<Came> {
    Some(begin(node?.as_ref()?, asking).await)
}

/// Begins to call a server.
pub(super) fn begin(node: &Node, asking: &Asking) -> Called {
    node.begin(Asked {
        method: asking.method.clone(),
        path: &asking.path,
        bearer: Some(&asking.bearer),
        body: asking.body.clone(),
    })
}
