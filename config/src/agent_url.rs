//! Where the agent listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A websocket address without anything secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentUrl {
    secure: bool,
    host: Host,
    port: u16,
    /// Begins with `/`; holds the query too.
    target: String,
}

/// The host of an [`AgentUrl`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to look up, in lower case.
    Name(String),
    /// An address to connect to.
    Ip(IpAddr),
}

/// Why a text is not an [`AgentUrl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentUrlError {
    /// The text does not begin with `ws://` or `wss://`.
    #[error("it begins with neither ws:// nor wss://")]
    Scheme,
    /// A user name or password stands before the host.
    #[error("a user name or password does not belong into it")]
    UserInfo,
    /// The query names a token.
    #[error("a token does not belong into it, but into the file of [agent] token_file")]
    Token,
    /// The host is missing or no host name or address.
    #[error("the host is not a name or an address")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not 1 to 65535")]
    Port,
    /// The path holds a character that must be percent-encoded, or a fragment follows it.
    #[error("the path holds a character that an address cannot have")]
    Path,
}

impl AgentUrl {
    /// Whether the connection is encrypted (`wss`).
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The TCP port; 80 or 443 where the text names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, `/` where the text has none.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// What follows the first `?`, if anything does.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Whether the agent runs on this machine, judged by the host alone.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ip(ip) => ip.to_canonical().is_loopback(),
        }
    }
}

impl std::str::FromStr for AgentUrl {
    type Err = AgentUrlError;

    fn from_str(text: &str) -> Result<Self, AgentUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(AgentUrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            _ => return Err(AgentUrlError::Scheme),
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(AgentUrlError::UserInfo);
        }
        let default_port = if secure { 443 } else { 80 };
        let (host, port) = split_port(authority);
        let port = match port.map(|port| (port, port.parse())) {
            None => default_port,
            Some((digits, Ok(port))) if port > 0 && !digits.starts_with('+') => port,
            Some(_) => return Err(AgentUrlError::Port),
        };
        let host = host.parse()?;
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte)) {
            return Err(AgentUrlError::Path);
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        let url = Self { secure, host, port, target: format!("{slash}{target}") };
        let names = url.query().into_iter().flat_map(|query| query.split('&'));
        let mut names = names.filter_map(|pair| pair.split('=').next());
        if names.any(|name| name.to_ascii_lowercase().contains("token")) {
            return Err(AgentUrlError::Token);
        }
        Ok(url)
    }
}

impl fmt::Display for AgentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.target)
    }
}

impl std::str::FromStr for Host {
    type Err = AgentUrlError;

    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    fn from_str(text: &str) -> Result<Self, AgentUrlError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(AgentUrlError::Host)?;
            return inner.parse::<Ipv6Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| AgentUrlError::Host);
        }
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Ip(ip.into()));
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        // A name whose last label is a number is a mistyped IPv4 address.
        let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if text.len() > 253 || numeric || !name.split('.').all(is_label) {
            return Err(AgentUrlError::Host);
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// Parts `host:port`, minding the colons within an IPv6 address's brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_bracket..].rfind(':') {
        Some(at) => (&authority[..after_bracket + at], Some(&authority[after_bracket + at + 1..])),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_into_their_parts() {
        let cases = [
            ("ws://127.0.0.1:9120/socket/websocket", "ws://127.0.0.1:9120/socket/websocket", true),
            (
                "WSS://Agent.Example.COM/socket/websocket?vsn=2",
                "wss://agent.example.com:443/socket/websocket?vsn=2",
                false,
            ),
            ("ws://[::1]:9120", "ws://[::1]:9120/", true),
            ("ws://[::ffff:127.0.0.1]/", "ws://[::ffff:127.0.0.1]:80/", true),
            ("ws://localhost:9120/s", "ws://localhost:9120/s", true),
            ("ws://127.9.9.9:1?x", "ws://127.9.9.9:1/?x", true),
            ("wss://10.0.0.7:65535/a%20b", "wss://10.0.0.7:65535/a%20b", false),
            ("ws://localhost.example.com/", "ws://localhost.example.com:80/", false),
        ];
        for (text, written, loopback) in cases {
            let url: AgentUrl = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(url.to_string(), written);
            assert_eq!(url.is_loopback(), loopback, "{text}");
            assert_eq!(written.parse(), Ok(url), "{text}");
        }
    }

    #[test]
    fn each_mistake_has_its_name() {
        let cases = [
            ("", AgentUrlError::Scheme),
            ("127.0.0.1:9120", AgentUrlError::Scheme),
            ("http://127.0.0.1:9120/", AgentUrlError::Scheme),
            ("wss://user:secret@host/", AgentUrlError::UserInfo),
            ("wss://host/socket?auth_token=secret", AgentUrlError::Token),
            ("ws://", AgentUrlError::Host),
            ("ws://:9120/", AgentUrlError::Host),
            ("ws://127.0.0.300:9120/", AgentUrlError::Host),
            ("ws://a host/", AgentUrlError::Host),
            ("ws://::1:9120/", AgentUrlError::Host),
            ("ws://[::1/", AgentUrlError::Host),
            ("ws://münchen.example/", AgentUrlError::Host),
            ("ws://host:0/", AgentUrlError::Port),
            ("ws://host:/", AgentUrlError::Port),
            ("ws://host:+80/", AgentUrlError::Port),
            ("ws://host:65536/", AgentUrlError::Port),
            ("ws://host/a b", AgentUrlError::Path),
            ("ws://host/a#b", AgentUrlError::Path),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<AgentUrl>(), Err(error), "{text}");
        }
    }
}
