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

/// e to the power of `x`, within 2e-15 of it; 0 below -700, and no more than at 700.
pub(super) fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let x = x.min(700.0);
    // x = k ln 2 + r with |r| <= ln 2 / 2, and the series for r is at its end after thirteen terms.
    let k = (x * LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i64;
    let r = x - k as f64 * LN_2;
    EXP_SERIES.iter().fold(0.0, |sum, coefficient| sum * r + coefficient) * power_of_two(k)
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

/// 2 to the power of `k`, which must be -1022 to 1023.
fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_platform_and_with_each_other() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) / 100.0;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours / theirs - 1.0).abs() < 4e-13, "exp {x}: {ours:e}, {theirs:e}");
            assert!((ln(ours) - x).abs() < 1e-12 * x.abs().max(1.0), "ln exp {x}");
        }
        for x in [1e-300, 0.1, 0.5, 0.9999, 1.0, 1.0001, 1.5, SQRT_2, 2.0, 10.0, 1e300] {
            assert!((ln(x) - x.ln()).abs() <= 4e-15 * x.ln().abs().max(1.0), "ln {x}");
        }
        assert_eq!((exp(0.0), ln(1.0), exp(-701.0)), (1.0, 0.0, 0.0));
    }

    /// The bits themselves: a compiler or a machine that computed others would decide otherwise.
    #[test]
    fn the_bits_are_these() {
        assert_eq!(exp(-1.5).to_bits(), 0x3fcc_8f87_724b_5c1d, "{:x}", exp(-1.5).to_bits());
        assert_eq!(ln(0.3).to_bits(), 0xbff3_4378_fcbd_a720, "{:x}", ln(0.3).to_bits());
    }
}
