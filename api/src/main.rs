//! The binary `suyuan`: reads settings, runs a subcommand.

mod cli;

use clap::{Args, Parser, Subcommand};
use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};
use suyuan::{
    accounts,
    app::{self, Application, Bound, InternalPart, PublicPart},
    clock::Clock,
    config::{Role, Settings},
    db::{self, Db},
    doctor,
    handheld::{
        keys::ListKeys,
        replay::{Replayed, replay},
        verify::{
            Verified,
            acts::{Acts, verify_acts},
            verify,
        },
    },
    http::Draining,
    inbox::Seals,
    log::Log,
    personal_data,
    photo::worker,
    public_role::{self, Password},
    telemetry,
};

/// An upload is tens of thousands of small texts and rows made on one thread and dropped on another,
/// where the allocator of glibc took a quarter of the processor.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Traceability for infant formula and maternal and baby products.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// Settings file (TOML).
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a small world to look at: embedded, nothing else needed.
    Demo(cli::demo::DemoArgs),
    /// Run both listeners in one process.
    Serve,
    /// Run the consumers' listener alone, on PostgreSQL; any number of them beside one another.
    Public,
    /// Run the internal listener and the jobs alone, on PostgreSQL.
    Internal,
    /// Print or make keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Tend the database.
    #[command(subcommand)]
    Admin(Admin),
    /// TLS for the internal listener: a local authority, and a certificate for the addresses under
    /// which devices find it. Run again, it renews the certificate under the same authority.
    Cert(cli::cert::CertArgs),
    /// Devices: make them, show the QR they enrol by, list and revoke them.
    #[command(subcommand)]
    Device(cli::device::DeviceCommand),
    /// Bring the database to this version's schema and stop.
    Migrate,
    /// Print the settings in force, secrets left out.
    Config,
    /// Read the QR codes in pictures, one line of JSON each.
    ReadPhoto(ReadPhotoArgs),
    /// Examine a resolver; exit status 1 if anything critical or required fails.
    Doctor(DoctorArgs),
    /// Run handsets and servers from a seed with everything going wrong; exit status 1 and the broken
    /// invariant if a promise does not hold, 2 if the run could not go on.
    Simulate(cli::simulate::SimulateArgs),
}

