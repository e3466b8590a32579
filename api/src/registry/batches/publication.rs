//! What goes public, and when: the gate of Table 8 (H3), the version in force at production (H10).
//!
//! A unit shows the enterprise and product as they were when it was made. When a newer version
//! is published, batches are shown again in slices, so that the log's head is never held long.

use super::store;
use crate::{
    app::Internal,
    catalogue::{Catalogue, Home, Profile, PublicSources, PublicValue, Values},
    entities::batch,
    log::{Act, Actor, Begun, Entry, Kind, Log},
    projection::{self, View},
    registry::{
        RegistryError, enterprises, fields,
        files::store::{self as files},
        locations, products,
    },
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Batches shown again in one act.
const SLICE: u64 = 25;

/// Publishes the newest version of a batch, or says exactly what is missing.
pub async fn publish_batch(
    state: &Internal,
    actor: Actor,
    enterprise: Uuid,
    id: Uuid,
) -> Result<(), RegistryError> {
    let act = begin(&state.log, actor).await?;
    let row = store::row(act.tx(), enterprise, id).await?;
    let (version, values) = store::newest(act.tx(), enterprise, id).await?;
    let view = view_of(&act, &state.catalogue, &row, values).await?;
    show(&act, &row, &view).await?;
    store::mark_published(&act, enterprise, id, version).await?;
    let entry = Entry {
        kind: Kind::Published,
        enterprise: Some(enterprise),
        subject: format!("batch:{id}"),
        body: &serde_json::json!({"version": version}),
    };
    act.commit(entry, &()).await?;
    Ok(())
}

/// Publishes the newest version of a product: its class-level items must be complete.
pub async fn publish_product(
    state: &Internal,
    actor: Actor,
    enterprise: Uuid,
    id: Uuid,
) -> Result<(), RegistryError> {
    let act = begin(&state.log, actor).await?;
    let row = products::store::row(act.tx(), enterprise, id).await?;
    let profile = state
        .catalogue
        .profile(&row.profile)
        .ok_or(RegistryError::Unknown)?;
    let version = products::store::newest(act.tx(), enterprise, id).await?;
    let today = enterprises::store::today(&act);
    let of_enterprise = enterprises::store::in_force(act.tx(), enterprise, &today).await?;
    let none = Values::new();
    let newest: Values = serde_json::from_str(&version.fields)?;
    let sources = PublicSources {
        enterprise: &of_enterprise,
        plant: &none,
        product: &newest,
        batch: &none,
    };
    let class_level = |path: &String| {
        matches!(profile.home(path), Some(Home::Product | Home::Enterprise))
            && profile
                .field(path)
                .is_some_and(|f| f.level == crate::catalogue::Level::Class)
    };
    let mut gaps = profile.publication_gaps(&sources);
    gaps.retain(|gap| gap.missing.iter().any(class_level));
    if !gaps.is_empty() {
        return Err(RegistryError::Gaps(gaps));
    }
    products::store::mark_published(&act, enterprise, id, version.version).await?;
    // A version that begins later waits for its day: the page shows what is in force now.
    let now = products::store::in_force(act.tx(), enterprise, id, &today, &today).await?;
    let values = now.map_or_else(|| newest.clone(), |now| now.values);
    let sources = PublicSources {
        product: &values,
        ..sources
    };
    let view = View {
        name: name_of(profile, &values, &version.name),
        items: profile.public_info(&sources),
        newer: false,
        profile: profile.id.clone(),
    };
    publish_files(&act, enterprise, &view).await?;
    projection::put_product(&act, id, &view).await?;
    let entry = Entry {
        kind: Kind::Published,
        enterprise: Some(enterprise),
        subject: format!("product:{id}"),
        body: &serde_json::json!({"version": version.version}),
    };
    act.commit(entry, &()).await?;
    refresh_all(state, actor, enterprise, Some(id)).await
}

/// Shows published batches again after something they draw on has changed. A batch that would
/// become incomplete keeps what it shows.
pub async fn refresh_all(
    state: &Internal,
    actor: Actor,
    enterprise: Uuid,
    product: Option<Uuid>,
) -> Result<(), RegistryError> {
    let mut after = Uuid::nil();
    loop {
        let act = begin(&state.log, actor).await?;
        let rows = store::published_after(act.tx(), enterprise, product, after, SLICE).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.id;
        let mut shown = Vec::new();
        for row in &rows {
            let version = row.published_version.unwrap_or(1);
            let values = store::version(act.tx(), enterprise, row.id, version).await?;
            match view_of(&act, &state.catalogue, row, values).await {
                // What it shows already is as new: nothing is written, so that a request sent
                // again finishes what the first began and adds nothing.
                Ok(view) if projection::is_shown(&act, row.id, &view).await? => {}
                Ok(view) => {
                    show(&act, row, &view).await?;
                    shown.push(row.id);
                }
                // One batch that cannot follow does not hold up the others.
                Err(
                    error @ (RegistryError::Gaps(_)
                    | RegistryError::Fields(_)
                    | RegistryError::Unknown),
                ) => {
                    tracing::warn!(batch = %row.id, ?error, "kept as shown before");
                }
                Err(error) => return Err(error),
            }
        }
        if shown.is_empty() {
            continue; // rolled back: nothing changed, no entry
        }
        let entry = Entry {
            kind: Kind::Published,
            enterprise: Some(enterprise),
            subject: product.map_or(format!("enterprise:{enterprise}"), |id| {
                format!("product:{id}")
            }),
            body: &serde_json::json!({"shown_again": shown}),
        };
        act.commit(entry, &()).await?;
    }
}

/// What a batch shows with these batch-level values; refused while anything required is missing.
async fn view_of(
    act: &Act,
    catalogue: &Catalogue,
    row: &batch::Model,
    values: Values,
) -> Result<View, RegistryError> {
    let enterprise = row.enterprise_id;
    let made = row.production_date.as_str();
    let today = enterprises::store::today(act);
    let product = products::store::row(act.tx(), enterprise, row.product_id).await?;
    let profile = catalogue
        .profile(&product.profile)
        .ok_or(RegistryError::Unknown)?;
    let class = products::store::in_force(act.tx(), enterprise, product.id, made, &today)
        .await?
        .ok_or_else(|| {
            RegistryError::field(
                "product_id",
                "not-published",
                "publish the product first",
                "请先发布产品",
            )
        })?;
    let of_enterprise = enterprises::store::in_force(act.tx(), enterprise, made).await?;
    let plant = locations::store::fields(act.tx(), enterprise, row.plant_id).await?;
    let values = fields::with_identity(profile, values, &row.lot, made, &row.expiry_date);
    let sources = PublicSources {
        enterprise: &of_enterprise,
        plant: &plant,
        product: &class.values,
        batch: &values,
    };
    let gaps = profile.publication_gaps(&sources);
    if !gaps.is_empty() {
        return Err(RegistryError::Gaps(gaps));
    }
    Ok(View {
        name: name_of(profile, &class.values, &product.name),
        items: profile.public_info(&sources),
        newer: class.newer,
        profile: profile.id.clone(),
    })
}

async fn show(act: &Act, row: &batch::Model, view: &View) -> Result<(), RegistryError> {
    publish_files(act, row.enterprise_id, view).await?;
    let public = projection::Batch {
        id: row.id,
        product: row.product_id,
        lot: &row.lot,
        expiry_date: &row.expiry_date,
        view: Some(view),
    };
    projection::put_batch(act, &public).await?;
    Ok(())
}

/// Copies the files a view names to the public side; an unknown one is refused by name.
async fn publish_files(act: &Act, enterprise: Uuid, view: &View) -> Result<(), RegistryError> {
    let mut hashes = BTreeSet::new();
    for item in &view.items {
        match &item.value {
            PublicValue::Files(list) => hashes.extend(list.iter().map(|file| file.hash.clone())),
            PublicValue::Entries(list) => {
                hashes.extend(list.iter().filter_map(|entry| entry.file.clone()));
            }
            PublicValue::Text(_) | PublicValue::TraceCode => {}
        }
    }
    for hash in hashes {
        if !files::exists(act.tx(), enterprise, &hash).await? {
            return Err(files::unknown(&hash));
        }
        projection::put_file(act, enterprise, &hash).await?;
    }
    Ok(())
}

/// The name consumers know: the catalogue's product name, else the one for lists.
fn name_of(profile: &Profile, values: &Values, fallback: &str) -> String {
    let rows = profile.public_view.fields.iter();
    rows.filter(|row| row.name == "product_name")
        .flat_map(|row| &row.from)
        .find_map(|path| values.get(&path.to_string()))
        .and_then(|value| value.as_str())
        .unwrap_or(fallback)
        .to_owned()
}

async fn begin(log: &Log, actor: Actor) -> Result<Act, RegistryError> {
    match log.begin::<()>(actor, None).await? {
        Begun::Act(act) => Ok(act),
        Begun::Answered(()) => Err(RegistryError::Unknown), // no key was given
    }
}
