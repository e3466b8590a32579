//! Whose fault it is that an act failed, and so what becomes of what was in it. Only what an event
//! itself causes may ever set it aside; a house that cannot work answers that it cannot.

use super::PushError;
use crate::{handheld::world::WorldError, log::ActError, problem::is_outage};
use sea_orm::{DbErr, RuntimeErr};

/// See the file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Something that an event of it says or is about. It would happen again, and not to others.
    Event,
    /// Something on record that this program cannot read, about what an event names. Others do not
    /// depend on it; the event is as good as any.
    Record,
    /// The database, the disk, the clock: nothing can be admitted now.
    House,
}

impl PushError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            PushError::Act(ActError::Db(error)) | PushError::World(WorldError::Db(error)) => {
                if is_of_the_house(error) {
                    Fault::House
                } else {
                    Fault::Event
                }
            }
            PushError::World(WorldError::Stored(_) | WorldError::Key(_)) => Fault::Record,
            PushError::Act(_) | PushError::Broken => Fault::Event,
            PushError::Frame(_) | PushError::ClockJumped | PushError::Full => Fault::House,
        }
    }

    /// Would the same happen again to the same act, and not to others?
    pub fn is_of_the_push(&self) -> bool {
        self.fault() != Fault::House
    }

    /// Did it take too long? Half of it takes half as long.
    pub fn timed_out(&self) -> bool {
        let (PushError::Act(ActError::Db(error)) | PushError::World(WorldError::Db(error))) = self
        else {
            return false;
        };
        code(error).is_some_and(|code| ["57014", "25P03"].contains(&code.as_str()))
    }

    /// What happened, in the same words whenever it happens again.
    pub fn words(&self) -> String {
        match self {
            PushError::Act(ActError::Db(error)) | PushError::World(WorldError::Db(error)) => {
                error.to_string()
            }
            other => format!("{other:?}"),
        }
    }
}

fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause)) = error else {
        return None;
    };
    let RuntimeErr::SqlxError(cause) = cause else {
        return None;
    };
    let code = cause.as_database_error()?.code()?;
    Some(code.into_owned())
}

fn is_of_the_house(error: &DbErr) -> bool {
    is_outage(error) || code(error).is_some_and(|code| is_house(&code))
}

/// Codes of a database that cannot work, whatever it is asked; those that pass by themselves apart.
fn is_house(code: &str) -> bool {
    // SQLite: permission, memory, read-only, corrupt, cannot open, authorisation, no database; each
    // with its extended codes.
    let sqlite = code.parse().ok().filter(|_: &u32| code.len() < 5);
    if let Some(code) = sqlite {
        return matches!(code & 0xff, 3 | 7 | 8 | 11 | 14 | 23 | 26);
    }
    // PostgreSQL: takes no writes; connection, configuration, internal error.
    code == "25006"
        || ["08", "F0", "XX"]
            .iter()
            .any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_house_cannot_do_is_told_from_what_an_event_causes() {
        for house in [
            "7", "8", "11", "14", "26", "264", "270", "1032", "25006", "08006", "XX000", "XX001",
        ] {
            assert!(is_house(house), "{house}");
        }
        for event in [
            "1", "18", "19", "20", "25", "1555", "1811", "2067", "23505", "22003", "P0001", "54001",
        ] {
            assert!(!is_house(event), "{event}");
        }
    }

    #[test]
    fn what_is_on_record_and_what_is_broken_is_each_its_own() {
        let stored = PushError::from(WorldError::Stored("code_space 01/1".into()));
        assert_eq!(stored.fault(), Fault::Record);
        assert_eq!(PushError::Broken.fault(), Fault::Event);
        assert_eq!(PushError::ClockJumped.fault(), Fault::House);
        assert_eq!(
            PushError::from(DbErr::Type("event.flags".into())).fault(),
            Fault::Event
        );
    }
}
