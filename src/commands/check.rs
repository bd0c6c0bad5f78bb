//! `nbe check`: what the configuration amounts to, where each value comes from, and what is wrong with it.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use config::{Diagnostic, Effective, Location, Resolution, Severity, SourceFile, Sources, find};
use serde::Serialize;

use super::configuration;
use crate::credentials::{self, CredentialError};
use crate::permission;

/// Show the effective configuration, where each value comes from, and what is wrong with it
#[derive(Debug, Args)]
#[command(after_help = explanation())]
pub struct CheckArgs {
    /// The file to check, in place of the one that `nbe run` would read
    pub path: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn explanation() -> String {
    format!(
        "\
Examples:
  nbe check                  what `nbe run` would use here
  nbe check new.toml         another file, below this environment
  nbe check --json | jq .ok  for scripts

{}

Exits with 1 if there is a mistake; a warning is none.",
        configuration::places()
    )
}

/// Checks the file at `path`, or the one that the daemon would read, below the environment.
///
/// Exits with 1 if anything is wrong; a warning is not.
pub fn run(path: Option<&Path>, json: bool) -> ExitCode {
    let report = Report::new(path, find::environment());
    let mut out = io::stdout().lock();
    let written = match json {
        true => report.write_json(&mut out),
        false => report.write_text(&mut out),
    };
    match written {
        // Whoever reads may have seen enough, as `head` has.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write the report\n  because: {error}");
            ExitCode::FAILURE
        }
        _ if report.ok => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// All there is to say, as `--json` says it.
#[derive(Debug, Serialize)]
struct Report {
    /// The file, where there is one or one was asked for.
    path: Option<PathBuf>,
    ok: bool,
    values: Vec<Effective>,
    diagnostics: Vec<Diagnostic>,
    /// Eight hex digits, where the configuration is valid.
    digest: Option<String>,
}

impl Report {
    fn new(path: Option<&Path>, environment: Vec<(String, String)>) -> Self {
        let file = match find::find(path) {
            Ok(file) => file,
            Err(error) => {
                return Self {
                    path: Some(error.path().to_owned()),
                    ok: false,
                    values: Vec::new(),
                    diagnostics: vec![permission::diagnose(&error)],
                    digest: None,
                };
            }
        };
        Self::of(file, environment)
    }

    fn of(file: Option<SourceFile>, environment: Vec<(String, String)>) -> Self {
        let path = file.as_ref().map(|file| file.path.clone());
        let sources = Sources { file, environment, ..Sources::default() };
        let Resolution { mut config, values, mut diagnostics } = config::resolve(&sources);
        let unusable = config.as_ref().map_or_else(Vec::new, credentials::check);
        if !unusable.is_empty() {
            config = None;
            diagnostics.extend(unusable.iter().map(|error| located(error, &values)));
        }
        Self {
            path,
            ok: config.is_some(),
            values,
            diagnostics,
            digest: config.map(|config| config.digest().to_string()),
        }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    /// The table first, so that what needs a person stands last on the screen.
    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let rows: Vec<_> = self.values.iter().map(|value| (&value.key, value.text(), &value.origin)).collect();
        let key_width = rows.iter().map(|(key, ..)| key.len()).max().unwrap_or(0);
        let value_width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0).min(WIDEST_VALUE);
        for (key, value, origin) in rows {
            writeln!(out, "{key:key_width$}  {value:value_width$}  {origin}")?;
        }
        writeln!(out)?;
        for diagnostic in &self.diagnostics {
            writeln!(out, "{diagnostic}\n")?;
        }
        let name = match &self.path {
            Some(path) => config::printable(&path.to_string_lossy()),
            None => {
                let holds = if self.ok { "; the defaults hold" } else { "" };
                format!("no nbe.toml (looked for {}){holds}", find::PLACES.join(" and "))
            }
        };
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        let verdict = match &self.digest {
            Some(digest) => format!("valid, digest {digest}"),
            None => counted(count(Severity::Error), "error"),
        };
        match count(Severity::Warning) {
            0 => writeln!(out, "{name}: {verdict}"),
            warnings => writeln!(out, "{name}: {verdict}, {}", counted(warnings, "warning")),
        }
    }
}

/// A file that cannot be used, told where it is named.
fn located(error: &CredentialError, values: &[Effective]) -> Diagnostic {
    let message = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    let diagnostic = match values.iter().find(|value| value.key == error.key()) {
        Some(value) => value.error(message),
        None => Diagnostic::error(Location::None, message),
    };
    diagnostic.with_help(error.cure())
}

/// A wider value pushes its own origin aside rather than everyone's.
const WIDEST_VALUE: usize = 46;

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str, environment: &[(&str, &str)]) -> (Report, String) {
        let dir = tempfile::tempdir().unwrap();
        // Made for its owner alone, so that no umask brings a warning of its own.
        let file = tempfile::Builder::new().prefix("nbe.toml").rand_bytes(0).tempfile_in(&dir);
        let mut file = file.unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let environment = environment.iter().map(|&(name, value)| (name.into(), value.into()));
        let report = Report::new(Some(file.path()), environment.collect());
        let mut out = Vec::new();
        report.write_text(&mut out).unwrap();
        let folder = format!("{}{}", dir.path().display(), std::path::MAIN_SEPARATOR);
        (report, String::from_utf8(out).unwrap().replace(&folder, "/"))
    }

    const VALID: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\nrssi_tap_threshold = -42\n";

    #[test]
    fn the_table_shows_where_each_value_comes_from() {
        let (report, out) = report(VALID, &[("RSSI_WINDOW_TAP", "12")]);
        assert!(report.ok, "{out}");
        let expected = [
            r#"agent_url                    "ws://127.0.0.1:9120/socket/websocket"  /nbe.toml:1"#,
            r#"rssi_window_tap              12                                      environment RSSI_WINDOW_TAP"#,
            r#"rssi_window_long             50                                      default"#,
            r#"rssi_tap_threshold           -42                                     /nbe.toml:2"#,
        ];
        assert_eq!(out.lines().take(4).collect::<Vec<_>>(), expected);
        assert!(out.ends_with(&format!("/nbe.toml: valid, digest {}\n", report.digest.unwrap())), "{out}");
    }

    #[test]
    fn mistakes_stand_last_and_are_counted() {
        let (report, out) = report(&format!("{VALID}rssi_cutoff_far = 80\nrssi_cutoff_clos = -70\n"), &[]);
        assert!(!report.ok);
        let expected = "\
/nbe.toml:3:19: error: rssi_cutoff_far must be -99 to -1, found 80 (is the minus sign missing?)
  rssi_cutoff_far = 80
                    ^^

/nbe.toml:4:1: warning: unknown key rssi_cutoff_clos
  rssi_cutoff_clos …
  ^^^^^^^^^^^^^^^^
  help: did you mean rssi_cutoff_close?

/nbe.toml: 1 error, 1 warning
";
        assert!(out.ends_with(expected), "{out}");
    }

    #[test]
    fn scripts_get_one_object() {
        let (report, _) = report(&format!("{VALID}rssi_cutoff_far = 80\n"), &[]);
        let mut out = Vec::new();
        report.write_json(&mut out).unwrap();
        let object: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(object["ok"], false);
        assert_eq!(object["digest"], serde_json::Value::Null);
        assert_eq!(object["values"][1]["key"], "rssi_window_tap");
        assert_eq!(object["values"][1]["value"], 10);
        assert_eq!(object["values"][1]["origin"]["layer"], "default");
        let found = &object["diagnostics"][0];
        assert_eq!(found["severity"], "error");
        assert_eq!((&found["location"]["line"], &found["location"]["column"]), (&3.into(), &19.into()));
    }

    #[test]
    fn without_a_file_the_places_are_named() {
        let shown = |values: &[(&str, &str)]| {
            let environment = values.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            // What is found on the machine of the test does not matter.
            let report = Report::of(None, environment);
            let mut out = Vec::new();
            report.write_text(&mut out).unwrap();
            String::from_utf8(out).unwrap().lines().last().unwrap().to_owned()
        };
        let places = find::PLACES.join(" and ");
        let none = shown(&[]);
        assert!(none.starts_with(&format!("no nbe.toml (looked for {places}); the defaults hold: valid")), "{none}");
        assert_eq!(shown(&[("RSSI_WINDOW_TAP", "0")]), format!("no nbe.toml (looked for {places}): 1 error"));
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake() {
        let report = Report::new(Some(Path::new("/nowhere/nbe.toml")), Vec::new());
        assert!(!report.ok);
        assert_eq!(
            report.diagnostics[0].to_string(),
            "/nowhere/nbe.toml: error: there is no such file, and the command line asks for it"
        );
    }
}
