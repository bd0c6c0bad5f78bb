//! What the agent asks, and what it is answered.

use super::*;

#[test]
fn a_roster_is_taken_answered_and_handed_on() {
    let mut bench = Bench::joined(&resume(0));
    let bands = json!([{"id": "ada", "addr": "5c:f3:70:8a:11:02"}, {"id": "ben", "irk": "00"}]);
    bench.push("roster.set", &json!({"req": "r1", "rev": 5, "bands": bands}));
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["accepted"], &ack[4]["have"], &ack[4]["unknown"]), (&json!(true), &json!(5), &json!(["ben"])));
    assert_eq!(bench.frame("cmd.result")[4]["status"], "ok");
    let Some(Output::Command(Command::Roster(roster))) = bench.outputs.pop() else { panic!("{:?}", bench.outputs) };
    assert_eq!((roster.rev, roster.entries.len()), (5, 2));

    bench.push("roster.patch", &json!({"req": "r2", "rev": 7, "base_rev": 6, "bands": []}));
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["rev"], &ack[4]["accepted"], &ack[4]["have"]), (&json!(7), &json!(false), &json!(5)));
    let result = bench.frame("cmd.result");
    assert_eq!((&result[4]["code"], &result[4]["req"]), (&json!(2000), &json!("r2")));
    assert!(bench.outputs.is_empty());

    bench.socket(SocketInput::Closed { code: None, reason: "" });
    let params = bench.connect(&json!({"resume": {"boot": "boot", "ack": 4}, "roster_rev": 6}));
    assert_eq!(params["roster_rev"], 5);
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["rev"], &ack[4]["accepted"], &ack[4]["have"]), (&json!(6), &json!(false), &json!(5)));
}

#[test]
fn a_roster_that_names_many_unknown_bands_is_answered_in_one_frame() {
    let mut bench =
        Bench::joined(&json!({"resume": {"boot": "boot", "ack": 0}, "limits": {"frame": limits::FRAME_MIN}}));
    let ids = [|n| format!("0f8fad5b-d9cb-469f-a165-70867728{n:04}"), |n| format!("{n:04}{}", "\"".repeat(124))];
    for (rev, id) in (1..).zip(ids) {
        let bands: Vec<_> = (0..limits::ROSTER).map(|n| json!({"id": id(n)})).collect();
        bench.push("roster.set", &json!({"rev": rev, "bands": bands}));
        let ack = bench.frame("roster.ack");
        let length = ack.to_string().len();
        assert!((limits::FRAME_MIN - 800..=limits::FRAME_MIN).contains(&length), "{length} bytes");
        assert_eq!((&ack[4]["accepted"], &ack[4]["unknown"][0]), (&json!(true), &json!(id(0))));
    }
}

#[test]
fn a_command_said_twice_is_carried_out_once() {
    let mut bench = Bench::joined(&resume(0));
    let reset = json!({"req": "r1", "verb": "adapter.reset"});
    bench.push("cmd", &reset);
    bench.push("cmd", &reset);
    let command = Command::AdapterReset { req: "r1".into(), deadline: limits::DEADLINE };
    assert_eq!(bench.outputs, [Output::Command(command)]);
    assert_eq!(bench.events(), [], "the result will come");
    bench.fact(Fact::CommandResult { at: bench.now, req: "r1".into(), outcome: Ok(()) });
    assert_eq!(bench.frame("cmd.result")[4]["seq"], 1);
    bench.push("cmd", &reset);
    assert_eq!(bench.frame("cmd.result")[4]["seq"], 2);
    assert_eq!(bench.outputs.len(), 1);
}

#[test]
fn a_sign_in_is_handed_on_once_and_answered_as_often_as_it_is_said() {
    let mut bench = Bench::joined(&resume(0));
    let signed_in = json!({"req": "s1", "band": {"addr": "5c:f3:70:8a:11:02"}});
    bench.push("user.signed_in", &signed_in);
    let command = Command::UserSignedIn { req: "s1".into(), band: band(2).address };
    assert_eq!(bench.outputs, [Output::Command(command)]);
    let outcome = Err(CommandError::bad_request("the roster does not list this band: list it first"));
    bench.fact(Fact::CommandResult { at: bench.now, req: "s1".into(), outcome });
    let first = bench.frame("cmd.result");
    bench.push("user.signed_in", &signed_in);
    let second = bench.frame("cmd.result");
    for key in ["req", "status", "code", "data"] {
        assert_eq!(first[4][key], second[4][key], "{key}");
    }
    assert_eq!((&first[4]["code"], bench.outputs.len()), (&json!(2000), 1));
}

