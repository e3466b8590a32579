//! Small numbers become events. A draft says what it would like to happen; where it asks to be
//! plausible, the numbers choose among what fits the goods' likely whereabouts.

use super::{
    Case,
    plausible::{Likely, Plan},
    settings::{self, Settings},
    stage::{
        self, BOX, CODES, DAY, Hand, LOOSE, MINUTE, OWN, OWN_CODED, PLACES, SECOND, START, TIN,
        good,
    },
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use suyuan_sync::{
    event::{
        Actor, Counterpart, Disposition, Document, Event, Group, Input, Kind, LotLine, Override,
        Proof, UnitRead,
    },
    facts::{Fact, World},
    finding::FindingCode,
    fold,
    ids::{EventId, GroupId, Gseq, Micros},
    order::{Interval, Order},
};
use uuid::Uuid;

/// An event as small numbers; all zero is the dullest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draft {
    /// Do what may well come next, rather than what the numbers say.
    pub plausible: bool,
    /// Say the same again as the event before.
    pub again: bool,
    pub kind: u8,
    pub good: u8,
    /// Further goods, a bit each.
    pub more: u16,
    pub place: u8,
    pub hand: u8,
    /// How long after the event before.
    pub gap: u8,
    /// How uncertain its time is.
    pub width: u8,
    /// How many events overtake it on its way to the server.
    pub late: u8,
    pub partner: u8,
    pub paper: u8,
    /// Everything else.
    pub aux: u32,
}

const GAPS: [Micros; 8] = [
    MINUTE,
    0,
    SECOND,
    5 * MINUTE,
    11 * MINUTE,
    2 * 60 * MINUTE,
    7 * 60 * MINUTE,
    30 * 60 * MINUTE,
];
const WIDTHS: [Micros; 5] = [0, SECOND, 3 * MINUTE, 60 * MINUTE, DAY];

/// Turns drafts into a world and its facts, in the order of arrival.
pub fn build(settings: &Settings, drafts: &[Draft]) -> Case {
    let mut likely = Likely::default();
    let mut now = START;
    let mut sequences: BTreeMap<_, u64> = BTreeMap::new();
    let mut correcting: Option<(Group, Hand)> = None;
    let mut wrong: Option<EventId> = None;
    let mut facts = Vec::new();
    let mut said: Option<(Plan, u8)> = None;
    for (n, draft) in drafts.iter().enumerate() {
        now += GAPS[usize::from(draft.gap) % GAPS.len()];
        let mut plan = if draft.plausible {
            likely.plan(draft)
        } else {
            wild(draft)
        };
        let mut paper = draft.paper;
        if let Some((before, number)) = said.filter(|_| draft.again) {
            (plan, paper) = (before, number);
        }
        let group = correcting.take();
        if let Some((_, hand)) = group {
            plan.hand = hand;
        }
        // Who corrects mostly says the same of other goods, or of the same.
        let meant = wrong.take().filter(|_| draft.aux & 0xc00 != 0xc00);
        if let Some(fact) = meant.and_then(|id| facts.iter().find(|f: &&Fact| f.event.id == id)) {
            (plan.kind, plan.place) = (fact.event.kind, fact.event.location);
        }
        likely.note(&plan);
        said = Some((plan.clone(), paper));
        let mut event = event(n, drafts.len(), draft, &plan);
        if let Some(taken) = taken(draft, plan.hand, &facts) {
            event.id = taken;
        }
        event.doc = (paper % 4 > 0).then(|| Document {
            no: format!("P{}", paper % 4),
            at: None,
        });
        event.group = group.map(|(group, _)| Group { n: 2, ..group });
        if event.kind == Kind::Count && event.group.is_none() && draft.aux & 0x300 == 0 {
            // A count of two documents, when the next event says it again.
            let document = |n| Group {
                id: GroupId(event.id.0),
                n,
                of: 2,
                correct: false,
            };
            event.group = Some(document(1));
            if drafts.get(n + 1).is_some_and(|next| next.again) {
                correcting = Some((document(1), plan.hand));
            }
        }
        if event.kind == Kind::Retract && draft.aux & 0x300 == 0x300 {
            let first = Group {
                id: GroupId(event.id.0),
                n: 1,
                of: 2,
                correct: true,
            };
            event.group = Some(first);
            event.target = last_own(&event, plan.hand, &facts).or(event.target);
            correcting = Some((first, plan.hand));
            wrong = event.target;
        }
        let seq = sequences.entry(plan.hand.device).or_default();
        *seq += 1;
        event.seq = *seq;
        event.at = now;
        facts.push(fact(draft, event, plan.hand, now));
    }
    arrive(settings, drafts, facts)
}

