//! The gate before publication (H3): exactly what is missing, nothing else.

use super::*;

fn names(gaps: &[Gap]) -> Vec<&str> {
    gaps.iter().map(|gap| gap.name.as_str()).collect()
}

#[test]
fn nothing_is_missing_from_a_complete_product() {
    for id in PROFILES {
        let profile = profile(id);
        let world = World::complete(&profile);
        assert_eq!(profile.publication_gaps(&world.sources()), vec![], "{id}");
    }
}

#[test]
fn each_required_row_alone_is_named_with_its_paths() {
    for id in PROFILES {
        let profile = profile(id);
        let complete = World::complete(&profile);
        let mut blocked = 0;
        for row in &profile.public_view.fields {
            let paths: Vec<String> = row.from.iter().map(ToString::to_string).collect();
            let mut world = complete.clone();
            let mut removed = false;
            for path in &paths {
                if let Some(values) = world.home(&profile, path) {
                    removed |= values.remove(path).is_some();
                }
            }
            let gaps = profile.publication_gaps(&world.sources());
            if removed {
                let gap = Gap {
                    no: row.order,
                    name: row.name.clone(),
                    title_zh: row.title_zh.clone(),
                    title_en: row.title_en.clone(),
                    missing: paths,
                };
                assert_eq!(gaps, vec![gap], "{id}");
                blocked += 1;
            } else {
                assert_eq!(gaps, vec![], "{id} {}", row.name);
            }
        }
        // All but the trace code and the optional last row.
        assert_eq!(blocked, profile.public_view.fields.len() - 2, "{id}");
    }
}

#[test]
fn with_nothing_given_all_required_rows_are_named_in_printed_order() {
    for (id, rows) in [("infant-formula", 26_u16), ("maternal-baby-care", 19)] {
        let profile = profile(id);
        let gaps = profile.publication_gaps(&World::default().sources());
        let trace_code = profile
            .public_view
            .fields
            .iter()
            .find(|row| row.name == "traceability_code");
        let expected: Vec<u16> = (1..rows)
            .filter(|no| Some(*no) != trace_code.map(|row| row.order))
            .collect();
        let named: Vec<u16> = gaps.iter().map(|gap| gap.no).collect();
        assert_eq!(named, expected, "{id}");
    }
}

#[test]
fn any_one_part_of_a_row_is_enough() {
    for id in PROFILES {
        let profile = profile(id);
        let complete = World::complete(&profile);
        for row in profile
            .public_view
            .fields
            .iter()
            .filter(|row| row.required && row.from.len() > 1)
        {
            for kept in &row.from {
                let mut world = complete.clone();
                for path in row.from.iter().filter(|path| *path != kept) {
                    let path = path.to_string();
                    world.home(&profile, &path).expect("kept").remove(&path);
                }
                assert_eq!(
                    profile.publication_gaps(&world.sources()),
                    vec![],
                    "{id} {kept}"
                );
            }
        }
    }
}

#[test]
fn blank_and_null_and_malformed_hashes_do_not_fill_a_row() {
    let profile = profile("infant-formula");
    for (path, name, empty) in [
        ("finished_product.product_name", "product_name", json!("  ")),
        ("finished_product.product_name", "product_name", json!(null)),
        ("finished_product.product_name", "product_name", json!([])),
        ("finished_product.product_name", "product_name", json!(true)),
        (
            "finished_product.product_inspection_report",
            "product_inspection_report",
            json!("nonsense"),
        ),
    ] {
        let mut world = World::complete(&profile);
        world
            .home(&profile, path)
            .expect("kept")
            .insert(path.to_owned(), empty.clone());
        assert_eq!(
            names(&profile.publication_gaps(&world.sources())),
            vec![name],
            "{empty}"
        );
    }
}

#[test]
fn the_expiry_date_is_derived_or_asked_for() {
    let profile = profile("infant-formula");
    let mut world = World::complete(&profile);
    world.batch.remove("finished_product.expiry_date");
    world
        .batch
        .insert("finished_product.shelf_life".into(), json!("2年"));
    assert_eq!(profile.publication_gaps(&world.sources()), vec![]);
    assert_eq!(
        shown(&profile.public_info(&world.sources()), "expiry_date"),
        "2027-04-16"
    );
    world
        .batch
        .insert("finished_product.shelf_life".into(), json!("见包装"));
    assert_eq!(
        names(&profile.publication_gaps(&world.sources())),
        vec!["expiry_date"]
    );
    world.batch.remove("finished_product.production_date");
    world
        .batch
        .insert("finished_product.shelf_life".into(), json!("2年"));
    assert_eq!(
        names(&profile.publication_gaps(&world.sources())),
        vec!["production_date", "expiry_date"]
    );
}

#[test]
fn the_gate_and_the_public_table_agree() {
    for id in PROFILES {
        let profile = profile(id);
        let complete = World::complete(&profile);
        let paths: Vec<String> = [Home::Enterprise, Home::Product, Home::Batch]
            .iter()
            .flat_map(|home| profile.paths(*home).map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for path in paths {
            let mut world = complete.clone();
            world.home(&profile, &path).expect("kept").remove(&path);
            let items = profile.public_info(&world.sources());
            let gaps = profile.publication_gaps(&world.sources());
            for row in profile.public_view.fields.iter().filter(|row| row.required) {
                let is_shown = item(&items, &row.name).is_some();
                assert_ne!(
                    is_shown,
                    names(&gaps).contains(&row.name.as_str()),
                    "{id} {path}"
                );
            }
        }
    }
}
