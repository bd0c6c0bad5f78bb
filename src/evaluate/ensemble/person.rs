//! What people do: sit and work, and now and then something else.

mod rates; // how likely what is next

use std::collections::VecDeque;
use std::f64::consts::PI;

use super::parameter::{Parameter, while_of};
use crate::simulate::Random;

const ASSUMED: &str = "assumed";
const WALKS: &str = "walking speeds indoors";

const STILL: Parameter =
    Parameter { what: "wrist at the keys, drift", low: 0.5, high: 0.5, unit: "mm/s", source: ASSUMED };
/// The same in m/s.
pub(super) const STILL_M_S: f64 = STILL.value() / 1e3;
const FIDGET: Parameter =
    Parameter { what: "between fidgets, mean of a person", low: 20.0, high: 90.0, unit: "s", source: ASSUMED };
const FIDGET_WAY: Parameter =
    Parameter { what: "way of the wrist in a fidget", low: 0.5, high: 8.0, unit: "cm", source: ASSUMED };
const TURN: Parameter =
    Parameter { what: "between turns of the chair, mean", low: 60.0, high: 600.0, unit: "s", source: ASSUMED };
const TURN_ROUND: Parameter = Parameter {
    what: "turns that go right round, for 3 s and more, 23 s as a rule",
    low: 15.0,
    high: 15.0,
    unit: "%",
    source: ASSUMED,
};
const REACH: Parameter =
    Parameter { what: "between reaches, mean", low: 60.0, high: 400.0, unit: "s", source: ASSUMED };
const STAND: Parameter = Parameter {
    what: "between standing up for 1 to 15 s and sitting down again, mean",
    low: 600.0,
    high: 3000.0,
    unit: "s",
    source: ASSUMED,
};
const PASS: Parameter = Parameter {
    what: "between others who pass between band and dongle, mean",
    low: 60.0,
    high: 900.0,
    unit: "s",
    source: ASSUMED,
};
const PASS_DB: Parameter =
    Parameter { what: "what they take away, for 0.5 to 3 s", low: 2.0, high: 10.0, unit: "dB", source: ASSUMED };
const STAY: Parameter = Parameter {
    what: "stay at the desk beyond the first minute, mean",
    low: 2400.0,
    high: 2400.0,
    unit: "s",
    source: ASSUMED,
};
const SHORT: Parameter =
    Parameter { what: "stays of only 5 to 40 s", low: 10.0, high: 10.0, unit: "%", source: ASSUMED };
const SHORT_S: (f64, f64) = (5.0, 40.0);
/// Every other stay lasts as long at the least, in seconds.
const SETTLED_S: f64 = 60.0;
const PACE: Parameter = Parameter { what: "pace", low: 0.7, high: 1.6, unit: "m/s", source: WALKS };
const AT_ONCE: Parameter = Parameter {
    what: "departures at once; else after 0.5 to 4 s about the chair",
    low: 30.0,
    high: 30.0,
    unit: "%",
    source: ASSUMED,
};
const BACK: Parameter = Parameter {
    what: "departures with the back turned, by 70 to 180 degrees",
    low: 70.0,
    high: 70.0,
    unit: "%",
    source: ASSUMED,
};
const LINGER: Parameter = Parameter {
    what: "departures that linger for 5 to 40 s at 4.5 to 8 m",
    low: 25.0,
    high: 25.0,
    unit: "%",
    source: ASSUMED,
};
const ROOM: Parameter = Parameter { what: "first place away", low: 6.5, high: 14.0, unit: "m", source: ASSUMED };
const OUT: Parameter =
    Parameter { what: "departures out of the room", low: 60.0, high: 60.0, unit: "%", source: ASSUMED };
const WALL: Parameter =
    Parameter { what: "walls then between", low: 4.0, high: 12.0, unit: "dB", source: "one light or one heavy wall" };
