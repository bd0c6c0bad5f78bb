//! Who the daemon is to its agent, and how its parts' words get into the log.

use std::net::IpAddr;

use config::{Config, Diagnostic, Effective, Origin, Severity};

use crate::adapter;
use crate::agent::socket::Target;
use crate::agent::{self, Identity};
use crate::credentials::{self, CredentialError};
use crate::event::{AdapterId, Auth, Conclusion, Decision, Presence, Trend};
use crate::failure::{Failure, exit};
use crate::identity::{EndpointId, Labels};
use crate::log::{self, Entry};
use crate::secret::Secret;

/// The agent as the configuration wants it: where it is, and who joins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) target: Target,
    pub(super) endpoint: EndpointId,
    pub(super) token: Option<Secret>,
}

impl Agent {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// If the address or the token cannot be used.
    pub(super) fn of(config: &Config, machine: &EndpointId) -> Result<Self, Failure> {
        let target = Target::new(&config.agent_url.to_string(), config.agent.ca_file.clone());
        let target = target.map_err(|error| Failure::new(exit::CONFIG, error))?;
        let endpoint = config.agent.endpoint_id.as_ref().map_or_else(|| machine.clone(), EndpointId::given);
        let pin = config.agent.pin.as_ref().map(|pin| pin.0);
        Ok(Self { target: target.pinned(pin), endpoint, token: credentials::token(config).map_err(unusable)? })
    }

    /// What the agent gets to know of the daemon when it joins.
    pub(super) fn identity(&self, boot: String) -> Identity {
        Identity {
            endpoint_id: self.endpoint.to_string(),
            boot,
            host: host(),
            addrs: addresses(),
            os: std::env::consts::OS.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            token: self.token.clone(),
        }
    }
}

fn unusable(error: CredentialError) -> Failure {
    let cure = error.cure();
    Failure::new(exit::CONFIG, error).advise(cure)
}

/// The machine's addresses, by which a central agent finds a remote session's terminal.
pub(super) fn addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> =
        interfaces.iter().filter(|interface| !interface.is_loopback()).map(if_addrs::Interface::ip).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// The machine's name.
pub(super) fn host() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    return std::env::var("COMPUTERNAME").unwrap_or_default();
}

/// Says which configuration is in force: what is not a default for everybody, the rest for the curious.
pub(super) fn log_values(values: &[Effective]) {
    for value in values {
        let (key, text, origin) = (&value.key, value.text(), &value.origin);
        if *origin == Origin::Default {
            tracing::debug!(target: log::CONFIG, "{key} = {text} ({origin})");
        } else {
            tracing::info!(target: log::CONFIG, "{key} = {text} ({origin})");
        }
    }
}

/// A diagnostic with its help, without its excerpt and without what a log's line says already: how bad it is.
pub(super) fn one_line(diagnostic: &Diagnostic) -> String {
    let text = diagnostic.without_severity().to_string();
    let line = text.lines().next().unwrap_or_default();
    match &diagnostic.help {
        Some(help) => format!("{line}; {help}"),
        None => line.to_owned(),
    }
}

pub(super) fn log_diagnostic(diagnostic: &Diagnostic) {
    let line = one_line(diagnostic);
    match diagnostic.severity {
        Severity::Error => log::entry!(error, target: log::CONFIG, Entry::ConfigMistake, "{line}"),
        Severity::Warning => log::entry!(warn, target: log::CONFIG, Entry::ConfigWarning, "{line}"),
    }
}

/// Says a line as loud as its entry is.
macro_rules! say {
    ($level:expr, $($rest:tt)+) => {
        match $level {
            adapter::Level::Debug => tracing::debug!($($rest)+),
            adapter::Level::Info => tracing::info!($($rest)+),
            adapter::Level::Warn => tracing::warn!($($rest)+),
            adapter::Level::Error => tracing::error!($($rest)+),
        }
    };
}

pub(super) fn log_adapter(id: AdapterId, note: &adapter::Note) {
    let _span = tracing::info_span!(target: log::ADAPTER, "adapter", nbe_adapter = %id).entered();
    let entry = Entry::of_adapter(note);
    let (message_id, nbe_event) = Entry::fields(entry);
    say!(entry.map_or(note.level(), Entry::level), target: log::ADAPTER, message_id, nbe_event, "{note}");
}

pub(super) fn log_agent(note: &agent::Note) {
    let _span = tracing::info_span!(target: log::AGENT, "agent").entered();
    let entry = Entry::of_agent(note);
    let (message_id, nbe_event) = Entry::fields(Some(entry));
    say!(entry.level(), target: log::AGENT, message_id, nbe_event, "{note}");
}

pub(super) fn log_decision(labels: &Labels, decision: &Decision) {
    let Decision { adapter, why, .. } = decision;
    let entry = Entry::of_conclusion(&decision.conclusion, decision.listed);
    let (message_id, nbe_event) = Entry::fields(entry);
    let nbe_band = labels.label(decision.band.address);
    let nbe_adapter = adapter.map(tracing::field::display);
    let dbm = |cdb: Option<i32>| cdb.map(|cdb| f64::from(cdb) / 100.0);
    let (nbe_mean_dbm, nbe_threshold_dbm) = (dbm(why.mean_cdb), dbm(why.threshold_cdb));
    let (nbe_rule, nbe_n, nbe_span_ms, nbe_age_ms) = (why.rule.name(), why.n, why.span_ms, why.age_ms);
    let nbe_held_ms = why.held_ms;
    // Whole by itself, for those who are shown no fields.
    let what = in_words(&decision.conclusion);
    let mean = nbe_mean_dbm.map(|mean| format!(", mean {mean:.1} dBm")).unwrap_or_default();
    say!(
        entry.map_or(adapter::Level::Debug, Entry::level),
        target: log::PROXIMITY, message_id, nbe_event, nbe_band, nbe_adapter, nbe_rule, nbe_mean_dbm,
        nbe_threshold_dbm, nbe_n, nbe_span_ms, nbe_age_ms, nbe_held_ms, "{nbe_band} {what}{mean}"
    );
}

/// What a band does, or what is known of it now.
fn in_words(conclusion: &Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Tap { .. } => "taps",
        Conclusion::Trend { after: Trend::Near, .. } => "is near",
        Conclusion::Trend { after: Trend::Away, .. } => "is away",
        Conclusion::Trend { after: Trend::Hold, .. } => "is still near",
        Conclusion::Presence { after: Presence::Present, .. } => "is present",
        Conclusion::Presence { .. } => "is absent",
        Conclusion::Auth { after: Auth::Authenticated, .. } => "has an authenticated wearer now, says the agent",
        Conclusion::Auth { after: Auth::Unknown, .. } => "has no authenticated wearer now, says the agent",
        Conclusion::Auth { after: Auth::Unenrolled, .. } => "belongs to nobody now, says the agent",
    }
}
