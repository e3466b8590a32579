//! The scan budgets, put together: which service is started, what it is asked, and how figures
//! come out of the rounds.
//!
//! Three phases, each with its own service and, where ratios are taken, its own baseline running
//! in the same minutes on the same core: the embedded one (or PostgreSQL), the same with Redis,
//! and, on request, two services side by side with few and very many issued codes. A phase that
//! fails leaves `null` with its reason and the next one is taken.

use std::{path::PathBuf, time::Duration};

use serde_json::Value;

use crate::{
    LoadError,
    counted::counted_scans,
    drive::{Aim, Outcome, open_loop},
    nginx::{self, Nginx},
    pair::{Office, Pair},
    process::{self, Cores},
    rounds::{Plan, Rounds, Variant, WARM_UP},
    server::Wanted,
    single::{issue_million, page_bytes, recall_visible},
    summary::{SCAN, Series, Spread, Summary, Taken, progress},
    target::require_local_store,
    workload::{Expected, Workload},
};

/// So many of the issued codes join the demo's own in the hot set.
const HOT_SET: usize = 1_000;
/// Kinds of request that are not in every run.
const NGINX: &str = "nginx, static";
const NEW: &str = "new";
const FLAT_FEW: u64 = 100_000;
const FLAT_MANY: u64 = 100_000_000;

const REDIS_FIGURES: [&str; 2] = ["scan_hot_redis_ratio", "scan_new_redis_ratio"];
const FLAT_FIGURES: [&str; 2] = ["scan_flat_ratio", "flat_rss_mb"];
const FIRST_FIGURES: [&str; 12] = [
    "scan_hot_ratio",
    "scan_new_ratio",
    "scan_forged_ratio",
    "scan_forged_io_calls",
    "scan_p99_ms",
    "scan_max_ms",
    "scan_counted_max_ms",
    "recall_visible_ms",
    "issue_million_s",
    "issue_million_bytes",
    "public_rss_mb",
    "page_bytes",
];

/// Those of the first phase that need someone logged in.
const OFFICER_FIGURES: [&str; 4] = [
    "scan_counted_max_ms",
    "issue_million_s",
    "issue_million_bytes",
    "recall_visible_ms",
];

/// Flags of `suyuan-loadtest scan`.
#[derive(Debug, clap::Args)]
pub struct ScanArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Exit status 1 when a budget is missed, or a figure that was asked for could not be taken
    #[arg(long)]
    pub check: bool,
    /// Rounds; the median is reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    rounds: u8,
    /// Measured seconds of each variant in each round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// The `suyuan` program [default: the one beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Redis on this machine: adds the figures with Redis
    #[arg(long)]
    redis: Option<String>,
    /// PostgreSQL on this machine, instead of the embedded database
    #[arg(long)]
    postgres: Option<String>,
    /// Keep-alive connections, one request in flight on each
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Makes forged serials, and the demo world if given, the same again
    #[arg(long)]
    seed: Option<u64>,
    /// Codes issued to be asked once each, shared among the rounds
    #[arg(long, default_value_t = 900_000,
        value_parser = clap::value_parser!(u32).range(10_000..=5_000_000))]
    new_codes: u32,
    /// Also issue 10⁸ codes and compare with 10⁵ (takes long; embedded database only)
    #[arg(long)]
    flat: bool,
}

/// Takes every figure it can. Fails only on arguments that must be refused.
pub async fn run(args: &ScanArgs, cores: Cores) -> Result<Summary, LoadError> {
    for url in [&args.redis, &args.postgres].into_iter().flatten() {
        require_local_store(url)?;
    }
    let this_program =
        std::env::current_exe().map_err(LoadError::io("finding this program itself"))?;
    let run = Run {
        args,
        cores,
        server: match &args.server {
            Some(path) => path.clone(),
            None => this_program.with_file_name("suyuan"),
        },
        this_program,
    };
    let mut summary = Summary::of(&SCAN);
    run.describe(&mut summary);

    if let Err(error) = run.first_phase(&mut summary).await {
        summary.explain(&FIRST_FIGURES, &error.to_string());
    }
    match &args.redis {
        None => summary.leave_out(&REDIS_FIGURES, "no --redis given"),
        Some(url) => {
            if let Err(error) = run.redis_phase(url, &mut summary).await {
                summary.explain(&REDIS_FIGURES, &error.to_string());
            }
        }
    }
    match (args.flat, &args.postgres) {
        (false, _) => summary.leave_out(
            &FLAT_FIGURES,
            "needs 10^8 issued codes; not taken in this run",
        ),
        (true, Some(_)) => summary.leave_out(
            &FLAT_FIGURES,
            "needs two services side by side, so embedded databases; run without --postgres",
        ),
        (true, None) => {
            if let Err(error) = run.flat_phase(&mut summary).await {
                summary.explain(&FLAT_FIGURES, &error.to_string());
            }
        }
    }
    summary.note("load_average_at_end", json_number(process::load_average()));
    Ok(summary)
}