/// The id of an event that another enterprise stated, which a stranger may use as well.
fn taken(draft: &Draft, hand: Hand, facts: &[Fact]) -> Option<EventId> {
    let back = 1 + (draft.aux >> 4 & 3) as usize;
    let wanted = draft.aux & 0x0900_0000 == 0x0900_0000;
    let one = facts.get(facts.len().checked_sub(back)?)?;
    let id = one.event.id;
    let own = |fact: &Fact| fact.enterprise == hand.enterprise && fact.event.id == id;
    (wanted && !facts.iter().any(own)).then_some(id)
}

/// What the same person stated last, which whoever corrects mostly means.
fn last_own(retract: &Event, hand: Hand, facts: &[Fact]) -> Option<EventId> {
    let means_it = retract.target.is_some_and(|id| id.0.as_u128() % 4 > 0);
    let own = |fact: &&Fact| {
        fact.enterprise == hand.enterprise
            && fact.event.actor.id == retract.actor.id
            && fact.event.kind != Kind::Retract
    };
    let last = facts.iter().rev().filter(|_| means_it).find(own);
    last.map(|fact| fact.event.id)
}

/// Gives each its position in the log: in order, but for those that are late.
fn arrive(settings: &Settings, drafts: &[Draft], facts: Vec<Fact>) -> Case {
    let mut facts: Vec<(usize, Fact)> = facts.into_iter().enumerate().collect();
    facts.sort_by_key(|(n, _)| (n + usize::from(drafts[*n].late), *n));
    let mut world = stage::world();
    settings::place(settings, &mut world, |at| {
        let received = facts.iter().filter(|(_, fact)| fact.order.eff < at);
        received.count() as Gseq
    });
    let mut arrived = Vec::new();
    for (rank, (n, mut fact)) in facts.into_iter().enumerate() {
        fact.gseq = (rank as Gseq + 1) * 100;
        know(&drafts[n], &world, &mut fact);
        arrived.push(fact);
    }
    fold::take_places(&mut arrived, &world);
    Case {
        world,
        facts: arrived,
    }
}

fn fact(draft: &Draft, event: Event, hand: Hand, now: Micros) -> Fact {
    let width = |n: u8| WIDTHS[usize::from(n) % WIDTHS.len()];
    let flags = match draft.aux >> 28 {
        1 => vec![FindingCode::NoAnchor],
        2 => vec![FindingCode::ChainBreak, FindingCode::Late],
        _ => Vec::new(),
    };
    Fact {
        order: Order {
            eff: now,
            device: event.device,
            epoch: event.epoch,
            seq: event.seq,
            event: event.id,
        },
        interval: Interval {
            lo: now - width(draft.width),
            est: now,
            hi: now + width(draft.width / 5),
        },
        gseq: 0,
        enterprise: hand.enterprise,
        event: Arc::new(event),
        delivered: 0,
        flags,
        corrects: None,
    }
}

