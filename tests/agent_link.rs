//! What a Phoenix client must stand: the fifteen points, one test each, over a real socket where the wire matters and
//! with stepped time where patience does. And what the agent of this project makes of it.

#[path = "support/fake_agent.rs"]
mod fake_agent;

use std::time::Duration;

use fake_agent::{Endpoint, FakeAgent, Stepped, resume, tap};
use futures_util::SinkExt;
use nbe::agent::{Note, Output, Phase, SocketInput, limits};
use nbe::event::{Conclusion, Decision, Fact, Side, Trend};
use nbe::reference::{Agent, Connection, Now};
use nbe::time::Time;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

fn is_joined(endpoint: &Endpoint) -> bool {
    matches!(endpoint.link.status().phase, Phase::Joined { .. })
}

fn nothing_in_flight(endpoint: &Endpoint) -> bool {
    endpoint.link.status().in_flight == 0
}

#[tokio::test]
async fn point_01_vsn_is_not_doubled() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&format!("{}?vsn=2.0.0&room=5", agent.url()));
    let peer = endpoint.meanwhile(agent.accept()).await;
    assert_eq!(peer.uri, "/socket/websocket?room=5&vsn=2.0.0");
    assert!(!peer.origin, "a client that is no browser has no origin");
}

#[tokio::test]
async fn point_02_the_close_of_an_earlier_join_is_ignored() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, first) = agent.accept_join(resume()).await;
        peer.send(json!([first[0], first[0], first[2], "phx_error", {}])).await;
        let second = peer.join(resume()).await;
        assert_ne!(first[0], second[0]);
        peer.send(json!([first[0], first[0], first[2], "phx_close", {}])).await;
        (peer, second)
    };
    let (mut peer, second) = endpoint.meanwhile(script).await;
    endpoint.until("the close", |endpoint| endpoint.link.counters().frames_ignored == 1).await;
    assert!(is_joined(&endpoint));
    endpoint.tap();
    let tap = endpoint.meanwhile(peer.expect("band.tap")).await;
    assert_eq!(tap[0], second[0], "still on the second join");
}

#[tokio::test]
async fn point_03_unmatched_topic_leads_to_a_new_join() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, first) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.tap();
    let script = async {
        let tap = peer.expect("band.tap").await;
        let gone = json!({"status": "error", "response": {"reason": "unmatched topic"}});
        peer.send(json!([null, tap[1], tap[2], "phx_reply", gone])).await;
        let second = peer.join(resume()).await;
        assert_ne!(first[0], second[0]);
        let again = peer.expect("band.tap").await;
        assert_eq!((&again[4]["seq"], &again[4]["re"]), (&json!(1), &json!(1)), "the fact was kept");
    };
    endpoint.meanwhile(script).await;
}

#[tokio::test]
async fn point_04_a_closed_channel_is_joined_again() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, first) = agent.accept_join(resume()).await;
        peer.send(json!([first[0], first[0], first[2], "phx_close", {}])).await;
        let second = peer.join(resume()).await;
        assert_ne!(first[0], second[0]);
        peer
    };
    let _peer = endpoint.meanwhile(script).await;
    endpoint.until("the join", is_joined).await;
}

#[tokio::test]
async fn point_05_every_close_code_leads_to_a_new_connection() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    for code in [Some(1000), Some(1002), Some(1011), Some(1012), None] {
        let script = async {
            let (peer, join) = agent.accept_join(resume()).await;
            assert_eq!(join[1], "1", "refs begin anew on every socket");
            peer.hang_up(code).await;
        };
        endpoint.meanwhile(script).await;
    }
    let _last = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the last join", is_joined).await;
    let said = format!("{:?}", endpoint.notes);
    for code in ["1000", "1002", "1011", "1012", "without a word"] {
        assert!(said.contains(code), "{code}: {said}");
    }
}

#[tokio::test]
async fn point_06_a_refusal_is_asked_again_slowly() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    endpoint.meanwhile(agent.answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")).await;
    endpoint.until("the refusal", |endpoint| !endpoint.notes.is_empty()).await;
    let [Note::Refused { status: 403, again_in, .. }] = &endpoint.notes[..] else { panic!("{:?}", endpoint.notes) };
    assert!((10..=15).contains(&again_in.as_secs()), "{again_in:?}");

    let mut stepped = Stepped::connected();
    stepped.input(SocketInput::Closed { code: None, reason: "" });
    let mut waits = Vec::new();
    for _ in 0..6 {
        stepped.pass(stepped.link.poll_timeout().unwrap().since(stepped.now));
        assert_eq!(stepped.link.status().phase, Phase::Connecting, "never given up");
        stepped.input(SocketInput::Refused { status: 403, error: "no" });
        waits.push(stepped.link.poll_timeout().unwrap().since(stepped.now).as_secs());
    }
    assert!(waits[..3].is_sorted() && waits.iter().all(|wait| (10..=60).contains(wait)), "{waits:?}");
    assert!(waits[2..].iter().all(|wait| *wait >= 40), "{waits:?}");
}

