//! Links over HTTP: redirects, linksets, the description file, preflights.

use super::{
    Site,
    choose::{Wishes, choose},
    description::description,
    linkset::{self, CONTEXT},
    offer::{self, Offer, Subject},
    wanted::{Shape, Wanted, preferences},
};
use crate::{
    http::{self, door::Door},
    links::LinkName,
    problem::{Problem, ProblemCode},
    resolver::{
        Resolver, handlers,
        judge::{Ask, judge},
        lookup::Entered,
        view::{About, Format},
    },
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
    web::Data,
};
use serde_json::Value;
use std::borrow::Cow;
use suyuan_sync::trace_code::{Form, Scanned, TraceCode};

/// The address a code was asked under, on our own stem: what anchors and targets are made of.
pub struct Address<'a> {
    /// Path without a trailing slash.
    path: Cow<'a, str>,
    /// Was another form given, of which this is the decoded one? Told as `owl:sameAs`.
    decoded: bool,
}

impl<'a> Address<'a> {
    /// The address of what was scanned: a binary EPC stands for its uncompressed one.
    pub fn of(raw: &'a str, scanned: &Scanned) -> Address<'a> {
        match scanned.form {
            Form::EpcBinary => Address::decoded(&scanned.code),
            _ => Address::asked(raw, &scanned.code),
        }
    }

    /// The path as it was asked, where it is a proper address; else its canonical form.
    fn asked(raw: &'a str, code: &TraceCode) -> Address<'a> {
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        let path = raw.strip_suffix('/').unwrap_or(raw);
        let path = if path.bytes().all(plain) {
            Cow::Borrowed(path)
        } else {
            Cow::Owned(code.to_string())
        };
        Address {
            path,
            decoded: false,
        }
    }

    /// The address of a code that was given in another form, such as an EPC.
    fn decoded(code: &TraceCode) -> Address<'a> {
        Address {
            path: Cow::Owned(code.to_string()),
            decoded: true,
        }
    }
}

/// Answers with a redirect or a linkset. What is not found, is told as any scan tells it.
pub async fn answer(
    resolver: &Resolver,
    request: &HttpRequest,
    scanned: &Scanned,
    address: &Address<'_>,
    wanted: Wanted<'_>,
) -> Result<HttpResponse, Problem> {
    let ask = Ask {
        format: Format::Json,
        lang: http::language(request),
        entered: Entered::Scanned,
    };
    let judged = judge(resolver, scanned, ask, resolver.clock.now()).await?;
    let has_page = judged.verdict.found();
    let elsewhere = matches!(scanned.code, TraceCode::Other(_));
    let subject = Subject {
        code: &scanned.code,
        path: &address.path,
        about: if has_page {
            &judged.view.about
        } else {
            &About::NOTHING
        },
        has_page,
    };
    // Nothing may be registered for goods that are not there: their links say nothing.
    if !has_page && !elsewhere {
        return unknown(resolver, request, scanned, wanted).await;
    }
    let site = &resolver.site;
    let query = request.query_string();
    if has_page && matches!(wanted, Wanted::Default | Wanted::View(Format::Page)) {
        // What most readers of codes ask: no need to collect what else there is.
        let page = offer::page(site, &address.path);
        return Ok(redirect(site, address, &page, query));
    }
    if let Some(door) = Door::of(request) {
        door.ask_code(request, &scanned.code)?;
    }
    let offer = Offer::of(&subject, &resolver.world.load().links, site);
    let Some(default) = offer.default_link() else {
        return unknown(resolver, request, scanned, wanted).await;
    };
    match wanted {
        Wanted::Default | Wanted::View(Format::Page) => {
            Ok(redirect(site, address, &default.href, query))
        }
        Wanted::View(Format::Json) => Ok(all(site, address, &offer, Shape::Plain)),
        Wanted::Linkset(shape) => Ok(all(site, address, &offer, shape)),
        Wanted::Type(name) => of_type(request, site, address, &offer, name),
    }
}

/// Has a key for which there is no page of ours registered links?
pub fn has_links(resolver: &Resolver, code: &TraceCode) -> bool {
    let subject = Subject {
        code,
        path: "",
        about: &About::NOTHING,
        has_page: false,
    };
    let offer = Offer::of(&subject, &resolver.world.load().links, &resolver.site);
    !offer.levels.is_empty()
}

async fn unknown(
    resolver: &Resolver,
    request: &HttpRequest,
    scanned: &Scanned,
    wanted: Wanted<'_>,
) -> Result<HttpResponse, Problem> {
    let format = match wanted {
        Wanted::Linkset(_) => {
            if let Some(door) = Door::of(request) {
                door.note_missed(request);
            }
            return Err(Problem::new(ProblemCode::NotFound).detail(
                "nothing is known of this code, so there are no links",
                "未找到该追溯码的信息，没有可提供的链接",
            ));
        }
        Wanted::View(format) => format,
        Wanted::Type(_) | Wanted::Default => handlers::format_of(request),
    };
    let ask = Ask {
        format,
        lang: http::language(request),
        entered: Entered::Scanned,
    };
    handlers::answer(resolver, request, scanned, ask).await
}

/// One link type: its target, all it could be, or nothing.
fn of_type(
    request: &HttpRequest,
    site: &Site,
    address: &Address<'_>,
    offer: &Offer,
    name: &str,
) -> Result<HttpResponse, Problem> {
    let asked = http::decode_form(name);
    let Some((level, links)) = offer.of_type(LinkName::of(&asked)) else {
        return Err(no_such_type(offer));
    };
    let query = request.query_string();
    let context = http::query_value(query, "context").map(http::decode_form);
    let wishes = Wishes {
        languages: preferences(lines(request, &header::ACCEPT_LANGUAGE)),
        media: preferences(lines(request, &header::ACCEPT)),
        context: context.filter(|context| !context.is_empty()),
    };
    let chosen = choose(links, &wishes);
    if let [only] = chosen[..] {
        return Ok(redirect(site, address, &only.href, query));
    }
    let body = linkset::choices(&level.anchor, &offer.description, &chosen);
    let mut response = HttpResponse::build(StatusCode::MULTIPLE_CHOICES);
    Ok(linkset_response(
        &mut response,
        site,
        address,
        Shape::Plain,
        &body,
    ))
}

fn no_such_type(offer: &Offer) -> Problem {
    let mut known: Vec<&str> = offer
        .levels
        .iter()
        .flat_map(|level| level.links.iter().map(|link| link.link_type.as_str()))
        .collect();
    known.sort_unstable();
    known.dedup();
    let known = known.join(" ");
    Problem::new(ProblemCode::NotFound).detail(
        format!("no link of this type; there are: {known}"),
        format!("没有此类型的链接；可用的类型：{known}"),
    )
}

fn all(site: &Site, address: &Address<'_>, offer: &Offer, shape: Shape) -> HttpResponse {
    let body = linkset::linkset(&offer.levels, &offer.description, shape);
    linkset_response(&mut HttpResponse::Ok(), site, address, shape, &body)
}

fn linkset_response(
    response: &mut HttpResponseBuilder,
    site: &Site,
    address: &Address<'_>,
    shape: Shape,
    body: &Value,
) -> HttpResponse {
    let media = match shape {
        Shape::Plain => "application/linkset+json",
        Shape::JsonLd => "application/ld+json",
    };
    let context = format!(
        "<{CONTEXT}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
    );
    common(response, site, address);
    response
        .append_header((header::LINK, context))
        .insert_header((header::CONTENT_TYPE, media))
        .body(body.to_string())
}

/// 307 to a link's target. The query string goes along byte for byte.
fn redirect(site: &Site, address: &Address<'_>, href: &str, query: &str) -> HttpResponse {
    let mut response = HttpResponse::TemporaryRedirect();
    common(&mut response, site, address);
    response
        .append_header((header::LINK, to_linkset(site, address)))
        .insert_header((header::LOCATION, with_query(href, query)))
        .finish()
}

/// `&` where the target has a query of its own.
fn with_query(href: &str, query: &str) -> String {
    if query.is_empty() {
        return href.to_owned();
    }
    let between = if href.contains('?') { '&' } else { '?' };
    format!("{href}{between}{query}")
}

fn common(response: &mut HttpResponseBuilder, site: &Site, address: &Address<'_>) {
    response
        .insert_header(http::any_origin())
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::ACCESS_CONTROL_EXPOSE_HEADERS, "Link, Location"));
    if address.decoded {
        let same = format!(
            "<{}{}>; rel=\"owl:sameAs\"",
            site.base_url,
            in_link(&address.path)
        );
        response.append_header((header::LINK, same));
    }
}

