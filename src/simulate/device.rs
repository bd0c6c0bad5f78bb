//! A dongle as its host sees it: commands in, responses and events out, and a place on the bus.

use std::collections::VecDeque;
use std::time::Duration;

use bgapi::{Address, Direction, DiscoverMode, Encoded, ErrorCode, Frame, PacketType, gap, system};

use super::fault::{Fault, FaultKind};
use super::firmware::{Firmware, Identity, Restart};
use super::output::{Output, garble};
use super::parser::CommandParser;
use super::random::Random;
use super::scanner::{Channel, Heard};
use crate::time::Time;

/// The chip with its firmware: a plain value, fed with the host's bytes, what the antenna gets, and time.
///
/// The chip serves one thing at a time and its radio first, so that in a crowd a command waits. What no source
/// tells is chosen and said where it stands.
#[derive(Clone, Debug)]
pub struct Device {
    firmware: Firmware,
    parser: CommandParser,
    commands: VecDeque<Pending>,
    reports: VecDeque<(Time, Encoded)>,
    output: Output,
    /// When the chip is done with what it is doing.
    free_at: Time,
    /// A restart that is to come, and the end of the one that is going on.
    restart: Option<(Time, Restart)>,
    away: Option<(Time, Restart)>,
    trouble: Trouble,
    random: Random,
}

/// What waits to be served: a command, or the parser's complaint.
#[derive(Clone, Debug)]
struct Pending {
    due: Time,
    what: Result<Vec<u8>, ErrorCode>,
}

/// Until when each fault lasts.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// Stays until time has passed it, so that what waits for the end is woken.
    stall: Option<Time>,
    deaf: Time,
    empty: Time,
    garble: (Time, f64),
    late: (Time, Duration),
}

impl Device {
    /// Reports wait in as many radio buffers. No source gives the number.
    const REPORTS: usize = 8;

    /// Commands that may wait; more are not taken from the bus.
    const COMMANDS: usize = 16;

    /// How long the chip takes to pass on a report or to carry out a command. No source gives it; at a thousand
    /// reports a second commands are starved, which happens in the field.
    const SERVICE: Duration = Duration::from_millis(1);

    /// How long a command is put off for reports at most: the field tells of seconds.
    const STARVED: Duration = Duration::from_secs(4);

    /// A dongle that has just been plugged in.
    pub fn new(identity: Identity, seed: u64) -> Self {
        let mut device = Self {
            firmware: Firmware::new(identity),
            parser: CommandParser::default(),
            commands: VecDeque::new(),
            reports: VecDeque::new(),
            output: Output::default(),
            free_at: Time::ZERO,
            restart: None,
            away: None,
            trouble: Trouble::default(),
            random: Random::new(seed, 0),
        };
        device.firmware.restart(false, &mut device.output);
        device
    }

    /// Puts it into the state in which a program that died has left it.
    pub fn leave_behind(&mut self, scanning: bool, links: &[Address]) {
        if scanning {
            self.firmware.scanner.start(Time::ZERO, gap::command::Discover { mode: DiscoverMode::OBSERVATION });
        }
        self.firmware.open_links(links);
    }

