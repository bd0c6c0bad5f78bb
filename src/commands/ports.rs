//! `nbe ports`: which serial ports there are, which of them are dongles, and who may use them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::adapter::port::access::{Access, access, holder, remedy};
use crate::adapter::port::discover::{PortKind, Roots, SerialPort, ports};
use crate::failure::exit;
use crate::holder::Holder;

/// List serial ports: which are dongles, who may open them, and who has them open
///
/// Exit code 0 if there is a dongle that may be opened, 69 if there is none, 77 if there is one that may not.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    nbe ports --json | jq -r '.[] | select(.kind == \"dongle\") | .path'")]
pub struct PortsArgs {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Lists the ports on standard output.
///
/// # Errors
/// If that cannot be written.
pub fn run(args: &PortsArgs) -> io::Result<ExitCode> {
    let listed: Vec<Listed> = ports(&Roots::default()).into_iter().map(Listed::new).collect();
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &listed)?;
        writeln!(out)?;
    } else {
        listed.iter().try_for_each(|port| port.print(&mut out))?;
    }
    let (code, sentence) = conclude(&listed);
    if let Some(sentence) = sentence {
        eprintln!("{sentence}");
    }
    Ok(ExitCode::from(code))
}

/// One port and who may use it.
#[derive(Debug, Serialize)]
struct Listed {
    #[serde(flatten)]
    port: SerialPort,
    access: Option<Access>,
    holder: Option<Holder>,
}

impl Listed {
    fn new(port: SerialPort) -> Self {
        let (access, holder) = (access(&port.path), holder(&port.path));
        Self { port, access, holder }
    }

    fn is_permitted(&self) -> bool {
        self.access.as_ref().is_none_or(|access| access.permitted)
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let kind = match self.port.kind {
            PortKind::Dongle => "BLED112 dongle",
            PortKind::Bootloader => "BLED112 waiting for new firmware",
            PortKind::Other => "not a dongle",
        };
        writeln!(out, "{}  {kind}", self.port.path.display())?;
        if let Some(usb) = &self.port.usb {
            write!(out, "    usb {:04x}:{:04x}", usb.vendor, usb.id)?;
            if let Some(path) = &usb.path {
                write!(out, " at {path}")?;
            }
            for words in [&usb.manufacturer, &usb.product].into_iter().flatten() {
                write!(out, ", {words}")?;
            }
            writeln!(out)?;
        }
        if let Some(Access { permitted, owner, group, mode }) = &self.access {
            let may = if *permitted { "you may open it" } else { "you may not open it" };
            writeln!(out, "    {mode} {owner}:{group}, {may}")?;
        }
        if let Some(holder) = &self.holder {
            writeln!(out, "    held by {holder}")?;
        }
        Ok(())
    }
}

/// The exit code, and what there is to do.
fn conclude(listed: &[Listed]) -> (u8, Option<String>) {
    let dongles = || listed.iter().filter(|port| port.port.kind == PortKind::Dongle);
    if dongles().any(Listed::is_permitted) {
        return (0, None);
    }
    if let Some(denied) = dongles().next() {
        return (exit::NO_PERMISSION, Some(remedy(&denied.port.path)));
    }
    let sentence = match listed.iter().any(|port| port.port.kind == PortKind::Bootloader) {
        true => {
            "no dongle found: the one that is plugged in waits for new firmware; unplug it and plug it in again, and if \
             that does not help, flash it with the vendor's stock \"usbcdc\" firmware"
        }
        false => "no dongle found: plug a BLED112 in (2458:0001), or name a port: `nbe run --port PATH`",
    };
    (exit::NO_DONGLE, Some(sentence.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::port::discover::{BOOTLOADER, DONGLE, UsbDevice, VENDOR};

    fn listed(kind: PortKind, permitted: bool) -> Listed {
        let id = if kind == PortKind::Bootloader { BOOTLOADER } else { DONGLE };
        let usb = UsbDevice {
            path: Some("1-1.2".into()),
            vendor: VENDOR,
            id,
            manufacturer: Some("Bluegiga".into()),
            product: Some("Low Energy Dongle".into()),
            serial: Some("1".into()),
        };
        let access = Access { permitted, owner: "root".into(), group: "dialout".into(), mode: "0660".into() };
        let holder = (!permitted).then(|| Holder { name: "minicom".into(), pid: 12 });
        let port = SerialPort { path: "/dev/ttyACM0".into(), kind, usb: (kind != PortKind::Other).then_some(usb) };
        Listed { port, access: Some(access), holder }
    }

    #[test]
    fn the_exit_code_says_whether_there_is_a_dongle_to_use() {
        use PortKind::{Bootloader, Dongle, Other};
        let cases = [
            ("nothing", vec![], 69, "plug a BLED112 in"),
            ("something else", vec![listed(Other, true)], 69, "plug a BLED112 in"),
            ("a bootloader", vec![listed(Bootloader, true), listed(Other, true)], 69, "waits for new firmware"),
            ("a dongle", vec![listed(Dongle, true), listed(Bootloader, true)], 0, ""),
            ("a dongle of others", vec![listed(Dongle, false)], 77, "no permission to open /dev/ttyACM0"),
            ("one of each", vec![listed(Dongle, false), listed(Dongle, true)], 0, ""),
        ];
        for (case, ports, code, words) in cases {
            let (found, sentence) = conclude(&ports);
            assert_eq!(found, code, "{case}");
            assert!(sentence.unwrap_or_default().contains(words), "{case}");
        }
    }

    #[test]
    fn a_port_is_told_in_a_few_lines() {
        let mut out = Vec::new();
        listed(PortKind::Dongle, false).print(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "/dev/ttyACM0  BLED112 dongle\n    usb 2458:0001 at 1-1.2, Bluegiga, Low Energy Dongle\n    \
             0660 root:dialout, you may not open it\n    held by minicom (process 12)\n"
        );
    }

    #[test]
    fn scripts_get_stable_names() {
        let json = serde_json::to_value(listed(PortKind::Dongle, false)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "path": "/dev/ttyACM0",
                "kind": "dongle",
                "usb": {
                    "path": "1-1.2",
                    "vendor": 0x2458,
                    "product_id": 1,
                    "manufacturer": "Bluegiga",
                    "product": "Low Energy Dongle",
                    "serial": "1",
                },
                "access": { "permitted": false, "owner": "root", "group": "dialout", "mode": "0660" },
                "holder": { "name": "minicom", "pid": 12 },
            })
        );
    }
}
