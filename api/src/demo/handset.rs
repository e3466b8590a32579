//! A device of the demo's world: enrolled, it scans and uploads later, with a key and a chain of its
//! own, through the functions behind the routes.

use super::{DemoError, staff};
use crate::{
    app::Internal,
    handheld::{
        devices::{
            store::{self as devices, Ticket},
            ticket,
            wire::{DeviceIn, DeviceOut, Profile},
        },
        inflate::Encoding,
        keys::point,
        push::receive,
    },
    log::Actor,
    played::DeviceKey,
    problem::Problem,
};
use std::time::Duration;
use suyuan_sync::{
    chain::{self, Hash},
    event::{Event, Input, Kind, Proof, UnitRead},
    ids::{DeviceId, Epoch, EventId, LocationId, Seq},
    wire::{Push, PushClaims, TYP_PUSH, V},
};
use uuid::Uuid;

/// See the file's header.
pub struct Handset {
    key: DeviceKey,
    device: DeviceId,
    epoch: Epoch,
    place: LocationId,
    installation: String,
    /// The newest anchor, and the device's time when it came.
    anchor: (String, i64),
    /// What the server holds of it ends here.
    sent: (Seq, Hash),
    /// Scanned and not uploaded.
    waiting: Vec<String>,
}

impl Handset {
    /// Takes a device out of its box at a place and enrols it.
    pub async fn enrolled(
        state: &Internal,
        enterprise: Uuid,
        place: Uuid,
        name: &str,
        profile: Profile,
    ) -> Result<Handset, DemoError> {
        let (_, ticket) = made(state, enterprise, place, name, profile).await?;
        let log = &state.log;
        let key = DeviceKey::generate().map_err(|error| Problem::internal(&error))?;
        let public = key.public().map_err(|error| Problem::internal(&error))?;
        let public = point::read(&public).unwrap_or_default();
        let enrolled = devices::enrol(&state.db, log, &ticket.code, &public).await?;
        let welcome = ticket::welcome(state, &enrolled).await?;
        let (device, epoch) = (welcome.device, welcome.epoch);
        Ok(Handset {
            key,
            device,
            epoch,
            place: LocationId(place),
            installation: welcome.installation,
            anchor: (welcome.anchor, state.clock.now()),
            sent: (0, chain::genesis(device, epoch)),
            waiting: Vec::new(),
        })
    }

    /// Scans: what happened to which codes, and what is told besides. It is kept on the device.
    pub async fn scan(
        &mut self,
        state: &Internal,
        kind: Kind,
        codes: &[String],
        more: impl FnOnce(&mut Event),
    ) -> EventId {
        // Devices tell milliseconds: what is scanned one after the other is told apart.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let (now, id) = (state.clock.now(), EventId(Uuid::now_v7()));
        let seq = self.sent.0 + self.waiting.len() as Seq + 1;
        let mut event = Event::bare(kind, id, self.device, self.epoch, seq, now);
        event.actor.id = staff::WORKER.into();
        event.actor.proof = Proof::Badge;
        event.location = self.place;
        event.units = codes
            .iter()
            .map(|code| UnitRead::of(code, Input::Wedge))
            .collect();
        event.anchor = Some(self.anchor.0.clone());
        event.anchor_wall = Some(self.anchor.1);
        event.mono_ms = u64::try_from((now - self.anchor.1) / 1000).unwrap_or(0);
        more(&mut event);
        self.waiting.push(event.write());
        id
    }

    /// There is a network again: everything that waits goes up.
    pub async fn upload(&mut self, state: &Internal) -> Result<(), DemoError> {
        let events = std::mem::take(&mut self.waiting);
        let (first_seq, prev_hash) = (self.sent.0 + 1, self.sent.1);
        let head = chain::head(prev_hash, &events);
        let claims = PushClaims {
            aud: self.installation.clone(),
            device: self.device,
            epoch: self.epoch,
            first_seq,
            last_seq: self.sent.0 + events.len() as Seq,
            prev_hash,
            head,
        };
        let token = self.key.token(TYP_PUSH, &claims);
        let token = token.map_err(|error| Problem::internal(&error))?;
        let push = Push {
            v: V,
            device: self.device,
            epoch: self.epoch,
            first_seq,
            prev_hash,
            last_receipt: None,
            queue_depth: events.len() as u64,
            events,
        };
        let body = serde_json::to_vec(&push).map_err(|error| Problem::internal(&error))?;
        let signed = receive::signer(state, &token).await?;
        let body = state.handheld.memory.body(self.device.0, body.into())?;
        let answer = receive::push(state, signed, Encoding::Plain, body).await?;
        self.sent = (claims.last_seq, head);
        self.anchor = (answer.anchor, state.clock.now());
        Ok(())
    }
}

/// Makes a device that nobody has enrolled yet, and the code to enrol it by.
pub async fn made(
    state: &Internal,
    enterprise: Uuid,
    place: Uuid,
    name: &str,
    profile: Profile,
) -> Result<(DeviceOut, Ticket), DemoError> {
    let new = DeviceIn {
        name: name.into(),
        profile,
        location_id: place,
    };
    Ok(devices::create(&state.log, enterprise, Actor::System, None, new).await?)
}
