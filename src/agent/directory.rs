//! The roster as the agent maintains it: set whole, or patched on the revision the agent believes in force.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bgapi::Address;

use super::address;
use super::limits;
use super::note::clip;
use super::request::{BandRef, Listing, RosterPatch, RosterSet};
use crate::event::Auth;
use crate::roster::{Entry, Roster};

/// The roster in force, if there is one.
#[derive(Debug, Default)]
pub(super) struct Directory {
    roster: Option<Arc<Roster>>,
    /// Its addresses by name, since commands about a band come often.
    addresses: HashMap<Arc<str>, Address>,
}

impl Directory {
    /// The revision in force.
    pub(super) fn rev(&self) -> Option<u64> {
        self.roster.as_ref().map(|roster| roster.rev)
    }

    /// Puts a whole roster in force, or says why not.
    pub(super) fn set(&mut self, set: RosterSet) -> Result<Arc<Roster>, String> {
        if set.base_rev.is_some() {
            self.check_base(set.base_rev)?;
        }
        let mut entries = Vec::with_capacity(set.bands.len());
        for listing in set.bands.iter().filter(|listing| !listing.removed) {
            let mut entry = new(listing);
            apply(&mut entry, listing)?;
            entries.push(entry);
        }
        self.put(Roster { rev: set.rev, mode: set.mode.unwrap_or_default(), entries })
    }

    /// Works changes into the roster in force, or says why not.
    pub(super) fn patch(&mut self, patch: RosterPatch) -> Result<Arc<Roster>, String> {
        self.check_base(patch.base_rev)?;
        check_size(patch.bands.len())?;
        let roster = self.roster.as_deref().cloned().unwrap_or_default();
        let mut entries: Vec<_> = roster.entries.into_iter().map(Some).collect();
        let mut places: HashMap<_, _> =
            entries.iter().flatten().enumerate().map(|(place, entry)| (Arc::clone(&entry.id), place)).collect();
        for listing in &patch.bands {
            if listing.removed {
                if let Some(place) = places.remove(&listing.id) {
                    entries[place] = None;
                }
                continue;
            }
            let place = *places.entry(Arc::clone(&listing.id)).or_insert(entries.len());
            if place == entries.len() {
                entries.push(Some(new(listing)));
            }
            if let Some(entry) = &mut entries[place] {
                apply(entry, listing)?;
            }
        }
        let entries = entries.into_iter().flatten().collect();
        self.put(Roster { rev: patch.rev, mode: patch.mode.unwrap_or(roster.mode), entries })
    }

    /// Whom a command means.
    pub(super) fn find(&self, band: &BandRef) -> Result<Address, String> {
        match band {
            BandRef { addr: Some(addr), addr_type, .. } => parse(addr, addr_type.as_deref()),
            BandRef { id: Some(id), .. } => {
                self.addresses.get(id).copied().ok_or_else(|| clip(&format!("the roster has no address for {id:?}")))
            }
            _ => Err("a band needs `addr` or `id`".to_owned()),
        }
    }

    fn check_base(&self, base: Option<u64>) -> Result<(), String> {
        let text = |rev: Option<u64>| rev.map_or_else(|| "none".to_owned(), |rev| rev.to_string());
        let have = self.rev();
        if base == have { Ok(()) } else { Err(format!("base_rev is {}, in force is {}", text(base), text(have))) }
    }

