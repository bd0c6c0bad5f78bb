//! What the daemon answers over the control socket.

use std::path::Path;

use config::{Diagnostic, Effective};
use serde_json::{Value, json};

use super::{Service, who};
use crate::agent;
use crate::clock::Clock;
use crate::control::socket::{self, Asked, BindError, Listener, Server};
use crate::control::status::{
    Adapter, Agent, AgentPhase, Band, Bands, Changed, Configuration, Endpoint, LastError, MOST_BANDS, Reload, Setting,
    Status, WallClock,
};
use crate::control::{Code, Command, Refusal};
use crate::event::{BandState, Presence};
use crate::failure::{Failure, exit};
use crate::log::{self, Entry};
use crate::time::Time;

/// The most mistakes that a refused reload quotes.
const MOST_MISTAKES: usize = 20;

/// Begins to listen; ends with a failure where a living daemon has the place, or another one where a daemon may have it,
/// and this one `yields` to it.
pub(super) fn bind(path: Option<&Path>, yields: bool) -> Result<Option<Result<Listener, BindError>>, Failure> {
    let elsewhere = if yields { socket::elsewhere(path) } else { None };
    match elsewhere.map(Err).or_else(|| path.map(Listener::bind)) {
        // It would throw the other one off the agent.
        Some(Err(taken)) if yields && taken.is_by_a_daemon() => {
            let first = if cfg!(windows) { "`nbe service stop`" } else { "`systemctl stop nbe`" };
            Err(Failure::new(exit::FOUND, taken).advise(format!(
                "`nbe status` tells how it is; to run another in its place, end that one first ({first}, or Ctrl-C \
                 where it runs)"
            )))
        }
        bound => Ok(bound),
    }
}

/// Serves whoever comes, or says why nobody can; a daemon that nobody can ask still does its work.
pub(super) fn serve(bound: Option<Result<Listener, BindError>>, is_wanted: bool, now: Time) -> Option<Server> {
    let why = match bound {
        Some(Ok(listener)) => {
            tracing::debug!("the control socket is {}", listener.path().display());
            return Some(Server::new(listener, now));
        }
        Some(Err(error)) => error.to_string(),
        None if is_wanted => {
            "there is neither RUNTIME_DIRECTORY nor an XDG_RUNTIME_DIR of this account, and it may not write to \
             /run/nbe; run nbe as the service does, or set XDG_RUNTIME_DIR to a directory of this account"
                .to_owned()
        }
        None => return None,
    };
    log::entry!(
        warn,
        Entry::NoControl,
        "no control socket: {why}. Until the next start, `nbe status`, `nbe reload` and `nbe log` cannot ask this daemon"
    );
    None
}

/// Waits until somebody asks; for ever where nobody can.
pub(super) async fn next(control: Option<&mut Server>, clock: Clock) -> Option<Asked> {
    match control {
        Some(control) => control.next(clock).await,
        None => std::future::pending().await,
    }
}

/// Why a configuration is rejected, in a line.
pub(super) fn reason(diagnostics: &[Diagnostic], reason: Option<String>) -> String {
    let first = || diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(who::one_line);
    reason.or_else(first).unwrap_or_default()
}

/// What is wrong with a configuration, quoted.
pub(super) fn refusal(diagnostics: &[Diagnostic], unready: Option<&String>) -> Refusal {
    let mistakes = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let mistakes = mistakes.map(|mistake| mistake.without_severity().to_string());
    let text: Vec<String> = mistakes.chain(unready.cloned()).take(MOST_MISTAKES).collect();
    let cure = "mend this and reload again; until then, what was in force stays";
    Refusal::new(Code::Rejected, text.join("\n"), cure)
}

impl Service {
    /// Answers somebody who asks.
    pub(super) fn handle_asked(&mut self, asked: Option<Asked>) {
        let Some(asked) = asked else { return };
        let now = self.clock.now();
        let result = match asked.request.command.clone() {
            Command::Status => Ok(json!(self.status(now))),
            Command::Reload => self.look(true).map(|reload| json!(reload)),
            Command::Log(None) => Ok(json!(self.log.status(now))),
            Command::Log(Some(wish)) => self.log.ask(now, wish).map(|()| json!(self.log.status(now))),
        };
        if let Some(control) = &mut self.control {
            control.answer(now, asked, result);
        }
    }

