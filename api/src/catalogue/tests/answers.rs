//! What a consumer is shown: the printed rows, joined, dated, titled.

use jiff::civil::date;

use super::*;

#[test]
fn a_complete_product_shows_the_printed_rows_in_order() {
    for (id, rows) in [
        ("infant-formula", 25),
        ("maternal-baby", 18),
        ("maternal-baby-care", 18),
    ] {
        let profile = profile(id);
        let items = profile.public_info(&World::complete(&profile).sources());
        let printed: Vec<u16> = items.iter().map(|item| item.no).collect();
        assert_eq!(printed, (1..=rows).collect::<Vec<u16>>(), "{id}");
        let code = item(&items, "traceability_code").map(|item| &item.value);
        assert_eq!(code, Some(&PublicValue::TraceCode), "{id}");
        let slots = items
            .iter()
            .filter(|item| item.value == PublicValue::TraceCode)
            .count();
        assert_eq!(slots, 1, "{id}");
    }
}

#[test]
fn an_item_serialises_to_the_agreed_keys() {
    let profile = profile("infant-formula");
    let world = World {
        product: values(&[("finished_product.product_name", json!("金装"))]),
        batch: values(&[(
            "finished_product.product_inspection_report",
            json!("0f".repeat(32)),
        )]),
        ..World::default()
    };
    let json = serde_json::to_value(profile.public_info(&world.sources())).expect("plain data");
    let expected = json!([
        {"no": 1, "name": "product_name", "title_zh": "产品名称", "title_en": "Product name", "level": "class", "value": "金装"},
        {"no": 11, "name": "traceability_code", "title_zh": "产品追溯编码", "title_en": "Product traceability code", "level": "item", "value": null},
        {"no": 24, "name": "product_inspection_report", "title_zh": "产品检验报告", "title_en": "Product inspection report", "level": "item",
         "link_type": "gs1:certificationInfo", "value": [{"hash": "0f".repeat(32), "title_zh": "产品检验报告", "title_en": "Product inspection report"}]},
    ]);
    assert_eq!(json, expected);
}

#[test]
fn parts_are_joined_without_the_empty_ones() {
    let profile = profile("maternal-baby-care");
    let show = |product: &[(&str, Value)], batch: &[(&str, Value)], name: &str| {
        let world = World {
            product: values(product),
            batch: values(batch),
            ..World::default()
        };
        shown(&profile.public_info(&world.sources()), name)
    };
    let content = (
        "product_information.net_content",
        json!({"value": 80, "unit": "片"}),
    );
    let specification = (
        "product_information.specification",
        json!("200 mm × 150 mm"),
    );
    let both = [content.clone(), specification.clone()];
    assert_eq!(
        show(&both, &[], "net_content_specification"),
        "80 片；200 mm × 150 mm"
    );
    assert_eq!(show(&[content], &[], "net_content_specification"), "80 片");
    assert_eq!(
        show(&[specification], &[], "net_content_specification"),
        "200 mm × 150 mm"
    );
    let dated = [
        ("product_information.production_date", json!("2025-10-12")),
        ("product_information.batch_no", json!("03")),
    ];
    assert_eq!(show(&[], &dated, "production_date_batch"), "2025-10-12；03");
    let text = [("product_information.net_content", json!(" 400 g "))];
    assert_eq!(show(&text, &[], "net_content_specification"), "400 g");
}

#[test]
fn the_validity_of_a_licence_is_a_range() {
    let profile = profile("maternal-baby");
    let from = (
        "processing_enterprise.production_licence_valid_from",
        json!("2024-01-02"),
    );
    let until = (
        "processing_enterprise.production_licence_valid_until",
        json!("2029-01-01"),
    );
    let same = (
        "processing_enterprise.production_licence_valid_until",
        json!("2024-01-02"),
    );
    let show = |pairs: &[(&str, Value)]| {
        let world = World {
            enterprise: values(pairs),
            ..World::default()
        };
        shown(
            &profile.public_info(&world.sources()),
            "production_licence_validity",
        )
    };
    assert_eq!(
        show(&[from.clone(), until.clone()]),
        "2024-01-02 – 2029-01-01"
    );
    assert_eq!(show(&[from.clone(), same]), "2024-01-02 – 2024-01-02");
    assert_eq!(show(&[from]), "2024-01-02 –");
    assert_eq!(show(&[until]), "– 2029-01-01");
}

#[test]
fn all_distinct_places_of_dairy_materials_are_named() {
    let profile = profile("infant-formula");
    let world = World {
        batch: values(&[
            (
                "raw_material_lot.production_place",
                json!(["新西兰", "黑龙江", null, "新西兰"]),
            ),
            ("dairy_farm.farm_address", json!("黑龙江")),
        ]),
        ..World::default()
    };
    let items = profile.public_info(&world.sources());
    assert_eq!(shown(&items, "dairy_material_origin"), "新西兰；黑龙江");
    let farm = World {
        batch: values(&[("dairy_farm.farm_address", json!("内蒙古"))]),
        ..World::default()
    };
    assert_eq!(
        shown(
            &profile.public_info(&farm.sources()),
            "dairy_material_origin"
        ),
        "内蒙古"
    );
}

#[test]
fn several_certificates_are_several_files_each_once() {
    let profile = profile("maternal-baby");
    let (one, two) = ("1a".repeat(32), "2b".repeat(32));
    let world = World {
        batch: values(&[(
            "material_inspection.conformity_certificate",
            json!([one, two, one]),
        )]),
        ..World::default()
    };
    let items = profile.public_info(&world.sources());
    let Some(PublicValue::Files(files)) =
        item(&items, "main_material_certificate").map(|item| &item.value)
    else {
        panic!("no files");
    };
    let hashes: Vec<&str> = files.iter().map(|file| file.hash.as_str()).collect();
    assert_eq!(hashes, [one.as_str(), two.as_str()]);
    assert_eq!(files[0].title_zh, "合格证");
}

