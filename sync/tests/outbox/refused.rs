//! I26 on the device: what the server refuses by itself, an event (400, 413) or a life whose key it does not
//! know (401), is tried again and again and keeps nothing else waiting, however often the device wakes.

use crate::rules::{answer, capture, outbox, receipt_of, take};
use std::collections::{BTreeMap, VecDeque};
use suyuan_sync::{
    ids::{Epoch, Seq},
    outbox::{Action, Command, Fate, Key, Outbox},
    wire::Ranges,
};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// What was not refused waits no longer for what was, in milliseconds.
const SOON: u64 = 5_200;

/// What the server refuses: of which life, the first and the last number; with which status.
type Refuses = fn(Epoch, Seq, Seq) -> Option<u16>;

/// An event of a life which the server refuses wherever it is.
fn holds((of, seq): Key, epoch: Epoch, first: Seq, last: Seq) -> bool {
    of == epoch && (first..=last).contains(&seq)
}

/// A device on a line that loses nothing.
struct Line {
    outbox: Outbox,
    now: u64,
    due: Option<u64>,
    refuses: Refuses,
    held: BTreeMap<Epoch, Ranges>,
    /// What was sent, and when.
    sent: Vec<(u64, Epoch, Seq, Seq)>,
}

impl Line {
    fn new(refuses: Refuses) -> Line {
        Line {
            outbox: outbox(),
            now: 0,
            due: None,
            refuses,
            held: BTreeMap::new(),
            sent: Vec::new(),
        }
    }

    fn take(&mut self, command: Command) {
        let mut todo = VecDeque::from([command]);
        while let Some(command) = todo.pop_front() {
            for action in take(&mut self.outbox, self.now, command) {
                match action {
                    Action::Persist { write } => {
                        todo.push_back(Command::Committed { write: write.id });
                    }
                    Action::Send {
                        flight,
                        epoch,
                        first,
                        last,
                    } => {
                        self.sent.push((self.now, epoch, first, last));
                        self.now += 50;
                        todo.push_back(self.answer(flight, epoch, (first, last)));
                    }
                    Action::WaitUntil { at } => self.due = Some(at),
                    Action::Show { .. } => {}
                }
            }
        }
    }

    fn answer(&mut self, flight: u64, epoch: Epoch, (first, last): (Seq, Seq)) -> Command {
        if let Some(status) = (self.refuses)(epoch, first, last) {
            return Command::Refused {
                flight,
                status,
                retry_after: None,
            };
        }
        let held = self.held.entry(epoch).or_default();
        held.add(first, last);
        let receipt = receipt_of(epoch, &self.outbox, held.clone(), self.now as i64);
        let fates = vec![Fate::Settled; (last - first + 1) as usize];
        answer(flight, first, &fates, receipt)
    }

    fn sale(&mut self) -> Key {
        let slot = self.outbox.slot(self.now);
        self.take(capture(1));
        (slot.epoch, slot.seq)
    }

    fn enrol(&mut self, epoch: Epoch) {
        let anchor = format!("{:016x}", self.now);
        self.take(Command::NewEpoch {
            epoch,
            anchor,
            wall: 0,
        });
    }

    /// Time passes.
    fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some(due) = self.due.take_if(|due| *due < until) {
            self.now = self.now.max(due);
            self.take(Command::Due);
        }
        self.now = self.now.max(until);
    }

    fn is_home(&self, (epoch, seq): Key) -> bool {
        let held = self.held.get(&epoch);
        held.is_some_and(|held| held.contains(seq))
    }

    /// How often this was sent.
    fn tries(&self, key: Key) -> usize {
        let of =
            |(_, epoch, first, last): &&(u64, Epoch, Seq, Seq)| holds(key, *epoch, *first, *last);
        self.sent.iter().filter(of).count()
    }
}

