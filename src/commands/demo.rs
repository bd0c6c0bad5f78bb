//! `nbe demo`: the main job from end to end, on a virtual dongle.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use config::Flag;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::failure::{Failure, exit};
use crate::reference::{Received, Server, ServerError};
use crate::service::{AsyncSignals, Options, Outcome, Service, Signal, Signals};
use crate::simulate::{Scenario, VirtualDongle};

/// Tell one story on a virtual dongle: the real daemon, a real serial port, a real websocket, the reference agent
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nbe demo           the story as a person would tell it
  nbe demo --json    every event as the agent received it, a line each

Exits with 0 only if everything happened and the agent acknowledged every fact. Nothing outside this
machine is used, and no dongle is needed.")]
pub struct DemoArgs {
    /// Print the events instead, one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What happens around the dongle.
const STORY: &str = include_str!("../../fixtures/scenarios/story.toml");

/// Makes the story the same each time.
const SEED: u64 = 112;

/// The story lasts 16 s and what follows from its end a little longer.
const PATIENCE: Duration = Duration::from_millis(19_500);

/// The keys under which the story is told: taps on, and a window short enough to see somebody leave in seconds.
const KEYS: [(&str, &str); 6] = [
    ("rssi_window_tap", "10"),
    ("rssi_window_long", "20"),
    ("rssi_tap_threshold", "-42"),
    ("rssi_cutoff_close", "-70"),
    ("rssi_cutoff_far", "-75"),
    ("bands.company_ids", "[434]"),
];

/// What must be told, in this order; anything else may be told between.
const BEATS: [Beat; 6] = [
    Beat { event: "adapter.state", after: Some("scanning"), told: "the dongle scans" },
    Beat { event: "band.presence", after: Some("present"), told: "a band is heard" },
    Beat { event: "band.trend", after: Some("near"), told: "its wearer ARRIVES" },
    Beat { event: "band.tap", after: None, told: "the wearer TAPS" },
    Beat { event: "band.trend", after: Some("away"), told: "the wearer LEAVES" },
    Beat { event: "band.trend", after: Some("near"), told: "the wearer RETURNS" },
];

struct Beat {
    event: &'static str,
    /// The payload's `after`, or a dongle's `state`.
    after: Option<&'static str>,
    told: &'static str,
}

impl Beat {
    fn is_told_by(&self, received: &Received) -> bool {
        let after = received.payload.get("after").or_else(|| received.payload.get("state"));
        received.event == self.event && self.after.is_none_or(|wanted| after.and_then(Value::as_str) == Some(wanted))
    }
}

/// The story did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("the story broke off: it was never told that {0}")]
    BrokeOff(&'static str),
    #[error("{0} facts were not acknowledged")]
    Unacknowledged(usize),
}

/// Runs `nbe demo`; must be called inside a tokio runtime.
///
/// # Errors
/// If something of this machine is missing, the story breaks off, or a fact was not acknowledged.
pub async fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let stage = Stage::set()?;
    let scenario = Scenario::from_toml(STORY, Path::new("story.toml"))?;
    let link = stage.link();
    let dongle = VirtualDongle::spawn(&link, &scenario, SEED)?;
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await?;
    let service = Service::new(Options {
        config: Some(stage.configuration(&format!("ws://{}/socket/websocket", server.local_addr()))?),
        flags: flags(&link),
        environment: Some(Vec::new()),
        ..Options::default()
    })?;
    let teller = RefCell::new(Teller { json: args.json, told: 0, events: 0 });
    let told = Notify::new();
    if !args.json {
        println!("A virtual dongle at {}, the agent at {}.\n", link.display(), server.local_addr());
    }
    let end = End { told: &told, signals: Signals::new()?, due: Instant::now() + PATIENCE, stopping: false };
    let done = Notify::new();
    let daemon = async {
        let outcome = service.run(end).await;
        done.notify_one();
        outcome
    };
    let agent = server.run(done.notified(), |received| {
        let mut teller = teller.borrow_mut();
        let heard = teller.hear(received);
        // It is over when all is told, or when nobody listens any more.
        if heard.is_err() || teller.told == BEATS.len() {
            told.notify_one();
        }
        heard
    });
    let (outcome, agent) = tokio::join!(daemon, agent);
    dongle.stop()?;
    match agent {
        Err(ServerError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        agent => agent?,
    }
    teller.into_inner().end(outcome)
}

/// Stops the daemon once the story is told, or when somebody has seen enough.
struct End<'a> {
    told: &'a Notify,
    signals: Signals,
    due: Instant,
    stopping: bool,
}

