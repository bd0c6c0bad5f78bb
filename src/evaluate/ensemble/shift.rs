//! A shift at a desk: what reaches the engine, and where its band truly was.

use std::time::Duration;

use super::air::{Air, Heard, Packet};
use super::keys::Keys;
use super::person::{Leg, Person, Pose, Scene};
use super::site::Site;
use crate::evaluate::trace::Truth;
use crate::event::AdapterId;
use crate::simulate::Random;
use crate::time::Time;

/// How long a shift lasts: half a day, so that an absence of hours fits in.
pub const HOURS: f64 = 4.0;

/// Up to here the band is present, in metres.
pub(super) const NEAR_M: f64 = 2.5;

/// From here on it is away, in metres.
pub(super) const FAR_M: f64 = 6.0;

/// The longest that a band waits beyond its interval, in seconds (Core Vol 6, Part B, §4.4.2.2.1: advDelay).
const DELAY_S: f64 = 0.010;

/// What is drawn apart, so that one does not disturb another.
mod part {
    pub(super) const SITE: u64 = 1;
    pub(super) const PERSON: u64 = 2;
    pub(super) const KEYS: u64 = 3;
    pub(super) const ADVERTS: u64 = 4;
    pub(super) const ANTENNA: u64 = 10; // and one more for each
}

/// What reaches the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A dongle heard the band.
    Reading {
        /// Which dongle.
        adapter: AdapterId,
        /// How loud, in tenths of a dBm.
        tenths: i32,
    },
    /// Somebody used the terminal's keys or mouse.
    UserActive,
    /// The wearer signed in.
    SignedIn,
}

/// What reaches the engine, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// When.
    pub at: Time,
    /// What.
    pub what: What,
}

/// A shift.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The workplace.
    pub site: Site,
    /// All that reaches the engine, in order of time.
    pub inputs: Vec<Input>,
    /// Where the band truly is, at both ends of every time on one side, whether anything is heard or not.
    pub truth: Vec<(Time, Truth)>,
    /// How far from the first dongle it is: straight from point to point.
    pub course: Vec<(Time, f64)>,
    /// What its wearer does, each from a moment on.
    pub scenes: Vec<(Time, Scene)>,
}

impl Shift {
    /// The shift of a seed, heard by one dongle or two; a rate of adverts that is given stands for the one drawn.
    ///
    /// People, places and what the first dongle makes of them do not depend on how many dongles there are, nor people
    /// and places on the rate.
    pub fn new(seed: u64, rate: Option<f64>, dongles: usize) -> Self {
        Self::overheard(seed, rate, dongles).0
    }

    /// The same, with what nobody can know: when each advert was sent, and what the first dongle made of it.
    pub(super) fn overheard(seed: u64, rate: Option<f64>, dongles: usize) -> (Self, Vec<(f64, Option<Heard>)>) {
        let site = Site::draw(&mut Random::new(seed, part::SITE), rate);
        let person = Self::person(seed, &site);
        let antennas =
            (0..dongles.min(site.antennas.len())).map(|place| Random::new(seed, part::ANTENNA + place as u64));
        let mut writer = Writer {
            at: 0.0,
            pose: person.seat(),
            way_m: 0.0,
            next: 0.0,
            adverts: Random::new(seed, part::ADVERTS),
            keys: Keys::new(Random::new(seed, part::KEYS)),
            sign_in: None,
            airs: antennas.map(Air::new).collect(),
            sent: Vec::new(),
            shift: Self { site, inputs: Vec::new(), truth: Vec::new(), course: Vec::new(), scenes: Vec::new() },
        };
        writer.shift.course.push((Time::ZERO, writer.pose.distance_m));
        for leg in person {
            writer.write(leg);
            if writer.at >= HOURS * 3600.0 {
                break;
            }
        }
        // Actions were put down leg by leg, beside readings.
        writer.shift.inputs.sort_by_key(|input| input.at);
        (writer.shift, writer.sent)
    }

    /// Who works there.
    pub(super) fn person(seed: u64, site: &Site) -> Person {
        Person::new(site.seat_m, Random::new(seed, part::PERSON))
    }

    /// When it ends.
    pub fn end(&self) -> Time {
        moment(HOURS * 3600.0)
    }
}

