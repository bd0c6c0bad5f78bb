//! All that may be going on, and how likely each is.
//!
//! ```text
//!        ┌───────── done ─────────┐         at the desk             elsewhere
//!        ▼                        │
//!     settled ─ interruptions ─► busy        sits; turns, reaches…   is about; passes by
//!        └──────── changes ────► moved       leaves                  comes back
//! ```
//!
//! What is rare is tried often and weighed as rare: each group keeps particles of its own.

use super::fading::Sent;
use super::particle::{Particle, Then};
use crate::evaluate::ensemble::air::Heard;
use crate::evaluate::ensemble::person::{Person, Pose, Scene};
use crate::evaluate::ensemble::shift::{FAR_M, NEAR_M};
use crate::evaluate::ensemble::site::Site;
use crate::simulate::Random;

const SETTLED: usize = 0;
const BUSY: usize = 1;
const MOVED: usize = 2;

/// How many particles are kept of each group.
const KEPT: [usize; 3] = [150, 500, 700];
/// How many of those who are settled elsewhere.
const KEPT_AWAY: usize = 500;

/// So many new ones a second of each interruption, and of each change of side.
const TRIED: f64 = 12.0;
const CHANGED: f64 = 40.0;

/// Odds are taken no further than this.
const CERTAIN: f64 = 1e-12;

pub(super) struct Watch<'a> {
    site: &'a Site,
    person: &'a Person,
    random: Random,
    begin: f64,
    now: f64,
    /// Whether the wearer was away at first.
    away: bool,
    came_back: bool,
    kept: [usize; 3],
    groups: [Vec<Particle>; 3],
}

impl<'a> Watch<'a> {
    /// Watches somebody who has just sat down.
    pub(super) fn sitting(site: &'a Site, person: &'a Person, random: Random, begin: f64, came_back: bool) -> Self {
        let seat = person.seat();
        let sits = |random| Particle::new(person.twin(seat, random), seat, begin, Then::Sit);
        Self { came_back, ..Self::new(site, person, random, begin, KEPT, sits) }
    }

    /// Watches somebody who is now away, at this distance.
    pub(super) fn away(site: &'a Site, person: &'a Person, random: Random, begin: f64, distance_m: f64) -> Self {
        let there = Pose { distance_m, ..person.seat() };
        let is_about = |random| Particle::new(person.twin(there, random).elsewhere(), there, begin, Then::BeAbout);
        let kept = [KEPT_AWAY, KEPT[BUSY], KEPT[MOVED]];
        Self { away: true, ..Self::new(site, person, random, begin, kept, is_about) }
    }

    fn new(
        site: &'a Site,
        person: &'a Person,
        mut random: Random,
        begin: f64,
        kept: [usize; 3],
        settled: impl Fn(Random) -> Particle,
    ) -> Self {
        let each = 1.0 / kept[SETTLED] as f64;
        let settled = (0..kept[SETTLED]).map(|_| settled(fork(&mut random)).weighing(each)).collect();
        let groups = [settled, Vec::new(), Vec::new()];
        Self { site, person, random, begin, now: begin, away: false, came_back: false, kept, groups }
    }

    /// Takes in what became of an advert; returns the log odds of the wearer being on the other side than at first.
    pub(super) fn observe(&mut self, at: f64, heard: Option<Heard>) -> f64 {
        self.branch(at);
        let mut sum = 0.0;
        for particle in self.groups.iter_mut().flatten() {
            particle.observe(self.site, Sent { at, heard });
            sum += particle.weight;
        }
        self.groups.iter_mut().flatten().for_each(|it| it.weight /= sum);
        // Between the two sides neither word is wrong.
        let away = self.away;
        let is_other = |it: &&Particle| if away { it.distance_m(at) < FAR_M } else { it.distance_m(at) > NEAR_M };
        let other: f64 = self.groups[MOVED].iter().filter(is_other).map(|it| it.weight).sum();
        for group in [BUSY, MOVED] {
            let is_settled = |it: &mut Particle| if away { it.is_about() } else { it.sits() };
            let done: Vec<_> = self.groups[group].extract_if(.., is_settled).collect();
            self.groups[SETTLED].extend(done);
        }
        for (group, kept) in self.groups.iter_mut().zip(self.kept) {
            if group.len() > 2 * kept {
                *group = thin(group, kept, &mut self.random);
            }
        }
        (other.max(CERTAIN) / (1.0 - other).max(CERTAIN)).ln()
    }

