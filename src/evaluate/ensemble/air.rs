//! What one dongle makes of a band: a level that hangs on the place, the moment and the channel, or nothing.
//!
//! The virtual dongle's signal is not enough here: it knows no place wider than centimetres and no way but the change of
//! distance, and how fast its chance changes depends on how often it is asked. Its drawn numbers are part of scenarios
//! that must not change.

use super::parameter::Parameter;
use super::site::Site;
use crate::proximity::RANGE;
use crate::simulate::Random;

/// Each channel's own part of a place: best and worst of three lie 1.6 times as far apart as a rule, 2.9 times in one
/// place of ten.
pub(super) const CHANNELS: Parameter = Parameter {
    what: "sd of each channel at a place",
    low: 3.25,
    high: 3.25,
    unit: "dB",
    source: "measured: best and worst 5.2 apart, p90 9.2, most 14.1 (MIT-LL)",
};
pub(super) const WIDE_M: Parameter = Parameter {
    what: "way after which the wide part is another",
    low: 1.0,
    high: 1.0,
    unit: "m",
    source: "assumed: a desk, a cabinet, a person",
};
pub(super) const SMALL_M: Parameter = Parameter {
    what: "way after which the small part and the channels are",
    low: 0.03,
    high: 0.03,
    unit: "m",
    source: "a quarter of the wavelength; Herald cable car: 20 dB in 0.1 m",
};
pub(super) const MOMENT: Parameter = Parameter {
    what: "time after which the moment is another",
    low: 0.4,
    high: 0.4,
    unit: "s",
    source: "measured: correlation gone after 1 s (Danis)",
};
/// Between these levels ever more packets are lost, below them all.
const WEAK: Parameter = Parameter {
    what: "level at which weak adverts are lost: all to none",
    low: -100.0,
    high: -88.0,
    unit: "dBm",
    source: "assumed: half at -94, about what receivers of this kind are sold for",
};

/// The parameters of the air.
pub(super) const PARAMETERS: [&Parameter; 5] = [&CHANNELS, &WIDE_M, &SMALL_M, &MOMENT, &WEAK];

/// Within as many metres the direct path outweighs all others, and the place matters less and less.
pub(super) const DIRECT_M: f64 = 0.5;

/// Smaller ways add up before the place changes: many small changes are one large one, only slower to draw.
const STEP_M: f64 = 0.002;

/// Where and when a packet is heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    /// When, in seconds.
    pub(super) at: f64,
    /// The way that the band has gone until then, in metres.
    pub(super) way_m: f64,
    /// How far from the dongle it is.
    pub(super) distance_m: f64,
    /// The level before chance, in dBm.
    pub(super) mean: f64,
}

/// What is heard of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// How loud, as the dongle tells it.
    pub(super) dbm: i32,
    /// On which of the three channels, which no dongle tells.
    pub(super) channel: usize,
}

/// The share of packets of this level that are lost for being weak; below 0 for none.
pub(super) fn weak(level: f64) -> f64 {
    (WEAK.high - level) / (WEAK.high - WEAK.low)
}

/// The air between a band and one dongle.
#[derive(Clone, Debug)]
pub(super) struct Air {
    random: Random,
    /// In standard deviations, as all that follow.
    wide: f64,
    small: f64,
    channels: [f64; 3],
    moment: f64,
    way_m: f64,
    at: f64,
}

impl Air {
    pub(super) fn new(mut random: Random) -> Self {
        let mut normal = || random.normal();
        let (wide, small, channels, moment) = (normal(), normal(), [normal(), normal(), normal()], normal());
        Self { random, wide, small, channels, moment, way_m: 0.0, at: 0.0 }
    }

    /// What the dongle tells of a packet; `None` where it misses it.
    pub(super) fn hear(&mut self, site: &Site, antenna: usize, packet: impl FnOnce() -> Packet) -> Option<Heard> {
        if self.random.chance(site.antennas[antenna].loss) {
            return None;
        }
        let channel = self.random.below(3) as usize;
        let level = self.level(site, packet(), channel);
        // Most of the day nothing is weak, and then nothing is drawn.
        let weak = weak(level);
        if weak > 0.0 && self.random.chance(weak) {
            return None;
        }
        let range = f64::from(RANGE.start().tenths() / 10)..=f64::from(RANGE.end().tenths() / 10);
        Some(Heard { dbm: level.round().clamp(*range.start(), *range.end()) as i32, channel })
    }

    /// The level of a packet in dBm.
    pub(super) fn level(&mut self, site: &Site, packet: Packet, channel: usize) -> f64 {
        self.move_on(packet);
        let nearness = (packet.distance_m / DIRECT_M).min(1.0);
        let place = self.wide * site.wide_sd + self.small * site.small_sd + self.channels[channel] * CHANNELS.value();
        packet.mean + place * nearness + self.moment * site.time_sd
    }

    fn move_on(&mut self, Packet { at, way_m, .. }: Packet) {
        let way = way_m - self.way_m;
        if way >= STEP_M {
            let Self { random, wide, small, channels, .. } = self;
            renew([wide], way / WIDE_M.value(), random);
            renew([small].into_iter().chain(channels), way / SMALL_M.value(), random);
            self.way_m = way_m;
        }
        renew([&mut self.moment], (at - self.at) / MOMENT.value(), &mut self.random);
        self.at = at;
    }
}

/// Changes values, whose spread stays the same, as far as so many of their ways or times take them.
fn renew<'a>(values: impl IntoIterator<Item = &'a mut f64>, lengths: f64, random: &mut Random) {
    let kept = (-lengths).exp();
    let fresh = (1.0 - kept * kept).sqrt();
    for value in values {
        *value = *value * kept + random.normal() * fresh;
    }
}

#[cfg(test)]
mod tests;
