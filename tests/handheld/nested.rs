//! What is in a container that is in a container (C13): whatever comes late about the outer one reaches what left
//! the inner one since, in whatever order it comes and however it comes to count. The stories are told by their
//! instants: who was where when, and what of it the server heard first.

use crate::{
    nested::Heard::{Of, Released},
    scene::{Scene, enrolled, holds, outbound, scanned, settled},
    support::{PASSWORD, firm, id, made, text_of},
};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use suyuan::handheld::aside::tend;
use suyuan_tests::{Handheld, TestApp, on_both};
use uuid::Uuid;

/// Instants that a story may last, and milliseconds between them: what anchors are off by is less. As long each waits
/// before it is told.
const LASTS: i64 = 65;
const APART: i64 = 5;

/// A device that says when things happened.
struct Teller {
    device: Handheld,
    /// The anchor it goes by, and when it had that.
    anchor: String,
    wall: jiff::Timestamp,
    texts: Vec<String>,
}

/// Where stories play: tins (`t0`…), cases (`c0`…) and pallets (`p0`…), and a device at each place.
struct Stage {
    scene: Scene,
    shop: String,
    pallets: Vec<String>,
    tellers: BTreeMap<&'static str, Teller>,
    begun: jiff::Timestamp,
    groups: BTreeMap<u8, Uuid>,
}

impl Stage {
    async fn of(app: &TestApp) -> Stage {
        let scene = Scene::of(app).await;
        let admin = app.signed_in("platform.admin", PASSWORD).await;
        let partner = firm(app, &admin, "SHEN", &[]).await;
        let shop = json!({"code": "S-1", "kind": "store", "name": "店"});
        let shop = id(&made(partner.admin.post("/v1/locations", &shop).await));
        let mut tellers = BTreeMap::new();
        for (name, place) in [
            ("plant", &scene.plant),
            ("house", &scene.warehouse),
            ("store", &scene.store),
            ("shop", &shop),
        ] {
            let staff = if name == "shop" {
                &partner
            } else {
                &scene.firm
            };
            let device = enrolled(app, &staff.operator, place).await;
            let teller = Teller {
                anchor: device.anchor.clone(),
                wall: jiff::Timestamp::now(),
                device,
                texts: Vec::new(),
            };
            tellers.insert(name, teller);
        }
        let staff = &scene.firm.admin;
        let body = json!({"gs1_prefix": "9521234", "count": 2});
        let segment = made(staff.post("/v1/segments", &body).await);
        let path = format!("/v1/segments/{}/codes", text_of(&segment["id"]));
        let printed = staff.get(&path).await.text();
        let urls = printed
            .lines()
            .skip(1)
            .filter_map(|line| line.rsplit(',').next());
        let pallets = urls.map(str::to_owned).collect();
        let mut stage = Stage {
            scene,
            shop,
            pallets,
            tellers,
            begun: jiff::Timestamp::now(),
            groups: BTreeMap::new(),
        };
        stage.begin(app).await;
        stage
    }

    /// Once all is done that the scene makes necessary.
    async fn begin(&mut self, app: &TestApp) {
        settled(app).await;
        for teller in self.tellers.values_mut() {
            teller.device.status().await;
            teller.anchor.clone_from(&teller.device.anchor);
            teller.wall = jiff::Timestamp::now();
        }
        self.begun = jiff::Timestamp::now();
        tokio::time::sleep(Duration::from_millis((LASTS * APART) as u64)).await;
    }

    fn code(&self, name: &str) -> String {
        let n: usize = name[1..].parse().expect("a number");
        let all = match &name[..1] {
            "t" => &self.scene.tins,
            "c" => &self.scene.cases,
            _ => &self.pallets,
        };
        all[n].clone()
    }