const SECONDS: Parameter =
    Parameter { what: "absences of 5 to 60 s", low: 30.0, high: 30.0, unit: "%", source: ASSUMED };
const HOURS: Parameter = Parameter { what: "absences of 1 to 2 h", low: 8.0, high: 8.0, unit: "%", source: ASSUMED };
const ABSENCE: Parameter =
    Parameter { what: "the other absences beyond 30 s, mean", low: 900.0, high: 900.0, unit: "s", source: ASSUMED };
const PASS_BY: Parameter = Parameter {
    what: "absences of two minutes and more with a walk past the desk at 3 to 5 m",
    low: 15.0,
    high: 15.0,
    unit: "%",
    source: ASSUMED,
};

/// The parameters of people.
pub(super) const PARAMETERS: [&Parameter; 22] = [
    &STILL,
    &FIDGET,
    &FIDGET_WAY,
    &TURN,
    &TURN_ROUND,
    &REACH,
    &STAND,
    &PASS,
    &PASS_DB,
    &STAY,
    &SHORT,
    &PACE,
    &AT_ONCE,
    &BACK,
    &LINGER,
    &ROOM,
    &OUT,
    &WALL,
    &SECONDS,
    &HOURS,
    &ABSENCE,
    &PASS_BY,
];

/// Where the band is, and how its wearer stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// From the first dongle.
    pub distance_m: f64,
    /// In which direction from there, where 0 is towards the second dongle, in radians.
    pub bearing: f64,
    /// How far the wearer is turned from facing the first dongle, in radians.
    pub heading: f64,
}

impl Pose {
    /// How far the band is from a dongle beside the first, and how far the wearer is turned from facing that.
    pub fn seen_from(self, apart_m: f64) -> (f64, f64) {
        if apart_m == 0.0 {
            return (self.distance_m, self.heading);
        }
        // Of the band's place, the part along the line through both dongles.
        let along = self.distance_m * self.bearing.cos();
        let across = self.distance_m * self.bearing.sin();
        let distance = (along - apart_m).hypot(across);
        let between = (apart_m * across).atan2(self.distance_m * self.distance_m - apart_m * along);
        (distance.max(0.05), self.heading + between)
    }

    /// Somewhere on the straight way to another pose.
    pub(super) fn towards(self, to: Self, share: f64) -> Self {
        let between = |from: f64, to: f64| from + (to - from) * share;
        Self {
            distance_m: between(self.distance_m, to.distance_m),
            bearing: between(self.bearing, to.bearing),
            heading: between(self.heading, to.heading),
        }
    }
}

/// What somebody is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// Sits and works.
    Seated,
    /// Moves the wrist by some centimetres.
    Fidget,
    /// Turns the chair.
    Turn,
    /// Reaches for something.
    Reach,
    /// Stands up, to sit down again.
    Stand,
    /// Sits, and somebody passes between band and dongle.
    PassedBy,
    /// Gets up to go.
    Rise,
    /// Goes.
    Leave,
    /// Stands in the door.
    Linger,
    /// Is elsewhere.
    Away,
    /// Walks past the desk without stopping.
    PassBy,
    /// Comes.
    Return,
    /// Sits down.
    SitDown,
}

/// A stretch of time in which everything changes evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leg {
    /// What for.
    pub scene: Scene,
    /// How long it takes.
    pub seconds: f64,
    /// Where it leads.
    pub to: Pose,
    /// How fast the wrist moves beside that, in m/s.
    pub wrist: f64,
    /// What is between band and dongles beside the wearer, in dB.
    pub between_db: f64,
}

/// The mean seconds between what somebody does at a desk.
#[derive(Clone, Copy, Debug)]
struct Habits {
    fidget: f64,
    turn: f64,
    reach: f64,
    stand: f64,
    pass: f64,
}

