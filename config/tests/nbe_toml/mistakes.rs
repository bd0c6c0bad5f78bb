//! Each mistake, and what a person is told about it.

use crate::{URL, first_lines, layers, said};
use nbe_config::{Sources, resolve};

#[test]
fn wrong_values_are_told_with_place_range_and_cause() {
    // (situation, the lines after agent_url, what is said)
    let cases = [
        (
            "minus sign missing",
            "rssi_tap_threshold = 42",
            "2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found 42 (is the minus sign missing?)",
        ),
        (
            "minus sign missing, close",
            "rssi_cutoff_close = 70",
            "2:21: error: rssi_cutoff_close must be 0 or -99 to -1, found 70 (is the minus sign missing?)",
        ),
        (
            "minus sign missing, far",
            "rssi_cutoff_far = 75",
            "2:19: error: rssi_cutoff_far must be -99 to -1, found 75 (is the minus sign missing?)",
        ),
        ("far cannot be turned off", "rssi_cutoff_far = 0", "2:19: error: rssi_cutoff_far must be -99 to -1, found 0"),
        ("too weak", "rssi_tap_threshold = -100", "2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found -100"),
        (
            "far too large",
            "rssi_tap_threshold = 99999999999999999999",
            "2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found 99999999999999999999",
        ),
        (
            "a fraction",
            "rssi_tap_threshold = -42.5",
            "2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found -42.5 (whole numbers only)",
        ),
        ("an empty window", "rssi_window_tap = 0", "2:19: error: rssi_window_tap must be 1 to 200, found 0"),
        ("too long a window", "rssi_window_long = 201", "2:20: error: rssi_window_long must be 1 to 200, found 201"),
        ("a negative window", "rssi_window_tap = -10", "2:19: error: rssi_window_tap must be 1 to 200, found -10"),
        (
            "a number in quotes",
            "rssi_window_tap = \"10\"",
            "2:19: error: rssi_window_tap must be 1 to 200, found \"10\" (remove the quotes)",
        ),
        ("a word for a number", "rssi_window_tap = true", "2:19: error: rssi_window_tap must be 1 to 200, found true"),
        (
            "a list for a number",
            "rssi_window_tap = [10]",
            "2:19: error: rssi_window_tap must be 1 to 200, found a list",
        ),
        ("a table for a number", "[rssi_window_tap]", "2:1: error: rssi_window_tap must be 1 to 200, found a table"),
        (
            "a date for a number",
            "rssi_window_tap = 2026-01-01",
            "2:19: error: rssi_window_tap must be 1 to 200, found a date",
        ),
        (
            "a pace there is not",
            "away_pace = \"slow\"",
            "2:13: error: away_pace must be \"sooner\", \"balanced\" or \"calmer\", found \"slow\"",
        ),
        (
            "a pace misspelt",
            "away_pace = \"calm\"",
            "2:13: error: away_pace must be \"sooner\", \"balanced\" or \"calmer\", found \"calm\" (did you mean \"calmer\"?)",
        ),
        (
            "a pace as a number",
            "away_pace = 3",
            "2:13: error: away_pace must be \"sooner\", \"balanced\" or \"calmer\", found 3 (put it in quotes)",
        ),
        (
            "a detector misspelt",
            "detector = \"clasic\"",
            "2:12: error: detector must be \"classic\" or \"adaptive\", found \"clasic\" (did you mean \"classic\"?)",
        ),
        ("too short an absence", "absent_after_s = 2", "2:18: error: absent_after_s must be 3 to 600, found 2"),
        (
            "a company id of three octets",
            "[bands]\ncompany_ids = [434, 65536]",
            "3:21: error: bands.company_ids must be a list, each entry 0 to 65535, found 65536",
        ),
        (
            "brackets missing",
            "[bands]\ncompany_ids = 434",
            "3:15: error: bands.company_ids must be a list, each entry 0 to 65535, found 434 (put it in [brackets])",
        ),
        (
            "a prefix that every name has",
            "[bands]\nname_prefixes = [\"\"]",
            "3:18: error: bands.name_prefixes must be a list, each entry text of 1 to 29 bytes, found \"\" (every name begins with it; `all = true` says that)",
        ),
        (
            "half an address",
            "[bands]\naddresses = [\"00:07:80\"]",
            "3:14: error: bands.addresses must be a list, each entry a device address such as \"00:07:80:2e:11:aa\", found \"00:07:80\"",
        ),
        (
            "true in quotes",
            "[bands]\nall = \"true\"",
            "3:7: error: bands.all must be true or false, found \"true\" (remove the quotes)",
        ),
        (
            "a relative path",
            "[agent]\nca_file = \"ca.pem\"",
            "3:11: error: agent.ca_file must be an absolute path, found \"ca.pem\"",
        ),
        (
            "half a pin",
            "[agent]\npin = \"ab\"",
            "3:7: error: agent.pin must be 64 hex digits, the SHA-256 of a public key, found \"ab\"",
        ),
        (
            "a log level misspelt",
            "[log]\nlevel = \"warning\"",
            "3:9: error: log.level must be \"error\", \"warn\", \"info\", \"debug\" or \"trace\", found \"warning\"",
        ),
        (
            "a log file of a few lines",
            "[log]\nfile_max_kib = 4",
            "3:16: error: log.file_max_kib must be 64 to 1048576, found 4",
        ),
        (
            "a log file from nowhere",
            "[log]\nfile = \"nbe.log\"",
            "3:8: error: log.file must be an absolute path, found \"nbe.log\"",
        ),
        ("a key for a table", "bands = true", "2:9: error: bands must be a table, written [bands]"),
        (
            "one bracket for two",
            "[adapter]\nport = \"COM5\"",
            "2:1: error: adapter must be written [[adapter]], once for each dongle",
        ),
        (
            "an offset in hundredths",
            "[[adapter]]\nrssi_offset_db = 0.25",
            "3:18: error: adapter.rssi_offset_db must be -40.0 to 40.0 in steps of 0.1, found 0.25",
        ),
        (
            "too large an offset",
            "[[adapter]]\nrssi_offset_db = 40.1",
            "3:18: error: adapter.rssi_offset_db must be -40.0 to 40.0 in steps of 0.1, found 40.1",
        ),
        (
            "no number for an offset",
            "[[adapter]]\nrssi_offset_db = nan",
            "3:18: error: adapter.rssi_offset_db must be -40.0 to 40.0 in steps of 0.1, found nan",
        ),
        (
            "between two steps",
            "[[adapter]]\nscan_interval_ms = 11",
            "3:20: error: adapter.scan_interval_ms must be 2.5 to 10240 in steps of 0.625, found 11 (the radio's nearest steps are 10.625 and 11.25)",
        ),
        (
            "a window longer than its interval",
            "[[adapter]]\nscan_window_ms = 50",
            "3:18: error: adapter.scan_window_ms (50, nbe.toml:3) must not be longer than adapter.scan_interval_ms (30, default)",
        ),
        (
            "port and address",
            "[[adapter]]\nport = \"COM5\"\naddress = \"00:07:80:2e:11:aa\"",
            "3:8: error: adapter.port and adapter.address both say which dongle; keep one of them",
        ),
        (
            "a default crossed by another key",
            "rssi_cutoff_close = -80",
            "2:21: error: rssi_cutoff_far (-75, default) must be below rssi_cutoff_close (-80, nbe.toml:2)",
        ),
        (
            "crossed cutoffs",
            "rssi_cutoff_close = -70\nrssi_cutoff_far = -60",
            "3:19: error: rssi_cutoff_far (-60, nbe.toml:3) must be below rssi_cutoff_close (-70, nbe.toml:2)",
        ),
        (
            "equal cutoffs",
            "rssi_cutoff_close = -75",
            "2:21: error: rssi_cutoff_far (-75, default) must be below rssi_cutoff_close (-75, nbe.toml:2)",
        ),
        (
            "a secret over ws",
            "[agent]\ntoken_file = \"/etc/nbe/token\"",
            "3:14: error: agent.token_file needs wss://, and agent_url is ws://127.0.0.1:9120/socket/websocket (nbe.toml:1)",
        ),
        ("a key twice", "agent_url = \"ws://127.0.0.1:9120/x\"", "2:1: error: not TOML: duplicate key"),
        (
            "no quotes",
            "detector = classic",
            "2:12: error: not TOML: string values must be quoted, expected literal string",
        ),
        ("a quote too few", "detector = \"classic", "2:20: error: not TOML: invalid basic string, expected `\"`"),
        (
            "a colon for the equals sign",
            "rssi_window_tap: 10",
            "2:18: error: not TOML: key with no value, expected `=`",
        ),
    ];
    for (situation, lines, expected) in cases {
        assert_eq!(said(&format!("{URL}{lines}\n")), [format!("nbe.toml:{expected}")], "{situation}");
    }
}

