//! What may be stored where, and how a refusal is told.

use super::super::value::problem;
use super::*;

pub(super) fn codes(profile: &Profile, home: Home, path: &str, value: Value) -> Vec<FaultCode> {
    let faults = profile.check(home, &values(&[(path, value)]));
    faults.iter().map(|fault| fault.code).collect()
}

#[test]
fn a_complete_product_has_no_fault() {
    for id in PROFILES {
        let profile = profile(id);
        let world = World::complete(&profile);
        assert_eq!(
            profile.check(Home::Enterprise, &world.enterprise),
            vec![],
            "{id}"
        );
        assert_eq!(profile.check(Home::Product, &world.product), vec![], "{id}");
        assert_eq!(profile.check(Home::Batch, &world.batch), vec![], "{id}");
    }
}

#[test]
fn every_field_with_a_home_takes_a_value_of_its_type_there_and_nowhere_else() {
    for id in PROFILES {
        let profile = profile(id);
        for home in [Home::Enterprise, Home::Product, Home::Batch, Home::Unit] {
            for path in profile.paths(home) {
                let field = profile.field(path).expect(path);
                let value = sample(field.kind, path);
                assert_eq!(codes(&profile, home, path, value.clone()), vec![], "{path}");
                let wrong = if home == Home::Enterprise {
                    Home::Product
                } else {
                    Home::Enterprise
                };
                assert_eq!(
                    codes(&profile, wrong, path, value),
                    vec![FaultCode::WrongHome],
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_of_this_place_is_named() {
    let formula = profile("infant-formula");
    let cases = [
        ("finished_product.colour", FaultCode::UnknownField),
        ("finished_product", FaultCode::UnknownField),
        ("", FaultCode::UnknownField),
        ("raw_material_lot.material_name", FaultCode::KeptElsewhere),
        ("wet_compounding.operator", FaultCode::PersonalData),
        ("finished_product.batch_no", FaultCode::WrongHome),
        ("finished_product.traceability_code", FaultCode::WrongHome),
    ];
    for (path, code) in cases {
        assert_eq!(
            codes(&formula, Home::Product, path, json!("x")),
            vec![code],
            "{path}"
        );
    }
    let faults = formula.check(
        Home::Product,
        &values(&[("finished_product.batch_no", json!("x"))]),
    );
    assert_eq!(faults[0].path, "finished_product.batch_no");
    assert_eq!(faults[0].message_zh, "产品批次：应在批次一级填报");
    assert_eq!(
        faults[0].message_en,
        "Product batch: it is kept with the batch"
    );
}

#[test]
fn an_expiry_before_production_is_refused() {
    let formula = profile("infant-formula");
    let dated = |expiry: &str| {
        let pairs = [
            ("finished_product.production_date", json!("2025-04-16")),
            ("finished_product.expiry_date", json!(expiry)),
        ];
        formula.check(Home::Batch, &values(&pairs))
    };
    assert_eq!(dated("2025-04-16"), vec![]);
    let faults = dated("2025-04-15");
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, FaultCode::ExpiryBeforeProduction);
    assert_eq!(faults[0].path, "finished_product.expiry_date");
}

#[test]
fn faults_are_bounded_and_their_names_stable() {
    let formula = profile("infant-formula");
    let many: Values = (0..1000)
        .map(|i| (format!("{i}{}", "x".repeat(5000)), json!(1)))
        .collect();
    let faults = formula.check(Home::Batch, &many);
    assert_eq!(faults.len(), FAULTS_MAX);
    assert!(faults.iter().all(|fault| fault.path.len() <= 130));
    for code in [
        FaultCode::UnknownField,
        FaultCode::HiddenCharacter,
        FaultCode::ExpiryBeforeProduction,
    ] {
        assert_eq!(
            serde_json::to_value(code).expect("a name"),
            json!(code.as_str())
        );
    }
}

#[test]
fn numbers_times_and_lists_are_judged_alike() {
    let judge = |kind, value: Value| problem(kind, false, &value);
    for (kind, right) in [
        (FieldType::Number, json!(-7)),
        (FieldType::Number, json!("-3.25")),
        (FieldType::Datetime, json!("2025-04-16T08:00:00Z")),
        (
            FieldType::Datetime,
            json!("2025-04-16T08:00:00.123456+08:00"),
        ),
        (FieldType::List, json!(["a", "b"])),
    ] {
        assert_eq!(judge(kind, right.clone()), None, "{right}");
    }
    for (kind, wrong, code) in [
        (FieldType::Number, json!(3.25), FaultCode::WrongType),
        (FieldType::Number, json!("3,25"), FaultCode::BadNumber),
        (FieldType::Number, json!("1e3"), FaultCode::BadNumber),
        (FieldType::Number, json!("."), FaultCode::BadNumber),
        (
            FieldType::Number,
            json!("9".repeat(NUMBER_CHARS_MAX + 1)),
            FaultCode::TooLong,
        ),
        (
            FieldType::Datetime,
            json!("2025-04-16T08:00:00"),
            FaultCode::BadDatetime,
        ),
        (
            FieldType::Datetime,
            json!("2025-04-16 08:00:00Z"),
            FaultCode::BadDatetime,
        ),
        (
            FieldType::Datetime,
            json!("2025-04-16T08:00Z"),
            FaultCode::BadDatetime,
        ),
        (
            FieldType::Datetime,
            json!("2025-04-31T08:00:00Z"),
            FaultCode::BadDatetime,
        ),
        (
            FieldType::Datetime,
            json!("2025-04-16T08:00:00+08:00[Asia/Shanghai]"),
            FaultCode::BadDatetime,
        ),
        (FieldType::List, json!("a"), FaultCode::WrongType),
        (FieldType::List, json!(["a", 1]), FaultCode::WrongType),
        (FieldType::List, json!(["a", null]), FaultCode::Empty),
        (FieldType::List, json!([]), FaultCode::Empty),
        (
            FieldType::List,
            json!(vec!["a"; ENTRIES_MAX + 1]),
            FaultCode::TooMany,
        ),
    ] {
        assert_eq!(judge(kind, wrong.clone()), Some(code), "{wrong}");
    }
}

#[test]
fn an_enterprise_may_make_products_of_several_standards() {
    let mut both = World::complete(&profile("infant-formula")).enterprise;
    both.extend(World::complete(&profile("maternal-baby")).enterprise);
    assert_eq!(built_in().check_enterprise(&both), vec![]);
    let one = profile("infant-formula").check(Home::Enterprise, &both);
    assert!(
        one.iter()
            .all(|fault| fault.code == FaultCode::UnknownField)
    );
    assert!(
        !one.is_empty(),
        "one standard does not know the other's fields"
    );

    let wrong = [
        ("finished_product.batch_no", FaultCode::WrongHome),
        ("enterprise_information.website", FaultCode::Empty),
        ("no.such", FaultCode::UnknownField),
    ];
    for (path, code) in wrong {
        let faults = built_in().check_enterprise(&values(&[(path, json!(" "))]));
        assert_eq!(
            faults.iter().map(|fault| fault.code).collect::<Vec<_>>(),
            [code],
            "{path}"
        );
    }
}