/// Somebody, leg by leg, for ever.
#[derive(Clone, Debug)]
pub struct Person {
    random: Random,
    habits: Habits,
    seat: Pose,
    pose: Pose,
    /// Seconds since the shift began, once all that is planned is done.
    now: f64,
    leaves: f64,
    /// What is between here and the desk while away, in dB.
    wall_db: f64,
    planned: VecDeque<Leg>,
}

impl Person {
    /// Somebody who sits at a desk.
    pub(super) fn new(seat_m: f64, mut random: Random) -> Self {
        let habits = Habits {
            fidget: FIDGET.draw(&mut random),
            turn: TURN.draw(&mut random),
            reach: REACH.draw(&mut random),
            stand: STAND.draw(&mut random),
            pass: PASS.draw(&mut random),
        };
        let seat = Pose { distance_m: seat_m, bearing: 2.0 * PI * random.unit(), heading: 0.0 };
        let leaves = SETTLED_S + while_of(STAY.value(), &mut random);
        Self { random, habits, seat, pose: seat, now: 0.0, leaves, wall_db: 0.0, planned: VecDeque::new() }
    }

    /// Somebody else with the same habits, of whom nothing is planned, in some pose and with a chance of their own.
    pub(super) fn twin(&self, pose: Pose, random: Random) -> Self {
        let Self { habits, seat, now, leaves, wall_db, .. } = *self;
        Self { random, habits, seat, pose, now, leaves, wall_db, planned: VecDeque::new() }
    }

    /// The same, out of the room or not, as often as people are.
    pub(super) fn elsewhere(mut self) -> Self {
        self.wall_db = if self.chance(OUT) { WALL.draw(&mut self.random) } else { 0.0 };
        self
    }

    /// Whatever is planned next begins in this pose.
    pub(super) fn put(&mut self, pose: Pose) {
        self.pose = pose;
    }

    /// Gives a chance of its own to what is not planned yet.
    pub(super) fn reseed(&mut self, random: Random) {
        self.random = random;
    }

    /// The next leg of what is planned.
    pub(super) fn planned(&mut self) -> Option<Leg> {
        self.planned.pop_front()
    }

    /// Plans no more than so many legs; returns whether there were more.
    pub(super) fn forget_beyond(&mut self, legs: usize) -> bool {
        let more = self.planned.len() > legs;
        self.planned.truncate(legs);
        more
    }

    /// Where the first leg begins.
    pub fn seat(&self) -> Pose {
        self.seat
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random.unit()
    }

    fn chance(&mut self, percent: Parameter) -> bool {
        self.random.chance(percent.value() / 100.0)
    }

    fn plan(&mut self, scene: Scene, seconds: f64, to: Pose, wrist: f64, between_db: f64) {
        self.planned.push_back(Leg { scene, seconds, to, wrist, between_db });
        (self.pose, self.now) = (to, self.now + seconds);
    }

    /// Walks at a pace.
    fn walk(&mut self, scene: Scene, to: Pose, pace: f64, between_db: f64) {
        let seconds = (to.distance_m - self.pose.distance_m).abs() / pace;
        self.plan(scene, seconds.max(0.2), to, 0.3, between_db); // arms swing
    }

    /// What interrupts sitting beside leaving, and after how many seconds on average.
    pub(super) fn interruptions(&self) -> [(Scene, f64); 5] {
        let Habits { fidget, turn, reach, stand, pass } = self.habits;
        [
            (Scene::Fidget, fidget),
            (Scene::Turn, turn),
            (Scene::Reach, reach),
            (Scene::Stand, stand),
            (Scene::PassedBy, pass),
        ]
    }

    fn sit(&mut self) {
        let mut next = (self.leaves - self.now, Scene::Leave);
        for (scene, mean) in self.interruptions() {
            let after = while_of(mean, &mut self.random);
            next = if after < next.0 { (after, scene) } else { next };
        }
        self.plan(Scene::Seated, next.0.max(0.01), self.pose, STILL_M_S, 0.0);
        self.begin(next.1);
    }

