//! The agent's list of bands: who they are, which one counts, and what it knows about their wearers.

use std::sync::Arc;

use bgapi::Address;

use crate::event::Auth;

/// Whether bands that are not listed are told of at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only listed bands are tracked; all others are a count.
    #[default]
    Listed,
    /// Every band that nbe.toml's `[bands]` matches is tracked; listed ones are named.
    All,
}

/// One listed band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The agent's name for it.
    pub id: Arc<str>,
    /// Its address; `None` where only a key is known.
    pub address: Option<Address>,
    /// Whether this is its wearer's band of choice.
    pub active: bool,
    /// What the agent knows about the wearer.
    pub auth: Auth,
}

/// A whole roster; it lives in memory and outlives connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// The agent's number for this state of it.
    pub rev: u64,
    /// Listed bands only, or all.
    pub mode: Mode,
    /// The bands, in the agent's order.
    pub entries: Vec<Entry>,
}
