//! The engine: adverts and time in, decisions out.

mod learning; // what was learnt outlives the table

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bgapi::PacketType;
use bgapi::gap::event::ScanResponse;
use bgapi::{Address, BdAddr};
use foldhash::fast::RandomState;

use super::band::{Decisions, Listing, Record, Rules};
use super::constants::ACTIVE_FOR;
use super::level::Level;
use super::memory::Memory;
use super::settings::Settings;
use super::table::Table;
use super::user::SignInError;
use crate::event::{AdapterId, Band, BandState, Decision, PresenceReason, Rule};
use crate::roster::{Mode, Roster};
use crate::time::Time;

/// What was counted since the engine began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Readings of bands.
    pub samples: u64,
    /// Reports of advertisers that are no bands.
    pub others: u64,
    /// Readings that are none, such as +127.
    pub invalid: u64,
    /// Bands that came into the table.
    pub tracked: u64,
    /// Bands that had to make room for others.
    pub evicted: u64,
    /// Seats that were recalled and did not fit.
    pub misfits: u64,
}

/// Turns what the dongles hear into taps, sides and presence.
///
/// It never reads a clock: time is what comes in, and it must not run backwards. A timer due at a moment runs before
/// the input of that moment.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    /// Since when the settings hold.
    since: Time,
    /// The newest moment that came in.
    now: Time,
    table: Table,
    roster: Option<Listed>,
    /// By [`AdapterId`]; a dongle that is not known to be sick is well.
    sick: Vec<bool>,
    /// By [`AdapterId`]: the dongle's own address, once that is known.
    dongles: Vec<Option<BdAddr>>,
    /// What was learnt at another time.
    memory: Memory,
    /// When somebody last used keyboard or mouse, whoever it was.
    active: Option<Time>,
    /// No timer is due before this.
    next_due: Time,
    decisions: Decisions,
    counters: Counters,
}

/// The roster, by address.
#[derive(Debug)]
struct Listed {
    rev: u64,
    mode: Mode,
    bands: HashMap<u64, (Band, Listing), RandomState>,
}

const NEVER: Time = Time::from_micros(u64::MAX);

impl Engine {
    /// An engine that has heard nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            since: Time::ZERO,
            now: Time::ZERO,
            table: Table::new(),
            roster: None,
            sick: Vec::new(),
            dongles: Vec::new(),
            memory: Memory::default(),
            active: None,
            next_due: NEVER,
            decisions: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes one report of a dongle, stamped when its bytes arrived; returns the band that sent it, if it is one.
    pub fn handle_report(&mut self, at: Time, adapter: AdapterId, report: &ScanResponse<'_>) -> Option<&Band> {
        self.handle_timeout(at);
        let address = report.address();
        let key = address.key();
        if self.table.find(key).is_none() && !self.admit(at, key, address, report.data.as_slice()) {
            self.counters.others += 1;
            return None;
        }
        // A scan response only completes the advertising data: it is sent by request, at another moment of the band's
        // own choice, and would make the rate of samples depend on who asks.
        if report.packet_type != PacketType::SCAN_RSP {
            self.take(at, adapter, key, i32::from(report.rssi) * 10);
        }
        self.table.find(key).map(|record| &record.band)
    }

    /// Takes one reading of a band, in tenths of a dBm, as recorded without its advert.
    pub fn handle_reading(&mut self, at: Time, adapter: AdapterId, address: Address, tenths: i32) {
        self.handle_timeout(at);
        let key = address.key();
        if self.table.find(key).is_none() {
            self.track(at, key, address);
        }
        self.take(at, adapter, key, tenths);
    }

    /// Follows a dongle's health: a band that falls silent at a sick one is absent for another reason.
    pub fn handle_adapter(&mut self, at: Time, adapter: AdapterId, well: bool) {
        self.handle_timeout(at);
        let place = usize::from(adapter.0);
        if self.sick.len() <= place {
            self.sick.resize(place + 1, false);
        }
        self.sick[place] = !well;
    }