#[test]
fn a_misspelt_key_is_told_its_right_spelling_or_place() {
    let cases = [
        ("rssi_tap_treshold = -42", Some("did you mean rssi_tap_threshold?")),
        ("RSSI_WINDOW_TAP = 12", Some("did you mean rssi_window_tap?")),
        ("absent-after-s = 12", Some("did you mean absent_after_s?")),
        ("[band]\nall = true", Some("did you mean bands?")),
        ("[[adaptor]]\nport = \"COM5\"", Some("did you mean adapter?")),
        ("[log]\nlevle = \"info\"", Some("did you mean level?")),
        (
            "[[adapter]]\nofset_db = 1",
            Some(
                "it sets nothing; known there: port, address, rssi_offset_db, scan_interval_ms, scan_window_ms, active_scan",
            ),
        ),
        ("pin = \"ab\"", Some("pin belongs under [agent]")),
        ("port = \"COM5\"", Some("port belongs under [[adapter]]")),
        ("[log]\nwire = \"trace\"", Some("wire belongs under [log.parts]")),
        ("[log.parts]\nadaptor = \"debug\"", Some("did you mean adapter?")),
        ("[log]\nrssi_window_tap = 3", Some("rssi_window_tap belongs at the top, above the first [table]")),
        (
            "[log.parts]\nradio = \"debug\"",
            Some("it sets nothing; known there: adapter, proximity, agent, config, service, wire"),
        ),
    ];
    for (lines, help) in cases {
        let resolution = layers(&format!("{URL}{lines}\n"), &[], &[]);
        let [warning] = resolution.diagnostics.as_slice() else { panic!("{lines}: {resolution:?}") };
        assert_eq!(warning.help.as_deref(), help, "{lines}");
    }
    let somewhere = layers(&format!("{URL}[log]\nloud = true\n"), &[], &[]);
    assert_eq!(first_lines(&somewhere), ["nbe.toml:3:1: warning: unknown key loud in [log]"]);
    let top = layers(&format!("{URL}something_else = 1\n"), &[], &[]).diagnostics.remove(0);
    assert!(top.help.unwrap().starts_with("it sets nothing; known there: agent_url, rssi_window_tap, "));
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let text = "\
rssi_window_tap = 0
rssi_tap_threshold = 42
broken = = 3
rssi_cutof_far = -80
detector = \"classic
rssi_cutoff_close = \"near\"
";
    assert_eq!(
        said(text),
        [
            "nbe.toml:1:19: error: rssi_window_tap must be 1 to 200, found 0",
            "nbe.toml:2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found 42 (is the minus sign missing?)",
            "nbe.toml:3:10: error: not TOML: extra `=`",
            "nbe.toml:4:1: warning: unknown key rssi_cutof_far",
            "nbe.toml:5:20: error: not TOML: invalid basic string, expected `\"`",
            "nbe.toml:6:21: error: rssi_cutoff_close must be 0 or -99 to -1, found \"near\"",
        ]
    );
}

