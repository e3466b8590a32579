//! Rendered views by what they show, and the published texts they are rendered from: in-process
//! caches bounded in bytes, Redis behind them, the database behind that. Many who miss the same
//! text at once load it once. A text serves every verdict, so that a node which has lost its
//! database can still tell what it knew, marked as such.
//!
//! Answers about nothing (codes nobody issued) are few and live apart, so that a flood of forged
//! codes cannot push a real answer out.

use super::{
    decide::Verdict,
    lookup::{Found, Subject},
    note_io,
    redis_tier::RedisTier,
    store,
    view::{Content, Format, View, render},
};
use crate::{db::Reader, pages::Lang, projection};
use lru::LruCache;
use sea_orm::DbErr;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// Shards of the cache: more than workers, so that they seldom meet.
const SHARDS: usize = 16;
/// Views about nothing: verdicts × languages × formats, with room to spare.
const NEGATIVE_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// What a view is of. The version is part of it: an older view is a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewKey {
    subject: SubjectKey,
    /// The recall of single units it tells; what it says never changes.
    notice: Option<Uuid>,
    reasons: u16,
    legality: u8,
    format: Format,
    lang: Lang,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SubjectKey {
    Batch(Uuid, i64),
    Product(Uuid, i64),
    Nothing,
}

impl SubjectKey {
    fn of(subject: &Subject) -> SubjectKey {
        match subject {
            Subject::Batch(batch) => SubjectKey::Batch(batch.id, batch.position),
            Subject::Product(id, Some(version)) => SubjectKey::Product(*id, *version),
            Subject::Product(_, None) | Subject::Nothing => SubjectKey::Nothing,
        }
    }

    /// Its name in Redis, and the version an entry there must have.
    fn in_redis(self) -> (String, i64) {
        match self {
            SubjectKey::Batch(id, version) => (format!("view:batch:{id}"), version),
            SubjectKey::Product(id, version) => (format!("view:product:{id}"), version),
            SubjectKey::Nothing => (String::new(), 0),
        }
    }
}

/// An answer whose view is wanted.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What was found.
    pub found: &'a Found,
    /// What is said of it.
    pub verdict: Verdict,
    /// Page or JSON.
    pub format: Format,
    /// For pages.
    pub lang: Lang,
}

impl Wanted<'_> {
    fn render(self, public: Option<&projection::View>) -> View {
        let content = Content {
            verdict: self.verdict,
            subject: &self.found.subject,
            public,
            recall: self.found.recall(),
        };
        render(&content, self.format, self.lang)
    }
}

impl ViewKey {
    /// The key of an answer. JSON is the same in every language.
    pub fn new(wanted: Wanted<'_>) -> ViewKey {
        let Wanted {
            found,
            verdict,
            format,
            lang,
        } = wanted;
        ViewKey {
            subject: SubjectKey::of(&found.subject),
            notice: found.notice.as_ref().map(|recall| recall.id),
            reasons: verdict.reasons.bits(),
            legality: verdict.legality.map_or(u8::MAX, |legality| legality as u8),
            format,
            lang: match format {
                Format::Json => Lang::En,
                Format::Page => lang,
            },
        }
    }
}

/// What an enterprise published, parsed; `None` until it did.
type Source = Arc<Option<projection::View>>;

/// The caches.
pub struct Views {
    shards: Vec<Mutex<Bounded<ViewKey, Arc<View>>>>,
    negative: Mutex<LruCache<ViewKey, Arc<View>>>,
    sources: Mutex<Bounded<SubjectKey, Source>>,
    loading: Mutex<HashMap<SubjectKey, Arc<tokio::sync::Mutex<()>>>>,
    hasher: RandomState,
    redis: RedisTier,
}

/// A cache that forgets what was not asked for longest, to stay within its bytes.
struct Bounded<K: Hash + Eq, V> {
    held: LruCache<K, (V, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    fn new(bytes_max: usize) -> Self {
        Bounded {
            held: LruCache::unbounded(),
            bytes: 0,
            bytes_max,
        }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        self.held.get(key).map(|(value, _)| value)
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        if weight > self.bytes_max {
            return;
        }
        self.bytes += weight;
        if let Some((_, (_, old))) = self.held.push(key, (value, weight)) {
            self.bytes -= old;
        }
        while self.bytes > self.bytes_max {
            match self.held.pop_lru() {
                Some((_, (_, old))) => self.bytes -= old,
                None => break,
            }
        }
    }
}

impl Views {
    /// Holds at most `bytes`: three quarters rendered, one quarter texts.
    pub fn new(bytes: usize, redis: RedisTier) -> Views {
        Views {
            shards: (0..SHARDS)
                .map(|_| Mutex::new(Bounded::new(bytes / 4 * 3 / SHARDS)))
                .collect(),
            negative: Mutex::new(LruCache::new(NEGATIVE_MAX)),
            sources: Mutex::new(Bounded::new(bytes / 4)),
            loading: Mutex::new(HashMap::new()),
            hasher: RandomState::new(),
            redis,
        }
    }

    /// The view of an answer, if it is here: no lock is held long, nothing is awaited.
    pub fn peek(&self, wanted: Wanted<'_>) -> Option<Arc<View>> {
        let key = ViewKey::new(wanted);
        if key.subject == SubjectKey::Nothing {
            let mut negative = lock(&self.negative);
            let view = negative.get_or_insert(key, || Arc::new(wanted.render(None)));
            return Some(view.clone());
        }
        lock(self.shard(&key)).get(&key).cloned()
    }

