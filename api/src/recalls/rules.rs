//! What a recall says and covers: what is mandatory, how a long scope is cut, what stands in the
//! log, and how a fold reads it back. Pure.

use super::wire::{DESTINATIONS_MAX, INSTRUCTIONS_MAX, REASON_MAX, RESPONSIBLE_MAX, RecallIn};
use crate::{
    clock::Micros,
    codes::{
        ranges::{Range, merged},
        targets::{Minted, Targets, told, untold},
    },
    free_text::{self, Lines},
    problem::FieldProblem,
};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use suyuan_sync::{
    facts::{RecallScope, RecallSpan, StatedAt, Statement},
    ids::{BatchId, LocationId, RecallId},
    unit::UnitKey,
};
use uuid::Uuid;

/// A phone's or a desk's clock may run ahead this much.
const AHEAD_MAX: Micros = 5 * 60 * 1_000_000;

/// Chunks of 65 536 indices that one entry of the log brings in: more would hold its head too long.
pub const SLICE_CHUNKS: usize = 128;
const INDEX_BITS: u32 = 16;

/// Checks what a recall says, the four items of MB-8.3.2-e2 among it; returns when it was decided.
pub fn check_order(order: &RecallIn, now: Micros) -> Result<Micros, Vec<FieldProblem>> {
    let texts = [
        ("reason", &order.reason, REASON_MAX),
        ("instructions", &order.instructions, INSTRUCTIONS_MAX),
        ("responsible", &order.responsible, RESPONSIBLE_MAX),
    ];
    let checked = texts
        .into_iter()
        .filter_map(|(field, text, max)| check_text(field, text, max).err());
    let mut faults: Vec<FieldProblem> = checked.collect();
    let mut fault = |field: &str, code: &str, en: &str, zh: &str| {
        faults.push(FieldProblem {
            field: field.into(),
            code: code.into(),
            message: en.into(),
            message_zh: zh.into(),
        });
    };
    if order.batch_ids.is_empty() && order.ranges.is_empty() && order.codes.is_empty() {
        fault(
            "batch_ids",
            "length",
            "a recall covers something: give batches, ranges or codes",
            "召回须有范围：请提供批次、区间或追溯码",
        );
    }
    if order.destinations.len() > DESTINATIONS_MAX {
        fault(
            "destinations",
            "too-many",
            "at most 100 places",
            "最多 100 个地点",
        );
    }
    let initiated: Option<jiff::Timestamp> = order.initiated_at.parse().ok();
    let initiated = initiated
        .map(jiff::Timestamp::as_microsecond)
        .filter(|at| *at <= now.saturating_add(AHEAD_MAX));
    if initiated.is_none() {
        fault(
            "initiated_at",
            "bad-time",
            "a time as RFC 3339, not in the future",
            "时间格式为 RFC 3339，且不晚于现在",
        );
    }
    match initiated {
        Some(at) if faults.is_empty() => Ok(at),
        _ => Err(faults),
    }
}

/// Checks a text of a recall: 1 to `max` characters that show.
pub fn check_text(field: &str, text: &str, max: usize) -> Result<(), FieldProblem> {
    free_text::check(field, text, max, Lines::Any)
}

/// Indices per code space and chunk.
pub type Chunks = BTreeMap<(String, u32), RoaringBitmap>;

/// What a recall covers, as one entry of the log brings it in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// Whole batches.
    pub batches: BTreeSet<Uuid>,
    /// Units we minted.
    pub chunks: Chunks,
    /// Others.
    pub others: BTreeSet<UnitKey>,
}

impl Scope {
    /// What a request names.
    pub fn of(batches: &[Uuid], targets: Targets) -> Scope {
        Scope {
            batches: batches.iter().copied().collect(),
            chunks: chunks(&targets.minted),
            others: targets.others,
        }
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty() && self.chunks.is_empty() && self.others.is_empty()
    }

    /// Single units in it.
    pub fn names_units(&self) -> bool {
        !self.chunks.is_empty() || !self.others.is_empty()
    }

    /// Keeps what one entry may bring in; returns the rest.
    pub fn cut(&mut self) -> Chunks {
        match self.chunks.keys().nth(SLICE_CHUNKS).cloned() {
            Some(first_of_rest) => self.chunks.split_off(&first_of_rest),
            None => Chunks::new(),
        }
    }
}

/// Ranges as bitmaps; a full one is a handful of bytes.
pub fn chunks(minted: &Minted) -> Chunks {
    let mut chunks = Chunks::new();
    for (space, ranges) in minted {
        for range in ranges {
            for number in (range.lo >> INDEX_BITS)..=(range.hi >> INDEX_BITS) {
                let start = number << INDEX_BITS;
                let from = range.lo.max(start) - start;
                let to = range.hi.min(start + 0xffff) - start;
                let bits = chunks.entry((space.clone(), number as u32)).or_default();
                bits.insert_range(from as u32..=to as u32);
            }
        }
    }
    chunks
}

