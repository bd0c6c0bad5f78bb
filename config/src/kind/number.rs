//! Keys that take a number.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::{Kind, Misfit};
use crate::odd::odd;
use crate::quantity::{Level, RssiOffset, ScanTicks, WindowLength};

/// A window's length.
pub(crate) struct Readings;

impl Kind for Readings {
    type Value = WindowLength;

    const NUMBER: Option<&'static str> = Some("10");

    fn takes() -> String {
        "1 to 200".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<WindowLength, Misfit> {
        let number = whole(value.as_ref())?;
        u8::try_from(number).ok().and_then(WindowLength::new).ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A level in dBm.
pub(crate) struct LevelInDbm;

impl Kind for LevelInDbm {
    type Value = Level;

    const NUMBER: Option<&'static str> = Some("-42");

    fn takes() -> String {
        "-99 to -1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Level, Misfit> {
        let number = whole(value.as_ref())?;
        i8::try_from(number).ok().and_then(Level::new).ok_or_else(|| {
            let misfit = Misfit::new(value.as_ref());
            match number {
                1..=99 => misfit.because("is the minus sign missing?"),
                _ => misfit,
            }
        })
    }
}

/// A level in dBm, or 0 for none.
pub(crate) struct LevelOrZero;

impl Kind for LevelOrZero {
    type Value = Option<Level>;

    const NUMBER: Option<&'static str> = Some("-42");

    fn takes() -> String {
        "0 or -99 to -1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Option<Level>, Misfit> {
        match whole(value.as_ref()) {
            Ok(0) => Ok(None),
            _ => LevelInDbm::read(value).map(Some),
        }
    }
}

/// A time in whole seconds.
pub(crate) struct Seconds<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Kind for Seconds<MIN, MAX> {
    type Value = Duration;

    const NUMBER: Option<&'static str> = Some("30");

    fn takes() -> String {
        format!("{MIN} to {MAX}")
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Duration, Misfit> {
        let number = u64::try_from(whole(value.as_ref())?).ok();
        let number = number.filter(|number| (MIN..=MAX).contains(number));
        number.map(Duration::from_secs).ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A size in whole KiB.
pub(crate) struct Kibibytes<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> Kind for Kibibytes<MIN, MAX> {
    type Value = u32;

    const NUMBER: Option<&'static str> = Some("1024");

    fn takes() -> String {
        format!("{MIN} to {MAX}")
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<u32, Misfit> {
        let number = u32::try_from(whole(value.as_ref())?).ok();
        number.filter(|number| (MIN..=MAX).contains(number)).ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A correction in dB.
pub(crate) struct OffsetInDb;

impl Kind for OffsetInDb {
    type Value = RssiOffset;

    const NUMBER: Option<&'static str> = Some("-3.5");

    fn takes() -> String {
        "-40.0 to 40.0 in steps of 0.1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<RssiOffset, Misfit> {
        let tenths = decimal(value.as_ref())? * 10.0;
        // A tenth has no exact binary form, so what is next to one counts as one.
        let is_step = (tenths - tenths.round()).abs() < 1e-6 && tenths.abs() <= 400.5;
        // Bounded just above, so nothing is lost.
        let offset = is_step.then_some(tenths.round() as i16).and_then(RssiOffset::from_tenths);
        offset.ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A stretch of scanning in milliseconds.
pub(crate) struct ScanMillis;

impl Kind for ScanMillis {
    type Value = ScanTicks;

    const NUMBER: Option<&'static str> = Some("30");

    fn takes() -> String {
        "2.5 to 10240 in steps of 0.625".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<ScanTicks, Misfit> {
        let ticks = decimal(value.as_ref())? / 0.625;
        let in_range = (4.0..=16384.0).contains(&ticks);
        match in_range.then_some(ticks.round() as u16).and_then(ScanTicks::new) {
            Some(whole) if f64::from(whole.get()) == ticks => Ok(whole),
            Some(_) => Err(Misfit::new(value.as_ref()).because(format!(
                "the radio's nearest steps are {} and {}",
                ticks.floor() * 0.625,
                ticks.ceil() * 0.625
            ))),
            None => Err(Misfit::new(value.as_ref())),
        }
    }
}

/// A number the Bluetooth SIG gave to a company.
pub(crate) struct CompanyId;

impl Kind for CompanyId {
    type Value = u16;

    const NUMBER: Option<&'static str> = Some("434");

    fn takes() -> String {
        "0 to 65535".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<u16, Misfit> {
        u16::try_from(whole(value.as_ref())?).map_err(|_| Misfit::new(value.as_ref()))
    }
}

fn whole(value: &DeValue<'_>) -> Result<i64, Misfit> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| Misfit::new(value))
        }
        DeValue::Float(_) => Err(Misfit::new(value).because("whole numbers only")),
        _ => Err(not_a_number(value)),
    }
}

fn decimal(value: &DeValue<'_>) -> Result<f64, Misfit> {
    match value {
        DeValue::Float(number) => number.as_str().parse().map_err(|_| Misfit::new(value)),
        // Far outside of every range, a rounded number still is.
        DeValue::Integer(_) => whole(value).map(|number| number as f64),
        _ => Err(not_a_number(value)),
    }
}

fn not_a_number(value: &DeValue<'_>) -> Misfit {
    match value.as_str().map(str::parse::<f64>) {
        Some(Ok(_)) => Misfit::new(value).because("remove the quotes"),
        _ => Misfit { because: value.as_str().and_then(odd), ..Misfit::new(value) },
    }
}
