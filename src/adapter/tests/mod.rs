//! The session against a fake dongle, in stepped time.

#[cfg(target_os = "linux")]
mod driver; // drivers and ptys, each dongle a fake
mod fake; // a dongle without a port
mod faults; // dongles in trouble
#[cfg(target_os = "linux")]
mod port; // ports that come, go and are taken
mod random; // any bytes, any faults
mod well; // dongles as they should be, in any state