/// What stays the same through all phases.
struct Run<'a> {
    args: &'a ScanArgs,
    cores: Cores,
    server: PathBuf,
    this_program: PathBuf,
}

impl Run<'_> {
    fn describe(&self, summary: &mut Summary) {
        let args = self.args;
        summary.note("cores", self.cores.describe());
        summary.note("connections", args.connections);
        summary.note("rounds", args.rounds);
        summary.note("seconds_per_variant", args.seconds);
        summary.note("warm_up_seconds", WARM_UP.as_secs());
        summary.note("seed", args.seed);
        let store = if args.postgres.is_some() {
            "postgres"
        } else {
            "sqlite"
        };
        summary.note("store", store);
        summary.note(
            "load_average_at_start",
            json_number(process::load_average()),
        );
        // Settings of the caller reach the service; their names (values may be secret) are told.
        let settings: Vec<Value> = std::env::vars()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("SUYUAN__"))
            .map(Value::from)
            .collect();
        summary.note("settings_in_environment", settings);
    }

    fn wanted(&self, redis: Option<&str>) -> Wanted {
        Wanted {
            program: self.server.clone(),
            cores: self.cores,
            redis: redis.map(str::to_owned),
            postgres: self.args.postgres.clone(),
            seed: self.args.seed,
        }
    }

    async fn pair(&self, redis: Option<&str>) -> Result<Pair, LoadError> {
        let connections = usize::from(self.args.connections);
        Pair::start(&self.wanted(redis), &self.this_program, connections).await
    }

    fn plan(&self) -> Plan {
        Plan {
            rounds: usize::from(self.args.rounds),
            length: Duration::from_secs(self.args.seconds),
        }
    }

    fn fresh<'a>(&self, pair: &'a Pair, name: &str, paths: Vec<String>) -> Variant<'a> {
        Variant::once(name, &pair.served, pair.hot(), paths, self.plan())
    }

    /// Everything that is taken without Redis.
    async fn first_phase(&self, summary: &mut Summary) -> Result<(), LoadError> {
        let pair = self.pair(None).await?;
        let office = Office::open(&pair).await;
        match &office {
            Ok(office) => {
                // First, on a service that has not been scanned yet.
                issue_million(&pair, office, summary).await;
                self.counted_figures(&pair, office, summary).await;
            }
            Err(error) => summary.explain(&OFFICER_FIGURES, &error.to_string()),
        }
        let issued = match &office {
            Ok(office) => office.issue(u64::from(self.args.new_codes)).await,
            Err(error) => Err(LoadError::Unusable(error.to_string())),
        };
        let officer = office.as_ref().ok().map(|office| &office.officer);
        let mut fresh = issued.as_ref().map_or_else(|_| Vec::new(), Clone::clone);
        let hot_set = fresh.split_off(fresh.len().saturating_sub(HOT_SET));
        let forged = pair.forged(self.args.seed.unwrap_or(1));
        let nginx = Nginx::start(self.cores, &pair.answer).await;
        let nginx = nginx.map(|nginx| (self.aim(&nginx), nginx));
        let mut variants = vec![
            Variant::new("baseline", &pair.bare, pair.baseline()),
            Variant::new("hot", &pair.served, pair.hot()),
            Variant::new("hot set", &pair.served, pair.hot_set(hot_set)?),
            // Against itself, the baseline shows what this machine's noise makes of a ratio of 1.
            Variant::new("baseline again", &pair.bare, pair.baseline()),
            Variant::new("forged", &pair.served, forged).counting_io_of(officer),
        ];
        match &nginx {
            Ok((aim, _)) => {
                let paths = [nginx::PATH.to_owned()].into();
                let load = Workload::cycle(&aim.target, paths, Expected::BASELINE);
                variants.push(Variant::new(NGINX, aim, load));
            }
            Err(error) => summary.note("nginx", format!("not measured: {error}")),
        }
        if issued.is_ok() {
            variants.push(self.fresh(&pair, NEW, fresh));
        }
        let rounds = Rounds::run(self.plan(), &variants).await;
        let [baseline, hot, _, _, forged, others @ ..] = &rounds.series[..] else {
            unreachable!("a series comes back for every variant")
        };
        let new = others.iter().find(|series| series.name == NEW);
        for series in &rounds.series {
            summary.add_series(series, Some(baseline));
        }
        summary.put("scan_hot_ratio", ratio_figure(hot, baseline));
        summary.put("scan_new_ratio", new_figure(&issued, new, hot));
        summary.put("scan_forged_ratio", ratio_figure(forged, baseline));
        let io_calls = match (&issued, forged.rates(), rounds.io_calls) {
            (Err(error), ..) => Err(error.to_string()),
            (_, Err(reason), _) | (_, _, Err(reason)) => Err(reason),
            (_, _, Ok(calls)) => Taken::median(&[calls as f64])
                .map(|taken| taken.with("of", "all forged requests together")),
        };
        summary.put("scan_forged_io_calls", io_calls);

        self.open_loop_figures(&pair, hot, summary).await;
        summary.put("page_bytes", as_reason(page_bytes(&pair).await));
        if let Ok(office) = &office {
            let visible = recall_visible(&pair, office).await;
            summary.put("recall_visible_ms", as_reason(visible));
        }
        summary.put("public_rss_mb", resident(&pair));
        Ok(())
    }

    async fn redis_phase(&self, url: &str, summary: &mut Summary) -> Result<(), LoadError> {
        let pair = self.pair(Some(url)).await?;
        let issued = async {
            let office = Office::open(&pair).await?;
            office.issue(u64::from(self.args.new_codes)).await
        }
        .await;
        let mut variants = vec![
            Variant::new("baseline, redis", &pair.bare, pair.baseline()),
            Variant::new("hot, redis", &pair.served, pair.hot()),
        ];
        if let Ok(issued) = &issued {
            variants.push(self.fresh(&pair, "new, redis", issued.clone()));
        }
        let rounds = Rounds::run(self.plan(), &variants).await;
        let [baseline, hot, new @ ..] = &rounds.series[..] else {
            unreachable!("a series comes back for every variant")
        };
        for series in &rounds.series {
            summary.add_series(series, Some(baseline));
        }
        summary.put("scan_hot_redis_ratio", ratio_figure(hot, baseline));
        summary.put(
            "scan_new_redis_ratio",
            new_figure(&issued, new.first(), hot),
        );
        Ok(())
    }

    /// Codes where few are issued against as many codes where very many are, both services running
    /// side by side on the server core.
    async fn flat_phase(&self, summary: &mut Summary) -> Result<(), LoadError> {
        let (few, many) = (self.pair(None).await?, self.pair(None).await?);
        let few_issued = Office::open(&few).await?.issue(FLAT_FEW).await?;
        let office = Office::open(&many).await?;
        let many_issued = office.issue_spread(FLAT_MANY, FLAT_FEW).await?;
        // As many codes asked in turn: only what else is issued differs.
        let variants = [
            Variant::new("of 10^5", &few.served, few.cycle(few_issued)),
            Variant::new("of 10^8", &many.served, many.cycle(many_issued)),
        ];
        let rounds = Rounds::run(self.plan(), &variants).await;
        let [few_series, many_series] = &rounds.series[..] else {
            unreachable!("a series comes back for every variant")
        };
        for series in &rounds.series {
            summary.add_series(series, None);
        }
        summary.put("scan_flat_ratio", ratio_figure(many_series, few_series));
        summary.put("flat_rss_mb", resident(&many));
        Ok(())
    }

    async fn counted_figures(&self, pair: &Pair, office: &Office, summary: &mut Summary) {
        match counted_scans(pair, office, self.plan()).await {
            Ok((series, max)) => {
                summary.add_series(&series, None);
                summary.put("scan_counted_max_ms", max);
            }
            Err(error) => summary.explain(&["scan_counted_max_ms"], &error.to_string()),
        }
    }

    fn aim(&self, nginx: &Nginx) -> Aim {
        Aim {
            target: nginx.target.clone(),
            pid: Some(nginx.pid()),
            connections: usize::from(self.args.connections),
        }
    }

    /// Half of what the closed loop found, on a schedule.
    async fn open_loop_figures(&self, pair: &Pair, hot: &Series, summary: &mut Summary) {
        let names = ["scan_p99_ms", "scan_max_ms"];
        let rate = match hot.rates().map(|rates| Spread::of(&rates)) {
            Ok(Some(spread)) => spread.median / 2.0,
            Ok(None) => return summary.explain(&names, "no saturation rate was found"),
            Err(reason) => return summary.explain(&names, &reason),
        };
        let mut series = Series {
            name: "hot, half load".to_owned(),
            outcomes: Vec::new(),
            failed: None,
        };
        let Plan { rounds, length } = self.plan();
        for round in 1..=rounds {
            progress(&format!("round {round}: {} ({rate:.0}/s)", series.name));
            match open_loop(&pair.served, &pair.hot(), rate, WARM_UP, length).await {
                Ok(outcome) => series.outcomes.push(outcome),
                Err(error) => series.failed = Some(error.to_string()),
            }
        }
        summary.add_series(&series, None);
        if let Err(reason) = series.rates() {
            return summary.explain(&names, &reason);
        }
        let each = |value: &dyn Fn(&Outcome) -> f64| -> Vec<f64> {
            series.outcomes.iter().map(value).collect()
        };
        let p99 = Taken::median(&each(&|outcome| outcome.latency_ms(0.99)));
        let late = Spread::of(&each(&Outcome::sent_late_p99_ms)).map(|late| late.median);
        let max = Taken::worst(&each(&Outcome::max_ms));
        summary.put(
            "scan_p99_ms",
            p99.map(|taken| {
                taken
                    .with("rate", rate.round())
                    .with("sent_late_p99_ms", json_number(late))
            }),
        );
        summary.put(
            "scan_max_ms",
            max.map(|taken| taken.with("of", "the worst round")),
        );
    }
}

