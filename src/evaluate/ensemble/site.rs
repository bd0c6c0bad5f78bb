//! A workplace: the room, the seat, the band that is worn, and the dongles that hear it.

use super::parameter::Parameter;
use super::person::Pose;
use crate::simulate::Random;

const DANIS: &str = "measured: level over distance, 34 still points, Danis";
const ROOMS: &str = "18.1 still, 14.2 walking (Danis), 18 to 21 (Strzoda)";
const PLACES: &str = "measured: 5.2 dB over places in all (Danis)";

const LEVEL: Parameter =
    Parameter { what: "mean level at 3.87 m", low: -71.6, high: -71.6, unit: "dBm", source: DANIS };
/// The middle between present and away, where the cutoffs of any detector are: rooms differ, terminals are set up.
const LEVEL_M: f64 = 3.87;
const FALL: [Parameter; 3] = [
    Parameter { what: "fall per decade of distance, open office", low: 14.0, high: 16.0, unit: "dB", source: ROOMS },
    Parameter { what: "the same, small rooms", low: 17.0, high: 19.0, unit: "dB", source: ROOMS },
    Parameter { what: "the same, cluttered", low: 20.0, high: 22.0, unit: "dB", source: ROOMS },
];
const WIDE: [Parameter; 3] = [
    Parameter { what: "sd over places, wide part, open office", low: 2.2, high: 2.2, unit: "dB", source: PLACES },
    Parameter { what: "the same, small rooms", low: 2.8, high: 2.8, unit: "dB", source: PLACES },
    Parameter { what: "the same, cluttered", low: 3.3, high: 3.3, unit: "dB", source: PLACES },
];
const SMALL: [Parameter; 3] = [
    Parameter { what: "sd over places, small part, open office", low: 3.4, high: 3.4, unit: "dB", source: PLACES },
    Parameter { what: "the same, small rooms", low: 3.6, high: 3.6, unit: "dB", source: PLACES },
    Parameter { what: "the same, cluttered", low: 3.9, high: 3.9, unit: "dB", source: PLACES },
];
const TIME: Parameter = Parameter {
    what: "sd over time, still",
    low: 2.0,
    high: 4.0,
    unit: "dB",
    source: "measured: 2.3 mixed (Danis), 3.3 in one channel (MIT-LL)",
};
const SEAT: Parameter = Parameter {
    what: "seat to dongle",
    low: 0.5,
    high: 2.0,
    unit: "m",
    source: "aimed at; measured from 0.46 to 1.58 (Danis)",
};
const NULLS: Parameter = Parameter {
    what: "seats in a null",
    low: 5.0,
    high: 5.0,
    unit: "%",
    source: "assumed, beside what chance makes; 2 of 9 still points up to 1.6 m are (Danis, fixtures)",
};
const NULL: Parameter = Parameter {
    what: "depth of such a null, gone 0.5 m away",
    low: 7.0,
    high: 14.0,
    unit: "dB",
    source: "measured: -71 to -76 dBm at 1.07 to 1.58 m, 7 to 14 below the fit (Danis)",
};
/// So far from the seat its null is gone, in metres.
const NULL_M: f64 = 0.5;
const RATE: Parameter = Parameter {
    what: "adverts per second, as often 1 to 2 as 5 to 10",
    low: 1.0,
    high: 10.0,
    unit: "/s",
    source: "aimed at; 0.3 to 11 heard (Danis, Ng, Herald)",
};
const LOSS: Parameter = Parameter {
    what: "adverts lost, of each dongle",
    low: 10.0,
    high: 60.0,
    unit: "%",
    source: "measured: 13.8 (Danis), 13 to 40 more by interference (Strzoda); a third by the scan window",
};
const CALIBRATION: Parameter = Parameter {
    what: "error of calibration, of each dongle",
    low: -3.0,
    high: 3.0,
    unit: "dB",
    source: "TI: absolute accuracy of the CC2541",
};
const BODY: Parameter = Parameter {
    what: "body between band and dongle, turned right round",
    low: 6.0,
    high: 18.0,
    unit: "dB",
    source: "measured: 6 to 8 (screen room), 18 (conference room), MIT-LL",
};
const APART: Parameter = Parameter {
    what: "second dongle beside the first",
    low: 0.5,
    high: 1.5,
    unit: "m",
    source: "assumed: the other side of a desk",
};

