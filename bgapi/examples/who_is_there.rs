//! Prints who advertises in a file of bytes from a scanning dongle:
//! `cargo run -p bgapi --example who_is_there -- capture.bin`

use std::collections::BTreeMap;

use bgapi::ad::Text;
use bgapi::{Decoder, Item, gap};

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).expect("a file of bytes from a dongle");
    let bytes = std::fs::read(path)?;
    let mut strongest = BTreeMap::new();
    let mut decoder = Decoder::host();
    let mut items = decoder.feed(&bytes);
    while let Some(item) = items.next() {
        let Item::Frame(frame) = item else { continue };
        let Some(report) = frame.get::<gap::event::ScanResponse>() else {
            continue;
        };
        let (rssi, name) = strongest.entry(report.address()).or_insert((i8::MIN, None));
        *rssi = report.rssi.max(*rssi);
        *name = report.structures().local_name().map(|name| Text(name).to_string()).or(name.take());
    }
    for (address, (rssi, name)) in strongest {
        println!("{address}  at most {rssi} dBm  {}", name.unwrap_or_default());
    }
    Ok(())
}
