//! A virtual dongle behind a real port: one thread that gives a simulation time and carries its bytes.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::error::SimulateError;
use super::fault::Fault;
use super::output::USB_PACKET;
use super::port::{Place, Port, Ringer, Waiter};
use super::scenario::Scenario;
use super::simulation::{Simulation, Steer};
use crate::clock::Clock;
use crate::time::Time;

/// A dongle that runs in a thread of its own until it is stopped or dropped.
#[derive(Debug)]
pub struct VirtualDongle {
    place: Place,
    bands: Vec<String>,
    orders: Sender<Steer>,
    /// When it is dropped the thread ends.
    wake: Option<Ringer>,
    notices: UnboundedReceiver<(Time, String)>,
    thread: Option<JoinHandle<Result<(), SimulateError>>>,
}

impl VirtualDongle {
    /// Plugs a dongle in: when this returns, `link` leads to its port. On Windows it is the name of a pipe, such as
    /// `\\.\pipe\dongle`.
    ///
    /// # Errors
    /// If the link, the pseudo-terminal or the pipe cannot be made.
    pub fn spawn(link: &Path, scenario: &Scenario, seed: u64) -> Result<Self, SimulateError> {
        Self::start(Place::Link(link.to_owned()), scenario, seed)
    }

    /// Is a dongle at a serial device that is there already. When the device hangs up, as the far end of a USB gadget
    /// does when it is unplugged, it is opened anew until it is back.
    ///
    /// # Errors
    /// If the device cannot be opened at first.
    #[cfg(unix)]
    pub fn at(device: &Path, scenario: &Scenario, seed: u64) -> Result<Self, SimulateError> {
        Self::start(Place::Device(device.to_owned()), scenario, seed)
    }

    fn start(place: Place, scenario: &Scenario, seed: u64) -> Result<Self, SimulateError> {
        let (waiter, wake) = Waiter::new().map_err(SimulateError::Thread)?;
        let port = waiter.open(&place, None)?;
        let (orders, ordered) = channel();
        let (told, notices) = unbounded_channel();
        let simulation = Simulation::new(scenario, seed);
        let shell = Shell {
            clock: Clock::start(),
            simulation,
            place: place.clone(),
            port: Some(port),
            reopen_at: None,
            unsent: Vec::new(),
            ordered,
            waiter,
            told,
        };
        let thread = thread::Builder::new().name("virtual dongle".to_owned());
        let thread = thread.spawn(move || shell.run()).map_err(SimulateError::Thread)?;
        let bands = scenario.bands.iter().map(|band| band.id.clone()).collect();
        Ok(Self { place, bands, orders, wake: Some(wake), notices, thread: Some(thread) })
    }

    /// Where its port is, unless a fault has brought it back elsewhere.
    pub fn link(&self) -> &Path {
        self.place.path()
    }

    /// Has a band walk to a distance, in m, within a while. False if the scenario has no such band.
    pub fn move_to(&self, band: &str, distance: f64, takes: Duration) -> bool {
        let is_known = self.bands.iter().any(|id| id == band);
        if is_known {
            self.steer(Steer::Move { band: band.to_owned(), distance, takes });
        }
        is_known
    }

    /// Makes something go wrong now.
    pub fn inject(&self, fault: Fault) {
        self.steer(Steer::Fault(fault));
    }

    /// Waits for the next thing that happens in the scenario; `None` when the dongle has stopped.
    pub async fn notice(&mut self) -> Option<(Time, String)> {
        self.notices.recv().await
    }

    /// Pulls the dongle out for good.
    ///
    /// # Errors
    /// If it had stopped by itself: why.
    pub fn stop(mut self) -> Result<(), SimulateError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), SimulateError> {
        self.wake = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(SimulateError::Thread(io::Error::other("the dongle's thread panicked"))),
            None => Ok(()),
        }
    }

    fn steer(&self, steer: Steer) {
        // A thread that has ended takes no orders; `stop` tells why it has.
        if self.orders.send(steer).is_ok()
            && let Some(wake) = &self.wake
        {
            wake.ring();
        }
    }
}