#[test]
fn reading_goes_on_behind_what_is_not_toml() {
    let text = format!(
        "{URL}rssi_window_tap: 5\nrssi_window_long\nrssi_tap_threshold = 42\n\
         [bands\nall = 1\n\n[log]\nlevel = \"x\"\n[[adapter]\nport = 5\n"
    );
    let resolution = layers(&text, &[], &[]);
    assert_eq!(
        first_lines(&resolution),
        [
            "nbe.toml:2:18: error: not TOML: key with no value, expected `=`",
            "nbe.toml:3:17: error: not TOML: key with no value, expected `=`",
            "nbe.toml:4:22: error: rssi_tap_threshold must be 0 or -99 to -1, found 42 (is the minus sign missing?)",
            "nbe.toml:5:7: error: not TOML: unclosed table, expected `]`",
            "nbe.toml:9:9: error: log.level must be \"error\", \"warn\", \"info\", \"debug\" or \"trace\", found \"x\"",
            "nbe.toml:10:11: error: not TOML: unclosed array table, expected `]`",
        ]
    );
    let helps: Vec<_> = resolution.diagnostics.iter().map(|found| found.help.as_deref()).collect();
    let not_looked_at = Some("the keys below it, up to the next [table], were not looked at");
    assert_eq!(helps, [Some("use = instead of :"), None, None, not_looked_at, None, not_looked_at]);
}

