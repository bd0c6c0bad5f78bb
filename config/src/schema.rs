//! The keys of nbe.toml: one table says what each is called, what it takes and where it goes.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::agent_url::AgentUrl;
use crate::identity::{Address, Pin, ServiceUuid, Uuid};
use crate::kind::{self, Kind, Misfit};
use crate::quantity::{Level, RssiOffset, ScanTicks, WindowLength};
use crate::settings::{AwayPace, Bands, Detector, Log, LogFormat, LogLevel};

/// The keys outside `[[adapter]]`, in the order in which they are shown.
pub(crate) const KEYS: &[Key<Draft>] = keys![
    agent_url: kind::Parsed<AgentUrl>,
    rssi_window_tap: kind::Readings,
    rssi_window_long: kind::Readings,
    rssi_tap_threshold: kind::LevelOrZero,
    rssi_cutoff_close: kind::LevelOrZero,
    rssi_cutoff_far: kind::LevelInDbm,
    detector: kind::Choice<Detector>,
    away_pace: kind::Choice<AwayPace>,
    absent_after_s: kind::Seconds<3, 600>,
    bands.company_ids: kind::List<kind::CompanyId>,
    bands.name_prefixes: kind::List<kind::NamePrefix>,
    bands.service_uuids: kind::List<kind::Parsed<ServiceUuid>>,
    bands.addresses: kind::List<kind::Parsed<Address>>,
    bands.all: kind::Switch,
    agent.endpoint_id: kind::Parsed<Uuid>,
    agent.token_file: kind::AbsolutePath,
    agent.ca_file: kind::AbsolutePath,
    agent.pin: kind::Parsed<Pin>,
    log.level: kind::Choice<LogLevel>,
    log.format: kind::Choice<LogFormat>,
    log.file: kind::AbsolutePath,
    log.file_max_kib: kind::Kibibytes<64, 1_048_576>,
    log.show_addresses: kind::Switch,
    log.parts.adapter: kind::Choice<LogLevel>,
    log.parts.proximity: kind::Choice<LogLevel>,
    log.parts.agent: kind::Choice<LogLevel>,
    log.parts.config: kind::Choice<LogLevel>,
    log.parts.service: kind::Choice<LogLevel>,
    log.parts.wire: kind::Choice<LogLevel>,
];

/// The keys of one `[[adapter]]`.
pub(crate) const ADAPTER_KEYS: &[Key<AdapterDraft>] = keys![
    port: kind::PortName,
    address: kind::Parsed<Address>,
    rssi_offset_db: kind::OffsetInDb,
    scan_interval_ms: kind::ScanMillis,
    scan_window_ms: kind::ScanMillis,
    active_scan: kind::Switch,
];

/// One key, whose value goes into a `D`.
pub(crate) struct Key<D> {
    /// The name, with its table's before a dot.
    pub name: &'static str,
    /// Whether a variable's or a flag's text is the value as it stands.
    pub is_text: bool,
    /// For a key that takes a single number, one that it takes.
    pub number: Option<&'static str>,
    /// What the key takes, as it reads after "must be".
    pub takes: fn() -> String,
    /// Proves a value and puts it into the draft.
    pub set: fn(&mut D, &Spanned<DeValue<'_>>) -> Result<(), Misfit>,
}

macro_rules! keys {
    ($($part:ident $(. $rest:ident)*: $kind:ty,)*) => {
        &[$(Key {
            name: concat!(stringify!($part) $(, ".", stringify!($rest))*),
            is_text: <$kind as Kind>::IS_TEXT,
            number: <$kind as Kind>::NUMBER,
            takes: <$kind as Kind>::takes,
            set: |draft, value| {
                draft.$part $(.$rest)* = <$kind as Kind>::read(value)?.into();
                Ok(())
            },
        },)*]
    };
}
use keys;

/// Values proven one by one, before the rules between them.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    pub agent_url: Option<AgentUrl>,
    pub rssi_window_tap: Option<WindowLength>,
    pub rssi_window_long: Option<WindowLength>,
    pub rssi_tap_threshold: Option<Option<Level>>,
    pub rssi_cutoff_close: Option<Option<Level>>,
    pub rssi_cutoff_far: Option<Level>,
    pub detector: Option<Detector>,
    pub away_pace: Option<AwayPace>,
    pub absent_after_s: Option<Duration>,
    pub bands: Bands,
    pub agent: crate::settings::Agent,
    pub log: Log,
}