fn ratio_figure(of: &Series, to: &Series) -> Result<Taken, String> {
    let taken = Taken::median(&of.ratio_to(to)?)?;
    let cpu = of.cpu_ratio_to(to).map_or(Value::Null, Value::from);
    Ok(taken
        .with("to", to.name.as_str())
        .with("cpu_per_request_ratio", cpu))
}

/// Never-seen codes against the hot one.
fn new_figure(
    issued: &Result<Vec<String>, LoadError>,
    new: Option<&Series>,
    hot: &Series,
) -> Result<Taken, String> {
    match (issued, new) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(_), Some(new)) => ratio_figure(new, hot),
        (Ok(_), None) => Err("no never-seen codes were asked for".to_owned()),
    }
}

fn resident(pair: &Pair) -> Result<Taken, String> {
    let megabytes = process::resident_mb(pair.demo.pid());
    let megabytes = megabytes.ok_or("/proc cannot be read here")?;
    let of = "the demo process: public and internal parts together";
    Taken::median(&[megabytes]).map(|taken| taken.with("of", of))
}

fn as_reason(figure: Result<Taken, LoadError>) -> Result<Taken, String> {
    figure.map_err(|error| error.to_string())
}

fn json_number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_belongs_to_one_phase() {
        let summary = Summary::of(&SCAN).to_json();
        let mut named: Vec<&str> = [&FIRST_FIGURES[..], &REDIS_FIGURES, &FLAT_FIGURES].concat();
        named.sort_unstable();
        let detail = summary["detail"].as_object().unwrap().keys();
        let mut known: Vec<&String> = detail
            .filter(|name| !matches!(name.as_str(), "variants" | "setup"))
            .collect();
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
