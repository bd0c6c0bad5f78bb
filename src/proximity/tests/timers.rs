//! Timers are exact: whether time is told at every due moment or only with the next input, the same is decided.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::event::Side;

/// Something that comes in.
#[derive(Clone, Copy, Debug)]
enum Input {
    Reading(AdapterId, u8, i8),
    Active(Option<u8>, Duration),
    SignedIn(u8),
    Adapter(bool),
    Roster(u64),
    Settings(u64),
}

fn inputs(seed: u64) -> Vec<(Time, Input)> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut at = 0;
    let mut levels = [-60i8; 4];
    let is_calm = seed.is_multiple_of(2);
    let mut below = move |n: u64| random.next_u64() % n;
    let input = |_| {
        at += match below(40) {
            0 if !is_calm => 1_000_000 * below(60),
            1..=3 => 250_000 * below(8),
            _ => below(400_000),
        };
        let band = below(4) as u8;
        let level = &mut levels[usize::from(band)];
        // Spells near, spells far, and walks between; on a calm day long enough for every bound.
        *level = match below(if is_calm { 500 } else { 60 }) {
            0 => -55,
            1 => -92,
            _ if is_calm => *level,
            _ => (*level + below(7) as i8 - 3).clamp(-100, -45),
        };
        let input = match below(100) {
            0..30 => Input::Active((below(3) > 0).then_some(band), Duration::from_millis(below(12_000))),
            30..33 => Input::SignedIn(band),
            33 => Input::Adapter(below(2) == 0),
            34 if below(4) == 0 => Input::Roster(below(3)),
            35 => Input::Settings(below(3)),
            _ => Input::Reading(AdapterId(below(2) as u8), band, *level),
        };
        (Time::from_micros(at), input)
    };
    (0..2_000).map(input).collect()
}

fn take(engine: &mut Engine, at: Time, input: Input) {
    match input {
        Input::Reading(adapter, band, dbm) => engine.handle_reading(at, adapter, address(band), i32::from(dbm) * 10),
        Input::Active(band, age) => engine.handle_user_active(at, band.map(address), age),
        Input::SignedIn(band) => drop(engine.handle_signed_in(at, address(band))),
        Input::Adapter(well) => engine.handle_adapter(at, DONGLE, well),
        Input::Roster(n) => {
            let all = [(1, "ada", Auth::Authenticated), (2, "ben", Auth::Unknown), (3, "cyd", Auth::Unenrolled)];
            let mode = if n == 0 { Mode::Listed } else { Mode::All };
            engine.handle_roster(at, &roster(mode, n, &all[..=n as usize]));
        }
        Input::Settings(n) => {
            let absent_after = Duration::from_secs([30, 30, 12][n as usize]);
            let cutoffs = if n == 1 { None } else { settings().cutoffs };
            engine.handle_settings(at, Settings { window_long: 8, absent_after, cutoffs, ..settings() });
        }
    }
}

fn decided(inputs: &[(Time, Input)], tell_time: bool) -> Vec<Decision> {
    let mut engine = Engine::new(Settings { window_long: 8, ..settings() });
    let mut decided = Vec::new();
    for &(at, input) in inputs {
        while tell_time && let Some(due) = engine.poll_timeout().filter(|due| *due <= at) {
            engine.handle_timeout(due);
            assert!(engine.poll_timeout().is_none_or(|next| next > due), "a timer runs for ever");
        }
        take(&mut engine, at, input);
        decided.extend(std::iter::from_fn(|| engine.poll_decision()));
    }
    engine.handle_timeout(Time::from_micros(u64::MAX / 2));
    decided.extend(std::iter::from_fn(|| engine.poll_decision()));
    assert_eq!(engine.poll_timeout(), None, "everybody is absent in the end");
    decided
}

#[test]
fn the_same_is_decided_whenever_time_is_told_and_no_away_waits_too_long() {
    let (mut held, mut longest, mut signed_in) = (0, 0, 0);
    for seed in 0..60 {
        let inputs = inputs(seed);
        let decisions = decided(&inputs, true);
        assert_eq!(decisions, decided(&inputs, false), "seed {seed}");
        assert!(decisions.is_sorted_by_key(|decision| decision.at), "seed {seed}");
        let mut sides = [Side::Unknown; 4];
        for Decision { at, band, conclusion, why, .. } in &decisions {
            let side = &mut sides[usize::from(band.address.bytes.0[0])];
            let by_level = why.rule.name().starts_with("away.");
            match *conclusion {
                Conclusion::Trend { before, after, .. } => {
                    // Settings without cutoffs make every side unknown, and say nothing.
                    let known = before == *side || before == Side::Unknown;
                    assert!(known, "seed {seed} at {at:?}: {conclusion:?} after {side:?}");
                    let after = if after == Trend::Away { Side::Away } else { Side::Near };
                    assert!(by_level || after != Side::Away || matches!(why.rule, Rule::Silence | Rule::Roster));
                    *side = after;
                }
                Conclusion::Presence { after: Presence::Absent, .. } => *side = Side::Unknown,
                _ => {}
            }
            signed_in += usize::from(why.rule == Rule::SignedIn);
            if by_level && let Some(held_ms) = why.held_ms {
                held += 1;
                longest = longest.max(held_ms);
            }
        }
    }
    // A schedule that never gets to something proves nothing about it.
    assert!(held > 100 && signed_in > 100, "{held} {signed_in}");
    assert_eq!(longest, 60_000, "the bound was reached, and not passed");
}
