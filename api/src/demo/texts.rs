//! What the demo's enterprises file: every item Table 8 asks for, of the two standards. Invented
//! firms and numbers; the GS1 prefix is the one set aside for examples.

use crate::catalogue::Values;
use serde_json::{Value, json};

fn values(list: &[(&str, Value)]) -> Values {
    list.iter()
        .map(|(path, value)| ((*path).to_owned(), value.clone()))
        .collect()
}

/// The formula maker.
pub fn formula_enterprise(query_url: &str) -> Values {
    values(&[
        (
            "enterprise_information.enterprise_name",
            json!("晨牧乳业有限公司（演示）"),
        ),
        (
            "enterprise_information.enterprise_address",
            json!("内蒙古自治区呼和浩特市示例路 1 号"),
        ),
        (
            "enterprise_information.website",
            json!("www.chenmu.example"),
        ),
        (
            "enterprise_information.production_licence_no",
            json!("SC10000000000000"),
        ),
        ("enterprise_information.trace_query_url", json!(query_url)),
    ])
}

/// Its plant: producer name and contact, which may differ from the brand owner (H27).
pub fn formula_plant() -> Values {
    values(&[(
        "enterprise_information.producer_name_and_contact",
        json!("晨牧乳业呼和浩特工厂（演示），电话 400-000-0001"),
    )])
}

/// The formula, class level.
pub fn formula_product() -> Values {
    values(&[
        (
            "finished_product.product_name",
            json!("晨牧较大婴儿配方奶粉（2 段）"),
        ),
        ("finished_product.net_content", json!("800 g")),
        ("finished_product.specification", json!("800 g/罐")),
        (
            "finished_product.formula_registration_no",
            json!("YP20250000"),
        ),
        ("finished_product.product_standard_code", json!("GB 10766")),
        (
            "finished_product.product_category",
            json!("较大婴儿配方食品"),
        ),
        ("finished_product.product_attribute", json!("乳基，粉状")),
        (
            "consumer_instructions.suitable_age",
            json!("6～12 月龄，2 段"),
        ),
        (
            "consumer_instructions.usage_instructions",
            json!(
                "冲调前洗净双手，奶瓶煮沸消毒。取 40～50 ℃ 温开水 30 mL，加 1 平勺（约 4.5 g）奶粉，摇匀后立即喂哺；喂剩的奶液应丢弃。"
            ),
        ),
        (
            "consumer_instructions.warnings",
            json!(
                "对于 6 月龄以上婴儿，使用本产品时应配合添加辅助食品。请按说明冲调，过稀或过浓均有害健康。"
            ),
        ),
        (
            "consumer_instructions.ingredient_list",
            json!(
                "生牛乳、脱盐乳清粉、乳糖、精炼植物油（葵花籽油、低芥酸菜籽油）、浓缩乳清蛋白、低聚半乳糖、碳酸钙、柠檬酸钾、二十二碳六烯酸油脂（DHA）、花生四烯酸油脂（ARA）、复配营养强化剂（维生素 A、D、E、K1、B1、B2、B6、B12、C，铁、锌、碘、硒）。"
            ),
        ),
        (
            "consumer_instructions.storage_conditions",
            json!("密封，存于阴凉干燥处；开罐后盖紧，4 周内用完"),
        ),
        (
            "consumer_instructions.nutrition_facts",
            json!(
                "每 100 g：能量 2020 kJ；蛋白质 14.5 g；脂肪 22.0 g；碳水化合物 56.0 g；维生素 A 600 μg RE；维生素 D 8.5 μg；钙 560 mg；铁 7.5 mg；锌 4.6 mg；DHA 90 mg"
            ),
        ),
    ])
}

/// A formula batch; `report` is the hash of its inspection report.
pub fn formula_batch(report: &str) -> Values {
    values(&[
        ("finished_product.shelf_life", json!("24个月")),
        (
            "finished_product.place_of_origin",
            json!("内蒙古自治区呼和浩特市"),
        ),
        ("finished_product.product_inspection_report", json!(report)),
        (
            "raw_material_lot.production_place",
            json!(["内蒙古自治区锡林郭勒盟", "黑龙江省齐齐哈尔市"]),
        ),
    ])
}

/// The maker of care products.
pub fn care_enterprise() -> Values {
    values(&[
        (
            "processing_enterprise.enterprise_name",
            json!("润芽母婴用品有限公司（演示）"),
        ),
        (
            "processing_enterprise.address",
            json!("浙江省杭州市示例大道 8 号"),
        ),
        ("processing_enterprise.telephone", json!("400-000-0002")),
        ("processing_enterprise.website", json!("www.runya.example")),
        (
            "processing_enterprise.production_licence_no",
            json!("浙妆 20250000"),
        ),
        (
            "processing_enterprise.production_licence_valid_from",
            json!("2024-01-01"),
        ),
        (
            "processing_enterprise.production_licence_valid_until",
            json!("2028-12-31"),
        ),
    ])
}

/// The lotion, class level.
pub fn care_product() -> Values {
    values(&[
        (
            "product_information.product_name",
            json!("润芽婴儿保湿乳液"),
        ),
        ("product_information.net_content", json!("200 mL")),
        ("product_information.specification", json!("200 mL/瓶")),
        (
            "product_information.product_standard_code",
            json!("QB/T 1857"),
        ),
        ("product_information.product_category", json!("婴童护肤品")),
        ("product_information.place_of_origin", json!("浙江省杭州市")),
        (
            "material_basic.material_name",
            json!(["水", "甘油", "牛油果树果脂", "泛醇"]),
        ),
        (
            "finished_goods_storage_environment.product_storage_conditions",
            json!("常温，避光"),
        ),
        (
            "product_information.applicable_scope",
            json!("0～3 岁婴幼儿日常护理；破损皮肤勿用"),
        ),
    ])
}

/// A lotion batch; `certificate` is the hash of its main material's certificate.
pub fn care_batch(certificate: &str) -> Values {
    values(&[
        ("product_information.shelf_life", json!("3年")),
        ("product_inspection.inspection_result", json!("合格")),
        (
            "material_inspection.conformity_certificate",
            json!(certificate),
        ),
    ])
}
