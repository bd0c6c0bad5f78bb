//! Where the agent is.

use std::fmt;
use std::path::PathBuf;

use tokio_tungstenite::tungstenite::http::Uri;

use crate::phoenix::VSN;

/// An agent's address, ready to be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// The whole URL, `vsn` included.
    pub(super) url: String,
    /// Certificates to trust in place of the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// SHA-256 of the public key (SubjectPublicKeyInfo) that the agent's certificate must have.
    pub(super) pin: Option<[u8; 32]>,
}

/// Why a text is no agent's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a URL at all.
    #[error("not a URL: it should look like ws://127.0.0.1:9120/socket/websocket")]
    Url,
    /// Neither `ws` nor `wss`.
    #[error("the URL must begin with ws:// or wss://")]
    Scheme,
    /// A name and password in the URL, where servers and proxies log them.
    #[error("no user name or password may stand in the URL")]
    Credentials,
}

impl Target {
    /// Reads an agent's URL; its query keeps every parameter and gets Phoenix's `vsn` once.
    ///
    /// # Errors
    /// If it is not a `ws` or `wss` URL with a host.
    pub fn new(agent_url: &str, ca_file: Option<PathBuf>) -> Result<Self, TargetError> {
        let without_fragment = agent_url.split('#').next().unwrap_or_default();
        let uri: Uri = without_fragment.parse().map_err(|_| TargetError::Url)?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            Some(_) => return Err(TargetError::Scheme),
            None => return Err(TargetError::Url),
        };
        let authority = uri.authority().ok_or(TargetError::Url)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(TargetError::Url);
        }
        let port = match authority.port() {
            Some(port) => port.as_str().parse().map_err(|_| TargetError::Url)?,
            // A port that is none is no port to `http` either.
            None if authority.as_str() != authority.host() => return Err(TargetError::Url),
            None if tls => 443,
            None => 80,
        };
        let others = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|param| !param.is_empty() && param.split('=').next() != Some("vsn"));
        let vsn = format!("vsn={VSN}");
        let query = others.chain([vsn.as_str()]).collect::<Vec<_>>().join("&");
        let scheme = if tls { "wss" } else { "ws" };
        let url = format!("{scheme}://{authority}{}?{query}", uri.path());
        Ok(Self { host, port, tls, url, ca_file, pin: None })
    }

    /// Asks for a certificate with this public key (SHA-256 of its SubjectPublicKeyInfo), besides one that is trusted.
    #[must_use]
    pub fn pinned(mut self, pin: Option<[u8; 32]>) -> Self {
        self.pin = pin;
        self
    }
}

/// Host and port.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vsn_is_added_once_and_nothing_is_lost() {
        let cases = [
            ("ws://h/socket/websocket", "ws://h/socket/websocket?vsn=2.0.0"),
            ("ws://h:1/s?room=5&x", "ws://h:1/s?room=5&x&vsn=2.0.0"),
            ("ws://h/s?vsn=2.0.0", "ws://h/s?vsn=2.0.0"),
            ("ws://h/s?vsn=1.0.0&a=b", "ws://h/s?a=b&vsn=2.0.0"),
            ("ws://h/s?vsnx=1&a=vsn", "ws://h/s?vsnx=1&a=vsn&vsn=2.0.0"),
            ("ws://h/s?", "ws://h/s?vsn=2.0.0"),
            ("wss://h", "wss://h/?vsn=2.0.0"),
            ("ws://[::1]:9/s#f", "ws://[::1]:9/s?vsn=2.0.0"),
        ];
        for (given, expected) in cases {
            assert_eq!(Target::new(given, None).unwrap().url, expected, "{given}");
        }
    }

    #[test]
    fn host_and_port_are_found() {
        let cases = [
            ("ws://agent.example/s", "agent.example:80"),
            ("wss://agent.example/s", "agent.example:443"),
            ("ws://127.0.0.1:9120/s", "127.0.0.1:9120"),
            ("ws://[::1]:9120/s", "[::1]:9120"),
        ];
        for (given, expected) in cases {
            assert_eq!(Target::new(given, None).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let cases = [
            ("", TargetError::Url),
            ("127.0.0.1:9120", TargetError::Url),
            ("/socket", TargetError::Url),
            ("ws://", TargetError::Url),
            ("ws://h:99999/", TargetError::Url),
            ("http://h/", TargetError::Scheme),
            ("ws://me:secret@h/", TargetError::Credentials),
        ];
        for (given, expected) in cases {
            assert_eq!(Target::new(given, None), Err(expected), "{given}");
        }
    }
}
