//! The rules between keys, and what is allowed but worth a word.

use crate::diagnostic::{Diagnostic, Location};
use crate::held::{Filled, Held};
use crate::layers::SourceFile;
use crate::merge::Merge;
use crate::quantity::WindowLength;
use crate::schema::AdapterDraft;
use crate::settings::{AwayPace, Detector};

/// The strongest reading the dongle gives, in dBm; nearer, it saturates (BGAPI reference, §5.4.3).
const SATURATION_DBM: i8 = -38;

/// The strongest mean that can be held in practice, in dBm: readings just below saturation scatter by some dB.
const HARDLY_HELD_DBM: i8 = -40;

/// Two dongles of one make differ by about that much, so closer cutoffs tell them apart, not places.
const LEAST_GAP_DB: i8 = 5;

/// Checks all that no key can tell alone.
///
/// A key whose value was refused is left out: one mistake is told once.
pub(crate) fn check(merge: &mut Merge, file: Option<&SourceFile>) {
    let mut found = Vec::new();
    if let Some(file) = file {
        check_file(merge, file, &mut found);
    }
    check_agent(merge, &mut found);
    check_levels(merge, &mut found);
    check_pace(merge, &mut found);
    merge.adapters.iter_mut().for_each(|adapter| check_adapter(adapter, &mut found));
    check_choice_of_adapters(merge, &mut found);
    found.into_iter().for_each(|diagnostic| merge.diagnostics.push(diagnostic));
}

fn check_file(merge: &Merge, file: &SourceFile, found: &mut Vec<Diagnostic>) {
    let path = file.path.display();
    if let Some(mode) = file.mode.filter(|mode| mode & 0o022 != 0) {
        let (who, change) = match mode & 0o022 {
            0o020 => ("its group", "g-w"),
            0o002 => ("everyone", "o-w"),
            _ => ("its group and everyone", "go-w"),
        };
        let message = format!("can be changed by {who} (mode {:04o})", mode & 0o7777);
        let warning = Diagnostic::warning(Location::file(&file.path), message);
        found.push(warning.with_help(format!("chmod {change} {path}")));
    }
    if let Some(belongs_at) = &file.belongs_at {
        let warning = Diagnostic::warning(Location::file(&file.path), "is read from its older place");
        found.push(warning.with_help(format!("`nbe migrate --write` makes {} of it", belongs_at.display())));
    }
    let has_no_url = merge.main.get("agent_url").is_some_and(Held::is_default);
    if has_no_url && !merge.is_garbled {
        let message = "agent_url is missing, and a file must have it";
        let add = "add at the top: agent_url = \"ws://127.0.0.1:9120/socket/websocket\"";
        found.push(Diagnostic::error(Location::file(&file.path), message).with_help(add));
    }
}

fn check_agent(merge: &Merge, found: &mut Vec<Diagnostic>) {
    let (Some(held), Some(url)) = (merge.main.get("agent_url"), &merge.main.draft.agent_url) else {
        return;
    };
    if !url.is_secure() {
        for name in ["agent.token_file", "agent.ca_file", "agent.pin"] {
            if let Some(secret) = merge.main.get(name) {
                let message = format!("{name} needs wss://, and agent_url is {url} ({})", held.origin());
                found.push(secret.error(message));
            }
        }
        if !url.is_loopback() {
            let message = "agent_url is not encrypted, and the agent is on another machine";
            let help = "use wss:// where the agent has it: whoever is on the way can read and change what is sent";
            found.push(held.warning(message).with_help(help));
        }
    }
    if url.path() == "/" {
        let warning = held.warning("agent_url has no path");
        found.push(warning.with_help("agents listen at /socket/websocket unless set up otherwise"));
    }
}

fn check_levels(merge: &Merge, found: &mut Vec<Diagnostic>) {
    let draft = &merge.main.draft;
    if let (Some(held), Some(Some(threshold))) = (merge.main.get("rssi_tap_threshold"), draft.rssi_tap_threshold) {
        let dbm = threshold.dbm();
        let word = match dbm {
            _ if dbm > SATURATION_DBM => Some("can never be reached"),
            _ if dbm > HARDLY_HELD_DBM => Some("can hardly be reached"),
            _ => None,
        };
        if let Some(word) = word {
            let message = format!(
                "rssi_tap_threshold {dbm} {word}: the dongle reads {SATURATION_DBM} dBm at most, however near the band is"
            );
            found.push(held.warning(message).with_help("-42 is a good value to begin with"));
        }
    }
    check_taps_against_trends(merge, found);
    let (close, far) = (merge.main.get("rssi_cutoff_close"), merge.main.get("rssi_cutoff_far"));
    let (Some(held_close), Some(held_far)) = (close, far) else {
        return;
    };
    let (Some(Some(close)), Some(far)) = (draft.rssi_cutoff_close, draft.rssi_cutoff_far) else {
        return;
    };
    let (close, far) = (close.dbm(), far.dbm());
    // The one a person set last is the one to look at.
    let set_last = if held_close.rank() > held_far.rank() { held_close } else { held_far };
    let shown_close = format!("rssi_cutoff_close ({close}, {})", held_close.origin());
    let shown_far = format!("rssi_cutoff_far ({far}, {})", held_far.origin());
    if far >= close {
        let message = format!("{shown_far} must be below {shown_close}");
        found.push(set_last.error(message).with_help("set both, far at least 5 dB below close"));
    } else if close - far < LEAST_GAP_DB && !set_last.is_default() {
        let gap = close - far;
        let message = format!("{shown_far} is only {gap} dB below {shown_close}");
        let help = "set far at least 5 dB below close, and calibrate first (rssi_offset_db): two dongles of one make can differ by more";
        found.push(set_last.warning(message).with_help(help));
    }
}

