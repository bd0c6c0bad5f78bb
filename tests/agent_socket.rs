//! What can happen to the one connection to the agent, over real sockets.

#[path = "support/fake_agent.rs"]
mod fake_agent;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fake_agent::{Endpoint, FakeAgent, band, in_time, resume};
use futures_util::{SinkExt, StreamExt};
use nbe::agent::socket::{Socket, Target};
use nbe::agent::{Note, Phase, SocketInput, limits};
use nbe::event::{AdapterId, Telemetry};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

fn is_joined(endpoint: &Endpoint) -> bool {
    matches!(endpoint.link.status().phase, Phase::Joined { .. })
}

fn nothing_in_flight(endpoint: &Endpoint) -> bool {
    endpoint.link.status().in_flight == 0
}

#[tokio::test]
async fn what_is_no_agent_is_named() {
    async fn error_of(url: &str, script: impl Future<Output = ()>) -> String {
        let mut endpoint = Endpoint::at(url);
        endpoint.meanwhile(script).await;
        endpoint.until("an error", |endpoint| !endpoint.notes.is_empty()).await;
        endpoint.notes[0].to_string()
    }
    let agent = FakeAgent::bind().await;
    let (url, address) = (agent.url(), agent.address());
    let cases = [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "answered HTTP 404: not a Phoenix socket"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "answered HTTP 200: not a Phoenix socket"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "does not answer as a websocket"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "does not answer as a websocket"),
        ("", "closed the connection instead of answering"),
    ];
    for (response, expected) in cases {
        let said = error_of(&url, agent.answer(response)).await;
        assert!(said.contains(expected) && said.contains(&address.to_string()), "{response:?}: {said}");
    }
    let reset = async {
        let tcp = agent.accept_tcp().await;
        tcp.set_zero_linger().unwrap();
    };
    let said = error_of(&url, reset).await;
    assert!(["broke off", "instead of answering", "reset"].iter().any(|word| said.contains(word)), "{said}");
    drop(agent);
    let said = error_of(&url, async {}).await;
    assert_eq!(said, format!("no agent: nothing listens on {address}; trying again"));
}

#[tokio::test]
async fn a_reset_connection_is_made_anew_and_resumed() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.tap();
    endpoint.meanwhile(peer.expect("band.tap")).await;
    peer.socket.get_ref().set_zero_linger().unwrap();
    drop(peer);
    let script = async {
        let (mut peer, _) = agent.accept_join(resume()).await;
        assert_eq!(peer.expect("band.tap").await[4]["re"], 1);
    };
    endpoint.meanwhile(script).await;
}

#[tokio::test]
async fn garbage_after_the_upgrade_ends_the_connection() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, _) = agent.accept_join(resume()).await;
        peer.socket.get_mut().write_all(&[0xff; 64]).await.unwrap();
        agent.accept_join(resume()).await
    };
    endpoint.meanwhile(script).await;
    let said = format!("{:?}", endpoint.notes);
    assert!(said.contains("it does not speak websocket"), "{said}");
}

#[tokio::test]
async fn an_agent_that_does_not_read_costs_telemetry_and_then_the_connection() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    let (band, data) = (band(), [0xa5; 31]);
    let mut sent = 0;
    while endpoint.link.counters().telemetry_dropped == 0 {
        let now = endpoint.now();
        for _ in 0..100 {
            let advert = Telemetry::Advert { at: now, adapter: AdapterId(0), band: &band, rssi: -50, data: &data };
            endpoint.link.handle_telemetry(now, &advert);
        }
        endpoint.meanwhile(tokio::task::yield_now()).await;
        sent += 100;
        assert!(sent < 1_000_000, "a million adverts and no end");
    }
    let Some(Note::Congested { bytes }) = endpoint.notes.last() else { panic!("{:?}", endpoint.notes) };
    assert!((limits::SOCKET_BACKLOG..2 * limits::SOCKET_BACKLOG).contains(bytes), "{bytes} bytes wait");
    // It reads again: a tap comes through behind the adverts that were written.
    endpoint.tap();
    let script = async {
        loop {
            let frame = peer.frame().await;
            if frame[3] == "band.tap" {
                break peer.reply(&frame, "ok", json!({})).await;
            }
        }
    };
    endpoint.meanwhile(script).await;
    endpoint.until("the acknowledgement", nothing_in_flight).await;
    let now = endpoint.now();
    let (sent, advert) = (endpoint.link.counters().telemetry_sent, Telemetry::Rssi { levels: &[] });
    endpoint.link.handle_telemetry(now, &advert);
    assert_eq!(endpoint.link.counters().telemetry_sent, sent + 1, "telemetry flows again");
}

#[tokio::test]
async fn what_is_flushed_needs_no_further_poll() {
    let agent = FakeAgent::bind().await;
    let mut socket = Socket::new(Target::new(&agent.url(), None).unwrap());
    socket.connect();
    let (mut peer, opened) = tokio::join!(agent.accept(), socket.next());
    assert_eq!(opened, SocketInput::Opened);
    socket.send("[1]".to_owned());
    socket.send("[2]".to_owned());
    socket.flush();
    assert_eq!((peer.frame().await, peer.frame().await), (json!([1]), json!([2])));
    socket.close(1000);
    assert_eq!(peer.closed().await, Some(1000));
    socket.send("[3]".to_owned());
    assert!(tokio::time::timeout(Duration::from_millis(50), socket.next()).await.is_err(), "it is idle for good");
}

