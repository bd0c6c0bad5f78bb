use std::time::Duration;

use bgapi::BdAddr;
use rustix::fd::OwnedFd;

use super::fake::{Fake, SCAN};
use super::port::Machine;
use crate::adapter::{Choice, Claims, Driver, Said, next_of};
use crate::clock::Clock;
use crate::event::{AdapterId, AdapterState};
use crate::time::Time;

/// A dongle at the other end of a pty.
struct Device {
    fake: Fake,
    line: OwnedFd,
}

impl Device {
    fn new(address: BdAddr, line: OwnedFd) -> Self {
        rustix::io::ioctl_fionbio(&line, true).unwrap();
        let mut fake = Fake::new();
        fake.address = address;
        Self { fake, line }
    }

    fn step(&mut self, now: Time) {
        let mut buffer = [0; 256];
        let read = rustix::io::read(&self.line, &mut buffer).unwrap_or(0); // an error while nobody has it open
        self.fake.handle_write(now, &buffer[..read]);
        while let Some(bytes) = self.fake.poll(now) {
            let _ = rustix::io::write(&self.line, &bytes);
        }
    }
}

#[tokio::test]
async fn dongles_are_found_by_their_addresses_whichever_the_order() {
    let (machine, clock, claims) = (Machine::new(), Clock::start(), Claims::default());
    let addresses = [BdAddr([1; 6]), BdAddr([2; 6])];
    let lines = [machine.plug("ttyACM0", "1-1"), machine.plug("ttyACM1", "1-2")];
    // Each driver opens the other's dongle first.
    let mut devices: Vec<_> = addresses.into_iter().rev().zip(lines).map(|(at, line)| Device::new(at, line)).collect();
    let driver = |(id, address)| {
        let (id, choice) = (AdapterId(id), Choice::Address(address));
        Driver::looking_at(machine.roots(), id, choice, SCAN, claims.clone(), clock)
    };
    let mut drivers: Vec<_> = (0..).zip(addresses).map(driver).collect();

    let mut states: Vec<AdapterState> = Vec::new();
    let mut believed = [0; 2];
    while believed.iter().any(|count| *count < 10) {
        assert!(clock.now() < Time::from_secs(5), "{states:#?}");
        devices.iter_mut().for_each(|device| device.step(clock.now()));
        tokio::select! {
            (place, happened) = next_of(&mut drivers) => {
                drivers[place].handle(happened, &mut |_, _| believed[place] += 1);
            }
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        drivers.iter_mut().for_each(|driver| driver.handle_timeout(clock.now()));
        while let Some(said) = drivers.iter_mut().find_map(Driver::poll_said) {
            if let Said::State(state) = said {
                states.push(state);
            }
        }
    }
    for (driver, (address, node)) in drivers.iter().zip(addresses.into_iter().zip(["ttyACM1", "ttyACM0"])) {
        let node = machine.node(node).display().to_string();
        assert_eq!((driver.state().address, driver.state().port.clone()), (Some(address), Some(node)));
    }
}
