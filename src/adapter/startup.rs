//! The way from a dongle in an unknown state to one that scans, one command at a time.
//!
//! A dongle outlives the program: it may be scanning, hold links and half a command. So it is stopped and asked, and
//! never reset first.

use bgapi::{
    AdvertisingPolicy, BdAddr, ConnectableMode, ConnectionStatusFlags, DiscoverMode, DiscoverableMode, Encoded,
    ErrorCode, Frame, Kind, Message, Response, ScanPolicy, connection, gap, system,
};

use super::constants::{MAX_SETBACKS, PATIENCE, PATIENCE_BUSY, PATIENCE_HELLO, PATIENCE_SCANNING, PAUSE, STATUS_WAIT};
use super::session::ScanSettings;
use crate::time::Time;

/// One run of the start-up sequence.
#[derive(Debug)]
pub(super) struct Startup {
    scope: Scope,
    step: Step,
    /// When the step began.
    since: Time,
    /// Whether answers come late here, so that silence means little.
    patient: bool,
    setbacks: u8,
    /// One bit for each link that is open; no firmware has more than eight.
    links: u8,
    /// The `connection_status` events still to come.
    statuses: u8,
}

/// How much is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Everything.
    Full,
    /// The scan alone, at a dongle that is known.
    Scan,
}

/// What was sent last and awaits its answer, or what is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    EndProcedure,
    Pause,
    Hello,
    GetInfo,
    AddressGet,
    GetConnections,
    Statuses,
    Disconnect(u8),
    SetMode,
    SetFiltering,
    SetScanParameters,
    Discover,
}

/// What follows from a response, an event or a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing yet.
    None,
    /// The next command is to be sent: [`Startup::command`].
    Send,
    /// The same after discarding what waits in the port's queues.
    FlushAndSend,
    /// The dongle has said which firmware it runs.
    Info(system::response::GetInfo),
    /// The dongle has said who it is.
    Address(BdAddr),
    /// The dongle scans.
    Done,
    /// It does not answer.
    Unanswered,
    /// It answers and does not do it.
    Refused { command: &'static str, code: ErrorCode },
}

impl Startup {
    /// The whole sequence.
    pub(super) fn full(now: Time) -> Self {
        Self::new(now, Scope::Full, Step::EndProcedure)
    }

    /// Ends the scan and begins it again.
    pub(super) fn rescan(now: Time) -> Self {
        Self::new(now, Scope::Scan, Step::EndProcedure)
    }

    /// Asks a scanning dongle whether it is well, and scans again if it is.
    pub(super) fn check(now: Time) -> Self {
        Self::new(now, Scope::Scan, Step::Hello)
    }

    fn new(now: Time, scope: Scope, step: Step) -> Self {
        Self { scope, step, since: now, patient: false, setbacks: 0, links: 0, statuses: 0 }
    }

    /// The same for a dongle whose answers come late.
    pub(super) fn patient(self) -> Self {
        Self { patient: true, ..self }
    }

    /// Whether the dongle is asked who it is.
    pub(super) fn is_full(&self) -> bool {
        self.scope == Scope::Full
    }

    /// Whether a scan would be set up anew after this point with settings as they are then.
    pub(super) fn is_before_parameters(&self) -> bool {
        !matches!(self.step, Step::SetScanParameters | Step::Discover)
    }

    /// What is to be sent for this step, `None` where it only waits.
    pub(super) fn command(&self, scan: ScanSettings) -> Option<Encoded> {
        Some(match self.step {
            Step::EndProcedure => gap::command::EndProcedure {}.encoded(),
            Step::Hello => system::command::Hello {}.encoded(),
            Step::GetInfo => system::command::GetInfo {}.encoded(),
            Step::AddressGet => system::command::AddressGet {}.encoded(),
            Step::GetConnections => system::command::GetConnections {}.encoded(),
            Step::Disconnect(connection) => connection::command::Disconnect { connection }.encoded(),
            Step::SetMode => gap::command::SetMode {
                discover: DiscoverableMode::NON_DISCOVERABLE,
                connect: ConnectableMode::NON_CONNECTABLE,
            }
            .encoded(),
            Step::SetFiltering => gap::command::SetFiltering {
                scan_policy: ScanPolicy::ALL,
                adv_policy: AdvertisingPolicy::ALL,
                scan_duplicate_filtering: 0,
            }
            .encoded(),
            Step::SetScanParameters => gap::command::SetScanParameters {
                scan_interval: scan.interval_ticks,
                scan_window: scan.window_ticks,
                active: u8::from(scan.active),
            }
            .encoded(),
            Step::Discover => gap::command::Discover { mode: DiscoverMode::OBSERVATION }.encoded(),
            Step::Pause | Step::Statuses => return None,
        })
    }

    /// When the step has lasted too long, given when the last frame came in.
    pub(super) fn due(&self, last_frame: Time) -> Time {
        let patience = match self.step {
            Step::Pause => return self.since + PAUSE,
            Step::Statuses => return self.since + STATUS_WAIT,
            _ if self.patient => return self.since + PATIENCE_BUSY,
            Step::Hello if self.scope == Scope::Scan => PATIENCE_SCANNING,
            Step::Hello => PATIENCE_HELLO,
            _ => PATIENCE,
        };
        (last_frame.max(self.since) + patience).min(self.since + PATIENCE_BUSY)
    }