    /// Somebody states something at an instant.
    fn says(&mut self, said: &Said<'_>) {
        let (who, at, kind, names, group) = *said;
        let to = match names[0] {
            "house" => Some(&self.scene.warehouse),
            "shop" => Some(&self.shop),
            _ => None,
        };
        let codes = &names[usize::from(to.is_some())..];
        let codes: Vec<String> = codes.iter().map(|name| self.code(name)).collect();
        let codes: Vec<&String> = codes.iter().collect();
        let mut said = match (kind, to) {
            ("pack", _) => json!({
                "parent": {"code": codes[0], "input": "wedge"}, "units": scanned(&codes[1..]),
            }),
            (_, Some(to)) => outbound(&codes, to),
            (_, None) => json!({"units": scanned(&codes), "doc": {"no": "D-1"}}),
        };
        let when = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string();
        let at = self.begun + jiff::Span::new().milliseconds(at * APART);
        if let Some((group, n, of)) = group {
            let id = *self.groups.entry(group).or_insert_with(Uuid::now_v7);
            said["group"] = json!({"id": id, "n": n, "of": of});
        }
        let teller = self.tellers.get_mut(who).expect("a teller");
        said["anchor"] = json!(teller.anchor);
        said["anchor_wall"] = json!(when(teller.wall));
        said["at"] = json!(when(at));
        let text = teller.device.event(kind, &said);
        teller.texts.push(text);
    }

    /// The server hears what somebody stated.
    async fn hears(&mut self, who: &str, of: std::ops::Range<usize>) {
        let teller = self.tellers.get_mut(who).expect("a teller");
        let prev = teller.device.history[of.start];
        let texts = teller.texts[of.clone()].to_vec();
        teller
            .device
            .push_at(of.start as u64 + 1, prev, &texts)
            .await;
    }

    /// Whatever group waits is waited for no longer.
    async fn released(&self, app: &TestApp) {
        let state = app.state();
        let done = tend::groups(&state.db, &state.handheld.ingest, i64::MAX).await;
        done.expect("groups");
        settled(app).await;
    }
}

/// What somebody says: who, when, what kind, of what, and as which member of a group.
type Said<'s> = (
    &'static str,
    i64,
    &'s str,
    &'s [&'s str],
    Option<(u8, u32, u32)>,
);

