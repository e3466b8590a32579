//! Batches on record, found by id and by lot: goods without codes of their own, and codes that carry a
//! lot, name a batch by what is printed on them. It must not know what a batch is judged by.

use super::BatchInfo;
use crate::ids::BatchId;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

/// Batches by id, and by lot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    by_id: BTreeMap<BatchId, BatchInfo>,
    by_lot: BTreeMap<String, BTreeSet<BatchId>>,
}

impl Batches {
    /// Puts a batch on record, or tells of one what is on record now.
    pub fn insert(&mut self, id: BatchId, info: BatchInfo) {
        let lot = info.lot.clone();
        let before = self.by_id.insert(id, info);
        if let Some(before) = before.filter(|before| before.lot != lot)
            && let Some(alike) = self.by_lot.get_mut(&before.lot)
        {
            alike.remove(&id);
        }
        self.by_lot.entry(lot).or_default().insert(id);
    }

    /// Takes a batch off the record, as it was before it was put there.
    pub fn remove(&mut self, id: BatchId) {
        let before = self.by_id.remove(&id);
        if let Some(alike) = before.and_then(|before| self.by_lot.get_mut(&before.lot)) {
            alike.remove(&id);
        }
    }

    /// The batches of a lot, of whatever product, by their ids.
    pub fn with_lot(&self, lot: &str) -> impl Iterator<Item = (BatchId, &BatchInfo)> {
        let ids = self.by_lot.get(lot).into_iter().flatten();
        ids.filter_map(|id| Some((*id, self.by_id.get(id)?)))
    }
}

impl Deref for Batches {
    type Target = BTreeMap<BatchId, BatchInfo>;

    fn deref(&self) -> &BTreeMap<BatchId, BatchInfo> {
        &self.by_id
    }
}

impl Extend<(BatchId, BatchInfo)> for Batches {
    fn extend<I: IntoIterator<Item = (BatchId, BatchInfo)>>(&mut self, batches: I) {
        for (id, info) in batches {
            self.insert(id, info);
        }
    }
}

impl FromIterator<(BatchId, BatchInfo)> for Batches {
    fn from_iter<I: IntoIterator<Item = (BatchId, BatchInfo)>>(batches: I) -> Batches {
        let mut out = Batches::default();
        out.extend(batches);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EnterpriseId;
    use uuid::Uuid;

    #[test]
    fn a_batch_is_found_by_the_lot_it_has_now() {
        let [one, other] = [1, 2].map(|n| BatchId(Uuid::from_u128(n)));
        let info = |product: &str, lot: &str| BatchInfo {
            issuer: EnterpriseId(Uuid::from_u128(9)),
            product: product.to_owned(),
            lot: lot.to_owned(),
            expires_at: None,
            plant: None,
        };
        let mut batches: Batches = [(one, info("A", "L")), (other, info("B", "L"))]
            .into_iter()
            .collect();
        let with = |batches: &Batches, lot| -> Vec<BatchId> {
            batches.with_lot(lot).map(|(id, _)| id).collect()
        };
        assert_eq!(with(&batches, "L"), [one, other]);
        batches.insert(one, info("A", "M"));
        let with = |lot| with(&batches, lot);
        assert_eq!(
            (with("L"), with("M"), with("N")),
            (vec![other], vec![one], vec![])
        );
        batches.remove(one);
        assert_eq!(batches.with_lot("M").count(), 0);
        assert!(!batches.contains_key(&one) && batches.contains_key(&other));
    }
}
