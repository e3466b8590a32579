//! What people scan: mostly what makes sense, often what contradicts, now and then what is no event
//! at all. Knows nothing of the service.

use super::{
    Part,
    badges::WORKERS,
    dice::Dice,
    handset::{ASTRAY, Handset},
    loose,
    world::{Site, World},
};
use suyuan_sync::{
    event::{
        Actor, Counterpart, Disposition, Document, Event, Group, Input, Kind, Override, UnitRead,
    },
    ids::{EnterpriseId, EventId, GroupId, LocationId, Micros},
};
use uuid::{Builder, Uuid};

/// So many of each kind of thing are what everybody wants, where there are crowds.
pub const WANTED: usize = 4;

/// What is remembered of what was scanned, so that most of what follows makes sense.
#[derive(Default)]
pub struct Memory {
    /// Where somebody last said each code was.
    places: std::collections::BTreeMap<String, LocationId>,
    /// Events by whom, newest last.
    made: Vec<(EnterpriseId, EventId)>,
    /// Who stated each event, unless it takes something back.
    by: std::collections::BTreeMap<EventId, Actor>,
    /// Groups that lack their last member, with its number.
    open: Vec<(GroupId, u32, EnterpriseId)>,
    /// Codes of goods that were fetched back: they are on their way to who supplied them.
    fetched: Vec<String>,
    /// Of each recall that says where goods are to go: codes of them, and where.
    wanted: Vec<(Uuid, Vec<String>, Vec<LocationId>)>,
}

/// An event on its way to become a text.
#[derive(Clone)]
struct Draft {
    kind: Kind,
    fill: Event,
}

/// What somebody scans now, as an act of one transaction.
pub fn scan(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
) -> Vec<(EventId, String)> {
    let drafts = drafts(dice, world, memory, handset.site);
    written(dice, world, memory, handset, now, drafts)
}

/// Something that everybody wants, sold and given back in turns, as often as somebody scans it in a row.
pub fn scan_again(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
    (turn, code): (i64, &str),
) -> Vec<(EventId, String)> {
    let kind = match (dice.below(10), turn % 2) {
        (0, _) => Kind::Inbound,
        (1, _) => Kind::Inspect,
        (_, 0) => Kind::Sale,
        _ => Kind::Return,
    };
    let mut fill = bare(dice, handset.site);
    fill.units = vec![UnitRead::of(code, Input::Wedge)].into();
    fill.disposition = (kind == Kind::Inspect).then_some(Disposition::Sellable);
    // With a receipt, which may be another's.
    if world.has(Part::Rare) && kind == Kind::Return && dice.happens(400) {
        let receipt = receipt_no(dice).into();
        fill.body.insert("receipt".into(), receipt);
    }
    note(memory, &fill, handset.site);
    written(
        dice,
        world,
        memory,
        handset,
        now,
        vec![Draft { kind, fill }],
    )
}

/// Recalled goods, on their way to some place of the maker's, which their recall may not want them at.
pub fn send_back(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
) -> Vec<(EventId, String)> {
    let Some((_, codes, wanted)) = dice.pick(&memory.wanted) else {
        return Vec::new();
    };
    let own = world.sites.iter();
    let own = own.filter(|it| it.enterprise == world.maker && !wanted.contains(&it.id));
    let others: Vec<LocationId> = own.map(|site| site.id).collect();
    let to = if dice.happens(300) { wanted } else { &others };
    let to = dice.pick(to).copied().map(Counterpart::Location);
    let code = dice.pick(codes);
    let mut fill = bare(dice, handset.site);
    let read = code.map(|code| UnitRead::of(code, Input::Wedge));
    (fill.units, fill.counterpart) = (read.into_iter().collect(), to);
    fill.kind = Kind::Outbound;
    note(memory, &fill, handset.site);
    let kind = fill.kind;
    written(
        dice,
        world,
        memory,
        handset,
        now,
        vec![Draft { kind, fill }],
    )
}

/// Recalled goods, over the counter all the same: the till says of its recall list that it is an older one.
pub fn sell_recalled(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
) -> Vec<(EventId, String)> {
    let wanted = dice.pick(&memory.wanted);
    let Some(code) = wanted.and_then(|(_, codes, _)| dice.pick(codes).cloned()) else {
        return Vec::new();
    };
    let mut fill = bare(dice, handset.site);
    fill.units = vec![UnitRead::of(&code, Input::Wedge)].into();
    fill.list_version = Some(dice.between(0, handset.outbox.disk().cursor.min(ASTRAY) / 2));
    note(memory, &fill, handset.site);
    let draft = Draft {
        kind: Kind::Sale,
        fill,
    };
    written(dice, world, memory, handset, now, vec![draft])
}

