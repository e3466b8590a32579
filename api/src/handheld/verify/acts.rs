//! Verification of the chain over the log (I30): whether the rows of each act are what was hashed when it
//! ended, and whether acts are all there and follow each other; if not, which. What the rules are stands in
//! [`log::chain`](crate::log::chain), which columns of an event in
//! [`push::frozen`](crate::handheld::push::frozen).
//!
//! It goes through links and rows by position, page by page, as far as the log came when it began. Of an act
//! whose rows do not give its hash the act behind it tells what turned: it goes on from the hash that was
//! made of the true rows. Bodies of events are not looked at: their chains are those of their devices.

use super::acts_store::{self as store, Head, Kept};
use crate::{
    db::Db,
    log::{
        Position,
        chain::{Link, Seal},
    },
};
use sea_orm::{ConnectionTrait, DbErr};
use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The rows of this act do not give its hash.
    Rows,
    /// Nothing stands at these positions.
    Missing,
    /// Something stands here twice.
    Double,
    /// No act of the chain holds these positions, and the act behind them went on from one that did.
    Removed,
    /// The row of the chain for this act is another.
    Link,
    /// Something stands behind the end of the log, up to here.
    Beyond,
    /// The head of the log, or its copy for the public side, is another than the last act made it.
    Head,
}

/// Something that is not what was written, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tear {
    /// The first position of it.
    pub first: Position,
    /// The last one.
    pub last: Position,
    /// What is wrong.
    pub fault: Fault,
}

/// What was gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acts {
    /// Acts of the chain.
    pub acts: u64,
    /// Where the chain begins; nothing before it is held against anything. 0 where there is none yet.
    pub begins: Position,
    /// Positions behind its beginning that are in no act: a program of before the chain wrote them, beside one
    /// that knows it.
    pub outside: u64,
    /// How often something was wrong.
    pub damaged: u64,
}

impl fmt::Display for Tear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tear { first, last, .. } = self;
        if first == last {
            write!(f, "position {first}: ")?;
        } else {
            write!(f, "positions {first} to {last}: ")?;
        }
        f.write_str(match self.fault {
            Fault::Rows => "the rows of this act do not give its hash",
            Fault::Missing => "nothing is there",
            Fault::Double => "there are two rows",
            Fault::Removed => "the chain has no act for what was there",
            Fault::Link => "the chain's row for this act is another than was written",
            Fault::Beyond => "something stands behind the end of the log",
            Fault::Head => "the head of the log or its copy is another than the last act made it",
        })
    }
}

/// Goes through the log and tells what is wrong as it is found.
pub async fn verify_acts(db: &Db, tell: impl FnMut(Tear)) -> Result<Acts, DbErr> {
    let conn = db.reader();
    let head = store::head(conn).await?;
    let genesis = [head.installation, head.copy].map(|it| Before::kept(Link::genesis(it)));
    let mut walk = Walk {
        conn,
        log: store::Log::begin(),
        tell,
        done: Acts::default(),
        before: genesis.to_vec(),
        doubted: None,
        over: 0,
        furthest: head.furthest,
    };
    let (mut after, mut waiting) = (Position::MIN, None::<Kept>);
    loop {
        let page = store::links(conn, after).await?;
        let Some(last) = page.last() else { break };
        after = last.first;
        // Acts that came meanwhile are another verification's.
        let came = |kept: &Kept| kept.first > head.furthest && kept.last > head.furthest;
        for kept in page.into_iter().filter(|kept| !came(kept)) {
            if let Some(before) = waiting.replace(kept) {
                walk.act(before, kept.first).await?;
            }
        }
    }
    if let Some(last) = waiting {
        walk.act(last, Position::MAX).await?;
    }
    walk.end(&head).await?;
    Ok(walk.done)
}

/// What an act may have gone on from.
#[derive(Clone, Copy)]
struct Before {
    link: Link,
    /// That is what the chain says.
    as_kept: bool,
    /// It is an act of which the chain's row is gone.
    removed: bool,
}

impl Before {
    fn kept(link: Link) -> Before {
        Before {
            link,
            as_kept: true,
            removed: false,
        }
    }

    fn otherwise(link: Link) -> Before {
        Before {
            as_kept: false,
            ..Before::kept(link)
        }
    }
}

/// An act whose rows do not give its hash.
struct Doubted {
    first: Position,
    last: Position,
    /// It was told already what is wrong with them.
    told: bool,
}

/// On the way through the log.
struct Walk<'c, C, T> {
    conn: &'c C,
    log: store::Log,
    tell: T,
    done: Acts,
    /// What the next act may have gone on from; first what the chain says.
    before: Vec<Before>,
    /// The last act, if what is wrong with it shows by the next.
    doubted: Option<Doubted>,
    /// All positions up to here were gone over.
    over: Position,
    /// No row stands behind this.
    furthest: Position,
}

