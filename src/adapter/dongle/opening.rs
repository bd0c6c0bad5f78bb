//! From no port to an open one.

use std::mem::discriminant;

use super::{Dongle, Stage};
use crate::adapter::constants::{
    DENIED_RACE, GONE_RACE, OPEN_WAIT, REOPEN, REOPEN_DENIED, REOPEN_REFUSED, RETURN_WAIT,
};
use crate::adapter::note::Note;
use crate::adapter::session::{OpenFailure, Output, PortInput};
use crate::adapter::startup::Startup;
use crate::adapter::traffic::Traffic;
use crate::adapter::trouble::Rung;
use crate::time::Time;

impl Dongle {
    pub(in crate::adapter) fn handle_port(&mut self, now: Time, input: PortInput) {
        if let Stage::Stopped = self.stage {
            return;
        }
        match input {
            PortInput::Missing { reason } => match (&mut self.stage, self.away_until) {
                (Stage::Opening { missing, .. }, Some(until)) if now < until => *missing = Some(reason),
                _ => self.handle_missing(reason),
            },
            PortInput::Found { port } => {
                if let Stage::Opening { missing, slow_at } = &mut self.stage {
                    (*missing, *slow_at) = (None, Some(now + OPEN_WAIT));
                }
                if self.state.port.as_ref() != Some(&port) {
                    self.forget_port();
                    self.refused_since = None;
                    self.not_opened = None;
                    self.state.port = Some(port);
                }
            }
            PortInput::Opened => {
                self.counters.opens += 1;
                self.refused_since = None;
                self.away_until = None;
                (self.known, self.proved) = (false, false);
                self.traffic = Traffic::new(now);
                self.evidence.clear();
                self.note(Note::Opened);
                self.outputs.push_back(Output::Flush);
                self.start(now, Startup::full(now));
            }
            PortInput::OpenFailed { failure, message } => self.handle_open_failed(now, &failure, message),
            PortInput::Lost { message } => self.handle_lost(now, message),
            // After a reset it is the same one.
            PortInput::Replugged if self.away_until.is_none() => self.handle_replugged(),
            PortInput::Replugged => {}
        }
    }

    /// When something is to be done though the shell says nothing.
    pub(super) fn opening_due(&self) -> Option<Time> {
        let Stage::Opening { missing, slow_at } = &self.stage else { return None };
        missing.as_ref().and(self.away_until).or(*slow_at)
    }

    pub(super) fn handle_opening_due(&mut self) {
        let Stage::Opening { missing, slow_at } = &mut self.stage else { return };
        *slow_at = None;
        match missing.take() {
            Some(reason) => self.handle_missing(reason),
            None => {
                let port = self.state.port.as_deref().unwrap_or_default();
                self.cannot_open(format!(
                    "opening {port} takes unusually long; if this stays, unplug the dongle and plug it in again"
                ));
            }
        }
    }

    fn handle_missing(&mut self, reason: String) {
        self.refused_since = None;
        self.away_until = None;
        self.forget_port();
        self.ladder.clear();
        if self.not_opened.as_ref() != Some(&reason) {
            self.note(Note::Missing { reason: reason.clone() });
            self.not_opened = Some(reason);
        }
    }

    fn handle_open_failed(&mut self, now: Time, failure: &OpenFailure, message: String) {
        let (race, pause) = match failure {
            OpenFailure::Gone => (GONE_RACE, REOPEN),
            OpenFailure::Denied => (DENIED_RACE, REOPEN_DENIED),
            OpenFailure::Busy { .. } | OpenFailure::Other => Default::default(),
        };
        if now.since(*self.refused_since.get_or_insert(now)) < race {
            self.stage = Stage::Closed { until: now + pause };
        } else {
            self.stage = Stage::Closed { until: now + REOPEN_REFUSED };
            let kind = discriminant(failure);
            let again = self.refused_as.replace(kind) == Some(kind);
            match again && self.not_opened.is_some() {
                true => self.not_opened = Some(message), // the holder is another one, or was found by now
                false => self.cannot_open(message),
            }
        }
    }

    fn handle_lost(&mut self, now: Time, message: String) {
        self.counters.losses += 1;
        let pause = match &self.stage {
            // It was told to go.
            Stage::Resetting { .. } => {
                self.away_until = Some(now + RETURN_WAIT);
                REOPEN
            }
            // Somebody has pulled it out, and may plug another one in.
            _ if self.proved => {
                self.note(Note::Lost { message });
                self.ladder.clear();
                REOPEN
            }
            // So it may be this time; the next time it is sick.
            _ if self.known && self.ladder.trouble.is_none() && !self.ladder.is_exhausted() => {
                self.note(Note::Lost { message });
                self.ladder.step(Rung::Reopen);
                REOPEN
            }
            // Sick, and taken away; or it never lives longer than this.
            _ => {
                self.ladder.trouble = None;
                self.outputs.push_back(Output::Rest);
                let port = self.state.port.as_deref().unwrap_or_default();
                self.cannot_open(format!("{port} was lost before the dongle had worked for a while: {message}"));
                self.ladder.step(Rung::Reopen);
                self.ladder.back_off()
            }
        };
        self.stage = Stage::Closed { until: now + pause };
    }

    /// What the waiting was for is gone.
    fn handle_replugged(&mut self) {
        if let Stage::Closed { .. } = self.stage {
            self.ladder.clear();
            self.refused_since = None;
            self.stage = Stage::LOOKING;
            self.outputs.push_back(Output::Open);
        }
    }

    /// Says why the port is not open, once.
    fn cannot_open(&mut self, message: String) {
        if self.not_opened.as_ref() != Some(&message) {
            self.note(Note::NotOpened { message: message.clone() });
            self.not_opened = Some(message);
        }
    }
}
