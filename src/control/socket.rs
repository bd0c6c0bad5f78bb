//! The shell's end of the control socket: a listener, a few connections, and the command's side of one.

mod client; // the side that asks
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use self::client::{AskError, ask};
pub use self::system::{BindError, Listener, Stream, elsewhere, own_place, places};
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;
use super::pace::Pace;
use super::reply::{Code, Refusal, Reply};
use super::request::{Access, Request};
use super::session::Session;
use crate::clock::Clock;
use crate::time::Time;

/// The most connections at a time.
const MOST: usize = 8;

/// How long nobody is let in after the system could not let somebody in, as when descriptors run out.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How much is read at a time.
const BUFFER: usize = 1024;

/// Everybody who asks. What it holds is bounded, whatever they do, and without anybody nothing is ever due.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    peers: Vec<Peer>,
    /// The name of the next one who connects.
    next_name: u64,
    pace: Pace,
    /// Nobody is served before.
    rests_until: Option<Time>,
}

/// A request, and whose it is.
#[derive(Debug)]
pub struct Asked {
    peer: u64,
    /// What is asked.
    pub request: Request,
}

#[derive(Debug)]
struct Peer {
    name: u64,
    stream: Stream,
    session: Session,
}

/// What serving brought.
enum Turn {
    /// Something was read, or refused.
    Served,
    Asked(Request),
    /// There is nobody any more.
    Gone,
}

impl Server {
    /// Serves whoever comes to the listener.
    pub fn new(listener: Listener, now: Time) -> Self {
        Self { listener, peers: Vec::new(), next_name: 0, pace: Pace::new(now), rests_until: None }
    }

    /// Waits until something happens: a request, to be answered with [`Server::answer`], or nothing to act on, though
    /// [`Server::poll_timeout`] may be another. May be dropped and called again at any time.
    pub async fn next(&mut self, clock: Clock) -> Option<Asked> {
        if self.rests_until.is_some() {
            return pending().await;
        }
        let Self { listener, peers, .. } = self;
        let turn = tokio::select! {
            accepted = listener.accept() => Err(accepted),
            (place, turn) = next_of(peers, clock) => Ok((place, turn)),
        };
        let now = clock.now();
        self.serve(now);
        match turn {
            Ok((place, turn)) => {
                // The last in line from now on, or one who never stops would starve the others.
                let peer = self.peers.remove(place);
                let name = peer.name;
                if !matches!(turn, Turn::Gone) {
                    self.peers.push(peer);
                }
                match turn {
                    Turn::Asked(request) => Some(Asked { peer: name, request }),
                    Turn::Served | Turn::Gone => None,
                }
            }
            Err(Ok((stream, access))) => {
                self.admit(now, stream, access);
                None
            }
            Err(Err(error)) => {
                tracing::warn!("cannot let somebody in at the control socket: {error}");
                self.rests_until = Some(now + AFTER_FAILURE);
                None
            }
        }
    }

    /// Answers a request; one whose asker is gone is dropped.
    pub fn answer(&mut self, now: Time, asked: Asked, result: Result<serde_json::Value, Refusal>) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.name == asked.peer) {
            peer.session.answer(now, Reply { id: asked.request.id, result });
        }
    }

    /// The next moment something is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.peers.iter().map(|peer| peer.session.deadline()).chain(self.rests_until).min()
    }

    /// Lets go of the idle and the slow, and goes on after a rest.
    pub fn handle_timeout(&mut self, now: Time) {
        self.peers.retain(|peer| peer.session.deadline() > now);
        self.rests_until = self.rests_until.filter(|until| *until > now);
    }

    fn serve(&mut self, now: Time) {
        self.pace.serve(now);
        self.rests_until = Some(self.pace.next()).filter(|next| *next > now);
    }

    fn admit(&mut self, now: Time, mut stream: Stream, access: Access) {
        if self.peers.len() >= MOST {
            // Whoever may change is not kept out by those who may not.
            let idle = |(_, peer): &(usize, &Peer)| peer.session.deadline();
            let looking = self.peers.iter().enumerate().filter(|(_, peer)| peer.session.access() < access);
            let Some((place, _)) = looking.min_by_key(idle) else {
                let refusal = Refusal::new(Code::Busy, format!("{MOST} others are connected"), "try again in a minute");
                let line = Reply::no(serde_json::Value::Null, refusal).line();
                // The line fits into a new socket; it is not waited for.
                let _ = Pin::new(&mut stream).poll_write(&mut Context::from_waker(Waker::noop()), line.as_bytes());
                return;
            };
            self.peers.remove(place);
        }
        self.next_name += 1;
        self.peers.push(Peer { name: self.next_name, stream, session: Session::new(access, now) });
    }
}

/// Waits until one of them has something, and says who by the place.
async fn next_of(peers: &mut [Peer], clock: Clock) -> (usize, Turn) {
    poll_fn(|cx| {
        for (place, peer) in peers.iter_mut().enumerate() {
            if let Poll::Ready(turn) = peer.poll(cx, clock) {
                return Poll::Ready((place, turn));
            }
        }
        Poll::Pending
    })
    .await
}

impl Peer {
    /// Writes what is to be written, then reads once at most.
    fn poll(&mut self, cx: &mut Context<'_>, clock: Clock) -> Poll<Turn> {
        let Self { stream, session, .. } = self;
        let mut stream = Pin::new(stream);
        while !session.unsent().is_empty() {
            match ready!(stream.as_mut().poll_write(cx, session.unsent())) {
                Ok(sent @ 1..) => session.handle_sent(clock.now(), sent),
                Ok(0) | Err(_) => return Poll::Ready(Turn::Gone),
            }
        }
        if let Some(request) = session.poll_request(clock.now()) {
            return Poll::Ready(Turn::Asked(request));
        }
        if !session.unsent().is_empty() {
            return Poll::Ready(Turn::Served);
        }
        if session.is_over() {
            return Poll::Ready(Turn::Gone);
        }
        let room = session.room().min(BUFFER);
        if room == 0 {
            return Poll::Pending; // until it is answered
        }
        let mut buffer = [0; BUFFER];
        let mut buffer = ReadBuf::new(&mut buffer[..room]);
        match ready!(stream.poll_read(cx, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => session.handle_end(),
            Ok(()) => session.handle_bytes(buffer.filled()),
            Err(_) => return Poll::Ready(Turn::Gone),
        }
        Poll::Ready(Turn::Served)
    }
}
