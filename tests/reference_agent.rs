//! The reference agent over real sockets: with a bare websocket client, and with the official Phoenix client.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nbe::reference::{Received, Roster, Server, ServerError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longer than anything here takes, so that a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running agent and what it received.
struct Running {
    address: SocketAddr,
    events: Arc<Mutex<Vec<Received>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    async fn start(roster: Option<Roster>) -> Self {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), roster).await.unwrap();
        let address = server.local_addr();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let sink = Arc::clone(&events);
        let task = tokio::spawn(server.run(async { drop(stopped.await) }, move |received| {
            sink.lock().unwrap().push(received.clone());
            Ok(())
        }));
        Self { address, events, stop, task }
    }

    async fn connect(&self) -> Client {
        let url = format!("ws://{}/socket/websocket?vsn=2.0.0", self.address);
        Client(tokio_tungstenite::connect_async(url).await.unwrap().0)
    }

    async fn status(&self, path: &str) -> u16 {
        match tokio_tungstenite::connect_async(format!("ws://{}{path}", self.address)).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    fn event_names(&self) -> Vec<String> {
        self.events.lock().unwrap().iter().map(|received| received.event.clone()).collect()
    }

    async fn stop(self) -> Result<(), ServerError> {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap()
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn say(&mut self, frame: Value) {
        within(self.0.send(Message::text(frame.to_string()))).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        match within(self.0.next()).await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code of the close frame that comes next.
    async fn hear_close(&mut self) -> u16 {
        match within(self.0.next()).await.unwrap().unwrap() {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }
}

async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("nothing happened for 10 s")
}

#[tokio::test]
async fn an_endpoint_joins_and_is_acknowledged() {
    let running = Running::start(None).await;
    let mut client = running.connect().await;
    client.say(json!(["1", "1", "endpoint:e", "phx_join", {"boot": "b"}])).await;
    assert_eq!(client.hear().await[4]["response"]["resume"], Value::Null);
    client.say(json!(["1", "2", "endpoint:e", "snapshot", {"boot": "b", "seq": 1}])).await;
    let ack = client.hear().await;
    assert_eq!(ack, json!(["1", "2", "endpoint:e", "phx_reply", {"status": "ok", "response": {"ack": 1}}]));
    assert_eq!(running.event_names(), ["snapshot"], "the event was handed on before its ack was sent");

    let mut second = running.connect().await;
    second.say(json!(["5", "5", "endpoint:e", "phx_join", {"boot": "b"}])).await;
    assert_eq!(second.hear().await[4]["response"]["resume"], json!({"boot": "b", "ack": 1}));
    assert_eq!(client.hear().await[3], "superseded");
    assert_eq!(client.hear().await[3], "phx_close");

    running.stop().await.unwrap();
    assert_eq!((client.hear_close().await, second.hear_close().await), (1012, 1012));
}

#[tokio::test]
async fn upgrades_get_the_status_that_phoenix_gives() {
    let running = Running::start(None).await;
    assert_eq!(running.status("/socket/websocket?vsn=2.0.0").await, 101);
    assert_eq!(running.status("/socket/websocket").await, 403);
    assert_eq!(running.status("/socket?vsn=2.0.0").await, 404);
    for request in
        ["GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_taken_closes_one_socket_only() {
    let running = Running::start(None).await;
    let mut other = running.connect().await;
    let cases = [
        ("not JSON", Message::text("["), 1011),
        ("binary", Message::binary(&b"\x00\x01\x01\x01\x01abcd"[..]), 1011),
        ("larger than 256 KiB", Message::text("x".repeat(256 * 1024 + 1)), 1009),
    ];
    for (case, message, code) in cases {
        let mut client = running.connect().await;
        client.0.send(message).await.unwrap();
        assert_eq!(client.hear_close().await, code, "{case}");
    }
    other.say(json!([null, "1", "phoenix", "heartbeat", {}])).await;
    assert_eq!(other.hear().await[4]["status"], "ok");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_watcher_that_does_not_read_holds_nobody_up() {
    let running = Running::start(None).await;
    let mut deaf = running.connect().await;
    deaf.say(json!(["1", "1", "events", "phx_join", {}])).await;
    deaf.hear().await;
    let mut client = running.connect().await;
    client.say(json!(["1", "1", "endpoint:e", "phx_join", {}])).await;
    client.hear().await;
    let padding = "x".repeat(30_000);
    for n in 0..600 {
        client.say(json!(["1", n.to_string(), "endpoint:e", "stats", {"padding": padding}])).await;
        assert_eq!(client.hear().await[1], n.to_string());
    }
    let mut heard = 0;
    while let Some(Ok(Message::Text(_))) = within(deaf.0.next()).await {
        heard += 1;
    }
    assert!(heard < 600, "it was dropped when its queue was full");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_server() {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), None).await.unwrap();
    let address = server.local_addr();
    let task = tokio::spawn(server.run(std::future::pending(), |_| Err(std::io::ErrorKind::BrokenPipe.into())));
    let (socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{address}/socket/websocket?vsn=2.0.0")).await.unwrap();
    let mut client = Client(socket);
    client.say(json!(["1", "1", "endpoint:e", "phx_join", {}])).await;
    client.hear().await;
    client.say(json!(["1", "2", "endpoint:e", "stats", {}])).await;
    assert_eq!(client.hear_close().await, 1012, "no ack for what was not handed on");
    assert!(matches!(within(task).await.unwrap(), Err(ServerError::Sink(_))));
}

#[tokio::test]
async fn a_port_in_use_is_said_with_its_holder() {
    let running = Running::start(None).await;
    let error = Server::bind(running.address, None).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("port {} of 127.0.0.1 is in use", running.address.port())), "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.ends_with(&format!("(process {})", std::process::id())), "{text}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_official_client_joins_pushes_is_pushed_to_and_rejoins() {
    let directory = match install_peer() {
        Ok(directory) => directory,
        Err(reason) if std::env::var_os("NBE_REQUIRE_PEERS").is_some_and(|value| value == "1") => {
            panic!("NBE_REQUIRE_PEERS is set, and the official Phoenix client cannot be run: {reason}")
        }
        Err(reason) => {
            eprintln!("\n=== SKIPPED: the official Phoenix client was NOT run: {reason}\n");
            return;
        }
    };
    let roster = directory.join("roster.toml");
    std::fs::write(&roster, "rev = 7\n[[band]]\nid = \"b1\"\naddr = \"5c:f3:70:8a:11:02\"\n").unwrap();
    let running = Running::start(Some(Roster::load(&roster).unwrap())).await;
    let mut node = Command::new("node");
    node.arg("client.mjs").arg(format!("ws://{}/socket", running.address)).current_dir(&directory);
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the client stopped after\n{told}\nbecause\n{complaint}");
    assert_eq!(told.lines().filter(|line| line.starts_with("ok: ")).count(), 9, "{told}");
    assert_eq!(running.event_names(), ["snapshot", "band.tap", "band.trend", "band.trend"]);
    running.stop().await.unwrap();
}

/// Puts the client and its packages into a directory of the build; once is enough.
fn install_peer() -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/phoenix_client");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("phoenix_client");
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let manifest = |root: &Path| std::fs::read(root.join("package.json")).ok();
    let modules = directory.join("node_modules");
    if manifest(&source) != manifest(&directory) && modules.exists() {
        std::fs::remove_dir_all(&modules).map_err(|error| error.to_string())?;
    }
    for file in ["package.json", "client.mjs"] {
        std::fs::copy(source.join(file), directory.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&directory).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim_end())),
            Err(error) => Err(format!("{program} cannot be started: {error}")),
        }
    };
    run("node", &["--version"])?;
    // npm writes this file last.
    if !modules.join(".package-lock.json").exists() {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        run(
            npm,
            &["install", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"],
        )?;
    }
    Ok(directory)
}
