//! Opening a websocket: resolve, connect, secure, upgrade; every failure as a sentence.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::target::Target;
use crate::agent::limits;
use crate::clock;
use crate::credentials;

/// What the websocket reads at once; messages are short.
const READ_BUFFER: usize = 8 * 1024;

/// What is gathered before it is written without being flushed.
const WRITE_BUFFER: usize = 16 * 1024;

/// A websocket over TCP, with or without TLS, that counts what it has written.
pub(super) type Stream = WebSocketStream<Meter>;

/// Why no websocket came about.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no to the upgrade, and may say yes later.
    Refused { status: u16, error: String },
    /// Anything else, as a sentence.
    Failed { error: String },
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self::Failed { error }
    }
}

/// Opens a websocket.
pub(super) async fn open(target: Target) -> Result<Stream, Failure> {
    let (end, seconds) = (Instant::now() + limits::CONNECT, limits::CONNECT.as_secs());
    let addresses = timeout_at(end, look_up(&target)).await.unwrap_or_else(|_| {
        Err(format!("cannot find the address of {}: no name server answered within {seconds} s", target.host))
    })?;
    match timeout_at(end, connect(&target, &addresses)).await {
        Ok(result) => result,
        Err(_) => Err(format!("{target} did not answer within {seconds} s").into()),
    }
}

/// Looks the host up anew at every attempt: its name may be known, or lead elsewhere, by then.
async fn look_up(target: &Target) -> Result<Vec<SocketAddr>, String> {
    let found = lookup_host((target.host.as_str(), target.port)).await;
    found.map(Iterator::collect).map_err(|error| {
        let why = error.to_string();
        let why = why.strip_prefix("failed to lookup address information: ").unwrap_or(&why);
        format!("cannot find the address of {}: {why}; see that the name is right and the network is up", target.host)
    })
}

async fn connect(target: &Target, addresses: &[SocketAddr]) -> Result<Stream, Failure> {
    let tcp = TcpStream::connect(addresses).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens on {target}"),
        _ => format!("cannot reach {target}: {error}"),
    })?;
    // A tap is one small write; it must not wait for the answer to the one before.
    tcp.set_nodelay(true).map_err(|error| format!("cannot set up the connection to {target}: {error}"))?;
    let stream: Box<dyn Duplex> = if target.tls { Box::new(secure(target, tcp).await?) } else { Box::new(tcp) };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(limits::INBOUND))
        .max_frame_size(Some(limits::INBOUND));
    let meter = Meter { stream, written: 0 };
    match client_async_with_config(&target.url, meter, Some(config)).await {
        Ok((stream, _response)) => Ok(stream),
        Err(error) => Err(upgrade_failure(target, error)),
    }
}

fn upgrade_failure(target: &Target, error: Error) -> Failure {
    match error {
        Error::Http(response) => {
            let status = response.status();
            let error = match status {
                http::StatusCode::UNAUTHORIZED | http::StatusCode::FORBIDDEN => {
                    format!("{target} may not know it, or not accept its token")
                }
                http::StatusCode::TOO_MANY_REQUESTS => format!("{target} serves too many at once"),
                _ => return format!("{target} answered HTTP {}: not a Phoenix socket", status.as_u16()).into(),
            };
            Failure::Refused { status: status.as_u16(), error }
        }
        Error::Io(error) => format!("{target} broke off before it answered: {error}").into(),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            format!("{target} closed the connection instead of answering").into()
        }
        error => format!("{target} does not answer as a websocket: {error}").into(),
    }
}

async fn secure(target: &Target, tcp: TcpStream) -> Result<impl Duplex + use<>, Failure> {
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| format!("{:?} is no name that a certificate could bear", target.host))?;
    let ca_file = target.ca_file.clone();
    // Reading hundreds of certificates takes long enough to make a reading late.
    let config = tokio::task::spawn_blocking(move || tls_config(ca_file.as_deref()))
        .await
        .map_err(|error| format!("cannot load certificates: {error}"))??;
    let stream =
        TlsConnector::from(config).connect(name, tcp).await.map_err(|error| handshake_failure(target, &error))?;
    // Before anything is said: the token travels in the join.
    match target.pin {
        Some(pin) if public_key(stream.get_ref().1.peer_certificates()) != Some(pin) => {
            Err(format!("cannot trust {target}: its certificate has another public key than [agent] pin names").into())
        }
        _ => Ok(stream),
    }
}

fn handshake_failure(target: &Target, error: &io::Error) -> Failure {
    let error = match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        None => format!("{target} broke off before it was secured: {error}"),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!("{target} does not speak TLS; an agent without it has an agent_url that begins with ws://")
        }
        Some(error) => {
            let date = wrong_date(error);
            let hint = match target.ca_file {
                _ if !clock::is_plausible(clock::wall_ms()) => "; the clock of this machine is wrong, so set it first",
                _ if date.is_some() => "; see that it is renewed in time, and that the clock of this machine is right",
                None => "; a certificate of your own goes into [agent] ca_file",
                Some(_) => "",
            };
            match date {
                Some(date) => format!("cannot trust {target}: {date}{hint}"),
                None => format!("cannot trust {target}: {error}{hint}"),
            }
        }
    };
    error.into()
}

/// That a certificate is too young or too old, without the seconds by which: the next attempt is to say the same.
fn wrong_date(error: &rustls::Error) -> Option<&'static str> {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

    match error {
        rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            Some("its certificate is not valid yet")
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => Some("its certificate has expired"),
        _ => None,
    }
}

/// The SHA-256 of the public key in the first certificate.
fn public_key(certificates: Option<&[CertificateDer<'_>]>) -> Option<[u8; 32]> {
    let certificate = ParsedCertificate::try_from(certificates?.first()?).ok()?;
    Some(Sha256::digest(certificate.subject_public_key_info()).into())
}

fn tls_config(ca_file: Option<&std::path::Path>) -> Result<Arc<ClientConfig>, String> {
    let roots = match ca_file {
        Some(path) => credentials::certificates(path).map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })?,
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this system has no certificates to trust; name some in [agent] ca_file".to_owned());
            }
            roots
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("cannot set up TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Both directions of a connection.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A connection that counts what it took.
pub(super) struct Meter {
    stream: Box<dyn Duplex>,
    /// Bytes written since the connection came about.
    pub(super) written: u64,
}

impl AsyncRead for Meter {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Meter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = result {
            self.written += u64::try_from(written).unwrap_or(u64::MAX);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
