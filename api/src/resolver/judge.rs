//! From a code to an answer ready to be written down: looked up, decided, with its view and count,
//! as things stand at the moment it is given. Knows no HTTP.

use super::{
    Resolver,
    cache::Wanted,
    counts::Count,
    decide::{Verdict, decide},
    lease::{AsOf, Trust},
    lookup::{Entered, Found, lookup},
    view::{Format, View},
};
use crate::{
    clock::Micros,
    pages::Lang,
    problem::{Problem, ProblemCode},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use suyuan_sync::trace_code::Scanned;
use uuid::Uuid;

/// A read for one scan takes at most this long: a database that hangs must not hang the page.
pub const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// What a scanned address asks for.
#[derive(Clone, Copy)]
pub struct Ask {
    /// Page or JSON.
    pub format: Format,
    /// For pages.
    pub lang: Lang,
    /// Scanned or typed.
    pub entered: Entered,
}

/// An answer, ready to be written down.
pub struct Judged {
    /// What it names.
    pub found: Found,
    /// What is said of it.
    pub verdict: Verdict,
    /// The rendered text.
    pub view: Arc<View>,
    /// How often it was queried before.
    pub count: Count,
    /// When what it was judged by was last confirmed.
    pub as_of: Arc<AsOf>,
}

/// Rounds of judging before an answer is given up: each begins because something became known
/// while the one before waited.
const ROUNDS_MAX: usize = 5;

/// Looks the code up and judges it by how things stand when the answer is given: waiting for a
/// text takes time, and meanwhile a recall may become known or the lease may run out.
pub async fn judge(
    resolver: &Resolver,
    scanned: &Scanned,
    ask: Ask,
    now: Micros,
) -> Result<Judged, Problem> {
    match at_once(resolver, scanned, ask, now) {
        Some(judged) => Ok(judged),
        // Apart, since few answers wait: all others would carry the room that waiting takes.
        None => Box::pin(after_waiting(resolver, scanned, ask, now)).await,
    }
}

/// The same where nothing must be waited for: text and count are at hand, and no time passes
/// between looking at how things stand and saying so.
fn at_once(resolver: &Resolver, scanned: &Scanned, ask: Ask, now: Micros) -> Option<Judged> {
    let trust = resolver.lease.state(Instant::now());
    if trust == Trust::Expired {
        return None;
    }
    let as_of = resolver.lease.as_of();
    let world = resolver.world.load();
    let mut found = lookup(&world, scanned, ask.entered, day_in_shanghai(now));
    found.facts.cannot_confirm |= trust == Trust::Grace;
    let verdict = decide(&found.facts);
    let views = &resolver.views;
    let view = views.peek(wanted(&found, verdict, ask))?;
    let count = match found.unit {
        Some((space, index)) => {
            let known = resolver.counts.peek(space, index);
            known.or((trust != Trust::Fresh).then(Count::default))?
        }
        None => Count::default(),
    };
    Some(Judged {
        found,
        verdict,
        view,
        count,
        as_of,
    })
}

async fn after_waiting(
    resolver: &Resolver,
    scanned: &Scanned,
    ask: Ask,
    now: Micros,
) -> Result<Judged, Problem> {
    for _ in 0..ROUNDS_MAX {
        let trust = resolver.lease.state(Instant::now());
        let as_of = resolver.lease.as_of();
        if trust == Trust::Expired {
            break;
        }
        let world = resolver.world.load_full();
        let mut found = lookup(&world, scanned, ask.entered, day_in_shanghai(now));
        found.facts.cannot_confirm |= trust == Trust::Grace;
        let verdict = decide(&found.facts);
        let view = view_of(resolver, world.installation, &found, verdict, ask).await?;
        let count = count_of(resolver, world.installation, &found, trust).await;
        let same_world = resolver.world.load().position == world.position;
        if same_world && resolver.lease.state(Instant::now()) == trust {
            return Ok(Judged {
                found,
                verdict,
                view,
                count,
                as_of,
            });
        }
    }
    Err(Problem::new(ProblemCode::CannotConfirm))
}

/// Verdicts without the texts that tell them.
pub struct Verdicts {
    /// What each code names, and what is said of it.
    pub each: Vec<(Found, Verdict)>,
    /// When what they were judged by was last confirmed.
    pub as_of: Arc<AsOf>,
}

/// What is said of codes, without the texts that tell it: nothing is read, so all of them are
/// judged in one world, at one moment.
pub fn stand(
    resolver: &Resolver,
    codes: &[Scanned],
    entered: Entered,
    now: Micros,
) -> Result<Verdicts, Problem> {
    let trust = resolver.lease.state(Instant::now());
    let as_of = resolver.lease.as_of();
    if trust == Trust::Expired {
        return Err(Problem::new(ProblemCode::CannotConfirm));
    }
    let world = resolver.world.load_full();
    let today = day_in_shanghai(now);
    let one = |code| {
        let mut found = lookup(&world, code, entered, today);
        found.facts.cannot_confirm |= trust == Trust::Grace;
        let verdict = decide(&found.facts);
        (found, verdict)
    };
    let each = codes.iter().map(one).collect();
    Ok(Verdicts { each, as_of })
}

fn wanted(found: &Found, verdict: Verdict, ask: Ask) -> Wanted<'_> {
    Wanted {
        found,
        verdict,
        format: ask.format,
        lang: ask.lang,
    }
}

async fn view_of(
    resolver: &Resolver,
    installation: Uuid,
    found: &Found,
    verdict: Verdict,
    ask: Ask,
) -> Result<Arc<View>, Problem> {
    let wanted = wanted(found, verdict, ask);
    if let Some(view) = resolver.views.peek(wanted) {
        return Ok(view);
    }
    let view = resolver.views.get(&resolver.db, installation, wanted);
    match tokio::time::timeout(READ_TIMEOUT, view).await {
        Ok(Ok(view)) => Ok(view),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(late) => Err(unavailable(&late)),
    }
}

/// A count is no safety matter: without one the answer still stands, and says that it has none.
async fn count_of(resolver: &Resolver, installation: Uuid, found: &Found, trust: Trust) -> Count {
    let Some((space, index)) = found.unit else {
        return Count::default();
    };
    let known = resolver.counts.peek(space, index);
    if known.is_some() || trust != Trust::Fresh {
        return known.unwrap_or_default(); // a database that does not answer is not asked again
    }
    let count = resolver
        .counts
        .get(&resolver.db, installation, space, index);
    let count = tokio::time::timeout(resolver.counts.wait(), count).await;
    count.ok().and_then(Result::ok).unwrap_or_default()
}

/// Nothing can be shown without the database, and nothing may be guessed.
fn unavailable(error: &dyn std::error::Error) -> Problem {
    tracing::warn!(%error, "a view could not be read");
    Problem::new(ProblemCode::CannotConfirm)
}

/// The day in Asia/Shanghai as days since 1970.
fn day_in_shanghai(at: Micros) -> i32 {
    const HOUR: i64 = 3_600_000_000;
    (at + 8 * HOUR).div_euclid(24 * HOUR) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn expiry_flips_at_midnight_in_shanghai() {
        let before: jiff::Timestamp = "2026-11-21T15:59:59Z".parse().unwrap();
        let after: jiff::Timestamp = "2026-11-21T16:00:00Z".parse().unwrap();
        let day = clock::day_number(jiff::civil::date(2026, 11, 21));
        assert_eq!(day_in_shanghai(before.as_microsecond()), day);
        assert_eq!(day_in_shanghai(after.as_microsecond()), day + 1);
    }
}