#[test]
fn the_producer_is_the_plant_and_the_name_is_the_owners() {
    let profile = profile("infant-formula");
    let mut world = World {
        enterprise: values(&[
            ("enterprise_information.enterprise_name", json!("集团")),
            (
                "enterprise_information.producer_name_and_contact",
                json!("集团 010"),
            ),
        ]),
        plant: values(&[
            ("enterprise_information.enterprise_name", json!("工厂")),
            (
                "enterprise_information.producer_name_and_contact",
                json!("工厂 0451"),
            ),
        ]),
        ..World::default()
    };
    let items = profile.public_info(&world.sources());
    assert_eq!(shown(&items, "enterprise_name"), "集团");
    assert_eq!(shown(&items, "producer_name_and_contact"), "工厂 0451");
    world.plant.clear();
    let items = profile.public_info(&world.sources());
    assert_eq!(shown(&items, "producer_name_and_contact"), "集团 010");
}

#[test]
fn voluntary_information_is_titled_entries() {
    let profile = profile("infant-formula");
    let file = "3c".repeat(32);
    let mut world = World {
        product: values(&[
            (
                "voluntary_disclosure.title",
                json!(["诚信证书", "有机认证", "承诺"]),
            ),
            ("voluntary_disclosure.value", json!(["CMS-1", null, "足量"])),
            ("voluntary_disclosure.attachment", json!([null, file])),
            ("voluntary_disclosure.valid_until", json!(["2026-06-30"])),
            ("finished_product.production_process", json!("湿法")),
        ]),
        ..World::default()
    };
    let items = profile.public_info(&world.sources());
    let row = item(&items, "voluntary_information").expect("published");
    assert_eq!((row.no, row.level), (26, Level::Class));
    let entries = json!([
        {"title_zh": "诚信证书", "title_en": "诚信证书", "text": "CMS-1", "valid_until": "2026-06-30"},
        {"title_zh": "有机认证", "title_en": "有机认证", "file": file},
        {"title_zh": "承诺", "title_en": "承诺", "text": "足量"},
        {"title_zh": "生产工艺", "title_en": "Production process", "text": "湿法"},
    ]);
    assert_eq!(
        serde_json::to_value(&row.value).expect("plain data"),
        entries
    );

    let titles = |today| match item(
        &profile.public_info_on(&world.sources(), today),
        "voluntary_information",
    )
    .map(|item| &item.value)
    {
        Some(PublicValue::Entries(entries)) => entries.len(),
        _ => 0,
    };
    assert_eq!(titles(date(2026, 6, 30)), 4, "valid on its last day");
    assert_eq!(titles(date(2026, 7, 1)), 3, "no longer after it");

    world.batch = values(&[
        ("voluntary_disclosure.title", json!("本批检测")),
        ("voluntary_disclosure.value", json!("未检出")),
    ]);
    assert_eq!(profile.check(Home::Batch, &world.batch), vec![]);
    let items = profile.public_info(&world.sources());
    let row = item(&items, "voluntary_information").expect("published");
    assert_eq!(row.level, Level::Item, "some of it is of this batch");
    assert_eq!(
        serde_json::to_value(&row.value).expect("plain data")[4]["text"],
        "未检出"
    );
}

#[test]
fn the_expiry_of_a_batch_is_given_or_derived_in_every_profile() {
    let care = profile("maternal-baby-care");
    let made = ("product_information.production_date", json!("2024-02-29"));
    let life = ("product_information.shelf_life", json!("3年"));
    assert_eq!(
        care.expiry(&values(&[made.clone(), life])),
        Some(date(2027, 2, 28))
    );
    assert_eq!(care.expiry(&values(&[made])), None);
    let formula = profile("infant-formula");
    let given = values(&[
        ("finished_product.production_date", json!("2025-04-16")),
        ("finished_product.shelf_life", json!("2年")),
        ("finished_product.expiry_date", json!("2027-04-15")),
    ]);
    assert_eq!(
        formula.expiry(&given),
        Some(date(2027, 4, 15)),
        "the printed date wins"
    );
    assert_eq!(
        shown(
            &formula.public_info(
                &World {
                    batch: given,
                    ..World::default()
                }
                .sources()
            ),
            "expiry_date"
        ),
        "2027-04-15"
    );
}

#[test]
fn any_stored_value_can_be_shown_without_fault() {
    let odd = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!([]),
        json!([[["x"]]]),
        json!({}),
        json!({"value": {"value": 1, "unit": 2}, "unit": "g"}),
        json!([null, 3, "x", {"unit": "g"}]),
        json!(""),
        json!("\u{0}"),
    ];
    for id in PROFILES {
        let profile = profile(id);
        for value in &odd {
            let all = |home| {
                profile
                    .paths(home)
                    .map(|path| (path.to_owned(), value.clone()))
                    .collect::<Values>()
            };
            let world = World {
                enterprise: all(Home::Enterprise),
                plant: all(Home::Enterprise),
                product: all(Home::Product),
                batch: all(Home::Batch),
            };
            for item in profile.public_info(&world.sources()) {
                assert_ne!(
                    item.value,
                    PublicValue::Text(String::new()),
                    "{id} {}",
                    item.name
                );
                assert_ne!(item.level, Level::ItemOrClass);
            }
            profile.publication_gaps(&world.sources());
            profile.expiry(&world.batch);
            profile.check(Home::Batch, &world.batch);
        }
    }
}