#[derive(Args)]
struct DoctorArgs {
    /// The GS1 Digital Link URI (http or https) of a code the resolver knows: the checks of GS1's
    /// test suite for resolvers are made against it.
    #[arg(long, value_name = "URL")]
    conformance: String,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Keys {
    /// The reader key: what `suyuan public` opens issue keys with instead of the master key.
    Reader,
    /// Make a new key that what consumers tell is sealed to from now on. What was sealed before
    /// still opens; running processes need no restart.
    Inbox,
    /// Make a new key that receipts, snapshots and recall lists are signed with in five minutes, when
    /// every running process ships it. Devices follow from the key they know.
    Lists,
}

#[derive(Subcommand)]
enum Admin {
    /// Make the PostgreSQL account `suyuan public` runs under, or bring its rights up to date. Run
    /// it with a database.url that may make roles, and again after each upgrade.
    PublicRole(PublicRoleArgs),
    /// Erase the personal data whose time is over (`voices.keep_days`) now. Every internal process
    /// does so once an hour.
    EraseOverdue,
    /// Verify the kept log: each event's bytes against the chain of its device. Reads only, also
    /// beside running processes; exit status 1, and a line for each event that is not what was
    /// received.
    VerifyLog,
    /// Verify what is kept of units, goods and findings: the whole log is folded from nothing and held
    /// against the tables. Reads only, also beside running processes, and takes some 3 kB of memory an
    /// event; exit status 1, and a line for each thing that is kept otherwise.
    VerifyState,
}

#[derive(Args)]
struct PublicRoleArgs {
    /// Its name: a to z, 0 to 9 and _.
    #[arg(long, default_value = "suyuan_public")]
    name: public_role::RoleName,
    /// A file with its password. Without it the password stays as it is; a new role has none.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

#[derive(Args)]
struct ReadPhotoArgs {
    /// PNG, JPEG or WebP; without any, one picture is read from standard input, within the limits
    /// of a stranger's.
    files: Vec<PathBuf>,
    /// Longest time for the picture on standard input.
    #[arg(long, default_value_t = 4000)]
    within_ms: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Small and alone in its process: nothing of the service is started for it.
    if let Command::ReadPhoto(args) = &cli.command {
        return read_photo(args);
    }
    match actix_web::rt::System::new().block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            let text = telemetry::in_full(error.as_ref());
            eprintln!("suyuan: {text}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Box<dyn Error>> {
    match cli.command {
        Command::Demo(args) => return cli::demo::run(cli.config, args).await,
        Command::Serve => serve(Settings::load(cli.config.as_deref(), &[])?).await?,
        Command::Public => serve_public(Settings::load(cli.config.as_deref(), &[])?).await?,
        Command::Internal => serve_internal(Settings::load(cli.config.as_deref(), &[])?).await?,
        Command::Keys(Keys::Reader) => {
            let sealer = app::sealer_made(&Settings::load(cli.config.as_deref(), &[])?)?;
            println!("{}", sealer.reader_key().to_base64().as_str());
        }
        Command::Keys(Keys::Inbox) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            let db = Db::open_made(&db::url(&settings), &settings.database).await?;
            let (sealer, now) = (app::sealer_made(&settings)?, Clock::system().now());
            let seals = Seals::open_keys(db, sealer, now).await?;
            println!("inbox key {}", seals.rotate(now).await?);
        }
        Command::Keys(Keys::Lists) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            let db = Db::open_made(&db::url(&settings), &settings.database).await?;
            let (sealer, now) = (app::sealer_made(&settings)?, Clock::system().now());
            let keys = ListKeys::open(&db, &sealer, now).await?;
            println!("list key {}", keys.rotate(now).await?);
        }
        Command::Cert(args) => cli::cert::run(&args)?,
        Command::Device(command) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            cli::device::run(&settings, command).await?;
        }
        Command::Admin(Admin::EraseOverdue) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            let db = Db::open_made(&db::url(&settings), &settings.database).await?;
            let log = Log::open(db.clone(), Clock::system()).await?;
            let erased = personal_data::erase_overdue(&db, &log, Clock::system().now()).await?;
            println!("erased: {erased}");
        }
        Command::Admin(Admin::VerifyLog) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            return verify_log(&settings).await;
        }
        Command::Admin(Admin::VerifyState) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            return verify_state(&settings).await;
        }
        Command::Admin(Admin::PublicRole(args)) => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            make_public_role(&settings, &args).await?;
        }
        Command::Migrate => {
            let settings = Settings::load(cli.config.as_deref(), &[])?;
            let db = Db::open(&db::url(&settings), &settings.database).await?;
            db.migrate().await?;
            println!("the schema is up to date");
        }
        Command::Doctor(args) => return examine(&args).await,
        Command::Simulate(args) => return Ok(cli::simulate::run(args).await),
        Command::ReadPhoto(args) => return Ok(read_photo(&args)),
        Command::Config => println!("{:#?}", Settings::load(cli.config.as_deref(), &[])?),
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify_log(settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
    let db = Db::open_made(&db::url(settings), &settings.database).await?;
    let verified = verify(&db, |damage| println!("{damage}")).await?;
    let Verified {
        events,
        chains,
        damaged,
    } = verified;
    println!("{events} events of {chains} device epochs: {damaged} damaged");
    let Acts {
        acts,
        begins,
        outside,
        damaged: torn,
    } = verify_acts(&db, |tear| println!("{tear}")).await?;
    println!("{acts} acts of the log from position {begins}: {torn} damaged");
    if outside > 0 {
        println!("{outside} positions of it are in no act: a program of before wrote them");
    }
    Ok(if damaged + torn == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn verify_state(settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
    let db = Db::open_made(&db::url(settings), &settings.database).await?;
    let Replayed {
        position,
        events,
        units,
        lines,
        findings,
        differences,
        is_quiet,
    } = replay(&db, &app::sealer_made(settings)?).await?;
    for difference in &differences {
        println!("{difference}");
    }
    if !is_quiet {
        println!("not all is worked in yet that the log says: verify again later");
    }
    println!(
        "{events} events up to position {position}, {units} units, {lines} lines of goods, \
         {findings} open findings: {} kept otherwise",
        differences.len()
    );
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn examine(args: &DoctorArgs) -> Result<ExitCode, Box<dyn Error>> {
    let report = doctor::examine(&args.conformance).await?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.conformant {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read_photo(args: &ReadPhotoArgs) -> ExitCode {
    let read = if args.files.is_empty() {
        worker::read_one(Duration::from_millis(args.within_ms))
    } else {
        worker::read_files(&args.files)
    };
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("suyuan: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    settings.fit_for(Role::Both)?;
    telemetry::start_logging(&settings.log)?;
    let sealer = app::sealer(&settings)?;
    let application = Application::build(settings, Clock::system(), sealer).await?;
    tell_consumers(application.public_addr);
    tell_staff(&application.state, application.internal_addr).await?;
    application.run().await?;
    Ok(())
}

async fn serve_public(mut settings: Settings) -> Result<(), Box<dyn Error>> {
    settings.fit_for(Role::Public)?;
    telemetry::start_logging(&settings.log)?;
    telemetry::start_metrics();
    let opener = app::opener(&settings)?;
    let bound = Bound::to(settings.public.listen)?;
    let (addr, draining) = (bound.addr, Draining::default());
    settings.public.listen = addr;
    let mut part =
        PublicPart::open(&settings, bound, Clock::system(), opener, draining.clone()).await?;
    let server = part.serve()?;
    tell_consumers(addr);
    app::until_told_to_leave(settings.drain, &draining, &[server]).await;
    part.finish().await;
    Ok(())
}

async fn serve_internal(mut settings: Settings) -> Result<(), Box<dyn Error>> {
    settings.fit_for(Role::Internal)?;
    telemetry::start_logging(&settings.log)?;
    telemetry::start_metrics();
    let sealer = app::sealer(&settings)?;
    let bound = Bound::to(settings.internal.listen)?;
    let (addr, drain, draining) = (bound.addr, settings.drain, Draining::default());
    settings.internal.listen = addr;
    let mut part =
        InternalPart::open(settings, bound, Clock::system(), sealer, draining.clone()).await?;
    let server = part.serve()?;
    tell_staff(&part.state, addr).await?;
    app::until_told_to_leave(drain, &draining, &[server]).await;
    part.finish();
    Ok(())
}

async fn make_public_role(
    settings: &Settings,
    args: &PublicRoleArgs,
) -> Result<(), Box<dyn Error>> {
    let password = match &args.password_file {
        None => None,
        Some(path) => Some(Password::parse(std::fs::read_to_string(path)?.trim())?),
    };
    let db = Db::open_made(&db::url(settings), &settings.database).await?;
    let kept = public_role::establish(&db, &args.name, password.as_ref()).await?;
    println!(
        "{} may read and write what a public process needs, and nothing else",
        args.name
    );
    if !kept {
        println!(
            "not a superuser: PUBLIC may still make large objects; a superuser may run this again"
        );
    }
    Ok(())
}

fn tell_consumers(addr: SocketAddr) {
    eprintln!("consumers: http://{addr}/q");
}

/// Where the API is and, while there is no account, the link that makes the first.
async fn tell_staff(state: &app::Internal, addr: SocketAddr) -> Result<(), Box<dyn Error>> {
    let base = format!("{}://{addr}", state.settings.internal.scheme());
    eprintln!("API:       {base}/docs/");
    if let Some(link) = accounts::make_setup_link(&state.db, state.clock.now()).await? {
        eprintln!("first administrator (once, within a day): {base}/setup?token={link}");
    }
    Ok(())
}
