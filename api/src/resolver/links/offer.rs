//! The links of a code, level by level up to its key: those registered, and those the
//! installation serves itself. Pure.

use super::{Links, Site};
use crate::{
    catalogue::Level as ItemLevel, links::LinkName, projection::Link, resolver::view::About,
};
use std::collections::HashSet;
use suyuan_sync::trace_code::{GtinCode, OtherKey, TraceCode};
use uuid::Uuid;

/// What links are about, and the links.
#[derive(Debug)]
pub struct Level {
    /// An absolute address: that of the request for the narrowest level, canonical above.
    pub anchor: String,
    /// Links.
    pub links: Vec<Link>,
}

/// The links of a code.
#[derive(Debug)]
pub struct Offer {
    /// What the thing is, in words.
    pub description: String,
    /// Narrowest first; levels without links are left out.
    pub levels: Vec<Level>,
}

/// What an offer is made for.
pub struct Subject<'a> {
    /// The code.
    pub code: &'a TraceCode,
    /// The path it was asked under.
    pub path: &'a str,
    /// What its page shows.
    pub about: &'a About,
    /// Is there a page of ours about it?
    pub has_page: bool,
}

/// One level on the way up.
struct Step {
    /// Path of its anchor.
    path: String,
    /// Where links are registered for it.
    registered: String,
    /// Is it a batch or a unit? Those show more than the product does.
    narrow: bool,
}

impl Offer {
    /// Collects.
    pub fn of(subject: &Subject<'_>, links: &Links, site: &Site) -> Offer {
        let mut levels = Vec::new();
        // A registered link takes the place of a derived one of its type at its level and below.
        let mut taken: HashSet<LinkName<'_>> = HashSet::new();
        for step in steps(subject.code, subject.path).into_iter().rev() {
            let registered = links.of(&step.registered);
            taken.extend(registered.iter().map(|link| LinkName::of(&link.link_type)));
            let mut all = Vec::new();
            if subject.has_page {
                all = derived(subject, &step, site);
                all.retain(|link| !taken.contains(&LinkName::of(&link.link_type)));
            }
            all.extend_from_slice(registered);
            if !all.is_empty() {
                let anchor = format!("{}{}", site.base_url, step.path);
                levels.push(Level { anchor, links: all });
            }
        }
        levels.reverse();
        let description = if subject.about.name.is_empty() {
            let printed = subject.code.bracketed().map(|text| text.to_string());
            printed.unwrap_or_else(|| subject.code.to_string())
        } else {
            subject.about.name.clone()
        };
        let mut offer = Offer {
            description,
            levels,
        };
        offer.ensure_default();
        offer
    }

    /// Links of a type at the narrowest level that has any.
    pub fn of_type(&self, name: LinkName<'_>) -> Option<(&Level, Vec<&Link>)> {
        self.levels.iter().find_map(|level| {
            let is = |link: &&Link| LinkName::of(&link.link_type) == name;
            let found: Vec<&Link> = level.links.iter().filter(is).collect();
            (!found.is_empty()).then_some((level, found))
        })
    }

    /// Where a request without wishes is sent.
    pub fn default_link(&self) -> Option<&Link> {
        let (_, links) = self.of_type(LinkName::Gs1("defaultLink"))?;
        links.first().copied()
    }

    /// A key without a page of ours has the default link registered for it, else its oldest one.
    fn ensure_default(&mut self) {
        if self.default_link().is_some() {
            return;
        }
        if let Some(level) = self.levels.first_mut()
            && let Some(oldest) = level.links.iter().min_by_key(|link| link.id)
        {
            let default = link("gs1:defaultLink", oldest.href.clone(), &oldest.title);
            level.links.push(default);
        }
    }
}

/// The page of a code, and the default link of everything that has one.
pub fn page(site: &Site, path: &str) -> String {
    format!("{}/p{path}", site.base_url)
}

