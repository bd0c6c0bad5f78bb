//! Vendor files, and what becomes of them.

use std::path::Path;

use config::{Config, SourceFile, Sources, resolve};
use proptest::prelude::*;

use super::{Migration, migrate};

const URL: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";
const ADDED: &str = "# Added by nbe migrate: a file must have agent_url, and this one had none. This is the default.\nagent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";

fn migrated(text: impl AsRef<[u8]>) -> Migration {
    migrate(Path::new("nbe.toml"), text.as_ref())
}

/// What a file decides by itself.
fn config(text: &str) -> Option<Config> {
    let file = SourceFile { path: "nbe.toml".into(), bytes: text.into(), mode: None, belongs_at: None };
    resolve(&Sources { file: Some(file), ..Sources::default() }).config
}

#[test]
fn what_has_to_change_is_changed_and_told() {
    // (case, the old lines, the new ones, what is told), all below agent_url.
    let cases: [(&str, &str, &str, &[&str]); 15] = [
        ("nothing", "rssi_window_tap = 12\n", "rssi_window_tap = 12\n", &[]),
        (
            "capitals",
            "RSSI_WINDOW_TAP = 12 # hold\n",
            "rssi_window_tap = 12 # hold\n",
            &[
                "nbe.toml:2:1: RSSI_WINDOW_TAP: written rssi_window_tap, since keys in a file are written in small letters",
            ],
        ),
        (
            "capitals in quotes",
            "\"Rssi_Window_Tap\" = 12\n",
            "\"rssi_window_tap\" = 12\n",
            &["nbe.toml:2:1: Rssi_Window_Tap: written rssi_window_tap, since"],
        ),
        (
            "capitals behind an escape",
            "\"\\u0052SSI_WINDOW_TAP\" = 12\n",
            "rssi_window_tap = 12\n",
            &["nbe.toml:2:1: RSSI_WINDOW_TAP: written rssi_window_tap, since"],
        ),
        (
            "capitals beside the right spelling",
            "RSSI_WINDOW_TAP = 13\nrssi_window_tap = 12\n",
            "# nbe does not read RSSI_WINDOW_TAP (rssi_window_tap is there too):\n# RSSI_WINDOW_TAP = 13\nrssi_window_tap = 12\n",
            &[
                "nbe.toml:2:1: RSSI_WINDOW_TAP: kept as a comment, since nbe does not read it (rssi_window_tap is there too)",
            ],
        ),
        (
            "a number in quotes",
            "rssi_tap_threshold = ' -42 '\n",
            "rssi_tap_threshold = -42\n",
            &["nbe.toml:2:22: rssi_tap_threshold: written -42 instead of ' -42 ', since a number has no quotes"],
        ),
        (
            "a float in quotes, in capitals",
            "RSSI_CUTOFF_FAR=\"-80.0\"\n",
            "rssi_cutoff_far=-80\n",
            &[
                "nbe.toml:2:1: RSSI_CUTOFF_FAR: written",
                "nbe.toml:2:17: rssi_cutoff_far: written -80 instead of \"-80.0\"",
            ],
        ),
        (
            "a float",
            "rssi_window_long = 5e1\n",
            "rssi_window_long = 50\n",
            &["nbe.toml:2:20: rssi_window_long: written 50 instead of 5e1, since nbe takes whole numbers there"],
        ),
        (
            "an unknown key with a likeness",
            "rssi_window_taps = 9\n",
            "# nbe does not read rssi_window_taps (did you mean rssi_window_tap?):\n# rssi_window_taps = 9\n",
            &[
                "nbe.toml:2:1: rssi_window_taps: kept as a comment, since nbe does not read it (did you mean rssi_window_tap?)",
            ],
        ),
        (
            "an unknown key of several lines",
            "\tservers = [ # two\n 'a',\n\n 'b' ]\nrssi_window_tap = 12",
            "# nbe does not read servers:\n# \tservers = [ # two\n#  'a',\n# \n#  'b' ]\nrssi_window_tap = 12",
            &["nbe.toml:2:2: servers: kept as a comment, since nbe does not read it"],
        ),
        (
            "unknown tables, between known ones",
            "[ui.theme] # dark\ncolour = 'blue'\n\n# levels\n[log]\nlevel = 'info'\ntarget = 'x'\n[ui]\na.b = 1\na.c = 2\n[[users]]\nx = 1\n",
            "# nbe does not read ui:\n# [ui.theme] # dark\n# colour = 'blue'\n\n# levels\n[log]\nlevel = 'info'\n# nbe does not read log.target:\n# target = 'x'\n# [ui]\n# a.b = 1\n# a.c = 2\n# nbe does not read users:\n# [[users]]\n# x = 1\n",
            &["ui: kept as a comment", "log.target: kept as a comment", "users: kept as a comment"],
        ),
        (
            "a key below a table that is not its own",
            "[agent]\nrssi_window_tap = 12\n",
            "[agent]\n# nbe does not read agent.rssi_window_tap (rssi_window_tap belongs at the top, above the first [table]):\n# rssi_window_tap = 12\n",
            &["rssi_window_tap belongs at the top"],
        ),
        (
            "our own keys",
            "absent_after_s = 20\naway_pace = 'calmer'\n[[adapter]]\nport = 'COM5'\nspeed = 9600\n",
            "absent_after_s = 20\naway_pace = 'calmer'\n[[adapter]]\nport = 'COM5'\n# nbe does not read adapter.speed:\n# speed = 9600\n",
            &["adapter.speed: kept as a comment"],
        ),
        (
            "line ends of Windows",
            "RSSI_WINDOW_TAP = 12\r\n\tlog_file = 'x'\r\n",
            "rssi_window_tap = 12\r\n# nbe does not read log_file:\r\n# \tlog_file = 'x'\r\n",
            &["written rssi_window_tap", "log_file: kept"],
        ),
        (
            "a name that would run over the line",
            "\"a\\nb\\u001b[2J\" = 1\n",
            "# nbe does not read a\\nb\\u{1b}[2J:\n# \"a\\nb\\u001b[2J\" = 1\n",
            &["nbe.toml:2:1: a\\nb\\u{1b}[2J: kept"],
        ),
    ];
    for (case, old, new, told) in cases {
        let migration = migrated(format!("{URL}{old}"));
        let text = migration.text.unwrap_or_else(|| panic!("{case}: {:?}", migration.diagnostics));
        assert_eq!(text, format!("{URL}{new}"), "{case}");
        let changes: Vec<String> = migration.changes.iter().map(ToString::to_string).collect();
        assert_eq!(changes.len(), told.len(), "{case}: {changes:#?}");
        for (change, told) in changes.iter().zip(told) {
            assert!(change.contains(told), "{case}: {change}");
        }
        let again = migrated(&text);
        assert_eq!((again.text, again.changes), (Some(text), Vec::new()), "{case}: once is enough");
    }
}