impl AsyncSignals for End<'_> {
    async fn next(&mut self) -> Signal {
        if self.stopping {
            std::future::pending::<()>().await;
        }
        let reason = tokio::select! {
            () = self.told.notified() => "the story is told",
            () = tokio::time::sleep_until(self.due) => "the story takes too long",
            _ = self.signals.next() => "somebody has seen enough",
        };
        self.stopping = true;
        Signal::Stop(reason)
    }
}

/// Keys given as flags, so that no file and no variable of this machine changes the story.
fn flags(link: &Path) -> Vec<Flag> {
    let keys = KEYS.iter().map(|&(key, value)| Flag { name: "nbe demo", key, value: value.to_owned() });
    let port = Flag { name: "nbe demo", key: "adapter.port", value: link.display().to_string() };
    keys.chain([port]).collect()
}

/// A folder of its own, gone when the story is over.
struct Stage(PathBuf);

impl Stage {
    fn set() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("nbe-demo-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    #[cfg(unix)]
    fn link(&self) -> PathBuf {
        self.0.join("dongle")
    }

    #[cfg(not(unix))]
    fn link(&self) -> PathBuf {
        format!(r"\\.\pipe\nbe-demo-{}", std::process::id()).into()
    }

    fn configuration(&self, agent_url: &str) -> io::Result<PathBuf> {
        let path = self.0.join("nbe.toml");
        fs::write(&path, format!("agent_url = \"{agent_url}\"\n"))?;
        Ok(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Left behind if that fails: a few bytes in the folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Hears what the agent hears, and tells it.
struct Teller {
    json: bool,
    told: usize,
    events: u64,
}

impl Teller {
    fn hear(&mut self, received: &Received) -> io::Result<()> {
        self.events += 1;
        let beat = BEATS.get(self.told).filter(|beat| beat.is_told_by(received));
        self.told += usize::from(beat.is_some());
        if self.json {
            return received.write_line(io::stdout().lock());
        }
        let Some(beat) = beat else { return Ok(()) };
        let number = |key: &str| received.payload.get(key).and_then(Value::as_i64);
        let mut out = io::stdout().lock();
        write!(out, "{:5.1} s  {:<20}", number("t").unwrap_or(0) as f64 / 1e6, beat.told)?;
        if let (Some(mean), Some(samples)) = (number("mean_cdb"), number("samples")) {
            write!(out, "mean {:6.1} dBm of {samples} samples", mean as f64 / 100.0)?;
        } else if let Some(port) = received.payload.get("port").and_then(Value::as_str) {
            write!(out, "at {port}")?;
        } else if let Some(address) = received.payload.pointer("/band/addr").and_then(Value::as_str) {
            write!(out, "{address}")?;
        }
        writeln!(out)?;
        out.flush()
    }

    fn end(self, outcome: Outcome) -> Result<ExitCode, Failure> {
        if let Some(missing) = BEATS.get(self.told) {
            return Err(Failure::new(exit::FOUND, DemoError::BrokeOff(missing.told)));
        }
        if outcome.unacknowledged > 0 {
            return Err(Failure::new(exit::FOUND, DemoError::Unacknowledged(outcome.unacknowledged)));
        }
        if !self.json {
            println!("\nThe agent got {} events and acknowledged every fact of them.", self.events);
            println!("These are hints about signal strength, never proof of who or where somebody is.");
        }
        Ok(ExitCode::SUCCESS)
    }
}