/// Bitmaps as ranges.
pub fn ranges(chunks: &Chunks) -> Minted {
    let mut minted = Minted::new();
    for ((space, chunk), bits) in chunks {
        let start = u64::from(*chunk) << INDEX_BITS;
        let ranges = minted.entry(space.clone()).or_default();
        let mut runs = bits.iter();
        while let Some(run) = runs.next_range() {
            let (lo, hi) = (
                start | u64::from(*run.start()),
                start | u64::from(*run.end()),
            );
            ranges.push(Range { lo, hi });
        }
    }
    minted
        .into_iter()
        .map(|(space, ranges)| (space, merged(ranges)))
        .collect()
}

/// A scope as entries of the log hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeBody {
    /// Whole batches.
    pub batches: BTreeSet<Uuid>,
    /// Indices by code space: `{"01/09521234000013": "0-99,200-200"}`.
    pub units: BTreeMap<String, String>,
    /// Keys of units whose codes were minted elsewhere.
    pub codes: BTreeSet<UnitKey>,
}

impl From<&Scope> for ScopeBody {
    fn from(scope: &Scope) -> ScopeBody {
        let told = |(space, ranges): (String, Vec<Range>)| (space, told(&ranges));
        ScopeBody {
            batches: scope.batches.clone(),
            units: ranges(&scope.chunks).into_iter().map(told).collect(),
            codes: scope.others.clone(),
        }
    }
}

/// The entry `recall_opened`. Who is responsible stands elsewhere, since it may be a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedBody {
    /// Which.
    pub recall: Uuid,
    /// What it covers.
    pub scope: ScopeBody,
    /// Where recalled goods are to go.
    pub destinations: BTreeSet<Uuid>,
    /// When it was decided, microseconds.
    pub initiated_at: Micros,
    /// Why.
    pub reason: String,
    /// What to do.
    pub instructions: String,
}

/// The entry `recall_widened`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WidenedBody {
    /// Which.
    pub recall: Uuid,
    /// What it covers besides.
    pub scope: ScopeBody,
}

/// The entry `recall_closed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedBody {
    /// Which.
    pub recall: Uuid,
    /// It should never have been opened.
    pub mistaken: bool,
    /// Why it could end.
    pub note: String,
}

/// The statement an entry of the log makes; `None` when it makes none about recalls. `name` gives
/// the key of a unit we minted; a fold that asks only for some units names only these.
pub fn statement(
    kind: &str,
    body: &str,
    name: &impl Fn(&str, u64) -> Option<UnitKey>,
) -> Option<Statement> {
    match kind {
        "recall_opened" => {
            let body: OpenedBody = serde_json::from_str(body).ok()?;
            Some(Statement::RecallOpened {
                recall: RecallId(body.recall),
                scope: stated(&body.scope, name)?,
                destinations: body.destinations.into_iter().map(LocationId).collect(),
            })
        }
        "recall_widened" => {
            let body: WidenedBody = serde_json::from_str(body).ok()?;
            Some(Statement::RecallWidened {
                recall: RecallId(body.recall),
                scope: stated(&body.scope, name)?,
            })
        }
        "recall_closed" => {
            let body: ClosedBody = serde_json::from_str(body).ok()?;
            Some(Statement::RecallClosed {
                recall: RecallId(body.recall),
                mistaken: body.mistaken,
            })
        }
        _ => None,
    }
}

fn stated(body: &ScopeBody, name: &impl Fn(&str, u64) -> Option<UnitKey>) -> Option<RecallScope> {
    let mut units = body.codes.clone();
    for (space, ranges) in &body.units {
        for range in untold(ranges)? {
            units.extend((range.lo..=range.hi).filter_map(|index| name(space, index)));
        }
    }
    Some(RecallScope {
        batches: body.batches.iter().copied().map(BatchId).collect(),
        units,
    })
}

