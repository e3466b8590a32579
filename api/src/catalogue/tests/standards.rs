//! The catalogue files say what the standards say.

use super::super::draft::Draft;
use super::*;

const FILES: [(&str, &str, usize); 3] = [
    (
        "infant-formula",
        include_str!("../../../standards/infant-formula.toml"),
        48,
    ),
    (
        "maternal-baby",
        include_str!("../../../standards/maternal-baby.toml"),
        91,
    ),
    (
        "maternal-baby-care",
        include_str!("../../../standards/maternal-baby-care.toml"),
        13,
    ),
];

#[test]
fn every_file_is_read_completely() {
    for (id, text, record_types) in FILES {
        let draft: Draft = toml::from_str(text).expect(id);
        assert_eq!(draft.profile.id, id);
        assert_eq!(draft.record_type.len(), record_types, "{id}");
    }
    let count = |id| -> usize {
        let records = profile(id).record_types;
        records.iter().map(|record| record.fields.len()).sum()
    };
    assert_eq!(count("infant-formula"), 291);
    assert_eq!(count("maternal-baby"), 542);
}

#[test]
fn a_key_the_program_does_not_know_is_an_error_everywhere() {
    for (id, text, _) in FILES {
        for table in [
            "[profile]",
            "[public_view]",
            "[shared_view]",
            "[[category]]",
            "[[public_view.field]]",
            "[[shared_view.field]]",
            "[[record_type]]",
            "[[record_type.field]]",
        ] {
            if text.contains(table) {
                let misspelt = text.replacen(table, &format!("{table}\nrequierd = true"), 1);
                let error = toml::from_str::<Draft>(&misspelt)
                    .expect_err(table)
                    .to_string();
                assert!(error.contains("requierd"), "{id} {table}: {error}");
            }
        }
        let misspelt = format!("requierd = true\n{text}");
        assert!(toml::from_str::<Draft>(&misspelt).is_err(), "{id}");
    }
}

#[test]
fn the_public_table_has_26_and_19_rows_in_printed_order() {
    for (id, rows) in [
        ("infant-formula", 26),
        ("maternal-baby", 19),
        ("maternal-baby-care", 19),
    ] {
        let profile = profile(id);
        let printed: Vec<u16> = profile
            .public_view
            .fields
            .iter()
            .map(|row| row.order)
            .collect();
        assert_eq!(printed, (1..=rows).collect::<Vec<u16>>(), "{id}");
        let optional: Vec<u16> = profile
            .public_view
            .fields
            .iter()
            .filter(|row| !row.required)
            .map(|row| row.order)
            .collect();
        assert_eq!(optional, vec![rows], "{id}");
    }
    let levels = |id: &str, level| {
        let view = profile(id).public_view.fields;
        view.iter().filter(|row| row.level == level).count()
    };
    // D6 of the list of differences.
    assert_eq!(levels("infant-formula", Level::Class), 16);
    assert_eq!(levels("infant-formula", Level::Item), 9);
    assert_eq!(levels("infant-formula", Level::ItemOrClass), 1);
    assert_eq!(levels("maternal-baby", Level::Class), 14);
    assert_eq!(levels("maternal-baby", Level::Item), 5);
    let shared = profile("maternal-baby").shared_view.expect("Table 7");
    assert_eq!(shared.fields.len(), 8);
    assert!(profile("infant-formula").shared_view.is_none());
}

#[test]
fn every_row_draws_on_fields_that_exist_and_have_a_home() {
    for id in PROFILES {
        let profile = profile(id);
        for row in &profile.public_view.fields {
            for path in &row.from {
                let path = path.to_string();
                let field = profile.field(&path);
                assert_eq!(
                    field.map(|field| field.visibility),
                    Some(Visibility::Public),
                    "{path}"
                );
                assert!(profile.home(&path).is_some(), "{path}");
            }
        }
        for path in profile
            .shared_view
            .iter()
            .flat_map(|view| &view.fields)
            .flat_map(|row| &row.from)
        {
            assert!(profile.field(&path.to_string()).is_some(), "{path}");
        }
    }
}

