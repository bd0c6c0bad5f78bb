//! How likely it is that somebody goes or comes, for who knows people but not their plans.

use super::{ABSENCE, HOURS, PASS_BY, Person, SECONDS, SETTLED_S, SHORT, SHORT_S, STAY};

impl Person {
    /// How likely it is per second that somebody leaves who has sat for so many; who came back may stay for seconds.
    pub(in crate::evaluate::ensemble) fn leaving(sat: f64, came_back: bool) -> f64 {
        let (first, last) = SHORT_S;
        let share = if came_back { SHORT.value() / 100.0 } else { 0.0 };
        let gone = share * ((sat - first) / (last - first)).clamp(0.0, 1.0);
        let short = if sat > first && sat < last { share / (last - first) } else { 0.0 };
        short / (1.0 - gone) + if sat > SETTLED_S { 1.0 / STAY.value() } else { 0.0 }
    }

    /// The share of absences that are short, of hours, and of any other length, that last for so many seconds.
    fn absences(away: f64) -> [f64; 3] {
        let [short, long] = [SECONDS, HOURS].map(|share| share.value() / 100.0);
        let late = (-((away - 30.0) / ABSENCE.value()).max(0.0)).exp();
        [
            short * (1.0 - (away - 5.0) / 55.0).clamp(0.0, 1.0),
            long * (1.0 - (away - 3600.0) / 3600.0).clamp(0.0, 1.0),
            (1.0 - short - long) * late,
        ]
    }

    /// How likely it is per second that somebody comes back who has been away for so many.
    pub(in crate::evaluate::ensemble) fn returning(away: f64) -> f64 {
        let [short, long] = [SECONDS, HOURS].map(|share| share.value() / 100.0);
        let all = Self::absences(away);
        let soon = if (5.0..60.0).contains(&away) { short / 55.0 } else { 0.0 };
        let hours = if (3600.0..7200.0).contains(&away) { long / 3600.0 } else { 0.0 };
        let later = if away > 30.0 { all[2] / ABSENCE.value() } else { 0.0 };
        (soon + hours + later) / all.iter().sum::<f64>().max(1e-9)
    }

    /// How likely it is per second that somebody passes by who has been away for so many: after half a minute to one,
    /// of those who are away for two.
    pub(in crate::evaluate::ensemble) fn passing_by(away: f64) -> f64 {
        let [all, long] = [away, 120.0].map(|away| Self::absences(away).iter().sum::<f64>());
        if (30.0..60.0).contains(&away) { PASS_BY.value() / 100.0 / 30.0 * long / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of those who have not done it after so many seconds.
    fn still(rate: impl Fn(f64) -> f64, seconds: f64) -> f64 {
        let steps = (seconds * 20.0) as u32;
        (-(0..steps).map(|step| rate((f64::from(step) + 0.5) / 20.0) / 20.0).sum::<f64>()).exp()
    }

    #[test]
    fn rates_make_the_shares_that_are_written_down() {
        let leaves = |seconds| still(|sat| Person::leaving(sat, true), seconds);
        assert!((leaves(60.0) - 0.9).abs() < 0.001, "{}", leaves(60.0));
        assert!((leaves(60.0 + 2400.0) - 0.9 / 1.0_f64.exp()).abs() < 0.002, "{}", leaves(2460.0));
        assert_eq!(still(|sat| Person::leaving(sat, false), 60.0), 1.0);
        let away = |seconds| still(Person::returning, seconds);
        let after = |seconds: f64| 0.08 + 0.62 * (-(seconds - 30.0) / 900.0).exp();
        assert!((away(60.0) - after(60.0)).abs() < 0.002, "{}", away(60.0));
        assert!((away(930.0) - after(930.0)).abs() < 0.002, "{}", away(930.0));
        assert!((away(5400.0) - 0.04 - 0.62 * (-5370.0_f64 / 900.0).exp()).abs() < 0.002, "{}", away(5400.0));
        assert!(Person::passing_by(29.0) == 0.0 && Person::passing_by(61.0) == 0.0);
        assert!((Person::passing_by(59.9) / (0.15 / 30.0) - away(120.0) / away(59.9)).abs() < 0.01);
    }
}
