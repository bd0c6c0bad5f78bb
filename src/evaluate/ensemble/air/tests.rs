use super::*;
use crate::evaluate::ensemble::person::Pose;

const POSE: Pose = Pose { distance_m: 1.2, bearing: 0.0, heading: 0.0 };

fn sites(count: u64) -> impl Iterator<Item = Site> {
    (0..count).map(|seed| Site::draw(&mut Random::new(seed, 1), None))
}

fn packet(at: f64, way_m: f64, mean: f64) -> Packet {
    Packet { at, way_m, distance_m: POSE.distance_m, mean }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / values.len() as f64).sqrt()
}

/// What deviations from the mean at two moments have in common, of the whole.
fn correlation(values: &[f64], lag: usize) -> f64 {
    let mean = mean(values);
    let pairs = values.iter().zip(&values[lag..]);
    pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / (values.len() - lag) as f64 / deviation(values).powi(2)
}

#[test]
fn channels_are_as_far_apart_as_measured() {
    let mut spreads: Vec<f64> = sites(2_000)
        .map(|site| {
            let mut air = Air::new(Random::new(site.rate.to_bits(), 2));
            let site = Site { time_sd: 0.0, ..site };
            let levels = [0, 1, 2].map(|channel| air.level(&site, packet(0.0, 0.0, -60.0), channel));
            levels.into_iter().fold(f64::MIN, f64::max) - levels.into_iter().fold(f64::MAX, f64::min)
        })
        .collect();
    spreads.sort_by(f64::total_cmp);
    let [half, most, largest] = [1_000, 1_800, 1_967].map(|rank| spreads[rank]); // the largest of 59
    assert!((half - 5.2).abs() < 0.4 && (most - 9.2).abs() < 0.7, "median {half} dB, p90 {most} dB");
    assert!((largest - 14.1).abs() < 2.5, "largest of 59 {largest} dB");
}

#[test]
fn places_differ_as_measured() {
    let residuals: Vec<f64> = sites(3_000)
        .map(|site| {
            let mut air = Air::new(Random::new(site.rate.to_bits(), 2));
            let site = Site { time_sd: 0.0, ..site };
            let seat = Pose { distance_m: site.seat_m, ..POSE };
            let at_seat = Packet { at: 0.0, way_m: 0.0, distance_m: 1.0, mean: site.mean(0, seat) };
            let level = mean(&[0, 1, 2].map(|channel| air.level(&site, at_seat, channel)));
            level - (site.at_1_m - site.per_decade * site.seat_m.log10() + site.antennas[0].calibration_db)
        })
        .collect();
    let spread = deviation(&residuals);
    assert!((spread - 5.2).abs() < 0.4, "places differ by {spread} dB");
    let nulls = residuals.iter().filter(|residual| **residual < -9.0).count();
    assert!((60..200).contains(&nulls), "seats in a null: {nulls} of 3000");
}

#[test]
fn a_moment_is_gone_after_a_second_however_often_one_asks() {
    let site = Site { time_sd: 2.3, ..sites(1).next().unwrap() };
    for per_second in [2, 5, 10] {
        let mut air = Air::new(Random::new(7, 2));
        let at = |n: usize| n as f64 / per_second as f64;
        let levels: Vec<f64> = (0..20_000).map(|n| air.level(&site, packet(at(n), 0.0, -60.0), 0)).collect();
        let (sd, after) = (deviation(&levels), |lag: usize| correlation(&levels, lag));
        assert!((sd - 2.3).abs() < 0.15, "{per_second}/s: sd {sd} dB");
        assert!((after(per_second) - 0.08).abs() < 0.06, "{per_second}/s: after 1 s {}", after(per_second));
        assert!(after(5 * per_second).abs() < 0.05, "{per_second}/s: after 5 s {}", after(5 * per_second));
    }
}

#[test]
fn a_place_stays_as_long_as_the_band_does_and_is_another_some_centimetres_on() {
    let site = Site { time_sd: 0.0, ..sites(1).next().unwrap() };
    let mut air = Air::new(Random::new(7, 2));
    let first = air.level(&site, packet(0.0, 0.0, -60.0), 1);
    assert_eq!(first, air.level(&site, packet(9_000.0, 0.0015, -60.0), 1), "hours later at the same place");
    for (step, common) in [(0.005, 0.87), (0.03, 0.5), (0.12, 0.23), (3.0, 0.0)] {
        let way = |n: usize| n as f64 * step;
        let mut air = Air::new(Random::new(8, 2));
        let levels: Vec<f64> = (0..40_000).map(|n| air.level(&site, packet(n as f64, way(n), -60.0), 1)).collect();
        let found = correlation(&levels, 1);
        assert!((found - common).abs() < 0.15, "{step} m on {found} of the variance is common");
    }
}

#[test]
fn weak_adverts_are_lost_and_strong_ones_saturate() {
    let site = Site { time_sd: 0.0, ..sites(1).next().unwrap() };
    let heard = |mean: f64| {
        let mut air = Air::new(Random::new(9, 2));
        let packet = |n: usize| Packet { distance_m: 0.01, ..packet(n as f64, 0.0, mean) };
        (0..2_000).filter_map(|n| air.hear(&site, 0, || packet(n))).map(|heard| heard.dbm).collect::<Vec<i32>>()
    };
    let share = |mean| heard(mean).len() as f64 / 2_000.0 / (1.0 - site.antennas[0].loss);
    assert!((share(-85.0) - 1.0).abs() < 0.05 && (share(-94.0) - 0.5).abs() < 0.1, "{}", share(-94.0));
    assert!(heard(-101.0).is_empty());
    assert!(heard(-20.0).iter().all(|dbm| *dbm == -38));
}