#[test]
fn an_activity_is_handed_on_and_answered_by_nothing() {
    let mut bench = Bench::joined(&resume(0));
    bench.push("cmd", &json!({"req": "r1", "verb": "adapter.reset"}));
    bench.fact(Fact::CommandResult { at: bench.now, req: "r1".into(), outcome: Ok(()) });
    bench.frame("cmd.result");
    bench.outputs.clear();
    for n in 0..2 * limits::RESULTS {
        bench.push("user.active", &json!({"req": format!("a{n}"), "age_ms": n}));
    }
    assert_eq!(bench.outputs.len(), 2 * limits::RESULTS);
    let command = Command::UserActive { band: None, age: Duration::from_millis(7) };
    assert_eq!(bench.outputs[7], Output::Command(command));
    assert_eq!(bench.events(), []);
    bench.push("cmd", &json!({"req": "r1", "verb": "adapter.reset"}));
    assert_eq!(bench.frame("cmd.result")[4]["status"], "ok", "the result of a command is not crowded out");

    // What cannot be read is told once, however often it comes.
    bench.notes.clear();
    for n in 0..1_000 {
        bench.push("user.active", &json!({"req": "x", "band": {"id": "nobody"}, "age_ms": n}));
        bench.push("user.active", &json!({"req": "y", "age_ms": -1}));
    }
    assert_eq!((bench.events(), bench.notes.len()), (Vec::new(), 2), "{:?}", bench.notes);
    assert_eq!(bench.link.counters().commands_refused, 2_000);
}

#[test]
fn an_agent_that_begins_anew_may_name_its_commands_anew() {
    let mut bench = Bench::joined(&resume(0));
    let reset = json!({"req": "1", "verb": "adapter.reset"});
    for (reply, done) in [(resume(0), 1), (json!({}), 2)] {
        bench.push("cmd", &reset);
        bench.socket(SocketInput::Closed { code: None, reason: "" });
        bench.connect(&reply);
        bench.push("cmd", &reset);
        let command = |output: &&Output| matches!(output, Output::Command(_));
        assert_eq!(bench.outputs.iter().filter(command).count(), done);
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let mut bench = Bench::joined(&resume(0));
    bench.push("cmd", &json!({"req": "r1", "verb": "gatt.connect"}));
    let result = bench.frame("cmd.result");
    assert_eq!((&result[4]["status"], &result[4]["code"]), (&json!("error"), &json!(2000)));
    assert!(result[4]["data"]["message"].as_str().unwrap().contains("gatt.connect"));
    bench.push("user.signed_in", &json!({"band": {"addr": "5c:f3:70:8a:11:02"}}));
    bench.push("user.signed_in", &json!({"req": 7, "band": {"addr": "5c:f3:70:8a:11:02"}}));
    assert_eq!((bench.events(), bench.outputs.len()), (Vec::new(), 0), "nobody to answer to");
    assert_eq!(bench.link.counters().commands_refused, 3);
    assert_eq!(bench.notes.len(), 3, "joined, and each mistake once: {:?}", bench.notes);
}

#[test]
fn levels_are_asked_for_within_the_agreed_rate() {
    let mut bench = Bench::joined(&json!({"resume": {"boot": "boot", "ack": 0}, "limits": {"rssi_hz": 3}}));
    bench.push("telemetry.set", &json!({"req": "r", "rssi_hz": 50, "for_ms": 1_000}));
    let command = Command::Telemetry { req: "r".into(), rssi_hz: 3, bands: None, lasting: SECOND };
    assert_eq!(bench.outputs, [Output::Command(command)]);
}

#[test]
fn a_snapshot_is_there_for_the_asking() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    bench.push("snapshot.get", &json!({"req": "r"}));
    bench.frame("band.presence");
    let state = bench.frame("snapshot");
    assert_eq!((&state[4]["seq"], &state[4]["as_of"]), (&json!(2), &json!(1)));
    assert_eq!(bench.events(), events(&[("cmd.result", 3)]));
    bench.link.handle_snapshot(bench.now, snapshot(bench.now, 3));
    bench.pass(Duration::ZERO);
    assert_eq!(bench.events(), [], "nobody asked");
}
