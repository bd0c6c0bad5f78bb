//! The walls of the house: the parts that decide are plain values, without a clock, a port, a socket or a file.

use std::fs;
use std::path::{Path, PathBuf};

/// Words that only the shell may say.
const SHELL_ONLY: [&str; 19] = [
    "tokio",
    "std::net",
    "std::fs",
    "std::io",
    "std::thread",
    "std::process",
    "std::env",
    "Instant",
    "SystemTime",
    "serialport",
    "tokio_serial",
    "tokio_tungstenite",
    "rustix",
    "getrandom",
    "crate::clock",
    "crate::holder",
    "crate::permission",
    "crate::watch",
    "tracing::",
];

/// The pure parts, with what each may say all the same.
const PURE: [(&str, &[&str]); 19] = [
    ("src/time.rs", &["Instant"]), // it says how it differs from one
    ("src/event.rs", &[]),
    ("src/migrate.rs", &[]),
    ("src/migrate", &[]),
    ("src/roster.rs", &[]),
    ("src/secret.rs", &[]),
    ("src/phoenix.rs", &[]),
    ("src/endpoint.rs", &["std::net"]),
    ("src/proximity", &[]),
    ("src/agent", &["std::net"]), // an IP address is a value
    ("src/adapter", &[]),
    ("src/control", &[]),
    ("src/evaluate.rs", &[]),
    ("src/evaluate", &[]),
    ("src/log/repeats.rs", &[]),
    ("src/reference", &["tracing::", "std::io"]), // it says to the log what it thinks of an endpoint
    ("src/simulate", &["std::io"]),               // errors of the shell pass through
    ("bgapi/src", &[]),
    ("config/src", &["std::net"]),
];

/// Files and folders among those that are shell.
const SHELL: [&str; 17] = [
    "src/agent/socket",
    "src/agent/socket.rs",
    "src/adapter/driver.rs",
    "src/adapter/port",
    "src/adapter/port.rs",
    "src/control/socket",
    "src/control/socket.rs",
    "src/reference/handshake.rs",
    "src/reference/holder.rs",
    "src/reference/roster.rs",
    "src/reference/server.rs",
    "src/simulate/dongle.rs",
    "src/simulate/port",
    "src/simulate/port.rs",
    "src/simulate/scenario_file.rs",
    "config/src/find.rs",
    "config/src/last_good.rs",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        found.push(path.to_owned());
    }
}

/// Tests may bring together what the code must not.
fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests")
}

/// Code without comments and without a module of tests at its end; imports are written out, one name each.
fn code(text: &str) -> String {
    let before_tests = text.split("\nmod tests {").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let lines: Vec<&str> =
        before_tests.lines().filter(is_code).map(|line| line.split(" // ").next().unwrap_or_default()).collect();
    let code = lines.join("\n");
    format!("{code}\n{}", imports(&code).join("\n"))
}

/// `use a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`.
fn imports(code: &str) -> Vec<String> {
    fn spread(prefix: &str, tree: &str, found: &mut Vec<String>) {
        let (mut depth, mut start) = (0, 0);
        let mut parts = Vec::new();
        for (at, letter) in tree.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(&tree[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        parts.push(&tree[start..]);
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('{') {
                Some((path, inner)) => spread(&format!("{prefix}{}", path.trim()), inner.trim_end_matches('}'), found),
                None => found.push(format!("{prefix}{part}")),
            }
        }
    }
    let mut found = Vec::new();
    for statement in code.split("use ").skip(1) {
        let tree: String = statement.split(';').next().unwrap_or_default().split_whitespace().collect();
        spread("", &tree, &mut found);
    }
    found
}

#[test]
fn grouped_imports_do_not_get_past_the_wall() {
    let code =
        code("use std::{\n    fmt,\n    fs::{self, File}, // a comment\n};\nlet url = \"ws://x\"; tokio::spawn(x);\n");
    assert!(code.contains("std::fs::File") && code.contains("std::fmt") && code.contains("tokio"), "{code}");
}

#[test]
fn what_decides_reads_no_clock_no_port_no_socket_and_no_file() {
    let shell: Vec<PathBuf> = SHELL.iter().map(|path| root().join(path)).collect();
    for path in &shell {
        assert!(path.exists(), "{} is gone; the wall has a door to nowhere", path.display());
    }
    let mut looked_at = 0;
    let mut broken = Vec::new();
    for (place, allowed) in PURE {
        let mut files = Vec::new();
        sources(&root().join(place), &mut files);
        assert!(!files.is_empty(), "{place} is gone; the wall stands around nothing");
        files.retain(|file| !shell.iter().any(|shell| file.starts_with(shell)));
        files.retain(|file| !is_test(file));
        for file in files {
            looked_at += 1;
            let code = code(&fs::read_to_string(&file).unwrap());
            for word in SHELL_ONLY.iter().filter(|word| !allowed.contains(word)) {
                if code.contains(word) {
                    broken.push(format!("{} says {word}", file.strip_prefix(root()).unwrap().display()));
                }
            }
        }
    }
    assert!(looked_at > 40, "only {looked_at} files were looked at");
    assert!(broken.is_empty(), "a wall is broken:\n  {}", broken.join("\n  "));
}

#[test]
fn bytes_flow_one_way() {
    // Each part, and the parts it must not know.
    let never: [(&str, &[&str]); 5] = [
        ("bgapi/src", &["nbe::", "config::", "nbe_config"]),
        ("config/src", &["nbe::", "bgapi::"]),
        ("src/proximity", &["crate::adapter", "crate::agent", "crate::endpoint", "crate::service", "crate::simulate"]),
        ("src/adapter", &["crate::proximity", "crate::agent", "crate::endpoint", "crate::service", "crate::simulate"]),
        ("src/agent", &["crate::proximity", "crate::adapter", "crate::endpoint", "crate::service", "crate::reference"]),
    ];
    let mut broken = Vec::new();
    for (place, words) in never {
        let mut files = Vec::new();
        sources(&root().join(place), &mut files);
        assert!(!files.is_empty(), "{place} is gone");
        files.retain(|file| !is_test(file));
        for file in files {
            let code = code(&fs::read_to_string(&file).unwrap());
            for word in words.iter().filter(|word| code.contains(**word)) {
                broken.push(format!("{} says {word}", file.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "a wall is broken:\n  {}", broken.join("\n  "));
}
