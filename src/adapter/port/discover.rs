//! Which serial ports there are, and which of them are dongles.

use std::path::PathBuf;

use serde::Serialize;

/// USB vendor id of Bluegiga.
pub const VENDOR: u16 = 0x2458;
/// USB product id of a BLED112 that runs its firmware.
pub const DONGLE: u16 = 0x0001;
/// USB product id of a BLED112 that waits for new firmware.
pub const BOOTLOADER: u16 = 0xfffe;

/// A serial port of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SerialPort {
    /// What to open, such as `/dev/ttyACM0` or `COM3`.
    pub path: PathBuf,
    /// What is behind it.
    pub kind: PortKind,
    /// The USB device, `None` for a port that is not on USB.
    pub usb: Option<UsbDevice>,
}

/// What is behind a serial port, by its USB ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortKind {
    /// A BLED112.
    Dongle,
    /// A BLED112 that waits for new firmware.
    Bootloader,
    /// Something else.
    Other,
}

/// A device on the USB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsbDevice {
    /// Where it is plugged in, such as `1-1.2`: bus 1, port 1, port 2 of the hub there. `None` where it is not known.
    pub path: Option<String>,
    /// The vendor id.
    pub vendor: u16,
    /// The product id.
    #[serde(rename = "product_id")]
    pub id: u16,
    /// Who made it, in its own words.
    pub manufacturer: Option<String>,
    /// What it is, in its own words.
    pub product: Option<String>,
    /// Its serial number, which is "1" on every BLED112.
    pub serial: Option<String>,
}

impl PortKind {
    fn of(usb: Option<&UsbDevice>) -> Self {
        match usb.map(|usb| (usb.vendor, usb.id)) {
            Some((VENDOR, DONGLE)) => Self::Dongle,
            Some((VENDOR, BOOTLOADER)) => Self::Bootloader,
            _ => Self::Other,
        }
    }
}

/// Where to look; other than `/` in tests only.
#[derive(Clone, Debug)]
pub struct Roots {
    /// What is otherwise `/sys`.
    pub sys: PathBuf,
    /// What is otherwise `/dev`.
    pub dev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into() }
    }
}

