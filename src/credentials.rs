//! What nbe.toml only names: the agent's token and the certificates to trust, in files of their own.
//!
//! The daemon uses them, and `nbe check` tells beforehand whether it can.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use config::Config;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

use crate::secret::Secret;

/// The longest token that is read, in bytes.
const MAX_TOKEN: u64 = 8 * 1024;

/// The name under which the service manager hands over the token.
const CREDENTIAL: &str = "agent-token";

/// Why a file that the agent's connection needs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The token file is not there, or not for us.
    #[error("cannot read the token file {}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The token file is empty.
    #[error("the token file {} holds no token: expected one line of text", path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
    },
    /// The token file is open to others than its owner.
    #[error("the token file {} can be read by others (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The certificates are not there, not for us, or not PEM.
    #[error("cannot read ca_file {}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What the system or the reader of PEM says.
        source: pem::Error,
    },
    /// One of the certificates is none.
    #[error("ca_file {} holds a certificate that cannot be used", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// There is no certificate in the file.
    #[error("ca_file {} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
}

impl CredentialError {
    /// The key of nbe.toml that names the file.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Token { .. } | Self::NoToken { .. } | Self::Exposed { .. } => "agent.token_file",
            Self::Certificates { .. } | Self::BadCertificate { .. } | Self::NoCertificate { .. } => "agent.ca_file",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> String {
        let (path, error) = match self {
            Self::Exposed { path, .. } => return format!("chmod 600 {}", path.display()),
            Self::NoToken { .. } => return "write the agent's token into it, as one line".into(),
            Self::BadCertificate { .. } | Self::NoCertificate { .. } => {
                return "write the certificates to trust into it, as PEM".into();
            }
            Self::Token { path, source } => (path, Some(source)),
            Self::Certificates { path, source: pem::Error::Io(source) } => (path, Some(source)),
            Self::Certificates { path, .. } => (path, None),
        };
        let (key, path) = (self.key(), path.display());
        match error.map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => format!("put the file there, or correct {key}"),
            Some(io::ErrorKind::PermissionDenied) => {
                format!("let the account that runs nbe own {path}, and check as that account")
            }
            _ => format!("see what is at {path}: it must be a file of text"),
        }
    }
}

/// The token for the agent: the service manager's credential, or the configured file's line.
///
/// `None` where none is configured, or where it would travel in the clear.
///
/// # Errors
/// If there is a file and no token can be taken from it.
pub fn token(config: &Config) -> Result<Option<Secret>, CredentialError> {
    if !config.agent_url.is_secure() {
        return Ok(None);
    }
    let credential =
        std::env::var_os("CREDENTIALS_DIRECTORY").map(|directory| PathBuf::from(directory).join(CREDENTIAL));
    match (credential.filter(|path| path.exists()), &config.agent.token_file) {
        // Its folder is the service's alone; an access list may show in the mode as if a group could read it.
        (Some(path), _) => read_token(&path, true).map(Some),
        (None, Some(path)) => read_token(path, false).map(Some),
        (None, None) => Ok(None),
    }
}

/// The certificates to trust, from a file of PEM.
///
/// # Errors
/// If it cannot be read, holds something that is no certificate, or none at all.
pub fn certificates(path: &Path) -> Result<RootCertStore, CredentialError> {
    let unreadable = |source| CredentialError::Certificates { path: path.into(), source };
    let mut roots = RootCertStore::empty();
    let file = open(path).map_err(|source| unreadable(pem::Error::Io(source)))?;
    for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
        let added = roots.add(certificate.map_err(unreadable)?);
        added.map_err(|source| CredentialError::BadCertificate { path: path.into(), source })?;
    }
    if roots.is_empty() {
        return Err(CredentialError::NoCertificate { path: path.into() });
    }
    Ok(roots)
}

/// All that is wrong with the files that the configuration names.
pub fn check(config: &Config) -> Vec<CredentialError> {
    let certificates = config.agent.ca_file.as_deref().map_or(Ok(()), |path| certificates(path).map(drop));
    [token(config).map(drop), certificates].into_iter().filter_map(Result::err).collect()
}

fn open(path: &Path) -> io::Result<File> {
    // Asked first: opening a pipe would wait for its other end.
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
    }
}

fn read_token(path: &Path, is_guarded: bool) -> Result<Secret, CredentialError> {
    let unreadable = |source| CredentialError::Token { path: path.into(), source };
    let file = open(path).map_err(unreadable)?;
    let mode = mode(&file.metadata().map_err(unreadable)?);
    if mode & 0o077 != 0 && !is_guarded {
        return Err(CredentialError::Exposed { path: path.into(), mode });
    }
    let mut text = String::new();
    file.take(MAX_TOKEN).read_to_string(&mut text).map_err(unreadable)?;
    match text.trim() {
        "" => Err(CredentialError::NoToken { path: path.into() }),
        token => Ok(Secret::new(token)),
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o777
}

/// Elsewhere, who may read a file is not told by a mode.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}
