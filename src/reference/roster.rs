//! The list of bands that the agent sends, read from a TOML file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::Auth;

/// The most bands in a file; a `roster.set` of so many stays below the 256 KiB that a daemon accepts.
const MAX_BANDS: usize = 1024;

/// The longest name of a band, in bytes.
const MAX_ID: usize = 64;

/// The largest file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A roster as `roster.set` carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Roster {
    /// The number of this state of the list; taken from the file's digest where the file does not give one.
    pub rev: u64,
    /// Which bands are tracked.
    pub mode: Mode,
    /// The bands, in the file's order.
    pub bands: Vec<Band>,
}

/// Which bands are tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The listed ones.
    #[default]
    Listed,
    /// All that the daemon's configuration matches; the listed ones are named.
    All,
}

/// One listed band.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name in every event.
    pub id: String,
    /// Its address, such as `5c:f3:70:8a:11:02`.
    pub addr: String,
    /// The address's type; a band of a public address is not the band of the same random one.
    #[serde(default)]
    pub addr_type: AddrType,
    /// Whether it is its wearer's band of choice.
    #[serde(default = "yes")]
    pub active: bool,
    /// What is known about its wearer.
    #[serde(default)]
    pub auth: Auth,
}

/// The type of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddrType {
    /// Registered with the IEEE.
    #[default]
    Public,
    /// Made up by the device.
    Random,
}

/// A roster file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// It cannot be read.
    #[error("cannot read the roster {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is longer than any roster.
    #[error("the roster {} is larger than {MAX_FILE} bytes", path.display())]
    Large {
        /// Which file.
        path: PathBuf,
    },
    /// It is not TOML, or not a roster.
    #[error("the roster {} is not understood", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A band's table says what cannot be.
    #[error("the roster {}: {problem}", path.display())]
    Band {
        /// Which file.
        path: PathBuf,
        /// Which band, and what is wrong with it.
        problem: String,
    },
}

impl Roster {
    /// Reads a roster file.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or lists what is no band.
    pub fn load(path: &Path) -> Result<Self, RosterError> {
        use std::io::Read;
        let read = |source| RosterError::Read { path: path.into(), source };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(read)?;
        file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(read)?;
        if text.len() as u64 > MAX_FILE {
            return Err(RosterError::Large { path: path.into() });
        }
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, RosterError> {
        let file: File =
            toml::from_str(text).map_err(|source| RosterError::Syntax { path: path.into(), source: source.into() })?;
        let mut bands = file.band;
        check(&mut bands).map_err(|problem| RosterError::Band { path: path.into(), problem })?;
        Ok(Self { rev: file.rev.unwrap_or_else(|| digest(text)), mode: file.mode, bands })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rev: Option<u64>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    band: Vec<Band>,
}

fn yes() -> bool {
    true
}

/// A number that changes with the text; 48 bits, so that JavaScript keeps it whole.
fn digest(text: &str) -> u64 {
    Sha256::digest(text)[..6].iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Holds every band against the others, and writes addresses as they go over the wire.
fn check(bands: &mut [Band]) -> Result<(), String> {
    if bands.len() > MAX_BANDS {
        return Err(format!("{} bands are listed, {MAX_BANDS} at most can be sent", bands.len()));
    }
    let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    for (number, band) in (1..).zip(bands) {
        let Band { id, addr, .. } = &band;
        if id.is_empty() || id.len() > MAX_ID || id.contains(char::is_control) {
            return Err(format!("band {number}: id must be 1 to {MAX_ID} bytes without control characters"));
        }
        if !is_address(addr) {
            return Err(format!(
                "band {number} ({id}): addr must be six pairs of hex digits such as 5c:f3:70:8a:11:02, found {addr:?}"
            ));
        }
        band.addr.make_ascii_lowercase();
        if !ids.insert(&band.id) {
            return Err(format!("band {number}: id {} is listed twice", band.id));
        }
        if !addresses.insert((&band.addr, band.addr_type)) {
            return Err(format!("band {number} ({}): addr {} is listed twice", band.id, band.addr));
        }
    }
    Ok(())
}

fn is_address(text: &str) -> bool {
    text.split(':').count() == 6
        && text.split(':').all(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> Result<Roster, String> {
        Roster::parse(Path::new("roster.toml"), text).map_err(|error| match error {
            RosterError::Syntax { source, .. } => source.to_string(),
            other => other.to_string(),
        })
    }

    #[test]
    fn a_roster_is_sent_as_the_protocol_says() {
        let roster = parse(
            "rev = 7\nmode = \"all\"\n\
             [[band]]\nid = \"b1\"\naddr = \"5C:F3:70:8A:11:02\"\nauth = \"authenticated\"\n\
             [[band]]\nid = \"b2\"\naddr = \"5c:f3:70:8a:11:02\"\naddr_type = \"random\"\nactive = false\n",
        )
        .unwrap();
        let expected = json!({"rev": 7, "mode": "all", "bands": [
            {"id": "b1", "addr": "5c:f3:70:8a:11:02", "addr_type": "public", "active": true, "auth": "authenticated"},
            {"id": "b2", "addr": "5c:f3:70:8a:11:02", "addr_type": "random", "active": false, "auth": "unknown"},
        ]});
        assert_eq!(serde_json::to_value(&roster).unwrap(), expected);
    }

    #[test]
    fn an_edited_file_without_rev_is_another_revision() {
        let (one, two) = (parse("").unwrap(), parse("mode = \"all\"").unwrap());
        assert_ne!(one.rev, two.rev);
        assert_eq!((one.rev, one.mode, one.bands.len()), (parse("").unwrap().rev, Mode::Listed, 0));
        assert!(one.rev < 1 << 53);
    }

    #[test]
    fn mistakes_are_named() {
        let band = |id: &str, addr: &str| format!("[[band]]\nid = {id:?}\naddr = {addr:?}\n");
        let cases = [
            ("rev = -1".into(), "line 1"),
            ("mode = \"some\"".into(), "`listed` or `all`"),
            ("[[band]]\nid = \"x\"\n".into(), "missing field `addr`"),
            ("[[bands]]\n".into(), "unknown field `bands`"),
            (band("x", "5c:f3:70:8a:11"), "band 1 (x): addr must be six pairs"),
            (band("x", "5c:f3:70:8a:11:+2"), "found \"5c:f3:70:8a:11:+2\""),
            (band("", "5c:f3:70:8a:11:02"), "band 1: id must be 1 to 64 bytes"),
            (band("x", "5c:f3:70:8a:11:02") + &band("x", "5c:f3:70:8a:11:03"), "id x is listed twice"),
            (band("x", "5c:f3:70:8a:11:02") + &band("y", "5C:f3:70:8a:11:02"), "band 2 (y): addr"),
            (band("x", "5c:f3:70:8a:11:02").repeat(MAX_BANDS + 1), "1025 bands are listed"),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(expected), "{error}\nshould contain {expected}");
        }
    }

    #[test]
    fn the_largest_roster_fits_a_frame() {
        let bands = (0..MAX_BANDS)
            .map(|n| Band {
                id: format!("{n:0width$}", width = MAX_ID),
                addr: "5c:f3:70:8a:11:02".into(),
                addr_type: AddrType::Random,
                active: false,
                auth: Auth::Authenticated,
            })
            .collect();
        let roster = Roster { rev: 1, mode: Mode::Listed, bands };
        assert!(serde_json::to_string(&roster).unwrap().len() < 250 * 1024);
    }
}
