//! `nbe reload`: have the daemon look at its configuration now.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::printable;
use serde_json::Value;

use super::output;
use crate::control::Command;
use crate::control::socket::{AskError, ask};
use crate::control::status::Reload;
use crate::failure::Failure;

/// Have the running daemon look at its configuration now, and say what changed
///
/// Exit code 0 if what stands there is in force; 1 if it has mistakes, and then what was in force stays, or if no daemon
/// answers; 77 if this account may not change how the daemon runs.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  nbe reload                               after an edit; one is noticed without it too
  nbe check && nbe reload                  look first
  nbe reload --json | jq -r '.changed[].key'

Only root and the account that the daemon runs as may do this, on Windows administrators.")]
pub struct ReloadArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The daemon's control socket, in place of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Asks for it, and prints what came of it.
///
/// # Errors
/// If there is no daemon, or the configuration has mistakes.
pub async fn run(args: &ReloadArgs) -> Result<ExitCode, Failure> {
    let answer = ask(args.socket.as_deref(), Command::Reload).await.map_err(AskError::into_failure)?;
    Ok(output::unless_unread(print(&answer, args.json, &mut io::stdout().lock()))?)
}

fn print(answer: &Value, json: bool, out: &mut impl Write) -> io::Result<ExitCode> {
    if json {
        writeln!(out, "{answer}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let Reload { digest, changed, rejoins, warnings } = serde_json::from_value(answer.clone())?;
    for change in &changed {
        writeln!(out, "{change}")?;
    }
    for warning in &warnings {
        writeln!(out, "warning: {}", printable(warning))?;
    }
    if rejoins {
        writeln!(out, "the agent is joined anew")?;
    }
    let changes = if changed.is_empty() { "no value has changed; " } else { "" };
    writeln!(out, "{changes}the configuration is in force, digest {}", printable(&digest))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(answer: &Value) -> String {
        let mut out = Vec::new();
        print(answer, false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_changed_is_told_line_by_line() {
        let changed = json!([
            {"key": "rssi_tap_threshold", "from": 0, "to": -42, "origin": "/etc/nbe/nbe.toml:3"},
            {"key": "log.file", "from": null, "to": "/var/log/nbe.log", "origin": "/etc/nbe/nbe.toml:4"},
            {"key": "adapter[0].port", "from": "/dev/ttyACM1", "to": null, "origin": ""},
        ]);
        let answer = json!({"digest": "0badcafe", "changed": changed, "rejoins": true, "warnings": ["a\u{1b}[2J"]});
        assert_eq!(
            told(&answer),
            "rssi_tap_threshold: 0 -> -42  (/etc/nbe/nbe.toml:3)\nlog.file: nothing -> \"/var/log/nbe.log\"  (/etc/nbe/nbe.toml:4), from the next start on\n\
             adapter[0].port: \"/dev/ttyACM1\" -> nothing\n\
             warning: a\\u{1b}[2J\nthe agent is joined anew\nthe configuration is in force, digest 0badcafe\n"
        );
        let nothing = "no value has changed; the configuration is in force, digest 0badcafe\n";
        assert_eq!(told(&json!({"digest": "0badcafe"})), nothing);
    }
}