/// What is told of taps and of close and far, where both are, and contradicts itself.
fn check_taps_against_trends(merge: &Merge, found: &mut Vec<Diagnostic>) {
    let draft = &merge.main.draft;
    let (Some(Some(threshold)), Some(Some(close))) = (draft.rssi_tap_threshold, draft.rssi_cutoff_close) else {
        return;
    };
    let mut compare = |one: &str, is: &str, other: &str, help: &str| {
        let (Some(held_one), Some(held_other)) = (merge.main.get(one), merge.main.get(other)) else { return };
        let set_last = if held_other.rank() > held_one.rank() { held_other } else { held_one };
        let message = format!("{} is {is} {}", shown(one, held_one), shown(other, held_other));
        found.push(set_last.warning(message).with_help(help));
    };
    if threshold.dbm() <= close.dbm() {
        let help = "a band taps where it is hardly close, so its wearer taps by walking past or sitting there; set \
                    rssi_tap_threshold well above, -42 to begin with";
        compare("rssi_tap_threshold", "not above", "rssi_cutoff_close", help);
    }
    let windows = (draft.rssi_window_tap.map(WindowLength::get), draft.rssi_window_long.map(WindowLength::get));
    if let (Some(tap), Some(long)) = windows
        && tap > long
    {
        let help = "a band is close before it taps, and a tap takes the longer hold of the two; set rssi_window_tap \
                    below rssi_window_long, 10 and 50 to begin with";
        compare("rssi_window_tap", "longer than", "rssi_window_long", help);
    }
}

/// A pace that nothing goes by.
fn check_pace(merge: &Merge, found: &mut Vec<Diagnostic>) {
    let draft = &merge.main.draft;
    let Some(pace) = merge.main.get("away_pace").filter(|_| draft.away_pace != Some(AwayPace::Balanced)) else {
        return;
    };
    let (over, help) = match (draft.detector, draft.rssi_cutoff_close) {
        (Some(Detector::Classic), _) => ("detector", "only detector = \"adaptive\" goes by it"),
        (Some(Detector::Adaptive), Some(None)) => ("rssi_cutoff_close", "0 turns away off, whatever the pace"),
        _ => return,
    };
    if let Some(held_over) = merge.main.get(over) {
        let message = format!("{} has no effect under {}", shown("away_pace", pace), shown(over, held_over));
        found.push(pace.warning(message).with_help(help));
    }
}

/// A value with where it is from, as messages name it.
fn shown(name: &str, held: &Held) -> String {
    format!("{name} ({}, {})", held.value, held.origin())
}

fn check_adapter(adapter: &mut Filled<AdapterDraft>, found: &mut Vec<Diagnostic>) {
    if let (Some(port), Some(address)) = (adapter.get("port"), adapter.get("address")) {
        match port.rank().cmp(&address.rank()) {
            std::cmp::Ordering::Equal => {
                let message = "adapter.port and adapter.address both say which dongle; keep one of them";
                found.push(port.error(message));
            }
            // A higher layer's choice takes the place of a lower one's, though it chooses otherwise.
            std::cmp::Ordering::Less => {
                adapter.forget("port");
                adapter.draft.port = None;
            }
            std::cmp::Ordering::Greater => {
                adapter.forget("address");
                adapter.draft.address = None;
            }
        }
    }
    let (Some(interval), Some(window)) = (adapter.get("scan_interval_ms"), adapter.get("scan_window_ms")) else {
        return;
    };
    if adapter.draft.scan_window_ms > adapter.draft.scan_interval_ms {
        let set_last = if interval.rank() > window.rank() { interval } else { window };
        found.push(set_last.error(format!(
            "adapter.scan_window_ms ({}, {}) must not be longer than adapter.scan_interval_ms ({}, {})",
            window.value,
            window.origin(),
            interval.value,
            interval.origin()
        )));
    }
}

/// Several tables must each say which dongle they are about, and no two the same.
fn check_choice_of_adapters(merge: &Merge, found: &mut Vec<Diagnostic>) {
    if merge.adapters.len() < 2 {
        return;
    }
    for (index, adapter) in merge.adapters.iter().enumerate() {
        if adapter.is_refused("port") || adapter.is_refused("address") {
            continue;
        }
        let Some(chosen) = adapter.get("port").or(adapter.get("address")) else {
            let count = merge.adapters.len();
            let message = format!("[[adapter]] {} of {count} must have port or address", index + 1);
            let (location, excerpt) = adapter.place.clone();
            found.push(Diagnostic::error(location, message).with_excerpt(excerpt));
            continue;
        };
        let same = |other: &&Filled<AdapterDraft>| {
            let (one, two) = (&adapter.draft, &other.draft);
            (one.port.is_some() && one.port == two.port) || (one.address.is_some() && one.address == two.address)
        };
        if let Some(earlier) = merge.adapters[..index].iter().find(same) {
            let place = earlier.get("port").or(earlier.get("address")).map_or(chosen.origin(), Held::origin);
            found.push(chosen.error(format!("two [[adapter]] are about the same dongle; the other is at {place}")));
        }
    }
}
