//! The session's inside: stages, and what leads from one to another.

mod opening; // from no port to an open one

use std::collections::VecDeque;
use std::mem::Discriminant;

use bgapi::gap::event::ScanResponse;
use bgapi::{Event, Frame, Kind, Message, connection, gap, system};

use super::constants::{LISTEN, MAX_SETBACKS, QUIET_CHECK, RECENT, RESET_WAIT, RESTARTS_WITHIN, SILENCE};
use super::counters::Counters;
use super::evidence::Evidence;
use super::note::Note;
use super::session::{OpenFailure, Output, ScanSettings, Wanted};
use super::startup::{Progress, Startup};
use super::traffic::{Traffic, Verdict};
use super::trouble::{Ladder, Rung, Trouble};
use crate::event::{AdapterId, AdapterPhase, AdapterState};
use crate::time::Time;

/// The session without its decoder, which lends out the frames.
#[derive(Debug)]
pub(super) struct Dongle {
    wanted: Wanted,
    scan: ScanSettings,
    stage: Stage,
    ladder: Ladder,
    pub(super) traffic: Traffic,
    pub(super) evidence: Evidence,
    /// Why the port could not be opened last time.
    not_opened: Option<String>,
    /// After a reset the dongle may be off the bus until then.
    away_until: Option<Time>,
    /// Since when the port is there and cannot be opened.
    refused_since: Option<Time>,
    /// The way in which it last could not be.
    refused_as: Option<Discriminant<OpenFailure>>,
    /// When it has restarted by itself lately.
    boots: VecDeque<Time>,
    /// Whether the open port is known to lead to the right dongle.
    pub(super) known: bool,
    /// Whether it has scanned for a while since the port was opened, and was not sick.
    proved: bool,
    /// Whether the scan under way has settings that have changed since.
    rescan: bool,
    pub(super) state: AdapterState,
    /// The state and the trouble as last told.
    told: AdapterState,
    told_trouble: Option<Trouble>,
    pub(super) counters: Counters,
    pub(super) outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum Stage {
    /// The shell looks for the port and opens it. Why there is none is kept while it is expected back; opening one
    /// has taken too long then.
    Opening { missing: Option<String>, slow_at: Option<Time> },
    /// The port is closed and is to be opened then.
    Closed { until: Time },
    /// The start-up sequence, or a part of it.
    Starting(Startup),
    /// Reports come in, or would; silence is measured from then on.
    Scanning { since: Time },
    /// It does not answer and may only be late.
    Listening { until: Time },
    /// It was told to reset.
    Resetting { until: Time },
    /// The end.
    Stopped,
}

impl Stage {
    const LOOKING: Self = Self::Opening { missing: None, slow_at: None };
}

impl Dongle {
    pub(super) fn new(id: AdapterId, wanted: Wanted, scan: ScanSettings, now: Time) -> Self {
        let state = AdapterState {
            id,
            phase: AdapterPhase::Absent,
            quiet: false,
            port: None,
            address: None,
            firmware: None,
            error: None,
        };
        Self {
            wanted,
            scan,
            stage: Stage::LOOKING,
            ladder: Ladder::default(),
            traffic: Traffic::new(now),
            evidence: Evidence::default(),
            not_opened: None,
            away_until: None,
            refused_since: None,
            refused_as: None,
            boots: VecDeque::new(),
            known: false,
            proved: false,
            rescan: false,
            told: state.clone(),
            told_trouble: None,
            state,
            counters: Counters::default(),
            outputs: VecDeque::from([Output::Open]),
        }
    }

    pub(super) fn handle_settings(&mut self, now: Time, scan: ScanSettings) {
        if self.scan == scan {
            return;
        }
        self.scan = scan;
        match &self.stage {
            Stage::Scanning { .. } => self.start(now, Startup::rescan(now)),
            // One command at a time: what is under way comes to its end first.
            Stage::Starting(startup) => self.rescan = !startup.is_before_parameters(),
            _ => {}
        }
    }

    pub(super) fn reset(&mut self, now: Time) -> bool {
        let open = matches!(self.stage, Stage::Starting(_) | Stage::Scanning { .. } | Stage::Listening { .. });
        if open {
            self.take(now, Rung::Reset);
        }
        open
    }

    pub(super) fn stop(&mut self) {
        self.outputs.clear();
        // A dongle left scanning harms nobody, an idle one wastes no power; and what a sick device has not taken by
        // now would hold the close up.
        self.outputs.push_back(match self.is_well() {
            true => Output::Write(gap::command::EndProcedure {}.encoded()),
            false => Output::Flush,
        });
        self.outputs.push_back(Output::Close);
        self.stage = Stage::Stopped;
    }

