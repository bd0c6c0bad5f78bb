//! One thing that may be going on: what the wearer does, and what is known of fading if so.

use super::fading::{Fading, Sent};
use crate::evaluate::ensemble::air::Packet;
use crate::evaluate::ensemble::person::{Leg, Person, Pose, STILL_M_S, Scene};
use crate::evaluate::ensemble::site::Site;
use crate::simulate::Random;

/// So many legs are planned ahead: who goes for longer is about for ever.
const LEGS: usize = 16;

/// What follows on what is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Sitting until told otherwise.
    Sit,
    /// Being about, away.
    BeAbout,
    /// Whatever people do.
    Live,
}

#[derive(Clone, Debug)]
pub(super) struct Particle {
    pub(super) weight: f64,
    person: Person,
    fading: Fading,
    /// What the wearer does; sits, where it is nothing.
    leg: Option<Leg>,
    then: Then,
    from: Pose,
    since: f64,
    /// The way gone until then.
    way_m: f64,
}

impl Particle {
    /// Somebody in a pose, of whom nothing is planned.
    pub(super) fn new(person: Person, from: Pose, at: f64, then: Then) -> Self {
        Self { weight: 0.0, person, fading: Fading::new(at), leg: None, then, from, since: at, way_m: 0.0 }
    }

    pub(super) fn weighing(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// The same, with another chance from here on.
    pub(super) fn twin(&self, random: Random) -> Self {
        let mut twin = self.clone();
        twin.person.reseed(random);
        twin
    }

    /// Whether nothing is going on that has an end.
    pub(super) fn sits(&self) -> bool {
        self.leg.is_none()
    }

    /// Whether the wearer is away, and no more.
    pub(super) fn is_about(&self) -> bool {
        self.then == Then::BeAbout && self.leg.is_some_and(|leg| leg.scene == Scene::Away)
    }

    /// The same, where something begins.
    pub(super) fn beginning(&self, scene: Scene, at: f64, random: Random) -> Self {
        let from = self.pose(at);
        let mut person = self.person.twin(from, random);
        person.begin(scene);
        let then = match scene {
            Scene::Return => Then::Live,
            _ if person.forget_beyond(LEGS) => Then::BeAbout,
            _ => self.then,
        };
        let (leg, way_m) = (person.planned(), self.way_m + self.way_since(at));
        Self { weight: 0.0, person, fading: self.fading.clone(), leg, then, from, since: at, way_m }
    }

    /// How far the band is from the dongle.
    pub(super) fn distance_m(&self, at: f64) -> f64 {
        self.pose(at).distance_m
    }

    /// Weighs it by what became of an advert.
    pub(super) fn observe(&mut self, site: &Site, sent: Sent) {
        self.pass(sent.at);
        let pose = self.pose(sent.at);
        let between_db = self.leg.map_or(0.0, |leg| leg.between_db);
        let packet = Packet {
            at: sent.at,
            way_m: self.way_m + self.way_since(sent.at),
            distance_m: pose.distance_m,
            mean: site.mean(0, pose) - between_db,
        };
        self.weight *= self.fading.observe(site, packet, sent.heard);
    }

    fn share(&self, leg: &Leg, at: f64) -> f64 {
        ((at - self.since) / leg.seconds).clamp(0.0, 1.0)
    }

    fn way(&self, leg: &Leg) -> f64 {
        (leg.to.distance_m - self.from.distance_m).abs() + leg.wrist * leg.seconds
    }

    /// The way gone in what goes on.
    fn way_since(&self, at: f64) -> f64 {
        self.leg.map_or(STILL_M_S * (at - self.since), |leg| self.way(&leg) * self.share(&leg, at))
    }

    fn pose(&self, at: f64) -> Pose {
        self.leg.map_or(self.from, |leg| self.from.towards(leg.to, self.share(&leg, at)))
    }

    /// Goes on to what is done at a moment.
    fn pass(&mut self, at: f64) {
        if self.leg.is_none() && self.then != Then::Sit {
            self.leg = self.next();
        }
        while let Some(leg) = self.leg.filter(|leg| self.since + leg.seconds <= at) {
            self.way_m += self.way(&leg);
            self.since += leg.seconds;
            self.from = leg.to;
            self.leg = self.next();
        }
    }

    fn next(&mut self) -> Option<Leg> {
        self.person.planned().or_else(|| match self.then {
            Then::Sit => None,
            Then::BeAbout => {
                self.person.put(self.from);
                self.person.begin(Scene::Away);
                self.person.planned()
            }
            Then::Live => self.person.next(),
        })
    }
}

#[cfg(test)]
impl Particle {
    /// Since when it does what it does.
    pub(super) fn since(&self) -> f64 {
        self.since
    }
}
