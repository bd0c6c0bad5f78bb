//! What one dongle's samples say about where the wearer is: a Bayes filter over distance, motion and place.

use super::habit::Habit;
use super::math::{exp, exps, ln};
use super::model::{BINS, Bells, CLASSES, Model, NOISES, Row};
use super::motion::{Motion, happened};
use super::place::Place;
use super::seat::Seat;

/// How many hypotheses of since when the band lies where it lies are followed.
const PLACES: usize = 5;
/// A place's mean is worth no more than as many samples: they are not independent.
const WORTH: f64 = 12.0;
/// The most that one sample may say about distance by moving a place's mean, in nats.
const SAID: f64 = 6.0;
/// Places no likelier than this are not asked what their mean says of the distance.
const SLIGHT: f64 = 1e-4;
/// How likely the band must lie still before anything is learnt of where it lies.
const STILL: f64 = 0.7;
/// How likely the wearer must be still at the seat before its levels are learnt.
const SEATED: f64 = 0.5;
/// How likely before a place is said to be at the seat.
const SURELY_SEATED: f64 = 0.8;

/// What is believed of one band at one dongle.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    motion: Motion,
    places: [Place; PLACES],
    /// How likely each place is, given the class.
    weights: [[f64; CLASSES]; PLACES],
    pub(super) seat: Seat,
    pub(super) habit: Habit,
}

/// Where the wearer is believed to be, in probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Belief {
    /// Beyond midway between seat and room.
    pub(super) away: f64,
    /// Walking.
    pub(super) walking: f64,
}

impl Default for Belief {
    /// Nothing is known.
    fn default() -> Self {
        Self { away: 0.5, walking: 0.0 }
    }
}

impl Belief {
    /// What several dongles say together: their log odds add up, over the root of how many they are, since all of them
    /// reckon with the same wearer's habits and the same body.
    pub(super) fn together(beliefs: impl Iterator<Item = Self>) -> Self {
        let (mut odds, mut walking, mut count) = (0.0, 0.0_f64, 0.0_f64);
        for belief in beliefs {
            let away = belief.away.clamp(CERTAIN, 1.0 - CERTAIN);
            odds += ln(away / (1.0 - away));
            walking = walking.max(belief.walking);
            count += 1.0;
        }
        Self { away: 1.0 / (1.0 + exp(-odds / count.max(1.0).sqrt())), walking }
    }
}

/// Nobody is surer than this, one way or the other.
const CERTAIN: f64 = 1e-6;

/// What a sample says, by hypothesis.
struct Told {
    level: f64,
    seconds: f64,
    weight: f64,
    /// How much lies still, by class.
    held: [f64; CLASSES],
    /// The share of that at a place of which nothing is known.
    fresh: [f64; CLASSES],
    /// How likely the level is at each place.
    likely: [[f64; NOISES]; PLACES],
    /// The variance of levels of those at rest, by distance.
    variances: Row,
    /// How the sample moves the mean of each place that is asked for that.
    moves: [Option<Move>; PLACES],
    /// How much the shadow of the place before says about that of a fresh one, 0 to 1; nothing at first.
    kept: f64,
    /// The mean of the places, by class.
    mean: [f64; CLASSES],
    /// The least likely place, which makes room.
    least: usize,
}

impl Told {
    /// Likelihoods for as much as this sample counts.
    fn temper(&self, likelihoods: Row) -> Row {
        if self.weight < 1.0 { exps(likelihoods.map(|likely| self.weight * ln(likely))) } else { likelihoods }
    }
}

/// How a sample moves the mean of a place.
struct Move {
    before: f64,
    after: f64,
    /// The variance of the mean at each distance before, and what it is after.
    broad: Row,
    narrow: Row,
    /// By which factor the density at the mean grows.
    grows: Row,
}

impl Move {
    /// How a level with a weight moves it where levels have these variances.
    fn new(model: &Model, place: &Place, level: f64, weight: f64, variances: &Row) -> Self {
        let own = |count: f64| model.p.place_mean * model.p.place_mean / count.min(WORTH);
        let (own_before, own_after) = (own(place.count()), own(place.count() + weight));
        Self {
            before: place.mean(),
            after: place.mean_with(level, weight, model.p.place_memory),
            broad: variances.map(|variance| variance + own_before),
            narrow: variances.map(|variance| variance + own_after),
            grows: variances.map(|variance| ((variance + own_before) / (variance + own_after)).sqrt()),
        }
    }