#[test]
fn agent_url_is_added_where_it_is_missing() {
    for (case, old, expected) in [
        ("nothing", "", ADDED.to_owned()),
        ("a key", "rssi_window_tap = 12", format!("{ADDED}\nrssi_window_tap = 12")),
        ("a table", "[log]\nlevel = 'info'\n", format!("{ADDED}\n[log]\nlevel = 'info'\n")),
        ("an unknown key", "x = 1\n", format!("{ADDED}\n# nbe does not read x:\n# x = 1\n")),
        ("Windows", "# ours\r\n", format!("{}\r\n# ours\r\n", ADDED.replace('\n', "\r\n"))),
        ("a byte order mark", "\u{feff}# ours\n", format!("{ADDED}\n# ours\n")),
    ] {
        let migration = migrated(old);
        assert_eq!(migration.text.as_ref(), Some(&expected), "{case}: {:?}", migration.diagnostics);
        assert_eq!(migration.changes[0].key, "agent_url", "{case}");
        assert!(config(&expected).is_some(), "{case}");
    }
    let in_capitals = migrated("AGENT_URL = 'ws://127.0.0.1:9120/socket/websocket'\n");
    assert_eq!(in_capitals.text.as_deref(), Some("agent_url = 'ws://127.0.0.1:9120/socket/websocket'\n"));
}