impl<C: ConnectionTrait, T: FnMut(Tear)> Walk<'_, C, T> {
    fn tear(&mut self, first: Position, last: Position, fault: Fault) {
        self.done.damaged += 1;
        (self.tell)(Tear { first, last, fault });
    }

    /// Goes over the rows up to a position. Is one there for each?
    async fn rows(&mut self, last: Position, seals: &mut [Seal]) -> Result<bool, DbErr> {
        let damaged = self.done.damaged;
        while let Some(row) = self.log.next(self.conn, last).await? {
            let at = row.gseq;
            if at < 1 {
                self.tear(at, at, Fault::Beyond);
            } else if at <= self.over {
                self.tear(at, at, Fault::Double);
            } else if at > self.over + 1 {
                self.tear(self.over + 1, at - 1, Fault::Missing);
            }
            self.over = self.over.max(at);
            for seal in &mut *seals {
                seal.row(row.table, &row.bytes);
            }
        }
        if self.over < last {
            self.tear(self.over + 1, last, Fault::Missing);
            self.over = last;
        }
        Ok(self.done.damaged == damaged)
    }

    /// What an act that begins there may have gone on from. What stands between was either written outside of
    /// the chain, or was an act of it.
    async fn before(&mut self, first: Position) -> Result<Vec<Before>, DbErr> {
        let mut before = std::mem::take(&mut self.before);
        if self.doubted.is_some() {
            // If it is its last position that turned, it ended here.
            let ended = before.first().map(|kept| Link {
                last: first - 1,
                ..kept.link
            });
            before.extend(ended.map(Before::otherwise));
        }
        if self.over + 1 < first {
            let begins = self.over + 1;
            let seal = |before: &Before| Seal::after(before.link, begins);
            let mut seals: Vec<Seal> = before.iter().map(seal).collect();
            self.rows(first - 1, &mut seals).await?;
            let gone = before.clone().into_iter().zip(seals);
            before.extend(gone.map(|(before, seal)| Before {
                link: seal.close(first - 1),
                removed: true,
                ..before
            }));
        }
        Ok(before)
    }

    /// An act as the chain has it, in front of one that begins there.
    async fn act(&mut self, kept: Kept, next: Position) -> Result<(), DbErr> {
        self.done.acts += 1;
        let Kept { first, last, .. } = kept;
        if first <= self.over || last < first {
            self.tear(first, last, Fault::Link);
            return Ok(());
        }
        let between = (self.over + 1, first - 1);
        let before = self.before(first).await?;
        let reached = last.min(next - 1).min(self.furthest);
        let seal = |before: &Before| Seal::after(before.link, first);
        let mut seals: Vec<Seal> = before.iter().map(seal).collect();
        let whole = self.rows(reached, &mut seals).await?;
        let given: Vec<Link> = seals.into_iter().map(|seal| seal.close(last)).collect();
        let kept = kept.link();
        let found = given.iter().position(|given| Some(*given) == kept);
        self.settle(found.map(|at| before[at]), between);
        if self.done.begins == 0 {
            self.done.begins = first;
        }
        self.before = kept.map(Before::kept).into_iter().collect();
        if found.is_none() {
            let given = given.first().copied();
            self.before.extend(given.map(Before::otherwise));
            self.doubted = Some(Doubted {
                first,
                last: reached,
                told: !whole,
            });
        }
        Ok(())
    }

    /// What follows went on from this, if that could be found: so much for what stands before it.
    fn settle(&mut self, from: Option<Before>, (first, last): (Position, Position)) {
        let as_kept = from.is_some_and(|from| from.as_kept);
        if let Some(doubted) = self.doubted.take().filter(|doubted| !doubted.told) {
            let turned = from.is_some() && !as_kept;
            let fault = if turned { Fault::Link } else { Fault::Rows };
            self.tear(doubted.first, doubted.last, fault);
        }
        if first > last {
            return;
        }
        if from.is_none_or(|from| from.removed) {
            self.tear(first, last, Fault::Removed);
        } else if self.done.begins > 0 && as_kept {
            self.done.outside += (last - first + 1) as u64;
        }
    }

    /// The head, which says what the next act would go on from, and what stands behind the chain.
    async fn end(&mut self, head: &Head) -> Result<(), DbErr> {
        if let Some(link) = head.link
            && self.done.begins > 0
        {
            let begins = self.over + 1;
            let upto = link.last.min(self.furthest);
            let before = self.before(upto + 1).await?;
            let found = before.iter().find(|before| before.link == link);
            let is_there = found.is_some() || begins <= upto;
            self.settle(found.copied(), (begins, upto));
            if !is_there {
                self.tear(self.over, self.over, Fault::Head);
            }
        } else if head.link.is_some() || self.done.begins > 0 {
            self.settle(None, (1, 0));
            self.tear(self.over, self.over, Fault::Head);
        }
        if !head.copied {
            self.tear(self.over, self.over, Fault::Head);
        }
        let (begins, upto) = (self.over + 1, head.least);
        if begins <= upto {
            self.rows(upto, &mut []).await?;
            if self.done.begins > 0 {
                self.done.outside += (upto - begins + 1) as u64;
            }
        }
        if let Some(last) = head.beyond {
            self.tear(last, last, Fault::Beyond);
        }
        Ok(())
    }
}
