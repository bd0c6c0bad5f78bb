//! What is known of fading after some packets: normal in all its parts, so a mean and a covariance say it all.

use crate::evaluate::ensemble::air::{CHANNELS, DIRECT_M, Heard, MOMENT, Packet, SMALL_M, WIDE_M, weak};
use crate::evaluate::ensemble::site::Site;

/// An advert, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// When, in seconds.
    pub(super) at: f64,
    /// What was heard of it.
    pub(super) heard: Option<Heard>,
}

/// Wide, small, three channels, the moment: in standard deviations, as in the air.
const PARTS: usize = 6;
const WIDE: usize = 0;
const SMALL: usize = 1;
const CHANNEL: usize = 2;
const MOMENTARY: usize = 5;

/// What a level in whole dB leaves open, in dB squared.
const ROUNDED: f64 = 1.0 / 12.0;

/// A level is a stray with this likelihood, so that nobody is ruled out for ever.
const STRAY: f64 = 1e-9;

#[derive(Clone, Debug)]
pub(super) struct Fading {
    mean: [f64; PARTS],
    covariance: [[f64; PARTS]; PARTS],
    way_m: f64,
    at: f64,
}

impl Fading {
    /// Nothing is known.
    pub(super) fn new(at: f64) -> Self {
        let covariance = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
        Self { mean: [0.0; PARTS], covariance, way_m: 0.0, at }
    }

    /// Lets way and time pass until a packet is sent; returns how likely that is which became of it.
    pub(super) fn observe(&mut self, site: &Site, packet: Packet, heard: Option<Heard>) -> f64 {
        self.pass(&packet);
        let nearness = nearness(&packet);
        let Some(Heard { dbm, channel }) = heard else {
            let level = packet.mean + nearness * (self.mean[WIDE] * site.wide_sd + self.mean[SMALL] * site.small_sd);
            let lost = site.antennas[0].loss;
            return lost + (1.0 - lost) * weak(level).clamp(0.0, 1.0);
        };
        self.take(parts(site, nearness, channel), f64::from(dbm) - packet.mean)
    }

    fn pass(&mut self, packet: &Packet) {
        let (way_m, seconds) = (packet.way_m - self.way_m, packet.at - self.at);
        (self.way_m, self.at) = (packet.way_m, packet.at);
        let wide = (-way_m / WIDE_M.value()).exp();
        let small = (-way_m / SMALL_M.value()).exp();
        let kept = [wide, small, small, small, small, (-seconds / MOMENT.value()).exp()];
        for (i, row) in self.covariance.iter_mut().enumerate() {
            row.iter_mut().zip(&kept).for_each(|(cell, other)| *cell *= kept[i] * other);
            row[i] += 1.0 - kept[i] * kept[i];
            self.mean[i] *= kept[i];
        }
    }

    /// Takes in a level, off the mean, that is a sum of parts; returns its likelihood.
    fn take(&mut self, parts: [f64; PARTS], level: f64) -> f64 {
        let (mean, variance) = self.foretell(&parts);
        let common = self.common(&parts);
        let off = level - mean;
        for ((mean, row), own) in self.mean.iter_mut().zip(&mut self.covariance).zip(&common) {
            let gain = own / variance;
            *mean += gain * off;
            row.iter_mut().zip(&common).for_each(|(cell, other)| *cell -= gain * other);
        }
        (-0.5 * off * off / variance).exp() / (variance * std::f64::consts::TAU).sqrt() + STRAY
    }

    /// Mean and variance of a sum of parts.
    fn foretell(&self, parts: &[f64; PARTS]) -> (f64, f64) {
        (dot(&self.mean, parts), ROUNDED + dot(&self.common(parts), parts))
    }

    /// What each part has in common with a sum of parts.
    fn common(&self, parts: &[f64; PARTS]) -> [f64; PARTS] {
        self.covariance.map(|row| dot(&row, parts))
    }
}

/// How much the place counts: within a short way the direct path outweighs it.
fn nearness(packet: &Packet) -> f64 {
    (packet.distance_m / DIRECT_M).min(1.0)
}

/// How many dB each part makes.
fn parts(site: &Site, nearness: f64, channel: usize) -> [f64; PARTS] {
    let mut parts = [0.0; PARTS];
    parts[WIDE] = site.wide_sd * nearness;
    parts[SMALL] = site.small_sd * nearness;
    parts[CHANNEL + channel] = CHANNELS.value() * nearness;
    parts[MOMENTARY] = site.time_sd;
    parts
}

fn dot(a: &[f64; PARTS], b: &[f64; PARTS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::ensemble::air::Air;
    use crate::simulate::Random;

    /// What it foretells of a level comes true as often as it says: off by one standard deviation on average, to either
    /// side, whatever the way and the pace.
    #[test]
    fn it_foretells_what_the_air_does() {
        for (seed, step_m, seconds) in [(1, 0.0, 0.2), (2, 0.004, 0.5), (3, 0.02, 0.1), (4, 0.3, 1.0)] {
            let mut random = Random::new(seed, 1);
            let site = Site { time_sd: 2.5, ..Site::draw(&mut random, None) };
            let mut air = Air::new(Random::new(seed, 2));
            let mut fading = Fading::new(0.0);
            let (mut sum, mut squares) = (0.0, 0.0);
            let count = 20_000;
            for n in 0..count {
                let packet =
                    Packet { at: f64::from(n) * seconds, way_m: f64::from(n) * step_m, distance_m: 1.0, mean: -60.0 };
                let channel = random.below(3) as usize;
                let dbm = air.level(&site, packet, channel).round() as i32;
                let mut before = fading.clone();
                before.pass(&packet);
                let (mean, variance) = before.foretell(&parts(&site, nearness(&packet), channel));
                let off = (f64::from(dbm) - packet.mean - mean) / variance.sqrt();
                (sum, squares) = (sum + off, squares + off * off);
                let likelihood = fading.observe(&site, packet, Some(Heard { dbm, channel }));
                let bell = (-0.5 * off * off).exp() / (variance * std::f64::consts::TAU).sqrt();
                assert!((likelihood - bell).abs() < 1e-6, "{likelihood}, not {bell}");
            }
            let (mean, variance) = (sum / f64::from(count), squares / f64::from(count));
            assert!(mean.abs() < 0.1 && (variance - 1.0).abs() < 0.06, "{seed}: mean {mean}, variance {variance}");
        }
    }

    #[test]
    fn a_lost_advert_speaks_for_a_weak_one() {
        let site = Site::draw(&mut Random::new(5, 1), None);
        let lost = |mean: f64| {
            let packet = Packet { at: 1.0, way_m: 0.0, distance_m: 1.0, mean };
            Fading::new(0.0).observe(&site, packet, None)
        };
        assert_eq!((lost(-60.0), lost(-110.0)), (site.antennas[0].loss, 1.0));
        assert!(lost(-94.0) > lost(-90.0) && lost(-90.0) > lost(-80.0));
    }
}