    /// What a look at the configuration has changed.
    pub(super) fn reload(&self, before: &[Effective], diagnostics: Vec<Diagnostic>, rejoins: bool) -> Reload {
        let show_addresses = self.configuration.config().log.show_addresses;
        let changed =
            if before.is_empty() { Vec::new() } else { changes(before, self.configuration.values(), show_addresses) };
        let warnings = diagnostics.iter().map(who::one_line).collect();
        Reload { digest: self.endpoint.config().to_string(), changed, rejoins, warnings }
    }

    fn status(&self, now: Time) -> Status {
        Status {
            health: self.endpoint.health(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            endpoint: Endpoint { id: self.agent.endpoint.to_string(), host: who::host() },
            boot: self.boot.clone(),
            uptime_s: now.since(Time::ZERO).as_secs(),
            memory_kib: memory_kib(),
            adapters: self.adapters(now),
            agent: self.agent_status(now),
            bands: self.bands(now),
            config: self.configuration_status(),
            log: self.log.status(now),
            clock: if self.wall.is_plausible() { WallClock::Ok } else { WallClock::Unsynced },
            ..Status::default()
        }
        .judged()
    }

    fn adapters(&self, now: Time) -> Vec<Adapter> {
        let adapter = |driver: &crate::adapter::Driver| {
            let state = driver.state();
            let heard = self.endpoint.heard(state.id);
            Adapter {
                id: state.id.to_string(),
                phase: state.phase,
                quiet: state.quiet,
                port: state.port.clone(),
                address: state.address.map(|address| address.to_string()),
                firmware: state.firmware.clone(),
                error: state.error.clone(),
                last_advert_age_ms: heard.map(|at| millis(now, at)),
                counters: driver
                    .counters()
                    .named()
                    .map(|(name, count)| (name.to_owned(), count.into()))
                    .into_iter()
                    .collect(),
            }
        };
        self.drivers.iter().map(adapter).collect()
    }

    fn agent_status(&self, now: Time) -> Agent {
        let story = self.endpoint.agent();
        Agent {
            url: without_query(&self.configuration.config().agent_url.to_string()),
            phase: match story.status.phase {
                agent::Phase::Waiting => AgentPhase::Waiting,
                agent::Phase::Connecting => AgentPhase::Connecting,
                agent::Phase::Joining => AgentPhase::Joining,
                agent::Phase::Joined { .. } => AgentPhase::Joined,
                agent::Phase::Stopped => AgentPhase::Stopped,
            },
            for_s: now.since(story.since).as_secs(),
            last_error: story.last_error.map(|(at, text)| LastError { text, age_s: now.since(at).as_secs() }),
            queued: story.status.queued,
            in_flight: story.status.in_flight,
            overdue: story.status.overdue,
        }
    }

    fn bands(&self, now: Time) -> Bands {
        let mut bands = self.endpoint.bands();
        let (total, present) = (bands.len(), bands.iter().filter(|band| band.presence == Presence::Present).count());
        bands.sort_by_key(|band| std::cmp::Reverse(band.last));
        let band = |state: &BandState| Band {
            label: self.labels.label(state.band.address),
            presence: state.presence,
            side: state.side,
            mean_dbm: state.mean_cdb.map(|cdb| f64::from(cdb) / 100.0),
            last_age_ms: state.last.map(|at| millis(now, at)),
        };
        Bands { total, present, listed: bands.iter().take(MOST_BANDS).map(band).collect() }
    }

    fn configuration_status(&self) -> Configuration {
        let (file, is_copy) = self.configuration.file();
        let show_addresses = self.configuration.config().log.show_addresses;
        let setting = |value: &Effective| Setting {
            key: value.key.clone(),
            value: shown(value, show_addresses),
            origin: value.origin.to_string(),
        };
        Configuration {
            file: file.map(|file| file.display().to_string()),
            is_copy,
            digest: self.endpoint.config().to_string(),
            rejected: self.rejected.clone(),
            warnings: self.configuration.warnings().to_vec(),
            values: self.configuration.values().iter().map(setting).collect(),
        }
    }
}

/// Each value that is another now, was not, or is no more.
fn changes(before: &[Effective], after: &[Effective], show_addresses: bool) -> Vec<Changed> {
    let find = |values: &[Effective], key: &str| values.iter().position(|value| value.key == key);
    let is_in = |value: Option<&Effective>| value.map_or(Value::Null, |value| shown(value, show_addresses));
    let now = after.iter().map(|new| (find(before, &new.key).map(|place| &before[place]), Some(new)));
    let gone = before.iter().filter(|old| find(after, &old.key).is_none()).map(|old| (Some(old), None));
    let other = |(old, new): &(Option<&Effective>, Option<&Effective>)| {
        old.map(|value| &value.value) != new.map(|value| &value.value)
    };
    let changed = |(old, new): (Option<&Effective>, Option<&Effective>)| Changed {
        key: new.or(old).map(|value| value.key.clone()).unwrap_or_default(),
        from: is_in(old),
        to: is_in(new),
        origin: new.map(|value| value.origin.to_string()).unwrap_or_default(),
    };
    now.chain(gone).filter(other).map(changed).collect()
}

/// A value for everybody on this machine: a query may hold what is nobody's business, and addresses are personal.
fn shown(value: &Effective, show_addresses: bool) -> Value {
    match (value.key.as_str(), &value.value) {
        ("agent_url", toml::Value::String(url)) => without_query(url).into(),
        ("bands.addresses", toml::Value::Array(addresses)) if !show_addresses && !addresses.is_empty() => {
            format!("{} not shown", addresses.len()).into()
        }
        (_, value) => json!(value),
    }
}

fn without_query(url: &str) -> String {
    match url.split_once('?') {
        Some((url, _)) => format!("{url}?…"),
        None => url.to_owned(),
    }
}

fn millis(now: Time, at: Time) -> u64 {
    u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX)
}

