//! Turns the layers into one proven configuration, or into all that is wrong with them.

use serde::Serialize;

use crate::REFERENCE;
use crate::diagnostic::{Diagnostic, Excerpt, Location, printable};
use crate::held::{Filled, Held};
use crate::layers::{Origin, Sources};
use crate::merge::Merge;
use crate::quantity::{Cutoffs, ScanTiming};
use crate::rules;
use crate::schema::{ADAPTER, AdapterDraft};
use crate::settings::{Adapter, AdapterChoice, Config};

/// What the layers make together.
#[derive(Clone, Debug)]
pub struct Resolution {
    /// The configuration, unless anything is wrong.
    pub config: Option<Config>,
    /// Every key that has a valid value, and where it came from.
    pub values: Vec<Effective>,
    /// All that is wrong or worth a word, in the order of the places.
    pub diagnostics: Vec<Diagnostic>,
}

/// A value in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effective {
    /// The key with its table's name before a dot, such as `adapter[0].port`.
    pub key: String,
    /// The value, as TOML has it.
    pub value: toml::Value,
    /// The layer that it was taken from.
    pub origin: Origin,
    #[serde(skip)]
    location: Location,
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

impl Effective {
    /// The value as it is written in a file, safe to print.
    pub fn text(&self) -> String {
        printable(&self.value.to_string())
    }

    /// A mistake that only the world outside the configuration shows, told where the value stands.
    pub fn error(&self, message: impl AsRef<str>) -> Diagnostic {
        Diagnostic::error(self.location.clone(), message).with_excerpt(self.excerpt.clone())
    }
}

/// Lays the compiled-in default, the file, the environment and the flags over each other and checks all of it.
pub fn resolve(sources: &Sources) -> Resolution {
    let mut merge = Merge::new(REFERENCE);
    if let Some(file) = &sources.file {
        merge.lay_file(file);
    }
    for (name, text) in &sources.environment {
        merge.lay_variable(name, text);
    }
    for flag in &sources.flags {
        merge.lay_flag(flag);
    }
    rules::check(&mut merge, sources.file.as_ref());
    let is_refused = merge.diagnostics.has_errors();
    let values = effective(&merge);
    let config = if is_refused { None } else { complete(&merge) };
    Resolution { config, values, diagnostics: merge.diagnostics.into_sorted() }
}

impl Default for Config {
    /// What holds where nothing is configured: the compiled-in `nbe.default.toml`.
    fn default() -> Self {
        resolve(&Sources::default()).config.expect("the reference file is valid, as a test shows")
    }
}

fn effective(merge: &Merge) -> Vec<Effective> {
    let value = |key, held: &Held| Effective {
        key,
        value: held.value.clone(),
        origin: held.origin(),
        location: held.location.clone(),
        excerpt: held.excerpt.clone(),
    };
    let main = merge.main.values().map(|(name, held)| value(name.to_owned(), held));
    let adapters = merge.adapters.iter().enumerate().flat_map(|(index, adapter)| {
        adapter.values().map(move |(name, held)| value(format!("{ADAPTER}[{index}].{name}"), held))
    });
    main.chain(adapters).collect()
}

/// Puts the proven values together; nothing is missing once the rules are kept.
fn complete(merge: &Merge) -> Option<Config> {
    let draft = merge.main.draft.clone();
    let rssi_cutoffs = match draft.rssi_cutoff_close? {
        Some(close) => Some(Cutoffs::new(close, draft.rssi_cutoff_far?)?),
        None => None,
    };
    Some(Config {
        agent_url: draft.agent_url?,
        rssi_window_tap: draft.rssi_window_tap?,
        rssi_window_long: draft.rssi_window_long?,
        rssi_tap_threshold: draft.rssi_tap_threshold?,
        rssi_cutoffs,
        detector: draft.detector?,
        away_pace: draft.away_pace?,
        absent_after: draft.absent_after_s?,
        bands: draft.bands,
        agent: draft.agent,
        log: draft.log,
        adapters: merge.adapters.iter().map(adapter).collect::<Option<_>>()?,
    })
}

fn adapter(filled: &Filled<AdapterDraft>) -> Option<Adapter> {
    let draft = filled.draft.clone();
    let interval = draft.scan_interval_ms?;
    Some(Adapter {
        which: match (draft.port, draft.address) {
            (Some(port), _) => AdapterChoice::Port(port),
            (None, Some(address)) => AdapterChoice::Address(address),
            (None, None) => AdapterChoice::Any,
        },
        rssi_offset: draft.rssi_offset_db,
        scan: ScanTiming::new(interval, draft.scan_window_ms.unwrap_or(interval))?,
        active_scan: draft.active_scan,
    })
}