/// The parameters of a site.
pub(super) const PARAMETERS: [&Parameter; 19] = [
    &LEVEL,
    &FALL[0],
    &FALL[1],
    &FALL[2],
    &WIDE[0],
    &WIDE[1],
    &WIDE[2],
    &SMALL[0],
    &SMALL[1],
    &SMALL[2],
    &TIME,
    &SEAT,
    &NULLS,
    &NULL,
    &RATE,
    &LOSS,
    &CALIBRATION,
    &BODY,
    &APART,
];

/// One dongle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Antenna {
    /// How much too high it reads, in dB.
    pub calibration_db: f64,
    /// What share of the adverts it does not hear, however strong they are.
    pub loss: f64,
    /// What the wearer's body takes away when it is right between.
    pub body_db: f64,
    /// How far it is from the first, in metres.
    pub apart_m: f64,
}

/// A workplace.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The mean level at 1 m, in dBm.
    pub at_1_m: f64,
    /// What ten times the distance takes away, in dB.
    pub per_decade: f64,
    /// Spread between places some metres apart, in dB.
    pub wide_sd: f64,
    /// Spread between places some centimetres apart, in dB, alike in all channels.
    pub small_sd: f64,
    /// Spread from second to second, in dB.
    pub time_sd: f64,
    /// From the first dongle to where the wearer sits, in metres.
    pub seat_m: f64,
    /// How much weaker it is right there, in dB.
    pub null_db: f64,
    /// Adverts that the band sends, per second.
    pub rate: f64,
    /// The dongles.
    pub antennas: [Antenna; 2],
}

impl Site {
    /// Any workplace; a rate that is given stands for the one drawn, and nothing else is another for it.
    pub(super) fn draw(random: &mut Random, rate: Option<f64>) -> Self {
        let room = random.below(3) as usize;
        let per_decade = FALL[room].draw(random);
        let mut antenna = |apart_m| Antenna {
            calibration_db: CALIBRATION.draw(random),
            loss: LOSS.draw(random) / 100.0,
            body_db: BODY.draw(random),
            apart_m,
        };
        let antennas = [antenna(0.0), antenna(0.0)];
        let apart_m = APART.draw(random);
        let in_null = random.chance(NULLS.value() / 100.0);
        let (null_db, drawn) = (NULL.draw(random), RATE.draw_by_ratio(random));
        Self {
            at_1_m: LEVEL.value() + per_decade * LEVEL_M.log10(),
            per_decade,
            wide_sd: WIDE[room].value(),
            small_sd: SMALL[room].value(),
            time_sd: TIME.draw(random),
            seat_m: SEAT.draw(random),
            null_db: if in_null { null_db } else { 0.0 },
            rate: rate.unwrap_or(drawn),
            antennas: [antennas[0], Antenna { apart_m, ..antennas[1] }],
        }
    }

    /// The level that distance, body and seat make at a dongle, in dBm, with its error, without any chance.
    pub fn mean(&self, antenna: usize, pose: Pose) -> f64 {
        let Antenna { calibration_db, body_db, apart_m, .. } = self.antennas[antenna];
        let (distance, turned) = pose.seen_from(apart_m);
        let body = body_db * (1.0 - turned.cos()) / 2.0;
        let null = self.null_db * (1.0 - (pose.distance_m - self.seat_m).abs() / NULL_M).max(0.0);
        self.at_1_m - self.per_decade * distance.log10() - body - null + calibration_db
    }
}
