//! How a command ends badly: for a person at a terminal and for a script.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// The exit codes of all commands; 0 is fine.
pub mod exit {
    /// Something was found: a mistake, a failed check, a refused fact.
    pub const FOUND: u8 = 1;
    /// The command line is off.
    pub const USAGE: u8 = 2;
    /// There is no dongle.
    pub const NO_DONGLE: u8 = 69;
    /// Something is there and may not be used.
    pub const NO_PERMISSION: u8 = 77;
    /// The configuration is off (EX_CONFIG); a service manager need not try again until it changes.
    pub const CONFIG: u8 = 78;
}

/// What failed, why, and what to do.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: Box<dyn Error + Send + Sync>,
    advice: Option<String>,
}

impl Failure {
    /// A failure with its exit code.
    pub fn new(code: u8, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, error: error.into(), advice: None }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The failure with its causes and the advice, on one line of a log.
    pub fn one_line(&self) -> String {
        let text = self.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.join("; ").trim_start_matches("error: ").to_owned()
    }

    /// Prints the failure to standard error and gives its exit code.
    pub fn report(&self) -> ExitCode {
        eprint!("{self}");
        ExitCode::from(self.code)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(exit::FOUND, error)
    }
}

impl fmt::Display for Failure {
    /// The error, its causes, and the advice, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            writeln!(f, "  because: {error}")?;
            cause = error.source();
        }
        if let Some(advice) = &self.advice {
            writeln!(f, "  try: {advice}")?;
        }
        Ok(())
    }
}