/// What the server hears, or that a group is waited for no longer.
enum Heard {
    Of(&'static str, std::ops::Range<usize>),
    Released,
}

/// Tells a story, and holds what is kept against the log after each thing that is heard.
async fn told(app: &TestApp, said: &[Said<'_>], heard: &[Heard]) {
    let mut stage = Stage::of(app).await;
    for said in said {
        stage.says(said);
    }
    // Each in an act of its own.
    for n in 0..PACKED.len() {
        stage.hears("plant", n..n + 1).await;
    }
    for (n, heard) in heard.iter().enumerate() {
        match heard {
            Of(who, of) => stage.hears(who, of.clone()).await,
            Released => stage.released(app).await,
        }
        holds(app, &format!("heard {n}")).await;
    }
}

const PACKED: [Said<'static>; 3] = [
    ("plant", 1, "pack", &["c0", "t0", "t1"], None),
    ("plant", 3, "pack", &["p0", "c0"], None),
    ("plant", 5, "outbound", &["house", "p0"], None),
];

macro_rules! story {
    ($(#[$doc:meta])* $name:ident, [$($said:expr),* $(,)?], [$($heard:expr),* $(,)?]) => {
        on_both!($(#[$doc])* $name, |app| {
            let mut said = PACKED.to_vec();
            let more: &[Said<'_>] = &[$($said),*];
            said.extend_from_slice(more);
            told(&app, &said, &[$($heard),*]).await;
            app.stop().await;
        });
    };
}

story!(
    /// The pallet came to the house before the tin was at the store: no misroute, but out of nowhere.
    c13_what_left_a_case_hears_of_the_pallet_the_case_is_still_on,
    [
        ("house", 10, "inbound", &["p0"], None),
        ("store", 20, "inbound", &["t0"], None)
    ],
    [Of("store", 0..1), Of("house", 0..1)]
);

story!(
    /// What is said of the case in the same act is later than what the tin did.
    t8_a_group_waited_for_no_longer_tells_of_a_pallet_what_left_the_case_before_it_tells_of_that,
    [
        ("house", 10, "inbound", &["p0"], Some((1, 1, 3))),
        ("house", 30, "inbound", &["c0"], Some((1, 2, 3))),
        ("store", 12, "inbound", &["t0"], None),
        ("store", 15, "inbound", &["c0"], None)
    ],
    [Of("house", 0..2), Of("store", 0..2), Released]
);

story!(
    t8_a_group_that_is_whole_tells_of_a_pallet_what_left_the_case_before_it_tells_of_that,
    [
        ("house", 10, "inbound", &["p0"], Some((1, 1, 2))),
        ("house", 30, "inbound", &["c0"], Some((1, 2, 2))),
        ("store", 12, "inbound", &["t0"], None),
        ("store", 15, "inbound", &["c0"], None)
    ],
    [Of("house", 0..1), Of("store", 0..2), Of("house", 1..2)]
);

story!(
    /// It was sold with its pallet before it was put there, and is sold in there.
    c13_what_is_in_another_case_by_now_is_held_against_that,
    [
        ("house", 10, "sale", &["p0"], None),
        ("store", 20, "inbound", &["c1"], None),
        ("store", 25, "pack", &["c1", "t1"], None)
    ],
    [Of("store", 0..1), Of("store", 1..2), Of("house", 0..1)]
);

story!(
    /// What happened to the case while it was in there the first time happened to it, too.
    c12_what_came_back_into_its_case_hears_of_the_case_before_that,
    [
        ("store", 10, "pack", &["c0", "t2"], None),
        ("house", 15, "inbound", &["t0"], None),
        ("house", 17, "inbound", &["t1"], None),
        ("house", 30, "pack", &["c0", "t0", "t1"], None)
    ],
    [Of("house", 0..1), Of("house", 1..2), Of("house", 2..3), Of("store", 0..1)]
);

story!(
    /// That the case was put on its pallet once more takes nothing back.
    c12_what_left_a_case_hears_of_the_pallet_though_the_case_was_put_there_again,
    [
        ("house", 15, "pack", &["p0", "c1"], None),
        ("store", 20, "inbound", &["t0"], None),
        ("plant", 25, "pack", &["p0", "c0"], None)
    ],
    [Of("store", 0..1), Of("plant", 3..4), Of("house", 0..1)]
);

story!(
    /// Who is linked by a leg of the pallet is linked to the case, and not to what was put into that elsewhere.
    c13_a_late_leg_of_a_pallet_reaches_what_was_put_into_its_case_whatever_the_act_says_of_that,
    [
        ("plant", 6, "outbound", &["shop", "p0"], None),
        ("plant", 40, "outbound", &["house", "c0"], None),
        ("house", 20, "pack", &["c0", "t2"], None),
        ("shop", 60, "inbound", &["c0"], None)
    ],
    [Of("house", 0..1), Of("plant", 3..5), Of("shop", 0..1)]
);

story!(
    /// Nothing of the case that left it in that very act, nor of what is in that, is collected with the pallet.
    c7_a_pallet_is_fetched_back_without_the_case_that_left_it_in_the_same_act,
    [
        ("store", 12, "inbound", &["c0"], None),
        ("store", 20, "collect", &["p0"], None)
    ],
    [Of("store", 0..2)]
);

story!(
    /// Whose goods were its all the recall could cover is in none once they turn out to have left it.
    c7_a_pallet_turns_out_to_have_been_empty_when_it_was_fetched_back,
    [
        ("house", 20, "collect", &["p0"], None),
        ("store", 12, "inbound", &["c0"], None)
    ],
    [Of("house", 0..1), Of("store", 0..1)]
);