/// All serial ports, dongles first, otherwise in order of their place on the USB.
pub fn ports(roots: &Roots) -> Vec<SerialPort> {
    let mut ports = system::ports(roots);
    ports.sort_by(|a, b| {
        let place = |port: &SerialPort| (port.kind, port.usb.as_ref().map(|usb| usb.path.clone()), port.path.clone());
        place(a).cmp(&place(b))
    });
    ports
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{PortKind, Roots, SerialPort, UsbDevice};

    /// Every tty with a device behind it, from sysfs.
    pub(super) fn ports(roots: &Roots) -> Vec<SerialPort> {
        let class = roots.sys.join("class/tty");
        let Ok(entries) = fs::read_dir(&class) else { return Vec::new() };
        entries.flatten().filter_map(|entry| port(&class, Path::new(&entry.file_name()), roots)).collect()
    }

    fn port(class: &Path, name: &Path, roots: &Roots) -> Option<SerialPort> {
        let tty = class.join(name);
        let device = fs::canonicalize(tty.join("device")).ok()?;
        // A place on the board for a port that is not fitted.
        if text(&tty, "type").is_some_and(|kind| kind == "0") {
            return None;
        }
        let usb = device.ancestors().take_while(|dir| dir.starts_with(real(&roots.sys))).find_map(usb_device);
        Some(SerialPort { path: roots.dev.join(name), kind: PortKind::of(usb.as_ref()), usb })
    }

    fn real(path: &Path) -> PathBuf {
        fs::canonicalize(path).unwrap_or_else(|_| path.into())
    }

    fn usb_device(dir: &Path) -> Option<UsbDevice> {
        let id = |name| u16::from_str_radix(&text(dir, name)?, 16).ok();
        Some(UsbDevice {
            path: dir.file_name().map(|name| name.to_string_lossy().into_owned()),
            vendor: id("idVendor")?,
            id: id("idProduct")?,
            manufacturer: text(dir, "manufacturer"),
            product: text(dir, "product"),
            serial: text(dir, "serial"),
        })
    }

    /// One line of sysfs; a device's own words, so cut short and without control characters.
    fn text(dir: &Path, name: &str) -> Option<String> {
        let bytes = fs::read(dir.join(name)).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        Some(text.trim().chars().filter(|char| !char.is_control()).take(128).collect())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use serialport::SerialPortType;

    use super::{PortKind, Roots, SerialPort, UsbDevice};

    /// Every port the system lists: on Windows by the registry.
    pub(super) fn ports(_: &Roots) -> Vec<SerialPort> {
        let ports = serialport::available_ports().unwrap_or_default();
        // On macOS each port is listed twice, and opening the tty one waits for a carrier.
        ports.into_iter().filter(|port| !port.port_name.starts_with("/dev/tty.")).map(port).collect()
    }

    fn port(info: serialport::SerialPortInfo) -> SerialPort {
        let usb = match info.port_type {
            SerialPortType::UsbPort(usb) => Some(UsbDevice {
                path: None,
                vendor: usb.vid,
                id: usb.pid,
                manufacturer: usb.manufacturer,
                product: usb.product,
                serial: usb.serial_number,
            }),
            _ => None,
        };
        SerialPort { path: info.port_name.into(), kind: PortKind::of(usb.as_ref()), usb }
    }
}

#[cfg(all(test, target_os = "linux"))]
pub(in crate::adapter) mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    /// Plugs a USB serial device into a made-up sysfs, as the kernel shows it.
    pub(in crate::adapter) fn plug(sys: &Path, tty: &str, usb: &str, interface: &str, files: &[(&str, &str)]) {
        let device = sys.join("devices/pci0000:00/usb1").join(usb);
        let node = device.join(format!("{usb}:1.0")).join(interface).join(tty);
        fs::create_dir_all(&node).unwrap();
        for (name, text) in files {
            fs::write(device.join(name), text).unwrap();
        }
        symlink(node.parent().unwrap().parent().unwrap(), node.join("device")).unwrap();
        fs::create_dir_all(sys.join("class/tty")).unwrap();
        symlink(&node, sys.join("class/tty").join(tty)).unwrap();
    }

    pub(in crate::adapter) const BLED112: &[(&str, &str)] = &[
        ("idVendor", "2458\n"),
        ("idProduct", "0001\n"),
        ("manufacturer", "Bluegiga\n"),
        ("product", "Low Energy Dongle\n"),
        ("serial", "1\n"),
    ];

    #[test]
    fn ports_are_found_by_what_the_kernel_knows_about_them() {
        let dir = tempfile::tempdir().unwrap();
        let sys = dir.path();
        plug(sys, "ttyACM1", "1-1.2", "tty", BLED112);
        plug(sys, "ttyACM0", "1-1.4", "tty", BLED112);
        plug(sys, "ttyACM2", "1-1.1", "tty", &[("idVendor", "2458\n"), ("idProduct", "fffe\n")]);
        plug(sys, "ttyUSB0", "1-3", "ttyUSB0/tty", &[("idVendor", "0403\n"), ("idProduct", "6001\n")]);
        plug(sys, "ttyACM9", "1-9", "tty", &[("idVendor", "zz\n"), ("product", "a\u{1b}[31mb\n")]);
        for (name, kind) in [("ttyS0", "4"), ("ttyS1", "0")] {
            let node = sys.join("devices/platform").join(name);
            fs::create_dir_all(&node).unwrap();
            fs::write(node.join("type"), kind).unwrap();
            symlink(node.parent().unwrap(), node.join("device")).unwrap();
            symlink(&node, sys.join("class/tty").join(name)).unwrap();
        }
        fs::create_dir_all(sys.join("class/tty/tty1")).unwrap();

        let roots = Roots { sys: sys.into(), dev: "/dev".into() };
        let found = ports(&roots);
        let place = |port: &SerialPort| {
            let usb = port.usb.as_ref().and_then(|usb| usb.path.clone());
            (port.path.to_string_lossy().into_owned(), port.kind, usb)
        };
        assert_eq!(
            found.iter().map(place).collect::<Vec<_>>(),
            [
                ("/dev/ttyACM1".into(), PortKind::Dongle, Some("1-1.2".into())),
                ("/dev/ttyACM0".into(), PortKind::Dongle, Some("1-1.4".into())),
                ("/dev/ttyACM2".into(), PortKind::Bootloader, Some("1-1.1".into())),
                ("/dev/ttyACM9".into(), PortKind::Other, None),
                ("/dev/ttyS0".into(), PortKind::Other, None),
                ("/dev/ttyUSB0".into(), PortKind::Other, Some("1-3".into())),
            ]
        );
        assert_eq!(found[0].usb.as_ref().unwrap().product.as_deref(), Some("Low Energy Dongle"));
        assert_eq!(found[0].usb.as_ref().unwrap().serial.as_deref(), Some("1"));
    }

    #[test]
    fn no_sysfs_is_no_ports() {
        assert_eq!(ports(&Roots { sys: "/nowhere".into(), dev: "/dev".into() }), []);
    }
}