/// Puts a shift down, leg by leg; times are seconds.
struct Writer {
    at: f64,
    pose: Pose,
    way_m: f64,
    /// When the band advertises next.
    next: f64,
    adverts: Random,
    keys: Keys,
    sign_in: Option<f64>,
    airs: Vec<Air>,
    /// Every advert, with what the first dongle made of it.
    sent: Vec<(f64, Option<Heard>)>,
    shift: Shift,
}

impl Writer {
    fn write(&mut self, leg: Leg) {
        let (from, before) = (self.at, self.pose);
        let until = from + leg.seconds;
        let end = until.min(HOURS * 3600.0);
        let way = (leg.to.distance_m - before.distance_m).abs() + leg.wrist * leg.seconds;
        let share = |at: f64| (at - from) / leg.seconds;
        while self.next < end {
            let at = self.next;
            let pose = before.towards(leg.to, share(at));
            self.advertise(at, self.way_m + way * share(at), pose, leg.between_db);
            self.next += 1.0 / self.shift.site.rate + DELAY_S * self.adverts.unit();
        }
        self.act(&leg, end);
        let pose = before.towards(leg.to, share(end));
        self.tell(before.distance_m, pose.distance_m, end);
        let changed = self.shift.scenes.last().is_none_or(|(_, scene)| *scene != leg.scene);
        if changed {
            self.shift.scenes.push((moment(from), leg.scene));
        }
        self.shift.course.push((moment(end), pose.distance_m));
        self.way_m += way * share(end);
        (self.at, self.pose) = (end, pose);
    }

    fn advertise(&mut self, at: f64, way_m: f64, pose: Pose, between_db: f64) {
        let Self { shift: Shift { site, inputs, .. }, airs, sent, .. } = self;
        for (place, air) in airs.iter_mut().enumerate() {
            let packet = || Packet {
                at,
                way_m,
                distance_m: pose.seen_from(site.antennas[place].apart_m).0,
                mean: site.mean(place, pose) - between_db,
            };
            let heard = air.hear(site, place, packet);
            if place == 0 {
                sent.push((at, heard));
            }
            if let Some(Heard { dbm, .. }) = heard {
                let what = What::Reading { adapter: AdapterId(place as u8), tenths: dbm * 10 };
                inputs.push(Input { at: moment(at), what });
            }
        }
    }

    /// What the wearer does at the terminal.
    fn act(&mut self, leg: &Leg, end: f64) {
        let inputs = &mut self.shift.inputs;
        match leg.scene {
            Scene::Seated | Scene::Fidget | Scene::PassedBy => {
                let input = |at| inputs.push(Input { at: moment(at), what: What::UserActive });
                self.keys.between(self.at, end, input);
            }
            Scene::SitDown => self.sign_in = Some(self.keys.sign_in(end)),
            _ => {}
        }
        let leaves = matches!(leg.scene, Scene::Rise | Scene::Leave);
        if leaves {
            self.sign_in = None;
        }
        if let Some(at) = self.sign_in.take_if(|at| *at < end) {
            self.shift.inputs.push(Input { at: moment(at), what: What::SignedIn });
        }
    }

    /// Says where the band truly is on a straight way.
    fn tell(&mut self, from_m: f64, to_m: f64, end: f64) {
        let crossing = |limit: f64| (limit - from_m) / (to_m - from_m);
        let crossings = [NEAR_M, FAR_M].map(crossing);
        let mut shares: Vec<f64> = crossings.into_iter().filter(|share| *share > 0.0 && *share < 1.0).collect();
        shares.sort_by(f64::total_cmp);
        shares.push(1.0);
        let mut before = 0.0;
        for share in shares {
            let side = side(from_m + (to_m - from_m) * (before + share) / 2.0);
            let (begin, until) = [before, share].map(|share| self.at + (end - self.at) * share).into();
            self.stay(side, begin, until);
            before = share;
        }
    }

    /// Says that the band is on a side between two moments.
    fn stay(&mut self, side: Truth, begin: f64, until: f64) {
        let truth = &mut self.shift.truth;
        match truth.last_mut() {
            Some((at, last)) if *last == side => *at = moment(until),
            _ => truth.extend([(moment(begin), side), (moment(until), side)]),
        }
    }
}

/// On which side of a terminal a band so far away is.
fn side(distance_m: f64) -> Truth {
    match distance_m {
        near if near <= NEAR_M => Truth::Present,
        far if far >= FAR_M => Truth::Away,
        _ => Truth::Grey,
    }
}

pub(super) fn moment(seconds: f64) -> Time {
    Time::ZERO + Duration::from_micros((seconds * 1e6).round() as u64)
}