/// What the device held of the recall list, and says it held.
fn know(draft: &Draft, world: &World, fact: &mut Fact) {
    let positions: Vec<Gseq> = world.recalls.iter().map(|span| span.from.gseq).collect();
    let pick = |n: u32| -> Gseq {
        match (n % 8, positions.len()) {
            (0, _) | (_, 0) => 0,
            (1, _) => 1_000_000,
            (n, len) => positions[n as usize % len],
        }
    };
    let event = Arc::make_mut(&mut fact.event);
    event.list_version = (draft.aux & 7 != 7).then(|| pick(draft.aux >> 3));
    event.mono_ms = if draft.aux & 0x40 == 0 {
        0
    } else {
        100_000_000
    };
    fact.delivered = pick(draft.aux >> 7).min(fact.gseq - 1);
}

/// Whatever the numbers say.
fn wild(draft: &Draft) -> Plan {
    let kind = Kind::ALL[usize::from(draft.kind) % Kind::ALL.len()];
    let mut goods = vec![usize::from(draft.good) % CODES.len()];
    goods.extend((0..CODES.len()).filter(|n| draft.more >> n & 1 == 1));
    let place = PLACES[usize::from(draft.place) % PLACES.len()];
    Plan {
        kind,
        goods,
        container: usize::from(draft.partner) % CODES.len(),
        place,
        hand: stage::HANDS[usize::from(draft.hand) % stage::HANDS.len()],
        counterpart: partner(draft.partner),
        disposition: match draft.aux % 4 {
            0 => None,
            1 => Some(Disposition::Sellable),
            2 => Some(Disposition::Hold),
            _ => Some(Disposition::Destroy),
        },
    }
}

/// To whom, from whom.
fn partner(n: u8) -> Option<Counterpart> {
    match n % 12 {
        0 => None,
        1 => Some(Counterpart::Enterprise(stage::CHAIN)),
        2 => Some(Counterpart::Enterprise(stage::MAKER)),
        3 => Some(Counterpart::Enterprise(stage::STRANGER)),
        4 => Some(Counterpart::Named("a friend".to_owned())),
        5 => Some(Counterpart::Enterprise(stage::NOBODY)),
        n => Some(Counterpart::Location(PLACES[usize::from(n) % PLACES.len()])),
    }
}

