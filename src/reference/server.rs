//! The shell around [`Agent`]: a listener, one task per socket, and the clock.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::agent::{Agent, Connection, Output};
use super::received::Received;
use super::roster::Roster;
use super::{Now, handshake, holder};
use crate::clock::{self, Clock};

/// The largest message taken, in bytes; a daemon's frames stay below 32 KiB.
const MAX_MESSAGE: usize = 256 * 1024;

/// The most sockets at once; a further one is turned away at once.
const MAX_CONNECTIONS: usize = 1024;

/// Messages waiting to be handled, of all sockets together; when full, the sockets are not read.
const INBOUND_QUEUE: usize = 256;

/// Messages waiting for one socket; a reader that falls behind further is dropped.
const OUTBOUND_QUEUE: usize = 256;

/// How long a client may take for its upgrade request, or for taking one message.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a closing handshake may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A listener with an agent behind it.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    roster: Option<Roster>,
}

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another program listens there.
    #[error("port {} of {} is in use{}", address.port(), address.ip(), by(holder.as_deref()))]
    InUse {
        /// Where.
        address: SocketAddr,
        /// Which program, if the system tells.
        holder: Option<String>,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The events have nowhere to go.
    #[error("cannot pass on the events")]
    Sink(#[source] io::Error),
}

impl Server {
    /// Begins to listen; port 0 takes any free one.
    ///
    /// # Errors
    /// If another program has the port, or the address is not one of this machine.
    pub async fn bind(address: SocketAddr, roster: Option<Roster>) -> Result<Self, ServerError> {
        let listen = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => {
                ServerError::InUse { address, holder: holder::holder(address).map(|holder| holder.to_string()) }
            }
            _ => listen(source),
        })?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address, roster })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, and hands every event to `sink` before its sender gets the ack.
    ///
    /// # Errors
    /// If the sink fails; the sockets are closed all the same.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()>,
        mut sink: impl FnMut(&Received) -> io::Result<()>,
    ) -> Result<(), ServerError> {
        let clock = Clock::start();
        let mut agent = Agent::new(read(clock), self.roster);
        let (inbound, mut messages) = mpsc::channel(INBOUND_QUEUE);
        let mut sockets = Sockets { next: 0, inbound, outbound: BTreeMap::new(), tasks: JoinSet::new() };
        tokio::pin!(shutdown);
        let result = loop {
            let due = agent.poll_timeout().map(|due| due.since(clock.now()));
            tokio::select! {
                () = &mut shutdown => break Ok(()),
                stream = accept(&self.listener) => sockets.open(stream),
                Some((from, message)) = messages.recv() => match message {
                    Inbound::Open => agent.handle_open(read(clock), from),
                    Inbound::Message(Message::Text(text)) => agent.handle_text(read(clock), from, &text),
                    Inbound::Message(Message::Binary(_)) => agent.handle_binary(from),
                    Inbound::Message(_) => agent.handle_alive(read(clock), from),
                    Inbound::Closed => {
                        agent.handle_closed(from);
                        sockets.outbound.remove(&from);
                    }
                },
                () = sleep(due.unwrap_or(Duration::MAX)) => agent.handle_timeout(read(clock)),
                Some(_) = sockets.tasks.join_next() => {}
            }
            if let Err(error) = std::iter::from_fn(|| agent.poll_received()).try_for_each(|received| sink(&received)) {
                break Err(ServerError::Sink(error));
            }
            while let Some(output) = agent.poll_output() {
                if let Some(lost) = sockets.send(output) {
                    agent.handle_closed(lost);
                }
            }
        };
        drop(messages);
        sockets.close().await;
        result
    }
}

enum Inbound {
    Open,
    Message(Message),
    Closed,
}

/// Every socket's task and the way to it.
struct Sockets {
    next: u64,
    inbound: mpsc::Sender<(Connection, Inbound)>,
    outbound: BTreeMap<Connection, mpsc::Sender<Message>>,
    tasks: JoinSet<()>,
}

impl Sockets {
    fn open(&mut self, stream: TcpStream) {
        if self.tasks.len() >= MAX_CONNECTIONS {
            tracing::warn!(connections = MAX_CONNECTIONS, "turned a connection away: no room");
            return;
        }
        let id = Connection(self.next);
        self.next += 1;
        let (sender, outbound) = mpsc::channel(OUTBOUND_QUEUE);
        self.outbound.insert(id, sender);
        let inbound = self.inbound.clone();
        self.tasks.spawn(async move {
            serve(id, stream, &inbound, outbound).await;
            // Refused only when nobody listens any more.
            let _ = inbound.send((id, Inbound::Closed)).await;
        });
    }

