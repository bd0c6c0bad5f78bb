//! The verbs of the command line, one file each.

pub mod agent;
pub mod check;
pub mod decode;
pub mod replay;

mod configuration; // the effective configuration, or why there is none
mod hex; // captures as people write them down
mod input; // files and standard input
//! The verbs of the command line, one module each.

#[cfg(unix)]
pub mod simulate; // the virtual dongle