fn to_linkset(site: &Site, address: &Address<'_>) -> String {
    format!(
        "<{}{}?linkType=linkset>; rel=\"linkset\"; type=\"application/linkset+json\"",
        site.base_url,
        in_link(&address.path)
    )
}

/// A path inside a Link header, which readers split at commas.
fn in_link(path: &str) -> Cow<'_, str> {
    if path.contains(',') {
        Cow::Owned(path.replace(',', "%2C"))
    } else {
        Cow::Borrowed(path)
    }
}

/// Whatever an origin asks before it asks: reading is allowed to all.
pub fn preflight(site: &Site, address: &Address<'_>) -> HttpResponse {
    const METHODS: &str = "GET, HEAD, OPTIONS";
    HttpResponse::NoContent()
        .insert_header(http::any_origin())
        .insert_header((header::ALLOW, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "*"))
        .insert_header((header::ACCESS_CONTROL_EXPOSE_HEADERS, "Link, Location"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "86400"))
        .append_header((header::LINK, to_linkset(site, address)))
        .finish()
}

/// The part of a page that `?section=` names, as the address a browser scrolls to.
pub fn to_section(path: &str, query: &str) -> Option<HttpResponse> {
    let name = http::query_value(query, "section")?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 20 || !name.bytes().all(plain) {
        return None;
    }
    let rest: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("section="))
        .collect();
    let page = with_query(path, &rest.join("&"));
    let mut response = HttpResponse::TemporaryRedirect();
    response.insert_header((header::LOCATION, format!("{page}#{name}")));
    Some(response.finish())
}