fn link(link_type: &str, href: String, title: &str) -> Link {
    Link {
        id: Uuid::nil(),
        link_type: link_type.to_owned(),
        href,
        title: title.to_owned(),
        media_type: None,
        hreflang: Vec::new(),
        context: Vec::new(),
    }
}

/// A link to a page of ours: HTML in both languages.
fn to_page(link_type: &str, href: String, title: &str) -> Link {
    Link {
        media_type: Some("text/html".into()),
        hreflang: vec!["zh-CN".into(), "en".into()],
        ..link(link_type, href, title)
    }
}

/// What the installation serves about every code it knows, without anyone registering it. Parts
/// of a page have addresses of their own (`?section=`), since a query string that is passed on
/// cannot stand behind a fragment.
fn derived(subject: &Subject<'_>, step: &Step, site: &Site) -> Vec<Link> {
    let page = page(site, &step.path);
    let section = |name: &str| format!("{page}?section={name}");
    let mut all = vec![
        link(
            "gs1:defaultLink",
            page.clone(),
            "查询结果 What is known of this code",
        ),
        to_page(
            "gs1:verificationService",
            page.clone(),
            "追溯码是否合法 Is this code legal",
        ),
        to_page("gs1:traceability", section("code"), "追溯信息 Traceability"),
    ];
    if matches!(subject.code, TraceCode::Sscc(_)) {
        return all;
    }
    all.push(to_page(
        "gs1:pip",
        page.clone(),
        "产品信息 Product information",
    ));
    all.push(to_page(
        "gs1:recallStatus",
        section("verdict"),
        "召回状态 Recall status",
    ));
    let feedback = format!("{}/voice{}", site.base_url, step.path);
    all.push(to_page(
        "gs1:leaveReview",
        feedback,
        "评价与投诉 Feedback and complaints",
    ));
    for item in &subject.about.items {
        if step.narrow || item.level == ItemLevel::Class {
            let href = section(&format!("item-{}", item.no));
            all.push(to_page(&item.link_type, href, &item.title));
        }
    }
    all
}

/// The levels of a code, narrowest first.
fn steps(code: &TraceCode, path: &str) -> Vec<Step> {
    let mut steps = match code {
        TraceCode::Gtin(gtin) => gtin_steps(gtin),
        TraceCode::Other(key) => other_steps(key),
        TraceCode::Sscc(_) | TraceCode::Own(_) | TraceCode::Profiled(_) => vec![step(code, true)],
    };
    if let Some(narrowest) = steps.first_mut() {
        path.clone_into(&mut narrowest.path);
    }
    steps
}

fn step(code: &TraceCode, narrow: bool) -> Step {
    let registered = code.to_string();
    Step {
        path: registered.clone(),
        registered,
        narrow,
    }
}

/// A serial outranks the batch, the batch the variant, the variant the product; a serial is
/// registered without the two between.
fn gtin_steps(gtin: &GtinCode) -> Vec<Step> {
    let product = GtinCode::product(gtin.gtin);
    let (variant, lot) = (gtin.variant, gtin.lot);
    let mut codes = Vec::new();
    if gtin.upui.is_some() || gtin.serial.is_some() {
        let unit = GtinCode {
            serial: gtin.serial,
            upui: gtin.upui,
            ..product
        };
        codes.push((unit, true));
    }
    if variant.is_some() && lot.is_some() {
        let both = GtinCode {
            variant,
            lot,
            ..product
        };
        codes.push((both, true));
    }
    if lot.is_some() {
        codes.push((GtinCode { lot, ..product }, true));
    }
    if variant.is_some() {
        codes.push((GtinCode { variant, ..product }, false));
    }
    codes.push((product, false));
    codes
        .into_iter()
        .map(|(code, narrow)| step(&TraceCode::Gtin(code), narrow))
        .collect()
}

