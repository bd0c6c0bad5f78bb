//! The side that asks.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::system::{Stream, connect, places};
use crate::control::{Code, Command, Refusal, Reply, Request};
use crate::failure::{Failure, exit};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// What it means that no daemon answers.
#[cfg(unix)]
const NOBODY: &str = "nbe does not run, or has no control socket (its log says so), or it has it in another account's \
                      XDG_RUNTIME_DIR";
/// What it means that no daemon answers.
#[cfg(windows)]
const NOBODY: &str = "nbe does not run, or has no control pipe (its log says so)";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No daemon listens.
    #[error("nobody answers at {}: {NOBODY}", list(.looked))]
    NotRunning {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// One may be there, and this account may not connect.
    #[error("no permission to connect to {}", .path.display())]
    NotPermitted {
        /// Where.
        path: PathBuf,
    },
    /// The connection broke.
    #[error("cannot ask the daemon at {}", .path.display())]
    Broken {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What came back is no answer.
    #[error("cannot ask the daemon at {}", .path.display())]
    Garbled {
        /// Where.
        path: PathBuf,
        /// Why.
        source: crate::control::Garbled,
    },
    /// The daemon says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl AskError {
    /// For a person at a terminal.
    pub fn into_failure(self) -> Failure {
        let code = match &self {
            Self::NotPermitted { .. } => exit::NO_PERMISSION,
            Self::Refused(refusal) if refusal.code == Code::NotPermitted => exit::NO_PERMISSION,
            _ => exit::FOUND,
        };
        let cure = match &self {
            Self::NotRunning { .. } if cfg!(windows) => {
                "`nbe service status` tells whether the service is installed and runs, `nbe service start` starts it, \
                 `nbe run` starts a daemon by hand; one that is elsewhere is named with --socket PIPE"
                    .to_owned()
            }
            Self::NotRunning { .. } => {
                "`systemctl status nbe` tells why a service does not run, `nbe run` starts one by hand; one that is \
                 elsewhere is named with --socket PATH"
                    .to_owned()
            }
            Self::NotPermitted { .. } if cfg!(windows) => "ask from a prompt run as administrator".to_owned(),
            Self::NotPermitted { .. } => "ask as root, or as the account that the daemon runs as".to_owned(),
            Self::Broken { .. } if cfg!(windows) => {
                "ask again; if this stays, `nbe service status` tells how the daemon is".to_owned()
            }
            Self::Broken { .. } => {
                "ask again; if this stays, `systemctl status nbe` tells how the daemon is".to_owned()
            }
            Self::Garbled { .. } => "use the nbe command that was installed with the daemon".to_owned(),
            Self::Refused(refusal) => config::printable(&refusal.cure),
        };
        match self {
            // Its words come over a socket.
            Self::Refused(refusal) => {
                let text = refusal.text.lines().map(config::printable).collect::<Vec<_>>().join("\n");
                Failure::new(code, text).advise(cure)
            }
            error => Failure::new(code, error).advise(cure),
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "any place that this system has for it".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}

/// Asks the daemon at `socket`, or the first that is found; must be called inside a tokio runtime.
///
/// # Errors
/// If there is none, or it does not answer, or says no.
pub async fn ask(socket: Option<&Path>, command: Command) -> Result<Value, AskError> {
    let looked = socket.map_or_else(places, |path| vec![path.to_owned()]);
    let mut denied = None;
    for path in &looked {
        match connect(path).await {
            Ok(stream) => {
                let broken = |source| AskError::Broken { path: path.clone(), source };
                let line = tokio::time::timeout(PATIENCE, exchange(stream, command)).await;
                let line = line.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(broken)?;
                let reply = Reply::read(&line);
                let reply = reply.map_err(|source| AskError::Garbled { path: path.clone(), source })?;
                return Ok(reply.result?);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied = denied.or(Some(path.clone())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {}
            Err(source) => return Err(AskError::Broken { path: path.clone(), source }),
        }
    }
    Err(denied.map_or(AskError::NotRunning { looked }, |path| AskError::NotPermitted { path }))
}

async fn exchange(mut stream: Stream, command: Command) -> io::Result<Vec<u8>> {
    let request = Request { id: Value::from(1), command };
    // One who is too many is told so without being asked what for.
    let written = stream.write_all(request.line().as_bytes()).await;
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        written?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}