impl Drop for VirtualDongle {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What the thread owns.
struct Shell {
    clock: Clock,
    simulation: Simulation,
    place: Place,
    /// `None` while the dongle is off the bus, or its device has hung up.
    port: Option<Port>,
    /// When to try a device that has hung up.
    reopen_at: Option<Time>,
    unsent: Vec<u8>,
    ordered: Receiver<Steer>,
    waiter: Waiter,
    told: UnboundedSender<(Time, String)>,
}

impl Shell {
    /// How soon to look again whether a host that does not read has begun to.
    const HOST_IS_SLOW: Duration = Duration::from_millis(5);

    /// How long a device that has hung up is left alone.
    const REOPEN_AFTER: Duration = Duration::from_millis(200);

    fn run(mut self) -> Result<(), SimulateError> {
        loop {
            let now = self.clock.now();
            while let Ok(steer) = self.ordered.try_recv() {
                self.simulation.steer(now, &steer);
            }
            self.simulation.handle_timeout(now);
            while let Some(notice) = self.simulation.poll_notice(now) {
                let _ = self.told.send(notice); // nobody has to listen
            }
            self.plug(now)?;
            let is_slow = match self.carry(now) {
                Err(error) if self.place.is_given() => {
                    let _ = self.told.send((now, format!("the device hung up ({error}): trying until it is back")));
                    self.port = None;
                    self.unsent.clear();
                    self.simulation.discard_output();
                    self.reopen_at = Some(now + Self::REOPEN_AFTER);
                    false
                }
                carried => carried.map_err(SimulateError::Port)?,
            };
            if !self.wait(is_slow).map_err(SimulateError::Port)? {
                return Ok(());
            }
        }
    }

    /// Makes the port come and go with the dongle.
    fn plug(&mut self, now: Time) -> Result<(), SimulateError> {
        match (self.simulation.is_on_bus(), &self.port) {
            (false, Some(_)) => {
                self.port = None;
                self.unsent.clear();
            }
            (true, None) if self.reopen_at.is_none_or(|at| now >= at) => {
                let name = self.simulation.link();
                match (self.waiter.open(&self.place, name), self.reopen_at.take()) {
                    (Ok(port), reopened) => {
                        self.port = Some(port);
                        if reopened.is_some() {
                            let _ = self.told.send((now, "the device is back".to_owned()));
                        }
                    }
                    (Err(_), Some(_)) => self.reopen_at = Some(now + Self::REOPEN_AFTER),
                    (Err(error), None) => return Err(error),
                }
            }
            (true, Some(_) | None) | (false, None) => {}
        }
        Ok(())
    }

    /// Carries bytes both ways. True if the host does not take what there is for it.
    fn carry(&mut self, now: Time) -> io::Result<bool> {
        let Some(port) = &mut self.port else { return Ok(false) };
        let has_host = port.has_host()?;
        let mut buffer = [0; USB_PACKET];
        while self.simulation.wants_bytes(now) {
            match port.read(&mut buffer)? {
                0 => break,
                len => self.simulation.handle_bytes(now, &buffer[..len]),
            }
        }
        if !has_host {
            self.simulation.discard_output();
            self.unsent.clear();
            return Ok(false);
        }
        loop {
            if self.unsent.is_empty() {
                self.unsent = self.simulation.poll_packet(now);
            }
            if self.unsent.is_empty() {
                return Ok(false);
            }
            let sent = port.write(&self.unsent)?;
            if sent == 0 {
                return Ok(true);
            }
            self.unsent.drain(..sent);
        }
    }

    /// Sleeps until there is something to do. False when the dongle is to stop.
    fn wait(&mut self, is_slow: bool) -> io::Result<bool> {
        let now = self.clock.now();
        let due = self.simulation.poll_timeout().map(|due| due.since(now));
        let slow = is_slow.then_some(Self::HOST_IS_SLOW);
        let reopen = self.reopen_at.map(|at| at.since(now));
        let timeout = [due, slow, reopen].into_iter().flatten().min();
        self.waiter.wait(self.port.as_mut(), self.simulation.wants_bytes(now), timeout)
    }
}