#[test]
fn what_is_not_closed_is_told_for_itself() {
    let bracket = "is a bracket above not closed? what follows it was not looked at";
    let quotes = "are three quotes above not closed? what follows them was not looked at";
    let below = "the keys below it, up to the next [table], were not looked at";
    let cases = [
        ("bands.company_ids = [1, 2\nrssi_window_tap = 10", "3:1", bracket),
        ("log = { level = \"info\"\nrssi_window_tap = 10", "3:1", bracket),
        ("detector = \"\"\"x\nrssi_window_tap = 10", "4:1", quotes),
        ("[bands] x\nall = 3", "2:9", below),
    ];
    for (lines, place, help) in cases {
        let resolution = layers(&format!("{URL}{lines}\n"), &[], &[]);
        let [mistake] = resolution.diagnostics.as_slice() else { panic!("{lines}: {:?}", resolution.diagnostics) };
        assert_eq!(mistake.location.to_string(), format!("nbe.toml:{place}"), "{lines}");
        assert_eq!(mistake.help.as_deref(), Some(help), "{lines}");
    }
    let dongle =
        format!("{URL}[[adapter]]\nport = 5\nactive_scan: true\nrssi_offset_db = 90\n[bands]\nall = 3\nx: 1\n");
    assert_eq!(said(&dongle).len(), 5, "one bad line does not hide the rest of its table: {:?}", said(&dongle));
}

#[test]
fn a_value_that_is_not_toml_is_told_how_to_be_written() {
    let number = |example: &str, odd: &str| format!("write a plain number such as {example}{odd}");
    let minus = "; − is U+2212, a typographic minus sign";
    let cases = [
        ("rssi_tap_threshold = −42", "the value is not a number", number("-42", minus)),
        ("rssi_tap_threshold = –42", "the value is not a number", number("-42", "; – is U+2013, a dash")),
        ("rssi_cutoff_far = -80 dBm", "the value is not a number", number("-42", "")),
        ("rssi_window_tap = 5;", "the value is not a number", number("10", "")),
        (
            "rssi_window_tap = “10”",
            "the value is not a number",
            number("10", "; “ is U+201C, a typographic quotation mark"),
        ),
        ("rssi_window_tap =", "a value is missing", number("10", "")),
        ("rssi_window_tap = # ten", "a value is missing", number("10", "")),
        ("[[adapter]]\nrssi_offset_db = −3.5", "the value is not a number", number("-3.5", minus)),
        ("rssi_tap_threshold = -4x.2", "invalid float", number("-42", "")),
        ("rssi_window_tap = 10,", "unexpected key or value, expected newline, `#`", number("10", "")),
        ("detector =", "a value is missing", "put the text in plain \"quotes\"".into()),
        (
            "detector = “classic”",
            "string values must be quoted, expected literal string",
            "put the text in plain \"quotes\"; “ is U+201C, a typographic quotation mark".into(),
        ),
    ];
    for (lines, message, help) in cases {
        let resolution = layers(&format!("{URL}{lines}\n"), &[], &[]);
        let [mistake] = resolution.diagnostics.as_slice() else { panic!("{lines}: {:?}", resolution.diagnostics) };
        assert_eq!(mistake.message, format!("not TOML: {message}"), "{lines}");
        assert_eq!(mistake.help, Some(help), "{lines}");
    }
    let variable = layers(URL, &[("RSSI_TAP_THRESHOLD", "−42")], &[]);
    let said = first_lines(&variable).concat();
    assert!(said.ends_with("found \"−42\" (− is U+2212, a typographic minus sign)"), "{said}");
}

#[test]
fn one_mistake_is_told_once() {
    // The minus sign is missing; that the cutoffs would then be crossed follows from it.
    let crossed = format!("{URL}rssi_cutoff_close = 60\nrssi_cutoff_far = -65\n");
    assert_eq!(said(&crossed).len(), 1);
    // Which dongle is meant was said, if wrongly.
    let dongles = format!("{URL}[[adapter]]\nport = 5\n[[adapter]]\nport = \"COM6\"\n");
    assert_eq!(said(&dongles).len(), 1);
}