/// The same for one `[[adapter]]`.
#[derive(Clone, Default)]
pub(crate) struct AdapterDraft {
    pub port: Option<String>,
    pub address: Option<Address>,
    pub rssi_offset_db: RssiOffset,
    pub scan_interval_ms: Option<ScanTicks>,
    pub scan_window_ms: Option<ScanTicks>,
    pub active_scan: bool,
}

/// The table whose entries are dongles.
pub(crate) const ADAPTER: &str = "adapter";

/// The names a table takes: `scope` is empty for the top, `adapter` for one dongle's.
pub(crate) fn names_in(scope: &str) -> Vec<&'static str> {
    if scope == ADAPTER {
        return ADAPTER_KEYS.iter().map(|key| key.name).collect();
    }
    let mut names: Vec<_> = KEYS
        .iter()
        .filter_map(|key| match scope {
            "" => Some(key.name),
            table => key.name.strip_prefix(table)?.strip_prefix('.'),
        })
        .map(|rest| rest.split_once('.').map_or(rest, |(first, _)| first))
        .collect();
    if scope.is_empty() {
        names.push(ADAPTER);
    }
    names.dedup();
    names
}

/// Whether the full name is a table's, such as `[log]` or `[log.parts]`.
pub(crate) fn is_table(full_name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(full_name).is_some_and(|rest| rest.starts_with('.')))
}

/// The full names of all keys.
pub(crate) fn full_names() -> impl Iterator<Item = String> {
    let of_adapter = ADAPTER_KEYS.iter().map(|key| format!("{ADAPTER}.{}", key.name));
    KEYS.iter().map(|key| key.name.to_owned()).chain(of_adapter)
}

/// A number that the key takes, if it takes one; `name` may be without its table's.
pub(crate) fn example_of_number(name: &str) -> Option<&'static str> {
    let is_meant = |key: &str| key == name || key.rsplit('.').next() == Some(name);
    let main = KEYS.iter().find(|key| is_meant(key.name)).map(|key| key.number);
    main.or_else(|| ADAPTER_KEYS.iter().find(|key| is_meant(key.name)).map(|key| key.number)).flatten()
}

/// The environment variable that sets a key: the six documented ones in capitals, the rest with `NBE_` before.
pub(crate) fn variable(full_name: &str) -> String {
    let capitals = full_name.replace('.', "__").to_ascii_uppercase();
    match full_name.starts_with("rssi_") || full_name == "agent_url" {
        true => capitals,
        false => format!("NBE_{capitals}"),
    }
}

/// The valid name that `wrong` was probably meant to be.
pub(crate) fn nearest(wrong: &str, names: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    // No valid name comes near this length, so the work stays small.
    if wrong.len() > 64 {
        return None;
    }
    let wrong = wrong.to_lowercase().replace('-', "_");
    let distance = |name: &str| strsim::osa_distance(&wrong, &name.to_lowercase());
    let by_distance = names.into_iter().map(|name| (distance(name.as_ref()), name.as_ref().to_owned()));
    by_distance.min().filter(|(distance, name)| *distance <= name.len().max(3) / 3).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::REFERENCE;

    /// The reference file has, right above each key, a comment with the range that is enforced.
    #[test]
    fn the_reference_states_what_each_key_takes() {
        let ranges = KEYS.iter().map(|key| (key.name, (key.takes)()));
        let of_adapter = ADAPTER_KEYS.iter().map(|key| (key.name, (key.takes)()));
        for (name, takes) in ranges.chain(of_adapter) {
            let name = name.rsplit('.').next().unwrap_or(name);
            let stands_in = |paragraph: &&str| {
                paragraph.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} = ")))
            };
            let paragraph = REFERENCE.split("\n\n").find(stands_in);
            let paragraph = paragraph.unwrap_or_else(|| panic!("{name} is not there"));
            let comment = paragraph.lines().filter_map(|line| line.strip_prefix("# "));
            let comment = comment.collect::<Vec<_>>().join(" ");
            assert!(comment.contains(&takes), "{name} takes {takes}, and the comment says: {comment}");
        }
    }

    #[test]
    fn every_key_has_a_variable_of_its_own() {
        let mut variables: Vec<_> = full_names().map(|name| variable(&name)).collect();
        assert_eq!(variables[..3], ["AGENT_URL", "RSSI_WINDOW_TAP", "RSSI_WINDOW_LONG"]);
        assert!(variables.contains(&"NBE_ABSENT_AFTER_S".to_owned()));
        assert!(variables.contains(&"NBE_ADAPTER__RSSI_OFFSET_DB".to_owned()));
        let count = variables.len();
        variables.sort();
        variables.dedup();
        assert_eq!(variables.len(), count);
    }
}