fn event(n: usize, all: usize, draft: &Draft, plan: &Plan) -> Event {
    let reads = |draft: &Draft, goods: &[usize]| -> Vec<UnitRead> {
        let input = match draft.aux >> 10 & 3 {
            0 => Input::Typed,
            1 => Input::Camera,
            _ => Input::Wedge,
        };
        goods.iter().map(|good| stage::read(*good, input)).collect()
    };
    let kind = plan.kind;
    let contains = matches!(kind, Kind::Pack | Kind::Unpack);
    let mut units = reads(draft, &plan.goods);
    if kind == Kind::Unpack && draft.aux & 0x1000 == 0 {
        units.clear();
    }
    if kind == Kind::Retract && draft.aux & 0x1000 == 0 {
        units.clear();
    }
    let mut body = BTreeMap::new();
    if kind == Kind::Commission && draft.aux & 3 != 3 {
        let batch = stage::BATCHES[(draft.aux >> 4) as usize % stage::BATCHES.len()];
        let said = match draft.aux >> 6 & 7 {
            0 => "L1".to_owned(),
            1 => "L3".to_owned(),
            _ => batch.0.to_string(),
        };
        body.insert("batch".to_owned(), json!(said));
    }
    if kind == Kind::Return && draft.aux & 0xc0 != 0 {
        let receipt = match draft.aux & 0xc0 {
            0x40 => json!(format!("P{}", draft.aux >> 4 & 3)),
            0x80 => json!({"lot": if draft.aux & 1 == 0 { "L1" } else { "L2" }}),
            _ => json!({"no": "P1", "code": CODES[usize::from(draft.good) % CODES.len()]}),
        };
        body.insert("receipt".to_owned(), receipt);
    }
    if kind == Kind::Count {
        let scope = match draft.aux >> 4 & 3 {
            0 => json!({"complete": false}),
            1 => json!({"complete": true, "gtins": [stage::TIN]}),
            2 => {
                let names = [stage::OWN, "MY8.T1N", stage::BOX, "NO-SUCH"];
                let name = names[usize::from(draft.good) % names.len()];
                json!({"complete": true, "gtins": [name, stage::LOOSE]})
            }
            _ => json!({"complete": true}),
        };
        body.insert("scope".to_owned(), scope);
        body.insert("accepted".to_owned(), json!(draft.aux & 1 == 1));
    }
    Event {
        id: stage::event(n),
        device: plan.hand.device,
        epoch: 1,
        seq: 0,
        kind,
        actor: actor(draft, plan),
        location: plan.place,
        units: units.into(),
        lots: lots(draft),
        counterpart: plan.counterpart.clone(),
        doc: None,
        at: 0,
        zone_minutes: 480,
        mono_ms: 0,
        anchor: None,
        anchor_wall: None,
        list_version: None,
        cursor: 0,
        env: None,
        overridden: (draft.aux >> 13 & 7 == 7).then(|| Override {
            code: if draft.aux & 2 == 0 {
                "recalled"
            } else {
                "expired"
            }
            .to_owned(),
            reason: "asked".to_owned(),
            supervisor: (draft.aux >> 22 & 7 == 1).then(|| "boss".to_owned()),
            recall: (draft.aux & 1 == 0).then(|| stage::recall((draft.aux >> 2 & 1) as u8)),
        }),
        // Mostly something there is, before or after; at times nothing that ever comes.
        target: (kind == Kind::Retract && draft.aux & 0xf != 0xf)
            .then(|| stage::event((draft.aux >> 4) as usize % (all + 1))),
        parent: (contains && draft.aux >> 16 & 7 != 7)
            .then(|| reads(draft, &[plan.container]).remove(0)),
        declared: (contains && draft.aux >> 20 & 3 == 3).then_some(2),
        disposition: plan.disposition.filter(|_| kind == Kind::Inspect),
        group: None,
        body,
    }
}

fn actor(draft: &Draft, plan: &Plan) -> Actor {
    Actor {
        id: match draft.aux >> 22 & 7 {
            7 => "somebody-else",
            6 => "",
            _ => plan.hand.actor,
        }
        .to_owned(),
        proof: Proof::Pin,
        login_age_s: None,
        supervisor: draft.aux >> 25 & 3 == 3,
    }
}

fn lots(draft: &Draft) -> Vec<LotLine> {
    let of = |gtin: &str, lot: Option<&str>, qty: u32| LotLine {
        gtin: gtin.to_owned(),
        lot: lot.map(str::to_owned),
        qty: u64::from(qty),
    };
    let line = |lot: Option<&str>, qty: u32| of(LOOSE, lot, qty);
    let qty = draft.aux >> 18 & 7;
    match draft.aux >> 14 & 0xf {
        1 => vec![line(Some("S1"), qty)],
        2 => vec![line(None, qty)],
        3 => vec![
            line(Some("S1"), qty),
            line(Some("S1"), 1),
            line(Some("S2"), 2),
        ],
        4 => vec![of(BOX, Some("L1"), qty), of(TIN, Some("L2"), 1)],
        5 => vec![of(TIN, Some("L1"), qty)],
        6 => vec![of(OWN, Some("L1"), qty)],
        7 => vec![of(OWN, Some("L1"), qty), of(TIN, Some("L3"), 1)],
        8 => vec![of(OWN_CODED[0].0, Some("L1"), qty)],
        _ => Vec::new(),
    }
}

/// The unit number of goods whose relabelled twin is another number.
pub const fn same(good: usize) -> usize {
    match good {
        good::RELABELLED => good::TIN_1,
        good::DATED => good::TIN_2,
        good::PROLONGED => good::SHORT_TIN,
        _ => good,
    }
}
