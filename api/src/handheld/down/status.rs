//! What is held of a device: how far its sequence came, what stands aside and why, and what needs
//! the person who uses it.

use super::status_store::{aside, findings};
use crate::{
    app::Internal,
    handheld::push::store::{ChainState, chains},
    http::device::DeviceKnown,
    log,
    problem::Problem,
};
use std::collections::BTreeSet;
use suyuan_sync::{
    ids::DeviceId,
    wire::{StatusAnswer, V},
};

/// How a device stands.
pub async fn of(state: &Internal, device: &DeviceKnown) -> Result<StatusAnswer, Problem> {
    let tx = state.db.begin_reading().await?;
    let (_, stamp) = log::head_in(&tx).await?;
    let key = (device.device, device.epoch);
    let chain = chains(&tx, &BTreeSet::from([key])).await?.remove(&key);
    let forked = chain.as_ref().is_some_and(|chain| chain.forked);
    let none = || ChainState::empty(DeviceId(device.device), device.epoch);
    let extent = chain.map_or_else(none, |chain| chain.state).extent;
    let (parked, more_parked) = aside(&tx, device, "parked").await?;
    let (quarantined, more_quarantined) = aside(&tx, device, "quarantined").await?;
    let (findings, more_findings) = findings(&tx, device).await?;
    tx.commit().await?;
    let anchors = &state.handheld.anchors;
    Ok(StatusAnswer {
        v: V,
        device: DeviceId(device.device),
        epoch: device.epoch,
        contiguous_seq: extent.contiguous,
        held_ranges: extent.covered(),
        missing_ranges: extent.missing(),
        head_hash: extent.head,
        re_enrol: device.over || forked,
        parked,
        quarantined,
        findings,
        more: more_parked + more_quarantined + more_findings > 0,
        more_parked,
        more_quarantined,
        more_findings,
        anchor: anchors.issue(device.device, device.epoch, stamp, state.log.now()),
    })
}
