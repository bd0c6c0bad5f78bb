//! The verbs of the command line, one file each.

pub mod agent;
pub mod check;
pub mod decode;
pub mod replay;
#[cfg(unix)]
pub mod simulate;

mod configuration; // the effective configuration, or why there is none
mod hex; // captures as people write them down
mod input; // files and standard input
//! The verbs of the command line, one module each.

pub mod ports; // which dongles and other serial ports there are