#[test]
fn what_only_a_person_can_mend_is_refused_where_it_stands() {
    // (case, the file, the first lines of all that is told)
    let cases: [(&str, &str, &[&str]); 14] = [
        (
            "out of range",
            "rssi_window_tap = 500",
            &["nbe.toml:1:19: error: rssi_window_tap must be 1 to 200, found 500"],
        ),
        (
            "out of range in quotes and capitals",
            "# a\nRSSI_WINDOW_TAP = '500'",
            &["nbe.toml:2:19: error: rssi_window_tap must be 1 to 200, found 500"],
        ),
        (
            "no sign",
            "x = 1\nrssi_tap_threshold = 42",
            &["nbe.toml:2:22: error: rssi_tap_threshold must be 0 or -99 to -1, found 42 (is the minus sign missing?)"],
        ),
        (
            "no whole number",
            "rssi_cutoff_far = -80.5",
            &["nbe.toml:1:19: error: rssi_cutoff_far must be -99 to -1, found -80.5 (whole numbers only)"],
        ),
        (
            "no number that anybody wrote",
            "rssi_window_tap = '0000000000000000000000012'",
            &[
                "nbe.toml:1:19: error: rssi_window_tap must be 1 to 200, found \"0000000000000000000000012\" (remove the quotes)",
            ],
        ),
        ("beyond numbers", "rssi_window_tap = 1e30", &["must be 1 to 200, found 1e30 (whole numbers only)"]),
        (
            "a typographic minus sign",
            "rssi_cutoff_far = '\u{2212}80'",
            &[
                "nbe.toml:1:19: error: rssi_cutoff_far must be -99 to -1, found \"\u{2212}80\" (\u{2212} is U+2212, a typographic minus sign)",
            ],
        ),
        (
            "an address of another kind",
            "agent_url = 'http://10.0.0.1'",
            &["nbe.toml:1:13: error: agent_url must be a ws:// or wss:// address"],
        ),
        (
            "crossed with our default",
            "rssi_cutoff_close = -80",
            &["nbe.toml:1:21: error: rssi_cutoff_far (-75, default) must be below rssi_cutoff_close (-80, nbe.toml:1)"],
        ),
        (
            "two in capitals",
            "RSSI_WINDOW_TAP = 12\nRssi_window_tap = 13",
            &["nbe.toml:2:1: error: stands for rssi_window_tap, as line 1 does"],
        ),
        (
            "two mistakes",
            "rssi_window_tap = 0\nrssi_window_long = 0",
            &["nbe.toml:1:19: error: rssi_window_tap must", "nbe.toml:2:20: error: rssi_window_long must"],
        ),
        ("no TOML", "agent_url: ws://x", &["nbe.toml:1:12: error: not TOML"]),
        ("twice", "rssi_window_tap = 12\nrssi_window_tap = 12", &["nbe.toml:2:1: error: not TOML: duplicate key"]),
        (
            "a table in a key's place",
            "[rssi_window_tap]\nx = 1",
            &["error: rssi_window_tap must be 1 to 200, found a table"],
        ),
    ];
    for (case, old, told) in cases {
        let migration = migrated(old);
        assert_eq!((&migration.text, migration.changes.len()), (&None, 0), "{case}");
        let errors: Vec<String> =
            migration.diagnostics.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
        // What is no TOML may be told in several words.
        assert!(errors.len() >= told.len() && migration.diagnostics.len() == errors.len(), "{case}: {errors:#?}");
        for (error, told) in errors.iter().zip(told) {
            assert!(error.contains(told), "{case}: {error}");
        }
    }
    let shown = migrated("RSSI_WINDOW_TAP = '500'").diagnostics[0].to_string();
    assert!(shown.ends_with("\n  RSSI_WINDOW_TAP = '500'\n                    ^^^^^"), "as it was written:\n{shown}");
    for (bytes, told) in [(&b"# caf\xe9\n"[..], "the byte 0xe9 is not UTF-8"), (b"\xff\xfea\0", "saved as UTF-16")] {
        let migration = migrated(bytes);
        assert!(migration.text.is_none() && migration.diagnostics[0].to_string().contains(told), "{migration:?}");
    }
}

#[test]
fn what_a_person_has_to_judge_is_said() {
    let cases: [(&str, &[&str]); 6] = [
        ("", &["rssi_tap_threshold is not in the file, so nbe's default 0 (no taps) holds.", "rssi_cutoff_far is not"]),
        ("rssi_tap_threshold = 0\n", &["rssi_cutoff_far is not in the file, so nbe's default -75 holds."]),
        ("RSSI_TAP_THRESHOLD = '-42'\nrssi_cutoff_close = 0\n", &[]),
        ("rssi_tap_threshold = -42\nrssi_cutoff_far = -75\n", &[]),
        ("rssi_tap_threshold = -42\r\nrssi_cutoff_far = -83\r\n", &[]),
        (
            "rssi_tap_threshold = -42\r\nrssi_cutoff_far = -83\n",
            &["The line ends are mixed: 1 as Windows has them, 2 as Unix. They stay as they are."],
        ),
    ];
    for (keys, told) in cases {
        let url = if keys.ends_with("\r\n") { URL.replace('\n', "\r\n") } else { URL.to_owned() };
        let notes = migrated(format!("{url}{keys}")).notes;
        assert_eq!(notes.len(), told.len(), "{keys:?}: {notes:#?}");
        assert!(notes.iter().zip(told).all(|(note, told)| note.starts_with(told)), "{keys:?}: {notes:#?}");
    }
    let refused = migrated("rssi_cutoff_close = -80\n");
    assert!(
        refused.text.is_none() && refused.notes[1].contains("newer ones -83"),
        "it is the likely cure: {refused:?}"
    );
}