    fn put(&mut self, roster: Roster) -> Result<Arc<Roster>, String> {
        check_size(roster.entries.len())?;
        let (mut ids, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for Entry { id, address, .. } in &roster.entries {
            if id.is_empty() || id.len() > limits::NAME || id.contains(char::is_control) {
                return Err(format!("a band's id must have 1 to {} bytes and no control characters", limits::NAME));
            }
            if !ids.insert(id) {
                return Err(clip(&format!("{id:?} is listed twice")));
            }
            if address.is_some_and(|address| !addresses.insert(address)) {
                return Err(clip(&format!("{id:?} has the address of another band")));
            }
        }
        let named = |entry: &Entry| Some((Arc::clone(&entry.id), entry.address?));
        self.addresses = roster.entries.iter().filter_map(named).collect();
        let roster = Arc::new(roster);
        self.roster = Some(Arc::clone(&roster));
        Ok(roster)
    }
}

/// The names that cannot be recognised on the air, those without an address.
pub(super) fn unknown(roster: &Roster) -> impl Iterator<Item = &Arc<str>> {
    roster.entries.iter().filter(|entry| entry.address.is_none()).map(|entry| &entry.id)
}

fn check_size(bands: usize) -> Result<(), String> {
    if bands > limits::ROSTER {
        return Err(format!("a roster may list {} bands, not {bands}", limits::ROSTER));
    }
    Ok(())
}

fn new(listing: &Listing) -> Entry {
    Entry { id: Arc::clone(&listing.id), address: None, active: true, auth: Auth::Unknown }
}

fn apply(entry: &mut Entry, listing: &Listing) -> Result<(), String> {
    if let Some(addr) = &listing.addr {
        entry.address = Some(parse(addr, listing.addr_type.as_deref())?);
    }
    entry.active = listing.active.unwrap_or(entry.active);
    entry.auth = listing.auth.unwrap_or(entry.auth);
    Ok(())
}

fn parse(addr: &str, kind: Option<&str>) -> Result<Address, String> {
    address::parse(addr, kind).ok_or_else(|| {
        let kind = kind.map_or_else(String::new, |kind| format!(" of type {kind:?}"));
        clip(&format!("{addr:?}{kind} is no band address (like 5c:f3:70:8a:11:02, public or random)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Mode;

    fn set(json: &str) -> RosterSet {
        serde_json::from_str(json).unwrap()
    }

    fn patch(json: &str) -> RosterPatch {
        serde_json::from_str(json).unwrap()
    }

    const TWO: &str = r#"{"rev":1,"bands":[{"id":"a","addr":"00:00:00:00:00:0a"},{"id":"b","irk":"00"}]}"#;

    #[test]
    fn a_set_takes_the_place_of_everything() {
        let mut directory = Directory::default();
        let roster = directory.set(set(TWO)).unwrap();
        assert_eq!((roster.rev, roster.mode, directory.rev()), (1, Mode::Listed, Some(1)));
        assert!(unknown(&roster).map(|id| &**id).eq(["b"]));
        let roster = directory.set(set(r#"{"rev":2,"mode":"all","bands":[]}"#)).unwrap();
        assert_eq!((roster.rev, roster.mode, roster.entries.len()), (2, Mode::All, 0));
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let mut directory = Directory::default();
        directory.set(set(TWO)).unwrap();
        let roster = directory
            .patch(patch(
                r#"{"rev":2,"base_rev":1,"bands":[{"id":"a","active":false,"auth":"authenticated"},
                    {"id":"b","removed":true},{"id":"z","removed":true},
                    {"id":"c","addr":"00:00:00:00:00:0c","addr_type":"random"}]}"#,
            ))
            .unwrap();
        let seen: Vec<_> =
            roster.entries.iter().map(|e| (&*e.id, e.address.map(|a| a.bytes.to_string()), e.active, e.auth)).collect();
        assert_eq!(
            seen,
            [
                ("a", Some("00:00:00:00:00:0a".to_owned()), false, Auth::Authenticated),
                ("c", Some("00:00:00:00:00:0c".to_owned()), true, Auth::Unknown),
            ]
        );
    }

    #[test]
    fn a_patch_is_worked_in_from_first_to_last() {
        let mut directory = Directory::default();
        directory.set(set(TWO)).unwrap();
        let roster = directory
            .patch(patch(
                r#"{"rev":2,"base_rev":1,"bands":[{"id":"a","removed":true},{"id":"c"},{"id":"c","active":false},
                    {"id":"a","auth":"unenrolled"},{"id":"d"},{"id":"d","removed":true}]}"#,
            ))
            .unwrap();
        let seen: Vec<_> = roster.entries.iter().map(|e| (&*e.id, e.address.is_some(), e.active, e.auth)).collect();
        let expected = [
            ("b", false, true, Auth::Unknown),
            ("c", false, false, Auth::Unknown),
            ("a", false, true, Auth::Unenrolled),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_wrong_leaves_the_roster_as_it_was() {
        let mut directory = Directory::default();
        directory.set(set(TWO)).unwrap();
        // However few bands these come to, reading them must not take long.
        let too_many = vec![r#"{"id":"c"}"#; limits::ROSTER + 1].join(",");
        let too_many = format!(r#"{{"rev":3,"base_rev":1,"bands":[{too_many}]}}"#);
        let cases = [
            (r#"{"rev":3,"base_rev":2,"bands":[]}"#, "base_rev is 2, in force is 1"),
            (r#"{"rev":3,"bands":[]}"#, "base_rev is none, in force is 1"),
            (r#"{"rev":3,"base_rev":1,"bands":[{"id":"c","addr":"nonsense"}]}"#, "no band address"),
            (r#"{"rev":3,"base_rev":1,"bands":[{"id":"c","addr":"00:00:00:00:00:0a"}]}"#, "address of another band"),
            (r#"{"rev":3,"base_rev":1,"bands":[{"id":""}]}"#, "1 to 128 bytes"),
            (r#"{"rev":3,"base_rev":1,"bands":[{"id":"a\u0007"}]}"#, "no control characters"),
            (&too_many, "may list 2000 bands, not 2001"),
        ];
        for (json, reason) in cases {
            let refusal = directory.patch(patch(json)).unwrap_err();
            assert!(refusal.contains(reason), "{json}: {refusal}");
        }
        let twice = r#"{"rev":3,"bands":[{"id":"a"},{"id":"a"}]}"#;
        assert_eq!(directory.set(set(twice)).unwrap_err(), "\"a\" is listed twice");
        assert!(directory.set(set(r#"{"rev":3,"base_rev":9,"bands":[]}"#)).is_err());
        assert_eq!(directory.rev(), Some(1));
    }

    #[test]
    fn commands_name_bands_by_address_or_id() {
        let mut directory = Directory::default();
        directory.set(set(TWO)).unwrap();
        let find = |json: &str| directory.find(&serde_json::from_str(json).unwrap());
        assert_eq!(find(r#"{"id":"a"}"#).unwrap().bytes.to_string(), "00:00:00:00:00:0a");
        assert_eq!(find(r#"{"addr":"00:00:00:00:00:0F"}"#).unwrap().bytes.to_string(), "00:00:00:00:00:0f");
        assert!(find(r#"{"id":"b"}"#).unwrap_err().contains("no address for \"b\""));
        assert!(find("{}").is_err());
        directory.patch(patch(r#"{"rev":2,"base_rev":1,"bands":[{"id":"a","removed":true}]}"#)).unwrap();
        assert!(directory.find(&serde_json::from_str(r#"{"id":"a"}"#).unwrap()).is_err(), "it went with the patch");
    }
}
