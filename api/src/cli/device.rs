//! `suyuan device`: devices from the command line, beside a running server or without one.

use clap::Subcommand;
use std::error::Error;
use suyuan::{
    clock::Clock,
    config::Settings,
    db::{self, Db},
    demo::qr_for_terminal,
    handheld::devices::{
        store::{self, Ticket},
        ticket,
        wire::{DeviceIn, DeviceOut, Profile, RevocationIn},
    },
    http::page::Paging,
    log::{Actor, Log},
    registry::{enterprises::store as enterprises, locations::store as locations},
    tls::Authority,
};
use uuid::Uuid;

/// Devices a page while listing.
const PAGE: u64 = 500;

/// What can be done with devices.
#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Make a device and show the QR it enrols by within ten minutes.
    Add {
        /// Code of its enterprise.
        #[arg(long)]
        enterprise: String,
        /// Code of the place where it is used.
        #[arg(long)]
        location: String,
        /// What people call it, 1 to 60 characters.
        #[arg(long)]
        name: String,
        /// Which screens it shows.
        #[arg(long, value_enum, default_value = "handheld")]
        profile: Profile,
    },
    /// A new QR for a device: after loss of its data, a restore, or when the first ran out.
    Ticket {
        /// Its id.
        id: Uuid,
    },
    /// Devices of an enterprise, one a line: id, epoch, state, profile, name.
    List {
        /// Code of the enterprise.
        #[arg(long)]
        enterprise: String,
    },
    /// Revoke a device that was lost or stolen. What it sends from now on is kept aside.
    Revoke {
        /// Its id.
        id: Uuid,
        /// Lost, stolen, scrapped: kept in the log; no names of people.
        #[arg(long)]
        reason: String,
    },
}

/// Does it and says what came of it.
pub async fn run(settings: &Settings, command: DeviceCommand) -> Result<(), Box<dyn Error>> {
    let db = Db::open_made(&db::url(settings), &settings.database).await?;
    let log = Log::open(db.clone(), Clock::system()).await?;
    match command {
        DeviceCommand::Add {
            enterprise,
            location,
            name,
            profile,
        } => {
            let enterprise = known(&db, &enterprise).await?;
            let place = locations::by_code(&db, enterprise, &location).await?;
            let place = place.ok_or_else(|| format!("no location with the code {location}"))?;
            let new = DeviceIn {
                name,
                profile,
                location_id: place,
            };
            new.check()?;
            let made = store::create(&log, enterprise, Actor::System, None, new).await?;
            show(settings, enterprise, made)?;
        }
        DeviceCommand::Ticket { id } => {
            let owner = owner(&db, id).await?;
            let made = store::ticket(&log, owner, Actor::System, None, id).await?;
            show(settings, owner, made)?;
        }
        DeviceCommand::List { enterprise } => {
            let enterprise = known(&db, &enterprise).await?;
            let mut after = Uuid::nil();
            loop {
                let page = Paging { after, limit: PAGE };
                let rows = store::list(&db, enterprise, page).await?;
                for row in &rows {
                    let state = match (row.revoked_at, row.epoch) {
                        (Some(_), _) => "revoked",
                        (None, 0) => "waiting",
                        (None, _) => "enrolled",
                    };
                    println!(
                        "{} {:>3} {state:<8} {:<8} {}",
                        row.id, row.epoch, row.profile, row.name
                    );
                }
                match rows.last() {
                    Some(row) => after = row.id,
                    None => break,
                }
            }
        }
        DeviceCommand::Revoke { id, reason } => {
            let revocation = RevocationIn { reason };
            revocation.check()?;
            let (owner, reason) = (owner(&db, id).await?, &revocation.reason);
            let row = store::revoke(&log, owner, Actor::System, None, (id, reason)).await?;
            println!("revoked: {} {}", row.id, row.name);
        }
    }
    Ok(())
}

async fn known(db: &Db, code: &str) -> Result<Uuid, Box<dyn Error>> {
    let found = enterprises::by_code(db, code).await?;
    found.ok_or_else(|| format!("no enterprise with the code {code}").into())
}

async fn owner(db: &Db, id: Uuid) -> Result<Uuid, Box<dyn Error>> {
    let found = store::by_id(db.reader(), id).await?;
    let row = found.ok_or_else(|| format!("no device {id}"))?;
    Ok(row.enterprise_id)
}

/// The QR, the code for typing, and until when they hold.
fn show(
    settings: &Settings,
    enterprise: Uuid,
    made: (DeviceOut, Ticket),
) -> Result<(), Box<dyn Error>> {
    let authority = Authority::open(&settings.internal)?;
    let told = ticket::told(settings, authority.as_ref(), enterprise, made);
    let (device, ticket) = (told.device, told.ticket);
    println!("{}", qr_for_terminal(&ticket.text));
    println!("{} {}", device.id, device.name);
    println!("code {} until {}", ticket.code, ticket.expires_at);
    println!("{}", ticket.text);
    if let Some(authority) = authority {
        println!(
            "the device has to trust the authority {}",
            authority.fingerprint.groups()
        );
    }
    Ok(())
}
