//! A system for which no control socket is written yet.

use std::io;
use std::path::{Path, PathBuf};

use crate::control::Access;

/// A connection, of which there is none.
pub type Stream = tokio::io::DuplexStream;

/// A listener, of which there is none.
#[derive(Debug)]
pub enum Listener {}

/// There is no control socket on this system.
#[derive(Debug, thiserror::Error)]
#[error("there is no control socket on this system")]
pub struct BindError;

impl Listener {
    /// Says that there is none.
    ///
    /// # Errors
    /// Always.
    pub fn bind(_: &Path) -> Result<Self, BindError> {
        Err(BindError)
    }

    /// Never happens.
    ///
    /// # Errors
    /// Never.
    pub async fn accept(&self) -> io::Result<(Stream, Access)> {
        match *self {}
    }
}

/// Nowhere.
pub fn own_place() -> Option<PathBuf> {
    None
}

/// Nowhere.
pub fn places() -> Vec<PathBuf> {
    Vec::new()
}

/// Finds nobody.
///
/// # Errors
/// Always.
pub(super) async fn connect(_: &Path) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}