    /// What may begin for who is settled: into which group, how often a second, and how often it is tried.
    fn begins(&self, at: f64) -> Vec<(Scene, usize, f64, f64)> {
        let since = at - self.begin;
        if self.away {
            let (comes, passes) = (Person::returning(since), Person::passing_by(since));
            return vec![(Scene::Return, MOVED, comes, CHANGED), (Scene::PassBy, BUSY, passes, TRIED)];
        }
        let leaves = (Scene::Leave, MOVED, Person::leaving(since, self.came_back), CHANGED);
        let interruptions = self.person.interruptions().map(|(scene, mean)| (scene, BUSY, 1.0 / mean, TRIED));
        interruptions.into_iter().chain([leaves]).collect()
    }

    /// Lets those who are settled begin whatever they may until `at`.
    fn branch(&mut self, at: f64) {
        let seconds = at - self.now;
        let settled: f64 = self.groups[SETTLED].iter().map(|it| it.weight).sum();
        let mut stay = 1.0;
        let mut begun = Vec::new();
        for (scene, group, rate, tried) in self.begins(at) {
            let share = 1.0 - (-rate * seconds).exp();
            if share * settled == 0.0 {
                continue;
            }
            stay *= 1.0 - share;
            let step = settled / (tried * seconds).ceil();
            let mut next = step * self.random.unit();
            let mut passed = 0.0;
            for parent in &self.groups[SETTLED] {
                passed += parent.weight;
                while next < passed {
                    next += step;
                    let from = self.now + seconds * self.random.unit();
                    let child = parent.beginning(scene, from, fork(&mut self.random));
                    begun.push((group, child.weighing(step * share)));
                }
            }
        }
        self.groups[SETTLED].iter_mut().for_each(|it| it.weight *= stay);
        begun.into_iter().for_each(|(group, child)| self.groups[group].push(child));
        self.now = at;
    }
}

/// A stream of its own.
fn fork(random: &mut Random) -> Random {
    Random::new(random.bits(), 0)
}

/// As many particles that stand for all, each as often as it is likely.
fn thin(all: &[Particle], count: usize, random: &mut Random) -> Vec<Particle> {
    let sum: f64 = all.iter().map(|it| it.weight).sum();
    let step = sum / count as f64;
    let mut next = step * random.unit();
    let mut passed = 0.0;
    let mut kept = Vec::with_capacity(count);
    for particle in all {
        passed += particle.weight;
        while next < passed && kept.len() < count {
            next += step;
            kept.push(particle.twin(fork(random)).weighing(step));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::ensemble::shift::Shift;

    #[test]
    fn few_stand_for_many_as_often_as_they_are_likely() {
        let shift = Shift::new(1, Some(1.0), 1);
        let person = Shift::person(1, &shift.site);
        let of = |place: usize| Particle::new(person.clone(), person.seat(), place as f64, Then::Sit);
        let all: Vec<Particle> = (0..300).map(|place| of(place).weighing([0.1, 0.2, 0.7][place / 100])).collect();
        let kept = thin(&all, 100, &mut Random::new(5, 0));
        let sum: f64 = kept.iter().map(|it| it.weight).sum();
        assert!(kept.len() == 100 && (sum - 100.0).abs() < 1e-9, "{} of {sum}", kept.len());
        let of_kind = |kind: usize| kept.iter().filter(|it| it.since() as usize / 100 == kind).count();
        assert!((9..=11).contains(&of_kind(0)) && (69..=71).contains(&of_kind(2)), "{} {}", of_kind(0), of_kind(2));
    }
}