    /// Plans what interrupts sitting, or being away.
    pub(super) fn begin(&mut self, scene: Scene) {
        match scene {
            Scene::Fidget => self.fidget(),
            Scene::Turn => self.turn(),
            Scene::Reach => self.reach(),
            Scene::Stand => self.stand(),
            Scene::PassedBy => {
                let (seconds, between) = (self.within(0.5, 3.0), PASS_DB.draw(&mut self.random));
                self.plan(Scene::PassedBy, seconds, self.pose, STILL_M_S, between);
            }
            Scene::Away => self.be_about(f64::INFINITY),
            Scene::PassBy => self.pass_by(),
            Scene::Return => self.come_back(),
            _ => self.leave(),
        }
    }

    fn fidget(&mut self) {
        let (seconds, way) = (self.within(0.3, 1.5), FIDGET_WAY.draw(&mut self.random) / 100.0);
        self.plan(Scene::Fidget, seconds, self.pose, way / seconds, 0.0);
    }

    /// Mostly a little, and it stays so; now and then right round, and back.
    fn turn(&mut self) {
        let (round, left) = (self.chance(TURN_ROUND), self.random.chance(0.5));
        let angle = if round { self.within(PI / 2.0, PI) } else { (0.6 * self.random.normal().abs()).min(PI / 2.0) };
        let turned = Pose { heading: if left { -angle } else { angle }, ..self.pose };
        let seconds = self.within(0.8, 2.5);
        self.plan(Scene::Turn, seconds, turned, 0.15, 0.0);
        if round {
            let stays = 3.0 + while_of(20.0, &mut self.random);
            self.plan(Scene::Turn, stays, turned, 0.002, 0.0);
            self.plan(Scene::Turn, seconds, self.seat, 0.15, 0.0);
        }
    }

    fn reach(&mut self) {
        let (before, seconds) = (self.pose, self.within(0.5, 1.2));
        let there = (before.distance_m + self.within(-0.4, 0.5)).clamp(0.3, 2.3);
        let holds = self.within(0.5, 4.0);
        let to = Pose { distance_m: there, ..before };
        self.plan(Scene::Reach, seconds, to, 0.2, 0.0);
        self.plan(Scene::Reach, holds, to, 0.05, 0.0);
        self.plan(Scene::Reach, seconds, before, 0.2, 0.0);
    }

    fn stand(&mut self) {
        let there = (self.pose.distance_m + self.within(-0.3, 0.6)).clamp(0.4, 2.4);
        let to = Pose { distance_m: there, heading: self.within(-1.8, 1.8), ..self.pose };
        let seconds = self.within(1.0, 15.0);
        self.plan(Scene::Stand, 1.2, to, 0.4, 0.0);
        self.plan(Scene::Stand, seconds, to, 0.25, 0.0);
        self.plan(Scene::Stand, 1.2, self.seat, 0.4, 0.0);
    }

    /// Goes, is away, and comes back.
    fn leave(&mut self) {
        let pace = PACE.draw(&mut self.random);
        let turned = if self.chance(BACK) { self.within(1.2, PI) } else { self.within(0.0, 1.2) };
        let heading = if self.random.chance(0.5) { turned } else { -turned };
        let bearing = self.seat.bearing + self.within(-1.0, 1.0);
        if !self.chance(AT_ONCE) {
            let (seconds, part) = (self.within(0.5, 4.0), self.random.unit());
            self.plan(Scene::Rise, seconds, Pose { heading: heading * part, ..self.pose }, 0.4, 0.0);
        }
        if self.chance(LINGER) {
            let door = Pose { distance_m: self.within(4.5, 8.0), bearing, heading };
            self.walk(Scene::Leave, door, pace, 0.0);
            let (turned, seconds) = (self.within(-PI, PI), self.within(5.0, 40.0));
            let to = Pose { heading: turned, ..door };
            self.plan(Scene::Linger, 1.0, to, 0.3, 0.0);
            self.plan(Scene::Linger, seconds, to, 0.03, 0.0);
        }
        let room = ROOM.draw(&mut self.random).max(self.pose.distance_m + 0.5);
        self.walk(Scene::Leave, Pose { distance_m: room, bearing, heading }, pace, 0.0);
        let out = self.chance(OUT);
        self.wall_db = if out { WALL.draw(&mut self.random) } else { 0.0 };
        if out {
            let further = room + self.within(1.0, 12.0);
            self.walk(Scene::Leave, Pose { distance_m: further, bearing, heading }, pace, self.wall_db);
        }
        self.be_away();
        self.come_back();
    }

