use std::collections::BTreeSet;

use super::shift::{FAR_M, NEAR_M};
use super::*;
use crate::evaluate::trace::Truth;
use crate::event::AdapterId;
use crate::time::Time;

fn readings(shift: &Shift, dongle: u8) -> Vec<(Time, i32)> {
    let of = |input: &Input| match input.what {
        What::Reading { adapter, tenths } if adapter == AdapterId(dongle) => Some((input.at, tenths)),
        _ => None,
    };
    shift.inputs.iter().filter_map(of).collect()
}

fn actions(shift: &Shift, what: What) -> Vec<Time> {
    shift.inputs.iter().filter(|input| input.what == what).map(|input| input.at).collect()
}

fn distance(shift: &Shift, at: Time) -> f64 {
    let next = shift.course.partition_point(|(point, _)| *point < at).max(1);
    let ((since, from), (until, to)) = (shift.course[next - 1], shift.course[next]);
    from + (to - from) * at.since(since).as_secs_f64() / until.since(since).as_secs_f64()
}

#[test]
fn a_seed_is_one_shift_whoever_listens() {
    let shift = Shift::new(11, None, 2);
    assert_eq!(shift, Shift::new(11, None, 2));
    let (alone, other) = (Shift::new(11, None, 1), Shift::new(12, None, 1));
    assert_eq!(readings(&shift, 0), readings(&alone, 0), "another dongle changes nothing for the first");
    assert!(readings(&alone, 1).is_empty() && !readings(&shift, 1).is_empty());
    assert_ne!(readings(&alone, 0), readings(&other, 0));
    let faster = Shift::new(11, Some(10.0), 1);
    assert_eq!((&faster.truth, &faster.scenes), (&shift.truth, &shift.scenes), "nor does the rate for the person");
    assert_eq!(actions(&faster, What::UserActive), actions(&shift, What::UserActive));
    assert!(shift.inputs.is_sorted_by_key(|input| input.at));
}

#[test]
fn the_truth_is_told_all_the_time_and_is_where_the_band_is() {
    for seed in 0..20 {
        let shift = Shift::new(seed, Some(1.0), 1);
        let truth = &shift.truth;
        assert_eq!((truth[0], truth[truth.len() - 1].0), ((Time::ZERO, Truth::Present), shift.end()));
        for stay in truth.chunks(2) {
            assert_eq!(stay[0].1, stay[1].1, "{seed}");
            let middle = stay[0].0 + stay[1].0.since(stay[0].0) / 2;
            let side = match distance(&shift, middle) {
                distance if distance <= NEAR_M => Truth::Present,
                distance if distance >= FAR_M => Truth::Away,
                _ => Truth::Grey,
            };
            assert_eq!(side, stay[0].1, "{seed} at {middle:?}");
        }
        assert!(truth[1..].chunks(2).all(|pair| pair.len() < 2 || pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1));
    }
}

#[test]
fn everything_happens_that_people_do() {
    let mut scenes = BTreeSet::new();
    let (mut departures, mut present) = (0, 0.0);
    let mut absences = Vec::new();
    for seed in 0..40 {
        let shift = Shift::new(seed, Some(1.0), 1);
        scenes.extend(shift.scenes.iter().map(|(_, scene)| *scene));
        let sides: Vec<_> = shift.truth.chunks(2).filter(|stay| stay[0].1 != Truth::Grey).collect();
        for stay in &sides {
            let seconds = stay[1].0.since(stay[0].0).as_secs_f64();
            match stay[0].1 {
                Truth::Present => present += seconds,
                _ => absences.push(seconds),
            }
        }
        departures +=
            sides.windows(2).filter(|pair| pair[0][0].1 == Truth::Present && pair[1][0].1 == Truth::Away).count();
    }
    assert_eq!(scenes.len(), 13, "{scenes:?}");
    assert!((100..240).contains(&departures), "{departures} departures in 40 shifts");
    assert!((0.4..0.8).contains(&(present / 40.0 / 3600.0 / HOURS)), "present {} h", present / 3600.0);
    assert!(absences.iter().any(|s| *s < 30.0) && absences.iter().any(|s| *s > 3600.0), "{absences:?}");
}

