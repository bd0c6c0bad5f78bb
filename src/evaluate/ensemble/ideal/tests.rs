use super::*;

/// Log odds around a moment: seconds from it.
fn around(moment: Time, odds: impl Iterator<Item = (Time, f64)>) -> Vec<(f64, f64)> {
    odds.map(|(at, odds)| (seconds(at) - seconds(moment), odds)).collect()
}

/// The log odds of being gone around the first departure of a shift.
fn departure(seed: u64) -> Vec<(f64, f64)> {
    let shift = Overheard::new(seed, Some(2.0));
    let away = shift.first(Truth::Away, Time::ZERO);
    around(away, shift.gone((away - Duration::from_secs(90), away + Duration::from_secs(30))))
}

/// The log odds of being back around the first arrival.
fn arrival(seed: u64) -> Vec<(f64, f64)> {
    let shift = Overheard::new(seed, Some(2.0));
    let (away, _) = shift.absences()[0];
    let here = shift.first(Truth::Present, away);
    let from = away.max(here - Duration::from_secs(90));
    around(here, shift.come((from, here + Duration::from_secs(30))))
}

/// Of six shifts: whether odds of so long before are low, and how many are high within 20 s.
fn tells(story: fn(u64) -> Vec<(f64, f64)>) -> (bool, usize) {
    let stories: Vec<_> = (0..6).map(story).collect();
    let before = stories.iter().flatten().filter(|(at, _)| *at > -60.0 && *at < -30.0);
    let mut before: Vec<f64> = before.map(|(_, odds)| *odds).collect();
    before.sort_by(f64::total_cmp);
    let high = |odds: &(f64, f64)| odds.0 > 0.0 && odds.0 < 20.0 && odds.1 > 3.0;
    let known = stories.iter().filter(|story| story.iter().any(high)).count();
    (before[before.len() / 2] < -3.0 && before[before.len() * 9 / 10] < 1.0, known)
}

#[test]
fn it_knows_who_sits_from_who_has_gone() {
    let (sure, known) = tells(departure);
    assert!(sure && known >= 5, "{known} of 6");
}

#[test]
fn it_knows_who_is_away_from_who_has_come() {
    let (sure, known) = tells(arrival);
    assert!(sure && known >= 5, "{known} of 6");
}

#[test]
fn a_seed_is_one_opinion() {
    assert_eq!(departure(3), departure(3));
}

#[test]
fn sides_follow_the_odds_and_come_back_below_even() {
    let second = |s: u64| Time::ZERO + Duration::from_secs(s);
    let gone = vec![
        (second(0), None),
        (second(10), Some(2.5)),  // a false lock for who asks for 2
        (second(11), Some(-0.5)), // still locked
        (second(12), Some(-1.0)),
        (second(65), Some(2.5)),
        (second(70), Some(4.5)),
    ];
    let truth = [(0, Truth::Present), (60, Truth::Present), (60, Truth::Away), (99, Truth::Away)];
    let ideal = Ideal { truth: truth.map(|(at, side)| (second(at), side)).into(), gone, come: Vec::new() };
    let [eager, patient, never] = [2.0, 4.0, 9.0].map(|enough| ideal.score_gone(enough));
    assert_eq!(
        (eager.false_locks, eager.locked_out, &eager.exposed_us[..]),
        (1, Duration::from_secs(2), &[5_000_000][..])
    );
    assert_eq!((patient.false_locks, &patient.exposed_us[..]), (0, &[10_000_000][..]));
    assert_eq!((never.missed_locks, never.false_locks), (1, 0));
}

#[test]
fn who_comes_is_let_in_by_the_odds() {
    let second = |s: u64| Time::ZERO + Duration::from_secs(s);
    let come = vec![(second(10), None), (second(20), Some(3.0)), (second(30), Some(-2.0)), (second(61), Some(5.0))];
    let truth = [(0, Truth::Present), (10, Truth::Present), (10, Truth::Away), (60, Truth::Away)];
    let truth = truth.into_iter().chain([(60, Truth::Present), (99, Truth::Present)]);
    let ideal = Ideal { truth: truth.map(|(at, side)| (second(at), side)).collect(), gone: Vec::new(), come };
    let [eager, patient] = [2.0, 4.0].map(|enough| ideal.score_come(enough));
    assert_eq!((eager.false_unlocks, &eager.unlock_us[..]), (1, &[1_000_000][..]));
    assert_eq!((patient.false_unlocks, patient.missed_unlocks, &patient.unlock_us[..]), (0, 0, &[1_000_000][..]));
}