    /// Takes changed settings over; no sample and no band is lost.
    pub fn handle_settings(&mut self, at: Time, settings: Settings) {
        self.handle_timeout(at);
        self.unlearn(&settings);
        (self.settings, self.since) = (settings, at);
        let rules = Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
        for (_, record) in self.table.iter_mut() {
            record.reload(rules);
        }
        self.next_due = self.earliest().map_or(NEVER, |(due, _)| due);
    }

    /// Takes the agent's roster over: listed bands get their names, bands left out become absent.
    pub fn handle_roster(&mut self, at: Time, roster: &Roster) {
        self.handle_timeout(at);
        let mut listed = Listed { rev: roster.rev, mode: roster.mode, bands: HashMap::default() };
        for entry in &roster.entries {
            if let Some(address) = entry.address {
                let band = Band { address, id: Some(entry.id.clone()) };
                listed.bands.insert(address.key(), (band, Listing { active: entry.active, auth: entry.auth }));
            }
        }
        let rules = Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
        let mut gone = Vec::new();
        for (key, record) in self.table.iter_mut() {
            match listed.bands.get(&key) {
                Some((band, listing)) => {
                    record.list(at, band.id.clone(), Some(*listing), rules, &mut self.decisions);
                }
                None => {
                    if record.listing.is_some() || listed.mode == Mode::Listed {
                        record.lose(at, PresenceReason::Roster, Rule::Roster, rules, &mut self.decisions);
                        gone.push(key);
                    }
                }
            }
        }
        self.forget_unlisted(&listed, &gone);
        for key in gone {
            self.table.remove(key);
        }
        self.table.recount();
        self.roster = Some(listed);
    }

    /// Notes that keyboard or mouse was used `age` ago, by the wearer of a band or by somebody: a band that was near at
    /// that moment stays near for a while, though its level asks for away.
    pub fn handle_user_active(&mut self, at: Time, band: Option<Address>, age: Duration) {
        self.handle_timeout(at);
        if age > ACTIVE_FOR {
            return;
        }
        let moment = at - age;
        // What is held back by this is due later than thought, which its timer finds out when it runs.
        match band {
            None => self.active = self.active.max(Some(moment)),
            Some(band) => {
                if let Some(record) = self.table.find_mut(band.key()) {
                    record.note_active(moment);
                }
            }
        }
    }

    /// Takes the agent's word that the wearer of a band is at the terminal: it is near at once, and the rules go on.
    ///
    /// # Errors
    /// If there are no sides, or nobody says that this address is a band's.
    pub fn handle_signed_in(&mut self, at: Time, band: Address) -> Result<(), SignInError> {
        self.handle_timeout(at);
        if self.settings.cutoffs.is_none() {
            return Err(SignInError::NoSides);
        }
        let key = band.key();
        if self.table.find(key).is_none() && !self.admit(at, key, band, &[]) {
            let counts = self.roster.as_ref().is_some_and(|roster| roster.mode == Mode::Listed);
            return Err(if counts { SignInError::Unlisted } else { SignInError::Unknown });
        }
        let rules = Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
        if let Some(record) = self.table.find_mut(key) {
            record.sign_in(at, rules, &mut self.decisions);
            if let Some(due) = record.due(rules) {
                self.next_due = self.next_due.min(due);
            }
        }
        Ok(())
    }

    /// Tells the engine that the machine slept and woke at `woken`: what fell due meanwhile fires once, for that reason.
    pub fn handle_wake(&mut self, woken: Time) {
        self.run_timers(woken, Some(woken));
    }

