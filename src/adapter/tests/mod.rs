//! The session against a fake dongle, in stepped time.

mod fake;
mod faults; // dongles in trouble
#[cfg(target_os = "linux")]
mod port; // ports that come, go and are taken
mod random; // any bytes, any faults
mod well; // dongles as they should be, in any state
