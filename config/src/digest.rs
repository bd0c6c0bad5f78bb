//! A short name for what a configuration decides.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use crate::quantity::Level;
use crate::settings::{Adapter, AdapterChoice, AwayPace, Bands, Config, Detector};

/// The first 32 bits of a SHA-256 over all that decisions and scanning depend on.
///
/// Two daemons with the same digest decide the same from the same readings. Where the agent is, how it is
/// spoken to and what is logged are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u32);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Config {
    /// The digest that every decision carries.
    pub fn digest(&self) -> Digest {
        let hash = Sha256::digest(self.canonical());
        Digest(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }

    /// What is hashed: a line for each value, in a fixed order and form.
    fn canonical(&self) -> String {
        // Taken apart whole, so that a new field is either hashed or left out on purpose.
        let Self {
            agent_url: _,
            rssi_window_tap,
            rssi_window_long,
            rssi_tap_threshold,
            rssi_cutoffs,
            detector,
            away_pace,
            absent_after,
            bands: Bands { company_ids, name_prefixes, service_uuids, addresses, all },
            agent: _,
            log: _,
            adapters,
        } = self;
        let detector = match detector {
            Detector::Classic => "classic",
            Detector::Adaptive => "adaptive",
        };
        let or_zero = |level: Option<Level>| level.map_or(0, Level::dbm);
        let mut text = String::from("nbe configuration 1\n");
        let mut line = |name: &str, value: &dyn fmt::Display| {
            writeln!(text, "{name}={value}").expect("a string takes all that is written");
        };
        line("rssi_window_tap", &rssi_window_tap.get());
        line("rssi_window_long", &rssi_window_long.get());
        line("rssi_tap_threshold", &or_zero(*rssi_tap_threshold));
        line("rssi_cutoff_close", &or_zero(rssi_cutoffs.map(|cutoffs| cutoffs.close())));
        line("rssi_cutoff_far", &or_zero(rssi_cutoffs.map(|cutoffs| cutoffs.far())));
        line("detector", &detector);
        // Nothing for the one in the middle: captures from before there was a choice keep their digest.
        match away_pace {
            AwayPace::Sooner => line("away_pace", &"sooner"),
            AwayPace::Balanced => {}
            AwayPace::Calmer => line("away_pace", &"calmer"),
        }
        line("absent_after_us", &absent_after.as_micros());
        company_ids.iter().for_each(|id| line("company_id", id));
        // Quoted, since a name can hold a line's end.
        name_prefixes.iter().for_each(|prefix| line("name_prefix", &format_args!("{prefix:?}")));
        service_uuids.iter().for_each(|uuid| line("service_uuid", uuid));
        addresses.iter().for_each(|address| line("address", address));
        line("all", all);
        for Adapter { which, rssi_offset, scan, active_scan } in adapters {
            match which {
                AdapterChoice::Any => line("adapter", &"any"),
                AdapterChoice::Port(port) => line("adapter", &format_args!("port {port:?}")),
                AdapterChoice::Address(address) => line("adapter", &format_args!("address {address}")),
            }
            line("rssi_offset_tenths", &rssi_offset.tenths());
            line("scan_interval_ticks", &scan.interval().get());
            line("scan_window_ticks", &scan.window().get());
            line("active_scan", active_scan);
        }
        text
    }
}
