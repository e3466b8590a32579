//! What serde says of a text that is not of the shape asked for, in Chinese: it says it in English
//! only, in a handful of sentences. Pure; a sentence that is not known is told in general words.

/// The same in Chinese, or `otherwise` if it says something else.
pub fn in_chinese(said: &str, otherwise: &str) -> String {
    let named = |begin: &str| {
        let (_, rest) = said.split_once(begin)?;
        rest.split_once('`')
    };
    if let Some((name, _)) = named("unknown field `") {
        return format!("未知字段 {name}");
    }
    if let Some((name, _)) = named("missing field `") {
        return format!("缺少字段 {name}");
    }
    if let Some((name, _)) = named("duplicate field `") {
        return format!("字段 {name} 重复");
    }
    if let Some((name, rest)) = named("unknown variant `") {
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        return format!("{name} 不在可选值之内：{}", known.join("、"));
    }
    let other = [
        ("invalid type", "类型不符"),
        ("invalid value", "取值不符"),
        ("invalid length", "项数不符"),
        ("invalid digit", "须为整数"),
        ("number too", "数值超出范围"),
        ("number out of range", "数值超出范围"),
        ("UUID", "须为 UUID"),
        ("EOF while parsing", "内容不完整"),
        ("trailing characters", "JSON 之后还有多余内容"),
        ("recursion limit", "嵌套过深"),
    ];
    let known = other.iter().find(|(begin, _)| said.contains(begin));
    known.map_or(otherwise, |(_, zh)| zh).to_owned()
}

#[cfg(test)]
mod tests {
    use super::in_chinese;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[allow(dead_code)]
        n: u8,
        #[allow(dead_code)]
        kind: Kind,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Store,
        Plant,
    }

    #[test]
    fn what_serde_says_is_known() {
        let said = |text: &str| {
            let error = serde_json::from_str::<Asked>(text).map(drop).unwrap_err();
            in_chinese(&error.to_string(), "?")
        };
        for (text, zh) in [
            (r#"{"x":1}"#, "未知字段 x"),
            (r#"{"n":1}"#, "缺少字段 kind"),
            (r#"{"n":1,"n":2}"#, "字段 n 重复"),
            (
                r#"{"n":1,"kind":"shop"}"#,
                "shop 不在可选值之内：store、plant",
            ),
            (r#"{"n":"1"}"#, "类型不符"),
            (r#"{"n":300}"#, "取值不符"),
            (r#"{"n":1"#, "内容不完整"),
            (r#"{"n":1,"kind":"store"} {}"#, "JSON 之后还有多余内容"),
            (r#"{"n":01}"#, "?"),
        ] {
            assert_eq!(said(text), zh, "{text}");
        }
    }
}