    pub(super) fn is_well(&self) -> bool {
        self.state.phase == AdapterPhase::Scanning
    }

    /// Takes one scan report; whether to believe it is `known`.
    pub(super) fn handle_report(&mut self, now: Time, report: &ScanResponse<'_>) {
        self.counters.reports += 1;
        self.counters.empty_reports += u64::from(report.data.is_empty());
        self.traffic.handle_report(now, report);
        if self.ladder.silence.take().is_some() {
            self.note(Note::Heard);
        }
        if let Stage::Listening { .. } = self.stage {
            self.handle_late_answer(now);
        }
    }

    /// Takes any other frame.
    pub(super) fn handle_frame(&mut self, now: Time, frame: Frame<'_>) {
        if frame.kind() == Kind::Response {
            return self.handle_response(now, frame);
        }
        match frame.event() {
            Some(Event::System(system::Event::Boot(boot))) if is_plausible(&boot) => self.handle_boot(now),
            Some(Event::System(system::Event::ProtocolError(system::event::ProtocolError { reason }))) => {
                self.counters.protocol_errors += 1;
                if let Stage::Starting(startup) = &mut self.stage
                    && startup.handle_protocol_error(now)
                {
                    self.note(Note::SentAgain { reason });
                    self.send();
                }
            }
            Some(Event::Connection(connection::Event::Status(status))) => {
                if let Stage::Starting(startup) = &mut self.stage {
                    let links = startup.links();
                    let progress = startup.handle_status(now, &status);
                    if startup.links() > links {
                        self.note(Note::LinkOpen { peer: status.address });
                    }
                    self.advance(now, progress);
                }
            }
            _ => {}
        }
    }

    fn handle_response(&mut self, now: Time, frame: Frame<'_>) {
        match &mut self.stage {
            // An echoed hello is the one command that looks like its own answer.
            Stage::Starting(_) if frame.get::<system::response::Hello>().is_some() && self.evidence.is_echo() => {}
            Stage::Starting(startup) => {
                let progress = startup.handle_response(now, frame, self.scan);
                self.advance(now, progress);
            }
            Stage::Listening { .. } => self.handle_late_answer(now),
            _ => {}
        }
    }

    /// The dongle was only late: on with it, in its own time.
    fn handle_late_answer(&mut self, now: Time) {
        let startup = if self.known { Startup::rescan(now) } else { Startup::full(now) };
        self.start(now, startup.patient());
    }

    fn handle_boot(&mut self, now: Time) {
        match self.stage {
            Stage::Resetting { .. } => self.start(now, Startup::full(now)),
            Stage::Starting(_) | Stage::Scanning { .. } | Stage::Listening { .. } => {
                self.counters.boots += 1;
                self.boots.push_back(now);
                self.boots.retain(|boot| now.since(*boot) <= RESTARTS_WITHIN);
                if self.boots.len() > usize::from(MAX_SETBACKS) {
                    self.boots.clear();
                    return self.climb(now, Trouble::Restarts);
                }
                self.note(Note::Booted);
                self.start(now, Startup::full(now));
            }
            Stage::Opening { .. } | Stage::Closed { .. } | Stage::Stopped => {}
        }
    }

    /// When something is to be done though nothing comes in.
    pub(super) fn due(&self) -> Option<Time> {
        match &self.stage {
            Stage::Opening { .. } => self.opening_due(),
            Stage::Stopped => None,
            Stage::Closed { until } | Stage::Listening { until } | Stage::Resetting { until } => Some(*until),
            Stage::Starting(startup) => Some(startup.due(self.traffic.frame)),
            Stage::Scanning { since } => {
                let silence = if self.is_quiet() { QUIET_CHECK } else { SILENCE };
                let silent = self.traffic.report.unwrap_or(*since).max(*since) + silence;
                Some(if self.is_watched() { silent.min(self.traffic.window_end()) } else { silent })
            }
        }
    }

    /// Whether the end of a window means something though nothing came in.
    fn is_watched(&self) -> bool {
        self.ladder.trouble.is_some() || !self.proved
    }