#[test]
fn a_file_needs_agent_url() {
    let missing = "nbe.toml: error: agent_url is missing, and a file must have it";
    assert_eq!(said(""), [missing]);
    assert_eq!(said("rssi_window_tap = 12\n"), [missing]);
    assert!(layers("", &[("AGENT_URL", "ws://127.0.0.1:9120/s")], &[]).diagnostics.is_empty());
    assert!(layers("", &[], &[("--agent-url", "agent_url", "ws://127.0.0.1:9120/s")]).diagnostics.is_empty());
    // A wrong one is wrong, not missing.
    assert_eq!(
        said("agent_url = \"http://127.0.0.1/\"\n"),
        [
            "nbe.toml:1:13: error: agent_url must be a ws:// or wss:// address, found \"http://127.0.0.1/\" (it begins with neither ws:// nor wss://)"
        ]
    );
    assert!(resolve(&Sources::default()).diagnostics.is_empty(), "without a file the defaults hold");
}

#[test]
fn the_agents_address_is_looked_at() {
    let cases = [
        ("ws://127.0.0.1:9120/socket/websocket", vec![]),
        ("wss://agent.example.com/socket/websocket", vec![]),
        (
            "ws://10.0.0.7:9120/socket/websocket",
            vec!["nbe.toml:1:13: warning: agent_url is not encrypted, and the agent is on another machine"],
        ),
        ("wss://agent.example.com", vec!["nbe.toml:1:13: warning: agent_url has no path"]),
    ];
    for (url, expected) in cases {
        assert_eq!(said(&format!("agent_url = \"{url}\"\n")), expected, "{url}");
    }
}

#[test]
fn secrets_are_not_repeated() {
    for url in ["wss://user:hunter2@host/", "http://user:hunter2@host/", "wss://host/?auth_token=hunter2"] {
        let resolution = layers(&format!("agent_url = \"{url}\"\nsecret = \"hunter2\"\n"), &[("AGENT_URL", url)], &[]);
        let shown: String = resolution.diagnostics.iter().map(|found| format!("{found:?}{found}")).collect();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(resolution.diagnostics.len(), 3);
    }
    let unclosed = &layers("agent_url = \"wss://user:hunter2@host/\n", &[], &[]).diagnostics[0];
    assert!(!unclosed.to_string().contains("hunter2"), "{unclosed}");
}

#[test]
fn an_unknown_key_is_shown_without_its_value() {
    let cases = [
        ("secret = \"hunter2\"", "secret …", "^^^^^^"),
        ("  secret = \"hunter2\"", "  secret …", "  ^^^^^^"),
        ("[secret] # hunter2", "[secret] …", " ^^^^^^"),
        ("[secret]", "[secret]", " ^^^^^^"),
        ("[[secret]]\nkey = \"hunter2\"", "[[secret]]", "  ^^^^^^"),
        ("secret.key = \"hunter2\"", "secret …", "^^^^^^"),
        ("\"se cret\" = \"hunter2\"", "\"se cret\" …", "^^^^^^^^^"),
        ("log = { level = \"info\", hunter = 2 }", "… hunter …", "  ^^^^^^"),
    ];
    for (line, shown, caret) in cases {
        let resolution = layers(&format!("{URL}{line}\n"), &[], &[]);
        let [warning] = resolution.diagnostics.as_slice() else { panic!("{line}: {:?}", resolution.diagnostics) };
        let said = warning.to_string();
        assert!(said.contains(&format!("\n  {shown}\n  {caret}")), "{line}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("= 2"), "{line}: {said}");
    }
}

#[test]
fn several_dongles_must_be_told_apart() {
    let two = |first: &str, second: &str| said(&format!("{URL}[[adapter]]\n{first}\n[[adapter]]\n{second}\n"));
    assert_eq!(two("port = \"COM5\"", ""), ["nbe.toml:4:1: error: [[adapter]] 2 of 2 must have port or address"]);
    assert_eq!(
        two("port = \"COM5\"", "port = \"COM5\""),
        ["nbe.toml:5:8: error: two [[adapter]] are about the same dongle; the other is at nbe.toml:3"]
    );
    assert_eq!(said(&format!("{URL}{}", "[[adapter]]\nport = \"x\"\n".repeat(9))).len(), 1, "nine are too many");
}
