//! Every code of the demo, asked about as a phone would.

use super::{super::Codes, line::get};
use serde_json::Value;

/// Name, codes, and what must be true of them: status, legality, advice, the reasons if any.
type Group<'a> = (&'a str, &'a [String], u16, &'a str, &'a str, &'a str);

/// Everything that is wrong, in words; empty when all is right.
pub async fn check(codes: &Codes) -> Vec<String> {
    let mut wrong = Vec::new();
    let groups: [Group<'_>; 13] = [
        ("legal", &codes.legal, 200, "legal", "ok", ""),
        ("care", &codes.care, 200, "legal", "ok", ""),
        (
            "recalled",
            &codes.recalled,
            200,
            "legal",
            "stop",
            "recalled",
        ),
        ("expired", &codes.expired, 200, "legal", "stop", "expired"),
        ("void", &codes.void, 200, "void", "stop", "void"),
        (
            "not_commissioned",
            &codes.not_commissioned,
            200,
            "not_commissioned",
            "caution",
            "not_commissioned",
        ),
        (
            "not_allocated",
            &codes.not_allocated,
            404,
            "not_allocated",
            "stop",
            "not_allocated",
        ),
        (
            "forged",
            &codes.forged,
            404,
            "not_allocated",
            "stop",
            "not_allocated",
        ),
        ("case", &codes.case, 200, "legal", "ok", ""),
        (
            "pallet",
            &codes.pallet,
            200,
            "legal",
            "caution",
            "names_logistic_unit",
        ),
        (
            "suspected_copy",
            &codes.suspected_copy,
            200,
            "legal",
            "caution",
            "suspected_copy",
        ),
        (
            "collected",
            &codes.collected,
            200,
            "legal",
            "stop",
            "recalled collected",
        ),
        (
            "destroyed",
            &codes.destroyed,
            200,
            "legal",
            "stop",
            "destroyed",
        ),
    ];
    for (group, urls, status, legality, advice, reason) in groups {
        if urls.is_empty() {
            wrong.push(format!("{group}: no codes"));
        }
        for url in urls {
            if let Err(fault) = one(url, status, legality, advice, reason).await {
                wrong.push(format!("{group}: {url}: {fault}"));
            }
        }
    }
    wrong
}

async fn one(
    url: &str,
    status: u16,
    legality: &str,
    advice: &str,
    reason: &str,
) -> Result<(), String> {
    let json = get(url, "application/json").await?;
    let view: Value = serde_json::from_str(&json.body).map_err(|e| format!("JSON: {e}"))?;
    let reasons = view["reasons"].as_array().cloned().unwrap_or_default();
    let found = (
        json.status,
        view["legality"].as_str(),
        view["advice"].as_str(),
    );
    if found != (status, Some(legality), Some(advice)) {
        return Err(format!("answered {found:?}"));
    }
    let told: Vec<&str> = reasons.iter().filter_map(Value::as_str).collect();
    let expected: Vec<&str> = reason.split_whitespace().collect();
    if told != expected {
        return Err(format!("reasons {told:?}"));
    }
    if legality == "legal" && advice != "caution" {
        let items = view["public_info"].as_array().map_or(0, Vec::len);
        if items < 18 {
            return Err(format!("only {items} items of Table 8"));
        }
    }
    // Who wishes for nothing is sent to the page, as is what GS1 readers ask.
    let plain = get(url, "*/*").await?;
    let sent = if status == 200 { 307 } else { 404 };
    if plain.status != sent {
        return Err(format!(
            "without wishes: status {}, not {sent}",
            plain.status
        ));
    }
    let linkset = get(url, "application/linkset+json").await?;
    if linkset.status != status || (status == 200 && !linkset.body.contains("defaultLink")) {
        return Err(format!("linkset: status {}", linkset.status));
    }
    let page = get(url, "text/html").await?;
    // Data for programs is no script: no browser runs it.
    let data = "<script type=\"application/ld+json\">";
    let has_script = page.body.replacen(data, "", 1).contains("<script");
    if page.status != status || !page.body.contains("<h1") || has_script {
        return Err(format!(
            "page: status {}, {} bytes",
            page.status,
            page.body.len()
        ));
    }
    Ok(())
}
