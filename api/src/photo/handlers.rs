//! `POST /q/photo` over HTTP: a photo in, an answer for each of its codes out. A program gets one
//! JSON object; a person with one trace code in the photo goes straight to its page, with several
//! to a list of them, and after a photo without any back to the form, with what to do better.

use super::{
    BYTES_MAX, address,
    picture::{Fault, PIXELS_MAX, SIDE_MAX},
    readers::Readers,
    wire::{PhotoCodeOut, PhotoForm, PhotoOut},
};
use crate::{
    http::{self, upload},
    pages::{EntryPage, Lang, PhotoItem, PhotoPage},
    problem::{Problem, ProblemBody, ProblemCode},
    queries::Channel,
    resolver::{
        Resolver, compose,
        handlers::{Came, format_of, judge_for, malformed, note, page_headers, status_of},
        judge::{Ask, Judged},
        lookup::Entered,
        texts::texts,
        view::Format,
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Data, Payload},
};
use std::collections::HashSet;
use suyuan_sync::trace_code::{CodeError, CodeProfiles, Scanned};

/// A photo, as the field `photo` of a form. The answer for each QR code in it, at most 8.
///
/// PNG, JPEG or WebP, told by the first bytes; at most 4 MiB, 4096 pixels a side and 4096 × 3072
/// pixels in all; complete within 20 s. Reading takes at most 4 s and 512 MiB, in a process of its
/// own; two are read at once, 16 held, more are told to come again. Other fields and a second file
/// are refused. The photo is not kept. Pages: one trace code leads to its page (303).
#[utoipa::path(post, path = "/q/photo", tag = "scan",
    request_body(content_type = "multipart/form-data", content = inline(PhotoForm)),
    responses((status = 200, body = PhotoOut), (status = 303, description = "The page of the one \
        trace code in the photo, where the caller asks for a page."),
    (status = 400, body = ProblemBody), (status = 408, body = ProblemBody),
    (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
    (status = 422, description = "No code in it, or a damaged picture.", body = ProblemBody),
    (status = 503, body = ProblemBody)))]
pub async fn read_photo(
    resolver: Data<Resolver>,
    readers: Data<Readers>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    match *request.method() {
        Method::POST => {}
        // Somebody came back to this address without the photo.
        Method::GET | Method::HEAD => return Ok(see_other("/q", http::language(&request))),
        _ => return Err(Problem::new(ProblemCode::MethodNotAllowed).allow("POST")),
    }
    let ask = Ask {
        format: format_of(&request),
        lang: http::language(&request),
        entered: Entered::Scanned,
    };
    let answered = async {
        let texts = read(&readers, &request, payload).await?;
        match ask.format {
            Format::Json => json(&resolver, &request, ask, &texts).await,
            Format::Page => page(&resolver, &request, ask, &texts).await,
        }
    };
    match answered.await {
        Err(problem) if ask.format == Format::Page && is_about_the_photo(problem.code) => {
            Ok(try_again(ask.lang, &problem))
        }
        answered => answered,
    }
}

/// The texts of the codes in the photo that was sent; at least one.
pub async fn read(
    readers: &Readers,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Vec<String>, Problem> {
    let busy = |_| Problem::new(ProblemCode::Unavailable);
    let _room = readers.room().map_err(busy)?;
    let within = readers.upload_within;
    let picture = upload::file(request, payload, "photo", BYTES_MAX, within).await?;
    let reading = readers.read(&picture).await.map_err(busy)?;
    if let Some(fault) = reading.fault {
        return Err(refused(fault));
    }
    if reading.texts.is_empty() {
        return Err(Problem::new(ProblemCode::NoCodeFound));
    }
    Ok(reading.texts)
}

fn refused(fault: Fault) -> Problem {
    match fault {
        Fault::NotAPicture => Problem::new(ProblemCode::NotAPicture),
        Fault::Unreadable => Problem::new(ProblemCode::PictureUnreadable),
        Fault::TooManyPixels => Problem::new(ProblemCode::PictureTooLarge).detail(
            format!("at most {SIDE_MAX} pixels a side and {PIXELS_MAX} pixels"),
            format!("每边不超过 {SIDE_MAX} 像素，总共不超过 {PIXELS_MAX} 像素"),
        ),
    }
}

/// Each text, parsed; a code that stands there twice, in whatever form, is given once.
fn codes<'a>(
    profiles: &CodeProfiles,
    texts: &'a [String],
) -> Vec<(&'a str, Result<Scanned, CodeError>)> {
    let mut seen = HashSet::new();
    let mut read = Vec::new();
    for text in texts {
        let scanned = profiles.parse(text);
        if scanned
            .as_ref()
            .map_or(true, |scanned| seen.insert(scanned.code))
        {
            read.push((text.as_str(), scanned));
        }
    }
    read
}

