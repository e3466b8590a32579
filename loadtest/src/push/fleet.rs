//! A service with devices enrolled in its demo enterprise and tins for them to scan.

use std::path::{Path, PathBuf};

use super::{
    bulk::Bulk,
    device::{Device, Identity},
    lanes::Lane,
    life::{self, Places},
    sizes::Sizes,
};
use crate::{
    LoadError,
    issuing::Id,
    pair::Office,
    process::Cores,
    server::{Demo, Wanted},
    summary::progress,
    workload::PrintedCode,
};

/// See the file's header.
pub struct Fleet {
    /// The service.
    pub demo: Demo,
    /// Where things happen.
    pub places: Places,
    /// Its devices, but for those that are lent out.
    pub devices: Vec<Device>,
    /// 14 digits of the product everything is about.
    pub gtin: String,
    /// The lot of its batch.
    pub lot: String,
    /// How much of everything is done with it.
    pub sizes: &'static Sizes,
    office: Office,
    warehouse: Id,
    codes: Vec<String>,
    postgres: Option<String>,
}

impl Fleet {
    /// Starts the service and enrols devices.
    pub async fn start(
        server: &Path,
        postgres: Option<&str>,
        cores: Cores,
        devices: usize,
        sizes: &'static Sizes,
    ) -> Result<Self, LoadError> {
        progress("starting the service");
        let demo = Demo::start(&Wanted {
            program: server.to_owned(),
            cores,
            redis: None,
            postgres: postgres.map(str::to_owned),
            seed: None,
        })
        .await?;
        let legal = PrintedCode::parse(&demo.codes("legal")?[0])?;
        let lot = legal.lot.as_deref().ok_or_else(|| {
            LoadError::Unusable("the demo's legal code does not name its lot".to_owned())
        })?;
        let office = Office::of(&demo, &legal.gtin, lot).await?;
        let (plant, warehouse, store) = (
            office.officer.place("plant").await?,
            office.officer.place("warehouse").await?,
            office.officer.place("store").await?,
        );
        let places = life::places(plant.uuid()?, warehouse.uuid()?, store.uuid()?)?;
        let mut fleet = Self {
            demo,
            places,
            devices: Vec::new(),
            gtin: legal.gtin.clone(),
            lot: lot.to_owned(),
            sizes,
            office,
            warehouse,
            codes: Vec::new(),
            postgres: postgres.map(str::to_owned),
        };
        fleet.office.officer.employ(life::WORKER).await?;
        progress(&format!("enrolling {devices} devices"));
        for n in 0..devices {
            let ticket = fleet.ticket(n).await?;
            let device = Device::enrol(&fleet.demo.internal, &ticket).await?;
            fleet.devices.push(device);
        }
        Ok(fleet)
    }

    async fn ticket(&self, n: usize) -> Result<String, LoadError> {
        let name = format!("load {n}");
        self.office.officer.ticket(&name, &self.warehouse).await
    }

    /// Enrols another device, for who drives it otherwise.
    pub async fn enrol(&self, n: usize) -> Result<Identity, LoadError> {
        let ticket = self.ticket(n).await?;
        Identity::enrol(&self.demo.internal, &ticket).await
    }

    /// Who issues its codes and recalls them.
    pub const fn office(&self) -> &Office {
        &self.office
    }

    /// Codes of tins nothing has happened to, as they are printed.
    pub async fn take_codes(&mut self, count: usize) -> Result<Vec<String>, LoadError> {
        while self.codes.len() < count {
            let more = self.sizes.codes_at_once.max(count - self.codes.len());
            let host = &self.demo.announced.public_url;
            let host = host.trim_end_matches('/').to_owned();
            let paths = self.office.issue(more as u64).await?;
            let printed = paths.into_iter().map(|path| format!("{host}{path}"));
            self.codes.extend(printed);
        }
        Ok(self.codes.split_off(self.codes.len() - count))
    }

    /// Which database it runs on.
    pub fn store(&self) -> &'static str {
        match self.postgres {
            Some(_) => "postgres",
            None => "sqlite",
        }
    }

    /// A device for a while.
    pub fn lend(&mut self) -> Result<Device, LoadError> {
        let what = || LoadError::Unusable("every device is lent out".to_owned());
        self.devices.pop().ok_or_else(what)
    }

    /// Devices come back.
    pub fn take_back(&mut self, lanes: Vec<Lane>) {
        self.devices
            .extend(lanes.into_iter().map(|lane| lane.device));
    }

    /// Its SQLite file, unless it runs on PostgreSQL.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        Some(self.demo.data_folder()?.join("suyuan.db"))
    }

    /// An empty copy of its table of events.
    pub async fn bulk(&self) -> Result<Bulk, LoadError> {
        match (&self.postgres, self.sqlite_file()) {
            (Some(url), _) => Bulk::postgres(url).await,
            (None, Some(file)) => Bulk::sqlite(&file).await,
            (None, None) => Err(LoadError::Unusable("no database to copy".to_owned())),
        }
    }
}