/// What the daemon holds in memory, where the system tells.
fn memory_kib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use config::{Sources, resolve};

    use super::*;

    fn values(environment: &[(&str, &str)]) -> Vec<Effective> {
        let environment = environment.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        resolve(&Sources { environment, ..Sources::default() }).values
    }

    #[test]
    fn a_change_is_told_with_both_values_and_its_origin() {
        let before = values(&[("RSSI_WINDOW_TAP", "12"), ("NBE_ADAPTER__PORT", "/dev/ttyACM1")]);
        let after = values(&[("RSSI_TAP_THRESHOLD", "-42"), ("RSSI_WINDOW_LONG", "50")]);
        let told = json!(changes(&before, &after, false));
        assert_eq!(
            told,
            json!([
                {"key": "rssi_window_tap", "from": 12, "to": 10, "origin": "default"},
                {"key": "rssi_tap_threshold", "from": 0, "to": -42, "origin": "environment RSSI_TAP_THRESHOLD"},
                {"key": "adapter[0].port", "from": "/dev/ttyACM1", "to": null, "origin": ""},
            ]),
            "the same value from elsewhere is no change"
        );
    }

    #[test]
    fn what_is_not_for_everybody_is_not_shown() {
        let shown = |show| {
            let environment = [("AGENT_URL", "ws://h/s?key=hush"), ("NBE_BANDS__ADDRESSES", "[\"5c:f3:70:8a:11:02\"]")];
            let values = values(&environment);
            values.iter().map(|value| shown(value, show).to_string()).collect::<Vec<_>>().join(" ")
        };
        let hidden = shown(false);
        assert!(hidden.contains("ws://h/s?…") && hidden.contains("1 not shown"), "{hidden}");
        assert!(!hidden.contains("hush") && !hidden.contains("5c:f3"), "{hidden}");
        assert!(shown(true).contains("5c:f3:70:8a:11:02"));
    }
}
