//! Fold and oracle side by side (I15), for tests: what fails is made short and told in few words.

// Each test target uses some of it and not the rest.
#![allow(dead_code, unused_imports)]

use suyuan_sync::{
    event::UnitRead,
    facts::{Fact, World},
    oracle::{self, Verdict},
};

pub use suyuan_sync::invariants::complete::{Said, differences, in_order};

/// Asks the fold, in whatever order the facts are given.
pub fn folded(world: &World, facts: &[Fact]) -> Said {
    said(world, &in_order(facts))
}

/// Asks the fold of facts as they come, and holds what it says of lots against itself (I17).
pub fn said(world: &World, facts: &[&Fact]) -> Said {
    let said = suyuan_sync::invariants::complete::said(world, facts);
    said.sums.as_ref().expect("the sums of lots");
    said
}

/// Judges, and fails where the two differ.
pub fn agreed(world: &World, facts: &[Fact]) -> Verdict {
    let differences = differences(world, facts);
    assert!(
        differences.is_empty(),
        "fold and oracle differ\n{}\nof\n{}",
        differences.join("\n"),
        history(facts)
    );
    oracle::judge(world, facts)
}

/// A history in which they differ, made as short as leaving out facts can make it.
pub fn smallest(world: &World, facts: &[Fact]) -> Vec<Fact> {
    let mut facts = facts.to_vec();
    loop {
        let before = facts.len();
        for n in (0..facts.len()).rev() {
            let mut fewer = facts.clone();
            fewer.remove(n);
            if !differences(world, &fewer).is_empty() {
                facts = fewer;
            }
        }
        if facts.len() == before {
            return facts;
        }
    }
}

/// A history in few words.
pub fn history(facts: &[Fact]) -> String {
    let lines: Vec<String> = in_order(facts).into_iter().map(in_words).collect();
    lines.join("\n")
}

fn in_words(fact: &Fact) -> String {
    let event = &*fact.event;
    let keys = |reads: &[UnitRead]| -> Vec<String> {
        let units = reads.iter().filter_map(|read| read.unit.as_ref());
        units.map(ToString::to_string).collect()
    };
    let mut words = vec![
        format!("{} @{} gseq {}", event.id, fact.order.eff, fact.gseq),
        format!("{} {:?}", event.kind.name(), keys(&event.units)),
        format!("at {} by {}", event.location, fact.enterprise),
        format!("({}", event.actor.id),
        (if event.actor.supervisor {
            "supervisor)"
        } else {
            ")"
        })
        .to_owned(),
    ];
    let container = event.parent.as_slice();
    words.extend(keys(container).iter().map(|key| format!("container {key}")));
    words.extend(
        event
            .counterpart
            .iter()
            .map(|with| format!("with {with:?}")),
    );
    words.extend(event.target.iter().map(|target| format!("target {target}")));
    words.extend(event.disposition.iter().map(|said| format!("{said:?}")));
    words.extend(event.doc.iter().map(|doc| format!("doc {}", doc.no)));
    words.extend(event.lots.iter().map(|lot| format!("{lot:?}")));
    words.extend(event.group.iter().map(|group| format!("{group:?}")));
    if !event.body.is_empty() {
        words.push(format!("{:?}", event.body));
    }
    words.join(" ")
}
