//! Registered links in memory, by anchor. Most codes have none: what the installation serves
//! itself is derived, not stored.

use crate::projection::Link;
use std::{collections::HashMap, sync::Arc};

/// All registered links. Copied as a whole when one changes, shared until then.
#[derive(Debug, Default, Clone)]
pub struct Links(Arc<HashMap<Box<str>, Arc<[Link]>>>);

impl Links {
    /// Links of an anchor: the canonical path of a key at a level.
    pub fn of(&self, anchor: &str) -> &[Link] {
        self.0.get(anchor).map_or(&[], |links| &**links)
    }

    /// All links of an anchor; none takes the anchor away.
    pub fn set(&mut self, anchor: String, links: Vec<Link>) {
        let all = Arc::make_mut(&mut self.0);
        if links.is_empty() {
            all.remove(anchor.as_str());
        } else {
            all.insert(anchor.into(), links.into());
        }
    }
}
