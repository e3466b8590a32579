//! What people state of goods without codes of their own: moved, counted, counted as everything there is or
//! with a supervisor's word, and put into containers. Knows nothing of the service.

use super::{Part, dice::Dice, world::World};
use suyuan_sync::event::{Event, Kind, LotLine};

/// Is this kind of event stated of such goods alone?
pub(super) fn alone(kind: Kind, world: &World) -> bool {
    let moved = matches!(
        kind,
        Kind::Inbound | Kind::Outbound | Kind::Sale | Kind::Count
    );
    let ended = matches!(kind, Kind::Return | Kind::Collect | Kind::Destroy);
    moved || world.has(Part::Desks) && ended
}

/// Lines of such goods.
pub(super) fn lots(dice: &mut Dice, world: &World) -> Vec<LotLine> {
    // Of batches that keep, have expired and are on no record.
    let lot = ["A1", "B7", "R3", "L1"].map(str::to_owned);
    let line = |dice: &mut Dice| LotLine {
        gtin: world.gtin.clone(),
        lot: (!dice.happens(100))
            .then(|| dice.pick(&lot).cloned())
            .flatten(),
        qty: dice.between(1, 30) as u64,
    };
    let mut lines = vec![line(dice)];
    if world.has(Part::Rare) {
        // Of a product that is on no record yet, or one more, which may be the same.
        if dice.happens(100) {
            for line in &mut lines {
                line.gtin.clone_from(&world.late.gtin);
            }
        }
        if dice.happens(250) {
            lines.push(line(dice));
        }
    }
    lines
}

/// What an event says besides its units: such goods in a container, or beside it.
pub(super) fn beside(dice: &mut Dice, world: &World, fill: &mut Event) {
    let often = match fill.kind {
        Kind::Pack => 250,
        Kind::Unpack => 120,
        Kind::Inbound | Kind::Outbound | Kind::Count => 30,
        _ => 0,
    };
    if world.has(Part::Rare) && world.has(Part::Lots) && often > 0 && dice.happens(often) {
        fill.lots = lots(dice, world);
    }
}

/// A count of such goods may be of all there is, and a supervisor may accept what it saw.
pub(super) fn as_counted(dice: &mut Dice, world: &World, fill: &mut Event) {
    if !world.has(Part::Rare) || fill.kind != Kind::Count {
        return;
    }
    if dice.happens(400) {
        let all = serde_json::json!({"complete": true});
        let of_one = serde_json::json!({"complete": true, "gtins": [world.gtin]});
        let scope = if dice.happens(500) { all } else { of_one };
        fill.body.insert("scope".into(), scope);
    }
    if dice.happens(400) {
        // Of who is no supervisor it says nothing.
        fill.actor.supervisor |= !dice.happens(200);
        fill.body.insert("accepted".into(), true.into());
    }
}
