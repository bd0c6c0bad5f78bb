//! Exponential and logarithm from additions and multiplications only, so that every machine computes the same bits.
//!
//! The platform's own differ in their last digit from system to system. The square root is exact by IEEE 754.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// 1 / 13! to 1 / 0!.
const EXP_SERIES: [f64; 14] = {
    let (mut series, mut factorial, mut n) = ([1.0; 14], 1.0, 1);
    while n < 14 {
        factorial *= n as f64;
        series[13 - n] = 1.0 / factorial;
        n += 1;
    }
    series
};

/// 1 / 19, 1 / 17 to 1.
const LN_SERIES: [f64; 10] = {
    let (mut series, mut n) = ([1.0; 10], 0);
    while n < 10 {
        series[9 - n] = 1.0 / (2 * n + 1) as f64;
        n += 1;
    }
    series
};

/// The farthest from 0 that exponents are told apart.
const FARTHEST: f64 = 700.0;

/// e to the power of `x`, within a part in 10^13 of it; 0 below -700, and no more than at 700.
pub(super) fn exp(x: f64) -> f64 {
    exps([x])[0]
}

/// The same for each of many, without a branch and every step for all of them before the next: so a processor computes
/// several at a time.
pub(super) fn exps<const N: usize>(x: [f64; N]) -> [f64; N] {
    // x = k ln 2 + r with |r| <= ln 2 / 2, and the series for r is at its end after thirteen terms.
    let bounded = x.map(|x| x.clamp(-FARTHEST, FARTHEST));
    let k = bounded.map(|x| rounded(x * LOG2_E));
    let r: [f64; N] = std::array::from_fn(|i| bounded[i] - k[i] * LN_2);
    let mut sums = [EXP_SERIES[0]; N];
    for coefficient in &EXP_SERIES[1..] {
        for (sum, r) in sums.iter_mut().zip(&r) {
            *sum = *sum * r + coefficient;
        }
    }
    for i in 0..N {
        let power = sums[i] * power_of_two(k[i]);
        sums[i] = if x[i] < -FARTHEST { 0.0 } else { power };
    }
    sums
}

/// The natural logarithm of a positive, normal `x`, within 2e-15 of it.
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh z with |z| <= 0.172, whose series is at its end after ten terms.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let sum = LN_SERIES.iter().fold(0.0, |sum, coefficient| sum * square + coefficient);
    exponent as f64 * LN_2 + 2.0 * z * sum
}

/// From here on, numbers lie 1 apart: what is added is rounded to a whole number.
const ONE_APART: f64 = (1_u64 << 52) as f64;

/// The whole number nearest to `x`, where that is less than 2^51; halves away from zero. [`f64::round`] is slow on
/// processors without an instruction for it.
fn rounded(x: f64) -> f64 {
    let size = x.abs() + 0.5;
    let nearest = size + ONE_APART - ONE_APART;
    let below = nearest - if nearest > size { 1.0 } else { 0.0 };
    below.copysign(x)
}

/// 2 to the power of `k`, which must be whole and -1022 to 1023.
fn power_of_two(k: f64) -> f64 {
    // The lowest bits of this sum are those of the exponent.
    f64::from_bits((k + (ONE_APART + 1023.0)).to_bits() << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_platform_and_with_each_other() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) / 100.0;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours / theirs - 1.0).abs() < 1e-13, "exp {x}: {ours:e}, {theirs:e}");
            assert!((ln(ours) - x).abs() < 1e-12 * x.abs().max(1.0), "ln exp {x}");
        }
        for x in [1e-300, 0.1, 0.5, 0.9999, 1.0, 1.0001, 1.5, SQRT_2, 2.0, 10.0, 1e300] {
            assert!((ln(x) - x.ln()).abs() <= 4e-15 * x.ln().abs().max(1.0), "ln {x}");
        }
        assert_eq!((exp(0.0), ln(1.0), exp(-701.0)), (1.0, 0.0, 0.0));
    }

    #[test]
    fn each_of_many_is_as_it_is_alone() {
        let many: [f64; 1_001] = std::array::from_fn(|i| (i as f64 - 500.0) * 1.4321);
        assert_eq!(exps(many), many.map(exp));
        assert_eq!((exp(-700.5), exp(700.5)), (0.0, exp(700.0)));
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for i in -10_000..=10_000 {
            let x = f64::from(i) / 8.0;
            assert_eq!(rounded(x), x.round(), "{x}");
        }
    }

    /// The bits themselves: a compiler or a machine that computed others would decide otherwise.
    #[test]
    fn the_bits_are_these() {
        assert_eq!(exp(-1.5).to_bits(), 0x3fcc_8f87_724b_5c1d, "{:x}", exp(-1.5).to_bits());
        assert_eq!(ln(0.3).to_bits(), 0xbff3_4378_fcbd_a720, "{:x}", ln(0.3).to_bits());
    }
}
