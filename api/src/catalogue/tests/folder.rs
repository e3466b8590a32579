//! A field, a record type or a standard is a file and no code (MB-5.3.2a, H24).

use std::fs;

use super::*;

fn with(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("written");
    }
    Catalogue::with_folder(Some(dir.path()))
}

fn reason(files: &[(&str, &str)]) -> String {
    with(files).expect_err("refused").to_string()
}

const FIELD: &str = r#"
title_zh = "示例"
title_en = "Example"
type = "text"
required = false
level = "class"
visibility = "internal"
"#;

fn adds(profile: &str, record: &str, field: &str) -> String {
    format!(
        "[profile]\nid = \"{profile}\"\n[[record_type]]\nid = \"{record}\"\n[[record_type.field]]\nname = \"{field}\"{FIELD}"
    )
}

#[test]
fn an_added_field_is_accepted_without_code() {
    let path = "product_information.fabric_weight";
    let given = values(&[(path, json!("180 g/m²"))]);
    let before = profile("maternal-baby").check(Home::Product, &given);
    assert_eq!(before[0].code, FaultCode::UnknownField);

    let file = adds("maternal-baby", "product_information", "fabric_weight");
    let catalogue = with(&[("own.toml", &file), ("readme.md", "not a catalogue")]).expect("added");
    for id in ["maternal-baby", "maternal-baby-care"] {
        let profile = catalogue.profile(id).expect(id);
        assert_eq!(profile.home(path), Some(Home::Product), "{id}");
        assert_eq!(profile.check(Home::Product, &given), vec![], "{id}");
    }
    assert!(
        catalogue
            .profile("infant-formula")
            .expect("there")
            .field(path)
            .is_none()
    );
}

#[test]
fn a_field_added_to_the_care_profile_leaves_its_base_alone() {
    let file = adds("maternal-baby-care", "product_information", "scent");
    let catalogue = with(&[("own.toml", &file)]).expect("added");
    let has = |id: &str| {
        catalogue
            .profile(id)
            .is_some_and(|profile| profile.field("product_information.scent").is_some())
    };
    assert!(has("maternal-baby-care"));
    assert!(!has("maternal-baby"));
}

#[test]
fn an_added_record_type_is_accepted() {
    let file = adds("infant-formula", "carbon_footprint", "per_tin")
        .replace("id = \"carbon_footprint\"", "id = \"carbon_footprint\"\ntitle_zh = \"碳足迹\"\ntitle_en = \"Carbon footprint\"\nsubject = \"product\"");
    let catalogue = with(&[("own.toml", &file)]).expect("added");
    let profile = catalogue.profile("infant-formula").expect("there");
    assert_eq!(
        profile.home("carbon_footprint.per_tin"),
        Some(Home::Product)
    );
    assert_eq!(profile.record_types.len(), 49);
}

#[test]
fn a_third_standard_is_a_file() {
    let row = "order = 1\nname = \"dish\"\ntitle_zh = \"菜\"\ntitle_en = \"Dish\"\nlevel = \"class\"\ntype = \"text\"\nrequired = true\nfrom = [\"meal.dish\"]\n";
    let file = format!(
        "[profile]\nid = \"canteen\"\ntitle_zh = \"食堂\"\ntitle_en = \"Canteen\"\nretention_rule = \"a year\"\n[[category]]\nid = \"lunch\"\naudience = \"all\"\naudience_zh = \"所有人\"\ntitle_zh = \"午餐\"\ntitle_en = \"Lunch\"\nprofile = \"canteen\"\n[public_view]\ntitle_zh = \"公开\"\ntitle_en = \"Public\"\n[[public_view.field]]\n{row}[[record_type]]\nid = \"meal\"\ntitle_zh = \"餐\"\ntitle_en = \"Meal\"\nsubject = \"product\"\n[[record_type.field]]\nname = \"dish\"{FIELD}"
    );
    let catalogue = with(&[("canteen.toml", &file)]).expect("a standard");
    let profile = catalogue.profile("canteen").expect("there");
    let by_batch = file.replace(FIELD, &FIELD.replace("class", "batch"));
    let by_batch = with(&[("canteen.toml", &by_batch)]).expect("a standard");
    let home = by_batch
        .profile("canteen")
        .and_then(|profile| profile.home("meal.dish"));
    assert_eq!(home, Some(Home::Product), "the printed row says class");
    let mut world = World::default();
    assert_eq!(profile.publication_gaps(&world.sources()).len(), 1);
    world.product.insert("meal.dish".into(), json!("粥"));
    assert_eq!(shown(&profile.public_info(&world.sources()), "dish"), "粥");
    assert_eq!(
        catalogue
            .category("lunch")
            .map(|category| category.profile.as_str()),
        Some("canteen")
    );
    assert!(
        reason(&[("canteen.toml", &file.replace("meal.dish", "meal.drink"))])
            .contains("no such field")
    );
    assert!(
        reason(&[("canteen.toml", &file.replace("order = 1", "order = 2"))]).contains("order 2")
    );
    assert!(
        reason(&[(
            "canteen.toml",
            &file.replace(
                "type = \"text\"\nrequired = true",
                "type = \"file\"\nrequired = true"
            )
        )])
        .contains("is a file")
    );
    assert!(
        reason(&[(
            "canteen.toml",
            &file.replace("profile = \"canteen\"", "profile = \"kitchen\"")
        )])
        .contains("kitchen")
    );
    assert!(
        reason(&[(
            "canteen.toml",
            &file.replace(
                "visibility = \"internal\"",
                "visibility = \"restricted-personal\""
            )
        )])
        .contains("personal")
    );
}

