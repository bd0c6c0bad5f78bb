//! The command line as a person meets it: what is printed, where, and the exit code.

use std::fs;
#[cfg(unix)]
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn nbe(words: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.args(words).env_remove("NBE_CONFIG").env_remove("RSSI_TAP_THRESHOLD");
    // What an installed daemon keeps is none of ours.
    command.env("STATE_DIRECTORY", "/nonexistent");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input may be gone already.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Words, input, exit code, what standard output holds, what standard error holds.
type Case<'a> = (&'a [&'a str], &'a [u8], i32, &'a str, &'a str);

#[test]
fn mistakes_say_what_failed_why_and_what_to_do() {
    let cases: [Case<'_>; 13] = [
        (&[], b"", 2, "", "Usage: nbe"),
        (&["fly"], b"", 2, "", "unrecognized subcommand 'fly'"),
        (&["agent", "--listen", "9121"], b"", 2, "", "a port needs its address: 127.0.0.1:9121, or 0.0.0.0:9121"),
        (&["agent", "--listen", "127.0.0.1"], b"", 2, "", "an address needs a port: 127.0.0.1:9120"),
        (&["decode", "/nonexistent"], b"", 1, "", "error: cannot read /nonexistent\n  because: "),
        (&["replay", "-"], b"", 2, "", "a stream of raw bytes holds no times\n  try: --rate N"),
        (&["replay", "-"], b"# only a header\n", 1, "", "the file has no readings"),
        (&["replay", "--rate", "0", "-"], b"\x80", 2, "", "0 is not in 1..=1000000"),
        (
            &["replay", "--rssi-offset", "90", "-"],
            b"0,-50\n",
            78,
            "",
            "--rssi-offset: error: adapter.rssi_offset_db must be -40.0 to 40.0",
        ),
        (
            &["replay", "--config", "/nonexistent.toml", "-"],
            b"0,-50\n",
            78,
            "",
            "there is no such file, and the command line asks for it",
        ),
        (
            &["replay", "--json", "-"],
            b"0,-50\nx,-50\n1,-50\n",
            1,
            "band.presence",
            "line 2: t_s is not a number: \"x\"; left out",
        ),
        (&["decode", "--hex", "-"], b"80 0c\nzz\n", 1, "cut 2 bytes", "line 2: \"zz\" is not hex"),
        (&["check", "/nonexistent.toml"], b"", 1, "there is no such file", ""),
    ];
    for (words, input, code, stdout, stderr) in cases {
        let done = nbe(words, input);
        let (out, err) = (text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "nbe {words:?}\n{out}\n{err}");
        assert!(out.contains(stdout), "nbe {words:?}: standard output is\n{out}");
        assert!(err.contains(stderr), "nbe {words:?}: standard error is\n{err}");
    }
}

#[test]
fn text_that_is_no_capture_is_told_briefly() {
    let prose = "Lorem ipsum dolor sit amet – consectetur.\n".repeat(40);
    let decoded = nbe(&["decode", "-"], prose.as_bytes());
    let (out, err) = (text(&decoded.stdout), text(&decoded.stderr));
    assert_eq!(out, format!("discarded {} bytes: {}…\n", prose.len(), hex(&prose.as_bytes()[..32])));
    assert_eq!(err, "-: this is text, not bytes of a dongle\n  try: --hex, if it holds hex\n");
    // A short one is told whole, and bytes are no text.
    assert_eq!(text(&nbe(&["decode", "-"], b"\x01\x02").stdout), "discarded 2 bytes: 0102\n");
    assert!(nbe(&["decode", "-"], b"\x01\x02").stderr.is_empty());
    let json: serde_json::Value =
        serde_json::from_slice(&nbe(&["decode", "--json", "-"], prose.as_bytes()).stdout).unwrap();
    assert_eq!(json["data"], hex(prose.as_bytes()), "a script gets every byte");

    let decoded = nbe(&["decode", "--hex", "-"], prose.as_bytes());
    let err = text(&decoded.stderr);
    assert_eq!(decoded.status.code(), Some(1));
    assert_eq!(err.lines().count(), 6, "{err}");
    assert!(err.ends_with("-: 40 lines in all are not hex\n"), "{err}");

    let replayed = nbe(&["replay", "-"], b"# a capture\n< 80 0c 00 00\n");
    let err = text(&replayed.stderr);
    assert!(err.contains("the file has no readings"), "{err}");
    assert!(err.contains("because: line 2: t_s is not a number: \"< 80 0c 00 00\""), "{err}");
    assert!(err.contains("try: the file looks like lines of hex: `nbe decode --hex` reads them"), "{err}");
    let err = text(&nbe(&["replay", "-"], prose.as_bytes()).stderr);
    assert!(err.contains("because: line 1: ") && !err.contains("hex"), "{err}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_replay_counts_what_it_could_not_take_as_it_is() {
    let readings = b"0,-50\n1,5\n2,127\n1.5,-50\n1.9,-50\n3,-50\n";
    let done = nbe(&["replay", "--json", "-"], readings);
    assert_eq!(done.status.code(), Some(0));
    let err = text(&done.stderr);
    assert_eq!(
        err,
        "-: readings that are no level, and were passed over: 2 (below 0 and above -127 is one)\n\
         -: readings whose time goes back, and which were taken as heard at the latest: 2\n"
    );
    assert!(nbe(&["replay", "--json", "-"], b"0,-50\n0,-50\n").stderr.is_empty());
    let counted = text(&nbe(&["replay", "--count", "-"], readings).stdout);
    assert_eq!(counted, "readings=6 taps=0 trends=1 presences=1\n", "a list has no frames and no bytes");
}

#[test]
fn an_offset_is_taken_with_and_without_an_equals_sign() {
    let readings = b"t_s,rssi_dbm\n0,-66\n0.1,-66\n0.2,-66\n0.3,-66\n";
    let replay = |offset: &[&str]| {
        let words = [&["replay", "--json"], offset, &["-"]].concat();
        text(&nbe(&words, readings).stdout)
    };
    let near = "\"after\":\"near\"";
    assert!(replay(&[]).contains(near));
    for offset in [&["--rssi-offset", "-3.5"][..], &["--rssi-offset=-3.5"], &["--rssi-offset", "-3,5"]] {
        let said = replay(offset);
        let is_number = !offset.last().unwrap().contains(',');
        assert_eq!(said.contains("\"mean_cdb\":-6950"), is_number, "{offset:?}: {said}");
    }
}

#[test]
fn what_a_script_reads_is_json_and_nothing_else() {
    let hex = b"< 80 0b 06 00 c4 04 02 11 8a 70 f3 5c 00 ff 00\n> 00 00 06 04\n55\n";
    let said = text(&nbe(&["decode", "--hex", "--json", "-"], hex).stdout);
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["name"], "gap_scan_response");
    assert_eq!(lines[0]["fields"]["rssi"], -60);
    assert_eq!(lines[0]["fields"]["sender"], "5c:f3:70:8a:11:02");
    assert_eq!((&lines[1]["kind"], &lines[1]["name"]), (&"cmd".into(), &"gap_end_procedure".into()));
    assert_eq!(lines[2]["kind"], "discarded");

    let check: serde_json::Value = serde_json::from_slice(&nbe(&["check", "--json"], b"").stdout).unwrap();
    assert!(check["ok"].is_boolean() && check["values"].is_array());
    let ports: serde_json::Value = serde_json::from_slice(&nbe(&["ports", "--json"], b"").stdout).unwrap();
    assert!(ports.is_array());
}

#[test]
fn counting_reads_hex_and_bytes_alike() {
    let bytes = b"\x80\x0b\x06\x00\xc4\x04\x02\x11\x8a\x70\xf3\x5c\x00\xff\x00\x55\x00\x02";
    let hex =
        b"80 0b 06 00 c4 04 02 11 8a 70 f3 5c 00 ff 00 # a report\n> 00 00 06 04 # not from the dongle\n55 00 02\n";
    let expected = "frames=1 devices=1 rssi_sum=-60 data_bytes=0 discarded_bytes=1 cut_bytes=2\n";
    assert_eq!(text(&nbe(&["decode", "--count", "-"], bytes).stdout), expected);
    assert_eq!(text(&nbe(&["decode", "--count", "--hex", "-"], hex).stdout), expected);
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in ["run", "demo", "check", "ports", "simulate", "agent", "decode", "replay", "evaluate"] {
        let said = text(&nbe(&[command, "--help"], b"").stdout);
        assert!(said.contains("Example") && said.contains(&format!("nbe {command}")), "nbe {command} --help:\n{said}");
    }
}

#[test]
fn help_says_where_the_configuration_comes_from() {
    for (command, names) in [("run", &["NBE_CONFIG", "STATE_DIRECTORY"][..]), ("check", &["NBE_CONFIG"])] {
        let said = text(&nbe(&[command, "--help"], b"").stdout);
        for name in names.iter().chain(&config::find::PLACES) {
            assert!(said.contains(name), "{name} is not in nbe {command} --help:\n{said}");
        }
    }
}

#[test]
fn a_refused_start_names_the_cure_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    fs::write(&file, "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\nrssi_window_tap = 0\n").unwrap();
    let path = file.to_str().unwrap();
    let check = format!("try: mend the file; `nbe check {path}` tells when it is\n");
    let both = format!("try: mend the file; `nbe check {path}` tells when it is; correct the flag --agent-url\n");
    let cases: [(&[&str], &str); 3] = [
        (&["run", "--config", path], &check),
        (&["run", "--agent-url", "http://x"], "try: correct the flag --agent-url\n"),
        (&["run", "--config", path, "--agent-url", "http://x"], &both),
    ];
    for (words, cure) in cases {
        let done = nbe(words, b"");
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(78), "{words:?}: {said}");
        assert!(said.ends_with(cure), "{words:?}: {said}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.arg("run").env("RSSI_WINDOW_TAP", "0").env("STATE_DIRECTORY", "/nonexistent").env_remove("NBE_CONFIG");
    let done = command.output().unwrap();
    assert!(text(&done.stderr).ends_with("try: correct the variable RSSI_WINDOW_TAP\n"), "{}", text(&done.stderr));
}

#[cfg(unix)]
#[test]
fn a_directory_is_no_capture() {
    let said = nbe(&["decode", "/"], b"");
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stderr).contains("because: is a directory"), "{}", text(&said.stderr));
}

