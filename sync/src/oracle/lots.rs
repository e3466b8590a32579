//! C11 for goods without codes of their own: the balance of each lot line at each place, and where
//! it was negative. Nothing is ever rewritten to fit. What is wrong with goods having gone at all is told
//! by `lots_judged`.

use super::{
    batches, holders, lots_judged, questions,
    replay::{History, took},
    struck::Fate,
};
use crate::{
    event::{Event, Kind},
    facts::Fact,
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
    fold::{Phase, Place},
    ids::{EnterpriseId, LocationId},
    unit::UnitKey,
};
use std::collections::{BTreeMap, BTreeSet};

/// A balance in base units.
pub type Balance = i64;

/// What a fact does to a line.
#[derive(Clone, Copy)]
enum Move {
    /// So many more, or fewer.
    By(i64),
    /// So many were seen lying loose, so many were in containers, and whether a supervisor accepted
    /// that.
    Seen(i64, i64, bool),
}

/// The balance of each line, and what is wrong with it.
pub fn balances(history: &History) -> (BTreeMap<LotKey, Balance>, Vec<Finding>) {
    let mut balances = BTreeMap::new();
    let mut findings = strangers(history);
    for line in lines(history) {
        let moves = moves(history, &line);
        balances.insert(line.clone(), sum(&moves));
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
        lines.extend(in_containers(history, k).into_keys());
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
                lines.extend(carried(history, k).into_keys());
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
        let own = own.filter(|_| !is_stranger(history, fact));
        if let Some(direction) = direction(fact.event.kind) {
            let carried = carried(history, k).get(line).copied();
            if own.is_some() || carried.is_some() {
                let quantity = own.unwrap_or(0) + carried.unwrap_or(0);
                moves.push((k, Move::By(direction * quantity)));
            }
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
    let inside = in_containers(history, k).get(line).copied();
    let accepted = accepted && last.event.actor.supervisor;
    Some(Move::Seen(seen?, inside.unwrap_or(0), accepted))
}

/// What is in a container is answered for by the container, where it stands after moment `k`: of
/// goods of a lot, how many are in containers, by line.
fn in_containers(history: &History, k: usize) -> BTreeMap<LotKey, i64> {
    let after = match history.moments.get(k + 1) {
        Some(next) => &next.before,
        None => &history.after,
    };
    let mut inside = BTreeMap::new();
    for (unit, state) in after {
        let there = matches!(
            state.phase,
            Phase::Commissioned | Phase::InStock | Phase::Returned
        );
        let Place::At(location) = state.place else {
            continue;
        };
        if !there || !(0..=k).any(|j| history.container(j).as_ref() == Some(unit)) {
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

/// C13: what lies loose in a container that an event moved, by line at the place of the event.
fn carried(history: &History, k: usize) -> BTreeMap<LotKey, i64> {
    let event = &*history.facts[k].event;
    let mut carried = BTreeMap::new();
    if direction(event.kind).is_none() {
        return carried;
    }
    let who = history.facts[k].enterprise;
    for touch in &history.moments[k].touches {
        let goods = if touch.row.is_some_and(took) && is_back(history, k, &touch.unit) {
            BTreeMap::new()
        } else if touch.row.is_some_and(took) {
            let mut goods = held(history, k, &touch.unit);
            // What it packed while nobody listened is in it too.
            for (line, quantity) in own_of(history, k, &touch.unit, who).goods {
                *goods.entry(line).or_default() += quantity;
            }
            goods
        } else if touch.chain.is_empty() && is_own_word(history, k, &touch.unit) {
            let own = own_of(history, k, &touch.unit, who);
            let again = match direction(event.kind) {
                Some(1) => own.stands == Some(event.location),
                _ => own.stands.is_none(),
            };
            if again { BTreeMap::new() } else { own.goods }
        } else {
            BTreeMap::new()
        };
        if !goods.is_empty() {
            for ((gtin, lot), quantity) in goods {
                let key = LotKey {
                    gtin,
                    lot,
                    location: event.location,
                };
                *carried.entry(key).or_default() += quantity;
            }
        }
    }
    carried.retain(|_, quantity| *quantity > 0);
    carried
}

/// C5: was this container brought back already, when moment `k` brings it back? Whatever went after that
/// (shipped, sold, collected, destroyed) can come back once more.
fn is_back(history: &History, k: usize, container: &crate::unit::UnitKey) -> bool {
    if history.facts[k].event.kind != Kind::Return {
        return false;
    }
    let last = (0..k).rev().find_map(|j| {
        let kind = history.facts[j].event.kind;
        let concerns = kind == Kind::Return || direction(kind) == Some(-1);
        let touched = history.moments[j]
            .touches
            .iter()
            .any(|touch| touch.unit == *container && touch.row.is_some_and(took));
        (concerns && touched).then_some(kind)
    });
    last == Some(Kind::Return)
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

/// balance = Σ(commission + in + returned) − Σ(out + sold + collected + destroyed) ± accepted
/// count differences. A count that saw none of what nobody says is there accepts nothing.
fn sum(moves: &[(usize, Move)]) -> Balance {
    let mut balance = 0;
    for (_, happened) in moves {
        match happened {
            Move::By(quantity) => balance += quantity,
            Move::Seen(0, _, true) if balance == 0 => {}
            Move::Seen(loose, inside, true) => balance = loose + inside,
            Move::Seen(_, _, false) => {}
        }
    }
    balance
}

fn follow(history: &History, line: &LotKey, moves: &[(usize, Move)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The balance after each, every one summed up from the beginning.
    let after: Vec<Balance> = (1..=moves.len()).map(|n| sum(&moves[..n])).collect();
    for (n, (k, happened)) in moves.iter().enumerate() {
        let before = if n == 0 { 0 } else { after[n - 1] };
        if let Move::Seen(loose, inside, false) = happened {
            let told = difference(history, line, *k, before, (*loose, *inside));
            findings.extend(
                told.filter(|told| !is_told_again(history, line, (moves, &after), n, told)),
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
    (moves, after): (&[(usize, Move)], &[Balance]),
    n: usize,
    told: &Finding,
) -> bool {
    let mut back = (0..n).rev();
    let balance = |m: usize| if m == 0 { 0 } else { after[m - 1] };
    let says_nothing = |m: usize| match moves[m].1 {
        Move::By(quantity) => quantity == 0,
        Move::Seen(loose, _, _) => loose == 0 && balance(m) == 0,
    };
    let last = back.find(|m| !says_nothing(*m));
    let Some((m, (k, Move::Seen(loose, inside, false)))) = last.map(|m| (m, moves[m])) else {
        return false;
    };
    let before = balance(m);
    let then = difference(history, line, k, before, (loose, inside));
    then.is_some_and(|then| (then.code, &then.detail) == (told.code, &told.detail))
}

/// What went, and should not have.
fn judged(history: &History, line: &LotKey, moves: &[(usize, Move)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (k, happened) in moves {
        if matches!(happened, Move::By(quantity) if *quantity < 0) {
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
