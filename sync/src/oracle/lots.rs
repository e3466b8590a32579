//! C11 for goods without codes of their own: the balance of each lot line at each place, and where
//! it was negative. Nothing is ever rewritten to fit. What is wrong with goods having gone at all is told
//! by `lots_judged`.

use super::{
    batches, holders, lots_judged, questions,
    replay::{History, Snapshot, took},
    struck::Fate,
};
use crate::{
    event::{Event, Kind},
    facts::Fact,
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    fold::{Phase, Place, UnitState},
    ids::{EnterpriseId, LocationId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// A balance in base units.
pub type Balance = i64;

/// What a fact does to a line.
#[derive(Clone, Copy)]
enum Move {
    /// Goods come, go or are fetched back.
    Flow(Flow),
    /// So many were seen lying loose, so many were in containers, and whether a supervisor accepted
    /// that.
    Seen(i64, i64, bool),
}

/// What comes and goes by one fact.
#[derive(Clone, Copy, Default)]
struct Flow {
    /// So many more, or fewer.
    by: i64,
    /// So many were shipped or destroyed loose, out of what was fetched back if there is some.
    away: i64,
    /// So many were fetched back loose.
    fetched: i64,
    /// Something went in a container though nothing is fewer here: it had come unsaid, or had been fetched
    /// back before, or is now.
    in_container: bool,
}

/// The balance of each line, and what is wrong with it.
pub fn balances(history: &History) -> (BTreeMap<LotKey, Balance>, Vec<Finding>) {
    let mut balances = BTreeMap::new();
    let mut findings = strangers(history);
    for line in lines(history) {
        let moves = moves(history, &line);
        balances.insert(line.clone(), stand(&moves).stock);
        findings.extend(follow(history, &line, &moves));
        findings.extend(judged(history, &line, &moves));
    }
    (balances, findings)
}

/// The lines an event names.
pub fn named(event: &Event) -> BTreeMap<LotKey, i64> {
    let mut named = BTreeMap::new();
    for lot in &event.lots {
        let key = LotKey {
            gtin: lot.gtin.clone(),
            lot: lot.lot.clone(),
            location: event.location,
        };
        *named.entry(key).or_default() += lot.qty as i64;
    }
    named
}

/// Every line to which anything happened.
fn lines(history: &History) -> BTreeSet<LotKey> {
    let mut lines = moved_lines(history);
    for (k, fact) in history.facts.iter().enumerate() {
        if fact.event.kind == Kind::Count && history.fates[k] == Fate::Counts {
            lines.extend(named(&fact.event).into_keys());
        }
        for how in [Kept::InStock, Kept::Apart] {
            lines.extend(in_containers(history, k, how).into_keys());
        }
        lines.extend(changed(history, k).into_keys());
    }
    lines
}

/// Every line to which anything but a count or a pack happened: a complete count misses those.
fn moved_lines(history: &History) -> BTreeSet<LotKey> {
    let mut lines = BTreeSet::new();
    for (k, fact) in history.facts.iter().enumerate() {
        match history.fates[k] {
            Fate::Struck | Fate::Retract(_) => {}
            Fate::Counts => {
                if direction(fact.event.kind).is_some() {
                    lines.extend(named(&fact.event).into_keys());
                }
                lines.extend(changed(history, k).into_keys());
            }
        }
    }
    lines
}

/// +1 for what comes, -1 for what goes.
const fn direction(kind: Kind) -> Option<i64> {
    match kind {
        Kind::Commission | Kind::Inbound | Kind::Return => Some(1),
        Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Destroy => Some(-1),
        Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Count | Kind::Retract => None,
    }
}

/// Is the place on record as somebody else's (section 5)?
fn is_stranger(history: &History, fact: &Fact) -> bool {
    holders::is_elsewhere(history.world, fact)
}

/// C14: what somebody states of goods at another's place changes nothing.
fn strangers(history: &History) -> Vec<Finding> {
    let mut found = Vec::new();
    for (k, fact) in history.facts.iter().enumerate() {
        let moves = direction(fact.event.kind).is_some() || fact.event.kind == Kind::Count;
        if history.fates[k] == Fate::Counts && moves && is_stranger(history, fact) {
            for line in named(&fact.event).into_keys() {
                let code = FindingCode::UnexpectedHolder;
                found.push(about(history, &line, k, code, Detail::Nothing));
            }
        }
    }
    found
}

/// What happened to a line, in order.
fn moves(history: &History, line: &LotKey) -> Vec<(usize, Move)> {
    let mut moves = Vec::new();
    for (k, fact) in history.facts.iter().enumerate() {
        if history.fates[k] != Fate::Counts {
            continue;
        }
        let own = named(&fact.event).get(line).copied();
        let own =
            own.filter(|_| !is_stranger(history, fact) && direction(fact.event.kind).is_some());
        let carried = changed(history, k).get(line).copied();
        if own.is_some() || carried.is_some() {
            let mut flow = carried.unwrap_or_default();
            let own = own.unwrap_or(0);
            match fact.event.kind {
                Kind::Collect => flow.fetched = own,
                Kind::Outbound | Kind::Destroy => flow.away = own,
                kind => flow.by += direction(kind).unwrap_or(0) * own,
            }
            moves.push((k, Move::Flow(flow)));
        }
        if fact.event.kind == Kind::Count {
            moves.extend(seen(history, k, line).map(|seen| (k, seen)));
        }
    }
    moves
}

/// What a count says of a line. Several counts of a group are one, and the last says it; a
/// complete count that does not name a line saw none.
fn seen(history: &History, k: usize, line: &LotKey) -> Option<Move> {
    let documents = questions::documents(history, k);
    if documents.last() != Some(&k) {
        return None;
    }
    let mut seen = None;
    for j in documents {
        let fact = history.facts[j];
        if let Some(quantity) = named(&fact.event).get(line)
            && !is_stranger(history, fact)
        {
            *seen.get_or_insert(0) += quantity;
        }
    }
    let last = history.facts[k];
    let place = history.world.places.get(&line.location);
    let whose = place.map_or(last.enterprise, |place| place.enterprise);
    let product = batches::said_by(history.world, &line.gtin, whose);
    let swept = line.location == last.event.location
        && !is_stranger(history, last)
        && questions::is_complete_for(history, k, Some(&line.gtin), product.as_ref())
        && moved_lines(history).contains(line);
    if swept {
        seen.get_or_insert(0);
    }
    let said = last.event.body.get("accepted");
    let accepted = said.and_then(serde_json::Value::as_bool) == Some(true);
    let inside = in_containers(history, k, Kept::InStock);
    let inside = inside.get(line).copied();
    let accepted = accepted && last.event.actor.supervisor;
    Some(Move::Seen(seen?, inside.unwrap_or(0), accepted))
}

/// How what is in a container is kept at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// In stock, or brought back.
    InStock,
    /// Fetched back.
    Apart,
}

/// Where goods in this container are, if it is at a place.
const fn kept_at(state: &UnitState) -> Option<(LocationId, Kept)> {
    let Place::At(location) = state.place else {
        return None;
    };
    match state.phase {
        Phase::Commissioned | Phase::InStock | Phase::Returned => Some((location, Kept::InStock)),
        Phase::Collected => Some((location, Kept::Apart)),
        Phase::Unknown | Phase::InTransit | Phase::Sold | Phase::Destroyed => None,
    }
}

/// The world after moment `k`.
fn after<'h>(history: &'h History<'_>, k: usize) -> &'h Snapshot {
    match history.moments.get(k + 1) {
        Some(next) => &next.before,
        None => &history.after,
    }
}

/// What is in a container is answered for by the container, where it is after moment `k`: of
/// goods of a lot, how many are in containers that are kept so, by line.
fn in_containers(history: &History, k: usize, how: Kept) -> BTreeMap<LotKey, i64> {
    let after = after(history, k);
    let mut inside = BTreeMap::new();
    for (unit, state) in after {
        let Some((location, kept)) = kept_at(state) else {
            continue;
        };
        if kept != how || !(0..=k).any(|j| history.container(j).as_ref() == Some(unit)) {
            continue;
        }
        for ((gtin, lot), quantity) in held(history, k + 1, unit) {
            let key = LotKey {
                gtin,
                lot,
                location,
            };
            *inside.entry(key).or_default() += quantity;
        }
    }
    if how == Kept::Apart {
        return inside;
    }
    for unit in after.keys() {
        for who in packers(history, k + 1, unit) {
            let own = own_of(history, k + 1, unit, who);
            let Some(location) = own.stands else {
                continue;
            };
            for ((gtin, lot), quantity) in own.goods {
                let key = LotKey {
                    gtin,
                    lot,
                    location,
                };
                *inside.entry(key).or_default() += quantity;
            }
        }
    }
    inside.retain(|_, quantity| *quantity > 0);
    inside
}

/// What an enterprise to whose word a container does not listen has in it, by its own word.
#[derive(Default)]
struct Own {
    goods: BTreeMap<(String, Option<String>), i64>,
    stands: Option<LocationId>,
}

/// Who packed into a container before moment `k`.
fn packers(history: &History, k: usize, container: &UnitKey) -> BTreeSet<EnterpriseId> {
    (0..k)
        .filter(|j| history.container(*j).as_ref() == Some(container))
        .map(|j| history.facts[j].enterprise)
        .collect()
}

/// C14: what `who` has in the container before moment `k` by its own word, which did not count: what
/// it said at its own places of that code, until its word counts.
fn own_of(history: &History, k: usize, container: &UnitKey, who: EnterpriseId) -> Own {
    let mut own = Own::default();
    for j in 0..k {
        if history.facts[j].enterprise != who {
            continue;
        }
        if is_heard(history, j, container) {
            own = Own::default();
        } else if is_own_word(history, j, container) {
            let event = &*history.facts[j].event;
            if history.container(j).as_ref() == Some(container) {
                handle(&mut own.goods, event);
            }
            own.stands = match direction(event.kind) {
                Some(-1) => None,
                _ => Some(event.location),
            };
        }
    }
    own.goods.retain(|_, quantity| *quantity > 0);
    own
}

/// Did moment `j` say of the container what it is, or where?
fn is_heard(history: &History, j: usize, container: &UnitKey) -> bool {
    let mut touches = history.moments[j].touches.iter();
    touches.any(|touch| touch.unit == *container && touch.row.is_some_and(took))
}

/// Did a stranger to the container say something of its code, at a place that is not another's?
fn is_own_word(history: &History, j: usize, container: &UnitKey) -> bool {
    let mut touches = history.moments[j].touches.iter();
    touches.any(|touch| touch.unit == *container && touch.chain.is_empty() && !touch.counts)
        && !is_stranger(history, history.facts[j])
}

/// C13: what moment `k` changes of lines by what is in containers. What is in containers at a place is part
/// of what there is, so as many come or go as are more or fewer in them after it; but what was put in at this
/// moment lay loose where that happened, and what was taken out does now.
fn changed(history: &History, k: usize) -> BTreeMap<LotKey, Flow> {
    let mut flows: BTreeMap<LotKey, Flow> = BTreeMap::new();
    for how in [Kept::InStock, Kept::Apart] {
        let mut more = in_containers(history, k, how);
        if k > 0 {
            for (line, quantity) in in_containers(history, k - 1, how) {
                *more.entry(line).or_default() -= quantity;
            }
        }
        for (line, quantity) in more.into_iter().filter(|(_, quantity)| *quantity != 0) {
            let flow = flows.entry(line).or_default();
            match how {
                Kept::InStock => flow.by += quantity,
                Kept::Apart => flow.in_container = true,
            }
        }
    }
    let location = history.facts[k].event.location;
    let here = |(gtin, lot): (String, Option<String>)| LotKey {
        gtin,
        lot,
        location,
    };
    for (goods, quantity) in put_in(history, k) {
        flows.entry(here(goods)).or_default().by -= quantity;
    }
    for goods in passed_through(history, k) {
        flows.entry(here(goods)).or_default().in_container = true;
    }
    flows.retain(|_, flow| flow.by != 0 || flow.in_container);
    flows
}

/// What moment `k` put into a container, or took out of it, which counts below zero.
fn put_in(history: &History, k: usize) -> BTreeMap<(String, Option<String>), i64> {
    let mut put: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    let Some(container) = history.container(k) else {
        return put;
    };
    let who = history.facts[k].enterprise;
    let all = |k: usize| {
        let mut all = held(history, k, &container);
        for (goods, quantity) in own_of(history, k, &container, who).goods {
            *all.entry(goods).or_default() += quantity;
        }
        all
    };
    for (goods, quantity) in all(k + 1) {
        *put.entry(goods).or_default() += quantity;
    }
    for (goods, quantity) in all(k) {
        *put.entry(goods).or_default() -= quantity;
    }
    put.retain(|_, quantity| *quantity != 0);
    put
}

/// Goods in containers that went at moment `k` from where nobody had said that they were.
fn passed_through(history: &History, k: usize) -> Vec<(String, Option<String>)> {
    let event = &*history.facts[k].event;
    if direction(event.kind) != Some(-1) {
        return Vec::new();
    }
    let who = history.facts[k].enterprise;
    let before = &history.moments[k].before;
    let after = after(history, k);
    let is_here = |state: Option<&UnitState>| {
        let kept = state.and_then(kept_at);
        kept.is_some_and(|(location, _)| location == event.location)
    };
    let mut goods = Vec::new();
    for touch in &history.moments[k].touches {
        if !touch.row.is_some_and(took) || is_here(after.get(&touch.unit)) {
            continue;
        }
        if !is_here(before.get(&touch.unit)) {
            goods.extend(held(history, k, &touch.unit).into_keys());
        }
        // What it packed while nobody listened goes with it.
        let own = own_of(history, k, &touch.unit, who);
        if own.stands != Some(event.location) {
            goods.extend(own.goods.into_keys());
        }
    }
    goods
}

/// What was packed loose into a container and not taken out before moment `k`.
fn held(
    history: &History,
    k: usize,
    container: &UnitKey,
) -> BTreeMap<(String, Option<String>), i64> {
    let mut held: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
    for (j, moment) in history.moments.iter().enumerate().take(k) {
        if is_heard(history, j, container) {
            let who = history.facts[j].enterprise;
            for (line, quantity) in own_of(history, j, container, who).goods {
                *held.entry(line).or_default() += quantity;
            }
        }
        let handled = moment.touches.iter().any(|touch| {
            touch.unit == *container && touch.chain.is_empty() && touch.row.is_some_and(took)
        });
        if handled && history.container(j).as_ref() == Some(container) {
            handle(&mut held, &history.facts[j].event);
        }
    }
    held.retain(|_, quantity| *quantity > 0);
    held
}

/// A pack puts goods in, an unpack takes them out: those it names, or all if it names nothing.
fn handle(held: &mut BTreeMap<(String, Option<String>), i64>, event: &Event) {
    if event.kind == Kind::Unpack && event.units.is_empty() && event.lots.is_empty() {
        held.clear();
    }
    for lot in &event.lots {
        let key = (lot.gtin.clone(), lot.lot.clone());
        let quantity = lot.qty as i64;
        match event.kind {
            Kind::Pack => *held.entry(key).or_default() += quantity,
            _ => {
                if let Some(there) = held.get_mut(&key) {
                    *there = (*there - quantity).max(0);
                }
            }
        }
    }
}

/// What there is of a line.
#[derive(Clone, Copy, Default)]
struct Stand {
    /// In stock: the balance.
    stock: Balance,
    /// Fetched back, loose.
    apart: i64,
}

impl Stand {
    /// All that a count should see.
    const fn all(self) -> i64 {
        self.stock + self.apart
    }
}

/// balance = Σ(commission + in + returned) − Σ(out + sold + collected + destroyed) ± accepted
/// count differences; but what was collected is not in the balance when it is shipped or destroyed then.
/// A count that saw none of what nobody says is there accepts nothing.
fn stand(moves: &[(usize, Move)]) -> Stand {
    let mut stand = Stand::default();
    for (_, happened) in moves {
        match happened {
            Move::Flow(flow) => {
                stand.stock += flow.by - flow.fetched;
                stand.apart += flow.fetched;
                let rest = (flow.away - stand.apart).max(0);
                stand.apart = (stand.apart - flow.away).max(0);
                stand.stock -= rest;
            }
            Move::Seen(0, _, true) if stand.all() == 0 => {}
            Move::Seen(loose, inside, true) => {
                let seen = loose + inside;
                stand.apart = stand.apart.min(seen);
                stand.stock = seen - stand.apart;
            }
            Move::Seen(_, _, false) => {}
        }
    }
    stand
}

fn follow(history: &History, line: &LotKey, moves: &[(usize, Move)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The balance after each, every one summed up from the beginning.
    let stands: Vec<Stand> = (0..=moves.len()).map(|n| stand(&moves[..n])).collect();
    let after: Vec<Balance> = stands[1..].iter().map(|stand| stand.stock).collect();
    for (n, (k, happened)) in moves.iter().enumerate() {
        let before = stands[n].stock;
        if let Move::Seen(loose, inside, false) = happened {
            let told = difference(history, line, *k, stands[n].all(), (*loose, *inside));
            findings.extend(
                told.filter(|told| !is_told_again(history, line, (moves, &stands), n, told)),
            );
        }
        if after[n] < 0 && before >= 0 {
            let healed = (n..moves.len()).find(|&m| after[m] >= 0);
            let negative = &after[n..healed.unwrap_or(moves.len())];
            let lowest = negative.iter().copied().min().unwrap_or_default();
            let deepest = (n..moves.len()).find(|&m| after[m] == lowest);
            let instant = |m: usize| history.facts[moves[m].0].order.eff;
            let detail = Detail::Balance {
                from: instant(n),
                until: healed.map(instant),
                lowest,
            };
            let mut finding = about(history, line, *k, FindingCode::NegBalance, detail);
            let deepest = deepest.map(|m| history.facts[moves[m].0].event.id);
            finding.witnesses.extend(deepest);
            findings.push(finding);
        }
    }
    findings
}

/// Did the count just before it, nothing having come or gone in between, tell the same?
fn is_told_again(
    history: &History,
    line: &LotKey,
    (moves, stands): (&[(usize, Move)], &[Stand]),
    n: usize,
    told: &Finding,
) -> bool {
    let mut back = (0..n).rev();
    let says_nothing = |m: usize| match moves[m].1 {
        Move::Flow(flow) => (flow.by, flow.away, flow.fetched) == (0, 0, 0),
        Move::Seen(loose, _, _) => loose == 0 && stands[m].all() == 0,
    };
    let last = back.find(|m| !says_nothing(*m));
    let Some((m, (k, Move::Seen(loose, inside, false)))) = last.map(|m| (m, moves[m])) else {
        return false;
    };
    let before = stands[m].all();
    let then = difference(history, line, k, before, (loose, inside));
    then.is_some_and(|then| (then.code, &then.detail) == (told.code, &told.detail))
}

/// What went, and should not have.
fn judged(history: &History, line: &LotKey, moves: &[(usize, Move)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (k, happened) in moves {
        // What left a place by what happened elsewhere did not go from there.
        let here = history.facts[*k].event.location == line.location;
        let went =
            |flow: &Flow| flow.by < 0 || flow.away > 0 || flow.fetched > 0 || flow.in_container;
        if matches!(happened, Move::Flow(flow) if here && went(flow)) {
            for (code, detail) in lots_judged::wrong(history, line, *k) {
                findings.push(about(history, line, *k, code, detail));
            }
        }
    }
    findings
}

/// A count that nobody accepted says so, and changes nothing.
fn difference(
    history: &History,
    line: &LotKey,
    k: usize,
    before: Balance,
    (loose, inside): (Balance, Balance),
) -> Option<Finding> {
    let there = loose + inside;
    let code = match there.cmp(&before) {
        std::cmp::Ordering::Less => FindingCode::MissingAtCount,
        std::cmp::Ordering::Greater if loose > 0 => FindingCode::SurplusAtCount,
        std::cmp::Ordering::Greater | std::cmp::Ordering::Equal => return None,
    };
    let detail = Detail::Count {
        expected: before,
        there,
    };
    Some(about(history, line, k, code, detail))
}

fn about(history: &History, line: &LotKey, k: usize, code: FindingCode, detail: Detail) -> Finding {
    let event = history.facts[k].event.id;
    let device = history.facts[k].event.device;
    Finding {
        code,
        subject: Subject::Lot(line.clone()),
        event,
        device,
        batch: None,
        witnesses: vec![event],
        detail,
    }
}
