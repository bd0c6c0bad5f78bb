use super::*;
use crate::evaluate::numbers::LockRow;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

/// Shifts as unlike as can be.
fn shifts() -> Vec<Locks> {
    (0..40)
        .map(|n: u64| Locks {
            false_locks: n % 3,
            false_unlocks: n % 4 / 3,
            departures: 5,
            missed_locks: n % 10 / 9,
            approaches: 4,
            missed_unlocks: n % 20 / 19,
            present: hours(2) + Duration::from_secs(n),
            locked_out: Duration::from_secs(10 * n),
            away: hours(1),
            exposed_us: (0..4).map(|k| (n * 7 % 11 + k) as i64 * 1_000_000).collect(),
            unlock_us: (0..3).map(|k| (n * 5 % 13) as i64 * 700_000 - k * 900_000).collect(),
            ..Locks::default()
        })
        .collect()
}

fn cell(cells: &[Cell; LINES.len()], key: &str) -> Cell {
    cells[LINES.iter().position(|line| line.key == key).unwrap()]
}

#[test]
fn the_numbers_are_those_of_recordings() {
    let shifts = shifts();
    let mut sum = Locks::default();
    shifts.iter().for_each(|locks| sum.add(locks));
    let (row, found) = (LockRow::from(&sum), cells(&shifts));
    let wanted = [
        8.0 * row.false_locks_per_h,
        row.locked_out_pct,
        100.0 * row.missed_locks / row.departures,
        row.exposed_p95_all,
        row.unlock_p50,
        row.unlock_p95,
        100.0 * row.missed_unlocks / row.approaches,
        row.false_unlocks_per_h,
    ];
    for ((line, cell), wanted) in LINES.iter().zip(found).zip(wanted) {
        assert!((cell.value - wanted).abs() < 1e-9, "{}: {} and {wanted}", line.key, cell.value);
        let (low, high) = cell.interval.unwrap();
        assert!(low <= cell.value && cell.value <= high && low < high, "{}: {low} to {high}", line.key);
    }
}

#[test]
fn no_event_is_not_none_ever() {
    let quiet = vec![Locks { present: hours(2), away: hours(1), departures: 5, ..Locks::default() }; 10];
    let found = cells(&quiet);
    let (low, high) = cell(&found, "false_locks_per_8h").interval.unwrap();
    assert!(low == 0.0 && (high - 3.689 / 20.0 * 8.0).abs() < 0.001, "{high}");
    let (low, high) = cell(&found, "missed_departures_pct").interval.unwrap();
    assert!(low == 0.0 && (high - 7.11).abs() < 0.01, "none of 50: {high}");
    assert_eq!(cell(&found, "locked_out_pct"), Cell { value: 0.0, interval: None });
    assert!(cell(&found, "unlock_p95").value.is_nan() && cell(&found, "unlock_p95").interval.is_none());
}

#[test]
fn events_at_one_bad_seat_prove_less_than_as_many_everywhere() {
    let shift = |false_locks| Locks { present: hours(2), false_locks, ..Locks::default() };
    let even = cells(&vec![shift(2); 50]);
    let mut seat = vec![shift(0); 50];
    seat[7] = shift(100);
    let uneven = cells(&seat);
    let [even, uneven] = [even, uneven].map(|cells| cell(&cells, "false_locks_per_8h"));
    assert_eq!(even.value, uneven.value);
    let (exact, wide) = (even.interval.unwrap(), uneven.interval.unwrap());
    assert!(
        (exact.0 - 8.0 * 0.8136).abs() < 0.01 && (exact.1 - 8.0 * 1.2163).abs() < 0.01,
        "as counts have it: {exact:?}"
    );
    assert!(wide.0 < 0.5 && wide.1 > 20.0, "{wide:?}");
}

#[test]
fn what_never_ended_comes_last() {
    let shift = |missed_locks| Locks { exposed_us: vec![1_000_000; 9], missed_locks, ..Locks::default() };
    let few = cells(&vec![shift(0); 100]);
    assert_eq!(cell(&few, "exposed_p95_all"), Cell { value: 1.0, interval: Some((1.0, 1.0)) });
    let many = cells(&vec![shift(1); 100]);
    assert_eq!(cell(&many, "exposed_p95_all").value, f64::INFINITY);
}
