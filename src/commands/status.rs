//! `nbe status`: how the running daemon is.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::printable;

use super::{log, output};
use crate::control::Command;
use crate::control::socket::{AskError, ask};
use crate::control::status::{Adapter, Agent, AgentPhase, Bands, Configuration, Endpoint, ProblemCode, State, Status};
use crate::event::{AdapterPhase, Presence, Side};
use crate::failure::{Failure, exit};

/// Say how the running daemon is: dongle, agent, bands, configuration
///
/// Exit code 0 if a dongle scans, an agent is joined and the configuration is in force; else by what is to be mended
/// first: 69 no dongle, 77 no permission, 78 the configuration has mistakes, 1 anything else.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  nbe status                        how it goes, and what is not a default
  nbe status --all                  every band, warning and value
  nbe status --json | jq -r .state  ok, degraded or trouble
  nbe status --json | jq '.problems[]'

Any account of this machine may ask.")]
pub struct StatusArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Show every band, every warning and every value, defaults too
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// The daemon's control socket, in place of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Asks, and prints the answer.
///
/// # Errors
/// If there is no daemon, or it does not answer.
pub async fn run(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let answer = ask(args.socket.as_deref(), Command::Status).await.map_err(AskError::into_failure)?;
    let status: Status = serde_json::from_value(answer.clone())?;
    let mut out = io::stdout().lock();
    let printed = match args.json {
        true => writeln!(out, "{answer}"),
        false => {
            let width = if out.is_terminal() { WIDTH } else { usize::MAX };
            print(&status, args.all, &mut Page { out, width })
        }
    };
    let code = ExitCode::from(code(&status));
    // Who has seen enough of it still wants to know how it is.
    output::unless_unread(printed.map(|()| code))?;
    Ok(code)
}

/// What a script gets to know.
fn code(status: &Status) -> u8 {
    let any_scans = status.adapters.iter().any(|adapter| adapter.phase == AdapterPhase::Scanning);
    match status.problems.first().map(|problem| problem.code) {
        None if status.state == State::Ok => 0,
        Some(ProblemCode::NoDongle) if !any_scans => exit::NO_DONGLE,
        Some(ProblemCode::NoPermission) if !any_scans => exit::NO_PERMISSION,
        Some(ProblemCode::ConfigRejected) => exit::CONFIG,
        _ => exit::FOUND,
    }
}

/// How wide a terminal's lines may be. A file or a pipe has them whole: whoever searches it expects that.
const WIDTH: usize = 80;

/// What is written on, and how wide it is.
struct Page<W> {
    out: W,
    width: usize,
}