#[cfg(unix)]
#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("much.csv");
    let readings: String = (0..200_000).map(|i| format!("{},{}\n", i as f64 / 10.0, -50 - (i / 100) % 45)).collect();
    fs::write(&file, readings).unwrap();
    let shell = format!("'{}' replay --json '{}' | head -n 1", env!("CARGO_BIN_EXE_nbe"), file.display());
    let done = Command::new("bash").args(["-c", &format!("set -o pipefail; {shell}")]).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(done.stderr.is_empty(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout).lines().count(), 1);
}

/// Makes a file that its owner alone can read.
#[cfg(unix)]
fn private_file(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

#[cfg(unix)]
#[test]
fn files_that_nbe_toml_names_are_checked_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    private_file(&path("good.token"), "s3cret\n");
    private_file(&path("empty.token"), " \n");
    private_file(&path("open.token"), "s3cret\n");
    fs::set_permissions(path("open.token"), fs::Permissions::from_mode(0o644)).unwrap();
    private_file(&path("notes.pem"), "no certificate\n");
    let ca = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls/ca.pem");
    private_file(&path("good.pem"), &fs::read_to_string(ca).unwrap());
    // (token_file, ca_file, what is said: the place, the mistake, the cure)
    let cases: [(&str, &str, &[&str]); 5] = [
        ("good.token", "good.pem", &["valid, digest"]),
        (
            "none.token",
            "none.pem",
            &[
                "nbe.toml:3:14: error: cannot read the token file /none.token: No such file",
                "help: put the file there, or correct agent.token_file",
                "nbe.toml:4:11: error: cannot read ca_file /none.pem: ",
                "help: put the file there, or correct agent.ca_file",
                "nbe.toml: 2 errors",
            ],
        ),
        (
            "open.token",
            "notes.pem",
            &[
                "the token file /open.token can be read by others (mode 644)",
                "  token_file = \"/open.token\"\n               ^^^^^",
                "help: chmod 600 /open.token",
                "ca_file /notes.pem holds no certificate",
            ],
        ),
        ("empty.token", "good.pem", &["the token file /empty.token holds no token", "nbe.toml: 1 error"]),
        (".", "good.pem", &["cannot read the token file /.: it is not a file"]),
    ];
    for (token, ca, expected) in cases {
        let toml = format!(
            "agent_url = \"wss://localhost/socket/websocket\"\n[agent]\ntoken_file = {:?}\nca_file = {:?}\n",
            path(token),
            path(ca)
        );
        private_file(&path("nbe.toml"), &toml);
        let file = path("nbe.toml");
        let done = nbe(&["check", file.to_str().unwrap()], b"");
        let shown = text_below(&done.stdout, folder.path());
        assert_eq!(done.status.success(), token == "good.token", "{shown}");
        for piece in expected {
            assert!(shown.contains(piece), "{token}, {ca}: {piece} is not in\n{shown}");
        }
        assert!(!shown.contains("s3cret"), "{shown}");
        if !done.status.success() {
            let started = nbe(&["run", "--config", file.to_str().unwrap()], b"");
            assert_eq!(started.status.code(), Some(78), "{token}: {}", text(&started.stderr));
        }
    }
}

#[cfg(unix)]
#[test]
fn a_credential_of_the_service_manager_may_show_a_group() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (file, credential) = (folder.path().join("nbe.toml"), folder.path().join("agent-token"));
    private_file(&file, "agent_url = \"wss://localhost/socket/websocket\"\n");
    private_file(&credential, "s3cret\n");
    // An access list for the service's account makes the mode look like this.
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o440)).unwrap();
    let check = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
        command.arg("check").arg(&file).env("CREDENTIALS_DIRECTORY", folder.path()).output().unwrap()
    };
    assert!(check().status.success(), "{}", text(&check().stdout));
    fs::remove_file(&credential).unwrap();
    private_file(&credential, "");
    let said = text(&check().stdout);
    assert!(said.contains("agent-token holds no token") && said.ends_with("nbe.toml: 1 error\n"), "{said}");
}

/// What was printed, with the folder's name left out.
#[cfg(unix)]
fn text_below(bytes: &[u8], folder: &std::path::Path) -> String {
    text(bytes).replace(&format!("{}/", folder.display()), "/")
}
