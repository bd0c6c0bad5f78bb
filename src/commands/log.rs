//! `nbe log`: what the daemon's log shows, or is to show for a time.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use config::{LogLevel, printable};
use serde_json::Value;

use super::output;
use crate::control::socket::{AskError, ask};
use crate::control::status::Log;
use crate::control::{Command, LogWish, log_level};
use crate::failure::Failure;

/// Say what the running daemon's log shows, or have it show more or less for a time
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  nbe log                              what is shown now
  nbe log debug                        more, for ten minutes
  nbe log trace --part wire --for 30s  the bytes of the wire
  nbe log warn --for 8h                less, for a working day

After that time, what the configuration says holds again; `level` under [log] changes it for good.
Only root and the account that the daemon runs as may change it, on Windows administrators.")]
pub struct LogArgs {
    /// The least severe lines to show: error, warn, info, debug or trace
    #[arg(value_parser = level)]
    level: Option<LogLevel>,
    /// The part of the daemon that is meant, in place of all: adapter, proximity, agent, config, service or wire
    #[arg(long, requires = "level")]
    part: Option<String>,
    /// For how long: 30s, 10m, 8h; a day at most
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = span, requires = "level")]
    lasts: Duration,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The daemon's control socket, in place of the usual places
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Asks for it, and prints what is in force.
///
/// # Errors
/// If there is no daemon, or it may not be asked for.
pub async fn run(args: LogArgs) -> Result<ExitCode, Failure> {
    let LogArgs { level, part, lasts, json, socket } = args;
    let wish = level.map(|level| LogWish { level, part, lasts });
    let answer = ask(socket.as_deref(), Command::Log(wish)).await.map_err(AskError::into_failure)?;
    Ok(output::unless_unread(print(&answer, json, &mut io::stdout().lock()))?)
}

fn print(answer: &Value, json: bool, out: &mut impl Write) -> io::Result<ExitCode> {
    match json {
        true => writeln!(out, "{answer}")?,
        false => writeln!(out, "{}", sentence(&serde_json::from_value(answer.clone())?))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What the log shows, as a person would say it.
pub(super) fn sentence(log: &Log) -> String {
    let mut text = printable(&log.level);
    for (part, level) in &log.parts {
        text += &format!(", {} {}", printable(part), printable(level));
    }
    match log.for_s {
        Some(secs) => format!("{text}; for {secs} s more, then as configured"),
        None => format!("{text}, as configured"),
    }
}

fn level(text: &str) -> Result<LogLevel, &'static str> {
    log_level(text).ok_or("it is error, warn, info, debug or trace")
}

/// A span of time as a person types it.
fn span(text: &str) -> Result<Duration, &'static str> {
    let (digits, unit) = match text.char_indices().last() {
        Some((last, 's')) => (&text[..last], 1),
        Some((last, 'm')) => (&text[..last], 60),
        Some((last, 'h')) => (&text[..last], 3_600),
        _ => (text, 1),
    };
    let number = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let span = number.map(|number| Duration::from_secs(u64::from(number) * unit));
    span.filter(|span| LogWish::may_last(*span)).ok_or("it is a time such as 30s, 10m or 8h, a day at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        let cases =
            [("30", Some(30)), ("30s", Some(30)), ("10m", Some(600)), ("8h", Some(28_800)), ("24h", Some(86_400))];
        let bad = ["", "s", "0", "25h", "-1", "+1", "1d", "10 m", "4294967295h", "99999999999"];
        for (text, secs) in cases.into_iter().chain(bad.map(|text| (text, None))) {
            assert_eq!(span(text).ok(), secs.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_is_a_sentence() {
        let mut log = Log { level: "info".to_owned(), ..Log::default() };
        assert_eq!(sentence(&log), "info, as configured");
        log.for_s = Some(540);
        log.parts.insert("agent".to_owned(), "trace".to_owned());
        assert_eq!(sentence(&log), "info, agent trace; for 540 s more, then as configured");
    }
}
