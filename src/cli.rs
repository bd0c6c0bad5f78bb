//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use config::{LogFormat, LogLevel};

use crate::commands::{agent, check, decode, replay};
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
    Agent(agent::AgentArgs),
    Check(check::CheckArgs),
    Replay(replay::ReplayArgs),
    Decode(decode::DecodeArgs),
}

/// Parses the command line and runs what it asks for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = match cli.log_format.as_deref() {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Text,
    };
    run(cli.command, format).unwrap_or_else(|failure| failure.report())
}

fn run(command: Command, format: LogFormat) -> Result<ExitCode, Failure> {
    match command {
        Command::Agent(args) => {
            log::start(format, LogLevel::Info);
            block_on(agent::run(args.listen, args.roster))?.map_err(agent::AgentError::into_failure)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(args) => Ok(check::run(args.path.as_deref(), args.json)),
        Command::Replay(args) => replay::run(args),
        Command::Decode(args) => decode::run(&args),
    }
}

/// Runs a future on a runtime of one thread: everything here waits for the outside, nothing computes for long.
fn block_on<F: Future>(future: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(future);
    // What a sick device or a name server still holds up in the background is not waited for.
    runtime.shutdown_background();
    Ok(output)
}
