//! What a page says of its product to programs: schema.org's `Product` as JSON-LD, as a resolver
//! should embed it. Data, not a script: browsers run nothing of it. Says nothing of whether goods
//! are genuine or recalled; that is asked of the resolver itself.

use super::slot;
use super::text::outside;
use serde_json::Value;

/// The element with its content; `name` and `brand` come from outside.
pub(super) fn product(name: &str, brand: Option<&str>) -> String {
    let mut text = format!(
        r#"{{"@context":"https://schema.org","@type":"Product",{}"name":{}"#,
        slot::GTIN,
        quoted(name)
    );
    if let Some(brand) = brand {
        let organisation = format!(r#"{{"@type":"Organization","name":{}}}"#, quoted(brand));
        text.push_str(r#","brand":"#);
        text.push_str(&organisation);
    }
    format!(r#"<script type="application/ld+json">{text}}}</script>"#)
}

/// A JSON string in which no markup begins or ends.
fn quoted(text: &str) -> String {
    let text = Value::from(outside(text).to_string()).to_string();
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_product_with_name_brand_and_the_units_gtin() {
        let html = product("晨牧 \"1\" 段", Some("A & B"));
        let text = html
            .strip_prefix("<script type=\"application/ld+json\">")
            .and_then(|rest| rest.strip_suffix("</script>"))
            .unwrap();
        let filled = text.replace(slot::GTIN, &slot::gtin("09521234000013"));
        let data: Value = serde_json::from_str(&filled).unwrap();
        assert_eq!(data["@type"], "Product");
        assert_eq!(data["name"], "晨牧 \"1\" 段");
        assert_eq!(data["gtin"], "09521234000013");
        assert_eq!(data["brand"]["name"], "A & B");
        let none: Value = serde_json::from_str(&text.replace(slot::GTIN, "")).unwrap();
        assert!(none.get("gtin").is_none());
    }

    #[test]
    fn nothing_breaks_out_of_it() {
        let bad = "</script><script>alert(1)</script><!--\u{E000}\u{E004}\u{202E}\"]]>&lt;";
        let html = product(bad, Some(bad));
        assert_eq!(html.matches('<').count(), 2, "{html}");
        assert_eq!(html.matches(slot::GTIN).count(), 1);
        assert!(!html.contains(slot::CODE) && !html.contains('\u{202E}'));
    }
}
