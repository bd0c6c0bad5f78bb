use serde_json::{Value, json};

use super::*;

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A channel whose first join, of ref 1, was answered like this.
fn opened(status: Option<&str>) -> Channel {
    let mut channel = Channel::new("t".to_owned(), 1);
    channel.handle_opened(at(0));
    if let Some(status) = status {
        feed(&mut channel, at(0), &json!(["1", "1", "t", "phx_reply", {"status": status, "response": {}}]));
    }
    channel
}

/// What a frame meant, in one word or two.
fn feed(channel: &mut Channel, now: Time, frame: &Value) -> String {
    let text = frame.to_string();
    let frame = Frame::parse(&text).unwrap();
    match channel.handle_frame(now, &frame) {
        Received::Joined(_) => "joined".to_owned(),
        Received::JoinRefused(reason) => format!("refused: {reason}"),
        Received::Gone(reason) => format!("gone: {reason}"),
        Received::Reply(reference, answer) => format!("reply {reference} {}", answer.is_ok()),
        Received::Push(event, _) => format!("push {event}"),
        Received::Nothing => "nothing".to_owned(),
        Received::Ignored => "ignored".to_owned(),
        Received::Nonsense => "nonsense".to_owned(),
    }
}

fn actions(channel: &mut Channel) -> Vec<Action> {
    std::iter::from_fn(|| channel.poll_action()).collect()
}

#[test]
fn while_joined() {
    let reply = |status: &str, response: Value| json!({"status": status, "response": response});
    let cases = [
        (json!(["1", "5", "t", "phx_reply", reply("ok", json!({}))]), "reply 5 true"),
        (json!(["1", "5", "t", "phx_reply", reply("error", json!({"reason": "no"}))]), "reply 5 false"),
        (json!(["1", "5", "t", "phx_reply", reply("perhaps", json!(null))]), "reply 5 false"),
        (json!(["1", "5", "t", "phx_reply", {"status": "ok"}]), "reply 5 true"),
        (json!([null, "5", "t", "phx_reply", reply("ok", json!({}))]), "gone: it knows of no join"),
        (json!([null, "5", "t", "phx_reply", reply("error", json!({"reason": "no"}))]), "gone: no"),
        (
            json!(["1", "5", "t", "phx_reply", reply("error", json!({"reason": "unmatched topic"}))]),
            "gone: unmatched topic",
        ),
        (
            json!([null, null, "t", "phx_reply", reply("error", json!({"reason": "unmatched topic"}))]),
            "gone: unmatched topic",
        ),
        (json!(["1", null, "t", "phx_reply", reply("ok", json!({}))]), "nothing"),
        (json!(["1", null, "t", "phx_reply", reply("error", json!({"reason": "no"}))]), "nothing"),
        (json!(["1", "five", "t", "phx_reply", reply("ok", json!({}))]), "ignored"),
        (json!(["1", "5", "t", "phx_reply", {}]), "nonsense"),
        (json!(["1", "5", "t", "phx_reply", []]), "nonsense"),
        (json!(["0", "5", "t", "phx_reply", reply("ok", json!({}))]), "ignored"),
        (json!(["1", "5", "u", "phx_reply", reply("ok", json!({}))]), "ignored"),
        (json!(["1", null, "t", "x", {}]), "push x"),
        (json!([null, null, "t", "x", {}]), "push x"),
        (json!(["2", null, "t", "x", {}]), "ignored"),
        (json!([null, null, "u", "x", {}]), "ignored"),
        (json!(["1", "1", "t", "phx_error", {"reason": "channel_crash"}]), "gone: the channel crashed"),
        (json!(["1", "1", "t", "phx_close", {}]), "gone: the channel was closed"),
        (json!([null, null, "t", "phx_close", {}]), "gone: the channel was closed"),
        (json!(["0", "0", "t", "phx_close", {}]), "ignored"),
        (json!(["", "0", "t", "phx_error", {}]), "ignored"),
        (json!([null, "9", "phoenix", "phx_reply", reply("ok", json!({}))]), "nothing"),
    ];
    for (frame, expected) in cases {
        let mut channel = opened(Some("ok"));
        assert_eq!(feed(&mut channel, at(1), &frame), expected, "{frame}");
        assert_eq!(channel.joined().is_none(), expected.starts_with("gone"), "{frame}");
        assert!(channel.is_open(), "{frame}");
    }
}

