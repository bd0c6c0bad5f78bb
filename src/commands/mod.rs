//! The verbs of the command line, one file each.

pub mod agent;
pub mod check;
pub mod decode;
pub mod demo;
pub mod evaluate;
pub mod log;
pub mod migrate;
pub mod ports;
pub mod reload;
pub mod replay;
pub mod run;
#[cfg(windows)]
pub mod service;
pub mod simulate;
pub mod status;

mod configuration; // the effective configuration, or why there is none
mod hex; // captures as people write them down
mod input; // files and standard input
pub(crate) mod output; // standard output that somebody may stop reading
