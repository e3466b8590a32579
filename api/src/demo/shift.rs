//! What happened in the demo's world before anybody looks: goods packed, shipped, received and sold,
//! by devices that were offline for a while. Some of it contradicts, and some of that was explained
//! when the missing upload came.

use super::{
    DemoError,
    handset::{Handset, made},
    world::{Enrolment, Goods},
};
use crate::{
    app::Internal,
    clock::rfc3339,
    handheld::devices::{ticket, wire::Profile},
    log::Actor,
    recalls::{self, wire::RecallIn},
};
use suyuan_sync::{
    event::{Counterpart, Disposition, Document, Event, Input, Kind, UnitRead},
    ids::LocationId,
};
use uuid::Uuid;

/// Places of the maker.
#[derive(Clone, Copy)]
pub struct Places {
    /// Its plant.
    pub plant: Uuid,
    /// Its warehouse.
    pub warehouse: Uuid,
    /// Its two stores.
    pub stores: [Uuid; 2],
}

/// Plays it, and opens the recall in the middle.
pub async fn play(
    state: &Internal,
    enterprise: Uuid,
    places: Places,
    goods: &Goods,
) -> Result<(), DemoError> {
    let device = async |place, name, profile| {
        Handset::enrolled(state, enterprise, place, name, profile).await
    };
    let mut line = device(places.plant, "装箱线 1", Profile::Line).await?;
    let mut north = device(places.warehouse, "仓库 1", Profile::Handheld).await?;
    let mut south = device(places.warehouse, "仓库 2", Profile::Handheld).await?;
    let mut clerk = device(places.stores[0], "北京收货", Profile::Handheld).await?;
    let mut tills = [
        device(places.stores[0], "北京收银 1", Profile::Till).await?,
        device(places.stores[1], "上海收银 1", Profile::Till).await?,
    ];
    let mut shanghai = device(places.stores[1], "上海收货", Profile::Handheld).await?;

    // Two cases on a pallet; the rest goes loose.
    for (case, tins) in goods.cases.iter().zip(goods.in_cases.chunks(6)) {
        line.scan(state, Kind::Pack, tins, |pack| into(pack, case))
            .await;
    }
    let pallet = std::slice::from_ref(&goods.pallet);
    line.scan(state, Kind::Pack, &goods.cases, |pack| {
        into(pack, &goods.pallet);
    })
    .await;
    let (beijing, shanghais) = (&goods.to[0], &goods.to[1]);
    let all = [pallet, beijing, shanghais].concat();
    line.scan(state, Kind::Outbound, &all, |event| {
        ship(event, places.warehouse, "CK-0001");
    })
    .await;
    line.upload(state).await?;
    north
        .scan(state, Kind::Inbound, &all, |event| {
            receive(event, places.plant, "RK-0001");
        })
        .await;
    north
        .scan(state, Kind::Unpack, &goods.cases, |event| {
            into(event, &goods.pallet);
        })
        .await;
    north.upload(state).await?;

    // To Beijing, told at once; to Shanghai, told much later.
    let to = |case: &String, tins: &[String]| [std::slice::from_ref(case), tins].concat();
    let beijing = to(&goods.cases[0], beijing);
    let shanghais = to(&goods.cases[1], shanghais);
    let [store, other] = places.stores;
    north
        .scan(state, Kind::Outbound, &beijing, |event| {
            ship(event, store, "CK-0002");
        })
        .await;
    north.upload(state).await?;
    south
        .scan(state, Kind::Outbound, &shanghais, |event| {
            ship(event, other, "CK-0003");
        })
        .await;
    let from = places.warehouse;
    clerk
        .scan(state, Kind::Inbound, &beijing, |event| {
            receive(event, from, "RK-0002");
        })
        .await;
    shanghai
        .scan(state, Kind::Inbound, &shanghais, |event| {
            receive(event, from, "RK-0003");
        })
        .await;

    // Sales, in Shanghai without a network; among them a tin whose recall the till has not heard of.
    let copied = std::slice::from_ref(&goods.copied);
    let [beijing_till, shanghai_till] = &mut tills;
    beijing_till
        .scan(state, Kind::Sale, &goods.sold[0], said)
        .await;
    shanghai_till
        .scan(state, Kind::Sale, &goods.sold[1], said)
        .await;
    shanghai_till.scan(state, Kind::Sale, copied, said).await;
    beijing_till.upload(state).await?;
    recalls::acts::open(state, enterprise, Actor::System, None, recall(state, goods)).await?;
    shanghai_till
        .scan(state, Kind::Sale, &goods.recalled_sold, said)
        .await;

    // The network is back: the till speaks first, and its sales look wrong…
    shanghai_till.upload(state).await?;
    // …until the others do.
    south.upload(state).await?;
    shanghai.upload(state).await?;
    clerk.upload(state).await?;

    // The same code is sold again, a thousand kilometres away: one of the two tins is a copy.
    beijing_till.scan(state, Kind::Sale, copied, said).await;
    // A tin comes back and is found good; one is damaged; one is fetched back for the recall.
    beijing_till
        .scan(state, Kind::Return, &goods.sold[0][..1], said)
        .await;
    clerk
        .scan(state, Kind::Inspect, &goods.sold[0][..1], |event| {
            event.disposition = Some(Disposition::Sellable);
        })
        .await;
    clerk
        .scan(
            state,
            Kind::Destroy,
            std::slice::from_ref(&goods.destroyed),
            said,
        )
        .await;
    clerk
        .scan(
            state,
            Kind::Collect,
            std::slice::from_ref(&goods.collected),
            said,
        )
        .await;
    beijing_till.upload(state).await?;
    clerk.upload(state).await?;
    Ok(())
}

/// A till that waits to be enrolled by whoever tries the demo.
pub async fn waiting(
    state: &Internal,
    enterprise: Uuid,
    place: Uuid,
) -> Result<Enrolment, DemoError> {
    let made = made(state, enterprise, place, "北京收银 2", Profile::Till).await?;
    let trusted = state.authority.as_ref();
    let told = ticket::told(&state.settings, trusted, enterprise, made);
    let ticket = told.ticket;
    Ok(Enrolment {
        device: told.device.id,
        code: ticket.code,
        expires_at: ticket.expires_at,
        text: ticket.text,
    })
}

fn recall(state: &Internal, goods: &Goods) -> RecallIn {
    RecallIn {
        batch_ids: vec![goods.bad],
        ranges: Vec::new(),
        codes: Vec::new(),
        initiated_at: rfc3339(state.clock.now()),
        responsible: "质量部经理".into(),
        destinations: Vec::new(),
        reason: "抽检发现个别罐封口不严，可能受潮变质。Some tins may not be sealed tightly.".into(),
        instructions: "请停止食用，凭罐底追溯码到购买门店退货退款，或拨打 400-000-0001。\
             Stop using it; return it to any store for a refund."
            .into(),
    }
}

fn into(event: &mut Event, container: &str) {
    event.parent = Some(UnitRead::of(container, Input::Wedge));
}

fn ship(event: &mut Event, to: Uuid, paper: &str) {
    event.counterpart = Some(Counterpart::Location(LocationId(to)));
    document(event, paper);
    let body = &mut event.body;
    body.insert("logistics.logistics_company".into(), "顺丰速运".into());
}

fn receive(event: &mut Event, from: Uuid, paper: &str) {
    event.counterpart = Some(Counterpart::Location(LocationId(from)));
    document(event, paper);
}

fn document(event: &mut Event, paper: &str) {
    event.doc = Some(Document {
        no: paper.into(),
        at: None,
    });
}

/// The codes say it all.
fn said(_: &mut Event) {}