    /// By which factor it speaks for each distance, where levels have these means.
    fn speaks(&self, means: &Row) -> Row {
        let said: Row = std::array::from_fn(|i| {
            let (was, is) = (self.before - means[i], self.after - means[i]);
            (-0.5 * (is * is / self.narrow[i] - was * was / self.broad[i])).clamp(-SAID, SAID)
        });
        let factors = exps(said);
        std::array::from_fn(|i| factors[i] * self.grows[i])
    }
}

impl Filter {
    /// Before anything is heard.
    pub(super) fn new(model: &Model) -> Self {
        let mut weights = [[0.0; CLASSES]; PLACES];
        weights[0] = [1.0; CLASSES];
        Self {
            motion: Motion::still(model),
            places: [const { Place::EMPTY }; PLACES],
            weights,
            seat: Seat::guessed(model),
            habit: Habit::NEW,
        }
    }

    /// Where the wearer is believed to be.
    pub(super) fn belief(&self, model: &Model) -> Belief {
        let mut belief = Belief { away: 0.0, walking: 0.0 };
        for class in 0..CLASSES {
            for (i, bin) in model.bins.iter().enumerate() {
                let walking = self.motion.out[class][i] + self.motion.coming[class][i];
                let here = self.motion.still[class][i] + self.motion.stirring[class][i] + walking;
                belief.away += here * bin.away;
                belief.walking += walking;
            }
        }
        belief
    }

    /// The mean level of where the band lies still, and whether that is the seat; `None` while it may be moving.
    pub(super) fn lies(&self, model: &Model) -> Option<(f64, bool)> {
        let held: f64 = self.motion.still_by_class().iter().sum();
        let is_known = held > STILL && !self.places.iter().all(Place::is_empty);
        is_known.then(|| (self.place_mean(held), self.motion.at_seat(model) > SURELY_SEATED))
    }

    /// Forgets where the wearer is: nobody knows after a long silence. What was learnt of seat and receiver stays.
    pub(super) fn lose(&mut self, model: &Model) {
        let Self { seat, habit, .. } = *self;
        *self = Self { seat, habit, ..Self::new(model) };
    }

    /// Takes in that the wearer is at the seat with these log odds more than without the hint.
    pub(super) fn hint(&mut self, model: &Model, odds: f64) {
        self.motion.dim_beyond_seat(model, exp(-odds));
    }

    /// Takes the wearer to be at the seat, whose levels are those of the place where the band is.
    pub(super) fn arrive(&mut self, model: &Model) {
        let held: f64 = self.motion.still_by_class().iter().sum();
        if held > 0.0 && !self.places.iter().all(Place::is_empty) {
            self.seat = Seat::anew(model, self.place_mean(held));
        }
        self.motion = Motion::seated(model);
    }

    /// Takes in a level in dBm, so many seconds after the one before. The seat is learnt only while `near`.
    pub(super) fn observe(&mut self, model: &Model, seconds: f64, level: f64, near: bool) {
        let stopped = self.motion.pass(model, seconds);
        let told = self.tell(model, seconds, level, &stopped);
        let (still, arrived) = self.weigh(model, &told);
        self.follow(&told, &arrived);
        let seconds = seconds.min(LEARNT_AT_ONCE_S);
        self.motion.sit(seconds);
        let held: f64 = self.motion.still_by_class().iter().sum();
        if held > STILL {
            self.habit.learn(still, seconds);
        }
        if near && self.motion.at_seat(model) > SEATED {
            self.seat.learn(model, self.place_mean(held), seconds);
        }
        for (k, place) in self.places.iter_mut().enumerate() {
            if k == told.least {
                *place = Place::EMPTY;
            } else if place.is_empty() {
                continue;
            }
            place.add(level, told.weight, model.p.place_memory);
        }
    }

    fn tell(&self, model: &Model, seconds: f64, level: f64, stopped: &[f64; CLASSES]) -> Told {
        let held = self.motion.still_by_class();
        let weight = (seconds / model.p.apart).min(1.0);
        let displaced = happened(model.p.displace, seconds);
        let fresh = std::array::from_fn(|class| (displaced + stopped[class] / held[class].max(1e-30)).min(1.0));
        let share: [f64; PLACES] = std::array::from_fn(|k| (0..CLASSES).map(|c| self.weights[k][c] * held[c]).sum());
        let least = (0..PLACES).min_by(|&a, &b| share[a].total_cmp(&share[b])).unwrap_or(0);
        let spread = Bells::new([model.p.place_spread * model.p.place_spread; PLACES]);
        let unknown = spread.at(self.places.each_ref().map(|place| level - place.mean()));
        let mut likely = [[0.0; NOISES]; PLACES];
        let variances = model.by_bin(self.seat.variance, [model.p.shadow * model.p.shadow; BINS]);
        let mut moves = [const { None }; PLACES];
        for (k, place) in self.places.iter().enumerate().filter(|(_, place)| !place.is_empty()) {
            likely[k] = place.likelihood(model, level, unknown[k]);
            if share[k] > SLIGHT {
                moves[k] = Some(Move::new(model, place, level, weight, &variances));
            }
        }
        let mean = std::array::from_fn(|c| (0..PLACES).map(|k| self.weights[k][c] * self.places[k].mean()).sum());
        let kept = if self.places.iter().all(Place::is_empty) { 0.0 } else { model.p.shadow_kept };
        Told { kept, level, seconds, weight, held, fresh, likely, variances, moves, mean, least }
    }

