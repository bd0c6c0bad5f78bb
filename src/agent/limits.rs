//! Every bound and every wait of the link, with its reason.

use std::time::Duration;

/// A heartbeat goes out this often. A server drops a socket that is silent for 60 s, so three may be lost.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// A heartbeat's answer is due after this; later, a half-open connection would eat taps unnoticed.
pub const HEARTBEAT_REPLY: Duration = Duration::from_secs(10);

/// A join's answer is due after this, as in the official client; the server answers nothing else meanwhile.
pub const JOIN_REPLY: Duration = Duration::from_secs(10);

/// Joins in a row that may go unanswered on one socket before it counts as dead.
pub const JOIN_TRIES: u32 = 2;

/// A join that stood this long was a success and resets the back-offs; a shorter one may be part of a crash loop.
pub const STABLE: Duration = Duration::from_secs(5);

/// Joins in a row that may end, nothing having been acknowledged, before the oldest fact awaited is given up: an agent
/// that crashes on one fact would get no other.
pub const JOINS_ENDED: u32 = 3;

/// A tap's acknowledgement is due after this: twice that still leaves a third of its lifetime for a new connection.
pub const TAP_ACK: Duration = Duration::from_secs(1);

/// Any other fact's acknowledgement is due after this.
pub const FACT_ACK: Duration = Duration::from_secs(5);

/// How old a tap may be and still act, in ms; long enough for one resend, too short for the wearer to walk off.
pub const TAP_TTL: Duration = Duration::from_millis(3_000);

/// What an agent that says `retry` without `after_ms` gets.
pub const RETRY_DEFAULT: Duration = Duration::from_secs(1);

/// The shortest and the longest wait that an agent can ask for with `retry`.
pub const RETRY_RANGE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

/// Facts that wait to be sent; at a band's few facts a minute, many hours without an agent.
pub const QUEUE: usize = 1024;

/// The part of [`QUEUE`] that only taps may use.
pub const QUEUE_FOR_TAPS: usize = 64;

/// Facts that are sent and not acknowledged yet; an agent may ask for fewer.
pub const IN_FLIGHT: usize = 32;

/// The longest frame we write unless the agent asks for less, in bytes; servers may be told to refuse longer ones.
pub const FRAME: usize = 32 * 1024;

/// The shortest such bound that an agent can ask for, in bytes: room for several bands of a snapshot.
pub const FRAME_MIN: usize = 4 * 1024;

/// Bytes that wait in the socket before telemetry is dropped.
pub const SOCKET_BACKLOG: usize = 64 * 1024;

/// A socket that takes nothing of what waits for this long is dead.
pub const SOCKET_STUCK: Duration = Duration::from_secs(5);

/// Connecting, upgrade included, takes no longer than this.
pub const CONNECT: Duration = Duration::from_secs(10);

/// The longest message taken from an agent, in bytes: a full roster fits.
pub const INBOUND: usize = 256 * 1024;

/// Stopping waits this long for acknowledgements.
pub const STOP: Duration = Duration::from_secs(1);

/// Results of commands kept, so that a command said twice is carried out once.
pub const RESULTS: usize = 256;

/// Bands that a roster may list: several times as many as are tracked at once, and patches cannot grow it for ever.
pub const ROSTER: usize = 2_000;

/// The longest name of a command or a band that an agent may use, in bytes.
pub const NAME: usize = 128;

/// A command without a deadline has this one.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The most often that levels are reported per band, in Hz, unless the agent allows more.
pub const RSSI_HZ: u32 = 2;

/// Waits before connecting again, in ms, from the official client; its last one repeats for [`RECONNECT_PLATEAU`] tries.
pub const RECONNECT_MS: &[u64] = &[10, 50, 100, 150, 200, 250, 500, 1_000, 2_000, 5_000];

/// Tries at the last wait of [`RECONNECT_MS`], about a minute of them, before waits double.
pub const RECONNECT_PLATEAU: u32 = 12;

/// The longest wait before connecting again, jitter included, in ms: the doubling stops at two thirds of it, so that
/// half as much again reaches it exactly and a herd of endpoints stays spread out.
pub const RECONNECT_CAP_MS: u64 = 30_000;

/// Waits before joining again on the same socket, in ms, from the official client.
pub const REJOIN_MS: &[u64] = &[1_000, 2_000, 5_000, 10_000];

/// Waits before asking an agent again that refuses us (HTTP 403 and its kin), in ms; up to half as much again is added,
/// so these are 10 s rising to 60 s.
pub const REFUSED_MS: &[u64] = &[10_000, 20_000, 40_000];

/// The wait after another daemon with our id has taken our place.
pub const SUPERSEDED: Duration = Duration::from_secs(60);