/// Each qualifier less is a level up.
fn other_steps(key: &OtherKey) -> Vec<Step> {
    let given: Vec<_> = key.qualifiers.iter().flatten().copied().collect();
    let with = |kept: &[suyuan_sync::trace_code::Qualifier]| {
        let mut qualifiers = [None; 3];
        for (slot, qualifier) in qualifiers.iter_mut().zip(kept) {
            *slot = Some(*qualifier);
        }
        step(&TraceCode::Other(OtherKey { qualifiers, ..*key }), true)
    };
    let serial = given
        .iter()
        .find(|q| *q.ai == *"21")
        .filter(|_| given.len() > 1);
    let mut steps = Vec::new();
    if let Some(serial) = serial {
        steps.push(with(&[*serial]));
    } else if !given.is_empty() {
        steps.push(with(&given));
    }
    for kept in (1..given.len()).rev() {
        steps.push(with(&given[..kept]));
    }
    steps.push(with(&[]));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use suyuan_sync::trace_code::parse_path;

    fn paths(path: &str) -> Vec<(String, String)> {
        let code = parse_path(path, "").unwrap().code;
        let steps = steps(&code, path);
        steps.into_iter().map(|s| (s.path, s.registered)).collect()
    }

    const TIN: &str = "/01/09521234000013";

    #[test]
    fn levels_lead_up_to_the_key() {
        let registered = |path: &str| -> Vec<String> {
            paths(path)
                .into_iter()
                .map(|(_, r)| r.replacen(TIN, "", 1))
                .collect()
        };
        assert_eq!(registered(TIN), [""]);
        assert_eq!(registered(&format!("{TIN}/22/V")), ["/22/V", ""]);
        assert_eq!(
            registered(&format!("{TIN}/22/V/10/L/21/S")),
            ["/21/S", "/22/V/10/L", "/10/L", "/22/V", ""]
        );
        assert_eq!(registered(&format!("{TIN}/235/T")), ["/235/T", ""]);
        let itip = "/8006/095212340000130102";
        let all = paths(&format!("{itip}/10/L/21/S"));
        let all: Vec<_> = all.iter().map(|(_, r)| r.replacen(itip, "", 1)).collect();
        assert_eq!(all, ["/21/S", "/10/L", ""]);
    }

    #[test]
    fn the_narrowest_anchor_is_the_address_that_was_asked() {
        let all = paths(&format!("{TIN}/10/L/21/S"));
        assert_eq!(all[0].0, format!("{TIN}/10/L/21/S"));
        assert_eq!(all[1].0, format!("{TIN}/10/L"));
    }

    fn site() -> Site {
        Site {
            base_url: "https://id.example".into(),
            always_redirect: false,
        }
    }

    fn offer(path: &str, links: &Links, has_page: bool) -> Offer {
        let code = parse_path(path, "").unwrap().code;
        let subject = Subject {
            code: &code,
            path,
            about: &About::default(),
            has_page,
        };
        Offer::of(&subject, links, &site())
    }

    #[test]
    fn a_registered_link_takes_the_place_of_a_derived_one_at_its_level_and_below() {
        let mut links = Links::default();
        links.set(
            TIN.into(),
            vec![link("gs1:pip", "https://brand.example/".into(), "b")],
        );
        let path = format!("{TIN}/10/L/21/S");
        let offer = offer(&path, &links, true);
        let (level, found) = offer.of_type(LinkName::Gs1("pip")).unwrap();
        assert_eq!(level.anchor, format!("https://id.example{TIN}"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].href, "https://brand.example/");
        let default = offer.default_link().unwrap();
        assert_eq!(default.href, format!("https://id.example/p{path}"));
    }

    #[test]
    fn a_key_without_a_page_falls_back_on_its_oldest_link() {
        let mut links = Links::default();
        let mut newer = link("gs1:faqs", "https://b.example/2".into(), "2");
        newer.id = Uuid::from_u128(2);
        let mut older = link("gs1:locationInfo", "https://b.example/1".into(), "1");
        older.id = Uuid::from_u128(1);
        let place = "/414/9521234000006";
        links.set(place.into(), vec![newer, older]);
        let offer = offer(place, &links, false);
        assert_eq!(offer.default_link().unwrap().href, "https://b.example/1");
    }
}
