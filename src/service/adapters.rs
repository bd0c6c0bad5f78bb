//! The dongles as the configuration wants them.

use config::AdapterChoice;

use super::Service;
use crate::adapter::{Choice, Claims, Driver, ScanSettings};
use crate::clock::Clock;
use crate::event::AdapterId;
use crate::time::Time;

/// One dongle as the configuration wants it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    choice: Choice,
    scan: ScanSettings,
}

impl Wanted {
    pub(super) fn driver(&self, place: usize, claims: &Claims, clock: Clock) -> Driver {
        Driver::new(AdapterId(place as u8), self.choice.clone(), self.scan, claims.clone(), clock)
    }
}

impl From<&config::Adapter> for Wanted {
    fn from(adapter: &config::Adapter) -> Self {
        let choice = match &adapter.which {
            AdapterChoice::Any => Choice::Any,
            AdapterChoice::Port(port) => Choice::Port(port.into()),
            AdapterChoice::Address(address) => {
                let mut octets = address.0;
                octets.reverse(); // printed with the most significant first, sent with the least
                Choice::Address(bgapi::BdAddr(octets))
            }
        };
        let scan = ScanSettings {
            interval_ticks: adapter.scan.interval().get(),
            window_ticks: adapter.scan.window().get(),
            active: adapter.active_scan,
        };
        Self { choice, scan }
    }
}

impl Service {
    /// Goes over to the dongles that the configuration names now; those it named before go on as they are.
    pub(super) fn follow_adapters(&mut self, now: Time) {
        let wanted: Vec<Wanted> = self.configuration.config().adapters.iter().map(Wanted::from).collect();
        for mut driver in self.drivers.drain(wanted.len().min(self.drivers.len())..) {
            driver.stop();
            self.endpoint.forget_adapter(now, driver.id());
        }
        for (place, new) in wanted.iter().enumerate() {
            match (self.drivers.get_mut(place), self.wanted.get(place)) {
                (Some(_), Some(old)) if old == new => {}
                (Some(driver), Some(old)) if old.choice == new.choice => driver.handle_settings(now, new.scan),
                (Some(driver), _) => {
                    driver.stop();
                    *driver = new.driver(place, &self.claims, self.clock);
                }
                (None, _) => self.drivers.push(new.driver(place, &self.claims, self.clock)),
            }
        }
        self.wanted = wanted;
    }
}