#[test]
fn i26_an_earlier_life_that_is_refused_keeps_no_sale_waiting_however_often_the_device_wakes() {
    let mut line = Line::new(|epoch, _, _| (epoch == 1).then_some(401));
    line.sale();
    line.enrol(2);
    for wake in 0..240 {
        // The sale comes right after it was refused once more.
        line.take(Command::Wake);
        let sale = (wake % 20 == 0).then(|| line.sale());
        line.pass(SOON);
        assert!(
            sale.is_none_or(|sale| line.is_home(sale)),
            "{:?}",
            line.sent
        );
        line.pass(2 * MINUTE - SOON);
    }
    // It is tried with every wake, and not much more often.
    let tries = line.tries((1, 1));
    assert!((240..=300).contains(&tries), "{tries}");
    // Nobody wakes it: it is asked for at most every few minutes, and what sells meanwhile changes nothing.
    let before = line.tries((1, 1));
    for _ in 0..360 {
        let sale = line.sale();
        line.pass(10_000);
        assert!(line.is_home(sale));
    }
    let tries = line.tries((1, 1)) - before;
    assert!((12..=30).contains(&tries), "{tries}");
}

#[test]
fn i26_an_event_that_is_refused_keeps_none_of_its_life_waiting_however_often_the_device_wakes() {
    let mut line = Line::new(|epoch, first, last| holds((1, 3), epoch, first, last).then_some(400));
    line.take(capture(100));
    line.pass(MINUTE);
    let home = (1..=100).filter(|seq| line.is_home((1, *seq))).count();
    assert_eq!(home, 99, "{:?}", line.sent);
    for _ in 0..240 {
        line.take(Command::Wake);
        let sale = line.sale();
        line.pass(SOON);
        assert!(line.is_home(sale));
        line.pass(2 * MINUTE - SOON);
    }
    let tries = line.tries((1, 3));
    assert!((240..=600).contains(&tries), "{tries}");
    assert_eq!(line.outbox.unsent(), 1, "it stays");
}

#[test]
fn i26_whatever_is_refused_has_its_turn_when_nothing_else_is_left_and_soon_after_a_wake() {
    let refuses: Refuses = |epoch, first, last| {
        let poison = [(2, 1), (2, 3)]
            .iter()
            .any(|key| holds(*key, epoch, first, last));
        match epoch {
            1 => Some(401),
            _ => poison.then_some(413),
        }
    };
    let mut line = Line::new(refuses);
    line.take(capture(3));
    line.enrol(2);
    line.take(capture(4));
    line.pass(HOUR);
    assert_eq!(line.outbox.unsent(), 5);
    let asked = [(1, 1), (2, 1), (2, 3)];
    let before = asked.map(|key| line.tries(key));
    line.take(Command::Wake);
    line.pass(3 * SOON);
    for (key, before) in asked.into_iter().zip(before) {
        assert!(line.tries(key) > before, "{key:?}");
    }
    // Somebody signed in, and nothing is in the way of the life whose key is known now.
    line.pass(HOUR);
    line.refuses = |epoch, first, last| {
        let poison = [(2, 1), (2, 3)]
            .iter()
            .any(|key| holds(*key, epoch, first, last));
        poison.then_some(413)
    };
    line.take(Command::Wake);
    line.pass(3 * SOON);
    assert!((1..=3).all(|seq| line.is_home((1, seq))), "{:?}", line.sent);
    // All works again: without a wake all is home within the longest wait.
    line.pass(HOUR);
    line.refuses = |_, _, _| None;
    line.pass(6 * MINUTE);
    assert_eq!(line.outbox.unsent(), 0);
    let pace = line.outbox.picture().pace;
    assert_eq!((pace.failed, line.outbox.picture().skipped), (0, vec![]));
}

#[test]
fn a_server_that_refuses_everything_is_asked_more_and_more_rarely() {
    let mut line = Line::new(|_, _, _| Some(400));
    line.take(capture(20));
    line.pass(10 * MINUTE);
    let before = line.sent.len();
    line.pass(10 * HOUR);
    let sent = line.sent.len() - before;
    assert!(sent < 10 * 60, "{sent}");
    assert_eq!(line.outbox.unsent(), 20);
}
