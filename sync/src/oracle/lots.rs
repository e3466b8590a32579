//! C11 for goods without codes of their own: the balance of each lot line at each place, and where
//! it was negative. Nothing is ever rewritten to fit. What containers carry is told by `lots_carried`,
//! what is wrong with goods having gone at all by `lots_judged`.

use super::{
    batches, holders,
    lots_carried::{Flow, Kept, changed, in_containers},
    lots_judged, questions,
    replay::History,
    struck::Fate,
};
use crate::{
    event::{Disposition, Event, Kind},
    facts::Fact,
    finding::{Detail, Finding, FindingCode, LotKey, Subject},
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

/// The balance of each line, and what is wrong with it.
pub fn balances(history: &History) -> (BTreeMap<LotKey, Balance>, Vec<Finding>) {
    let mut balances = BTreeMap::new();
    let mut findings = strangers(history);
    findings.extend(kept_back(history));
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
                if direction(fact.event.kind).is_some() || is_inspected(&fact.event) {
                    lines.extend(named(&fact.event).into_keys());
                }
                // What was only put into a container that stands where it lay was not moved.
                let mut moved = changed(history, k);
                moved.retain(|_, flow| flow.by != 0 || flow.fetched > 0 || flow.in_container);
                lines.extend(moved.into_keys());
            }
        }
    }
    lines
}

/// +1 for what comes, -1 for what goes.
pub const fn direction(kind: Kind) -> Option<i64> {
    match kind {
        Kind::Commission | Kind::Inbound | Kind::Return => Some(1),
        Kind::Outbound | Kind::Sale | Kind::Collect | Kind::Destroy => Some(-1),
        Kind::Pack | Kind::Unpack | Kind::Inspect | Kind::Count | Kind::Retract => None,
    }
}

/// C6: was it found sellable?
pub fn is_inspected(event: &Event) -> bool {
    event.kind == Kind::Inspect && event.disposition == Some(Disposition::Sellable)
}

/// C6: are goods of this line found sellable while a recall of their batch is in force?
fn is_kept_back(history: &History, k: usize, line: &LotKey) -> bool {
    let fact = history.facts[k];
    is_inspected(&fact.event) && lots_judged::is_under_recall(history, line, fact)
}

/// C6: recalled goods that were found sellable stay where they are.
fn kept_back(history: &History) -> Vec<Finding> {
    let mut found = Vec::new();
    for (k, fact) in history.facts.iter().enumerate() {
        if history.fates[k] != Fate::Counts || is_stranger(history, fact) {
            continue;
        }
        for (line, quantity) in named(&fact.event) {
            if quantity > 0 && is_kept_back(history, k, &line) {
                let code = FindingCode::ReleaseRecalled;
                found.push(about(history, &line, k, code, Detail::Nothing));
            }
        }
    }
    found
}

/// Is the place on record as somebody else's (section 5)?
pub fn is_stranger(history: &History, fact: &Fact) -> bool {
    holders::is_elsewhere(history.world, fact)
}

/// C14: what somebody states of goods at another's place changes nothing.
fn strangers(history: &History) -> Vec<Finding> {
    let mut found = Vec::new();
    for (k, fact) in history.facts.iter().enumerate() {
        let moves = direction(fact.event.kind).is_some()
            || fact.event.kind == Kind::Count
            || is_inspected(&fact.event);
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
        let freed = is_inspected(&fact.event) && !is_kept_back(history, k, line);
        let moves_goods = freed || direction(fact.event.kind).is_some();
        let own = own.filter(|_| !is_stranger(history, fact) && moves_goods);
        let carried = changed(history, k).get(line).copied();
        if own.is_some() || carried.is_some() {
            let mut flow = carried.unwrap_or_default();
            let own = own.unwrap_or(0);
            match fact.event.kind {
                Kind::Collect => flow.fetched += own,
                Kind::Inspect => flow.freed += own,
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
/// count differences; but what was collected is not in the balance when it is shipped or destroyed then, and
/// what of it is found sellable is in the balance again (C6).
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
                let freed = flow.freed.min(stand.apart);
                stand.apart -= freed;
                stand.stock += freed;
            }
            Move::Seen(0, _, true) if (stand.stock, stand.apart) == (0, 0) => {}
            Move::Seen(loose, inside, true) => {
                let seen = loose + inside;
                stand.apart = stand.apart.min(*loose);
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
        Move::Seen(0, _, true) => (stands[m].stock, stands[m].apart) == (0, 0),
        Move::Seen(loose, _, false) => loose == 0 && stands[m].all() == 0,
        Move::Seen(_, _, true) => false,
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