    /// Queues a message. Gives the socket back if it does not keep up; it is dropped then.
    fn send(&mut self, output: Output) -> Option<Connection> {
        let (to, message) = match output {
            Output::Send { to, text } => (to, Message::text(text)),
            Output::Close { to, code, reason } => {
                tracing::info!(code, reason, "closing a socket");
                (to, close_frame(code, reason))
            }
        };
        let last = message.is_close();
        let queued = self.outbound.get(&to)?.try_send(message);
        if last || queued.is_err() {
            self.outbound.remove(&to);
        }
        // Of a socket that has ended meanwhile, its task tells the rest.
        matches!(queued, Err(TrySendError::Full(_))).then(|| {
            tracing::warn!("dropped a socket that does not read what it is sent");
            to
        })
    }

    /// Closes all as a Phoenix server does when it is stopped.
    async fn close(mut self) {
        for socket in self.outbound.into_values() {
            // A full queue belongs to a socket that would not read this either.
            let _ = socket.try_send(close_frame(1012, "the agent is stopping"));
        }
        drop(self.inbound);
        let gone = async { while self.tasks.join_next().await.is_some() {} };
        // What is left after this is aborted with the set.
        let _ = timeout(2 * FAREWELL, gone).await;
    }
}

/// One socket from its upgrade request to its end.
async fn serve(
    id: Connection,
    mut stream: TcpStream,
    inbound: &mpsc::Sender<(Connection, Inbound)>,
    mut outbound: mpsc::Receiver<Message>,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let callback = |request: &Request, response: Response| match handshake::admit(request) {
        Ok(()) => Ok(response),
        Err(refusal) => Err(*refusal),
    };
    // Latency matters, throughput does not.
    let _ = stream.set_nodelay(true);
    let accepted = tokio_tungstenite::accept_hdr_async_with_config(&mut stream, callback, Some(config));
    let mut socket = match timeout(PATIENCE, accepted).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(Error::Http(_)) | Err(Error::Io(_))) | Err(_) => return,
        Ok(Err(error)) => {
            tracing::warn!(error = %error.to_string().escape_debug(), "refused what is not a websocket upgrade");
            let _ = timeout(FAREWELL, stream.write_all(handshake::BAD_REQUEST)).await;
            return;
        }
    };
    if inbound.send((id, Inbound::Open)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) => {
                    if inbound.send((id, Inbound::Message(message))).await.is_err() {
                        return;
                    }
                }
                Some(Err(Error::Capacity(error))) => {
                    tracing::warn!(%error, "closing a socket");
                    return farewell(&mut socket, close_frame(1009, "too large")).await;
                }
                Some(Err(_)) | None => return,
            },
            message = outbound.recv() => match message {
                Some(message) if message.is_close() => return farewell(&mut socket, message).await,
                Some(message) => match timeout(PATIENCE, socket.send(message)).await {
                    Ok(Ok(())) => {}
                    _ => return,
                },
                None => return,
            },
        }
    }
}

/// Sends a close frame and waits for the answer, so that what was sent before is read first.
async fn farewell(socket: &mut WebSocketStream<&mut TcpStream>, frame: Message) {
    let handshake = async {
        if socket.send(frame).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // A peer that does not answer is left.
    let _ = timeout(FAREWELL, handshake).await;
}

fn close_frame(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: Utf8Bytes::from_static(reason) }))
}

/// The next connection; a lack of file descriptors passes.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Both clocks: ages count suspended time, or what was sent before this machine slept would seem young.
fn read(clock: Clock) -> Now {
    Now { at: clock.now(), unix_ms: u64::try_from(clock::wall_ms()).unwrap_or(0) }
}

fn by(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |holder| format!(" by {holder}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_that_does_not_read_is_dropped_for_it() {
        let (inbound, _messages) = mpsc::channel(1);
        let mut sockets = Sockets { next: 0, inbound, outbound: BTreeMap::new(), tasks: JoinSet::new() };
        let output = |to| Output::Send { to, text: String::new() };
        let (full, ended) = (Connection(1), Connection(2));
        let (sender, _unread) = mpsc::channel(1);
        sockets.outbound.insert(full, sender);
        sockets.outbound.insert(ended, mpsc::channel(1).0);
        assert_eq!(sockets.send(output(full)), None);
        assert_eq!(sockets.send(output(full)), Some(full));
        assert_eq!(sockets.send(output(ended)), None);
        assert!(sockets.outbound.is_empty());
    }
}
