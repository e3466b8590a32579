//! The first administrator, made by whoever holds the one-time link the first start printed. There
//! is no default account and no default password.

use super::{handlers::hash_password, rules, store};
use crate::{app::Internal, http, pages::CSS, problem::Problem};
use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    post,
    web::{Data, Form},
};
use askama::Template;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "setup.html", whitespace = "minimize")]
struct Page<'a> {
    css: &'static str,
    token: &'a str,
    fault: Option<(&'a str, &'a str)>,
    done: bool,
}

/// What the form sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupForm {
    token: String,
    username: String,
    password: String,
}

/// The form behind the one-time link.
#[get("/setup")]
pub async fn setup_form(request: HttpRequest) -> HttpResponse {
    let token = http::query_value(request.query_string(), "token").unwrap_or_default();
    page(
        StatusCode::OK,
        &Page {
            css: CSS,
            token,
            fault: None,
            done: false,
        },
    )
}

/// Makes the first administrator.
#[post("/setup")]
pub async fn setup_submit(
    state: Data<Internal>,
    form: Form<SetupForm>,
) -> Result<HttpResponse, Problem> {
    let form = form.into_inner();
    let made = make(&state, &form).await;
    Ok(match made {
        Ok(()) => page(
            StatusCode::CREATED,
            &Page {
                css: CSS,
                token: "",
                fault: None,
                done: true,
            },
        ),
        Err(problem) => {
            let (zh, en) = words(&problem);
            let shown = Page {
                css: CSS,
                token: &form.token,
                fault: Some((&zh, &en)),
                done: false,
            };
            page(problem.code.status(), &shown)
        }
    })
}

async fn make(state: &Internal, form: &SetupForm) -> Result<(), Problem> {
    let username = rules::check_username(&form.username)?;
    rules::check_password(&username, &form.password)?;
    let hash = hash_password(form.password.clone()).await?;
    store::create_first_admin(&state.log, &form.token, username, hash).await?;
    tracing::info!("the first administrator was made");
    Ok(())
}

/// The most exact words a problem has.
fn words(problem: &Problem) -> (String, String) {
    match problem.errors.first() {
        Some(field) => (field.message_zh.clone(), field.message.clone()),
        None if problem.detail.is_empty() => (
            problem.code.title_zh().into(),
            problem.code.title_en().into(),
        ),
        None => (problem.detail_zh.clone(), problem.detail.clone()),
    }
}

fn page(status: StatusCode, page: &Page<'_>) -> HttpResponse {
    let html = page.render().unwrap_or_default();
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, http::page_policy()))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(html)
}
