//! An agent that does what a test says, over a real socket; and the daemon's side of that socket.

#![allow(dead_code)] // each test file uses a part of it

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bgapi::{Address, AddressType, BdAddr};
use futures_util::{SinkExt, StreamExt};
use nbe::agent::socket::{Socket, Target};
use nbe::agent::{Command, Identity, Link, Note, Output, SocketInput};
use nbe::event::{AdapterId, Band, Conclusion, Decision, Digest, Fact, Rule, Snapshot, Why};
use nbe::time::Time;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Nothing on a loopback takes longer, unless it never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port on which somebody may or may not answer.
pub(crate) struct FakeAgent {
    listener: TcpListener,
}

impl FakeAgent {
    pub(crate) async fn bind() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/socket/websocket", self.address())
    }

    /// Waits for a TCP connection.
    pub(crate) async fn accept_tcp(&self) -> TcpStream {
        in_time("a connection", self.listener.accept()).await.unwrap().0
    }

    /// Waits for a websocket.
    pub(crate) async fn accept(&self) -> Peer {
        let tcp = self.accept_tcp().await;
        let (mut uri, mut origin) = (String::new(), false);
        let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            uri = request.uri().to_string();
            origin = request.headers().contains_key("origin");
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(tcp, look);
        let socket = in_time("an upgrade", socket).await.unwrap();
        Peer { socket, uri, origin }
    }

    /// Waits for a websocket and joins it with this reply; says the join too.
    pub(crate) async fn accept_join(&self, reply: Value) -> (Peer, Value) {
        let mut peer = self.accept().await;
        let join = peer.join(reply).await;
        (peer, join)
    }

    /// Answers one request with this text, whatever was asked.
    pub(crate) async fn answer(&self, response: &str) {
        let mut tcp = self.accept_tcp().await;
        let mut request = [0; 4096];
        let _ = in_time("a request", tcp.read(&mut request)).await.unwrap();
        tcp.write_all(response.as_bytes()).await.unwrap();
        tcp.shutdown().await.unwrap();
        let _ = tcp.read(&mut request).await;
    }
}

/// The agent's end of a websocket.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) uri: String,
    pub(crate) origin: bool,
}

impl Peer {
    /// The next frame that is no heartbeat.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match in_time("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame[3] != "heartbeat" {
                        return frame;
                    }
                }
                other => panic!("the endpoint sent {other:?}"),
            }
        }
    }

    /// The next frame, which must be this event.
    pub(crate) async fn expect(&mut self, event: &str) -> Value {
        let frame = self.frame().await;
        assert_eq!(frame[3], event, "{frame}");
        frame
    }

    /// Reads until the endpoint closes; says its close code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match in_time("a close", self.socket.next()).await {
                Some(Ok(Message::Close(close))) => return close.map(|close| close.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.message(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn message(&mut self, message: Message) -> Result<(), Error> {
        in_time("the endpoint to read", self.socket.send(message)).await
    }

    pub(crate) async fn reply(&mut self, to: &Value, status: &str, response: Value) {
        self.send(json!([to[0], to[1], to[2], "phx_reply", {"status": status, "response": response}])).await;
    }

    /// Takes a join; says what it was.
    pub(crate) async fn join(&mut self, reply: Value) -> Value {
        let join = self.expect("phx_join").await;
        self.reply(&join, "ok", reply).await;
        join
    }

    /// Closes with a code, or ends the connection without a word.
    pub(crate) async fn hang_up(mut self, code: Option<u16>) {
        if let Some(code) = code {
            let close = CloseFrame { code: code.into(), reason: "bye".into() };
            self.message(Message::Close(Some(close))).await.unwrap();
            self.closed().await;
        }
    }
}

/// The daemon's shell, as small as it can be.
pub(crate) struct Endpoint {
    pub(crate) link: Link,
    socket: Socket,
    begun: Instant,
    pub(crate) notes: Vec<Note>,
    pub(crate) commands: Vec<Command>,
}

impl Endpoint {
    pub(crate) fn new(target: Target) -> Self {
        let link = Link::new(identity(), 7, Time::ZERO);
        Self { link, socket: Socket::new(target), begun: Instant::now(), notes: Vec::new(), commands: Vec::new() }
    }

    pub(crate) fn at(url: &str) -> Self {
        Self::new(Target::new(url, None).unwrap())
    }

    pub(crate) fn now(&self) -> Time {
        Time::ZERO + self.begun.elapsed()
    }

    pub(crate) fn tap(&mut self) {
        let now = self.now();
        self.link.handle_fact(now, tap(now));
    }

    /// Runs for ever; may be dropped and called again.
    pub(crate) async fn run(&mut self) {
        loop {
            let now = self.now();
            while let Some(output) = self.link.poll_output() {
                match output {
                    Output::Connect => self.socket.connect(),
                    Output::Send(text) => self.socket.send(text),
                    Output::Close { code } => self.socket.close(code),
                    Output::NeedSnapshot => self.link.handle_snapshot(now, snapshot(now)),
                    Output::Command(command) => self.commands.push(command),
                    Output::Note(note) => self.notes.push(note),
                    Output::Stopped => return std::future::pending().await,
                }
            }
            let wait = self.link.poll_timeout().map_or(PATIENCE * 100, |due| due.since(now));
            let Self { link, socket, begun, .. } = self;
            tokio::select! {
                input = socket.next() => link.handle_socket(Time::ZERO + begun.elapsed(), input),
                () = tokio::time::sleep(wait) => link.handle_timeout(Time::ZERO + begun.elapsed()),
            }
        }
    }

    /// Runs while the agent does its part.
    pub(crate) async fn meanwhile<T>(&mut self, script: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            result = script => result,
            () = self.run() => unreachable!("it runs for ever"),
        }
    }

    /// Runs until this holds of it.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "{what} never came: {:?} {:?}", self.link.status(), self.notes);
            self.meanwhile(tokio::time::sleep(Duration::from_millis(2))).await;
        }
    }
}

