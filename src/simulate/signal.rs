//! How loud a band arrives: distance, the place it is at, the moment, the channel, and what stands between.
//!
//! Figures are medians of public recordings of BLE advertisers indoors, still and walking. Logarithms come from the
//! platform, whose last digit may differ between machines; a level is rounded to whole dBm, which hides that.

use std::time::Duration;

use super::random::Random;
use super::scanner::Channel;
use crate::time::Time;

/// What the chip can measure, in dBm; weaker packets are not received, stronger ones read as the upper end.
const RANGE: std::ops::RangeInclusive<f64> = -103.0..=-38.0;

/// What decides how loud a band is, apart from where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// The mean level at 1 m, in dBm.
    pub at_1_m: f64,
    /// What ten times the distance takes away, in dB.
    pub per_decade: f64,
    /// Standard deviation from place to place, in dB; it stays as long as the band does.
    pub place_sd: f64,
    /// Standard deviation from second to second, in dB.
    pub time_sd: f64,
}

impl Default for Loudness {
    fn default() -> Self {
        Self { at_1_m: -61.0, per_decade: 18.1, place_sd: 5.2, time_sd: 2.3 }
    }
}

/// The level of one band, packet by packet.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    loudness: Loudness,
    /// What the place does to all channels alike, and to each: in standard deviations.
    place: f64,
    channels: [f64; 3],
    moment: f64,
    last: Option<(Time, f64)>,
    random: Random,
}

impl Signal {
    /// Half a wavelength: after moving as far, in m, the place is another.
    const PLACE: f64 = 0.06;

    /// After as long the moment is another.
    const MOMENT: Duration = Duration::from_secs(1);

    /// How much of the variance between places is the channel's own: best and worst differ by 5 dB as a rule.
    const CHANNEL_SHARE: f64 = 0.3;

    /// Within as many metres the direct path outweighs all others, and the place matters less and less.
    const DIRECT: f64 = 0.5;

    pub(super) fn new(loudness: Loudness, mut random: Random) -> Self {
        let mut normal = || random.normal();
        let (place, channels, moment) = (normal(), [normal(), normal(), normal()], normal());
        Self { loudness, place, channels, moment, last: None, random }
    }

    /// The level of a packet in dBm, `None` if it is too weak to be received.
    pub(super) fn level(&mut self, at: Time, distance: f64, shadow: f64, channel: Channel) -> Option<i8> {
        self.move_on(at, distance);
        let Loudness { at_1_m, per_decade, place_sd, time_sd } = self.loudness;
        let nearness = (distance / Self::DIRECT).min(1.0);
        let channel = self.channels[usize::from(channel % 3)];
        let place = self.place * (1.0 - Self::CHANNEL_SHARE).sqrt() + channel * Self::CHANNEL_SHARE.sqrt();
        let level =
            at_1_m - per_decade * distance.log10() - shadow + place * place_sd * nearness + self.moment * time_sd;
        (level >= *RANGE.start()).then(|| level.min(*RANGE.end()).round() as i8)
    }

    /// Lets place and moment change as far as the band has moved and time has passed.
    fn move_on(&mut self, at: Time, distance: f64) {
        let Some((then, before)) = self.last.replace((at, distance)) else { return };
        let kept = 1.0 - (distance - before).abs() / Self::PLACE;
        if kept < 1.0 {
            for value in [&mut self.place].into_iter().chain(&mut self.channels) {
                *value = renew(*value, kept, &mut self.random);
            }
        }
        let kept = 1.0 - at.since(then).as_secs_f64() / Self::MOMENT.as_secs_f64();
        self.moment = renew(self.moment, kept, &mut self.random);
    }
}

/// A value with the same spread, of which this share is the old one's.
fn renew(value: f64, kept: f64, random: &mut Random) -> f64 {
    let kept = kept.clamp(0.0, 1.0);
    value * kept + random.normal() * (1.0 - kept * kept).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(loudness: Loudness, seed: u64, distance: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut signal = Signal::new(loudness, Random::new(seed, 1));
        (0..3_000)
            .filter_map(|n| signal.level(Time::from_millis(100 * n as u64), distance(n), 0.0, (n % 3) as Channel))
            .map(f64::from)
            .collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn deviation(values: &[f64]) -> f64 {
        let mean = mean(values);
        (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / values.len() as f64).sqrt()
    }

    #[test]
    fn a_place_is_frozen_while_the_band_is_still_and_differs_from_other_places() {
        let means: Vec<f64> = (0..200).map(|seed| mean(&levels(Loudness::default(), seed, |_| 2.0))).collect();
        let spread = deviation(&means);
        assert!((3.5..6.0).contains(&spread), "places differ by {spread} dB");
        assert!((mean(&means) - -66.4).abs() < 1.5, "2 m is {} dBm", mean(&means));
        let still =
            mean(&(0..50).map(|seed| deviation(&levels(Loudness::default(), seed, |_| 2.0))).collect::<Vec<_>>());
        assert!((2.0..4.5).contains(&still), "a still band varies by {still} dB");
    }

    #[test]
    fn channels_differ_by_five_decibels_at_a_place() {
        let loudness = Loudness { time_sd: 0.0, ..Loudness::default() };
        let spreads: Vec<f64> = (0..300)
            .map(|seed| {
                let mut signal = Signal::new(loudness, Random::new(seed, 1));
                let mut levels =
                    [0, 1, 2].map(|channel| f64::from(signal.level(Time::ZERO, 2.0, 0.0, channel).unwrap()));
                levels.sort_by(f64::total_cmp);
                levels[2] - levels[0]
            })
            .collect();
        assert!((4.2..5.8).contains(&mean(&spreads)), "best and worst differ by {} dB", mean(&spreads));
    }

    #[test]
    fn a_walk_goes_through_many_places() {
        // To and fro at 1.2 m/s between 1.5 and 2.5 m: all places within half a minute.
        let walk = |n: usize| 2.0 + ((n % 16) as f64 - 8.0).abs() * 0.12 - 0.5;
        let means: Vec<f64> = (0..50).map(|seed| mean(&levels(Loudness::default(), seed, walk))).collect();
        assert!(deviation(&means) < 1.0, "walks differ by {} dB", deviation(&means));
    }

    #[test]
    fn near_the_antenna_the_place_matters_little() {
        let loudness = Loudness { at_1_m: -75.0, time_sd: 0.0, ..Loudness::default() };
        let means: Vec<f64> = (0..200).map(|seed| mean(&levels(loudness, seed, |_| 0.05))).collect();
        assert!(deviation(&means) < 1.0, "places differ by {} dB", deviation(&means));
    }

    #[test]
    fn contact_saturates_the_receiver_and_a_far_band_is_lost() {
        assert!(mean(&levels(Loudness::default(), 3, |_| 0.02)) < -37.5);
        assert!(mean(&levels(Loudness::default(), 3, |_| 0.02)) > -40.0);
        assert_eq!(levels(Loudness { at_1_m: -80.0, ..Loudness::default() }, 3, |_| 100.0).len(), 0);
    }
}
