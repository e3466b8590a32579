//! Makes the demo's world: two enterprises, formula and a care product with every required item of
//! Table 8, plant, warehouse, two stores, cases and pallets, an expired batch, an open recall, a
//! void code. Everything goes through the functions the API's handlers call.

use super::{
    report,
    shift::{self, Places},
    staff::{self, Badges},
    texts,
};
use crate::{
    accounts::{self, NewUser, Role},
    app::Internal,
    catalogue::Values,
    clock::day_of,
    codes::{
        CodesError, MintProfile, SpaceKey, acts,
        print::{PrintFormat, PrintedBatch, Printer},
        store as codes_store,
        wire::{CommissionIn, DestructionIn, RangeIn, SegmentIn, SegmentOut},
    },
    log::Actor,
    problem::{Problem, ProblemCode},
    registry::{
        RegistryError,
        batches::{self, publication, wire::BatchIn},
        enterprises::store::{self as enterprises, NewEnterprise},
        fields::FieldsIn,
        files::{handlers::hash, store as files, wire::FileOut},
        locations::{
            store as locations,
            wire::{LocationKind, LocationOut},
        },
        products::store::{self as products, NewProduct},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{ToSpan, civil::Date};
use serde::Serialize;
use suyuan_sync::trace_code::Gtin;
use uuid::Uuid;

/// Why the demo could not be made.
pub type DemoError = Problem;

/// GS1 sets prefix 952 aside for examples.
const PREFIX: &str = "9521234";

/// What was made, for printing.
#[derive(Debug, Serialize)]
pub struct Demo {
    /// Where consumers look.
    pub public_url: String,
    /// Where the API is.
    pub internal_url: String,
    /// Administrator of the formula maker, made for this run.
    pub login: Login,
    /// Administrator of the platform, made for this run.
    pub platform: Login,
    /// A till that waits to be enrolled, until ten minutes from now.
    pub enrolment: Option<Enrolment>,
    /// Badges of those who work there.
    pub badges: Badges,
    /// As printed on products, by what is true of them.
    pub codes: Codes,
}

/// A log-in.
#[derive(Debug, Serialize)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// What a waiting device enrols with.
#[derive(Debug, Serialize)]
pub struct Enrolment {
    /// The device.
    pub device: Uuid,
    /// The one-time code, for typing.
    pub code: String,
    /// Until when it holds, UTC.
    pub expires_at: String,
    /// The text of its QR.
    pub text: String,
}

/// Codes the story of the world is told about.
pub struct Goods {
    /// Two cases and what is packed into them, six each.
    pub cases: Vec<String>,
    /// See `cases`.
    pub in_cases: Vec<String>,
    /// The pallet both travel on.
    pub pallet: String,
    /// Loose tins to each store.
    pub to: [Vec<String>; 2],
    /// Of these, sold there.
    pub sold: [Vec<String>; 2],
    /// Sold in both stores.
    pub copied: String,
    /// Of the bad batch, sold before anybody knew.
    pub recalled_sold: Vec<String>,
    /// Of the bad batch, fetched back.
    pub collected: String,
    /// Damaged.
    pub destroyed: String,
    /// The bad batch.
    pub bad: Uuid,
}

/// Codes by what is true of them.
#[derive(Debug, Default, Serialize)]
pub struct Codes {
    /// Legal formula.
    pub legal: Vec<String>,
    /// Legal care product.
    pub care: Vec<String>,
    /// Recalled.
    pub recalled: Vec<String>,
    /// Expired.
    pub expired: Vec<String>,
    /// Destroyed before use.
    pub void: Vec<String>,
    /// Issued, not in use.
    pub not_commissioned: Vec<String>,
    /// Minted by nobody: the right key, an index never allocated.
    pub not_allocated: Vec<String>,
    /// Well formed, never minted.
    pub forged: Vec<String>,
    /// Cases.
    pub case: Vec<String>,
    /// Pallets.
    pub pallet: Vec<String>,
    /// Sold twice, in two cities.
    pub suspected_copy: Vec<String>,
    /// Recalled and fetched back.
    pub collected: Vec<String>,
    /// Destroyed in a store.
    pub destroyed: Vec<String>,
}

/// Makes the world.
pub async fn make(state: &Internal, seed: u64) -> Result<Demo, DemoError> {
    let today = day_of(state.clock.now());
    let first = crate::http::page::Paging {
        after: Uuid::nil(),
        limit: 1,
    };
    if !enterprises::list(&state.db, first).await?.is_empty() {
        return Err(Problem::new(ProblemCode::AlreadyExists).detail(
            "the demo needs an empty database; this one holds enterprises already",
            "演示需要空数据库，该数据库中已有企业",
        ));
    }
    let platform = user(state, "platform", Role::PlatformAdmin, None).await?;
    let maker = formula(state, today, seed).await?;
    let care = care(state, today).await?;
    let login = user(
        state,
        "maker",
        Role::EnterpriseAdmin,
        Some(maker.enterprise),
    )
    .await?;
    let public_url = state.base_url.clone();
    Ok(Demo {
        public_url,
        internal_url: match state.settings.internal.scheme() {
            // The address its certificate is for.
            "https" => state.settings.device_url(),
            scheme => format!("{scheme}://{}", state.settings.internal.listen),
        },
        login,
        platform,
        enrolment: Some(maker.enrolment),
        badges: maker.badges,
        codes: Codes {
            care,
            ..maker.codes
        },
    })
}

struct Maker {
    enterprise: Uuid,
    codes: Codes,
    badges: Badges,
    enrolment: Enrolment,
}

async fn formula(state: &Internal, today: Date, seed: u64) -> Result<Maker, Problem> {
    let query_url = format!("{}/q", state.base_url);
    let fields = texts::formula_enterprise(&query_url);
    let enterprise = enterprise(state, "CHENMV", "晨牧乳业", &[PREFIX], fields).await?;
    let plant = place(
        state,
        enterprise,
        "P1",
        LocationKind::Plant,
        "呼和浩特工厂",
        texts::formula_plant(),
    );
    let plant = plant.await?;
    let bare =
        async |code, kind, name| place(state, enterprise, code, kind, name, Values::new()).await;
    let places = Places {
        plant,
        warehouse: bare("W1", LocationKind::Warehouse, "华北仓").await?,
        stores: [
            bare("S1", LocationKind::Store, "北京一店").await?,
            bare("S2", LocationKind::Store, "上海二店").await?,
        ],
    };
    let badges = staff::employ(state, enterprise, places.stores).await?;
    let item = gtin("0952123400001")?;
    let new = NewProduct {
        code: "CM-2".into(),
        name: "晨牧 2 段 800 g".into(),
        profile: "infant-formula".into(),
        category: None,
        gtin: Some(item),
        case_gtin: Some(gtin("1952123400001")?),
        mint_profile: MintProfile::default(),
        fields: texts::formula_product(),
    };
    let product = product(state, enterprise, new).await?;

    let day = |text: Date| text.to_string();
    let made = |months: i32| today.saturating_sub(months.months());
    let mut ids = Vec::new();
    for (lot, produced) in [("A1", made(2)), ("B7", made(30)), ("R3", made(5))] {
        let lot = format!("{}{lot}", produced.strftime("%y%m%d"));
        let pdf = report::pdf("Inspection report", &format!("Lot {lot}: passed"));
        let report = file(state, enterprise, &format!("产品检验报告 {lot}"), pdf).await?;
        let batch = BatchIn {
            product_id: product,
            lot,
            plant_id: Some(plant),
            production_date: day(produced),
            expiry_date: None,
            fields: FieldsIn(texts::formula_batch(&report)),
        };
        ids.push(published_batch(state, enterprise, "infant-formula", batch).await?);
    }
    let [good, old, bad] = ids[..] else {
        return Err(RegistryError::Unknown.into());
    };

    let tins = segment(state, enterprise, Some(product), None, None, 2000).await?;
    let cases = segment(state, enterprise, Some(product), Some("case"), None, 100).await?;
    let pallets = segment(state, enterprise, None, None, Some(PREFIX), 20).await?;
    for (batch, segment, from, to) in [
        (good, &tins, 0, 999),
        (old, &tins, 1000, 1099),
        (bad, &tins, 1100, 1199),
        (good, &cases, 0, 49),
    ] {
        commission(state, enterprise, batch, segment, from, to).await?;
    }
    destroy(state, enterprise, &tins, 1200, 1204, today).await?;
    let printed = |id: Uuid| printer(state, enterprise, &tins, Some(id));
    let (good_tins, old_tins, bad_tins) = (
        printed(good).await?,
        printed(old).await?,
        printed(bad).await?,
    );
    let plain = printer(state, enterprise, &tins, None).await?;
    let (all_cases, all_pallets) = (
        printer(state, enterprise, &cases, Some(good)).await?,
        printer(state, enterprise, &pallets, None).await?,
    );
    let one = |printer: &Printer, index: u64| urls(printer, index, 1).concat();
    let goods = Goods {
        cases: urls(&all_cases, 0, 2),
        in_cases: urls(&good_tins, 20, 12),
        pallet: one(&all_pallets, 0),
        to: [
            [
                urls(&good_tins, 0, 10),
                urls(&good_tins, 40, 10),
                urls(&bad_tins, 1150, 5),
            ]
            .concat(),
            [
                urls(&good_tins, 10, 10),
                urls(&good_tins, 50, 10),
                urls(&bad_tins, 1155, 5),
            ]
            .concat(),
        ],
        sold: [urls(&good_tins, 40, 2), urls(&good_tins, 50, 2)],
        copied: one(&good_tins, 52),
        recalled_sold: urls(&bad_tins, 1155, 1),
        collected: one(&bad_tins, 1150),
        destroyed: one(&good_tins, 42),
        bad,
    };
    Box::pin(shift::play(state, enterprise, places, &goods)).await?;
    let codes = Codes {
        legal: urls(&good_tins, 0, 20),
        care: Vec::new(),
        recalled: urls(&bad_tins, 1100, 5),
        expired: urls(&old_tins, 1000, 5),
        void: urls(&plain, 1200, 5),
        not_commissioned: urls(&plain, 1300, 5),
        not_allocated: urls(&plain, 5_000_000, 5),
        forged: forged(state, item, seed),
        case: urls(&all_cases, 0, 5),
        pallet: urls(&all_pallets, 0, 5),
        suspected_copy: vec![goods.copied],
        collected: vec![goods.collected],
        destroyed: vec![goods.destroyed],
    };
    let enrolment = shift::waiting(state, enterprise, places.stores[0]).await?;
    Ok(Maker {
        enterprise,
        codes,
        badges,
        enrolment,
    })
}

/// The care product's enterprise has no GS1 prefix: its codes are of the own scheme.
async fn care(state: &Internal, today: Date) -> Result<Vec<String>, Problem> {
    let enterprise = enterprise(state, "RVNYA", "润芽母婴", &[], texts::care_enterprise()).await?;
    let new = NewProduct {
        code: "RY-200".into(),
        name: "润芽保湿乳液 200 mL".into(),
        profile: "maternal-baby-care".into(),
        category: Some("infant-care".into()),
        gtin: None,
        case_gtin: None,
        mint_profile: MintProfile::default(),
        fields: texts::care_product(),
    };
    let product = product(state, enterprise, new).await?;
    let produced = today.saturating_sub(4.months());
    let pdf = report::pdf("Certificate of conformity", "Main material: glycerin");
    let certificate = file(state, enterprise, "主要原料合格证明 甘油", pdf).await?;
    let batch = BatchIn {
        product_id: product,
        lot: produced.strftime("%y%m%d").to_string(),
        plant_id: None,
        production_date: produced.to_string(),
        expiry_date: None,
        fields: FieldsIn(texts::care_batch(&certificate)),
    };
    let batch = published_batch(state, enterprise, "maternal-baby-care", batch).await?;
    let bottles = segment(state, enterprise, Some(product), None, None, 500).await?;
    commission(state, enterprise, batch, &bottles, 0, 199).await?;
    Ok(urls(
        &printer(state, enterprise, &bottles, None).await?,
        0,
        5,
    ))
}

async fn user(
    state: &Internal,
    name: &str,
    role: Role,
    enterprise: Option<Uuid>,
) -> Result<Login, Problem> {
    let secret = crate::sealing::random::<12>().map_err(|error| Problem::internal(&error))?;
    let password = URL_SAFE_NO_PAD.encode(secret);
    let new = NewUser {
        username: name.into(),
        password_hash: accounts::handlers::hash_password(password.clone()).await?,
        role,
        enterprise,
    };
    accounts::create_user(&state.log, Actor::System, None, new).await?;
    Ok(Login {
        user: name.into(),
        password,
    })
}

pub(crate) async fn enterprise(
    state: &Internal,
    code: &str,
    name: &str,
    prefixes: &[&str],
    fields: Values,
) -> Result<Uuid, Problem> {
    crate::registry::fields::check_enterprise(&state.catalogue, &fields)?;
    let new = NewEnterprise {
        code: code.into(),
        name: name.into(),
        prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        fields,
    };
    let made = enterprises::create(&state.log, &state.sealer, Actor::System, None, new).await?;
    Ok(made.id)
}

pub(crate) async fn place(
    state: &Internal,
    enterprise: Uuid,
    code: &str,
    kind: LocationKind,
    name: &str,
    fields: Values,
) -> Result<Uuid, Problem> {
    crate::registry::fields::check_enterprise(&state.catalogue, &fields)?;
    let new = LocationOut {
        id: state.clock.new_id(),
        code: code.into(),
        kind,
        name: name.into(),
        gln: None,
        fields: serde_json::to_value(fields).map_err(RegistryError::from)?,
    };
    let made = locations::create(&state.log, Actor::System, None, enterprise, new).await?;
    Ok(made.id)
}

async fn product(state: &Internal, enterprise: Uuid, new: NewProduct) -> Result<Uuid, Problem> {
    let profile = state
        .catalogue
        .profile(&new.profile)
        .ok_or(RegistryError::Unknown)?;
    crate::registry::fields::check(profile, crate::catalogue::Home::Product, &new.fields)?;
    let made = products::create(
        &state.log,
        &state.sealer,
        Actor::System,
        None,
        enterprise,
        new,
    )
    .await?;
    publication::publish_product(state, Actor::System, enterprise, made.id).await?;
    Ok(made.id)
}

async fn published_batch(
    state: &Internal,
    enterprise: Uuid,
    profile: &str,
    batch: BatchIn,
) -> Result<Uuid, Problem> {
    let profile = state
        .catalogue
        .profile(profile)
        .ok_or(RegistryError::Unknown)?;
    let new = batches::handlers::checked(profile, batch)?;
    let made = batches::store::create(&state.log, Actor::System, None, enterprise, new).await?;
    publication::publish_batch(state, Actor::System, enterprise, made.id).await?;
    Ok(made.id)
}

async fn file(
    state: &Internal,
    enterprise: Uuid,
    title: &str,
    bytes: Vec<u8>,
) -> Result<String, Problem> {
    let file = FileOut {
        hash: hash(&bytes),
        media_type: "application/pdf".into(),
        title: title.into(),
        size: bytes.len() as i64,
    };
    let kept = files::put(&state.log, Actor::System, None, enterprise, file, bytes).await?;
    Ok(kept.hash)
}

pub(crate) async fn segment(
    state: &Internal,
    enterprise: Uuid,
    product: Option<Uuid>,
    level: Option<&str>,
    prefix: Option<&str>,
    count: u64,
) -> Result<SegmentOut, Problem> {
    let wanted = SegmentIn {
        product_id: product,
        level: level.map(Into::into),
        gs1_prefix: prefix.map(Into::into),
        count,
    };
    Ok(acts::allocate(state, enterprise, Actor::System, None, wanted).await?)
}

pub(crate) async fn commission(
    state: &Internal,
    enterprise: Uuid,
    batch: Uuid,
    segment: &SegmentOut,
    from: u64,
    to: u64,
) -> Result<(), Problem> {
    let wanted = CommissionIn {
        batch_id: batch,
        ranges: vec![part(segment, from, to)],
        codes: Vec::new(),
    };
    acts::commission(state, enterprise, Actor::System, None, wanted).await?;
    Ok(())
}

pub(crate) async fn destroy(
    state: &Internal,
    enterprise: Uuid,
    segment: &SegmentOut,
    from: u64,
    to: u64,
    on: Date,
) -> Result<(), Problem> {
    let wanted = DestructionIn {
        ranges: vec![part(segment, from, to)],
        codes: Vec::new(),
        reason: "印刷模糊，扫码失败".into(),
        method: "粉碎".into(),
        witness: "QA-07".into(),
        evidence: None,
        destroyed_on: on.to_string(),
    };
    acts::destroy(state, enterprise, Actor::System, None, wanted).await?;
    Ok(())
}

fn part(segment: &SegmentOut, from: u64, to: u64) -> RangeIn {
    RangeIn {
        segment_id: segment.id,
        from: Some(segment.from + from),
        to: Some(segment.from + to),
    }
}

pub(crate) async fn printer(
    state: &Internal,
    enterprise: Uuid,
    segment: &SegmentOut,
    batch: Option<Uuid>,
) -> Result<Printer, Problem> {
    let space = SpaceKey::parse(&segment.space).ok_or(CodesError::Unknown)?;
    let ring = codes_store::ring(&state.db, &state.sealer, enterprise, &space).await;
    let batch = match batch {
        None => None,
        Some(id) => {
            let row = batches::store::row(state.db.reader(), enterprise, id).await?;
            Some(PrintedBatch::of(&row.lot, &row.expiry_date))
        }
    };
    Ok(Printer {
        ring: ring.map_err(CodesError::from)?,
        space,
        key_id: 0,
        base_url: state.base_url.clone(),
        format: PrintFormat::Csv,
        batch,
        tags: None,
    })
}

pub(crate) fn urls(printer: &Printer, from: u64, count: u64) -> Vec<String> {
    (from..from + count)
        .filter_map(|index| printer.code(index))
        .map(|(code, _)| printer.url(&code))
        .collect()
}

/// Serials of the right shape that nobody minted, from the seed.
fn forged(state: &Internal, gtin: Gtin, seed: u64) -> Vec<String> {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut value = seed ^ 0x5eed_f0e6_ed00_0001;
    let mut next = move |below: u64| {
        // SplitMix64
        value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = value;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    };
    (0..5)
        .map(|_| {
            let mut serial = String::from("0");
            serial.push(char::from(ALPHABET[next(16) as usize]));
            for _ in 0..12 {
                serial.push(char::from(ALPHABET[next(32) as usize]));
            }
            format!("{}/01/{gtin}/21/{serial}", state.base_url)
        })
        .collect()
}

pub(crate) fn gtin(body: &str) -> Result<Gtin, Problem> {
    Gtin::from_body(body).map_err(|error| {
        Problem::field(
            "gtin",
            error.fault.code(),
            error.fault.en(),
            error.fault.zh(),
        )
    })
}