    /// Takes bytes from the host, in pieces of any size.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        if self.is_on_bus() {
            let by = if now < self.trouble.late.0 { self.trouble.late.1 } else { Duration::ZERO };
            let (parser, commands) = (&mut self.parser, &mut self.commands);
            parser.handle_bytes(now, bytes, |what| put_off(commands, now + by, what));
            self.handle_timeout(now);
        }
    }

    /// Whether it takes bytes at the moment; a host's write waits meanwhile.
    pub fn wants_bytes(&self, now: Time) -> bool {
        self.is_on_bus() && !self.is_stalled(now) && self.commands.len() < Self::COMMANDS
    }

    /// Takes one packet from the antenna. True if the dongle asks its sender for a scan response.
    pub fn handle_heard(&mut self, now: Time, heard: Heard<'_>) -> bool {
        if self.listening(now).is_none() {
            return false;
        }
        let heard = if now < self.trouble.empty { Heard { data: &[], ..heard } } else { heard };
        self.firmware.count_packet();
        let Some(report) = self.firmware.scanner.report(heard) else { return false };
        if self.reports.len() < Self::REPORTS {
            self.reports.push_back((now, report));
        }
        self.handle_timeout(now);
        let is_scannable = matches!(heard.packet_type, PacketType::ADV_IND | PacketType::ADV_SCAN_IND);
        is_scannable && self.firmware.scanner.active
    }

    /// The channel the receiver is on at a moment, `None` while it is off.
    pub fn listening(&self, at: Time) -> Option<Channel> {
        let can_hear = self.is_on_bus() && at >= self.trouble.deaf && !self.is_stalled(at);
        self.firmware.scanner.listening(at).filter(|_| can_hear)
    }

    /// Whether the host sees it; while it is away it has no port.
    pub fn is_on_bus(&self) -> bool {
        self.away.is_none()
    }

    /// Makes something go wrong.
    pub fn inject(&mut self, now: Time, fault: &Fault) {
        let until = now + fault.lasts;
        match fault.kind {
            FaultKind::Garble { share } => self.trouble.garble = (until, share),
            FaultKind::Stall => self.trouble.stall = Some(until),
            FaultKind::Deaf => self.trouble.deaf = until,
            FaultKind::Empty => self.trouble.empty = until,
            FaultKind::Late { by } => self.trouble.late = (until, by),
            FaultKind::Boot => self.boot(now, false),
            FaultKind::Vanish { .. } => {
                self.away = Some((until, Restart { after: Duration::ZERO, into_bootloader: false }));
            }
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.trouble.stall.take_if(|until| *until <= now);
        if let Some((_, restart)) = self.away.take_if(|(until, _)| *until <= now) {
            self.output.clear();
            self.boot(now, restart.into_bootloader);
        }
        if !self.is_on_bus() || self.is_stalled(now) {
            return;
        }
        if self.parser.handle_timeout(now) {
            put_off(&mut self.commands, now, Err(ErrorCode::TIMEOUT));
        }
        self.firmware.handle_timeout(now, &mut self.output);
        self.serve(now);
        if let Some((_, restart)) = self.restart.take_if(|(due, _)| *due <= now) {
            // On USB a restart is a departure: 0.5 to 1.5 s until the host has it back.
            let gone = Duration::from_millis(500 + self.random.below(1_000));
            self.away = Some((now + gone, restart));
        }
    }

    /// When [`Device::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Time> {
        if let Some(until) = self.away.map(|(until, _)| until).or(self.trouble.stall) {
            return Some(until);
        }
        let next_command = self.commands.front().map(|command| command.due);
        let next_report = self.reports.front().map(|(at, _)| *at);
        let next = [next_command, next_report].into_iter().flatten().min().filter(|_| !self.output.is_full());
        let timers = [
            next.map(|next| next.max(self.free_at)),
            self.parser.poll_timeout(),
            self.firmware.poll_timeout(),
            self.restart.map(|(due, _)| due),
        ];
        timers.into_iter().flatten().min()
    }

    /// The next USB packet for the host: 64 bytes unless garbled, fewer at the end, none if there is nothing to say.
    pub fn poll_packet(&mut self, now: Time) -> Vec<u8> {
        if !self.is_on_bus() || self.is_stalled(now) {
            return Vec::new();
        }
        let (garbled_until, share) = self.trouble.garble;
        loop {
            let packet = self.output.take_packet();
            if packet.is_empty() || now >= garbled_until {
                return packet;
            }
            let damaged = garble(&packet, share, &mut self.random);
            if !damaged.is_empty() {
                return damaged;
            }
        }
    }

    /// Loses what is on its way, as happens when nobody has the port open.
    pub fn discard_output(&mut self) {
        self.output.clear();
    }

    fn is_stalled(&self, now: Time) -> bool {
        self.trouble.stall.is_some_and(|until| now < until)
    }

    /// Serves what waits, the radio first.
    fn serve(&mut self, now: Time) {
        while self.free_at <= now && self.restart.is_none_or(|(due, _)| due > now) {
            let waited = self.commands.front().filter(|next| next.due <= now).map(|next| now.since(next.due));
            let is_starving = waited.is_some_and(|waited| waited >= Self::STARVED);
            let since = if !self.reports.is_empty() && !is_starving {
                let Some((at, report)) = self.reports.pop_front() else { return };
                if !self.output.is_full() {
                    self.output.send_frame(&report);
                }
                at
            } else if waited.is_some() && !self.output.is_full() {
                let Some(command) = self.commands.pop_front() else { return };
                self.carry_out(now, command.what);
                command.due
            } else {
                return;
            };
            self.free_at = self.free_at.max(since) + Self::SERVICE;
        }
    }

    fn carry_out(&mut self, now: Time, command: Result<Vec<u8>, ErrorCode>) {
        let frame = command
            .as_ref()
            .map_err(|reason| *reason)
            .and_then(|bytes| Frame::parse(Direction::ToDevice, bytes).map_err(|_| ErrorCode::INVALID_COMMAND));
        match frame {
            Ok(frame) => {
                if let Some(restart) = self.firmware.answer(now, frame, &mut self.output) {
                    self.restart = Some((now + restart.after, restart));
                }
            }
            Err(reason) => self.output.send(&system::event::ProtocolError { reason }),
        }
    }

    fn boot(&mut self, now: Time, into_bootloader: bool) {
        self.parser = CommandParser::default();
        self.commands.clear();
        self.reports.clear();
        self.restart = None;
        self.free_at = now;
        self.firmware.restart(into_bootloader, &mut self.output);
    }
}

/// Lets a command wait; a host that sends without waiting for answers loses what does not fit.
fn put_off(commands: &mut VecDeque<Pending>, due: Time, what: Result<Vec<u8>, ErrorCode>) {
    if commands.len() < 2 * Device::COMMANDS {
        commands.push_back(Pending { due, what });
    }
}