    /// The view of an answer; rendered from a text that is here, in Redis or in the database.
    pub async fn get(
        &self,
        db: &Reader,
        installation: Uuid,
        wanted: Wanted<'_>,
    ) -> Result<Arc<View>, DbErr> {
        if let Some(view) = self.peek(wanted) {
            return Ok(view);
        }
        let key = ViewKey::new(wanted);
        let source = self.source(db, installation, key.subject).await?;
        let view = Arc::new(wanted.render(source.as_ref().as_ref()));
        lock(self.shard(&key)).put(key, view.clone(), view.weight);
        Ok(view)
    }

    /// What was published: one loads it, the others wait for that and look again.
    async fn source(
        &self,
        db: &Reader,
        installation: Uuid,
        key: SubjectKey,
    ) -> Result<Source, DbErr> {
        if let Some(source) = lock(&self.sources).get(&key) {
            return Ok(source.clone());
        }
        let turn = Turn::take(self, key);
        let _held = turn.mutex.lock().await;
        if let Some(source) = lock(&self.sources).get(&key) {
            return Ok(source.clone());
        }
        let (public, length) = self.load(db, installation, key).await?;
        let source: Source = Arc::new(public);
        // Parsed, a text takes about twice its length.
        lock(&self.sources).put(key, source.clone(), 2 * length + 256);
        Ok(source)
    }

    /// What Redis holds of exactly this version, if it reads as what it should be; else what the
    /// database says. With its length as text.
    async fn load(
        &self,
        db: &Reader,
        installation: Uuid,
        key: SubjectKey,
    ) -> Result<(Option<projection::View>, usize), DbErr> {
        let (name, version) = key.in_redis();
        let held = self.redis.get(installation, &name, version).await;
        if let Some(held) = held
            && let Ok(public) = serde_json::from_slice(&held)
        {
            return Ok((Some(public), held.len()));
        }
        note_io("database");
        let (text, read) = match key {
            SubjectKey::Batch(id, _) => store::batch_view(db, id).await?,
            SubjectKey::Product(id, _) => store::product_view(db, id).await?,
            SubjectKey::Nothing => (String::new(), version),
        };
        if text.is_empty() {
            return Ok((None, 0)); // not published: not worth a place in Redis
        }
        let text = super::view::without_slots(&text);
        let public = serde_json::from_str(&text).map_err(|e| DbErr::Json(e.to_string()))?;
        // Under the version that was read, which may be newer than the one asked for.
        self.redis
            .put(installation, &name, read, text.as_bytes(), None);
        Ok((Some(public), text.len()))
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        let views: usize = self.shards.iter().map(|shard| lock(shard).bytes).sum();
        views + lock(&self.sources).bytes
    }

    fn shard(&self, key: &ViewKey) -> &Mutex<Bounded<ViewKey, Arc<View>>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}

/// A place in the queue for one text; given up however the wait ends.
struct Turn<'a> {
    views: &'a Views,
    key: SubjectKey,
    mutex: Arc<tokio::sync::Mutex<()>>,
}

impl<'a> Turn<'a> {
    fn take(views: &'a Views, key: SubjectKey) -> Turn<'a> {
        let mutex = lock(&views.loading).entry(key).or_default().clone();
        Turn { views, key, mutex }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut loading = lock(&self.views.loading);
        // The map's own and ours: nobody else waits.
        if Arc::strong_count(&self.mutex) <= 2 {
            loading.remove(&self.key);
        }
    }
}

/// A cache is right or empty, never half-written: a panic while it was locked leaves it usable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolver::decide::{Facts, Names, decide};
    use suyuan_sync::trace_code;

    fn key(n: i64) -> ViewKey {
        ViewKey {
            subject: SubjectKey::Batch(Uuid::nil(), n),
            notice: None,
            reasons: 0,
            legality: 0,
            format: Format::Json,
            lang: Lang::En,
        }
    }

    #[test]
    fn a_cache_keeps_within_its_bytes_and_drops_the_oldest() {
        let mut cache = Bounded::new(300);
        for n in 0..10 {
            cache.put(key(n), n, 100);
            assert!(cache.bytes <= cache.bytes_max);
        }
        assert_eq!(cache.held.len(), 3);
        assert!(cache.get(&key(9)).is_some() && cache.get(&key(0)).is_none());
        cache.put(key(9), 9, 100);
        assert_eq!(cache.bytes, 300, "replacing does not count twice");
        cache.put(key(20), 20, 1000);
        assert_eq!(
            (cache.bytes, cache.held.len()),
            (300, 3),
            "what cannot fit is not kept"
        );
    }

    #[test]
    fn another_version_verdict_or_recall_is_another_view() {
        let of = |subject, names, recall: Option<u128>| {
            let facts = Facts::of(names);
            let found = Found {
                facts,
                subject,
                unit: None,
                code: trace_code::parse("6901234567892").unwrap().code,
                level: "product",
                notice: recall.map(|id| {
                    Arc::new(projection::Recall {
                        id: Uuid::from_u128(id),
                        reason: String::new(),
                        instructions: String::new(),
                        opened_at: 0,
                    })
                }),
            };
            ViewKey::new(Wanted {
                found: &found,
                verdict: decide(&facts),
                format: Format::Page,
                lang: Lang::Zh,
            })
        };
        let product = |version| Subject::Product(Uuid::from_u128(9), Some(version));
        let first = of(product(1), Names::ProductOrBatch, None);
        assert_eq!(first, of(product(1), Names::ProductOrBatch, None));
        for other in [
            of(product(2), Names::ProductOrBatch, None),
            of(product(1), Names::Nothing, None),
            of(product(1), Names::ProductOrBatch, Some(1)),
            of(product(1), Names::ProductOrBatch, Some(2)),
        ] {
            assert_ne!(first, other);
        }
    }
}
