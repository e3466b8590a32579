//! `suyuan demo`: settings for a small world that is gone afterwards, and what is said of it.

use clap::Args;
use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};
use suyuan::{
    app::{self, Application},
    clock::Clock,
    config::{Role, Settings},
    demo,
    sealing::Sealer,
    telemetry,
};

/// What the demo may be told.
#[derive(Args)]
pub struct DemoArgs {
    /// Listen for consumers on this machine's network address, so that a phone reaches it. The API
    /// stays on this machine, unless `internal.listen` says otherwise; it speaks TLS with the
    /// `internal.tls_…` settings of `suyuan cert`, as `suyuan serve` does.
    #[arg(long)]
    lan: bool,
    /// Print exactly one line of JSON when ready.
    #[arg(long)]
    json: bool,
    /// Check every code of the demo, then stop; exit status 1 if anything is off.
    #[arg(long)]
    once: bool,
    /// The same seed makes the same codes.
    #[arg(long)]
    seed: Option<u64>,
    /// Address for consumers (default 127.0.0.1:8080; any free port with --once).
    #[arg(long)]
    public_listen: Option<SocketAddr>,
    /// Address of the API (default 127.0.0.1:8081; any free port with --once).
    #[arg(long)]
    internal_listen: Option<SocketAddr>,
    /// Where the database and its master key go (default: a temporary folder, removed at the end).
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Makes the world and serves it, or checks it and stops.
pub async fn run(config: Option<PathBuf>, args: DemoArgs) -> Result<ExitCode, Box<dyn Error>> {
    let lan = if args.lan { demo::lan_address() } else { None };
    if args.lan && lan.is_none() {
        return Err("no network address found: leave out --lan".into());
    }
    let host = lan.map_or_else(|| "127.0.0.1".to_owned(), |address| address.to_string());
    let listen = |host: &str, port: u16| format!("{host}:{}", if args.once { 0 } else { port });
    let temporary = tempfile::Builder::new().prefix("suyuan-demo-").tempdir()?;
    // The API stays on this machine: only what a phone needs goes onto the network.
    let defaults = [
        ("public.listen", listen(&host, 8080)),
        ("internal.listen", listen("127.0.0.1", 8081)),
        ("data_dir", temporary.path().display().to_string()),
        ("limits.enabled", "false".to_owned()),
        ("limits.connections", "100000".to_owned()),
        ("limits.requests", u32::MAX.to_string()),
        ("log.level", "warn".to_owned()),
        ("log.format", "text".to_owned()),
    ];
    let mut flags = Vec::new();
    if let Some(address) = args.public_listen {
        flags.push(("public.listen", address.to_string()));
    } else if args.lan {
        flags.push(("public.listen", listen(&host, 8080)));
    }
    if let Some(address) = args.internal_listen {
        flags.push(("internal.listen", address.to_string()));
    }
    if let Some(folder) = &args.data_dir {
        flags.push(("data_dir", folder.display().to_string()));
    }
    let mut settings = Settings::load_over(&defaults, config.as_deref(), &flags)?;
    settings.fit_for(Role::Both)?;
    if args.once && settings.internal.scheme() == "https" {
        eprintln!("demo: --once asks itself over plain HTTP, which does not leave this machine");
        settings.internal.listen.set_ip(Ipv4Addr::LOCALHOST.into());
        for tls in [
            &mut settings.internal.tls_certificate,
            &mut settings.internal.tls_key,
            &mut settings.internal.tls_authority,
        ] {
            tls.clear();
        }
    }
    telemetry::start_logging(&settings.log)?;
    let sealer = match args.seed {
        Some(seed) => Sealer::for_kept_demo(seed, &settings.data_dir.join("master.key"))?,
        None => app::sealer(&settings)?,
    };
    let mut application = Application::build(settings, Clock::system(), sealer).await?;
    let made = demo::make(&application.state, args.seed.unwrap_or(0)).await?;
    if args.once {
        let handles = application.serve()?;
        let wrong = demo::check(&made).await;
        tokio::join!(handles.0.stop(false), handles.1.stop(false));
        application.finish().await;
        for fault in &wrong {
            eprintln!("wrong: {fault}");
        }
        eprintln!("demo: {} faults", wrong.len());
        return Ok(if wrong.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    if args.json {
        println!("{}", serde_json::to_string(&made)?);
    } else {
        tell(&made);
    }
    application.run().await?;
    Ok(ExitCode::SUCCESS)
}

fn tell(made: &demo::Demo) {
    let codes = &made.codes;
    let first = |list: &[String]| list.first().cloned().unwrap_or_default();
    println!("{}", demo::qr_for_terminal(&first(&codes.legal)));
    println!("扫描上面的二维码，或打开下列地址。 Scan the code above, or open:\n");
    for (label, list) in [
        ("正常      legal", &codes.legal),
        ("护理用品  care", &codes.care),
        ("已召回    recalled", &codes.recalled),
        ("已过期    expired", &codes.expired),
        ("已作废    void", &codes.void),
        ("未启用    not commissioned", &codes.not_commissioned),
        ("未签发    not allocated", &codes.not_allocated),
        ("伪造      forged", &codes.forged),
        ("整箱      case", &codes.case),
        ("托盘      pallet", &codes.pallet),
        ("疑似复制  suspected copy", &codes.suspected_copy),
        ("已收回    collected", &codes.collected),
        ("已销毁    destroyed", &codes.destroyed),
    ] {
        println!(
            "  {label}{} {}",
            " ".repeat(30_usize.saturating_sub(width(label))),
            first(list)
        );
    }
    println!("\n  输入追溯码 type a code       {}/q", made.public_url);
    println!("  API                          {}/docs/", made.internal_url);
    if made.internal_url.starts_with("https:") {
        println!("  PDA                          {}/app/", made.internal_url);
        println!(
            "  注册设备 enrol devices       {}/app/enrol",
            made.internal_url
        );
        println!(
            "  信任证书 trust               {}/app/trust",
            made.internal_url
        );
    }
    println!(
        "  企业登录 enterprise log-in   {} / {}",
        made.login.user, made.login.password
    );
    println!(
        "  平台登录 platform log-in     {} / {}",
        made.platform.user, made.platform.password
    );
    let badges = &made.badges;
    println!("  工牌 badges                  {}", badges.worker);
    println!(
        "  主管工牌 supervisors         {}",
        badges.supervisors.join(" ")
    );
    if made.public_url.contains("127.0.0.1") {
        println!("\n手机扫码请用 to scan with a phone: cargo run --release -- demo --lan");
    }
    println!("\nCtrl-C 结束 ends it.");
}

/// Columns a text takes at a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if c as u32 >= 0x2e80 { 2 } else { 1 })
        .sum()
}
