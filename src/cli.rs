//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use config::{LogFormat, LogLevel};

#[cfg(windows)]
use crate::commands::service;
use crate::commands::{
    agent, check, decode, demo, evaluate, log as log_command, migrate, output, ports, reload, replay, run, simulate,
    status,
};
use crate::failure::Failure;
use crate::log;

/// A Bluetooth endpoint: taps and close/far trends of wrist bands, for an agent on this or a central machine
#[derive(Debug, Parser)]
#[command(
    name = "nbe",
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 fine, 1 something was found, 2 usage, 69 no dongle, 77 no permission, 78 configuration.
What it reports are hints about signal strength, never proof of who or where somebody is."
)]
struct Cli {
    /// How the log is written: `text` for people, `json` for machines
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["text", "json"])]
    log_format: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Demo(demo::DemoArgs),
    Check(check::CheckArgs),
    Migrate(migrate::MigrateArgs),
    Status(status::StatusArgs),
    Reload(reload::ReloadArgs),
    Log(log_command::LogArgs),
    Ports(ports::PortsArgs),
    #[cfg(windows)]
    Service(service::ServiceArgs),
    Simulate(simulate::SimulateArgs),
    Agent(agent::AgentArgs),
    Replay(replay::ReplayArgs),
    Decode(decode::DecodeArgs),
    Evaluate(evaluate::EvaluateArgs),
}

/// The command line as a value, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line and runs what it asks for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.log_format.map(|format| if format == "json" { LogFormat::Json } else { LogFormat::Text });
    dispatch(cli.command, format).unwrap_or_else(|failure| failure.report())
}

fn dispatch(command: Command, format: Option<LogFormat>) -> Result<ExitCode, Failure> {
    match command {
        Command::Run(args) => block_on(run::run(args, format))?,
        Command::Demo(args) => {
            start_log(format, LogLevel::Warn);
            block_on(demo::run(&args))?
        }
        Command::Check(args) => Ok(check::run(args.path.as_deref(), args.json)),
        Command::Migrate(args) => migrate::run(&args),
        Command::Status(args) => block_on(status::run(&args))?,
        Command::Reload(args) => block_on(reload::run(&args))?,
        Command::Log(args) => block_on(log_command::run(args))?,
        Command::Ports(args) => Ok(output::unless_unread(ports::run(&args))?),
        #[cfg(windows)]
        Command::Service(args) => service::run(&args),
        Command::Simulate(args) => {
            block_on(simulate::run(&args))?.map_err(simulate::failure)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Agent(args) => {
            start_log(format, LogLevel::Info);
            block_on(agent::run(args.listen, args.roster))?.map_err(agent::AgentError::into_failure)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Decode(args) => decode::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Replay(args) => replay::run(args),
    }
}

/// Starts the log of a command that reads no configuration.
fn start_log(format: Option<LogFormat>, level: LogLevel) {
    log::start(&config::Log { level, format: format.unwrap_or_default(), ..config::Log::default() }, None);
}

/// Runs a future on a runtime of one thread: everything here waits for the outside, nothing computes for long.
fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(future);
    // What a sick device or a name server still holds up in the background is not waited for.
    runtime.shutdown_background();
    Ok(output)
}
