//! nbe.toml: layers, origins, ranges, and mistakes shown where they stand.
//!
//! ```text
//! nbe.default.toml ┐
//! nbe.toml         ├→ merge → rules → Config, values with origins, diagnostics
//! environment      │
//! flags            ┘
//! ```
//!
//! A reload resolves again and asks [`Config::change_since`] what to do; a file that has become wrong is answered
//! with its diagnostics, and [`last_good`] stands in for it at the next start.
//!
//! Everything but [`find`] and [`last_good`] is pure: text goes in, values and diagnostics come out.
//!
//! ```
//! # use nbe_config as config;
//! use config::{Flag, Sources, resolve};
//!
//! let flags = vec![Flag { name: "--threshold", key: "rssi_tap_threshold", value: "42".into() }];
//! let resolution = resolve(&Sources { flags, ..Sources::default() });
//! assert!(resolution.config.is_none());
//! assert_eq!(
//!     resolution.diagnostics[0].message,
//!     "rssi_tap_threshold must be 0 or -99 to -1, found 42 (is the minus sign missing?)",
//! );
//! ```

pub mod find; // the file: where it is, and its bytes
pub mod last_good; // the copy of the last valid file
pub mod names; // which names are known

mod agent_url; // where the agent listens
mod change; // what a reload changes
mod diagnostic; // a mistake, its place, and how both are printed
mod digest; // a short name for what a configuration decides
mod held; // values proven one by one, with their origins
mod identity; // addresses, UUIDs, pins
mod kind; // what a key can take
mod layers; // what goes in
mod merge; // lays the layers over each other
mod odd; // characters that only look right
mod quantity; // levels, windows, offsets, scan times
mod resolve; // from layers to a configuration
mod rules; // the rules between keys
mod schema; // the table of keys
mod settings; // what comes out
mod syntax; // what is no TOML

pub use agent_url::{AgentUrl, AgentUrlError, Host};
pub use change::Change;
pub use diagnostic::{Diagnostic, Excerpt, Lines, Location, Severity, printable};
pub use digest::Digest;
pub use identity::{Address, Pin, ServiceUuid, Uuid};
pub use layers::{Flag, Origin, SourceFile, Sources};
pub use quantity::{Cutoffs, Level, RssiOffset, ScanTicks, ScanTiming, WindowLength};
pub use resolve::{Effective, Resolution, resolve};
pub use settings::{
    Adapter, AdapterChoice, Agent, AwayPace, Bands, Config, Detector, Log, LogFormat, LogLevel, LogParts,
};

/// The reference file `nbe.default.toml`, which is the lowest layer.
pub const REFERENCE: &str = include_str!("../../nbe.default.toml");