#[test]
fn an_own_profile_can_make_more_mandatory() {
    let file = "[profile]\nid = \"toys\"\nextends = \"maternal-baby\"\ntitle_zh = \"玩具\"\ntitle_en = \"Toys\"\n[[record_type]]\nid = \"product_information\"\nextends = \"maternal-baby.product_information\"\n[[record_type.field]]\nname = \"net_content\"\ntitle_zh = \"净含量\"\ntitle_en = \"Net content\"\ntype = \"quantity\"\nrequired = true\nlevel = \"class\"\nvisibility = \"public\"\n";
    let catalogue = with(&[("toys.toml", file)]).expect("a profile");
    let toys = catalogue.profile("toys").expect("there");
    assert_eq!(
        toys.field("product_information.net_content")
            .map(|field| field.required),
        Some(true)
    );
    assert_eq!(toys.public_view.fields.len(), 19);
    assert_eq!(toys.retention.basis, RetentionBasis::ThreeGuaranteesEnd);
    let circle = file.replace("extends = \"maternal-baby\"", "extends = \"toys\"");
    assert!(reason(&[("toys.toml", &circle)]).contains("extends itself"));
    let there = file.replace("\"maternal-baby\"", "\"dolls\"");
    let back = file
        .replace("\"toys\"", "\"dolls\"")
        .replace("\"maternal-baby\"", "\"toys\"");
    assert!(reason(&[("a.toml", &there), ("b.toml", &back)]).contains("extends itself"));
    let orphan = file.replace("extends = \"maternal-baby\"\n", "extends = \"nobody\"\n");
    assert!(reason(&[("toys.toml", &orphan)]).contains("nobody"));
}

#[test]
fn what_a_folder_may_not_do_is_said_plainly() {
    let known = adds("infant-formula", "finished_product", "product_name");
    assert!(reason(&[("own.toml", &known)]).contains("there already"));
    let twice = adds("infant-formula", "finished_product", "scent");
    assert!(reason(&[("a.toml", &twice), ("b.toml", &twice)]).contains("there already"));
    let nowhere = adds("infant-formulae", "finished_product", "scent");
    assert!(reason(&[("own.toml", &nowhere)]).contains("no file defines"));
    let bare = adds("infant-formula", "carbon_footprint", "per_tin");
    assert!(reason(&[("own.toml", &bare)]).contains("lacks `title_zh`"));
    let retitled = twice.replace(
        "id = \"finished_product\"",
        "id = \"finished_product\"\ntitle_zh = \"别名\"",
    );
    assert!(reason(&[("own.toml", &retitled)]).contains("only fields"));
    let second = format!(
        "[profile]\nid = \"infant-formula\"\ntitle_zh = \"x\"\n{}",
        &twice["[profile]\nid = \"infant-formula\"\n".len()..]
    );
    assert!(reason(&[("own.toml", &second)]).contains("defined already"));
    let odd = adds("infant-formula", "finished_product", "Scent!");
    assert!(reason(&[("own.toml", &odd)]).contains("plain name"));
    let unknown = twice.replace("required", "requierd");
    assert!(reason(&[("own.toml", &unknown)]).contains("requierd"));
    assert!(reason(&[("own.toml", "not toml")]).contains("own.toml"));
    let missing = Catalogue::with_folder(Some(std::path::Path::new("no/such/folder")));
    assert!(matches!(missing, Err(CatalogueError::Read { .. })));
    let large = format!("#{}\n{twice}", "x".repeat(1 << 20));
    assert!(reason(&[("own.toml", &large)]).contains("larger than"));
}