#[tokio::test]
async fn point_07_a_late_acknowledgement_counts() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.tap();
    let script = async {
        let first = peer.expect("band.tap").await;
        let second = peer.expect("band.tap").await;
        assert_eq!((&second[4]["re"], &second[4]["seq"]), (&json!(1), &first[4]["seq"]));
        peer.reply(&first, "ok", json!({})).await;
    };
    endpoint.meanwhile(script).await;
    endpoint.until("the acknowledgement", nothing_in_flight).await;
    assert!(is_joined(&endpoint));
    assert_eq!(endpoint.link.counters().ack_timeouts, 1);
}

#[tokio::test]
async fn point_08_a_frame_of_another_join_is_dropped() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, join) = agent.accept_join(resume()).await;
        peer.send(json!(["99", null, join[2], "snapshot.get", {"req": "stale"}])).await;
        peer.send(json!([join[0], null, join[2], "snapshot.get", {"req": "current"}])).await;
        peer.expect("snapshot").await;
        assert_eq!(peer.expect("cmd.result").await[4]["req"], "current");
    };
    endpoint.meanwhile(script).await;
    assert_eq!(endpoint.link.counters().frames_ignored, 1);
}

#[tokio::test]
async fn point_09_a_broadcast_without_join_ref_is_taken() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, join) = agent.accept_join(resume()).await;
        peer.send(json!([null, null, join[2], "roster.set", {"req": "r", "rev": 1, "bands": []}])).await;
        assert_eq!(peer.expect("roster.ack").await[4]["accepted"], true);
        assert_eq!(peer.expect("cmd.result").await[4]["status"], "ok");
    };
    endpoint.meanwhile(script).await;
    assert_eq!(endpoint.commands.len(), 1);
}

#[test]
fn point_10_a_missing_heartbeat_reply_drops_the_link() {
    let mut stepped = Stepped::connected();
    stepped.send(json!(["1", "1", "endpoint:e1", "phx_reply", {"status": "ok", "response": resume()}]));
    stepped.pass(limits::HEARTBEAT_EVERY);
    assert_eq!(stepped.count("heartbeat"), 1);
    stepped.pass(limits::HEARTBEAT_REPLY - Duration::from_millis(1));
    assert!(!stepped.others.contains(&Output::Close { code: 1000 }));
    stepped.pass(Duration::from_millis(1));
    assert!(stepped.others.contains(&Output::Close { code: 1000 }));
    stepped.pass(Duration::from_millis(15));
    assert_eq!(stepped.others.last(), Some(&Output::Connect));
}

#[test]
fn point_11_a_slow_join_holds_heartbeats_back() {
    let mut stepped = Stepped::connected();
    let joined = json!(["1", "1", "endpoint:e1", "phx_reply", {"status": "ok", "response": resume()}]);
    stepped.pass(Duration::from_secs(9));
    stepped.send(joined);
    // A crash just before the second heartbeat is due, and a join so slow that its reply could not be in time.
    stepped.pass(Duration::from_secs(6));
    assert_eq!(stepped.count("heartbeat"), 1);
    stepped.send(json!(["1", "1", "endpoint:e1", "phx_error", {}]));
    stepped.pass(Duration::from_millis(1_500));
    assert_eq!(stepped.count("phx_join"), 2);
    stepped.pass(Duration::from_millis(8_400));
    let join = stepped.frames.iter().rfind(|frame| frame[3] == "phx_join").unwrap().clone();
    stepped.send(json!([join[0], join[1], "endpoint:e1", "phx_reply", {"status": "ok", "response": resume()}]));
    stepped.pass(limits::HEARTBEAT_REPLY - Duration::from_millis(200));
    assert!(!stepped.others.contains(&Output::Close { code: 1000 }), "the wait for the reply begins after the join");
    assert_eq!(stepped.count("heartbeat"), 1);
    stepped.pass(Duration::from_millis(200));
    assert!(stepped.others.contains(&Output::Close { code: 1000 }));
}

