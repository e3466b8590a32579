//! A voice in the words of the standard: the items of its record types (IF-T7-2, IF-T7-3, MB-T6-1
//! to MB-T6-3, MB-8.3.3-a4) with their values. Which items there are, and which of them are
//! personal, is read from the catalogue. Pure.

use super::rules::{Personal, VoiceKind};
use crate::{
    catalogue::{Field, Profile, Values, Visibility},
    clock::rfc3339,
    entities::voice,
};
use serde_json::Value;

/// What is known about a voice.
pub struct Facts<'a> {
    /// Its row.
    pub row: &'a voice::Model,
    /// Which of the two it is.
    pub kind: VoiceKind,
    /// The product's name.
    pub product: Option<&'a str>,
    /// The personal part, where it was opened.
    pub personal: Option<&'a Personal>,
}

/// Every item of the profile's record types that has a value. Personal items are among them only
/// where the personal part was opened; a pseudonym stands for the name of one that was erased.
pub fn values(profile: &Profile, facts: &Facts<'_>) -> Values {
    let records = [facts.kind.record(), "customer_feedback", "consumer"];
    let mut values = Values::new();
    for record in records.iter().filter_map(|id| profile.record_type(id)) {
        for field in &record.fields {
            if let Some(value) = value(field, facts) {
                values.insert(format!("{}.{}", record.id, field.name), value);
            }
        }
    }
    values
}

/// A name for somebody whose data is gone: the same in every record of this voice.
pub fn pseudonym(row: &voice::Model) -> String {
    let id = row.id.simple().to_string();
    format!("consumer-{}", &id[id.len() - 8..])
}

fn value(field: &Field, facts: &Facts<'_>) -> Option<Value> {
    let row = facts.row;
    let erased = row.erased_at.is_some();
    let restricted = field.visibility == Visibility::RestrictedPersonal;
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let told = |pick: fn(&Personal) -> Option<String>| facts.personal.and_then(pick);
    let time = |at: Option<i64>| at.map(|at| Value::String(rfc3339(at)));
    match field.name.as_str() {
        "complainant" | "consumer_name" if erased => Some(pseudonym(row).into()),
        _ if restricted && facts.personal.is_none() => None,
        "complainant" | "consumer_name" => told(|p| p.name.clone()).map(Value::String),
        "contact" => told(|p| p.contact.clone()).map(Value::String),
        "content" | "feedback" => told(|p| Some(p.content.clone())).map(Value::String),
        "purchase_time" => told(|p| p.bought_at.clone()).map(Value::String),
        "purchase_place" => told(|p| p.bought_where.clone()).map(Value::String),
        "purchased_batch" => text(&row.lot),
        "purchased_model" | "product" => facts.product.map(Value::from),
        "complaint_time" | "feedback_at" => time(Some(row.told_at)),
        "complaint_place" => text(&row.place),
        "handling_result" | "result" => text(&row.result),
        "case_no" => Some(row.id.to_string().into()),
        "handler" => row.handler.map(|id| id.to_string().into()),
        "plan" => text(&row.plan),
        "handled_at" => time(row.handled_at),
        "satisfaction" => row.satisfaction.map(Value::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use uuid::Uuid;

    fn row() -> voice::Model {
        voice::Model {
            enterprise_id: Uuid::nil(),
            id: Uuid::from_u128(9),
            message_id: Uuid::from_u128(8),
            kind: "complaint".into(),
            state: "closed".into(),
            receipt: String::new(),
            code: "/01/06901234567892".into(),
            lot: Some("L1".into()),
            product_id: None,
            told_at: 1,
            place: Some("上海".into()),
            entered_by: "consumer".into(),
            plan: Some("换货".into()),
            answer: Some("已处理".into()),
            result: Some("已换货".into()),
            handler: Some(Uuid::from_u128(7)),
            answered_at: Some(2),
            handled_at: Some(3),
            closed_at: Some(3),
            satisfaction: Some(5),
            erased_at: None,
        }
    }

    fn of(profile: &str, row: &voice::Model, kind: VoiceKind, opened: bool) -> Values {
        let personal = Personal {
            content: "结块".into(),
            name: Some("王女士".into()),
            contact: Some("138".into()),
            bought_at: Some("2026-01-02T00:00:00+08:00".into()),
            bought_where: Some("门店".into()),
        };
        let facts = Facts {
            row,
            kind,
            product: Some("奶粉"),
            personal: opened.then_some(&personal),
        };
        let catalogue = Catalogue::built_in().unwrap();
        values(catalogue.profile(profile).unwrap(), &facts)
    }

    #[test]
    fn every_item_of_the_records_is_told() {
        for (profile, kind, records) in [
            (
                "infant-formula",
                VoiceKind::Complaint,
                &["consumer_complaint"][..],
            ),
            (
                "infant-formula",
                VoiceKind::Feedback,
                &["consumer_purchase"],
            ),
            (
                "maternal-baby",
                VoiceKind::Complaint,
                &["consumer_complaint", "customer_feedback", "consumer"],
            ),
            ("maternal-baby", VoiceKind::Feedback, &["consumer_purchase"]),
        ] {
            let values = of(profile, &row(), kind, true);
            let catalogue = Catalogue::built_in().unwrap();
            for record in records {
                let record = catalogue.profile(profile).unwrap().record_type(record);
                for field in &record.unwrap().fields {
                    let path = format!("{}.{}", record.unwrap().id, field.name);
                    assert!(values.contains_key(&path), "{profile} {path}");
                }
            }
        }
    }

    #[test]
    fn nothing_personal_is_told_unopened_and_a_pseudonym_after_erasure() {
        let closed = of("infant-formula", &row(), VoiceKind::Complaint, false);
        assert!(!closed.contains_key("consumer_complaint.complainant"));
        assert!(!closed.contains_key("consumer_complaint.content"));
        assert!(closed.contains_key("consumer_complaint.handling_result"));
        let mut erased = row();
        erased.erased_at = Some(5);
        let left = of("infant-formula", &erased, VoiceKind::Complaint, false);
        let name = left["consumer_complaint.complainant"].as_str().unwrap();
        assert!(name.starts_with("consumer-"), "{name}");
        assert!(!left.contains_key("consumer_complaint.content"));
    }
}