    /// Takes a response. One that does not belong to the step is the late answer to an earlier one.
    pub(super) fn handle_response(&mut self, now: Time, frame: Frame<'_>, scan: ScanSettings) -> Progress {
        let awaited = match self.step {
            Step::Pause => Some((gap::command::EndProcedure::CLASS, gap::command::EndProcedure::ID)),
            _ => self.command(scan).map(|command| (command[2], command[3])),
        };
        if frame.kind() != Kind::Response || awaited != Some((frame.class(), frame.id())) {
            self.patient = true;
            return Progress::None;
        }
        let Some(response) = frame.response() else { return Progress::None };
        let result = match response {
            Response::Gap(
                gap::Response::SetMode(gap::response::SetMode { result })
                | gap::Response::SetFiltering(gap::response::SetFiltering { result })
                | gap::Response::SetScanParameters(gap::response::SetScanParameters { result })
                | gap::Response::Discover(gap::response::Discover { result }),
            ) => result,
            // Whether something was stopped, and whether a link was still open, makes no difference.
            _ => ErrorCode::SUCCESS,
        };
        if !result.is_success() {
            // It may be scanning still: stop it once more.
            let refused = Progress::Refused { command: response.name(), code: result };
            return if self.setback() { refused } else { self.go(now, Step::EndProcedure) };
        }
        match response {
            Response::System(system::Response::GetInfo(info)) => {
                self.go(now, Step::AddressGet);
                Progress::Info(info)
            }
            Response::System(system::Response::AddressGet(system::response::AddressGet { address })) => {
                self.go(now, Step::GetConnections);
                Progress::Address(address)
            }
            Response::System(system::Response::GetConnections(system::response::GetConnections { maxconn })) => {
                self.statuses = maxconn.saturating_sub(self.statuses);
                self.go(now, Step::Statuses);
                if self.statuses == 0 { self.handle_due(now) } else { Progress::None }
            }
            _ => self.go_on(now),
        }
    }

    /// Takes the state of one link.
    pub(super) fn handle_status(&mut self, now: Time, status: &connection::event::Status) -> Progress {
        if !matches!(self.step, Step::GetConnections | Step::Statuses) {
            return Progress::None;
        }
        if status.flags.contains(ConnectionStatusFlags::CONNECTED) {
            self.links |= 1u8.checked_shl(status.connection.into()).unwrap_or(0);
        }
        if self.step == Step::GetConnections {
            // Counted upwards until the response says how many there are.
            self.statuses = self.statuses.saturating_add(1);
            return Progress::None;
        }
        self.statuses = self.statuses.saturating_sub(1);
        if self.statuses == 0 { self.go_on(now) } else { Progress::None }
    }

    /// How many links were found open and not closed yet.
    pub(super) fn links(&self) -> u32 {
        self.links.count_ones()
    }

    /// Takes the dongle's word that it threw away bytes. Ours may have been among them; true if they are to be sent
    /// again.
    pub(super) fn handle_protocol_error(&mut self, now: Time) -> bool {
        let again = !matches!(self.step, Step::Pause | Step::Statuses) && !self.setback();
        if again {
            self.since = now;
        }
        again
    }

    /// The step has lasted too long.
    pub(super) fn handle_due(&mut self, now: Time) -> Progress {
        match self.step {
            Step::Statuses => self.go_on(now),
            Step::Pause => {
                self.go(now, Step::Hello);
                Progress::FlushAndSend
            }
            Step::Hello => Progress::Unanswered,
            _ => {
                if self.setback() {
                    return Progress::Unanswered;
                }
                self.go(now, Step::Pause);
                Progress::None
            }
        }
    }

    /// Counts one thing that went wrong; true when it was one too many.
    fn setback(&mut self) -> bool {
        self.setbacks = self.setbacks.saturating_add(1);
        self.setbacks > MAX_SETBACKS
    }

    fn go_on(&mut self, now: Time) -> Progress {
        let next = match self.step {
            Step::Hello => Step::EndProcedure,
            Step::EndProcedure | Step::Pause if self.scope == Scope::Scan => Step::SetFiltering,
            Step::EndProcedure | Step::Pause => Step::GetInfo,
            Step::GetInfo => Step::AddressGet,
            Step::AddressGet => Step::GetConnections,
            Step::GetConnections => Step::Statuses,
            Step::Statuses | Step::Disconnect(_) => match self.links.trailing_zeros() {
                8.. => Step::SetMode,
                handle => {
                    self.links &= self.links - 1;
                    Step::Disconnect(handle as u8)
                }
            },
            Step::SetMode => Step::SetFiltering,
            Step::SetFiltering => Step::SetScanParameters,
            Step::SetScanParameters => Step::Discover,
            Step::Discover => return Progress::Done,
        };
        self.go(now, next)
    }

    fn go(&mut self, now: Time, step: Step) -> Progress {
        (self.step, self.since) = (step, now);
        Progress::Send
    }
}