#[tokio::test]
async fn what_a_peer_said_before_it_went_is_heard_out() {
    let agent = FakeAgent::bind().await;
    let mut socket = Socket::new(Target::new(&agent.url(), None).unwrap());
    socket.connect();
    let (mut peer, _) = tokio::join!(agent.accept(), socket.next());
    peer.send(json!(["last words"])).await;
    let close = CloseFrame { code: 1012.into(), reason: "restart".into() };
    peer.message(Message::Close(Some(close))).await.unwrap();
    drop(peer);
    for _ in 0..3 {
        socket.send("[]".to_owned());
        socket.flush();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(in_time("words", socket.next()).await, SocketInput::Text(r#"["last words"]"#));
    let end = in_time("the end", socket.next()).await;
    assert_eq!(end, SocketInput::Closed { code: Some(1012), reason: "restart" });
}

#[tokio::test]
async fn a_stop_leaves_and_closes() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.link.stop(endpoint.now(), "SIGTERM");
    let script = async {
        let goodbye: Value = peer.expect("endpoint.state").await;
        assert_eq!((&goodbye[4]["state"], &goodbye[4]["reason"]), (&json!("stopping"), &json!("SIGTERM")));
        peer.reply(&goodbye, "ok", json!({})).await;
        peer.expect("phx_leave").await;
        assert_eq!(peer.closed().await, Some(1000));
    };
    in_time("the end", endpoint.meanwhile(script)).await;
    assert_eq!(endpoint.link.status().phase, Phase::Stopped);
}

fn tls(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls").join(file)
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(tls("agent.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls("agent.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn wss_is_joined_where_its_certificate_can_be_trusted() {
    let agent = FakeAgent::bind().await;
    let url = agent.url().replace("ws://", "wss://");
    let target = Target::new(&url, Some(tls("ca.pem"))).unwrap();
    let mut endpoint = Endpoint::new(target.pinned(Some(public_key())));
    let script = async {
        let stream = acceptor().accept(agent.accept_tcp().await).await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no join") };
        let join: Value = serde_json::from_str(&text).unwrap();
        let reply = json!([join[0], join[1], join[2], "phx_reply", {"status": "ok", "response": resume()}]);
        socket.send(Message::text(reply.to_string())).await.unwrap();
        socket
    };
    let _socket = endpoint.meanwhile(script).await;
    endpoint.until("the join", is_joined).await;
}

/// What `openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum` says of the agent's certificate.
fn public_key() -> [u8; 32] {
    let digits = "ab39508c05a3fbbe684d795a27ecdac3a620daa090adaa7c65f9ac5463166fb5";
    std::array::from_fn(|byte| u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).unwrap())
}

#[tokio::test]
async fn wss_is_dropped_before_the_join_where_the_key_is_another_than_the_pinned_one() {
    let agent = FakeAgent::bind().await;
    let url = agent.url().replace("ws://", "wss://");
    let target = Target::new(&url, Some(tls("ca.pem"))).unwrap();
    let mut endpoint = Endpoint::new(target.pinned(Some([0; 32])));
    let script = async {
        let stream = acceptor().accept(agent.accept_tcp().await).await;
        // A trusted certificate, so TLS may stand for a moment; nothing must be said on it.
        if let Ok(stream) = stream {
            assert!(tokio_tungstenite::accept_async(stream).await.is_err(), "it went on to the upgrade");
        }
    };
    endpoint.meanwhile(script).await;
    endpoint.until("an error", |endpoint| !endpoint.notes.is_empty()).await;
    assert!(endpoint.notes[0].to_string().contains("another public key"), "{}", endpoint.notes[0]);
}

#[tokio::test]
async fn wss_is_refused_where_its_certificate_cannot_be_trusted() {
    let agent = FakeAgent::bind().await;
    let url = agent.url().replace("ws://", "wss://");
    let missing = tls("no-such-file.pem");
    let cases = [
        (Some(tls("agent.pem")), "invalid peer certificate"),
        (None, "ca_file"),
        (Some(tls("README.md")), "holds no certificate"),
        (Some(missing.clone()), missing.to_str().unwrap()),
    ];
    for (ca_file, expected) in cases {
        let mut endpoint = Endpoint::new(Target::new(&url, ca_file.clone()).unwrap());
        let script = async {
            // Whoever cannot be trusted finds the connection ended.
            assert!(acceptor().accept(agent.accept_tcp().await).await.is_err(), "{ca_file:?}");
        };
        endpoint.meanwhile(script).await;
        endpoint.until("an error", |endpoint| !endpoint.notes.is_empty()).await;
        let said = endpoint.notes[0].to_string();
        assert!(said.contains(expected), "{ca_file:?}: {said}");
    }
}

#[tokio::test]
async fn wss_to_an_agent_without_tls_is_named_as_that() {
    let agent = FakeAgent::bind().await;
    let url = agent.url().replace("ws://", "wss://");
    for (response, expected) in [("HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"), ("", "broke off")] {
        let mut endpoint = Endpoint::new(Target::new(&url, Some(tls("ca.pem"))).unwrap());
        endpoint.meanwhile(agent.answer(response)).await;
        endpoint.until("an error", |endpoint| !endpoint.notes.is_empty()).await;
        let said = endpoint.notes[0].to_string();
        assert!(said.contains(expected) && !said.contains("trust"), "{said}");
    }
}