/// Who stated something on a handset takes it back: the last of it, which may long be over.
pub fn take_back(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
) -> Vec<(EventId, String)> {
    let mut own = handset.events.iter().rev();
    let last = own.find_map(|event| Some((*event, memory.by.get(event)?.clone())));
    let Some((event, actor)) = last else {
        return Vec::new();
    };
    let mut fill = bare(dice, handset.site);
    (fill.target, fill.actor) = (Some(event), actor);
    let draft = Draft {
        kind: Kind::Retract,
        fill,
    };
    written(dice, world, memory, handset, now, vec![draft])
}

/// Drafts as texts, most of them as they should be.
fn written(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    handset: &Handset,
    now: Micros,
    drafts: Vec<Draft>,
) -> Vec<(EventId, String)> {
    let slot = handset.outbox.slot(handset.session_ms(now));
    let mut texts = Vec::new();
    for (seq, draft) in (slot.seq..).zip(drafts) {
        let mut event = draft.fill;
        event.kind = draft.kind;
        event.id = new_event(dice, now);
        // Somebody's program gives an id twice.
        if dice.happens(4)
            && let Some(used) = dice.pick(&handset.events)
        {
            event.id = *used;
        }
        if let Some(other) = astray(world, handset.site, event.id) {
            event.location = other;
        }
        if let Some(taken) = memory.of_another(handset.site.enterprise, event.id) {
            event.id = taken;
        }
        if is_turned(world, &event) {
            let container = event.parent.take();
            event.parent = event.units.first().cloned();
            event.units = container.into_iter().collect();
        }
        event.device = slot.device;
        event.epoch = slot.epoch;
        event.seq = if dice.happens(3) { seq + 5 } else { seq };
        event.at = handset.wall(now);
        event.mono_ms = slot.mono_ms;
        event.anchor.clone_from(&slot.anchor);
        event.anchor_wall = slot.anchor_wall;
        if dice.happens(10) {
            (event.anchor, event.anchor_wall, event.mono_ms) = (None, None, 0);
        }
        event.cursor = slot.cursor;
        event.list_version = event.list_version.or(handset.seen.list_version);
        if dice.happens(30) {
            event.list_version = Some(dice.between(0, slot.cursor.max(1) * 2));
        }
        memory.made.push((handset.site.enterprise, event.id));
        if event.kind != Kind::Retract {
            memory.by.insert(event.id, event.actor.clone());
        }
        let mut text = event.write();
        match dice.below(200) {
            0 => text.truncate(text.len() / 2),
            1 => {
                let kind = format!("\"{}\"", event.kind.name());
                text = text.replacen(&kind, "\"teleport\"", 1);
            }
            // Valid JSON that nobody would write again like this: bytes are kept, not values.
            2..22 => text = text.replacen('{', "{ \"zz\": 1.50, ", 1),
            _ => {}
        }
        texts.push((event.id, text));
    }
    texts
}

impl Memory {
    /// Goods are recalled, and are to go to one of these places.
    pub(super) fn recalled(&mut self, recall: Uuid, codes: Vec<String>, to: &[Uuid]) {
        if !codes.is_empty() && !to.is_empty() {
            let to = to.iter().copied().map(LocationId).collect();
            self.wanted.push((recall, codes, to));
        }
    }

    /// They are no more.
    pub(super) fn recall_ends(&mut self, recall: Uuid) {
        self.wanted.retain(|(of, ..)| *of != recall);
    }

