//! How often a code was asked about, and what that does and does not mean.

use super::text::escape;
use super::{Lang, wording};

/// Below this many seconds a count is as fresh as promised, and its age is not mentioned.
const FRESH_SECONDS: u64 = 5;

/// The section for [`slot::QUERIES`](super::slot::QUERIES), already HTML: how often the code
/// was queried before this time, since when, and what to make of it. `first_on` is a date as
/// the reader should see it. The age is told only when the count is older than 5 s. A count
/// alone never accuses anyone.
pub fn queries_sentence(
    lang: Lang,
    count: u64,
    first_on: Option<&str>,
    age_seconds: Option<u64>,
) -> String {
    let words = lang.words();
    let first_on = first_on.map(|day| format!("<span class=\"nb\">{}</span>", escape(day)));
    let counted = wording::counted(lang, count, first_on.as_deref());
    let meaning = if count == 0 {
        words.first_query_means
    } else {
        words.count_means
    };
    let age = match age_seconds {
        Some(seconds) if seconds > FRESH_SECONDS => {
            format!(
                "<p class=\"fine\">{}</p>",
                wording::counted_ago(lang, seconds)
            )
        }
        _ => String::new(),
    };
    format!(
        "<section><h2>{}</h2><p>{counted}</p><p class=\"note\">{meaning}</p>{age}</section>",
        words.queries
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_query_is_called_the_first() {
        let zh = queries_sentence(Lang::Zh, 0, None, None);
        assert!(zh.contains("此前没有查询记录"), "{zh}");
        let en = queries_sentence(Lang::En, 0, None, Some(2));
        assert!(en.contains("first recorded query"), "{en}");
    }

    #[test]
    fn earlier_queries_are_counted_and_explained() {
        let zh = queries_sentence(Lang::Zh, 7, Some("2026-02-11"), None);
        assert!(zh.contains("<strong>7</strong> 次"), "{zh}");
        assert!(
            zh.contains("2026-02-11") && zh.contains("可以被复制"),
            "{zh}"
        );
        let en = queries_sentence(Lang::En, 7, Some("2026-02-11"), None);
        assert!(
            en.contains(
                "<strong>7</strong> times before, first on <span class=\"nb\">2026-02-11</span>"
            ),
            "{en}"
        );
        assert!(en.contains("can be copied"), "{en}");
        let once = queries_sentence(Lang::En, 1, Some("2026-02-11"), None);
        assert!(
            once.contains("<strong>once</strong> before, on <span class=\"nb\">2026-02-11</span>"),
            "{once}"
        );
        let undated = queries_sentence(Lang::En, 2, None, None);
        assert!(undated.contains("times before.") && !undated.contains("first on"));
    }

    #[test]
    fn an_age_is_told_only_when_it_matters() {
        for (age, zh, en) in [
            (6, "6 秒前", "6 seconds ago"),
            (60, "1 分钟前", "1 minute ago"),
            (150, "2 分钟前", "2 minutes ago"),
            (7200, "2 小时前", "2 hours ago"),
            (u64::MAX, "天前", "days ago"),
        ] {
            assert!(queries_sentence(Lang::Zh, 3, None, Some(age)).contains(zh));
            assert!(queries_sentence(Lang::En, 3, None, Some(age)).contains(en));
        }
        for fresh in [None, Some(0), Some(5)] {
            assert!(!queries_sentence(Lang::Zh, 3, None, fresh).contains("前的统计"));
            assert!(!queries_sentence(Lang::En, 3, None, fresh).contains("ago"));
        }
    }

    #[test]
    fn a_hostile_date_is_only_text() {
        let html = queries_sentence(Lang::En, 1, Some("<b>\u{E000}\u{202E}\"'&"), None);
        assert!(html.contains("&lt;b&gt;&quot;&#39;&amp;"), "{html}");
        assert!(!html.contains('\u{E000}') && !html.contains('\u{202E}'));
    }
}
