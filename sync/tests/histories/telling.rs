//! Stories written by hand: each line of a telling is an event on the stage, an hour after the one
//! before unless it says otherwise.

use super::{
    Case,
    stage::{self, HOUR, Hand, START},
};
use std::{collections::BTreeMap, sync::Arc};
use suyuan_sync::{
    event::{Actor, Counterpart, Disposition, Document, Event, Input, Kind, LotLine, Proof, Reads},
    facts::{Fact, RecallScope, RecallSpan, StatedAt, World},
    fold,
    ids::{BatchId, EnterpriseId, EventId, Gseq, LocationId, Micros},
    order::{Interval, Order},
};

/// A story: a world and its facts so far.
#[derive(Clone)]
pub struct Telling {
    pub world: World,
    pub facts: Vec<Fact>,
    sequences: BTreeMap<Hand, u64>,
}

impl PartialEq for Hand {
    fn eq(&self, other: &Hand) -> bool {
        self.device == other.device
    }
}

impl Eq for Hand {}

impl PartialOrd for Hand {
    fn partial_cmp(&self, other: &Hand) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hand {
    fn cmp(&self, other: &Hand) -> std::cmp::Ordering {
        self.device.cmp(&other.device)
    }
}

/// A line of a story.
#[derive(Clone)]
pub struct Line {
    hand: Hand,
    event: Event,
    at: Option<Micros>,
    interval: Option<(Micros, Micros)>,
    delivered: Gseq,
    input: Input,
}

impl Line {
    /// An event of a kind by somebody at a place.
    pub fn new(kind: Kind, hand: Hand, place: LocationId) -> Line {
        Line {
            hand,
            event: Event {
                id: stage::event(0),
                device: hand.device,
                epoch: 1,
                seq: 0,
                kind,
                actor: Actor {
                    id: hand.actor.to_owned(),
                    proof: Proof::Pin,
                    login_age_s: None,
                    supervisor: false,
                },
                location: place,
                units: Reads::default(),
                lots: Vec::new(),
                counterpart: None,
                doc: None,
                at: 0,
                zone_minutes: 480,
                mono_ms: 0,
                anchor: None,
                anchor_wall: None,
                list_version: None,
                cursor: 0,
                env: None,
                overridden: None,
                target: None,
                parent: None,
                declared: None,
                disposition: None,
                group: None,
                body: BTreeMap::new(),
            },
            at: None,
            interval: None,
            delivered: 0,
            input: Input::Wedge,
        }
    }

    /// What is going to be said.
    pub fn event_mut(&mut self) -> &mut Event {
        &mut self.event
    }

    /// Names goods.
    pub fn of(mut self, goods: &[usize]) -> Line {
        let reads = goods.iter().map(|good| stage::read(*good, self.input));
        self.event.units.extend(reads);
        self
    }

    /// How the goods named next are read.
    pub fn read_by(mut self, input: Input) -> Line {
        self.input = input;
        self
    }

    /// Names a container.
    pub fn into(mut self, container: usize) -> Line {
        self.event.parent = Some(stage::read(container, self.input));
        self
    }

    /// To or from an enterprise.
    pub fn with(mut self, partner: EnterpriseId) -> Line {
        self.event.counterpart = Some(Counterpart::Enterprise(partner));
        self
    }

    /// To or from a place.
    pub fn to(mut self, place: LocationId) -> Line {
        self.event.counterpart = Some(Counterpart::Location(place));
        self
    }

    /// So many of a lot.
    pub fn lot(mut self, lot: Option<&str>, qty: u64) -> Line {
        self.event.lots.push(LotLine {
            gtin: stage::LOOSE.to_owned(),
            lot: lot.map(str::to_owned),
            qty,
        });
        self
    }

    /// To a batch.
    pub fn batch(self, batch: BatchId) -> Line {
        self.item("batch", serde_json::json!(batch.0.to_string()))
    }

    /// A further item.
    pub fn item(mut self, name: &str, value: serde_json::Value) -> Line {
        self.event.body.insert(name.to_owned(), value);
        self
    }

    /// On a paper.
    pub fn doc(mut self, no: &str) -> Line {
        self.event.doc = Some(Document {
            no: no.to_owned(),
            at: None,
        });
        self
    }

    /// With a decision.
    pub fn disposition(mut self, disposition: Disposition) -> Line {
        self.event.disposition = Some(disposition);
        self
    }

    /// Striking an event.
    pub fn target(mut self, target: EventId) -> Line {
        self.event.target = Some(target);
        self
    }

    /// By somebody else of the same enterprise.
    pub fn by(mut self, actor: &str) -> Line {
        actor.clone_into(&mut self.event.actor.id);
        self
    }

    /// As a supervisor.
    pub fn supervisor(mut self) -> Line {
        self.event.actor.supervisor = true;
        self
    }

    /// So long after the start.
    pub fn at(mut self, after: Micros) -> Line {
        self.at = Some(START + after);
        self
    }

    /// Uncertain by so much before and after.
    pub fn give_or_take(mut self, before: Micros, after: Micros) -> Line {
        self.interval = Some((before, after));
        self
    }

    /// Holding the list of a position.
    pub fn list(mut self, version: Gseq) -> Line {
        self.event.list_version = Some(version);
        self
    }

    /// Having acknowledged a position.
    pub fn delivered(mut self, position: Gseq) -> Line {
        self.delivered = position;
        self
    }

    /// Anything else.
    pub fn saying(mut self, say: impl FnOnce(&mut Event)) -> Line {
        say(&mut self.event);
        self
    }
}

impl Telling {
    /// The stage before anything happened.
    pub fn new() -> Telling {
        Telling {
            world: stage::world(),
            facts: Vec::new(),
            sequences: BTreeMap::new(),
        }
    }

    /// Tells a line; gives its event.
    pub fn tell(&mut self, line: Line) -> EventId {
        let n = self.facts.len();
        let mut event = line.event;
        event.id = stage::event(n);
        let at = line.at.unwrap_or(START + (n as Micros + 1) * HOUR);
        // A device counts in the order of its own time, which is that of the story unless a line
        // says otherwise; then it counts from further on.
        let seq = self.sequences.entry(line.hand).or_default();
        *seq += 1;
        event.seq = *seq;
        event.at = at;
        let (before, after) = line.interval.unwrap_or((0, 0));
        self.facts.push(Fact {
            order: Order {
                eff: at,
                device: event.device,
                epoch: event.epoch,
                seq: event.seq,
                event: event.id,
            },
            interval: Interval {
                lo: at - before,
                est: at,
                hi: at + after,
            },
            gseq: (n as Gseq + 1) * 100,
            enterprise: line.hand.enterprise,
            event: Arc::new(event),
            delivered: line.delivered,
            flags: Vec::new(),
            corrects: None,
        });
        fold::take_places(&mut self.facts, &self.world);
        stage::event(n)
    }

    /// A recall of batches, opened so long after the start.
    pub fn recall(&mut self, batches: &[BatchId], after: Micros) -> usize {
        let n = self.world.recalls.len();
        self.world.recalls.push(RecallSpan {
            recall: stage::recall(n as u8),
            from: StatedAt {
                at: START + after,
                gseq: 50 + n as Gseq,
            },
            closed: None,
            mistaken: false,
            scope: RecallScope {
                batches: batches.iter().copied().collect(),
                ..RecallScope::default()
            },
            destinations: [].into(),
        });
        n
    }

    /// As a case.
    pub fn case(&self) -> Case {
        Case {
            world: self.world.clone(),
            facts: self.facts.clone(),
        }
    }
}
