//! The file itself: where it is looked for, what is not read, and what is said about it as a whole.

use std::fs;
use std::path::Path;

use nbe_config::find::{self, FindError, MAX_BYTES};
use nbe_config::{Diagnostic, SourceFile, Sources, resolve};

use crate::{URL, file};

#[test]
fn a_named_file_is_read_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("site.toml");
    fs::write(&path, URL).unwrap();
    let SourceFile { bytes, belongs_at, mode, .. } = find::find(Some(&path)).unwrap().unwrap();
    assert_eq!((bytes.as_slice(), belongs_at), (URL.as_bytes(), None));
    assert_eq!(mode.is_some(), cfg!(unix));
}

#[test]
fn what_is_no_file_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |path: &Path| find::find(Some(path)).unwrap_err();
    assert!(matches!(refused(&dir.path().join("none.toml")), FindError::Missing { .. }));
    assert!(matches!(refused(dir.path()), FindError::NotAFile { .. }));
    let large = dir.path().join("large.toml");
    fs::write(&large, vec![b'#'; MAX_BYTES as usize]).unwrap();
    assert!(find::find(Some(&large)).is_ok());
    fs::write(&large, vec![b'#'; MAX_BYTES as usize + 1]).unwrap();
    let error = refused(&large);
    let shown = Diagnostic::from(&error).to_string();
    assert!(shown.ends_with("large.toml: error: is larger than 256 KiB, which no nbe.toml needs"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    // A device stands in for the pipe: both are files without an end to wait for.
    assert!(matches!(find::find(Some(Path::new("/dev/zero"))), Err(FindError::NotAFile { .. })));
}

#[test]
fn a_file_that_others_can_change_is_told_with_its_cure() {
    let cases = [
        (0o100664, Some("can be changed by its group (mode 0664)\n  help: chmod g-w nbe.toml")),
        (0o100602, Some("can be changed by everyone (mode 0602)\n  help: chmod o-w nbe.toml")),
        (0o100666, Some("can be changed by its group and everyone (mode 0666)\n  help: chmod go-w nbe.toml")),
        (0o100644, None),
        (0o100600, None),
    ];
    for (mode, expected) in cases {
        let source = SourceFile { mode: Some(mode), ..file(URL) };
        let resolution = resolve(&Sources { file: Some(source), ..Sources::default() });
        let expected: Vec<_> = expected.iter().map(|text| format!("nbe.toml: warning: {text}")).collect();
        let shown: Vec<_> = resolution.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected, "{mode:o}");
        assert!(resolution.config.is_some());
    }
}

#[test]
fn the_encoding_of_a_file_is_named() {
    let shown = |bytes: &[u8]| {
        let resolution = resolve(&Sources { file: Some(file(bytes)), ..Sources::default() });
        assert!(resolution.config.is_none());
        resolution.diagnostics[0].to_string()
    };
    assert_eq!(
        shown(b"a = 1\nb = \"\xe4\""),
        "nbe.toml:2:6: error: the byte 0xe4 is not UTF-8\n  help: save the file as UTF-8"
    );
    assert!(shown(b"\xff\xfea\0").starts_with("nbe.toml: error: the file is saved as UTF-16"));
    let with_mark = [b"\xef\xbb\xbf", URL.as_bytes()].concat();
    assert!(resolve(&Sources { file: Some(file(with_mark)), ..Sources::default() }).diagnostics.is_empty());
}

#[test]
fn a_file_at_its_older_place_is_read_with_a_hint() {
    let belongs_at = Some("/etc/nbe/nbe.toml".into());
    let source = SourceFile { path: "/usr/bin/nbe.toml".into(), belongs_at, ..file(URL) };
    let resolution = resolve(&Sources { file: Some(source), ..Sources::default() });
    assert!(resolution.config.is_some());
    assert_eq!(
        resolution.diagnostics[0].to_string(),
        "/usr/bin/nbe.toml: warning: is read from its older place\n  help: `nbe migrate --write` makes /etc/nbe/nbe.toml of it"
    );
}
