//! What the adaptive detector learns outlives a restart of a real daemon, in a file that anybody may have damaged.
#![cfg(unix)]

#[path = "support/daemon.rs"]
mod daemon;
#[path = "support/machine.rs"]
mod machine;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use self::daemon::{Place, Program, through};
use nbe::simulate::{Scenario, VirtualDongle};
use serde_json::{Value, json};

const DESK: &str = "[[band]]\nid = \"ada\"\naddress = \"5c:f3:70:8a:11:02\"\ndistance_m = 1\nplace_sd_db = 0\n";
const AGENT: &str = "ws://127.0.0.1:1/socket/websocket";
const ADAPTIVE: &str = "detector = \"adaptive\"\nrssi_cutoff_close = -70\nrssi_cutoff_far = -75";

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// As a daemon wrote it that heard the band so many days ago.
fn learnt(band: &str, days_ago: u64) -> Value {
    json!({
        "band": band, "band_type": "public", "dongle": "00:07:80:4b:2c:11",
        "under": {"close_cdb": -7_000, "far_cdb": -7_500, "offset_cdb": 0},
        "learnt": {
            "seat_cdb": -6_300, "seat_spread_cdb": 450, "seat_known_s": 900, "habit_millinats": 800, "interval_ms": 450,
        },
        "day": today() - days_ago,
    })
}

/// A place with a state directory.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir(place.path("state")).unwrap();
    place.configure(AGENT, ADAPTIVE);
    place
}

fn start(place: &Place) -> Program {
    let mut daemon = Program::start(place.command().env("STATE_DIRECTORY", place.path("state")), false);
    daemon.expect("started");
    daemon
}

fn read(place: &Place) -> Value {
    serde_json::from_slice(&fs::read(place.path("state/learnt.json")).unwrap()).unwrap()
}

fn write(place: &Place, text: &str) {
    fs::write(place.path("state/learnt.json"), text).unwrap();
}

#[test]
fn it_is_read_at_the_start_used_and_written_at_the_stop() {
    let place = place();
    let scenario = Scenario::from_toml(DESK, Path::new("test.toml")).unwrap();
    let _dongle = VirtualDongle::spawn(&place.path("dongle"), &scenario, 7).unwrap();
    let (heard, unheard) = (learnt("5c:f3:70:8a:11:02", 3), learnt("5c:f3:70:8a:11:03", 20));
    let all = [&heard, &unheard, &learnt("5c:f3:70:8a:11:04", 40), &json!({"seat_cdb": -1})];
    write(&place, &json!({"version": 1, "learnt": all}).to_string());

    let mut daemon = start(&place);
    daemon.expect("is near");
    daemon.signal(rustix::process::Signal::TERM);
    let (ended, said) = daemon.end();
    assert!(ended.success() && said.contains("learnt before: 2 of 4 records are taken over"), "{said}");
    assert!(!said.contains("5c:f3:70") && !said.contains("00:07:80:4b:2c:11:"), "an address stands in the log: {said}");
    let kept = read(&place);
    let records = kept["learnt"].as_array().unwrap();
    assert_eq!((&kept["version"], records.len()), (&json!(1), 2), "{kept}");
    assert_eq!((&records[0]["band"], &records[0]["dongle"]), (&heard["band"], &heard["dongle"]), "{kept}");
    assert!(records[0]["day"].as_u64().unwrap() >= today() - 1, "heard today, or before midnight: {kept}");
    assert_eq!(records[0]["learnt"]["seat_known_s"].as_u64().unwrap() / 60, 2, "recalled, and worth no more: {kept}");
    assert_eq!(records[1], unheard, "what was not heard is as it was");
    let mode = fs::metadata(place.path("state/learnt.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for this account only");

    let mut daemon = start(&place);
    assert_eq!(daemon.count("learnt before: 2 of 2 records are taken over"), 1);
    daemon.stop();
}

#[test]
fn a_file_of_which_nothing_can_be_made_is_told_once_and_replaced() {
    let place = place();
    let other = json!({"version": 7, "learnt": [learnt("5c:f3:70:8a:11:02", 1)]}).to_string();
    for (text, cause) in
        [("{\"version\":1,", "it is damaged"), (&other, "it is in form 7, and this program knows form 1")]
    {
        write(&place, text);
        let mut daemon = start(&place);
        assert_eq!(daemon.count(&format!("learnt before cannot be read: {cause}")), 1);
        daemon.stop();
        assert_eq!(read(&place), json!({"version": 1, "learnt": []}));
    }
    fs::remove_file(place.path("state/learnt.json")).unwrap();
    start(&place).stop();
    assert!(!place.path("state/learnt.json").exists(), "nothing was learnt");
    let made = Command::new("mkfifo").arg(place.path("state/learnt.json")).status();
    assert!(made.is_ok_and(|made| made.success()));
    let mut daemon = start(&place);
    assert_eq!(daemon.count("learnt before cannot be read: it is no file"), 1);
    daemon.stop();
    assert_eq!(read(&place), json!({"version": 1, "learnt": []}));
}

#[test]
fn classic_neither_reads_nor_writes_it_until_it_is_adaptive() {
    let place = place();
    let text = json!({"version": 1, "learnt": [learnt("5c:f3:70:8a:11:02", 1), 5]}).to_string();
    write(&place, &text);
    place.configure(AGENT, "detector = \"classic\"\nrssi_cutoff_close = -70\nrssi_cutoff_far = -75");
    let mut daemon = start(&place);
    assert_eq!(daemon.count("learnt"), 0);
    daemon.stop();
    assert_eq!(fs::read_to_string(place.path("state/learnt.json")).unwrap(), text);
    let mut daemon = start(&place);
    place.configure(AGENT, ADAPTIVE);
    daemon.expect("learnt before: 1 of 2 records are taken over");
    daemon.stop();
    assert_eq!(read(&place)["learnt"].as_array().unwrap().len(), 1);
}

#[test]
#[cfg(target_os = "linux")]
fn where_it_cannot_be_written_that_is_said_once_with_all_other_state() {
    if !machine::can_unshare() {
        return;
    }
    let place = place();
    write(&place, "damaged");
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && shift && exec \"$@\"";
    let mut outer = Command::new("unshare");
    outer.args(["-rm", "sh", "-c", script, "sh"]).arg(place.path("state"));
    let mut inner = place.command();
    inner.env("STATE_DIRECTORY", place.path("state"));
    let mut daemon = Program::start(&mut through(outer, &inner), false);
    daemon.expect("started");
    daemon.signal(rustix::process::Signal::TERM);
    let (ended, said) = daemon.end();
    assert!(ended.success(), "{said}");
    assert_eq!(said.matches("state is kept in memory only").count(), 1, "{said}");
    assert_eq!(fs::read_to_string(place.path("state/learnt.json")).unwrap(), "damaged");
}