#[test]
fn while_joining() {
    let reply = |status: &str| json!({"status": status, "response": {"reason": "no"}});
    let cases = [
        (json!(["1", "1", "t", "phx_reply", reply("ok")]), "joined"),
        (json!([null, "1", "t", "phx_reply", reply("ok")]), "joined"),
        (json!(["1", "1", "t", "phx_reply", reply("error")]), "refused: no"),
        (json!([null, "1", "t", "phx_reply", reply("error")]), "refused: no"),
        (json!(["1", "2", "t", "phx_reply", reply("ok")]), "ignored"),
        (json!(["1", null, "t", "x", {}]), "ignored"),
        (json!(["1", "1", "t", "phx_error", {}]), "gone: the channel crashed"),
        (json!(["0", "0", "t", "phx_close", {}]), "ignored"),
    ];
    for (frame, expected) in cases {
        let mut channel = opened(None);
        assert_eq!(feed(&mut channel, at(1), &frame), expected, "{frame}");
        assert_eq!(channel.joined().is_some(), expected == "joined", "{frame}");
    }
}

#[test]
fn between_joins_and_without_a_socket_every_frame_is_ignored() {
    let join_reply = json!(["1", "1", "t", "phx_reply", {"status": "ok", "response": {}}]);
    let mut channel = opened(Some("error"));
    assert_eq!(feed(&mut channel, at(1), &join_reply), "ignored");
    let mut channel = Channel::new("t".to_owned(), 1);
    assert_eq!(feed(&mut channel, at(1), &join_reply), "ignored");
}

#[test]
fn a_heartbeat_that_waits_through_a_join_may_be_answered_after_it() {
    let mut channel = opened(Some("ok"));
    assert_eq!(channel.handle_timeout(at(15_000)), None);
    feed(&mut channel, at(15_001), &json!(["1", "1", "t", "phx_error", {}]));
    let rejoin = channel.poll_timeout().unwrap();
    assert!(rejoin < at(17_000));
    assert_eq!(channel.handle_timeout(rejoin), None);
    assert_eq!(channel.poll_timeout(), Some(rejoin + limits::JOIN_REPLY), "only the join's answer is due");
    actions(&mut channel);
    let answered = at(26_000);
    feed(&mut channel, answered, &json!(["3", "3", "t", "phx_reply", {"status": "ok", "response": {}}]));
    assert_eq!(channel.poll_timeout(), Some(answered + limits::HEARTBEAT_REPLY));
    assert_eq!(channel.handle_timeout(answered + limits::HEARTBEAT_REPLY), Some(Overdue::Heartbeat));
    assert_eq!(actions(&mut channel), [Action::Close(NORMAL)]);
}

#[test]
fn what_phoenix_itself_is_told_is_written_like_this() {
    let mut channel = opened(Some("ok"));
    channel.handle_timeout(at(15_000));
    channel.stop();
    let sent = |text: &str| Action::Send(text.to_owned());
    let expected = [
        Action::Connect,
        Action::Join(1),
        sent(r#"[null,"2","phoenix","heartbeat",{}]"#),
        sent(r#"["1","3","t","phx_leave",{}]"#),
        Action::Close(1000),
    ];
    assert_eq!(actions(&mut channel), expected);
    assert_eq!(channel.poll_timeout(), None);
}

#[test]
fn refs_count_from_one_on_every_socket() {
    let mut channel = opened(Some("ok"));
    assert_eq!(channel.joined(), Some((1, at(0))));
    assert_eq!((channel.next_ref(), channel.next_ref()), (2, 3));
    assert!(channel.handle_lost(at(1)));
    assert!(!channel.handle_lost(at(1)), "it is lost once");
    channel.handle_timeout(at(100));
    channel.handle_opened(at(100));
    assert_eq!(actions(&mut channel), [Action::Connect, Action::Join(1), Action::Connect, Action::Join(1)]);
}

#[test]
fn a_refusal_is_read_from_whatever_an_agent_says() {
    let cases = [
        (r#"{"code":"retry"}"#, Some(1_000), "retry"),
        (r#"{"code":"retry","after_ms":250}"#, Some(250), "retry"),
        (r#"{"code":"retry","after_ms":0}"#, Some(10), "retry"),
        (r#"{"code":"retry","after_ms":99999999999}"#, Some(60_000), "retry"),
        (r#"{"code":"retry","after_ms":"soon","reason":"busy"}"#, Some(1_000), "busy"),
        (r#"{"reason":"retry"}"#, None, "retry"),
        (r#"{"reason":{"field":"t"}}"#, None, "status \"error\""),
        ("7", None, "status \"error\""),
    ];
    for (response, retry, reason) in cases {
        let response = RawValue::from_string(response.to_owned()).unwrap();
        let expected = Refusal { retry: retry.map(Duration::from_millis), reason: reason.to_owned() };
        assert_eq!(refusal("error", Some(&response)), expected, "{response}");
    }
}