    /// Does a recall say where goods are to go?
    pub(super) fn wants_back(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The id of an event that another enterprise stated, since ids are an enterprise's own and
    /// nobody keeps a stranger from using one again: now and then, as the new id's last bytes say.
    fn of_another(&self, enterprise: EnterpriseId, id: EventId) -> Option<EventId> {
        let [.., back, often] = *id.0.as_bytes();
        if often >= 6 {
            return None;
        }
        let own = |id: EventId| self.made.contains(&(enterprise, id));
        let others = self.made.iter().rev().filter(|(of, _)| *of != enterprise);
        let mut free = others.map(|(_, id)| *id).filter(|id| !own(*id));
        free.nth(usize::from(back % 8))
    }
}

/// Somebody says that they stand at another enterprise's place: now and then, as the new id's bytes say.
fn astray(world: &World, site: Site, id: EventId) -> Option<LocationId> {
    let [.., often, which, _, _] = *id.0.as_bytes();
    if often >= 5 || !world.has(Part::Rare) {
        return None;
    }
    let others = world.sites.iter().map(|other| (other.enterprise, other.id));
    // That of which nobody knows yet whose it is, too.
    let late = (world.late.owner, world.late.place);
    let others = others.chain([late]);
    let others = others.filter(|(owner, _)| *owner != site.enterprise);
    let others: Vec<LocationId> = others.map(|(_, place)| place).collect();
    others
        .get(usize::from(which) % others.len().max(1))
        .copied()
}

/// Somebody puts a container into what lies in it: now and then, as the new id's bytes say.
fn is_turned(world: &World, event: &Event) -> bool {
    let often = event.id.0.as_bytes()[10];
    event.kind == Kind::Pack && often < 48 && world.has(Part::Rare)
}

fn new_event(dice: &mut Dice, now: Micros) -> EventId {
    let ms = u64::try_from(now / 1000).unwrap_or(0);
    let mut rest = [0; 10];
    rest.copy_from_slice(&dice.bytes()[..10]);
    EventId(Builder::from_unix_timestamp_millis(ms, &rest).into_uuid())
}

fn drafts(dice: &mut Dice, world: &World, memory: &mut Memory, site: Site) -> Vec<Draft> {
    let one = |kind: Kind, fill: Event| vec![Draft { kind, fill }];
    let kinds = [
        (20, Kind::Inbound),
        (16, Kind::Outbound),
        (18, Kind::Sale),
        (6, Kind::Return),
        (4, Kind::Inspect),
        (5, Kind::Collect),
        (2, Kind::Destroy),
        (if world.has(Part::Rare) { 8 } else { 4 }, Kind::Count),
        (9, Kind::Pack),
        (3, Kind::Unpack),
        (2, Kind::Commission),
        (7, Kind::Retract),
    ];
    let Some(kind) = dice.weighed(&kinds) else {
        return Vec::new();
    };
    let mut fill = bare(dice, site);
    fill.kind = kind;
    // Goods without codes of their own.
    let often = if world.has(Part::Rare) && kind == Kind::Count {
        500
    } else {
        180
    };
    if loose::alone(kind, world) && world.has(Part::Lots) && dice.happens(often) {
        fill.lots = loose::lots(dice, world);
        aim(dice, world, &mut fill, kind);
        loose::as_counted(dice, world, &mut fill);
        if world.has(Part::Rare) && matches!(kind, Kind::Inbound | Kind::Count) && dice.happens(250)
        {
            return grouped(dice, world, memory, fill, site);
        }
        return one(kind, fill);
    }
    match kind {
        // Box in box in box, as no goods are packed.
        Kind::Pack if dice.happens(150) => {
            let at = dice.below(world.boxes.len().saturating_sub(1));
            let mut boxes = world.boxes.iter().skip(at);
            let read = |code: &String| UnitRead::of(code, Input::Wedge);
            fill.units = boxes.next().map(read).into_iter().collect();
            fill.parent = boxes.next().map(read);
        }
        Kind::Pack | Kind::Unpack => {
            let (parents, children) = if dice.happens(250) {
                (&world.pallets, &world.cases)
            } else {
                (&world.cases, &world.tins)
            };
            let few = dice.between(1, 5) as usize;
            fill.units = reads(dice, world, memory, children, site, few).into();
            let parent = if dice.happens(30) { children } else { parents };
            fill.parent = reads(dice, world, memory, parent, site, 1).pop();
            if fill.parent.is_none() {
                let any = dice
                    .pick(parents)
                    .map(|code| UnitRead::of(code, Input::Wedge));
                fill.parent = any;
            }
            if kind == Kind::Unpack && dice.happens(500) {
                fill.units.clear();
            }
            // The container's code was not to be read.
            if kind == Kind::Pack && dice.happens(60) {
                fill.parent = None;
            }
            if dice.happens(80) {
                fill.declared = Some(fill.units.len() as u32 + 1);
            }
            loose::beside(dice, world, &mut fill);
        }
        Kind::Retract => {
            fill.actor.supervisor = dice.happens(200);
            let own: Vec<EventId> = memory
                .made
                .iter()
                .rev()
                .filter(|(of, _)| *of == site.enterprise)
                .map(|(_, event)| *event)
                .take(40)
                .collect();
            fill.target = dice.pick(&own).copied();
            if dice.happens(50) {
                fill.target = dice.pick(&memory.made).map(|(_, event)| *event);
            }
            // 更正: what was meant comes with it.
            if dice.happens(300) {
                let group = Group {
                    id: new_group(dice),
                    n: 1,
                    of: 2,
                    correct: true,
                };
                fill.group = Some(group);
                let mut right = bare(dice, site);
                right.actor = fill.actor.clone();
                right.units = reads(dice, world, memory, &world.tins, site, 1).into();
                right.group = Some(Group { n: 2, ..group });
                let sale = Draft {
                    kind: Kind::Sale,
                    fill: right,
                };
                return vec![Draft { kind, fill }, sale];
            }
        }
        _ => {
            let moved = matches!(kind, Kind::Inbound | Kind::Outbound);
            let big = if moved {
                dice.happens(350)
            } else {
                // By their own code they are sold, brought back, fetched back and so on, too.
                world.has(Part::Rare) && kind != Kind::Commission && dice.happens(250)
            };
            let from = if !big {
                &world.tins
            } else if dice.happens(300) {
                &world.pallets
            } else {
                &world.cases
            };
            let few = dice.between(1, 3) as usize;
            fill.units = reads(dice, world, memory, from, site, few).into();
            // A whole load at once.
            if matches!(kind, Kind::Inbound | Kind::Outbound | Kind::Count) && dice.happens(8) {
                let read = |code: &String| UnitRead::of(code, Input::Wedge);
                fill.units = world.load.iter().map(read).collect();
            }
            loose::beside(dice, world, &mut fill);
            if world.has(Part::Rare) {
                rarely(dice, world, memory, &mut fill);
            }
        }
    }
    fill.disposition = (kind == Kind::Inspect)
        .then(|| {
            let of = [
                Disposition::Sellable,
                Disposition::Hold,
                Disposition::Destroy,
            ];
            dice.pick(&of).copied()
        })
        .flatten();
    if kind == Kind::Count && dice.happens(600) {
        let scope = serde_json::json!({"complete": true});
        fill.body.insert("scope".into(), scope);
    }
    if kind == Kind::Commission {
        let batch = dice.pick(&world.batches).map(ToString::to_string);
        fill.body.insert("batch".into(), batch.into());
    }
    if kind == Kind::Sale && dice.happens(60) {
        fill.overridden = Some(Override {
            code: "recalled".into(),
            reason: "误报".into(),
            supervisor: Some("s-1".into()),
            recall: None,
        });
    }
    aim(dice, world, &mut fill, kind);
    note(memory, &fill, site);
    // A receipt of several documents stands together, and so does a count.
    let several = kind == Kind::Inbound || world.has(Part::Rare) && kind == Kind::Count;
    if several && dice.happens(150) {
        return grouped(dice, world, memory, fill, site);
    }
    // Somebody completes what lacked its last part.
    let lacking = memory
        .open
        .iter()
        .position(|(.., of)| *of == site.enterprise);
    if kind == Kind::Inbound
        && dice.happens(150)
        && let Some(at) = lacking
    {
        let (id, of, _) = memory.open.remove(at);
        fill.group = Some(Group {
            id,
            n: of,
            of,
            correct: false,
        });
    }
    one(kind, fill)
}

/// What is stated of goods now and then.
fn rarely(dice: &mut Dice, world: &World, memory: &Memory, fill: &mut Event) {
    match fill.kind {
        // Fetched back, and on its way to who supplied it.
        Kind::Outbound if dice.happens(120) => {
            let fetched = dice.pick(&memory.fetched);
            let read = fetched.map(|code| UnitRead::of(code, Input::Wedge));
            fill.units = read.into_iter().collect();
        }
        // With what stands on the receipt, which may be another's.
        Kind::Return if dice.happens(350) => {
            let named = fill.units.first().map(|read| read.code.clone());
            let other = dice.pick(&world.tins).cloned();
            let code = if dice.happens(600) { named } else { other };
            let receipt = match dice.below(3) {
                0 => serde_json::json!(receipt_no(dice)),
                1 => serde_json::json!({"lot": dice.pick(&["A1", "R3"])}),
                _ => serde_json::json!({"code": code}),
            };
            fill.body.insert("receipt".into(), receipt);
        }
        _ => {}
    }
    // A place that is on no record yet.
    if dice.happens(25) {
        fill.location = world.late.place;
    }
}

fn receipt_no(dice: &mut Dice) -> String {
    format!("D-{}", dice.below(6))
}

fn grouped(
    dice: &mut Dice,
    world: &World,
    memory: &mut Memory,
    first: Event,
    site: Site,
) -> Vec<Draft> {
    let (id, several, kind) = (new_group(dice), dice.between(2, 4) as u32, first.kind);
    let often = if world.has(Part::Rare) { 500 } else { 200 };
    let lacks = dice.happens(often) && kind == Kind::Inbound;
    let of = several + u32::from(lacks);
    if lacks {
        memory.open.push((id, of, site.enterprise));
    }
    (1..=several)
        .map(|n| {
            let mut fill = first.clone();
            if n > 1 && first.units.is_empty() && !first.lots.is_empty() {
                fill.lots = loose::lots(dice, world);
            } else if n > 1 {
                fill.units = reads(dice, world, memory, &world.tins, site, 1).into();
            }
            fill.group = Some(Group {
                id,
                n,
                of,
                correct: false,
            });
            Draft { kind, fill }
        })
        .collect()
}

fn new_group(dice: &mut Dice) -> GroupId {
    GroupId(Builder::from_random_bytes(dice.bytes()).into_uuid())
}

fn bare(dice: &mut Dice, site: Site) -> Event {
    let nobody = EventId(uuid::Uuid::nil());
    let device = suyuan_sync::ids::DeviceId::SERVER;
    let mut fill = Event::bare(Kind::Inbound, nobody, device, 1, 1, 0);
    fill.location = site.id;
    WORKERS[dice.below(WORKERS.len())].clone_into(&mut fill.actor.id);
    fill.actor.proof = suyuan_sync::event::Proof::Pin;
    fill.actor.login_age_s = Some(60);
    fill.actor.supervisor = dice.happens(60);
    fill.doc = (!dice.happens(50)).then(|| Document {
        no: format!("D-{}", dice.below(6)),
        at: None,
    });
    fill
}

/// To whom, by whom.
fn aim(dice: &mut Dice, world: &World, fill: &mut Event, kind: Kind) {
    if !matches!(kind, Kind::Inbound | Kind::Outbound) {
        return;
    }
    let other = dice.pick(&world.sites).copied();
    fill.counterpart = match (dice.below(10), other) {
        (0, _) | (_, None) => Some(Counterpart::Named("老王".into())),
        (1 | 2, Some(site)) => Some(Counterpart::Enterprise(site.enterprise)),
        (_, Some(_)) if world.has(Part::Rare) && dice.happens(40) => {
            Some(Counterpart::Location(world.late.place))
        }
        (_, Some(site)) => Some(Counterpart::Location(site.id)),
    };
    if kind == Kind::Outbound && !dice.happens(100) {
        let carrier = "logistics.logistics_company";
        fill.body.insert(carrier.into(), "顺丰".into());
    }
}

fn note(memory: &mut Memory, fill: &Event, site: Site) {
    let to = match fill.counterpart {
        Some(Counterpart::Location(to)) if fill.kind == Kind::Outbound => to,
        _ => site.id,
    };
    for read in fill.units.iter().chain(&fill.parent) {
        memory.places.insert(read.code.clone(), to);
    }
    if fill.kind == Kind::Collect {
        let codes = fill.units.iter().map(|read| read.code.clone());
        memory.fetched.extend(codes);
    }
}

/// Some of these codes: rather those that are here.
fn reads(
    dice: &mut Dice,
    world: &World,
    memory: &Memory,
    of: &[String],
    site: Site,
    count: usize,
) -> Vec<UnitRead> {
    let here: Vec<&String> = of
        .iter()
        .filter(|code| {
            memory
                .places
                .get(*code)
                .is_none_or(|place| *place == site.id)
        })
        .collect();
    let mut out: Vec<UnitRead> = Vec::new();
    for _ in 0..count {
        let code = if world.has(Part::Crowds) && dice.happens(250) {
            dice.pick(of.get(..WANTED).unwrap_or(of))
        } else if dice.happens(750) {
            dice.pick(&here).copied()
        } else {
            dice.pick(of)
        };
        let input = dice.weighed(&[(8, Input::Wedge), (1, Input::Camera), (1, Input::Typed)]);
        if let (Some(code), Some(input)) = (code, input)
            && out.iter().all(|read| read.code != *code)
        {
            out.push(UnitRead::of(code, input));
        }
    }
    out
}