#[tokio::test]
async fn point_12_binary_frames_are_decoded_or_ignored() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.tap();
    let script = async {
        let tap = peer.expect("band.tap").await;
        let reference = tap[1].as_str().unwrap().as_bytes();
        // Kind 0, a push: lengths of join_ref, topic, event; then those; then data.
        peer.message(Message::binary(&b"\x00\x01\x0b\x0a1endpoint:e1roster.set\x00\xff"[..])).await.unwrap();
        peer.message(Message::binary(&b"\x07nonsense"[..])).await.unwrap();
        peer.message(Message::binary(&b""[..])).await.unwrap();
        // Kind 1, a reply: lengths of join_ref, ref, topic, status; then those; then data.
        let mut reply = vec![1, 1, u8::try_from(reference.len()).unwrap(), 11, 2, b'1'];
        reply.extend_from_slice(reference);
        reply.extend_from_slice(b"endpoint:e1ok\x00\x01");
        peer.message(Message::binary(reply)).await.unwrap();
    };
    endpoint.meanwhile(script).await;
    endpoint.until("the acknowledgement", nothing_in_flight).await;
    assert_eq!((endpoint.link.counters().frames_ignored, endpoint.link.counters().facts_acked), (3, 1));
    assert!(is_joined(&endpoint));
}

#[tokio::test]
async fn point_13_an_unknown_event_is_ignored() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, join) = agent.accept_join(resume()).await;
        peer.send(json!([join[0], null, join[2], "lunch.ready", {"req": "r", "soup": [1, 2]}])).await;
        peer.send(json!([null, null, "another:topic", "roster.set", {"rev": 1, "bands": []}])).await;
        peer.send(json!([join[0], null, join[2], "snapshot.get", {}, "and", "more"])).await;
        peer.expect("snapshot").await;
    };
    endpoint.meanwhile(script).await;
    assert_eq!(endpoint.link.counters().frames_ignored, 2);
}

#[tokio::test]
async fn point_14_a_reply_with_an_unknown_status_gives_the_fact_up() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let (mut peer, _) = endpoint.meanwhile(agent.accept_join(resume())).await;
    endpoint.until("the join", is_joined).await;
    endpoint.tap();
    let script = async {
        let tap = peer.expect("band.tap").await;
        peer.reply(&tap, "perhaps", json!({})).await;
        let dropped = peer.expect("fact.dropped").await;
        assert_eq!((&dropped[4]["seq"], &dropped[4]["kind"]), (&tap[4]["seq"], &json!("band.tap")));
        assert_eq!(dropped[4]["reason"], "status \"perhaps\"");
        peer.reply(&dropped, "ok", json!({})).await;
    };
    endpoint.meanwhile(script).await;
    endpoint.until("the acknowledgement", nothing_in_flight).await;
    assert!(is_joined(&endpoint));
}

#[tokio::test]
async fn point_15_long_and_fragmented_messages_are_bounded() {
    let agent = FakeAgent::bind().await;
    let mut endpoint = Endpoint::at(&agent.url());
    let script = async {
        let (mut peer, join) = agent.accept_join(resume()).await;
        let text = json!([join[0], null, join[2], "snapshot.get", {"req": "é"}]).to_string();
        let (head, tail) = text.as_bytes().split_at(text.find('é').unwrap() + 1);
        let fragment =
            |bytes: &[u8], data, last| Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(data), last));
        peer.message(fragment(head, Data::Text, false)).await.unwrap();
        peer.message(fragment(tail, Data::Continue, true)).await.unwrap();
        peer.expect("snapshot").await;
        assert_eq!(peer.expect("cmd.result").await[4]["req"], "é");
        // The endpoint hangs up before all of it is written.
        let huge = Message::text("x".repeat(20 << 20));
        let _ = tokio::time::timeout(Duration::from_secs(5), peer.socket.send(huge)).await;
        agent.accept_join(resume()).await
    };
    endpoint.meanwhile(script).await;
    let said = format!("{:?}", endpoint.notes);
    assert!(said.contains("20971520 bytes or more; 262144 are the most"), "{said}");
}

#[test]
fn a_near_that_waited_and_was_restated_opens_no_lock() {
    let trend = |at, before, after| {
        let Fact::Band(decision) = tap(at) else { unreachable!() };
        let conclusion = Conclusion::Trend { before, after, mean_cdb: None, slope_cdb: None, samples: 1 };
        Fact::Band(Decision { conclusion, ..decision })
    };
    let mut stepped = Stepped::connected();
    stepped.link.handle_fact(stepped.now, trend(stepped.now, Side::Unknown, Trend::Near));
    stepped.now = Time::from_secs(9);
    stepped.link.handle_fact(stepped.now, trend(stepped.now, Side::Near, Trend::Hold));
    stepped.send(json!(["1", "1", "endpoint:e1", "phx_reply", {"status": "ok", "response": resume()}]));

    let (now, connection) = (Now { at: Time::from_secs(500), unix_ms: 0 }, Connection(1));
    let mut agent = Agent::new(now, None);
    agent.handle_open(now, connection);
    for frame in &stepped.frames {
        agent.handle_text(now, connection, &frame.to_string());
    }
    let held = agent.poll_received().unwrap();
    assert_eq!((&held.payload["before"], &held.payload["after"]), (&json!("unknown"), &json!("hold")));
    assert_eq!(held.verdict, None);
}
