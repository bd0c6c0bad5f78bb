//! What an agent knows of the user, told to a real daemon over a real websocket: who signed in, and that keys are used.
#![cfg(unix)]

#[path = "support/daemon.rs"]
mod daemon;

use std::path::Path;

use self::daemon::{PATIENCE, Place, Program, nbe, program};
use futures_util::{SinkExt, StreamExt};
use nbe::simulate::{Scenario, VirtualDongle};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Too weak for near, by far.
const CORRIDOR: &str = "[[band]]\nid = \"ada\"\naddress = \"5c:f3:70:8a:11:02\"\ndistance_m = 20\nplace_sd_db = 0\n";

const BAND: &str = "5c:f3:70:8a:11:02";

/// Somebody at the reference agent who sees every event of the daemon, and gives it commands.
struct Watcher {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    endpoint: String,
    refs: u32,
}

impl Watcher {
    async fn join(listen: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{listen}/socket/websocket?vsn=2.0.0")).await.unwrap();
        let mut watcher = Self { socket, endpoint: String::new(), refs: 0 };
        watcher.push("phx_join", json!({})).await;
        let joined = watcher.frame(|frame| frame[3] == "phx_reply").await;
        watcher.endpoint = joined[4]["response"]["endpoints"][0].as_str().unwrap().to_owned();
        watcher
    }

    async fn push(&mut self, event: &str, payload: Value) {
        self.refs += 1;
        let frame = json!(["1", self.refs.to_string(), "events", event, payload]);
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn command(&mut self, event: &str, mut payload: Value) {
        payload["endpoint"] = self.endpoint.as_str().into();
        self.push(event, payload).await;
    }

    async fn frame(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let message = self.socket.next().await.unwrap().unwrap();
                let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
                if is_it(&frame) {
                    return frame;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("no such frame came")
    }

    /// The payloads of these events, until one of the last name came.
    async fn payloads(&mut self, names: &[&str]) -> Vec<(String, Value)> {
        let mut seen: Vec<(String, Value)> = Vec::new();
        while seen.last().is_none_or(|(name, _)| Some(&name.as_str()) != names.last()) {
            let frame = self.frame(|frame| names.contains(&frame[3].as_str().unwrap())).await;
            seen.push((frame[3].as_str().unwrap().to_owned(), frame[4]["payload"].clone()));
        }
        seen
    }

    /// The next trend to this side.
    async fn trend(&mut self, after: &str) -> Value {
        let frame = self.frame(|frame| frame[3] == "band.trend" && frame[4]["payload"]["after"] == after).await;
        frame[4]["payload"].clone()
    }
}

#[tokio::test]
async fn a_wearer_signs_in_and_types_where_the_band_is_hardly_heard() {
    let place = Place::new();
    let scenario = Scenario::from_toml(CORRIDOR, Path::new("test.toml")).unwrap();
    let _dongle = VirtualDongle::spawn(&place.path("dongle"), &scenario, 7).unwrap();
    // The port is chosen by the system, tried and released; the agent says if somebody was quicker.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let _agent = Program::start(nbe(program()).args(["agent", "--listen", &listen]), true);
    place.configure(&format!("ws://{listen}/socket/websocket"), "rssi_window_long = 10");
    let mut daemon = place.daemon();
    daemon.expect_each(&["is away", "joined the agent"]);
    let mut watcher = Watcher::join(&listen).await;

    let signed_in = json!({"req": "s1", "band": {"addr": BAND}});
    watcher.command("user.signed_in", signed_in.clone()).await;
    let told = watcher.payloads(&["band.trend", "cmd.result"]).await;
    // The away from before may still come first.
    let [.., (_, near), (_, result)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((&near["after"], &near["before"]), (&json!("near"), &json!("away")), "{near}");
    assert_eq!(near["why"]["rule"], "near.signed_in");
    assert_eq!((&near["adapter"], &near["mean_cdb"]), (&Value::Null, &Value::Null), "{near}");
    assert_eq!((&result["req"], &result["status"], &result["code"]), (&json!("s1"), &json!("ok"), &json!(0)));

    watcher.command("user.signed_in", signed_in).await;
    let told = watcher.payloads(&["band.trend", "cmd.result"]).await;
    let [(_, again)] = told.as_slice() else { panic!("the same is not done twice: {told:?}") };
    for key in ["req", "status", "code", "data"] {
        assert_eq!(again[key], result[key], "{key}");
    }

    watcher.command("user.signed_in", json!({"req": "s2", "band": {"addr": "5c:f3:70:8a:11:03"}})).await;
    let refused = watcher.payloads(&["cmd.result"]).await.remove(0).1;
    assert_eq!((&refused["status"], &refused["code"]), (&json!("error"), &json!(2000)), "{refused}");
    assert!(refused["data"]["message"].as_str().unwrap().contains("has not been heard"), "{refused}");

    // Later than what was just answered, so held for longer than the sign-in alone would.
    watcher.command("user.active", json!({"age_ms": 0})).await;
    let hold = watcher.trend("hold").await;
    assert!(hold["why"]["held_ms"].as_u64().is_some(), "{hold}");
    let away = watcher.trend("away").await;
    let micros = |payload: &Value, key: &str| payload[key].as_u64().unwrap();
    let (near, answered, away_at) = (micros(near, "t"), micros(&refused, "sent"), micros(&away, "t"));
    assert!(away_at >= answered + 10_000_000, "{answered} {away}");
    assert!(away_at < near + 30_000_000, "{near} {away}");
    assert!(away["why"]["rule"].as_str().unwrap().starts_with("away."), "{away}");
    let held_us = away["why"]["held_ms"].as_u64().unwrap() * 1_000;
    assert!((5_000_000..=away_at - near).contains(&held_us), "the level asked for away at once: {away}");
    daemon.expect(" held_ms=");
    assert_eq!(daemon.count("user.active"), 0, "no key is worth a line");
    daemon.stop();
}