    /// Weighs every hypothesis by what was told. Returns how likely the level was for those still, and how likely for
    /// those at a fresh place, by class.
    fn weigh(&mut self, model: &Model, told: &Told) -> (f64, [f64; CLASSES]) {
        let usual = exp(-self.habit.usual(told.seconds));
        let (stirring, other) = (model.p.stirring_spread, model.p.level_noise);
        let fresh_share = 1.0 - told.kept * told.kept;
        let stirring = Bells::new(told.variances.map(|variance| variance + stirring * stirring));
        let settled = Bells::wide(told.variances.map(|variance| variance * fresh_share + other * other));
        let mut arrived = [0.0; CLASSES];
        let mut still = 0.0;
        let mut lying = [[0.0; BINS]; NOISES];
        for (gain, levels) in model.levels.iter().enumerate() {
            let means = model.by_bin(self.seat.mean, levels.map(|level| level - model.p.body));
            let off = |mean: f64| told.level - mean;
            let walked = told.temper(model.walking.at(levels.map(off)));
            let stirred = told.temper(stirring.at(means.map(off)));
            let moved =
                told.moves.each_ref().map(|moved| moved.as_ref().map_or([1.0; BINS], |moved| moved.speaks(&means)));
            for (noise, lying) in lying.iter_mut().enumerate() {
                let class = gain * NOISES + noise;
                let off = |mean: f64| told.level - (told.kept * told.mean[class] + (1.0 - told.kept) * mean);
                let fresh = settled.at(means.map(off));
                let here: [f64; PLACES] = std::array::from_fn(|k| self.weights[k][class] * told.likely[k][noise]);
                let new = told.fresh[class];
                let likely: Row = std::array::from_fn(|i| {
                    let known: f64 = (0..PLACES).map(|k| here[k] * moved[k][i]).sum();
                    (1.0 - new) * known + new * fresh[i]
                });
                let prior = self.motion.still[class];
                *lying = std::array::from_fn(|i| prior[i] * likely[i]);
                arrived[class] = prior.iter().zip(&fresh).map(|(prior, fresh)| prior * fresh).sum();
                let tempered = told.temper(likely);
                for i in 0..BINS {
                    self.motion.still[class][i] = prior[i] * tempered[i] * usual;
                    self.motion.stirring[class][i] *= stirred[i];
                    self.motion.out[class][i] *= walked[i];
                    self.motion.coming[class][i] *= walked[i];
                }
            }
            for i in 0..BINS {
                lying.iter().for_each(|lying| still += lying[i]);
            }
        }
        self.motion.normalize();
        (still / told.held.iter().sum::<f64>(), arrived)
    }

    /// Follows which place it is: one of those known, or a new one instead of the least likely.
    fn follow(&mut self, told: &Told, arrived: &[f64; CLASSES]) {
        for (class, arrived) in arrived.iter().enumerate() {
            let new = told.fresh[class] * arrived / told.held[class].max(1e-30);
            let mut sum = new;
            for k in 0..PLACES {
                let weight = &mut self.weights[k][class];
                *weight *= (1.0 - told.fresh[class]) * told.likely[k][class % NOISES];
                if k == told.least {
                    *weight = 0.0;
                }
                sum += *weight;
            }
            self.weights[told.least][class] = new;
            for k in 0..PLACES {
                self.weights[k][class] /= sum.max(1e-300);
            }
            self.weights[told.least][class] = self.weights[told.least][class].max(1e-12);
        }
    }

    /// The mean level where those still are.
    fn place_mean(&self, held: f64) -> f64 {
        let by_class = self.motion.still_by_class();
        let weight = |k: usize| (0..CLASSES).map(|c| self.weights[k][c] * by_class[c]).sum::<f64>();
        (0..PLACES).map(|k| weight(k) * self.places[k].mean()).sum::<f64>() / held
    }
}

/// One sample teaches no more than as many seconds.
const LEARNT_AT_ONCE_S: f64 = 2.0;
