//! What a count proves: 95 % confidence intervals that hold whatever the truth is, by the exact distributions.

/// What is left out at either end.
const TAIL: f64 = 0.025;

/// Bisections: enough for a trillionth of where they begin.
const STEPS: usize = 40;

/// The rates per unit under which `count` events in `span` units are not unlikely (Garwood 1936).
///
/// No event does not mean none ever: 0 in `span` only proves at most 3.69 / `span`. `None` without a span.
pub fn rate(count: u64, span: f64) -> Option<(f64, f64)> {
    if span <= 0.0 || !span.is_finite() {
        return None;
    }
    let n = count as f64;
    let top = 10.0 + 2.0 * n + 10.0 * n.sqrt(); // beyond the upper end for every count
    // At the lower end so many or more are just too unlikely, at the upper end so few or fewer.
    let low = if count == 0 { 0.0 } else { falling(0.0, top, |mean| poisson_up_to(count - 1, mean) - (1.0 - TAIL)) };
    let high = falling(0.0, top, |mean| poisson_up_to(count, mean) - TAIL);
    Some((low / span, high / span))
}

/// The shares under which `count` of `of` are not unlikely (Clopper and Pearson 1934). `None` of none.
pub fn share(count: u64, of: u64) -> Option<(f64, f64)> {
    if of == 0 || count > of {
        return None;
    }
    let low = if count == 0 { 0.0 } else { falling(0.0, 1.0, |p| binomial_up_to(count - 1, of, p) - (1.0 - TAIL)) };
    let high = if count == of { 1.0 } else { falling(0.0, 1.0, |p| binomial_up_to(count, of, p) - TAIL) };
    Some((low, high))
}

/// Of `of` values in order, the ranks between which the value that this share lies below is not unlikely to be, from 1.
///
/// `None` at an end: no value is low, or high, enough. `None` of none.
pub fn ranks(of: u64, share: f64) -> Option<(Option<u64>, Option<u64>)> {
    if of == 0 || share <= 0.0 || share >= 1.0 {
        return None;
    }
    let odds = share.ln() - (1.0 - share).ln();
    let mut ln_term = of as f64 * (1.0 - share).ln();
    let mut at_most = ln_term.exp(); // how likely no more than `below` values are below
    let (mut low, mut high) = (None, None);
    for below in 0..of {
        if at_most <= TAIL {
            low = Some(below + 1);
        }
        if at_most >= 1.0 - TAIL {
            high = Some(below + 1);
            break;
        }
        ln_term += odds + ((of - below) as f64).ln() - ((below + 1) as f64).ln();
        at_most += ln_term.exp();
    }
    Some((low, high))
}

/// Where a falling function is zero.
fn falling(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..STEPS {
        let middle = (low + high) / 2.0;
        if f(middle) > 0.0 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The likelihood of at most `k` events where `mean` are expected.
fn poisson_up_to(k: u64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    let mut ln_term = -mean;
    let mut sum = ln_term.exp();
    for i in 1..=k {
        ln_term += mean.ln() - (i as f64).ln();
        sum += ln_term.exp();
    }
    sum.min(1.0)
}

/// The likelihood of at most `k` of `n` where each has the likelihood `p`.
fn binomial_up_to(k: u64, n: u64, p: f64) -> f64 {
    if p <= 0.0 || k >= n {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = p.ln() - (1.0 - p).ln();
    let mut ln_term = n as f64 * (1.0 - p).ln();
    let mut sum = ln_term.exp();
    for i in 1..=k {
        ln_term += odds + ((n - i + 1) as f64).ln() - (i as f64).ln();
        sum += ln_term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<(f64, f64)>, wanted: (f64, f64), case: &str) {
        let (low, high) = found.unwrap();
        assert!((low - wanted.0).abs() < 5e-4 && (high - wanted.1).abs() < 5e-4, "{case}: {low} to {high}");
    }

    #[test]
    fn counts_per_time_are_as_tables_of_the_poisson_distribution_have_them() {
        close(rate(0, 1.0), (0.0, 3.6889), "none");
        close(rate(1, 1.0), (0.0253, 5.5716), "one");
        close(rate(10, 1.0), (4.7954, 18.3904), "ten");
        close(rate(100, 1.0), (81.3640, 121.6268), "a hundred");
        close(rate(10, 4.0), (1.1988, 4.5976), "in four units");
        assert_eq!(rate(3, 0.0), None, "no time proves nothing");
        let (low, high) = rate(100_000, 1.0).unwrap();
        assert!(low > 99_300.0 && low < 99_450.0 && high > 100_550.0 && high < 100_700.0, "{low} to {high}");
    }

    #[test]
    fn ranks_are_as_tables_of_the_binomial_distribution_have_them() {
        assert_eq!(ranks(0, 0.5), None);
        assert_eq!(ranks(5, 0.5), Some((None, None)), "five values prove little of a median");
        assert_eq!(ranks(6, 0.5), Some((Some(1), Some(6))));
        assert_eq!(ranks(100, 0.5), Some((Some(40), Some(61))));
        assert_eq!(ranks(20, 0.95), Some((Some(17), None)), "nothing as high as p95 of 20 may be");
        let (low, high) = ranks(10_000, 0.95).unwrap();
        assert!((9_455..9_460).contains(&low.unwrap()) && (9_542..9_546).contains(&high.unwrap()), "{low:?}, {high:?}");
    }

    #[test]
    fn shares_are_as_tables_of_the_binomial_distribution_have_them() {
        close(share(0, 28), (0.0, 0.1234), "none of 28");
        close(share(2, 27), (0.0091, 0.2429), "two of 27");
        close(share(5, 10), (0.1871, 0.8129), "half of ten");
        close(share(20, 20), (0.8316, 1.0), "all of 20");
        assert_eq!(share(0, 0), None, "none of none proves nothing");
        let (low, high) = share(500, 1000).unwrap();
        assert!((low - 0.4685).abs() < 1e-3 && (high - 0.5315).abs() < 1e-3, "{low} to {high}");
    }
}
