//! `nbe service`: the daemon as a service of Windows.

mod folders; // who may read and write what
mod manage; // the service manager's side of it

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::service::windows;

/// Install the daemon as a service of Windows, which runs before anyone logs in
#[derive(Args, Clone, Debug)]
#[command(after_help = r"Examples, at a prompt run as administrator:
  nbe service install && nbe service start
  nbe service install --agent-url wss://agent.example/socket/websocket
  nbe service status
  nbe service stop && nbe service uninstall

The configuration is C:\ProgramData\nbe\nbe.toml; the log is in the event log under Application, source nbe.
`nbe status` tells how a running daemon is: dongle, agent, bands, configuration.")]
pub struct ServiceArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Install the service, or bring an installed one up to date; what is configured stays
    Install {
        /// Where the agent listens: written to a new nbe.toml; one that is there already stays as it is
        #[arg(long, value_name = "URL")]
        agent_url: Option<String>,
    },
    /// Stop and remove the service; what is configured stays
    Uninstall,
    /// Start the service, and wait until it runs
    Start,
    /// Stop the service, and wait until it has stopped
    Stop,
    /// Say whether the service is installed and runs; exit code 0 if it runs
    Status,
    /// What the service manager starts
    #[command(hide = true)]
    Run,
}

/// Does what was asked for, and says what was done.
///
/// # Errors
/// If it cannot be done.
pub fn run(args: &ServiceArgs) -> Result<ExitCode, Failure> {
    match &args.verb {
        Verb::Install { agent_url } => manage::install(agent_url.as_deref()),
        Verb::Uninstall => manage::uninstall(),
        Verb::Start => manage::start(),
        Verb::Stop => manage::stop(),
        Verb::Status => manage::status(),
        Verb::Run => windows::dispatch().map(|()| ExitCode::SUCCESS),
    }
}