    /// Does what is due.
    pub(super) fn handle_due(&mut self, now: Time) {
        match &mut self.stage {
            Stage::Opening { .. } => self.handle_opening_due(),
            Stage::Stopped => {}
            Stage::Closed { .. } => {
                self.stage = Stage::LOOKING;
                self.outputs.push_back(Output::Open);
            }
            Stage::Starting(startup) => {
                let progress = startup.handle_due(now);
                self.advance(now, progress);
            }
            Stage::Listening { .. } => {
                let trouble = self.ladder.trouble.unwrap_or(Trouble::NoAnswer);
                self.climb(now, trouble);
            }
            Stage::Resetting { .. } => {
                self.ladder.step(Rung::Reopen);
                self.take(now, Rung::Reopen);
            }
            Stage::Scanning { .. } => match self.is_watched() && self.traffic.window_end() <= now {
                true => self.judge(now),
                false => self.handle_silence(now),
            },
        }
    }

    /// Whether nobody is heard and the dongle answers.
    fn is_quiet(&self) -> bool {
        self.ladder.silence.is_some()
    }

    /// Nobody was heard for a while: the room is quiet, or the dongle is deaf.
    fn handle_silence(&mut self, now: Time) {
        // None is recent after a reset, which is the last that can help.
        let recent = self.traffic.report.is_some_and(|report| now.since(report) < RECENT);
        let rung = match self.ladder.silence {
            Some(Rung::Rediscover) if recent => Rung::Restart,
            Some(Rung::Restart) if recent => Rung::Reset,
            _ => return self.start(now, Startup::check(now)),
        };
        self.ladder.silence = Some(rung);
        self.take(now, rung);
    }

    /// Judges what has come in when the window is over.
    pub(super) fn judge(&mut self, now: Time) {
        if !matches!(self.stage, Stage::Scanning { .. }) || now < self.traffic.window_end() {
            return;
        }
        let verdict = self.traffic.judge(now);
        self.proved |= matches!(verdict, Verdict::Well | Verdict::Nothing);
        match (verdict, self.ladder.trouble) {
            (Verdict::Sick(trouble), _) => self.climb(now, trouble),
            (Verdict::Well, _) => {
                self.recovered();
                self.ladder.clear();
            }
            // Whatever it was has stopped; what silence means is found out elsewhere.
            (Verdict::Nothing, Some(_)) => self.recovered(),
            (Verdict::Nothing, None) | (Verdict::Unsure, _) => {}
        }
    }

    fn recovered(&mut self) {
        if self.ladder.trouble.take().is_some() {
            self.note(Note::Recovered);
        }
    }

    fn advance(&mut self, now: Time, progress: Progress) {
        match progress {
            Progress::None => {}
            Progress::Send => self.send(),
            Progress::FlushAndSend => {
                self.outputs.push_back(Output::Flush);
                self.send();
            }
            Progress::Info(info) => {
                let version = format!("{}.{}.{}-{}", info.major, info.minor, info.patch, info.build);
                if self.state.firmware.as_ref() != Some(&version) {
                    self.note(Note::Firmware { version: version.clone(), hardware: info.hw });
                    self.state.firmware = Some(version);
                }
                self.send();
            }
            Progress::Address(found) => {
                if let Wanted::Address(wanted) = self.wanted
                    && wanted != found
                {
                    return self.reject(Trouble::WrongAddress { found, wanted });
                }
                if self.state.address != Some(found) {
                    self.note(Note::Identified { address: found });
                    self.state.address = Some(found);
                }
                self.known = true;
                self.not_opened = None;
                self.send();
            }
            Progress::Done => self.scans(now),
            Progress::Unanswered => self.climb(now, self.verdict()),
            Progress::Refused { command, code } => self.climb(now, Trouble::Refused { command, code }),
        }
    }

    /// What it looks like when nothing is answered.
    fn verdict(&self) -> Trouble {
        match self.evidence.verdict() {
            _ if self.known => Trouble::NoAnswer,
            // It speaks, and was only cut short when the port was opened.
            Trouble::NeverAnswered | Trouble::Garbage if self.traffic.is_mostly_frames() => Trouble::NoAnswer,
            verdict => verdict,
        }
    }

    fn send(&mut self) {
        let Stage::Starting(startup) = &self.stage else { return };
        if let Some(command) = startup.command(self.scan) {
            self.evidence.handle_sent(command);
            self.outputs.push_back(Output::Write(command));
        }
    }

    fn start(&mut self, now: Time, startup: Startup) {
        debug_assert!(!matches!(self.stage, Stage::Stopped), "{now:?}");
        self.rescan = false; // it will have the settings of today
        self.stage = Stage::Starting(startup);
        self.send();
    }