    fn be_away(&mut self) {
        let drawn = 100.0 * self.random.unit();
        let absence = match drawn - SECONDS.value() {
            below if below < 0.0 => self.within(5.0, 60.0),
            below if below < HOURS.value() => self.within(3600.0, 7200.0),
            _ => 30.0 + while_of(ABSENCE.value(), &mut self.random),
        };
        let until = self.now + absence;
        if absence >= 120.0 && self.chance(PASS_BY) {
            let (before, closest) = (self.pose, self.within(3.0, 5.0));
            let stays = self.within(30.0, 60.0);
            self.plan(Scene::Away, stays, before, 0.005, self.wall_db);
            self.walk_past(closest);
        }
        while self.now < until {
            self.be_about(until);
        }
    }

    fn pass_by(&mut self) {
        let closest = self.within(3.0, 5.0);
        self.walk_past(closest);
    }

    fn walk_past(&mut self, closest: f64) {
        let before = self.pose;
        self.walk(Scene::PassBy, Pose { distance_m: closest, ..before }, 1.2, 0.0);
        self.walk(Scene::PassBy, before, 1.2, 0.0);
    }

    /// Stands about, or sits elsewhere, then goes somewhere near.
    fn be_about(&mut self, until: f64) {
        let (mean, wrist) = if self.random.chance(0.3) { (600.0, STILL_M_S) } else { (30.0, 0.005) };
        let stays = while_of(mean, &mut self.random).min(until - self.now).max(0.1);
        let turned = Pose { heading: self.within(-PI, PI), ..self.pose };
        self.plan(Scene::Away, 1.0, turned, 0.3, self.wall_db);
        self.plan(Scene::Away, stays, turned, wrist, self.wall_db);
        if self.random.chance(0.5) {
            let there = (turned.distance_m + self.within(-4.0, 4.0)).clamp(6.5, 25.0);
            let pace = self.within(0.6, 1.4);
            self.walk(Scene::Away, Pose { distance_m: there, ..turned }, pace, self.wall_db);
        }
    }

    fn come_back(&mut self) {
        let (pace, facing) = (PACE.draw(&mut self.random), self.within(-0.5, 0.5));
        if self.pose.distance_m > 8.0 {
            // The door is there, and the walls are behind.
            let between_db = self.planned.back().map_or(self.wall_db, |leg| leg.between_db);
            self.walk(Scene::Return, Pose { distance_m: 8.0, heading: facing, ..self.pose }, pace, between_db);
        }
        let beside = Pose { distance_m: self.seat.distance_m + 0.3, heading: facing, ..self.seat };
        self.walk(Scene::Return, beside, pace, 0.0);
        let seconds = self.within(0.5, 3.0);
        self.plan(Scene::SitDown, seconds, self.seat, 0.4, 0.0);
        let stays = if self.chance(SHORT) {
            self.within(SHORT_S.0, SHORT_S.1)
        } else {
            SETTLED_S + while_of(STAY.value(), &mut self.random)
        };
        self.leaves = self.now + stays;
    }
}

impl Iterator for Person {
    type Item = Leg;

    fn next(&mut self) -> Option<Leg> {
        if self.planned.is_empty() {
            self.sit();
        }
        self.planned.pop_front()
    }
}
