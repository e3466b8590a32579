//! Runs the tool that `tests/run` installed, and reads what it reports.

use serde_json::{Value, json};
use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path, time::Duration};
use tokio::process::Command;

/// What is looked for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";
/// Longest run of the tool: it must never hold a whole run of the tests up.
const RUN_MAX: Duration = Duration::from_mins(4);
/// How often an id that exists is sent rather than one made up.
const KNOWN: f64 = 0.6;

/// One run.
#[derive(Clone)]
pub struct Run {
    /// What the tool reads.
    pub document: Value,
    /// Where the service is.
    pub url: String,
    /// Who asks.
    pub token: Option<String>,
    /// The form of answer that is asked for.
    pub accept: &'static str,
    /// Requests of each operation while values are varied.
    pub examples: u32,
    /// In which ways requests are made, by the tool's names.
    pub phases: &'static str,
    /// Values that exist: operation, place (`path.id`), value.
    pub known: Vec<(String, String, String)>,
    /// Operation ids left out.
    pub without: Vec<String>,
    /// Operation ids asked for; all if empty.
    pub only: Vec<String>,
}

/// What came of it.
pub struct Report {
    /// What the tool found, in its own words; empty if nothing.
    pub faults: String,
    /// How often each operation answered with success.
    pub accepted: BTreeMap<String, u64>,
}

/// Runs it. Panics where the tool itself fails: a check that was not made is no success.
pub async fn run(run: Run) -> Report {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("openapi.json"), run.document.to_string()).expect("the document");
    fs::write(at("schemathesis.toml"), settings(&run)).expect("its settings");
    let report = at("report.json");

    let mut command = Command::new(program());
    command
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", hooks())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SUYUAN_ACCEPT", run.accept)
        .args(["--config-file", "schemathesis.toml", "run", "openapi.json"])
        .args(["--url", &run.url, "--checks", CHECKS, "--no-color"])
        .args(["--phases", run.phases])
        .args(["--max-examples", &run.examples.to_string()])
        .args(["--seed", "7", "--generation-deterministic"])
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .args(["--continue-on-failure", "--request-timeout", "30"])
        .arg("--report-json-path")
        .arg(&report)
        .kill_on_drop(true);
    if let Some(token) = &run.token {
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
    }
    for id in &run.without {
        command.args(["--exclude-operation-id", id]);
    }
    for id in &run.only {
        command.args(["--include-operation-id", id]);
    }
    let ended = tokio::time::timeout(RUN_MAX, command.output()).await;
    let ended = ended.expect("an end in time").expect("the tool");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let why = String::from_utf8_lossy(&ended.stderr).into_owned();
    let report = fs::read_to_string(report)
        .unwrap_or_else(|error| panic!("no report ({error}): {said}\n{why}"));
    let report: Value = serde_json::from_str(&report).expect("a report");
    assert_eq!(report["complete"], true, "not finished: {said}\n{why}");
    assert_eq!(report["operations"]["errored"], 0, "{said}\n{why}");
    assert_eq!(
        report["operations"]["tested"], report["operations"]["selected"],
        "{said}"
    );
    let clean =
        ended.status.success() && report["failures"] == json!([]) && report["errors"] == json!([]);
    Report {
        faults: if clean { String::new() } else { said },
        accepted: accepted(&report),
    }
}

fn accepted(report: &Value) -> BTreeMap<String, u64> {
    let rates = report["valid_rates"].as_object().expect("rates");
    let times = |phases: &Value| -> u64 {
        let phases = phases.as_object().into_iter().flatten();
        phases
            .filter_map(|(_, phase)| phase["accepted"].as_u64())
            .sum()
    };
    rates
        .iter()
        .map(|(name, phases)| (name.clone(), times(phases)))
        .collect()
}

/// Known values as dictionaries, one an operation and place.
fn settings(run: &Run) -> String {
    let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (operation, place, value) in &run.known {
        places.entry((operation, place)).or_default().push(value);
    }
    let (mut dictionaries, mut operations) = (String::new(), BTreeMap::<&str, String>::new());
    for (n, ((operation, place), values)) in places.iter().enumerate() {
        let values = Value::from(values.clone());
        // A JSON list of strings is a TOML list of strings.
        writeln!(dictionaries, "[dictionaries.d{n}]\nvalues = {values}\n").expect("text");
        writeln!(
            operations.entry(operation).or_default(),
            "parameters.{place:?} = {{ dictionary = \"d{n}\", probability = {KNOWN} }}"
        )
        .expect("text");
    }
    let operations = operations
        .iter()
        .map(|(name, lines)| format!("[[operations]]\ninclude-name = {name:?}\n{lines}\n"));
    dictionaries + &operations.collect::<String>()
}

fn program() -> String {
    env::var("SUYUAN_TEST_SCHEMATHESIS")
        .expect("SUYUAN_TEST_SCHEMATHESIS is not set: run the tests with tests/run")
}

fn hooks() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis/hooks.py")
}
