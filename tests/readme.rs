//! What the README promises is what the program says.

use std::fs;
use std::path::{Path, PathBuf};

/// Words in the table that the system puts into a message, not the program.
const OF_THE_SYSTEM: [&str; 2] = ["Permission denied", "No such file or directory"];

/// A shorter piece of a message is found anywhere and proves nothing.
const SHORTEST: usize = 6;

#[test]
fn the_messages_in_the_table_are_the_programs_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    ["src", "config/src"].iter().for_each(|folder| collect(&root.join(folder), &mut sources));
    let sources: String = sources.iter().map(|path| said_in(&fs::read_to_string(path).unwrap())).collect();

    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let messages = messages(&readme);
    assert!(messages.len() >= 5, "the table is gone or no longer quotes: {messages:?}");
    let fragments: Vec<_> = messages.iter().flat_map(|message| fragments(message)).collect();
    assert!(fragments.len() >= 5, "only {fragments:?} can be looked for");
    let unsaid: Vec<_> = fragments.iter().filter(|fragment| !sources.contains(**fragment)).collect();
    assert!(unsaid.is_empty(), "the program says none of these:\n  {unsaid:#?}");
}

/// The texts in backticks in the first column of the table of troubles.
fn messages(readme: &str) -> Vec<&str> {
    let section = readme.split("\n## ").find(|section| section.starts_with("When something is wrong")).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    rows.flat_map(|column| column.split('`').skip(1).step_by(2)).collect()
}

/// The parts of a message that are the same each time.
fn fragments(message: &str) -> Vec<&str> {
    let parts = message.split('…').map(|part| part.trim_matches([' ', ':', ',', ';', '(', ')']));
    let parts = parts.map(|part| part.strip_prefix("error: ").unwrap_or(part));
    // A place is made up for the table.
    let parts = parts.filter(|part| !part.starts_with("nbe.toml:"));
    parts.filter(|part| part.chars().count() >= SHORTEST && !OF_THE_SYSTEM.contains(part)).collect()
}

/// A source without its tests and comments, its texts as they are printed.
fn said_in(source: &str) -> String {
    let before_tests = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut said = String::new();
    for line in before_tests.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        match line.strip_suffix('\\') {
            // The text goes on in the next line.
            Some(line) => said.push_str(line),
            None => said.extend([line, "\n"]),
        }
    }
    said.replace("\\\"", "\"")
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() && !path.ends_with("tests") {
        fs::read_dir(path).unwrap().for_each(|entry| collect(&entry.unwrap().path(), found));
    } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
        found.push(path.to_owned());
    }
}

#[test]
fn a_message_is_looked_for_in_its_fixed_parts() {
    let readme = "# nbe\n\n## When something is wrong\n\n| message | cure |\n|---|---|\n\
                  | `cannot open …: Permission denied` or `gone` | `not this` |\n| plain words | x |\n\n## Licence\n";
    assert_eq!(messages(readme), ["cannot open …: Permission denied", "gone"]);
    let cases: [(&str, &[&str]); 4] = [
        ("cannot open …: Permission denied", &["cannot open"]),
        ("nbe.toml:12:22: … must be …", &["must be"]),
        ("refused … 403", &["refused"]),
        ("… is held by …", &["is held by"]),
    ];
    for (message, expected) in cases {
        assert_eq!(fragments(message), expected, "{message}");
    }
    let source = "// nobody said it\nlet a = \"said \\\n    \\\"so\\\"\";\n#[cfg(test)]\nmod tests {\n\"never said\" }";
    assert_eq!(said_in(source), "let a = \"said \"so\"\";\n");
}
