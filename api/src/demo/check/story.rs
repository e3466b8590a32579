//! What the maker's staff see of the story: which contradictions stand, which were explained and by
//! what, and what became of the tin that was sold twice.

use super::{super::Demo, line::ask};
use serde_json::{Value, json};

/// The first thing that is not as the story has it.
pub async fn check(demo: &Demo) -> Result<(), String> {
    let login = json!({"username": demo.login.user, "password": demo.login.password});
    let sessions = format!("{}/v1/sessions", demo.internal_url);
    let media = "Content-Type: application/json\r\n";
    let session = read(ask("POST", &sessions, media, &login.to_string()).await?)?;
    let token = session["access_token"].as_str().ok_or("no token")?;
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let see = async |path: &str| {
        let url = format!("{}{path}", demo.internal_url);
        read(ask("GET", &url, &bearer, "").await?)
    };
    let open = see("/v1/findings?open=true").await?;
    let mut codes: Vec<&str> = items(&open).filter_map(|f| f["code"].as_str()).collect();
    codes.sort_unstable();
    if codes != ["DOUBLE_SALE", "SOLD_RECALLED"] {
        return Err(format!("open findings {codes:?}"));
    }
    // The recall was there, and the till without a network could not know.
    let mut sold = items(&open).filter(|finding| finding["code"] == "SOLD_RECALLED");
    let detail = sold.next().map(|finding| &finding["detail"]);
    let said = |what: &str| detail.and_then(|detail| detail.pointer(what)?.as_str());
    if (said("/when/is"), said("/knowledge")) != (Some("after"), Some("could_not_know")) {
        return Err(format!("of the sale after the recall is told {detail:?}"));
    }
    // Four sales looked as if the goods had never come, until the warehouse's upload came.
    let healed = see("/v1/findings?open=false&code=ORPHAN_SALE").await?;
    let causes: Vec<_> = items(&healed)
        .map(|finding| finding["closed"]["by"]["kind"].as_str())
        .collect();
    if causes != [Some("outbound"); 4] {
        return Err(format!("explained by {causes:?}"));
    }
    let copied = demo.codes.suspected_copy.first().ok_or("no copied tin")?;
    let path = copied
        .replace('%', "%25")
        .replace('/', "%2F")
        .replace('?', "%3F");
    let unit = see(&format!("/v1/units/{path}")).await?;
    let state = &unit["state"];
    if (state["phase"].as_str(), state["suspected_copy"].as_bool()) != (Some("sold"), Some(true)) {
        return Err(format!("the tin sold twice is {state}"));
    }
    let told = see("/v1/badges").await?;
    let printed = |role: &str| -> Vec<&str> {
        let of = items(&told).filter(|badge| badge["role"] == role);
        of.filter_map(|badge| badge["printed"].as_str()).collect()
    };
    let (workers, supervisors) = (printed("worker"), printed("supervisor"));
    if workers != [&demo.badges.worker] || supervisors != demo.badges.supervisors {
        return Err(format!("badges {workers:?}, {supervisors:?}"));
    }
    Ok(())
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page["items"].as_array().into_iter().flatten()
}

fn read(answer: super::line::Answer) -> Result<Value, String> {
    if !(200..300).contains(&answer.status) {
        return Err(format!("answered {}: {}", answer.status, answer.body));
    }
    serde_json::from_str(&answer.body).map_err(|error| format!("JSON: {error}"))
}