/// A documented key with a value that nbe takes.
fn key() -> impl Strategy<Value = (&'static str, i64)> {
    prop_oneof![
        (1..=200_i64).prop_map(|value| ("rssi_window_tap", value)),
        (1..=200_i64).prop_map(|value| ("rssi_window_long", value)),
        (-99..=0_i64).prop_map(|value| ("rssi_tap_threshold", value)),
        (-70..=0_i64).prop_map(|value| ("rssi_cutoff_close", value)),
        (-99..=-71_i64).prop_map(|value| ("rssi_cutoff_far", value)),
    ]
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ \t]{0,3}#[ -~äß漢\t]{0,20}",
        ("[ \t]{0,3}", "(vendor_[a-z]{1,6})", 0..99_i32, "( # [a-z=\"]{0,9})?")
            .prop_map(|(indent, name, number, comment)| format!("{indent}{name} = {number}{comment}")),
    ]
}

proptest! {
    /// However a vendor's file writes them, the six keys keep their values, and all comments stay.
    #[test]
    fn values_and_comments_survive(
        keys in proptest::collection::vec((key(), 0..4_usize, any::<bool>(), line(), "( # [a-z=\"]{0,9})?"), 0..8),
        line_end in prop_oneof![Just("\n"), Just("\r\n")],
        has_url: bool,
        has_mark: bool,
    ) {
        let mut names: Vec<String> = Vec::new();
        let (mut old, mut plain) = (String::new(), URL.to_owned());
        if has_mark { old.push('\u{feff}'); }
        if has_url { old += &URL.replace('\n', line_end); }
        for ((name, value), form, in_capitals, before, after) in keys {
            let vendor = before.split('=').next().unwrap_or_default().trim().to_owned();
            let is_twice = !before.trim_start().starts_with('#') && !vendor.is_empty() && names.contains(&vendor);
            if names.iter().any(|known| known == name) || is_twice { continue; }
            names.extend([name.to_owned(), vendor]);
            let value = match form { 0 => format!("\"{value}\""), 1 => format!("{value}.0"), 2 => format!("'{value}.0'"), _ => value.to_string() };
            let written = if in_capitals { name.to_uppercase() } else { name.to_owned() };
            old += &format!("{before}{line_end}{written} =\t{value}{after}{line_end}");
            plain += &format!("{name} = {}\n", value.trim_matches(['"', '\'']).trim_end_matches(".0"));
        }
        let migration = migrated(&old);
        let new = migration.text.unwrap_or_else(|| panic!("{old:?}: {:#?}", migration.diagnostics));
        prop_assert_eq!(config(&new).unwrap(), config(&plain).unwrap(), "{}", new);
        let mut comments = new.lines().filter_map(|line| line.find('#').map(|at| &line[at..]));
        for comment in old.lines().filter_map(|line| line.find('#').map(|at| &line[at..])) {
            prop_assert!(comments.any(|kept| kept.ends_with(comment)), "{} is not in\n{}", comment, new);
        }
        let expected = if old.contains("\r\n") { new.matches('\n').count() } else { 0 };
        prop_assert_eq!(new.matches("\r\n").count(), expected, "{:?}", new);
        prop_assert_eq!(migrated(&new).text, Some(new));
    }

    /// Whatever a file holds, what is made of it is a file that nbe takes, or the reason why not.
    #[test]
    fn any_text_is_answered(pieces in proptest::collection::vec(prop_oneof![
        "(agent_url|RSSI_WINDOW_TAP|rssi_cutoff_far|log|adapter|x|\"q\\\\n\"|a\\.b|'')",
        "( = | =\n|\\.|: |,)", "(\"1\"|2\\.0|-3|\\[|\\]|\\[\\[|\\]\\]|\\{|\\}|\"\"\"|'''|'s'|true)",
        "(\n|\r\n|\r|\n\n| |\t|#|# c\n|\u{feff}|é)", "\\PC{0,3}",
    ], 0..24)) {
        let old: String = pieces.concat();
        let migration = migrated(&old);
        match migration.text {
            Some(new) => prop_assert!(config(&new).is_some(), "{:?}", new),
            None => prop_assert!(migration.diagnostics.iter().any(config::Diagnostic::is_error), "{:?}", old),
        }
    }
}

#[test]
fn a_large_hostile_file_is_answered_soon() {
    for line in ["x{}=1\n", "[t{}]\nx=1\n", "RSSI_WINDOW_TAP{} = \"1\"\n", "[[t]]\nx{}.y=[\n]\n", "#{}\r\n"] {
        let text: String = (0..)
            .map(|number| line.replace("{}", &number.to_string()))
            .scan(0, |length, line| {
                *length += line.len();
                (*length < config::find::MAX_BYTES as usize).then_some(line)
            })
            .collect();
        let begun = std::time::Instant::now();
        let migration = migrated(&text);
        assert!(config(&migration.text.expect(line)).is_some(), "{line}");
        assert!(begun.elapsed().as_secs() < 20, "{line} took {:?}", begun.elapsed());
    }
}