/// `GET /.well-known/gs1resolver`
pub async fn describe(
    resolver: Data<Resolver>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    handlers::read_only(&request)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8"))
        .insert_header(http::any_origin())
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(description(&resolver.site).to_string()))
}

/// All lines of a header that are text.
fn lines<'a>(request: &'a HttpRequest, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = request.headers().get_all(name);
    lines.filter_map(|line| line.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_goes_along_byte_for_byte() {
        for (href, query, expected) in [
            ("https://a/", "", "https://a/"),
            ("https://a/", "x=%2f;y&z", "https://a/?x=%2f;y&z"),
            ("https://a/?b=1", "x", "https://a/?b=1&x"),
        ] {
            assert_eq!(with_query(href, query), expected);
        }
    }

    #[test]
    fn a_section_is_where_the_browser_scrolls_to() {
        let to = |query: &str| {
            let response = to_section("/p/01/1", query)?;
            let location = response.headers().get(header::LOCATION)?;
            location.to_str().ok().map(str::to_owned)
        };
        assert_eq!(to("section=code").as_deref(), Some("/p/01/1#code"));
        assert_eq!(
            to("17=270101&section=item-3&x").as_deref(),
            Some("/p/01/1?17=270101&x#item-3")
        );
        for none in ["", "section=", "section=%0d", "section=A\"b"] {
            assert_eq!(to(none), None, "{none}");
        }
    }
}