#[test]
fn the_care_profile_replaces_marks_and_keeps_the_rest() {
    let (base, care) = (profile("maternal-baby"), profile("maternal-baby-care"));
    for path in [
        "product_information.shelf_life",
        "product_information.market_access",
        "product_information.applicable_scope",
        "material_basic.specification",
        "warehouse.geographic_location",
        "transport.receiver_name",
    ] {
        let mark = |profile: &Profile| profile.field(path).map(|field| field.required);
        assert_eq!(
            (mark(&base), mark(&care)),
            (Some(false), Some(true)),
            "{path}"
        );
    }
    for path in [
        "product_information.product_name",
        "processing_enterprise.telephone",
    ] {
        assert_eq!(base.field(path), care.field(path), "{path}");
        assert!(base.field(path).is_some(), "{path}");
    }
    let names = |profile: &Profile| {
        let record = profile.record_type("product_information").expect("in both");
        record
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&base),
        names(&care),
        "replaced in place, not moved to the end"
    );
    assert_eq!(
        care.record_type("product_information")
            .and_then(|record| record.table.clone())
            .as_deref(),
        Some("B.2")
    );
    assert!(base.record_type("process_nonconforming_disposal").is_none());
    assert!(care.record_type("process_nonconforming_disposal").is_some());
    assert_eq!(care.record_types.len(), 92);
    assert_eq!(care.retention.basis, RetentionBasis::ThreeGuaranteesEnd);
    assert_eq!(profile("infant-formula").retention.plus_months, 12);
}

#[test]
fn categories_name_their_profile() {
    let catalogue = built_in();
    assert_eq!(catalogue.categories().count(), 16);
    let of = |id| {
        catalogue
            .category(id)
            .map(|category| category.profile.as_str())
    };
    assert_eq!(of("infant-care"), Some("maternal-baby-care"));
    assert_eq!(of("infant-toys"), Some("maternal-baby"));
    assert_eq!(of("food"), None);
    assert_eq!(catalogue.profiles().count(), 3);
}

#[test]
fn values_are_kept_where_the_public_row_says() {
    let cases = [
        (
            "infant-formula",
            "finished_product.product_name",
            Some(Home::Product),
        ),
        (
            "infant-formula",
            "finished_product.production_date",
            Some(Home::Batch),
        ),
        (
            "infant-formula",
            "finished_product.traceability_code",
            Some(Home::Unit),
        ),
        (
            "infant-formula",
            "finished_product.packaging_artwork",
            Some(Home::Product),
        ),
        (
            "infant-formula",
            "enterprise_information.producer_name_and_contact",
            Some(Home::Enterprise),
        ),
        (
            "infant-formula",
            "raw_material_lot.production_place",
            Some(Home::Batch),
        ),
        (
            "infant-formula",
            "dairy_farm.farm_address",
            Some(Home::Batch),
        ),
        (
            "infant-formula",
            "voluntary_disclosure.value",
            Some(Home::Product),
        ),
        ("infant-formula", "raw_material_lot.material_name", None),
        ("infant-formula", "wet_compounding.operator", None),
        ("infant-formula", "no.such", None),
        (
            "maternal-baby",
            "material_basic.material_name",
            Some(Home::Product),
        ),
        (
            "maternal-baby",
            "material_inspection.conformity_certificate",
            Some(Home::Batch),
        ),
        (
            "maternal-baby",
            "product_inspection.inspection_result",
            Some(Home::Batch),
        ),
        (
            "maternal-baby",
            "finished_goods_storage_environment.product_storage_conditions",
            Some(Home::Product),
        ),
        (
            "maternal-baby",
            "product_information.place_of_origin",
            Some(Home::Product),
        ),
        (
            "maternal-baby-care",
            "product_information.shelf_life",
            Some(Home::Batch),
        ),
    ];
    for (id, path, home) in cases {
        assert_eq!(profile(id).home(path), home, "{id} {path}");
    }
}

#[test]
fn personal_data_has_no_home() {
    for id in PROFILES {
        let profile = profile(id);
        let mut personal = 0;
        for record in &profile.record_types {
            for field in &record.fields {
                if field.visibility == Visibility::RestrictedPersonal {
                    personal += 1;
                    assert_eq!(profile.home(&format!("{}.{}", record.id, field.name)), None);
                }
            }
        }
        assert!(personal > 10, "{id} {personal}");
    }
}