    /// Concludes what follows from silence up to and including `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = self.now.max(now);
        if now >= self.next_due {
            self.run_timers(now, None);
        }
    }

    /// The next moment to call [`Engine::handle_timeout`], though nothing is heard. It may be early: a band that was
    /// heard again is not looked for before its old moment has come.
    pub fn poll_timeout(&self) -> Option<Time> {
        (self.next_due != NEVER).then_some(self.next_due)
    }

    /// Drains what was concluded, oldest first.
    pub fn poll_decision(&mut self) -> Option<Decision> {
        self.decisions.pop_front()
    }

    /// The state of every tracked band, in the order of their addresses.
    pub fn bands(&self) -> Vec<BandState> {
        let (now, rules) = (self.now, self.rules());
        let mut bands: Vec<_> = self.table.iter().map(|(_, record)| record.state(now, rules)).collect();
        bands.sort_by_key(|state| state.band.address);
        bands
    }

    /// How many bands are present.
    pub fn present(&self) -> usize {
        self.table.iter().filter(|(_, record)| record.is_present()).count()
    }

    /// The revision of the roster in force.
    pub fn roster_rev(&self) -> Option<u64> {
        self.roster.as_ref().map(|roster| roster.rev)
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn rules(&self) -> Rules<'_> {
        Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active }
    }

    /// Lets an advertiser into the table if it is a band, by its address or by what this one advert carries.
    fn admit(&mut self, at: Time, key: u64, address: Address, data: &[u8]) -> bool {
        let admitted = match &self.roster {
            Some(roster) if roster.bands.contains_key(&key) => true,
            Some(roster) if roster.mode == Mode::Listed => false,
            _ => self.settings.matcher.matches(address, data),
        };
        if admitted {
            self.track(at, key, address);
        }
        admitted
    }

    fn track(&mut self, at: Time, key: u64, address: Address) {
        let (band, listing) = match self.roster.as_ref().and_then(|roster| roster.bands.get(&key)) {
            Some((band, listing)) => (band.clone(), Some(*listing)),
            None => (Band { address, id: None }, None),
        };
        let evicted = if listing.is_none() { self.make_room(at) } else { None };
        let record = match evicted {
            Some(record) => record.reused_for(band, listing),
            None => Record::new(band, listing),
        };
        self.table.insert(key, record);
        self.counters.tracked += 1;
    }

    fn make_room(&mut self, at: Time) -> Option<Record> {
        let mut record = self.table.remove(self.table.overdue()?)?;
        self.counters.evicted += 1;
        let rules = Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
        record.lose(at, PresenceReason::Evicted, Rule::Evicted, rules, &mut self.decisions);
        self.outlive(&record);
        Some(record)
    }

    fn take(&mut self, at: Time, adapter: AdapterId, key: u64, tenths: i32) {
        let Some(level) = Level::from_reading(tenths, self.settings.offset(adapter)) else {
            self.counters.invalid += 1;
            return;
        };
        self.counters.samples += 1;
        self.remember(adapter, key);
        let rules = Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
        if let Some(record) = self.table.hear(key) {
            record.handle_sample(at, adapter, level, rules, &mut self.decisions);
            self.counters.misfits += record.take_misfits();
            if let Some(due) = record.due(rules) {
                self.next_due = self.next_due.min(due);
            }
        }
    }

    fn run_timers(&mut self, now: Time, woken: Option<Time>) {
        loop {
            match self.earliest() {
                Some((due, key)) if due <= now => {
                    let rules =
                        Rules { settings: &self.settings, since: self.since, sick: &self.sick, active: self.active };
                    if let Some(record) = self.table.find_mut(key) {
                        record.handle_due(due, woken, rules, &mut self.decisions);
                    }
                }
                next => {
                    self.next_due = next.map_or(NEVER, |(due, _)| due);
                    return;
                }
            }
        }
    }

    /// The first timer; of several due at once, that of the lowest address.
    fn earliest(&self) -> Option<(Time, u64)> {
        let rules = self.rules();
        self.table.iter().filter_map(|(key, record)| Some((record.due(rules)?, key))).min()
    }
}
