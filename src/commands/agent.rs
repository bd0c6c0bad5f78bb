//! `nbe agent`: the reference agent on standard output.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, exit};
use crate::reference::{Roster, RosterError, Server, ServerError};

/// Receive what endpoints tell, and print every event as one line of JSON
///
/// A small agent for development and small sites. It speaks Phoenix Channels V2 at /socket/websocket, acknowledges
/// facts, judges how old a tap is, and sends a roster.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    nbe agent --roster roster.toml | jq -c 'select(.event == \"band.tap\" and .acted)'\n\n\
    A roster file:\n  \
    mode = \"listed\"            # or \"all\"\n  \
    [[band]]\n  \
    id = \"band-17\"\n  \
    addr = \"5c:f3:70:8a:11:02\"\n  \
    addr_type = \"public\"       # or \"random\"\n  \
    active = true\n  \
    auth = \"authenticated\"     # or \"unknown\", \"unenrolled\"")]
pub struct AgentArgs {
    /// Where to listen; there is no encryption and no password, so keep it on this machine or a trusted network
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9120", value_parser = address)]
    pub listen: SocketAddr,

    /// The bands to name, a TOML file; sent to every endpoint that has another list
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
}

/// Where to listen, with the likely meaning of what is none.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match (text.trim_start_matches(':').parse::<u16>(), text.parse::<std::net::IpAddr>()) {
        (Ok(port), _) => {
            format!("a port needs its address: 127.0.0.1:{port}, or 0.0.0.0:{port} for other machines too")
        }
        (_, Ok(ip)) => format!("an address needs a port: {}", SocketAddr::new(ip, 9120)),
        _ => "it is an IP address and a port, such as 127.0.0.1:9120".to_owned(),
    })
}

/// Why the agent did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The roster cannot be used.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The server cannot start or go on.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The process cannot be told to stop.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl AgentError {
    /// The failure as the command line reports it.
    pub fn into_failure(self) -> Failure {
        let hint = self.hint();
        let failure = Failure::new(exit::FOUND, self);
        match hint {
            Some(hint) => failure.advise(hint),
            None => failure,
        }
    }

    /// What to do about it, as a sentence, where that is known.
    fn hint(&self) -> Option<String> {
        match self {
            Self::Server(ServerError::InUse { address, .. }) => {
                let mut other = *address;
                other.set_port(address.port().checked_add(1).unwrap_or(9121));
                Some(format!(
                    "stop that program, or listen elsewhere with `--listen {other}` and set agent_url to match"
                ))
            }
            Self::Server(ServerError::Listen { address, source }) => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    Some("ports below 1024 are reserved; choose one above, such as 9120".into())
                }
                io::ErrorKind::AddrNotAvailable => {
                    Some(format!("{} is not an address of this machine; 0.0.0.0 stands for all it has", address.ip()))
                }
                _ => None,
            },
            Self::Server(ServerError::Sink(_)) | Self::Signals(_) => None,
            Self::Roster(_) => Some("`nbe agent --help` shows a roster file".into()),
        }
    }
}

/// Runs the agent until Ctrl-C, SIGTERM, or until nobody reads its output.
///
/// # Errors
/// If the roster is wrong, the port cannot be had, or the output cannot be written.
pub async fn run(listen: SocketAddr, roster: Option<PathBuf>) -> Result<(), AgentError> {
    let roster = roster.as_deref().map(Roster::load).transpose()?;
    let stop = stop_signal().map_err(AgentError::Signals)?;
    let server = Server::bind(listen, roster).await?;
    let address = server.local_addr();
    tracing::info!(url = %format_args!("ws://{address}/socket/websocket"), "listening");
    if !address.ip().is_loopback() {
        tracing::warn!("anyone who reaches this port can watch the bands and give commands");
    }
    let stdout = io::stdout();
    match server.run(stop, |received| received.write_line(stdout.lock())).await {
        Err(ServerError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Done when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the process is asked to stop.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
