//! Axes with round numbers.

/// A range of values on a range of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    at: f64,
    length: f64,
}

impl Axis {
    /// Values `from` to `to`, the first of which is drawn at pixel `at`, over `length` pixels; negative is upwards.
    pub(super) fn new(from: f64, to: f64, at: f64, length: f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self { from, to, at, length }
    }

    /// Where a value is drawn; beyond the ends at the ends.
    pub(super) fn pixel(&self, value: f64) -> f64 {
        self.at + self.length * ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// Round values on the axis, `about` so many.
    pub(super) fn ticks(&self, about: usize) -> Vec<f64> {
        let rough = (self.to - self.from) / about.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|unit| unit * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.from / step).ceil() as i64;
        (first..).map(|place| place as f64 * step).take_while(|tick| *tick <= self.to + step * 1e-9).take(50).collect()
    }
}

/// A unit of time in which a span reads well, with its length in seconds.
pub(super) fn unit_of_time(seconds: f64) -> (&'static str, f64) {
    match seconds {
        short if short <= 600.0 => ("s", 1.0),
        long if long <= 4.0 * 3600.0 => ("min", 60.0),
        _ => ("h", 3600.0),
    }
}

/// A number in as few digits as it needs, at most one after the point.
pub(super) fn brief(number: f64) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_on_the_axis() {
        let cases: [(f64, f64, &[f64]); 4] = [
            (0.0, 100.0, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
            (-103.0, -38.0, &[-100.0, -80.0, -60.0, -40.0]),
            (0.0, 0.3, &[0.0, 0.1, 0.2, 0.3]),
            (5.0, 5.0, &[5.0, 5.2, 5.4, 5.6, 5.8, 6.0]),
        ];
        for (from, to, wanted) in cases {
            let ticks = Axis::new(from, to, 0.0, 100.0).ticks(5);
            assert_eq!(ticks.len(), wanted.len(), "{ticks:?}");
            assert!(ticks.iter().zip(wanted).all(|(tick, wanted)| (tick - wanted).abs() < 1e-9), "{ticks:?}");
        }
    }

    #[test]
    fn values_beyond_the_axis_stay_on_it() {
        let axis = Axis::new(-100.0, 0.0, 200.0, -100.0);
        assert_eq!(
            [-200.0, -100.0, -50.0, 0.0, 9.0].map(|value| axis.pixel(value)),
            [200.0, 200.0, 150.0, 100.0, 100.0]
        );
    }

    #[test]
    fn numbers_are_brief() {
        assert_eq!([0.0, -0.01, 1.25, -70.0].map(brief), ["0", "0", "1.2", "-70"]);
    }
}
