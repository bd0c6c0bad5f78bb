//! Other programs, run to their end.

use std::io;
use std::process::{Command, ExitStatus, Stdio};

/// Why a task came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskError {
    /// A program that is not there.
    #[error("cannot run {program}: {source}{hint}")]
    Start { program: String, source: io::Error, hint: &'static str },
    /// A program that failed, and has said why.
    #[error("{program} ended with {status}")]
    Failed { program: String, status: ExitStatus },
    /// A bill of materials that is none.
    #[error("the bill of materials lacks {missing}")]
    Incomplete { missing: String },
    /// A file that could not be read or written.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// Runs a command to its end; `hint` says how to get a program that is missing.
pub(crate) fn run(command: &mut Command, hint: &'static str) -> Result<(), TaskError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|source| TaskError::Start { program: program.clone(), source, hint })?;
    if status.success() { Ok(()) } else { Err(TaskError::Failed { program, status }) }
}

/// What a command writes to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, TaskError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.stderr(Stdio::inherit()).output();
    let done = done.map_err(|source| TaskError::Start { program: program.clone(), source, hint: "" })?;
    if !done.status.success() {
        return Err(TaskError::Failed { program, status: done.status });
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