/// Recalls over time, as statements in the order of the log make them: what a fold reads.
pub fn spans(statements: impl IntoIterator<Item = (StatedAt, Statement)>) -> Vec<RecallSpan> {
    let mut spans: Vec<RecallSpan> = Vec::new();
    for (at, statement) in statements {
        match statement {
            Statement::RecallOpened {
                recall,
                scope,
                destinations,
            } => spans.push(RecallSpan {
                recall,
                from: at,
                closed: None,
                mistaken: false,
                scope,
                destinations,
            }),
            Statement::RecallWidened { recall, scope } => {
                let opened = spans.iter().find(|span| span.recall == recall);
                let Some(destinations) = opened.map(|span| span.destinations.clone()) else {
                    continue;
                };
                spans.push(RecallSpan {
                    recall,
                    from: at,
                    closed: None,
                    mistaken: false,
                    scope,
                    destinations,
                });
            }
            Statement::RecallClosed { recall, mistaken } => {
                for span in spans.iter_mut().filter(|span| span.recall == recall) {
                    span.closed = Some(at);
                    span.mistaken = mistaken;
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::ranges::runs;
    use proptest::prelude::*;

    fn order() -> RecallIn {
        RecallIn {
            batch_ids: vec![Uuid::nil()],
            ranges: Vec::new(),
            codes: Vec::new(),
            reason: "封口不严".into(),
            instructions: "退回门店".into(),
            initiated_at: "2026-11-21T16:00:00Z".into(),
            responsible: "质量部经理".into(),
            destinations: Vec::new(),
        }
    }

    const NOW: Micros = 1_800_000_000_000_000;

    type Spoil = fn(&mut RecallIn);

    #[test]
    fn mb_8_3_2_e2_a_recall_without_one_of_the_four_is_refused() {
        assert_eq!(check_order(&order(), NOW).unwrap(), 1_795_276_800_000_000);
        let spoilt: [(&str, Spoil); 7] = [
            ("initiated_at", |order| order.initiated_at.clear()),
            ("initiated_at", |order| {
                order.initiated_at = "2026-11-21".into();
            }),
            ("initiated_at", |order| {
                order.initiated_at = "2027-01-15T08:05:01Z".into();
            }),
            ("reason", |order| order.reason = " ".into()),
            ("batch_ids", |order| order.batch_ids.clear()),
            ("responsible", |order| order.responsible.clear()),
            ("responsible", |order| order.responsible = "长".repeat(101)),
        ];
        for (field, spoil) in spoilt {
            let mut order = order();
            spoil(&mut order);
            let faults = check_order(&order, NOW).unwrap_err();
            let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
            assert_eq!(fields, [field]);
        }
    }

    #[test]
    fn a_long_scope_is_cut_and_nothing_is_lost() {
        let range = Range::new(70_000, 70_000 + 300 * 65_536).unwrap();
        let targets = Targets {
            minted: Minted::from([("01/x".to_owned(), vec![range])]),
            ..Targets::default()
        };
        let mut scope = Scope::of(&[], targets);
        let all = scope.chunks.clone();
        let rest = scope.cut();
        assert_eq!(scope.chunks.len(), SLICE_CHUNKS);
        assert_eq!(all.len(), scope.chunks.len() + rest.len());
        scope.chunks.extend(rest);
        assert_eq!(scope.chunks, all);
        assert_eq!(
            ranges(&all),
            Minted::from([("01/x".to_owned(), vec![range])])
        );
    }

    proptest! {
        #[test]
        fn a_scope_is_read_back_from_the_log_as_it_was(
            indices in prop::collection::btree_set(0u64..300_000, 0..200),
            batches in prop::collection::btree_set(any::<u128>(), 0..3),
        ) {
            let list: Vec<u64> = indices.iter().copied().collect();
            let batches: Vec<Uuid> = batches.into_iter().map(Uuid::from_u128).collect();
            let other = UnitKey::kept("/01/04012345678901/21/a");
            let scope = Scope::of(&batches, Targets {
                minted: Minted::from([("01/x".to_owned(), runs(&list))]),
                others: BTreeSet::from([other.clone()]),
            });
            let body = WidenedBody { recall: Uuid::nil(), scope: ScopeBody::from(&scope) };
            let text = serde_json::to_string(&body).unwrap();
            let named = |space: &str, index: u64| Some(UnitKey::kept(&format!("{space}#{index}")));
            let read = statement("recall_widened", &text, &named);
            let mut units: BTreeSet<UnitKey> =
                indices.iter().filter_map(|index| named("01/x", *index)).collect();
            units.insert(other);
            let expected = Statement::RecallWidened {
                recall: RecallId(Uuid::nil()),
                scope: RecallScope {
                    batches: batches.into_iter().map(BatchId).collect(),
                    units,
                },
            };
            prop_assert_eq!(read, Some(expected));
        }
    }

    #[test]
    fn a_closing_ends_all_spans_of_its_recall_and_of_no_other() {
        let at = |n: i64| StatedAt {
            at: n * 10,
            gseq: n,
        };
        let (one, two) = (RecallId(Uuid::from_u128(1)), RecallId(Uuid::from_u128(2)));
        let opened = |recall| Statement::RecallOpened {
            recall,
            scope: RecallScope::default(),
            destinations: BTreeSet::new(),
        };
        let widened = Statement::RecallWidened {
            recall: one,
            scope: RecallScope::default(),
        };
        let closed = Statement::RecallClosed {
            recall: one,
            mistaken: true,
        };
        let spans = spans([
            (at(1), opened(one)),
            (at(2), opened(two)),
            (at(3), widened),
            (at(4), closed),
        ]);
        let told: Vec<_> = spans
            .iter()
            .map(|span| (span.recall, span.from.gseq, span.closed, span.mistaken))
            .collect();
        assert_eq!(
            told,
            [
                (one, 1, Some(at(4)), true),
                (two, 2, None, false),
                (one, 3, Some(at(4)), true)
            ]
        );
    }
}
