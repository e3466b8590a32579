//! What is asked about a buyer: the items of the standards' tables, and which of them are mandatory, as the
//! profiles of the goods want it. Which items there are is what [`Buyer`] says; which must be there is read from
//! the catalogue. Pure.

use super::wire::BuyerIn;
use crate::{
    catalogue::Catalogue,
    free_text::{self, Lines},
    problem::{FieldProblem, Problem},
    voices::rules::{CONTACT_MAX, NAME_MAX, PLACE_MAX, instant},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use suyuan_sync::event::required::Profile;
use utoipa::ToSchema;

/// What is filed about a buyer. 意见反馈, the third item of 购买信息, nobody has yet when something is sold: what
/// consumers think of it is a voice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// 消费者姓名
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_name: Option<String>,
    /// 联系方式
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// 购买时间, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_time: Option<String>,
    /// 地点
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_place: Option<String>,
}

/// The items, as the catalogue names them.
const ITEMS: [&str; 4] = [
    "consumer.consumer_name",
    "consumer.contact",
    "consumer_purchase.purchase_time",
    "consumer_purchase.purchase_place",
];

/// Which items are mandatory (必采) of goods of these profiles; of goods of which none is known, what any
/// standard wants.
pub fn asked(catalogue: &Catalogue, of: &BTreeSet<Profile>) -> BTreeSet<&'static str> {
    let concerns =
        |id: &str| of.is_empty() || Profile::of_id(id).is_some_and(|it| of.contains(&it));
    let profiles = catalogue.profiles();
    let profiles: Vec<_> = profiles.filter(|profile| concerns(&profile.id)).collect();
    let is_asked = |item: &&str| {
        let mut fields = profiles.iter().filter_map(|profile| profile.field(item));
        fields.any(|field| field.required)
    };
    let asked = ITEMS.into_iter().filter(is_asked);
    asked
        .map(|item| item.split_once('.').map_or(item, |(_, name)| name))
        .collect()
}

/// Checks what is to be filed; every wrong field is named.
pub fn check(asked: &BTreeSet<&'static str>, new: &BuyerIn) -> Result<Buyer, Vec<FieldProblem>> {
    let mut faults = Vec::new();
    let mut text = |name: &'static str, said: &Option<String>, max: usize| {
        let said = said.as_deref().map(str::trim).unwrap_or_default();
        if said.is_empty() {
            if asked.contains(name) {
                let (en, zh) = ("this is asked for", "此项必填");
                faults.extend(Problem::field(name, "missing", en, zh).errors);
            }
            return None;
        }
        let fault = free_text::check(name, said, max, Lines::One).err();
        let right = fault.is_none();
        faults.extend(fault);
        right.then(|| said.to_owned())
    };
    let mut buyer = Buyer {
        consumer_name: text("consumer_name", &new.consumer_name, NAME_MAX),
        contact: text("contact", &new.contact, CONTACT_MAX),
        purchase_time: text("purchase_time", &new.purchase_time, CONTACT_MAX),
        purchase_place: text("purchase_place", &new.purchase_place, PLACE_MAX),
    };
    if let Some(said) = buyer.purchase_time.take() {
        buyer.purchase_time = instant(&said);
        if buyer.purchase_time.is_none() {
            let (en, zh) = (
                "a day as YYYY-MM-DD, or an instant as of RFC 3339",
                "须为 YYYY-MM-DD 日期或 RFC 3339 时间",
            );
            faults.extend(Problem::field("purchase_time", "bad-date", en, zh).errors);
        }
    }
    if faults.is_empty() && buyer == Buyer::default() {
        let (en, zh) = ("say at least one item", "请至少填写一项");
        faults.extend(Problem::field("consumer_name", "missing", en, zh).errors);
    }
    if faults.is_empty() {
        Ok(buyer)
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Visibility;

    #[test]
    fn every_item_is_personal_by_the_catalogue_and_mandatory_as_a_standard_says() {
        let catalogue = Catalogue::built_in().unwrap();
        for item in ITEMS {
            let mut fields = catalogue
                .profiles()
                .filter_map(|it| it.field(item))
                .peekable();
            assert!(fields.peek().is_some(), "{item} is of no standard");
            assert!(fields.all(|it| it.visibility == Visibility::RestrictedPersonal));
        }
        let of = |profiles: &[Profile]| asked(&catalogue, &profiles.iter().copied().collect());
        let formula = BTreeSet::from(["purchase_time", "purchase_place"]);
        assert_eq!(of(&[Profile::InfantFormula]), formula);
        assert_eq!(of(&[Profile::MaternalBaby]), BTreeSet::new());
        assert_eq!(of(&[Profile::MaternalBabyCare]), BTreeSet::new());
        assert_eq!(
            of(&[Profile::MaternalBabyCare, Profile::InfantFormula]),
            formula
        );
        assert_eq!(of(&[]), formula, "of goods of no known standard");
    }
}
