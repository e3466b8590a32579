//! Work that may wait, on a thread of its own and at a lower priority than answers: where there
//! are fewer cores than work, answers go first. Threads that such a thread starts inherit its
//! priority, those of SQLite's connections too. So whatever runs here must open its own
//! connections, and hold a lock that others wait for only a moment.

use std::{io, thread};
use tokio::{runtime::Builder, sync::oneshot};

/// Steps below everything else in the process: about a third of its share of a core that both want.
/// Not less, so that whoever waits for a lock held here does not wait long.
#[cfg(target_os = "linux")]
const STEPS: i32 = 5;

/// Work on a thread of its own; it ends when this is dropped.
pub(super) struct Background {
    _end: oneshot::Sender<()>,
}

impl Background {
    /// Begins it.
    pub(super) fn run<W>(name: &str, work: impl FnOnce() -> W + Send + 'static) -> io::Result<Self>
    where
        W: Future<Output = ()>,
    {
        let (end, ended) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name(name.into()).spawn(move || {
            step_back();
            runtime.block_on(async {
                tokio::select! {
                    () = work() => {}
                    _ = ended => {}
                }
            });
        })?;
        Ok(Background { _end: end })
    }
}

/// Lowers the priority of the calling thread. Elsewhere than on Linux it would be the process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEPS) {
        tracing::debug!(%error, "background work stays at the priority of all other");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    #[test]
    fn it_runs_beside_and_below_and_ends_when_dropped() {
        struct Told(mpsc::Sender<Option<i32>>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.send(None).ok();
            }
        }
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let (tell, told) = mpsc::channel();
        let work = async move {
            let told = Told(tell);
            told.0.send(Some(priority())).ok();
            std::future::pending::<()>().await;
        };
        let background = Background::run("test", || work).unwrap();
        let wait = || told.recv_timeout(Duration::from_secs(5));
        if cfg!(target_os = "linux") {
            assert_eq!(wait(), Ok(Some((before + 5).min(19))));
        } else {
            wait().unwrap();
        }
        assert_eq!(priority(), before, "nobody else is slower for it");
        drop(background);
        assert_eq!(wait(), Ok(None));
    }
}