impl<W: Write> Page<W> {
    /// Prints a text over as many lines as it takes, words whole; what the daemon sends is no terminal's business.
    fn wrap(&mut self, first: &str, rest: &str, text: &str) -> io::Result<()> {
        let mut line = first.to_owned();
        let mut is_empty = true;
        for word in printable(text).split(' ') {
            if !is_empty && line.chars().count() + 1 + word.chars().count() > self.width {
                writeln!(self.out, "{line}")?;
                (line, is_empty) = (rest.to_owned(), true);
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        writeln!(self.out, "{line}")
    }
}

/// The most bands that are printed unasked.
const MOST_BANDS: usize = 20;

/// A wider value pushes its own origin aside rather than everyone's.
const WIDEST_VALUE: usize = 36;

fn print(status: &Status, all: bool, page: &mut Page<impl Write>) -> io::Result<()> {
    page.wrap("", "", &status.health)?;
    for problem in &status.problems {
        page.wrap("  ! ", "    ", &problem.text)?;
    }
    let memory = status.memory_kib.map(|kib| format!(", {:.1} MiB", kib as f64 / 1024.0)).unwrap_or_default();
    let (version, pid, up) = (printable(&status.version), status.pid, span(status.uptime_s));
    writeln!(page.out, "\nnbe {version}, process {pid}, up {up}{memory}")?;
    if !status.endpoint.id.is_empty() {
        let Endpoint { id, host } = &status.endpoint;
        page.wrap("", "  ", &format!("endpoint {id} on {host}"))?;
    }
    writeln!(page.out, "\nDongle")?;
    status.adapters.iter().try_for_each(|adapter| print_adapter(adapter, page))?;
    writeln!(page.out, "\nAgent")?;
    print_agent(&status.agent, page)?;
    print_bands(&status.bands, all, page)?;
    print_configuration(&status.config, all, page)?;
    if all || status.log.for_s.is_some() {
        writeln!(page.out, "\nLog\n  {}", log::sentence(&status.log))?;
    }
    Ok(())
}

fn print_adapter(adapter: &Adapter, page: &mut Page<impl Write>) -> io::Result<()> {
    let phase = match adapter.phase {
        AdapterPhase::Absent => "absent",
        AdapterPhase::Opening => "opening",
        AdapterPhase::Ready => "ready",
        AdapterPhase::Scanning => "scanning",
        AdapterPhase::Stalled => "stalled",
        AdapterPhase::Failed => "failed",
    };
    let mut line = format!("{}  {phase}", adapter.id);
    if let Some(port) = &adapter.port {
        line += &format!(" at {port}");
    }
    if let Some(address) = &adapter.address {
        line += &format!(", {address}");
    }
    if let Some(firmware) = &adapter.firmware {
        line += &format!(", firmware {firmware}");
    }
    page.wrap("  ", "            ", &line)?;
    if let Some(age) = adapter.last_advert_age_ms {
        let count = |name: &str| adapter.counters.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let (reports, losses, discarded) = (count("reports"), count("losses"), count("discarded_bytes"));
        let line = format!(
            "last advert {} ago, {reports} in all; discarded bytes: {discarded}, lost ports: {losses}",
            tenths(age)
        );
        page.wrap("            ", "            ", &line)?;
    }
    Ok(())
}

fn print_agent(agent: &Agent, page: &mut Page<impl Write>) -> io::Result<()> {
    let how = match agent.phase {
        AgentPhase::Joined => format!("joined for {}", span(agent.for_s)),
        AgentPhase::Stopped => "stopped".to_owned(),
        AgentPhase::Waiting => format!("not joined for {}, tried again when due", span(agent.for_s)),
        AgentPhase::Connecting => format!("not joined for {}, connecting", span(agent.for_s)),
        AgentPhase::Joining => format!("not joined for {}, joining", span(agent.for_s)),
    };
    page.wrap("  ", "    ", &format!("{} {how}", agent.url))?;
    writeln!(page.out, "  facts: {} waiting, {} sent and not acknowledged", agent.queued, agent.in_flight)?;
    // One that lasts stands above already.
    match agent.last_error.as_ref().filter(|_| agent.phase == AgentPhase::Joined) {
        Some(error) => page.wrap("  ", "    ", &format!("last trouble {} ago: {}", span(error.age_s), error.text)),
        None => Ok(()),
    }
}

fn print_bands(bands: &Bands, all: bool, page: &mut Page<impl Write>) -> io::Result<()> {
    writeln!(page.out, "\nBands: {} known, {} present", bands.total, bands.present)?;
    let most = if all { bands.listed.len() } else { MOST_BANDS };
    for band in bands.listed.iter().take(most) {
        let presence = if band.presence == Presence::Present { "present" } else { "absent" };
        let side = match band.side {
            Side::Near => "near",
            Side::Away => "away",
            Side::Unknown => "-",
        };
        let mean = band.mean_dbm.map(|mean| format!("{mean:.1} dBm")).unwrap_or_default();
        let age = band.last_age_ms.map(|age| format!("{} ago", tenths(age))).unwrap_or_default();
        let line = format!("  {:17}  {presence:7}  {side:4}  {mean:>10}  {age:>12}", printable(&band.label));
        writeln!(page.out, "{}", line.trim_end())?;
    }
    match bands.total.saturating_sub(most.min(bands.listed.len())) {
        0 => Ok(()),
        more => writeln!(page.out, "  and {more} more"),
    }
}

fn print_configuration(config: &Configuration, all: bool, page: &mut Page<impl Write>) -> io::Result<()> {
    let file = match (&config.file, config.is_copy) {
        (None, _) => "no file".to_owned(),
        (Some(file), false) => file.clone(),
        (Some(file), true) => format!("the last good copy of {file}"),
    };
    writeln!(page.out)?;
    page.wrap("", "  ", &format!("Configuration: {file}, digest {}", config.digest))?;
    match config.warnings.len() {
        0 => {}
        _ if all => config.warnings.iter().try_for_each(|warning| page.wrap("  warning: ", "    ", warning))?,
        1 => writeln!(page.out, "  1 warning: `nbe status --all` shows it")?,
        more => writeln!(page.out, "  {more} warnings: `nbe status --all` shows them")?,
    }
    let rows: Vec<(String, String, String)> = config
        .values
        .iter()
        .filter(|value| all || value.origin != "default")
        .map(|value| (printable(&value.key), printable(&value.value.to_string()), printable(&value.origin)))
        .collect();
    let key_width = rows.iter().map(|(key, ..)| key.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(WIDEST_VALUE);
    for (key, value, origin) in &rows {
        writeln!(page.out, "  {key:key_width$}  {value:value_width$}  {origin}")?;
    }
    match (all, rows.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => writeln!(page.out, "  every value is the default; --all shows them"),
        (false, false) => writeln!(page.out, "  the rest are defaults; --all shows them"),
    }
}

/// Seconds with a tenth while that matters.
fn tenths(millis: u64) -> String {
    if millis < 60_000 { format!("{:.1} s", millis as f64 / 1e3) } else { span(millis / 1_000) }
}

/// A span of time in its two largest units.
fn span(secs: u64) -> String {
    let (minutes, hours, days) = (secs / 60, secs / 3_600, secs / 86_400);
    match () {
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min {} s", secs % 60),
        () => format!("{secs} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status() -> Status {
        let band = |label: &str, side: &str, mean: f64| json!({"label": label, "presence": "present", "side": side, "mean_dbm": mean, "last_age_ms": 130});
        serde_json::from_value(json!({
            "state": "ok",
            "health": "scanning at /dev/ttyACM0; 2 bands present; agent joined",
            "version": "0.1.0", "pid": 812, "uptime_s": 11_045, "memory_kib": 9_420,
            "endpoint": {"id": "8d5a3c1e-2f64-8b07-9a51-0c7d24e6f3ab", "host": "desk-12"},
            "adapters": [{
                "id": "adapter0", "phase": "scanning", "port": "/dev/ttyACM0", "address": "00:07:80:12:34:56",
                "firmware": "1.3.2-122", "last_advert_age_ms": 40,
                "counters": {"reports": 110_450, "discarded_bytes": 3, "losses": 1},
            }],
            "agent": {"url": "ws://127.0.0.1:9120/socket/websocket", "phase": "joined", "for_s": 65},
            "bands": {"total": 3, "present": 2, "listed": [
                band("band-1a2b3c4d", "near", -58.25),
                band("band-5e6f7a8b", "away", -80.0),
                {"label": "band-0c0d0e0f", "presence": "absent", "side": "unknown"},
            ]},
            "config": {"file": "/etc/nbe/nbe.toml", "digest": "caea1b8f", "warnings": ["nbe.toml:4:1: odd"], "values": [
                {"key": "rssi_tap_threshold", "value": -42, "origin": "/etc/nbe/nbe.toml:3"},
                {"key": "rssi_window_tap", "value": 10, "origin": "default"},
            ]},
            "log": {"level": "info"},
        }))
        .unwrap()
    }

    fn told(status: &Status, all: bool) -> String {
        told_on(status, all, WIDTH)
    }

    fn told_on(status: &Status, all: bool, width: usize) -> String {
        let mut page = Page { out: Vec::new(), width };
        print(status, all, &mut page).unwrap();
        String::from_utf8(page.out).unwrap()
    }

    #[test]
    fn a_good_day_fits_on_a_screen() {
        assert_eq!(
            told(&status(), false),
            "\
scanning at /dev/ttyACM0; 2 bands present; agent joined

nbe 0.1.0, process 812, up 3 h 4 min, 9.2 MiB
endpoint 8d5a3c1e-2f64-8b07-9a51-0c7d24e6f3ab on desk-12

Dongle
  adapter0  scanning at /dev/ttyACM0, 00:07:80:12:34:56, firmware 1.3.2-122
            last advert 0.0 s ago, 110450 in all; discarded bytes: 3, lost
            ports: 1

Agent
  ws://127.0.0.1:9120/socket/websocket joined for 1 min 5 s
  facts: 0 waiting, 0 sent and not acknowledged

Bands: 3 known, 2 present
  band-1a2b3c4d      present  near   -58.2 dBm     0.1 s ago
  band-5e6f7a8b      present  away   -80.0 dBm     0.1 s ago
  band-0c0d0e0f      absent   -

Configuration: /etc/nbe/nbe.toml, digest caea1b8f
  1 warning: `nbe status --all` shows it
  rssi_tap_threshold  -42  /etc/nbe/nbe.toml:3
  the rest are defaults; --all shows them
"
        );
        let all = told(&status(), true);
        assert!(
            all.contains("  warning: nbe.toml:4:1: odd\n")
                && all.contains("rssi_window_tap     10   default\n")
                && all.contains("Log\n  info, as configured"),
            "{all}"
        );
    }

    #[test]
    fn what_is_wrong_comes_first_and_nothing_is_wider_than_a_terminal() {
        let mut status = status();
        let long = "adapter0: the device prints text: either it is no BLED112, or one that was reflashed with a script. \
                    Choose another port (`nbe ports`), or flash the dongle with the vendor's stock firmware\u{1b}[31m";
        status.problems = serde_json::from_value(json!([{"code": "dongle", "text": long}])).unwrap();
        let text = told(&status, false);
        assert!(text.lines().nth(1).unwrap().starts_with("  ! adapter0: the device prints text"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH) && !text.contains('\u{1b}'), "{text}");
        let whole = told_on(&status, false, usize::MAX);
        assert_eq!(whole.lines().nth(1).unwrap(), format!("  ! {}", printable(long)), "a file has it whole");
    }

    #[test]
    fn the_exit_code_is_that_of_what_is_to_be_mended_first() {
        use AdapterPhase::{Absent, Failed, Scanning};
        let cases: [(&str, &[AdapterPhase], &[&str], u8); 7] = [
            ("all is well", &[Scanning], &[], 0),
            ("no dongle", &[Absent], &["no_dongle", "no_agent"], 69),
            ("no permission", &[Failed], &["no_permission"], 77),
            ("a sick dongle", &[Failed], &["dongle", "config_rejected"], 1),
            ("a mistake", &[Scanning], &["config_rejected", "no_agent"], 78),
            ("no agent", &[Scanning], &["no_agent"], 1),
            ("one of two", &[Scanning, Absent], &["no_dongle"], 1),
        ];
        for (case, phases, problems, expected) in cases {
            let problems = problems.iter().map(|code| json!({"code": code, "text": ""})).collect::<Vec<_>>();
            let state = if problems.is_empty() { State::Ok } else { State::Trouble };
            let problems = serde_json::from_value(json!(problems)).unwrap();
            let adapters = phases.iter().map(|phase| Adapter { phase: *phase, ..Adapter::default() }).collect();
            assert_eq!(code(&Status { state, problems, adapters, ..Status::default() }), expected, "{case}");
        }
    }
}