#[test]
fn sites_are_within_what_is_written_down() {
    let sites: Vec<Site> = (0..300).map(|seed| Shift::new(seed, None, 0).site).collect();
    let range = |of: fn(&Site) -> f64| {
        let all = sites.iter().map(of);
        (all.clone().fold(f64::MAX, f64::min), all.fold(f64::MIN, f64::max))
    };
    let covers = |(low, high): (f64, f64), from: f64, to: f64| {
        low >= from && high <= to && low < from + 0.05 * (to - from) && high > to - 0.05 * (to - from)
    };
    assert!(covers(range(|site| site.rate), 1.0, 10.0));
    assert!(covers(range(|site| site.seat_m), 0.5, 2.0));
    assert!(covers(range(|site| site.antennas[0].loss), 0.1, 0.6));
    assert!(covers(range(|site| site.antennas[1].calibration_db), -3.0, 3.0));
    assert!(covers(range(|site| site.time_sd), 2.0, 4.0));
    let turned = |heading| Pose { distance_m: 1.0, bearing: 1.0, heading };
    let body = |site: &Site| site.mean(0, turned(0.0)) - site.mean(0, turned(std::f64::consts::PI));
    assert!(covers(range(|site| site.antennas[0].body_db), 6.0, 18.0));
    assert!(sites.iter().all(|site| (body(site) - site.antennas[0].body_db).abs() < 1e-9));
    assert!(sites.iter().any(|site| site.null_db > 7.0), "a seat in a null");
    assert!(sites.iter().all(|site| {
        let seat = Pose { distance_m: site.seat_m, ..turned(0.0) };
        let (distance, _) = seat.seen_from(site.antennas[1].apart_m);
        (distance - site.seat_m).abs() <= site.antennas[1].apart_m
    }));
}

#[test]
fn adverts_come_as_often_as_the_band_sends_and_the_dongle_loses() {
    for seed in 0..20 {
        let shift = Shift::new(seed, Some(5.0), 1);
        let heard = readings(&shift, 0).iter().filter(|(at, _)| distance(&shift, *at) < NEAR_M).count() as f64;
        let present: f64 = shift
            .truth
            .chunks(2)
            .filter(|stay| stay[0].1 == Truth::Present)
            .map(|stay| stay[1].0.since(stay[0].0).as_secs_f64())
            .sum();
        // On average 5 ms later than the interval says.
        let sent = present / 0.205;
        let share = heard / sent / (1.0 - shift.site.antennas[0].loss);
        assert!((0.9..1.02).contains(&share), "seed {seed}: {share} of what should be");
    }
}

#[test]
fn somebody_types_who_sits_there_and_signs_in_who_comes_back() {
    let (mut seated, mut covered) = (0.0, 0.0);
    for seed in 0..20 {
        let shift = Shift::new(seed, Some(1.0), 1);
        let typed = actions(&shift, What::UserActive);
        assert!(typed.iter().all(|at| distance(&shift, *at) <= NEAR_M));
        covered +=
            typed.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).filter(|gap| *gap <= 5.0).sum::<f64>();
        for (place, &(begin, scene)) in shift.scenes.iter().enumerate() {
            let until = shift.scenes.get(place + 1).map_or(shift.end(), |(next, _)| *next);
            if matches!(scene, Scene::Seated | Scene::Fidget | Scene::PassedBy) {
                seated += until.since(begin).as_secs_f64();
            }
        }
        let signed = actions(&shift, What::SignedIn);
        let sat: Vec<Time> = shift
            .scenes
            .iter()
            .zip(&shift.scenes[1..])
            .filter(|((_, scene), _)| *scene == Scene::SitDown)
            .map(|(_, (until, _))| *until)
            .collect();
        for at in &signed {
            let after =
                sat.iter().map(|sat| at.since(*sat).as_secs_f64()).filter(|s| *s > 0.0).fold(f64::MAX, f64::min);
            assert!((3.0..=8.0).contains(&after), "seed {seed}: {after} s after sitting down");
        }
        assert!(signed.len() + 2 >= sat.len(), "{} of {}", signed.len(), sat.len());
    }
    let share = covered / seated;
    assert!((share - 0.6).abs() < 0.06, "{share} of the time at the keys is covered by input");
}

#[test]
fn every_parameter_is_written_down_with_its_source() {
    let document = include_str!("../../../docs/EVALUATE.md");
    let rows: Vec<String> = parameters().map(Parameter::to_string).collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !document.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/EVALUATE.md lacks:\n{}", rows.join("\n"));
}
