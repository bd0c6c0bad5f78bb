//! `nbe run`: the daemon.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::{Flag, LogFormat};

use super::configuration;
use crate::control;
use crate::failure::Failure;
use crate::identity;
use crate::log;
use crate::service::{Options, Outcome, Service, Signals};

/// Run the endpoint: from the dongle to the agent, until it is stopped
#[derive(Debug, Args)]
#[command(after_help = explanation())]
pub struct RunArgs {
    /// The configuration file, in place of the usual places
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The dongle's serial port, in place of the one that is found
    #[arg(long, value_name = "PATH")]
    port: Option<String>,
    /// Where the agent listens
    #[arg(long, value_name = "URL")]
    agent_url: Option<String>,
    /// Send every advert of every band to the agent as telemetry; for laboratories
    #[arg(long)]
    forward_adverts: bool,
}

fn explanation() -> String {
    format!(
        "\
Examples:
  nbe run                                        as the service does
  nbe run --config ./nbe.toml                    with another configuration
  nbe run --port {:<32}with this dongle
  nbe run --agent-url ws://127.0.0.1:9121/socket/websocket

{}
STATE_DIRECTORY, else {}, keeps a copy of the last good file and the endpoint's id.

{} looks at the configuration at once; an edited file is noticed without it.",
        if cfg!(windows) { "COM12" } else { "/dev/ttyACM1" },
        configuration::places(),
        identity::STATE,
        if cfg!(windows) { "`nbe reload`" } else { "SIGHUP" }
    )
}

/// Runs `nbe run`; must be called inside a tokio runtime.
///
/// # Errors
/// If there is no valid configuration, nbe runs already, or the system lacks what every program needs.
pub async fn run(args: RunArgs, format: Option<LogFormat>) -> Result<ExitCode, Failure> {
    let mut flags = Vec::new();
    let mut flag = |name, key, value: Option<String>| flags.extend(value.map(|value| Flag { name, key, value }));
    flag("--port", "adapter.port", args.port);
    flag("--agent-url", "agent_url", args.agent_url);
    let format = format.map(|format| match format {
        LogFormat::Text => "text".to_owned(),
        LogFormat::Json => "json".to_owned(),
    });
    flag("--log-format", "log.format", format);
    let forward_adverts = args.forward_adverts;
    let options = Options { config: args.config, flags, forward_adverts, own_log: true, yields: true, ..installed() };
    let signals = Signals::new()?;
    say_outcome(Service::new(options)?.run(signals).await);
    Ok(ExitCode::SUCCESS)
}

/// Where an installed daemon has its state and its control socket.
pub(crate) fn installed() -> Options {
    Options { state: identity::state_directory(), control: control::socket::own_place(), ..Options::default() }
}

/// Says what could not be done before the end.
pub(crate) fn say_outcome(outcome: Outcome) {
    if outcome.unacknowledged > 0 {
        log::entry!(
            warn,
            log::Entry::Unacknowledged,
            facts = outcome.unacknowledged,
            "stopped before the agent had acknowledged everything"
        );
    }
}
