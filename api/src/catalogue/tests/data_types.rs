//! Each data type takes what it is and refuses what it is not, with a stable code.

use super::checks::codes;
use super::*;

#[test]
fn each_data_type_refuses_what_it_is_not() {
    let formula = profile("infant-formula");
    let (product, batch) = (Home::Product, Home::Batch);
    let long = |n| json!("长".repeat(n));
    let cases = [
        (
            product,
            "finished_product.product_name",
            json!(null),
            FaultCode::Empty,
        ),
        (
            product,
            "finished_product.product_name",
            json!(" \u{3000}"),
            FaultCode::Empty,
        ),
        (
            product,
            "finished_product.product_name",
            json!(4),
            FaultCode::WrongType,
        ),
        (
            product,
            "finished_product.product_name",
            json!(["a"]),
            FaultCode::WrongType,
        ),
        (
            product,
            "finished_product.product_name",
            json!({"value": "4", "unit": "g"}),
            FaultCode::WrongType,
        ),
        (
            product,
            "finished_product.product_name",
            long(TEXT_CHARS_MAX + 1),
            FaultCode::TooLong,
        ),
        (
            product,
            "finished_product.product_name",
            json!("a\nb"),
            FaultCode::HiddenCharacter,
        ),
        (
            product,
            "finished_product.product_name",
            json!("a\u{202e}b"),
            FaultCode::HiddenCharacter,
        ),
        (
            product,
            "consumer_instructions.warnings",
            long(LONG_TEXT_CHARS_MAX + 1),
            FaultCode::TooLong,
        ),
        (
            product,
            "consumer_instructions.warnings",
            json!("a\u{0}"),
            FaultCode::HiddenCharacter,
        ),
        (
            batch,
            "finished_product.batch_no",
            json!(" 2025"),
            FaultCode::BadCode,
        ),
        (
            batch,
            "finished_product.batch_no",
            long(CODE_CHARS_MAX + 1),
            FaultCode::TooLong,
        ),
        (
            batch,
            "finished_product.production_date",
            json!("2025-4-16"),
            FaultCode::BadDate,
        ),
        (
            batch,
            "finished_product.production_date",
            json!("2025-02-29"),
            FaultCode::BadDate,
        ),
        (
            batch,
            "finished_product.production_date",
            json!("20250416"),
            FaultCode::BadDate,
        ),
        (
            batch,
            "finished_product.production_date",
            json!(20_250_416),
            FaultCode::WrongType,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!("A1".repeat(32)),
            FaultCode::BadFileHash,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!("a1"),
            FaultCode::BadFileHash,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!([]),
            FaultCode::Empty,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!([null]),
            FaultCode::Empty,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!(["a1".repeat(32), null]),
            FaultCode::Empty,
        ),
        (
            batch,
            "finished_product.product_inspection_report",
            json!(vec!["a1".repeat(32); FILES_MAX + 1]),
            FaultCode::TooMany,
        ),
        (
            batch,
            "raw_material_lot.production_place",
            json!([]),
            FaultCode::Empty,
        ),
        (
            batch,
            "raw_material_lot.production_place",
            json!([null]),
            FaultCode::Empty,
        ),
        (
            batch,
            "raw_material_lot.production_place",
            json!(["x", " "]),
            FaultCode::Empty,
        ),
        (
            batch,
            "raw_material_lot.production_place",
            json!(["x", ["y"]]),
            FaultCode::WrongType,
        ),
        (
            batch,
            "raw_material_lot.production_place",
            json!(vec!["x"; ENTRIES_MAX + 1]),
            FaultCode::TooMany,
        ),
        (
            product,
            "finished_product.net_content",
            json!(400),
            FaultCode::WrongType,
        ),
        (
            product,
            "finished_product.net_content",
            json!("400"),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!("g"),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": 4.5, "unit": "g"}),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": -4, "unit": "g"}),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": "4,5", "unit": "g"}),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": "4"}),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": "4", "unit": " "}),
            FaultCode::BadQuantity,
        ),
        (
            product,
            "finished_product.net_content",
            json!({"value": "4", "unit": "g", "note": 1}),
            FaultCode::BadQuantity,
        ),
    ];
    for (home, path, value, code) in cases {
        assert_eq!(
            codes(&formula, home, path, value.clone()),
            vec![code],
            "{path} {value}"
        );
    }
}

#[test]
fn each_data_type_takes_what_it_is() {
    let formula = profile("infant-formula");
    let long = |n| json!("长".repeat(n));
    let cases = [
        (
            Home::Product,
            "finished_product.product_name",
            long(TEXT_CHARS_MAX),
        ),
        (
            Home::Product,
            "consumer_instructions.warnings",
            json!("第一行\n第二行"),
        ),
        (
            Home::Product,
            "consumer_instructions.warnings",
            long(LONG_TEXT_CHARS_MAX),
        ),
        (
            Home::Batch,
            "finished_product.production_date",
            json!("2024-02-29"),
        ),
        (
            Home::Batch,
            "raw_material_lot.production_place",
            json!(["新西兰", null, "荷兰"]),
        ),
        (
            Home::Batch,
            "finished_product.product_inspection_report",
            json!(["a1".repeat(32), "b2".repeat(32)]),
        ),
        (
            Home::Product,
            "finished_product.net_content",
            json!("400 g"),
        ),
        (
            Home::Product,
            "finished_product.net_content",
            json!("400g×6"),
        ),
        (
            Home::Product,
            "finished_product.net_content",
            json!({"value": "0.4", "unit": "kg"}),
        ),
        (
            Home::Product,
            "finished_product.net_content",
            json!({"value": 400, "unit": "g"}),
        ),
    ];
    for (home, path, value) in cases {
        assert_eq!(
            codes(&formula, home, path, value.clone()),
            vec![],
            "{path} {value}"
        );
    }
}
