//! Where a rule of the transport table ends: what is taken for the head beside a second branch, and
//! what no decision lifts.

use crate::world::{Device, Store};
use suyuan_sync::admission::{
    Remark::{IdReuse, SeqMismatch, Unreadable},
    Status::{Quarantined, Stored},
};

#[test]
fn t3_the_head_behind_a_filled_gap_is_that_of_the_branch_in_state() {
    let mut device = Device::new();
    device.sales(3);
    let mut copy = device.copy(1);
    device.sales(4);
    copy.sales(4);
    let mut store = Store::new();
    store.push(device.push(1, 5));
    // The copy's number 7 is held before the device's own.
    assert_eq!(store.push(copy.push(4, 7)).statuses, [Quarantined; 4]);
    assert_eq!(store.push(device.push(7, 7)).statuses, [Stored]);
    let receipt = store.push(device.push(6, 6)).receipt;
    assert_eq!((receipt.contiguous, receipt.head), (7, device.head()));
}

#[test]
fn what_is_no_event_or_has_the_id_of_another_is_lifted_by_no_decision() {
    let mut device = Device::new();
    device.sale();
    let mut reused = device.bare();
    reused.id = device.id(1);
    device.put(reused.write()).put("{not json");
    let mut ahead = device.bare();
    ahead.seq = 9;
    device.put(ahead.write());
    let mut store = Store::new();
    store.push(device.all());
    for (seq, remark) in [(2, IdReuse), (3, Unreadable), (4, SeqMismatch)] {
        assert_eq!(store.now(seq).remarks, [remark]);
        store.readmit(remark);
        assert_eq!(store.now(seq).remarks, [remark], "{seq}");
        assert_eq!(store.now(seq).status, Quarantined);
    }
}
