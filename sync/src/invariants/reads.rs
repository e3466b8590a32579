//! That who asks is told what is theirs and no more: of others' things nothing (I20), and never more
//! at once than may be (I29).

use super::{Broken, Holds};

/// What somebody was told who asked for a thing by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asked for what.
    pub what: String,
    /// They have a part in it.
    pub may: bool,
    /// There is such a thing, they were told.
    pub told: bool,
    /// In which words.
    pub words: String,
    /// What is told in its place of an id that nobody ever gave.
    pub of_nothing: String,
}

/// I20: who has a part in a thing is told of it; for anybody else there is no such thing, and they are
/// told so in the words that are told of what there never was.
pub fn i20_strangers_are_told_nothing(asked: &[Asked]) -> Holds {
    for asked in asked {
        let words = &asked.words;
        let wrong = if asked.may {
            (!asked.told).then(|| format!("is not told: {words}"))
        } else if asked.told {
            Some(format!("is told of what is others': {words}"))
        } else {
            let differ = *words != asked.of_nothing;
            differ.then(|| format!("is told {words}, of nothing {}", asked.of_nothing))
        };
        if let Some(wrong) = wrong {
            return Err(Broken::new("I20", format!("{} {wrong}", asked.what)));
        }
    }
    Ok(())
}

/// I29: what is sent or told at once has a bound, whatever there is.
pub fn i29_no_more_at_once_than_may_be(what: &str, is: usize, most: usize) -> Holds {
    if is > most {
        return Err(Broken::new("I29", format!("{is} {what}, at most {most}")));
    }
    Ok(())
}
