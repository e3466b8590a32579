//! Profiles over HTTP.

use crate::{
    app::Internal,
    catalogue::{Home, Profile},
    http::auth::SignedIn,
    problem::{Problem, ProblemBody, ProblemCode},
};
use actix_web::{
    get,
    web::{self, Data, Path},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A profile in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileBrief {
    /// Id, e.g. `infant-formula`.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
}

/// A field and where its value is given.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileField {
    /// The key in `fields`.
    pub path: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// `enterprise` (also of a plant), `product` or `batch`.
    #[schema(value_type = String)]
    pub home: Home,
    /// Data type.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: crate::catalogue::FieldType,
    /// Publication waits for it, or for one of the others of the same public item.
    pub needed_to_publish: bool,
}

/// A profile with every field that may be given.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileOut {
    /// Id.
    pub id: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Fields by path.
    pub fields: Vec<ProfileField>,
}

/// The profiles of this installation.
#[utoipa::path(tag = "registry", operation_id = "list_profiles", security(("bearer" = [])),
    responses((status = 200, body = Vec<ProfileBrief>)))]
#[get("/v1/profiles")]
pub async fn list_profiles(
    state: Data<Internal>,
    _caller: SignedIn,
) -> web::Json<Vec<ProfileBrief>> {
    let brief = |profile: &Profile| ProfileBrief {
        id: profile.id.clone(),
        title_zh: profile.title_zh.clone(),
        title_en: profile.title_en.clone(),
    };
    web::Json(state.catalogue.profiles().map(brief).collect())
}

/// One profile with every field that may be given.
#[utoipa::path(tag = "registry", operation_id = "get_profile", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = ProfileOut), (status = 404, body = ProblemBody)))]
#[get("/v1/profiles/{id}")]
pub async fn get_profile(
    state: Data<Internal>,
    _caller: SignedIn,
    id: Path<String>,
) -> Result<web::Json<ProfileOut>, Problem> {
    let profile = state.catalogue.profile(&id);
    let profile = profile.ok_or_else(|| Problem::new(ProblemCode::NotFound))?;
    let needed = |path: &str| {
        let rows = profile.public_view.fields.iter().filter(|row| row.required);
        rows.flat_map(|row| &row.from)
            .any(|from| from.to_string() == path)
    };
    let fields = [Home::Enterprise, Home::Product, Home::Batch]
        .into_iter()
        .flat_map(|home| profile.paths(home).map(move |path| (home, path)))
        .filter_map(|(home, path)| {
            let field = profile.field(path)?;
            Some(ProfileField {
                path: path.to_owned(),
                title_zh: field.title_zh.clone(),
                title_en: field.title_en.clone(),
                home,
                kind: field.kind,
                needed_to_publish: needed(path),
            })
        })
        .collect();
    Ok(web::Json(ProfileOut {
        id: profile.id.clone(),
        title_zh: profile.title_zh.clone(),
        title_en: profile.title_en.clone(),
        fields,
    }))
}
