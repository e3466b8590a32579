//! Rendered views by what they show: an in-process cache bounded in bytes, Redis behind it, the
//! database behind that. Many who miss the same view at once load it once.
//!
//! Answers about nothing (codes nobody issued) are few and live apart, so that a flood of forged
//! codes cannot push a real answer out.

use super::{
    decide::Verdict,
    lookup::Subject,
    note_io,
    redis_tier::RedisTier,
    store,
    view::{Content, Format, View, render},
};
use crate::{db::Db, pages::Lang, projection};
use lru::LruCache;
use sea_orm::DbErr;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
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

impl ViewKey {
    /// The key of an answer. JSON is the same in every language.
    pub fn new(subject: &Subject, verdict: Verdict, format: Format, lang: Lang) -> ViewKey {
        ViewKey {
            subject: match subject {
                Subject::Batch(batch) => SubjectKey::Batch(batch.id, batch.position),
                Subject::Product(id, Some(version)) => SubjectKey::Product(*id, *version),
                Subject::Product(_, None) | Subject::Nothing => SubjectKey::Nothing,
            },
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

/// The cache.
pub struct Views {
    shards: Vec<Mutex<Shard>>,
    negative: Mutex<LruCache<ViewKey, Arc<View>>>,
    hasher: RandomState,
    loading: Mutex<HashMap<ViewKey, Arc<tokio::sync::Mutex<()>>>>,
    redis: RedisTier,
}

struct Shard {
    views: LruCache<ViewKey, Arc<View>>,
    bytes: usize,
    bytes_max: usize,
}

impl Shard {
    fn put(&mut self, key: ViewKey, view: Arc<View>) {
        self.bytes += view.weight;
        if let Some((_, old)) = self.views.push(key, view) {
            self.bytes -= old.weight;
        }
        while self.bytes > self.bytes_max {
            match self.views.pop_lru() {
                Some((_, old)) => self.bytes -= old.weight,
                None => break,
            }
        }
    }
}

impl Views {
    /// Holds at most `bytes`.
    pub fn new(bytes: usize, redis: RedisTier) -> Views {
        let shard = || {
            Mutex::new(Shard {
                views: LruCache::unbounded(),
                bytes: 0,
                bytes_max: bytes / SHARDS,
            })
        };
        Views {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            negative: Mutex::new(LruCache::new(NEGATIVE_MAX)),
            hasher: RandomState::new(),
            loading: Mutex::new(HashMap::new()),
            redis,
        }
    }

    /// The view of an answer, from here if it is here.
    pub async fn get(
        &self,
        db: &Db,
        installation: Uuid,
        subject: &Subject,
        verdict: Verdict,
        format: Format,
        lang: Lang,
    ) -> Result<Arc<View>, DbErr> {
        let key = ViewKey::new(subject, verdict, format, lang);
        if let Some(view) = self.peek(&key) {
            return Ok(view);
        }
        if key.subject == SubjectKey::Nothing {
            let content = Content {
                verdict,
                subject,
                public: None,
            };
            let view = Arc::new(render(&content, format, lang));
            lock(&self.negative).put(key, view.clone());
            return Ok(view);
        }
        // One loads, the others wait for it and look again.
        let turn = lock(&self.loading).entry(key).or_default().clone();
        let held = turn.lock().await;
        if let Some(view) = self.peek(&key) {
            return Ok(view);
        }
        let loaded = self
            .load(db, installation, subject, verdict, format, lang)
            .await;
        if let Ok(view) = &loaded {
            lock(self.shard(&key)).put(key, view.clone());
        }
        lock(&self.loading).remove(&key);
        drop(held);
        loaded
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).bytes).sum()
    }

    fn peek(&self, key: &ViewKey) -> Option<Arc<View>> {
        if key.subject == SubjectKey::Nothing {
            return lock(&self.negative).get(key).cloned();
        }
        lock(self.shard(key)).views.get(key).cloned()
    }

    fn shard(&self, key: &ViewKey) -> &Mutex<Shard> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    async fn load(
        &self,
        db: &Db,
        installation: Uuid,
        subject: &Subject,
        verdict: Verdict,
        format: Format,
        lang: Lang,
    ) -> Result<Arc<View>, DbErr> {
        let (name, version) = match subject {
            Subject::Batch(batch) => (format!("view:batch:{}", batch.id), batch.position),
            Subject::Product(id, version) => (format!("view:product:{id}"), version.unwrap_or(0)),
            Subject::Nothing => return Ok(Arc::new(View::from_text(""))),
        };
        let text = match self.redis.get(installation, &name, version).await {
            Some(bytes) => String::from_utf8(bytes).ok(),
            None => None,
        };
        let text = if let Some(text) = text {
            text
        } else {
            note_io("database");
            let text = match subject {
                Subject::Batch(batch) => store::batch_view(db, batch.id).await?,
                Subject::Product(id, _) => store::product_view(db, *id).await?,
                Subject::Nothing => String::new(),
            };
            let text = super::view::without_slots(&text);
            self.redis
                .put(installation, &name, version, text.as_bytes(), None);
            text
        };
        let public: Option<projection::View> = if text.is_empty() {
            None
        } else {
            Some(serde_json::from_str(&text).map_err(|e| DbErr::Json(e.to_string()))?)
        };
        let content = Content {
            verdict,
            subject,
            public: public.as_ref(),
        };
        Ok(Arc::new(render(&content, format, lang)))
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

    fn key(n: i64) -> ViewKey {
        ViewKey {
            subject: SubjectKey::Batch(Uuid::nil(), n),
            reasons: 0,
            legality: 0,
            format: Format::Json,
            lang: Lang::En,
        }
    }

    #[test]
    fn a_shard_keeps_within_its_bytes_and_drops_the_oldest() {
        let view = Arc::new(View::from_text(&"x".repeat(100)));
        let mut shard = Shard {
            views: LruCache::unbounded(),
            bytes: 0,
            bytes_max: view.weight * 3,
        };
        for n in 0..10 {
            shard.put(key(n), view.clone());
            assert!(shard.bytes <= shard.bytes_max);
        }
        assert_eq!(shard.views.len(), 3);
        assert!(shard.views.contains(&key(9)) && !shard.views.contains(&key(0)));
        shard.put(key(9), view.clone());
        assert_eq!(
            shard.bytes,
            view.weight * 3,
            "replacing does not count twice"
        );
    }

    #[test]
    fn another_version_or_verdict_is_another_view() {
        let verdict = decide(&Facts::of(Names::ProductOrBatch));
        let of = |subject, verdict| ViewKey::new(&subject, verdict, Format::Page, Lang::Zh);
        let id = Uuid::from_u128(9);
        assert_ne!(
            of(Subject::Product(id, Some(1)), verdict),
            of(Subject::Product(id, Some(2)), verdict)
        );
        let nothing = decide(&Facts::of(Names::Nothing));
        assert_ne!(of(Subject::Nothing, verdict), of(Subject::Nothing, nothing));
    }
}
