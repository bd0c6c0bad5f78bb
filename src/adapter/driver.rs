//! One dongle in one hand: its session and its port.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bgapi::gap::event::ScanResponse;

use super::counters::Counters;
use super::note::Note;
use super::port::discover::Roots;
use super::port::{Choice, Claims, Port, PortEvent};
use super::session::{Output, ScanSettings, Session, Wanted};
use crate::clock::Clock;
use crate::event::{AdapterId, AdapterState};
use crate::time::Time;

/// How much is read at a time: a second of reports from a crowd.
const BUFFER: usize = 4096;

/// A [`Session`] that has its port; whoever owns it waits with [`next_of`].
#[derive(Debug)]
pub struct Driver {
    clock: Clock,
    session: Session,
    port: Port,
    buffer: Box<[u8; BUFFER]>,
    /// When something last happened at the port.
    happened: Time,
    said: VecDeque<Said>,
}

/// Something happened at a driver's port, to be given to [`Driver::handle`].
#[derive(Debug)]
#[must_use = "bytes read and not handled are lost"]
pub struct Happened {
    at: Time,
    event: PortEvent,
}

/// What a driver has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// To the agent and the engine: how the dongle is.
    State(AdapterState),
    /// To the log.
    Note(Note),
}

impl Driver {
    /// Begins to look for its dongle; to be made inside a tokio runtime.
    pub fn new(id: AdapterId, choice: Choice, scan: ScanSettings, claims: Claims, clock: Clock) -> Self {
        Self::looking_at(Roots::default(), id, choice, scan, claims, clock)
    }

    /// The same on another machine, as far as its files make one.
    pub(super) fn looking_at(
        roots: Roots,
        id: AdapterId,
        choice: Choice,
        scan: ScanSettings,
        claims: Claims,
        clock: Clock,
    ) -> Self {
        let wanted = match choice {
            Choice::Address(address) => Wanted::Address(address),
            Choice::Any | Choice::Port(_) => Wanted::Any,
        };
        let mut driver = Self {
            clock,
            session: Session::new(id, wanted, scan, clock.now()),
            port: Port::new(choice, roots, claims),
            buffer: Box::new([0; BUFFER]),
            happened: Time::ZERO,
            said: VecDeque::new(),
        };
        driver.act();
        driver
    }

    /// Which dongle it is.
    pub fn id(&self) -> AdapterId {
        self.state().id
    }

    /// Takes what happened; every scan report to be believed goes to `heard`.
    pub fn handle(&mut self, happened: Happened, heard: &mut impl FnMut(Time, &ScanResponse<'_>)) {
        match happened.event {
            PortEvent::Read(len) => {
                let bytes = &self.buffer[..len];
                tracing::trace!(target: "wire::adapter::read", adapter = %self.id(), bytes = %bgapi::Value::Bytes(bytes));
                self.session.handle_bytes(happened.at, bytes, heard);
            }
            PortEvent::Empty => self.session.handle_empty(happened.at),
            PortEvent::Port(input) => self.session.handle_port(happened.at, input),
        }
        self.act();
    }

    /// Takes other scan settings over.
    pub fn handle_settings(&mut self, now: Time, scan: ScanSettings) {
        self.session.handle_settings(now, scan);
        self.act();
    }

    /// Does what is due; to be called when [`Driver::poll_timeout`] is.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(now);
            self.act();
        }
    }

    /// The next moment at which something is to be done though nothing happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.session.poll_timeout()
    }

    /// Resets the dongle because somebody asks for it; false if there is none to reset.
    pub fn reset(&mut self, now: Time) -> bool {
        let done = self.session.reset(now);
        self.act();
        done
    }

    /// Releases the port at once. The driver does nothing from then on.
    pub fn stop(&mut self) {
        self.session.stop();
        self.act();
    }

    /// What there is to say, oldest first.
    pub fn poll_said(&mut self) -> Option<Said> {
        self.said.pop_front()
    }

    /// How the dongle is.
    pub fn state(&self) -> &AdapterState {
        self.session.state()
    }

    /// Whether the dongle scans and answers.
    pub fn is_well(&self) -> bool {
        self.session.is_well()
    }

    /// What was counted since the driver was made.
    pub fn counters(&self) -> Counters {
        self.session.counters()
    }

    /// Waits for the next thing to happen; stamped at once, since its levels are as old as its bytes.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        let event = match self.port.poll_next(cx, &mut self.buffer[..]) {
            Poll::Ready(event) => event,
            Poll::Pending if self.session.is_overdue() && self.port.is_empty() => PortEvent::Empty,
            Poll::Pending => return Poll::Pending,
        };
        self.happened = self.clock.now();
        Poll::Ready(Happened { at: self.happened, event })
    }

    /// Does what the session wants.
    fn act(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Open => self.port.open(),
                Output::Write(bytes) => {
                    tracing::trace!(target: "wire::adapter::write", adapter = %self.id(), ?bytes);
                    self.port.write(&bytes);
                }
                Output::Flush => self.port.flush(),
                Output::Close => self.port.close(),
                Output::Rest => self.port.give_up(),
                Output::Reject => self.port.reject(),
                Output::State(state) => self.said.push_back(Said::State(state)),
                Output::Note(note) => self.said.push_back(Said::Note(note)),
            }
        }
    }
}

/// Waits until something happens at one of the drivers' ports, and says at which by its place.
///
/// Nothing is lost if the waiting is given up. Without a driver it waits for ever.
pub async fn next_of(drivers: &mut [Driver]) -> (usize, Happened) {
    // Begun after the one served last, or a crowd at one dongle would starve the others.
    let last = (0..drivers.len()).max_by_key(|&place| drivers[place].happened).unwrap_or(0);
    poll_fn(|cx| {
        for turn in 1..=drivers.len() {
            let place = (last + turn) % drivers.len();
            if let Poll::Ready(happened) = drivers[place].poll_next(cx) {
                return Poll::Ready((place, happened));
            }
        }
        Poll::Pending
    })
    .await
}