    /// The dongle has done all it was asked for.
    fn scans(&mut self, now: Time) {
        if self.rescan {
            return self.start(now, Startup::rescan(now));
        }
        let checked = matches!(&self.stage, Stage::Starting(startup) if !startup.is_full());
        self.stage = Stage::Scanning { since: now };
        self.traffic.restart(now);
        if self.ladder.trouble.is_some_and(|trouble| !trouble.shows_while_scanning()) {
            self.recovered();
        }
        if !checked {
            self.note(Note::Scanning);
        }
        let silent = self.traffic.report.is_none_or(|report| now.since(report) >= SILENCE);
        if checked && silent && !self.is_quiet() {
            self.note(Note::Quiet);
            self.ladder.silence = Some(Rung::Rediscover);
        }
    }

    fn climb(&mut self, now: Time, trouble: Trouble) {
        self.not_opened = None;
        self.ladder.silence = None;
        if self.ladder.trouble != Some(trouble) {
            self.note(Note::Trouble(trouble));
        }
        let mut rung = self.ladder.climb(trouble);
        if rung == Rung::Rediscover && !self.known {
            rung = self.ladder.climb(trouble);
        }
        self.take(now, rung);
    }

    /// Does what one rung says.
    fn take(&mut self, now: Time, rung: Rung) {
        if self.ladder.is_in_first_round() {
            self.note(Note::Climbing(rung));
        }
        match rung {
            Rung::Listen if matches!(self.stage, Stage::Scanning { .. }) => self.traffic.restart(now),
            Rung::Listen => self.stage = Stage::Listening { until: now + LISTEN },
            Rung::Rediscover => self.start(now, Startup::rescan(now)),
            Rung::Restart => {
                self.evidence.clear();
                self.start(now, Startup::full(now));
            }
            Rung::Reset => {
                self.counters.resets += 1;
                self.outputs.push_back(Output::Write(system::command::Reset { boot_in_dfu: 0 }.encoded()));
                self.stage = Stage::Resetting { until: now + RESET_WAIT };
            }
            Rung::Reopen => {
                self.outputs.push_back(Output::Flush);
                self.outputs.push_back(Output::Rest);
                self.known = false;
                self.stage = Stage::Closed { until: now + self.ladder.back_off() };
            }
        }
    }

    /// Leaves this port to whom it belongs.
    fn reject(&mut self, trouble: Trouble) {
        self.note(Note::Trouble(trouble));
        self.outputs.push_back(Output::Reject);
        self.outputs.push_back(Output::Open);
        self.forget_port();
        self.not_opened = Some(trouble.to_string());
        self.stage = Stage::LOOKING;
    }

    fn forget_port(&mut self) {
        (self.state.port, self.state.address, self.state.firmware) = (None, None, None);
        self.known = false;
        self.ladder.silence = None;
    }

    fn note(&mut self, note: Note) {
        self.outputs.push_back(Output::Note(note));
    }

    /// Tells how the dongle is, if that has changed.
    pub(super) fn restate(&mut self) {
        let trouble = self.ladder.trouble;
        let phase = match &self.stage {
            Stage::Stopped => return,
            _ if trouble.is_some() && self.ladder.is_exhausted() => AdapterPhase::Failed,
            _ if trouble.is_some() => AdapterPhase::Stalled,
            Stage::Opening { .. } | Stage::Closed { .. } if self.state.port.is_none() => AdapterPhase::Absent,
            Stage::Opening { .. } | Stage::Closed { .. } if self.not_opened.is_some() => AdapterPhase::Failed,
            Stage::Opening { .. } | Stage::Closed { .. } | Stage::Resetting { .. } => AdapterPhase::Opening,
            Stage::Starting(startup) if startup.is_full() && !self.known => AdapterPhase::Opening,
            Stage::Starting(startup) if startup.is_full() && self.ladder.silence != Some(Rung::Restart) => {
                AdapterPhase::Ready
            }
            // Asked in passing while it scans, set up anew in a quiet room, or listened to.
            Stage::Starting(_) | Stage::Listening { .. } | Stage::Scanning { .. } => AdapterPhase::Scanning,
        };
        (self.state.phase, self.state.quiet) = (phase, self.is_quiet() && phase == AdapterPhase::Scanning);
        match trouble {
            None => self.state.error.clone_from(&self.not_opened),
            Some(_) if self.told_trouble == trouble => {}
            Some(trouble) => self.state.error = Some(trouble.to_string()),
        }
        self.told_trouble = trouble;
        if self.state != self.told {
            self.told.clone_from(&self.state);
            self.outputs.push_back(Output::State(self.state.clone()));
        }
    }
}

/// Whether the numbers of a boot event can be a BLED112's: bytes out of step have looked like one.
fn is_plausible(boot: &system::event::Boot) -> bool {
    boot.major == 1 && boot.minor <= 9 && boot.protocol_version == 1
}