/// A link whose time is stepped and whose frames are looked at.
pub(crate) struct Stepped {
    pub(crate) link: Link,
    pub(crate) now: Time,
    pub(crate) frames: Vec<Value>,
    pub(crate) others: Vec<Output>,
}

impl Stepped {
    /// Connected, its join just written.
    pub(crate) fn connected() -> Self {
        let link = Link::new(identity(), 7, Time::ZERO);
        let mut stepped = Self { link, now: Time::ZERO, frames: Vec::new(), others: Vec::new() };
        stepped.input(SocketInput::Opened);
        stepped
    }

    pub(crate) fn input(&mut self, input: SocketInput<'_>) {
        self.link.handle_socket(self.now, input);
        self.drain();
    }

    pub(crate) fn send(&mut self, frame: Value) {
        self.input(SocketInput::Text(&frame.to_string()));
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.link.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.link.handle_timeout(due);
            self.drain();
        }
        self.now = end;
    }

    /// How many frames of this event were written.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.frames.iter().filter(|frame| frame[3] == event).count()
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll_output() {
            match output {
                Output::Send(text) => self.frames.push(serde_json::from_str(&text).unwrap()),
                Output::NeedSnapshot => self.link.handle_snapshot(self.now, snapshot(self.now)),
                other => self.others.push(other),
            }
        }
    }
}

/// Waits, but not for ever.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come in time"))
}

/// The answer of an agent that knows this boot and has nothing of it yet.
pub(crate) fn resume() -> Value {
    json!({"resume": {"boot": "b1", "ack": 0}})
}

pub(crate) fn band() -> Band {
    Band {
        address: Address { bytes: BdAddr([2, 0x11, 0x8a, 0x70, 0xf3, 0x5c]), address_type: AddressType::PUBLIC },
        id: None,
    }
}

pub(crate) fn tap(at: Time) -> Fact {
    Fact::Band(Decision {
        at,
        band: band(),
        listed: false,
        authenticated: false,
        adapter: Some(AdapterId(0)),
        config: Digest(0),
        conclusion: Conclusion::Tap {
            mean_cdb: -4125,
            peak_cdb: -3900,
            samples: 10,
            span_ms: 900,
            threshold_cdb: -4200,
        },
        why: Why {
            rule: Rule::TapMean,
            mean_cdb: Some(-4125),
            threshold_cdb: Some(-4200),
            newer_cdb: None,
            older_cdb: None,
            contact: None,
            n: 10,
            span_ms: 900,
            age_ms: 0,
            reckoning: None,
            held_ms: None,
        },
    })
}

fn identity() -> Identity {
    Identity {
        endpoint_id: "e1".to_owned(),
        boot: "b1".to_owned(),
        host: "bench".to_owned(),
        addrs: Vec::new(),
        os: "linux".to_owned(),
        version: "0.1.0".to_owned(),
        token: None,
    }
}

fn snapshot(at: Time) -> Snapshot {
    Snapshot { at, config: Digest(0), adapters: Vec::new(), bands: Vec::new(), roster_rev: None, counters: Vec::new() }
}
