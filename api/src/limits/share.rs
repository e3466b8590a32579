//! Several processes, one rate: each tells the others what it admitted, and charges what it hears.
//!
//! Sent over Redis several times a second, off every request's path; nothing waits for it. A
//! message lost, or Redis away, and each process keeps its own rate. Messages name cells, not
//! addresses.

use super::Limits;
use crate::{
    config,
    resolver::redis_tier::{self, RedisTier},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// The channel's name, behind the installation's.
const CHANNEL: &str = "admitted";
/// Table, cell, tokens.
const ENTRY: usize = 1 + 4 + 4;
/// Most entries heard of one message.
const ENTRIES_MAX: usize = 50_000;

impl Limits {
    /// What was admitted here since the last message, for the others; `None` when nothing was.
    fn message(&self, from: Uuid) -> Option<Vec<u8>> {
        let mut message = from.as_bytes().to_vec();
        for (table, buckets) in (0_u8..).zip(self.tables()) {
            for (cell, tokens) in buckets.told() {
                message.push(table);
                message.extend(cell.to_be_bytes());
                message.extend(tokens.to_be_bytes());
            }
        }
        (message.len() > 16).then_some(message)
    }

    /// Charges what another process admitted. What cannot be read is left out.
    fn hear(&self, message: &[u8], own: Uuid) {
        let Some((from, entries)) = message.split_first_chunk::<16>() else {
            return;
        };
        if from == own.as_bytes() {
            return;
        }
        let tables: Vec<_> = self.tables().collect();
        for entry in entries.chunks_exact(ENTRY).take(ENTRIES_MAX) {
            let Some((cell, tokens)) = entry[1..].split_first_chunk::<4>() else {
                return;
            };
            let Ok(tokens) = <[u8; 4]>::try_from(tokens) else {
                return;
            };
            if let Some(buckets) = tables.get(usize::from(entry[0])) {
                buckets.charge(u32::from_be_bytes(*cell), u32::from_be_bytes(tokens));
            }
        }
    }
}

/// Tells and hears for ever.
pub async fn run(
    limits: Arc<Limits>,
    redis: RedisTier,
    settings: config::Redis,
    installation: Uuid,
) {
    let own = Uuid::new_v4();
    let every = Duration::from_millis(limits.settings().share_ms);
    let telling = async {
        loop {
            tokio::time::sleep(every).await;
            if let Some(message) = limits.message(own) {
                redis.publish(installation, CHANNEL, message).await;
            }
        }
    };
    let hearing = redis_tier::listen(settings, installation, CHANNEL, |message| {
        limits.hear(message, own);
    });
    tokio::join!(telling, hearing);
}

#[cfg(test)]
mod tests {
    use super::{super::tests::limits, *};
    use crate::limits::Class;

    #[test]
    fn what_one_process_admits_the_other_charges() {
        let (near, far) = (limits(), limits());
        let address = "192.0.2.1".parse().unwrap();
        let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
        assert_eq!(near.message(a), None);
        while near.ask(address, Class::Photo).is_ok() {}
        let message = near.message(a).unwrap();
        assert!(message.len() < 1000, "{} bytes", message.len());
        assert!(far.ask(address, Class::Photo).is_ok());
        far.hear(&message, b);
        assert!(far.ask(address, Class::Photo).is_err());
        assert!(
            far.ask("198.51.100.1".parse().unwrap(), Class::Photo)
                .is_ok()
        );
    }

    #[test]
    fn own_and_broken_messages_change_nothing() {
        let limits = limits();
        let own = Uuid::new_v4();
        let address = "192.0.2.1".parse().unwrap();
        limits.ask(address, Class::Photo).unwrap();
        let message = limits.message(own).unwrap();
        for _ in 0..1000 {
            limits.hear(&message, own);
        }
        for broken in [&[][..], &[1; 15], &[1; 20], &[255; 25], &[255; 1000]] {
            limits.hear(broken, own);
        }
        assert!(limits.ask(address, Class::Photo).is_ok());
    }
}