async fn json(
    resolver: &Resolver,
    request: &HttpRequest,
    ask: Ask,
    texts_read: &[String],
) -> Result<HttpResponse, Problem> {
    let mut out = PhotoOut { codes: Vec::new() };
    for (text, scanned) in codes(&resolver.profiles, texts_read) {
        let scanned = match scanned {
            Ok(scanned) => scanned,
            Err(error) => {
                out.codes.push(malformed(error, text).into());
                continue;
            }
        };
        let now = resolver.clock.now();
        let judged = judge_for(request, resolver, &scanned, ask, now).await?;
        tell(resolver, request, &judged, now);
        let told = texts(&judged.found, judged.count, ask, ("", ""), now);
        let body = compose::plain(&judged.view, &told.fillings(&judged.as_of.utc));
        out.codes.push(PhotoCodeOut {
            status: status_of(judged.verdict).as_u16(),
            answer: serde_json::from_slice(&body).ok(),
            problem: None,
        });
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept"))
        .json(out))
}

async fn page(
    resolver: &Resolver,
    request: &HttpRequest,
    ask: Ask,
    texts_read: &[String],
) -> Result<HttpResponse, Problem> {
    let read = codes(&resolver.profiles, texts_read);
    let trace_codes: Vec<&Scanned> = read.iter().filter_map(|(_, s)| s.as_ref().ok()).collect();
    match trace_codes[..] {
        [] => {
            return Err(Problem::new(ProblemCode::NoCodeFound).detail(
                "There is a QR code in the photo, but it is not a trace code.",
                "照片里有二维码，但不是追溯码。",
            ));
        }
        // The page that is gone to is what was asked: it is noted when it is fetched.
        [only] => return Ok(see_other(&format!("/p{}", address::of(only)), ask.lang)),
        _ => {}
    }
    let mut items = Vec::with_capacity(read.len());
    for (_, scanned) in &read {
        let Ok(scanned) = scanned else {
            items.push(PhotoItem::Other);
            continue;
        };
        let now = resolver.clock.now();
        let judged = judge_for(request, resolver, scanned, ask, now).await?;
        tell(resolver, request, &judged, now);
        items.push(PhotoItem::Answer {
            code: scanned.code.to_string(),
            verdict: judged.verdict,
            href: format!("/p{}", address::of(scanned)),
        });
    }
    let page = PhotoPage {
        lang: ask.lang,
        items: &items,
    };
    Ok(html(StatusCode::OK, ask.lang, page.render()))
}

fn tell(resolver: &Resolver, request: &HttpRequest, judged: &Judged, now: crate::clock::Micros) {
    let (found, verdict) = (&judged.found, judged.verdict);
    note(
        resolver,
        request,
        found,
        verdict,
        now,
        Came {
            channel: Some(Channel::Photo),
            offline: None,
        },
    );
}

/// Would another photo help?
fn is_about_the_photo(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::MalformedBody
            | ProblemCode::TooSlow
            | ProblemCode::TooLarge
            | ProblemCode::PictureTooLarge
            | ProblemCode::NotAPicture
            | ProblemCode::PictureUnreadable
            | ProblemCode::NoCodeFound
    )
}

/// The form again, with what was wrong with the photo.
fn try_again(lang: Lang, problem: &Problem) -> HttpResponse {
    metrics::counter!("suyuan_problems_total", "code" => problem.code.code()).increment(1);
    let photo = match lang {
        Lang::Zh => (problem.code.title_zh(), problem.detail_zh.as_str()),
        Lang::En => (problem.code.title_en(), problem.detail.as_str()),
    };
    let page = EntryPage {
        lang,
        typed: None,
        fault: None,
        photo: Some(photo),
    };
    html(problem.code.status(), lang, page.render())
}

fn html(status: StatusCode, lang: Lang, body: String) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    page_headers(&mut response, lang);
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .body(body)
}

fn see_other(to: &str, lang: Lang) -> HttpResponse {
    let between = if to.contains('?') { '&' } else { '?' };
    HttpResponse::SeeOther()
        .insert_header((
            header::LOCATION,
            format!("{to}{between}lang={}", lang.tag()),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
