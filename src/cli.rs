//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{decode, replay};
use crate::failure::Failure;

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
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::ReplayArgs),
    Decode(decode::DecodeArgs),
}

/// Parses the command line and runs what it asks for.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Replay(args) => replay::run(args),
        Command::Decode(args) => decode::run(&args),
    };
    done.unwrap_or_else(|failure: Failure| failure.report())
}
